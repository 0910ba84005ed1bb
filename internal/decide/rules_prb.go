package decide

import (
	"slices"
	"time"
)

// bookV0 reads runtime-bridge@legacy-v0. An error is an exception as a JSON object, with its name, code and message; what is
// no exception is JSON as it came.
var bookV0 = book{
	gen: "v0", active: "v0." + ruleActive, errors: slices.Concat(txErrors, prbErrors, pruntimeErrors, []errorRule{
		{name: "no_pool", any: []string{`"type":"pool"`}, want: wantPerson, cause: causePool, code: "worker.error.no_pool"},
	}), unknown: unknownError, steps: prbSteps, frozen: "worker.frozen", cooling: "worker.cooling_v0",
}

// bookV2 reads runtime-bridge@current-v2. An error is the exception's text in double quotes.
var bookV2 = book{
	gen: "v2", active: "v2." + ruleActive, errors: slices.Concat(txErrors, prbErrors, pruntimeErrors), unknown: unknownError, steps: prbSteps,
	frozen: "worker.frozen", cooling: "worker.cooling",
}

// unknownError speaks when no rule knows the text: one restart is worth trying, then a person should read it.
var unknownError = errorRule{name: "unknown", want: wantRestart, hold: 2 * time.Minute, tries: 1, code: "worker.error.unknown"}

// prbErrors are the texts of S_ERROR that are the bridge's own, in v0's words and in v2's.
var prbErrors = []errorRule{
	// Who signs and sends.
	{name: "trade.down", any: []string{"trader is down", "trader process exited"}, want: wantPerson, parent: true, cause: causeTrade,
		code: "worker.error.trader"},
	{name: "tx.timeout", any: []string{"txtimeouterror"}, want: wantRestart, hold: 2 * time.Minute, cause: causeTrade,
		code: "worker.error.tx_timeout"},
	{name: "tx.odd", any: []string{"tx has unexpected status", "batch failed with no reason", "1010: invalid transaction", "1012: ", "1014: "},
		want: wantRestart, hold: 2 * time.Minute, tries: 2, cause: causeTrade, code: "worker.error.tx_odd"},
	{name: "tx.failed", any: []string{"tx failed"}, want: wantRestart, hold: 2 * time.Minute, tries: 1,
		code: "worker.error.tx_failed"},
	{name: "operator_key", any: []string{"invalid decoded address", "invalid base58", "secret uri", "invalid bip39", "unable to decode using the supplied passphrase"},
		want: wantPerson, cause: causeOperator, code: "worker.error.operator_key"},

	// The way to the pRuntime.
	{name: "refused", any: []string{"econnrefused"}, want: wantRestart, hold: 2 * time.Minute, network: true, cause: causeNetwork,
		code: "worker.error.refused"},
	{name: "unreachable", any: []string{"ehostunreach", "enetunreach", "ehostdown"}, want: wantRestart, hold: 15 * time.Minute, network: true, told: true,
		cause: causeNetwork, code: "worker.error.unreachable"},
	{name: "name", any: []string{"enotfound"}, want: wantPerson, cause: causeNetwork, code: "worker.error.name"},
	{name: "resolver", any: []string{"eai_again"}, want: wantRestart, hold: 2 * time.Minute, network: true, cause: causeNetwork,
		code: "worker.error.resolver"},
	{name: "url", any: []string{"err_invalid_url", "invalid url"}, want: wantPerson, code: "worker.error.url"},
	{name: "blob", any: []string{"timeout when getting key", "crc mismatch", "timeout of 150000ms"}, want: wantRestart, hold: 2 * time.Minute,
		cause: causeSource, code: "worker.error.blob"},
	{name: "timeout", any: []string{"etimedout", "timeouterror", "timeout awaiting", "timeout of "}, want: wantRestart, hold: 2 * time.Minute, network: true,
		cause: causeNetwork, code: "worker.error.timeout"},
	{name: "reset", any: []string{"econnreset", "socket hang up", "epipe", "econnaborted"}, want: wantRestart, hold: 90 * time.Second, network: true,
		cause: causeNetwork, code: "worker.error.reset"},
	{name: "http_5xx", any: []string{"status code 5", "response code 5"}, want: wantRestart, hold: 2 * time.Minute,
		code: "worker.error.http_5xx"},
	{name: "http_4xx", any: []string{"status code 4", "response code 4"}, want: wantPerson, code: "worker.error.http_4xx"},

	// The bridge's own slips.
	{name: "chain_not_known", any: []string{"genesisstate"}, want: wantPerson, parent: true, cause: causeSource, code: "worker.error.chain_not_known"},
	{name: "no_chain_state", any: []string{"reading 'state'", `reading \"state\"`, "property 'state' of null"}, want: wantRestart, hold: time.Minute,
		code: "worker.error.no_chain_state"},
	{name: "late_event", any: []string{"unhandled event"}, want: wantRestart, hold: time.Minute, code: "worker.error.late_event"},
	{name: "not_json", any: []string{"syntaxerror", "unexpected token", "entity too large", "io error", "read body failed"}, want: wantRestart, hold: time.Minute,
		code: "worker.error.not_json"},
	{name: "runtime_info", any: []string{"failed to update runtime information"}, want: wantRestart, hold: 90 * time.Second, network: true,
		cause: causeNetwork, code: "worker.error.runtime_info"},
	{name: "cancelled", any: []string{"null"}, exact: true, want: wantRestart, hold: 2 * time.Minute, code: "worker.error.cancelled"},
	{name: "hidden", any: []string{"notice: worker unresponsive"}, want: wantRestart, hold: 2 * time.Minute, tries: 2,
		code: "worker.error.hidden"},
}

// prbSteps are for S_PRE_MINING, S_PRE_ACTIVE and S_SYNCHED. A cooling worker of v0 waits to be ready for days; what the
// chain says of its session tells the two apart.
var prbSteps = []patience{
	{[]string{"getting ra report", "ensuring registration", "forcera detected"}, "attestation", 30 * time.Minute, causePCCS, "worker.step.attestation"},
	{[]string{"registering worker"}, "registering", 30 * time.Minute, causeTrade, "worker.step.registering"},
	{[]string{"re-register done"}, "registered", 30 * time.Minute, causeTrade, "worker.step.other"},
	{[]string{"waiting for benchmark"}, "benchmark", time.Hour, "", "worker.step.benchmark"},
	{[]string{"adding worker"}, "adding", 30 * time.Minute, causeTrade, "worker.step.adding"},
	{[]string{"waiting until worker ready"}, "ready", time.Hour, "", "worker.step.ready"},
	{[]string{"starting "}, "starting", 30 * time.Minute, causeTrade, "worker.step.starting"},
	{[]string{"stopping "}, "stopping", 30 * time.Minute, causeTrade, "worker.step.other"},
	{[]string{"updating stake"}, "stake", 30 * time.Minute, causeTrade, "worker.step.stake"},
	{[]string{"synching message queue", "message queue synched"}, "queue", 30 * time.Minute, causeTrade, "worker.step.queue"},
	{[]string{"error while synching mq egress"}, "egress", 30 * time.Minute, causeTrade, "worker.step.queue"},
	{[]string{"cooling down"}, "cooling", time.Hour, "", "worker.step.ready"},
	{[]string{"state changed from"}, "entered", time.Hour, "", "worker.step.other"},
	{[]string{"notice: worker unresponsive"}, "hidden", time.Hour, "", "worker.step.other"},
	{[]string{"failed to update runtime information"}, "runtime_info", 30 * time.Minute, causeNetwork, "worker.step.other"},
}
