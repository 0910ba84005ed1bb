package remedy

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"phalops/internal/act"
	"phalops/internal/fleet"
	"phalops/internal/prb"
)

const opWorkerRestart = "worker.restart"

// workerDeadline is how long a restarted worker may take to show that it is being fed again. A v2 context reports within a
// second of its start and leaves S_STARTING as soon as pRuntime answers; the node's own 30 s deadlines add up to minutes.
const workerDeadline = 10 * time.Minute

// buildWorkers makes one step a worker. It refuses workers that must not be revived, when it is asked for exactly those.
func (r *Remedies) buildWorkers(ctx context.Context, req act.Request, _ time.Time) (fleet.Plan, error) {
	p := fleet.Plan{Targets: req.Targets, Locks: req.Targets}
	byBridge := map[string]map[fleet.Ref]fleet.WorkerStatus{}
	for _, ref := range req.Targets {
		if ref.Kind() != fleet.KindWorker {
			return p, fleet.Fail(fleet.Invalid, fleet.Because("remedy.not_a_worker", "target", ref))
		}
		name := ref.Parent().Name()
		if byBridge[name] == nil {
			site, _, err := findBridge(r.config(), name)
			if err != nil {
				return p, err
			}
			p.Site = site.Name
			if byBridge[name], err = r.workersOf(ctx, name); err != nil {
				return p, err
			}
		}
		w, known := byBridge[name][ref]
		if !known {
			return p, fleet.Fail(fleet.NotFound, fleet.Because("remedy.no_worker", "target", ref, "bridge", name))
		}
		if why := mustNotRevive(w); !why.IsZero() {
			return p, fleet.Fail(fleet.Refused, why)
		}
		p.Steps = append(p.Steps, fleet.Step{
			Name: "restart " + w.Name + " " + w.ID, Op: opWorkerRestart, Target: ref, Class: fleet.ClassCostsMining,
			Args:  map[string]string{"bridge": name, "id": w.ID, "name": w.Name},
			Label: fleet.Because("remedy.step_restart_worker", "worker", w.Name, "bridge", name),
		})
	}
	return p, nil
}

func (r *Remedies) workersOf(ctx context.Context, bridge string) (map[fleet.Ref]fleet.WorkerStatus, error) {
	client, err := r.reach.Bridge(bridge)
	if err != nil {
		return nil, err
	}
	reading := client.Read(ctx)
	for _, err := range []error{reading.MonitorErr, reading.InventoryErr, reading.StatesErr} {
		if err != nil {
			return nil, fleet.FailWith(fleet.Unavailable, fleet.Because("remedy.bridge_silent", "bridge", bridge, "err", err), err)
		}
	}
	out := make(map[fleet.Ref]fleet.WorkerStatus, len(reading.Workers))
	for _, w := range reading.Workers {
		out[fleet.WorkerRef(bridge, w.ID)] = w
	}
	return out, nil
}

// mustNotRevive says why a restart would be wrong or useless: guards that hold whoever asks.
func mustNotRevive(w fleet.WorkerStatus) fleet.Reason {
	switch {
	case !w.Enabled:
		return fleet.Because("remedy.worker_disabled", "worker", w.Name)
	case !w.Running:
		return fleet.Because("remedy.worker_no_context", "worker", w.Name)
	case strings.HasSuffix(w.Session, "CoolingDown"):
		return fleet.Because("remedy.worker_cooling", "worker", w.Name)
	default:
		return fleet.Reason{}
	}
}

// workerRestart is blind: nothing in the bridge tells whether a restart that was asked for has begun, so it is never asked
// for twice. The proof is a context that is fed: heights above those before, or a new word from a working one.
func (r *Remedies) workerRestart() act.Op {
	return act.Op{
		Effect: act.Blind, Deadline: workerDeadline, Timeout: 2 * time.Minute,
		Prepare: func(ctx context.Context, s act.StepContext) (map[string]string, error) {
			w, err := r.workerState(ctx, s)
			if err != nil || w == nil {
				return nil, err
			}
			note := map[string]string{"state": w.State, "message": w.Message}
			if w.Para.Known {
				note["para"] = strconv.FormatInt(w.Para.Value, 10)
			}
			return note, nil
		},
		Do: func(ctx context.Context, s act.StepContext) error {
			client, err := r.reach.Bridge(s.Step.Args["bridge"])
			if err != nil {
				return act.NotSent(err)
			}
			err = client.RestartWorker(ctx, s.Step.Args["id"])
			if err != nil && !prb.IsAmbiguous(err) {
				return act.NotSent(err)
			}
			return err
		},
		Verify: r.verifyWorker,
	}
}

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
	said := w.MessageAt.After(s.Step.Effected)
	before, err := strconv.ParseInt(s.Step.Note["para"], 10, 64)
	grown := w.Para.Known && w.Para.Value >= 0 && (err != nil || w.Para.Value > before)
	switch {
	case failing(w.State) && said:
		return act.TooLate, next, fleet.Because("remedy.worker_failed_again", "worker", name, "message", w.Message), nil
	case failing(w.State), w.State == "", w.State == "S_STARTING":
		return act.NotYet, next, fleet.Because("remedy.worker_not_yet", "worker", name, "state", w.State), nil
	case grown || working(w.State) && said:
		return act.Proved, next, fleet.Because("remedy.worker_fed", "worker", name, "state", w.State, "height", w.Para.Value), nil
	default:
		return act.NotYet, next, fleet.Because("remedy.worker_not_yet", "worker", name, "state", w.State), nil
	}
}

// workerState is the worker's context now; nil when it has none.
func (r *Remedies) workerState(ctx context.Context, s act.StepContext) (*fleet.WorkerStatus, error) {
	client, err := r.reach.Bridge(s.Step.Args["bridge"])
	if err != nil {
		return nil, err
	}
	// All contexts are asked for: with an id that has none, the real manager answers an error in place of an empty list.
	states, err := client.States(ctx)
	if err != nil {
		return nil, fmt.Errorf("states of bridge %s: %w", s.Step.Args["bridge"], err)
	}
	for i := range states {
		if states[i].ID == s.Step.Args["id"] {
			return &states[i], nil
		}
	}
	return nil, nil
}

// working and failing read the bridge's own words, both name sets (prb-v0-v2-api, 1.4).
func working(state string) bool { return state == "S_ACTIVE" || state == "S_MINING" }
func failing(state string) bool { return state == "S_ERROR" || state == "S_KICKED" }
