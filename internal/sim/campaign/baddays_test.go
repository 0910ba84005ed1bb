package campaign

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"phalops/internal/act"
	"phalops/internal/fleet"
	"phalops/internal/prb"
	"phalops/internal/remedy"
	"phalops/internal/sim/world"
	"phalops/internal/store"
)

// everySort is a small fleet with bridges of every generation and workers without one.
var everySort = world.FleetOptions{Workers: 6, V0Workers: 4, V3Workers: 4, Solo: 2}

// calm holds what must be true after every bad day.
func (r *rig) calm(mostMessages int) {
	r.t.Helper()
	if harm := r.World.Harm(); len(harm) > 0 {
		r.t.Errorf("harm was done: %+v", harm)
	}
	if is := r.running(); !slices.Equal(is, r.ran) {
		r.t.Errorf("runs now: %q\nran before: %q", is, r.ran)
	}
	for _, i := range r.incidents() {
		if i.Open() {
			r.t.Errorf("an incident is still open: %s, %s", i.Title, i.Decision.Reason)
		}
	}
	r.withinBudgets()
	r.reasoned()
	told := 0
	for _, robot := range r.World.Robots() {
		told += len(robot.Messages())
	}
	if told > mostMessages {
		r.t.Errorf("%d messages, at most %d", told, mostMessages)
	}
	plans, err := r.Store.Plans(r.t.Context(), store.PlanFilter{Unended: true})
	if err != nil || len(plans) > 0 {
		r.t.Errorf("plans that did not end: %+v, %v", plans, err)
	}
	for _, d := range r.daemons {
		for _, trouble := range d.Troubles {
			if strings.Contains(trouble, "panicked") {
				r.t.Error(trouble)
			}
		}
	}
	if r.t.Failed() {
		r.t.Log(r.story())
	}
}

// withinBudgets holds treatments of one target to at most three in six hours, and those that ended before they came to it, too.
func (r *rig) withinBudgets() {
	r.t.Helper()
	attempts, err := r.Store.Attempts(r.t.Context(), start)
	if err != nil {
		r.t.Fatal(err)
	}
	of := map[string][]time.Time{}
	for _, a := range attempts {
		key := fmt.Sprint(a.Target, " ", a.Kind, " untouched: ", a.Untouched)
		of[key] = append(of[key], a.At)
	}
	for key, at := range of {
		for i := range at {
			if i >= 3 && at[i].Sub(at[i-3]) < 6*time.Hour {
				r.t.Errorf("%s: four times within %v", key, at[i].Sub(at[i-3]))
			}
		}
	}
}

// reasoned holds that whatever was thought or done has an author and a reason.
func (r *rig) reasoned() {
	r.t.Helper()
	events, err := r.Store.Events(r.t.Context(), store.EventFilter{})
	if err != nil {
		r.t.Fatal(err)
	}
	for _, e := range events {
		if e.Author == "" || e.Reason.IsZero() {
			r.t.Errorf("an event without author or reason: %+v", e)
		}
		if d := e.Decision; d != nil && d.Verdict != fleet.Healthy && d.Reason.IsZero() {
			r.t.Errorf("a decision without a reason: %+v", *d)
		}
	}
}

// nothingDone holds that nobody touched anything.
func (r *rig) nothingDone() {
	r.t.Helper()
	if done := r.effects(); len(done) > 0 {
		r.t.Errorf("it acted on it: %q", done)
	}
}

// A bridge that answers nonsense: errors, no workers at all, states that nobody knows, impossible heights, everything at
// once. Nothing of it is believed.
func TestBridgeAnswersNonsense(t *testing.T) {
	t.Parallel()
	garbage := func(prb.Reading) prb.Reading {
		err := fleet.Fail(fleet.Unavailable, fleet.Because("prb.garbage", "method", "ListWorker", "url", "http://127.1.0.1:3000"))
		return prb.Reading{InventoryErr: err, StatesErr: err}
	}
	empty := func(r prb.Reading) prb.Reading {
		return prb.Reading{LifecyclePeer: r.LifecyclePeer, DataProviders: r.DataProviders}
	}
	strange := func(r prb.Reading) prb.Reading {
		for i := range r.Workers {
			w := &r.Workers[i]
			w.State, w.Message, w.Session = "S_BANANA", "\x00<html>", "WorkerYellow"
			w.Para, w.Relay = height(-1<<60), height(1<<60)
		}
		return r
	}
	forms := []func(prb.Reading) prb.Reading{garbage, empty, strange}
	n := 0
	mixed := func(r prb.Reading) prb.Reading { n++; return forms[n%3](r) }
	for name, form := range map[string]func(prb.Reading) prb.Reading{"strange": strange, "mixed": mixed} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, everySort, "")
			r.pass(5 * time.Minute)
			for _, b := range []string{"prb-a", "prb-v0", "prb-v3"} {
				r.Bend(b, form)
			}
			r.pass(40 * time.Minute)
			for _, b := range []string{"prb-a", "prb-v0", "prb-v3"} {
				r.Bend(b, nil)
			}
			r.pass(time.Hour)
			r.nothingDone()
			r.calm(20)
		})
	}
}

// A node that lies about its height, up or down, for an hour.
func TestNodeLies(t *testing.T) {
	t.Parallel()
	for _, by := range []string{"1000000", "-1000000", "-30"} {
		t.Run(by, func(t *testing.T) {
			r := newRig(t, everySort, "", world.Fault{At: 10 * time.Minute, Kind: world.RPCLie, Target: "node-1", Chain: "para", Text: by, For: time.Hour, CuredBy: world.CuredByNothing})
			r.pass(2 * time.Hour)
			r.nothingDone()
			r.calm(6)
		})
	}
}

// A clock that jumps ahead and back.
func TestClockJumps(t *testing.T) {
	t.Parallel()
	for _, by := range []time.Duration{3 * time.Hour, -3 * time.Hour, 40 * time.Second, -time.Minute} {
		t.Run(by.String(), func(t *testing.T) {
			r := newRig(t, everySort, "")
			r.pass(20 * time.Minute)
			r.daemon.SetAhead(by)
			r.pass(30 * time.Minute)
			r.daemon.SetAhead(0)
			r.pass(30 * time.Minute)
			r.nothingDone()
			before := r.Beats()
			r.pass(10 * time.Minute)
			if beats := r.Beats() - before; beats < 100 {
				t.Errorf("%d beats in ten minutes: it has gone to sleep", beats)
			}
			if err := r.World.Apply(world.Scenario{Faults: []world.Fault{{Kind: world.WorkerError, Target: "w-03", Text: "timeout"}}}); err != nil {
				t.Fatal(err)
			}
			r.until("w-03 is healed", time.Hour, closed(r, "w-03"))
			r.calm(10)
		})
	}
}

// A machine that is silent is an alert: whatever stands on it, nothing is restarted meanwhile.
func TestHostIsSilent(t *testing.T) {
	t.Parallel()
	r := newRig(t, everySort, "",
		world.Fault{At: 10 * time.Minute, Kind: world.HostSilent, Target: "node-1", For: 2 * time.Hour},
		world.Fault{At: 30 * time.Minute, Kind: world.NodeHang, Target: "node-1", For: 80 * time.Minute, CuredBy: world.CuredByNothing})
	r.pass(2*time.Hour + 9*time.Minute)
	r.nothingDone()
	if len(r.World.Robots()[0].Messages()) == 0 {
		t.Error("nobody was told")
	}
	r.pass(2 * time.Hour)
	r.calm(40)
}

// An outside head that is wrong does not make a sound node look stuck, nor a stuck one sound.
func TestReferenceIsWrong(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]world.Fault{
		"far ahead":    {Kind: world.RPCLie, Target: "outside", CuredBy: world.CuredByNothing},
		"far behind":   {Kind: world.RPCLie, Target: "outside", Text: "-1000000", CuredBy: world.CuredByNothing},
		"stands still": {Kind: world.NodeStall, Target: "outside", CuredBy: world.CuredByNothing},
		"nonsense":     {Kind: world.RPCGarbage, Target: "outside", CuredBy: world.CuredByNothing},
		"silent":       {Kind: world.NodeHang, Target: "outside", CuredBy: world.CuredByNothing},
	} {
		t.Run(name, func(t *testing.T) {
			w := world.New(start, 7)
			world.DefaultFleet(w, everySort)
			h := w.AddHost("elsewhere")
			w.AddNode(world.NodeSpec{Name: "outside", Host: h.Name, Container: "node", Network: w.Networks()[0]}, world.Container{Image: "khala-node"})
			h.Container("node").BootRunning()
			w.Advance(start.Add(time.Minute))
			fault.At, fault.For = 10*time.Minute, 2*time.Hour
			r := watch(t, Options{World: w, References: []string{"outside"}}, fault)
			r.pass(time.Hour)
			r.nothingDone()
			if err := w.Apply(world.Scenario{Faults: []world.Fault{{Kind: world.NodeStall, Target: "node-1"}}}); err != nil {
				t.Fatal(err)
			}
			r.pass(2 * time.Hour)
			if n := len(r.World.Effects()); name != "stands still" && n == 0 || n > 60 {
				t.Errorf("%d effects on a node that stands still", n)
			}
			r.calm(20)
		})
	}
}

// A monitor that is dead, or hangs, over a living lifecycle: nothing but its own container is touched, by whoever mends it.
func TestMonitorDies(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{world.MonitorCrash, world.MonitorHang} {
		t.Run(kind, func(t *testing.T) {
			r := newRig(t, everySort, "", world.Fault{At: 10 * time.Minute, Kind: kind, Target: "prb-*"})
			r.pass(time.Hour)
			if len(r.World.Robots()[0].Messages()) == 0 {
				t.Error("nobody was told")
			}
			for _, i := range r.incidents() {
				if i.Open() {
					r.ask(act.Request{Kind: remedy.RestartMonitor, Targets: []fleet.Ref{i.Target}, Author: "user:test", Reason: fleet.Because("cli.asked")})
				}
			}
			r.pass(2 * time.Hour)
			mended := false
			for _, e := range r.World.Effects() {
				mended = mended || strings.HasSuffix(e.Target, "bridge_monitor_1")
				if !strings.HasSuffix(e.Target, "_monitor_1") {
					t.Errorf("%s of %s, although only a monitor was dead", e.Kind, e.Target)
				}
			}
			if !mended {
				t.Error("prb-a's monitor is still dead")
			}
			r.calm(12)
		})
	}
}

// ask hands a person's plan over.
func (r *rig) ask(q act.Request) {
	r.t.Helper()
	plan, err := r.daemon.Engine.Build(r.t.Context(), q, r.Now())
	if err == nil {
		err = r.daemon.Engine.Submit(r.t.Context(), plan, r.Now())
	}
	if err != nil {
		r.t.Fatalf("%s %v: %v", q.Kind, q.Targets, err)
	}
}

// 500 workers come back at once after a power cut: every one that needs it is treated, in waves, without a storm of
// treatments or messages.
func TestFiveHundredAfterAPowerCut(t *testing.T) {
	if testing.Short() {
		t.Skip("hours of 500 workers")
	}
	t.Parallel()
	r := newRig(t, world.FleetOptions{Workers: 100, Bridges: 5}, "",
		world.Fault{At: 10 * time.Minute, Kind: world.PowerCut, Target: "node-1", For: 5 * time.Minute},
		world.Fault{At: 10*time.Minute - time.Second, Kind: world.PruntimeDown, Target: "*", For: 20 * time.Minute})
	for range 12 * 12 {
		if r.pass(5 * time.Minute); r.Now().Sub(start) > time.Hour && r.working() == 500 {
			break
		}
	}
	if n := r.working(); n != 500 {
		t.Errorf("%d of 500 work after 12 hours", n)
	}
	t.Logf("all work %v after the power cut; %d effects, %d messages", (r.Now().Sub(start) - 10*time.Minute).Round(time.Minute), len(r.World.Effects()), len(r.World.Robots()[0].Messages()))
	r.pass(20 * time.Minute)
	r.calm(120) // of 1000 pieces of news
	early := 0
	for _, e := range r.World.Effects() {
		if e.At.Before(start.Add(55 * time.Minute)) {
			early++
		}
	}
	if n := len(r.World.Effects()); early > 12 || n > 550 {
		t.Errorf("%d treatments, %d of them before it was proven that they help", n, early)
	}
}

func (r *rig) working() (n int) {
	for _, b := range r.daemons[0].Control.Board().Bridges() {
		for _, w := range b.Workers {
			if w.Condition == fleet.Working {
				n++
			}
		}
	}
	return n
}
