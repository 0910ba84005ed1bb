package act_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"phalops/internal/act"
	"phalops/internal/fleet"
	"phalops/internal/store"
	"phalops/internal/store/memory"
)

// shaky is a journal whose write of an end is answered with an error, before or after it was made.
type shaky struct {
	*memory.Store
	before, after error // once each
}

func (s *shaky) SavePlan(ctx context.Context, p fleet.Plan, f store.Fence, events ...fleet.Event) error {
	if err := s.before; err != nil && p.State.Ended() {
		s.before = nil
		return err
	}
	err := s.Store.SavePlan(ctx, p, f, events...)
	if err == nil && p.State.Ended() && s.after != nil {
		err, s.after = s.after, nil
	}
	return err
}

// Each end is told once, by the engine that wrote it, however often the plan is advanced afterwards and whatever the store
// said to the write.
func TestEveryEndIsToldOnce(t *testing.T) {
	lost := errors.New("the answer is lost")
	for name, c := range map[string]struct {
		before, after error
		rival         bool // another process ends the plan after this one's write failed
		want, others  []fleet.PlanState
	}{
		"in peace":                         {nil, nil, false, []fleet.PlanState{fleet.PlanDone}, nil},
		"the write failed":                 {lost, nil, false, []fleet.PlanState{fleet.PlanDone}, nil},
		"the write's answer is lost":       {nil, lost, false, []fleet.PlanState{fleet.PlanDone}, nil},
		"both":                             {lost, lost, false, []fleet.PlanState{fleet.PlanDone}, nil},
		"the write failed, a rival's not":  {lost, nil, true, nil, []fleet.PlanState{fleet.PlanDone}},
		"the answer is lost, a rival sees": {nil, lost, true, []fleet.PlanState{fleet.PlanDone}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			s := &shaky{Store: memory.New(), before: c.before, after: c.after}
			var told, others []fleet.PlanState
			process := func(told *[]fleet.PlanState) *act.Engine {
				e, err := act.New(act.Options{Store: s, Kinds: []act.Kind{kindOf(planned(fleet.Step{Name: "a"}), nil)},
					Ended: func(p fleet.Plan) { *told = append(*told, p.State) }})
				if err != nil {
					t.Fatal(err)
				}
				return e
			}
			e, rival := process(&told), process(&others)
			p, err := e.Build(t.Context(), want(), start())
			if err != nil {
				t.Fatal(err)
			}
			if err := e.Submit(t.Context(), p, start()); err != nil {
				t.Fatal(err)
			}
			advance := func(e *act.Engine, owner string, now time.Time, until func(ended bool, err error) bool) {
				fence := lease(t, s, owner, now)
				for range 20 {
					if _, ended, err := e.Advance(t.Context(), p.ID, fence, now); until(ended, err) {
						return
					}
				}
				t.Fatal("it goes on for ever")
			}
			advance(e, "one", start(), func(ended bool, err error) bool { return ended || c.rival && err != nil })
			if c.rival {
				advance(rival, "two", start().Add(time.Hour), func(ended bool, _ error) bool { return ended })
			}
			for range 3 { // a beat of a plan that has ended, set anew by somebody who had read of it before
				if _, ended, err := e.Advance(t.Context(), p.ID, store.Fence{Lease: "dc1", Token: 1}, start().Add(time.Hour)); !ended || err != nil {
					t.Fatalf("ended: %v, %v", ended, err)
				}
			}
			if !slices.Equal(told, c.want) || !slices.Equal(others, c.others) {
				t.Errorf("told %v and %v, want %v and %v", told, others, c.want, c.others)
			}
		})
	}
}
