package decide

import (
	"slices"

	"phalops/internal/fleet"
)

// containerTries is how often a worker's container is restarted within its budget's span: when that does not help, the
// machine wants a person.
const containerTries = 1

// choice is the rung that is due on a worker's ladder, with every rung weighed.
type choice struct {
	rung       string            // "": none is left but a person
	held       *guard            // why the rung must wait, or why none is left
	more       []fleet.Reason    // why the further rungs are closed, when none is left
	candidates []fleet.Candidate // mildest first; the last is a person
}

// actions are the plan kinds of the rungs.
func actionOf(rung string) string {
	if rung == RungContainer {
		return ActionWorkerContainer
	}
	return ActionWorkerRestart
}

// ladder finds the mildest rung that is neither used up nor closed: restart, then container, then a person. The ladder of
// an operator's own rule comes before the policy's.
func (j *judge) ladder(w *fleet.WorkerStatus, f finding) choice {
	ladder := j.Policy.Ladder
	if f.rungs != nil {
		ladder = f.rungs
	}
	var c choice
	if !slices.Contains(ladder, RungRestart) {
		c.held = &guard{why: fleet.Because("guard.no_restart_rung"), person: true, spent: true}
	}
	for _, rung := range ladder {
		if rung != RungRestart && rung != RungContainer {
			continue
		}
		cand := j.weighed(rung, w, f)
		if c.rung != "" {
			c.candidates = append(c.candidates, closed(cand, fleet.Because("guard.milder_first")))
			continue
		}
		g := j.rungGuard(rung, w, f, cand)
		switch {
		case g == nil:
			c.rung, c.held = rung, nil
		case !g.spent:
			c.rung, c.held = rung, g
			cand = closed(cand, g.why)
		default:
			cand = closed(cand, g.why)
			if c.held == nil {
				c.held = g
			} else {
				c.more = append(c.more, g.why)
			}
		}
		c.candidates = append(c.candidates, cand)
	}
	if c.rung != "" {
		c.more = nil
	}
	c.candidates = append(c.candidates, fleet.Candidate{Action: RungAlert})
	return c
}

func (j *judge) weighed(rung string, w *fleet.WorkerStatus, f finding) fleet.Candidate {
	c := circumstance{rule: f.rule, since: f.since, now: j.Now, height: w.Para}
	c.asked = w.Pruntime != nil && w.Pruntime.Missed == 0 && j.Policy.current(w.Pruntime.Probe, j.Now)
	c.failed = len(j.historyOf(w.Ref, rung).auto)
	return weigh(rung, c)
}

func (j *judge) historyOf(ref fleet.Ref, rung string) history {
	return past(j.past[ref], ref, actionOf(rung), j.Policy.WorkerBudget.Per, j.Now)
}

// rungGuard speaks when a rung is used up (spent), must wait, or is not worth its price.
func (j *judge) rungGuard(rung string, w *fleet.WorkerStatus, f finding, c fleet.Candidate) *guard {
	budget := j.Policy.WorkerBudget
	if rung == RungContainer {
		if !j.Containers[w.Ref] {
			return &guard{why: fleet.Because("guard.no_container_rung"), person: true, spent: true}
		}
		budget.AtMost = min(budget.AtMost, containerTries)
	}
	h := j.historyOf(w.Ref, rung)
	g := h.spent(budget, j.Now)
	if rung == RungRestart && f.tries > 0 && len(h.auto) >= f.tries && (g == nil || !g.person) {
		until := h.auto[0].Add(budget.Per)
		g = &guard{why: fleet.Because("guard.tried", "n", len(h.auto), "until", until), until: until, person: true, spent: true}
	}
	if g != nil {
		return g
	}
	if until := h.tail.Add(f.rest); !h.tail.IsZero() && until.After(j.Now) {
		return &guard{why: fleet.Because("guard.cooldown", "until", until), until: until}
	}
	if !worth(c) {
		dear := tooDear(c)
		dear.spent = rung == RungContainer || dear.person
		return &dear
	}
	return nil
}
