package phala

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"phalops/internal/fleet"
	"phalops/internal/substrate/scale"
)

func (r *reader) readPools(ctx context.Context) error {
	if r.st.Era == V1 {
		return each(ctx, r, "PhalaStakePool", "StakePools", !r.want.whole(), r.want.Pools, byNumber, func(pid *uint64, v *rawPool1) { r.pools[*pid] = v.pool(*pid) })
	}
	return each(ctx, r, "PhalaBasePool", "Pools", !r.want.whole(), r.want.Pools, byNumber, func(pid *uint64, v *rawPool2) {
		if p := v.pool(*pid); p != nil {
			r.pools[*pid] = p
		}
	})
}

// rawPool1 is PoolInfo of the first era.
type rawPool1 struct {
	Owner            Account
	PayoutCommission scale.Option[uint32]
	OwnerReward      fleet.Amount
	Cap              scale.Option[fleet.Amount]
	RewardAcc        Fixed
	TotalShares      fleet.Amount
	TotalStake       fleet.Amount
	FreeStake        fleet.Amount
	ReleasingStake   fleet.Amount
	Workers          []Key
	WithdrawQueue    []struct {
		User      Account
		Shares    fleet.Amount
		StartTime uint64
	}
}

func (v *rawPool1) pool(pid uint64) *Pool {
	p := &Pool{
		ID: pid, Kind: StakePool, Owner: v.Owner, Commission: v.PayoutCommission.Value, Cap: capOf(v.Cap), Value: v.TotalStake, Shares: v.TotalShares,
		Free: v.FreeStake, Used: v.TotalStake.Minus(v.FreeStake), Releasing: v.ReleasingStake, OwnerReward: v.OwnerReward, PerShare: v.RewardAcc,
		Workers: slices.Clone(v.Workers),
	}
	for _, w := range v.WithdrawQueue {
		p.Queue = append(p.Queue, Withdrawal{User: w.User, Shares: w.Shares, Start: at(w.StartTime)})
	}
	return p
}

func capOf(o scale.Option[fleet.Amount]) *fleet.Amount {
	if !o.Some {
		return nil
	}
	limit := o.Value
	return &limit
}

// rawBase is what stake pools and vaults of the second era have in common.
type rawBase struct {
	Owner         Account
	TotalShares   fleet.Amount
	TotalValue    fleet.Amount
	WithdrawQueue []struct {
		User      Account
		StartTime uint64
		NftID     uint32 `scale:"nft_id"`
	}
	Cid           uint32
	PoolAccountID Account `scale:"pool_account_id"`
}

// rawPool2 is PoolProxy of the second era.
type rawPool2 struct {
	StakePool *struct {
		Basepool           rawBase
		PayoutCommission   scale.Option[uint32]
		Cap                scale.Option[fleet.Amount]
		Workers, CdWorkers []Key
		LockAccount        Account
		OwnerRewardAccount Account
	}
	Vault *struct {
		Basepool                 rawBase
		LastSharePriceCheckpoint fleet.Amount
		Commission               scale.Option[uint32]
		OwnerShares              fleet.Amount
		InvestPools              []uint64
	}
}

func (v *rawPool2) pool(pid uint64) *Pool {
	var p *Pool
	switch {
	case v.StakePool != nil:
		s := v.StakePool
		p = s.Basepool.pool(pid)
		p.Kind, p.Commission, p.Cap = StakePool, s.PayoutCommission.Value, capOf(s.Cap)
		p.Workers, p.Cooling, p.locked, p.reward = slices.Clone(s.Workers), slices.Clone(s.CdWorkers), s.LockAccount, s.OwnerRewardAccount
	case v.Vault != nil:
		vault := v.Vault
		p = vault.Basepool.pool(pid)
		p.Kind, p.Commission, p.Checkpoint, p.OwnerShares = Vault, vault.Commission.Value, vault.LastSharePriceCheckpoint, vault.OwnerShares
		p.Invests = slices.Clone(vault.InvestPools)
	}
	return p
}

func (v *rawBase) pool(pid uint64) *Pool {
	p := &Pool{ID: pid, Owner: v.Owner, Value: v.TotalValue, Shares: v.TotalShares, cid: v.Cid, account: v.PoolAccountID}
	for _, w := range v.WithdrawQueue {
		nft := w.NftID
		p.Queue = append(p.Queue, Withdrawal{User: w.User, Start: at(w.StartTime), NFT: &nft})
	}
	return p
}

// assets reads the balances of the pools' own accounts in W-PHA.
func (r *reader) assets(ctx context.Context) error {
	c, err := r.md.Constant("PhalaWrappedBalances", "WPhaAssetId")
	if err != nil {
		return err
	}
	read, err := scale.Bind[uint32](c.Type)
	if err != nil {
		return err
	}
	var asset uint32
	if err := read(c.Value, &asset); err != nil {
		return err
	}
	into := map[Account]*fleet.Amount{}
	for _, p := range r.pools {
		into[p.account] = &p.Free
		if p.Kind == StakePool {
			into[p.locked], into[p.reward] = &p.Used, &p.OwnerReward
		}
	}
	var accounts []Account
	for a := range into {
		accounts = append(accounts, a)
	}
	type account struct{ Balance fleet.Amount }
	return each(ctx, r, "Assets", "Account", true, accounts, func(a Account) []any { return []any{asset, a[:]} }, func(a *Account, v *account) { *into[*a] = v.Balance })
}

// queues reads the shares of the NFTs that wait in the queues.
func (r *reader) queues(ctx context.Context) error {
	waiting := map[nftID]*Withdrawal{}
	var nfts []nftID
	for _, p := range r.everyPool() {
		for i := range p.Queue {
			id := nftID{p.cid, *p.Queue[i].NFT}
			waiting[id] = &p.Queue[i]
			nfts = append(nfts, id)
		}
	}
	return r.stakeInfo(ctx, nfts, func(id nftID, shares fleet.Amount) { waiting[id].Shares = shares })
}

// stakeInfo visits the shares of NFTs.
func (r *reader) stakeInfo(ctx context.Context, nfts []nftID, visit func(nftID, fleet.Amount)) error {
	var bad error
	args := func(id nftID) []any { return []any{id[0], id[1], []byte("stake-info")} }
	err := each(ctx, r, "RmrkCore", "Properties", true, nfts, args, func(id *nftID, v *[]byte) {
		if len(*v) != 16 { // the shares, encoded once more
			bad = fmt.Errorf("RmrkCore.Properties %d %d: %w", id[0], id[1], scale.ErrInvalid)
			return
		}
		visit(*id, littleEndian(*v))
	})
	return cmp.Or(err, bad)
}

// claims reads what else can be claimed: by everybody, or by the owners of the pools.
func (r *reader) claims(ctx context.Context, everybody bool) error {
	type claim struct {
		User Account
		Pool uint64
	}
	var owners []claim
	if !everybody {
		for _, p := range r.pools {
			owners = append(owners, claim{p.Owner, p.ID})
		}
	}
	add := func(c *claim, v *fleet.Amount) { r.st.Claims = append(r.st.Claims, Claim{c.User, c.Pool, *v}) }
	args := func(c claim) []any { return []any{c.User[:], c.Pool} }
	if err := each(ctx, r, "PhalaStakePoolv2", "LegacyRewards", !everybody, owners, args, add); err != nil {
		return err
	}
	return each(ctx, r, "PhalaBasePool", "Reimbursements", !everybody, owners, args, add)
}
