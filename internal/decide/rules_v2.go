package decide

import (
	"strings"
	"time"
)

// errorRule says what a text in S_ERROR means. S_ERROR is terminal in v0 and v2: nothing leaves it without a restart, so
// the question is only whether a restart helps, how long the cause is given to pass first, and who must act otherwise.
type errorRule struct {
	name    string
	any     []string      // lower-case parts of the text; one is enough
	exact   bool          // the whole text, not a part
	want    want          // wantRestart or wantPerson
	hold    time.Duration // hold-down before a restart
	tries   int           // restarts that make sense; 0: as many as the budget allows
	parent  bool          // the bridge or what it hangs on is the suspect
	network bool          // speaks of the way to the pRuntime
	told    bool          // a person is told at once; the restart after the hold-down only probes
	cause   string        // which parent it points at
	code    string        // of the sentence that explains it
}

// errorRules is read from the top; the first that matches speaks. Texts of transactions come first, because they carry a
// stack in which anything may stand. v0 writes the same words inside a JSON object, v2 inside quotes.
var errorRules = []errorRule{
	// Transactions: what the chain refused.
	{name: "tx.gas", cause: causeGas, any: []string{"inability to pay", "insufficientbalance", "balance too low"}, want: wantPerson, parent: true,
		code: "worker.error.gas"},
	{name: "tx.stake", cause: causePool, any: []string{"insufficientfreestake", "insufficientcontribution", "insufficientstake", "toomuchstake",
		"cannotrestartwithlessstake", "inadequatecapacity", "stakeexceedscapacity", "cannotstartwithexistingstake"}, want: wantPerson,
		code: "worker.error.stake"},
	{name: "tx.operator", cause: causeOperator, any: []string{"unauthorizedoperator", "unauthorizedpoolowner", "invalid pool operator"}, want: wantPerson,
		code: "worker.error.operator"},
	{name: "tx.pool", cause: causePool, any: []string{"workerinanotherpool", "pooldoesnotexist", "workersexceedlimit", "assigned to other pool"}, want: wantPerson,
		code: "worker.error.pool"},
	{name: "tx.image", cause: causeAllowlist, any: []string{"pruntimerejected", "pruntimenotfound", "pruntime is outdated", "genesisblockhash",
		"invalid metadata"}, want: wantPerson,
		code: "worker.error.image"},
	{name: "tx.attestation", cause: causePCCS, any: []string{"iasreport", "iassigningcert", "invalidquotestatus", "invalidreport", "invaliddcapquote",
		"unsupportedattestationtype", "attestation report", "attestation_report"}, want: wantPerson,
		code: "worker.error.attestation"},
	{name: "tx.benchmark", any: []string{"benchmarkmissing", "benchmarktoolow", "workerisnotready", "workernotready"}, want: wantRestart,
		hold: 10 * time.Minute, tries: 2, code: "worker.error.benchmark"},
	{name: "tx.registration", any: []string{"workernotregistered", "workernotfound", "workerreregisterneeded"}, want: wantRestart,
		hold: 2 * time.Minute, tries: 1, code: "worker.error.registration"},
	{name: "trade.down", cause: causeTrade, any: []string{"trader is down", "trader process exited"}, want: wantPerson, parent: true,
		code: "worker.error.trader"},
	{name: "tx.timeout", cause: causeTrade, any: []string{"txtimeouterror"}, want: wantRestart, hold: 2 * time.Minute,
		code: "worker.error.tx_timeout"},
	{name: "tx.odd", cause: causeTrade, any: []string{"tx has unexpected status", "batch failed with no reason", "1010: invalid transaction", "1014: priority"},
		want: wantRestart, hold: 2 * time.Minute, tries: 2, code: "worker.error.tx_odd"},
	{name: "tx.failed", any: []string{"tx failed"}, want: wantRestart, hold: 2 * time.Minute, tries: 1,
		code: "worker.error.tx_failed"},

	// The way to the pRuntime.
	{name: "refused", cause: causeNetwork, any: []string{"econnrefused"}, want: wantRestart, hold: 2 * time.Minute, network: true,
		code: "worker.error.refused"},
	{name: "unreachable", cause: causeNetwork, any: []string{"ehostunreach", "enetunreach", "ehostdown"}, want: wantRestart, hold: 15 * time.Minute, network: true, told: true,
		code: "worker.error.unreachable"},
	{name: "name", any: []string{"enotfound"}, want: wantPerson, code: "worker.error.name"},
	{name: "resolver", cause: causeNetwork, any: []string{"eai_again"}, want: wantRestart, hold: 2 * time.Minute, network: true,
		code: "worker.error.resolver"},
	{name: "url", any: []string{"err_invalid_url", "invalid url"}, want: wantPerson, code: "worker.error.url"},
	{name: "blob", cause: causeSource, any: []string{"timeout when getting key", "crc mismatch"}, want: wantRestart, hold: 2 * time.Minute,
		code: "worker.error.blob"},
	{name: "timeout", cause: causeNetwork, any: []string{"etimedout", "timeouterror", "timeout awaiting", "timeout of "}, want: wantRestart, hold: 2 * time.Minute, network: true,
		code: "worker.error.timeout"},
	{name: "reset", cause: causeNetwork, any: []string{"econnreset", "socket hang up", "epipe", "econnaborted"}, want: wantRestart, hold: 90 * time.Second, network: true,
		code: "worker.error.reset"},
	{name: "http_5xx", any: []string{"status code 5", "response code 5"}, want: wantRestart, hold: 2 * time.Minute,
		code: "worker.error.http_5xx"},
	{name: "http_4xx", any: []string{"status code 4", "response code 4"}, want: wantPerson, code: "worker.error.http_4xx"},

	// Blocks that the pRuntime did not take.
	{name: "block_number", any: []string{"blocknumbermismatch"}, want: wantRestart, hold: time.Minute,
		code: "worker.error.block_number"},
	{name: "validation", cause: causeSource, any: []string{"headerhashmismatch", "headervalidatefailed", "storageprooffailed", "missingjustification",
		"staterootmismatch", "chainmodemismatch", "decode input parameter failed"}, want: wantPerson, parent: true,
		code: "worker.error.validation"},
	{name: "no_state", cause: causeSource, any: []string{"nostateroot", "relaychainheadernotsynced", "emptyrequest"}, want: wantRestart, hold: 2 * time.Minute,
		code: "worker.error.no_state"},

	// The bridge's own slips.
	{name: "chain_not_known", cause: causeSource, any: []string{"genesisstate"}, want: wantPerson, parent: true, code: "worker.error.chain_not_known"},
	{name: "no_chain_state", any: []string{"reading 'state'", `reading \"state\"`, "property 'state' of null"}, want: wantRestart, hold: time.Minute,
		code: "worker.error.no_chain_state"},
	{name: "late_event", any: []string{"unhandled event"}, want: wantRestart, hold: time.Minute, code: "worker.error.late_event"},
	{name: "not_json", any: []string{"syntaxerror", "unexpected token", "entity too large", "io error"}, want: wantRestart, hold: time.Minute,
		code: "worker.error.not_json"},
	{name: "runtime_info", cause: causeNetwork, any: []string{"failed to update runtime information"}, want: wantRestart, hold: 90 * time.Second, network: true,
		code: "worker.error.runtime_info"},
	{name: "cancelled", any: []string{"null"}, exact: true, want: wantRestart, hold: 2 * time.Minute, code: "worker.error.cancelled"},
	{name: "hidden", any: []string{"notice: worker unresponsive"}, want: wantRestart, hold: 2 * time.Minute, tries: 2,
		code: "worker.error.hidden"},
}

// unknownError speaks when no rule knows the text: one restart is worth trying, then a person should read it.
var unknownError = errorRule{name: "unknown", want: wantRestart, hold: 2 * time.Minute, tries: 1, code: "worker.error.unknown"}

// errorRuleFor finds the rule for a lastMessage.
func errorRuleFor(message string) errorRule {
	text := strings.ToLower(strings.Trim(strings.TrimSpace(message), `"`))
	for _, r := range errorRules {
		for _, part := range r.any {
			if text == part || (!r.exact && strings.Contains(text, part)) {
				return r
			}
		}
	}
	return unknownError
}

// patience is how long a step on the way to mining may take before a person should look. None of these is mended by a
// restart: the step would only begin again.
type patience struct {
	part string // lower-case part of the message
	name string
	wait time.Duration
	code string // of the sentence that explains it
}

// stepRules are for S_PRE_MINING, S_PRE_ACTIVE and S_SYNCHED; the first that matches speaks.
var stepRules = []patience{
	{"getting ra report", "attestation", 30 * time.Minute, "worker.step.attestation"},
	{"ensuring registration", "attestation", 30 * time.Minute, "worker.step.attestation"},
	{"registering worker", "registering", 30 * time.Minute, "worker.step.registering"},
	{"waiting for benchmark", "benchmark", time.Hour, "worker.step.benchmark"},
	{"adding worker", "adding", 30 * time.Minute, "worker.step.adding"},
	{"waiting until worker ready", "ready", time.Hour, "worker.step.ready"},
	{"starting ", "starting", 30 * time.Minute, "worker.step.starting"},
	{"updating stake", "stake", 30 * time.Minute, "worker.step.stake"},
	{"synching message queue", "queue", 30 * time.Minute, "worker.step.queue"},
}

// otherStep is for every other text.
var otherStep = patience{"", "other", time.Hour, "worker.step.other"}

func stepRuleFor(message string) patience {
	text := strings.ToLower(message)
	for _, r := range stepRules {
		if strings.Contains(text, r.part) {
			return r
		}
	}
	return otherStep
}
