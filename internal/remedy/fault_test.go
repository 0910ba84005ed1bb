package remedy_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"phalops/internal/act"
	"phalops/internal/act/acttest"
	"phalops/internal/config"
	"phalops/internal/fleet"
	"phalops/internal/prb"
	"phalops/internal/remedy"
	"phalops/internal/sim/world"
	"phalops/internal/store/memory"
)

// process is an engine over a site, with one plan.
type process struct {
	s     *site
	e     *act.Engine
	store *memory.Store
	plan  fleet.Plan
	watch func() // called whenever time has passed
}

func newProcess(t *testing.T, s *site) *process {
	t.Helper()
	p := &process{s: s, store: memory.New()}
	var err error
	p.e, err = act.New(act.Options{Store: p.store, Kinds: remedy.New(func() config.Config { return s.cfg }, s).Kinds()})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *process) build(t *testing.T, req act.Request) *process {
	t.Helper()
	var err error
	if p.plan, err = p.e.Build(t.Context(), req, p.s.clock.Now()); err != nil {
		t.Fatal(err)
	}
	return p
}

// run submits the plan and sees it to its end.
func (p *process) run(t *testing.T) fleet.Plan {
	t.Helper()
	if err := p.e.Submit(t.Context(), p.plan, p.s.clock.Now()); err != nil {
		t.Fatal(err)
	}
	return acttest.Drive(t, p.e, p.store, p.plan.ID, p.s.clock, func(now time.Time) {
		p.s.live(now)
		if p.watch != nil {
			p.watch()
		}
	})
}

func (p *process) step(t *testing.T, name string) fleet.Step {
	t.Helper()
	plan, err := p.store.Plan(context.Background(), p.plan.ID)
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(plan.Steps, func(s fleet.Step) bool { return s.Name == name })
	if i < 0 {
		t.Fatalf("no step %q", name)
	}
	return plan.Steps[i]
}

// away is how long a container had no process, from the beginning of the world on.
func (s *site) away(name string) time.Duration {
	c := s.container(name)
	if c.FinishedAt().IsZero() || c.StartedAt().Before(c.FinishedAt()) {
		return -1
	}
	return c.StartedAt().Sub(c.FinishedAt())
}

// Whatever fails in a node restart: what ran runs in the end, and it was not away longer than it had to be.
func TestNodeRestartMeetsOneFault(t *testing.T) {
	down := func(s *site, d time.Duration) error {
		h := s.w.Host("node-1")
		h.Down = true
		s.w.After(d, func() { h.Down = false })
		return errSilent
	}
	for name, c := range map[string]struct {
		fault  func(t *testing.T, p *process)
		state  fleet.PlanState
		failed string // the step that the plan failed at
		away   time.Duration
	}{
		"nothing": {func(*testing.T, *process) {}, fleet.PlanDone, "", 2 * time.Minute},
		"the host falls silent before the second stop": {func(_ *testing.T, p *process) {
			p.s.spoil = once("stop node-1/bridge_trade_1", func() error { return down(p.s, 10*time.Minute) })
		}, fleet.PlanFailed, "stop node-1/bridge_trade_1", 20 * time.Minute},
		"the host falls silent with the node stopped": {func(_ *testing.T, p *process) {
			p.s.after = once("stop node-1/phala-node", func() error { return down(p.s, 10*time.Minute) })
		}, fleet.PlanFailed, "stop node-1/phala-node", 20 * time.Minute},
		"the host falls silent before the lifecycle comes back": {func(_ *testing.T, p *process) {
			p.s.spoil = once("start node-1/bridge_lifecycle_1", func() error { return down(p.s, 3*time.Minute) })
		}, fleet.PlanFailed, "feed prb-a", 15 * time.Minute},
		"a reply is lost": {func(_ *testing.T, p *process) {
			p.s.after = once("stop node-1/phala-node", func() error { return errSilent })
		}, fleet.PlanDone, "", 2 * time.Minute},
		"a stop takes longer than its grace": {func(_ *testing.T, p *process) {
			p.s.container("bridge_lifecycle_1").StopTakes = time.Hour
		}, fleet.PlanDone, "", 2 * time.Minute},
		"the node never grows": {func(_ *testing.T, p *process) {
			p.s.cured(world.NodeStall, "node-1", world.CuredByNothing)
		}, fleet.PlanFailed, "grow node-1", 22 * time.Minute},
		"the node cannot be started at first": {func(_ *testing.T, p *process) {
			p.s.container("phala-node").StartError = "no space left on device"
			p.s.w.After(10*time.Minute, func() { p.s.container("phala-node").StartError = "" })
		}, fleet.PlanFailed, "grow node-1", 20 * time.Minute},
		"the lifecycle cannot be started at first": {func(_ *testing.T, p *process) {
			p.s.container("bridge_lifecycle_1").StartError = "no such device"
			p.s.w.After(10*time.Minute, func() { p.s.container("bridge_lifecycle_1").StartError = "" })
		}, fleet.PlanFailed, "feed prb-a", 16 * time.Minute},
		"the lifecycle crashes at every start": {func(_ *testing.T, p *process) {
			p.s.change("w-01", func(w *world.WorkerInput) { w.Stake = "" })
		}, fleet.PlanFailed, "feed prb-a", 2 * time.Minute},
		"the data provider stands still": {func(_ *testing.T, p *process) {
			p.watch = func() { // as soon as it is back
				if dp := p.s.w.DataProvider("dp-1"); p.s.away("phala-node") >= 0 && dp.Info(p.s.w.Now()).ParaProcessed >= 0 {
					p.watch = nil
					p.s.strike(world.ProviderStall, "dp-1")
				}
			}
		}, fleet.PlanDone, "", 6 * time.Minute},
		"the monitor says nothing": {func(_ *testing.T, p *process) {
			p.s.cured(world.MonitorHang, "prb-a", world.CuredByNothing)
		}, fleet.PlanFailed, "wait dp-1", 9 * time.Minute},
		"a person aborts while the node is down": {func(t *testing.T, p *process) {
			p.s.after = once("stop node-1/phala-node", func() error { p.abort(t); return nil })
		}, fleet.PlanAborted, "", time.Minute},
		"a person aborts while the node does not grow": {func(t *testing.T, p *process) {
			p.s.cured(world.NodeStall, "node-1", world.CuredByNothing)
			begun := time.Time{}
			p.watch = func() {
				if s := p.step(t, "grow node-1"); s.State == fleet.StepEffected && begun.IsZero() {
					begun = p.s.clock.Now()
				} else if !begun.IsZero() && p.s.clock.Now().Sub(begun) > time.Minute {
					p.watch = nil
					p.abort(t)
				}
			}
		}, fleet.PlanAborted, "", 3 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			p := newProcess(t, newSite(2).begin())
			p.build(t, nodeRestart())
			c.fault(t, p)
			plan := p.run(t)
			if plan.State != c.state || c.failed != "" && plan.Note.Args["step"] != c.failed {
				t.Errorf("the plan is %s, want %s at %q: %s", plan.State, c.state, c.failed, plan.Note)
			}
			p.s.pass(time.Minute)
			p.s.judge(t)
			for _, part := range []string{"bridge_redis-q_1", "bridge_trade_1", "bridge_lifecycle_1", "phala-node"} {
				if d := p.s.away(part); d > c.away && name != "the lifecycle crashes at every start" {
					t.Errorf("%s was away for %s, want at most %s", part, d, c.away)
				}
			}
			if n := count(p.s.log, "restart node-1/bridge_dp_data_provider_1"); (n == 1) != (name == "the data provider stands still") {
				t.Errorf("the data provider was restarted %d times", n)
			}
		})
	}
}

func (p *process) abort(t *testing.T) {
	if err := p.e.Abort(context.Background(), p.plan.ID, "user:li", p.s.clock.Now()); err != nil {
		t.Error(err)
	}
}

// once answers one call.
func once(call string, f func() error) func(string) error {
	struck := false
	return func(c string) error {
		if c != call || struck {
			return nil
		}
		struck = true
		return f()
	}
}

func count(log []string, line string) (n int) {
	for _, l := range log {
		if l == line {
			n++
		}
	}
	return n
}

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
