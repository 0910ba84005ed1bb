package control

import (
	"slices"
	"time"

	"phalops/internal/fleet"
)

// dates remembers when treatments were first seen that are dated later than the clock shows. Either the clock was set back
// since, and what was done lately must not be forgotten; or it had run ahead when they were written, and must not hold back
// everybody until that time comes. Nobody can tell which, so such a treatment counts as one that ended when it was first seen,
// and grows old from there. When its own date has come after all, it counts as that says.
type dates struct {
	seen map[treated]time.Time
}

// treated is one treatment of one target.
type treated struct {
	plan   string
	target fleet.Ref
}

// mend gives back attempts, oldest first, none of which is dated later than now. What it does not see any more it forgets.
func (d *dates) mend(attempts []fleet.Attempt, now time.Time) []fleet.Attempt {
	seen, out := map[treated]time.Time{}, attempts
	for i, a := range attempts {
		last := a.At
		if a.Ended.After(last) {
			last = a.Ended
		}
		if !last.After(now) {
			continue
		}
		if len(seen) == 0 {
			out = slices.Clone(attempts)
		}
		id := treated{a.Plan, a.Target}
		first, known := d.seen[id]
		if !known || first.After(now) {
			first = now
		}
		seen[id] = first
		out[i].At = a.At.Add(first.Sub(last))
		if !a.Ended.IsZero() {
			out[i].Ended = a.Ended.Add(first.Sub(last))
		}
	}
	if d.seen = seen; len(seen) > 0 {
		slices.SortStableFunc(out, func(a, b fleet.Attempt) int { return a.At.Compare(b.At) })
	}
	return out
}
