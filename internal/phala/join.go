package phala

import (
	"fmt"
	"math/big"
	"slices"
	"time"

	"phalops/internal/fleet"
)

// settle computes what follows from a pool's own numbers and its workers' sessions.
func (p *Pool) settle(now time.Time, grace time.Duration, era Era) {
	if era == V2 && p.Kind == StakePool {
		var cooling sum
		for _, s := range p.Sessions {
			if slices.Contains(p.Cooling, s.Worker.Key) {
				cooling.amount(s.Stake)
			}
		}
		p.Releasing = cooling.total()
	}
	if p.Kind == Vault {
		p.Used = p.Value.Minus(p.Free)
		p.OwnerReward = portion(p.OwnerShares, p.Value, p.Shares)
	}
	for i := range p.Queue {
		p.Queue[i].Amount = portion(p.Queue[i].Shares, p.Value, p.Shares)
	}
	if p.Kind == Vault {
		return // see settleVault: what comes free for it is in the queues of other pools
	}
	covered := p.Free.Plus(p.Releasing)
	for _, w := range p.Queue {
		if w.Amount.Cmp(covered) > 0 {
			p.DueAt = w.Start.Add(grace)
			p.Due = now.After(p.DueAt)
			return
		}
		covered = covered.Minus(w.Amount)
	}
}

// Deadline is when a withdrawal may stop the workers of its pool.
func (w Withdrawal) Deadline(grace time.Duration) time.Time { return w.Start.Add(grace) }

// pending is what a staker has earned since it was last settled: shares times what one share has earned since the pool began,
// less what came before (pallets/phala/src/stakepool.rs, pool_settle_pending).
func (s *Staker) pending(perShare Fixed) fleet.Amount {
	var earned sum
	earned.times(s.Shares, perShare)
	return earned.less(s.Debt)
}

func littleEndian(b []byte) (a fleet.Amount) {
	b = slices.Clone(b)
	slices.Reverse(b)
	return amount(new(big.Int).SetBytes(b))
}

// check compares what was derived with what the chain says.
func (r *reader) check() {
	bindings, assignments := Check{What: "bindings"}, Check{What: "assignments"}
	for _, s := range r.st.Sessions {
		if s.Pool != nil || s.Bound {
			bindings.see(s.Pool != nil && s.Bound && s.bound == s.Worker.Key, func() string { return fmt.Sprintf("0x%x", s.Account) })
		}
		if s.Pool != nil && r.st.Whole {
			pid, known := r.assigned[s.Worker.Key]
			assignments.see(known && pid == s.Pool.ID, s.Worker.Key.String)
		}
	}
	r.st.Checks = append(r.st.Checks, bindings)
	if r.st.Whole {
		r.st.Checks = append(r.st.Checks, assignments)
	}
	if r.st.Era == V1 {
		return
	}
	accounts, values := Check{What: "pool accounts"}, Check{What: "pool values"}
	for _, p := range r.st.Pools {
		pid := func() string { return fmt.Sprint(p.ID) }
		ours := p.account == PoolAccount(p.ID, p.Owner)
		if p.Kind == StakePool {
			ours = ours && p.reward == RewardAccount(p.ID, p.Owner) && p.locked == LockAccount(p.ID, p.Owner)
			values.see(p.Value == p.Free.Plus(p.Used), pid)
		}
		accounts.see(ours, pid)
	}
	r.st.Checks = append(r.st.Checks, accounts, values)
}
