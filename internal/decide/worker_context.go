package decide

import (
	"time"

	"phalops/internal/fleet"
)

// How long a worker that should run may be without a context. v2 makes contexts only when its lifecycle starts; v0 also at a
// scan, an hour after its start; v3 makes them at once, but lists none while it starts, and not for some 15 s of a restart.
const (
	noContextAfter = 10 * time.Minute
	noContextScan  = 65 * time.Minute // v0, for a worker that it has never run
	noContextWM    = 30 * time.Minute // v3, when it lists nobody: it reads the whole state of the chain first
)

// noContext is an enabled worker that its bridge does not run. No action of a bridge helps: both restart and kick need a
// context.
func (j *judge) noContext(w *fleet.WorkerStatus) finding {
	since := latest(j.stateSince(w), j.touched(w))
	patience := noContextAfter
	f := finding{condition: string(fleet.Starting), rule: "no_context", want: wantTime, since: since, loud: fleet.Warning,
		reason: fleet.Because("worker.no_context", "bridge", j.Status.Ref)}
	switch j.Status.Version {
	case "v0":
		f.reason = fleet.Because("worker.no_context_v0", "bridge", j.Status.Ref)
		switch {
		case !w.StakeOK || w.Stake.Cmp(fleet.PHA(1)) < 0:
			f.rule, f.reason = "no_context.stake", fleet.Because("worker.no_context_stake", "bridge", j.Status.Ref)
		case len(j.Status.Pools) > 0 && j.pool(w) == nil:
			f.rule, f.cause = "no_context.pool", causePool
			f.reason = fleet.Because("worker.no_context_pool", "pid", int64(w.PID), "bridge", j.Status.Ref)
		case w.Para.MovedAt.IsZero() && w.PublicKey == "":
			patience = noContextScan
		}
	case "v3":
		f.reason = fleet.Because("worker.no_context_v3", "bridge", j.Status.Ref)
		if !j.anyContext() {
			f.rule, patience = "no_context.all", noContextWM
			f.reason = fleet.Because("worker.no_context_wm", "bridge", j.Status.Ref)
		}
	}
	f.until = since.Add(patience)
	if !f.until.After(j.Now) {
		f.condition, f.want, f.suspect = string(fleet.Failing), wantPerson, j.Status.Ref
		f.until = time.Time{}
	}
	return f
}

func (j *judge) anyContext() bool {
	for i := range j.Status.Workers {
		if j.Status.Workers[i].Running {
			return true
		}
	}
	return false
}
