package phala

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"phalops/internal/fleet"
	"phalops/internal/substrate"
	"phalops/internal/substrate/scale"
)

// ReadStakers takes out of one block who has staked in pools and vaults: those with the given numbers, or all. Of the State only
// what belongs to the whole chain, Pools (without sessions and gas) and Stakers by pool and account are filled. The chain's keys do
// not lead from a pool to its stakers: all are read, and those of other pools left out.
func ReadStakers(ctx context.Context, s *substrate.Snapshot, md *scale.Metadata, pools []uint64) (*State, error) {
	r, err := newReader(s, md, Want{Pools: pools})
	if err != nil {
		return nil, err
	}
	read := inTurn(together(r.globals, r.readPools), r.stakers)
	if r.st.Era == V2 {
		read = inTurn(together(r.globals, r.readPools), together(r.assets, inTurn(r.vaults, r.queues, r.shareholders)))
	}
	if err := read(ctx); err != nil {
		return nil, err
	}
	r.finishPools()
	r.finishStakers()
	return r.st, nil
}

// stakers reads who has staked in the pools of the first era. Their keys cannot be told by a pool alone.
func (r *reader) stakers(ctx context.Context) error {
	type key struct {
		Pool uint64
		User Account
	}
	type stake struct{ Locked, Shares, AvailableRewards, RewardDebt fleet.Amount }
	return each(ctx, r, "PhalaStakePool", "PoolStakers", false, nil, nil, func(k *key, v *stake) {
		if r.want.whole() || r.pools[k.Pool] != nil {
			r.st.Stakers = append(r.st.Stakers,
				Staker{Pool: k.Pool, User: k.User, Told: true, Locked: v.Locked, Shares: v.Shares, Available: v.AvailableRewards, Debt: v.RewardDebt})
		}
	})
}

// nftID names an NFT: its collection and number.
type nftID = [2]uint32

// holder is the account that owns the NFTs of withdrawals that wait: "basepool" and zeros.
var holder = Account([]byte("basepool\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"))

// shareholders reads who has staked in the pools of the second era: whoever says so in his account (StakerAccounts), owns an NFT of the
// pool's collection, or has a claim.
func (r *reader) shareholders(ctx context.Context) error {
	type place struct {
		pool uint64
		user Account
	}
	found := map[place]*Staker{}
	of := func(pool uint64, user Account) *Staker {
		s := found[place{pool, user}]
		if s == nil {
			s = &Staker{Pool: pool, User: user}
			found[place{pool, user}] = s
		}
		return s
	}
	type account struct {
		InvestPools []struct {
			Pool       uint64
			Collection uint32
		}
		Locked fleet.Amount
	}
	err := each(ctx, r, "PhalaWrappedBalances", "StakerAccounts", false, nil, nil, func(a *Account, v *account) {
		for _, p := range v.InvestPools {
			if r.pools[p.Pool] != nil {
				of(p.Pool, *a).Locked = v.Locked
			}
		}
	})
	if err != nil {
		return err
	}
	owners, err := r.owners(ctx)
	if err != nil {
		return err
	}
	pools, told := map[uint32]uint64{}, map[uint64]bool{}
	for _, p := range r.pools {
		pools[p.cid] = p.ID
	}
	var nfts []nftID
	for id, owner := range owners {
		told[pools[id[0]]] = true
		if owner != holder {
			nfts = append(nfts, id)
		}
	}
	err = r.stakeInfo(ctx, nfts, func(id nftID, shares fleet.Amount) {
		s := of(pools[id[0]], owners[id])
		s.Shares = s.Shares.Plus(shares)
	})
	if err != nil {
		return err
	}
	if err := r.claims(ctx, true); err != nil {
		return err
	}
	for _, c := range r.st.Claims {
		if r.pools[c.Pool] != nil {
			s := of(c.Pool, c.User)
			s.Claimable = s.Claimable.Plus(c.Amount)
		}
	}
	for _, p := range r.pools {
		for _, w := range p.Queue {
			of(p.ID, w.User)
		}
	}
	for _, s := range found {
		s.Told = told[s.Pool]
		r.st.Stakers = append(r.st.Stakers, *s)
	}
	return nil
}

// owners are those of all NFTs of the pools' collections. An NFT that belongs to another NFT is nobody's stake.
func (r *reader) owners(ctx context.Context) (map[nftID]Account, error) {
	type id struct{ Collection, Item uint32 }
	type nft struct{ Owner struct{ AccountId *Account } }
	owners := map[nftID]Account{}
	see := func(k *id, v *nft) {
		if v.Owner.AccountId != nil {
			owners[nftID{k.Collection, k.Item}] = *v.Owner.AccountId
		}
	}
	if r.want.whole() {
		ours := map[uint32]bool{}
		for _, p := range r.pools {
			ours[p.cid] = true
		}
		return owners, each(ctx, r, "RmrkCore", "Nfts", false, nil, nil, func(k *id, v *nft) {
			if ours[k.Collection] {
				see(k, v)
			}
		})
	}
	for _, p := range r.pools {
		if err := under(ctx, r, "RmrkCore", "Nfts", see, p.cid); err != nil {
			return nil, err
		}
	}
	return owners, nil
}

// under visits the entries of a map with several keys that begin with the given ones.
func under[K, V any](ctx context.Context, r *reader, pallet, item string, visit func(*K, *V), keys ...any) error {
	e, err := r.md.Entry(pallet, item)
	if errors.Is(err, scale.ErrUnknown) {
		return nil
	} else if err != nil {
		return err
	}
	readKey, err := scale.BindKeys[K](e)
	if err != nil {
		return err
	}
	read, err := scale.Bind[V](e.Value)
	if err != nil {
		return err
	}
	prefix, err := e.StorageKey(keys...)
	if err != nil {
		return err
	}
	var k K
	var v V
	return r.s.Pairs(ctx, prefix, func(p substrate.Pair) error {
		err := readKey(p.Key, &k)
		if err == nil {
			err = read(p.Value, &v)
		}
		if err != nil {
			return fmt.Errorf("%s.%s 0x%x: %w", pallet, item, p.Key, err)
		}
		r.mu.Lock()
		visit(&k, &v)
		r.mu.Unlock()
		return nil
	})
}

// finishStakers computes what follows from the pools' queues and prices, leaves out who has nothing any more, and puts the rest in order.
func (r *reader) finishStakers() {
	for i := range r.st.Stakers {
		s := &r.st.Stakers[i]
		p := r.pools[s.Pool]
		if p == nil {
			continue
		}
		s.Value = portion(s.Shares, p.Value, p.Shares)
		for _, w := range p.Queue {
			if w.User == s.User {
				s.Queued = s.Queued.Plus(w.Shares)
			}
		}
	}
	if r.st.Era == V2 {
		r.st.Stakers = slices.DeleteFunc(r.st.Stakers, func(s Staker) bool {
			return s.Told && s.Shares.IsZero() && s.Queued.IsZero() && s.Claimable.IsZero()
		})
	}
	slices.SortFunc(r.st.Stakers, func(a, b Staker) int {
		return cmp.Or(cmp.Compare(a.Pool, b.Pool), bytes.Compare(a.User[:], b.User[:]))
	})
}
