package config_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"phalops/internal/clock"
	"phalops/internal/config"
)

const (
	good   = "sites: [ { name: dc1 } ]\n"
	better = "sites: [ { name: dc1 }, { name: dc2 } ]\n"
	broken = "sitez: []\n"
)

// watched is a Watcher at work in a synctest bubble.
type watched struct {
	t       *testing.T
	path    string
	clock   *clock.Virtual
	reload  chan struct{}
	updates []config.Update
}

func watch(t *testing.T, body func(*watched)) {
	path := filepath.Join(t.TempDir(), "phalops.yaml")
	synctest.Test(t, func(t *testing.T) {
		w := &watched{t: t, path: path, clock: clock.NewVirtual(time.Unix(0, 0)), reload: make(chan struct{}, 1)}
		w.write(good)
		watcher := config.NewWatcher(path, w.clock, w.reload)
		if c, problems, err := watcher.Load(); err != nil || len(problems) > 0 || len(c.Sites) != 1 {
			t.Fatal(c, problems, err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- watcher.Run(ctx, func(u config.Update) { w.updates = append(w.updates, u) }) }()
		body(w)
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
}

func (w *watched) write(text string) {
	w.t.Helper()
	if err := os.WriteFile(w.path, []byte(text), 0o600); err != nil {
		w.t.Fatal(err)
	}
}

// looks lets the watcher look n times and returns what it told meanwhile.
func (w *watched) looks(n int) []config.Update {
	before := len(w.updates)
	for range n {
		synctest.Wait()
		w.clock.Advance(2 * time.Second)
	}
	synctest.Wait()
	return w.updates[before:]
}

func (w *watched) expect(looks int, check ...func(config.Update) bool) {
	w.t.Helper()
	got := w.looks(looks)
	if len(got) != len(check) {
		w.t.Fatalf("told %d times, want %d: %+v", len(got), len(check), got)
	}
	for i, ok := range check {
		if !ok(got[i]) {
			w.t.Errorf("update %d: %+v", i, got[i])
		}
	}
}

func sites(n int) func(config.Update) bool {
	return func(u config.Update) bool { return u.OK() && len(u.Config.Sites) == n }
}

func isBroken(u config.Update) bool { return !u.OK() && u.Err == nil && len(u.Problems) > 0 }
func isGone(u config.Update) bool   { return !u.OK() && errors.Is(u.Err, os.ErrNotExist) }

func TestWatcher(t *testing.T) {
	watch(t, func(w *watched) {
		w.expect(5) // nothing changed, nothing is told
		w.write(better)
		w.expect(1) // perhaps still being written
		w.expect(1, sites(2))
		w.expect(5)
		w.write(broken)
		w.expect(5, isBroken) // once
		w.write(better)
		w.expect(5, sites(2)) // as it was: the caller may withdraw its warning
		if err := os.Remove(w.path); err != nil {
			t.Fatal(err)
		}
		w.expect(5, isGone)
		w.write(good)
		w.expect(5, sites(1))
	})
}

// A file of the same size that is written within the same tick of the file system's clock is still a change.
func TestWatcherSeesContent(t *testing.T) {
	watch(t, func(w *watched) {
		info, err := os.Stat(w.path)
		if err != nil {
			t.Fatal(err)
		}
		w.write("sites: [ { name: dc9 } ]\n")
		if err := os.Chtimes(w.path, info.ModTime(), info.ModTime()); err != nil {
			t.Fatal(err)
		}
		w.expect(2, func(u config.Update) bool { return u.OK() && u.Config.Sites[0].Name == "dc9" })
	})
}

// The beginning of a file is often a valid file with fewer sites. It must not be taken while an editor is writing.
func TestWatcherWaitsForTheWholeFile(t *testing.T) {
	watch(t, func(w *watched) {
		for _, part := range []string{"sites: [ { name: a } ]\n", "sites: [ { name: a } ]\nlang: zh\n", better} {
			w.write(part)
			w.expect(1)
		}
		w.expect(1, sites(2))
	})
}

func TestWatcherReload(t *testing.T) {
	watch(t, func(w *watched) {
		w.reload <- struct{}{}
		w.expect(1, sites(1)) // asked for, though nothing changed
		w.expect(3)
		w.write(better)
		w.reload <- struct{}{}
		w.expect(1, sites(2)) // asked for: at once
		w.expect(3)
		close(w.reload)
		w.expect(3)
	})
}
