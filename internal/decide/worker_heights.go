package decide

import (
	"strings"
	"time"

	"phalops/internal/fleet"
)

// frozenSince is since when the worker's heights stand still in this state and since the last treatment: after a restart
// v2 reports the old heights until there are new ones.
func (j *judge) frozenSince(w *fleet.WorkerStatus, heights ...fleet.Height) time.Time {
	t := latest(j.stateSince(w), j.touched(w))
	for _, h := range heights {
		if h.Known {
			t = latest(t, h.MovedAt)
		}
	}
	return t
}

// synching is for a worker that its bridge feeds with the past: growing counters are all it needs.
func (j *judge) synching(w *fleet.WorkerStatus) finding {
	since := j.frozenSince(w, w.Relay, w.ParaHeader, w.Para)
	frozen := span(since, w.At)
	args := []any{"height", height(w.Para), "relay", height(w.Relay), "for", frozen, "head", j.src.height}
	patience := syncFrozenAfter
	if callLost(w) {
		patience = lostCallAfter
	}
	if frozen < patience {
		return finding{condition: string(fleet.Syncing), rule: "syncing", want: wantPeace, until: since.Add(patience),
			reason: fleet.Because("worker.syncing", args...)}
	}
	if f, ok := j.starved(w, since, args); ok {
		return f
	}
	if f, ok := j.checkpointing(w, fleet.Syncing); ok {
		return f
	}
	return j.ask(w, finding{condition: string(fleet.Unresponsive), rule: "syncing.frozen", want: wantRestart, bad: true, since: since,
		quiet: fleet.Info, loud: fleet.Warning, reason: fleet.Because("worker.syncing_frozen", args...)})
}

// starved explains heights that stand still because the data source has nothing newer: no worker is at fault then.
func (j *judge) starved(w *fleet.WorkerStatus, since time.Time, args []any) (finding, bool) {
	if j.src.moving && j.src.ahead(w.Para) {
		return finding{}, false
	}
	if j.src.nobody {
		return j.alone(w, since), true
	}
	return finding{condition: string(fleet.Unresponsive), rule: "starved", want: wantTime, bad: true, since: since, suspect: j.upstream(), cause: causeSource,
		quiet: fleet.Info, loud: fleet.Warning, reason: fleet.Because("worker.starved", args...)}, true
}

// alone is a height that stands still where nobody tells whether the chain goes on: what stands may be the chain.
func (j *judge) alone(w *fleet.WorkerStatus, since time.Time) finding {
	f := finding{condition: string(fleet.Unresponsive), rule: "alone", want: wantTime, bad: true, since: since, until: since.Add(aloneAfter), loud: fleet.Warning,
		quiet: fleet.Info, reason: fleet.Because("worker.alone", "height", height(w.Para), "for", span(since, w.At), "bridge", j.Status.Ref)}
	if !f.until.After(j.Now) {
		f.want, f.until = wantPerson, time.Time{}
	}
	return f
}

// active is for the state in which a worker is said to work: nothing is checked any more by the bridge, and a sync that died
// keeps the state for ever. Only growing heights prove work.
func (j *judge) active(w *fleet.WorkerStatus) finding {
	if !w.Para.Known {
		return finding{condition: string(fleet.Unknown), rule: "active.no_height", want: wantTime, since: j.stateSince(w),
			reason: fleet.Because("worker.no_height", "state", w.State)}
	}
	since := j.frozenSince(w, w.Para)
	if frozen := span(since, w.At); frozen >= workerFrozenAfter || (frozen >= lostCallAfter && callLost(w)) {
		return j.frozen(w, since)
	}
	return j.growing(w, since)
}

// callLost reports whether v3 has just recovered from calls that failed. When one of them was a sync call, nothing asks for
// the next, so heights that do not go on at once never will.
func callLost(w *fleet.WorkerStatus) bool {
	return strings.HasPrefix(w.Message, "Recovered from RpcError")
}

// lag is how many blocks the data source is ahead.
func (j *judge) lag(w *fleet.WorkerStatus) int64 { return max(0, j.src.height-w.Para.Value) }

func (j *judge) workArgs(w *fleet.WorkerStatus, since time.Time) []any {
	return []any{"state", w.State, "height", height(w.Para), "for", span(since, w.At), "head", j.src.height, "lag", j.lag(w), "session", w.Session,
		"message", clip(w.Message)}
}

// frozen is a working state behind which the height stands still. The pRuntime itself and the chain are heard as witnesses:
// what the bridge shows is its own view, which may have died alone.
func (j *judge) frozen(w *fleet.WorkerStatus, since time.Time) finding {
	args := j.workArgs(w, since)
	if f, ok := j.starved(w, since, args); ok {
		return f
	}
	if f, ok := j.checkpointing(w, fleet.Working); ok {
		return f
	}
	f := finding{condition: string(fleet.Unresponsive), rule: "active.frozen", want: wantRestart, bad: true, since: since,
		quiet: fleet.Info, loud: fleet.Warning, reason: fleet.Because(j.book().frozen, args...)}
	if isUnresponsive(w) {
		f.rule, f.reason = "active.unresponsive", fleet.Because("worker.frozen_unresponsive", args...)
	} else if w.Session != "" {
		f.witnesses = append(f.witnesses, fleet.Because("witness.session", "session", w.Session))
	}
	return j.compare(w, f)
}

// growing is a working state with a height that moves.
func (j *judge) growing(w *fleet.WorkerStatus, since time.Time) finding {
	condition := fleet.Working
	if j.lag(w) >= catchingUp {
		condition = fleet.Syncing
	}
	f := finding{condition: string(condition), rule: ruleActive, until: since.Add(workerFrozenAfter)}
	switch {
	case isUnresponsive(w):
		return j.unresponsive(w, f, since)
	case condition == fleet.Syncing:
		f.rule, f.want, f.reason = "active.catching_up", wantPeace, fleet.Because("worker.catching_up", j.workArgs(w, since)...)
	case j.ready(w) >= notComputingAfter:
		return j.notComputing(w)
	case isEgress(w.Message):
		f.rule, f.reason = "active.egress_leftover", fleet.Because("worker.egress_leftover", "height", w.Para.Value, "message", clip(w.Message))
	}
	return j.doubt(w, f)
}

// ready is for how long the chain has had the worker computing nothing, as far as we saw. A gatekeeper has no session.
func (j *judge) ready(w *fleet.WorkerStatus) time.Duration {
	if w.Session != "Ready" || w.Gatekeeper || w.SessionSince.IsZero() {
		return 0
	}
	return span(latest(w.SessionSince, j.stateSince(w)), w.At)
}

// notComputing is a worker in which all is well but that nobody pays for. Somebody may have stopped it on purpose, so a
// restart, which would make it compute again, is a person's.
func (j *judge) notComputing(w *fleet.WorkerStatus) finding {
	return finding{condition: string(fleet.Working), rule: "active.not_computing", want: wantPerson, since: latest(w.SessionSince, j.stateSince(w)), loud: fleet.Warning, relayed: true,
		reason: fleet.Because("worker.not_computing", "height", height(w.Para), "for", j.ready(w))}
}

// unresponsive is a worker that the chain has marked although it works: it recovers by itself once its heartbeats get
// through, and when they do not although it is at the tip, the way of its transactions is at fault.
func (j *judge) unresponsive(w *fleet.WorkerStatus, f finding, since time.Time) finding {
	args := j.workArgs(w, since)
	f.rule, f.want, f.since, f.reason, f.relayed = "active.recovering", wantTime, j.stateSince(w), fleet.Because("worker.recovering", args...), true
	marked := w.SessionSince
	if marked.IsZero() && isNotice(w.Message) {
		marked = w.MessageSeen
	}
	if marked.IsZero() {
		return f
	}
	f.since = marked
	if f.condition == string(fleet.Working) && w.At.Sub(marked) >= unresponsiveAfter {
		f.rule, f.want, f.loud, f.suspect, f.cause = "active.unheard", wantPerson, fleet.Warning, j.Status.Ref, causeGas
		f.until, f.reason = time.Time{}, fleet.Because("worker.unheard", append(args, "marked", w.At.Sub(marked))...)
	}
	return f
}
