package wire

import (
	"cmp"
	"slices"
	"strings"

	"phalops/internal/sim/world"
)

// putPhala writes what Phala's pallets store of the fleet, and of the network as a whole.
func putPhala(p *world.ChainState, c *crowd, put func(pallet, name string, it item)) {
	era := p.Network.Era
	for _, m := range workerMaps(era) {
		for i := range p.Workers {
			if key := m.key(&p.Workers[i]); key != nil {
				put(m.pallet, m.item, item{key, encoded(func(s *scale) { m.value(s, &p.Workers[i]) })})
			}
		}
	}
	for _, m := range poolMaps(era) {
		for i := range p.Pools {
			for _, it := range m.entries(&p.Pools[i]) {
				put(m.pallet, m.item, it)
			}
		}
	}
	pallet, name := "PhalaWrappedBalances", "StakerAccounts"
	if era == world.EraV1 {
		pallet, name = "PhalaStakePool", "StakeLedger"
	}
	for _, x := range world.StakesOf(p.Pools) {
		put(pallet, name, stakesItem(era, x))
	}
	for _, v := range p.Vaults {
		put("PhalaBasePool", "Pools", item{twoxNumber(v.PID), encoded(func(s *scale) { s.vault(v) })})
		put("PhalaBasePool", "PoolCollections", item{twox64Concat(number32(v.Collection())), number64(v.PID)})
		put("Assets", "Account", wrapped(v.Account(), 0))
	}
	putPlain(p, func(pallet, name string, write func(*scale)) { put(pallet, name, item{nil, encoded(write)}) })
	if era == world.EraV1 {
		putQueues(p, c, put)
	}
}

// putPlain writes the values that are no maps.
func putPlain(p *world.ChainState, put func(pallet, name string, write func(*scale))) {
	relay := uint32(p.Network.Relay.Head(p.At))
	put("ParachainSystem", "LastRelayChainBlockNumber", func(s *scale) { s.u32(relay) })
	put("ParachainSystem", "ValidationData", func(s *scale) {
		s.bytes(blake2_256(number32(relay)))
		s.u32(relay)
		s.byte(rawHash(p.Network.Relay.Hash(int64(relay)))...)
		s.u32(5 << 20)
	})
	put("PhalaRegistry", "BenchmarkDuration", func(s *scale) { s.u32(50) })
	pallet, word, pools, enabled := "PhalaComputation", "Computing", "PhalaBasePool", "PhalaStakePoolv2.WorkingEnabled"
	online := "OnlineWorkers"
	if p.Network.Era == world.EraV1 {
		pallet, word, pools, enabled, online = "PhalaMining", "Mining", "PhalaStakePool", "PhalaStakePool.MiningEnabled", "OnlineMiners"
	} else {
		put(pallet, "HeartbeatPaused", func(s *scale) { s.byte(0) })
		put(pools, "CollectionIndex", func(s *scale) { s.u32(uint32(p.PoolCount() + 1)) })
	}
	put(pallet, "TokenomicParameters", func(s *scale) { s.tokenomics(world.TheTokenomics()) })
	put(pallet, online, func(s *scale) { s.u32(p.Online()) })
	put(pallet, "CoolDownPeriod", func(s *scale) { s.u64(coolDownSeconds) })
	put(pallet, "NextSessionId", func(s *scale) { s.u32(uint32(len(p.Workers) + p.Network.Crowd)) })
	put(pallet, word+"StartBlock", func(s *scale) { s.u32(computingStartBlock) })
	put(pallet, word+"HalvingInterval", func(s *scale) { s.u32(computingHalvingTime) })
	put(pools, "PoolCount", func(s *scale) { s.u64(p.PoolCount()) })
	of, flag, _ := strings.Cut(enabled, ".")
	put(of, flag, func(s *scale) { s.byte(1) })
}

// putQueues writes v1's index of the pools with a withdraw queue by when their entries began.
func putQueues(p *world.ChainState, c *crowd, put func(pallet, name string, it item)) {
	begun := map[uint64][]uint64{}
	for _, pool := range p.Pools {
		for _, q := range pool.Queue {
			t := uint64(q.Start.Unix())
			begun[t] = append(begun[t], pool.PID)
		}
	}
	if c != nil {
		for t := range begun { // every pool's queue began at the same two moments
			begun[t] = append(begun[t], c.queued...)
		}
	}
	var times []uint64
	for t, pids := range begun {
		slices.SortFunc(pids, cmp.Compare)
		times = append(times, t)
		put("PhalaStakePool", "WithdrawalQueuedPools", item{twoxNumber(t), encoded(func(s *scale) { list(s, pids, s.u64) })})
	}
	slices.Sort(times)
	put("PhalaStakePool", "WithdrawalTimestamps", item{nil, encoded(func(s *scale) { list(s, times, s.u64) })})
}
