package sqlite

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"phalops/internal/fleet"
	"phalops/internal/store"
)

const (
	tinySize    = 4 << 20
	tinyReserve = 1 << 20
)

// onTinyDisk opens a store that has begun a plan on a disk of 4 MiB. Its folder is below the mount point.
func onTinyDisk(t *testing.T) (s *Store, dir string, fence store.Fence) {
	t.Helper()
	dir = filepath.Join(tinyDisk(t, tinySize), "data")
	s, err := Open(t.Context(), Options{Dir: dir, Reserve: tinyReserve})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	l, err := s.Acquire(t.Context(), "dc1", "daemon", time.Minute, t0)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.CreatePlan(t.Context(), twoSteps("p", fleet.NodeRef("n1"))); err != nil {
		t.Fatal(err)
	}
	if s.Full() || !s.reserve.there() {
		t.Fatal("a fresh store has no reserve")
	}
	return s, dir, store.Fence{Lease: l.Name, Token: l.Token}
}

func twoSteps(id string, target fleet.Ref) fleet.Plan {
	step := fleet.Step{Target: target, State: fleet.StepPlanned}
	p := fleet.Plan{ID: id, Site: "dc1", State: fleet.PlanRunning, Targets: []fleet.Ref{target}, Locks: []fleet.Ref{target}, Created: t0}
	for i := range 2 {
		step.Seq = i
		p.Steps = append(p.Steps, step)
	}
	return p
}

// ballast takes every free byte; it returns how to give them back.
func ballast(t *testing.T, dir string) (path string) {
	t.Helper()
	path = filepath.Join(filepath.Dir(dir), "ballast")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for block := make([]byte, 64<<10); ; {
		if _, err := f.Write(block); errors.Is(err, syscall.ENOSPC) {
			return path
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

// untilFull writes facts until the disk refuses one.
func untilFull(t *testing.T, s *Store) {
	t.Helper()
	for range 10_000 {
		err := s.LogFacts(t.Context(), fleet.Fact{Target: fleet.NodeRef("n1"), Value: strings.Repeat("x", 4000), At: t0})
		if errors.Is(err, store.ErrFull) {
			return
		}
		if err != nil {
			t.Fatalf("a full disk says: %v", err)
		}
	}
	t.Fatal("the disk never got full")
}

// restores checks that everything which a running plan needs to end is still written.
func restores(t *testing.T, s *Store, fence store.Fence) {
	t.Helper()
	p, err := s.Plan(t.Context(), "p")
	if err != nil {
		t.Fatal(err)
	}
	event := fleet.Event{At: t0, Kind: fleet.EventStep, Reason: fleet.Because("x")}
	for i := range p.Steps {
		for _, p.Steps[i].State = range []fleet.StepState{fleet.StepIntent, fleet.StepEffected, fleet.StepDone} {
			if err := s.SaveStep(t.Context(), "p", p.Steps[i], fence, event); err != nil {
				t.Errorf("SaveStep: %v", err)
			}
		}
	}
	for _, owner := range []string{"daemon", "daemon"} {
		if _, err := s.Acquire(t.Context(), "dc1", owner, time.Minute, t0); err != nil {
			t.Errorf("Acquire: %v", err)
		}
	}
	p.State, p.Ended = fleet.PlanDone, t0
	for what, err := range map[string]error{
		"SavePlan":     s.SavePlan(t.Context(), p, fence, event),
		"Append":       s.Append(t.Context(), event),
		"SaveMessage":  s.SaveMessage(t.Context(), []fleet.Message{{ID: "m", Created: t0}}, event),
		"SaveIncident": s.SaveIncident(t.Context(), fleet.Incident{ID: "i", Opened: t0}, event),
		"Release":      s.Release(t.Context(), "dc1", "daemon"),
	} {
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	if p, err := s.Plan(t.Context(), "p"); err != nil || p.State != fleet.PlanDone || p.Steps[1].State != fleet.StepDone {
		t.Errorf("the plan is %s, %v", p.State, err)
	}
	if locks, err := s.Locks(t.Context()); err != nil || len(locks) != 0 {
		t.Errorf("locks: %v, %v", locks, err)
	}
}

func refusesNewWork(t *testing.T, s *Store) {
	t.Helper()
	if err := s.CreatePlan(t.Context(), twoSteps("new", fleet.NodeRef("n9"))); !errors.Is(err, store.ErrFull) {
		t.Errorf("CreatePlan while full: %v", err)
	}
	if err := s.SaveBridge(t.Context(), fleet.BridgeStatus{Ref: "bridge/b"}); !errors.Is(err, store.ErrFull) {
		t.Errorf("SaveBridge while full: %v", err)
	}
}

func TestFullDiskLetsPlansFinish(t *testing.T) {
	s, dir, fence := onTinyDisk(t)
	path := ballast(t, dir)
	untilFull(t, s)
	if !s.Full() || s.reserve.there() {
		t.Errorf("full %v, reserve there %v", s.Full(), s.reserve.there())
	}
	refusesNewWork(t, s)
	restores(t, s, fence)

	// Still no space: Prune must not pretend.
	if _, err := s.Prune(t.Context(), t0); err != nil || !s.Full() {
		t.Errorf("after Prune on a full disk: full %v, %v", s.Full(), err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Prune(t.Context(), t0); err != nil || s.Full() || !s.reserve.there() {
		t.Errorf("with space again: full %v, reserve %v, %v", s.Full(), s.reserve.there(), err)
	}
	if err := s.CreatePlan(t.Context(), twoSteps("new", fleet.NodeRef("n9"))); err != nil {
		t.Errorf("with space again: %v", err)
	}
	if err := s.Verify(t.Context()); err != nil {
		t.Error(err)
	}
}

// The write that meets the full disk first is itself a restoring one.
func TestFullDiskInTheMiddleOfAStep(t *testing.T) {
	s, dir, fence := onTinyDisk(t)
	ballast(t, dir)
	step := twoSteps("p", fleet.NodeRef("n1")).Steps[0]
	step.Args = map[string]string{"x": strings.Repeat("x", 4000)}
	for range 10_000 {
		if err := s.SaveStep(t.Context(), "p", step, fence); err != nil {
			t.Fatalf("SaveStep: %v", err)
		}
		if s.Full() {
			break
		}
	}
	if !s.Full() || s.reserve.there() {
		t.Fatalf("full %v, reserve there %v", s.Full(), s.reserve.there())
	}
	refusesNewWork(t, s)
	restores(t, s, fence)
}

// A daemon that starts again on a full disk can still finish what it began.
func TestOpenOnFullDisk(t *testing.T) {
	s, dir, fence := onTinyDisk(t)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	path := ballast(t, dir)
	s, err := Open(t.Context(), Options{Dir: dir, Reserve: tinyReserve})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	if !s.Full() {
		t.Error("not full")
	}
	refusesNewWork(t, s)
	restores(t, s, fence)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	s.reserve.tried = time.Time{} // half a minute later
	if err := s.CreatePlan(t.Context(), twoSteps("new", fleet.NodeRef("n9"))); err != nil || s.Full() {
		t.Errorf("with space again: full %v, %v", s.Full(), err)
	}
}

// A second process that has not met the full disk itself sees that the reserve is gone.
func TestFullDiskIsSeenByOtherProcesses(t *testing.T) {
	s, dir, _ := onTinyDisk(t)
	other, err := Open(t.Context(), Options{Dir: dir, Reserve: tinyReserve})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { other.Close() })
	ballast(t, dir)
	untilFull(t, s)
	refusesNewWork(t, other)
	if !other.Full() {
		t.Error("the other process does not know")
	}
}

// Where the limit is not the disk's, the reserve cannot help: then even restoring writes say clearly why they failed.
func TestFullWithoutHelp(t *testing.T) {
	s := open(t, t.TempDir())
	if _, err := s.writer.Exec(`PRAGMA max_page_count = 1`); err != nil { // SQLite raises it to the present size
		t.Fatal(err)
	}
	untilFull(t, s)
	if !s.Full() {
		t.Error("not full")
	}
	err := s.SaveMessage(t.Context(), []fleet.Message{{ID: "m", Error: strings.Repeat("x", 1<<20)}})
	if !errors.Is(err, store.ErrFull) || fleet.KindOf(err) != fleet.Refused || code(err) != "store.full" {
		t.Errorf("got %v", err)
	}
	if got, err := s.Messages(t.Context(), "", time.Time{}); err != nil || len(got) != 0 {
		t.Errorf("half a write is there: %v, %v", got, err)
	}
}
