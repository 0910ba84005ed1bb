package phala

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"phalops/internal/substrate/scale"
)

// everyPool are the pools that were asked for, and those in which vaults of them have staked.
func (r *reader) everyPool() []*Pool {
	return slices.AppendSeq(slices.Collect(maps.Values(r.pools)), maps.Values(r.upstream))
}

// vaults reads what tells when a vault must give back its stake: the pools in which it has staked, its lock, and the runtime's
// longest wait, which runtimes below 1250 do not have.
func (r *reader) vaults(ctx context.Context) error {
	var all, upstream []uint64
	for _, p := range r.pools {
		if p.Kind != Vault {
			continue
		}
		all = append(all, p.ID)
		for _, pid := range p.Invests {
			if r.pools[pid] == nil && !slices.Contains(upstream, pid) {
				upstream = append(upstream, pid)
			}
		}
	}
	err := each(ctx, r, "PhalaBasePool", "Pools", true, upstream, byNumber, func(pid *uint64, v *rawPool2) {
		if p := v.pool(*pid); p != nil {
			r.upstream[*pid] = p
		}
	})
	if err != nil {
		return err
	}
	err = each(ctx, r, "PhalaVault", "VaultLocks", true, all, byNumber, func(pid *uint64, _ *struct{}) { r.pools[*pid].Locked = true })
	if err != nil {
		return err
	}
	c, err := r.md.Constant("PhalaVault", "VaultQueuePeriod")
	if errors.Is(err, scale.ErrUnknown) {
		return nil
	} else if err != nil {
		return err
	}
	read, err := scale.Bind[uint64](c.Type)
	if err != nil {
		return err
	}
	var wait uint64
	err = read(c.Value, &wait)
	r.patience = time.Duration(min(wait, 1<<32)) * time.Second
	return err
}

// settleVaults finds out when vaults must take their stake out of all pools, once the amounts of all queues are known.
func (r *reader) settleVaults() {
	for _, p := range r.upstream {
		p.settle(r.st.Now, r.st.Grace, r.st.Era)
	}
	for _, v := range r.st.Pools {
		if v.Kind != Vault {
			continue
		}
		var releasing sum
		for _, pid := range v.Invests {
			p := r.pools[pid]
			if p == nil {
				p = r.upstream[pid]
			}
			if p == nil {
				continue
			}
			for _, w := range p.Queue {
				if w.User == v.account {
					releasing.amount(w.Amount)
				}
			}
		}
		v.Releasing = releasing.total()
		v.settleVault(r.st.Now, r.st.Grace, r.patience)
	}
}

// settleVault is when anybody may make a vault take all its stake out of the pools (pallets/phala/src/compute/vault.rs,
// check_and_maybe_force_withdraw, and base_pool.rs, has_expired_withdrawal): when a withdrawal that free stake and what waits in the
// pools' queues do not cover is older than the grace period. Runtimes with a longest wait do it as well for the sake of one that has waited so
// long, or the first one for three grace periods; and not twice.
func (p *Pool) settleVault(now time.Time, grace, patience time.Duration) {
	covered := p.Free.Plus(p.Releasing)
	sooner := func(at time.Time) {
		if p.DueAt.IsZero() || at.Before(p.DueAt) {
			p.DueAt = at
		}
	}
	for i, w := range p.Queue {
		if patience > 0 {
			sooner(w.Start.Add(patience))
			if i == 0 {
				sooner(w.Start.Add(3 * grace))
			}
		}
		if w.Amount.Cmp(covered) > 0 {
			sooner(w.Start.Add(grace))
			break
		}
		covered = covered.Minus(w.Amount)
	}
	if p.Locked && patience > 0 {
		p.DueAt = time.Time{}
	}
	p.Due = !p.DueAt.IsZero() && now.After(p.DueAt)
}
