package store

import (
	"slices"
	"time"

	"phalops/internal/fleet"
)

// Created is the event that CreatePlan writes. Its target is the plan's first one.
func Created(p fleet.Plan) fleet.Event {
	e := fleet.Event{
		At: p.Created, Kind: fleet.EventPlan, Author: p.Author, Incident: p.Incident, Plan: p.ID,
		Reason: fleet.Because("store.plan_created", "kind", "plan_kind."+p.Kind, "targets", len(p.Targets)),
	}
	if len(p.Targets) > 0 {
		e.Target = p.Targets[0]
	}
	return e
}

// AttemptsOf is what one plan means for each of its targets, without those that ended before since.
//
// In a batch (not Exact, several targets) a target with steps of its own is judged by them: one failed step makes it
// failed, all done makes it done while the plan still runs for the others. Everywhere else, and for a target whose steps
// were left out, the outcome is the plan's. What is done counts as touched, even if it was so already.
func AttemptsOf(p fleet.Plan, since time.Time) []fleet.Attempt {
	batch := !p.Exact && len(p.Targets) > 1
	var own map[fleet.Ref][]fleet.Step
	if batch {
		own = make(map[fleet.Ref][]fleet.Step, len(p.Targets))
		for _, s := range p.Steps {
			own[s.Target] = append(own[s.Target], s)
		}
	}
	out := make([]fleet.Attempt, 0, len(p.Targets))
	for _, target := range p.Targets {
		a := fleet.Attempt{Target: target, Kind: p.Kind, Plan: p.ID, At: p.Created, Ended: p.Ended, Outcome: p.State, Author: p.Author}
		if steps := own[target]; len(steps) > 0 {
			judge(&a, steps)
		}
		if slices.Contains(p.Untouched, target) {
			a.Untouched = a.Outcome != fleet.PlanDone
		}
		if a.Ended.IsZero() || !a.Ended.Before(since) {
			out = append(out, a)
		}
	}
	return out
}

// judge narrows a plan's outcome to what the steps of one target say.
func judge(a *fleet.Attempt, steps []fleet.Step) {
	var began, ended time.Time
	over, failed, left := true, false, false
	for _, s := range steps {
		if !s.Began.IsZero() && (began.IsZero() || s.Began.Before(began)) {
			began = s.Began
		}
		if s.Ended.After(ended) {
			ended = s.Ended
		}
		over = over && s.State.Ended()
		failed = failed || s.State == fleet.StepFailed
		left = left || s.State == fleet.StepSkipped
	}
	if !began.IsZero() {
		a.At = began
	}
	if !over || (left && !failed) {
		return
	}
	a.Ended, a.Outcome = ended, fleet.PlanDone
	if failed {
		a.Outcome, a.Untouched = fleet.PlanFailed, began.IsZero()
	}
}
