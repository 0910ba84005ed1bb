package act

import (
	"context"
	"fmt"
	"slices"
	"time"

	"phalops/internal/fleet"
	"phalops/internal/store"
)

// Pause holds a running plan: no further effect begins, save those that restore; what was sent is still proved. who is
// the person, as "user:<name>". Pausing a paused plan changes nothing; one that restores or has ended cannot be paused
// (*fleet.Error, Refused).
func (e *Engine) Pause(ctx context.Context, id, who string, now time.Time) error {
	return e.command(ctx, id, who, now, func(p *fleet.Plan) (fleet.Reason, error) {
		switch p.State {
		case fleet.PlanPaused:
			return fleet.Reason{}, nil
		case fleet.PlanRunning:
			p.State = fleet.PlanPaused
			return fleet.Because("act.plan_paused", "who", who, "plan", p.ID), nil
		default:
			return fleet.Reason{}, fleet.Fail(fleet.Refused, fleet.Because("act.cannot_pause", "plan", p.ID, "state", "plan_state."+string(p.State)))
		}
	})
}

// Resume lets a paused or parked plan go on. Resuming one that runs or restores changes nothing.
func (e *Engine) Resume(ctx context.Context, id, who string, now time.Time) error {
	return e.command(ctx, id, who, now, func(p *fleet.Plan) (fleet.Reason, error) {
		if p.State != fleet.PlanPaused && p.State != fleet.PlanParked {
			return fleet.Reason{}, nil
		}
		p.State = fleet.PlanRunning // a plan that was restoring turns to it again by itself
		return fleet.Because("act.plan_resumed", "who", who), nil
	})
}

// Abort ends a plan early: what was sent is still proved, what was stopped is started again, nothing else begins. A
// second Abort changes nothing.
func (e *Engine) Abort(ctx context.Context, id, who string, now time.Time) error {
	return e.command(ctx, id, who, now, func(p *fleet.Plan) (fleet.Reason, error) {
		if p.Abort && p.State == fleet.PlanRestoring {
			return fleet.Reason{}, nil
		}
		p.Abort, p.State = true, fleet.PlanRestoring
		return fleet.Because("act.plan_abort_asked", "who", who), nil
	})
}

// command changes a plan on a person's word. A zero Reason means that there is nothing to change.
func (e *Engine) command(ctx context.Context, id, who string, now time.Time, change func(*fleet.Plan) (fleet.Reason, error)) error {
	e.plans.Lock()
	defer e.plans.Unlock()
	p, err := e.store.Plan(ctx, id)
	if err != nil {
		return fmt.Errorf("plan %s: %w", id, err)
	}
	if p.State.Ended() {
		return fmt.Errorf("plan %s: %w", id, store.ErrEnded)
	}
	why, err := change(&p)
	if err != nil || why.IsZero() {
		return err
	}
	p.Note, p.Next = why, time.Time{}
	ev := fleet.Event{At: now, Kind: fleet.EventPlan, Author: who, Incident: p.Incident, Plan: p.ID, Reason: why}
	if len(p.Targets) > 0 {
		ev.Target = p.Targets[0]
	}
	if err := e.store.SavePlan(ctx, p, store.Fence{}, ev); err != nil {
		return fmt.Errorf("plan %s: %w", id, err)
	}
	return nil
}

// Retry is Retry with what the plan's kind needs to make it again.
func (e *Engine) Retry(p fleet.Plan, who string) (Request, error) {
	req, err := Retry(p, who)
	if kind := e.kinds[p.Kind]; err == nil && kind.Again != nil {
		req = kind.Again(p, req)
	}
	return req, err
}

// Retry asks for a plan that does what an ended one (read with its Steps) left undone: for a batch the targets that have a
// step that failed or was skipped, for an exact plan all of its targets. It is a *fleet.Error of kind Refused when the
// plan has not ended or left nothing. who is the new author; a confirmation is not carried over.
func Retry(p fleet.Plan, who string) (Request, error) {
	if !p.State.Ended() {
		return Request{}, fleet.Fail(fleet.Refused, fleet.Because("act.not_ended", "plan", p.ID))
	}
	var left []fleet.Ref
	for _, s := range p.Steps {
		if s.State != fleet.StepDone && !slices.Contains(left, s.Target) {
			left = append(left, s.Target)
		}
	}
	if len(left) == 0 {
		return Request{}, fleet.Fail(fleet.Refused, fleet.Because("act.nothing_left", "plan", p.ID))
	}
	if p.Exact {
		left = slices.Clone(p.Targets)
	}
	args := make(map[string]string, len(p.Args))
	for k, v := range p.Args {
		if k != ArgConfirm {
			args[k] = v
		}
	}
	return Request{
		Kind: p.Kind, Targets: left, Args: args, Author: who, Incident: p.Incident, Reason: fleet.Because("act.retry_of", "plan", p.ID),
	}, nil
}
