package observe

import (
	"time"

	"phalops/internal/fleet"
	"phalops/internal/phala"
)

const (
	sampleEvery = time.Hour
	othersEvery = 6 * time.Hour  // everybody's rewards are many
	dayLong     = 24 * time.Hour // what Daily is about
	// behindFor is how long a reading of an older block than the newest known one is taken for that of a node that is behind;
	// from then on the chain itself has gone back.
	behindFor = time.Hour
	pausedFor = time.Hour // without growth: when everybody's rewards grow again, they have resumed
)

// LedgerHistory is what is known of a network's chain: the newest view, and what earlier reads say of what was earned since. The
// zero value knows nothing.
type LedgerHistory struct {
	View    fleet.ChainView
	Samples []fleet.ChainSample // at most one an hour, oldest first; the first is older than a day where there is one

	rewards map[phala.Account]fleet.Amount // of every session at View, where this process read it
	days    []dated                        // of every session, where everybody's workers are kept
}

// dated is every session's reward at one time.
type dated struct {
	at      time.Time
	rewards map[phala.Account]fleet.Amount
}

// Silent notes that nobody could be asked at now.
func (h *LedgerHistory) Silent(network string, now time.Time, cause fleet.Reason) {
	h.View.Ref = fleet.NetworkRef(network)
	h.View.Probe = h.View.Silent(now, cause)
}

// Add merges a reading that is true at now, and returns a sample that is to be kept, if it is time for one. A reading of an older
// block than the newest known one is refused with the reason observe.chain_behind: its counters would look as if they had begun anew.
func (h *LedgerHistory) Add(r LedgerReading, now time.Time) (*fleet.ChainSample, error) {
	last, v := h.View, r.View
	if last.Genesis != v.Genesis || last.Height > v.Height {
		if last.Genesis == v.Genesis && now.Sub(last.At) < behindFor {
			return nil, fleet.Fail(fleet.Unavailable, fleet.Because("observe.chain_behind", "height", v.Height, "known", last.Height))
		}
		*h = LedgerHistory{} // another chain has another history
		last = fleet.ChainView{Probe: last.Probe}
	}
	v.Probe, v.Watched, v.Moved = last.Answered(now), last.Watched, last.Moved
	if v.Watched.IsZero() {
		v.Watched = now
	}
	if last.Height != v.Height || v.Moved.IsZero() {
		v.Moved = now
	}
	h.follow(&last, &v, r.rewards(), now)
	h.View, h.rewards = v, r.rewards()
	sample := h.sample(now)
	h.measure(now)
	return sample, nil
}

// rewards are everybody's, nil where only ours were read.
func (r LedgerReading) rewards() map[phala.Account]fleet.Amount {
	if !r.View.Whole {
		return nil
	}
	return r.Rewards
}

// follow carries over since when things are as they are.
func (h *LedgerHistory) follow(last, v *fleet.ChainView, rewards map[phala.Account]fleet.Amount, now time.Time) {
	was := make(map[string]*fleet.ChainWorker, len(last.Workers)+len(last.Others))
	for _, list := range [][]fleet.ChainWorker{last.Workers, last.Others} {
		for i := range list {
			was[list[i].Key] = &list[i]
		}
	}
	for _, list := range [][]fleet.ChainWorker{v.Workers, v.Others} {
		for i := range list {
			w := &list[i]
			w.StateSince, w.RewardMoved = now, now
			if old := was[w.Key]; old != nil && old.State == w.State {
				w.StateSince = old.StateSince
			}
			if old := was[w.Key]; old != nil && old.Reward == w.Reward {
				w.RewardMoved = old.RewardMoved
			}
		}
	}
	t, old := &v.Totals, last.Totals
	t.RewardMoved, t.RewardResumed, t.Earned = now, old.RewardResumed, old.Earned
	if last.Whole != v.Whole || last.Height == 0 {
		return // of another sum, or of none
	}
	switch {
	case old.RewardMoved.IsZero():
	case t.Reward == old.Reward:
		t.RewardMoved = old.RewardMoved
	case !between(now.Sub(old.RewardMoved), pausedFor):
		t.RewardResumed = now
	}
	t.Earned = old.Earned.Plus(h.earned(old, *t, rewards))
}

// earned is by how much all sessions' rewards have grown. Where an earlier process read them last, sessions that began anew meanwhile
// make it a little less than it was.
func (h *LedgerHistory) earned(old, t fleet.ChainTotals, rewards map[phala.Account]fleet.Amount) (sum fleet.Amount) {
	if h.rewards == nil || rewards == nil {
		return t.Reward.Minus(old.Reward)
	}
	for account, is := range rewards {
		if was := h.rewards[account]; was != is { // those that were not there began at 0
			grown, _ := phala.Increase([]phala.Sample{{Value: was}, {Value: is}})
			sum = sum.Plus(grown)
		}
	}
	return sum
}

// sample keeps the counters where that is due, and lets go of what is more than a day old.
func (h *LedgerHistory) sample(now time.Time) *fleet.ChainSample {
	if n := len(h.days); len(h.View.Others) == 0 {
		h.days = nil
	} else if n == 0 || !between(now.Sub(h.days[n-1].at), othersEvery) {
		h.days = lastDay(append(h.days, dated{now, h.rewards}), func(d dated) time.Time { return d.at }, now)
	}
	if n := len(h.Samples); n > 0 && between(now.Sub(h.Samples[n-1].At), sampleEvery) {
		return nil
	}
	s := fleet.ChainSample{Network: h.View.Ref, At: now, Earned: h.View.Totals.Earned, Rewards: map[string]fleet.Amount{}, Gas: map[string]fleet.Amount{}}
	for _, w := range h.View.Workers {
		s.Rewards[w.Key] = w.Reward
	}
	for _, p := range h.View.Pools {
		s.Gas[p.Owner] = p.OwnerGas
		for _, a := range p.Operators {
			s.Gas[a.Address] = a.Free
		}
	}
	h.Samples = lastDay(append(h.Samples, s), func(s fleet.ChainSample) time.Time { return s.At }, now)
	return &s
}

// lastDay lets go of all that is older than the newest that is a day old.
func lastDay[T any](list []T, at func(T) time.Time, now time.Time) []T {
	for len(list) > 1 && now.Sub(at(list[1])) >= dayLong {
		list = list[1:]
	}
	return list
}
