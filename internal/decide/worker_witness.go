package decide

import (
	"strings"
	"time"

	"phalops/internal/fleet"
)

// Spans of what a pRuntime itself shows.
const (
	pruntimeToldAfter = 10 * time.Minute // it does not answer, whatever the bridge waits for
	pruntimeGoneAfter = 5 * time.Minute  // nobody listens at its port: what supervises it had its chance
	pruntimeBusy      = 3 * time.Minute  // a huge batch of blocks may keep it from answering so long
	staleViewAfter    = time.Hour        // a bridge whose own view stands still while the pRuntime works
	checkpointTakes   = 10 * time.Minute // of a worker with many contracts; blocks wait meanwhile
)

// testimony of a worker's pRuntime. Without any of the two nothing is known: nobody asks it, it never answered us, or it is
// another one than the bridge means.
type pruntimeSays struct {
	*fleet.PruntimeStatus
	answers bool
	silent  bool // it answered before, and does not now
}

// hear asks the pRuntime as a witness.
func (j *judge) hear(w *fleet.WorkerStatus) pruntimeSays {
	p := w.Pruntime
	if p == nil || p.At.IsZero() || (p.PublicKey != "" && w.PublicKey != "" && p.PublicKey != w.PublicKey) {
		return pruntimeSays{}
	}
	return pruntimeSays{p, p.Missed == 0 && j.Policy.current(p.Probe, j.Now), p.Missed > 1}
}

// ask hears the pRuntime before a restart that needs it to answer: while it is silent a restart only begins the same again,
// in v3 even worse than before. A finding that waits gets its restart once the pRuntime answers and nothing came of it.
func (j *judge) ask(w *fleet.WorkerStatus, f finding) finding {
	p := j.hear(w)
	switch {
	case p.silent && (f.want == wantRestart || f.want == wantTime):
		f = j.silentPruntime(w, p.PruntimeStatus, f)
		f.witnesses = append(f.witnesses, fleet.Because("witness.pruntime_silent", "endpoint", w.Endpoint, "for", span(p.Failed, j.Now)), p.Cause)
	case p.answers:
		if f.want == wantTime && !f.since.Add(pruntimeBusy+workerGrace).After(j.Now) {
			f.want, f.until = wantRestart, time.Time{}
		}
		f.witnesses = append(f.witnesses, j.standing(w, p))
	case f.want == wantTime && !f.until.After(j.Now):
		f.want, f.until = wantPerson, time.Time{}
	}
	return f
}

// silentPruntime is for a finding whose pRuntime does not answer. One whose process is gone has nothing to lose, and its
// container can be started; one that hangs may still be at a huge batch of blocks, and is a person's.
func (j *judge) silentPruntime(w *fleet.WorkerStatus, p *fleet.PruntimeStatus, f finding) finding {
	gone := p.Cause.Code == "wire.refused"
	f.cause, f.network = causeNetwork, true
	f.want, f.until = wantTime, p.Failed.Add(pruntimeToldAfter)
	if gone {
		f.until = p.Failed.Add(pruntimeGoneAfter)
	}
	if f.until.After(j.Now) {
		return f
	}
	f.want, f.until = wantPerson, time.Time{}
	if _, ours := j.Containers[w.Ref]; gone && ours && j.Policy.has(RungContainer) {
		f.want, f.rungs, f.tries = wantRestart, []string{RungContainer}, 0
	}
	return f
}

// standing is what the pRuntime's own height shows.
func (j *judge) standing(w *fleet.WorkerStatus, p pruntimeSays) fleet.Reason {
	switch {
	case !p.Para.Known:
		return fleet.Because("witness.pruntime_answers", "endpoint", w.Endpoint)
	case p.Para.FrozenFor(p.At) < provedWithin:
		return fleet.Because("witness.pruntime_moving", "endpoint", w.Endpoint, "height", p.Para.Value)
	}
	return fleet.Because("witness.pruntime_still", "endpoint", w.Endpoint, "height", p.Para.Value, "for", p.Para.FrozenFor(p.At))
}

// compare holds a bridge's frozen height against the pRuntime's own. When that grows it is only the bridge's view that died,
// and a restart would cost work; its heartbeats come from the pRuntime.
func (j *judge) compare(w *fleet.WorkerStatus, f finding) finding {
	p := j.hear(w)
	if !p.answers || !p.Para.Known || p.Para.FrozenFor(p.At) >= provedWithin || p.Para.Value <= w.Para.Value || isUnresponsive(w) {
		return j.ask(w, f)
	}
	f.condition, f.rule, f.want, f.bad = string(fleet.Working), "active.stale_view", wantTime, false
	f.reason = fleet.Because("worker.stale_view", "state", w.State, "height", height(w.Para), "own", p.Para.Value, "for", span(f.since, w.At), "bridge", j.Status.Ref)
	f.until, f.quiet = f.since.Add(staleViewAfter), ""
	f.witnesses = append(f.witnesses, j.standing(w, p))
	if !f.until.After(j.Now) {
		f.want, f.until, f.suspect = wantPerson, time.Time{}, j.Status.Ref
	}
	return f
}

// doubt holds a growing height against the pRuntime's own: a bridge that counts on while its pRuntime stands still, far
// below, counts for itself.
func (j *judge) doubt(w *fleet.WorkerStatus, f finding) finding {
	p := j.hear(w)
	if !p.answers || !p.Para.Known || f.want == wantPerson || span(p.At, w.At) > time.Minute {
		return f // an older word says nothing against what the bridge shows now
	}
	frozen := p.Para.FrozenFor(p.At)
	if frozen < workerFrozenAfter || p.Shown-p.Para.Value < catchingUp {
		return f // it was asked while the bridge read on: what the bridge shows now, it may have caught up with since
	}
	since := latest(p.Para.MovedAt, j.stateSince(w), j.touched(w))
	f.condition, f.rule, f.want, f.bad, f.since, f.until = string(fleet.Unresponsive), "active.doubted", wantRestart, true, since, since.Add(2*workerFrozenAfter)
	f.quiet, f.loud = fleet.Info, fleet.Warning
	f.reason = fleet.Because("worker.doubted", "state", w.State, "height", w.Para.Value, "own", p.Para.Value, "for", frozen)
	f.witnesses = append(f.witnesses, j.standing(w, p))
	return f
}

// checkpointing speaks while the pRuntime writes a checkpoint that somebody asked for through v3: its blocks wait, and a
// stop now would cost what the checkpoint is for.
func (j *judge) checkpointing(w *fleet.WorkerStatus, condition fleet.Condition) (finding, bool) {
	if !strings.HasPrefix(w.Message, "Requesting TakeCheckpoint") {
		return finding{}, false
	}
	until := w.MessageSeen.Add(checkpointTakes)
	if !until.After(j.Now) {
		return finding{}, false
	}
	return finding{condition: string(condition), rule: "checkpoint", want: wantPeace, since: w.MessageSeen, until: until,
		reason: fleet.Because("worker.checkpoint", "height", height(w.Para), "until", until)}, true
}
