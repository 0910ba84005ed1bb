package sqlite

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"phalops/internal/fleet"
	"phalops/internal/store"
)

// Whatever was acknowledged is there after kill -9, in order and without holes.
func TestKilledWriterLosesNothing(t *testing.T) {
	dir := t.TempDir()
	next := 0 // first number that was not seen in the store
	for round := range 3 {
		c := start(t, "writer", dir)
		var last int64
		for range 40 + 17*round {
			last = c.number(t)
		}
		c.kill(t)
		for c.lines.Scan() { // what it said before it died
			last, _ = strconv.ParseInt(c.lines.Text(), 10, 64)
		}

		s := open(t, dir)
		events, err := s.Events(t.Context(), store.EventFilter{})
		if err != nil {
			t.Fatal(err)
		}
		events = events[next:]
		if int64(len(events)) <= last {
			t.Fatalf("round %d: %d events are left, but %d was acknowledged", round, len(events), last)
		}
		for i, e := range events {
			if e.Reason.Args["i"] != fmt.Sprint(i) {
				t.Fatalf("round %d: event %d is number %s", round, i, e.Reason.Args["i"])
			}
		}
		next += len(events)
		if err := s.Verify(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

func TestLeaseOfDeadProcessIsTakenOver(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	if !s.owners.local {
		needs(t, "the temporary folder is not on a local file system")
	}
	c := start(t, "owner", dir)
	token := c.number(t)
	now := t0.Add(time.Second) // long before the lease ends

	_, err := s.Acquire(t.Context(), "dc1", "parent", time.Minute, now)
	var held *store.HeldError
	if !errors.As(err, &held) || held.Lease.Owner != "child" || held.Lease.Token != token {
		t.Fatalf("a living owner's lease: %v", err)
	}
	if _, err := s.LeaseOf(t.Context(), "dc1", now); err != nil {
		t.Errorf("a living owner's lease is not read: %v", err)
	}
	if _, err := s.Acquire(t.Context(), "dc9", "child", time.Minute, now); !errors.As(err, &held) {
		t.Errorf("the name of another living process may be used: %v", err)
	}

	c.kill(t)
	if _, err := s.LeaseOf(t.Context(), "dc1", now); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a dead owner's lease: %v", err)
	}
	l, err := s.Acquire(t.Context(), "dc1", "parent", time.Minute, now)
	if err != nil || l.Owner != "parent" || l.Token <= token || !l.Since.Equal(now) {
		t.Fatalf("take-over: %+v, %v", l, err)
	}
	if err := s.SaveStep(t.Context(), "p", fleet.Step{}, store.Fence{Lease: "dc1", Token: token}); err == nil {
		t.Error("the dead owner's token still writes")
	}
}

func TestLeaseIsNotTakenOverWithoutProof(t *testing.T) {
	for name, spoil := range map[string]func(t *testing.T, s *Store, path string){
		"lock file is missing": func(t *testing.T, _ *Store, path string) {
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
		},
		"network file system": func(_ *testing.T, s *Store, _ string) { s.owners.local = false },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			s := open(t, dir)
			first, err := Open(t.Context(), Options{Dir: dir, Reserve: 1})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := first.Acquire(t.Context(), "dc1", "alpha", time.Minute, t0); err != nil {
				t.Fatal(err)
			}
			if err := first.Close(); err != nil {
				t.Fatal(err)
			}
			spoil(t, s, s.owners.path("alpha"))
			var held *store.HeldError
			if _, err := s.Acquire(t.Context(), "dc1", "beta", time.Minute, t0); !errors.As(err, &held) {
				t.Errorf("got %v, want *HeldError", err)
			}
		})
	}
}

// Two Stores on one folder stand for the daemon and a command: both write at once, and nothing is refused as busy.
func TestTwoStoresOnOneFolder(t *testing.T) {
	dir := t.TempDir()
	var stores [2]*Store
	var wg sync.WaitGroup
	for i := range stores {
		wg.Go(func() { // the first opening, with its migration, at the same time
			s, err := Open(t.Context(), Options{Dir: dir, Reserve: 64 << 10})
			if err != nil {
				t.Error(err)
				return
			}
			stores[i] = s
		})
	}
	wg.Wait()
	if t.Failed() {
		t.FailNow()
	}
	for i, s := range stores {
		defer s.Close()
		wg.Go(func() {
			for n := range 50 {
				if err := s.Append(t.Context(), fleet.Event{At: t0, Author: fmt.Sprint(i), Reason: fleet.Because(fmt.Sprint(n))}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	for _, s := range stores {
		events, err := s.Events(t.Context(), store.EventFilter{})
		if err != nil || len(events) != 100 {
			t.Errorf("%d events, %v", len(events), err)
		}
	}
	l, err := stores[0].Acquire(t.Context(), "dc1", "daemon", time.Minute, t0)
	if err != nil {
		t.Fatal(err)
	}
	var held *store.HeldError
	if _, err := stores[1].Acquire(t.Context(), "dc1", "command", time.Minute, t0); !errors.As(err, &held) || held.Lease.Token != l.Token {
		t.Errorf("the command got %v", err)
	}
}

func TestPruneRemovesFilesOfDeadOwners(t *testing.T) {
	dir := t.TempDir()
	dead, s := open(t, dir), open(t, dir)
	for owner, where := range map[string]*Store{"gone": dead, "gone with lease": dead, "alive": s} {
		if _, err := where.Acquire(t.Context(), owner, owner, time.Minute, t0); err != nil {
			t.Fatal(err)
		}
	}
	for where, owner := range map[*Store]string{dead: "gone", s: "alive"} {
		if err := where.Release(t.Context(), owner, owner); err != nil {
			t.Fatal(err)
		}
	}
	if err := dead.owners.close(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Prune(t.Context(), t0); err != nil {
		t.Fatal(err)
	}
	for owner, want := range map[string]bool{"gone": false, "gone with lease": true, "alive": true} {
		_, err := os.Stat(s.owners.path(owner))
		if (err == nil) != want {
			t.Errorf("file of %q is there: %v, want %v", owner, err == nil, want)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, FileName)); err != nil {
		t.Error(err)
	}
}
