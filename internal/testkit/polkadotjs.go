// Package testkit holds what tests of several rooms need. Only tests import it.
package testkit

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// PolkadotJS is the folder of modules with the stock JavaScript client, polkadot-js, that scripts/test-deps.sh installs. The test is
// skipped without it, or without Node.js, but fails where CI=true.
func PolkadotJS(t testing.TB) (modules string) {
	t.Helper()
	dir := os.Getenv("PHALOPS_POLKADOTJS")
	if dir == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			t.Skip("no cache folder: ", err)
		}
		dir = filepath.Join(cache, "phalops", "polkadotjs")
	}
	modules = filepath.Join(dir, "node_modules")
	version, err := os.ReadFile(filepath.Join(modules, "@polkadot", "api", "package.json"))
	if err == nil {
		_, err = exec.LookPath("node")
	}
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("polkadot-js is missing (make test-deps): ", err)
		}
		t.Skip("polkadot-js is not installed (make test-deps): ", err)
	}
	if !strings.Contains(string(version), `"version": "16.5.6"`) {
		t.Fatalf("%s is not @polkadot/api 16.5.6", modules)
	}
	return modules
}

// RunPolkadotJS runs a script of the test's own folder with polkadot-js, gives it input on its standard input and returns what it prints.
func RunPolkadotJS(t testing.TB, input []byte, script string) []byte {
	t.Helper()
	modules := PolkadotJS(t)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	run := exec.CommandContext(ctx, "node", script)
	run.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "NODE_PATH=" + modules}
	run.Stdin = bytes.NewReader(input)
	var stderr strings.Builder
	run.Stderr = &stderr
	out, err := run.Output()
	if err != nil {
		t.Fatalf("%s: %v: %s", script, err, stderr.String())
	}
	return out
}
