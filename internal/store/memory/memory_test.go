package memory_test

import (
	"errors"
	"testing"
	"time"

	"phalops/internal/fleet"
	"phalops/internal/store"
	"phalops/internal/store/memory"
	"phalops/internal/store/storetest"
)

func TestStore(t *testing.T) {
	storetest.Run(t, func(t *testing.T) store.Store {
		s := memory.New()
		t.Cleanup(func() {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
		return s
	})
}

func TestFullDiskTakesNoPlanAndLosesNone(t *testing.T) {
	s := memory.New()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	running := fleet.Plan{ID: "a", Site: "dc1", Locks: []fleet.Ref{fleet.NodeRef("n1")}, State: fleet.PlanRunning, Created: now, Steps: []fleet.Step{{Name: "start"}}}
	if err := s.CreatePlan(t.Context(), running); err != nil {
		t.Fatal(err)
	}
	l, err := s.Acquire(t.Context(), "dc1", "me", time.Minute, now)
	if err != nil {
		t.Fatal(err)
	}
	s.SetFull(true)
	other := running
	other.ID, other.Locks = "b", nil
	if err := s.CreatePlan(t.Context(), other); !errors.Is(err, store.ErrFull) {
		t.Errorf("a full store takes a plan: %v", err)
	}
	if err := s.SaveStep(t.Context(), "a", fleet.Step{Name: "start", State: fleet.StepDone}, store.Fence{Lease: "dc1", Token: l.Token}); err != nil {
		t.Errorf("a running plan cannot go on: %v", err)
	}
	s.SetFull(false)
	if err := s.CreatePlan(t.Context(), other); err != nil {
		t.Errorf("after the disk has room again: %v", err)
	}
}
