package decide

import (
	"strings"
	"time"
	"unicode/utf8"

	"phalops/internal/fleet"
)

// Spans of a worker's life (reference: the v0 and v2 state machines).
const (
	workerFrozenAfter = 5 * time.Minute  // a block height that stands still behind a working state
	syncFrozenAfter   = 10 * time.Minute // … while synching: -1 for a minute or two after a start is normal
	startingAfter     = 10 * time.Minute // S_STARTING without any change
	startingAtMost    = 30 * time.Minute // S_STARTING, whatever it says meanwhile
	kickedAfter       = 2 * time.Minute  // S_KICKED: the pRuntime needs a moment to come back
	noContextAfter    = 10 * time.Minute // enabled, but the bridge runs no context for it
	egressAfter       = 3 * time.Minute  // message queue failing again and again
	egressRecent      = time.Minute      // the queue is tried every 6 s: a text older than this is only a leftover
	unresponsiveAfter = time.Hour        // marked unresponsive although the heights grow
	workerGrace       = 3 * time.Minute  // what a restarted worker gets before anything else is done to it
	catchingUp        = 50               // blocks behind its data source from which a mining worker counts as syncing
)

// judge looks at the workers of one bridge.
type judge struct {
	*BridgeInput
	src source
}

// worker says how one worker is, before guards.
func (j *judge) worker(w *fleet.WorkerStatus) finding {
	cooling := strings.HasSuffix(w.Session, "CoolingDown")
	if w.State == "S_SYNCHED" && strings.Contains(w.Message, "is cooling down") {
		cooling = true
	}
	switch {
	case !j.Policy.current(w.Probe, j.Now):
		return finding{condition: string(fleet.Unknown), rule: "v2.silent", want: wantTime, since: latest(w.At, w.Failed),
			reason: fleet.Because("worker.silent", "at", w.At)}
	case !w.Enabled:
		return finding{condition: string(fleet.Disabled), rule: "v2.disabled", want: wantPeace, reason: fleet.Because("worker.disabled")}
	case cooling:
		return finding{condition: string(fleet.CoolingDown), rule: "v2.cooling", want: wantPeace, reason: fleet.Because("worker.cooling")}
	case !w.Running:
		return j.noContext(w)
	}
	switch w.State {
	case "", "S_IDLE", "S_STARTING": // a context that was just made has no word for its state yet
		return j.starting(w)
	case "S_SYNCHING":
		return j.synching(w)
	case "S_SYNCHED":
		return j.synched(w)
	case "S_PRE_MINING", "S_PRE_ACTIVE":
		return j.step(w, fleet.Starting)
	case "S_MINING", "S_ACTIVE":
		return j.active(w)
	case "S_KICKED":
		return finding{condition: string(fleet.Failing), rule: "v2.kicked", want: wantRestart, bad: true, quiet: fleet.Info, loud: fleet.Warning,
			since: j.stateSince(w), until: j.stateSince(w).Add(kickedAfter), reason: fleet.Because("worker.kicked", "for", j.inState(w))}
	case "S_ERROR":
		return j.failed(w)
	default:
		return finding{condition: string(fleet.Unknown), rule: "v2.unknown_state", want: wantTime, since: j.stateSince(w),
			reason: fleet.Because("worker.unknown_state", "state", clip(w.State))}
	}
}

// stateSince is since when the worker is in its state, as far as we saw.
func (j *judge) stateSince(w *fleet.WorkerStatus) time.Time {
	switch {
	case !w.StateSince.IsZero():
		return w.StateSince
	case !w.Since.IsZero():
		return w.Since
	}
	return w.At
}

func (j *judge) inState(w *fleet.WorkerStatus) time.Duration { return span(j.stateSince(w), w.At) }

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

func (j *judge) noContext(w *fleet.WorkerStatus) finding {
	since := latest(j.stateSince(w), j.touched(w))
	f := finding{condition: string(fleet.Starting), rule: "v2.no_context", want: wantTime, since: since, until: since.Add(noContextAfter),
		loud: fleet.Warning, reason: fleet.Because("worker.no_context", "bridge", j.Status.Ref)}
	if !f.until.After(j.Now) {
		f.condition, f.want, f.suspect = string(fleet.Failing), wantPerson, j.Status.Ref
		f.until = time.Time{}
	}
	return f
}

func (j *judge) starting(w *fleet.WorkerStatus) finding {
	since := j.stateSince(w)
	due := latest(since, w.MessageSeen, j.touched(w)).Add(startingAfter)
	if last := since.Add(startingAtMost); due.After(last) {
		due = last
	}
	f := finding{condition: string(fleet.Starting), rule: "v2.starting", want: wantTime, since: since, until: due,
		reason: fleet.Because("worker.starting", "for", j.inState(w), "message", clip(w.Message))}
	if !due.After(j.Now) {
		f.rule, f.want, f.bad, f.quiet, f.loud = "v2.starting.stuck", wantRestart, true, fleet.Info, fleet.Warning
		f.reason = fleet.Because("worker.starting_stuck", "for", j.inState(w), "message", clip(w.Message))
	}
	return f
}

func (j *judge) synching(w *fleet.WorkerStatus) finding {
	since := j.frozenSince(w, w.Relay, w.ParaHeader, w.Para)
	frozen := span(since, w.At)
	args := []any{"height", height(w.Para), "relay", height(w.Relay), "for", frozen, "head", j.src.height}
	if frozen < syncFrozenAfter {
		return finding{condition: string(fleet.Syncing), rule: "v2.syncing", want: wantPeace, until: since.Add(syncFrozenAfter),
			reason: fleet.Because("worker.syncing", args...)}
	}
	if f, ok := j.starved(w, since, args); ok {
		return f
	}
	return finding{condition: string(fleet.Unresponsive), rule: "v2.syncing.frozen", want: wantRestart, bad: true, since: since,
		quiet: fleet.Info, loud: fleet.Warning, reason: fleet.Because("worker.syncing_frozen", args...)}
}

// starved explains heights that stand still because the data source has nothing newer: no worker is at fault then.
func (j *judge) starved(w *fleet.WorkerStatus, since time.Time, args []any) (finding, bool) {
	if j.src.moving && j.src.ahead(w.Para) {
		return finding{}, false
	}
	suspect := j.src.ref
	if g := j.nodeGuard(); g != nil {
		suspect = g.suspect
	}
	return finding{condition: string(fleet.Unresponsive), rule: "v2.starved", want: wantTime, bad: true, since: since, suspect: suspect,
		quiet: fleet.Info, loud: fleet.Warning, reason: fleet.Because("worker.starved", args...)}, true
}

func (j *judge) synched(w *fleet.WorkerStatus) finding {
	if w.SyncOnly {
		return finding{condition: string(fleet.Syncing), rule: "v2.sync_only", want: wantPeace,
			reason: fleet.Because("worker.sync_only", "height", height(w.Para))}
	}
	if strings.Contains(w.Message, "Sync only mode enabled") {
		return finding{condition: string(fleet.Syncing), rule: "v2.sync_only", want: wantPeace,
			reason: fleet.Because("worker.sync_only_bridge", "height", height(w.Para))}
	}
	// Success never clears the text, so an old one means nothing; one with a new time stamp means that it fails right now.
	if isEgress(w.Message) && j.inState(w) >= egressAfter && w.At.Sub(w.MessageSeen) < egressRecent {
		return finding{condition: string(fleet.Unresponsive), rule: "v2.egress", want: wantRestart, bad: true, since: j.stateSince(w),
			until: j.stateSince(w).Add(egressAfter), quiet: fleet.Info, loud: fleet.Warning,
			reason: fleet.Because("worker.egress", "for", j.inState(w), "message", clip(w.Message))}
	}
	return j.step(w, fleet.Syncing)
}

// step is for the steps between sync and mining: they take their time, and a restart only begins them again.
func (j *judge) step(w *fleet.WorkerStatus, condition fleet.Condition) finding {
	r := stepRuleFor(w.Message)
	due := latest(j.stateSince(w), j.touched(w)).Add(r.wait)
	f := finding{condition: string(condition), rule: "v2.step." + r.name, want: wantTime, since: j.stateSince(w), until: due, loud: fleet.Warning,
		reason: fleet.Because(r.code, "state", w.State, "for", j.inState(w), "message", clip(w.Message))}
	if !due.After(j.Now) {
		f.want, f.bad, f.suspect, f.until = wantPerson, true, j.Status.Ref, time.Time{}
	}
	return f
}

// active is for S_ACTIVE and S_MINING: nothing is checked any more by the bridge, and a sync loop that died keeps the
// state for ever. Only growing heights prove work.
func (j *judge) active(w *fleet.WorkerStatus) finding {
	unresponsive := strings.HasSuffix(w.Session, "Unresponsive")
	if !w.Para.Known {
		return finding{condition: string(fleet.Unknown), rule: "v2.active.no_height", want: wantTime, since: j.stateSince(w),
			reason: fleet.Because("worker.no_height", "state", w.State)}
	}
	since := j.frozenSince(w, w.Para)
	frozen, lag := span(since, w.At), max(0, j.src.height-w.Para.Value)
	args := []any{"state", w.State, "height", w.Para.Value, "for", frozen, "head", j.src.height, "lag", lag, "session", w.Session}
	if frozen >= workerFrozenAfter {
		if f, ok := j.starved(w, since, args); ok {
			return f
		}
		f := finding{condition: string(fleet.Unresponsive), rule: "v2.active.frozen", want: wantRestart, bad: true, since: since,
			quiet: fleet.Info, loud: fleet.Warning, reason: fleet.Because("worker.frozen", args...)}
		if unresponsive {
			f.rule, f.reason = "v2.active.unresponsive", fleet.Because("worker.frozen_unresponsive", args...)
		}
		return f
	}
	condition := fleet.Working
	if lag >= catchingUp {
		condition = fleet.Syncing
	}
	f := finding{condition: string(condition), rule: "v2.active", until: since.Add(workerFrozenAfter)}
	switch {
	case unresponsive:
		f.rule, f.want, f.since, f.reason = "v2.active.recovering", wantTime, j.stateSince(w), fleet.Because("worker.recovering", args...)
		if isNotice(w.Message) {
			f.since = w.MessageSeen
		}
		if isNotice(w.Message) && condition == fleet.Working && w.At.Sub(w.MessageSeen) >= unresponsiveAfter {
			f.rule, f.want, f.loud, f.suspect = "v2.active.unheard", wantPerson, fleet.Warning, j.Status.Ref
			f.reason = fleet.Because("worker.unheard", append(args, "marked", w.At.Sub(w.MessageSeen))...)
		}
	case condition == fleet.Syncing:
		f.rule, f.want, f.reason = "v2.active.catching_up", wantPeace, fleet.Because("worker.catching_up", args...)
	case isEgress(w.Message):
		f.rule, f.reason = "v2.active.egress_leftover", fleet.Because("worker.egress_leftover", "height", w.Para.Value, "message", clip(w.Message))
	}
	return f
}

// failed reads S_ERROR by its text.
func (j *judge) failed(w *fleet.WorkerStatus) finding {
	r := errorRuleFor(w.Message)
	since := j.stateSince(w)
	f := finding{
		condition: string(fleet.Failing), rule: "v2.error." + r.name, want: r.want, since: since, until: since.Add(r.hold), tries: r.tries,
		quiet: fleet.Info, loud: fleet.Warning, bad: true, network: r.network, told: r.told, cause: r.cause,
		reason: fleet.Because(r.code, "endpoint", w.Endpoint, "pid", int64(w.PID), "for", j.inState(w), "message", clip(w.Message), "bridge", j.Status.Ref),
	}
	if r.parent {
		f.suspect = j.Status.Ref
	}
	if r.want == wantPerson {
		f.until = time.Time{}
	}
	return f
}

// span is from one moment to a later one, 0 where the order is odd.
func span(from, to time.Time) time.Duration { return max(0, to.Sub(from)) }

func isEgress(message string) bool {
	return strings.HasPrefix(message, "Error while synching mq egress")
}
func isNotice(message string) bool { return strings.HasPrefix(message, "Notice: worker unresponsive") }

// height is a height for people: "?" where it is unknown.
func height(h fleet.Height) any {
	if !h.Known {
		return "?"
	}
	return h.Value
}

// clip keeps a foreign text short enough for a sentence.
func clip(s string) string {
	const most = 160
	s = strings.Join(strings.Fields(s), " ")
	if len(s) <= most {
		return s
	}
	cut := most
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + "…"
}
