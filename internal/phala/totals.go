package phala

import (
	"math/big"

	"phalops/internal/fleet"
)

// Totals are the sums of the network, or of a pool.
type Totals struct {
	Sessions   int // records on the chain, those of workers that left included
	Bound      int // of them, to a worker
	InPools    int // workers that pools hold
	Registered int // workers of the registry
	ByState    map[SessionState]int
	BoundBy    map[SessionState]int // ByState, but only the bound ones

	V, Ve           Fixed
	OnlineV         Fixed // of the idle and unresponsive ones
	OnlineVe        Fixed
	IdleV           Fixed // mean of the idle ones
	Shares          Fixed // of all idle sessions, by which the budget is divided
	PInit, PInstant uint64
	Reward          fleet.Amount // since each was added
	Stakes          int          // sessions with a stake
	Stake           fleet.Amount // of them
	LostStake       fleet.Amount // of sessions that no worker is bound to

	StakePools, Vaults                      int
	Working                                 int          // stake pools with workers
	Uncapped                                int          // stake pools without a cap
	Queues, Queued                          int          // pools with a queue, and entries
	Value, PoolShares, Free, Releasing, Owe fleet.Amount // of stake pools; what vaults hold is in there. Owe: unclaimed by owners
	QueueAmount                             fleet.Amount // of stake pools
	Claimable                               fleet.Amount

	Stakers                          int // the rest: first era
	Locked, Available, Debt, Pending fleet.Amount
}

// Totals adds up everything that was read.
func (s *State) Totals() Totals {
	t := sessionTotals(s.Sessions, !s.lean)
	for _, w := range s.Workers {
		if w.Registered {
			t.Registered++
		}
	}
	var value, shares, free, releasing, owe, queued, claimable sum
	for _, c := range s.Claims {
		claimable.amount(c.Amount)
	}
	for _, p := range s.Pools {
		if len(p.Queue) > 0 {
			t.Queues++
			t.Queued += len(p.Queue)
		}
		if p.Kind == Vault {
			t.Vaults++
			continue
		}
		t.StakePools++
		if len(p.Workers) > 0 {
			t.Working++
		}
		if p.Cap == nil {
			t.Uncapped++
		}
		value.amount(p.Value)
		shares.amount(p.Shares)
		free.amount(p.Free)
		releasing.amount(p.Releasing)
		owe.amount(p.OwnerReward)
		queued.amount(p.Queued())
	}
	t.Value, t.PoolShares, t.Free, t.Releasing = value.total(), shares.total(), free.total(), releasing.total()
	t.Owe, t.QueueAmount, t.Claimable = owe.total(), queued.total(), claimable.total()
	var locked, available, debt, pending sum
	for _, st := range s.Stakers {
		locked.amount(st.Locked)
		available.amount(st.Available)
		debt.amount(st.Debt)
		pending.amount(st.Pending)
	}
	t.Stakers = len(s.Stakers)
	t.Locked, t.Available, t.Debt, t.Pending = locked.total(), available.total(), debt.total(), pending.total()
	return t
}

// Totals adds up the sessions of a pool's workers; sums about pools and stakers stay empty.
func (p *Pool) Totals() Totals { return sessionTotals(p.Sessions, true) }

func sessionTotals(sessions []*Session, share bool) Totals {
	t := Totals{ByState: map[SessionState]int{}, BoundBy: map[SessionState]int{}}
	var v, ve, onlineV, onlineVe, idle, shares, reward, stake, lost sum
	for _, s := range sessions {
		if s.Recorded {
			t.Sessions++
			t.ByState[s.State]++
		}
		if s.Bound {
			t.Bound++
			t.BoundBy[s.State]++
		}
		if s.Pool != nil {
			t.InPools++
		}
		v.fixed(s.V)
		ve.fixed(s.Ve)
		if s.State == Idle || s.State == Unresponsive {
			onlineV.fixed(s.V)
			onlineVe.fixed(s.Ve)
		}
		if s.State == Idle {
			idle.fixed(s.V)
			if share {
				shares.fixed(s.Share())
			}
		}
		t.PInit += uint64(s.PInit)
		t.PInstant += uint64(s.PInstant)
		reward.amount(s.Reward)
		stake.amount(s.Stake)
		if s.Staked {
			t.Stakes++
		}
		if !s.Bound {
			lost.amount(s.Stake)
		}
	}
	t.V, t.Ve, t.Shares, t.Reward, t.Stake, t.LostStake = v.bits(), ve.bits(), shares.bits(), reward.total(), stake.total(), lost.total()
	t.OnlineV, t.OnlineVe = onlineV.bits(), onlineVe.bits()
	if n := t.ByState[Idle]; n > 0 {
		mean := idle.big()
		t.IdleV = fixed(mean.Quo(mean, big.NewInt(int64(n))))
	}
	return t
}

// Share is what the budget is divided by: √(V² + (2·P·c)²).
func (s *Session) Share() Fixed {
	var level uint8
	if s.Worker != nil {
		level = s.Worker.Confidence
	}
	return share(s.V, s.PInstant, level)
}

// share is exact but for the root, which is cut off after 64 binary places.
func share(v Fixed, p uint32, confidence uint8) Fixed {
	n := v.Bits().Big()
	n.Mul(n, n) // 128 places
	pc := new(big.Int).SetUint64(2 * uint64(p))
	pc.Mul(pc, big.NewInt(confidenceTenths(confidence)))
	pc.Mul(pc, pc).Lsh(pc, 128)
	n.Add(n, pc.Quo(pc, big.NewInt(100)))
	return fixed(n.Sqrt(n))
}

// confidenceTenths are ten times the score of a level of confidence (crates/phactory/src/system/gk.rs, conf_score; worker that were
// registered without attestation have 128 and count in full).
func confidenceTenths(level uint8) int64 {
	switch level {
	case 4:
		return 8
	case 5:
		return 7
	default:
		return 10
	}
}
