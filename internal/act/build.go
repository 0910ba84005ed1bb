package act

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"phalops/internal/fleet"
	"phalops/internal/store"
)

// Arguments of a plan that the engine itself reads, whatever its kind.
const (
	// ArgMaxFailures ("3") stops a batch once that many of its targets failed; missing: never.
	ArgMaxFailures = "max_failures"
	// ArgAtOnce ("10") is how many targets of a batch may be under way at the same time; missing: 1.
	ArgAtOnce = "at_once"
	// ArgRate ("60") is how many targets of a batch may begin in a minute; missing: no limit.
	ArgRate = "rate"
	// ArgConfirm is what a person typed to confirm an irreversible step. Submit refuses an irreversible plan without it;
	// that it names the right thing is for the kind's Build to check.
	ArgConfirm = "confirm"
)

// Build makes the plan that a request asks for. It looks at the world and changes nothing, neither there nor in the
// journal: it is the dry run and the preview too. The error is what the kind's Build says, or *fleet.Error of kind
// Invalid for an unknown kind, and an *UnderWayError for a shared kind that is on its way already.
func (e *Engine) Build(ctx context.Context, req Request, now time.Time) (fleet.Plan, error) {
	kind, ok := e.kinds[req.Kind]
	if !ok {
		return fleet.Plan{}, fleet.Fail(fleet.Invalid, fleet.Because("act.unknown_kind", "kind", req.Kind))
	}
	if kind.Shared {
		if err := e.underWay(ctx, req.Kind, req.Targets); err != nil {
			return fleet.Plan{}, err
		}
	}
	p, err := e.callBuild(ctx, kind, req, now)
	if err != nil {
		return fleet.Plan{}, fmt.Errorf("build plan %s: %w", req.Kind, err)
	}
	p.ID, p.Kind, p.Author, p.Reason, p.Incident = e.newID(), req.Kind, req.Author, req.Reason, req.Incident
	p.State, p.Created = fleet.PlanRunning, now
	p.Note, p.Ended, p.Next, p.Abort, p.Counts, p.Under = fleet.Reason{}, time.Time{}, time.Time{}, false, nil, req.Under
	if p.Targets == nil {
		p.Targets = slices.Clone(req.Targets)
	}
	for i := range p.Steps {
		s := &p.Steps[i]
		s.Seq, s.Attempt, s.Token, s.Note = i, 0, 0, nil
		s.Began, s.Effected, s.Ended = time.Time{}, time.Time{}, time.Time{}
		if s.State == fleet.StepSkipped {
			s.Ended = now // left out by the kind, which says why in Result
		} else {
			s.State, s.Result = fleet.StepPlanned, fleet.Reason{}
		}
		if s.Class == "" {
			s.Class = fleet.ClassReversible
		}
	}
	if err := validate(p, kind); err != nil {
		return fleet.Plan{}, fmt.Errorf("build plan %s: %w", req.Kind, err)
	}
	return p, nil
}

// validate finds what a kind did wrong; the errors are for its author, not for an operator.
func validate(p fleet.Plan, kind Kind) error {
	if p.Site == "" {
		return errors.New("it names no site")
	}
	for _, t := range p.Targets {
		if !slices.Contains(p.Locks, t) {
			return fmt.Errorf("its locks lack the target %s", t)
		}
	}
	for _, arg := range []string{ArgMaxFailures, ArgAtOnce, ArgRate} {
		if v, ok := p.Args[arg]; ok {
			if n, err := strconv.Atoi(v); err != nil || n < 1 {
				return fleet.Fail(fleet.Invalid, fleet.Because("act.bad_number", "arg", arg, "value", v))
			}
		}
	}
	names := make(map[string]bool, len(p.Steps))
	irreversible := ""
	for _, s := range p.Steps {
		op, known := kind.Ops[s.Op]
		switch {
		case s.Name == "" || names[s.Name]:
			return fmt.Errorf("step %d: the name %q is empty or not unique", s.Seq, s.Name)
		case !known:
			return fmt.Errorf("step %q: there is no op %q", s.Name, s.Op)
		case s.Restoring && op.Do != nil && op.Effect != Visible:
			return fmt.Errorf("step %q: a restoring effect is repeated until it succeeds, so op %q must be visible", s.Name, s.Op)
		case irreversible != "" && !s.Restoring && s.Class != fleet.ClassIrreversible:
			return fmt.Errorf("step %q comes after the irreversible step %q", s.Name, irreversible)
		case s.Phase != 0 && p.Exact:
			return fmt.Errorf("step %q: an exact plan is one line and has no phases", s.Name)
		}
		names[s.Name] = true
		if s.Class == fleet.ClassIrreversible {
			irreversible = s.Name
		}
	}
	return nil
}

// Submit writes a built plan into the journal and takes its locks; from then on the holder of its site's lease executes
// it. Its errors carry a *fleet.Error: Locked (a *store.LockedError says who, what, since when) when another plan holds a
// target (an *UnderWayError when that plan does the same and the kind is shared), Refused when the disk is full (store.ErrFull) or an irreversible plan is not confirmed.
func (e *Engine) Submit(ctx context.Context, p fleet.Plan, now time.Time) error {
	kind, ok := e.kinds[p.Kind]
	if !ok {
		return fleet.Fail(fleet.Invalid, fleet.Because("act.unknown_kind", "kind", p.Kind))
	}
	if err := validate(p, kind); err != nil {
		return fmt.Errorf("submit plan %s: %w", p.Kind, err)
	}
	if p.Args[ArgConfirm] == "" {
		for _, s := range p.Steps {
			if s.Class == fleet.ClassIrreversible {
				return fleet.Fail(fleet.Refused, labelled(fleet.Because("act.not_confirmed", "step", s.Name, "label", s.Label.Code, "target", s.Target), &s))
			}
		}
	}
	if e.store.Full() {
		return fmt.Errorf("submit plan %s: %w", p.Kind, store.ErrFull)
	}
	p.Created = now
	if err := e.store.CreatePlan(ctx, p); err != nil {
		if kind.Shared {
			err = e.orUnderWay(ctx, p, err)
		}
		return fmt.Errorf("submit plan %s: %w", p.Kind, err)
	}
	return nil
}
