package decide

import (
	"slices"
	"time"

	"phalops/internal/fleet"
)

// Spans of a solo worker. Its pherry keeps no state, so restarting it is always safe; it has no API, and what it is at shows
// in its pRuntime only.
const (
	soloInitAfter     = 10 * time.Minute // pherry initializes within a minute, attestation included
	soloRegisterAfter = 30 * time.Minute // at the tip and not registered
	soloBlock         = 12 * time.Second // between two blocks of a parachain
	soloQueueLong     = 100              // messages that the chain has not taken; a worker makes one in minutes
)

// solo reads a pRuntime with a feeder of its own. The worker's only witness is that pRuntime, so silence is not knowing:
// only a port at which nobody listens shows that it is down.
func (j *judge) solo(w *fleet.WorkerStatus) finding {
	p := w.Pruntime
	switch {
	case p == nil || (p.At.IsZero() && p.Failed.IsZero()):
		return finding{condition: string(fleet.Unknown), rule: "unseen", want: wantTime, reason: fleet.Because("worker.solo.unseen", "endpoint", w.Endpoint)}
	case p.Missed > 0 || !j.Policy.current(p.Probe, j.Now):
		return j.soloSilent(w, p)
	case !w.Enabled:
		return finding{condition: string(fleet.Disabled), rule: "disabled", want: wantPeace, reason: fleet.Because("worker.disabled")}
	case isCooling(w):
		return finding{condition: string(fleet.CoolingDown), rule: "cooling", want: wantPeace, reason: fleet.Because(j.book().cooling), relayed: true}
	case p.Initialized == nil || !p.Para.Known:
		return finding{condition: string(fleet.Unknown), rule: "half_answer", want: wantTime, since: p.At, reason: fleet.Because("worker.solo.half_answer", "endpoint", w.Endpoint)}
	case p.SafeMode > 0:
		return j.soloPerson("safe_mode", fleet.Failing, p.At, "", fleet.Because("worker.solo.safe_mode", "level", p.SafeMode))
	case !*p.Initialized:
		return j.soloUninitialized(w, p)
	case len(p.Attests) > 0 && !slices.Contains(p.Attests, "epid") && !slices.Contains(p.Attests, "dcap"):
		return j.soloPerson("provider", fleet.Failing, p.At, causeImage, fleet.Because("worker.error.provider", "endpoint", w.Endpoint, "message", clip(p.Attests[0])))
	}
	return j.soloHeights(w, p)
}

func (j *judge) soloPerson(rule string, c fleet.Condition, since time.Time, cause string, why fleet.Reason) finding {
	return finding{condition: string(c), rule: rule, want: wantPerson, since: since, bad: true, cause: cause, loud: fleet.Warning, reason: why}
}

func (j *judge) soloSilent(w *fleet.WorkerStatus, p *fleet.PruntimeStatus) finding {
	since := p.Failed
	if since.IsZero() {
		since = p.At // nobody asked lately
	}
	f := finding{condition: string(fleet.Unknown), rule: "silent", want: wantTime, since: since, until: since.Add(pruntimeToldAfter), cause: causeNetwork,
		network: true, loud: fleet.Warning, reason: fleet.Because("worker.solo.silent", "endpoint", w.Endpoint, "for", span(since, j.Now))}
	if !p.Cause.IsZero() {
		f.witnesses = append(f.witnesses, p.Cause)
	}
	if p.Cause.Code == "wire.refused" && p.Missed > 1 {
		f.condition, f.rule, f.bad, f.quiet = string(fleet.Failing), "refused", true, fleet.Info
		f.reason = fleet.Because("worker.solo.refused", "endpoint", w.Endpoint, "for", span(since, j.Now))
		return j.silentPruntime(w, p, f)
	}
	if !f.until.After(j.Now) && !p.Failed.IsZero() {
		f.want, f.until = wantPerson, time.Time{}
	}
	return f
}

func (j *judge) soloUninitialized(w *fleet.WorkerStatus, p *fleet.PruntimeStatus) finding {
	since := latest(j.conditionSince(w, fleet.Starting, fleet.Failing), j.touched(w))
	f := finding{condition: string(fleet.Starting), rule: "uninitialized", want: wantTime, since: since, until: since.Add(soloInitAfter),
		reason: fleet.Because("worker.solo.uninitialized", "endpoint", w.Endpoint, "for", span(since, p.At))}
	if !f.until.After(j.Now) {
		f.condition, f.rule, f.want, f.tries, f.bad = string(fleet.Failing), "uninitialized.stuck", wantRestart, 2, true
		f.quiet, f.loud = fleet.Info, fleet.Warning
	}
	return f
}

// conditionSince is since when the worker has been in one of these conditions without a break; now when it was in another.
func (j *judge) conditionSince(w *fleet.WorkerStatus, cs ...fleet.Condition) time.Time {
	if slices.Contains(cs, w.Condition) && !w.Since.IsZero() {
		return w.Since
	}
	return j.Now
}

// soloHeights judges by what moves. Far behind, headers come before blocks; at the tip only blocks prove work.
func (j *judge) soloHeights(w *fleet.WorkerStatus, p *fleet.PruntimeStatus) finding {
	own := *w
	own.Relay, own.ParaHeader, own.Para, own.Probe = p.Relay, p.ParaHeader, p.Para, p.Probe
	lag := j.soloLag(&own, p)
	since, patience := latest(p.Para.MovedAt, j.touched(w)), workerFrozenAfter
	if lag >= catchingUp {
		since, patience = latest(since, p.Relay.MovedAt, p.ParaHeader.MovedAt), syncFrozenAfter
	}
	frozen := span(since, p.At)
	args := []any{"height", p.Para.Value, "relay", height(p.Relay), "for", frozen, "head", j.src.height, "lag", lag, "session", w.Session, "endpoint", w.Endpoint}
	if frozen >= patience {
		if f, ok := j.starved(&own, since, args); ok {
			return f
		}
		f := finding{condition: string(fleet.Unresponsive), rule: "frozen", want: wantRestart, bad: true, since: since, quiet: fleet.Info, loud: fleet.Warning,
			reason: fleet.Because(j.book().frozen, args...)}
		if p.Waiting != nil && *p.Waiting {
			f.rule, f.reason = "frozen.paraheaders", fleet.Because("worker.solo.waiting", args...)
		}
		return f
	}
	f := finding{condition: string(fleet.Syncing), rule: "syncing", want: wantPeace, until: since.Add(patience), reason: fleet.Because("worker.solo.syncing", args...)}
	switch {
	case lag >= catchingUp, !j.src.known && p.BlockTime.IsZero() && (p.Registered == nil || !*p.Registered):
		return f
	case p.Registered == nil:
		return finding{condition: string(fleet.Unknown), rule: "half_answer", want: wantTime, since: p.At, reason: fleet.Because("worker.solo.half_answer", "endpoint", w.Endpoint)}
	case !*p.Registered:
		return j.soloUnregistered(w, p, args)
	case isUnresponsive(w):
		return j.unresponsive(&own, finding{condition: string(fleet.Working)}, since)
	case j.ready(w) >= notComputingAfter:
		return j.notComputing(&own)
	case p.Pending.Known && p.Pending.Value >= soloQueueLong:
		return j.soloPerson("queue", fleet.Working, j.Now, causeGas, fleet.Because("worker.solo.queue", "n", p.Pending.Value))
	}
	return finding{condition: string(fleet.Working), rule: "working", until: since.Add(workerFrozenAfter)}
}

// soloLag is how many blocks the node is ahead, or without a node how many the clock is ahead of the newest block.
func (j *judge) soloLag(w *fleet.WorkerStatus, p *fleet.PruntimeStatus) int64 {
	if j.src.known || p.BlockTime.IsZero() {
		return j.lag(w)
	}
	return int64(span(p.BlockTime, p.Para.MovedAt) / soloBlock)
}

// soloUnregistered is at the tip, where pherry registers it. A registration that failed ends pherry, which tries again by
// itself, so a person must read why.
func (j *judge) soloUnregistered(w *fleet.WorkerStatus, p *fleet.PruntimeStatus, args []any) finding {
	since := latest(j.conditionSince(w, fleet.Starting), j.touched(w))
	f := finding{condition: string(fleet.Starting), rule: "unregistered", want: wantTime, since: since, until: since.Add(soloRegisterAfter), loud: fleet.Warning,
		reason: fleet.Because("worker.solo.unregistered", append(args, "since", span(since, p.At))...)}
	if !f.until.After(j.Now) {
		f.want, f.bad, f.until, f.cause = wantPerson, true, time.Time{}, causeGas
	}
	return f
}
