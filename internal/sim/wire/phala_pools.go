package wire

import (
	"slices"

	"phalops/internal/sim/world"
)

func poolMaps(era world.Era) []poolMap {
	maps := []poolMap{{"System", "Account", func(p *world.ChainPool) []item {
		return []item{accountItem(p.Owner, world.Account{Nonce: uint32(p.PID), Free: p.Gas})}
	}}}
	base := "PhalaBasePool"
	if era == world.EraV1 {
		base = "PhalaStakePool"
		maps = append(maps, v1PoolMaps()...)
	} else {
		maps = append(maps, v2PoolMaps()...)
	}
	return append(maps,
		poolMap{base, "PoolContributionWhitelists", func(p *world.ChainPool) []item {
			if p.Whitelist == nil {
				return nil
			}
			return []item{{twoxNumber(p.PID), encoded(func(s *scale) {
				list(s, p.Whitelist, func(id world.AccountID) { s.byte(id[:]...) })
			})}}
		}},
		poolMap{base, "PoolDescriptions", func(p *world.ChainPool) []item {
			return []item{{twoxNumber(p.PID), encoded(func(s *scale) { s.text(p.Description) })}}
		}})
}

func (s *scale) commission(parts uint32) {
	if parts == 0 {
		s.byte(0)
		return
	}
	s.byte(1)
	s.u32(parts)
}

func (s *scale) perhaps(amount uint64) {
	if amount == 0 {
		s.byte(0)
		return
	}
	s.byte(1)
	s.u128(amount)
}

func (s *scale) keys(all [][32]byte) { list(s, all, func(k [32]byte) { s.byte(k[:]...) }) }

func v1PoolMaps() []poolMap {
	return []poolMap{
		{"PhalaStakePool", "StakePools", func(p *world.ChainPool) []item {
			return []item{{twoxNumber(p.PID), encoded(func(s *scale) { s.poolV1(p) })}}
		}},
		{"PhalaStakePool", "PoolStakers", func(p *world.ChainPool) (all []item) {
			for _, x := range p.Stakers {
				key := append(number64(p.PID), x.User[:]...)
				all = append(all, item{twox64Concat(key), encoded(func(s *scale) {
					s.byte(x.User[:]...)
					for _, n := range []uint64{x.Locked, x.Shares, x.Available, x.Debt} {
						s.u128(n)
					}
				})})
			}
			return all
		}},
	}
}

func (s *scale) poolV1(p *world.ChainPool) {
	s.u64(p.PID)
	s.byte(p.Owner[:]...)
	s.commission(p.Commission)
	s.u128(p.OwnerReward)
	s.perhaps(p.Cap)
	s.bits64(p.RewardAcc)
	for _, n := range []uint64{p.Shares, p.Total(), p.Free, p.Releasing} {
		s.u128(n)
	}
	s.keys(p.Workers)
	list(s, p.Queue, func(q world.Withdrawal) {
		s.byte(q.User[:]...)
		s.u128(q.Shares)
		s.unix(q.Start)
	})
}

func v2PoolMaps() []poolMap {
	return []poolMap{
		{"PhalaBasePool", "Pools", func(p *world.ChainPool) []item {
			return []item{{twoxNumber(p.PID), encoded(func(s *scale) { s.poolV2(p) })}}
		}},
		{"PhalaBasePool", "PoolCollections", func(p *world.ChainPool) []item {
			return []item{{twox64Concat(number32(p.Collection())), number64(p.PID)}}
		}},
		{"PhalaBasePool", "NextNftId", func(p *world.ChainPool) []item {
			return []item{{twox64Concat(number32(p.Collection())), number32(20)}}
		}},
		{"PhalaStakePoolv2", "LegacyRewards", func(p *world.ChainPool) []item {
			if p.Legacy == 0 {
				return nil
			}
			return []item{{twox64Concat(append(p.Owner[:], number64(p.PID)...)), number128(p.Legacy)}}
		}},
		{"Assets", "Account", func(p *world.ChainPool) []item {
			return []item{wrapped(p.Account(), p.Free), wrapped(p.Lock(), p.Used), wrapped(p.Reward(), p.OwnerReward)}
		}},
		{"RmrkCore", "Nfts", func(p *world.ChainPool) (all []item) {
			for _, n := range shareNFTs(p) {
				all = append(all, item{append(twox64Concat(number32(p.Collection())), twox64Concat(number32(n.id))...), encoded(func(s *scale) {
					s.byte(0) // owned by an account
					s.byte(n.owner[:]...)
					s.byte(0, 0, 0, 0, 1) // no royalty, no metadata, not equipped, not pending, transferable
				})})
			}
			return all
		}},
		{"RmrkCore", "Properties", func(p *world.ChainPool) (all []item) {
			for _, n := range shareNFTs(p) {
				all = append(all, stakeInfo(p.Collection(), n))
			}
			return all
		}},
	}
}

// wrapped is an account's balance of W-PHA.
func wrapped(id world.AccountID, amount uint64) item {
	return item{append(blake2_128Concat(number32(world.WPHA)), blake2_128Concat(id[:])...), encoded(func(s *scale) {
		s.u128(amount)
		s.byte(0, 1) // not frozen; Sufficient
	})}
}

// shareNFT is an NFT that stands for shares of a pool.
type shareNFT struct {
	id     uint32
	owner  world.AccountID
	shares uint64
}

// shareNFTs are one for each staker, with what he has not asked back, and one for each withdrawal that waits, which a pallet's account
// holds meanwhile. Who waits and has nothing else, has had his from the owner.
func shareNFTs(p *world.ChainPool) []shareNFT {
	all := make([]shareNFT, 0, len(p.Stakers)+len(p.Queue))
	for i, x := range p.Stakers {
		all = append(all, shareNFT{uint32(i), x.User, x.Shares})
	}
	var holder world.AccountID
	copy(holder[:], "basepool")
	for _, q := range p.Queue {
		if len(p.Stakers) > 0 {
			from := &all[max(0, slices.IndexFunc(p.Stakers, func(x world.Staker) bool { return x.User == q.User }))]
			from.shares -= min(from.shares, q.Shares)
		}
		all = append(all, shareNFT{q.NFT, holder, q.Shares})
	}
	return all
}

// stakeInfo is the property of an NFT that says of how many shares it is.
func stakeInfo(cid uint32, n shareNFT) item {
	var nft, name, value scale
	nft.byte(1)
	nft.u32(n.id)
	name.text("stake-info")
	value.bytes(number128(n.shares))
	return item{append(append(blake2_128Concat(number32(cid)), blake2_128Concat(nft)...), blake2_128Concat(name)...), value}
}

func (s *scale) basePool(pid uint64, owner world.AccountID, shares, value uint64, queue []world.Withdrawal, subscribers []uint64, cid uint32, account world.AccountID) {
	s.u64(pid)
	s.byte(owner[:]...)
	s.u128(shares)
	s.u128(value)
	list(s, queue, func(q world.Withdrawal) {
		s.byte(q.User[:]...)
		s.unix(q.Start)
		s.u32(q.NFT)
	})
	list(s, subscribers, s.u64)
	s.u32(cid)
	s.byte(account[:]...)
}

func (s *scale) poolV2(p *world.ChainPool) {
	s.byte(0) // StakePool
	s.basePool(p.PID, p.Owner, p.Shares, p.Total(), p.Queue, p.Vaults, p.Collection(), p.Account())
	s.commission(p.Commission)
	s.perhaps(p.Cap)
	s.keys(p.Workers)
	s.keys(p.CoolingDown)
	for _, id := range []world.AccountID{p.Lock(), p.Reward()} {
		s.byte(id[:]...)
	}
}

func (s *scale) vault(v world.ChainVault) {
	s.byte(1) // Vault
	s.basePool(v.PID, v.Owner, v.Shares, v.Value, nil, nil, v.Collection(), v.Account())
	s.u128(v.Checkpoint)
	s.commission(v.Commission)
	s.u128(v.OwnerShares)
	list(s, v.Invested, s.u64)
}
