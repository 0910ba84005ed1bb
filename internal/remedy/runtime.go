package remedy

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"
	"time"

	"phalops/internal/act"
	"phalops/internal/fleet"
	"phalops/internal/host"
	"phalops/internal/pruntime"
)

const (
	opCheckpoint = "pruntime.checkpoint"
	opAnswers    = "pruntime.answers"
	opKick       = "pruntime.kick"
)

const (
	// runtimeGrace: a pRuntime writes no checkpoint when it is stopped, but its enclave wants to be torn down in peace.
	runtimeGrace = 90 * time.Second
	// checkpointWait bounds one request for a checkpoint: no single request may outlast the lease of the process that sends it.
	checkpointWait = 5 * time.Minute
	// runtimeDeadline is how long a started pRuntime may take to load its checkpoint and answer.
	runtimeDeadline = 15 * time.Minute
)

// buildContainer restarts workers' pRuntimes: checkpoint, stop with a grace, start, answers, and then their feeder, because
// every feeder's own idea of a pRuntime's counters is wrong after it went back to its checkpoint.
func (r *Remedies) buildContainer(ctx context.Context, req act.Request, now time.Time) (fleet.Plan, error) {
	return r.batch(ctx, req, now, rung{guard: mustNotRevive, steps: r.containerSteps, label: func(w ward) fleet.Reason {
		return fleet.Because("remedy.step_restart_container", "worker", w.name)
	}})
}

func (r *Remedies) containerSteps(ctx context.Context, w ward) ([]fleet.Step, error) {
	where, c, err := r.runtimeOf(ctx, w)
	if err != nil {
		return nil, err
	}
	back, err := r.restartSteps(ctx, w)
	if err != nil {
		return nil, err
	}
	p := part{host: where, owner: w.ref, container: c, grace: runtimeGrace}
	stop, start := stopStep(p), startStep(p)
	stop.Name, start.Name = stop.Name+" of "+w.id(), start.Name+" of "+w.id()
	return append([]fleet.Step{w.checkpoint(), stop, start, w.answers()}, back...), nil
}

func (w ward) checkpoint() fleet.Step {
	return fleet.Step{
		Name: "checkpoint " + w.id(), Op: opCheckpoint, Target: w.ref, Class: fleet.ClassReversible, Args: w.args("url", endpointOf(w)),
		Label: fleet.Because("remedy.step_checkpoint", "worker", w.name),
	}
}

func (w ward) answers() fleet.Step {
	return fleet.Step{
		Name: "answers " + w.id(), Op: opAnswers, Target: w.ref, Class: fleet.ClassReversible, Args: w.args("url", endpointOf(w)),
		Label: fleet.Because("remedy.step_answers", "worker", w.name),
	}
}

// endpointOf is where a worker's pRuntime is asked: v3 stores a slash at its end.
func endpointOf(w ward) string { return strings.TrimSuffix(w.worker.Endpoint, "/") }

// runtimeOf finds the container of a worker's pRuntime: on the configured host with the address of the worker's endpoint, the
// container that is a pRuntime's by its image, service or name. Where a host has several, the one that is named after the
// worker or its port.
func (r *Remedies) runtimeOf(ctx context.Context, w ward) (string, fleet.ContainerStatus, error) {
	none := fleet.ContainerStatus{}
	u, err := url.Parse(endpointOf(w))
	if err != nil || u.Hostname() == "" {
		return "", none, fleet.Fail(fleet.Refused, fleet.Because("remedy.worker_no_host", "worker", w.name, "address", endpointOf(w)))
	}
	where := r.hostAt(u.Hostname(), w)
	if where == "" {
		return "", none, fleet.Fail(fleet.Refused, fleet.Because("remedy.worker_no_host", "worker", w.name, "address", u.Hostname()))
	}
	all, err := r.list(ctx, where, host.Filter{})
	if err != nil {
		return "", none, err
	}
	found := slices.DeleteFunc(all, func(c fleet.ContainerStatus) bool { return !isRuntime(c) })
	if len(found) > 1 {
		named := slices.DeleteFunc(slices.Clone(found), func(c fleet.ContainerStatus) bool { return !namedAfter(c, w.name, u.Port()) })
		if len(named) > 0 {
			found = named
		}
	}
	switch {
	case len(found) == 0:
		return "", none, fleet.Fail(fleet.Refused, fleet.Because("remedy.worker_no_container", "worker", w.name, "host", where))
	case len(found) > 1:
		var names []string
		for _, c := range found {
			names = append(names, c.Name)
		}
		return "", none, fleet.Fail(fleet.Refused, fleet.Because("remedy.worker_containers", "worker", w.name, "host", where, "containers", strings.Join(names, ", ")))
	case found[0].State == "paused", byHand(found[0]):
		return "", none, fleet.Fail(fleet.Refused, fleet.Because("remedy.worker_container_stopped", "worker", w.name, "container", found[0].Name, "host", where))
	}
	return where, found[0], nil
}

// hostAt is the configured host at an address; "" when there is none. Loopback is the machine of whoever feeds the worker.
func (r *Remedies) hostAt(address string, w ward) string {
	var found []string
	for name, h := range r.config().Hosts {
		if h.Address == address {
			found = append(found, name)
		}
	}
	switch {
	case len(found) > 0:
		return slices.Min(found)
	case address == "localhost" || address == "127.0.0.1" || address == "::1":
		return hostOf(w.bridge, layoutOf(w.bridge).feeder)
	}
	return ""
}

func isRuntime(c fleet.ContainerStatus) bool {
	for _, s := range []string{c.Image, c.Service, c.Name} {
		if strings.Contains(s, "pruntime") {
			return true
		}
	}
	return false
}

func namedAfter(c fleet.ContainerStatus, worker, port string) bool {
	words := strings.FieldsFunc(c.Name, func(r rune) bool { return r == '_' || r == '-' })
	if slices.Contains(words, port) {
		return true
	}
	return c.Name == worker || c.Service == worker || strings.HasSuffix(c.Name, "-"+worker) || strings.HasSuffix(c.Name, "_"+worker)
}

// checkpointer is a bridge that asks its workers' pRuntimes itself: v3.2.
type checkpointer interface {
	TakeCheckpoint(ctx context.Context, ids ...string) error
}

// checkpoint makes a pRuntime write down where it is, so that it need not sync again from an older point. One that does not
// answer cannot; one that does not know how, or does not allow it at this port, is asked through its bridge where that can.
// Asking twice does no harm.
func (r *Remedies) checkpoint() act.Op {
	return act.Op{
		Effect: act.Visible, Timeout: checkpointWait + time.Minute,
		Prepare: func(ctx context.Context, s act.StepContext) (map[string]string, error) {
			client, err := r.reach.Pruntime(s.Step.Args["url"])
			if err != nil {
				return nil, err
			}
			if _, err := client.GetInfo(ctx); err != nil {
				return map[string]string{"silent": "yes"}, nil //nolint:nilerr // the rung is for those that do not answer
			}
			return nil, nil
		},
		Do: func(ctx context.Context, s act.StepContext) error {
			if s.Step.Note["silent"] != "" {
				return nil
			}
			client, err := r.reach.Pruntime(s.Step.Args["url"])
			if err != nil {
				return err
			}
			bounded, cancel := context.WithTimeout(ctx, checkpointWait)
			defer cancel()
			_, err = client.TakeCheckpoint(bounded)
			switch {
			case errors.Is(err, pruntime.ErrForbidden):
				return r.checkpointAtBridge(ctx, s)
			case errors.Is(err, pruntime.ErrNoMethod), errors.Is(err, pruntime.ErrSafeMode), errors.Is(err, pruntime.ErrUninitialized):
				return nil // there is none to be had
			}
			return err
		},
		Verify: func(_ context.Context, s act.StepContext) (act.Proof, time.Time, fleet.Reason, error) {
			if s.Step.Note["silent"] != "" {
				return act.Proved, s.Now, fleet.Because("remedy.checkpoint_silent", "worker", s.Step.Args["name"]), nil
			}
			return act.Proved, s.Now, fleet.Because("remedy.checkpoint_asked", "worker", s.Step.Args["name"]), nil
		},
	}
}

func (r *Remedies) checkpointAtBridge(ctx context.Context, s act.StepContext) error {
	client, err := r.reach.Bridge(s.Step.Args["bridge"])
	if err != nil {
		return nil //nolint:nilerr // a checkpoint less is the price of what follows, no reason against it
	}
	if c, ok := client.(checkpointer); ok {
		return c.TakeCheckpoint(ctx, s.Step.Args["id"])
	}
	return nil
}

// answers waits for a pRuntime that was started, or that its supervisor starts again.
func (r *Remedies) answers() act.Op {
	return act.Op{
		Deadline: runtimeDeadline, Timeout: time.Minute,
		Verify: func(ctx context.Context, s act.StepContext) (act.Proof, time.Time, fleet.Reason, error) {
			name, next := s.Step.Args["name"], s.Now.Add(pollEvery)
			client, err := r.reach.Pruntime(s.Step.Args["url"])
			if err != nil {
				return act.TooLate, next, fleet.ReasonOf(err), nil
			}
			if _, err := client.GetInfo(ctx); err != nil {
				return act.NotYet, next, fleet.Because("remedy.pruntime_silent", "worker", name, "err", err), nil
			}
			return act.Proved, next, fleet.Because("remedy.pruntime_answers", "worker", name), nil
		},
	}
}
