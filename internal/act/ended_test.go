package act_test

import (
	"context"
	"errors"
	"slices"
	"strings"
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

// A plan that ends says which of its targets nothing was done to.
func TestUntouched(t *testing.T) {
	good := script{check: []any{false}, do: []any{nil}}
	ops := func() map[string]script {
		return map[string]script{"good": good, "so": {check: []any{true}, do: []any{nil}}, "refused": {check: []any{errBroken}, do: []any{nil}, attempts: 1},
			"waits": {verify: []any{act.TooLate}}, "bad": {check: []any{false}, do: []any{errBroken}, attempts: 1}}
	}
	for name, c := range map[string]struct {
		exact bool
		steps []string
		after int  // moves before …
		full  bool // the disk is full
		want  string
	}{
		"done":                               {true, []string{"a good n1", "b good n2"}, 0, false, ""},
		"done already":                       {true, []string{"a so n1"}, 0, false, "node/n1"},
		"broken off around it":               {true, []string{"stop good n1", "restart good n2", "~start good n1"}, 1, true, "node/n2"},
		"broken off after it":                {true, []string{"stop good n1", "~start good n1"}, 1, true, ""},
		"it could not begin":                 {true, []string{"a refused n1"}, 0, false, "node/n1"},
		"only its wait failed":               {true, []string{"a waits n1", "b good n1"}, 0, false, "node/n1"},
		"its effect failed":                  {true, []string{"a bad n1"}, 0, false, ""},
		"a batch, of which one cannot begin": {false, []string{"a good n1", "b refused n2", "c bad n3"}, 0, false, "node/n2"},
	} {
		t.Run(name, func(t *testing.T) {
			handlers := map[string]act.Op{}
			for name, s := range ops() {
				handlers[name] = s.op()
			}
			b := newBench(t, handlers, c.exact, nil, c.steps...)
			b.run(c.after)
			b.store.SetFull(c.full)
			b.run(40)
			p := b.plan()
			var got []string
			for _, r := range p.Untouched {
				if s := string(r); !slices.Contains(got, s) {
					got = append(got, s)
				}
			}
			if !p.State.Ended() || strings.Join(got, " ") != c.want {
				t.Errorf("the plan is %s, untouched are %v, want %q", p.State, got, c.want)
			}
		})
	}
}

// frightened is a journal that panics once, before it writes a step.
type frightened struct {
	*memory.Store
	once bool
}

func (s *frightened) SaveStep(ctx context.Context, plan string, step fleet.Step, f store.Fence, events ...fleet.Event) error {
	if s.once && step.State == fleet.StepEffected {
		s.once = false
		panic("the disk is gone")
	}
	return s.Store.SaveStep(ctx, plan, step, f, events...)
}

// What was changed in a step and never written is not believed afterwards, by the same engine either: only the journal is.
func TestAPanicLeavesTheJournalAlone(t *testing.T) {
	s, checked := &frightened{Store: memory.New(), once: true}, 0
	kind := kindOf(planned(fleet.Step{Name: "a"}, fleet.Step{Name: "b"}), nil)
	kind.Ops["do"] = act.Op{
		Effect: act.Visible,
		Check:  func(context.Context, act.StepContext) (bool, error) { checked++; return false, nil },
		Do:     func(context.Context, act.StepContext) error { return nil },
		Verify: func(context.Context, act.StepContext) (act.Proof, time.Time, fleet.Reason, error) {
			return act.Proved, time.Time{}, fleet.Reason{}, nil
		},
	}
	e := newEngine(t, s, kind)
	p, err := e.Build(t.Context(), want(), start())
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Submit(t.Context(), p, start()); err != nil {
		t.Fatal(err)
	}
	fence := lease(t, s, "me", start())
	advance := func() (ended bool) {
		defer func() { _ = recover() }()
		_, ended, err := e.Advance(t.Context(), p.ID, fence, start())
		if err != nil {
			t.Fatal(err)
		}
		return ended
	}
	advance()
	if got, _ := s.Plan(t.Context(), p.ID); got.Steps[0].State != fleet.StepIntent || checked != 1 {
		t.Fatalf("the step is %s, checked %d times", got.Steps[0].State, checked)
	}
	advance()
	if checked != 2 {
		t.Error("a step that the journal has in its intent was not looked at again")
	}
	for range 10 {
		if advance() {
			return
		}
	}
	t.Error("the plan does not end")
}
