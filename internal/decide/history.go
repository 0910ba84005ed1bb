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
}

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
func past(attempts []fleet.Attempt, target fleet.Ref, kind string, per time.Duration, now time.Time) history {
	var h history
	for _, a := range attempts {
		if a.Target != target || (kind != "" && a.Kind != kind) || a.At.After(now) {
			continue
		}
		if a.Ended.IsZero() && !a.Outcome.Ended() {
			h.running = true
		} else if end := endOf(a); end.After(h.ended) {
			h.last, h.ended = a, end
		}
		if strings.HasPrefix(a.Author, "user:") || now.Sub(a.At) >= per {
			continue
		}
		h.auto = insert(h.auto, a.At)
		if end := endOf(a); end.After(h.tail) {
			h.tail = end
		}
	}
	return h
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
	if n == 0 {
		return nil
	}
	pause := b.Backoff
	for i := 1; i < n && pause < b.Per; i++ {
		pause *= 2
	}
	if until := h.tail.Add(pause); until.After(now) {
		return &guard{why: fleet.Because("guard.backoff", "n", n, "pause", pause, "until", until), until: until}
	}
	return nil
}
