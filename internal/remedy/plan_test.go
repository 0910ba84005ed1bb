package remedy_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"phalops/internal/act"
	"phalops/internal/config"
	"phalops/internal/fleet"
	"phalops/internal/prb"
	"phalops/internal/sim/world"
)

// Between a preview and its yes a person may stop something. It stays stopped, and nothing else is touched either.
func TestWhatAPersonStoppedSinceThePreviewStaysStopped(t *testing.T) {
	for name, c := range map[string]struct {
		change func(s *site)
		state  fleet.PlanState
	}{
		"stopped": {func(s *site) { must(s.w.Host("node-1").Stop("bridge_trade_1", time.Second)) }, fleet.PlanFailed},
		"started": {func(s *site) {
			c := s.w.Host("node-1").Add(&world.Container{Name: "bridge_lifecycle_2", Project: "bridge", Service: "lifecycle"})
			c.BootRunning()
		}, fleet.PlanFailed},
		"of another project": {func(s *site) { must(s.w.Host("node-1").Start("bridge_arena_1")) }, fleet.PlanDone},
	} {
		t.Run(name, func(t *testing.T) {
			p := newProcess(t, newSite(2)).build(t, nodeRestart())
			c.change(p.s)
			p.s.pass(30 * time.Second)
			p.s.begin()
			plan := p.run(t)
			if plan.State != c.state {
				t.Errorf("the plan is %s: %s", plan.State, plan.Note)
			}
			if c.state == fleet.PlanFailed && (plan.Note.Args["why"] != "remedy.set_changed" || len(p.s.log) > 0) {
				t.Errorf("note %s, done %v", plan.Note, p.s.log)
			}
			p.s.judge(t)
		})
	}
}

// A bridge on the same node whose parts live on several hosts, and of whose services several containers run.
func TestNodeRestartAcrossHosts(t *testing.T) {
	s := newSite(1)
	far := s.w.AddHost("prb-1")
	for _, name := range []string{"far_trade_1", "far_trade_2"} {
		far.Add(&world.Container{Name: name, Project: "far", Service: "trade", StopTakes: time.Second}).BootRunning()
	}
	far.Add(&world.Container{Name: "far_lifecycle_1", Project: "far", Service: "lifecycle"})
	s.w.Host("node-1").Add(&world.Container{Name: "far_redis-q_1", Project: "far", Service: "redis-q", StopTakes: time.Second}).BootRunning()
	s.w.Host("node-1").Add(&world.Container{Name: "far_trade_1", Project: "far", Service: "trade", StopTakes: time.Second}).BootRunning()
	s.cfg.Hosts["prb-1"] = config.Host{Name: "prb-1", Docker: "unix:///y"}
	s.cfg.Sites = append(s.cfg.Sites, config.Site{Name: "dc2", Bridges: []config.Bridge{{
		Name: "far", Node: "node-1", Host: "node-1", Project: "far", Roles: map[string]string{"trade": "prb-1", "lifecycle": "prb-1"},
	}}})
	s.begin()
	p := newProcess(t, s).build(t, nodeRestart())
	if want := []fleet.Ref{fleet.NodeRef("node-1"), fleet.BridgeRef("prb-a"), fleet.BridgeRef("far"), fleet.DataProviderRef("dp-1")}; !slices.Equal(p.plan.Locks, want) {
		t.Errorf("it locks %v, want %v", p.plan.Locks, want)
	}
	if plan := p.run(t); plan.State != fleet.PlanDone {
		t.Errorf("the plan is %s: %s", plan.State, plan.Note)
	}
	s.judge(t)
	s.did(t, `
		stop node-1/bridge_lifecycle_1
		stop node-1/bridge_trade_1
		stop node-1/bridge_redis-q_1
		stop prb-1/far_trade_1
		stop prb-1/far_trade_2
		stop node-1/far_redis-q_1
		stop node-1/phala-node
		start node-1/phala-node
		start node-1/bridge_redis-q_1
		start node-1/bridge_lifecycle_1
		start node-1/bridge_trade_1
		start node-1/far_redis-q_1
		start prb-1/far_trade_1
		start prb-1/far_trade_2`)
}

// A request of which nobody knows whether it arrived is not repeated; one that was certainly not sent is.
func TestWorkerRestartMeetsOneFault(t *testing.T) {
	for name, c := range map[string]struct {
		fault func(p *process)
		state fleet.PlanState
		sent  int
	}{
		"nothing": {func(*process) {}, fleet.PlanDone, 1},
		"the reply is lost": {func(p *process) {
			p.s.after = once("restart prb-a/w-01", func() error { return prb.Ambiguous(errSilent) })
		}, fleet.PlanDone, 1},
		"the request is lost, and nobody knows": {func(p *process) {
			p.s.spoil = once("restart prb-a/w-01", func() error { return prb.Ambiguous(errSilent) })
		}, fleet.PlanFailed, 0},
		"refused once": {func(p *process) {
			p.s.spoil = once("restart prb-a/w-01", func() error { return errors.New("connection refused") })
		}, fleet.PlanDone, 1},
		"refused for good": {func(p *process) {
			p.s.spoil = func(call string) error {
				if strings.HasPrefix(call, "restart") {
					return prb.ErrNotRunning
				}
				return nil
			}
		}, fleet.PlanFailed, 0},
		"it fails again":               {func(p *process) { p.s.cured(world.WorkerError, "w-01", world.CuredByNothing) }, fleet.PlanFailed, 1},
		"its pRuntime does not answer": {func(p *process) { p.s.strike(world.PruntimeHang, "w-01") }, fleet.PlanFailed, 1},
		"the monitor is away for a while": {func(p *process) {
			p.s.after = once("restart prb-a/w-01", func() error {
				must(p.s.w.Host("node-1").Stop("bridge_monitor_1", time.Second))
				p.s.w.After(3*time.Minute, func() { must(p.s.w.Host("node-1").Start("bridge_monitor_1")) })
				return nil
			})
		}, fleet.PlanDone, 1},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(2)
			s.strike(world.WorkerError, "w-01")
			p := newProcess(t, s.begin()).build(t, workerRestart(s.workers("w-01")...))
			c.fault(p)
			plan := p.run(t)
			if plan.State != c.state {
				t.Errorf("the plan is %s: %s", plan.State, plan.Note)
			}
			if n := count(s.log, "restart prb-a/w-01"); n != c.sent {
				t.Errorf("sent %d times, want %d", n, c.sent)
			}
			s.judge(t)
		})
	}
}

// Three workers of a batch are under way at a time, or as many as were asked for.
func TestBatchTakesAFewAtATime(t *testing.T) {
	names := []string{"w-01", "w-02", "w-03", "w-04", "w-05", "w-06", "w-07"}
	for asked, want := range map[string]int{"": 3, "2": 2, "7": 7} {
		s := newSite(7)
		for _, n := range names {
			s.strike(world.WorkerFreeze, n)
		}
		s.pass(2 * time.Minute)
		req := workerRestart(s.begin().workers(names...)...)
		if asked != "" {
			req.Args = map[string]string{act.ArgAtOnce: asked}
		}
		p, most := newProcess(t, s).build(t, req), 0
		p.watch = func() {
			plan, err := p.store.Plan(context.Background(), p.plan.ID)
			if err != nil {
				t.Fatal(err)
			}
			underway := 0
			for _, step := range plan.Steps {
				if step.State == fleet.StepEffected {
					underway++
				}
			}
			most = max(most, underway)
		}
		if plan := p.run(t); plan.State != fleet.PlanDone || most != want || len(s.log) != len(names) {
			t.Errorf("at once %q: the plan is %s, at most %d were under way (want %d), %d were sent", asked, plan.State, most, want, len(s.log))
		}
	}
}
