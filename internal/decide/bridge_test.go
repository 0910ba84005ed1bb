package decide_test

import (
	"fmt"
	"testing"
	"time"

	"phalops/internal/decide"
	"phalops/internal/fleet"
)

const refused = `"Error: connect ECONNREFUSED 127.0.1.4:8000"`

// badWorkers lets the workers from…to-1 fail so long ago, each a second after the one before.
func badWorkers(from, to int, d time.Duration, text string) func(*decide.BridgeInput) {
	return func(in *decide.BridgeInput) {
		for i := from; i < to; i++ {
			failed(d-time.Duration(i-from)*time.Second, text)(&in.Status.Workers[i])
		}
	}
}

func dpFrozen(d time.Duration) func(*decide.BridgeInput) {
	return func(in *decide.BridgeInput) { in.Status.DataProviders[0].Para.MovedAt = ago(d) }
}

// readsItsNode makes it a v0-like bridge without data providers whose node made its last block so long ago.
func readsItsNode(d time.Duration) func(*decide.BridgeInput) {
	return func(in *decide.BridgeInput) {
		in.Status.Version, in.Status.DataProviders, in.DataProvider = "v3", nil, ""
		in.Node.Para.Best.MovedAt = ago(d)
	}
}

func nodeIs(c fleet.NodeCondition) func(*decide.BridgeInput) {
	return func(in *decide.BridgeInput) {
		in.NodeDecision = &fleet.Decision{Target: nodeA, Condition: string(c), Since: ago(h)}
	}
}

func attempts(as ...fleet.Attempt) func(*decide.BridgeInput) {
	return func(in *decide.BridgeInput) { in.Attempts = as }
}

func TestBridgeParts(t *testing.T) {
	type change = func(*decide.BridgeInput)
	tests := []struct {
		name      string
		given     []change
		condition fleet.BridgeCondition
		verdict   fleet.Verdict
		rule      string
		suspect   fleet.Ref
		severity  fleet.Severity
		worker    fleet.Condition // of a worker that is in S_ERROR
	}{
		{"all well", nil, fleet.BridgeHealthy, fleet.Healthy, "bridge.healthy", prbB, "", fleet.Failing},
		{"the node that it reads pauses", []change{readsItsNode(4 * m)}, fleet.BridgeStarved, fleet.Wait, "bridge.starved.node", nodeA, fleet.Info, fleet.Unknown},
		{"the node that it reads stands still", []change{readsItsNode(9 * m), nodeIs(fleet.NodeStalled)}, fleet.BridgeStarved, fleet.Wait, "bridge.starved.node", nodeA, fleet.Info, fleet.Unknown},
		{"never asked", []change{func(in *decide.BridgeInput) { in.Status.Monitor, in.Status.Condition = fleet.Probe{}, "" }},
			fleet.BridgeUnknown, fleet.Wait, "bridge.unseen", prbB, "", fleet.Unknown},
		{"monitor silent for a minute", []change{func(in *decide.BridgeInput) { in.Status.Monitor = silentFor(m) }}, fleet.BridgeBlind, fleet.Wait, "bridge.blind", prbB, fleet.Info, fleet.Unknown},
		{"monitor silent for long", []change{func(in *decide.BridgeInput) { in.Status.Monitor = silentFor(3 * m) }}, fleet.BridgeBlind, fleet.Person, "bridge.blind", prbB, fleet.Warning, fleet.Unknown},
		{"monitor silent while its host is treated", []change{func(in *decide.BridgeInput) {
			in.Status.Monitor, in.ParentTreated = silentFor(3*m), new(fleet.Because("guard.treating"))
		}}, fleet.BridgeBlind, fleet.Wait, "bridge.blind", prbB, fleet.Info, fleet.Unknown},
		{"everything dark", []change{func(in *decide.BridgeInput) { in.Status.Monitor, in.Blind = silentFor(3*m), true }}, fleet.BridgeBlind, fleet.Wait, "bridge.blind", fleet.Fleet, fleet.Info, fleet.Unknown},
		{"phalops slept", []change{func(in *decide.BridgeInput) { in.Status.Monitor = fleet.Probe{At: ago(h)} }}, fleet.BridgeBlind, fleet.Wait, "bridge.blind", prbB, fleet.Info, fleet.Unknown},
		{"lifecycle silent for a minute", []change{func(in *decide.BridgeInput) { in.Status.Lifecycle = silentFor(m) }}, fleet.BridgeNoLifecycle, fleet.Wait, "bridge.no_lifecycle", prbB, fleet.Info, fleet.Unknown},
		{"lifecycle silent for long", []change{func(in *decide.BridgeInput) { in.Status.Lifecycle = silentFor(3 * m) }}, fleet.BridgeNoLifecycle, fleet.Person, "bridge.no_lifecycle", prbB, fleet.Critical, fleet.Unknown},
		{"lifecycle silent because its node is down", []change{nodeIs(fleet.NodeDown), func(in *decide.BridgeInput) { in.Status.Lifecycle = silentFor(3 * m) }},
			fleet.BridgeNoLifecycle, fleet.Wait, "bridge.no_lifecycle", nodeA, fleet.Info, fleet.Unknown},
		{"data provider frozen", []change{dpFrozen(4 * m)}, fleet.BridgeStarved, fleet.Wait, "bridge.starved", "dp/dp-1", fleet.Info, fleet.Failing},
		{"data provider frozen for long", []change{dpFrozen(6 * m)}, fleet.BridgeStarved, fleet.Person, "bridge.starved", "dp/dp-1", fleet.Critical, fleet.Failing},
		{"data provider frozen, its node stalled", []change{dpFrozen(6 * m), nodeIs(fleet.NodeStalled)}, fleet.BridgeStarved, fleet.Wait, "bridge.starved.node", nodeA, fleet.Info, fleet.Failing},
		{"data provider frozen, the chain silent", []change{dpFrozen(60 * m), nodeIs(fleet.NodeNetworkStalled)}, fleet.BridgeStarved, fleet.Wait, "bridge.starved.node", nodeA, fleet.Info, fleet.Failing},
		{"data provider gone", []change{func(in *decide.BridgeInput) { in.Status.DataProviders = nil }}, fleet.BridgeStarved, fleet.Wait, "bridge.starved", "dp/dp-1", fleet.Info, fleet.Failing},
		{"data provider gone for long", []change{func(in *decide.BridgeInput) {
			in.Status.DataProviders, in.Status.Condition, in.Status.Since = nil, fleet.BridgeStarved, ago(6*m)
		}}, fleet.BridgeStarved, fleet.Person, "bridge.starved", "dp/dp-1", fleet.Critical, fleet.Failing},
		{"data provider does not answer", []change{func(in *decide.BridgeInput) { in.Status.DataProviders[0].Probe = silentFor(4 * m) }}, fleet.BridgeStarved, fleet.Wait, "bridge.starved", "dp/dp-1", fleet.Info, fleet.Failing},
		{"one of two data providers frozen", []change{dpFrozen(time.Hour), func(in *decide.BridgeInput) {
			in.Status.DataProviders = append(in.Status.DataProviders, fleet.DataProviderStatus{Probe: answered, Para: at(3_000_001, time.Second)})
		}}, fleet.BridgeHealthy, fleet.Healthy, "bridge.healthy", prbB, "", fleet.Failing},
		{"data provider indexes anew", []change{func(in *decide.BridgeInput) { in.Status.DataProviders[0].Para = at(12_000, time.Second) }}, fleet.BridgeStarved, fleet.Wait, "bridge.starved.behind", "dp/dp-1", fleet.Warning, fleet.Failing},
		{"no data provider in v0, and its node is dark", []change{nodeIs(fleet.NodeUnknown), func(in *decide.BridgeInput) {
			in.Status.Version, in.Status.DataProviders, in.DataProvider = "v0", nil, ""
			dark(m)(in.Node.Para)
		}}, fleet.BridgeStarved, fleet.Wait, "bridge.starved.node", nodeA, fleet.Info, fleet.Failing},
		{"data provider without a name in the configuration", []change{dpFrozen(6 * m), func(in *decide.BridgeInput) { in.DataProvider = "" }},
			fleet.BridgeStarved, fleet.Person, "bridge.starved", prbB, fleet.Critical, fleet.Failing},
		{"no data provider in v0: its node counts", []change{func(in *decide.BridgeInput) { in.Status.Version, in.Status.DataProviders = "v0", nil }}, fleet.BridgeHealthy, fleet.Healthy, "bridge.healthy", prbB, "", fleet.Failing},
	}
	texts := catalog(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in := healthyBridge(20)
			failed(h, refused)(&in.Status.Workers[3])
			for _, f := range tt.given {
				f(&in)
			}
			d, ws := decide.Bridge(in)
			if d.Condition != string(tt.condition) || d.Verdict != tt.verdict || d.Rule != tt.rule || d.Suspect != tt.suspect || d.Severity != tt.severity {
				t.Errorf("got %s, %s, %s, suspect %s, severity %q\n%+v", d.Condition, d.Verdict, d.Rule, d.Suspect, d.Severity, d)
			}
			if ws[3].Condition != string(tt.worker) {
				t.Errorf("the failed worker is %s", ws[3].Condition)
			}
			acts := 0
			for _, w := range append(ws, d) {
				sound(t, w)
				said(t, texts, w)
				if w.Verdict == fleet.Act {
					acts++
				}
			}
			if healthy := tt.condition == fleet.BridgeHealthy; healthy != (acts == 1) {
				t.Errorf("%d actions under a bridge that is %s", acts, tt.condition)
			}
		})
	}
}

func TestLowStakeIsNamedWhenTheLifecycleIsGone(t *testing.T) {
	in := healthyBridge(5)
	in.Status.Lifecycle = silentFor(3 * m)
	in.Status.Workers[2].StakeOK = false
	in.Status.Workers[4].Stake = fleet.NewAmount(999_999_999_999)
	in.Status.Workers[0].Stake, in.Status.Workers[0].Enabled = fleet.Amount{}, false
	d, _ := decide.Bridge(in)
	found := false
	for _, w := range d.Witnesses {
		found = found || (w.Code == "bridge.low_stake" && w.Args["names"] == "w-002, w-004")
	}
	if !found {
		t.Errorf("witnesses %v", d.Witnesses)
	}
}

// TestWorkerGuards has one worker that asks for a restart, and everything that may hold it back.
func TestWorkerGuards(t *testing.T) {
	target := fleet.WorkerRef("prb-b", "id-003")
	restart := func(ended time.Duration) fleet.Attempt { return tried(target, decide.ActionWorkerRestart, ended) }
	type change = func(*decide.BridgeInput)
	tests := []struct {
		name    string
		given   change
		verdict fleet.Verdict
		guards  string
		suspect fleet.Ref
	}{
		{"none", func(*decide.BridgeInput) {}, fleet.Act, "", target},
		{"node stalled", nodeIs(fleet.NodeStalled), fleet.Wait, "guard.node", nodeA},
		{"node syncing", nodeIs(fleet.NodeSyncing), fleet.Wait, "guard.node", nodeA},
		{"chain silent", nodeIs(fleet.NodeNetworkStalled), fleet.Wait, "guard.node", nodeA},
		{"network ended", nodeIs(fleet.NodeNetworkEnded), fleet.Wait, "guard.node", nodeA},
		{"node not judged yet", func(in *decide.BridgeInput) { in.Node = &fleet.NodeStatus{Ref: nodeA} }, fleet.Wait, "guard.node", nodeA},
		{"the decision counts, not the old condition", func(in *decide.BridgeInput) { in.Node.Condition = fleet.NodeDown; nodeIs(fleet.NodeHealthy)(in) }, fleet.Act, "", target},
		{"no node configured", func(in *decide.BridgeInput) { in.Node = nil }, fleet.Act, "", target},
		{"data provider frozen", dpFrozen(4 * m), fleet.Wait, "bridge.source_frozen", "dp/dp-1"},
		{"phalops blind", func(in *decide.BridgeInput) { in.Blind = true }, fleet.Wait, "guard.blind", fleet.Fleet},
		{"a plan runs on the node", func(in *decide.BridgeInput) { in.ParentTreated = new(fleet.Because("guard.treating")) }, fleet.Wait, "guard.treating", prbB},
		{"a plan runs on it", func(in *decide.BridgeInput) { in.Treating = map[fleet.Ref]bool{target: true} }, fleet.Wait, "guard.treating", target},
		{"an attempt runs on it", attempts(fleet.Attempt{Target: target, Kind: decide.ActionWorkerRestart, At: ago(m), Outcome: fleet.PlanRunning}), fleet.Wait, "guard.treating", target},
		{"somebody holds it", func(in *decide.BridgeInput) {
			in.Locked = map[fleet.Ref]fleet.Reason{target: fleet.Because("guard.maintenance")}
		}, fleet.Wait, "guard.maintenance", target},
		{"just restarted", attempts(restart(m)), fleet.Wait, "guard.just_restarted", target},
		{"its bridge was just restarted", attempts(tried(prbB, "bridge.restart", m)), fleet.Wait, "guard.just_restarted", target},
		{"its node was just restarted", attempts(tried(nodeA, decide.ActionNodeRestart, m)), fleet.Wait, "guard.just_restarted", target},
		{"backing off", attempts(restart(8 * m)), fleet.Wait, "guard.backoff", target},
		{"back-off over", attempts(restart(11 * m)), fleet.Act, "", target},
		{"back-off doubles", attempts(restart(40*m), restart(15*m)), fleet.Wait, "guard.backoff", target},
		{"budget used up", attempts(restart(5*h), restart(3*h), restart(h)), fleet.Person, "guard.budget guard.no_container_rung", target},
		{"budget used up, no container rung", func(in *decide.BridgeInput) {
			in.Policy.Ladder = []string{"restart", "alert"}
			in.Attempts = []fleet.Attempt{restart(5 * h), restart(3 * h), restart(h)}
		}, fleet.Person, "guard.budget", target},
		{"no restart on the ladder", func(in *decide.BridgeInput) { in.Policy.Ladder = []string{"alert"} }, fleet.Person, "guard.no_restart_rung", target},
		{"no budget at all", func(in *decide.BridgeInput) { in.Policy.WorkerBudget.AtMost = 0 }, fleet.Person, "guard.budget guard.no_container_rung", target},
		{"maintenance", func(in *decide.BridgeInput) { in.Policy.Maintenance = true }, fleet.Wait, "guard.maintenance", target},
		{"observe", func(in *decide.BridgeInput) { in.Policy.Mode = decide.ModeObserve }, fleet.WouldAct, "guard.observe", target},
		{"the bridge is at its cap", func(in *decide.BridgeInput) {
			in.Treating = map[fleet.Ref]bool{fleet.WorkerRef("prb-b", "id-007"): true, fleet.WorkerRef("prb-b", "id-008"): true}
		}, fleet.Wait, "guard.cap", target},
		{"another bridge's treatments cost no place", func(in *decide.BridgeInput) {
			in.Treating = map[fleet.Ref]bool{fleet.WorkerRef("prb-a", "id-007"): true, fleet.WorkerRef("prb-a", "id-008"): true}
		}, fleet.Act, "", target},
	}
	texts := catalog(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in := healthyBridge(20)
			failed(h, "null")(&in.Status.Workers[3])
			tt.given(&in)
			b, ws := decide.Bridge(in)
			d := ws[3]
			if d.Verdict != tt.verdict || guarded(d) != tt.guards || d.Suspect != tt.suspect {
				t.Errorf("got %s, guards %q, suspect %s\n%+v", d.Verdict, guarded(d), d.Suspect, d)
			}
			for _, x := range append(ws, b) {
				sound(t, x)
				said(t, texts, x)
			}
		})
	}
}

func acting(ws []fleet.Decision) []int {
	var out []int
	for i, d := range ws {
		if d.Verdict == fleet.Act || d.Verdict == fleet.WouldAct {
			out = append(out, i)
		}
	}
	return out
}

func TestCap(t *testing.T) {
	tests := []struct {
		workers, want int
		share         float64
		atOnce        int
	}{
		{1, 1, 0.1, 3},
		{10, 1, 0.1, 3},
		{11, 2, 0.1, 3},
		{20, 2, 0.1, 3},
		{30, 3, 0.1, 9},
		{100, 3, 0.1, 3},
		{100, 10, 0.1, 99},
		{100, 7, 0.07, 99}, // 7.000000000000001
		{50, 1, 0, 3},
		{50, 1, 0.1, 0},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprint(tt), func(t *testing.T) {
			in := healthyBridge(tt.workers)
			in.Policy.PerBridge, in.Policy.AtOnce = tt.share, tt.atOnce
			badWorkers(0, tt.workers, h, "null")(&in)
			_, ws := decide.Bridge(in)
			if got := len(acting(ws)); got != tt.want {
				t.Errorf("%d restarts at once, want %d", got, tt.want)
			}
		})
	}
}

func TestTheDearestComeFirstThenTheLongestBad(t *testing.T) {
	in := healthyBridge(30)
	for i, d := range []time.Duration{20 * m, 60 * m, 40 * m, 100 * m} {
		failed(d, "null")(&in.Status.Workers[i])
	}
	in.Status.Workers[2].Stake = fleet.PHA(5000)
	_, ws := decide.Bridge(in)
	if got := fmt.Sprint(acting(ws)); got != "[1 2 3]" {
		t.Errorf("chosen: %s; want the rich 2, then the longest bad 3 and 1", got)
	}
	if guarded(ws[0]) != "guard.cap" {
		t.Errorf("the fourth waits for %q", guarded(ws[0]))
	}
}

func TestSharedCause(t *testing.T) {
	type change = func(*decide.BridgeInput)
	tests := []struct {
		name    string
		given   []change
		rule    string // of the bridge
		verdict fleet.Verdict
		held    int // workers that wait for what they share
		acts    int
	}{
		{"five of twenty at once", []change{badWorkers(0, 5, m, "null")}, "bridge.shared_cause", fleet.Wait, 5, 0},
		{"four of twenty are a fifth", []change{badWorkers(0, 4, m, "null")}, "bridge.shared_cause", fleet.Wait, 4, 0},
		{"three of twenty are not", []change{badWorkers(0, 3, m, "null")}, "bridge.healthy", fleet.Healthy, 0, 0},
		{"not within one window", []change{badWorkers(0, 2, time.Hour, "null"), badWorkers(2, 4, 2*m, "null")}, "bridge.healthy", fleet.Healthy, 0, 2},
		{"the parent is fine and they stay bad: one by one, in waves", []change{badWorkers(0, 5, 4*m, "null")}, "bridge.healthy", fleet.Healthy, 0, 2},
		{"the bridge's parts are healthy only since a minute", []change{badWorkers(0, 5, 20*m, "null"), func(in *decide.BridgeInput) { in.Status.Since = ago(m) }},
			"bridge.shared_cause", fleet.Wait, 5, 0},
		{"the bridge was starved until now", []change{badWorkers(0, 5, 20*m, "null"), func(in *decide.BridgeInput) { in.Status.Condition = fleet.BridgeStarved }},
			"bridge.shared_cause", fleet.Wait, 5, 0},
		{"the node is healthy only since a minute", []change{badWorkers(0, 5, 20*m, "null"), func(in *decide.BridgeInput) { in.Node.Since = ago(m) }},
			"bridge.shared_cause", fleet.Wait, 5, 0},
		{"who failed again after a restart is no new symptom", []change{badWorkers(0, 5, m, "null"), func(in *decide.BridgeInput) {
			for i := range 2 {
				in.Attempts = append(in.Attempts, tried(in.Status.Workers[i].Ref, decide.ActionWorkerRestart, 5*m))
			}
		}}, "bridge.healthy", fleet.Healthy, 0, 0},
		{"disabled workers are not counted", []change{badWorkers(0, 5, m, "null"), func(in *decide.BridgeInput) {
			in.Status.Workers[0].Enabled, in.Status.Workers[1].Enabled = false, false
		}},
			"bridge.healthy", fleet.Healthy, 0, 0},
		{"all out of gas: one incident of the bridge", []change{badWorkers(0, 20, m, `"Error: 1010: Invalid Transaction: Inability to pay some fees"`)}, "bridge.shared_cause", fleet.Wait, 20, 0},
		{"one segment cannot be reached", []change{badWorkers(0, 6, 3*m, refused)}, "bridge.segment", fleet.Person, 6, 0},
		{"one segment, after ten minutes they are probed in waves", []change{badWorkers(0, 6, 11*m, refused)}, "bridge.healthy", fleet.Healthy, 0, 2},
		{"two segments cannot be reached", []change{badWorkers(0, 6, m, refused), func(in *decide.BridgeInput) { in.Status.Workers[4].Endpoint = "http://127.0.9.1:8000" }},
			"bridge.shared_cause", fleet.Wait, 6, 0},
		{"one IPv6 segment cannot be reached", []change{badWorkers(0, 6, m, refused), func(in *decide.BridgeInput) {
			for i := range 6 {
				in.Status.Workers[i].Endpoint = fmt.Sprintf("http://[fd00:1::%d]:8000", i)
			}
		}}, "bridge.segment", fleet.Person, 6, 0},
		{"endpoints by name tell no segment", []change{badWorkers(0, 6, m, refused), func(in *decide.BridgeInput) {
			for i := range 6 {
				in.Status.Workers[i].Endpoint = "http://w-001:8000"
			}
		}}, "bridge.shared_cause", fleet.Wait, 6, 0},
		{"an endpoint that is no address tells no segment", []change{badWorkers(0, 6, m, refused), func(in *decide.BridgeInput) { in.Status.Workers[2].Endpoint = "http://[::" }},
			"bridge.shared_cause", fleet.Wait, 6, 0},
		{"the data provider froze and everybody with it", []change{dpFrozen(6 * m), func(in *decide.BridgeInput) {
			for i := range in.Status.Workers {
				frozen(6 * m)(&in.Status.Workers[i])
			}
		}}, "bridge.starved", fleet.Person, 0, 0},
	}
	texts := catalog(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in := healthyBridge(20)
			for _, f := range tt.given {
				f(&in)
			}
			d, ws := decide.Bridge(in)
			held := 0
			for _, w := range ws {
				if guarded(w) == "guard.shared_cause" {
					held++
					if w.Suspect != prbB || w.Verdict != fleet.Wait {
						t.Errorf("%+v", w)
					}
				}
			}
			if d.Rule != tt.rule || d.Verdict != tt.verdict || held != tt.held || len(acting(ws)) != tt.acts {
				t.Errorf("bridge %s %s, %d held, %d act\n%+v", d.Rule, d.Verdict, held, len(acting(ws)), d)
			}
			for _, x := range append(ws, d) {
				sound(t, x)
				said(t, texts, x)
			}
		})
	}
}

// TestManyBadUnderASickNode: the data provider still has blocks to hand out, but the node is the suspect already.
func TestManyBadUnderASickNode(t *testing.T) {
	in := healthyBridge(20)
	badWorkers(0, 6, 20*m, "null")(&in)
	nodeIs(fleet.NodeLagging)(&in)
	d, ws := decide.Bridge(in)
	if d.Rule != "bridge.shared_cause" || d.Suspect != nodeA || ws[0].Suspect != nodeA || guarded(ws[0]) != "guard.node" {
		t.Errorf("%+v\n%+v", d, ws[0])
	}
}

func TestSegmentIsNamed(t *testing.T) {
	in := healthyBridge(20)
	badWorkers(0, 6, 3*m, refused)(&in)
	d, _ := decide.Bridge(in)
	if d.Reason.Args["prefix"] != "127.0.1.0/24" || d.Reason.Args["n"] != "6" || d.Reason.Args["total"] != "20" {
		t.Errorf("%v", d.Reason)
	}
}

// TestStarvedWorkersBlameTheirParent: a worker without blocks is not at fault, and the one who is stands in its decision.
func TestStarvedWorkersBlameTheirParent(t *testing.T) {
	for _, tt := range []struct {
		name    string
		given   func(*decide.BridgeInput)
		suspect fleet.Ref
	}{
		{"the data provider stands", dpFrozen(6 * m), "dp/dp-1"},
		{"its node stands", func(in *decide.BridgeInput) { dpFrozen(6 * m)(in); nodeIs(fleet.NodeStalled)(in) }, nodeA},
		{"the data provider is below the worker", func(in *decide.BridgeInput) { in.Status.DataProviders[0].Para = at(2_999_898, time.Second) }, "dp/dp-1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in := healthyBridge(20)
			frozen(6 * m)(&in.Status.Workers[3])
			frozen(11 * m)(&in.Status.Workers[4])
			inState("S_SYNCHING", h, "Synching block data...")(&in.Status.Workers[4])
			tt.given(&in)
			_, ws := decide.Bridge(in)
			for _, d := range ws[3:5] {
				if d.Rule != "v2.starved" || d.Verdict != fleet.Wait || d.Suspect != tt.suspect {
					t.Errorf("%+v", d)
				}
			}
		})
	}
}
