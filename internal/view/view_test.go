package view

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"phalops/internal/fleet"
)

var update = flag.Bool("update", false, "write the golden files anew")

var at = time.Date(2023, 3, 14, 3, 0, 0, 0, time.FixedZone("CST", 8*3600)) // shown as UTC

// words stands for the catalogue.
func words() Words { return func(r fleet.Reason) string { return "<" + r.Code + ">" } }

func probe() fleet.Probe {
	return fleet.Probe{At: at.Add(-time.Minute), Failed: at.Add(-30 * time.Second), Missed: 2, Cause: fleet.Because("wire.refused", "url", "http://127.0.0.1:9/")}
}

func grown(v int64) fleet.Height {
	return fleet.Height{Value: v, Known: true, MovedAt: at.Add(-2 * time.Minute)}
}

func decision() fleet.Decision {
	return fleet.Decision{
		Target: "node/node-1", At: at, Condition: "Stalled", Since: at.Add(-5 * time.Minute), Rule: "node.stalled", Suspect: "node/node-1", Verdict: fleet.Act,
		Action: "node.restart", Severity: fleet.Critical, Reason: fleet.Because("node.stalled", "height", 7), Guards: []fleet.Reason{fleet.Because("guard.holddown")},
		Witnesses: []fleet.Reason{fleet.Because("witness.moving", "who", "node-2")}, Cause: "gas", Candidates: []fleet.Candidate{candidate()}, NextLook: at.Add(time.Minute),
		Holds: []fleet.Hold{{Rule: "user.slow", When: "worker.lag > 5", Since: at.Add(-time.Minute), Due: at, Why: fleet.Because("rule.hands_off", "rule", "v2.cooling")}},
	}
}

func candidate() fleet.Candidate {
	return fleet.Candidate{Action: "restart", Cure: 0.8, Left: 90 * time.Minute, With: 5 * time.Minute, Gain: 1.13, Price: 0.05, Source: []string{"prior.wait"},
		Closed: new(fleet.Because("guard.holddown"))}
}

func node() fleet.NodeStatus {
	syncing := true
	para := fleet.ChainStatus{Probe: probe(), URL: "http://127.0.0.1:9944", Best: grown(10), Target: grown(12), Finalized: grown(8), Peers: 40, Syncing: &syncing, Chain: "Khala", Version: "0.1.0",
		PeersBest: grown(13), Genesis: "0xd43540ba", FromHost: fleet.HostView{At: at, Says: fleet.HostHangs}}
	return fleet.NodeStatus{
		Ref: fleet.NodeRef("node-1"), Site: "dc1", Para: &para, Relay: &fleet.ChainStatus{URL: "http://127.0.0.1:9945", Peers: -1},
		Container: &fleet.ContainerStatus{State: "running"}, Condition: fleet.NodeStalled, Since: at,
		Disk:   &fleet.DiskStatus{Probe: probe(), Path: "/opt/khala", Mount: "/opt", Free: 8 << 30, Total: 2000 << 30},
		Log:    &fleet.LogStatus{Probe: probe(), Signs: []fleet.LogSign{{Sign: fleet.SignNoSpace, Line: "No space left on device"}}},
		Caches: []fleet.HeadersCacheStatus{{Probe: probe(), Name: "hc-1", URL: "http://127.0.0.1:22111", Header: grown(9), ParaHeader: grown(8)}},
	}
}

func worker() fleet.WorkerStatus {
	return fleet.WorkerStatus{
		Probe: probe(), Ref: fleet.WorkerRef("prb-a", "u-1"), ID: "u-1", Name: "w-01", PID: 83, Endpoint: "http://127.0.0.1:8000", Stake: fleet.PHA(18446745), StakeOK: true,
		Enabled: true, SyncOnly: true, Running: true, State: "S_ACTIVE", Message: "Now the worker should be active.", MessageAt: at, PublicKey: "ab",
		Relay: grown(20), Para: grown(10), Session: "WorkerIdle", V: "1.5", Ve: "1.4", PInstant: 2000, Condition: fleet.Working, Since: at,
	}
}

func bridge() fleet.BridgeStatus {
	return fleet.BridgeStatus{
		Ref: fleet.BridgeRef("prb-a"), Site: "dc1", Version: "v2", Monitor: probe(), Lifecycle: fleet.Probe{At: at}, LifecyclePeer: "QmLifecycle",
		DataProviders: []fleet.DataProviderStatus{{Probe: probe(), PeerID: "QmDp", Hostname: "dp-1", Status: "S_IDLE", Para: grown(10), Parent: grown(20)}},
		Workers:       []fleet.WorkerStatus{worker(), {}}, Condition: fleet.BridgeHealthy, Since: at,
	}
}

func incident() fleet.Incident {
	return fleet.Incident{
		ID: "04097d2a7ac0", Target: "node/node-1", Title: "node-1", Site: "dc1", Code: "Stalled", Severity: fleet.Critical, Reason: decision().Reason, Opened: at,
		Acted: at, WouldAct: at, Raised: at, Told: at, Closed: at, Children: []fleet.Ref{"bridge/prb-a"}, Decision: decision(),
	}
}

func event() fleet.Event {
	d := decision()
	return fleet.Event{Seq: 7, At: at, Kind: fleet.EventDecision, Author: "rule:node.stalled", Target: d.Target, Incident: "04097d2a7ac0", Plan: "p-1", Reason: d.Reason, Decision: &d}
}

func plan() fleet.Plan {
	return fleet.Plan{
		ID: "p-1", Kind: "node.restart", Site: "dc1", State: fleet.PlanDone, Targets: []fleet.Ref{"node/node-1"}, Locks: []fleet.Ref{"node/node-1", "bridge/prb-a"},
		Author: "user:ada", Reason: fleet.Because("cli.asked", "user", "ada"), Note: fleet.Because("act.plan_done"), Incident: "04097d2a7ac0", Created: at, Ended: at,
		Steps: []fleet.Step{{Seq: 0, Name: "stop", State: fleet.StepDone, Label: fleet.Because("remedy.step_stop"), Result: fleet.Because("remedy.stopped"),
			Class: fleet.ClassReversible, Restoring: true, Attempt: 1, Began: at, Ended: at}},
	}
}

// shapes are every shape twice: with everything that it can say, and with as little as it can say.
func shapes() map[string]any {
	w := words()
	full := Status{
		At: at.UTC(), Live: true, Daemon: "daemon@host-1", Nodes: []Node{w.Node(node(), decision())}, Bridges: []Bridge{w.Bridge(bridge(), decision())},
		Maintenance: []Maintenance{Opened(fleet.Maintenance{ID: "m-1", Sites: []string{"dc1"}, Began: at, Ends: at.Add(time.Hour), Author: "user:ada", Why: "rack"}, at)},
		Networks:    []Network{w.Network(chainView(), decision())}, Incidents: []Incident{w.Incident(incident(), nil)}, Plans: []Plan{w.Plan(plan())},
	}
	state := ChainState{Height: 2700000, Hash: "0x2abe", Spec: "khala", SpecVersion: 1250}
	phalaState := PhalaState{state, "v2", "2023-06-06T11:16:12Z", 15800000}
	return map[string]any{
		"node": w.Node(node(), decision()), "node_bare": w.Node(fleet.NodeStatus{}, fleet.Decision{}),
		"bridge": w.Bridge(bridge(), decision()), "bridge_bare": w.Bridge(fleet.BridgeStatus{}, fleet.Decision{}),
		"worker": w.Worker("dc1", worker(), decision()), "worker_bare": w.Worker("", fleet.WorkerStatus{}, fleet.Decision{}),
		"incident": w.Incident(incident(), []fleet.Event{event()}), "incident_bare": w.Incident(fleet.Incident{}, nil),
		"event": w.Event(event()), "event_bare": w.Event(fleet.Event{}),
		"chain_storage":   ChainStorage{state, "System", "Account", "AccountInfo", []ChainEntry{{"0x26aa", json.RawMessage(`["42DnB4uneK6bURXJeXgMdWYyUah9tSaviM2ijedZXxsPTQWY"]`), true, json.RawMessage(`{"free":"1000000000000"}`)}}},
		"chain_constants": ChainConstants{state, []ChainConstant{{"System", "SS58Prefix", "u16", json.RawMessage("30"), "The network."}}},
		"chain_metadata":  ChainMetadata{state, 30, []ChainPallet{{"System", 0, []ChainItem{{"Account", []ChainKey{{"AccountId32", "Blake2_128Concat"}}, "AccountInfo", true, "Accounts."}}, []string{"SS58Prefix"}, []string{"remark"}}}},
		"phala_totals":    PhalaTotals{phalaState, map[string]any{"sessions": 3590, "stake": "20468759.17"}, []PhalaCheck{{"bindings", 3551, 1, []string{"0x7370"}}}},
		"phala_workers":   PhalaWorkers{phalaState, []PhalaWorker{phalaWorker()}}, "phala_worker": phalaWorker(),
		"phala_pools": PhalaPools{phalaState, []PhalaPool{phalaPool()}}, "phala_pool": phalaPool(),
		"phala_stakers": PhalaStakers{phalaState, []PhalaStaker{phalaStaker()}}, "phala_staker": phalaStaker(),
		"estimate": Estimate{"phala-2023", []EstimateLine{{"ve", "19570.00", "f·(S + C)"}}, []string{"too much"}},
		"network":  w.Network(chainView(), decision()), "network_bare": w.Network(fleet.ChainView{}, fleet.Decision{}),
		"worker_chain":    *w.WorkerChain(new(chainView()), &chainView().Workers[0], []fleet.Reason{fleet.Because("chain.differ.state", "word", "S_ACTIVE")}),
		"stake_pool":      w.StakePool("khala", 83, &chainView().Pools[0], []fleet.Pool{{Name: "p", Enabled: true, SyncOnly: true, Operator: "43ts", Workers: 2, BridgeRef: "bridge/prb-a"}}, decision()),
		"stake_pool_bare": w.StakePool("khala", 83, nil, nil, fleet.Decision{}),
		"plan":            w.Plan(plan()), "plan_bare": w.Plan(fleet.Plan{Counts: map[fleet.StepState]int{fleet.StepDone: 3}}),
		"status": full,
	}
}

func chainView() fleet.ChainView {
	limit, no := fleet.PHA(20_000), false
	return fleet.ChainView{
		Probe: fleet.Probe{At: at, Missed: 1, Cause: fleet.Because("wire.refused", "url", "http://127.0.0.1:9944")}, Ref: fleet.NetworkRef("khala"), Source: "http://127.0.0.1:9944",
		Era: "v2", Height: 2700000, Hash: "0x2abe", Time: at, Spec: 1250, Whole: true, Upgrade: &fleet.RuntimeUpgrade{Hash: "0xc0de", From: 15_800_000, At: "pending"},
		Totals: fleet.ChainTotals{
			Sessions: map[string]int{"Working": 2622}, Online: 3034, Workers: 3624, Pools: 200, Stake: fleet.PHA(20), Value: fleet.PHA(23), Free: fleet.PHA(3),
			Reward: fleet.PHA(799), Ve: "19.5", V: "21.6", Daily: fleet.PHA(81), DailyFor: 24 * time.Hour,
		},
		Pools: []fleet.ChainPool{{
			PID: 83, Kind: "StakePool", Owner: "45R2", OwnerGas: fleet.PHA(5), Operators: []fleet.GasAccount{{Address: "43ts", Free: fleet.PHA(2), Proxy: &no}},
			Commission: 355_000, Cap: &limit, Value: fleet.PHA(25_000), Free: fleet.PHA(3_000), Used: fleet.PHA(22_000), Releasing: fleet.PHA(1_000),
			OwnerReward: fleet.PHA(7), Reward: fleet.PHA(900), Daily: fleet.PHA(106), DailyFor: 6 * time.Hour, Workers: map[string]int{"Working": 1},
			Queue:  []fleet.ChainQueued{{User: "41GU", Amount: fleet.PHA(4_000), Start: at, Ends: at.Add(7 * 24 * time.Hour)}},
			Queued: fleet.PHA(4_000), Due: true, DueAt: at,
		}},
		Workers: []fleet.ChainWorker{{
			Key: "be21", Registered: true, Operator: "45R2", Confidence: 2, Score: 1842, PID: 83, Pool: true, State: "Working", Stake: fleet.PHA(11_000), V: "21686.98",
			Ve: "19569.97", PInit: 1842, PInstant: 1577, ChallengedAt: at, CoolingSince: at, StateSince: at, Reward: fleet.PHA(853), Daily: fleet.PHA(53), DailyFor: 6 * time.Hour,
		}},
	}
}

func phalaWorker() PhalaWorker {
	pool, daily, moment := uint64(7), "53.01", "2023-06-06T11:16:12Z"
	return PhalaWorker{
		Worker: "0xbe21", Account: "43E9", Pool: &pool, Bound: true, State: "Idle", ChainState: "WorkerIdle", V: "21686.98", Ve: "19569.97", PInit: 1842, PInstant: 1577,
		Iterations: 9, Stake: "11000", Reward: "853.4", Daily: &daily, Cores: 8, CPULevel: 2, Confidence: 2, Score: 1842, Operator: "45R2", Added: moment, Challenged: moment,
		VUpdated: moment, Cooling: moment, Registered: moment,
	}
}

func phalaPool() PhalaPool {
	limit, room, moment := "10", "-1.5", "2023-06-06T11:16:12Z"
	return PhalaPool{
		Pool: 7, Kind: "StakePool", Owner: "45R2", OwnerGas: "1", Commission: "35.5000", Value: "11.5", Shares: "11", Free: "1", Used: "10.5", Releasing: "2", Cap: &limit,
		Remaining: &room, OwnerReward: "3", Claimable: "4", PerShare: "5", SharePrice: "1.04545454", Workers: 1,
		States: map[string]int{"Working": 1}, V: "6", Ve: "5.5", PInit: 1842, PInstant: 1577, Reward: "7", RewardShare: &limit, Daily: &limit, DailyShare: &limit,
		Queued: "8", Locked: true, ForceStop: true, ForceStopAt: moment, Invests: []uint64{9}, Queue: []PhalaWithdrawal{{"45R2", "7", "8", moment, moment}},
	}
}

func phalaStaker() PhalaStaker {
	shares := "10"
	return PhalaStaker{
		Pool: 7, Kind: "StakePool", Staker: "45R2", Shares: &shares, Value: &shares, Part: &shares, Queued: "1", Locked: "2", Available: "3", Pending: "4", Debt: "5",
		Claimable: "6",
	}
}

// TestShapes holds the JSON that people's programs read against golden files: a field that changes its name, its type or its
// meaning breaks somebody's script.
func TestShapes(t *testing.T) {
	for name, shape := range shapes() {
		got, err := json.MarshalIndent(shape, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, '\n')
		path := filepath.Join("testdata", name+".json")
		if *update {
			if err := os.MkdirAll("testdata", 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, got, 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), string(got)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", path, diff)
		}
	}
}

// TestEverythingIsShown: the full shapes leave no field empty, so that no field escapes its golden file.
func TestEverythingIsShown(t *testing.T) {
	filledElsewhere := []string{"Plan.Steps", "Incident.Events"} // only where one of them is shown
	for name, shape := range shapes() {
		if strings.HasSuffix(name, "_bare") {
			continue
		}
		v := reflect.ValueOf(shape)
		for i := range v.NumField() {
			field := v.Type().Name() + "." + v.Type().Field(i).Name
			if v.Field(i).IsZero() && !slices.Contains(filledElsewhere, field) {
				t.Errorf("%s: the sample has no %s", name, field)
			}
		}
	}
}

// TestNamesAndTimes: every name is snake_case and every time is UTC, whatever zone it came from.
func TestNamesAndTimes(t *testing.T) {
	for name, shape := range shapes() {
		b, err := json.Marshal(shape)
		if err != nil {
			t.Fatal(err)
		}
		var plain any
		if err := json.Unmarshal(b, &plain); err != nil {
			t.Fatal(err)
		}
		walk(plain, func(key, value string) {
			if strings.Trim(key, "abcdefghijklmnopqrstuvwxyz_") != "" && !slices.Contains([]string{"Working", "Unknown"}, key) {
				t.Errorf("%s: key %q", name, key)
			}
			if strings.Contains(value, "+08:00") {
				t.Errorf("%s: %s is %s, want UTC", name, key, value)
			}
		})
	}
}

func walk(v any, see func(key, value string)) {
	switch v := v.(type) {
	case map[string]any:
		for k, x := range v {
			s, _ := x.(string)
			see(k, s)
			walk(x, see)
		}
	case []any:
		for _, x := range v {
			walk(x, see)
		}
	}
}
