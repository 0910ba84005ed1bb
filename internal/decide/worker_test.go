package decide_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"phalops/internal/decide"
	"phalops/internal/fleet"
)

const prbB = fleet.Ref("bridge/prb-b")

// worker number i of prb-b: active, at its data provider's height, two blocks behind.
func worker(i int) fleet.WorkerStatus {
	id := fmt.Sprintf("id-%03d", i)
	return fleet.WorkerStatus{
		Probe: answered, Ref: fleet.WorkerRef("prb-b", id), ID: id, Name: fmt.Sprintf("w-%03d", i), PID: 83,
		Endpoint: fmt.Sprintf("http://127.0.%d.%d:8000", 1+i/200, 1+i%200), Stake: fleet.PHA(10), StakeOK: true, Enabled: true,
		Running: true, State: "S_ACTIVE", Message: "Now the worker should be active.", StateSince: ago(48 * h), MessageSeen: ago(48 * h),
		Relay: at(15_000_000, 3*time.Second), ParaHeader: at(2_999_998, 10*time.Second), Para: at(2_999_998, 10*time.Second),
		Session: "WorkerIdle", Condition: fleet.Working, Since: ago(48 * h),
	}
}

// healthyBridge is a bridge with n workers where nothing is wrong.
func healthyBridge(n int) decide.BridgeInput {
	node := healthyNode()
	in := decide.BridgeInput{
		Status: fleet.BridgeStatus{
			Ref: prbB, Site: "dc1", Version: "v2", Monitor: answered, Lifecycle: answered, Condition: fleet.BridgeHealthy, Since: ago(48 * h),
			DataProviders: []fleet.DataProviderStatus{{Probe: answered, PeerID: "QmDp", Status: "S_IDLE", Para: at(3_000_000, 5*time.Second), Parent: at(15_000_000, 5*time.Second)}},
		},
		Node: &node.Status, DataProvider: "dp/dp-1", Policy: defaults, Now: now,
	}
	for i := range n {
		in.Status.Workers = append(in.Status.Workers, worker(i))
	}
	return in
}

type workerChange = func(*fleet.WorkerStatus)

func inState(state string, d time.Duration, message string) workerChange {
	return func(w *fleet.WorkerStatus) {
		w.State, w.StateSince, w.Message, w.MessageSeen, w.MessageAt = state, ago(d), message, ago(d), ago(d)
	}
}

func frozen(d time.Duration) workerChange {
	return func(w *fleet.WorkerStatus) {
		w.Para.MovedAt, w.ParaHeader.MovedAt, w.Relay.MovedAt = ago(d), ago(d), ago(d)
		w.Para.Value -= 100
	}
}

func failed(d time.Duration, text string) workerChange { return inState("S_ERROR", d, text) }

func session(s string) workerChange { return func(w *fleet.WorkerStatus) { w.Session = s } }

func heights(v int64, d time.Duration) workerChange {
	return func(w *fleet.WorkerStatus) { w.Para, w.ParaHeader, w.Relay = at(v, d), at(v, d), at(v, d) }
}

func TestWorker(t *testing.T) {
	type changes = []workerChange
	noHeights := func(w *fleet.WorkerStatus) {
		w.Para, w.ParaHeader, w.Relay = fleet.Height{}, fleet.Height{}, fleet.Height{}
	}
	syncOnly := func(w *fleet.WorkerStatus) { w.SyncOnly = true }
	disabled := func(w *fleet.WorkerStatus) { w.Enabled = false }
	tests := []struct {
		name      string
		given     changes
		condition fleet.Condition
		verdict   fleet.Verdict
		rule      string
	}{
		{"active", nil, fleet.Working, fleet.Healthy, "v2.active"},
		{"mining, the older name", changes{inState("S_MINING", h, "Now the worker should be mining."), session("MiningIdle")}, fleet.Working, fleet.Healthy, "v2.active"},
		{"active, height unknown", changes{noHeights}, fleet.Unknown, fleet.Wait, "v2.active.no_height"},
		{"active, not frozen long enough", changes{frozen(4 * m)}, fleet.Syncing, fleet.HandsOff, "v2.active.catching_up"},
		{"frozen behind a working state", changes{frozen(6 * m)}, fleet.Unresponsive, fleet.Act, "v2.active.frozen"},
		{"frozen behind the older working state", changes{inState("S_MINING", h, ""), frozen(6 * m)}, fleet.Unresponsive, fleet.Act, "v2.active.frozen"},
		{"frozen since before the present state began", changes{inState("S_ACTIVE", 2*m, ""), frozen(h)}, fleet.Syncing, fleet.HandsOff, "v2.active.catching_up"},
		{"unresponsive and frozen", changes{session("WorkerUnresponsive"), frozen(6 * m)}, fleet.Unresponsive, fleet.Act, "v2.active.unresponsive"},
		{"unresponsive and frozen, the older name", changes{session("MiningUnresponsive"), frozen(6 * m)}, fleet.Unresponsive, fleet.Act, "v2.active.unresponsive"},
		{"unresponsive and growing at the tip", changes{session("WorkerUnresponsive"), inState("S_ACTIVE", h, "Notice: worker unresponsive!")}, fleet.Working, fleet.Wait, "v2.active.recovering"},
		{"unresponsive and growing far behind", changes{session("WorkerUnresponsive"), heights(2_990_000, time.Second)}, fleet.Syncing, fleet.Wait, "v2.active.recovering"},
		{"unresponsive at the tip for hours", changes{session("WorkerUnresponsive"), inState("S_ACTIVE", 2*h, "Notice: worker unresponsive!")}, fleet.Working, fleet.Person, "v2.active.unheard"},
		{"a stale notice", changes{inState("S_ACTIVE", 2*h, "Notice: worker unresponsive!")}, fleet.Working, fleet.Healthy, "v2.active"},
		{"catching up after an outage", changes{heights(2_990_000, time.Second)}, fleet.Syncing, fleet.HandsOff, "v2.active.catching_up"},
		{"sticky mq egress behind working heights", changes{inState("S_ACTIVE", 2*h, "Error while synching mq egress: Error: timeout")}, fleet.Working, fleet.Healthy, "v2.active.egress_leftover"},

		{"starting", changes{inState("S_STARTING", m, "State changed from S_IDLE to S_STARTING")}, fleet.Starting, fleet.Wait, "v2.starting"},
		{"a context without a word yet", changes{inState("", time.Second, "")}, fleet.Starting, fleet.Wait, "v2.starting"},
		{"starting for long", changes{inState("S_STARTING", 11*m, "State changed from S_IDLE to S_STARTING")}, fleet.Starting, fleet.Act, "v2.starting.stuck"},
		{"starting for long, but it says something new", changes{inState("S_STARTING", 11*m, "Runtime initialized."), func(w *fleet.WorkerStatus) { w.MessageSeen = ago(m) }},
			fleet.Starting, fleet.Wait, "v2.starting"},
		{"starting far too long, whatever it says", changes{inState("S_STARTING", 31*m, "Runtime initialized."), func(w *fleet.WorkerStatus) { w.MessageSeen = ago(m) }},
			fleet.Starting, fleet.Act, "v2.starting.stuck"},

		{"syncing with moving counters", changes{inState("S_SYNCHING", 3*h, "Synching block data..."), heights(1_000_000, 20*time.Second)}, fleet.Syncing, fleet.HandsOff, "v2.syncing"},
		{"only the headers move", changes{inState("S_SYNCHING", 3*h, "Synching block data..."), heights(1_000_000, h), func(w *fleet.WorkerStatus) { w.Relay = at(9_000_000, m) }},
			fleet.Syncing, fleet.HandsOff, "v2.syncing"},
		{"-1 right after a restart", changes{inState("S_SYNCHING", 2*m, "Synching block data..."), heights(-1, 2*m)}, fleet.Syncing, fleet.HandsOff, "v2.syncing"},
		{"-1 for long", changes{inState("S_SYNCHING", 11*m, "Synching block data..."), heights(-1, 11*m)}, fleet.Unresponsive, fleet.Act, "v2.syncing.frozen"},
		{"sync frozen", changes{inState("S_SYNCHING", 2*h, "Synching block data..."), heights(1_000_000, 11*m)}, fleet.Unresponsive, fleet.Act, "v2.syncing.frozen"},
		{"old heights of the context before", changes{inState("S_SYNCHING", 2*m, "Synching block data..."), heights(1_000_000, 3*h)}, fleet.Syncing, fleet.HandsOff, "v2.syncing"},
		{"sync without any height for long", changes{inState("S_SYNCHING", 11*m, "Synching block data..."), noHeights}, fleet.Unresponsive, fleet.Act, "v2.syncing.frozen"},
		{"unresponsive notice during sync", changes{inState("S_SYNCHING", h, "Notice: worker unresponsive!"), session("WorkerUnresponsive"), heights(1_000_000, time.Second)},
			fleet.Syncing, fleet.HandsOff, "v2.syncing"},

		{"message queue", changes{inState("S_SYNCHED", 2*m, "Synching message queue...")}, fleet.Syncing, fleet.Wait, "v2.step.queue"},
		{"message queue for long", changes{inState("S_SYNCHED", 31*m, "Synching message queue...")}, fleet.Syncing, fleet.Person, "v2.step.queue"},
		{"sync-only stays in S_SYNCHED", changes{inState("S_SYNCHED", 900*h, "Sync only mode enabled, skipping on-chain operations."), syncOnly}, fleet.Syncing, fleet.HandsOff, "v2.sync_only"},
		{"sync-only by the bridge's setting", changes{inState("S_SYNCHED", 900*h, "Sync only mode enabled, skipping on-chain operations.")}, fleet.Syncing, fleet.HandsOff, "v2.sync_only"},
		{"sync-only and frozen", changes{inState("S_SYNCHED", 900*h, ""), syncOnly, frozen(h)}, fleet.Syncing, fleet.HandsOff, "v2.sync_only"},
		{"sync-only in S_ERROR", changes{failed(h, `"Error: connect ECONNREFUSED 127.0.1.1:8000"`), syncOnly}, fleet.Failing, fleet.Person, "v2.error.refused"},
		{"cooling down stays in S_SYNCHED", changes{inState("S_SYNCHED", 100*h, "Worker is cooling down, skipping on-chain operations.")}, fleet.CoolingDown, fleet.HandsOff, "v2.cooling"},
		{"cooling down by session", changes{session("WorkerCoolingDown"), frozen(h)}, fleet.CoolingDown, fleet.HandsOff, "v2.cooling"},
		{"cooling down by the older session", changes{session("MiningCoolingDown"), inState("S_PRE_MINING", h, "Waiting until worker ready...")}, fleet.CoolingDown, fleet.HandsOff, "v2.cooling"},
		{"cooling down in S_ERROR", changes{session("WorkerCoolingDown"), failed(h, "null")}, fleet.CoolingDown, fleet.HandsOff, "v2.cooling"},
		{"mq egress recurs", changes{inState("S_SYNCHED", 4*m, "Error while synching mq egress: Error: timeout"), func(w *fleet.WorkerStatus) { w.MessageSeen = ago(10 * time.Second) }},
			fleet.Unresponsive, fleet.Act, "v2.egress"},
		{"mq egress recurs, but not for long", changes{inState("S_SYNCHED", 2*m, "Error while synching mq egress: Error: timeout"), func(w *fleet.WorkerStatus) { w.MessageSeen = ago(10 * time.Second) }},
			fleet.Syncing, fleet.Wait, "v2.step.other"},
		{"mq egress, an old text", changes{inState("S_SYNCHED", 4*m, "Error while synching mq egress: Error: timeout")}, fleet.Syncing, fleet.Wait, "v2.step.other"},

		{"kicked", changes{inState("S_KICKED", m, "State changed from S_ACTIVE to S_KICKED")}, fleet.Failing, fleet.Wait, "v2.kicked"},
		{"kicked for long", changes{inState("S_KICKED", 3*m, "State changed from S_KICKED to S_KICKED")}, fleet.Failing, fleet.Act, "v2.kicked"},
		{"a state that nobody knows", changes{inState("S_DANCING", 3*h, "")}, fleet.Unknown, fleet.Wait, "v2.unknown_state"},

		{"disabled", changes{disabled, func(w *fleet.WorkerStatus) { w.Running = false }}, fleet.Disabled, fleet.HandsOff, "v2.disabled"},
		{"disabled, but the bridge still runs it", changes{disabled, failed(h, "null")}, fleet.Disabled, fleet.HandsOff, "v2.disabled"},
		{"enabled without a context", changes{func(w *fleet.WorkerStatus) { w.Running, w.State, w.StateSince = false, "", ago(m) }}, fleet.Starting, fleet.Wait, "v2.no_context"},
		{"enabled without a context for long", changes{func(w *fleet.WorkerStatus) { w.Running, w.State, w.StateSince = false, "", ago(11*m) }}, fleet.Failing, fleet.Person, "v2.no_context"},
		{"its status is old", changes{func(w *fleet.WorkerStatus) { w.Probe = silentFor(h); w.State = "S_ERROR" }}, fleet.Unknown, fleet.Wait, "v2.silent"},
	}
	for _, step := range []struct{ message, rule string }{
		{"Ensuring registration on chain...", "attestation"},
		{"Getting RA report...", "attestation"},
		{"Registering worker on chain...", "registering"},
		{"Waiting for benchmark...", "benchmark"},
		{"Adding worker on chain...", "adding"},
		{"Waiting until worker ready...", "ready"},
		{"Starting mining on chain...", "starting"},
		{"Starting worker on chain...", "starting"},
		{"Starting computing on chain...", "starting"},
		{"Updating stake on chain...", "stake"},
		{"Message queue synched.", "other"},
	} {
		for _, state := range []string{"S_PRE_MINING", "S_PRE_ACTIVE"} {
			tests = append(tests, struct {
				name      string
				given     changes
				condition fleet.Condition
				verdict   fleet.Verdict
				rule      string
			}{state + " " + step.message, changes{inState(state, 5*m, step.message)}, fleet.Starting, fleet.Wait, "v2.step." + step.rule}, struct {
				name      string
				given     changes
				condition fleet.Condition
				verdict   fleet.Verdict
				rule      string
			}{state + " for long: " + step.message, changes{inState(state, 61*m, step.message)}, fleet.Starting, fleet.Person, "v2.step." + step.rule})
		}
	}
	texts := catalog(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in := healthyBridge(20)
			w := &in.Status.Workers[3]
			for _, f := range tt.given {
				f(w)
			}
			b, ds := decide.Bridge(in)
			d := ds[3]
			if d.Condition != string(tt.condition) || d.Verdict != tt.verdict || d.Rule != tt.rule {
				t.Errorf("got %s, %s, %s; want %s, %s, %s\n%+v", d.Condition, d.Verdict, d.Rule, tt.condition, tt.verdict, tt.rule, d)
			}
			if b.Verdict != fleet.Healthy {
				t.Errorf("one worker is no trouble of the bridge: %+v", b)
			}
			for i, other := range ds {
				sound(t, other)
				said(t, texts, other)
				if i != 3 && other.Verdict != fleet.Healthy {
					t.Errorf("worker %d is drawn in: %+v", i, other)
				}
			}
			if d.Verdict == fleet.Act && d.Action != decide.ActionWorkerRestart {
				t.Errorf("action %q", d.Action)
			}
		})
	}
}

// TestErrorTexts has every text of S_ERROR that the references know, as v0 and as v2 write it.
func TestErrorTexts(t *testing.T) {
	pruntime := func(message string) string {
		return `{"payload":{"message":"` + message + `"},"signature":"0x00","status":"error","isRuntimeReturnedError":true}`
	}
	failedTx := func(name string) string {
		return `"Error: Tx failed: phalaStakePoolv2.` + name + `: \n  at Trade.send (/app/src/trade.js:1:1) TimeoutError"`
	}
	const (
		waits   = "restart"
		persons = "person"
	)
	tests := []struct {
		text, rule, after string
		hold              time.Duration
	}{
		{`"Error: connect ECONNREFUSED 127.0.1.4:8000"`, "refused", waits, 2 * m},
		{`{"name":"RequestError","code":"ECONNREFUSED","message":"connect ECONNREFUSED 127.0.1.4:8000","timings":{}}`, "refused", waits, 2 * m},
		{`"Error: connect EHOSTUNREACH 127.0.1.4:8000"`, "unreachable", waits, 15 * m},
		{`"Error: connect ENETUNREACH 127.0.1.4:8000"`, "unreachable", waits, 15 * m},
		{`"Error: getaddrinfo ENOTFOUND w-004"`, "name", persons, 0},
		{`"Error: getaddrinfo EAI_AGAIN w-004"`, "resolver", waits, 2 * m},
		{`{"name":"TimeoutError","code":"ETIMEDOUT","message":"Timeout awaiting 'request' for 30000ms"}`, "timeout", waits, 2 * m},
		{`"Error: timeout of 8000ms exceeded"`, "timeout", waits, 2 * m},
		{`"Error: timeout of 150000ms exceeded"`, "timeout", waits, 2 * m},
		{`"Error: connect ETIMEDOUT 127.0.1.4:8000"`, "timeout", waits, 2 * m},
		{`"Error: socket hang up"`, "reset", waits, 90 * time.Second},
		{`{"name":"RequestError","code":"ECONNRESET","message":"socket hang up"}`, "reset", waits, 90 * time.Second},
		{`"Error: write EPIPE"`, "reset", waits, 90 * time.Second},
		{`"Error: Request failed with status code 500"`, "http_5xx", waits, 2 * m},
		{`{"name":"HTTPError","code":"ERR_NON_2XX_3XX_RESPONSE","message":"Response code 500 (Internal Server Error)"}`, "http_5xx", waits, 2 * m},
		{`"Error: Request failed with status code 404"`, "http_4xx", persons, 0},
		{`{"name":"RequestError","code":"ERR_INVALID_URL","message":"Invalid URL"}`, "url", persons, 0},
		{pruntime("BlockNumberMismatch"), "block_number", waits, m},
		{pruntime("HeaderHashMismatch"), "validation", persons, 0},
		{pruntime("HeaderValidateFailed(x)"), "validation", persons, 0},
		{pruntime("StorageProofFailed(x)"), "validation", persons, 0},
		{pruntime("MissingJustification"), "validation", persons, 0},
		{pruntime("StateRootMismatch real=0x expected=0x"), "validation", persons, 0},
		{pruntime("ChainModeMismatch"), "validation", persons, 0},
		{pruntime("Decode input parameter failed"), "validation", persons, 0},
		{pruntime("NoStateRoot"), "no_state", waits, 2 * m},
		{pruntime("RelaychainHeaderNotSynced"), "no_state", waits, 2 * m},
		{pruntime("EmptyRequest"), "no_state", waits, 2 * m},
		{`{"name":"SyntaxError","message":"Unexpected token I in JSON at position 0"}`, "not_json", waits, m},
		{`"Error: Worker is assigned to other pool!"`, "tx.pool", persons, 0},
		{`"TypeError: Cannot destructure property 'genesisState' of '(intermediate value)' as it is null."`, "chain_not_known", persons, 0},
		{failedTx("WorkerNotRegistered"), "tx.registration", waits, 2 * m},
		{failedTx("BenchmarkMissing"), "tx.benchmark", waits, 10 * m},
		{failedTx("WorkerExists"), "tx.failed", waits, 2 * m},
		{failedTx("WorkerInAnotherPool"), "tx.pool", persons, 0},
		{failedTx("PoolDoesNotExist"), "tx.pool", persons, 0},
		{failedTx("WorkersExceedLimit"), "tx.pool", persons, 0},
		{failedTx("UnauthorizedOperator"), "tx.operator", persons, 0},
		{failedTx("UnauthorizedPoolOwner"), "tx.operator", persons, 0},
		{failedTx("InsufficientContribution"), "tx.stake", persons, 0},
		{failedTx("InsufficientFreeStake"), "tx.stake", persons, 0},
		{failedTx("CannotRestartWithLessStake"), "tx.stake", persons, 0},
		{failedTx("PRuntimeRejected"), "tx.image", persons, 0},
		{failedTx("OutdatedIASReport"), "tx.attestation", persons, 0},
		{failedTx("SomethingNew"), "tx.failed", waits, 2 * m},
		{`"Error: 1010: Invalid Transaction: Inability to pay some fees , e.g. account balance too low"`, "tx.gas", persons, 0},
		{`"Error: 1010: Invalid Transaction: Transaction is outdated"`, "tx.odd", waits, 2 * m},
		{`"Error: Tx has unexpected status: Invalid"`, "tx.odd", waits, 2 * m},
		{`"Error: Batch failed with no reason!"`, "tx.odd", waits, 2 * m},
		{`"TxTimeOutError: Timeout!"`, "tx.timeout", waits, 2 * m},
		{`"Error: Trader is down!"`, "trade.down", persons, 0},
		{`"Error: Trader process exited: 1"`, "trade.down", persons, 0},
		{`"Error: Timeout when getting key '0xabc'."`, "blob", waits, 2 * m},
		{`"Error: CRC Mismatch!"`, "blob", waits, 2 * m},
		{`"TypeError: Cannot read properties of null (reading 'state')"`, "no_chain_state", waits, m},
		{`"Error: Unhandled event 'SHOULD_MARK_SYNCHED' in state 'S_ERROR'."`, "late_event", waits, m},
		{`Failed to update runtime information!`, "runtime_info", waits, 90 * time.Second},
		{`null`, "cancelled", waits, 2 * m},
		{`"TypeError: Cannot read property 'x' of null"`, "unknown", waits, 2 * m},
		{`Notice: worker unresponsive!`, "hidden", waits, 2 * m},
		{`"Error: the moon is in the wrong place"`, "unknown", waits, 2 * m},
		{``, "unknown", waits, 2 * m},
	}
	texts := catalog(t)
	for _, tt := range tests {
		t.Run(tt.text, func(t *testing.T) {
			decideAfter := func(d time.Duration) fleet.Decision {
				in := healthyBridge(20)
				failed(d, tt.text)(&in.Status.Workers[3])
				_, ds := decide.Bridge(in)
				sound(t, ds[3])
				said(t, texts, ds[3])
				return ds[3]
			}
			early, late := decideAfter(tt.hold-time.Second), decideAfter(tt.hold+time.Second)
			if late.Rule != "v2.error."+tt.rule || late.Condition != "Failed" {
				t.Fatalf("rule %s, condition %s", late.Rule, late.Condition)
			}
			if tt.after == persons {
				if late.Verdict != fleet.Person || late.Action != "" {
					t.Errorf("a person is needed, got %+v", late)
				}
				return
			}
			if late.Verdict != fleet.Act || early.Verdict == fleet.Act || guarded(early) != "guard.holddown" {
				t.Errorf("before the hold-down %s %q, after it %s", early.Verdict, guarded(early), late.Verdict)
			}
			if !early.NextLook.Equal(now.Add(time.Second)) {
				t.Errorf("looks again at %v, not when the hold-down ends", early.NextLook)
			}
		})
	}
}

func TestUnreachableHostIsToldAtOnceAndProbedLater(t *testing.T) {
	in := healthyBridge(20)
	failed(m, `"Error: connect EHOSTUNREACH 127.0.1.4:8000"`)(&in.Status.Workers[3])
	_, ds := decide.Bridge(in)
	if ds[3].Verdict != fleet.Person {
		t.Errorf("got %+v", ds[3])
	}
}

func TestUnknownErrorIsTriedOnce(t *testing.T) {
	in := healthyBridge(20)
	w := &in.Status.Workers[3]
	failed(h, `"Error: the moon is in the wrong place"`)(w)
	in.Attempts = []fleet.Attempt{tried(w.Ref, decide.ActionWorkerRestart, h+m)}
	_, ds := decide.Bridge(in)
	if d := ds[3]; d.Verdict != fleet.Person || guarded(d) != "guard.tried guard.no_container_rung" {
		t.Errorf("got %s, guards %q", d.Verdict, guarded(d))
	}
}

// TestOldHeightsAfterARestart: v2 reports the heights of the context before until there are new ones.
func TestOldHeightsAfterARestart(t *testing.T) {
	for target, kind := range map[fleet.Ref]string{worker(3).Ref: decide.ActionWorkerRestart, prbB: "bridge.restart", nodeA: decide.ActionNodeRestart} {
		in := healthyBridge(20)
		frozen(6 * m)(&in.Status.Workers[3])
		in.Attempts = []fleet.Attempt{tried(target, kind, 2*m)}
		if _, ds := decide.Bridge(in); ds[3].Condition != string(fleet.Syncing) {
			t.Errorf("after %s: %+v", kind, ds[3])
		}
	}
}

func TestStateWithoutItsHistory(t *testing.T) {
	in := healthyBridge(20)
	w := &in.Status.Workers[3]
	failed(0, "null")(w)
	w.StateSince, w.Condition, w.Since = time.Time{}, fleet.Failing, ago(h)
	if _, ds := decide.Bridge(in); ds[3].Verdict != fleet.Act {
		t.Errorf("the condition's age counts: %+v", ds[3])
	}
	w.Since = time.Time{}
	if _, ds := decide.Bridge(in); ds[3].Verdict != fleet.Wait {
		t.Errorf("without any history the hold-down begins now: %+v", ds[3])
	}
}

func TestLongForeignTextIsClipped(t *testing.T) {
	in := healthyBridge(3)
	failed(h, strings.Repeat("链", 500))(&in.Status.Workers[1])
	_, ds := decide.Bridge(in)
	if text := ds[1].Reason.Args["message"]; len(text) > 170 || strings.ContainsRune(text, '�') {
		t.Errorf("%d bytes: %q", len(text), text)
	}
}

func TestWorkerCured(t *testing.T) {
	was := fleet.Decision{Since: ago(20 * m)}
	tests := []struct {
		name  string
		given []workerChange
		want  bool
	}{
		{"works", nil, true},
		{"syncs with moving headers", []workerChange{func(w *fleet.WorkerStatus) { w.Condition = fleet.Syncing; w.Para = at(-1, 10*m) }}, true},
		{"says Working, but has not moved since", []workerChange{heights(1, 25*m)}, false},
		{"says Working, moved once and stopped again", []workerChange{heights(1, 3*m)}, false},
		{"says Working, moved lately, but before the trouble began", []workerChange{heights(1, 90*time.Second), func(w *fleet.WorkerStatus) { w.Name = "fresh trouble" }}, false},
		{"still failed", []workerChange{func(w *fleet.WorkerStatus) { w.Condition = fleet.Failing }}, false},
		{"nobody sees it", []workerChange{func(w *fleet.WorkerStatus) { w.Probe = silentFor(h) }}, false},
		{"somebody disabled it", []workerChange{func(w *fleet.WorkerStatus) { w.Condition = fleet.Disabled }, heights(1, h)}, true},
		{"it cools down", []workerChange{func(w *fleet.WorkerStatus) { w.Condition = fleet.CoolingDown }, heights(1, h)}, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := worker(1)
			for _, f := range tt.given {
				f(&w)
			}
			since := was
			if w.Name == "fresh trouble" {
				since.Since = ago(m)
			}
			if got := decide.WorkerCured(since, w, defaults, now); got != tt.want {
				t.Errorf("got %v", got)
			}
		})
	}
}

func TestNodeCured(t *testing.T) {
	was := fleet.Decision{Since: ago(20 * m)}
	tests := []struct {
		name  string
		given func(*fleet.NodeStatus)
		want  bool
	}{
		{"healthy", func(*fleet.NodeStatus) {}, true},
		{"syncing and moving", func(n *fleet.NodeStatus) { n.Condition = fleet.NodeSyncing }, true},
		{"healthy by the last decision, the relay stands", func(n *fleet.NodeStatus) { n.Relay = chain(1, 3*m) }, false},
		{"silent", func(n *fleet.NodeStatus) { dark(2 * m)(n.Para) }, false},
		{"stalled", func(n *fleet.NodeStatus) { n.Condition = fleet.NodeStalled }, false},
		{"one chain", func(n *fleet.NodeStatus) { n.Relay = nil }, true},
		{"no chain", func(n *fleet.NodeStatus) { n.Para, n.Relay = nil, nil }, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			n := healthyNode().Status
			tt.given(&n)
			if got := decide.NodeCured(was, n, defaults, now); got != tt.want {
				t.Errorf("got %v", got)
			}
		})
	}
}

func TestTheSameFactsGiveTheSameDecisions(t *testing.T) {
	in := healthyBridge(30)
	for i := range 9 {
		failed(time.Duration(3+7*i)*m, "null")(&in.Status.Workers[i])
	}
	b, ws := decide.Bridge(in)
	for range 20 {
		b2, ws2 := decide.Bridge(in)
		if diff := cmp.Diff(ws, ws2); diff != "" || !cmp.Equal(b, b2) {
			t.Fatal(diff)
		}
	}
}
