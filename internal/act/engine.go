package act

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"phalops/internal/fleet"
	"phalops/internal/store"
)

// DefaultPoll is how long the engine waits before it asks again, where nobody says better.
const DefaultPoll = 10 * time.Second

// Store is what the engine needs of a store.Store.
type Store interface {
	store.Journal
	// Full reports that the disk is full: then no new plan starts, and running ones only restore.
	Full() bool
}

// Options are what an Engine is made of.
type Options struct {
	// Store is the journal; required.
	Store Store
	// Kinds are the plans that the engine can make and execute.
	Kinds []Kind
	// Log receives what no plan can record, such as the stack of a handler that panicked. Nil: nothing is logged.
	Log *slog.Logger
	// NewID names new plans. Nil: ten random letters and digits.
	NewID func() string
	// Ended is told once of each plan whose end this engine wrote, after the write; Steps may be missing. It must return at once
	// and not call the engine. Nil: nobody.
	Ended func(fleet.Plan)
	// Crash is called at every Boundary and may leave by a panic that the engine does not catch; that is how tests kill the
	// process. Nil in production.
	Crash func(Boundary)
}

// Point is a moment between two writes at which a process may die.
type Point string

// The points of a step's life, in order, and the one of a plan's.
const (
	BeforeIntent Point = "before intent" // Check and Prepare were asked, nothing is written
	AfterIntent  Point = "after intent"  // the intent is written, the effect has not begun
	AfterEffect  Point = "after effect"  // the effect happened (or failed), its result is not written
	AfterVerify  Point = "after verify"  // the proof was seen and is not written
	BeforeState  Point = "before state"  // a new state of the plan (restoring, done …) is due and not written
)

// Boundary is a Point in the life of one step; Step is "" for BeforeState.
type Boundary struct {
	Point   Point
	Plan    string
	Step    string
	Attempt int // of the newest intent
}

func (b Boundary) String() string {
	if b.Step == "" {
		return string(b.Point)
	}
	return fmt.Sprintf("%s of %s (attempt %d)", b.Point, b.Step, b.Attempt)
}

// Engine makes plans and moves them forward. It owns no goroutine and no clock, and keeps nothing in memory that the
// journal does not have, save when to ask again. Its methods may be called in parallel; Advance of one plan must not
// overlap with itself (in another process the fence sees to that).
type Engine struct {
	store Store
	kinds map[string]Kind
	log   *slog.Logger
	newID func() string
	ended func(fleet.Plan)
	crash func(Boundary)

	plans sync.Mutex // held while a plan's own row is read, changed and written

	mu     sync.Mutex
	looks  map[string]map[int]look // by plan and step
	books  map[string]book         // by plan
	unsure map[string]fleet.Plan   // ends whose write failed, and may be there all the same
}

// look is when a step is worth looking at again. It lives in memory only: after a restart the engine looks at once.
type look struct {
	at       time.Time
	settling bool // the wished state is there, but an unproved effect on the same target may still undo it
}

// New makes an Engine. It is an error when a kind is registered twice or cannot work.
func New(o Options) (*Engine, error) {
	if o.Store == nil {
		return nil, errors.New("act: Options.Store is missing")
	}
	e := &Engine{
		store: o.Store, kinds: make(map[string]Kind, len(o.Kinds)), log: o.Log, newID: o.NewID, ended: o.Ended, crash: o.Crash,
		looks: map[string]map[int]look{}, books: map[string]book{}, unsure: map[string]fleet.Plan{},
	}
	if e.log == nil {
		e.log = slog.New(slog.DiscardHandler)
	}
	if e.newID == nil {
		e.newID = func() string { return strings.ToLower(rand.Text()[:10]) }
	}
	if e.ended == nil {
		e.ended = func(fleet.Plan) {}
	}
	if e.crash == nil {
		e.crash = func(Boundary) {}
	}
	for _, k := range o.Kinds {
		if err := checkKind(k); err != nil {
			return nil, fmt.Errorf("act: plan kind %q: %w", k.Name, err)
		}
		if _, twice := e.kinds[k.Name]; twice {
			return nil, fmt.Errorf("act: plan kind %q is registered twice", k.Name)
		}
		e.kinds[k.Name] = k
	}
	return e, nil
}

func checkKind(k Kind) error {
	if k.Name == "" || k.Build == nil {
		return errors.New("it needs a name and a Build")
	}
	for name, op := range k.Ops {
		switch {
		case op.Do == nil && op.Verify == nil:
			return fmt.Errorf("op %q neither does nor proves anything", name)
		case op.Do != nil && op.Effect != Visible && op.Effect != Blind:
			return fmt.Errorf("op %q does not say whether its effect is visible or blind", name)
		}
	}
	return nil
}

// Kinds lists the names of the registered kinds.
func (e *Engine) Kinds() []string { return slices.Sorted(maps.Keys(e.kinds)) }

// Unended lists the plans of the given sites (of all sites when none is given) that have something left to do, oldest
// first, with Counts instead of Steps.
func (e *Engine) Unended(ctx context.Context, sites ...string) ([]fleet.Plan, error) {
	plans, err := e.store.Plans(ctx, store.PlanFilter{Sites: sites, Unended: true})
	if err != nil {
		return nil, fmt.Errorf("list the unended plans: %w", err)
	}
	slices.Reverse(plans)
	return plans, nil
}

func (e *Engine) lookAt(plan string, seq int, l look) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.looks[plan] == nil {
		e.looks[plan] = map[int]look{}
	}
	e.looks[plan][seq] = l
}

func (e *Engine) looked(plan string, seq int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.looks[plan], seq)
}

// looksOf copies the looks of one plan.
func (e *Engine) looksOf(plan string) map[int]look {
	e.mu.Lock()
	defer e.mu.Unlock()
	return maps.Clone(e.looks[plan])
}

// wrote is told of every write of an end. One that failed may have got through: then the plan is found ended later, just so.
func (e *Engine) wrote(p fleet.Plan, err error) {
	e.mu.Lock()
	if err != nil {
		e.unsure[p.ID] = p
	} else {
		delete(e.unsure, p.ID)
	}
	e.mu.Unlock()
	if err == nil {
		e.ended(p)
	}
}

// foundEnded forgets what is remembered of a plan that is found to have ended.
func (e *Engine) foundEnded(p fleet.Plan) {
	e.mu.Lock()
	tried, ours := e.unsure[p.ID]
	delete(e.unsure, p.ID)
	delete(e.looks, p.ID)
	e.mu.Unlock()
	if ours && tried.State == p.State && tried.Ended.Equal(p.Ended) {
		e.ended(p)
	}
}
