package roster

import (
	"fmt"
	"slices"

	"phalops/internal/fleet"
)

// group finds or makes the group of an entry.
func (p *placer) group(groups map[string]*group, i int) {
	one := &p.placed[i]
	e := &one.Entry
	if e.PID == nil {
		one.refuse("", fleet.Because("roster.no_pool"))
		return
	}
	small := e.Stake != nil && StakeTooSmall("v0", *e.Stake, e.Enabled == nil || *e.Enabled)
	clash := ""
	if p.poolNames[e.Name] {
		clash = e.Name
	}
	id := fmt.Sprintf("%d %t %q %q", *e.PID, small, p.wanted(e), clash)
	g := groups[id]
	if g == nil {
		g = &group{pid: *e.PID, at: -1, own: p.standing(*e.PID)}
		g.may, g.why = p.candidates(e)
		groups[id] = g
		p.groups = append(p.groups, g)
	}
	g.entries = append(g.entries, i)
}

// hasPoolNamed reports whether a worker cannot have this name: v3 keeps the names of workers and pools in one table.
func (b Bridge) hasPoolNamed(name string) bool {
	return b.Version == "v3" && slices.ContainsFunc(b.Pools, func(pool fleet.Pool) bool { return pool.Name == name })
}

func (b Bridge) knows(pid uint64) bool {
	return slices.ContainsFunc(b.Pools, func(pool fleet.Pool) bool { return pool.PID == pid })
}

func (p *placer) find(bridge string) int {
	return slices.IndexFunc(p.bridges, func(b Bridge) bool { return b.Name == bridge })
}

// candidates are the bridges that may take an entry; with none, the reason.
func (p *placer) candidates(e *Entry) (may []int, why fleet.Reason) {
	wanted := p.wanted(e)
	why = fleet.Because("roster.no_bridges")
	if wanted != "" {
		why = fleet.Because("roster.no_such_bridge", "bridge", wanted)
	}
	told := false
	for i, b := range p.bridges {
		if wanted != "" && b.Name != wanted || wanted == "" && p.o.Site != "" && b.Site != p.o.Site {
			continue
		}
		no := p.unfit(b, e)
		if no.IsZero() {
			may = append(may, i)
		} else if !told || b.knows(*e.PID) { // what is wrong where the pool is says more than that it is not elsewhere
			why, told = no, true
		}
	}
	return may, why
}

// standing is twice the number of a pool's workers that each bridge has, and 1 where it only knows the pool. All groups of
// the pool share it.
func (p *placer) standing(pid uint64) []int {
	if known := p.own[pid]; known != nil {
		return known
	}
	out := make([]int, len(p.bridges))
	p.own[pid] = out
	for i, b := range p.bridges {
		for _, w := range b.Workers {
			if w.PID == pid {
				out[i] += 2
			}
		}
		if out[i] == 0 && b.knows(pid) {
			out[i] = 1
		}
	}
	return out
}

// unfit says why a bridge cannot take an entry even if it has room.
func (p *placer) unfit(b Bridge, e *Entry) fleet.Reason {
	switch {
	case !b.Closed.IsZero():
		return b.Closed
	case !p.o.NewPools && !b.knows(*e.PID):
		if p.wanted(e) != "" {
			return fleet.Because("roster.pool_not_at", "pid", *e.PID, "bridge", b.Name)
		}
		return fleet.Because("roster.pool_nowhere", "pid", *e.PID)
	case e.Stake != nil && StakeTooSmall(b.Version, *e.Stake, e.Enabled == nil || *e.Enabled):
		return fleet.Because("roster.small_stake", "stake", e.Stake.PHA(), "bridge", b.Name)
	case b.hasPoolNamed(e.Name):
		return fleet.Because("roster.name_of_pool", "name", e.Name, "bridge", b.Name)
	}
	return fleet.Reason{}
}
