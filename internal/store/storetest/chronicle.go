package storetest

import (
	"strings"
	"testing"
	"time"

	"phalops/internal/fleet"
	"phalops/internal/store"
)

func fullDecision(target fleet.Ref) fleet.Decision {
	return fleet.Decision{
		Target: target, At: t0(), Condition: "Stalled", Since: at(-time.Minute), Rule: "r", Suspect: fleet.NodeRef("n1"),
		Verdict: fleet.Act, Action: "node.restart", Severity: fleet.Critical, Reason: because("test.stalled", "for", time.Minute),
		Guards: []fleet.Reason{because("test.budget")}, Witnesses: []fleet.Reason{because("test.moves", "head", 7)},
		Cause: "gas", NextLook: at(time.Hour), Candidates: []fleet.Candidate{{Action: "restart", Cure: 0.8, Left: 8 * time.Hour, With: 3 * time.Minute,
			Gain: 6.36, Price: 0.05, Source: []string{"prior.x"}, Closed: new(because("test.budget"))}, {Action: "alert"}},
	}
}

func incidents(t *testing.T, s store.Store) {
	node := fleet.Incident{
		ID: "inc-1", Target: fleet.NodeRef("n1"), Title: "节点 n1", Site: "dc1", Code: "Stalled", Severity: fleet.Critical,
		Reason: because("test.stalled"), Opened: t0(), Acted: at(1), WouldAct: at(1), Told: at(2),
		Children: []fleet.Ref{fleet.BridgeRef("prb-b")}, Decision: fullDecision(fleet.NodeRef("n1")),
	}
	later := fleet.Incident{ID: "inc-2", Target: fleet.BridgeRef("prb-b"), Reason: because("test.blind"), Opened: at(time.Hour)}
	event := fleet.Event{At: t0(), Kind: fleet.EventIncident, Author: "phalops", Incident: "inc-1", Reason: because("test.opened")}
	must(t, s.SaveIncident(t.Context(), later))
	must(t, s.SaveIncident(t.Context(), node, event))
	same(t, "incident", get2(s.Incident(t.Context(), "inc-1"))(t), node)

	node.Closed, node.Severity = at(2*time.Hour), fleet.Warning
	must(t, s.SaveIncident(t.Context(), node, event, event))
	same(t, "closed incident", get2(s.Incident(t.Context(), "inc-1"))(t), node)
	if n := len(eventsAfter(t, s, store.EventFilter{Incident: "inc-1"})); n != 3 {
		t.Errorf("%d events, want 3", n)
	}

	tests := []struct {
		name string
		f    store.IncidentFilter
		want []string
	}{
		{"all, newest first", store.IncidentFilter{}, []string{"inc-2", "inc-1"}},
		{"limit", store.IncidentFilter{Limit: 1}, []string{"inc-2"}},
		{"open", store.IncidentFilter{Open: true}, []string{"inc-2"}},
		{"target", store.IncidentFilter{Target: fleet.NodeRef("n1")}, []string{"inc-1"}},
		{"closed since", store.IncidentFilter{Since: at(90 * time.Minute)}, []string{"inc-1"}},
		{"opened or closed since", store.IncidentFilter{Since: at(time.Hour)}, []string{"inc-2", "inc-1"}},
		{"neither since", store.IncidentFilter{Since: at(2*time.Hour + 1)}, []string{}},
		{"open and target", store.IncidentFilter{Open: true, Target: fleet.NodeRef("n1")}, []string{}},
	}
	for _, tt := range tests {
		got := []string{}
		for _, i := range get2(s.Incidents(t.Context(), tt.f))(t) {
			got = append(got, i.ID)
		}
		same(t, tt.name, got, tt.want)
	}
}

func eventsCursor(t *testing.T, s store.Store) {
	must(t, s.Append(t.Context())) // nothing to write is no error
	d := fullDecision(fleet.NodeRef("n1"))
	full := fleet.Event{
		Seq: 99, At: t0(), Kind: fleet.EventDecision, Author: "rule:r", Target: d.Target, Incident: "inc-1", Plan: "p",
		Reason: d.Reason, Decision: &d,
	}
	// The second is older by its time: the order is that of writing.
	must(t, s.Append(t.Context(), full, fleet.Event{At: at(-time.Hour), Kind: fleet.EventDaemon, Reason: because("test.started")}))
	got := eventsAfter(t, s, store.EventFilter{})
	if len(got) != 2 || got[0].Seq <= 0 || got[1].Seq <= got[0].Seq {
		t.Fatalf("events: %+v", got)
	}
	full.Seq = got[0].Seq
	same(t, "event", got[0], full)

	must(t, s.Append(t.Context(), fleet.Event{At: at(time.Hour), Kind: fleet.EventDaemon, Reason: because("test.stopped")}))
	rest := eventsAfter(t, s, store.EventFilter{After: got[1].Seq})
	if len(rest) != 1 || rest[0].Seq <= got[1].Seq || rest[0].Reason.Code != "test.stopped" {
		t.Errorf("after the cursor: %+v", rest)
	}
	if n := len(eventsAfter(t, s, store.EventFilter{After: rest[0].Seq})); n != 0 {
		t.Errorf("%d events after the last", n)
	}
}

func eventsFilter(t *testing.T, s store.Store) {
	add := func(code string, kind fleet.EventKind, target fleet.Ref, when time.Duration, plan, incident string) {
		must(t, s.Append(t.Context(), fleet.Event{
			At: at(when), Kind: kind, Author: "phalops", Target: target, Plan: plan, Incident: incident, Reason: because(code),
		}))
	}
	add("1", fleet.EventPlan, fleet.BridgeRef("prb-b"), 1, "p1", "")
	add("2", fleet.EventStep, fleet.WorkerRef("prb-b", "7"), 2, "p1", "i1")
	add("3", fleet.EventMessage, fleet.PoolRef("prb-b", "83"), 3, "p2", "i1")
	add("4", fleet.EventStep, fleet.WorkerRef("prb-bb", "7"), 4, "", "")
	add("5", fleet.EventDaemon, "", 5, "", "")
	tests := []struct {
		name string
		f    store.EventFilter
		want string
	}{
		{"all, oldest first", store.EventFilter{}, "12345"},
		{"limit takes the oldest", store.EventFilter{Limit: 2}, "12"},
		{"newest", store.EventFilter{Newest: true}, "54321"},
		{"the newest ones", store.EventFilter{Newest: true, Limit: 2}, "54"},
		{"kinds", store.EventFilter{Kinds: []fleet.EventKind{fleet.EventStep, fleet.EventDaemon}}, "245"},
		{"target with its children", store.EventFilter{Target: fleet.BridgeRef("prb-b")}, "123"},
		{"child without its siblings", store.EventFilter{Target: fleet.WorkerRef("prb-b", "7")}, "2"},
		{"incident", store.EventFilter{Incident: "i1"}, "23"},
		{"plan", store.EventFilter{Plan: "p1"}, "12"},
		{"since", store.EventFilter{Since: at(4)}, "45"},
		{"several", store.EventFilter{Target: fleet.BridgeRef("prb-b"), Kinds: []fleet.EventKind{fleet.EventStep, fleet.EventPlan}, Newest: true, Since: at(1), Plan: "p1"}, "21"},
		{"nothing", store.EventFilter{Plan: "none"}, ""},
	}
	for _, tt := range tests {
		var got strings.Builder
		for _, e := range eventsAfter(t, s, tt.f) {
			got.WriteString(e.Reason.Code)
		}
		if got.String() != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got.String(), tt.want)
		}
	}
	last := eventsAfter(t, s, store.EventFilter{Newest: true, Limit: 1})[0].Seq
	if got := eventsAfter(t, s, store.EventFilter{Newest: true, After: last - 1}); len(got) != 1 {
		t.Errorf("newest after a cursor: %d events, want 1", len(got))
	}
}
