package observe

import (
	"encoding/hex"
	"time"

	"phalops/internal/fleet"
	"phalops/internal/phala"
)

// measure computes from the samples what came and went in a day.
func (h *LedgerHistory) measure(now time.Time) {
	v := &h.View
	v.Totals.Daily, v.Totals.DailyFor = daily(phala.Increase(h.series(now, v.Totals.Earned, func(s fleet.ChainSample) (fleet.Amount, bool) { return s.Earned, true })))
	type sum struct {
		grown fleet.Amount
		took  time.Duration
	}
	pools := map[uint64]sum{}
	for i := range v.Workers {
		w := &v.Workers[i]
		grown, took := phala.Increase(h.series(now, w.Reward, func(s fleet.ChainSample) (a fleet.Amount, ok bool) { a, ok = s.Rewards[w.Key]; return a, ok }))
		w.Daily, w.DailyFor = daily(grown, took)
		if w.Pool {
			p := pools[w.PID]
			pools[w.PID] = sum{p.grown.Plus(grown), max(p.took, took)}
		}
	}
	for i := range v.Others {
		w := &v.Others[i]
		w.Daily, w.DailyFor = daily(phala.Increase(h.others(now, w)))
	}
	for i := range v.Pools {
		p := &v.Pools[i]
		p.Daily, p.DailyFor = daily(pools[p.PID].grown, pools[p.PID].took)
		p.OwnerSpent, p.OwnerSpentFor = h.spent(now, p.Owner, p.OwnerGas)
		for j := range p.Operators {
			a := &p.Operators[j]
			a.Spent, a.SpentFor = h.spent(now, a.Address, a.Free)
		}
	}
}

func daily(grown fleet.Amount, took time.Duration) (fleet.Amount, time.Duration) {
	return phala.PerDay(grown, took), max(took, 0)
}

// series is a counter over the last day: as the samples have it, and as it is now.
func (h *LedgerHistory) series(now time.Time, is fleet.Amount, of func(fleet.ChainSample) (fleet.Amount, bool)) []phala.Sample {
	out := make([]phala.Sample, 0, len(h.Samples)+1)
	for _, s := range h.Samples {
		if value, ok := of(s); ok && s.At.Before(now) {
			out = append(out, phala.Sample{At: s.At, Value: value})
		}
	}
	return append(out, phala.Sample{At: now, Value: is})
}

// others is the series of a worker that is not ours.
func (h *LedgerHistory) others(now time.Time, w *fleet.ChainWorker) (out []phala.Sample) {
	var key phala.Key
	if n, err := hex.Decode(key[:], []byte(w.Key)); err != nil || n != len(key) {
		return nil
	}
	account := phala.SessionAccount(w.PID, key)
	for _, d := range h.days {
		if value, ok := d.rewards[account]; ok && d.at.Before(now) {
			out = append(out, phala.Sample{At: d.at, Value: value})
		}
	}
	return append(out, phala.Sample{At: now, Value: w.Reward})
}

// spent is what left an account; what came in between two samples hides what left meanwhile.
func (h *LedgerHistory) spent(now time.Time, address string, is fleet.Amount) (fleet.Amount, time.Duration) {
	series := h.series(now, is, func(s fleet.ChainSample) (a fleet.Amount, ok bool) { a, ok = s.Gas[address]; return a, ok })
	var sum fleet.Amount
	for i := 1; i < len(series); i++ {
		sum = sum.Plus(series[i-1].Value.Minus(series[i].Value))
	}
	return daily(sum, now.Sub(series[0].At))
}
