package decide

import (
	"slices"
	"time"
)

// bookV3 reads prb-wm, v3.0 and v3.2 (standalone/prb/src: processor.rs, compute_management.rs, tx.rs; lifecycle.rs in v3.0).
// It keeps an error that is long over: only reaching Working clears it, two kinds aside.
var bookV3 = book{
	gen: "v3", active: "v3." + ruleActive, errors: slices.Concat(v3Outer, txErrors, pruntimeErrors, v3Errors), steps: v3Steps, frozen: "worker.frozen_v3", cooling: "worker.cooling_v3",
	unknown: errorRule{name: "unknown", want: wantRestart, hold: 2 * time.Minute, tries: 1, code: "worker.v3.unknown"},
}

// v3Outer are texts that say all by how they begin, whatever they quote.
var v3Outer = []errorRule{
	// Its calls fail. The next good reply clears it; a restart would make it give up at its first GetInfo.
	{name: "rpc", any: []string{"continously received", "continuously received"}, want: wantTime, hold: 15 * time.Minute, network: true,
		cause: causeNetwork, code: "worker.v3.rpc"},
	// Dead end: the pRuntime was restarted, or somebody else feeds it.
	{name: "counters", any: []string{"need restart manually"}, want: wantRestart, hold: time.Minute, feeder: true, code: "worker.v3.counters"},
	// It tries for ever, and the text stays although blocks flow again.
	{name: "no_data", any: []string{"fail to generate_sync_request"}, want: wantTime, hold: 10 * time.Minute, parent: true, node: true,
		cause: causeSource, code: "worker.v3.no_data"},
}

// v3Errors are the rest of HasError. Each stage on chain submits once and then waits for a restart.
var v3Errors = []errorRule{
	{name: "provider", any: []string{"supported attestation methods does not include"}, want: wantPerson, cause: causeImage,
		code: "worker.error.provider"},
	{name: "pruned", any: []string{"no valid non-pruned"}, want: wantPerson, parent: true, node: true, cause: causeNode, code: "worker.v3.pruned"},
	{name: "attestation", any: []string{"worker has no attestation", "pccs", "collateral", "sgx/certification"}, want: wantRestart,
		hold: 10 * time.Minute, tries: 2, cause: causePCCS, code: "worker.v3.attestation"},
	{name: "stake_text", any: []string{"invalid digit found", "cannot parse integer from empty", "number too large to fit"}, want: wantPerson,
		code: "worker.v3.stake_text"},
	{name: "tx.source", any: []string{"no valid substrate data source", "no valid data source"}, want: wantRestart, hold: 5 * time.Minute, parent: true, node: true,
		cause: causeNode, code: "worker.v3.tx_source"},
	{name: "tx.timeout", any: []string{"tx timed out"}, want: wantRestart, hold: 5 * time.Minute, tries: 2, cause: causeTrade, code: "worker.v3.tx_timeout"},
	{name: "tx.odd", any: []string{"proxyexecuted event", "batchcompletedwitherrors event", "itemfailed events incomplete", "unknown data mismatch",
		"missing field endpoint_payload", "missing field signature", "1010: ", "1012: ", "1014: "}, want: wantRestart, hold: 2 * time.Minute, tries: 2,
		cause: causeTrade, code: "worker.v3.tx_odd"},
	{name: "tx.module", any: []string{"notamoduleerror"}, want: wantRestart, hold: 5 * time.Minute, tries: 1, cause: causeOperator, code: "worker.v3.tx_failed"},
	{name: "add", any: []string{"failed to add_worker_to_pool"}, want: wantRestart, hold: 5 * time.Minute, tries: 2, code: "worker.v3.tx_failed"},
	{name: "start", any: []string{"failed to start computing"}, want: wantRestart, hold: 5 * time.Minute, tries: 2, code: "worker.v3.tx_failed"},
	{name: "register", any: []string{"failed to register"}, want: wantRestart, hold: 5 * time.Minute, tries: 2, code: "worker.v3.tx_failed"},
	{name: "endpoint", any: []string{"shouldupdateendpoint failed"}, want: wantRestart, hold: 5 * time.Minute, tries: 1, code: "worker.v3.tx_failed"},
	{name: "genesis", any: []string{"failed to get suitable genesis"}, want: wantRestart, hold: 5 * time.Minute, tries: 2, node: true, cause: causeNode,
		code: "worker.v3.genesis"},
	{name: "reloaded", any: []string{"wm reloaded"}, want: wantRestart, hold: time.Minute, code: "worker.v3.reloaded"},
	// Dead end: the first GetInfo failed, and nobody asks again.
	{name: "name", any: []string{"dns error", "failed to lookup address"}, want: wantPerson, cause: causeNetwork, code: "worker.error.name"},
	{name: "late", any: []string{"pruntime returned an error", "error sending request", "tcp connect error", "connection refused", "operation timed out",
		"connection reset", "connection closed before"}, want: wantRestart, hold: 2 * time.Minute, network: true, cause: causeNetwork,
		code: "worker.v3.late"},
}

// v3Steps are the last messages of a worker that is at the tip and not yet Working, those of v3.2 and of v3.0. Most steps
// have none: the stage is waiting for the chain then.
var v3Steps = []patience{
	{[]string{"register starting", "registering worker"}, "registering", 30 * time.Minute, causeTrade, "worker.step.registering"},
	{[]string{"requesting forceregister"}, "attestation", 30 * time.Minute, causePCCS, "worker.step.attestation"},
	{[]string{"worker register completed", "waiting for benchmark"}, "benchmark", time.Hour, "", "worker.step.benchmark"},
	{[]string{"got valid benchmark", "register done", "enabling worker in stakepool"}, "adding", 30 * time.Minute, causeTrade, "worker.step.adding"},
	{[]string{"waiting for session info"}, "ready", time.Hour, "", "worker.step.ready"},
	{[]string{"starting computing"}, "starting", 30 * time.Minute, causeTrade, "worker.step.starting"},
	{[]string{"sync offchain message met error"}, "egress", 30 * time.Minute, causeTrade, "worker.step.queue"},
	{[]string{"preparing", "synchronizing", "recovered from rpcerror", "pruntime returned an error", "checkpoint", "endpoint", "computing now", "working now",
		"gatekeeper mode", "unresponsive", "initruntime", "initialized pruntime", "chain state", "chainstate"}, "stage", time.Hour, "", "worker.v3.stage"},
}

// bookSolo has no words: pherry has no API, and its pRuntime tells facts.
var bookSolo = book{gen: "solo", active: "solo." + ruleActive, frozen: "worker.solo.frozen", cooling: "worker.cooling_v3"}
