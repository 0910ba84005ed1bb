package decide

import (
	"slices"
	"time"

	"phalops/internal/fleet"
	"phalops/internal/rule"
)

// UserRule is an operator's own rule for workers, compiled.
type UserRule struct {
	Name     string
	When     *rule.Program
	For      time.Duration // the condition must hold this long
	Do       []string      // rungs, mildest first
	Cooldown time.Duration // between two treatments of one worker by this rule
	Mode     string        // ModeObserve: only report; else as the policy says
}

// Memory is the newest decision about a target; false: there is none.
type Memory func(fleet.Ref) (fleet.Decision, bool)

// userPrefix begins the names of decisions that an operator's own rule made.
const userPrefix = "user."

// holdMemory is how old the newest decision about a worker may be for a condition to count as holding since then: unchanged
// ones are renewed every 5 minutes, and a bridge is asked at least every 10.
const holdMemory = 15 * time.Minute

// askOwn asks the operator's rules about every worker, in front of what the built-in ones found: the first rule that has
// held long enough takes the finding over, as far as it may. It returns for each worker what was asked and holds, or has no
// answer.
func (j *judge) askOwn(found []finding, parts finding) [][]fleet.Hold {
	if len(j.Policy.Rules) == 0 {
		return nil
	}
	var head *int64
	if j.src.known {
		head = &j.src.height
	}
	status := j.Status
	status.Condition = fleet.BridgeCondition(parts.condition)
	env := rule.Env{
		Bridge: rule.BridgeEnv(&status, j.Labels, head, func(i int) fleet.Condition { return fleet.Condition(found[i].condition) }),
		Node:   j.nodeEnv(), Site: j.Status.Site,
	}
	holds := make([][]fleet.Hold, len(found))
	for i := range found {
		w := &j.Status.Workers[i]
		if !j.Policy.current(w.Probe, j.Now) {
			continue // what is no fact any more proves nothing
		}
		env.Worker = rule.WorkerEnv(w, rule.Reading{Condition: found[i].condition, Rule: found[i].rule, Head: head, Chain: j.witness.view}, env.Bridge)
		found[i], holds[i] = j.askAbout(w, found[i], &env)
	}
	return holds
}

func (j *judge) nodeEnv() *rule.Node {
	if j.Node == nil {
		return rule.NodeEnv(nil)
	}
	n := *j.Node
	if j.NodeDecision != nil {
		n.Condition = fleet.NodeCondition(j.NodeDecision.Condition)
	}
	return rule.NodeEnv(&n)
}

// askAbout asks every rule about one worker.
func (j *judge) askAbout(w *fleet.WorkerStatus, f finding, env *rule.Env) (finding, []fleet.Hold) {
	var holds []fleet.Hold
	own := f
	taken := false
	for _, r := range j.Policy.Rules {
		h := fleet.Hold{Rule: userPrefix + r.Name, When: r.When.String()}
		yes, err := r.When.Eval(env)
		switch {
		case err != nil:
			h.Why = fleet.ReasonOf(err)
		case !yes:
			continue
		default:
			h.Since = j.heldSince(w, h)
			h.Due = h.Since.Add(r.For)
			if taken || h.Due.After(w.At) {
				break
			}
			if why := above(w, f, r); why != nil {
				h.Why = *why
				break
			}
			own, taken = j.ownFinding(w, f, r, h), true
		}
		holds = append(holds, h)
	}
	return own, holds
}

// heldSince is since when a rule holds for a worker without a break, as far as the newest decisions remember.
func (j *judge) heldSince(w *fleet.WorkerStatus, h fleet.Hold) time.Time {
	if j.Last == nil {
		return w.At
	}
	last, known := j.Last(w.Ref)
	if !known || j.Now.Sub(last.At) > holdMemory {
		return w.At
	}
	for _, before := range last.Holds {
		if before.Rule == h.Rule && before.When == h.When && !before.Since.IsZero() && !before.Since.After(w.At) {
			return before.Since
		}
	}
	return w.At
}

// above says why a rule must leave a worker to the built-in finding, nil when it need not: nobody is revived who must not
// be, no restart is tried where none can mend, and a rule that only reports stands in nobody's way.
func above(w *fleet.WorkerStatus, f finding, r UserRule) *fleet.Reason {
	acts := slices.Contains(r.Do, RungRestart) || slices.Contains(r.Do, RungContainer)
	switch {
	case f.want == wantDisable, w.OtherKey != "": // a lost identity is nobody else's business
		return new(fleet.Because("rule.hands_off", "rule", f.rule))
	case r.Mode == ModeObserve && (f.want == wantRestart || f.want == wantPerson):
		return new(fleet.Because("rule.only_observes", "rule", f.rule))
	case !acts:
		return nil // a person may be told of anybody
	case f.want == wantPeace, !w.Enabled, !w.Running, mustNotRun(fleet.Condition(f.condition)):
		return new(fleet.Because("rule.hands_off", "rule", f.rule))
	case f.want == wantPerson && (f.cause != "" || f.condition == string(fleet.Failing)):
		return new(fleet.Because("rule.no_cure", "rule", f.rule))
	case f.want == wantTime && (f.bad || f.own) && f.suspect != "":
		return new(fleet.Because("rule.parent_first", "rule", f.rule, "suspect", f.suspect))
	}
	return nil
}

// mustNotRun are conditions that no treatment may end, and the one that proves nothing.
func mustNotRun(c fleet.Condition) bool {
	return c == fleet.Unknown || c == fleet.Disabled || c == fleet.CoolingDown || c == fleet.Leaving
}

// ownFinding is what an operator's rule makes of a worker. How the worker is stays what phalops reads; what the facts point
// at stays as well, so that many of them together are still seen as one trouble.
func (j *judge) ownFinding(w *fleet.WorkerStatus, f finding, r UserRule, h fleet.Hold) finding {
	own := finding{
		condition: f.condition, rule: h.Rule, since: h.Since, want: wantPerson, quiet: fleet.Info, loud: fleet.Warning,
		reason: fleet.Because("rule.holds", "rule", r.Name, "for", span(h.Since, w.At), "when", clip(h.When)),
		bad:    f.bad, network: f.network, cause: f.cause, rungs: r.Do, rest: r.Cooldown, mode: r.Mode,
	}
	if f.loud == fleet.Critical {
		own.loud = f.loud
	}
	if !f.reason.IsZero() {
		own.witnesses = []fleet.Reason{f.reason}
	}
	if slices.Contains(r.Do, RungRestart) || slices.Contains(r.Do, RungContainer) {
		own.want, own.bad = wantRestart, true
		own.until = j.cooled(w, h.Rule, r.Cooldown)
	}
	return own
}

// cooled is when a rule may treat a worker again; it looks further back than the worker's budget does.
func (j *judge) cooled(w *fleet.WorkerStatus, name string, cooldown time.Duration) time.Time {
	var last time.Time
	for _, a := range j.past[w.Ref] {
		if a.Author == "rule:"+name {
			last = latest(last, a.At, a.Ended)
		}
	}
	if last.IsZero() {
		return last
	}
	return last.Add(cooldown)
}

// noteHolds puts what the operator's rules said on the decisions, and has them looked at again when a rule is due.
func noteHolds(decisions []fleet.Decision, holds [][]fleet.Hold) {
	for i := range holds {
		d := &decisions[i]
		d.Holds = holds[i]
		for _, h := range holds[i] {
			if h.Due.After(d.At) && (d.NextLook.IsZero() || h.Due.Before(d.NextLook)) {
				d.NextLook = h.Due
			}
		}
	}
}
