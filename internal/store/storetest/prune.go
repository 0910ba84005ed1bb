package storetest

import (
	"errors"
	"testing"
	"time"

	"phalops/internal/fleet"
	"phalops/internal/store"
)

// prune: one of each kind just within its time to live, one just beyond, and old ones that are not over.
func prune(t *testing.T, s store.Store) {
	const day = 24 * time.Hour
	long, short := t0().Add(-400*day), t0().Add(-14*day)
	node := fleet.NodeRef("n1")
	for name, when := range map[string]time.Time{"old": long.Add(-1), "young": long} {
		p := restart(name, fleet.NodeRef(name))
		p.Created = when.Add(-time.Hour)
		must(t, s.CreatePlan(t.Context(), p))
		p.State, p.Ended = fleet.PlanDone, when
		must(t, s.SavePlan(t.Context(), p, store.Fence{}))
		must(t, s.SaveIncident(t.Context(), fleet.Incident{ID: name, Opened: when.Add(-time.Hour), Closed: when}))
		must(t, s.Append(t.Context(), fleet.Event{At: when, Target: node, Kind: fleet.EventDaemon, Reason: because(name)}))
		must(t, s.SaveMaintenance(t.Context(), []fleet.Maintenance{{ID: name, Began: when.Add(-time.Hour), Ends: when}}))
		must(t, s.SaveMessage(t.Context(), []fleet.Message{{ID: name, State: fleet.MessageSent, Created: when, Sent: when}}))
	}
	running := restart("running", fleet.NodeRef("running"))
	running.Created = long.Add(-day)
	must(t, s.CreatePlan(t.Context(), running))
	must(t, s.SaveIncident(t.Context(), fleet.Incident{ID: "open", Opened: long.Add(-day)}))
	must(t, s.SaveMessage(t.Context(), []fleet.Message{{ID: "pending", State: fleet.MessagePending, Created: long.Add(-day)}}))
	must(t, s.LogFacts(t.Context(), fleet.Fact{Target: node, Value: "old", At: short.Add(-1)}, fleet.Fact{Target: node, Value: "young", At: short}))
	khala := fleet.NetworkRef("khala")
	must(t, s.SaveChain(t.Context(), fleet.ChainView{Ref: khala}, fleet.ChainSample{Network: khala, At: at(-3*day - 1)}, fleet.ChainSample{Network: khala, At: at(-3 * day)}))
	newest := eventsAfter(t, s, store.EventFilter{Newest: true, Limit: 1})[0].Seq

	if n := get2(s.Prune(t.Context(), t0()))(t); n < 7 {
		t.Errorf("%d rows went, want at least a plan, an incident, an event, a message, a maintenance window, a fact and a sample", n)
	}
	if n := get2(s.Prune(t.Context(), t0()))(t); n != 0 {
		t.Errorf("%d rows went the second time", n)
	}
	if _, err := s.Plan(t.Context(), "old"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("the old plan is there: %v", err)
	}
	same(t, "plans", ids(get2(s.Plans(t.Context(), store.PlanFilter{}))(t)), []string{"young", "running"})
	same(t, "locks", lockedRefs(t, s), []fleet.Ref{fleet.NodeRef("running")})
	if got := get2(s.Plan(t.Context(), "young"))(t); len(got.Steps) != 1 {
		t.Errorf("the young plan has %d steps", len(got.Steps))
	}
	var left []string
	for _, i := range get2(s.Incidents(t.Context(), store.IncidentFilter{}))(t) {
		left = append(left, i.ID)
	}
	for _, m := range get2(s.Messages(t.Context(), "", long.Add(-day)))(t) {
		left = append(left, m.ID)
	}
	for _, m := range get2(s.Maintenance(t.Context(), long.Add(-day)))(t) {
		left = append(left, m.ID)
	}
	for _, e := range eventsAfter(t, s, store.EventFilter{Kinds: []fleet.EventKind{fleet.EventDaemon}}) {
		left = append(left, e.Reason.Code)
	}
	for _, f := range get2(s.Facts(t.Context(), node, time.Time{}, 0))(t) {
		left = append(left, f.Value)
	}
	if got := get2(s.ChainSamples(t.Context(), khala, time.Time{}))(t); len(got) != 1 || !got[0].At.Equal(at(-3*day)) {
		t.Errorf("samples that are left: %+v", got)
	}
	same(t, "what is left", left, []string{"young", "open", "pending", "young", "young", "young", "young"})

	// A cursor must not come back, even when every event went.
	get2(s.Prune(t.Context(), t0().Add(1000*day)))(t)
	must(t, s.Append(t.Context(), fleet.Event{At: t0(), Reason: because("test.new")}))
	if e := eventsAfter(t, s, store.EventFilter{}); len(e) != 1 || e[0].Seq <= newest {
		t.Errorf("events after everything went: %+v, newest was %d", e, newest)
	}
}
