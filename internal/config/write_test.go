package config_test

import (
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"phalops/internal/config"
	"phalops/internal/fleet"
)

func TestWriteNew(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "phalops.yaml")
	if err := config.WriteNew(path, []byte("one")); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info.Mode(), err)
	}
	err = config.WriteNew(path, []byte("two"))
	if fleet.KindOf(err) != fleet.Refused || fleet.ReasonOf(err).Code != "config.exists" {
		t.Error(err)
	}
	if b, err := os.ReadFile(path); err != nil || string(b) != "one" {
		t.Errorf("%s %v", b, err)
	}
	dangling := filepath.Join(dir, "link")
	if err := os.Symlink(filepath.Join(dir, "elsewhere"), dangling); err != nil {
		t.Fatal(err)
	}
	if err := config.WriteNew(dangling, []byte("x")); fleet.ReasonOf(err).Code != "config.exists" {
		t.Error("through a link: ", err)
	}
	if err := config.WriteNew(filepath.Join(dir, "none", "x"), nil); fleet.ReasonOf(err).Code != "config.unwritable" {
		t.Error(err)
	}
	only(t, dir, "link", "phalops.yaml")
}

// Of many that write at once, one wins with its whole content, and nothing else is left behind.
func TestWriteNewRace(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "phalops.yaml")
	var wg sync.WaitGroup
	var won atomic.Int32
	for i := range 8 {
		wg.Go(func() {
			text := make([]byte, 10_000)
			for j := range text {
				text[j] = byte('a' + i)
			}
			if config.WriteNew(path, text) == nil {
				won.Add(1)
			}
		})
	}
	wg.Wait()
	b, err := os.ReadFile(path)
	if err != nil || len(b) != 10_000 || b[0] != b[9_999] || won.Load() != 1 {
		t.Errorf("%d won, %d bytes, %v", won.Load(), len(b), err)
	}
	only(t, dir, "phalops.yaml")
}

func only(t *testing.T, dir string, names ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != len(names) {
		t.Fatalf("%v %v", entries, err)
	}
	for i, e := range entries {
		if e.Name() != names[i] {
			t.Errorf("%s is left behind", e.Name())
		}
	}
}
