package fleet

import "time"

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
	Target     Ref       `json:"target"`
	At         time.Time `json:"at"`
	Condition  string    `json:"condition"` // a Condition, NodeCondition or BridgeCondition
	Since      time.Time `json:"since,omitzero"`
	Rule       string    `json:"rule"`                 // name of the rule that spoke, for example "v2.error.refused"
	Suspect    Ref       `json:"suspect,omitempty"`    // whose fault it seems to be; the target itself in the simple case
	Verdict    Verdict   `json:"verdict"`              // what follows
	Action     string    `json:"action,omitempty"`     // plan kind for Act and WouldAct, for example "worker.restart"
	Severity   Severity  `json:"severity,omitempty"`   // how loudly a person is told when this opens an incident
	Reason     Reason    `json:"reason"`               // why this condition: never empty unless Healthy
	Guards     []Reason  `json:"guards,omitempty"`     // what held an action back, or would have
	Witnesses  []Reason  `json:"witnesses,omitempty"`  // who else was asked, and what they show
	Candidates []string  `json:"candidates,omitempty"` // the rungs of the ladder that were open, first the chosen one
	NextLook   time.Time `json:"next_look,omitzero"`   // when time alone could change this
}

// Same reports whether two decisions say the same, times aside: then the newer one is not worth an event of its own.
func (d Decision) Same(o Decision) bool {
	if d.Target != o.Target || d.Condition != o.Condition || d.Rule != o.Rule || d.Suspect != o.Suspect ||
		d.Verdict != o.Verdict || d.Action != o.Action || d.Reason.Code != o.Reason.Code || len(d.Guards) != len(o.Guards) {
		return false
	}
	for i := range d.Guards {
		if d.Guards[i].Code != o.Guards[i].Code {
			return false
		}
	}
	return true
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
}
