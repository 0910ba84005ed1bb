package decide

import (
	"time"

	"phalops/internal/fleet"
)

// want is what a finding asks for before any guard has spoken.
type want int

const (
	wantNothing want = iota // healthy
	wantTime                // wait: something is wrong or on its way
	wantPeace               // hands off
	wantRestart             // a restart can help
	wantDisable             // its identity is lost: take it out of its bridge's hands
	wantPerson              // only a person can help
)

// finding is what the facts say of one target, before guards: how it is, since when, and what would help.
type finding struct {
	condition string
	rule      string
	reason    fleet.Reason
	since     time.Time      // first bad fact; zero: now
	want      want           //
	until     time.Time      // wantTime: next look; wantRestart: the hold-down's end
	tries     int            // restarts that make sense for this; 0: as many as the budget allows
	suspect   fleet.Ref      // "" is the target itself
	quiet     fleet.Severity // while phalops is at it
	loud      fleet.Severity // once a person is needed
	witnesses []fleet.Reason
	bad       bool          // counts when many turn bad together
	network   bool          // speaks of the way to the pRuntime
	told      bool          // a person is told during the hold-down already: the restart after it only probes
	rungs     []string      // the ladder of an operator's own rule; nil: the policy's
	rest      time.Duration // least pause between two treatments, of an operator's own rule; 0: the budget's
	mode      string        // ModeObserve: this finding is only reported; "": as the policy says
	action    string        // plan kind that wantRestart asks for, of a bridge's own parts
	relayed   bool          // nothing but the chain's word, relayed by the bridge
	own       bool          // its since is its own trouble's, not the condition's
	cause     string        // which parent the facts point at, one of the cause words; "" when they point at none
}

// guard is what holds an action back.
type guard struct {
	why     fleet.Reason
	until   time.Time // when it may change; zero: not by time alone
	person  bool      // waiting will not help: tell a person
	spent   bool      // this rung of the ladder is used up
	suspect fleet.Ref // whose fault it seems to be, when not the target's
}

// frame makes the decision that a finding is without guards.
func (f finding) frame(target fleet.Ref, was string, wasSince, now time.Time) fleet.Decision {
	d := fleet.Decision{
		Target: target, At: now, Condition: f.condition, Since: f.since, Rule: f.rule, Suspect: f.suspect,
		Severity: f.quiet, Reason: f.reason, Witnesses: f.witnesses, NextLook: f.until, Cause: f.cause,
	}
	if f.condition == was && !wasSince.IsZero() && f.rungs == nil && !f.own { // an operator's rule speaks of its own trouble, not of the condition
		d.Since = wasSince
	}
	if d.Since.IsZero() || d.Since.After(now) {
		d.Since = now
	}
	if d.Suspect == "" {
		d.Suspect = target
	}
	switch f.want {
	case wantNothing:
		d.Verdict = fleet.Healthy
	case wantPeace:
		d.Verdict = fleet.HandsOff
	case wantPerson:
		d.Verdict, d.Severity = fleet.Person, f.loud
	default:
		d.Verdict = fleet.Wait
	}
	return tidy(d)
}

// hold puts a guard on a decision that wanted to act.
func hold(d fleet.Decision, f finding, g guard) fleet.Decision {
	d.Verdict, d.Action = fleet.Wait, ""
	d.Guards = append(d.Guards, g.why)
	d.NextLook = g.until
	if g.suspect != "" {
		d.Suspect = g.suspect
	}
	if g.person {
		d.Verdict, d.Severity = fleet.Person, f.loud
	}
	return tidy(d)
}

// allow lets a decision act, or say that it would have.
func allow(d fleet.Decision, p Policy, action string) fleet.Decision {
	d.NextLook = time.Time{}
	d.Action = action
	d.Verdict = fleet.Act
	if why := p.observes(d.Rule); why != nil {
		return observed(d, *why)
	}
	return d
}

// observed only reports what would have been done.
func observed(d fleet.Decision, why fleet.Reason) fleet.Decision {
	d.Verdict = fleet.WouldAct
	d.Guards = append(d.Guards, why)
	return d
}

// tidy keeps NextLook in the future: a Wait always has one.
func tidy(d fleet.Decision) fleet.Decision {
	if d.NextLook.After(d.At) {
		return d
	}
	d.NextLook = time.Time{}
	if d.Verdict == fleet.Wait {
		d.NextLook = d.At.Add(recheck)
	}
	return d
}

// first returns the first guard that speaks.
func first(gs ...func() *guard) *guard {
	for _, g := range gs {
		if spoke := g(); spoke != nil {
			return spoke
		}
	}
	return nil
}

func latest(ts ...time.Time) time.Time {
	var t time.Time
	for _, x := range ts {
		if x.After(t) {
			t = x
		}
	}
	return t
}
