package act

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"phalops/internal/fleet"
)

const (
	defaultTimeout  = 30 * time.Second
	defaultDeadline = 5 * time.Minute
	defaultAttempts = 3
)

func (o Op) timeout() time.Duration {
	if o.Timeout > 0 {
		return o.Timeout
	}
	return defaultTimeout
}

func (o Op) deadline() time.Duration {
	if o.Deadline > 0 {
		return o.Deadline
	}
	return defaultDeadline
}

func (o Op) attempts() int {
	if o.Attempts > 0 {
		return o.Attempts
	}
	return defaultAttempts
}

type notSentError struct{ err error }

func (e *notSentError) Error() string { return e.err.Error() }
func (e *notSentError) Unwrap() error { return e.err }

// NotSent marks Do's error as one before which nothing left this machine (an address that cannot be dialled, a refused
// connection), so that even a blind effect may be tried again. NotSent(nil) is nil.
func NotSent(err error) error {
	if err == nil {
		return nil
	}
	return &notSentError{err}
}

// WasNotSent reports whether err carries the mark of NotSent.
func WasNotSent(err error) bool {
	var n *notSentError
	return errors.As(err, &n)
}

type finalError struct{ err error }

func (e *finalError) Error() string { return e.err.Error() }
func (e *finalError) Unwrap() error { return e.err }

// Final marks an error of Check, Prepare or Do that another try cannot mend (the record is refused, the name is taken): the
// step fails at once. It says nothing about whether something was sent, see NotSent. Final(nil) is nil.
func Final(err error) error {
	if err == nil {
		return nil
	}
	return &finalError{err}
}

func isFinal(err error) bool {
	var f *finalError
	return errors.As(err, &f)
}

// panicError is a handler's panic as an error. It does not carry the panic's value, which may hold anything.
type panicError struct{ call string }

func (e *panicError) Error() string { return "the handler panicked in " + e.call }

func panicked(err error) bool {
	var p *panicError
	return errors.As(err, &p)
}

// call runs one function of a handler under its deadline, and turns a panic into an error.
func (r *run) call(ctx context.Context, op Op, s *fleet.Step, what string, f func(context.Context, StepContext) error) (err error) {
	bounded, cancel := context.WithTimeout(ctx, op.timeout())
	defer cancel()
	defer func() {
		if v := recover(); v != nil {
			r.log.Error("a plan's handler panicked", "plan", r.p.ID, "kind", r.p.Kind, "step", s.Name, "call", what,
				"panic", fmt.Sprint(v), "stack", string(debug.Stack()))
			err = fleet.FailWith(fleet.Failed, fleet.Because("act.panic", "step", s.Name, "call", what), &panicError{what})
		}
	}()
	seen := *r.p
	seen.Steps = nil
	err = f(bounded, StepContext{Plan: seen, Step: *s, Now: r.now})
	if err != nil && ctx.Err() == nil && errors.Is(err, context.DeadlineExceeded) && bounded.Err() != nil {
		return fleet.FailWith(fleet.Unavailable, fleet.Because("act.timeout", "step", s.Name, "call", what, "after", op.timeout()), err)
	}
	return err
}

func (e *Engine) callBuild(ctx context.Context, k Kind, req Request, now time.Time) (p fleet.Plan, err error) {
	defer func() {
		if v := recover(); v != nil {
			e.log.Error("a plan kind panicked in Build", "kind", k.Name, "panic", fmt.Sprint(v), "stack", string(debug.Stack()))
			err = fleet.FailWith(fleet.Failed, fleet.Because("act.panic", "step", k.Name, "call", "Build"), &panicError{"Build"})
		}
	}()
	return k.Build(ctx, req, now)
}
