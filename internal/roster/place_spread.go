package roster

import (
	"cmp"
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
	if p.poolNamed(e.Name) {
		clash = e.Name
	}
	id := fmt.Sprintf("%d %t %q %q", *e.PID, small, p.wanted(e), clash)
	g := groups[id]
	if g == nil {
		g = &group{pid: *e.PID, at: -1}
		g.may, g.why = p.candidates(e)
		groups[id] = g
		p.groups = append(p.groups, g)
	}
	g.entries = append(g.entries, i)
}

// poolNamed reports whether a v3 bridge has a pool of this name: v3 keeps the names of both in one table.
func (p *placer) poolNamed(name string) bool {
	return slices.ContainsFunc(p.bridges, func(b Bridge) bool { return b.hasPoolNamed(name) })
}

func (b Bridge) hasPoolNamed(name string) bool {
	return b.Version == "v3" && slices.ContainsFunc(b.Pools, func(pool fleet.Pool) bool { return pool.Name == name })
}

func (b Bridge) knows(pid uint64) bool {
	return slices.ContainsFunc(b.Pools, func(pool fleet.Pool) bool { return pool.PID == pid })
}

func (p *placer) find(bridge string) int {
	return slices.IndexFunc(p.bridges, func(b Bridge) bool { return b.Name == bridge })
}

// candidates are the bridges that may take an entry, those that have workers of its pool first, then those that know the
// pool, then the emptiest; with none, the reason.
func (p *placer) candidates(e *Entry) (may []int, why fleet.Reason) {
	wanted := p.wanted(e)
	why = fleet.Because("roster.no_bridges")
	if wanted != "" {
		why = fleet.Because("roster.no_such_bridge", "bridge", wanted)
	}
	for i, b := range p.bridges {
		if wanted != "" && b.Name != wanted || wanted == "" && p.o.Site != "" && b.Site != p.o.Site {
			continue
		}
		if no := p.unfit(b, e); !no.IsZero() {
			if len(may) == 0 {
				why = no
			}
			continue
		}
		may = append(may, i)
	}
	own := make([]int, len(p.bridges))
	for i, b := range p.bridges {
		for _, w := range b.Workers {
			if w.PID == *e.PID {
				own[i]++
			}
		}
	}
	slices.SortFunc(may, func(a, b int) int {
		knows := map[bool]int{true: 0, false: 1}
		return cmp.Or(compare(own[b], own[a]), compare(knows[p.bridges[a].knows(*e.PID)], knows[p.bridges[b].knows(*e.PID)]),
			compare(p.room[b], p.room[a]), compare(a, b))
	})
	return may, why
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

// whole puts every group that fits somewhere into one bridge.
func (p *placer) whole() {
	for _, g := range p.groups {
		if at := p.fits(g); at >= 0 {
			p.put(g, at)
		}
	}
}

// fits is the bridge for a whole group, -1 when none has room for it.
func (p *placer) fits(g *group) int {
	for _, i := range g.may {
		if p.room[i] >= len(g.entries) {
			return i
		}
	}
	return -1
}

func (p *placer) put(g *group, at int) {
	g.at = at
	p.room[at] -= len(g.entries)
	for _, i := range g.entries {
		p.placed[i].Fate, p.placed[i].Bridge = Add, p.bridges[at].Name
	}
}

// parts fills what is left of the bridges with the groups that fit nowhere whole, the roomiest bridge first.
func (p *placer) parts() {
	for _, g := range p.groups {
		if g.at >= 0 {
			continue
		}
		rest := g.entries
		may := slices.SortedStableFunc(slices.Values(g.may), func(a, b int) int { return compare(p.room[b], p.room[a]) })
		for _, at := range may {
			n := min(len(rest), p.room[at])
			for _, i := range rest[:n] {
				p.placed[i].Fate, p.placed[i].Bridge = Add, p.bridges[at].Name
			}
			p.room[at] -= n
			rest = rest[n:]
		}
		for _, i := range rest {
			p.placed[i].refuse("", p.full(g, &p.placed[i].Entry))
		}
	}
}

// full says why nobody has room for an entry.
func (p *placer) full(g *group, e *Entry) fleet.Reason {
	switch {
	case len(g.may) == 0:
		return g.why
	case len(g.may) == 1:
		return fleet.Because("roster.full", "bridge", p.bridges[g.may[0]].Name)
	}
	return fleet.Because("roster.all_full", "pid", *e.PID, "count", len(g.may))
}
