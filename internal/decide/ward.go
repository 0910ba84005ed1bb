package decide

import (
	"math"

	"phalops/internal/fleet"
)

// decide puts the guards on every finding and gives the free places to the dearest workers first.
func (j *judge) decide(found []finding, group *cluster, parts finding) []fleet.Decision {
	out := make([]fleet.Decision, len(found))
	suspected := j.suspected()
	var eager []int
	var rungs map[int]string
	for i := range found {
		w := &j.Status.Workers[i]
		out[i] = found[i].frame(w.Ref, string(w.Condition), w.Since, j.Now)
		if found[i].want < wantRestart {
			continue
		}
		f := found[i]
		switch f.want {
		case wantPerson: // one incident of the parent, not one message for each child
			if g := first(
				func() *guard { return j.claimed(w, history{}) },
				func() *guard { return j.parentGuard(i, group, parts, suspected) },
			); g != nil {
				out[i].Severity = f.quiet
				out[i] = hold(out[i], f, *g)
			}
		case wantDisable:
			out[i] = j.disable(out[i], w, f)
		case wantRestart:
			c := j.ladder(w, f)
			out[i].Candidates = c.candidates
			if g := j.guards(i, w, f, c, group, parts, suspected); g != nil {
				out[i] = hold(out[i], f, *g)
				if g == c.held {
					out[i].Guards = append(out[i].Guards, c.more...)
				}
				shut(out[i].Candidates, g.why)
				continue
			}
			if rungs == nil {
				rungs = map[int]string{}
			}
			rungs[i] = c.rung
			eager = append(eager, i)
		}
	}
	if len(eager) == 0 {
		return out
	}
	j.rank(eager, found)
	busy, places, why := j.limit(found)
	for _, i := range eager {
		d := allow(out[i], j.Policy, actionOf(rungs[i]))
		if d.Verdict == fleet.Act && found[i].mode == ModeObserve {
			d = observed(d, fleet.Because("guard.observe_rule", "rule", d.Rule, "glob", d.Rule))
		}
		if d.Verdict == fleet.Act { // what is only reported takes nobody's place
			if busy >= places {
				g := guard{why: why(busy)}
				out[i] = hold(out[i], found[i], g)
				shut(out[i].Candidates, g.why)
				continue
			}
			busy++
		}
		out[i] = d
	}
	return out
}

// shut closes the rung that was open, for what holds the whole target back. A person stays.
func shut(cs []fleet.Candidate, why fleet.Reason) {
	for i := range cs {
		if cs[i].Closed == nil && cs[i].Action != RungAlert {
			cs[i].Closed = &why
		}
	}
}

// limit is how many of the bridge's workers are under treatment and how many may be, and how to say that it is enough. A
// bridge opens more places while those who turned bad together come back one after the other (opening); the site and the
// fleet bound it.
func (j *judge) limit(found []finding) (busy, places int, why func(busy int) fleet.Reason) {
	enabled := 0
	for i := range j.Status.Workers {
		if j.Status.Workers[i].Enabled {
			enabled++
		}
	}
	base := int(math.Ceil(j.Policy.PerBridge*float64(enabled) - 1e-9)) // 10 % of 30 is 3, not 4
	base = max(1, min(base, j.Policy.AtOnce))
	places = base
	for ref, yes := range j.Treating {
		if yes && ref.Parent() == j.Status.Ref {
			busy++
		}
	}
	if since := j.released(found); !since.IsZero() {
		places = max(base, min(opening(recent(j.own(since), j.Now), base), enabled/2))
	}
	why = func(busy int) fleet.Reason { return fleet.Because("guard.cap", "busy", busy, "limit", places) }
	for _, wider := range []struct {
		load *Load
		code string
	}{{j.Site, "guard.site_cap"}, {j.Fleet, "guard.fleet_cap"}} {
		if wider.load == nil {
			continue
		}
		if free := max(0, wider.load.Places-wider.load.Busy); busy+free < places {
			places = busy + free
			load, code := *wider.load, wider.code
			why = func(int) fleet.Reason { return capReason(code, load) }
		}
	}
	return busy, places, why
}

func capReason(code string, l Load) fleet.Reason {
	if code == "guard.site_cap" {
		return fleet.Because("guard.site_cap", "busy", l.Busy, "limit", l.Places)
	}
	return fleet.Because("guard.fleet_cap", "busy", l.Busy, "limit", l.Places)
}

// guards returns the first that forbids a treatment of a worker now.
func (j *judge) guards(i int, w *fleet.WorkerStatus, f finding, c choice, group *cluster, parts finding, suspected map[fleet.Ref]*Suspicion) *guard {
	return first(
		func() *guard {
			if w.SyncOnly {
				return &guard{why: fleet.Because("guard.sync_only"), person: true}
			}
			return j.claimed(w, past(j.past[w.Ref], w.Ref, "", j.Policy.WorkerBudget.Per, j.Now))
		},
		func() *guard { return j.parentGuard(i, group, parts, suspected) },
		func() *guard {
			if until := j.touched(w).Add(workerGrace); until.After(j.Now) {
				return &guard{why: fleet.Because("guard.just_restarted", "at", until.Add(-workerGrace), "until", until), until: until}
			}
			if f.until.After(j.Now) {
				return &guard{why: fleet.Because("guard.holddown", "until", f.until), until: f.until, person: f.told}
			}
			return nil
		},
		func() *guard { return c.held },
		j.pressure,
		j.maintenance,
	)
}

func (j *judge) maintenance() *guard {
	if j.Policy.Maintenance {
		return &guard{why: fleet.Because("guard.maintenance")}
	}
	return nil
}

// pressure speaks while too many treatments of the fleet, the site or the bridge did not help.
func (j *judge) pressure() *guard {
	if l := j.Fleet; l != nil && l.Held != nil && l.Until.After(j.Now) {
		return &guard{why: *l.Held, until: l.Until, suspect: fleet.Fleet}
	}
	if l := j.Site; l != nil && l.Held != nil && l.Until.After(j.Now) {
		return &guard{why: *l.Held, until: l.Until, suspect: fleet.SiteRef(j.Status.Site)}
	}
	if n, until := j.ownBudget(); until.After(j.Now) {
		return &guard{why: fleet.Because("guard.bridge_budget", "n", n, "per", j.Policy.BridgeBudget.Per, "until", until), until: until, suspect: j.Status.Ref}
	}
	return nil
}

// claimed speaks when somebody is at the worker or at what it hangs on.
func (j *judge) claimed(w *fleet.WorkerStatus, h history) *guard {
	if j.Treating[w.Ref] || h.running {
		return &guard{why: fleet.Because("guard.treating")}
	}
	if why, ok := j.Locked[w.Ref]; ok {
		return &guard{why: why}
	}
	if j.ParentTreated != nil {
		return &guard{why: *j.ParentTreated, suspect: j.Status.Ref}
	}
	return nil
}

// parentGuard speaks when what the worker hangs on is at fault, or may be.
func (j *judge) parentGuard(i int, group *cluster, parts finding, suspected map[fleet.Ref]*Suspicion) *guard {
	if j.Blind {
		return &guard{why: fleet.Because("guard.blind"), suspect: fleet.Fleet}
	}
	if g := j.nodeGuard(); g != nil {
		return g
	}
	if parts.condition != string(fleet.BridgeHealthy) {
		return &guard{why: j.src.reason, suspect: parts.suspect}
	}
	if s := suspected[j.Status.Workers[i].Ref]; s != nil {
		return &guard{why: s.guard(), until: s.Until, suspect: s.Parent}
	}
	if group != nil && group.members[i] {
		return &guard{why: fleet.Because("guard.shared_cause", "n", len(group.members), "total", group.total, "until", group.until),
			until: group.until, suspect: j.Status.Ref}
	}
	return nil
}
