// Package campaign lets the controllers of phalops keep watch over a simulated world in virtual time: the same steps that the
// daemon beats, on a clock that is turned as fast as the machine can, with the world behind in-process adapters instead of
// sockets. An adapter answers what the real client of its part would have made of what sim/wire serves, down to the codes of
// its errors; a reply that is slower than its client's deadline is a timeout.
//
// One beat runs at a time. A beat that waits (for a container's process to end, for a slow reply) lets the others go on, so
// that many beats are under way at the same virtual moment and nothing depends on the machine's speed.
package campaign

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"phalops/internal/config"
	"phalops/internal/fleet"
	"phalops/internal/i18n"
	"phalops/internal/prb"
	"phalops/internal/sim/world"
	"phalops/internal/store/memory"
)

// Options are what a Sim is made of.
type Options struct {
	World *world.World // what is watched
	// Settings are appended to the configuration, as YAML: healing, watchdog, poll, maintenance, alerts' routes.
	Settings string
	// References are nodes of the world that are nobody's own: outside heads of the network.
	References []string
	Log        *slog.Logger // nil: silent
}

// Sim is a world and those who look after it. It is not safe for concurrent use.
type Sim struct {
	World  *world.World
	Store  *memory.Store
	Config config.Config

	places    places
	bent      map[string]func(prb.Reading) prb.Reading
	stakes    map[string]fleet.Amount
	operators map[string]string
	catalog   *i18n.Catalog
	log       *slog.Logger
	daemons   []*Daemon
	waiting   waiting
	idle      []*routine
	current   *beat
	started   int
	beats     int64
}

// New makes a Sim without anybody who looks after the world: see Start. Close it.
func New(o Options) (*Sim, error) {
	s := &Sim{World: o.World, Store: memory.New(), places: place(o.World, o.References), log: o.Log}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	var problems []config.Problem
	if s.Config, problems = config.Parse(s.yaml(o)); len(problems) > 0 {
		return nil, fmt.Errorf("the configuration of the simulated world: %v", problems)
	}
	var err error
	if s.catalog, err = i18n.Load(); err != nil {
		return nil, fmt.Errorf("load the catalogue: %w", err)
	}
	return s, nil
}

// Close ends everybody who looks after the world.
func (s *Sim) Close() {
	for len(s.daemons) > 0 {
		s.daemons[0].Kill()
	}
	for _, r := range s.idle {
		r.end()
	}
	s.idle = nil
}

// Bend has a bridge's readings changed on their way: a bridge that answers nonsense. Nil ends it.
func (s *Sim) Bend(bridge string, how func(prb.Reading) prb.Reading) {
	if s.bent == nil {
		s.bent = map[string]func(prb.Reading) prb.Reading{}
	}
	s.bent[bridge] = how
}

func (s *Sim) bend(bridge string, r prb.Reading) prb.Reading {
	if how := s.bent[bridge]; how != nil {
		return how(r)
	}
	return r
}

// Now is how late it is in the world.
func (s *Sim) Now() time.Time { return s.World.Now() }

// Beats is how many beats there were.
func (s *Sim) Beats() int64 { return s.beats }

// Run lets d of virtual time pass. It ends early when ctx does.
func (s *Sim) Run(ctx context.Context, d time.Duration) error {
	return s.until(ctx, s.Now().Add(d), func() bool { return false })
}

// RunUntil is Run that ends as soon as holds does, which is asked after every beat; it reports whether it did.
func (s *Sim) RunUntil(ctx context.Context, most time.Duration, holds func() bool) (bool, error) {
	held := false
	err := s.until(ctx, s.Now().Add(most), func() bool {
		held = held || holds()
		return held
	})
	return held, err
}

// until beats whatever is due, and turns the clock to the next moment at which something is, until end.
func (s *Sim) until(ctx context.Context, end time.Time, enough func() bool) error {
	for ctx.Err() == nil {
		switch {
		case enough():
			return nil
		case s.one(s.Now()):
			continue
		}
		next, ok := s.next()
		if !ok || next.After(end) {
			s.World.Advance(end)
			if s.one(end) { // an event of the world had somebody woken
				continue
			}
			return nil
		}
		s.World.Advance(next)
	}
	return ctx.Err()
}

// one goes on with whoever has waited long enough, else begins one beat that is due; false when there is neither.
func (s *Sim) one(now time.Time) bool {
	if b := s.waiting.due(now); b != nil {
		s.resume(b)
		return true
	}
	for _, d := range s.daemons {
		if d.ending {
			continue
		}
		if id, step, ok := d.Control.Schedule().Take(d.clock.Now()); ok {
			if next, yes := d.leaveOut(id, d.clock.Now()); yes {
				d.Control.Schedule().Done(id, d.clock.Now(), next, nil)
				return true
			}
			s.beats++
			s.resume(d.begin(id, step))
			return true
		}
	}
	return false
}

// idlest bounds a daemon's sleep, as in the real one, so that a clock that jumped is noticed.
const idlest = time.Minute

// next is when something is due next.
func (s *Sim) next() (first time.Time, ok bool) {
	sooner := func(t time.Time) {
		if !ok || t.Before(first) {
			first, ok = t, true
		}
	}
	if b := s.waiting.first(); b != nil {
		sooner(b.wake)
	}
	for _, d := range s.daemons {
		if at, due := d.Control.Schedule().Next(); due && !d.ending {
			sooner(at.Add(-d.clock.ahead))
			sooner(s.Now().Add(idlest))
		}
	}
	return first, ok
}
