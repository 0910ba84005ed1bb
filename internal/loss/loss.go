// Package loss is the one definition of lost worker-hours. A worker loses time while it does not earn; why, and how long each part of
// it took, is told by outages. Campaigns, consoles and reports add up the same way.
package loss

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"time"
)

// Outage is one time in which one worker did not earn: From until To, which is no earlier.
type Outage struct {
	Worker string
	Cause  string // the kind of what went wrong; "" for nothing that is known
	From   time.Time
	// Detected is when somebody who could do something knew of it; zero: nobody ever did.
	Detected time.Time
	// Cured is when nothing was wrong any more but what had to be caught up with; zero: it was not cured until To.
	Cured time.Time
	To    time.Time
	// SelfInflicted is an outage that only an action caused which was not needed: all of it is somebody's own fault.
	SelfInflicted bool
}

// Split is lost time by the part of an outage in which it was lost.
type Split struct {
	Undetected    time.Duration // until somebody knew
	Uncured       time.Duration // from then until what was wrong was mended
	Recovery      time.Duration // from then until the worker earned again
	SelfInflicted time.Duration // by actions that were not needed
}

// Total is all of it.
func (s Split) Total() time.Duration {
	return s.Undetected + s.Uncured + s.Recovery + s.SelfInflicted
}

// Plus adds up.
func (s Split) Plus(o Split) Split {
	return Split{s.Undetected + o.Undetected, s.Uncured + o.Uncured, s.Recovery + o.Recovery, s.SelfInflicted + o.SelfInflicted}
}

// Lasted is how long the worker did not earn.
func (o Outage) Lasted() time.Duration { return max(0, o.To.Sub(o.From)) }

// Split tells where the time of an outage went. What was cured before anybody knew was undetected until then; moments outside of the
// outage count as its nearest end.
func (o Outage) Split() Split {
	if o.SelfInflicted {
		return Split{SelfInflicted: o.Lasted()}
	}
	to := o.From.Add(o.Lasted())
	cured := within(o.Cured, o.From, to)
	detected := within(o.Detected, o.From, cured)
	return Split{Undetected: detected.Sub(o.From), Uncured: cured.Sub(detected), Recovery: to.Sub(cured)}
}

// within is t held between two moments; the zero time is the later one.
func within(t, from, to time.Time) time.Time {
	switch {
	case t.IsZero() || t.After(to):
		return to
	case t.Before(from):
		return from
	}
	return t
}

// Summary is what many outages come to.
type Summary struct {
	Split
	Outages       int
	P50, P95, P99 time.Duration // of how long they lasted, until the worker earned again
}

// Sum adds outages up.
func Sum(outages []Outage) Summary {
	var s Summary
	lasted := make([]time.Duration, 0, len(outages))
	for _, o := range outages {
		s.Split = s.Plus(o.Split())
		lasted = append(lasted, o.Lasted())
	}
	slices.Sort(lasted)
	s.Outages = len(outages)
	s.P50, s.P95, s.P99 = percentile(lasted, 0.50), percentile(lasted, 0.95), percentile(lasted, 0.99)
	return s
}

// percentile is the smallest value that at least this share of the sorted values does not exceed; 0 of none.
func percentile(sorted []time.Duration, share float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[max(0, int(math.Ceil(share*float64(len(sorted))))-1)]
}

// Cause is what the outages of one cause come to.
type Cause struct {
	Cause string
	Summary
}

// ByCause sums the outages of each cause, in the order of the causes. Those that somebody inflicted on himself are no cause's.
func ByCause(outages []Outage) []Cause {
	sorted := map[string][]Outage{}
	for _, o := range outages {
		if !o.SelfInflicted {
			sorted[o.Cause] = append(sorted[o.Cause], o)
		}
	}
	all := make([]Cause, 0, len(sorted))
	for _, cause := range slices.SortedFunc(maps.Keys(sorted), cmp.Compare) {
		all = append(all, Cause{cause, Sum(sorted[cause])})
	}
	return all
}
