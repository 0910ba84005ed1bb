package act

import (
	"context"
	"time"

	"phalops/internal/fleet"
)

// begin takes a planned step: nothing to do where the wished state is there, else the intent and the effect.
func (r *run) begin(ctx context.Context, s *fleet.Step) error {
	op := r.ops[s.Op]
	so, err := r.check(ctx, op, s)
	switch {
	case err != nil:
		return r.tryFailed(ctx, op, s, err, false)
	case so && r.settles(s):
		return nil
	case so:
		return r.done(ctx, s, fleet.Because("act.already"))
	}
	return r.send(ctx, op, s)
}

// resolve takes a step that was found in its intent: the process died, or its caller gave up, during the effect.
func (r *run) resolve(ctx context.Context, s *fleet.Step) error {
	op := r.ops[s.Op]
	if op.Effect == Blind {
		return r.perhapsSent(ctx, op, s, fleet.Because("act.interrupted"))
	}
	so, err := r.check(ctx, op, s)
	stopping := r.p.State == fleet.PlanRestoring || r.broken(s)
	switch {
	case err != nil:
		return r.tryFailed(ctx, op, s, err, false)
	case so && r.settles(s):
		return nil
	case so && op.Verify == nil:
		s.Effected = s.Began
		return r.done(ctx, s, fleet.Because("act.found_done"))
	case so:
		s.State, s.Effected = fleet.StepEffected, s.Began
		return r.saveStep(ctx, s, r.stepEvent(s, fleet.Because("act.step_resumed", "step", s.Name, "label", s.Label.Code)))
	case !s.Restoring && stopping, tries(s) >= op.attempts():
		s.Effected = s.Began
		return r.fail(ctx, s, fleet.Because("act.interrupted"))
	case !s.Restoring && r.view().held():
		r.lookAt(r.p.ID, s.Seq, look{at: r.now.Add(DefaultPoll)})
		return nil
	}
	return r.send(ctx, op, s)
}

// broken reports that an earlier failure has ended the step's line.
func (r *run) broken(s *fleet.Step) bool {
	for i := range r.p.Steps {
		o := &r.p.Steps[i]
		if o.State == fleet.StepFailed && (r.p.Exact || o.Target == s.Target) {
			return true
		}
	}
	return false
}

func (r *run) check(ctx context.Context, op Op, s *fleet.Step) (so bool, err error) {
	if op.Check == nil {
		return false, nil
	}
	err = r.call(ctx, op, s, "Check", func(ctx context.Context, c StepContext) (err error) {
		so, err = op.Check(ctx, c)
		return err
	})
	return so && err == nil, err
}

// settles holds back the word "already so" of a restoring step while an effect on the same target, of which nobody knows
// whether it happened, may still undo it: a stop that timed out here may end there a minute later.
func (r *run) settles(s *fleet.Step) bool {
	if !s.Restoring {
		return false
	}
	var until time.Time
	for i := range r.p.Steps {
		o := &r.p.Steps[i]
		op := r.ops[o.Op]
		if o.Restoring || o.State == fleet.StepDone || o.Effected.IsZero() || op.Do == nil || !o.Target.Overlaps(s.Target) {
			continue
		}
		if t := o.Effected.Add(op.timeout() + op.deadline()); t.After(until) {
			until = t
		}
	}
	if !until.After(r.now) {
		return false
	}
	again := r.now.Add(DefaultPoll)
	if until.Before(again) {
		again = until
	}
	r.lookAt(r.p.ID, s.Seq, look{at: again, settling: true})
	return true
}

// send writes the intent, which proves that the lease is still ours, and does the effect.
func (r *run) send(ctx context.Context, op Op, s *fleet.Step) error {
	var prepared map[string]string
	if op.Prepare != nil {
		err := r.call(ctx, op, s, "Prepare", func(ctx context.Context, c StepContext) (err error) {
			prepared, err = op.Prepare(ctx, c)
			return err
		})
		if err != nil {
			return r.tryFailed(ctx, op, s, err, false)
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	r.at(BeforeIntent, s)
	events := r.started()
	s.State, s.Attempt, s.Token = fleet.StepIntent, s.Attempt+1, r.fence.Token
	s.Note, s.Result, s.Began = newNote(prepared, s.Note), fleet.Reason{}, r.now
	if op.Do == nil {
		s.State, s.Effected = fleet.StepEffected, r.now
		return r.saveStep(ctx, s, append(events, r.stepEvent(s, fleet.Because("act.step_waits", "step", s.Name, "label", s.Label.Code)))...)
	}
	events = append(events, r.stepEvent(s, fleet.Because("act.step_intent", "step", s.Name, "label", s.Label.Code, "attempt", s.Attempt)))
	if err := r.saveStep(ctx, s, events...); err != nil {
		return err
	}
	r.at(AfterIntent, s)
	err := r.call(ctx, op, s, "Do", op.Do)
	r.at(AfterEffect, s)
	return r.sent(ctx, op, s, err)
}

// sent writes down what came of the effect.
func (r *run) sent(ctx context.Context, op Op, s *fleet.Step, err error) error {
	switch {
	case err != nil && ctx.Err() != nil:
		return ctx.Err() // the caller gave up: the intent stays, and is resolved as after a crash
	case err == nil && op.Verify == nil:
		s.Effected = r.now
		return r.done(ctx, s, fleet.Because("act.sent"))
	case err == nil:
		s.State, s.Effected = fleet.StepEffected, r.now
		return r.saveStep(ctx, s)
	case WasNotSent(err):
		s.State = fleet.StepPlanned
		return r.tryFailed(ctx, op, s, err, true)
	case panicked(err):
		s.Effected = r.now
		return r.fail(ctx, s, fleet.ReasonOf(err))
	case op.Effect == Visible:
		s.State, s.Effected = fleet.StepPlanned, r.now
		return r.tryFailed(ctx, op, s, err, true)
	default:
		return r.perhapsSent(ctx, op, s, fleet.ReasonOf(err))
	}
}

// perhapsSent is a blind effect of which nobody knows whether it happened: it is never sent again, only its proof can tell.
func (r *run) perhapsSent(ctx context.Context, op Op, s *fleet.Step, why fleet.Reason) error {
	s.Effected = s.Began
	if op.Verify == nil {
		return r.fail(ctx, s, because(fleet.Because("act.not_known", "seen", why.Code), why))
	}
	s.State, s.Result = fleet.StepEffected, why
	return r.saveStep(ctx, s, r.stepEvent(s, because(fleet.Because("act.step_unsure", "step", s.Name, "label", s.Label.Code, "why", why.Code), why)))
}

// verify asks once for the proof of an effected step.
func (r *run) verify(ctx context.Context, s *fleet.Step) error {
	op := r.ops[s.Op]
	if op.Verify == nil {
		return r.done(ctx, s, fleet.Because("act.sent"))
	}
	var proof Proof
	var again time.Time
	var why fleet.Reason
	err := r.call(ctx, op, s, "Verify", func(ctx context.Context, c StepContext) (err error) {
		proof, again, why, err = op.Verify(ctx, c)
		return err
	})
	r.at(AfterVerify, s)
	switch {
	case err != nil && ctx.Err() != nil:
		return ctx.Err()
	case panicked(err):
		return r.fail(ctx, s, fleet.ReasonOf(err))
	case err != nil:
		proof, why = NotYet, fleet.ReasonOf(err)
	case proof == Proved && why.IsZero():
		why = fleet.Because("act.proved")
	}
	if proof == Proved {
		return r.done(ctx, s, why)
	}
	// A deadline that passed while nobody was looking does not count before the second look: some proofs need two.
	deadline := s.Effected.Add(op.deadline())
	_, seen := r.looksOf(r.p.ID)[s.Seq]
	if proof == TooLate && !why.IsZero() {
		return r.fail(ctx, s, why)
	}
	if proof == TooLate || (seen && !r.now.Before(deadline)) {
		return r.fail(ctx, s, tooLate(r.now.Sub(s.Effected), why))
	}
	if !again.After(r.now) {
		again = r.now.Add(DefaultPoll)
	}
	if deadline.After(r.now) && again.After(deadline) {
		again = deadline
	}
	r.lookAt(r.p.ID, s.Seq, look{at: again})
	return nil
}

func tooLate(after time.Duration, why fleet.Reason) fleet.Reason {
	if why.IsZero() {
		return fleet.Because("act.too_late", "after", after)
	}
	return because(fleet.Because("act.too_late_because", "after", after, "seen", why.Code), why)
}

func (r *run) done(ctx context.Context, s *fleet.Step, why fleet.Reason) error {
	events := r.started()
	s.State, s.Result, s.Ended = fleet.StepDone, why, r.now
	return r.saveStep(ctx, s, append(events, r.stepEvent(s, because(fleet.Because("act.step_done", "step", s.Name, "label", s.Label.Code, "why", why.Code), why)))...)
}

// tryFailed writes down a failed try that may be repeated; the step fails when it was the last one, and at once for a
// panic. intended says that the try had an intent, and so is counted already.
func (r *run) tryFailed(ctx context.Context, op Op, s *fleet.Step, err error, intended bool) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	events := r.started()
	if !intended {
		countError(s)
	}
	note(s, noteTried, stamp(r.now))
	why := fleet.ReasonOf(err)
	if panicked(err) || isFinal(err) || tries(s) >= op.attempts() {
		return r.fail(ctx, s, why, events...)
	}
	s.Result = why
	return r.saveStep(ctx, s, append(events, r.stepEvent(s, because(fleet.Because("act.step_retry", "step", s.Name, "label", s.Label.Code,
		"attempt", tries(s), "next", pause(tries(s)), "why", why.Code), why)))...)
}

// fail ends a step, unless it restores: then it goes back to planned and is tried again for restoreFor.
func (r *run) fail(ctx context.Context, s *fleet.Step, why fleet.Reason, events ...fleet.Event) error {
	s.Result = why
	if !s.Restoring {
		s.State, s.Ended = fleet.StepFailed, r.now
		return r.saveStep(ctx, s, append(events, r.stepEvent(s, because(fleet.Because("act.step_failed", "step", s.Name, "label", s.Label.Code, "why", why.Code), why)))...)
	}
	tell := !failing(s) || tries(s)%tellEvery == 0
	s.State = fleet.StepPlanned
	note(s, noteTried, stamp(r.now))
	if s.Note[noteFailing] == "" {
		note(s, noteFailing, stamp(r.now))
	}
	if tell {
		events = append(events, r.stepEvent(s, because(fleet.Because("act.restore_failing", "step", s.Name, "label", s.Label.Code, "attempt", tries(s),
			"next", pause(tries(s)), "why", why.Code), why)))
	}
	return r.saveStep(ctx, s, events...)
}

// started is the event of a plan's first move; nothing later.
func (r *run) started() []fleet.Event {
	for i := range r.p.Steps {
		if s := &r.p.Steps[i]; s.State != fleet.StepPlanned && s.State != fleet.StepSkipped || tries(s) > 0 {
			return nil
		}
	}
	return []fleet.Event{r.planEvent(fleet.Because("act.plan_started", "kind", "plan_kind."+r.p.Kind, "steps", len(r.p.Steps)))}
}

func (r *run) stepEvent(s *fleet.Step, why fleet.Reason) fleet.Event {
	return fleet.Event{At: r.now, Kind: fleet.EventStep, Author: r.p.Author, Target: s.Target, Incident: r.p.Incident, Plan: r.p.ID, Reason: labelled(why, s)}
}

func (r *run) at(point Point, s *fleet.Step) {
	r.crash(Boundary{Point: point, Plan: r.p.ID, Step: s.Name, Attempt: s.Attempt})
}
