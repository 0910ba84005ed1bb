package decide_test

import (
	"slices"
	"testing"
	"time"

	"phalops/internal/decide"
	"phalops/internal/fleet"
)

func witnesses(d fleet.Decision) []string {
	var codes []string
	for _, r := range d.Witnesses {
		codes = append(codes, r.Code)
	}
	return codes
}

// TestPruntimeAsAWitness: the bridge shows its own view. The pRuntime itself, where it is asked, tells whether that is true.
func TestPruntimeAsAWitness(t *testing.T) {
	other := pruntime(func(p *fleet.PruntimeStatus) { p.PublicKey = "cd" })
	keyed := func(w *fleet.WorkerStatus) { w.PublicKey = "ab" }
	never := pruntime(func(p *fleet.PruntimeStatus) {
		p.Probe = fleet.Probe{Failed: ago(h), Missed: 240, Cause: fleet.Because("wire.timeout", "url", p.Endpoint)}
	})
	lost := func(d time.Duration, text string) workerChange { return inState("S_ERROR", d, text) }
	const refusedText = `"Error: connect ECONNREFUSED 127.0.1.4:8000"`
	v3 := func(d time.Duration, text string) workerChange { return inState("HasError", d, text) }
	rpc := "Continously received 41 RpcError from pRuntime. Last one: " + rpcRefused

	tests := []struct {
		name    string
		gen     string
		given   []workerChange
		want    string
		witness string
	}{
		{"frozen, and so is the pRuntime", "v2", all(frozen(6*m), ownHeight(2_999_898, 6*m)), "Unresponsive act v2.active.frozen worker.frozen", "witness.pruntime_still"},
		{"frozen, but only in the bridge's eyes", "v2", all(frozen(6*m), ownHeight(2_999_998, time.Second)), "Working wait v2.active.stale_view worker.stale_view", "witness.pruntime_moving"},
		{"frozen for an hour in the bridge's eyes only", "v2", all(frozen(61*m), ownHeight(2_999_998, time.Second)), "Working person v2.active.stale_view worker.stale_view", "witness.pruntime_moving"},
		{"frozen in the bridge's eyes, and the chain agrees", "v2", all(frozen(6*m), session("WorkerUnresponsive"), ownHeight(2_999_998, time.Second)), "Unresponsive act v2.active.unresponsive worker.frozen_unresponsive", "witness.pruntime_moving"},
		{"frozen, the pRuntime moves, and is another one", "v2", all(frozen(6*m), ownHeight(2_999_998, time.Second), other, keyed), "Unresponsive act v2.active.frozen worker.frozen", ""},
		{"frozen, and the pRuntime is dead", "v2", all(frozen(6*m), ownSilence(4*m, "wire.refused")), "Unresponsive wait v2.active.frozen worker.frozen", "witness.pruntime_silent"},
		{"frozen, and the pRuntime is dead for long", "v2", all(frozen(11*m), ownSilence(11*m, "wire.refused")), "Unresponsive person v2.active.frozen worker.frozen", "witness.pruntime_silent"},
		{"frozen, and we never reached the pRuntime", "v2", all(frozen(6*m), never), "Unresponsive act v2.active.frozen worker.frozen", ""},
		{"frozen, and the chain still has it idle", "v2", all(frozen(6 * m)), "Unresponsive act v2.active.frozen worker.frozen", "witness.session"},
		{"frozen in sync, and the pRuntime is dead", "v2", all(inState("S_SYNCHING", 3*h, "Synching block data..."), heights(1_000_000, 11*m), ownSilence(9*m, "wire.timeout")),
			"Unresponsive wait v2.syncing.frozen worker.syncing_frozen", "witness.pruntime_silent"},
		{"growing, but the pRuntime stands still", "v3", all(ownHeight(2_990_000, 11*m)), "Unresponsive act v3.active.doubted worker.doubted", "witness.pruntime_still"},
		{"growing, but the pRuntime has stood still for a moment", "v3", all(ownHeight(2_990_000, 6*m)), "Unresponsive wait v3.active.doubted worker.doubted", "witness.pruntime_still"},
		{"growing, and the pRuntime stood still when it was asked some minutes ago", "v3",
			all(ownHeight(2_990_000, 11*m), pruntime(func(p *fleet.PruntimeStatus) { p.At = ago(2 * m) })), "Working healthy v3.active -", ""},
		{"growing since the pRuntime was asked", "v3", all(ownHeight(2_990_000, 11*m), pruntime(func(p *fleet.PruntimeStatus) { p.Shown = 2_990_000 })), "Working healthy v3.active -", ""},
		{"growing, and the pRuntime is nearly there", "v3", all(ownHeight(2_999_990, 6*m)), "Working healthy v3.active -", ""},
		{"growing, and the pRuntime is silent", "v3", all(ownSilence(6*m, "wire.timeout")), "Working healthy v3.active -", ""},

		{"refused, and dead", "v2", all(lost(4*m, refusedText), ownSilence(4*m, "wire.refused")), "Failed wait v2.error.refused worker.error.refused", "witness.pruntime_silent"},
		{"refused, and dead for long", "v2", all(lost(6*m, refusedText), ownSilence(6*m, "wire.refused")), "Failed person v2.error.refused worker.error.refused", "witness.pruntime_silent"},
		{"refused, and hangs", "v2", all(lost(9*m, refusedText), ownSilence(9*m, "wire.timeout")), "Failed wait v2.error.refused worker.error.refused", "witness.pruntime_silent"},
		{"refused, and back", "v2", all(lost(5*m, refusedText), ownHeight(2_999_000, m)), "Failed act v2.error.refused worker.error.refused", "witness.pruntime_moving"},
		{"kicked, and not yet back", "v0", all(inState("S_KICKED", 5*m, ""), ownSilence(4*m, "wire.refused")), "Failed wait v0.kicked worker.kicked", "witness.pruntime_silent"},
		{"kicked, and back", "v0", all(inState("S_KICKED", 5*m, ""), ownHeight(2_999_000, 5*m)), "Failed act v0.kicked worker.kicked", "witness.pruntime_still"},

		{"v3's first question failed, and it is dead", "v3", all(noHeights, v3(5*m, "pRuntime returned an error: "+rpcRefused), ownSilence(4*m, "wire.refused")), "Failed wait v3.error.late worker.v3.late", "witness.pruntime_silent"},
		{"v3's first question failed, and it is back", "v3", all(noHeights, v3(5*m, "pRuntime returned an error: "+rpcRefused), ownHeight(2_999_000, 5*m)), "Failed act v3.error.late worker.v3.late", "witness.pruntime_still"},
		{"v3 cannot reach it, nor can we", "v3", all(noHeights, v3(5*m, rpc), ownSilence(4*m, "wire.refused")), "Failed wait v3.error.rpc worker.v3.rpc", "witness.pruntime_silent"},
		{"v3 cannot reach it, and we cannot for long", "v3", all(noHeights, v3(11*m, rpc), ownSilence(11*m, "wire.refused")), "Failed person v3.error.rpc worker.v3.rpc", "witness.pruntime_silent"},
		{"v3 cannot reach it, we can: its next answer clears it", "v3", all(noHeights, v3(5*m, rpc), ownHeight(2_999_000, 5*m)), "Failed wait v3.error.rpc worker.v3.rpc", "witness.pruntime_still"},
		{"v3 still cannot reach it, and we can", "v3", all(noHeights, v3(7*m, rpc), ownHeight(2_999_000, 5*m)), "Failed act v3.error.rpc worker.v3.rpc", "witness.pruntime_still"},
	}
	texts := catalog(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in := gens[tt.gen].bridge(20)
			for _, f := range tt.given {
				f(&in.Status.Workers[3])
			}
			_, ds := decide.Bridge(in)
			d := ds[3]
			sound(t, d)
			said(t, texts, d)
			if told(d) != tt.want {
				t.Errorf("got  %s\nwant %s\n%+v", told(d), tt.want, d)
			}
			if tt.witness != "" && !slices.Contains(witnesses(d), tt.witness) {
				t.Errorf("witnesses %q, not %s", witnesses(d), tt.witness)
			}
			if tt.witness == "" && len(witnesses(d)) > 1 {
				t.Errorf("witnesses %q", witnesses(d))
			}
		})
	}
}

// TestCuredByThePruntimesOwnWord: its bridge's view may stand still for good.
func TestCuredByThePruntimesOwnWord(t *testing.T) {
	was := fleet.Decision{Since: ago(20 * m)}
	w := worker(3)
	frozen(25 * m)(&w)
	for name, tt := range map[string]struct {
		given workerChange
		want  bool
	}{
		"it moves":                        {ownHeight(2_999_998, time.Second), true},
		"it moved before the trouble":     {ownHeight(2_999_998, 25*m), false},
		"it is silent":                    {ownSilence(30*time.Second, "wire.timeout"), false},
		"nobody has asked it for an hour": {pruntime(func(p *fleet.PruntimeStatus) { p.Probe, p.Para = fleet.Probe{At: ago(h)}, at(2_999_998, h) }), false},
	} {
		one := w
		tt.given(&one)
		if got := decide.WorkerCured(was, one, defaults, now); got != tt.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// TestV0FetcherHasNothing: right after its start the fetcher is at -1. Nobody is to blame for what it cannot hand out.
func TestV0FetcherHasNothing(t *testing.T) {
	in := v0Bridge(20)
	in.Status.DataProviders[0].Status = "S_SYHCHING"
	in.Status.DataProviders[0].Para = at(-1, 10*m)
	for i := range in.Status.Workers {
		inState("S_SYNCHING", h, "Synching block data...")(&in.Status.Workers[i])
		heights(-1, h)(&in.Status.Workers[i])
	}
	b, ds := decide.Bridge(in)
	if b.Condition != string(fleet.BridgeStarved) || !slices.Contains(witnesses(b), "bridge.source_none") {
		t.Errorf("%+v", b)
	}
	for _, d := range ds {
		if d.Action != "" || d.Rule != "v0.starved" {
			t.Fatalf("%+v", d)
		}
	}
}

// TestADisabledPoolChangesNothing: in no generation does a pool's flag stop its workers.
func TestADisabledPoolChangesNothing(t *testing.T) {
	for _, gen := range []string{"v0", "v2", "v3"} {
		in := gens[gen].bridge(20)
		in.Status.Pools = []fleet.Pool{{ID: "p", PID: 83, Enabled: false}}
		frozen(6 * m)(&in.Status.Workers[3])
		_, ds := decide.Bridge(in)
		if ds[3].Verdict != fleet.Act || ds[4].Verdict != fleet.Healthy {
			t.Errorf("%s: %+v, %+v", gen, ds[3], ds[4])
		}
	}
}

// TestUnseenWorkersAreNamedAfterTheirGeneration: healing.watch goes by names.
func TestUnseenWorkersAreNamedAfterTheirGeneration(t *testing.T) {
	for _, gen := range []string{"v0", "v2", "v3"} {
		in := gens[gen].bridge(2)
		in.Status.Monitor = silentFor(h)
		if _, ds := decide.Bridge(in); ds[0].Rule != gen+".unseen" || ds[0].Condition != string(fleet.Unknown) {
			t.Errorf("%+v", ds[0])
		}
	}
}

// TestWithoutANode: where no node is configured, v3's workers are each other's witnesses; a worker that is the only one is
// nobody's, and a chain that may stand still is no reason to restart it.
func TestWithoutANode(t *testing.T) {
	nodeless := func(in decide.BridgeInput, change ...workerChange) decide.BridgeInput {
		in.Node = nil
		for _, f := range change {
			f(&in.Status.Workers[0])
		}
		return in
	}
	blockTime := func(d time.Duration) workerChange {
		return pruntime(func(p *fleet.PruntimeStatus) { p.BlockTime = ago(d) })
	}
	unregistered := pruntime(func(p *fleet.PruntimeStatus) { p.Registered = new(false) })
	for _, tt := range []struct {
		name string
		in   decide.BridgeInput
		want string
	}{
		{"one of many is frozen", nodeless(v3Bridge(20), frozen(6*m)), "Unresponsive act v3.active.frozen worker.frozen_v3"},
		{"one of many is behind", nodeless(v3Bridge(20), heights(2_000_000, time.Second)), "Syncing handsoff v3.active.catching_up worker.catching_up"},
		{"the only one is frozen", nodeless(v3Bridge(1), frozen(6*m)), "Unresponsive wait v3.alone worker.alone"},
		{"the only one is frozen for long", nodeless(v3Bridge(1), frozen(16*m)), "Unresponsive person v3.alone worker.alone"},
		{"the only one grows", nodeless(v3Bridge(1)), "Working healthy v3.active -"},
		{"solo grows", nodeless(soloBridge(1)), "Working healthy solo.working -"},
		{"solo is frozen", nodeless(soloBridge(1), frozen(6*m), ownHeight(2_999_998, 6*m)), "Unresponsive wait solo.alone worker.alone"},
		{"solo syncs, by its own clock", nodeless(soloBridge(1), blockTime(h)), "Syncing handsoff solo.syncing worker.solo.syncing"},
		{"solo is at the tip, by its own clock", nodeless(soloBridge(1), blockTime(time.Minute), unregistered), "Starting wait solo.unregistered worker.solo.unregistered"},
		{"solo is not registered, nobody knows where it is", nodeless(soloBridge(1), unregistered), "Syncing handsoff solo.syncing worker.solo.syncing"},
	} {
		b, ds := decide.Bridge(tt.in)
		if told(ds[0]) != tt.want {
			t.Errorf("%s: got %s, want %s\n%+v", tt.name, told(ds[0]), tt.want, ds[0])
		}
		if b.Condition != string(fleet.BridgeHealthy) || b.Verdict == fleet.Person {
			t.Errorf("%s: the bridge is not to blame: %+v", tt.name, b)
		}
		sound(t, ds[0])
		said(t, catalog(t), ds[0])
	}
}

// TestANoticeDoesNotHideTheError: whoever fails is marked on chain soon, and the notice of that takes the error's place.
func TestANoticeDoesNotHideTheError(t *testing.T) {
	in := v0Bridge(20)
	w := &in.Status.Workers[3]
	failed(h, "Notice: worker unresponsive!")(w)
	w.Hidden = `{"name":"Error","message":"Inability to pay some fees"}`
	_, ds := decide.Bridge(in)
	if told(ds[3]) != "Failed person v0.error.tx.gas worker.error.gas" || ds[3].Reason.Args["message"] != "Inability to pay some fees" {
		t.Errorf("%+v", ds[3])
	}
	inState("S_PRE_MINING", 20*m, "Notice: worker unresponsive!")(w)
	w.Hidden = "Waiting for benchmark..."
	if _, ds = decide.Bridge(in); ds[3].Rule != "v0.step.benchmark" {
		t.Errorf("%+v", ds[3])
	}
}

// TestErrorsAreShownAsSentences: v0's errors are objects, and people want the sentence in them.
func TestErrorsAreShownAsSentences(t *testing.T) {
	for text, want := range map[string]string{
		`{"name":"RequestError","code":"ECONNREFUSED","timings":{"start":1},"message":"connect \"x\" ECONNREFUSED 127.0.1.4:8000","stack":"y"}`: `connect \"x\" ECONNREFUSED 127.0.1.4:8000`,
		pruntimeObject("BlockNumberMismatch"): "BlockNumberMismatch",
		`{"message":"torn`:                    "torn",
		`{"type":"pool"}`:                     `{"type":"pool"}`,
		`a "message":"b"`:                     `a "message":"b"`,
	} {
		in := v0Bridge(20)
		failed(h, text)(&in.Status.Workers[3])
		if _, ds := decide.Bridge(in); ds[3].Reason.Args["message"] != want {
			t.Errorf("%s is shown as %q", text, ds[3].Reason.Args["message"])
		}
	}
}

// TestTwins: two contexts that feed one pRuntime throw off each other's counters; v0's deleted workers come back as such.
func TestTwins(t *testing.T) {
	for gen, text := range map[string]string{
		"v0": pruntimeObject("BlockNumberMismatch"), "v2": pruntimeObject("BlockNumberMismatch"), "v3": "Need Restart Manually! Worker Info is not matching prb internal status.",
	} {
		in := gens[gen].bridge(20)
		inState(gens[gen].failed, h, text)(&in.Status.Workers[3])
		noHeights(&in.Status.Workers[3])
		in.Status.Workers[7].Endpoint = in.Status.Workers[3].Endpoint + "/"
		_, ds := decide.Bridge(in)
		if want := "Failed person " + gen + ".error.twin worker.error.twin"; told(ds[3]) != want || ds[3].Reason.Args["other"] != in.Status.Workers[7].Name {
			t.Errorf("got %s\n%+v", told(ds[3]), ds[3])
		}
		in.Status.Workers[7].Running = false
		if _, ds = decide.Bridge(in); ds[3].Verdict != fleet.Act {
			t.Errorf("%s: the other one does not run: %+v", gen, ds[3])
		}
	}
}

// TestOldStackIsNoError: what stands in a stack, or far behind the beginning, means nothing.
func TestOldStackIsNoError(t *testing.T) {
	for text, rule := range map[string]string{
		`{"name":"Error","message":"the moon","stack":"Error: the moon\n    at TxTimeOutError (ECONNREFUSED)"}`: "v2.error.unknown",
		"\"Error: the moon\\n  at BlockNumberMismatch (x)\"":                                                    "v2.error.unknown",
		"Error: the moon\n    at BlockNumberMismatch (x)":                                                       "v2.error.unknown",
	} {
		in := healthyBridge(20)
		failed(h, text)(&in.Status.Workers[3])
		if _, ds := decide.Bridge(in); ds[3].Rule != rule {
			t.Errorf("%s: %s", text, ds[3].Rule)
		}
	}
}
