package remedy_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"phalops/internal/act"
	"phalops/internal/act/acttest"
	"phalops/internal/fleet"
	"phalops/internal/remedy"
	"phalops/internal/sim/world"
)

func nodeRestart() act.Request {
	return act.Request{
		Kind: remedy.RestartNode, Targets: []fleet.Ref{fleet.NodeRef("node-1")}, Author: "rule:node.stalled", Incident: "i1", Reason: fleet.Because("r"),
	}
}

// retired puts a node's fleet into the state that a restart must give back: a standby bridge whose lifecycle is stopped, an
// old trade that is stopped, an arena that is stopped.
func retired(workers int) *site {
	s := newSite(workers).addStandby()
	must(s.w.Host("node-1").Stop("bridge_trade_1", 0))
	s.pass(10 * time.Second)
	return s
}

// crash is a plan that is killed at every boundary, and with pairs at every two of them; without, the pairs would take minutes.
type crash struct {
	name  string
	pairs bool
	setup func(*testing.T) acttest.Setup
}

func enumerate(t *testing.T, crashes []crash) {
	t.Helper()
	for _, c := range crashes {
		t.Run(c.name, func(t *testing.T) {
			if c.pairs {
				acttest.Enumerate(t, c.setup)
			} else {
				acttest.Once(t, c.setup)
			}
		})
	}
}

// everyCrash is all that is enumerated; TestEveryKindIsKilledEverywhere looks for what is missing here.
func everyCrash() []crash {
	return slices.Concat(nodeCrashes(), mixedNodeCrashes(), bridgeCrashes(), mixedBridgeCrashes(), reloadCrashes(), monitorCrashes(), workerCrashes(),
		mixedWorkerCrashes(), containerCrashes(), kickCrashes(), disableCrashes(), refreshCrashes())
}

// A node restart with a death at every boundary: whatever happens, what ran runs, what was stopped stays stopped, each
// container was stopped once and started once, in the right order, and no worker ever had two feeders.
func TestEveryCrashOfANodeRestart(t *testing.T) { enumerate(t, nodeCrashes()) }

func nodeCrashes() []crash {
	return []crash{{"v2", false, nodeRestartJudged}, {"takes its data provider along", false, takesProvider}, {"exited", false, exitedNode}, {"slow", false, slowNode}}
}

// Two deaths at every pair of boundaries are thousands of runs.
func TestLabEveryTwoCrashesOfANodeRestart(t *testing.T) {
	if os.Getenv("PHALOPS_LAB") != "full" {
		t.Skip("half a minute; PHALOPS_LAB=full (make lab-full) runs it")
	}
	acttest.Enumerate(t, nodeRestartJudged)
}

func nodeRestartJudged(*testing.T) acttest.Setup {
	s := retired(2)
	s.cured(world.NodeStall, "node-1", world.CuredByRestart)
	s.begin()
	return s.setup(nodeRestart(), func(t *testing.T, r acttest.Run) {
		done(t, r)
		s.judge(t)
		s.did(t, `
			stop node-1/bridge_lifecycle_1
			stop node-1/bridge_redis-q_1
			stop node-1/standby_trade_1
			stop node-1/standby_redis-q_1
			stop node-1/phala-node
			start node-1/phala-node
			start node-1/bridge_redis-q_1
			start node-1/bridge_lifecycle_1
			start node-1/standby_redis-q_1
			start node-1/standby_trade_1`)
	})
}

// The same with a data provider that its restart policy does not bring back: it exits with the node's socket, and is
// restarted once.
func takesProvider(*testing.T) acttest.Setup {
	const want = `
		stop node-1/bridge_lifecycle_1
		stop node-1/bridge_trade_1
		stop node-1/bridge_redis-q_1
		stop node-1/phala-node
		start node-1/phala-node
		restart node-1/bridge_dp_data_provider_1
		start node-1/bridge_redis-q_1
		start node-1/bridge_lifecycle_1
		start node-1/bridge_trade_1`
	s := newSite(2)
	s.container("bridge_dp_data_provider_1").RestartAlways = false
	s.begin()
	return s.setup(nodeRestart(), func(t *testing.T, r acttest.Run) {
		done(t, r)
		s.judge(t)
		s.did(t, want)
	})
}

// A node that has exited by itself is started.
func exitedNode(*testing.T) acttest.Setup {
	s := newSite(1)
	s.strike(world.NodeCrash, "node-1")
	s.pass(time.Minute)
	s.begin()
	s.before["node-1/phala-node"] = true
	return s.setup(nodeRestart(), func(t *testing.T, r acttest.Run) {
		done(t, r)
		if now := s.running(); len(now) != len(s.before) {
			t.Errorf("there run %v, before %v", now, s.before)
		}
		s.did(t, `
			stop node-1/bridge_lifecycle_1
			stop node-1/bridge_trade_1
			stop node-1/bridge_redis-q_1
			start node-1/phala-node
			start node-1/bridge_redis-q_1
			start node-1/bridge_lifecycle_1
			start node-1/bridge_trade_1`)
	})
}

// A node that may take minutes to stop is given them.
func slowNode(*testing.T) acttest.Setup {
	s := newSite(1)
	s.cfg.Sites[0].Nodes[0].Grace = 10 * time.Minute
	s.container("phala-node").StopTakes = 6 * time.Minute
	s.begin()
	return s.setup(nodeRestart(), func(t *testing.T, r acttest.Run) {
		done(t, r)
		s.judgeSet(t)
		for _, call := range []string{"stop node-1/phala-node", "start node-1/phala-node"} {
			if n := count(s.log, call); n != 1 {
				t.Errorf("%q was done %d times: %v", call, n, s.log)
			}
		}
	})
}

func TestEveryCrashOfABridgeRestart(t *testing.T) { enumerate(t, bridgeCrashes()) }

func bridgeCrashes() []crash {
	return []crash{{"v2", true, func(*testing.T) acttest.Setup {
		s := newSite(2).begin()
		req := act.Request{Kind: remedy.RestartBridge, Targets: []fleet.Ref{fleet.BridgeRef("prb-a")}, Author: "user:li", Reason: fleet.Because("r")}
		return s.setup(req, func(t *testing.T, r acttest.Run) {
			done(t, r)
			s.judge(t)
			s.did(t, `
				stop node-1/bridge_lifecycle_1
				stop node-1/bridge_trade_1
				stop node-1/bridge_redis-q_1
				start node-1/bridge_redis-q_1
				start node-1/bridge_lifecycle_1
				start node-1/bridge_trade_1`)
		})
	}}, {"v2, at a quiet moment", false, func(*testing.T) acttest.Setup {
		s := newSite(2)
		s.behind("w-01", 2000)
		s.begin()
		req := bridgeRestart()
		req.Args = map[string]string{remedy.ArgWait: "30m", remedy.ArgThen: remedy.ThenStop}
		return s.setup(req, func(t *testing.T, r acttest.Run) {
			done(t, r)
			s.judge(t)
			if n := count(s.log, "start node-1/bridge_lifecycle_1"); n != 1 {
				t.Errorf("the lifecycle was started %d times: %v", n, s.log)
			}
		})
	}}}
}

func done(t *testing.T, r acttest.Run) {
	t.Helper()
	if r.Plan.State != fleet.PlanDone {
		t.Errorf("the plan is %s: %s", r.Plan.State, r.Plan.Note)
	}
}

func workerRestart(refs ...fleet.Ref) act.Request {
	return act.Request{Kind: remedy.RestartWorker, Targets: refs, Author: "rule:v2.error", Incident: "i1", Reason: fleet.Because("r")}
}

func TestEveryCrashOfAWorkerRestart(t *testing.T) { enumerate(t, workerCrashes()) }

func workerCrashes() []crash {
	return []crash{{"failing", true, sickWorker}, {"working", true, workingWorker}, {"batch", false, workerBatch}}
}

// A worker restart with a death at every boundary and a second one after it: it is sent once, or, when the process died
// before it could be sent, never; then the plan says that it failed.
func sickWorker(*testing.T) acttest.Setup {
	s := newSite(2)
	s.strike(world.WorkerError, "w-01")
	s.begin()
	return s.setup(workerRestart(s.workers("w-01")...), func(t *testing.T, r acttest.Run) {
		s.judge(t)
		judgeRestarts(t, s, r)
	})
}

// A worker that works (somebody asked for its restart) grows whether or not the restart was sent: growth alone is no proof.
func workingWorker(*testing.T) acttest.Setup {
	s := newSite(2)
	s.begin()
	return s.setup(workerRestart(s.workers("w-01")...), func(t *testing.T, r acttest.Run) { judgeRestarts(t, s, r) })
}

// A batch of five: w-02 is disabled and left out, w-05 does not recover, and neither holds up the others.
func workerBatch(*testing.T) acttest.Setup {
	s := newSite(5)
	for _, name := range []string{"w-01", "w-03", "w-04"} {
		s.strike(world.WorkerFreeze, name)
	}
	s.cured(world.WorkerError, "w-05", world.CuredByNothing)
	s.disable("w-02")
	s.pass(time.Minute)
	s.begin()
	return s.setup(workerRestart(s.workers("w-01", "w-02", "w-03", "w-04", "w-05")...), func(t *testing.T, r acttest.Run) {
		if r.Plan.State != fleet.PlanPartly {
			t.Errorf("the plan is %s: %s", r.Plan.State, r.Plan.Note)
		}
		if left := r.Plan.Steps[1]; left.State != fleet.StepSkipped || left.Result.Code != "remedy.worker_disabled" || left.Attempt > 0 {
			t.Errorf("the disabled worker: %s, %s", left.State, left.Result)
		}
		if sick := r.Plan.Steps[4]; sick.State != fleet.StepFailed {
			t.Errorf("the worker that fails again: %s, %s", sick.State, sick.Result)
		}
		s.judge(t)
		judgeRestarts(t, s, r)
	})
}

// judgeRestarts: a step that is done was sent once; one that failed was sent once and did not help, or was never sent
// because the process died with the intent written.
func judgeRestarts(t *testing.T, s *site, r acttest.Run) {
	t.Helper()
	sent := map[string]int{}
	for _, line := range s.log {
		sent[strings.TrimPrefix(line, "restart ")]++
	}
	for _, step := range r.Plan.Steps {
		n := sent["prb-a/"+step.Args["name"]]
		died := false
		for _, c := range r.Crashes {
			died = died || c.Step == step.Name && c.Point == act.AfterIntent
		}
		switch {
		case step.State == fleet.StepSkipped && n == 0:
		case step.State == fleet.StepDone && n == 1:
		case step.State == fleet.StepFailed && n == 1 && step.Result.Code == "remedy.worker_failed_again":
		case step.State == fleet.StepFailed && n == 0 && died:
		default:
			t.Errorf("%s was sent %d times and is %s: %s", step.Name, n, step.State, step.Result)
		}
	}
}

// disable changes a worker's record; a running context does not notice.
func (s *site) disable(name string) { s.change(name, func(w *world.WorkerInput) { w.Enabled = false }) }

func (s *site) change(name string, f func(*world.WorkerInput)) {
	b := s.w.Bridge("prb-a")
	w, _ := b.Worker(name)
	in := world.WorkerInput{PID: w.PID, Name: w.Name, Endpoint: w.Endpoint, Stake: w.Stake, Enabled: w.Enabled, SyncOnly: w.SyncOnly}
	f(&in)
	_, err := b.UpdateWorkers([]world.WorkerChange{{ID: &world.ID{UUID: w.UUID, JSON: fmt.Sprintf("%q", w.UUID)}, Worker: &in}})
	must(err)
}
