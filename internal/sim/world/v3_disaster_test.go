package world

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func TestTwoFeedersOfTwoVersions(t *testing.T) {
	w, b := v3Fleet(t, false)
	endpoint := w.Bridge("prb-a").workers[0].Endpoint
	if _, err := b.AddWorker(V3Row{Name: "stolen", Endpoint: endpoint, Stake: "1", PID: 90, Enabled: true}); err != nil {
		t.Fatal(err)
	}
	pass(w, time.Minute)
	if c := worker(t, w, "w-01"); c.State() != StateError || !strings.Contains(c.message, "BlockNumberMismatch") {
		t.Errorf("the older feeder: %s %s", c.State(), c.message)
	}
	if harm := w.Harm(); len(harm) != 1 || harm[0].Kind != HarmTwoFeeders || harm[0].Target != "prb-v3/stolen" {
		t.Errorf("harm %v", harm)
	}
}

func TestPherryFeedsAndFights(t *testing.T) {
	w, b := v3Fleet(t, false)
	rt := w.AddPruntime("http://127.0.170.1:8000", w.Networks()[0])
	p := w.AddPherry(PherrySpec{Name: "solo-1", Host: "node-1", Container: "phala-pherry", Node: w.Node("node-1"), Pruntime: rt.Endpoint}, Container{})
	p.container.BootRunning()
	pass(w, 10*time.Minute)
	if rt.Lag() > 8 || rt.Feeders() != 1 {
		t.Errorf("%d behind, %d feeders", rt.Lag(), rt.Feeders())
	}
	h := w.Host("node-1")
	do(t, w, h.Stop, "phala-node")
	if p.Feeding() || !p.container.Up() {
		t.Error("without its node a pherry waits")
	}
	do(t, w, start(h), "phala-node")
	pass(w, time.Minute)
	if !p.Feeding() {
		t.Error("it did not start over")
	}
	if _, err := b.AddWorker(V3Row{Name: "stolen", Endpoint: rt.Endpoint, Stake: "1", PID: 90, Enabled: true}); err != nil {
		t.Fatal(err)
	}
	pass(w, 2*time.Minute)
	looks(t, b, "stolen", V3HasError, v3NeedRestart, "")
	if !p.Feeding() || rt.Feeders() != 1 {
		t.Error("a pherry gives up never")
	}
	if !slices.ContainsFunc(w.Harm(), func(r Record) bool { return r.Kind == HarmTwoFeeders && r.Target == "prb-v3/stolen" }) {
		t.Errorf("harm %v", w.Harm())
	}
}

func TestPowerCut(t *testing.T) {
	w, b := v3Fleet(t, false, Fault{Kind: PowerCut, Target: "node-1", For: time.Minute})
	pass(w, time.Second)
	h := w.Host("node-1")
	if !h.Down || slices.ContainsFunc(h.Containers(), func(c *Container) bool { return c.alive() }) || w.Node("node-1").Listening() {
		t.Error("something runs without power")
	}
	pass(w, 5*time.Minute)
	for _, c := range h.Containers() {
		if c.Up() == (c.Name == "bridge_arena_1") {
			t.Errorf("%s up: %v", c.Name, c.Up())
		}
	}
	looks(t, b, "v3-01", V3Working, "", "Computing Now!")
	if s := worker(t, w, "w-01").State(); h.Down || s != StateActive || len(w.Harm()) != 0 {
		t.Errorf("down %v, w-01 %s, harm %v", h.Down, s, w.Harm())
	}
}

func TestDiskFull(t *testing.T) {
	w, b := v3Fleet(t, false, Fault{Kind: DiskFull, Target: "node-1", For: 10 * time.Minute})
	pass(w, time.Minute)
	node := w.Host("node-1").Container("phala-node")
	if node.Running() || node.ExitCode() != 1 {
		t.Errorf("the node is %s with %d", node.State(), node.ExitCode())
	}
	do(t, w, start(w.Host("node-1")), "phala-node")
	if node.Up() {
		t.Error("the node runs on a full disk")
	}
	if _, err := b.AddPool(V3Pool{Name: "x", PID: 1}); err == nil || err.Error() != "db write failed" {
		t.Errorf("a write on a full disk: %v", err)
	}
	pass(w, 10*time.Minute)
	do(t, w, start(w.Host("node-1")), "phala-node")
	pass(w, time.Minute)
	if !node.Up() || !moves(t, b, "v3-01") {
		t.Error("room did not help")
	}
}

func TestSegmentLossAndLostIdentity(t *testing.T) {
	w, b := v3Fleet(t, false, Fault{Kind: SegmentLoss, Target: "127.0.150.0/24", For: time.Minute},
		Fault{Kind: IdentityLost, Target: "v3-02", At: 10 * time.Minute})
	key := w.Pruntime("http://127.0.150.2:8000").PublicKey
	pass(w, 30*time.Second)
	for _, p := range w.Pruntimes() {
		if p.Hung() != strings.Contains(p.Endpoint, "127.0.150.") {
			t.Errorf("%s hung: %v", p.Endpoint, p.Hung())
		}
	}
	pass(w, 14*time.Minute)
	looks(t, b, "v3-02", V3HasError, v3NeedRestart, "")
	rt := w.Pruntime("http://127.0.150.2:8000")
	if _, bound := rt.Session(); rt.PublicKey == key || len(rt.PublicKey) != 64 || bound || !rt.Uninitialized {
		t.Errorf("the identity was not lost: %+v", rt)
	}
	act(t, b, V3Restart, "v3-02")
	pass(w, 5*time.Minute)
	looks(t, b, "v3-02", V3Working, "", "Computing Now!")
	looks(t, b, "v3-01", V3Working, "", "Computing Now!")
}

func TestStaleCacheStarvesWhoCatchesUp(t *testing.T) {
	w, b := v3Fleet(t, false, Fault{Kind: CacheStale, Target: "cache-1", CuredBy: CuredByNothing, For: 2 * time.Hour})
	pass(w, time.Hour)
	if c := w.HeadersCache("cache-1"); c.Highest() > w.Node("node-1").Relay().Best(w.Now())-500 {
		t.Error("the cache goes on")
	}
	looks(t, b, "v3-01", V3Working, "", "")
	rt := v3(t, b, "v3-01").rt
	act(t, b, V3Restart, "v3-01")
	pass(w, 2*time.Second)
	rt.para.base, rt.relay.base = rt.para.base-600, rt.relay.base-1200
	pass(w, 5*time.Minute)
	looks(t, b, "v3-01", V3HasError, "Fail to generate_sync_request for ", "Start Synchronizing...")
	pass(w, 2*time.Hour)
	looks(t, b, "v3-01", V3Working, "", "Computing Now!")
	if rt.Lag() > 8 {
		t.Errorf("%d behind", rt.Lag())
	}
}
