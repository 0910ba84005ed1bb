package sqlite

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"phalops/internal/fleet"
	"phalops/internal/store"
)

// Deadlines that strike anywhere in a write leave it whole or undone, and the store usable.
func TestDeadlineAnywhere(t *testing.T) {
	s := open(t, t.TempDir())
	acknowledged := map[string]bool{}
	cut := 0
	for i := 0; len(acknowledged) < 30; i++ { // ever longer ones, on a machine of any speed
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i)*20*time.Microsecond)
		p := twoSteps(fmt.Sprint(i), fleet.NodeRef(fmt.Sprint(i)))
		err := s.CreatePlan(ctx, p)
		cancel()
		switch {
		case err == nil:
			acknowledged[p.ID] = true
		case errors.Is(err, context.DeadlineExceeded):
			cut++
		default:
			t.Fatalf("plan %d: %v", i, err)
		}
	}
	if cut == 0 {
		t.Error("no deadline struck")
	}
	plans, err := s.Plans(t.Context(), store.PlanFilter{})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range plans {
		if p.Counts[fleet.StepPlanned] != 2 {
			t.Errorf("plan %s has steps %v", p.ID, p.Counts)
		}
		delete(acknowledged, p.ID)
	}
	if len(acknowledged) != 0 {
		t.Errorf("acknowledged and lost: %v", acknowledged)
	}
	locks, err := s.Locks(t.Context())
	if err != nil || len(locks) != len(plans) {
		t.Errorf("%d locks of %d plans, %v", len(locks), len(plans), err)
	}
}
