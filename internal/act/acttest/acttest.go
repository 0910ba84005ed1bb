// Package acttest kills processes. It executes a plan with a death at every boundary of every step, starts a new engine
// over the same journal and the same world, lets it finish, and hands the result to a judge.
package acttest

import (
	"fmt"
	"maps"
	"testing"
	"time"

	"phalops/internal/act"
	"phalops/internal/clock"
	"phalops/internal/fleet"
	"phalops/internal/store"
	"phalops/internal/store/memory"
)

// Setup is a plan and the world that it changes, both new.
type Setup struct {
	// Kinds makes the handlers over the world. It is called once for every process that runs the plan, so what a handler
	// remembers in memory is lost in a crash, as in life.
	Kinds func() []act.Kind
	// Request asks for the plan.
	Request act.Request
	// Store is the journal; nil: a new one in memory.
	Store store.Store
	// Clock is the time that the world shares with the engine; nil: a new one.
	Clock *clock.Virtual
	// Pass lets the world live until now; nil: nothing happens by itself. The Clock has moved already.
	Pass func(now time.Time)
	// Judge compares the world with the wish. It is called once the plan has ended.
	Judge func(t *testing.T, r Run)
}

// Run is what became of one run of a plan, deaths included.
type Run struct {
	Plan    fleet.Plan     // as it ended
	Sent    map[string]int // by step: how many effects were sent (a Do that says act.NotSent does not count)
	Crashes []act.Boundary // where processes died
	Passed  []act.Boundary // what the last process, which did not die, came by
	Events  []fleet.Event  // all of the journal's
}

// Advances bounds one run: a plan that has not ended by then never will.
const advances = 5000

// lease is how long a dead process's lease lasts; its successor waits so long.
const lease = time.Minute

// crash is what a dying process panics with.
type crash struct{ at act.Boundary }

// Enumerate runs the plan once in peace, then once for every boundary with a death there, then for every such death with
// a second one at every later boundary (not with -short). setup makes a new world each time. Whatever the judge thinks, it is
// an error when a plan does not end, ends with open steps or locks, or sends a blind effect twice.
func Enumerate(t *testing.T, setup func(t *testing.T) Setup) {
	t.Helper()
	enumerate(t, setup, !testing.Short())
}

// Once is Enumerate without second deaths, for plans of so many boundaries that their pairs take minutes.
func Once(t *testing.T, setup func(t *testing.T) Setup) {
	t.Helper()
	enumerate(t, setup, false)
}

// Peace runs the plan once without a death, for those who want to know what Enumerate would come by. The judge is asked, too.
func Peace(t *testing.T, u Setup) (run Run) {
	t.Helper()
	asked := u.Judge
	u.Judge = func(t *testing.T, r Run) {
		if run = r; asked != nil {
			asked(t, r)
		}
	}
	play(t, u, nil)
	return run
}

func enumerate(t *testing.T, setup func(t *testing.T) Setup, twice bool) {
	t.Helper()
	var first []act.Boundary
	if !t.Run("peace", func(t *testing.T) { first = play(t, setup(t), nil)[0] }) {
		return
	}
	for i, b := range first {
		var second []act.Boundary
		t.Run(b.String(), func(t *testing.T) { second = play(t, setup(t), []int{i})[1] })
		if !twice {
			continue
		}
		for j, c := range second {
			t.Run(fmt.Sprintf("%s, then %s", b, c), func(t *testing.T) { play(t, setup(t), []int{i, j}) })
		}
	}
}

// Drive advances a plan until it ends, in virtual time: where the engine wants to be called later, the clock is moved
// there and pass (nil: nothing) lets the world live until then. It returns the plan as it ended, and fails the test when
// the plan parks or goes on for ever.
func Drive(t *testing.T, e *act.Engine, s store.Store, id string, c *clock.Virtual, pass func(now time.Time)) fleet.Plan {
	t.Helper()
	p, err := s.Plan(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	process := process{engine: e, fence: acquire(t, s, p.Site, "driver", c.Now())}
	if died := process.drive(t, s, id, c, pass); died != nil {
		t.Fatalf("the process died at %s", *died)
	}
	p, err = s.Plan(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// play runs a plan through the deaths that crashes names by their place among the boundaries of each process, and
// returns the boundaries that each process saw.
func play(t *testing.T, u Setup, crashes []int) [][]act.Boundary {
	t.Helper()
	if u.Store == nil {
		u.Store = memory.New()
	}
	if u.Clock == nil {
		u.Clock = clock.NewVirtual(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))
	}
	run := Run{Sent: map[string]int{}}
	seen := make([][]act.Boundary, len(crashes)+1)
	blind := map[string]bool{}
	var id string
	for n := range seen {
		e := engine(t, u, run.Sent, blind, func(b act.Boundary) {
			seen[n] = append(seen[n], b)
			if n < len(crashes) && len(seen[n]) == crashes[n]+1 {
				panic(crash{b})
			}
		})
		if n == 0 {
			id = submit(t, e, u)
		}
		p, err := u.Store.Plan(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		life := process{engine: e, fence: acquire(t, u.Store, p.Site, fmt.Sprintf("process-%d", n), u.Clock.Now())}
		died := life.drive(t, u.Store, id, u.Clock, u.Pass)
		if (died != nil) != (n < len(crashes)) {
			t.Fatalf("process %d: died at %v", n, died)
		}
		if died != nil {
			run.Crashes = append(run.Crashes, *died)
			pass(u.Clock, u.Clock.Now().Add(lease), u.Pass)
		}
	}
	run.Passed = seen[len(seen)-1]
	judge(t, u, id, run, blind)
	return seen
}

func judge(t *testing.T, u Setup, id string, run Run, blind map[string]bool) {
	t.Helper()
	var err error
	if run.Plan, err = u.Store.Plan(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	if run.Events, err = u.Store.Events(t.Context(), store.EventFilter{}); err != nil {
		t.Fatal(err)
	}
	for _, s := range run.Plan.Steps {
		if !s.State.Ended() {
			t.Errorf("the plan is %s and its step %s is %s", run.Plan.State, s.Name, s.State)
		}
		if blind[s.Name] && run.Sent[s.Name] > 1 {
			t.Errorf("the blind effect of %s was sent %d times", s.Name, run.Sent[s.Name])
		}
	}
	locks, err := u.Store.Locks(t.Context())
	if err != nil || len(locks) > 0 {
		t.Errorf("locks are left: %v %v", locks, err)
	}
	if u.Judge != nil {
		u.Judge(t, run)
	}
}

// engine is a new process: fresh handlers, which count what they send.
func engine(t *testing.T, u Setup, sent map[string]int, blind map[string]bool, at func(act.Boundary)) *act.Engine {
	t.Helper()
	kinds := u.Kinds()
	for k := range kinds {
		kinds[k].Ops = maps.Clone(kinds[k].Ops)
		for name, op := range kinds[k].Ops {
			kinds[k].Ops[name] = counted(op, sent, blind)
		}
	}
	e, err := act.New(act.Options{Store: u.Store, Kinds: kinds, Crash: at})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func submit(t *testing.T, e *act.Engine, u Setup) string {
	t.Helper()
	p, err := e.Build(t.Context(), u.Request, u.Clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Submit(t.Context(), p, u.Clock.Now()); err != nil {
		t.Fatal(err)
	}
	return p.ID
}

func acquire(t *testing.T, s store.Store, site, owner string, now time.Time) store.Fence {
	t.Helper()
	l, err := s.Acquire(t.Context(), site, owner, lease, now)
	if err != nil {
		t.Fatal(err)
	}
	return store.Fence{Lease: l.Name, Token: l.Token}
}
