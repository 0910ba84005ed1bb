package storetest

import (
	"testing"
	"time"

	"phalops/internal/fleet"
	"phalops/internal/store"
)

func attempts(t *testing.T, s store.Store) {
	done := restart("done", fleet.NodeRef("n1"))
	done.Created = at(-time.Hour)
	running := restart("running", fleet.NodeRef("n2"))
	old := restart("old", fleet.NodeRef("n3"))
	old.Created = at(-48 * time.Hour)
	for _, p := range []fleet.Plan{running, done, old} {
		must(t, s.CreatePlan(t.Context(), p))
	}
	for id, when := range map[string]time.Duration{"done": -30 * time.Minute, "old": -47 * time.Hour} {
		p := get2(s.Plan(t.Context(), id))(t)
		p.State, p.Ended = fleet.PlanFailed, at(when)
		if id == "done" {
			p.Untouched = p.Targets
		}
		must(t, s.SavePlan(t.Context(), p, store.Fence{}))
	}
	got := get2(s.Attempts(t.Context(), at(-24*time.Hour)))(t)
	same(t, "attempts", got, []fleet.Attempt{
		{Target: fleet.NodeRef("n1"), Kind: "worker.restart", Plan: "done", At: at(-time.Hour), Ended: at(-30 * time.Minute), Outcome: fleet.PlanFailed, Author: done.Author, Untouched: true},
		{Target: fleet.NodeRef("n2"), Kind: "worker.restart", Plan: "running", At: t0(), Outcome: fleet.PlanRunning, Author: done.Author},
	})
	if n := len(get2(s.Attempts(t.Context(), time.Time{}))(t)); n != 3 {
		t.Errorf("%d attempts in all, want 3", n)
	}
}

func attemptsBatch(t *testing.T, s store.Store) {
	f := lease(t, s, "alpha", t0())
	w := []fleet.Ref{fleet.WorkerRef("b", "1"), fleet.WorkerRef("b", "2"), fleet.WorkerRef("b", "3")}
	must(t, s.CreatePlan(t.Context(), restart("batch", w...)))
	steps := get2(s.Plan(t.Context(), "batch"))(t).Steps
	steps[0].State, steps[0].Began, steps[0].Ended = fleet.StepDone, at(2), at(5)
	steps[1].State, steps[1].Began, steps[1].Ended = fleet.StepFailed, at(1), at(4)
	must(t, s.SaveStep(t.Context(), "batch", steps[0], f))
	must(t, s.SaveStep(t.Context(), "batch", steps[1], f))
	entry := fleet.Attempt{Kind: "worker.restart", Plan: "batch", Author: "rule:v2.error"}
	entry.Target, entry.At, entry.Outcome = w[2], t0(), fleet.PlanRunning
	third := entry
	entry.Target, entry.At, entry.Ended, entry.Outcome = w[1], at(1), at(4), fleet.PlanFailed
	second := entry
	entry.Target, entry.At, entry.Ended, entry.Outcome = w[0], at(2), at(5), fleet.PlanDone
	same(t, "attempts", get2(s.Attempts(t.Context(), at(-time.Hour)))(t), []fleet.Attempt{third, second, entry})
	same(t, "attempts since", get2(s.Attempts(t.Context(), at(5)))(t), []fleet.Attempt{third, entry})
}
