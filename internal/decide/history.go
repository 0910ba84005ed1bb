package decide

import (
	"strings"
	"time"

	"phalops/internal/fleet"
)

// history is what was done to one target before.
type history struct {
	running bool          // a plan is at it now
	last    fleet.Attempt // the newest that ended, whoever asked for it; zero: none
	ended   time.Time     // when last ended
	auto    []time.Time   // when the ones that phalops itself asked for began, within the budget's span, oldest first
	tail    time.Time     // when the newest of these ended
	idle    []time.Time   // of what phalops asked for: when the ones began that ended before anything was done to the target
	rest    time.Time     // when the newest of these ended
}

// idleTries is how often within a budget's span a treatment may end before anything was done to the target. Nothing says
// that it would not help, so it costs no restart of the budget; but its dependants may have been stopped, and whatever keeps it
// from beginning is a person's.
const idleTries = 3

// byTarget sorts attempts by what they were about.
func byTarget(attempts []fleet.Attempt) map[fleet.Ref][]fleet.Attempt {
	if len(attempts) == 0 {
		return nil
	}
	out := make(map[fleet.Ref][]fleet.Attempt, len(attempts))
	for _, a := range attempts {
		out[a.Target] = append(out[a.Target], a)
	}
	return out
}

// past reads the history of a target out of the attempts; kind "" takes every plan kind.
//
// An attempt that is dated later than now was made before a clock was set back: it counts as if it had been made now. Budgets
// are not forgotten because a clock jumped; that none is used up for ever by a clock that had run ahead is seen to by those
// who remember when they first saw it (control).
func past(attempts []fleet.Attempt, target fleet.Ref, kind string, per time.Duration, now time.Time) history {
	var h history
	for _, a := range attempts {
		if a.Target != target || (kind != "" && a.Kind != kind) {
			continue
		}
		a = notLater(a, now)
		idle := a.Untouched && a.Outcome != fleet.PlanAborted
		if a.Ended.IsZero() && !a.Outcome.Ended() {
			h.running = true
		} else if end := endOf(a); end.After(h.ended) && !idle {
			h.last, h.ended = a, end
		}
		switch end := endOf(a); {
		case strings.HasPrefix(a.Author, "user:") || now.Sub(a.At) >= per:
		case idle:
			h.idle, h.rest = insert(h.idle, a.At), latest(h.rest, end)
		default:
			h.auto, h.tail = insert(h.auto, a.At), latest(h.tail, end)
		}
	}
	return h
}

// notLater is an attempt with no date after now.
func notLater(a fleet.Attempt, now time.Time) fleet.Attempt {
	if a.At.After(now) {
		a.At = now
	}
	if a.Ended.After(now) {
		a.Ended = now
	}
	return a
}

func endOf(a fleet.Attempt) time.Time {
	if a.Ended.IsZero() {
		return a.At
	}
	return a.Ended
}

func insert(ts []time.Time, t time.Time) []time.Time {
	i := len(ts)
	for i > 0 && ts[i-1].After(t) {
		i--
	}
	ts = append(ts, time.Time{})
	copy(ts[i+1:], ts[i:])
	ts[i] = t
	return ts
}

// spent returns the guard that the budget puts up: a person when it is used up, time while it backs off, nil when a
// restart is free.
func (h history) spent(b Budget, now time.Time) *guard {
	n := len(h.auto)
	if n >= b.AtMost {
		free := now.Add(b.Per)
		if n > 0 && b.AtMost > 0 {
			free = h.auto[n-b.AtMost].Add(b.Per)
		}
		return &guard{why: fleet.Because("guard.budget", "n", n, "per", b.Per, "until", free), until: free, person: true, spent: true}
	}
	m := len(h.idle)
	if m >= idleTries {
		free := h.idle[m-idleTries].Add(b.Per)
		return &guard{why: fleet.Because("guard.not_begun", "n", m, "per", b.Per, "until", free), until: free, person: true, spent: true}
	}
	if n+m == 0 {
		return nil
	}
	pause := b.Backoff
	for i := 1; i < n+m && pause < b.Per; i++ {
		pause *= 2
	}
	until := latest(h.tail, h.rest).Add(pause)
	switch {
	case !until.After(now):
		return nil
	case n == 0:
		return &guard{why: fleet.Because("guard.idle", "idle", m, "pause", pause, "until", until), until: until}
	case m > 0:
		return &guard{why: fleet.Because("guard.idle_backoff", "n", n, "idle", m, "pause", pause, "until", until), until: until}
	}
	return &guard{why: fleet.Because("guard.backoff", "n", n, "pause", pause, "until", until), until: until}
}
