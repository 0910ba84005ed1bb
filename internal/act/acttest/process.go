package acttest

import (
	"context"
	"testing"
	"time"

	"phalops/internal/act"
	"phalops/internal/clock"
	"phalops/internal/fleet"
	"phalops/internal/store"
)

// process is one life of the executor.
type process struct {
	engine *act.Engine
	fence  store.Fence
}

// drive advances the plan until it ends or the process dies; then it says where.
func (p process) drive(t *testing.T, s store.Store, id string, c *clock.Virtual, live func(time.Time)) (died *act.Boundary) {
	t.Helper()
	defer func() {
		switch v := recover().(type) {
		case nil:
		case crash:
			died = &v.at
		default:
			panic(v)
		}
	}()
	for range advances {
		next, ended, err := p.engine.Advance(t.Context(), id, p.fence, c.Now())
		if err != nil {
			t.Fatal(err)
		}
		if ended {
			return nil
		}
		if next.After(c.Now()) {
			pass(c, next, live)
		}
		plan, err := s.Plan(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		if plan.State == fleet.PlanParked {
			t.Fatalf("the plan is parked: %s", plan.Note)
		}
	}
	t.Fatalf("the plan did not end in %d moves", advances)
	return nil
}

func pass(c *clock.Virtual, now time.Time, live func(time.Time)) {
	c.Set(now)
	if live != nil {
		live(now)
	}
}

// counted is op with a Do that counts, by step, what it sends.
func counted(op act.Op, sent map[string]int, blind map[string]bool) act.Op {
	if op.Do == nil {
		return op
	}
	do := op.Do
	op.Do = func(ctx context.Context, s act.StepContext) error {
		blind[s.Step.Name] = op.Effect == act.Blind
		sent[s.Step.Name]++
		err := do(ctx, s)
		if act.WasNotSent(err) {
			sent[s.Step.Name]--
		}
		return err
	}
	return op
}
