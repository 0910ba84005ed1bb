package control

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"phalops/internal/act"
	"phalops/internal/clock"
	"phalops/internal/config"
	"phalops/internal/fleet"
	"phalops/internal/store"
	"phalops/internal/store/memory"
)

// lateList is a store whose list of unended plans is late: something happens between the reading and the answer.
type lateList struct {
	*memory.Store
	meanwhile func()
}

func (s *lateList) Plans(ctx context.Context, f store.PlanFilter) ([]fleet.Plan, error) {
	plans, err := s.Store.Plans(ctx, f)
	if now := s.meanwhile; f.Unended && now != nil {
		s.meanwhile = nil
		now()
	}
	return plans, err
}

// house is the controllers of a site without anything in it, which hold its lease, over a kind of plan with one step.
type house struct {
	*Control
	store *lateList
	ended []string
}

func newHouse(t *testing.T) *house {
	t.Helper()
	h := &house{store: &lateList{Store: memory.New()}}
	kind := act.Kind{Name: "test",
		Build: func(_ context.Context, req act.Request, _ time.Time) (fleet.Plan, error) {
			return fleet.Plan{Site: "dc1", Locks: req.Targets, Steps: []fleet.Step{{Name: "a", Op: "do", Target: req.Targets[0]}}}, nil
		},
		Ops: map[string]act.Op{"do": {Effect: act.Visible, Do: func(context.Context, act.StepContext) error { return nil }}},
	}
	engine, err := act.New(act.Options{Store: h.store, Kinds: []act.Kind{kind}, Ended: func(p fleet.Plan) { h.ended = append(h.ended, p.ID) }})
	if err != nil {
		t.Fatal(err)
	}
	h.Control = New(Options{
		Config: func() config.Config { return config.Config{Sites: []config.Site{{Name: "dc1"}}} }, Clock: clock.NewVirtual(day), Store: h.store,
		Engine: engine, Owner: "me", Log: slog.New(slog.DiscardHandler),
	})
	if _, err := h.leaseStep("dc1")(t.Context(), day); err != nil {
		t.Fatal(err)
	}
	return h
}

// submit writes a plan down, as a command does.
func (h *house) submit(t *testing.T) string {
	t.Helper()
	p, err := h.engine.Build(t.Context(), act.Request{Kind: "test", Targets: []fleet.Ref{w7}, Author: "user:li", Reason: fleet.Because("r")}, day)
	if err != nil {
		t.Fatal(err)
	}
	if err := h.engine.Submit(t.Context(), p, day); err != nil {
		t.Fatal(err)
	}
	return p.ID
}

// beat runs everything that is due until nothing is.
func (h *house) beat(t *testing.T) {
	t.Helper()
	for range 100 {
		id, step, ok := h.sched.Take(day)
		if !ok {
			return
		}
		next, err := step(t.Context(), day)
		if err != nil {
			t.Fatalf("%s: %v", id, err)
		}
		h.sched.Done(id, day, next, err)
	}
	t.Fatal("the beats never rest")
}

// A plan's beat that is set anew from a list that was read before the plan ended, while that beat is under way or after it
// is gone, ends again, and the plan is counted once.
func TestAPlanFoundInAnOldListIsCountedOnce(t *testing.T) {
	for _, whileItBeats := range []bool{false, true} {
		h := newHouse(t)
		id := h.submit(t)
		if _, err := h.plansStep(t.Context(), day); err != nil {
			t.Fatal(err)
		}
		if whileItBeats { // the list is read, the beat that ends the plan begins and ends, the list's plans are set, the beat is done
			last, step, _ := h.sched.Take(day)
			h.store.meanwhile = func() {
				for range 10 {
					if _, err := step(t.Context(), day); err != nil {
						t.Fatal(err)
					}
				}
			}
			if _, err := h.plansStep(t.Context(), day); err != nil {
				t.Fatal(err)
			}
			h.sched.Done(last, day, day, nil)
		} else {
			h.store.meanwhile = func() { h.beat(t) }
			if _, err := h.plansStep(t.Context(), day); err != nil {
				t.Fatal(err)
			}
		}
		if !h.sched.Has(beatPlan(id)) {
			t.Fatal("the old list has set nothing: this test tests nothing")
		}
		h.beat(t)
		if h.sched.Has(beatPlan(id)) || len(h.ended) != 1 || h.ended[0] != id {
			t.Errorf("while it beats %v: scheduled %v, counted %v", whileItBeats, h.sched.Has(beatPlan(id)), h.ended)
		}
	}
}
