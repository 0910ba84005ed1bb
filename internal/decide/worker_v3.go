package decide

import (
	"strings"
	"time"

	"phalops/internal/fleet"
)

// Spans of prb-wm.
const (
	loadStateTakes   = time.Hour       // LoadChainState: up to 500 MB through the pRuntime
	restartingTakes  = 5 * time.Minute // Restarting: some 20 s
	disabledAtMost   = 10 * time.Minute
	leftoverNoticeIn = time.Minute // heights that moved so long after an error began outlive it
)

// v3 reads prb-wm's states, v3.0's and v3.2's. Its Working is never withdrawn: neither when the chain marks the session, nor
// when the sync stands still.
func (j *judge) v3(w *fleet.WorkerStatus) finding {
	switch w.State {
	case "Starting":
		quiet := startingAfter
		if strings.HasPrefix(w.Message, "LoadChainState Starting") || strings.HasPrefix(w.Message, "Trying to load chain state") {
			quiet = loadStateTakes
		}
		return j.starting(w, quiet, 2*loadStateTakes)
	case "Synchronizing", "Preparing":
		return j.v3Syncing(w)
	case "Working", "GatekeeperWorking":
		return j.active(w)
	case "HasError":
		return j.v3Failed(w)
	case "Restarting":
		return j.v3Between(w, "restarting", restartingTakes, fleet.Because("worker.v3.restarting", "for", j.inState(w), "bridge", j.Status.Ref))
	case "Disabled":
		return j.v3Between(w, "disabled.still", disabledAtMost, fleet.Because("worker.v3.disabled", "for", j.inState(w), "bridge", j.Status.Ref))
	default:
		return j.unknownState(w)
	}
}

// v3Between is a state that prb-wm leaves by itself, and in which it takes no action.
func (j *judge) v3Between(w *fleet.WorkerStatus, rule string, most time.Duration, reason fleet.Reason) finding {
	since := j.stateSince(w)
	f := finding{condition: string(fleet.Starting), rule: rule, want: wantTime, since: since, until: since.Add(most), reason: reason, loud: fleet.Warning}
	if !f.until.After(j.Now) {
		f.condition, f.want, f.suspect, f.until = string(fleet.Failing), wantPerson, j.Status.Ref, time.Time{}
	}
	return f
}

// v3Syncing is for Synchronizing and Preparing. A worker that had to sync keeps the word Synchronizing through every stage on
// chain, and one that only syncs never leaves it.
func (j *judge) v3Syncing(w *fleet.WorkerStatus) finding {
	f := j.synching(w)
	if f.rule != "syncing" {
		return f
	}
	pool := j.pool(w)
	switch {
	case w.SyncOnly, pool == nil, strings.HasPrefix(w.Message, "Sync only mode enabled"):
		f.rule, f.reason = "sync_only", fleet.Because("worker.v3.sync_only", "height", height(w.Para))
		if pool == nil && !w.SyncOnly {
			f.rule, f.reason = "sync_only.no_pool", fleet.Because("worker.v3.no_pool", "pid", int64(w.PID), "height", height(w.Para))
		}
		return f
	case w.State == "Preparing":
		return j.step(w, fleet.Starting, j.stateSince(w))
	case !j.src.known || !w.Para.Known || j.lag(w) >= catchingUp:
		return f
	}
	tip := j.Now // when it came to the tip nobody tells; the condition of last time does
	if w.Condition == fleet.Starting && !w.Since.IsZero() {
		tip = latest(w.Since, j.stateSince(w))
	}
	return j.step(w, fleet.Starting, tip)
}

// v3Failed reads HasError. It stays when its cause is gone, so a worker that the chain has computing and whose height grows
// is not broken, and one whose blocks flow again is on its way.
func (j *judge) v3Failed(w *fleet.WorkerStatus) finding {
	since := j.stateSince(w)
	moving := w.Para.Known && w.Para.FrozenFor(w.At) < provedWithin && w.Para.MovedAt.Sub(since) >= leftoverNoticeIn
	if moving && (w.Session == "WorkerIdle" || w.Gatekeeper) && j.lag(w) < catchingUp {
		return finding{condition: string(fleet.Working), rule: "error.leftover", until: w.Para.MovedAt.Add(provedWithin),
			reason: fleet.Because("worker.v3.leftover", "height", w.Para.Value, "message", clip(w.Message))}
	}
	f := j.failed(w)
	if moving && f.rule == "error.no_data" {
		f = finding{condition: string(fleet.Syncing), rule: "error.no_data.over", want: wantPeace, until: w.Para.MovedAt.Add(provedWithin),
			reason: fleet.Because("worker.v3.no_data_over", "height", w.Para.Value, "head", j.src.height)}
	}
	return f
}
