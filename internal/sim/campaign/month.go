package campaign

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"phalops/internal/loss"
	"phalops/internal/sim/world"
)

// Policy is who looks after the fleet of a campaign.
type Policy string

// Policies.
const (
	PolicyNone    Policy = "none"    // nobody
	PolicyPhalops Policy = "phalops" // these controllers with their default configuration
	// policyFloor knows everything and cures at once: what no other policy can beat.
	policyFloor Policy = "floor"
)

// Policies are those that can be asked for.
func Policies() []Policy { return []Policy{PolicyNone, PolicyPhalops} }

// MonthOptions are a campaign. The same options have the same Result, to the byte.
type MonthOptions struct {
	Policy   Policy
	Days     int
	Workers  int
	Seed     uint64
	Scenario Scenario
	// Progress is told after each day of each of the two runs, the policy's and the floor's; nil: nobody is.
	Progress func(run string, day int)
	Log      *slog.Logger // nil: silent
}

// looksEvery is how often it is looked who earns; shorter outages are seen by chance only.
const looksEvery = 15 * time.Second

// began is when every campaign begins.
var began = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC) //nolint:gochecknoglobals // a moment cannot be a constant

// Month lets a fleet live through a scenario under a policy, and once more under somebody who knows everything, which gives the floor. It
// takes minutes for a month of a big fleet, and ends early when ctx does.
func Month(ctx context.Context, o MonthOptions) (Result, error) {
	run, err := live(ctx, o, o.Policy)
	if err != nil {
		return Result{}, err
	}
	floor, err := live(ctx, o, policyFloor)
	if err != nil {
		return Result{}, err
	}
	return result(o, run, floor), nil
}

// lived is what became of one run.
type lived struct {
	outages  []loss.Outage
	effects  []world.Record
	harms    []world.Record
	faults   []world.Record
	messages int
}

// live is one run.
func live(ctx context.Context, o MonthOptions, p Policy) (lived, error) {
	w := world.New(began, o.Seed)
	world.MonthFleet(w, o.Workers)
	lasts := time.Duration(o.Days) * 24 * time.Hour
	drawn := o.Scenario.Draw(w, lasts)
	if err := w.Apply(drawn); err != nil {
		return lived{}, fmt.Errorf("scenario %s: %w", o.Scenario.Name, err)
	}
	s, err := New(Options{World: w, Log: o.Log})
	if err != nil {
		return lived{}, err
	}
	defer s.Close()
	book := newBook(s)
	if p == PolicyPhalops {
		if book.daemon, err = s.Start(ctx, DaemonOptions{}); err != nil {
			return lived{}, err
		}
	}
	var turns []time.Time // when the all-knowing acts between two looks
	if p == policyFloor {
		turns = turningPoints(drawn)
	}
	end := began.Add(lasts)
	for look := began.Add(looksEvery); !look.After(end); look = look.Add(looksEvery) {
		for len(turns) > 0 && !turns[0].After(look) {
			if err := s.Run(ctx, turns[0].Sub(s.Now())); err != nil {
				return lived{}, err
			}
			w.Cure(book.miners)
			turns = turns[1:]
		}
		if err := s.Run(ctx, look.Sub(s.Now())); err != nil {
			return lived{}, err
		}
		if book.look() && p == policyFloor {
			w.Cure(book.miners)
		}
		if day := look.Sub(began); o.Progress != nil && day%(24*time.Hour) == 0 {
			o.Progress(string(p), int(day/(24*time.Hour)))
		}
	}
	book.close()
	l := lived{outages: book.outages, effects: w.Effects(), harms: w.Harm(), faults: w.Faults()}
	for _, r := range w.Robots() {
		l.messages += len(r.Messages())
	}
	if d := book.daemon; d != nil && len(d.Troubles) > 0 {
		return lived{}, fmt.Errorf("%d beats failed, the first: %s", len(d.Troubles), d.Troubles[0])
	}
	return l, nil
}

// turningPoints are when a fault strikes or ends, in order and each once.
func turningPoints(s world.Scenario) []time.Time {
	var all []time.Time
	for _, f := range s.Faults {
		all = append(all, began.Add(f.At))
		if f.For > 0 {
			all = append(all, began.Add(f.At+f.For))
		}
	}
	slices.SortFunc(all, time.Time.Compare)
	return slices.CompactFunc(all, time.Time.Equal)
}
