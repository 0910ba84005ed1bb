package storetest

import (
	"errors"
	"slices"
	"testing"
	"time"

	"phalops/internal/fleet"
	"phalops/internal/store"
)

func planRoundTrip(t *testing.T, s store.Store) {
	want := fullPlan()
	must(t, s.CreatePlan(t.Context(), want))
	got := get2(s.Plan(t.Context(), "full"))(t)
	want.Counts = got.Counts // whether a single plan is counted is the store's choice
	same(t, "plan", got, want)
	for _, tm := range []time.Time{got.Created, got.Next, got.Steps[0].Began, got.Steps[0].Effected, got.Steps[0].Ended} {
		if tm.Location() != time.UTC {
			t.Errorf("%v is not in UTC", tm)
		}
	}
	if !got.Ended.IsZero() || !got.Steps[1].Began.IsZero() {
		t.Error("a zero time came back as something else")
	}

	// What is given away or taken back must not be shared with the store.
	got.Steps[0].Note["before"] = "changed"
	got.Targets[0] = "site/changed"
	want.Args["stake"] = "changed"
	again := get2(s.Plan(t.Context(), "full"))(t)
	if again.Steps[0].Note["before"] != "83" || again.Targets[0] != fleet.WorkerRef("prb-b", "1") || again.Args["stake"] != "10.5" {
		t.Error("the store shares memory with its caller")
	}
}

func planAllOrNothing(t *testing.T, s store.Store) {
	first := restart("a", fleet.WorkerRef("prb-b", "1"))
	must(t, s.CreatePlan(t.Context(), first))
	second := restart("b", fleet.WorkerRef("prb-b", "2"), fleet.WorkerRef("prb-b", "1"))
	second.Created = at(time.Hour)

	err := s.CreatePlan(t.Context(), second)
	var locked *store.LockedError
	if !errors.As(err, &locked) {
		t.Fatalf("a locked target gives %v, want *LockedError", err)
	}
	if fleet.KindOf(err) != fleet.Locked {
		t.Errorf("kind of the error is %q", fleet.KindOf(err))
	}
	held := locked.Held
	if held.Token == 0 {
		t.Error("the lock has no token")
	}
	held.Token = 0
	same(t, "holder", held, store.Lock{Ref: fleet.WorkerRef("prb-b", "1"), Plan: "a", Owner: first.Author, Reason: first.Reason, Since: first.Created})
	if locked.Wanted != fleet.WorkerRef("prb-b", "1") {
		t.Errorf("wanted %s", locked.Wanted)
	}

	if _, err := s.Plan(t.Context(), "b"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("the refused plan is there: %v", err)
	}
	same(t, "locks", lockedRefs(t, s), []fleet.Ref{fleet.WorkerRef("prb-b", "1")})
	if n := len(eventsAfter(t, s, store.EventFilter{Plan: "b"})); n != 0 {
		t.Errorf("the refused plan left %d events", n)
	}
}

func locksOverlap(t *testing.T, s store.Store) {
	bridge, worker, pool := fleet.BridgeRef("prb-b"), fleet.WorkerRef("prb-b", "1"), fleet.PoolRef("prb-b", "83")
	tests := []struct {
		name       string
		held, want fleet.Ref
		free       bool
	}{
		{"the same", bridge, bridge, false},
		{"child under parent", bridge, worker, false},
		{"pool under parent", bridge, pool, false},
		{"parent over child", worker, bridge, false},
		{"parent over pool", pool, bridge, false},
		{"siblings", worker, fleet.WorkerRef("prb-b", "2"), true},
		{"pool and worker", pool, worker, true},
		{"other bridge", bridge, fleet.WorkerRef("prb-bb", "1"), true},
		{"other kind of the same name", bridge, fleet.NodeRef("prb-b"), true},
	}
	for _, tt := range tests {
		must(t, s.CreatePlan(t.Context(), restart("held "+tt.name, tt.held)))
		err := s.CreatePlan(t.Context(), restart("wanted "+tt.name, tt.want))
		var locked *store.LockedError
		switch {
		case tt.free && err != nil:
			t.Errorf("%s: %v", tt.name, err)
		case !tt.free && !errors.As(err, &locked):
			t.Errorf("%s: got %v, want *LockedError", tt.name, err)
		case !tt.free && (locked.Wanted != tt.want || locked.Held.Ref != tt.held):
			t.Errorf("%s: wanted %s, held %s", tt.name, locked.Wanted, locked.Held.Ref)
		}
		for _, p := range get2(s.Plans(t.Context(), store.PlanFilter{Unended: true}))(t) {
			end(t, s, p.ID)
		}
	}

	both := restart("both", bridge, worker, worker)
	if err := s.CreatePlan(t.Context(), both); err != nil {
		t.Errorf("a plan excludes itself: %v", err)
	}
	same(t, "locks", lockedRefs(t, s), []fleet.Ref{bridge, worker})
}

func end(t *testing.T, s store.Store, id string) {
	t.Helper()
	p := get2(s.Plan(t.Context(), id))(t)
	p.State, p.Ended = fleet.PlanDone, at(time.Hour)
	must(t, s.SavePlan(t.Context(), p, store.Fence{}))
}

func lockTokensGrow(t *testing.T, s store.Store) {
	var last int64
	for _, id := range []string{"a", "b", "c"} {
		must(t, s.CreatePlan(t.Context(), restart(id, fleet.NodeRef("n1"), fleet.NodeRef("n2"))))
		locks := get2(s.Locks(t.Context()))(t)
		if len(locks) != 2 {
			t.Fatalf("%d locks", len(locks))
		}
		for _, l := range locks {
			if l.Token <= last {
				t.Errorf("token %d after %d", l.Token, last)
			}
			last = l.Token
		}
		end(t, s, id)
		if n := len(lockedRefs(t, s)); n != 0 {
			t.Errorf("%d locks after the end", n)
		}
	}
}

func planNeedsNewID(t *testing.T, s store.Store) {
	must(t, s.CreatePlan(t.Context(), restart("a", fleet.NodeRef("n1"))))
	if err := s.CreatePlan(t.Context(), restart("a", fleet.NodeRef("n2"))); !errors.Is(err, store.ErrExists) {
		t.Errorf("a second plan of the same id gives %v", err)
	}
	same(t, "targets", get2(s.Plan(t.Context(), "a"))(t).Targets, []fleet.Ref{fleet.NodeRef("n1")})
	same(t, "locks", lockedRefs(t, s), []fleet.Ref{fleet.NodeRef("n1")})
}

func planCreationEvent(t *testing.T, s store.Store) {
	p := fullPlan()
	must(t, s.CreatePlan(t.Context(), p))
	events := eventsAfter(t, s, store.EventFilter{})
	if len(events) != 1 || events[0].Seq == 0 {
		t.Fatalf("events: %+v", events)
	}
	want := store.Created(p)
	want.Seq = events[0].Seq
	same(t, "event", events[0], want)
}

func planLists(t *testing.T, s store.Store) {
	node := restart("node", fleet.NodeRef("n1"))
	node.Kind, node.Site, node.Locks = "node.restart", "dc2", []fleet.Ref{fleet.NodeRef("n1"), fleet.BridgeRef("prb-x")}
	batch := restart("batch", fleet.WorkerRef("prb-b", "1"), fleet.WorkerRef("prb-b", "2"), fleet.WorkerRef("prb-b", "3"))
	batch.Steps[1].State, batch.Steps[2].State = fleet.StepDone, fleet.StepDone
	batch.Created, batch.Incident = at(2*time.Hour), "inc-1"
	old := restart("old")
	old.Created = at(-time.Nanosecond)
	for _, p := range []fleet.Plan{node, batch, old} {
		must(t, s.CreatePlan(t.Context(), p))
	}
	end(t, s, "node")

	tests := []struct {
		name string
		f    store.PlanFilter
		want []string
	}{
		{"all, newest first", store.PlanFilter{}, []string{"batch", "node", "old"}},
		{"limit", store.PlanFilter{Limit: 2}, []string{"batch", "node"}},
		{"unended", store.PlanFilter{Unended: true}, []string{"batch", "old"}},
		{"unended with limit", store.PlanFilter{Unended: true, Limit: 1}, []string{"batch"}},
		{"sites", store.PlanFilter{Sites: []string{"dc2", "dc3"}}, []string{"node"}},
		{"several sites", store.PlanFilter{Sites: []string{"dc2", "dc1"}}, []string{"batch", "node", "old"}},
		{"kind", store.PlanFilter{Kind: "worker.restart"}, []string{"batch", "old"}},
		{"target", store.PlanFilter{Target: fleet.WorkerRef("prb-b", "3")}, []string{"batch"}},
		{"lock of an ended plan", store.PlanFilter{Target: fleet.BridgeRef("prb-x")}, []string{"node"}},
		{"target is not its parent", store.PlanFilter{Target: fleet.BridgeRef("prb-b")}, []string{}},
		{"since", store.PlanFilter{Since: t0()}, []string{"batch", "node"}},
		{"incident", store.PlanFilter{Incident: "inc-1"}, []string{"batch"}},
		{"everything at once", store.PlanFilter{Sites: []string{"dc1"}, Kind: "worker.restart", Unended: true, Target: fleet.WorkerRef("prb-b", "1"), Since: t0(), Incident: "inc-1", Limit: 5}, []string{"batch"}},
		{"nothing", store.PlanFilter{Kind: "none"}, []string{}},
	}
	for _, tt := range tests {
		same(t, tt.name, ids(get2(s.Plans(t.Context(), tt.f))(t)), tt.want)
	}

	got := get2(s.Plans(t.Context(), store.PlanFilter{Limit: 1}))(t)[0]
	if got.Steps != nil {
		t.Error("a list carries steps")
	}
	same(t, "counts", got.Counts, map[fleet.StepState]int{fleet.StepPlanned: 1, fleet.StepDone: 2})
	batch.Steps, batch.Counts = nil, got.Counts
	same(t, "listed plan", got, batch)
}

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
		must(t, s.SavePlan(t.Context(), p, store.Fence{}))
	}
	got := get2(s.Attempts(t.Context(), at(-24*time.Hour)))(t)
	same(t, "attempts", got, []fleet.Attempt{
		{Target: fleet.NodeRef("n1"), Kind: "worker.restart", Plan: "done", At: at(-time.Hour), Ended: at(-30 * time.Minute), Outcome: fleet.PlanFailed, Author: done.Author},
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
