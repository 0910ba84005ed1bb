package decide_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"phalops/internal/fleet"
)

// prbStates are the states and messages that v0 and v2 share (runtime-bridge src/lifecycle/**/state_machine.js). gen stands
// for the generation.
func prbStates(mining, pre, idle, unresponsive, cooling string) []stateRow {
	recent := func(w *fleet.WorkerStatus) { w.MessageSeen = ago(10 * time.Second) }
	marked := func(d time.Duration) workerChange {
		return func(w *fleet.WorkerStatus) { w.Session, w.SessionSince = unresponsive, ago(d) }
	}
	rows := []stateRow{
		// Starting.
		{"S_IDLE", "", m, nil, "Starting wait gen.starting worker.starting"},
		{"S_STARTING", "State changed from S_IDLE to S_STARTING", m, nil, "Starting wait gen.starting worker.starting"},
		{"S_STARTING", "State changed from S_IDLE to S_STARTING", 11 * m, nil, "Starting act gen.starting.stuck worker.starting_stuck"},
		{"S_STARTING", "Runtime already initialized.", 2 * m, nil, "Starting wait gen.starting worker.starting"},
		{"S_STARTING", "Runtime initialized.", 11 * m, all(recent), "Starting wait gen.starting worker.starting"},
		{"S_STARTING", "Runtime initialized.", 31 * m, all(recent), "Starting act gen.starting.stuck worker.starting_stuck"},
		{"S_STARTING", "Notice: worker unresponsive!", m, all(session(unresponsive)), "Starting wait gen.starting worker.starting"},
		{"", "", time.Second, nil, "Starting wait gen.wordless worker.wordless"},
		{"", "", 31 * m, nil, "Unknown person gen.wordless worker.wordless"},

		// Syncing: only counters tell.
		{"S_SYNCHING", "Synching block data...", 3 * h, all(heights(1_000_000, 20*time.Second)), "Syncing handsoff gen.syncing worker.syncing"},
		{"S_SYNCHING", "State changed from S_STARTING to S_SYNCHING", m, nil, "Syncing handsoff gen.syncing worker.syncing"},
		{"S_SYNCHING", "Synching block data...", 3 * h, all(heights(1_000_000, h), func(w *fleet.WorkerStatus) { w.Relay = at(9_000_000, m) }), "Syncing handsoff gen.syncing worker.syncing"},
		{"S_SYNCHING", "Synching block data...", 2 * m, all(heights(-1, 2*m)), "Syncing handsoff gen.syncing worker.syncing"},
		{"S_SYNCHING", "Synching block data...", 11 * m, all(heights(-1, 11*m)), "Unresponsive act gen.syncing.frozen worker.syncing_frozen"},
		{"S_SYNCHING", "Synching block data...", 2 * h, all(heights(1_000_000, 11*m)), "Unresponsive act gen.syncing.frozen worker.syncing_frozen"},
		{"S_SYNCHING", "Synching block data...", 2 * m, all(heights(1_000_000, 3*h)), "Syncing handsoff gen.syncing worker.syncing"},
		{"S_SYNCHING", "Synching block data...", 11 * m, all(noHeights), "Unresponsive act gen.syncing.frozen worker.syncing_frozen"},
		{"S_SYNCHING", "Synching block data...", 2 * h, all(heights(3_000_000, 11*m)), "Unresponsive wait gen.starved worker.starved"},
		{"S_SYNCHING", "Notice: worker unresponsive!", h, all(session(unresponsive), heights(1_000_000, time.Second)), "Syncing handsoff gen.syncing worker.syncing"},

		// Synched: the message queue.
		{"S_SYNCHED", "State changed from S_SYNCHING to S_SYNCHED", m, nil, "Syncing wait gen.step.entered worker.step.other"},
		{"S_SYNCHED", "Synching message queue...", 2 * m, nil, "Syncing wait gen.step.queue worker.step.queue"},
		{"S_SYNCHED", "Synching message queue...", 31 * m, nil, "Syncing person gen.step.queue worker.step.queue"},
		{"S_SYNCHED", "Message queue synched.", 2 * m, nil, "Syncing wait gen.step.queue worker.step.queue"},
		{"S_SYNCHED", "Notice: worker unresponsive!", 2 * m, all(session(unresponsive)), "Syncing wait gen.step.hidden worker.step.other"},
		{"S_SYNCHED", "Notice: worker unresponsive!", 61 * m, all(session(unresponsive)), "Syncing person gen.step.hidden worker.step.other"},

		// Working.
		{mining, "Now the worker should be mining.", h, nil, "Working healthy gen.active -"},
		{mining, "Now the worker should be mining.", h, all(session(idle)), "Working healthy gen.active -"},
		{mining, "Now the worker should be mining.", h, all(session("")), "Working healthy gen.active -"},
		{mining, "State changed from " + pre + " to " + mining, m, nil, "Working healthy gen.active -"},
		{mining, "", h, all(noHeights), "Unknown wait gen.active.no_height worker.no_height"},
		{mining, "", h, all(frozen(4 * m)), "Syncing handsoff gen.active.catching_up worker.catching_up"},
		{mining, "", h, all(frozen(6 * m)), "Unresponsive act gen.active.frozen worker.frozen"},
		{mining, "", 2 * m, all(frozen(h)), "Syncing handsoff gen.active.catching_up worker.catching_up"},
		{mining, "", h, all(heights(-1, 6*m)), "Unresponsive act gen.active.frozen worker.frozen"},
		{mining, "", h, all(session(unresponsive), frozen(6*m)), "Unresponsive act gen.active.unresponsive worker.frozen_unresponsive"},
		{mining, "Notice: worker unresponsive!", h - m, all(session(unresponsive)), "Working wait gen.active.recovering worker.recovering"},
		{mining, "", h, all(session(unresponsive), heights(2_990_000, time.Second)), "Syncing wait gen.active.recovering worker.recovering"},
		{mining, "Notice: worker unresponsive!", 2 * h, all(session(unresponsive)), "Working person gen.active.unheard worker.unheard"},
		{mining, "Now the worker should be mining.", 3 * h, all(marked(2 * h)), "Working person gen.active.unheard worker.unheard"},
		{mining, "Notice: worker unresponsive!", 2 * h, all(session(idle)), "Working healthy gen.active -"}, // stale
		{mining, "", h, all(heights(2_990_000, time.Second)), "Syncing handsoff gen.active.catching_up worker.catching_up"},
		{mining, "", h, all(session("Ready"), func(w *fleet.WorkerStatus) { w.SessionSince = ago(10 * m) }), "Working healthy gen.active -"},
		{mining, "", h, all(session("Ready"), func(w *fleet.WorkerStatus) { w.SessionSince = ago(40 * m) }), "Working person gen.active.not_computing worker.not_computing"},
		{mining, "Failed to update runtime information!", h, nil, "Working healthy gen.active -"}, // S_ERROR follows at once
		{mining, "Stopping mining on chain...", h, nil, "Working healthy gen.active -"},

		// Kicked.
		{"S_KICKED", "State changed from " + mining + " to S_KICKED", m, nil, "Failed wait gen.kicked worker.kicked"},
		{"S_KICKED", "State changed from S_KICKED to S_KICKED", 3 * m, nil, "Failed act gen.kicked worker.kicked"},
		{"S_KICKED", "State changed from S_ERROR to S_KICKED", 3 * m, nil, "Failed act gen.kicked worker.kicked"},
		{"S_KICKED", "Notice: worker unresponsive!", 3 * m, all(session(unresponsive)), "Failed act gen.kicked worker.kicked"},

		// Whom nobody may touch, and whom nobody can see.
		{mining, "", h, all(session(cooling), frozen(h)), "CoolingDown handsoff gen.cooling cool"},
		{pre, "Waiting until worker ready...", 24 * h, all(session(cooling)), "CoolingDown handsoff gen.cooling cool"},
		{"S_ERROR", "null", h, all(session(cooling)), "CoolingDown handsoff gen.cooling cool"},
		{mining, "", h, all(disabled, contextless), "Disabled handsoff gen.disabled worker.disabled"},
		{"S_ERROR", "null", h, all(disabled), "Disabled handsoff gen.disabled.running worker.disabled_running"},
		{"S_ERROR", "null", h, all(func(w *fleet.WorkerStatus) { w.Probe = silentFor(h) }), "Unknown wait gen.silent worker.silent"},
		{"S_DANCING", "", 3 * h, nil, "Unknown wait gen.unknown_state worker.unknown_state"},
		{"7", "null", 3 * h, nil, "Unknown wait gen.unknown_state worker.unknown_state"},
	}
	for _, step := range []struct {
		message string
		after   time.Duration
		rule    string
		reason  string
	}{
		{"State changed from S_SYNCHED to " + pre, h, "entered", "other"},
		{"Ensuring registration on chain...", 30 * m, "attestation", "attestation"},
		{"Getting RA report...", 30 * m, "attestation", "attestation"},
		{"Registering worker on chain...", 30 * m, "registering", "registering"},
		{"Waiting for benchmark...", h, "benchmark", "benchmark"},
		{"Adding worker on chain...", 30 * m, "adding", "adding"},
		{"Waiting until worker ready...", h, "ready", "ready"},
		{"Starting mining on chain...", 30 * m, "starting", "starting"},
		{"Starting worker on chain...", 30 * m, "starting", "starting"},
		{"Starting computing on chain...", 30 * m, "starting", "starting"},
		{"Stopping worker on chain...", 30 * m, "stopping", "other"},
		{"Notice: worker unresponsive!", h, "hidden", "other"},
		{"Failed to update runtime information!", 30 * m, "runtime_info", "other"},
		{"Something that nobody knows", h, "other", "other"},
		{"", h, "other", "other"},
	} {
		tail := " gen.step." + step.rule + " worker.step." + step.reason
		rows = append(rows, stateRow{pre, step.message, step.after - m, nil, "Starting wait" + tail}, stateRow{pre, step.message, step.after + m, nil, "Starting person" + tail})
	}
	return rows
}

// named puts the generation's name and its own sentence about cooling in.
func named(rows []stateRow, gen, cooling string) []stateRow {
	rows = slices.Clone(rows)
	for i := range rows {
		rows[i].want = strings.ReplaceAll(strings.ReplaceAll(rows[i].want, "gen.", gen+"."), " cool", " "+cooling)
	}
	return rows
}

func namedErrors(rows []errorRow, gen string) []errorRow {
	rows = slices.Clone(rows)
	for i := range rows {
		rows[i].want = strings.ReplaceAll(rows[i].want, "gen.", gen+".")
	}
	return rows
}

func TestV2Messages(t *testing.T) {
	checkStates(t, gens["v2"], named(prbStates("S_ACTIVE", "S_PRE_ACTIVE", "WorkerIdle", "WorkerUnresponsive", "WorkerCoolingDown"), "v2", "worker.cooling"))
	// Names before walkie 1.3.
	checkStates(t, gens["v2"], named(prbStates("S_MINING", "S_PRE_MINING", "MiningIdle", "MiningUnresponsive", "MiningCoolingDown"), "v2", "worker.cooling"))

	egress, recent := "Error while synching mq egress: Error: timeout of 8000ms exceeded", func(w *fleet.WorkerStatus) { w.MessageSeen = ago(10 * time.Second) }
	const only, cool = "Sync only mode enabled, skipping on-chain operations.", "Worker is cooling down, skipping on-chain operations."
	checkStates(t, gens["v2"], []stateRow{
		{"S_ACTIVE", "Now the worker should be active.", h, nil, "Working healthy v2.active -"},
		{"S_SYNCHED", only, 900 * h, all(syncOnly), "Syncing handsoff v2.sync_only worker.sync_only"},
		{"S_SYNCHED", only, 900 * h, nil, "Syncing handsoff v2.sync_only worker.sync_only_bridge"},
		{"S_SYNCHED", "", 900 * h, all(syncOnly, frozen(h)), "Syncing handsoff v2.sync_only worker.sync_only"},
		{"S_ERROR", `"Error: connect ECONNREFUSED 127.0.1.1:8000"`, h, all(syncOnly), "Failed person v2.error.refused worker.error.refused"},
		{"S_SYNCHED", cool, 100 * h, nil, "CoolingDown handsoff v2.cooling worker.cooling"},
		{"S_SYNCHED", "forceRa detected.", 5 * m, nil, "Syncing wait v2.step.attestation worker.step.attestation"},
		{"S_SYNCHED", "forceRa detected.", 31 * m, nil, "Syncing person v2.step.attestation worker.step.attestation"},
		{"S_SYNCHED", "Re-register done.", 5 * m, nil, "Syncing wait v2.step.registered worker.step.other"},
		{"S_PRE_ACTIVE", "Updating stake on chain...", 5 * m, nil, "Starting wait v2.step.stake worker.step.stake"},
		{"S_PRE_ACTIVE", "Updating stake on chain...", 31 * m, nil, "Starting person v2.step.stake worker.step.stake"},
		{"S_SYNCHED", egress, 4 * m, all(recent), "Unresponsive act v2.egress worker.egress"},
		{"S_SYNCHED", egress, 2 * m, all(recent), "Syncing wait v2.step.egress worker.step.queue"},
		{"S_SYNCHED", egress, 4 * m, nil, "Syncing wait v2.step.egress worker.step.queue"}, // old
		{"S_SYNCHED", "Error while synching mq egress: TypeError: Cannot read properties of undefined (reading 'encodedMessages')", 4 * m, all(recent), "Unresponsive act v2.egress worker.egress"},
		{"S_ACTIVE", egress, 2 * h, nil, "Working healthy v2.active.egress_leftover worker.egress_leftover"},
		{"S_ACTIVE", egress, 2 * h, all(frozen(6 * m)), "Unresponsive act v2.active.frozen worker.frozen"},
		{"S_ACTIVE", "", m, all(contextless), "Starting wait v2.no_context worker.no_context"},
		{"S_ACTIVE", "", 11 * m, all(contextless), "Failed person v2.no_context worker.no_context"},
	})
}

func TestV2Errors(t *testing.T) {
	quoted := func(s string) string { return `"Error: ` + s + `"` }
	tx := func(name string) string {
		return `"Error: Tx failed: phalaStakePoolv2.` + name + `: \n  at Trade.send (/app/src/trade.js:1:1) TimeoutError"`
	}
	own := slices.Concat(dispatchErrors(tx), wrapped(nodeRefusals, quoted), wrapped(pruntimeAnswers, pruntimeObject), []errorRow{
		{`"Error: connect ECONNREFUSED 127.0.1.4:8000"`, 2 * m, "act gen.error.refused worker.error.refused"},
		{`"Error: connect EHOSTUNREACH 127.0.1.4:8000"`, 15 * m, "act gen.error.unreachable worker.error.unreachable"},
		{`"Error: connect ENETUNREACH 127.0.1.4:8000"`, 15 * m, "act gen.error.unreachable worker.error.unreachable"},
		{`"Error: getaddrinfo ENOTFOUND w-004"`, 0, "person gen.error.name worker.error.name"},
		{`"Error: getaddrinfo EAI_AGAIN w-004"`, 2 * m, "act gen.error.resolver worker.error.resolver"},
		{`"Error: timeout of 8000ms exceeded"`, 2 * m, "act gen.error.timeout worker.error.timeout"},
		{`"Error: timeout of 60000ms exceeded"`, 2 * m, "act gen.error.timeout worker.error.timeout"},
		{`"Error: timeout of 150000ms exceeded"`, 2 * m, "act gen.error.blob worker.error.blob"},
		{`"Error: connect ETIMEDOUT 127.0.1.4:8000"`, 2 * m, "act gen.error.timeout worker.error.timeout"},
		{`"Error: socket hang up"`, 90 * time.Second, "act gen.error.reset worker.error.reset"},
		{`"Error: read ECONNRESET"`, 90 * time.Second, "act gen.error.reset worker.error.reset"},
		{`"Error: write EPIPE"`, 90 * time.Second, "act gen.error.reset worker.error.reset"},
		{`"Error: Request failed with status code 500"`, 2 * m, "act gen.error.http_5xx worker.error.http_5xx"},
		{`"Error: Request failed with status code 404"`, 0, "person gen.error.http_4xx worker.error.http_4xx"},
		{`"TypeError [ERR_INVALID_URL]: Invalid URL"`, 0, "person gen.error.url worker.error.url"},
		{`"SyntaxError: Unexpected token I in JSON at position 0"`, m, "act gen.error.not_json worker.error.not_json"},
		{`"Error: Worker is assigned to other pool!"`, 0, "person gen.error.tx.pool worker.error.pool"},
		{`"TypeError: Cannot destructure property 'genesisState' of '(intermediate value)' as it is null."`, 0, "person gen.error.chain_not_known worker.error.chain_not_known"},
		{`"Error: Tx has unexpected status: Invalid"`, 2 * m, "act gen.error.tx.odd worker.error.tx_odd"},
		{`"Error: Batch failed with no reason!"`, 2 * m, "act gen.error.tx.odd worker.error.tx_odd"},
		{`"TxTimeOutError: Timeout!"`, 2 * m, "act gen.error.tx.timeout worker.error.tx_timeout"},
		{`"Error: Trader is down!"`, 0, "person gen.error.trade.down worker.error.trader"},
		{`"Error: Trader process exited: 1"`, 0, "person gen.error.trade.down worker.error.trader"},
		{`"Error: Timeout when getting key '0xabc'."`, 2 * m, "act gen.error.blob worker.error.blob"},
		{`"Error: CRC Mismatch!"`, 2 * m, "act gen.error.blob worker.error.blob"},
		{`"TypeError: Cannot read properties of null (reading 'state')"`, m, "act gen.error.no_chain_state worker.error.no_chain_state"},
		{`"Error: Unhandled event 'SHOULD_MARK_SYNCHED' in state 'S_ERROR'."`, m, "act gen.error.late_event worker.error.late_event"},
		{`"Error: Unable to match provided value to a secret URI"`, 0, "person gen.error.operator_key worker.error.operator_key"},
		{`"Error: Stake amount should be at least > 1PHA!"`, 0, "person gen.error.tx.stake worker.error.stake"},
		{`Failed to update runtime information!`, 90 * time.Second, "act gen.error.runtime_info worker.error.runtime_info"},
		{`null`, 2 * m, "act gen.error.cancelled worker.error.cancelled"},
		{`Notice: worker unresponsive!`, 2 * m, "act gen.error.hidden worker.error.hidden"},
		{`"TypeError: Cannot read property 'x' of null"`, 2 * m, "act gen.error.unknown worker.error.unknown"},
		{`"Error: the moon is in the wrong place"`, 2 * m, "act gen.error.unknown worker.error.unknown"},
		{``, 2 * m, "act gen.error.unknown worker.error.unknown"},
	})
	for name := range strings.FieldsSeq(otherDispatchErrors) {
		own = append(own, errorRow{tx(name), 2 * m, "act gen.error.tx.failed worker.error.tx_failed"})
	}
	checkErrors(t, gens["v2"], namedErrors(own, "v2"))
}

func TestV0Messages(t *testing.T) {
	checkStates(t, gens["v0"], named(prbStates("S_MINING", "S_PRE_MINING", "MiningIdle", "MiningUnresponsive", "MiningCoolingDown"), "v0", "worker.cooling_v0"))
	fresh := func(w *fleet.WorkerStatus) {
		contextless(w)
		w.PublicKey = ""
		noHeights(w)
	}
	lost := func(w *fleet.WorkerStatus) {
		fresh(w)
		w.PublicKey = strings.Repeat("ab", 32)
	}
	checkStates(t, gens["v0"], []stateRow{
		{"S_MINING", "", h, all(session("MiningActive")), "Working healthy v0.active -"},
		{"S_MINING", "", 20 * m, all(fresh), "Starting wait v0.no_context worker.no_context_v0"},
		{"S_MINING", "", 66 * m, all(fresh), "Failed person v0.no_context worker.no_context_v0"},
		{"S_MINING", "", 5 * m, all(lost), "Starting wait v0.no_context worker.no_context_v0"},
		{"S_MINING", "", 11 * m, all(lost), "Failed person v0.no_context worker.no_context_v0"},
		{"S_MINING", "", 11 * m, all(fresh, func(w *fleet.WorkerStatus) { w.StakeOK = false }), "Failed person v0.no_context.stake worker.no_context_stake"},
		{"S_MINING", "", m, all(fresh, func(w *fleet.WorkerStatus) { w.Stake = fleet.Amount{} }), "Starting wait v0.no_context.stake worker.no_context_stake"},
		{"S_MINING", "", 11 * m, all(fresh, func(w *fleet.WorkerStatus) { w.PID = 99 }), "Failed person v0.no_context.pool worker.no_context_pool"},
		// One that was deleted is listed for ever, and may run on: it is not ours to treat.
		{"S_ERROR", pruntimeObject("BlockNumberMismatch"), h, all(disabled), "Disabled handsoff v0.disabled.running worker.disabled_running"},
	})
}

func TestV0Errors(t *testing.T) {
	object := func(fields string) string {
		return `{` + fields + `,"stack":"RequestError: x\n    at ClientRequest (file:///opt/app/TimeoutError ECONNREFUSED BlockNumberMismatch)"}`
	}
	timings := `"timings":{"start":1795344867343,"socket":1795344867344,"error":1795344867344,"phases":{"wait":1,"total":1}}`
	tx := func(name string) string {
		return `"Error: Tx failed: phalaStakePool.` + name + `: \n    at Trade.send (/app/src/trade.js:1:1) TimeoutError"`
	}
	rows := slices.Concat(dispatchErrors(tx), wrapped(nodeRefusals, func(s string) string { return object(`"name":"RpcError","message":"` + s + `"`) }),
		wrapped(pruntimeAnswers, pruntimeObject), []errorRow{
			{object(`"name":"RequestError","code":"ECONNREFUSED",` + timings + `,"message":"connect ECONNREFUSED 127.0.1.4:8000"`), 2 * m, "act gen.error.refused worker.error.refused"},
			{object(`"name":"RequestError","code":"EHOSTUNREACH",` + timings + `,"message":"connect EHOSTUNREACH 127.0.1.4:8000"`), 15 * m, "act gen.error.unreachable worker.error.unreachable"},
			{object(`"name":"RequestError","code":"ENETUNREACH","message":"connect ENETUNREACH 127.0.1.4:8000"`), 15 * m, "act gen.error.unreachable worker.error.unreachable"},
			{object(`"name":"RequestError","code":"ENOTFOUND","message":"getaddrinfo ENOTFOUND no-such-host.invalid"`), 0, "person gen.error.name worker.error.name"},
			{object(`"name":"RequestError","code":"EAI_AGAIN","message":"getaddrinfo EAI_AGAIN w-004"`), 2 * m, "act gen.error.resolver worker.error.resolver"},
			{object(`"name":"TimeoutError","code":"ETIMEDOUT",` + timings + `,"event":"request","message":"Timeout awaiting 'request' for 30000ms"`), 2 * m, "act gen.error.timeout worker.error.timeout"},
			{object(`"name":"RequestError","code":"ECONNRESET","message":"socket hang up"`), 90 * time.Second, "act gen.error.reset worker.error.reset"},
			{object(`"name":"RequestError","code":"EPIPE","message":"write EPIPE"`), 90 * time.Second, "act gen.error.reset worker.error.reset"},
			{object(`"name":"HTTPError","code":"ERR_NON_2XX_3XX_RESPONSE",` + timings + `,"message":"Response code 500 (Internal Server Error)"`), 2 * m, "act gen.error.http_5xx worker.error.http_5xx"},
			{object(`"name":"HTTPError","code":"ERR_NON_2XX_3XX_RESPONSE","message":"Response code 404 (Not Found)"`), 0, "person gen.error.http_4xx worker.error.http_4xx"},
			{object(`"input":"192.168.1.1:8000/prpc/PhactoryAPI.GetInfo","code":"ERR_INVALID_URL","name":"TypeError","message":"Invalid URL"`), 0, "person gen.error.url worker.error.url"},
			{object(`"name":"SyntaxError","message":"Unexpected token I in JSON at position 0"`), m, "act gen.error.not_json worker.error.not_json"},
			{object(`"name":"Error","message":"Worker is assigned to other pool!"`), 0, "person gen.error.tx.pool worker.error.pool"},
			{object(`"name":"Error","message":"Trader is down!"`), 0, "person gen.error.trade.down worker.error.trader"},
			{object(`"name":"TypeError","message":"Cannot destructure property 'genesisState' of 'x' as it is null."`), 0, "person gen.error.chain_not_known worker.error.chain_not_known"},
			{object(`"name":"Error","message":"Unhandled event 'SHOULD_MARK_SYNCHED' in state 'S_ERROR'."`), m, "act gen.error.late_event worker.error.late_event"},
			{`{"type":"pool","key":"pid","value":"88"}`, 0, "person gen.error.no_pool worker.error.no_pool"},
			{`"TxTimeOutError: Timeout!"`, 2 * m, "act gen.error.tx.timeout worker.error.tx_timeout"},
			{`Failed to update runtime information!`, 90 * time.Second, "act gen.error.runtime_info worker.error.runtime_info"},
			{`Notice: worker unresponsive!`, 2 * m, "act gen.error.hidden worker.error.hidden"},
			{`null`, 2 * m, "act gen.error.cancelled worker.error.cancelled"},
			{object(`"name":"Error","message":"the moon is in the wrong place"`), 2 * m, "act gen.error.unknown worker.error.unknown"},
			{`{}`, 2 * m, "act gen.error.unknown worker.error.unknown"},
		})
	for name := range strings.FieldsSeq(otherDispatchErrors) {
		rows = append(rows, errorRow{tx(name), 2 * m, "act gen.error.tx.failed worker.error.tx_failed"})
	}
	checkErrors(t, gens["v0"], namedErrors(rows, "v0"))
}
