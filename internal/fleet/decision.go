package fleet

import (
	"slices"
	"time"
)

// Verdict is what a decision comes to.
type Verdict string

// Verdicts.
const (
	Healthy  Verdict = "healthy"  // nothing is wrong
	Wait     Verdict = "wait"     // something is wrong, and waiting is right for now
	Act      Verdict = "act"      // hand a plan over
	WouldAct Verdict = "observe"  // would act, but the mode is observe
	Person   Verdict = "person"   // no action of ours helps: tell a person, once
	HandsOff Verdict = "handsoff" // healthy or not, it must not be touched (cooling down, sync-only, disabled …)
)

// Decision is what decide made of one target at one moment, with everything that explains it. It is the one record that
// `worker why`, the incident, the alert, the audit line and the replay all show.
type Decision struct {
	Target    Ref       `json:"target"`
	At        time.Time `json:"at"`
	Condition string    `json:"condition"` // a Condition, NodeCondition or BridgeCondition
	Since     time.Time `json:"since,omitzero"`
	Rule      string    `json:"rule"`                // name of the rule that spoke, for example "v2.error.refused"
	Suspect   Ref       `json:"suspect,omitempty"`   // whose fault it seems to be; the target itself in the simple case
	Verdict   Verdict   `json:"verdict"`             // what follows
	Action    string    `json:"action,omitempty"`    // plan kind for Act and WouldAct, for example "worker.restart"
	Severity  Severity  `json:"severity,omitempty"`  // how loudly a person is told when this opens an incident
	Reason    Reason    `json:"reason"`              // why this condition: never empty unless Healthy
	Guards    []Reason  `json:"guards,omitempty"`    // what held an action back, or would have
	Witnesses []Reason  `json:"witnesses,omitempty"` // who else was asked, and what they show
	Cause     string    `json:"cause,omitempty"`     // which parent the facts point at, for example "gas"; "" when they point at none
	NextLook  time.Time `json:"next_look,omitzero"`  // when time alone could change this

	Candidates []Candidate `json:"candidates,omitempty"` // the rungs of the ladder, mildest first, with what each is worth
	Holds      []Hold      `json:"holds,omitempty"`      // the operator's own rules that hold for the target, or have no answer
}

// Hold is an operator's own rule whose condition holds for a target, or has no answer.
type Hold struct {
	Rule  string    `json:"rule"`           // "user." and its name
	When  string    `json:"when"`           // its condition
	Since time.Time `json:"since,omitzero"` // since when it holds without a break; zero: it has no answer
	Due   time.Time `json:"due,omitzero"`   // when it has held long enough
	Why   Reason    `json:"why,omitzero"`   // why it has no answer, or what is above it
}

// Candidate is one rung of a target's ladder, weighed: gain = Cure × (Left − With), in worker-hours, against the price
// that the action costs by itself. It is open when Closed is nil.
type Candidate struct {
	Action string        `json:"action"`           // restart, container or alert
	Cure   float64       `json:"cure"`             // probability that it cures this condition, 0…1
	Left   time.Duration `json:"left"`             // expected further downtime when nothing is done
	With   time.Duration `json:"with"`             // expected downtime with the action, when it cures
	Gain   float64       `json:"gain"`             // worker-hours
	Price  float64       `json:"price"`            // worker-hours
	Source []string      `json:"source,omitempty"` // where the numbers come from: codes of the catalogue
	Closed *Reason       `json:"closed,omitempty"` // why this rung is not taken; nil: it is the one, or would be
}

// Same reports whether two decisions say the same, times aside: then the newer one is not worth an event of its own.
func (d Decision) Same(o Decision) bool {
	if d.Target != o.Target || d.Condition != o.Condition || d.Rule != o.Rule || d.Suspect != o.Suspect ||
		d.Verdict != o.Verdict || d.Action != o.Action || d.Reason.Code != o.Reason.Code || len(d.Guards) != len(o.Guards) ||
		!slices.EqualFunc(d.Holds, o.Holds, Hold.same) {
		return false
	}
	for i := range d.Guards {
		if d.Guards[i].Code != o.Guards[i].Code {
			return false
		}
	}
	return true
}

// same compares what a rule says; since when counts, because the newest decision is what remembers it.
func (h Hold) same(o Hold) bool {
	return h.Rule == o.Rule && h.When == o.When && h.Since.Equal(o.Since) && h.Why.Code == o.Why.Code
}

// Attempt is one earlier treatment of a target, as the journal remembers it.
type Attempt struct {
	Target  Ref       `json:"target"`
	Kind    string    `json:"kind"` // plan kind
	Plan    string    `json:"plan"`
	At      time.Time `json:"at"`               // when it began
	Ended   time.Time `json:"ended,omitzero"`   // zero: still running
	Outcome PlanState `json:"outcome"`          // PlanDone, PlanFailed, … of the plan (or of the target's step in it)
	Author  string    `json:"author,omitempty"` // Rule… or a person
	// Untouched: it ended before anything was done to the target itself, so it tells nothing of whether it would have helped.
	Untouched bool `json:"untouched,omitempty"`
}
