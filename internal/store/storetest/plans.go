package storetest

import (
	"errors"
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

	head := get2(s.PlanHead(t.Context(), "full"))(t)
	bare := get2(s.Plan(t.Context(), "full"))(t)
	bare.Steps = nil
	same(t, "head", head, bare)

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

	must(t, s.CreatePlan(t.Context(), restart("batch", worker)))
	part, other := restart("part", bridge), restart("other", bridge)
	part.Under, other.Under = "batch", "part"
	if err := s.CreatePlan(t.Context(), other); fleet.KindOf(err) != fleet.Locked {
		t.Errorf("under another plan than the one that holds the lock: %v", err)
	}
	if err := s.CreatePlan(t.Context(), part); err != nil {
		t.Errorf("a plan under the one that holds the lock: %v", err)
	}
	end(t, s, "part")
	end(t, s, "batch")

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
