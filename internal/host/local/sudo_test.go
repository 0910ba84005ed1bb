package local

import (
	"testing"

	"phalops/internal/fleet"
	"phalops/internal/host"
	"phalops/internal/host/hosttest"
	"phalops/internal/lab"
)

// TestLabSudo: the same under a real sudo, which root may use as well.
func TestLabSudo(t *testing.T) {
	if testing.Short() {
		t.Skip("runs hundreds of commands under sudo")
	}
	if lab.Find("sudo") == "" {
		lab.Missing(t, "no sudo")
	}
	h := New(Options{Root: host.Root{Way: "sudo"}})
	h.root.Already = false
	if _, err := h.Run(t.Context(), host.Command{Argv: []string{"true"}, Become: true}); err != nil {
		lab.Missing(t, "sudo does not let this user become root without a password: "+err.Error())
	}
	hosttest.Host(t, hosttest.Machine{Host: h, Dir: t.TempDir(), Processes: true, Become: true})
}

func TestNoWayToRoot(t *testing.T) {
	h := New(Options{})
	h.root.Already = false
	for _, err := range []error{
		second(h.Run(t.Context(), host.Command{Argv: []string{"true"}, Become: true})),
		second(h.ReadFile(t.Context(), "/etc/hosts", host.FileOptions{Become: true})),
	} {
		if fleet.KindOf(err) != fleet.Refused || fleet.ReasonOf(err).Code != "host.no_root" {
			t.Errorf("got %v", err)
		}
	}
}

func second[T any](_ T, err error) error { return err }
