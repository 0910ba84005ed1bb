package world

import (
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestTargets(t *testing.T) {
	for target, want := range map[string][]string{
		"w-03":       {"prb-a/w-03"},
		"w-0[12]":    {"prb-a/w-01", "prb-a/w-02"},
		"prb-a/w-05": {"prb-a/w-05"},
		"prb-b/*":    nil,
		"random:9":   {"prb-a/w-01", "prb-a/w-02", "prb-a/w-03", "prb-a/w-04", "prb-a/w-05", "prb-a/w-06"},
	} {
		w := demo(t)
		var got []string
		for _, v := range w.targets(Fault{Kind: WorkerError, Target: target}, "x") {
			got = append(got, v.name)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", target, got, want)
		}
	}
	w := demo(t, Fault{Kind: WorkerError, Target: "nobody"})
	pass(w, time.Second)
	if f := w.Faults(); len(f) != 1 || f[0].Target != "" {
		t.Errorf("a fault that struck nobody: %v", f)
	}
}

func TestCheckRefusesWhatMeansNothing(t *testing.T) {
	for _, f := range []Fault{
		{Kind: "worker.sneeze", Target: "*"},
		{Kind: WorkerError},
		{Kind: WorkerError, Target: "[", Text: "timeout"},
		{Kind: WorkerError, Target: "random:0"},
		{Kind: WorkerError, Target: "random:few"},
		{Kind: WorkerError, Target: "*", At: -1},
		{Kind: WorkerError, Target: "*", Chain: "para"},
		{Kind: NodeStall, Target: "*", Chain: "side"},
		{Kind: NodeStall, Target: "*", Text: "x"},
		{Kind: NodeStall, Target: "*", CuredBy: "prayer"},
		{Kind: NodeStall, Target: "*", Delay: time.Second},
		{Kind: NodeCrash, Target: "*", CuredBy: CuredByRestart},
		{Kind: NodeCrash, Target: "*", For: time.Second},
		{Kind: BridgeSlow, Target: "*"},
		{Kind: WorkerPause, Target: "*"},
		{Kind: RobotFails, Target: "*", Text: "tired"},
	} {
		if f.Check() == nil {
			t.Errorf("%+v is accepted", f)
		}
		if err := New(epoch, 1).Apply(Scenario{Faults: []Fault{f}}); err == nil {
			t.Errorf("%+v is applied", f)
		}
	}
}

func TestHostAndRobotFail(t *testing.T) {
	w := demo(t, Fault{Kind: HostSilent, Target: "node-1", For: time.Minute}, Fault{Kind: RobotFails, Target: "ops", Text: "hangs", For: time.Minute})
	pass(w, time.Second)
	if !w.Host("node-1").Down || w.Robot("ops").Down != RobotHangs {
		t.Errorf("host down %v, robot %q", w.Host("node-1").Down, w.Robot("ops").Down)
	}
	pass(w, time.Minute)
	if w.Host("node-1").Down || w.Robot("ops").Down != RobotUp {
		t.Errorf("not healed: host down %v, robot %q", w.Host("node-1").Down, w.Robot("ops").Down)
	}
}

// anyFault draws a fault that Check accepts.
func anyFault(t *rapid.T) Fault {
	return rapid.Custom(func(t *rapid.T) Fault {
		return Fault{
			Kind:    rapid.SampledFrom(FaultKinds()).Draw(t, "kind"),
			Target:  rapid.SampledFrom([]string{"*", "random:2", "node-1", "w-03"}).Draw(t, "target"),
			At:      time.Duration(rapid.IntRange(0, 1200).Draw(t, "at")) * time.Second,
			For:     time.Duration(rapid.IntRange(0, 900).Draw(t, "for")) * time.Second,
			CuredBy: rapid.SampledFrom([]string{"", CuredByRestart, CuredByNothing}).Draw(t, "cured by"),
			Chain:   rapid.SampledFrom([]string{"", "para", "relay"}).Draw(t, "chain"),
			Delay:   time.Duration(rapid.IntRange(0, 1).Draw(t, "delay")) * time.Second,
		}
	}).Filter(func(f Fault) bool { return f.Kind != IdentityLost && f.Check() == nil }).Draw(t, "fault")
}

// TestWhateverHappens: heights never fall (but for a pRuntime that goes back to its checkpoint or begins anew, which none of these faults does), nobody
// is ahead of whom he follows, and everything can be brought back by starting all containers and restarting all workers.
func TestWhateverHappens(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := New(epoch, rapid.Uint64().Draw(t, "seed"))
		DefaultFleet(w, FleetOptions{Workers: 3})
		var s Scenario
		for range rapid.IntRange(0, 5).Draw(t, "faults") {
			s.Faults = append(s.Faults, anyFault(t))
		}
		if err := w.Apply(s); err != nil {
			t.Fatal(err)
		}
		h, b, n := w.Host("node-1"), w.Bridge("prb-a"), w.Node("node-1")
		heights := map[string]int64{}
		rises := func(name string, height int64) {
			if height < heights[name] {
				t.Fatalf("%v: %s fell from %d to %d", w.Now().Sub(epoch), name, heights[name], height)
			}
			heights[name] = height
		}
		look := func() {
			for _, nc := range n.Chains() {
				rises("node/"+nc.side, nc.Best(w.Now()))
				if nc.Best(w.Now()) > nc.Chain.Head(w.Now()) || nc.Finalized(w.Now()) > nc.Best(w.Now()) {
					t.Fatalf("the node is ahead of the network")
				}
			}
			if i := w.DataProvider("dp-1").Info(w.Now()); i.ParaProcessed > n.Para().Best(w.Now()) || i.ParaProcessed > i.ParaTarget {
				t.Fatalf("the data provider is ahead: %+v", i)
			}
			for _, p := range inOrder(w.parts.pruntimes) {
				para, relay := p.Heights()
				rises(p.Endpoint, para)
				rises(p.Endpoint+"/relay", relay)
				if p.Feeders() > 1 {
					t.Fatalf("%d feeders", p.Feeders())
				}
			}
		}
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			pass(w, time.Duration(rapid.IntRange(0, 90).Draw(t, "s"))*time.Second)
			look()
			name := rapid.SampledFrom([]string{"", "", "phala-node", "bridge_lifecycle_1", "bridge_dp_data_provider_1", "bridge_redis-q_1", "bridge_monitor_1"}).Draw(t, "container")
			switch rapid.SampledFrom([]string{"restart", "stop", "start", "worker"}).Draw(t, "what") {
			case "restart":
				_ = h.Restart(name, time.Minute)
			case "stop":
				_ = h.Stop(name, 5*time.Second)
			case "start":
				_ = h.Start(name)
			case "worker":
				_, _ = b.Act(ActionRestart, []string{b.workers[rapid.IntRange(0, 2).Draw(t, "worker")].UUID})
			}
			look()
		}
		for range 4000 { // every For has passed
			pass(w, time.Second)
		}
		look()
		h.DiskFull = false
		n.trouble, b.trouble, w.DataProvider("dp-1").trouble = nil, nil, nil
		for _, p := range w.parts.pruntimes {
			p.trouble = nil
		}
		for _, c := range h.Containers() {
			if c.Name != "bridge_arena_1" {
				_ = h.Restart(c.Name, time.Minute)
			}
		}
		for range 900 {
			pass(w, time.Second)
		}
		look()
		if len(b.contexts) != 3 || len(b.table) != 2 {
			t.Fatalf("%d contexts, table %v", len(b.contexts), b.table)
		}
		for _, c := range b.contexts {
			if c.State() != StateActive || (c.rt.Lag() > 8 && s.Faults != nil) {
				t.Fatalf("%s: %s, %d behind", c.Worker.Name, c.State(), c.rt.Lag())
			}
		}
	})
}

func TestSameSeedSameWorld(t *testing.T) {
	run := func(seed uint64) string {
		w := New(epoch, seed)
		DefaultFleet(w, FleetOptions{Workers: 30})
		if err := w.Apply(Scenario{Faults: []Fault{
			{At: time.Minute, Kind: WorkerError, Target: "random:5"},
			{At: 2 * time.Minute, Kind: NodeCrash, Target: "node-1"},
			{At: 3 * time.Minute, Kind: LifecycleCrash, Target: "prb-a"},
			{At: 9 * time.Minute, Kind: WorkerFreeze, Target: "random:3"},
		}}); err != nil {
			t.Fatal(err)
		}
		pass(w, 5*time.Minute)
		_ = w.Host("node-1").Start("phala-node")
		pass(w, 20*time.Minute)
		text := fmt.Sprintln(w.Faults(), w.Effects(), w.Harm())
		for _, c := range w.Bridge("prb-a").contexts {
			message, at := c.Message()
			text += fmt.Sprintln(c.Worker, c.State(), message, at)
		}
		return text
	}
	if a, b := run(7), run(7); !reflect.DeepEqual(a, b) {
		t.Errorf("two worlds of one seed differ:\n%s\n%s", a, b)
	}
	if run(7) == run(8) {
		t.Error("the seed changes nothing")
	}
}

// BenchmarkMonth is the size of a campaign: 1,000 workers, 30 days, a look at everything each minute would cost extra.
func BenchmarkMonth(b *testing.B) {
	for b.Loop() {
		w := New(epoch, 1)
		DefaultFleet(w, FleetOptions{Workers: 1000})
		var s Scenario
		for hour := range 720 {
			s.Faults = append(s.Faults, Fault{At: time.Duration(hour) * time.Hour, Kind: WorkerFreeze, Target: "random:3"})
		}
		if err := w.Apply(s); err != nil {
			b.Fatal(err)
		}
		pass(w, 720*time.Hour)
	}
}
