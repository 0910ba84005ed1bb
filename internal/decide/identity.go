package decide

import (
	"time"

	"phalops/internal/fleet"
)

const (
	// nakedFor is how long a pRuntime that had a key may be without one: after a restart without a checkpoint its bridge
	// initializes it within seconds, and its sealed key is back.
	nakedFor = 2 * time.Minute
	// disableTries is how often phalops itself tries to disable a worker before it asks a person.
	disableTries = 2
)

// identity speaks when another public key, or none, shows in the place of the one that belongs to a worker. The bridge would
// register the new key and lock a second stake for it, so it is taken out of its hands at once; nothing else is done to it.
// It stays so until the old key is back, or a person enables the worker again and accepts the new one with that.
func (j *judge) identity(w *fleet.WorkerStatus) (finding, bool) {
	if w.OtherKey == "" || !j.Policy.current(w.Probe, j.Now) {
		return finding{}, false
	}
	f := finding{condition: string(fleet.Failing), rule: j.Status.Version + ".identity_changed", want: wantDisable, since: w.OtherSince,
		quiet: fleet.Critical, loud: fleet.Critical}
	switch {
	case !w.Enabled:
		f.want, f.reason = wantPerson, fleet.Because("worker.identity_disabled", "known", short(w.KnownKey), "other", short(w.OtherKey), "at", w.OtherSince)
	case w.OtherKey == fleet.NoKey:
		f.until = w.OtherSince.Add(nakedFor)
		f.reason = fleet.Because("worker.identity_gone", "known", short(w.KnownKey), "at", w.OtherSince)
		if f.until.After(j.Now) {
			f.quiet = fleet.Info
		}
	default:
		f.reason = fleet.Because("worker.identity_changed", "known", short(w.KnownKey), "other", short(w.OtherKey), "at", w.OtherSince)
	}
	return f, true
}

// short is a key as people compare it.
func short(key string) string {
	if len(key) <= 16 {
		return key
	}
	return key[:8] + "…" + key[len(key)-8:]
}

// disable puts the guards on the one write besides restarts that nobody has to ask for. No parent, no cap and no budget of
// restarts holds it back: waiting costs a stake.
func (j *judge) disable(d fleet.Decision, w *fleet.WorkerStatus, f finding) fleet.Decision {
	h := past(j.past[w.Ref], w.Ref, ActionWorkerDisable, 24*time.Hour, j.Now)
	g := first(
		func() *guard { return j.claimed(w, past(j.past[w.Ref], w.Ref, "", j.Policy.WorkerBudget.Per, j.Now)) },
		func() *guard {
			if j.Blind {
				return &guard{why: fleet.Because("guard.blind"), suspect: fleet.Fleet}
			}
			if f.until.After(j.Now) {
				return &guard{why: fleet.Because("guard.holddown", "until", f.until), until: f.until}
			}
			if len(h.auto) >= disableTries {
				return &guard{why: fleet.Because("guard.not_disabled", "n", len(h.auto)), person: true}
			}
			if g := h.spent(Budget{Per: 24 * time.Hour, AtMost: disableTries, Backoff: time.Minute}, j.Now); g != nil {
				return g
			}
			return j.maintenance()
		},
	)
	if g != nil {
		return hold(d, f, *g)
	}
	return allow(d, j.Policy, ActionWorkerDisable)
}
