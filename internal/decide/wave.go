package decide

import (
	"slices"
	"strings"
	"time"

	"phalops/internal/fleet"
)

// Spans and numbers of waves and brakes.
const (
	waveMemory  = time.Hour        // a treatment older than this says nothing of today's pace
	relapse     = 30 * time.Minute // whoever is treated again so soon was not cured
	brakeWindow = 30 * time.Minute // treatments that the fleet's brake looks at
	brakeLeast  = 6                // … and how many of them it takes
	brakeFor    = 30 * time.Minute // how long nobody is treated then; doubles with each further time within a day
	brakeMost   = 4 * time.Hour
)

// treatment is one automatic treatment of a worker and what came of it.
type treatment struct {
	target  fleet.Ref
	at, end time.Time // end is zero while it runs
	helped  bool
}

// treatments reads the automatic treatments of workers that began since a moment, in the order of their ends; running
// ones come last. One that a person aborted, or that ended before anything was done to the worker, proves nothing and is left
// out. Those from before a clock was set back count as if they were of now.
func treatments(attempts []fleet.Attempt, since, now time.Time) []treatment {
	var out []treatment
	newest := map[fleet.Ref]int{}
	for _, a := range attempts {
		a = notLater(a, now)
		if a.Target.Kind() != fleet.KindWorker || a.Untouched || strings.HasPrefix(a.Author, "user:") || a.Kind == ActionWorkerDisable ||
			a.Outcome == fleet.PlanAborted || a.At.Before(since) {
			continue
		}
		t := treatment{target: a.Target, at: a.At, helped: a.Outcome == fleet.PlanDone}
		if !a.Ended.IsZero() || a.Outcome.Ended() {
			t.end = endOf(a)
		}
		if i, known := newest[a.Target]; known && a.At.Sub(out[i].end) < relapse {
			out[i].helped = false
		}
		newest[a.Target] = len(out)
		out = append(out, t)
	}
	slices.SortStableFunc(out, func(a, b treatment) int {
		switch {
		case a.end.IsZero() && b.end.IsZero():
			return a.at.Compare(b.at)
		case a.end.IsZero():
			return 1
		case b.end.IsZero():
			return -1
		}
		return a.end.Compare(b.end)
	})
	return out
}

// running is how many of them have not ended.
func running(ts []treatment) int {
	n := 0
	for _, t := range ts {
		if t.end.IsZero() {
			n++
		}
	}
	return n
}

// opening replays treatments to tell how many places there are by now. It begins with base; every proved cure opens one
// more, so that a wave that was wholly cured doubles them; a failure halves them, once for all that were under way when it
// showed. There is always one.
func opening(ts []treatment, base int) int {
	places, halved := max(1, base), time.Time{}
	for _, t := range ts {
		switch {
		case t.end.IsZero():
		case t.helped:
			places++
		case t.at.Before(halved):
		default:
			places, halved = max(1, places/2), t.end
		}
	}
	return places
}

// own are the treatments of this bridge's workers since a moment.
func (j *judge) own(since time.Time) []treatment {
	if len(j.Attempts) == 0 {
		return nil
	}
	return slices.DeleteFunc(treatments(j.Attempts, since, j.Now), func(t treatment) bool { return t.target.Parent() != j.Status.Ref })
}

// ownBudget is how many treatments of this bridge's workers did not help lately, and until when that holds.
func (j *judge) ownBudget() (n int, until time.Time) {
	if j.spent == nil {
		var s spentBudget
		s.n, s.until = useless(j.own(j.Now.Add(-max(waveMemory, j.Policy.BridgeBudget.Per))), j.Policy.BridgeBudget, j.Now)
		j.spent = &s
	}
	return j.spent.n, j.spent.until
}

// released is since when workers of this bridge turned bad together whose parent is proved cured by now: those who came
// back by a treatment meanwhile count with those who wait for theirs. Zero: there are none.
func (j *judge) released(found []finding) time.Time {
	bad, total := j.together(found)
	least := max(clusterLeast, (total+clusterShare-1)/clusterShare)
	treated := j.own(j.Now.Add(-waveMemory))
	still := map[fleet.Ref]bool{}
	for _, b := range bad {
		still[j.Status.Workers[b.at].Ref] = true
	}
	to := 0
	for from := range bad {
		for to < len(bad) && bad[to].since.Sub(bad[from].since) <= clusterWindow {
			to++
		}
		n, back := to-from, map[fleet.Ref]bool{}
		for _, t := range treated {
			if !still[t.target] && !t.at.Before(bad[from].since) && !back[t.target] {
				back[t.target] = true
				n++
			}
		}
		if n >= least {
			return bad[from].since
		}
	}
	return time.Time{}
}

// Load is how much may be done at this moment in a site or in the fleet.
type Load struct {
	Busy   int           // treatments under way
	Places int           // at once
	Held   *fleet.Reason // why nothing may be done; nil: it may
	Until  time.Time     // when Held ends
}

// SiteLoad reads the treatments of one site.
func SiteLoad(attempts []fleet.Attempt, p Policy, now time.Time) Load {
	ts := treatments(attempts, now.Add(-max(waveMemory, p.SiteBudget.Per)), now)
	l := Load{Busy: running(ts), Places: opening(recent(ts, now), p.SiteAtOnce)}
	if n, until := useless(ts, p.SiteBudget, now); until.After(now) {
		l.Held, l.Until = new(fleet.Because("guard.site_budget", "n", n, "per", p.SiteBudget.Per, "until", until)), until
	}
	return l
}

// FleetLoad reads the treatments of the whole fleet. Its brake speaks when failures after actions rise instead of fall.
func FleetLoad(attempts []fleet.Attempt, p Policy, now time.Time) Load {
	ts := treatments(attempts, now.Add(-24*time.Hour), now)
	l := Load{Busy: running(ts), Places: opening(recent(ts, now), p.FleetAtOnce)}
	if n, until := useless(ts, p.FleetBudget, now); until.After(now) {
		l.Held, l.Until = new(fleet.Because("guard.fleet_budget", "n", n, "per", p.FleetBudget.Per, "until", until)), until
	}
	if failed, of, until := brake(ts); until.After(now) && until.After(l.Until) {
		l.Held, l.Until = new(fleet.Because("guard.brake", "failed", failed, "n", of, "window", brakeWindow, "until", until)), until
	}
	return l
}

func recent(ts []treatment, now time.Time) []treatment {
	var out []treatment
	for _, t := range ts {
		if now.Sub(t.at) < waveMemory {
			out = append(out, t)
		}
	}
	return out
}

// useless counts treatments that did not help within a budget's span, and tells until when it holds: when it is used up
// until the oldest is past, from its half on with a pause that doubles.
func useless(ts []treatment, b Budget, now time.Time) (n int, until time.Time) {
	var failed []time.Time
	for _, t := range ts {
		if !t.end.IsZero() && !t.helped && now.Sub(t.end) < b.Per {
			failed = append(failed, t.end)
		}
	}
	n = len(failed)
	switch half := b.AtMost / 2; {
	case n == 0:
	case n >= b.AtMost:
		until = failed[max(0, n-max(1, b.AtMost))].Add(b.Per)
	case n > half:
		until = failed[n-1].Add(min(b.Backoff<<min(n-half-1, 16), b.Per))
	}
	return n, until
}

// brake replays the fleet's treatments: whenever, of at least brakeLeast that ended within brakeWindow, more than half
// failed, everything rests. A failure often shows within a minute, a cure proves itself after many: so those that are under
// way at that moment count as not failed, and the first six failures of a wave of twelve, after which only half the places are
// left, do not speak for the other six. If these fail as well, the brake speaks before anybody takes their place.
func brake(ts []treatment) (failed, of int, until time.Time) {
	pause, from := brakeFor, 0
	for i, t := range ts {
		if t.end.IsZero() {
			break
		}
		for from < i && (t.end.Sub(ts[from].end) > brakeWindow || ts[from].end.Before(until)) {
			from++
		}
		bad := 0
		for _, x := range ts[from : i+1] {
			if !x.helped {
				bad++
			}
		}
		if n := i + 1 - from; n >= brakeLeast && bad*2 > n && bad*2 > n+underWay(ts[i+1:], t.end) {
			failed, of, until = bad, n, t.end.Add(pause)
			pause = min(2*pause, brakeMost)
		}
	}
	return failed, of, until
}

// underWay is how many of treatments that ended no earlier than a moment had begun by then.
func underWay(later []treatment, at time.Time) (n int) {
	for _, t := range later {
		if !t.at.After(at) {
			n++
		}
	}
	return n
}
