package local_test

import (
	"strings"
	"testing"

	"go.uber.org/goleak"

	"phalops/internal/host"
	"phalops/internal/host/hosttest"
	"phalops/internal/host/local"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestConformance(t *testing.T) {
	hosttest.Host(t, hosttest.Machine{Host: local.New(local.Options{}), Dir: t.TempDir(), Processes: true})
}

// TestSecretsOfOurs: what phalops has in its environment is no program's business.
func TestSecretsOfOurs(t *testing.T) {
	t.Setenv("POOL_83_MNEMONIC", "bottom drive obey")
	r, err := local.New(local.Options{}).Run(t.Context(), host.Command{Argv: []string{"env"}})
	if err != nil || strings.Contains(string(r.Stdout), "bottom") || !strings.Contains(string(r.Stdout), "PATH=") {
		t.Errorf("%s %v", r.Stdout, err)
	}
}
