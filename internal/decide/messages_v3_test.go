package decide_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"phalops/internal/decide"
	"phalops/internal/fleet"
)

// rpcRefused is how prb-wm quotes its HTTP client.
const rpcRefused = "error sending request for url (http://127.0.1.4:8000//prpc/PhactoryAPI.GetInfo): error trying to connect: tcp connect error: Connection refused (os error 111)"

// TestV3Messages has every state and message of prb-wm, v3.2's and v3.0's, that the reference knows.
func TestV3Messages(t *testing.T) {
	behind := heights(2_000_000, 5*time.Second)
	onItsWay := func(d time.Duration) workerChange { // was seen at the tip so long ago
		return func(w *fleet.WorkerStatus) { w.Condition, w.Since = fleet.Starting, ago(d) }
	}
	ready := func(d time.Duration) workerChange {
		return func(w *fleet.WorkerStatus) { w.Session, w.SessionSince = "Ready", ago(d) }
	}
	marked := func(d time.Duration) workerChange {
		return func(w *fleet.WorkerStatus) { w.Session, w.SessionSince = "WorkerUnresponsive", ago(d) }
	}
	gatekeeper := func(w *fleet.WorkerStatus) { w.Gatekeeper, w.Session = true, "" }
	poolless := func(w *fleet.WorkerStatus) { w.PID = 0 }
	seen := func(d time.Duration) workerChange { return func(w *fleet.WorkerStatus) { w.MessageSeen = ago(d) } }

	rows := []stateRow{
		// Starting.
		{"Starting", "", m, all(noHeights), "Starting wait v3.starting worker.starting"},
		{"Starting", "", 11 * m, all(noHeights), "Starting act v3.starting.stuck worker.starting_stuck"},
		{"Starting", "Starting lifecycle...", m, all(noHeights), "Starting wait v3.starting worker.starting"},
		{"Starting", "InitRuntime Starting...", m, all(noHeights), "Starting wait v3.starting worker.starting"},
		{"Starting", "Initializing pRuntime...", m, all(noHeights), "Starting wait v3.starting worker.starting"},
		{"Starting", "InitRuntime Completed.", 11 * m, all(noHeights), "Starting act v3.starting.stuck worker.starting_stuck"},
		{"Starting", "Initialized pRuntime.", 11 * m, all(noHeights), "Starting act v3.starting.stuck worker.starting_stuck"},
		{"Starting", "LoadChainState Starting...", 31 * m, all(noHeights), "Starting wait v3.starting worker.starting"},
		{"Starting", "LoadChainState Starting...", 61 * m, all(noHeights), "Starting act v3.starting.stuck worker.starting_stuck"},
		{"Starting", "LoadChainState Completed.", 61 * m, all(noHeights, seen(m)), "Starting wait v3.starting worker.starting"},
		{"Starting", "LoadChainState Starting...", 121 * m, all(noHeights, seen(50*m)), "Starting act v3.starting.stuck worker.starting_stuck"},
		{"Starting", "Trying to load chain state...", 31 * m, all(noHeights), "Starting wait v3.starting worker.starting"},
		{"Starting", "LoadChainState Completed.", 2 * m, nil, "Starting wait v3.starting worker.starting"},
		{"Starting", "Loaded chain state!", 2 * m, nil, "Starting wait v3.starting worker.starting"},

		// Synchronizing, behind the tip: only counters tell.
		{"Synchronizing", "Start Synchronizing...", 3 * h, all(behind), "Syncing handsoff v3.syncing worker.syncing"},
		{"Synchronizing", "Now start synchronizing!", 3 * h, all(behind), "Syncing handsoff v3.syncing worker.syncing"},
		{"Synchronizing", "Recovered from RpcError. Previously had error 7 times.", 3 * h, all(behind), "Syncing handsoff v3.syncing worker.syncing"},
		{"Synchronizing", "pRuntime returned an error: RCU in progress, please try the request again later", 3 * h, all(behind), "Syncing handsoff v3.syncing worker.syncing"},
		{"Synchronizing", "Start Synchronizing...", 3 * h, all(behind, marked(h)), "Syncing handsoff v3.syncing worker.syncing"},
		{"Synchronizing", "Start Synchronizing...", 2 * m, all(heights(-1, 2*m)), "Syncing handsoff v3.syncing worker.syncing"},
		// The third dead end: a sync call was lost.
		{"Synchronizing", "Start Synchronizing...", 3 * h, all(heights(2_000_000, 9*m)), "Syncing handsoff v3.syncing worker.syncing"},
		{"Synchronizing", "Start Synchronizing...", 3 * h, all(heights(2_000_000, 11*m)), "Unresponsive act v3.syncing.frozen worker.syncing_frozen"},
		{"Synchronizing", "Start Synchronizing...", 11 * m, all(heights(-1, 11*m)), "Unresponsive act v3.syncing.frozen worker.syncing_frozen"},
		{"Synchronizing", "Start Synchronizing...", 3 * h, all(heights(2_999_995, 11*m)), "Unresponsive wait v3.starved worker.starved"}, // a group that is not whole
		{"Synchronizing", "Requesting TakeCheckpoint...", 3 * h, all(heights(2_000_000, 11*m), seen(9*m)), "Syncing handsoff v3.checkpoint worker.checkpoint"},
		{"Synchronizing", "Requesting TakeCheckpoint...", 3 * h, all(heights(2_000_000, 11*m), seen(11*m)), "Unresponsive act v3.syncing.frozen worker.syncing_frozen"},
		{"Synchronizing", "Checkpoint saved to #2000000.", 3 * h, all(behind), "Syncing handsoff v3.syncing worker.syncing"},

		// Synchronizing at the tip is every stage on chain; since when, only we remember.
		{"Synchronizing", "Start Synchronizing...", 30 * h, nil, "Starting wait v3.step.stage worker.v3.stage"},
		{"Synchronizing", "Start Synchronizing...", 30 * h, all(onItsWay(59 * m)), "Starting wait v3.step.stage worker.v3.stage"},
		{"Synchronizing", "Start Synchronizing...", 30 * h, all(onItsWay(61 * m)), "Starting person v3.step.stage worker.v3.stage"},
		{"Synchronizing", "Register Starting...", 30 * h, all(onItsWay(31 * m)), "Starting person v3.step.registering worker.step.registering"},
		{"Synchronizing", "Worker Register Completed.", 30 * h, all(onItsWay(31 * m)), "Starting wait v3.step.benchmark worker.step.benchmark"},
		{"Synchronizing", "Worker Register Completed.", 30 * h, all(onItsWay(61 * m)), "Starting person v3.step.benchmark worker.step.benchmark"},
		{"Synchronizing", "Requesting ForceRegister...", 30 * h, all(onItsWay(5 * m)), "Starting wait v3.step.attestation worker.step.attestation"},
		{"Synchronizing", "Recovered from RpcError. Previously had error 7 times.", 30 * h, all(onItsWay(5 * m)), "Starting wait v3.step.stage worker.v3.stage"},
		{"Synchronizing", "Sync offchain message met error, will retry. Tx timed out!", 30 * h, all(onItsWay(5 * m)), "Starting wait v3.step.egress worker.step.queue"},
		{"Synchronizing", "What nobody knows", 30 * h, all(onItsWay(5 * m)), "Starting wait v3.step.other worker.step.other"},

		// Preparing: it was at the tip when it started.
		{"Preparing", "Start Preparing...", 5 * m, nil, "Starting wait v3.step.stage worker.v3.stage"},
		{"Preparing", "Start Preparing...", 61 * m, nil, "Starting person v3.step.stage worker.v3.stage"},
		{"Preparing", "Reached latest finalized height, start preparing...", 5 * m, nil, "Starting wait v3.step.stage worker.v3.stage"},
		{"Preparing", "Register Starting...", 5 * m, nil, "Starting wait v3.step.registering worker.step.registering"},
		{"Preparing", "Registering worker...", 31 * m, nil, "Starting person v3.step.registering worker.step.registering"},
		{"Preparing", "Register done.", 5 * m, nil, "Starting wait v3.step.adding worker.step.adding"},
		{"Preparing", "Waiting for benchmark...", 31 * m, nil, "Starting wait v3.step.benchmark worker.step.benchmark"},
		{"Preparing", "Got valid benchmark score!", 5 * m, nil, "Starting wait v3.step.adding worker.step.adding"},
		{"Preparing", "Enabling worker in stakepool pallet...", 31 * m, nil, "Starting person v3.step.adding worker.step.adding"},
		{"Preparing", "Waiting for session info to update...", 61 * m, nil, "Starting person v3.step.ready worker.step.ready"},
		{"Preparing", "Starting computing...", 31 * m, nil, "Starting person v3.step.starting worker.step.starting"},
		{"Preparing", "Start Preparing...", 3 * h, all(frozen(11 * m)), "Unresponsive act v3.syncing.frozen worker.syncing_frozen"},

		// Sync-only, by itself, by its pool, or for want of a pool.
		{"Synchronizing", "Start Synchronizing...", 900 * h, all(syncOnly), "Syncing handsoff v3.sync_only worker.v3.sync_only"},
		{"Preparing", "Start Preparing...", 900 * h, all(syncOnly), "Syncing handsoff v3.sync_only worker.v3.sync_only"},
		{"Preparing", "Sync only mode enabled for pool #83", 900 * h, nil, "Syncing handsoff v3.sync_only worker.v3.sync_only"},
		{"Synchronizing", "Start Synchronizing...", 900 * h, all(poolless), "Syncing handsoff v3.sync_only.no_pool worker.v3.no_pool"},
		{"Synchronizing", "Start Synchronizing...", 900 * h, all(syncOnly, frozen(11*m)), "Unresponsive person v3.syncing.frozen worker.syncing_frozen"},

		// Working: never withdrawn.
		{"Working", "Computing Now!", h, nil, "Working healthy v3.active -"},
		{"Working", "Working now.", h, nil, "Working healthy v3.active -"},
		{"GatekeeperWorking", "Gatekeeper mode detected, skipping stakepool operations.", h, all(gatekeeper), "Working healthy v3.active -"},
		{"Working", "Computing Now!", h, all(gatekeeper), "Working healthy v3.active -"},
		{"Working", "Computing Now!", h, all(gatekeeper, ready(h)), "Working healthy v3.active -"},
		{"Working", "Computing Now!", 5 * m, all(frozen(6 * m)), "Syncing handsoff v3.active.catching_up worker.catching_up"}, // it began just now
		{"Working", "Computing Now!", h, all(frozen(6 * m)), "Unresponsive act v3.active.frozen worker.frozen_v3"},
		{"GatekeeperWorking", "Working now.", h, all(gatekeeper, frozen(6*m)), "Unresponsive act v3.active.frozen worker.frozen_v3"},
		{"Working", "pRuntime returned an error: EmptyRequest", h, all(frozen(6 * m)), "Unresponsive act v3.active.frozen worker.frozen_v3"},
		{"Working", "pRuntime returned an error: RCU in progress, please try the request again later", h, nil, "Working healthy v3.active -"},
		{"Working", "Recovered from RpcError. Previously had error 7 times.", h, all(frozen(6 * m)), "Unresponsive act v3.active.frozen worker.frozen_v3"},
		{"Working", "Recovered from RpcError. Previously had error 7 times.", h, all(frozen(4 * m)), "Unresponsive act v3.active.frozen worker.frozen_v3"},
		{"Working", "Recovered from RpcError. Previously had error 7 times.", h, all(frozen(2 * m)), "Syncing handsoff v3.active.catching_up worker.catching_up"},
		{"Working", "Recovered from RpcError. Previously had error 7 times.", 2 * m, all(frozen(h)), "Syncing handsoff v3.active.catching_up worker.catching_up"},
		{"Synchronizing", "Recovered from RpcError. Previously had error 7 times.", h, all(heights(2_000_000, 4*m)), "Unresponsive act v3.syncing.frozen worker.syncing_frozen"},
		{"Working", "Recovered from RpcError. Previously had error 7 times.", h, nil, "Working healthy v3.active -"},
		{"Working", "Computing Now!", h, all(heights(2_999_995, 6*m)), "Unresponsive wait v3.starved worker.starved"},
		{"Working", "Computing Now!", h, all(noHeights), "Unknown wait v3.active.no_height worker.no_height"},
		{"Working", "Computing Now!", h, all(marked(10 * m)), "Working wait v3.active.recovering worker.recovering"},
		{"Working", "Computing Now!", 3 * h, all(marked(2 * h)), "Working person v3.active.unheard worker.unheard"},
		{"Working", "Worker unresponsive!", 2 * h, all(session("WorkerUnresponsive")), "Working person v3.active.unheard worker.unheard"},
		{"Working", "Computing Now!", h, all(marked(h), frozen(6*m)), "Unresponsive act v3.active.unresponsive worker.frozen_unresponsive"},
		{"Working", "Computing Now!", h, all(ready(10 * m)), "Working healthy v3.active -"},
		{"Working", "Computing Now!", h, all(ready(31 * m)), "Working person v3.active.not_computing worker.not_computing"},
		{"Working", "Sync offchain message met error, will retry. Tx timed out!", h, nil, "Working healthy v3.active.egress_leftover worker.egress_leftover"},
		{"Working", "Requesting ForceRegister...", h, nil, "Working healthy v3.active -"},
		{"Working", "Requesting UpdateEndpoint...", h, nil, "Working healthy v3.active -"},
		{"Working", "Updated endpoints.", h, nil, "Working healthy v3.active -"},
		{"Working", "ShouldUpdateEndpoint failed. Tx timed out!", h, nil, "Working healthy v3.active -"},
		{"Working", "Requesting TakeCheckpoint...", m, nil, "Working healthy v3.active -"},
		{"Working", "Requesting TakeCheckpoint...", 8 * m, all(frozen(8 * m)), "Working handsoff v3.checkpoint worker.checkpoint"},
		{"Working", "Requesting TakeCheckpoint...", 12 * m, all(frozen(12 * m)), "Unresponsive act v3.active.frozen worker.frozen_v3"},
		{"Working", "Checkpoint saved to #2999998.", h, nil, "Working healthy v3.active -"},

		// Cooling down: v3.2 goes on saying Working.
		{"Working", "Computing Now!", h, all(session("WorkerCoolingDown"), frozen(h)), "CoolingDown handsoff v3.cooling worker.cooling_v3"},
		{"Working", "Worker is cooling down!", h, all(session("WorkerCoolingDown")), "CoolingDown handsoff v3.cooling worker.cooling_v3"},
		{"Working", "Worker is cooling down!", h, all(session("")), "CoolingDown handsoff v3.cooling worker.cooling_v3"},
		{"HasError", "Need Restart Manually! Worker Info is not matching prb internal status.", h, all(session("WorkerCoolingDown")), "CoolingDown handsoff v3.cooling worker.cooling_v3"},

		// On the way from one life to the next.
		{"Restarting", "Restarting, need to wait about 20 seconds", 20 * time.Second, nil, "Starting wait v3.restarting worker.v3.restarting"},
		{"Restarting", "Restarting due to switching Enabled|Disabled, SyncOnly|Compute, need to wait about 20 seconds", 20 * time.Second, nil, "Starting wait v3.restarting worker.v3.restarting"},
		{"Restarting", "Restarting, need to wait about 20 seconds", 6 * m, nil, "Failed person v3.restarting worker.v3.restarting"},
		{"Disabled", "", h, all(disabled), "Disabled handsoff v3.disabled worker.disabled"},
		{"Disabled", "Worker not enabled!", h, all(disabled), "Disabled handsoff v3.disabled worker.disabled"},
		{"Disabled", "", m, nil, "Starting wait v3.disabled.still worker.v3.disabled"},
		{"Disabled", "", 11 * m, nil, "Failed person v3.disabled.still worker.v3.disabled"},
		{"Working", "", m, all(contextless), "Starting wait v3.no_context worker.no_context_v3"},
		{"Working", "", 11 * m, all(contextless), "Failed person v3.no_context worker.no_context_v3"},
		{"", "", 31 * m, nil, "Unknown wait v3.unknown_state worker.unknown_state"},
		{"Stopped", "Stopped in state: Working", h, nil, "Unknown wait v3.unknown_state worker.unknown_state"},
		{"S_ERROR", "null", h, nil, "Unknown wait v3.unknown_state worker.unknown_state"},

		// An error that outlives its cause.
		{"HasError", "Failed to start computing. Tx timed out!", h, nil, "Working healthy v3.error.leftover worker.v3.leftover"},
		{"HasError", "Failed to start computing. Tx timed out!", 30 * time.Second, nil, "Failed wait v3.error.tx.timeout worker.v3.tx_timeout"},
		{"HasError", "Failed to start computing. Tx timed out!", h, all(ready(h)), "Failed act v3.error.tx.timeout worker.v3.tx_timeout"},
		{"HasError", "Fail to generate_sync_request for 7 times. Retrying... Last Error: Header #7 not found", h, all(behind, session("")), "Syncing handsoff v3.error.no_data.over worker.v3.no_data_over"},
	}
	checkStates(t, gens["v3"], rows)
}

func TestV3Errors(t *testing.T) {
	outer := func(s string) string { return "pRuntime returned an error: " + s }
	added := func(s string) string { return "Failed to add_worker_to_pool. " + s }
	rows := slices.Concat(dispatchErrors(added), wrapped(nodeRefusals, added), wrapped(pruntimeAnswers, outer), []errorRow{
		// The first dead end: the first GetInfo failed.
		{outer(rpcRefused), 2 * m, "act gen.error.late worker.v3.late"},
		{outer("error sending request for url (http://127.0.1.4:8000//prpc/PhactoryAPI.GetInfo): operation timed out"), 2 * m, "act gen.error.late worker.v3.late"},
		{outer("something that nobody knows"), 2 * m, "act gen.error.late worker.v3.late"},
		{outer("dns error: failed to lookup address information: Name or service not known"), 0, "person gen.error.name worker.error.name"},
		// The second: it was restarted, or somebody else feeds it.
		{"Need Restart Manually! Worker Info is not matching prb internal status.", m, "act gen.error.counters worker.v3.counters"},
		// What passes by itself, and what no restart mends.
		{"Continously received 41 RpcError from pRuntime. Last one: " + rpcRefused, 15 * m, "person gen.error.rpc worker.v3.rpc"},
		{"Continously received 3 RpcError from pRuntime. Last one: BlockNumberMismatch", 15 * m, "person gen.error.rpc worker.v3.rpc"},
		{"Fail to generate_sync_request for 3 times. Retrying... Last Error: State already discarded", 10 * m, "person gen.error.no_data worker.v3.no_data"},
		{"Fail to generate_sync_request for 900 times. Retrying... Last Error: There is no valid substrate data source", 10 * m, "person gen.error.no_data worker.v3.no_data"},
		{"Supported attestation methods does not include epid or dcap.", 0, "person gen.error.provider worker.error.provider"},
		{"No valid non-pruned parachain connection.", 0, "person gen.error.pruned worker.v3.pruned"},
		// Registration, pool and start: each is submitted once.
		{"Failed to register: worker has no attestation", 10 * m, "act gen.error.attestation worker.v3.attestation"},
		{"Failed to get collateral: https://pccs.example/sgx/certification/v4/: 503", 10 * m, "act gen.error.attestation worker.v3.attestation"},
		{"Failed to register: Tx timed out!", 5 * m, "act gen.error.tx.timeout worker.v3.tx_timeout"},
		{"Failed to register: x", 5 * m, "act gen.error.register worker.v3.tx_failed"},
		{added("Invalid pool operator"), 0, "person gen.error.tx.operator worker.error.operator"},
		{added("Operator of pool #83 not set"), 5 * m, "act gen.error.add worker.v3.tx_failed"},
		{added("There is no valid substrate data source"), 5 * m, "act gen.error.tx.source worker.v3.tx_source"},
		{added("Unknown data mismatch, this is a bug."), 2 * m, "act gen.error.tx.odd worker.v3.tx_odd"},
		{added("ProxyExecuted event not found!"), 2 * m, "act gen.error.tx.odd worker.v3.tx_odd"},
		{added("BatchCompletedWithErrors event not found!"), 2 * m, "act gen.error.tx.odd worker.v3.tx_odd"},
		{added("ItemCompleted or ItemFailed events incomplete!"), 2 * m, "act gen.error.tx.odd worker.v3.tx_odd"},
		{added("NotAModuleError: BadOrigin"), 5 * m, "act gen.error.tx.module worker.v3.tx_failed"},
		{added("Missing field endpoint_payload"), 2 * m, "act gen.error.tx.odd worker.v3.tx_odd"},
		{added("Missing field signature"), 2 * m, "act gen.error.tx.odd worker.v3.tx_odd"},
		{"Failed to start computing. invalid digit found in string", 0, "person gen.error.stake_text worker.v3.stake_text"},
		{"Failed to start computing. cannot parse integer from empty string", 0, "person gen.error.stake_text worker.v3.stake_text"},
		{"Failed to start computing. number too large to fit in target type", 0, "person gen.error.stake_text worker.v3.stake_text"},
		{"Failed to start computing. PhalaStakePoolv2::InsufficientFreeStake", 0, "person gen.error.tx.stake worker.error.stake"},
		{"Failed to start computing. x", 5 * m, "act gen.error.start worker.v3.tx_failed"},
		{"ShouldUpdateEndpoint failed. x", 5 * m, "act gen.error.endpoint worker.v3.tx_failed"},
		// v3.0.
		{"WM reloaded!", m, "act gen.error.reloaded worker.v3.reloaded"},
		{"Failed to get suitable genesis.", 5 * m, "act gen.error.genesis worker.v3.genesis"},
		{"the moon is in the wrong place", 2 * m, "act gen.error.unknown worker.v3.unknown"},
		{"", 2 * m, "act gen.error.unknown worker.v3.unknown"},
	})
	for name := range strings.FieldsSeq(otherDispatchErrors) {
		rows = append(rows, errorRow{added(name), 5 * m, "act gen.error.add worker.v3.tx_failed"})
	}
	checkErrors(t, gens["v3"], namedErrors(rows, "v3"))
}

// TestV3ListsNobody: after its start prb-wm reads the whole state of the chain before it makes a single context.
func TestV3ListsNobody(t *testing.T) {
	for d, want := range map[time.Duration]string{
		20 * m: "Starting wait v3.no_context.all worker.no_context_wm",
		31 * m: "Failed person v3.no_context.all worker.no_context_wm",
	} {
		in := v3Bridge(5)
		for i := range in.Status.Workers {
			in.Status.Workers[i].StateSince = ago(d)
			contextless(&in.Status.Workers[i])
		}
		_, ds := decide.Bridge(in)
		if got := told(ds[2]); got != want {
			t.Errorf("after %s: %s", d, got)
		}
	}
}

// TestFinalityStandsStill: prb-wm feeds finalized blocks only, so nobody is restarted when there are none, although the
// node's best block grows.
func TestFinalityStandsStill(t *testing.T) {
	in := v3Bridge(20)
	in.Node.Para.Finalized = at(2_990_000, 20*m)
	for i := range in.Status.Workers {
		heights(2_989_994, 20*m)(&in.Status.Workers[i])
	}
	_, ds := decide.Bridge(in)
	for _, d := range ds {
		if d.Rule != "v3.starved" || d.Action != "" {
			t.Fatalf("%+v", d)
		}
	}
	in.Node.Para.Finalized = at(2_999_990, 5*time.Second)
	for i := range in.Status.Workers {
		heights(2_999_988, 10*time.Second)(&in.Status.Workers[i])
	}
	heights(2_990_000, 20*m)(&in.Status.Workers[3])
	if _, ds = decide.Bridge(in); ds[3].Verdict != fleet.Act {
		t.Errorf("finality goes on, one worker does not: %+v", ds[3])
	}
}
