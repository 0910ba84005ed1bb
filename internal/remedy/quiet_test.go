package remedy_test

import (
	"testing"
	"time"

	"phalops/internal/act"
	"phalops/internal/fleet"
	"phalops/internal/remedy"
	"phalops/internal/sim/world"
)

// A lifecycle restart waits for what it would throw away, as long as it is told to.
func TestABridgeRestartWaitsForAQuietMoment(t *testing.T) {
	for name, c := range map[string]struct {
		wait, then string
		busy       func(s *site) // before the plan is made
		state      fleet.PlanState
		result     string // of the step that waits
		least      time.Duration
		most       time.Duration
	}{
		"nothing is under way":     {"30m", remedy.ThenGo, func(*site) {}, fleet.PlanDone, "remedy.quiet", 0, time.Minute},
		"a sync moves, and ends":   {"30m", remedy.ThenStop, func(s *site) { s.behind("w-01", 2000) }, fleet.PlanDone, "remedy.quiet", 90 * time.Second, 20 * time.Minute},
		"it moves for too long":    {"2m", remedy.ThenGo, func(s *site) { s.behind("w-01", 20000) }, fleet.PlanDone, "remedy.waited_in_vain", 2 * time.Minute, 3 * time.Minute},
		"it moves, and we give up": {"2m", remedy.ThenStop, func(s *site) { s.behind("w-01", 20000) }, fleet.PlanFailed, "remedy.gave_up", 2 * time.Minute, 3 * time.Minute},
		"a sync that stands still": {"30m", remedy.ThenStop, func(s *site) {
			s.behind("w-01", 20000)
			must(s.w.Apply(world.Scenario{Name: "x", Faults: []world.Fault{{Kind: world.WorkerPause, Target: "w-01", For: 24 * time.Hour}}}))
		}, fleet.PlanDone, "remedy.quiet", 2 * time.Minute, 4 * time.Minute},
		"nobody can see it":             {"30m", remedy.ThenGo, func(s *site) { s.strike(world.MonitorHang, "prb-a") }, fleet.PlanFailed, "remedy.waited_in_vain", 2 * time.Minute, 4 * time.Minute},
		"nobody can see it, we give up": {"30m", remedy.ThenStop, func(s *site) { s.strike(world.MonitorHang, "prb-a") }, fleet.PlanFailed, "remedy.gave_up_silent", 2 * time.Minute, 4 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(2)
			c.busy(s)
			req := bridgeRestart()
			req.Args = map[string]string{remedy.ArgWait: c.wait, remedy.ArgThen: c.then}
			p := newProcess(t, s.begin()).build(t, req)
			plan := p.run(t)
			quiet := p.step(t, "quiet")
			if took := quiet.Ended.Sub(quiet.Began); plan.State != c.state || quiet.Result.Code != c.result || took < c.least || took > c.most {
				t.Errorf("the plan is %s after %s: %s, %s", plan.State, took, quiet.Result, plan.Note)
			}
			if gaveUp := quiet.State == fleet.StepFailed; gaveUp != (len(s.log) == 0) {
				t.Errorf("it was done: %v", s.log)
			}
			s.judgeSet(t)
		})
	}
}

// behind puts a worker's pRuntime behind the chain, so that its context syncs.
func (s *site) behind(worker string, blocks int64) {
	ref, endpoint := s.workerOf("prb-a", worker)
	para, _ := s.w.Pruntime(endpoint).Heights()
	s.w.Pruntime(endpoint).Rewind(blocks)
	if now, _ := s.w.Pruntime(endpoint).Heights(); now > para-blocks {
		panic("it is not behind")
	}
	_, err := s.w.Bridge("prb-a").Act(world.ActionRestart, []string{ref.Name()})
	must(err)
	s.pass(20 * time.Second)
}

// Two callers share one restart: the second is told which plan does it, also while that one has stopped the lifecycle.
func TestTwoCallersShareOneBridgeRestart(t *testing.T) {
	s := newSite(2).begin()
	p := newProcess(t, s).build(t, bridgeRestart())
	asked := 0
	s.after = func(call string) error {
		if call != "stop node-1/bridge_trade_1" {
			return nil
		}
		asked++
		_, err := p.e.Build(t.Context(), bridgeRestart(), s.clock.Now())
		if on, ok := act.UnderWay(err); !ok || on.ID != p.plan.ID {
			t.Errorf("the second caller hears %v", err)
		}
		return nil
	}
	if plan := p.run(t); plan.State != fleet.PlanDone || asked != 1 {
		t.Errorf("the plan is %s: %s", plan.State, plan.Note)
	}
	s.judgeSet(t)
	if _, err := p.e.Build(t.Context(), bridgeRestart(), s.clock.Now()); err != nil {
		t.Errorf("after its end another one is refused: %v", err)
	}
}

// The switch to a standby between the stop and the start: the start waits until one of them is gone.
func TestAFeederDoesNotStartBesideItsStandby(t *testing.T) {
	s := newSite(1)
	spare := s.w.AddHost("spare")
	twin := spare.Add(&world.Container{Name: "bridge_lifecycle_1", Project: "bridge", Service: "lifecycle", StopTakes: time.Second})
	s.cfg.Hosts["spare"] = s.cfg.Hosts["node-1"]
	s.cfg.Sites[0].Bridges[0].Standby = "spare"
	p := newProcess(t, s.begin()).build(t, bridgeRestart())
	s.after = once("stop node-1/bridge_redis-q_1", func() error {
		twin.BootRunning()
		s.w.After(20*time.Minute, func() { must(spare.Stop("bridge_lifecycle_1", 0)) })
		return nil
	})
	p.run(t)
	if away := s.away("bridge_lifecycle_1"); away < 20*time.Minute || away > 30*time.Minute {
		t.Errorf("it was away for %s", away)
	}
	s.judge(t)
}
