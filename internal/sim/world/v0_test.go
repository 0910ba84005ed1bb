package world

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func mixed(t *testing.T, faults ...Fault) (*World, *V0Bridge) {
	t.Helper()
	w := New(epoch, 1)
	MixedFleet(w, FleetOptions{Workers: 2, V0Workers: 4})
	if err := w.Apply(Scenario{Faults: faults}); err != nil {
		t.Fatal(err)
	}
	return w, w.V0Bridge("prb-v0")
}

func v0State(t *testing.T, b *V0Bridge, name string) *V0Context {
	t.Helper()
	w, ok := b.Worker(name)
	if !ok {
		t.Fatalf("no worker %s", name)
	}
	return b.State(w.UUID)
}

func v0IDs(names ...string) []V0ID {
	var ids []V0ID
	for _, n := range names {
		ids = append(ids, V0ID{Name: n})
	}
	return ids
}

// wrote takes what a create or an update returns, and writes.
func wrote(t *testing.T) func(func(), error) {
	return func(write func(), err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		write()
	}
}

func allMine(t *testing.T, b *V0Bridge) {
	t.Helper()
	f := b.Fetch()
	if !f.Synched || f.ParaKnown-f.ParaBlob > 1 {
		t.Errorf("fetch: %+v", f)
	}
	for _, row := range b.Workers() {
		c := b.State(row.UUID)
		if c == nil || c.State() != V0StateMining {
			t.Errorf("%s: %+v", row.Name, c)
			continue
		}
		if h, known := c.Heights(); !known || f.ParaBlob-h.Para > 2 || h.Parent < 0 {
			t.Errorf("%s: %+v, blobs to %d", row.Name, h, f.ParaBlob)
		}
		if s, known := c.Session(); !known || s.State != "MiningIdle" {
			t.Errorf("%s: %+v", row.Name, s)
		}
	}
}

func TestV0FleetIsInStepAndStaysSo(t *testing.T) {
	w, b := mixed(t)
	allMine(t, b)
	pass(w, 3*time.Hour) // two scans
	allMine(t, b)
	if len(w.Harm())+len(w.Effects()) != 0 {
		t.Errorf("%v %v", w.Harm(), w.Effects())
	}
}

func TestV0NodeStoppedTakesFetchLifecycleAndTradeDown(t *testing.T) {
	w, b := mixed(t)
	h := w.Host("node-1")
	do(t, w, h.Stop, "phala-node")
	pass(w, 20*time.Second)
	for _, c := range []*Container{b.fetch, b.lifecycle, b.trade} {
		if c.RestartCount() == 0 {
			t.Errorf("%s did not exit", c.Name)
		}
	}
	if b.monitor.RestartCount()+b.io.RestartCount()+b.redis.RestartCount() != 0 {
		t.Error("monitor, io or redis exited")
	}
	do(t, w, start(h), "phala-node")
	pass(w, 10*time.Minute)
	allMine(t, b)
}

func TestV0FetchThatRunsOnNeverSeesTheGap(t *testing.T) {
	w, b := mixed(t)
	b.FetchRunsOn = true
	h := w.Host("node-1")
	do(t, w, h.Stop, "phala-node")
	pass(w, time.Minute)
	do(t, w, start(h), "phala-node")
	pass(w, 10*time.Minute)
	f := b.Fetch()
	if f.ParaKnown-f.ParaBlob < 30 || !f.Synched {
		t.Errorf("%+v: the blobs go on although blocks are missing", f)
	}
	if h, known := v0State(t, b, "v0-01").Heights(); !known || h.Para > f.ParaBlob {
		t.Errorf("%+v", h)
	}
	must(t, h.Restart(b.fetch.Name, time.Second))
	pass(w, 3*time.Second)
	if f := b.Fetch(); f.ParaBlob != -1 || f.Synched || f.ParaID != -1 {
		t.Errorf("right after its start: %+v", f)
	}
	pass(w, 10*time.Minute)
	allMine(t, b)
}

func TestV0LifecycleWithoutFetchExitsAfter15Seconds(t *testing.T) {
	w, b := mixed(t)
	h := w.Host("node-1")
	must(t, h.Stop(b.fetch.Name, time.Second))
	pass(w, time.Minute)
	if b.lifecycle.RestartCount() != 0 || v0State(t, b, "v0-01").State() != V0StateMining {
		t.Error("a running lifecycle needs no fetch")
	}
	must(t, h.Restart(b.lifecycle.Name, time.Second))
	pass(w, 10*time.Second)
	must(t, h.Start(b.fetch.Name)) // too late: the question was asked and lost
	pass(w, 5*time.Second)
	if b.lifecycle.RestartCount() != 0 || b.Ask(false, false) != V0Silent {
		t.Error("it does not wait, or answers without fetch")
	}
	pass(w, 3*time.Second)
	if b.lifecycle.RestartCount() != 1 {
		t.Errorf("%d restarts", b.lifecycle.RestartCount())
	}
	pass(w, 2*time.Minute)
	allMine(t, b)
}

func TestV0WorkersComeWithTheScan(t *testing.T) {
	w, b := mixed(t)
	wrote(t)(b.CreateWorkers([]V0Item{{PID: new(uint64(88)), Name: new("new"), Endpoint: new("http://127.0.201.9:8000"), Stake: new("10000000000000"), Enabled: new(true)}}))
	w.AddPruntime("http://127.0.201.9:8000", w.Networks()[0])
	pass(w, 30*time.Minute)
	if v0State(t, b, "new") != nil {
		t.Error("it runs before the hourly scan")
	}
	if err := b.Restart(v0IDs("new")); errText(err) != "Cannot read properties of undefined (reading 'innerTxQueue')" {
		t.Error(err)
	}
	pass(w, 31*time.Minute)
	if c := v0State(t, b, "new"); c == nil || c.State() != V0StateMining {
		t.Errorf("%+v", c)
	}
}

func TestV0RestartReadsTheRecordAndBeginsAtMinusOne(t *testing.T) {
	w, b := mixed(t)
	edit := V0Item{PID: new(uint64(88)), Name: new("v0-02"), Endpoint: new("http://127.0.200.2:8000"), Stake: new("20000000000000"), Enabled: new(true)}
	wrote(t)(b.UpdateWorkers([]V0Change{{ID: &V0ID{Name: "v0-02"}, Item: &edit}}))
	if c := v0State(t, b, "v0-02"); c.Worker.Stake == "20000000000000" {
		t.Error("a running context changed")
	}
	must(t, b.Restart(v0IDs("v0-02")))
	if v0State(t, b, "v0-02") != nil {
		t.Error("there is a context between the two contexts")
	}
	pass(w, 250*time.Millisecond)
	c := v0State(t, b, "v0-02")
	if h, known := c.Heights(); !known || h != (V0Heights{-1, -1, -1}) || c.Worker.Stake != "20000000000000" {
		t.Errorf("%+v %+v", h, c.Worker)
	}
	pass(w, time.Second)
	if h, _ := c.Heights(); h.Parent < 0 || h.Para != -1 {
		t.Errorf("headers come first: %+v", h)
	}
	pass(w, time.Minute)
	allMine(t, b)
	if h := w.Harm(); len(h) != 1 || h[0].Kind != HarmRestartHealthy || h[0].Target != "prb-v0/v0-02" {
		t.Errorf("%v", h)
	}
	edit.Stake = new("1")
	wrote(t)(b.UpdateWorkers([]V0Change{{ID: &V0ID{Name: "v0-02"}, Item: &edit}}))
	if err := b.Restart(v0IDs("v0-02")); errText(err) != "Stake amount should be at least > 1PHA!" {
		t.Error(err)
	}
	pass(w, time.Minute)
	if v0State(t, b, "v0-02") != nil {
		t.Error("it runs with a stake that is too low")
	}
}

func TestV0KickIsRepeatedFiveTimes(t *testing.T) {
	w, b := mixed(t)
	c := v0State(t, b, "v0-03")
	c.rt.KickAPI = true
	must(t, b.Kick(v0IDs("v0-03")))
	if text, _ := c.Message(); c.State() != StateKicked || text != "State changed from S_MINING to S_KICKED" {
		t.Error(c.State(), text)
	}
	deaths, was := 0, true
	for range 70 {
		pass(w, 500*time.Millisecond)
		if is := c.rt.Answers(); is != was {
			was = is
			if !is {
				deaths++
			}
		}
	}
	if deaths < 2 || c.State() != StateKicked {
		t.Errorf("killed %d times, %s", deaths, c.State())
	}
	pass(w, time.Minute)
	if !c.rt.Answers() || c.feeding {
		t.Error("pRuntime does not come back, or the sync does by itself")
	}
	must(t, b.Kick(v0IDs("v0-03")))
	if text, _ := c.Message(); text != "State changed from S_KICKED to S_KICKED" {
		t.Error(text)
	}
	if err := b.Kick(v0IDs("v0-01", "nobody")); errText(err) != `{"type":"worker","key":"name","value":"nobody"}` || v0State(t, b, "v0-01").State() != V0StateMining {
		t.Error(err)
	}
}

func TestV0DeletedWorkersAreZombies(t *testing.T) {
	w, b := mixed(t)
	old, _ := b.Worker("v0-04")
	item := V0Item{PID: &old.PID, Name: &old.Name, Endpoint: &old.Endpoint, Stake: &old.Stake, Enabled: new(true), Deleted: new(true)}
	wrote(t)(b.UpdateWorkers([]V0Change{{ID: &V0ID{UUID: old.UUID}, Item: &item}}))
	if _, found := b.Worker("v0-04"); found || len(b.Workers()) != 4 || b.State(old.UUID).State() != V0StateMining {
		t.Error("it is found by name, or it is not listed, or it does not run any more")
	}
	item.Deleted = nil
	wrote(t)(b.CreateWorkers([]V0Item{item}))
	must(t, w.Host("node-1").Restart(b.lifecycle.Name, time.Second))
	pass(w, time.Minute)
	if b.State(old.UUID) == nil || len(b.Workers()) != 5 {
		t.Error("the zombie did not start again")
	}
	if !slices.ContainsFunc(w.Harm(), func(r Record) bool { return r.Kind == HarmTwoFeeders }) {
		t.Error("zombie and successor do not get into each other's way")
	}
}

func TestV0TwinsInOneRequestCorruptTheIndex(t *testing.T) {
	_, b := mixed(t)
	twin := func(endpoint string) V0Item {
		return V0Item{PID: new(uint64(88)), Name: new("twin"), Endpoint: &endpoint, Stake: new("1")}
	}
	wrote(t)(b.CreateWorkers([]V0Item{twin("http://127.0.201.1:8000"), twin("http://127.0.201.2:8000")}))
	found, _ := b.Worker("twin")
	if n := len(b.Workers()); n != 6 || found.Endpoint != "http://127.0.201.2:8000" {
		t.Errorf("%d workers; by name %+v", n, found)
	}
	_, err := b.CreateWorkers([]V0Item{twin("http://127.0.201.3:8000")})
	if !strings.HasPrefix(errText(err), "Duplicated key 'name' in worker item {") {
		t.Error(err)
	}
}

func TestV0IOThatGoesCutsEverybodyOff(t *testing.T) {
	w, b := mixed(t)
	h := w.Host("node-1")
	must(t, h.Restart(b.io.Name, time.Second))
	pass(w, 10*time.Minute)
	if b.Ask(false, true) != V0Silent || b.Ask(true, false) != V0Silent || b.Ask(false, false) != V0Answered {
		t.Error("who had a socket to the database still answers, or the lifecycle forgets its contexts")
	}
	if c := v0State(t, b, "v0-01"); c.State() != V0StateMining || c.Feeding() {
		t.Error("a dead sync shows")
	}
	for _, c := range []*Container{b.fetch, b.trade} {
		must(t, h.Restart(c.Name, time.Second))
	}
	pass(w, 10*time.Second)
	must(t, h.Restart(b.lifecycle.Name, time.Second))
	pass(w, 5*time.Minute)
	allMine(t, b)
}

func TestV0ErrorsAreExceptionsInJSON(t *testing.T) {
	w, b := mixed(t, Fault{Kind: WorkerError, Target: "v0-01", Text: "timeout"}, Fault{Kind: PruntimeDown, Target: "v0-02"},
		Fault{Kind: WorkerError, Target: "v0-03", Text: "BlockNumberMismatch"}, Fault{Kind: WorkerFreeze, Target: "v0-04"})
	pass(w, time.Second)
	if v0State(t, b, "v0-02").State() != V0StateMining {
		t.Error("no patience")
	}
	pass(w, time.Minute)
	for name, want := range map[string]string{"v0-01": `"name":"TimeoutError","code":"ETIMEDOUT"`, "v0-02": `"message":"connect ECONNREFUSED 127.0.200.2:8000"`,
		"v0-03": `"payload":{"message":"BlockNumberMismatch"}`} {
		c := v0State(t, b, name)
		if text, _ := c.Message(); c.State() != StateError || !strings.Contains(text, want) || !json.Valid([]byte(text)) {
			t.Errorf("%s: %s %s", name, c.State(), text)
		}
	}
	if c := v0State(t, b, "v0-04"); c.State() != V0StateMining || c.Feeding() {
		t.Error("a frozen worker shows it")
	}
	must(t, b.Restart(v0IDs("v0-01", "v0-03", "v0-04")))
	pass(w, time.Minute)
	for _, name := range []string{"v0-01", "v0-03", "v0-04"} {
		if c := v0State(t, b, name); c.State() != V0StateMining {
			t.Errorf("%s: %s", name, c.State())
		}
	}
}

// TestV0WhateverHappens: no worker is ahead of the blobs and no blob ahead of the node, blobs never go, and everything can
// be brought back by starting all containers in their order.
func TestV0WhateverHappens(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := New(epoch, rapid.Uint64().Draw(t, "seed"))
		MixedFleet(w, FleetOptions{Workers: 1, V0Workers: 3})
		b, n, h := w.V0Bridge("prb-v0"), w.Node("node-1"), w.Host("node-1")
		b.FetchRunsOn = rapid.Bool().Draw(t, "fetch runs on")
		var s Scenario
		for range rapid.IntRange(0, 5).Draw(t, "faults") {
			s.Faults = append(s.Faults, anyFault(t))
		}
		if err := w.Apply(s); err != nil {
			t.Fatal(err)
		}
		blobs := int64(0)
		look := func() {
			para, _ := b.fetcher.blobs()
			if para < blobs || para > n.Para().Best(w.Now()) {
				t.Fatalf("blobs went from %d to %d, the node is at %d", blobs, para, n.Para().Best(w.Now()))
			}
			blobs = para
			for _, c := range b.running() {
				if hs, known := c.Heights(); known && hs.Para > para {
					t.Fatalf("%s is at %d, the blobs at %d", c.name(), hs.Para, para)
				}
				if c.feeding && !c.running() || c.State() == "" {
					t.Fatalf("%s feeds in %q", c.name(), c.State())
				}
				_, _ = c.Message()
				_, _ = c.Session()
			}
		}
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			pass(w, time.Duration(rapid.IntRange(0, 90).Draw(t, "s"))*time.Second)
			look()
			service := rapid.SampledFrom([]string{"redis", "redis-q", "io", "fetch", "lifecycle", "trade", "monitor"}).Draw(t, "service")
			id := V0ID{UUID: b.Workers()[rapid.IntRange(0, 2).Draw(t, "worker")].UUID}
			switch rapid.SampledFrom([]string{"restart", "stop", "start", "node", "worker", "kick"}).Draw(t, "what") {
			case "restart":
				_ = h.Restart("bridge_v0_"+service+"_1", time.Minute)
			case "stop":
				_ = h.Stop("bridge_v0_"+service+"_1", 5*time.Second)
			case "start":
				_ = h.Start("bridge_v0_" + service + "_1")
			case "node":
				_ = h.Restart("phala-node", time.Minute)
			case "worker":
				_ = b.Restart([]V0ID{id})
			case "kick":
				_ = b.Kick([]V0ID{id})
			}
			look()
		}
		pass(w, 2*time.Hour) // every For has passed
		h.DiskFull = false
		n.trouble, b.trouble, b.fetcher.trouble = nil, nil, nil
		for _, p := range w.parts.pruntimes {
			p.trouble = nil
		}
		_ = h.Restart("phala-node", time.Minute)
		pass(w, time.Minute)
		for _, service := range []string{"redis", "redis-q", "io", "fetch", "trade", "lifecycle", "monitor"} {
			_ = h.Restart("bridge_v0_"+service+"_1", time.Minute)
			pass(w, 5*time.Second)
		}
		pass(w, 2*time.Hour)
		look()
		for _, row := range b.Workers() {
			if c := b.State(row.UUID); c == nil || c.State() != V0StateMining || c.rt.Lag() > 8 && len(s.Faults) == 0 {
				t.Fatalf("%s does not come back: %+v", row.Name, c)
			}
		}
	})
}
