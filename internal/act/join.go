package act

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"phalops/internal/fleet"
	"phalops/internal/store"
)

// UnderWayError is the answer to a request for a plan of a shared kind while the same is on its way for the same targets:
// whoever asked may follow that plan as if it were their own. Nothing was written. It is found by errors.As; to those who
// do not look for it, it is a lock of another operation.
type UnderWayError struct{ Plan fleet.Plan }

func (e *UnderWayError) Error() string {
	return fmt.Sprintf("plan %s (%s) by %s is on its way already", e.Plan.ID, e.Plan.Kind, e.Plan.Author)
}

// As lets errors.As find the sentence for people and the kind "locked".
func (e *UnderWayError) As(target any) bool {
	t, ok := target.(**fleet.Error)
	if ok {
		*t = fleet.Fail(fleet.Locked, fleet.Because("act.under_way", "plan", e.Plan.ID, "kind", "plan_kind."+e.Plan.Kind, "author", e.Plan.Author,
			"since", e.Plan.Created))
	}
	return ok
}

// UnderWay is the plan that a request may share, where err says so.
func UnderWay(err error) (fleet.Plan, bool) {
	if e, ok := errors.AsType[*UnderWayError](err); ok {
		return e.Plan, true
	}
	return fleet.Plan{}, false
}

// shares reports whether a request for kind and targets is served by p: it has the same ahead of it or is at it. A plan
// that was aborted or has begun to restore will not do it any more.
func shares(p fleet.Plan, kind string, targets []fleet.Ref) bool {
	return p.Kind == kind && !p.Abort && (p.State == fleet.PlanRunning || p.State == fleet.PlanPaused) && slices.Equal(p.Targets, targets)
}

// underWay looks in the journal for a plan that serves a request.
func (e *Engine) underWay(ctx context.Context, kind string, targets []fleet.Ref) error {
	if len(targets) == 0 {
		return nil
	}
	plans, err := e.store.Plans(ctx, store.PlanFilter{Unended: true, Kind: kind, Target: targets[0]})
	if err != nil {
		return fmt.Errorf("look for a plan %s of %s: %w", kind, targets[0], err)
	}
	for _, p := range plans {
		if shares(p, kind, targets) {
			return &UnderWayError{p}
		}
	}
	return nil
}

// orUnderWay turns a lock that a plan for the same holds into an UnderWayError: both were made at the same moment.
func (e *Engine) orUnderWay(ctx context.Context, p fleet.Plan, err error) error {
	locked, ok := errors.AsType[*store.LockedError](err)
	if !ok {
		return err
	}
	if held, readErr := e.store.Plan(ctx, locked.Held.Plan); readErr == nil && shares(held, p.Kind, p.Targets) {
		return &UnderWayError{held}
	}
	return err
}
