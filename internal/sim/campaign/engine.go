package campaign

import (
	"context"
	"errors"
	"time"

	"phalops/internal/fleet"
	"phalops/internal/host"
	"phalops/internal/sim/world"
)

// How long the client of a container engine waits, beyond the grace of a stop.
const (
	engineReads = 20 * time.Second
	engineActs  = 60 * time.Second
	engineLooks = 250 * time.Millisecond // between two looks at a process that is about to end
	engineTakes = 50 * time.Millisecond  // from an order until it is carried out
)

// engine answers as a host's container engine does.
type engine struct {
	*reach
	world *world.Host
	addr  string
}

var _ host.Containers = (*engine)(nil)

func (e *engine) silent(err error) error {
	return fleet.FailWith(fleet.Unavailable, fleet.Because("host.engine_silent", "engine", e.addr), err)
}

// List lists containers in the order of their names.
func (e *engine) List(ctx context.Context, f host.Filter) ([]fleet.ContainerStatus, error) {
	if err := e.up(ctx, engineReads); err != nil {
		return nil, err
	}
	var out []fleet.ContainerStatus
	for _, c := range e.world.Containers() {
		if (f.Project == "" || f.Project == c.Project) && (f.Service == "" || f.Service == c.Service) && (f.Name == "" || f.Name == c.Name) {
			out = append(out, e.status(c))
		}
	}
	return out, nil
}

// Inspect reads one container.
func (e *engine) Inspect(ctx context.Context, name string) (fleet.ContainerStatus, error) {
	if err := e.up(ctx, engineReads); err != nil {
		return fleet.ContainerStatus{}, err
	}
	c := e.world.Container(name)
	if c == nil {
		return fleet.ContainerStatus{}, e.missing(name)
	}
	return e.status(c), nil
}

// up is nil while the engine answers.
func (e *engine) up(ctx context.Context, limit time.Duration) error {
	if !e.world.Down {
		return nil
	}
	return e.silent(e.slow(ctx, forEver, limit, e.addr))
}

func (e *engine) missing(name string) error {
	return fleet.FailWith(fleet.NotFound, fleet.Because("host.no_container", "engine", e.addr, "container", name), host.ErrNoContainer)
}

func (e *engine) status(c *world.Container) fleet.ContainerStatus {
	return fleet.ContainerStatus{
		Probe: fleet.Probe{}.Answered(e.daemon.clock.Now()), ID: c.ID(), Name: c.Name, Image: c.Image, Project: c.Project, Service: c.Service,
		State: c.State(), ExitCode: c.ExitCode(), Started: c.StartedAt(), Finished: c.FinishedAt(), Restarts: c.RestartCount(), Labels: c.Labels,
	}
}

// Start starts a stopped container.
func (e *engine) Start(ctx context.Context, name string) error {
	return e.act(ctx, name, engineActs, e.world.Start)
}

// Stop returns when the process is gone.
func (e *engine) Stop(ctx context.Context, name string, grace time.Duration) error {
	return e.act(ctx, name, grace+engineActs, func(name string) error { return e.world.Stop(name, grace) })
}

// Restart is Stop and Start in one.
func (e *engine) Restart(ctx context.Context, name string, grace time.Duration) error {
	return e.act(ctx, name, grace+engineActs, func(name string) error { return e.world.Restart(name, grace) })
}

// act does something to a container and waits until that has come to rest. When the caller's time is over before, the engine
// goes on and nobody is answered.
func (e *engine) act(ctx context.Context, name string, limit time.Duration, do func(name string) error) error {
	if err := errors.Join(e.gone(), ctx.Err()); err != nil {
		return err
	}
	if err := e.up(order(ctx), limit); err != nil {
		return err
	}
	if err := e.sleep(ctx, engineTakes); err != nil {
		return e.silent(err)
	}
	c := e.world.Container(name)
	if c == nil {
		return e.missing(name)
	}
	err := do(name)
	end := e.Now().Add(allowed(ctx, limit))
	for err == nil && c.Busy() {
		if !e.Now().Before(end) || e.world.Down {
			return e.silent(context.DeadlineExceeded)
		}
		if slept := e.sleep(ctx, engineLooks); slept != nil {
			return e.silent(slept)
		}
	}
	if err == nil {
		err = c.Failure()
	}
	if err != nil {
		return fleet.FailWith(fleet.Failed, fleet.Because("host.container_failed", "engine", e.addr, "container", name, "err", err), err)
	}
	return nil
}
