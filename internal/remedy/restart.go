package remedy

import (
	"context"
	"strconv"
	"time"

	"phalops/internal/act"
	"phalops/internal/fleet"
)

const (
	opWorkerRestart = "worker.restart"
	opFeederRestart = "worker.feeder"
)

const (
	// workerDeadline is how long a restarted worker may take to show that it is being fed again. A v2 context reports within
	// a second of its start and leaves S_STARTING as soon as pRuntime answers; the deadlines and repetitions of its own
	// requests, a minute each as the guides set them, add up to minutes.
	workerDeadline = 10 * time.Minute
	// v3Settles is how long v3 may go on telling of the old context after it was asked to drop it; it counts its complaints, so
	// an old one may look new.
	v3Settles = 30 * time.Second
)

// buildWorkers restarts workers at their feeder: through the bridge, and of a solo worker its pherry.
func (r *Remedies) buildWorkers(ctx context.Context, req act.Request, now time.Time) (fleet.Plan, error) {
	return r.batch(ctx, req, now, rung{label: restartLabel, guard: mustNotRevive, steps: r.restartSteps})
}

func restartLabel(w ward) fleet.Reason {
	if w.solo() {
		return fleet.Because("remedy.step_restart_solo", "worker", w.name, "container", w.bridge.Pherry, "host", w.bridge.Host)
	}
	return fleet.Because("remedy.step_restart_worker", "worker", w.name, "bridge", w.bridge.Name)
}

// restartSteps is the last part of every rung: whatever was done to a pRuntime, its feeder must begin anew.
func (r *Remedies) restartSteps(ctx context.Context, w ward) ([]fleet.Step, error) {
	step := fleet.Step{
		Name: "restart " + w.id(), Op: opWorkerRestart, Target: w.ref, Class: fleet.ClassCostsMining, Args: w.args(), Label: restartLabel(w),
	}
	if !w.solo() {
		return []fleet.Step{step}, nil
	}
	if _, err := r.ownParts(ctx, w.bridge); err != nil {
		return nil, err
	}
	step.Op = opFeederRestart
	step.Args = w.args("host", w.bridge.Host, "container", w.bridge.Pherry, "grace", bridgeGrace.String(), "url", w.bridge.URL)
	return []fleet.Step{step}, nil
}

// workerRestart is blind: nothing in the bridge tells whether a restart that was asked for has begun, so it is never asked
// for twice.
func (r *Remedies) workerRestart() act.Op {
	return act.Op{
		Effect: act.Blind, Deadline: workerDeadline, Timeout: 2 * time.Minute,
		Prepare: r.noteWorker,
		Do: func(ctx context.Context, s act.StepContext) error {
			client, err := r.reach.Bridge(s.Step.Args["bridge"])
			if err != nil {
				return act.NotSent(err)
			}
			return sentOrNot(client.RestartWorker(ctx, s.Step.Args["id"]))
		},
		Verify: r.verifyWorker,
	}
}

// noteWorker writes down what a worker says, and its height, before something is done to it.
func (r *Remedies) noteWorker(ctx context.Context, s act.StepContext) (map[string]string, error) {
	w, err := r.workerState(ctx, s)
	if err != nil || w == nil {
		return nil, err
	}
	note := map[string]string{"said": saying(w)}
	if w.Para.Known {
		note["para"] = strconv.FormatInt(w.Para.Value, 10)
	}
	return note, nil
}

// verifyWorker wants two things that only a rebuilt and fed context shows together: it has said something new, as every
// context does when it begins, and its height has grown. One alone proves nothing: a context that was never restarted may
// grow, and repeats its complaints. v2 shows a restarted worker with its old height until the first report, so a height
// counts when it is above the one before the restart, or above the one at an earlier look (a pRuntime that lost its data
// begins anew, and v0 begins at -1 always).
func (r *Remedies) verifyWorker(ctx context.Context, s act.StepContext) (act.Proof, time.Time, fleet.Reason, error) {
	name := s.Step.Args["name"]
	next := s.Now.Add(pollEvery)
	w, err := r.workerState(ctx, s)
	if err != nil {
		return act.NotYet, next, fleet.Because("remedy.bridge_silent", "bridge", s.Step.Args["bridge"], "err", err), nil
	}
	if w == nil {
		return act.NotYet, next, fleet.Because("remedy.worker_no_context", "worker", name), nil
	}
	said := saying(w) != s.Step.Note["said"]
	grown := false
	if said && w.Para.Known && w.Para.Value >= 0 {
		before, err := strconv.ParseInt(s.Step.Note["para"], 10, 64)
		grown = r.growth.grew(stepKey(s), w.Para.Value, s.Now) || err == nil && w.Para.Value > before
	}
	switch {
	case failing(w.State) && said && !passes(w, s):
		return act.TooLate, next, fleet.Because("remedy.worker_failed_again", "worker", name, "message", w.Message), nil
	case !grown, failing(w.State), beginning(w.State):
		return act.NotYet, next, fleet.Because("remedy.worker_not_yet", "worker", name, "state", stateOf(w)), nil
	default:
		r.growth.forget(stepKey(s))
		return act.Proved, next, fleet.Because("remedy.worker_fed", "worker", name, "state", w.State, "height", w.Para.Value), nil
	}
}

// passes reports whether a worker's complaint may go by without another restart.
func passes(w *fleet.WorkerStatus, s act.StepContext) bool {
	return w.State == stateHasError && (healsItself(w.Message) || s.Now.Sub(s.Step.Effected) < v3Settles)
}

// saying is a worker's last message with the bridge's own time stamp, whose clock need not agree with ours.
func saying(w *fleet.WorkerStatus) string {
	return w.MessageAt.UTC().Format(time.RFC3339) + " " + w.Message
}

// stateOf is the bridge's word for people; right after its start a context has none.
func stateOf(w *fleet.WorkerStatus) string {
	if w.State == "" {
		return "–"
	}
	return w.State
}

// feederRestart restarts a solo worker's pherry, which is always safe: it keeps no state (prb3, 3.3). That it happened is
// visible, and that it helped is the pRuntime's own height, which grows only while somebody feeds it.
func (r *Remedies) feederRestart() act.Op {
	return act.Op{
		Effect: act.Visible, Deadline: workerDeadline, Timeout: 3 * time.Minute,
		Check: func(ctx context.Context, s act.StepContext) (bool, error) {
			yes, _, err := r.restarted(ctx, s)
			return yes, err
		},
		Prepare: r.noteStart,
		Do:      r.restartContainer,
		Verify: func(ctx context.Context, s act.StepContext) (act.Proof, time.Time, fleet.Reason, error) {
			name, next := s.Step.Args["name"], s.Now.Add(pollEvery)
			yes, _, err := r.restarted(ctx, s)
			if err != nil || !yes {
				return act.NotYet, next, fleet.Because("remedy.not_yet", "container", s.Step.Args["container"]), err
			}
			height, err := r.runtimeHeight(ctx, s.Step.Args["url"])
			switch {
			case err != nil:
				return act.NotYet, next, fleet.Because("remedy.pruntime_silent", "worker", name, "err", err), nil
			case !r.growth.grew(stepKey(s), height, s.Now):
				return act.NotYet, next, fleet.Because("remedy.solo_not_yet", "worker", name, "height", height), nil
			}
			r.growth.forget(stepKey(s))
			return act.Proved, next, fleet.Because("remedy.solo_fed", "worker", name, "height", height), nil
		},
	}
}
