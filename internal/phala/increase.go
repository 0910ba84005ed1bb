package phala

import (
	"time"

	"phalops/internal/fleet"
)

// Sample is a counter as it was at a time.
type Sample struct {
	At    time.Time
	Value fleet.Amount
}

// Increase is by how much a counter has grown, from the first of its samples to the last; samples are in the order of time. A
// counter that is lower than before began again at 0, as a session's reward does when its worker is bound anew: then all that it
// has counted since is growth. What it counted between the sample before and its new beginning is not known and left out. took is
// how long the samples last; without two of them nothing is known and took is 0.
func Increase(samples []Sample) (grown fleet.Amount, took time.Duration) {
	var total sum
	for i := 1; i < len(samples); i++ {
		before, now := samples[i-1], samples[i]
		if now.Value.Cmp(before.Value) >= 0 {
			total.amount(now.Value.Minus(before.Value))
		} else {
			total.amount(now.Value)
		}
		took += now.At.Sub(before.At)
	}
	return total.total(), took
}

// Daily is what every session has earned between two reads of the chain, for a day: before is the earlier one. Sessions that before
// does not have began at 0.
func Daily(before, now *State) map[Account]fleet.Amount {
	was := make(map[Account]fleet.Amount, len(before.Sessions))
	for _, s := range before.Sessions {
		was[s.Account] = s.Reward
	}
	took := now.Now.Sub(before.Now)
	out := make(map[Account]fleet.Amount, len(now.Sessions))
	for _, s := range now.Sessions {
		grown, _ := Increase([]Sample{{before.Now, was[s.Account]}, {now.Now, s.Reward}})
		out[s.Account] = PerDay(grown, took)
	}
	return out
}

// PerDay is an amount that came in some time as that of 24 hours; 0 without a time.
func PerDay(a fleet.Amount, took time.Duration) fleet.Amount {
	if took <= 0 {
		return fleet.Amount{}
	}
	return portion(a, fleet.NewAmount(uint64(24*time.Hour)), fleet.NewAmount(uint64(took)))
}
