package store

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"phalops/internal/fleet"
)

func TestAttemptsOfBatch(t *testing.T) {
	t0 := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	at := func(minutes int) time.Time { return t0.Add(time.Duration(minutes) * time.Minute) }
	w, other := fleet.WorkerRef("b", "1"), fleet.WorkerRef("b", "2")
	step := func(state fleet.StepState, began, ended int) fleet.Step {
		s := fleet.Step{Target: w, State: state}
		if began > 0 {
			s.Began = at(began)
		}
		if ended > 0 {
			s.Ended = at(ended)
		}
		return s
	}
	tests := []struct {
		name  string
		state fleet.PlanState
		ended int
		exact bool
		steps []fleet.Step
		want  string // minute begun, outcome, minute ended
	}{
		{"nothing begun", fleet.PlanRunning, 0, false, []fleet.Step{step(fleet.StepPlanned, 0, 0)}, "0 running -"},
		{"under way", fleet.PlanRunning, 0, false, []fleet.Step{step(fleet.StepDone, 1, 2), step(fleet.StepIntent, 3, 0)}, "1 running -"},
		{"done before the others", fleet.PlanRunning, 0, false, []fleet.Step{step(fleet.StepDone, 2, 3), step(fleet.StepDone, 1, 2)}, "1 done 3"},
		{"could not begin", fleet.PlanRunning, 0, false, []fleet.Step{step(fleet.StepFailed, 0, 2), step(fleet.StepSkipped, 0, 3)}, "0 failed 3 untouched"},
		{"failed before the others", fleet.PlanRunning, 0, false, []fleet.Step{step(fleet.StepFailed, 1, 2), step(fleet.StepSkipped, 0, 3)}, "1 failed 3"},
		{"was so already", fleet.PlanDone, 9, false, []fleet.Step{step(fleet.StepDone, 0, 4)}, "0 done 4"},
		{"left out", fleet.PlanAborted, 9, false, []fleet.Step{step(fleet.StepSkipped, 0, 8)}, "0 aborted 9"},
		{"aborted half-way", fleet.PlanAborted, 9, false, []fleet.Step{step(fleet.StepDone, 1, 2), step(fleet.StepSkipped, 0, 8)}, "1 aborted 9"},
		{"without a step of its own", fleet.PlanPartly, 9, false, nil, "0 partly 9"},
		{"exact, broken off", fleet.PlanFailed, 9, true, []fleet.Step{step(fleet.StepDone, 1, 2)}, "0 failed 9 untouched"},
		{"exact", fleet.PlanFailed, 9, true, []fleet.Step{step(fleet.StepDone, 1, 2)}, "0 failed 9"},
	}
	for _, tt := range tests {
		p := fleet.Plan{ID: "p", Targets: []fleet.Ref{w, other}, State: tt.state, Created: t0, Exact: tt.exact, Steps: tt.steps}
		if tt.name == "exact, broken off" {
			p.Untouched = []fleet.Ref{w}
		}
		if tt.ended > 0 {
			p.Ended = at(tt.ended)
		}
		attempts := AttemptsOf(p, t0)
		if len(attempts) != 2 || attempts[0].Target != w {
			t.Errorf("%s: %+v", tt.name, attempts)
			continue
		}
		a, ended := attempts[0], "-"
		if !a.Ended.IsZero() {
			ended = fmt.Sprint(a.Ended.Sub(t0).Minutes())
		}
		if a.Untouched {
			ended += " untouched"
		}
		if got := fmt.Sprintf("%v %s %s", a.At.Sub(t0).Minutes(), a.Outcome, ended); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestErrorsHaveASentenceAndAKind(t *testing.T) {
	locked := &LockedError{Wanted: fleet.NodeRef("n1"), Held: Lock{Ref: fleet.NodeRef("n1"), Plan: "p1", Owner: "user:li"}}
	held := &HeldError{Lease: Lease{Name: "dc1", Owner: "host-a"}}
	for code, err := range map[string]error{"store.locked": locked, "store.lease_held": held, "store.fenced": ErrFenced} {
		err = fmt.Errorf("wrapped: %w", err)
		if fleet.KindOf(err) != fleet.Locked || fleet.ReasonOf(err).Code != code {
			t.Errorf("%v: kind %s, code %s", err, fleet.KindOf(err), fleet.ReasonOf(err).Code)
		}
	}
	if _, ok := errors.AsType[*HeldError](locked); ok {
		t.Error("a locked target is taken for a held lease")
	}
}
