package remedy

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"phalops/internal/act"
	"phalops/internal/config"
	"phalops/internal/fleet"
)

// workersAtOnce is how many workers of a batch are under way together where the request does not say: a restarted worker
// asks its data provider for all that it missed.
const workersAtOnce = 3

// ward is one worker that something shall be done to.
type ward struct {
	ref    fleet.Ref
	bridge config.Bridge
	worker fleet.WorkerStatus // of a solo worker: only what the configuration says
	name   string
}

func (w ward) solo() bool { return w.bridge.Version == config.VersionSolo }

// id is the worker within its plan: names of steps must be unique, and names of workers are not.
func (w ward) id() string { return w.bridge.Name + "/" + w.ref.Name() }

// args are what every step of the worker carries.
func (w ward) args(more ...string) map[string]string {
	args := map[string]string{"bridge": w.bridge.Name, "id": w.ref.Name(), "name": w.name}
	for i := 0; i+1 < len(more); i += 2 {
		args[more[i]] = more[i+1]
	}
	return args
}

// rung is one sort of treatment of workers.
type rung struct {
	label func(ward) fleet.Reason // what is done, for people
	guard func(ward) fleet.Reason // why it must not be done to this one; zero: it may
	steps func(context.Context, ward) ([]fleet.Step, error)
}

// batch makes a plan of a rung: one line of steps a worker. One that must not be treated is left out of a batch with its
// reason; a request that nothing is left of is refused with the first one.
func (r *Remedies) batch(ctx context.Context, req act.Request, now time.Time, do rung) (fleet.Plan, error) {
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
		site, bridge, err := r.homeOf(ref)
		if err != nil {
			return p, err
		}
		if p.Site != "" && p.Site != site {
			return p, fleet.Fail(fleet.Invalid, fleet.Because("remedy.two_sites", "one", p.Site, "other", site))
		}
		p.Site = site
		list, known := lists[bridge.Name]
		if !known {
			list = r.workersOf(ctx, bridge)
			lists[bridge.Name] = list
		}
		w, err := list.ward(ref, bridge)
		var steps []fleet.Step
		if err == nil {
			steps, err = do.of(ctx, w)
		}
		if err != nil {
			steps = []fleet.Step{do.leftOut(w, err, now)}
			if refused == nil {
				refused = err
			}
		} else {
			left++
		}
		p.Steps = append(p.Steps, steps...)
	}
	if left == 0 {
		return p, refused
	}
	if len(targets) > 1 {
		p.Args = batchArgs(req.Args)
	}
	return p, nil
}

func (do rung) of(ctx context.Context, w ward) ([]fleet.Step, error) {
	if why := do.guard(w); !why.IsZero() {
		return nil, fleet.Fail(fleet.Refused, why)
	}
	return do.steps(ctx, w)
}

// leftOut stands for a worker that the plan does nothing to.
func (do rung) leftOut(w ward, why error, now time.Time) fleet.Step {
	return fleet.Step{
		Name: "restart " + w.id(), Op: opWorkerRestart, Target: w.ref, Class: fleet.ClassCostsMining, Args: w.args(), Label: do.label(w),
		State: fleet.StepSkipped, Result: fleet.ReasonOf(why), Ended: now,
	}
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

func (r *Remedies) homeOf(ref fleet.Ref) (string, config.Bridge, error) {
	if ref.Kind() != fleet.KindWorker {
		return "", config.Bridge{}, fleet.Fail(fleet.Invalid, fleet.Because("remedy.not_a_worker", "target", ref))
	}
	site, bridge, err := findBridge(r.config(), ref.Parent().Name())
	return site.Name, bridge, err
}

// workerList is what a bridge said about its workers, or why it did not.
type workerList struct {
	workers map[fleet.Ref]fleet.WorkerStatus
	err     error
}

// workersOf asks a bridge. A solo worker's bridge is a pherry, which says nothing: it has its one worker.
func (r *Remedies) workersOf(ctx context.Context, b config.Bridge) workerList {
	if b.Version == config.VersionSolo {
		return workerList{}
	}
	client, err := r.reach.Bridge(b.Name)
	if err != nil {
		return workerList{err: err}
	}
	reading := client.Read(ctx)
	for _, err := range []error{reading.MonitorErr, reading.InventoryErr, reading.StatesErr} {
		if err != nil {
			return workerList{err: bridgeSilent(b.Name, err)}
		}
	}
	list := workerList{workers: make(map[fleet.Ref]fleet.WorkerStatus, len(reading.Workers))}
	for _, w := range reading.Workers {
		list.workers[fleet.WorkerRef(b.Name, w.ID)] = w
	}
	return list
}

// ward is one of the list's workers; what is known of it is there with an error as well.
func (l workerList) ward(ref fleet.Ref, b config.Bridge) (ward, error) {
	w, known := l.workers[ref]
	if b.Version == config.VersionSolo {
		w, known = fleet.WorkerStatus{ID: ref.Name(), Name: b.Name, Endpoint: b.URL, Enabled: true, Running: true}, true
	}
	out := ward{ref: ref, bridge: b, worker: w, name: w.Name}
	if out.name == "" {
		out.name = ref.Name()
	}
	switch {
	case l.err != nil:
		return out, l.err
	case !known:
		return out, fleet.Fail(fleet.NotFound, fleet.Because("remedy.no_worker", "target", ref, "bridge", b.Name))
	}
	return out, nil
}

// mustNotRevive says why a worker must not be brought back to work, or would not be: guards that hold whoever asks.
//
//   - disabled: v0 would start a disabled worker that still has a context; v2 would run its old record; v3 drops the request;
//   - no context: no bridge can make one for a single worker;
//   - cooling down, or leaving: v3 would register and start it again.
func mustNotRevive(v ward) fleet.Reason {
	w := v.worker
	switch {
	case !w.Enabled:
		return fleet.Because("remedy.worker_disabled", "worker", v.name)
	case !w.Running:
		return fleet.Because("remedy.worker_no_context", "worker", v.name)
	case cooling(w):
		return fleet.Because("remedy.worker_cooling", "worker", v.name)
	case leaving(w):
		return fleet.Because("remedy.worker_leaving", "worker", v.name)
	default:
		return fleet.Reason{}
	}
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

// byRule reports whether a rule asks, and no person.
func byRule(req act.Request) bool {
	return req.Incident != "" || strings.HasPrefix(req.Author, "rule:")
}
