package remedy

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"phalops/internal/act"
	"phalops/internal/fleet"
	"phalops/internal/prb"
)

const opWorkerRestart = "worker.restart"

const (
	// workerDeadline is how long a restarted worker may take to show that it is being fed again. A v2 context reports within
	// a second of its start and leaves S_STARTING as soon as pRuntime answers; the deadlines and repetitions of its own
	// requests, a minute each as the guides set them, add up to minutes.
	workerDeadline = 10 * time.Minute
	// workersAtOnce is how many workers of a batch are under way together where the request does not say: a restarted
	// worker asks its data provider for all that it missed.
	workersAtOnce = 3
)

// buildWorkers makes one step a worker. One that must not be restarted is left out of a batch with its reason; a request
// that nothing is left of is refused with the first one.
func (r *Remedies) buildWorkers(ctx context.Context, req act.Request, now time.Time) (fleet.Plan, error) {
	var targets []fleet.Ref
	for _, ref := range req.Targets {
		if !slices.Contains(targets, ref) {
			targets = append(targets, ref)
		}
	}
	if len(targets) == 0 {
		return fleet.Plan{}, fleet.Fail(fleet.Invalid, fleet.Because("remedy.no_target", "plan", req.Kind))
	}
	p := fleet.Plan{Targets: targets, Locks: targets}
	lists := map[string]workerList{}
	var refused error
	left := 0
	for _, ref := range targets {
		site, err := r.siteOfWorker(ref)
		if err != nil {
			return p, err
		}
		if p.Site != "" && p.Site != site {
			return p, fleet.Fail(fleet.Invalid, fleet.Because("remedy.two_sites", "one", p.Site, "other", site))
		}
		p.Site = site
		bridge := ref.Parent().Name()
		list, known := lists[bridge]
		if !known {
			list.workers, list.err = r.workersOf(ctx, bridge)
			lists[bridge] = list
		}
		step, err := workerStep(ref, list, now)
		if err == nil {
			left++
		} else if refused == nil {
			refused = err
		}
		p.Steps = append(p.Steps, step)
	}
	if left == 0 {
		return p, refused
	}
	if len(targets) > 1 {
		p.Args = batchArgs(req.Args)
	}
	return p, nil
}

// batchArgs are the arguments of the engine's that a request may set.
func batchArgs(asked map[string]string) map[string]string {
	args := map[string]string{act.ArgAtOnce: strconv.Itoa(workersAtOnce)}
	for _, name := range []string{act.ArgAtOnce, act.ArgMaxFailures} {
		if v, ok := asked[name]; ok {
			args[name] = v
		}
	}
	return args
}

func (r *Remedies) siteOfWorker(ref fleet.Ref) (string, error) {
	if ref.Kind() != fleet.KindWorker {
		return "", fleet.Fail(fleet.Invalid, fleet.Because("remedy.not_a_worker", "target", ref))
	}
	site, _, err := findBridge(r.config(), ref.Parent().Name())
	return site.Name, err
}

// workerList is what a bridge said about its workers, or why it did not.
type workerList struct {
	workers map[fleet.Ref]fleet.WorkerStatus
	err     error
}

// workerStep is the step that restarts a worker; with an error it is left out, and says why.
func workerStep(ref fleet.Ref, list workerList, now time.Time) (fleet.Step, error) {
	bridge := ref.Parent().Name()
	w, known := list.workers[ref]
	err := list.err
	if err == nil && !known {
		err = fleet.Fail(fleet.NotFound, fleet.Because("remedy.no_worker", "target", ref, "bridge", bridge))
	}
	if err == nil {
		if why := mustNotRevive(w); !why.IsZero() {
			err = fleet.Fail(fleet.Refused, why)
		}
	}
	name := w.Name
	if name == "" {
		name = ref.Name()
	}
	step := fleet.Step{
		Name: "restart " + bridge + "/" + ref.Name(), Op: opWorkerRestart, Target: ref, Class: fleet.ClassCostsMining,
		Args:  map[string]string{"bridge": bridge, "id": ref.Name(), "name": name},
		Label: fleet.Because("remedy.step_restart_worker", "worker", name, "bridge", bridge),
	}
	if err != nil {
		step.State, step.Result, step.Ended = fleet.StepSkipped, fleet.ReasonOf(err), now
	}
	return step, err
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
// for twice.
func (r *Remedies) workerRestart() act.Op {
	return act.Op{
		Effect: act.Blind, Deadline: workerDeadline, Timeout: 2 * time.Minute,
		Prepare: func(ctx context.Context, s act.StepContext) (map[string]string, error) {
			w, err := r.workerState(ctx, s)
			if err != nil || w == nil {
				return nil, err
			}
			note := map[string]string{"said": saying(w)}
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

// verifyWorker wants two things that only a rebuilt and fed context shows together: it has said something new, as every
// context does when it begins, and its height has grown. One alone proves nothing: a context that was never restarted may
// grow, and repeats its complaints. v2 shows a restarted worker with its old height until the first report, so a height
// counts when it is above the one before the restart, or above the one at an earlier look (a pRuntime that lost its data
// begins anew).
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
	case failing(w.State) && said:
		return act.TooLate, next, fleet.Because("remedy.worker_failed_again", "worker", name, "message", w.Message), nil
	case !grown, failing(w.State), w.State == "", w.State == "S_STARTING":
		return act.NotYet, next, fleet.Because("remedy.worker_not_yet", "worker", name, "state", stateOf(w)), nil
	default:
		r.growth.forget(stepKey(s))
		return act.Proved, next, fleet.Because("remedy.worker_fed", "worker", name, "state", w.State, "height", w.Para.Value), nil
	}
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

// workerState is the worker's context now; nil when it has none.
func (r *Remedies) workerState(ctx context.Context, s act.StepContext) (*fleet.WorkerStatus, error) {
	client, err := r.reach.Bridge(s.Step.Args["bridge"])
	if err != nil {
		return nil, err
	}
	states, err := client.States(ctx, s.Step.Args["id"])
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

// failing reads the bridge's own words.
func failing(state string) bool { return state == "S_ERROR" || state == "S_KICKED" }
