package decide_test

import (
	"testing"
	"time"

	"phalops/internal/decide"
	"phalops/internal/fleet"
)

// pruntime changes what the pRuntime itself says.
func pruntime(change func(*fleet.PruntimeStatus)) workerChange {
	return func(w *fleet.WorkerStatus) {
		p := fleet.PruntimeStatus{Probe: answered, Endpoint: w.Endpoint, Initialized: new(true), Registered: new(true), Relay: w.Relay, ParaHeader: w.ParaHeader, Para: w.Para, Before: ago(30 * time.Second)}
		if w.Pruntime != nil {
			p = *w.Pruntime
		}
		change(&p)
		w.Pruntime = &p
	}
}

func ownHeight(v int64, d time.Duration) workerChange {
	return pruntime(func(p *fleet.PruntimeStatus) {
		p.Para, p.ParaHeader, p.Relay, p.Shown = at(v, d), at(v, d), at(v, d), 2_999_990
	})
}

func ownSilence(d time.Duration, code string) workerChange {
	return pruntime(func(p *fleet.PruntimeStatus) {
		p.Probe = silentFor(d)
		p.Cause = fleet.Because(code, "url", p.Endpoint)
	})
}

func wasSince(c fleet.Condition, d time.Duration) workerChange {
	return func(w *fleet.WorkerStatus) { w.Condition, w.Since = c, ago(d) }
}

// TestSolo has every fact of a pRuntime that says something about a worker with a pherry of its own.
func TestSolo(t *testing.T) {
	uninitialized := pruntime(func(p *fleet.PruntimeStatus) {
		p.Initialized, p.Registered, p.Para, p.ParaHeader, p.Relay = new(false), new(false), at(-1, h), at(-1, h), at(-1, h)
	})
	unregistered := pruntime(func(p *fleet.PruntimeStatus) { p.Registered = new(false) })
	waiting := pruntime(func(p *fleet.PruntimeStatus) { p.Waiting = new(true) })
	set := func(change func(*fleet.PruntimeStatus)) []workerChange { return all(pruntime(change)) }
	marked := func(d time.Duration) workerChange {
		return func(w *fleet.WorkerStatus) { w.Session, w.SessionSince = "WorkerUnresponsive", ago(d) }
	}
	checkStates(t, gens["solo"], []stateRow{
		{"", "", 0, nil, "Working healthy solo.working -"},
		{"", "", 0, all(session("WorkerIdle")), "Working healthy solo.working -"},
		{"", "", 0, all(func(w *fleet.WorkerStatus) { w.Pruntime = nil }), "Unknown wait solo.unseen worker.solo.unseen"},
		{"", "", 0, set(func(p *fleet.PruntimeStatus) { p.Probe = fleet.Probe{} }), "Unknown wait solo.unseen worker.solo.unseen"},
		{"", "", 0, all(disabled), "Disabled handsoff solo.disabled worker.disabled"},
		{"", "", 0, all(session("WorkerCoolingDown"), ownHeight(2_000_000, h)), "CoolingDown handsoff solo.cooling worker.cooling_v3"},

		// Silence is not knowing; a port at which nobody listens is.
		{"", "", 0, all(ownSilence(15*time.Second, "wire.timeout")), "Unknown wait solo.silent worker.solo.silent"},
		{"", "", 0, all(ownSilence(9*m, "wire.timeout")), "Unknown wait solo.silent worker.solo.silent"},
		{"", "", 0, all(ownSilence(11*m, "wire.timeout")), "Unknown person solo.silent worker.solo.silent"},
		{"", "", 0, all(ownSilence(m, "wire.refused")), "Failed wait solo.refused worker.solo.refused"},
		{"", "", 0, all(ownSilence(6*m, "wire.refused")), "Failed person solo.refused worker.solo.refused"},
		{"", "", 0, set(func(p *fleet.PruntimeStatus) { p.Probe = fleet.Probe{At: ago(h)} }), "Unknown wait solo.silent worker.solo.silent"}, // phalops slept

		// Half an answer proves nothing.
		{"", "", 0, set(func(p *fleet.PruntimeStatus) { p.Initialized = nil }), "Unknown wait solo.half_answer worker.solo.half_answer"},
		{"", "", 0, set(func(p *fleet.PruntimeStatus) { p.Para = fleet.Height{} }), "Unknown wait solo.half_answer worker.solo.half_answer"},
		{"", "", 0, set(func(p *fleet.PruntimeStatus) { p.Registered = nil }), "Unknown wait solo.half_answer worker.solo.half_answer"},

		// Before it works.
		{"", "", 0, all(uninitialized), "Starting wait solo.uninitialized worker.solo.uninitialized"},
		{"", "", 0, all(uninitialized, wasSince(fleet.Starting, 9*m)), "Starting wait solo.uninitialized worker.solo.uninitialized"},
		{"", "", 0, all(uninitialized, wasSince(fleet.Starting, 11*m)), "Failed act solo.uninitialized.stuck worker.solo.uninitialized"},
		{"", "", 0, all(uninitialized, wasSince(fleet.Failing, h)), "Failed act solo.uninitialized.stuck worker.solo.uninitialized"},
		{"", "", 0, all(unregistered), "Starting wait solo.unregistered worker.solo.unregistered"},
		{"", "", 0, all(unregistered, wasSince(fleet.Starting, 29*m)), "Starting wait solo.unregistered worker.solo.unregistered"},
		{"", "", 0, all(unregistered, wasSince(fleet.Starting, 31*m)), "Starting person solo.unregistered worker.solo.unregistered"},
		{"", "", 0, all(unregistered, ownHeight(2_000_000, time.Second)), "Syncing handsoff solo.syncing worker.solo.syncing"}, // not yet
		{"", "", 0, set(func(p *fleet.PruntimeStatus) { p.SafeMode = 1 }), "Failed person solo.safe_mode worker.solo.safe_mode"},
		{"", "", 0, set(func(p *fleet.PruntimeStatus) { p.Attests = []string{"none"} }), "Failed person solo.provider worker.error.provider"},
		{"", "", 0, set(func(p *fleet.PruntimeStatus) { p.Attests = nil }), "Working healthy solo.working -"}, // an older one

		// Heights: far behind any of the three will do, at the tip only blocks.
		{"", "", 0, all(ownHeight(2_000_000, 9*m)), "Syncing handsoff solo.syncing worker.solo.syncing"},
		{"", "", 0, all(ownHeight(2_000_000, 11*m)), "Unresponsive act solo.frozen worker.solo.frozen"},
		{"", "", 0, all(ownHeight(-1, 11*m)), "Unresponsive act solo.frozen worker.solo.frozen"},
		{"", "", 0, all(ownHeight(2_000_000, h), pruntime(func(p *fleet.PruntimeStatus) { p.Relay = at(9_000_000, m) })), "Syncing handsoff solo.syncing worker.solo.syncing"},
		{"", "", 0, all(ownHeight(2_999_980, 4*m)), "Working healthy solo.working -"},
		{"", "", 0, all(ownHeight(2_999_980, 6*m), pruntime(func(p *fleet.PruntimeStatus) { p.Relay = at(9_000_000, m) })), "Unresponsive act solo.frozen worker.solo.frozen"},
		{"", "", 0, all(ownHeight(2_999_980, 6*m), waiting), "Unresponsive act solo.frozen.paraheaders worker.solo.waiting"},
		{"", "", 0, all(waiting), "Working healthy solo.working -"},
		{"", "", 0, all(ownHeight(2_999_995, 6*m)), "Unresponsive wait solo.starved worker.starved"},

		// On chain.
		{"", "", 0, all(marked(10 * m)), "Working wait solo.active.recovering worker.recovering"},
		{"", "", 0, all(marked(2 * h)), "Working person solo.active.unheard worker.unheard"},
		{"", "", 0, all(session("Ready"), func(w *fleet.WorkerStatus) { w.SessionSince = ago(h) }), "Working person solo.active.not_computing worker.not_computing"},
		{"", "", 0, set(func(p *fleet.PruntimeStatus) { p.Pending = fleet.Height{Value: 100, Known: true} }), "Working person solo.queue worker.solo.queue"},
		{"", "", 0, set(func(p *fleet.PruntimeStatus) { p.Pending = fleet.Height{Value: 7, Known: true} }), "Working healthy solo.working -"},
	})
}

// TestSoloAfterAPherryRestart: its old heights get their time.
func TestSoloAfterAPherryRestart(t *testing.T) {
	in := soloBridge(1)
	w := &in.Status.Workers[0]
	ownHeight(2_999_900, h)(w)
	in.Attempts = []fleet.Attempt{tried(w.Ref, decide.ActionWorkerRestart, 4*m)}
	if _, ds := decide.Bridge(in); ds[0].Condition != string(fleet.Syncing) {
		t.Errorf("%+v", ds[0])
	}
}

func TestSoloCured(t *testing.T) {
	w := soloBridge(1).Status.Workers[0]
	was := fleet.Decision{Since: ago(20 * m)}
	if !decide.WorkerCured(was, w, defaults, now) {
		t.Error("it works")
	}
	frozen := w
	ownHeight(2_999_900, 25*m)(&frozen)
	heights(2_999_900, 25*m)(&frozen)
	if decide.WorkerCured(was, frozen, defaults, now) {
		t.Error("it has not moved since")
	}
}
