package world

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// do makes a host do something with its containers, in order, a minute apart.
func do(t *testing.T, w *World, what func(string, time.Duration) error, names ...string) {
	t.Helper()
	for _, name := range names {
		if err := what(name, 2*time.Minute); err != nil {
			t.Fatal(err)
		}
		pass(w, 30*time.Second)
	}
}

func start(h *Host) func(string, time.Duration) error {
	return func(name string, _ time.Duration) error { return h.Start(name) }
}

func TestOrderedNodeRestartDoesNoHarm(t *testing.T) {
	w := demo(t, Fault{Kind: NodeStall, Target: "node-1"})
	h, b := w.Host("node-1"), w.Bridge("prb-a")
	pass(w, 10*time.Minute)
	most := 0
	watch := func() {
		for _, p := range w.parts.pruntimes {
			most = max(most, p.Feeders())
		}
	}
	for _, step := range []func(){
		func() { do(t, w, h.Stop, "bridge_lifecycle_1", "bridge_trade_1", "bridge_redis-q_1", "phala-node") },
		func() { do(t, w, start(h), "phala-node", "bridge_redis-q_1", "bridge_lifecycle_1", "bridge_trade_1") },
	} {
		step()
		watch()
	}
	for range 120 {
		pass(w, time.Second)
		watch()
	}
	for _, c := range b.contexts {
		if c.State() != StateActive || c.rt.Lag() > 8 || c.rt.Feeders() != 1 {
			t.Errorf("%s: %s, %d behind, %d feeders", c.Worker.Name, c.State(), c.rt.Lag(), c.rt.Feeders())
		}
	}
	if len(b.contexts) != 6 || most != 1 || len(w.Harm()) > 0 {
		t.Errorf("%d contexts, at most %d feeders, harm %v", len(b.contexts), most, w.Harm())
	}
	if h.Container("bridge_arena_1").State() != StateCreated {
		t.Error("the arena, which did not run, runs")
	}
	if e := w.Effects(); len(e) != 8 || e[0].Kind != "stop" || e[0].Target != "node-1/bridge_lifecycle_1" || e[7].Target != "node-1/bridge_trade_1" {
		t.Errorf("effects %v", e)
	}
}

func TestNodeStoppedUnderItsDependants(t *testing.T) {
	w := demo(t)
	h, b, d := w.Host("node-1"), w.Bridge("prb-a"), w.DataProvider("dp-1")
	heights := map[string]int64{}
	for _, c := range b.contexts {
		heights[c.Worker.Name], _ = c.rt.Heights()
	}
	do(t, w, h.Stop, "phala-node")
	if lc := h.Container("bridge_lifecycle_1"); lc.RestartCount() < 2 || d.container.RestartCount() < 2 || len(b.contexts) > 0 {
		t.Errorf("lifecycle restarted %d times, data provider %d times, %d contexts", lc.RestartCount(), d.container.RestartCount(), len(b.contexts))
	}
	for _, p := range w.parts.pruntimes {
		if para, _ := p.Heights(); para < heights["w-01"] {
			t.Errorf("%s fell to %d", p.Endpoint, para)
		}
	}
	if kinds := w.Harm(); len(kinds) != 1 || kinds[0].Kind != HarmNodeUnderLoad {
		t.Errorf("harm %v", kinds)
	}
	do(t, w, start(h), "phala-node")
	pass(w, 5*time.Minute)
	if len(b.contexts) != 6 || b.contexts[5].State() != StateActive {
		t.Errorf("%d contexts came back", len(b.contexts))
	}
	if err := h.Kill("phala-node"); err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(w.Harm(), func(r Record) bool { return r.Kind == HarmNodeKilled }) {
		t.Errorf("SIGKILL is no harm: %v", w.Harm())
	}
}

func TestTwoLifecyclesFeedOneWorker(t *testing.T) {
	w := demo(t)
	h := w.Host("node-1")
	other := w.AddBridge(BridgeSpec{Name: "prb-b", Host: "node-1", Project: "standby", Node: w.Node("node-1"), Providers: []*DataProvider{w.DataProvider("dp-1")}})
	other.pools, other.workers = w.Bridge("prb-a").Pools(), w.Bridge("prb-a").Workers()
	do(t, w, start(h), "standby_lifecycle_1")
	c := worker(t, w, "w-03")
	if n := c.rt.Feeders(); n != 1 || c.State() != StateError || !strings.Contains(c.message, "BlockNumberMismatch") {
		t.Errorf("%d feeders; the older one is in %s: %s", n, c.State(), c.message)
	}
	harm := w.Harm()
	if len(harm) != 6 || slices.ContainsFunc(harm, func(r Record) bool { return r.Kind != HarmTwoFeeders || r.Target[:6] != "prb-b/" }) {
		t.Errorf("harm %v", harm)
	}
}

func TestDiscoverTableIsNeverPruned(t *testing.T) {
	w := demo(t)
	h, b := w.Host("node-1"), w.Bridge("prb-a")
	dial := func() Dialled { how, _, _, _ := b.Dial(b.LifecyclePeer); return how }
	do(t, w, h.Stop, "bridge_lifecycle_1")
	if _, lms := b.Discover(); len(lms) != 1 || dial() != DialRefused {
		t.Errorf("a stopped lifecycle: table %v, dial %v", lms, dial())
	}
	do(t, w, h.Restart, "bridge_monitor_1")
	if dps, lms := b.Discover(); len(lms) != 0 || len(dps) != 1 || dial() != DialUnknown {
		t.Errorf("a restarted monitor: table %v %v, dial %v", dps, lms, dial())
	}
	do(t, w, start(h), "bridge_lifecycle_1")
	if _, lms := b.Discover(); len(lms) != 1 || dial() != DialOK || lms[0].ID != b.LifecyclePeer || len(lms[0].ID) != 46 || lms[0].ID[:2] != "Qm" {
		t.Errorf("the lifecycle is back: table %v, dial %v", lms, dial())
	}
}

func TestFrozenLifecycleFeedsNobody(t *testing.T) {
	w := demo(t, Fault{Kind: PeerFrozen, Target: "prb-a", For: 10 * time.Minute})
	b, c := w.Bridge("prb-a"), worker(t, w, "w-03")
	pass(w, time.Second)
	before, _, _ := c.Heights()
	pass(w, 5*time.Minute)
	if how, _, _, _ := b.Dial(b.LifecyclePeer); how != DialFrozen {
		t.Errorf("dial %v", how)
	}
	if after, _, _ := c.Heights(); after != before || c.Feeding() {
		t.Errorf("fed from %d to %d", before, after)
	}
	pass(w, 10*time.Minute)
	if how, _, _, _ := b.Dial(b.LifecyclePeer); how != DialOK || c.rt.Lag() > 5 {
		t.Errorf("it goes on: dial %v, %d behind", how, c.rt.Lag())
	}
}

func TestMonitorThatDiedStaysAway(t *testing.T) {
	w := demo(t, Fault{Kind: MonitorCrash, Target: "prb-a"})
	b := w.Bridge("prb-a")
	pass(w, time.Hour)
	if b.MonitorListening() || worker(t, w, "w-01").State() != StateActive {
		t.Errorf("listening %v, worker %s", b.MonitorListening(), worker(t, w, "w-01").State())
	}
	do(t, w, start(w.Host("node-1")), "bridge_monitor_1")
	if !b.MonitorListening() || len(b.table) != 2 {
		t.Errorf("listening %v, table %v", b.MonitorListening(), b.table)
	}
}

func TestLifecycleWithoutRedisWaitsInSynched(t *testing.T) {
	w := demo(t)
	h := w.Host("node-1")
	do(t, w, h.Stop, "bridge_lifecycle_1", "bridge_redis-q_1")
	do(t, w, start(h), "bridge_lifecycle_1")
	pass(w, 10*time.Minute)
	if c := worker(t, w, "w-01"); c.State() != StateSynched {
		t.Errorf("without redis-q: %s", c.State())
	}
	do(t, w, start(h), "bridge_redis-q_1")
	pass(w, time.Minute)
	if c := worker(t, w, "w-01"); c.State() != StateActive {
		t.Errorf("with redis-q: %s", c.State())
	}
}

func TestLowStakeCrashesTheLifecycle(t *testing.T) {
	for stake, crashes := range map[string]bool{"": true, "ten": true, "999999999999": true, "0999999999999": true, "1000000000000": false, "01000000000000": false} {
		w := demo(t)
		b, h := w.Bridge("prb-a"), w.Host("node-1")
		row := b.Workers()[2]
		if _, err := b.UpdateWorkers([]WorkerChange{{ID: &ID{UUID: row.UUID}, Worker: &WorkerInput{PID: row.PID, Name: row.Name, Endpoint: row.Endpoint, Stake: stake, Enabled: true}}}); err != nil {
			t.Fatal(err)
		}
		pass(w, time.Hour)
		if c := worker(t, w, "w-03"); c.State() != StateActive || c.Worker.Stake != row.Stake {
			t.Errorf("stake %q: the running worker noticed: %s, stake %s", stake, c.State(), c.Worker.Stake)
		}
		do(t, w, h.Restart, "bridge_lifecycle_1")
		if loops := h.Container("bridge_lifecycle_1").RestartCount() > 2; loops != crashes {
			t.Errorf("stake %q: crash loop %v, want %v", stake, loops, crashes)
		}
	}
}

func TestACrashIsNobodysHarm(t *testing.T) {
	w := demo(t, Fault{Kind: NodeCrash, Target: "node-1"}, Fault{At: time.Minute, Kind: LifecycleCrash, Target: "prb-a"})
	pass(w, 10*time.Minute)
	h := w.Host("node-1")
	if len(w.Harm())+len(w.Effects()) > 0 || h.Container("phala-node").Running() {
		t.Errorf("harm %v, effects %v", w.Harm(), w.Effects())
	}
	for _, name := range []string{"bridge_lifecycle_1", "bridge_trade_1", "bridge_dp_data_provider_1"} {
		if h.Container(name).RestartCount() < 3 {
			t.Errorf("%s does not run in circles without its node: %d", name, h.Container(name).RestartCount())
		}
	}
}
