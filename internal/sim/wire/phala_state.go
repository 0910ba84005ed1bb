package wire

import (
	"bytes"
	"slices"

	"phalops/internal/sim/world"
)

// keptStates is how many states of chains are kept, so that all pages of a reader are of one state.
const keptStates = 12

// stateID names a state.
type stateID struct {
	chain  *world.Chain
	height int64
}

// states keeps what chains stored after the blocks that somebody asked about lately. The Face's lock guards it.
type states struct {
	kept   []*state // the one used last at the end
	crowds map[*world.Network]*crowd
}

// state is what a chain stores after one block.
type state struct {
	id    stateID
	own   []item // in key order
	crowd *crowd // nil: there is none
	phala *world.ChainState
	pools map[int]world.ChainPool // of the crowd, those asked for so far
}

// of gives the state of a block, made anew when it is asked for first.
func (a *states) of(id stateID, make func() *state) *state {
	if i := slices.IndexFunc(a.kept, func(s *state) bool { return s.id == id }); i >= 0 {
		s := a.kept[i]
		a.kept = append(slices.Delete(a.kept, i, i+1), s)
		return s
	}
	if len(a.kept) == keptStates {
		a.kept = slices.Delete(a.kept, 0, 1)
	}
	s := make()
	s.id = id
	a.kept = append(a.kept, s)
	return s
}

// crowdOf gives the crowd of a network, nil for none.
func (a *states) crowdOf(p *world.ChainState) *crowd {
	if p.Network.Crowd == 0 {
		return nil
	}
	c := a.crowds[p.Network]
	if c == nil || c.era != p.Network.Era {
		c = newCrowd(p)
		if a.crowds == nil {
			a.crowds = map[*world.Network]*crowd{}
		}
		a.crowds[p.Network] = c
	}
	return c
}

// crowd is the keys of all maps that have something of the crowd. They stay: only values change with the blocks.
type crowd struct {
	era    world.Era
	maps   []crowdMap
	queued []uint64 // pools with a withdraw queue
}

type crowdMap struct {
	prefix []byte
	keys   []crowdKey // in order
	value  func(s *state, n int32) []byte
}

type crowdKey struct {
	suffix []byte
	n      int32 // of the worker, or that of the pool and of the entry
}

// entriesPerPool is more than any map has for one pool.
const entriesPerPool = 8

func newCrowd(p *world.ChainState) *crowd {
	c := &crowd{era: p.Network.Era}
	workers, pools := workerMaps(c.era), poolMaps(c.era)
	if c.era == world.EraV2 {
		pools = append(pools, poolMap{"PhalaWrappedBalances", "StakerAccounts", crowdStakes(c.era)})
	} else {
		pools = append(pools, poolMap{"PhalaStakePool", "StakeLedger", crowdStakes(c.era)})
	}
	c.maps = make([]crowdMap, len(workers)+len(pools))
	for i, m := range workers {
		c.maps[i] = crowdMap{prefix: storagePrefix(m.pallet, m.item), value: func(s *state, n int32) []byte {
			w := s.phala.CrowdWorker(int(n))
			return encoded(func(to *scale) { m.value(to, &w) })
		}}
	}
	for i, m := range pools {
		c.maps[len(workers)+i] = crowdMap{prefix: storagePrefix(m.pallet, m.item), value: func(s *state, n int32) []byte {
			pool := s.pool(int(n / entriesPerPool))
			return m.entries(&pool)[n%entriesPerPool].value
		}}
	}
	add := func(i int, suffix []byte, n int) {
		if suffix != nil {
			c.maps[i].keys = append(c.maps[i].keys, crowdKey{suffix, int32(n)})
		}
	}
	for n := range p.Network.Crowd {
		w := p.CrowdWorker(n)
		for i, m := range workers {
			add(i, m.key(&w), n)
		}
	}
	for n := range p.CrowdPools() {
		pool := p.CrowdPool(n)
		if len(pool.Queue) > 0 {
			c.queued = append(c.queued, pool.PID)
		}
		for i, m := range pools {
			for k, it := range m.entries(&pool) {
				add(len(workers)+i, it.key, n*entriesPerPool+k)
			}
		}
	}
	for _, m := range c.maps {
		slices.SortFunc(m.keys, func(a, b crowdKey) int { return bytes.Compare(a.suffix, b.suffix) })
	}
	return c
}

// crowdStakes is what everybody has who has shares of a pool of the crowd: they have no others.
func crowdStakes(era world.Era) func(*world.ChainPool) []item {
	return func(p *world.ChainPool) (all []item) {
		for _, x := range world.StakesOf([]world.ChainPool{*p}) {
			all = append(all, stakesItem(era, x))
		}
		return all
	}
}

// stakesItem is all that somebody has staked: v1's ledger has the sum, v2's account the pools too.
func stakesItem(era world.Era, x world.Stakes) item {
	return item{twox64Concat(x.User[:]), encoded(func(s *scale) {
		if era == world.EraV2 {
			list(s, x.Pools, func(pid uint64) {
				s.u64(pid)
				s.u32(uint32(pid) + 1)
			})
		}
		s.u128(x.Locked)
	})}
}

func (s *state) pool(n int) world.ChainPool {
	p, known := s.pools[n]
	if !known {
		p = s.phala.CrowdPool(n)
		s.pools[n] = p
	}
	return p
}

// get finds a value.
func (s *state) get(key []byte) (value []byte, ok bool) {
	if i, ok := slices.BinarySearchFunc(s.own, key, func(it item, key []byte) int { return bytes.Compare(it.key, key) }); ok {
		return s.own[i].value, true
	}
	if s.crowd == nil {
		return nil, false
	}
	for _, m := range s.crowd.maps {
		suffix, ours := bytes.CutPrefix(key, m.prefix)
		if !ours {
			continue
		}
		i, ok := slices.BinarySearchFunc(m.keys, suffix, func(k crowdKey, key []byte) int { return bytes.Compare(k.suffix, key) })
		if !ok {
			return nil, false
		}
		return m.value(s, m.keys[i].n), true
	}
	return nil, false
}

// hexOrNull is a value on the wire; what is absent is null.
func (s *state) hexOrNull(key []byte) any {
	if value, ok := s.get(key); ok {
		return hexOf(value)
	}
	return nil
}

// page is the first so many keys that begin with prefix and come after start (nil: from the first).
func (s *state) page(prefix, start []byte, count int) []string {
	found := [][]byte{}
	i, _ := slices.BinarySearchFunc(s.own, prefix, func(it item, key []byte) int { return bytes.Compare(it.key, key) })
	for _, it := range s.own[i:] {
		if len(found) == count || !bytes.HasPrefix(it.key, prefix) {
			break
		}
		if start == nil || bytes.Compare(it.key, start) > 0 {
			found = append(found, it.key)
		}
	}
	if s.crowd != nil {
		for _, m := range s.crowd.maps {
			found = m.page(found, prefix, start, count)
		}
	}
	slices.SortFunc(found, bytes.Compare)
	found = slices.CompactFunc(found, bytes.Equal) // the fleet's own pools hide the crowd's of the same number
	keys := []string{}
	for _, key := range found[:min(count, len(found))] {
		keys = append(keys, hexOf(key))
	}
	return keys
}

func (m crowdMap) page(found [][]byte, prefix, start []byte, count int) [][]byte {
	begins, inside := bytes.CutPrefix(prefix, m.prefix) // what the suffixes begin with
	if !inside && !bytes.HasPrefix(m.prefix, prefix) {
		return found
	}
	from := begins
	if !inside {
		from = nil
		begins = nil
	}
	if start != nil {
		after, here := bytes.CutPrefix(start, m.prefix)
		switch {
		case here && bytes.Compare(after, from) > 0:
			from = after
		case !here && bytes.Compare(start, m.prefix) > 0:
			return found
		}
	}
	i, _ := slices.BinarySearchFunc(m.keys, from, func(k crowdKey, key []byte) int { return bytes.Compare(k.suffix, key) })
	for n := 0; i < len(m.keys) && n < count; i++ {
		if !bytes.HasPrefix(m.keys[i].suffix, begins) {
			break
		}
		key := slices.Concat(m.prefix, m.keys[i].suffix)
		if start != nil && bytes.Compare(key, start) <= 0 {
			continue
		}
		found = append(found, key)
		n++
	}
	return found
}
