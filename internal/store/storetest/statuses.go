package storetest

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"phalops/internal/fleet"
	"phalops/internal/store"
)

func fullBridge(name string) fleet.BridgeStatus {
	ok := false
	stake := fleet.PHA(1 << 40)
	probe := fleet.Probe{At: t0(), Failed: at(1), Missed: 2, Cause: because("test.timeout")}
	height := fleet.Height{Value: 1 << 60, Known: true, MovedAt: at(-1)}
	return fleet.BridgeStatus{
		Ref: fleet.BridgeRef(name), Site: "dc1", Version: "v2", Monitor: probe, Lifecycle: probe, LifecyclePeer: "Qm1",
		DataProviders: []fleet.DataProviderStatus{{Probe: probe, PeerID: "Qm2", Parent: height, Para: fleet.Height{Value: -1, Known: true, MovedAt: t0()}}},
		Pools:         []fleet.Pool{{ID: "1", PID: 83, Name: "池", BridgeRef: fleet.BridgeRef(name)}},
		Workers: []fleet.WorkerStatus{{
			Probe: probe, Ref: fleet.WorkerRef(name, "1"), ID: "1", Name: "w1", Stake: stake, StakeOK: true, Initialized: &ok,
			State: "S_MINING", MessageAt: at(-5), Para: height, TotalReward: fleet.NewAmount(5), Condition: fleet.Working, Since: at(-9),
		}},
		Condition: fleet.BridgeHealthy, Since: at(-time.Hour),
	}
}

func statuses(t *testing.T, s store.Store) {
	if n, b := get2(s.Nodes(t.Context()))(t), get2(s.Bridges(t.Context()))(t); len(n)+len(b) != 0 {
		t.Errorf("an empty store has %d nodes and %d bridges", len(n), len(b))
	}
	syncing := true
	node := fleet.NodeStatus{
		Ref: fleet.NodeRef("n1"), Site: "dc1",
		Para:      &fleet.ChainStatus{URL: "http://127.0.0.1:9933", Best: fleet.Height{Value: 5, Known: true, MovedAt: t0()}, Peers: -1, Syncing: &syncing},
		Container: &fleet.ContainerStatus{ID: "c", State: "running", Started: at(-1), Labels: map[string]string{"a": "b"}},
		Condition: fleet.NodeStalled, Since: t0(),
	}
	must(t, s.SaveNode(t.Context(), fleet.NodeStatus{Ref: fleet.NodeRef("n2")}))
	must(t, s.SaveNode(t.Context(), fleet.NodeStatus{Ref: fleet.NodeRef("n1")}))
	must(t, s.SaveNode(t.Context(), node))
	same(t, "nodes", get2(s.Nodes(t.Context()))(t), []fleet.NodeStatus{node, {Ref: fleet.NodeRef("n2")}})

	must(t, s.SaveBridge(t.Context(), fullBridge("prb-c")))
	must(t, s.SaveBridge(t.Context(), fleet.BridgeStatus{Ref: fleet.BridgeRef("prb-b")}))
	must(t, s.SaveBridge(t.Context(), fullBridge("prb-b")))
	same(t, "bridges", get2(s.Bridges(t.Context()))(t), []fleet.BridgeStatus{fullBridge("prb-b"), fullBridge("prb-c")})
}

func decisions(t *testing.T, s store.Store) {
	w := fleet.WorkerRef("prb-b", "1")
	must(t, s.SaveDecisions(t.Context()))
	must(t, s.SaveDecisions(t.Context(), fleet.Decision{Target: w, Rule: "older"}, fullDecision(fleet.NodeRef("n1"))))
	must(t, s.SaveDecisions(t.Context(), fullDecision(w)))
	same(t, "decision", get2(s.Decision(t.Context(), w))(t), fullDecision(w))
	same(t, "other decision", get2(s.Decision(t.Context(), fleet.NodeRef("n1")))(t), fullDecision(fleet.NodeRef("n1")))
}

func forget(t *testing.T, s store.Store) {
	kept := []fleet.Ref{fleet.NetworkRef("khala"), fleet.StakePoolRef("khala", 83), fleet.NodeRef("n1"), fleet.BridgeRef("prb-b"), fleet.WorkerRef("prb-b", "1"), fleet.PoolRef("prb-b", "1"), fleet.HostRef("h"), fleet.SiteRef("dc1")}
	gone := []fleet.Ref{fleet.NetworkRef("fork"), fleet.StakePoolRef("fork", 83), fleet.NodeRef("n2"), fleet.BridgeRef("prb-c"), fleet.WorkerRef("prb-c", "1"), fleet.PoolRef("prb-c", "1")}
	for _, ref := range slices.Concat(kept, gone) {
		must(t, s.SaveDecisions(t.Context(), fullDecision(ref)))
		switch ref.Kind() {
		case fleet.KindNode:
			must(t, s.SaveNode(t.Context(), fleet.NodeStatus{Ref: ref}))
		case fleet.KindBridge:
			must(t, s.SaveBridge(t.Context(), fleet.BridgeStatus{Ref: ref}))
		case fleet.KindNetwork:
			must(t, s.SaveChain(t.Context(), fleet.ChainView{Ref: ref}, fleet.ChainSample{Network: ref, At: t0()}))
		}
	}
	must(t, s.Forget(t.Context(), func(ref fleet.Ref) bool {
		if k := ref.Kind(); k != fleet.KindNode && k != fleet.KindBridge && k != fleet.KindNetwork {
			t.Errorf("asked about %s", ref)
		}
		return ref == fleet.NodeRef("n1") || ref == fleet.BridgeRef("prb-b") || ref == fleet.NetworkRef("khala")
	}))
	same(t, "chains", get2(s.Chains(t.Context()))(t), []fleet.ChainView{{Ref: fleet.NetworkRef("khala")}})
	for network, n := range map[string]int{"khala": 1, "fork": 0} {
		if got := get2(s.ChainSamples(t.Context(), fleet.NetworkRef(network), time.Time{}))(t); len(got) != n {
			t.Errorf("%d samples of %s, want %d", len(got), network, n)
		}
	}
	same(t, "nodes", get2(s.Nodes(t.Context()))(t), []fleet.NodeStatus{{Ref: fleet.NodeRef("n1")}})
	same(t, "bridges", get2(s.Bridges(t.Context()))(t), []fleet.BridgeStatus{{Ref: fleet.BridgeRef("prb-b")}})
	for _, ref := range kept {
		if _, err := s.Decision(t.Context(), ref); err != nil {
			t.Errorf("decision about %s: %v", ref, err)
		}
	}
	for _, ref := range gone {
		if _, err := s.Decision(t.Context(), ref); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("decision about %s is still there: %v", ref, err)
		}
	}
}

func facts(t *testing.T, s store.Store) {
	must(t, s.LogFacts(t.Context()))
	fact := func(target fleet.Ref, value string, when time.Duration) fleet.Fact {
		return fleet.Fact{Target: target, Field: "state", Value: value, Source: "prb-b lifecycle", At: at(when)}
	}
	bridge, w1, w2 := fleet.BridgeRef("prb-b"), fleet.WorkerRef("prb-b", "1"), fleet.WorkerRef("prb-b", "2")
	log := []fleet.Fact{fact(w1, "S_ERROR", 3), fact(bridge, "Healthy", 1), fact(w2, "S\x00\"'工作", 2), fact(w1, "S_MINING", 4), fact(fleet.WorkerRef("prb-bb", "1"), "other", 1)}
	must(t, s.LogFacts(t.Context(), log...))
	tests := []struct {
		name   string
		target fleet.Ref
		since  time.Time
		limit  int
		want   []fleet.Fact
	}{
		{"worker, oldest first", w1, time.Time{}, 0, []fleet.Fact{log[0], log[3]}},
		{"bridge with its workers", bridge, time.Time{}, 0, []fleet.Fact{log[1], log[2], log[0], log[3]}},
		{"since", bridge, at(3), 0, []fleet.Fact{log[0], log[3]}},
		{"limit", bridge, time.Time{}, 2, []fleet.Fact{log[1], log[2]}},
		{"nobody", fleet.BridgeRef("none"), time.Time{}, 0, nil},
	}
	for _, tt := range tests {
		same(t, tt.name, get2(s.Facts(t.Context(), tt.target, tt.since, tt.limit))(t), tt.want)
	}
}

func messages(t *testing.T, s store.Store) {
	full := fleet.Message{
		ID: "m1", Channel: "ops", Incident: "inc-1", Kind: fleet.MessageFiring, Severity: fleet.Critical, Title: because("test.title", "n", 1),
		Lines: []fleet.Reason{because("test.line")}, Created: t0(), Due: at(time.Minute), State: fleet.MessagePending,
		Tries: 2, Merged: "m0", Error: "timeout",
	}
	message := func(id, channel string, state fleet.MessageState, created, sent time.Time) fleet.Message {
		return fleet.Message{ID: id, Channel: channel, State: state, Created: created, Sent: sent}
	}
	sending := message("m0", "ops", fleet.MessageSending, at(-time.Hour), time.Time{})
	other := message("m2", "mail", fleet.MessagePending, at(1), time.Time{})
	sent := message("m3", "ops", fleet.MessageSent, at(-2*time.Hour), at(-time.Minute))
	longSent := message("m4", "ops", fleet.MessageSent, at(-3*time.Hour), at(-2*time.Hour))
	failed := message("m5", "ops", fleet.MessageFailed, at(-4*time.Hour), time.Time{})
	event := fleet.Event{At: t0(), Kind: fleet.EventMessage, Target: fleet.ChannelRef("ops"), Reason: because("test.queued")}
	must(t, s.SaveMessage(t.Context(), nil))
	must(t, s.SaveMessage(t.Context(), []fleet.Message{full, other, sent, longSent, failed}, event))
	must(t, s.SaveMessage(t.Context(), []fleet.Message{sending}))
	if n := len(eventsAfter(t, s, store.EventFilter{Kinds: []fleet.EventKind{fleet.EventMessage}})); n != 1 {
		t.Errorf("%d events, want 1", n)
	}
	check := func(name, channel string, since time.Time, want ...fleet.Message) {
		t.Helper()
		same(t, name, get2(s.Messages(t.Context(), channel, since))(t), want)
	}
	check("of a channel, oldest first", "ops", time.Time{}, sending, full)
	check("of all channels", "", time.Time{}, sending, full, other)
	check("with the sent ones", "ops", at(-time.Hour), sent, sending, full)
	check("with the sent ones at the very moment", "ops", at(-time.Minute), sent, sending, full)

	full.State, full.Sent, full.Error = fleet.MessageSent, at(5), ""
	must(t, s.SaveMessage(t.Context(), []fleet.Message{full}))
	check("after sending", "ops", time.Time{}, sending)
	check("after sending, with the sent ones", "ops", at(2), sending, full)
}

func notFound(t *testing.T, s store.Store) {
	_, plan := s.Plan(t.Context(), "none")
	_, incident := s.Incident(t.Context(), "none")
	_, decision := s.Decision(t.Context(), fleet.NodeRef("none"))
	_, held := s.LeaseOf(t.Context(), "none", t0())
	f := lease(t, s, "alpha", t0())
	must(t, s.CreatePlan(t.Context(), restart("a")))
	for what, err := range map[string]error{
		"plan": plan, "incident": incident, "decision": decision, "lease": held,
		"saved plan":        s.SavePlan(t.Context(), fleet.Plan{ID: "none"}, store.Fence{}),
		"fenced plan":       s.SavePlan(t.Context(), fleet.Plan{ID: "none"}, f),
		"step of no plan":   s.SaveStep(t.Context(), "none", fleet.Step{}, f),
		"step out of range": s.SaveStep(t.Context(), "a", fleet.Step{Seq: 1}, f),
	} {
		if !errors.Is(err, store.ErrNotFound) || fleet.KindOf(err) != fleet.NotFound {
			t.Errorf("%s: %v, want ErrNotFound", what, err)
		}
	}
}

func contextDone(t *testing.T, s store.Store) {
	f := lease(t, s, "alpha", t0())
	must(t, s.CreatePlan(t.Context(), restart("a")))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	p := restart("a")
	p.State = fleet.PlanPaused
	step := p.Steps[0]
	step.State = fleet.StepDone
	_, acquire := s.Acquire(ctx, "dc2", "alpha", time.Minute, t0())
	_, plan := s.Plan(ctx, "a")
	_, plans := s.Plans(ctx, store.PlanFilter{})
	_, events := s.Events(ctx, store.EventFilter{})
	_, prune := s.Prune(ctx, t0())
	for what, err := range map[string]error{
		"Acquire": acquire, "Plan": plan, "Plans": plans, "Events": events, "Prune": prune,
		"CreatePlan":   s.CreatePlan(ctx, restart("b")),
		"SavePlan":     s.SavePlan(ctx, p, store.Fence{}),
		"SaveStep":     s.SaveStep(ctx, "a", step, f),
		"Append":       s.Append(ctx, fleet.Event{At: t0()}),
		"SaveIncident": s.SaveIncident(ctx, fleet.Incident{ID: "i"}),
		"SaveNode":     s.SaveNode(ctx, fleet.NodeStatus{Ref: fleet.NodeRef("n")}),
		"SaveBridge":   s.SaveBridge(ctx, fullBridge("b")),
		"SaveChain":    s.SaveChain(ctx, fullView()),
		"LogFacts":     s.LogFacts(ctx, fleet.Fact{Target: fleet.NodeRef("n"), At: t0()}),
		"SaveMessage":  s.SaveMessage(ctx, []fleet.Message{{ID: "m"}}),
		"Release":      s.Release(ctx, "dc1", "alpha"),
	} {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s with a done context: %v", what, err)
		}
	}
	got := get2(s.Plans(t.Context(), store.PlanFilter{}))(t)
	if len(got) != 1 || got[0].State != fleet.PlanRunning || got[0].Counts[fleet.StepPlanned] != 1 {
		t.Errorf("plans: %+v", got)
	}
	if n := len(eventsAfter(t, s, store.EventFilter{})); n != 1 {
		t.Errorf("%d events, want the one of the creation", n)
	}
	if got := get2(s.LeaseOf(t.Context(), "dc1", t0()))(t); got.Owner != "alpha" {
		t.Errorf("lease of %q", got.Owner)
	}
	if n := len(get2(s.Nodes(t.Context()))(t)) + len(get2(s.Bridges(t.Context()))(t)) + len(get2(s.Messages(t.Context(), "", time.Time{}))(t)); n != 0 {
		t.Errorf("%d statuses and messages", n)
	}
}
