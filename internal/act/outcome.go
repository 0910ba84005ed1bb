package act

import (
	"maps"
	"slices"

	"phalops/internal/fleet"
)

// mustTurn reports that the plan must begin to restore now, and why.
func (v view) mustTurn() (fleet.Reason, bool) {
	p := v.p
	over := !slices.ContainsFunc(p.Steps, func(s fleet.Step) bool { return !s.State.Ended() })
	if p.State == fleet.PlanRestoring || over {
		return fleet.Reason{}, false
	}
	if p.Abort {
		return fleet.Because("act.plan_aborting"), true
	}
	failures := 0
	for _, l := range v.lines() {
		if l.broken {
			failures++
		}
		if v.full && v.halfWay(l) {
			return fleet.Because("act.plan_restoring_full"), true
		}
	}
	if limit := v.number(ArgMaxFailures); !p.Exact && limit > 0 && failures >= limit {
		return fleet.Because("act.plan_stopping", "failed", failures, "limit", limit), true
	}
	if !p.Exact {
		return fleet.Reason{}, false
	}
	for i := range p.Steps {
		if s := &p.Steps[i]; s.State == fleet.StepFailed || failing(s) {
			return labelled(because(fleet.Because("act.plan_restoring", "step", s.Name, "label", s.Label.Code, "why", s.Result.Code), s.Result), s), true
		}
	}
	return fleet.Reason{}, false
}

// halfWay reports that the line has begun, has something to restore, and has not come to it yet.
func (v view) halfWay(l line) bool {
	ahead, restores := false, false
	for _, i := range l.steps {
		s := &v.p.Steps[i]
		ahead = ahead || !s.Restoring && s.State == fleet.StepPlanned
		restores = restores || s.Restoring && !s.State.Ended()
	}
	return l.begun && ahead && restores
}

// end is the last move: what became of the plan. A target counts as done when all its steps are.
func (v view) end() move {
	p := v.p
	var whole, parts int
	var first *fleet.Step // that failed, else that was skipped
	for _, l := range v.lines() {
		good := true
		for _, i := range l.steps {
			s := &p.Steps[i]
			if s.State == fleet.StepDone {
				continue
			}
			good = false
			if first == nil || (first.State != fleet.StepFailed && s.State == fleet.StepFailed) {
				first = s
			}
		}
		if good {
			whole++
		}
		parts++
	}
	switch {
	case first == nil:
		return move{kind: moveEnd, state: fleet.PlanDone, note: fleet.Because("act.plan_done", "steps", len(p.Steps))}
	case p.Abort:
		return move{kind: moveEnd, state: fleet.PlanAborted, note: fleet.Because("act.plan_aborted", "plan", p.ID)}
	}
	why := labelled(because(fleet.Because("act.plan_failed", "step", first.Name, "label", first.Label.Code, "why", first.Result.Code), first.Result), first)
	if whole > 0 {
		return move{kind: moveEnd, state: fleet.PlanPartly, note: labelled(because(fleet.Because("act.plan_partly", "done", whole,
			"failed", parts-whole, "plan", p.ID, "step", first.Name, "label", first.Label.Code, "why", first.Result.Code), first.Result), first)}
	}
	return move{kind: moveEnd, state: fleet.PlanFailed, note: why}
}

// untouched are the targets that no effect of their own steps was sent to; one without steps of its own is touched with
// any other.
func (r *run) untouched() (out []fleet.Ref) {
	own, touched := map[fleet.Ref]bool{}, map[fleet.Ref]bool{}
	some := false
	for i := range r.p.Steps {
		s := &r.p.Steps[i]
		own[s.Target] = true
		if s.Attempt > 0 && r.ops[s.Op].Do != nil {
			touched[s.Target], some = true, true
		}
	}
	for _, t := range r.p.Targets {
		if own[t] && !touched[t] || !own[t] && !some {
			out = append(out, t)
		}
	}
	return out
}

// because adds the arguments of why to r, which names why's code as an argument of its own ("why"): the catalogue shows
// that code with the same arguments. What r already says stays.
func because(r, why fleet.Reason) fleet.Reason {
	args := make(map[string]string, len(r.Args)+len(why.Args))
	maps.Copy(args, why.Args)
	maps.Copy(args, r.Args)
	r.Args = args
	return r
}

// labelled lets people read what a step does in place of its name: the catalogue shows {label|code}, the code of the step's
// Label, with the label's arguments, which join those of r. A step without a label, or with one whose arguments would say
// two things at once, is called by its name.
func labelled(r fleet.Reason, s *fleet.Step) fleet.Reason {
	args := maps.Clone(r.Args)
	args["label"] = s.Label.Code
	for k, v := range s.Label.Args {
		if old, taken := args[k]; taken && old != v {
			args = maps.Clone(r.Args)
			args["label"] = ""
			break
		}
		args[k] = v
	}
	if args["label"] == "" {
		args["label"] = s.Name
	}
	r.Args = args
	return r
}
