package control

import (
	"testing"
	"time"

	"phalops/internal/decide"
	"phalops/internal/fleet"
	"phalops/internal/store/memory"
)

// TestBlindAndSeeingAgain: everything falls silent, comes back one by one, and what was said before does not count.
func TestBlindAndSeeingAgain(t *testing.T) {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	b := NewBoard()
	set := func(name string, p fleet.Probe) {
		b.setNode(name, fleet.NodeStatus{Ref: fleet.NodeRef(name), Para: &fleet.ChainStatus{Probe: p}})
	}
	names := []string{"a", "b", "c"}
	for _, n := range names {
		set(n, fleet.Probe{}.Answered(start))
	}
	if b.dark() {
		t.Fatal("blind while everybody answers")
	}
	for i, n := range names {
		set(n, fleet.Probe{At: start}.Silent(start.Add(time.Duration(15+i)*time.Second), fleet.Because("x")))
		if from, _ := b.blind(); from.IsZero() != (i < 2) {
			t.Errorf("%d of 3 silent: blind since %v", i+1, from)
		}
	}
	seen := start.Add(time.Minute)
	set("b", fleet.Probe{}.Answered(seen))
	if from, seeing := b.blind(); !from.IsZero() || !seeing.Equal(seen) {
		t.Errorf("blind since %v, sees since %v; want %v", from, seeing, seen)
	}
}

// TestPlaces: a worker that a decision treats holds its place until there is a plan, and no longer.
func TestPlaces(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	b, w := NewBoard(), fleet.WorkerRef("prb-a", "1")
	b.promise([]fleet.Decision{{Target: w, Verdict: fleet.Act}, {Target: fleet.WorkerRef("prb-a", "2"), Verdict: fleet.WouldAct}}, now)
	if got := b.busy(now); len(got) != 1 || !got[w] {
		t.Errorf("promised: %v", got)
	}
	if got := b.busy(now.Add(promiseFor)); len(got) != 0 {
		t.Errorf("for ever: %v", got)
	}
	b.redeem(w)
	b.addPlan(fleet.Plan{ID: "p", Author: "rule:x", Targets: []fleet.Ref{w}})
	b.addPlan(fleet.Plan{ID: "q", Author: "user:li", Targets: []fleet.Ref{fleet.WorkerRef("prb-a", "3")}})
	if got := b.busy(now); len(got) != 1 || !got[w] {
		t.Errorf("planned: %v", got)
	}
}

// TestNewSuspicions: each is new once; whom it concerns is told.
func TestNewSuspicions(t *testing.T) {
	b := NewBoard()
	s := decide.Suspicion{Parent: "site/dc1", Kind: "segment", Name: "127.0.1.0/24", Members: []fleet.Ref{fleet.WorkerRef("prb-a", "1")}}
	if got := b.suspect([]decide.Suspicion{s}); len(got) != 1 {
		t.Errorf("new: %+v", got)
	}
	if got := b.suspect([]decide.Suspicion{s}); len(got) != 0 {
		t.Errorf("still new: %+v", got)
	}
	if len(b.suspicionsOf("bridge/prb-a")) != 1 || len(b.suspicionsOf("bridge/prb-b")) != 0 {
		t.Error("the wrong bridge is told")
	}
}

// TestAPersonsCaseIsToldEvenWithoutTheSuspects: a worker that blames a bridge in which nothing is wrong has its own incident,
// and one that would have been treated is marked for the report.
func TestAPersonsCaseIsTold(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	k := &desk{store: memory.New(), newID: func() string { return now.String() }, open: map[fleet.Ref]fleet.Incident{}}
	d := fleet.Decision{Target: fleet.WorkerRef("prb-a", "1"), Suspect: "bridge/prb-a", Verdict: fleet.Wait, Severity: fleet.Info, Condition: "Failed", Rule: "r", Reason: fleet.Because("x")}
	judge := func(d fleet.Decision) {
		t.Helper()
		if err := k.judge(t.Context(), news{site: "dc1", title: "w", decision: d}, now); err != nil {
			t.Fatal(err)
		}
	}
	if judge(d); len(k.open) != 0 {
		t.Errorf("whoever waits for its parent has an incident: %+v", k.open)
	}
	d.Verdict = fleet.Person
	if judge(d); len(k.open) != 1 || k.open[d.Target].Raised.IsZero() {
		t.Errorf("nobody is told: %+v", k.open)
	}
	d.Verdict, d.Suspect, d.Action = fleet.WouldAct, d.Target, "worker.restart"
	if judge(d); !k.open[d.Target].WouldAct.Equal(now) {
		t.Errorf("not marked: %+v", k.open[d.Target])
	}
}
