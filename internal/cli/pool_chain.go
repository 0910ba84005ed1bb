package cli

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"phalops/internal/fleet"
	"phalops/internal/phala"
)

// ownPool is a pool of ours: what the chain says of it, and our bridges.
type ownPool struct {
	network string
	pid     uint64
	chain   *fleet.ChainPool // nil: the chain was not read, or has none
	at      []fleet.Pool
	sites   []string // that name it, or whose bridges have it
}

func (p ownPool) ref() fleet.Ref { return fleet.StakePoolRef(p.network, p.pid) }

func (p ownPool) bridges() (names []string) {
	for _, at := range p.at {
		names = append(names, at.BridgeRef.Name())
	}
	return names
}

// ownPools are the pools that the configuration names, a bridge of ours has, or a worker of ours is in.
func (s *session) ownPools(now snapshot) []ownPool {
	var out []ownPool
	find := func(network string, pid uint64) *ownPool {
		at := slices.IndexFunc(out, func(p ownPool) bool { return p.network == network && p.pid == pid })
		if at < 0 {
			at = len(out)
			out = append(out, ownPool{network: network, pid: pid})
		}
		return &out[at]
	}
	network := map[string]string{}
	for _, site := range s.core.Config().Sites {
		network[site.Name] = site.Network
		for _, p := range site.Pools {
			own := find(site.Network, p.PID)
			own.sites = append(own.sites, site.Name)
		}
	}
	for i := range now.Chains {
		for j := range now.Chains[i].Pools {
			p := &now.Chains[i].Pools[j]
			find(now.Chains[i].Ref.Name(), p.PID).chain = p
		}
	}
	for _, b := range now.Bridges {
		for _, p := range b.Pools {
			own := find(network[b.Site], p.PID)
			p.BridgeRef = b.Ref
			p.Workers = workersIn(b, p.PID)
			own.at, own.sites = append(own.at, p), append(own.sites, b.Site)
		}
	}
	slices.SortFunc(out, func(a, b ownPool) int { return cmp.Or(cmp.Compare(a.network, b.network), cmp.Compare(a.pid, b.pid)) })
	return out
}

func workersIn(b fleet.BridgeStatus, pid uint64) (n int) {
	for i := range b.Workers {
		if b.Workers[i].PID == pid {
			n++
		}
	}
	return n
}

func (s *session) ownPoolGrid(now snapshot, pools []ownPool) grid {
	g := grid{
		head: []string{
			"col.pool", "col.network", "col.condition", "col.workers", "col.idle", "col.unresponsive", "col.cooling_down", "col.gas", "col.operator_gas", "col.commission",
			"col.value_total", "col.used", "col.free", "col.releasing", "col.cap", "col.remaining", "col.owner_reward", "col.reward", "col.daily", "col.queued", "col.deadline",
			"col.force_stop", "col.bridges", "col.owner",
		},
		spare: []string{
			"col.reward", "col.cap", "col.used", "col.releasing", "col.network", "col.cooling_down", "col.commission", "col.remaining", "col.owner_reward", "col.owner",
			"col.operator_gas", "col.value_total", "col.deadline", "col.condition", "col.idle", "col.queued", "col.daily",
		},
	}
	for _, p := range pools {
		g.add(s.ownPoolCells(p, now.Decisions[p.ref()])...)
	}
	return g
}

func (s *session) ownPoolCells(p ownPool, d fleet.Decision) []string {
	bridges := p.bridges()
	condition := ""
	if d.Condition != "" {
		condition = s.conditionOf(p.ref(), d.Condition)
	}
	cells := []string{strconv.FormatUint(p.pid, 10), p.network, condition}
	if p.chain == nil {
		return append(append(cells, slices.Repeat([]string{s.none()}, 19)...), strings.Join(bridges, " "), s.none())
	}
	v := s.words().StakePool(p.network, p.pid, p.chain, p.at, d)
	limit, room := s.none(), s.none()
	if p.chain.Kind == string(phala.StakePool) && !s.csv() {
		limit, room = "∞", "∞"
	}
	if v.Cap != nil {
		limit, room = s.short(*v.Cap), s.short(*v.Remaining)
	}
	workers := 0
	for _, n := range v.States {
		workers += n
	}
	in := func(state phala.SessionState) string { return strconv.Itoa(v.States[string(state)]) }
	return append(cells, strconv.Itoa(workers), in(phala.Idle), in(phala.Unresponsive), in(phala.CoolingDown), s.short(v.OwnerGas), s.operatorGas(p.chain),
		s.short(v.Commission), s.short(v.Value), s.short(v.Used), s.short(v.Free), s.short(v.Releasing), limit, room, s.short(v.OwnerReward), s.short(v.Reward),
		s.daily(p.chain.Daily, p.chain.DailyFor), s.short(v.Queued), s.when(firstDeadline(p.chain)), s.stop(p.chain), strings.Join(bridges, " "), v.Owner)
}

// operatorGas is what the poorest of those who sign for a pool besides its owner has for fees.
func (s *session) operatorGas(p *fleet.ChainPool) string {
	if len(p.Operators) == 0 {
		return s.none()
	}
	least := slices.MinFunc(p.Operators, func(a, b fleet.GasAccount) int { return a.Free.Cmp(b.Free) })
	return s.short(least.Free.PHA())
}

func firstDeadline(p *fleet.ChainPool) (first time.Time) {
	for _, q := range p.Queue {
		if first.IsZero() || q.Ends.Before(first) {
			first = q.Ends
		}
	}
	return first
}

// stop is when all of a pool's workers will be stopped for its withdrawals, loudly.
func (s *session) stop(p *fleet.ChainPool) string {
	switch {
	case p.Due && !s.csv():
		return s.paint(red, s.say("cli.stop_due"))
	case p.Due:
		return s.when(p.DueAt)
	}
	return s.paint(yellow, s.when(p.DueAt))
}

// queueGrid has a row for every withdrawal that waits in a pool of ours.
func (s *session) queueGrid(pools []ownPool) grid {
	g := grid{head: []string{"col.pool", "col.network", "col.withdrawal", "col.began", "col.deadline", "col.force_stop", "col.staker"}, spare: []string{"col.network", "col.began"}}
	for _, p := range pools {
		if p.chain == nil {
			continue
		}
		for _, q := range p.chain.Queue {
			g.add(strconv.FormatUint(p.pid, 10), p.network, s.short(q.Amount.PHA()), s.when(q.Start), s.when(q.Ends), s.stop(p.chain), q.User)
		}
	}
	return g
}
