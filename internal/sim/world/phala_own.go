package world

import (
	"cmp"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// ChainState is what Phala's pallets store after one block. The crowd's part of it is computed when it is asked for.
type ChainState struct {
	Network *Network
	Height  int64
	At      time.Time
	Pools   []ChainPool // of the bridges and machines here, in the order of their numbers
	Vaults  []ChainVault
	Workers []ChainWorker // of the bridges and machines here
}

// Phala is the chain's state after block h. It is the present for the newest blocks. For older ones the world knows when
// workers were unresponsive, but takes pools and bindings as they are now.
func (w *World) Phala(n *Network, h int64) *ChainState {
	s := &ChainState{Network: n, Height: h, At: n.Para.Made(h)}
	owners, runtimes := w.inventories(n)
	for _, r := range runtimes {
		s.Workers = append(s.Workers, r.rt.onChain(r.pid, owners[r.pid], s.At))
	}
	for _, pid := range slices.Sorted(maps.Keys(owners)) {
		var members []*ChainWorker
		for i := range s.Workers {
			if m := s.Workers[i].Mined; m != nil && m.PID == pid && m.Bound {
				members = append(members, &s.Workers[i])
			}
		}
		p := ChainPool{PID: pid, Owner: owners[pid]}
		p.fill(n.Era, members, n.born, s.At)
		if a, known := n.Para.accounts[p.Owner]; known {
			p.Gas = a.Free
		}
		s.Pools = append(s.Pools, p)
	}
	if n.Era == EraV2 && len(s.Pools) > 0 {
		s.Vaults = s.vaults()
	}
	return s
}

type placed struct {
	pid uint64
	rt  *Pruntime
}

// inventories are the pools and workers that the bridges of a network have. A worker that several of them have is on chain once.
func (w *World) inventories(n *Network) (owners map[uint64]AccountID, all []placed) {
	owners = map[uint64]AccountID{}
	seen := map[*Pruntime]bool{}
	add := func(pid uint64, endpoint string) {
		rt := w.parts.pruntimes[strings.TrimSuffix(endpoint, "/")]
		if rt == nil || seen[rt] || rt.network != n {
			return
		}
		seen[rt] = true
		all = append(all, placed{pid, rt})
		if _, known := owners[pid]; !known {
			owners[pid] = operator(fmt.Sprintf("sim operator %d", pid))
		}
	}
	for _, b := range w.Bridges() {
		for _, p := range b.pools {
			owners[p.PID] = operator(p.Seed)
		}
		for _, r := range b.workers {
			add(r.PID, r.Endpoint)
		}
	}
	for _, b := range w.V0Bridges() {
		for _, p := range b.Pools() {
			owners[p.PID] = p.Owner.account()
		}
		for _, r := range b.Workers() {
			add(r.PID, r.Endpoint)
		}
	}
	for _, b := range w.V3Bridges() {
		for _, o := range b.operators {
			owners[o.PID] = operator(o.Seed)
		}
		for _, r := range b.rows {
			add(r.PID, r.Endpoint)
		}
	}
	for _, p := range w.Pherries() {
		add(soloPool, p.Pruntime)
	}
	return owners, all
}

// soloPool is the pool of the machines that mine alone.
const soloPool = 95

// account is the public half of the key that v0 keeps.
func (o V0Owner) account() AccountID {
	var k v0Keystore
	_ = json.Unmarshal([]byte(o.Keystore), &k) // its own
	account := AccountID(operator(k.Encoded))
	if raw, err := base64.StdEncoding.DecodeString(k.Encoded); err == nil && len(raw) >= len(account) {
		copy(account[:], raw[len(raw)-len(account):])
	}
	return account
}

// key is the public key as bytes.
func (p *Pruntime) key() (key [32]byte) {
	_, _ = hex.Decode(key[:], []byte(p.PublicKey)) // its own
	return key
}

// onChain is what the chain stores of it. A worker that is not registered has no operator and no version: Registered is zero but
// for the key.
func (p *Pruntime) onChain(pid uint64, owner AccountID, at time.Time) ChainWorker {
	w := ChainWorker{Registered: Registered{PublicKey: p.key()}}
	if p.unregistered || p.manner == MannerUnregistered {
		return w
	}
	days := int64(p.power % 50)
	w.Registered = Registered{PublicKey: w.PublicKey, Operator: owner, RuntimeVersion: 2_000_001, LastUpdated: p.born.Add(-time.Duration(days+30) * 24 * time.Hour),
		AddedAt: max(1, p.network.Para.base-(days+30)*7200), Confidence: 1, Score: uint32(p.power), Features: []uint32{8, 2}}
	if p.unbound && !p.left || p.manner == MannerUnbound {
		return w
	}
	m := &Mined{Session: p.sessionAt(at), Account: SessionAccount(pid, w.PublicKey), PID: pid, Bound: true, Stake: p.stake}
	switch p.manner {
	case MannerCoolsDown:
		m.State, m.CoolDownStart = "WorkerCoolingDown", p.mannerSince
	case MannerStays, MannerCannotStart:
		m.State = "Ready"
	case MannerPoolless:
		m.State, m.Bound = "Ready", false
	case MannerUnresponsive:
		m.State = "WorkerUnresponsive"
	}
	if p.left {
		m.State, m.Bound = "Ready", false
	}
	if m.State == "Ready" {
		m.Stake = 0
	}
	w.Mined = m
	return w
}

// IsRegistered reports whether the registry has it.
func (r Registered) IsRegistered() bool { return r.AddedAt != 0 }

// vaults are two that invest in the pools here: one of the first pool's owner, one of a stranger.
func (s *ChainState) vaults() []ChainVault {
	first := s.PoolCount() - 2
	all := []ChainVault{
		{PID: first, Owner: s.Pools[0].Owner, Commission: 100_000, OwnerShares: 25 * PHA, Invested: []uint64{s.Pools[0].PID}},
		{PID: first + 1, Owner: person(first+1, 0), Commission: 0, Invested: []uint64{s.Pools[len(s.Pools)-1].PID}},
	}
	for i := range all {
		v := &all[i]
		p := &s.Pools[slices.IndexFunc(s.Pools, func(p ChainPool) bool { return p.PID == v.Invested[0] })]
		p.Stakers[i+1].User = v.Account() // two of the four that every pool has
		v.Value = p.Stakers[i+1].Locked
		p.Vaults = append(p.Vaults, v.PID)
		v.Shares, v.Checkpoint = share(v.Value, 100, 103), PHA*102/100
	}
	return all
}

// PoolCount is one more than the greatest number of a pool.
func (s *ChainState) PoolCount() uint64 {
	var next uint64
	for _, p := range s.Pools {
		next = max(next, p.PID+1)
	}
	if n := s.CrowdPools(); n > 0 {
		next = max(next, s.CrowdPID(n-1)+1)
	}
	if s.Network.Era == EraV2 && len(s.Pools) > 0 {
		next += 2
	}
	return next
}

// Stakes are all shares of one account, its pools in the order of their numbers.
type Stakes struct {
	User   AccountID
	Pools  []uint64
	Locked uint64
}

// StakesOf adds up what the stakers of some pools have.
func StakesOf(pools []ChainPool) []Stakes {
	sums := map[AccountID]*Stakes{}
	for _, p := range pools {
		for _, x := range p.Stakers {
			if sums[x.User] == nil {
				sums[x.User] = &Stakes{User: x.User}
			}
			sum := sums[x.User]
			sum.Pools, sum.Locked = append(sum.Pools, p.PID), sum.Locked+x.Locked
		}
	}
	all := make([]Stakes, 0, len(sums))
	for _, s := range sums {
		all = append(all, *s)
	}
	slices.SortFunc(all, func(a, b Stakes) int { return cmp.Compare(string(a.User[:]), string(b.User[:])) })
	return all
}
