// Package act executes plans and nothing else: it writes down the intent, does the effect, proves it, and after a crash
// picks up exactly where the journal says (plans.md). What a plan does is registered from outside as a Kind.
package act

import (
	"context"
	"time"

	"phalops/internal/fleet"
)

// Request asks for a plan.
type Request struct {
	Kind     string            // registered name
	Targets  []fleet.Ref       // what to act on
	Args     map[string]string // the kind's own parameters
	Author   string            // "rule:<name>" or "user:<name>"
	Reason   fleet.Reason      // why
	Incident string            // "" when a person just wants it
	Under    string            // the plan whose step asks; "" otherwise
}

// Kind is a sort of plan: how it is made, and the handlers of its steps.
type Kind struct {
	// Name is the plan kind, for example "node.restart".
	Name string
	// Build looks at the world, without touching it, and returns the whole plan: steps, locks, exactness. The engine fills
	// in identity, author, reason, state and time. A step that Build leaves out of a batch is returned as StepSkipped with
	// the reason in Result: it counts as not done. A *fleet.Error of kind Refused says that it would be unsafe.
	Build func(ctx context.Context, req Request, now time.Time) (fleet.Plan, error)
	// Shared lets several callers share one plan: while one of this kind is under way for the same targets, a request for
	// another is answered with an *UnderWayError, by Build and by Submit.
	Shared bool
	// Ops are the handlers of the kind's steps by Step.Op.
	Ops map[string]Op
	// Again makes of Retry's request one that Build makes what an ended plan left undone of; nil: it is one already.
	Again func(old fleet.Plan, req Request) Request
}

// Effect says whether an effect may be sent again after a crash between the intent and its result.
type Effect string

// Effects.
const (
	// Visible: Check can tell whether it happened, so it may be repeated.
	Visible Effect = "visible"
	// Blind: nothing tells (a restart request, a message). After a crash with an intent and no result it is never sent
	// again: the step goes to Verify, and control decides anew.
	Blind Effect = "blind"
)

// Proof is Verify's answer.
type Proof string

// Proofs.
const (
	Proved  Proof = "proved"
	NotYet  Proof = "not yet"
	TooLate Proof = "too late"
)

// StepContext is what a handler sees of its step.
type StepContext struct {
	Plan fleet.Plan // without Steps
	Step fleet.Step // as journalled; Effected is when the effect was sent (zero before)
	Now  time.Time
}

// Op is the handler of one sort of step. Every function asks or acts once, with the context's deadline, and never waits
// for something to become true.
type Op struct {
	Effect Effect
	// Check reports whether the wished state is there already; then Do is not called, and the step is done. For a step whose
	// intent was left without a result by a crash, it reports whether the effect happened; then Verify is asked. Nil: never.
	Check func(ctx context.Context, s StepContext) (bool, error)
	// Prepare returns the note that is committed with the intent (for example when the container was started), so that
	// Check can tell half done from done after a crash. Nil: no note.
	Prepare func(ctx context.Context, s StepContext) (map[string]string, error)
	// Do sends the effect once. Its error means "perhaps", unless it has the mark of NotSent. Nil: the step only waits for
	// its proof.
	Do func(ctx context.Context, s StepContext) error
	// Verify asks once whether the effect is proved. The time is when to ask again for NotYet; zero: after DefaultPoll.
	// The Reason says what was seen. Nil: Do's success is the proof.
	Verify func(ctx context.Context, s StepContext) (Proof, time.Time, fleet.Reason, error)
	// Timeout bounds one call of Check, Do or Verify in real time; zero: 30 s.
	Timeout time.Duration
	// Deadline is how long after the effect Verify may say NotYet before the engine calls it TooLate; zero: 5 minutes.
	Deadline time.Duration
	// Attempts is how often a step is tried whose Check, Prepare or Do failed, with growing pauses; zero: 3. A Blind effect
	// is tried again only after an error with the mark of NotSent. A restoring step is tried for a day.
	Attempts int
}
