package fleet

import "time"

// PlanState is where a plan stands.
//
//	running ──▶ done
//	  │ ▲  └──▶ restoring ──▶ failed | aborted     (only restoring steps still run)
//	  ▼ │
//	paused · parked                                  (a person, or time, continues it)
type PlanState string

// States of a plan.
const (
	PlanRunning   PlanState = "running"
	PlanPaused    PlanState = "paused"    // a person paused it; it keeps its locks
	PlanParked    PlanState = "parked"    // it can go neither forward nor back by itself: a person must look
	PlanRestoring PlanState = "restoring" // a step failed or a person aborted: what was stopped is started again
	PlanDone      PlanState = "done"
	PlanFailed    PlanState = "failed"
	PlanPartly    PlanState = "partly" // a batch: some of its steps failed (exit 3)
	PlanAborted   PlanState = "aborted"
)

// Ended reports whether nothing more will happen in the plan.
func (s PlanState) Ended() bool {
	return s == PlanDone || s == PlanFailed || s == PlanPartly || s == PlanAborted
}

// StepState is where a step stands.
//
//	planned ──Check: already so──▶ done
//	   │
//	   ▼ (intent committed)
//	intent ──Do──▶ effected ──Verify──▶ done | failed
//	planned ──plan restoring, step not restoring──▶ skipped
type StepState string

// States of a step.
const (
	StepPlanned  StepState = "planned"
	StepIntent   StepState = "intent"   // about to act, or acted and died before writing it down
	StepEffected StepState = "effected" // the effect was sent; the proof is outstanding
	StepDone     StepState = "done"
	StepFailed   StepState = "failed"
	StepSkipped  StepState = "skipped"
)

// Ended reports whether nothing more will happen in the step.
func (s StepState) Ended() bool { return s == StepDone || s == StepFailed || s == StepSkipped }

// Class says what a step costs when it is wrong.
type Class string

// Classes, mildest first.
const (
	ClassReversible   Class = "reversible"
	ClassCostsMining  Class = "costs_mining" // costs mining time
	ClassIrreversible Class = "irreversible" // comes last and needs a typed confirmation
)

// Plan is everything that one intention changes, in order, written down before its first effect (plans.md).
type Plan struct {
	ID        string            `json:"id"`
	Kind      string            `json:"kind"`                // registered plan kind, for example "node.restart"
	Site      string            `json:"site"`                // whose lease holder executes it
	Targets   []Ref             `json:"targets"`             // what it is about
	Locks     []Ref             `json:"locks"`               // what nobody else may touch meanwhile; targets included
	Args      map[string]string `json:"args,omitempty"`      // the kind's own parameters; references to secrets only, never values
	Author    string            `json:"author"`              // "rule:<name>" or "user:<name>"
	Reason    Reason            `json:"reason"`              // why
	Incident  string            `json:"incident"`            // the incident that it treats, "" when a person just wants it
	State     PlanState         `json:"state"`               //
	Note      Reason            `json:"note,omitzero"`       // why it failed, is paused or parked
	Created   time.Time         `json:"created"`             //
	Ended     time.Time         `json:"ended,omitzero"`      //
	Untouched []Ref             `json:"untouched,omitempty"` // ended: targets that no effect of their own steps was sent to (it was broken off, or could not begin)
	Next      time.Time         `json:"next,omitzero"`       // do not look again before; zero: at once
	Abort     bool              `json:"abort,omitempty"`     // a person asked to stop: finish the restoring steps only
	Exact     bool              `json:"exact,omitempty"`     // one failed step ends the plan (ordered restarts); else the others go on (batches)
	Under     string            `json:"under,omitempty"`     // the plan whose step this one is: that one's locks do not stand in its way
	Steps     []Step            `json:"steps,omitempty"`     // in order; left out in lists
	Counts    map[StepState]int `json:"counts,omitempty"`    // steps by state; filled in lists
}

// Step is one effect with its proof.
type Step struct {
	Seq       int               `json:"seq"`               // position, from 0
	Name      string            `json:"name"`              // stable and unique within the plan, for example "stop bridge_lifecycle_1"
	Op        string            `json:"op"`                // the kind's handler that executes it, for example "container.stop"
	Target    Ref               `json:"target"`            // what it acts on
	Args      map[string]string `json:"args,omitempty"`    // what the handler needs; never a secret
	Label     Reason            `json:"label"`             // what it does, for people
	Class     Class             `json:"class"`             //
	Phase     int               `json:"phase,omitempty"`   // in a batch: begins when every step of a lower phase has ended, in all lines
	Restoring bool              `json:"restoring"`         // starts again what the plan stopped: runs even when the plan failed or was aborted
	State     StepState         `json:"state"`             //
	Attempt   int               `json:"attempt"`           // number of intents
	Token     int64             `json:"token,omitempty"`   // fencing token of the lease under which the newest intent was written
	Note      map[string]string `json:"note,omitempty"`    // written with the intent: what lets Check tell "not begun", "half done" and "done" apart
	Result    Reason            `json:"result,omitzero"`   // why it failed or was skipped, or what was proved
	Began     time.Time         `json:"began,omitzero"`    // newest intent
	Effected  time.Time         `json:"effected,omitzero"` // newest effect
	Ended     time.Time         `json:"ended,omitzero"`    //
}
