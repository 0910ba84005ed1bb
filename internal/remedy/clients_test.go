package remedy_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"phalops/internal/fleet"
	"phalops/internal/host"
	"phalops/internal/prb"
	"phalops/internal/sim/world"
)

// engine is a host's container engine.
type engine struct {
	s *site
	h *world.Host
}

func (e engine) effects() int { return len(e.h.Effects()) }

func (e engine) do(call, name string, f func() error) error {
	return e.s.do(call+" "+e.h.Name+"/"+name, e.effects, func() error {
		if e.h.Down {
			return errSilent
		}
		return f()
	})
}

func (e engine) List(_ context.Context, f host.Filter) ([]fleet.ContainerStatus, error) {
	var out []fleet.ContainerStatus
	err := e.do("list", f.Project+"/"+f.Service, func() error {
		for _, c := range e.h.Containers() {
			if (f.Project == "" || f.Project == c.Project) && (f.Service == "" || f.Service == c.Service) && (f.Name == "" || f.Name == c.Name) {
				out = append(out, e.show(c))
			}
		}
		return nil
	})
	return out, err
}

func (e engine) show(c *world.Container) fleet.ContainerStatus {
	out := fleet.ContainerStatus{
		ID: c.ID(), Name: c.Name, Image: c.Image, Project: c.Project, Service: c.Service, State: c.State(), ExitCode: c.ExitCode(),
		Started: c.StartedAt(), Finished: c.FinishedAt(), Restarts: c.RestartCount(), Labels: c.Labels,
	}
	if e.s.paused == c.Name {
		out.State = "paused"
	}
	return out
}

func (e engine) Inspect(_ context.Context, name string) (fleet.ContainerStatus, error) {
	var out fleet.ContainerStatus
	err := e.do("inspect", name, func() error {
		c := e.h.Container(name)
		if c == nil {
			return fmt.Errorf("%s: %w", name, host.ErrNoContainer)
		}
		out = e.show(c)
		return nil
	})
	return out, err
}

func (e engine) Start(_ context.Context, name string) error {
	return e.do("start", name, func() error { return e.h.Start(name) })
}

func (e engine) Stop(_ context.Context, name string, grace time.Duration) error {
	return e.do("stop", name, func() error { return e.settle(name, e.h.Stop(name, grace)) })
}

func (e engine) Restart(_ context.Context, name string, grace time.Duration) error {
	return e.do("restart", name, func() error { return e.settle(name, e.h.Restart(name, grace)) })
}

// settle returns when the engine has done what it was asked for.
func (e engine) settle(name string, err error) error {
	for err == nil && e.h.Container(name).Busy() {
		e.s.pass(250 * time.Millisecond)
		if e.h.Down {
			return errSilent
		}
	}
	return err
}

// bridge is a v2 bridge through its monitor.
type bridge struct {
	inventory
	s *site
	b *world.Bridge
}

// inventory is what nobody here asks a bridge for.
type inventory struct{ prb.Inventory }

func (b bridge) monitor() (*world.Bridge, error) {
	m := b.b
	if m.MonitorOf != nil {
		m = m.MonitorOf
	}
	if !m.MonitorListening() || m.MonitorHung() {
		return nil, errSilent
	}
	return m, nil
}

func (b bridge) lifecycle() error {
	m, err := b.monitor()
	if err != nil {
		return err
	}
	if how, _, _, _ := m.Dial(b.b.LifecyclePeer); how != world.DialOK {
		return errSilent
	}
	return nil
}

func (b bridge) Read(ctx context.Context) prb.Reading {
	m, err := b.monitor()
	if err != nil {
		return prb.Reading{MonitorErr: err}
	}
	var r prb.Reading
	providers, _ := m.Discover()
	for _, p := range providers {
		dp := prb.DataProvider{Status: fleet.DataProviderStatus{PeerID: p.ID, Hostname: p.Hostname, Addr: p.Addr}}
		how, _, provider, _ := m.Dial(p.ID)
		if how == world.DialOK {
			dp.Status.Para = fleet.Height{Value: provider.Info(b.s.w.Now()).ParaProcessed, Known: true}
		} else {
			dp.Err = errSilent
		}
		r.DataProviders = append(r.DataProviders, dp)
	}
	states, err := b.States(ctx)
	if err != nil {
		r.InventoryErr, r.StatesErr = err, err
		return r
	}
	for _, row := range b.b.Workers() {
		r.Workers = append(r.Workers, record(row))
	}
	prb.Join(r.Workers, states)
	return r
}

func (b bridge) States(_ context.Context, ids ...string) ([]fleet.WorkerStatus, error) {
	if err := b.lifecycle(); err != nil {
		return nil, err
	}
	contexts, err := b.b.States(nil)
	if err != nil {
		return nil, err
	}
	var out []fleet.WorkerStatus
	for _, c := range contexts {
		if len(ids) > 0 && !slices.Contains(ids, c.Worker.UUID) {
			continue
		}
		w := fleet.WorkerStatus{ID: c.Worker.UUID, Running: true, State: c.State()}
		w.Message, w.MessageAt = c.Message()
		w.MessageAt = w.MessageAt.Truncate(time.Second)
		if para, _, known := c.Heights(); known {
			w.Para = fleet.Height{Value: para, Known: true}
		}
		if session, ok := c.Session(); ok {
			w.Session = session.State
		}
		out = append(out, w)
	}
	return out, nil
}

func (b bridge) RestartWorker(_ context.Context, id string) error {
	effects := func() int {
		return len(slices.DeleteFunc(b.s.w.Effects(), func(r world.Record) bool {
			return r.Kind != string(world.ActionRestart) || strings.HasPrefix(r.Target, "node-")
		}))
	}
	return b.s.do("restart "+b.b.Name+"/"+b.nameOf(id), effects, func() error {
		if err := b.lifecycle(); err != nil {
			return err
		}
		_, err := b.b.Act(world.ActionRestart, []string{id})
		return err
	})
}

func (b bridge) nameOf(id string) string {
	for _, w := range b.b.Workers() {
		if w.UUID == id {
			return w.Name
		}
	}
	return id
}
