package decide

import (
	"math"
	"slices"

	"phalops/internal/fleet"
)

// decide puts the guards on every finding and gives the free places to the dearest workers first.
func (j *judge) decide(found []finding, group *cluster, parts finding) []fleet.Decision {
	out := make([]fleet.Decision, len(found))
	var eager []int
	for i := range found {
		w, f := &j.Status.Workers[i], found[i]
		out[i] = f.frame(w.Ref, string(w.Condition), w.Since, j.Now)
		switch f.want {
		case wantPerson: // one incident of the parent, not one message for each child
			if g := first(func() *guard { return j.claimed(w, history{}) }, func() *guard { return j.parentGuard(i, group, parts) }); g != nil {
				out[i].Severity = f.quiet
				out[i] = hold(out[i], f, *g)
			}
		case wantRestart:
			out[i].Candidates = []fleet.Candidate{{Action: RungRestart}, {Action: RungAlert}}
			if g := j.guards(i, w, f, group, parts); g != nil {
				out[i] = j.climb(hold(out[i], f, *g), *g)
			} else {
				eager = append(eager, i)
			}
		}
	}
	slices.SortStableFunc(eager, func(a, b int) int {
		wa, wb := &j.Status.Workers[a], &j.Status.Workers[b]
		if c := wb.Stake.Cmp(wa.Stake); c != 0 {
			return c
		}
		return found[a].since.Compare(found[b].since)
	})
	limit, busy := j.limit()
	for _, i := range eager {
		if busy >= limit {
			out[i] = hold(out[i], found[i], guard{why: fleet.Because("guard.cap", "busy", busy, "limit", limit)})
			continue
		}
		busy++
		out[i] = allow(out[i], j.Policy, ActionWorkerRestart)
	}
	return out
}

// climb leaves the rung that a guard closed for good. A bridge offers no rung between its restart and a person.
func (j *judge) climb(d fleet.Decision, g guard) fleet.Decision {
	if !g.person {
		return d
	}
	d.Candidates = []fleet.Candidate{{Action: RungAlert}}
	if g.spent && j.Policy.has(RungContainer) {
		d.Guards = append(d.Guards, fleet.Because("guard.no_container_rung"))
	}
	return d
}

// limit is how many workers of the bridge may be under treatment at the same time, and how many are.
func (j *judge) limit() (limit, busy int) {
	enabled := 0
	for i := range j.Status.Workers {
		if j.Status.Workers[i].Enabled {
			enabled++
		}
	}
	limit = int(math.Ceil(j.Policy.PerBridge*float64(enabled) - 1e-9)) // 10 % of 30 is 3, not 4
	limit = max(1, min(limit, j.Policy.AtOnce))
	for ref, yes := range j.Treating {
		if yes && ref.Parent() == j.Status.Ref {
			busy++
		}
	}
	return limit, busy
}

// guards returns the first that forbids a restart of a worker now.
func (j *judge) guards(i int, w *fleet.WorkerStatus, f finding, group *cluster, parts finding) *guard {
	h := past(j.Attempts, w.Ref, ActionWorkerRestart, j.Policy.WorkerBudget.Per, j.Now)
	return first(
		func() *guard {
			if w.SyncOnly {
				return &guard{why: fleet.Because("guard.sync_only"), person: true}
			}
			return j.claimed(w, h)
		},
		func() *guard { return j.parentGuard(i, group, parts) },
		func() *guard {
			if until := j.touched(w).Add(workerGrace); until.After(j.Now) {
				return &guard{why: fleet.Because("guard.just_restarted", "at", until.Add(-workerGrace), "until", until), until: until}
			}
			if f.until.After(j.Now) {
				return &guard{why: fleet.Because("guard.holddown", "until", f.until), until: f.until, person: f.told}
			}
			return nil
		},
		func() *guard { return j.ladder(f, h) },
		func() *guard {
			if j.Policy.Maintenance {
				return &guard{why: fleet.Because("guard.maintenance")}
			}
			return nil
		},
	)
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
func (j *judge) parentGuard(i int, group *cluster, parts finding) *guard {
	if j.Blind {
		return &guard{why: fleet.Because("guard.blind"), suspect: fleet.Fleet}
	}
	if g := j.nodeGuard(); g != nil {
		return g
	}
	if parts.condition != string(fleet.BridgeHealthy) {
		return &guard{why: j.src.reason, suspect: parts.suspect}
	}
	if group != nil && group.members[i] {
		return &guard{why: fleet.Because("guard.shared_cause", "n", len(group.members), "total", group.total, "until", group.until),
			until: group.until, suspect: j.Status.Ref}
	}
	return nil
}

// ladder speaks when no rung is open: restart is the one that a bridge offers, and after it comes a person.
func (j *judge) ladder(f finding, h history) *guard {
	if !j.Policy.has(RungRestart) {
		return &guard{why: fleet.Because("guard.no_restart_rung"), person: true, spent: true}
	}
	g := h.spent(j.Policy.WorkerBudget, j.Now)
	if f.tries > 0 && len(h.auto) >= f.tries && (g == nil || !g.person) {
		until := h.auto[0].Add(j.Policy.WorkerBudget.Per)
		g = &guard{why: fleet.Because("guard.tried", "n", len(h.auto), "until", until), until: until, person: true, spent: true}
	}
	return g
}
