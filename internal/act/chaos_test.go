package act_test

import (
	"errors"
	"fmt"
	"maps"
	"testing"
	"time"

	"pgregory.net/rapid"

	"phalops/internal/act"
	"phalops/internal/clock"
	"phalops/internal/fleet"
	"phalops/internal/store"
	"phalops/internal/store/memory"
)

// chaos is a plan whose world, processes and people do what they like for a while.
type chaos struct {
	*rapid.T
	w     *containers
	store *memory.Store
	clock *clock.Virtual
	e     *act.Engine
	fence store.Fence
	id    string
	lives int
	die   int // boundaries until the process dies; 0: it lives
}

type death struct{}

func (c *chaos) live() {
	c.lives++
	c.die = 0
	e, err := act.New(act.Options{Store: c.store, Kinds: []act.Kind{c.w.kind()}, Crash: func(act.Boundary) {
		if c.die > 0 {
			if c.die--; c.die == 0 {
				panic(death{})
			}
		}
	}})
	if err != nil {
		c.Fatal(err)
	}
	l, err := c.store.Acquire(c.Context(), "dc1", fmt.Sprint("process ", c.lives), time.Minute, c.clock.Now())
	if err != nil {
		c.Fatal(err)
	}
	c.e, c.fence = e, store.Fence{Lease: "dc1", Token: l.Token}
}

func (c *chaos) pass(d time.Duration) {
	c.clock.Advance(d)
	c.w.pass(c.clock.Now())
}

// advance makes one move and starts a new process when it died.
func (c *chaos) advance() (ended bool) {
	defer func() {
		switch v := recover().(type) {
		case nil:
		case death:
			c.pass(time.Minute)
			c.live()
		default:
			panic(v)
		}
	}()
	next, ended, err := c.e.Advance(c.Context(), c.id, c.fence, c.clock.Now())
	if err != nil {
		c.Fatal(err)
	}
	if wait := next.Sub(c.clock.Now()); wait > 0 && !ended {
		c.pass(wait)
	}
	return ended
}

// overtaken lets another process take over while this one believes that the lease is its own.
func (c *chaos) overtaken() {
	old, fence := c.e, c.fence
	c.pass(time.Minute)
	c.live()
	before := c.effects()
	plan, err := c.store.Plan(c.Context(), c.id)
	if err != nil {
		c.Fatal(err)
	}
	_, ended, err := old.Advance(c.Context(), c.id, fence, c.clock.Now())
	if err != nil && !errors.Is(err, store.ErrFenced) {
		c.Fatal(err)
	}
	after, err2 := c.store.Plan(c.Context(), c.id)
	if err2 != nil {
		c.Fatal(err2)
	}
	if c.effects() != before || (ended && !plan.State.Ended()) || fmt.Sprint(after) != fmt.Sprint(plan) {
		c.Fatalf("a process without the lease did something: %v", err)
	}
}

func (c *chaos) effects() string { return fmt.Sprint(c.w.started, c.w.stopped, c.w.kicked, c.w.late) }

func (c *chaos) person(err error) {
	if err != nil && fleet.KindOf(err) != fleet.Refused {
		c.Fatal(err)
	}
}

// TestWhateverHappensWhatRanRunsAgain: failing, slow and panicking hosts, lost answers, full disks, deaths, rival
// processes and people who pause and abort, in any order.
func TestWhateverHappensWhatRanRunsAgain(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := newContainers("lifecycle", "trade", "queue", "standby", "node")
		w.running["standby"] = false
		if rapid.Bool().Draw(rt, "trade stopped by its operator") {
			w.running["trade"] = false
		}
		ran := maps.Clone(w.running)
		c := &chaos{T: rt, w: w, store: memory.New(), clock: clock.NewVirtual(start())}
		c.live()
		p, err := c.e.Build(rt.Context(), request(), start())
		if err == nil {
			err = c.e.Submit(rt.Context(), p, start())
		}
		if err != nil {
			rt.Fatal(err)
		}
		c.id = p.ID

		faulty := rapid.IntRange(0, 60).Draw(rt, "percent of faulty calls")
		w.fault = func(call, name string) fault {
			if rapid.IntRange(0, 99).Draw(rt, call+" "+name) >= faulty {
				return fine
			}
			return rapid.SampledFrom([]fault{refused, lost, dropped, slow, panicking}).Draw(rt, "fault")
		}
		ended := false
		for range rapid.IntRange(0, 60).Draw(rt, "moves") {
			switch rapid.IntRange(0, 19).Draw(rt, "what") {
			case 0:
				c.person(c.e.Pause(rt.Context(), c.id, "user:li", c.clock.Now()))
			case 1, 2:
				c.person(c.e.Resume(rt.Context(), c.id, "user:li", c.clock.Now()))
			case 3:
				c.person(c.e.Abort(rt.Context(), c.id, "user:li", c.clock.Now()))
			case 4:
				c.store.SetFull(rapid.Bool().Draw(rt, "full"))
			case 5, 6:
				c.die = rapid.IntRange(1, 4).Draw(rt, "die")
			case 7:
				c.overtaken()
			default:
				ended = c.advance()
			}
		}
		w.fault = func(string, string) fault { return fine }
		c.store.SetFull(false)
		c.person(c.e.Resume(rt.Context(), c.id, "user:li", c.clock.Now()))
		for n := 0; !ended; n++ {
			if ended = c.advance(); n > 2000 {
				p, _ := c.store.Plan(rt.Context(), c.id)
				rt.Fatalf("the plan never ends: %+v", p)
			}
		}
		c.pass(time.Hour)

		for name, was := range ran {
			if name != "node" && w.running[name] != was {
				rt.Errorf("%s ran before: %v, now: %v", name, was, w.running[name])
			}
			if !was && (w.started[name] > 0 || w.stopped[name] > 0) {
				rt.Errorf("%s did not run and was touched", name)
			}
		}
		if w.kicked["node"] > 1 {
			rt.Errorf("the blind effect was sent %d times", w.kicked["node"])
		}
		end, err := c.store.Plan(rt.Context(), c.id)
		if err != nil {
			rt.Fatal(err)
		}
		if end.State == fleet.PlanDone && (w.kicked["node"] != 1 || w.started["node"] == 0) {
			rt.Errorf("the plan is done without its effects")
		}
		if locks, err := c.store.Locks(rt.Context()); err != nil || len(locks) > 0 {
			rt.Errorf("locks are left: %v %v", locks, err)
		}
	})
}
