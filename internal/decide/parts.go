package decide

import (
	"time"

	"phalops/internal/fleet"
)

// lifecycleHangs is how long a lifecycle manager (v3: prb-wm) that tells nothing is waited for: one that starts reads its
// database for minutes.
const lifecycleHangs = 10 * time.Minute

// mend looks for what phalops itself can do about a part that has not answered for long. A monitor that is dead is only a
// blind window, and its container may be restarted at any time. Behind a silent lifecycle manager the workers may be fed all
// the same: their own pRuntimes tell, and where nobody can be asked a person must look.
//
//	monitor silent (v0, v2)                      → restart the monitor's container
//	lifecycle silent, a pRuntime takes blocks    → the way between monitor and lifecycle is cut: the same
//	lifecycle or wm silent, pRuntimes stand still → restart the lifecycle
//	nobody knows                                 → a person
func (j *judge) mend(f finding, silent fleet.BridgeCondition) finding {
	if f.want != wantPerson || !j.CanRestart {
		return f
	}
	monitor := j.Status.Version == "v0" || j.Status.Version == "v2"
	if silent == fleet.BridgeBlind && monitor {
		f.want, f.rule, f.action = wantRestart, "bridge.blind.monitor", ActionBridgeMonitor
		f.reason = fleet.Because("bridge.monitor_dead", "for", j.Now.Sub(f.since), "bridge", j.Status.Ref)
		return f
	}
	if low := j.lowStakes(); low != nil {
		return f // it would only exit again, and the witness says so
	}
	fed, unsure, hungry := j.fed()
	args := []any{"for", j.Now.Sub(f.since), "bridge", j.Status.Ref, "n", fed + hungry}
	due := f.since.Add(lifecycleHangs)
	switch {
	case fed > 0 && monitor:
		f.want, f.rule, f.action, f.loud = wantRestart, "bridge.no_lifecycle.cut", ActionBridgeMonitor, fleet.Warning
		f.reason = fleet.Because("bridge.monitor_cut", args...)
	case fed > 0:
		f.loud = fleet.Warning
		f.reason = fleet.Because("bridge.silent_but_feeds", args...)
	case unsure > 0: // asked twice it will be known
		f.want, f.until = wantTime, j.Now.Add(provedWithin)
	case hungry > 0:
		f.want, f.rule, f.action, f.until = wantRestart, "bridge.no_lifecycle.hangs", ActionBridgeRestart, due
		f.reason = fleet.Because("bridge.lifecycle_hangs", args...)
	case due.After(j.Now):
		f.want, f.until = wantTime, due // somebody may still tell
	}
	return f
}

// fed counts the workers whose own pRuntimes take new blocks, those that have taken some since they were asked before the silence,
// and those whose stand still.
func (j *judge) fed() (fed, unsure, hungry int) {
	for i := range j.Status.Workers {
		w := &j.Status.Workers[i]
		p := j.hear(w)
		if !w.Enabled || !p.answers || !p.Para.Known {
			continue
		}
		switch frozen := p.Para.FrozenFor(p.At); {
		case frozen < provedWithin && p.Before.After(j.silentSince()):
			fed++
		case frozen < provedWithin:
			unsure++
		case frozen >= workerFrozenAfter:
			hungry++
		}
	}
	return fed, unsure, hungry
}

// silentSince is when the bridge's newest silence began.
func (j *judge) silentSince() time.Time {
	return latest(j.Status.Monitor.Failed, j.Status.Lifecycle.Failed)
}

// treat puts the guards on a restart of the bridge's own parts.
func (j *judge) treat(f finding) fleet.Decision {
	d := j.frame(f)
	if f.want != wantRestart {
		return d
	}
	h := past(j.past[j.Status.Ref], j.Status.Ref, f.action, j.Policy.NodeBudget.Per, j.Now)
	worthIt := true // a monitor's restart costs no mining
	if f.action == ActionBridgeRestart {
		enabled := 0
		for i := range j.Status.Workers {
			if j.Status.Workers[i].Enabled {
				enabled++
			}
		}
		restart := weigh(RungRestart, circumstance{rule: f.rule, since: f.since, now: j.Now, failed: len(h.auto), held: enabled})
		d.Candidates, worthIt = []fleet.Candidate{restart, {Action: RungAlert}}, worth(restart)
	}
	g := first(
		func() *guard {
			switch {
			case j.ParentTreated != nil:
				return &guard{why: *j.ParentTreated}
			case h.running:
				return &guard{why: fleet.Because("guard.treating")}
			case j.Blind:
				return &guard{why: fleet.Because("guard.blind"), suspect: fleet.Fleet}
			}
			return nil
		},
		func() *guard {
			if until := j.treated(j.Status.Ref).Add(lifecycleHangs); until.After(j.Now) {
				return &guard{why: fleet.Because("guard.just_restarted", "at", until.Add(-lifecycleHangs), "until", until), until: until}
			}
			if f.until.After(j.Now) {
				return &guard{why: fleet.Because("guard.holddown", "until", f.until), until: f.until}
			}
			return h.spent(j.Policy.NodeBudget, j.Now)
		},
		func() *guard {
			if !worthIt {
				dear := tooDear(d.Candidates[0])
				return &dear
			}
			return nil
		},
		j.pressure, j.maintenance,
	)
	if g != nil {
		shut(d.Candidates, g.why)
		return hold(d, f, *g)
	}
	return allow(d, j.Policy, f.action)
}

// Refused is a decision to act that could not even be planned: why, and until when it rests. It is tried again after that.
// What a safety rule refused is a person's at once, everything else (a host that does not answer) when it lasts.
func Refused(d fleet.Decision, why fleet.Reason, lasting bool, until time.Time) fleet.Decision {
	f := finding{loud: fleet.Warning}
	if d.Target.Kind() == fleet.KindNode || d.Severity == fleet.Critical {
		f.loud = fleet.Critical
	}
	action := d.Action
	shut(d.Candidates, fleet.Because("guard.refused", "action", "plan_kind."+action, "err", why))
	return hold(d, f, guard{why: fleet.Because("guard.refused", "action", "plan_kind."+action, "err", why), until: until, person: lasting})
}
