package act

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"phalops/internal/fleet"
	"phalops/internal/store"
)

const (
	// commitTimeout bounds one write of a result, which is made even when the caller's context has ended meanwhile.
	commitTimeout = 30 * time.Second
	// parkedPoll is how often a parked plan is read again; a person's command wakes it sooner where the caller listens.
	parkedPoll = time.Minute
	// longWait is from when on a wait is worth a write in the journal.
	longWait = time.Minute
)

// run is one call of Advance.
type run struct {
	*Engine
	p     *fleet.Plan
	ops   map[string]Op
	fence store.Fence
	now   time.Time
}

// Advance reads the plan from the journal and makes at most one move: it begins one step (Check, then intent and effect),
// resolves one that a crash left in its intent, asks for one proof, or changes the plan's own state. It never waits;
// calling it too often is harmless. next is when to call again (now or before: at once); ended says that nothing is left
// to do. Failures of steps are results and no errors: an error is about the journal, ctx, or an errors.Is
// store.ErrFenced, after which the caller must not advance any plan of the site until it holds the lease again.
//
// It blocks for as long as the step's handlers do, each bounded by its Op.Timeout. When ctx ends during an effect, the step
// stays in its intent, exactly as after a crash.
func (e *Engine) Advance(ctx context.Context, planID string, fence store.Fence, now time.Time) (next time.Time, ended bool, err error) {
	p, err := e.read(ctx, planID, fence)
	if err != nil {
		return now.Add(DefaultPoll), false, fmt.Errorf("advance plan %s: %w", planID, err)
	}
	next, ended, err = e.advance(ctx, &p, fence, now)
	if err == nil && !ended && p.State != fleet.PlanParked {
		e.keep(p, fence)
	}
	return next, ended, err
}

func (e *Engine) advance(ctx context.Context, p *fleet.Plan, fence store.Fence, now time.Time) (next time.Time, ended bool, err error) {
	switch {
	case p.State.Ended():
		e.foundEnded(*p)
		return time.Time{}, true, nil
	case p.State == fleet.PlanParked:
		return now.Add(parkedPoll), false, nil
	case p.Next.After(now) && !p.Abort:
		return p.Next, false, nil
	}
	r := &run{Engine: e, p: p, ops: e.kinds[p.Kind].Ops, fence: fence, now: now}
	if why, unknown := r.unknown(); unknown {
		err = r.park(ctx, move{note: why})
	} else {
		err = r.make(ctx, r.view().choose())
	}
	switch {
	case err != nil:
		return now.Add(DefaultPoll), false, fmt.Errorf("advance plan %s (%s): %w", p.ID, p.Kind, err)
	case p.State.Ended():
		e.foundEnded(*p)
		return time.Time{}, true, nil
	case p.State == fleet.PlanParked:
		return now.Add(parkedPoll), false, nil
	}
	m := r.view().choose()
	if m.kind != moveWait {
		return now, false, nil
	}
	if m.until.Sub(now) > longWait && !m.until.Equal(p.Next) {
		if err := r.savePlan(ctx, func(p *fleet.Plan) { p.Next = m.until }); err != nil {
			return m.until, false, fmt.Errorf("advance plan %s (%s): %w", p.ID, p.Kind, err)
		}
	}
	return m.until, false, nil
}

// book is a plan's steps as they were written last.
type book struct {
	fence store.Fence
	steps []fleet.Step
}

// read reads a plan from the journal. While a lease is ours nobody else writes its plans' steps, so those that this engine
// has written under the same fence are not read again: a plan of a thousand would take a thousand times as long. They are
// taken out of the book until keep: after an error, or a panic between a change and its writing, the journal alone is right.
func (e *Engine) read(ctx context.Context, id string, fence store.Fence) (fleet.Plan, error) {
	e.mu.Lock()
	b, known := e.books[id]
	delete(e.books, id)
	e.mu.Unlock()
	if !known || b.fence != fence {
		return e.store.Plan(ctx, id)
	}
	p, err := e.store.PlanHead(ctx, id)
	p.Steps = b.steps
	return p, err
}

// keep remembers a plan's steps, all of which are written.
func (e *Engine) keep(p fleet.Plan, fence store.Fence) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.books[p.ID] = book{fence, p.Steps}
}

func (r *run) view() view {
	return view{p: r.p, ops: r.ops, looks: r.looksOf(r.p.ID), now: r.now, full: r.store.Full()}
}

// unknown reports a plan that this program cannot execute: another version of it wrote the plan.
func (r *run) unknown() (fleet.Reason, bool) {
	if r.ops == nil && len(r.p.Steps) > 0 {
		return fleet.Because("act.unknown_kind", "kind", r.p.Kind), true
	}
	for i := range r.p.Steps {
		if s := &r.p.Steps[i]; !s.State.Ended() {
			if _, ok := r.ops[s.Op]; !ok {
				return fleet.Because("act.unknown_op", "kind", r.p.Kind, "op", s.Op), true
			}
		}
	}
	return fleet.Reason{}, false
}

func (r *run) make(ctx context.Context, m move) error {
	switch m.kind {
	case moveBegin:
		return r.begin(ctx, &r.p.Steps[m.step])
	case moveResolve:
		return r.resolve(ctx, &r.p.Steps[m.step])
	case moveVerify:
		return r.verify(ctx, &r.p.Steps[m.step])
	case moveSkip:
		return r.skip(ctx, m.steps)
	case moveTurn:
		return r.turn(ctx, m.note)
	case movePark:
		return r.park(ctx, m)
	case moveEnd:
		return r.end(ctx, m)
	default:
		return nil
	}
}

// skipAtOnce bounds the writes of one Advance; skipping has no effect on the world.
const skipAtOnce = 50

func (r *run) skip(ctx context.Context, steps []int) error {
	for _, i := range steps[:min(len(steps), skipAtOnce)] {
		s := &r.p.Steps[i]
		s.State, s.Ended = fleet.StepSkipped, r.now
		if s.Result.IsZero() {
			s.Result = fleet.Because("act.skipped")
		}
		if err := r.saveStep(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

func (r *run) turn(ctx context.Context, why fleet.Reason) error {
	return r.savePlan(ctx, func(p *fleet.Plan) { p.State, p.Note, p.Next = fleet.PlanRestoring, why, time.Time{} }, r.planEvent(why))
}

// park leaves the plan to a person. Steps that were given up begin a new period of tries when it is resumed.
func (r *run) park(ctx context.Context, m move) error {
	for _, i := range m.steps {
		s := &r.p.Steps[i]
		note(s, noteFailing, "")
		if err := r.saveStep(ctx, s); err != nil {
			return err
		}
	}
	r.log.LogAttrs(ctx, slog.LevelError, "a plan is parked and waits for a person", slog.String("plan", r.p.ID),
		slog.String("kind", r.p.Kind), slog.String("reason", m.note.String()))
	return r.savePlan(ctx, func(p *fleet.Plan) { p.State, p.Note, p.Next = fleet.PlanParked, m.note, time.Time{} }, r.planEvent(m.note))
}

func (r *run) end(ctx context.Context, m move) error {
	return r.savePlan(ctx, func(p *fleet.Plan) {
		p.State, p.Note, p.Ended, p.Next, p.Untouched = m.state, m.note, r.now, time.Time{}, r.untouched()
	}, r.planEvent(m.note))
}

func (r *run) planEvent(why fleet.Reason) fleet.Event {
	ev := fleet.Event{At: r.now, Kind: fleet.EventPlan, Author: r.p.Author, Incident: r.p.Incident, Plan: r.p.ID, Reason: why}
	if len(r.p.Targets) > 0 {
		ev.Target = r.p.Targets[0]
	}
	return ev
}

// savePlan changes the plan's row as it stands now: a person may have paused or aborted the plan since Advance read it.
func (r *run) savePlan(ctx context.Context, change func(*fleet.Plan), events ...fleet.Event) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), commitTimeout)
	defer cancel()
	r.plans.Lock()
	defer r.plans.Unlock()
	fresh, err := r.store.PlanHead(ctx, r.p.ID)
	if err != nil {
		return err
	}
	fresh.Steps = r.p.Steps
	if fresh.State != r.p.State || fresh.Abort != r.p.Abort {
		*r.p = fresh // what was chosen may be wrong by now: choose again next time
		return nil
	}
	change(&fresh)
	r.crash(Boundary{Point: BeforeState, Plan: r.p.ID})
	err = r.store.SavePlan(ctx, fresh, r.fence, events...)
	if fresh.State.Ended() {
		r.wrote(fresh, err)
	}
	if err != nil {
		return err
	}
	*r.p = fresh
	return nil
}

// saveStep commits the step's new state, whatever has become of the caller's context.
func (r *run) saveStep(ctx context.Context, s *fleet.Step, events ...fleet.Event) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), commitTimeout)
	defer cancel()
	r.looked(r.p.ID, s.Seq)
	return r.store.SaveStep(ctx, r.p.ID, *s, r.fence, events...)
}
