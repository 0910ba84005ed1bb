// Package storetest is the conformance suite of store.Store: every implementation must pass it, and nothing else of
// phalops may rely on more than it shows.
package storetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"phalops/internal/fleet"
	"phalops/internal/store"
)

// Run runs the suite. open makes an empty store; it registers its own Close with t.Cleanup.
func Run(t *testing.T, open func(t *testing.T) store.Store) {
	tests := []struct {
		name string
		run  func(t *testing.T, s store.Store)
	}{
		{"plan comes back as written", planRoundTrip},
		{"plan is created with its locks or not at all", planAllOrNothing},
		{"locks exclude parents and children", locksOverlap},
		{"lock tokens grow for ever", lockTokensGrow},
		{"plan needs a new id", planNeedsNewID},
		{"creation is an event", planCreationEvent},
		{"lists of plans", planLists},
		{"step is saved under a fence", stepFence},
		{"plan is saved under a fence", planFence},
		{"person's request needs no fence", planPerson},
		{"person's request outlives a late write", planPersonOutlives},
		{"end of a plan frees its locks", planEndFreesLocks},
		{"attempts", attempts},
		{"attempts of a batch", attemptsBatch},
		{"lease is renewed by its owner", leaseRenew},
		{"lease is taken over after its end", leaseTakeOver},
		{"lease is given back", leaseRelease},
		{"lease has one owner at a time", leaseProperty},
		{"incidents", incidents},
		{"events have a growing cursor", eventsCursor},
		{"events are chosen", eventsFilter},
		{"statuses", statuses},
		{"decisions", decisions},
		{"chains", chains},
		{"maintenance windows", calendar},
		{"what is no longer configured is forgotten", forget},
		{"facts", facts},
		{"messages", messages},
		{"old things are pruned", prune},
		{"what is unknown is not found", notFound},
		{"a done context changes nothing", contextDone},
		{"appending in parallel", parallelAppend},
		{"locking in parallel", parallelLocks},
		{"leasing in parallel", parallelLease},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { tt.run(t, open(t)) })
	}
}

// t0 has nanoseconds, because a store must not lose them.
func t0() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 123456789, time.UTC) }

func at(d time.Duration) time.Time { return t0().Add(d) }

// because says something that no catalogue has to know.
func because(code string, args ...any) fleet.Reason { return fleet.Because(code, args...) }

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func get[T any](t *testing.T, v T, err error) T {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// same compares, taking an empty list or map for a missing one.
func same(t *testing.T, what string, got, want any) {
	t.Helper()
	if d := cmp.Diff(want, got, cmpopts.EquateEmpty(), cmp.AllowUnexported(fleet.Amount{})); d != "" {
		t.Errorf("%s (-want +got):\n%s", what, d)
	}
}

// lease takes the lease that a plan's executor needs.
func lease(t *testing.T, s store.Store, owner string, now time.Time) store.Fence {
	t.Helper()
	l := get2(s.Acquire(t.Context(), "dc1", owner, time.Minute, now))(t)
	return store.Fence{Lease: l.Name, Token: l.Token}
}

func get2[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T { t.Helper(); return get(t, v, err) }
}

// restart is a small plan on one worker.
func restart(id string, targets ...fleet.Ref) fleet.Plan {
	if len(targets) == 0 {
		targets = []fleet.Ref{fleet.WorkerRef("prb-b", "w-"+id)}
	}
	p := fleet.Plan{
		ID: id, Kind: "worker.restart", Site: "dc1", Targets: targets, Locks: targets, Author: "rule:v2.error",
		Reason: because("test.failed", "state", "S_ERROR"), State: fleet.PlanRunning, Created: t0(),
	}
	for i, target := range targets {
		p.Steps = append(p.Steps, fleet.Step{
			Seq: i, Name: fmt.Sprintf("restart %d", i), Op: "worker.restart", Target: target,
			Label: because("test.restart", "worker", target), Class: fleet.ClassCostsMining, State: fleet.StepPlanned,
		})
	}
	return p
}

// fullPlan has every field set, so that a store that drops one is found.
func fullPlan() fleet.Plan {
	w1, w2, bridge := fleet.WorkerRef("prb-b", "1"), fleet.WorkerRef("prb-b", "2"), fleet.BridgeRef("prb-c")
	return fleet.Plan{
		ID: "full", Kind: "batch.set", Site: "dc1", Targets: []fleet.Ref{w1, w2, bridge}, Locks: []fleet.Ref{w2, w1, bridge},
		Args: map[string]string{"stake": "10.5", "名": "值 \"'\x00<&>"}, Author: "user:li",
		Reason: because("test.asked", "n", 3), Incident: "inc-1", State: fleet.PlanPaused,
		Note: because("test.paused", "by", "li"), Created: t0(), Next: at(time.Minute), Abort: true, Exact: true,
		Steps: []fleet.Step{
			{
				Seq: 0, Name: "set 1", Op: "worker.set", Target: w1, Args: map[string]string{"pool": "84"},
				Label: because("test.set", "pool", 84), Class: fleet.ClassReversible, Restoring: true, State: fleet.StepDone,
				Attempt: 2, Token: 7, Note: map[string]string{"before": "83"}, Result: because("test.proved"),
				Began: at(1), Effected: at(2), Ended: at(3),
			},
			{Seq: 1, Name: "set 2", Op: "worker.set", Target: w2, Class: fleet.ClassIrreversible, State: fleet.StepPlanned},
			{Seq: 2, Name: "set 3", Op: "bridge.set", Target: bridge, Class: fleet.ClassCostsMining, State: fleet.StepSkipped},
		},
	}
}

func eventsAfter(t *testing.T, s store.Store, f store.EventFilter) []fleet.Event {
	t.Helper()
	return get2(s.Events(t.Context(), f))(t)
}

func ids(plans []fleet.Plan) []string {
	out := []string{}
	for _, p := range plans {
		out = append(out, p.ID)
	}
	return out
}

func lockedRefs(t *testing.T, s store.Store) []fleet.Ref {
	t.Helper()
	out := []fleet.Ref{}
	for _, l := range get2(s.Locks(t.Context()))(t) {
		out = append(out, l.Ref)
	}
	return out
}
