package campaign

import (
	"context"
	"errors"
	"fmt"
	"time"

	"phalops/internal/act"
	"phalops/internal/clock"
	"phalops/internal/config"
	"phalops/internal/control"
	"phalops/internal/fleet"
	"phalops/internal/i18n"
	"phalops/internal/notify"
	"phalops/internal/remedy"
)

// stopGrace is how long beats that are under way may finish when a daemon is told to end, as in the real one.
const stopGrace = 20 * time.Second

// Daemon is one process that looks after the world: controllers, engine and channels on a store that may be shared.
type Daemon struct {
	Name    string
	Control *control.Control
	Engine  *act.Engine
	// Troubles are the beats that failed or panicked, in words.
	Troubles []string

	sim    *Sim
	clock  *handClock
	ctx    context.Context
	cancel context.CancelFunc
	under  map[*beat]bool // beats that are under way
	quiet  quiet
	ending bool // no beat begins any more
	dead   bool // nothing that it does has any effect
}

// DaemonOptions are what makes a Daemon differ from others.
type DaemonOptions struct {
	Ahead time.Duration // by how much its clock is ahead of the world's
	// Crash is called at every boundary of every plan, see act.Options; it may call Kill.
	Crash func(*Daemon, act.Boundary)
	// EveryBeat leaves no beat out, not even one that would see nothing new: to prove that leaving them out changes nothing.
	EveryBeat bool
}

// Start adds a daemon that has just come up: it has read the store, and everything is due.
func (s *Sim) Start(ctx context.Context, o DaemonOptions) (*Daemon, error) {
	s.started++
	d := &Daemon{Name: fmt.Sprintf("daemon-%d", s.started), sim: s, under: map[*beat]bool{}}
	d.clock = &handClock{sim: s, ahead: o.Ahead}
	d.quiet = quiet{off: o.EveryBeat, well: map[string]wellness{}}
	d.ctx, d.cancel = context.WithCancel(ctx)
	memory := &gate{Store: s.Store, daemon: d}
	reach := newReach(d)
	plans := 0
	var err error
	d.Engine, err = act.New(act.Options{
		Store: memory, Kinds: remedy.New(d.config, reach).Kinds(), Log: s.log,
		NewID: func() string { plans++; return fmt.Sprintf("%s-%d", d.Name, plans) },
		Crash: func(b act.Boundary) {
			if o.Crash == nil {
				return
			}
			if o.Crash(d, b); d.dead {
				panic(killed{})
			}
		},
	})
	if err != nil {
		return nil, fmt.Errorf("make the engine: %w", err)
	}
	d.Control = control.New(control.Options{
		Config: d.config, Clock: d.clock, Store: memory, Engine: d.Engine, Clients: reach, Owner: d.Name, Log: s.log,
	})
	if err := d.Control.Load(ctx, d.clock.Now()); err != nil {
		return nil, fmt.Errorf("read the store: %w", err)
	}
	d.Control.Configure(d.clock.Now(), notify.New(notify.Options{
		Store: memory, Senders: d.senders(), Routes: s.Config.Alerts.Routes, Catalog: s.catalog, Lang: i18n.EN, Log: s.log,
	}))
	s.daemons = append(s.daemons, d)
	return d, nil
}

func (d *Daemon) config() config.Config { return d.sim.Config }

func (d *Daemon) panicked(id string, what any, stack []byte) {
	d.Troubles = append(d.Troubles, fmt.Sprintf("%s panicked: %v\n%s", id, what, stack))
}

func (d *Daemon) failed(id string, err error) {
	d.Troubles = append(d.Troubles, fmt.Sprintf("%s %s: %v", d.sim.Now().Format(time.TimeOnly), id, err))
}

// SetAhead makes its clock jump.
func (d *Daemon) SetAhead(by time.Duration) { d.clock.ahead = by }

// Clock is the clock that it goes by.
func (d *Daemon) Clock() clock.Clock { return d.clock }

// Kill ends the process as kill -9 does: at once, in the middle of whatever it does, without a word.
func (d *Daemon) Kill() {
	d.dead, d.ending = true, true
	d.cancel()
	d.leave()
	for b := range d.under {
		if b != d.sim.current {
			d.sim.waiting.take(b)
			b.routine.end()
		}
	}
}

// Stop ends the process as SIGTERM does: no beat begins any more, those under way have a grace, then the leases are given
// back. The world goes on meanwhile.
func (d *Daemon) Stop(ctx context.Context) error {
	d.ending = true
	_, err := d.sim.RunUntil(ctx, stopGrace, func() bool { return len(d.under) == 0 })
	d.cancel()
	for b := range d.under { // their contexts are done: they go on at once
		d.sim.waiting.take(b)
		d.sim.resume(b)
	}
	err = errors.Join(err, d.Control.Release(ctx))
	d.dead = true
	d.leave()
	return err
}

func (d *Daemon) leave() {
	for i, o := range d.sim.daemons {
		if o == d {
			d.sim.daemons = append(d.sim.daemons[:i:i], d.sim.daemons[i+1:]...)
			return
		}
	}
}

// errGone is what a process gets that is no more.
var errGone = fleet.Fail(fleet.Unavailable, fleet.Because("campaign.gone"))

// handClock is the world's time as a daemon's machine shows it.
type handClock struct {
	sim   *Sim
	ahead time.Duration
}

// Now is where its hands stand.
func (c *handClock) Now() time.Time { return c.sim.Now().Add(c.ahead).UTC() }

// Sleep lets virtual time pass.
func (c *handClock) Sleep(ctx context.Context, d time.Duration) error { return c.sim.sleep(ctx, d) }
