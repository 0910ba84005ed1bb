package storetest

import (
	"errors"
	"slices"
	"testing"
	"time"

	"phalops/internal/fleet"
	"phalops/internal/store"
)

func stepFence(t *testing.T, s store.Store) {
	must(t, s.CreatePlan(t.Context(), restart("a", fleet.NodeRef("n1"), fleet.NodeRef("n2"))))
	old := lease(t, s, "alpha", t0())
	step := get2(s.Plan(t.Context(), "a"))(t).Steps[1]
	step.State, step.Attempt, step.Token, step.Began = fleet.StepIntent, 1, old.Token, at(1)
	step.Note = map[string]string{"started": "2026"}
	event := fleet.Event{At: at(1), Kind: fleet.EventStep, Author: "rule:x", Plan: "a", Target: step.Target, Reason: because("test.intent")}
	must(t, s.SaveStep(t.Context(), "a", step, old, event))
	got := get2(s.Plan(t.Context(), "a"))(t)
	same(t, "step", got.Steps[1], step)
	if got.Steps[0].State != fleet.StepPlanned {
		t.Error("another step was changed")
	}
	if n := len(eventsAfter(t, s, store.EventFilter{Kinds: []fleet.EventKind{fleet.EventStep}})); n != 1 {
		t.Errorf("%d events, want 1", n)
	}

	// An expired lease that nobody took over is still the newest.
	must(t, s.SaveStep(t.Context(), "a", step, old))

	fresh := lease(t, s, "beta", at(time.Hour))
	late := step
	late.State = fleet.StepDone
	for name, f := range map[string]store.Fence{
		"lost": old, "zero": {}, "of another lease": {Lease: "dc2", Token: fresh.Token}, "from the future": {Lease: "dc1", Token: fresh.Token + 1},
	} {
		if err := s.SaveStep(t.Context(), "a", late, f, event); !errors.Is(err, store.ErrFenced) {
			t.Errorf("a fence %s gives %v, want ErrFenced", name, err)
		}
	}
	same(t, "step after fenced writes", get2(s.Plan(t.Context(), "a"))(t).Steps[1], step)
	if n := len(eventsAfter(t, s, store.EventFilter{Kinds: []fleet.EventKind{fleet.EventStep}})); n != 1 {
		t.Errorf("a fenced write left an event: %d", n)
	}
	must(t, s.SaveStep(t.Context(), "a", late, fresh))
}

func planFence(t *testing.T, s store.Store) {
	must(t, s.CreatePlan(t.Context(), fullPlan()))
	old := lease(t, s, "alpha", t0())
	p := get2(s.Plan(t.Context(), "full"))(t)
	p.State, p.Note, p.Next = fleet.PlanParked, because("test.parked"), at(time.Hour)
	p.Kind, p.Targets, p.Steps = "changed", nil, nil // must not be written
	event := fleet.Event{At: at(1), Kind: fleet.EventPlan, Author: "phalops", Plan: "full", Reason: because("test.parked")}
	must(t, s.SavePlan(t.Context(), p, old, event))
	want := fullPlan()
	want.State, want.Note, want.Next = p.State, p.Note, p.Next
	got := get2(s.Plan(t.Context(), "full"))(t)
	want.Counts = got.Counts
	same(t, "plan", got, want)

	lease(t, s, "beta", at(time.Hour))
	p.State = fleet.PlanRunning
	if err := s.SavePlan(t.Context(), p, old, event); !errors.Is(err, store.ErrFenced) {
		t.Errorf("a lost fence gives %v, want ErrFenced", err)
	}
	if got := get2(s.Plan(t.Context(), "full"))(t).State; got != fleet.PlanParked {
		t.Errorf("a fenced write made the plan %s", got)
	}
	if n := len(eventsAfter(t, s, store.EventFilter{})); n != 2 {
		t.Errorf("%d events, want 2", n)
	}
}

func planPerson(t *testing.T, s store.Store) {
	must(t, s.CreatePlan(t.Context(), restart("a")))
	lease(t, s, "alpha", t0())
	p := get2(s.Plan(t.Context(), "a"))(t)
	p.State = fleet.PlanPaused
	must(t, s.SavePlan(t.Context(), p, store.Fence{}))
	p.State, p.Abort = fleet.PlanRunning, true
	must(t, s.SavePlan(t.Context(), p, store.Fence{}))
	got := get2(s.Plan(t.Context(), "a"))(t)
	if got.State != fleet.PlanRunning || !got.Abort {
		t.Errorf("state %s, abort %v", got.State, got.Abort)
	}
}

func planPersonOutlives(t *testing.T, s store.Store) {
	f := lease(t, s, "alpha", t0())
	must(t, s.CreatePlan(t.Context(), restart("a")))
	executor := get2(s.Plan(t.Context(), "a"))(t) // read before the person speaks
	person := executor
	person.State = fleet.PlanPaused
	must(t, s.SavePlan(t.Context(), person, store.Fence{}))
	executor.Next = at(time.Minute)
	must(t, s.SavePlan(t.Context(), executor, f))
	got := get2(s.Plan(t.Context(), "a"))(t)
	if got.State != fleet.PlanPaused || !got.Next.Equal(at(time.Minute)) {
		t.Errorf("after a late write the plan is %s, next %v", got.State, got.Next)
	}
	person.State, person.Abort = fleet.PlanRunning, true
	must(t, s.SavePlan(t.Context(), person, store.Fence{}))
	executor.State = fleet.PlanRestoring
	must(t, s.SavePlan(t.Context(), executor, f))
	got = get2(s.Plan(t.Context(), "a"))(t)
	if got.State != fleet.PlanRestoring || !got.Abort {
		t.Errorf("after a late write the plan is %s, abort %v", got.State, got.Abort)
	}
}

func planEndFreesLocks(t *testing.T, s store.Store) {
	f := lease(t, s, "alpha", t0())
	for i, state := range []fleet.PlanState{fleet.PlanDone, fleet.PlanFailed, fleet.PlanPartly, fleet.PlanAborted} {
		id := string(state)
		must(t, s.CreatePlan(t.Context(), restart(id, fleet.NodeRef("n1"))))
		must(t, s.CreatePlan(t.Context(), restart("other "+id, fleet.NodeRef("other "+id))))
		p := get2(s.Plan(t.Context(), id))(t)
		p.State = fleet.PlanRestoring
		must(t, s.SavePlan(t.Context(), p, f))
		if !slices.Contains(lockedRefs(t, s), fleet.NodeRef("n1")) {
			t.Fatal("a restoring plan lost its lock")
		}
		p.State, p.Ended = state, at(time.Duration(i)*time.Minute)
		must(t, s.SavePlan(t.Context(), p, f))
		locks := lockedRefs(t, s)
		if slices.Contains(locks, fleet.NodeRef("n1")) || len(locks) != i+1 {
			t.Errorf("%s: locks %v", state, locks)
		}
		p.State, p.Ended = fleet.PlanRunning, time.Time{}
		for _, fence := range []store.Fence{f, {}} {
			if err := s.SavePlan(t.Context(), p, fence); !errors.Is(err, store.ErrEnded) {
				t.Errorf("%s: an ended plan is changed: %v", state, err)
			}
		}
		if got := get2(s.Plan(t.Context(), id))(t); got.State != state || !got.Ended.Equal(at(time.Duration(i)*time.Minute)) {
			t.Errorf("%s: ended plan is %s at %v", state, got.State, got.Ended)
		}
	}
}
