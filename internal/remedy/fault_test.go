package remedy_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"phalops/internal/act"
	"phalops/internal/act/acttest"
	"phalops/internal/config"
	"phalops/internal/fleet"
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
