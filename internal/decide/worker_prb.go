package decide

import (
	"strings"
	"time"

	"phalops/internal/fleet"
)

// prb reads the state machine of v0 and v2. They share the words but for two: v0 and older v2 mine, newer v2 is active.
func (j *judge) prb(w *fleet.WorkerStatus) finding {
	switch w.State {
	case "":
		return j.wordless(w)
	case "S_IDLE", "S_STARTING":
		return j.starting(w, startingAfter, startingAtMost)
	case "S_SYNCHING":
		return j.synching(w)
	case "S_SYNCHED":
		return j.synched(w)
	case "S_PRE_MINING", "S_PRE_ACTIVE":
		return j.step(w, fleet.Starting, j.stateSince(w))
	case "S_MINING", "S_ACTIVE":
		return j.active(w)
	case "S_KICKED":
		since := j.stateSince(w)
		return j.ask(w, finding{condition: string(fleet.Failing), rule: "kicked", want: wantRestart, bad: true, quiet: fleet.Info, loud: fleet.Warning,
			since: since, until: since.Add(kickedAfter), reason: fleet.Because("worker.kicked", "for", j.inState(w))})
	case "S_ERROR":
		return j.failed(w)
	default:
		return j.unknownState(w)
	}
}

// wordless is a context that has no word for its state yet. It gets one within seconds, or when a data source is found; an
// answer that lacks it for another reason proves nothing, so nobody acts on it.
func (j *judge) wordless(w *fleet.WorkerStatus) finding {
	since := latest(j.stateSince(w), j.touched(w))
	f := finding{condition: string(fleet.Starting), rule: "wordless", want: wantTime, since: since, until: since.Add(startingAtMost), loud: fleet.Warning,
		reason: fleet.Because("worker.wordless", "for", span(since, w.At), "bridge", j.Status.Ref)}
	if !f.until.After(j.Now) {
		f.condition, f.want, f.suspect, f.until = string(fleet.Unknown), wantPerson, j.Status.Ref, time.Time{}
	}
	return f
}

func (j *judge) synched(w *fleet.WorkerStatus) finding {
	if w.SyncOnly {
		return finding{condition: string(fleet.Syncing), rule: "sync_only", want: wantPeace,
			reason: fleet.Because("worker.sync_only", "height", height(w.Para))}
	}
	if strings.Contains(w.Message, "Sync only mode enabled") {
		return finding{condition: string(fleet.Syncing), rule: "sync_only", want: wantPeace,
			reason: fleet.Because("worker.sync_only_bridge", "height", height(w.Para))}
	}
	// Success never clears the text, so an old one means nothing; one with a new time stamp means that it fails right now.
	if isEgress(w.Message) && j.inState(w) >= egressAfter && w.At.Sub(w.MessageSeen) < egressRecent {
		return finding{condition: string(fleet.Unresponsive), rule: "egress", want: wantRestart, bad: true, since: j.stateSince(w), cause: causeTrade,
			until: j.stateSince(w).Add(egressAfter), quiet: fleet.Info, loud: fleet.Warning,
			reason: fleet.Because("worker.egress", "for", j.inState(w), "message", clip(w.Message))}
	}
	return j.step(w, fleet.Syncing, j.stateSince(w))
}

// isEgress reports whether the message is of a message queue that could not be emptied: v2's text, or v3's.
func isEgress(message string) bool {
	return strings.HasPrefix(message, "Error while synching mq egress") || strings.HasPrefix(message, "Sync offchain message met error")
}

// isNotice reports whether the bridge says that the chain has marked the worker: v0's and v2's text, or v3.0's.
func isNotice(message string) bool {
	return strings.HasPrefix(message, "Notice: worker unresponsive") || strings.HasPrefix(message, "Worker unresponsive!")
}
