package roster

import (
	"cmp"
	"slices"

	"phalops/internal/fleet"
)

// patience bounds the search for a way to keep every pool together. A list of some dozens of pools needs a fraction of it.
const patience = 20_000

// together puts every group that fits somewhere into one bridge, if there is a way to do that for all of them; else for as
// many as a plain rule finds: the largest first, each where it leaves the least room.
func (p *placer) together() {
	var fit []*group
	for _, g := range p.groups {
		if slices.ContainsFunc(g.may, func(at int) bool { return p.room[at] >= len(g.entries) }) {
			fit = append(fit, g)
		}
	}
	left := patience + len(fit)
	if p.search(fit, &left) {
		for _, g := range fit {
			p.put(g.entries, g.at)
		}
		return
	}
	for _, g := range fit {
		if at := p.tightest(g.may, len(g.entries), g.own); at >= 0 {
			g.at = at
			p.take(g, at, len(g.entries))
			p.put(g.entries, at)
		}
	}
}

// search finds a bridge for each group, trying first where the pool is already, then where most room is, so that workers
// are spread. left counts the tries that may still be made. The rooms are taken when it is true, and as before when not.
func (p *placer) search(groups []*group, left *int) bool {
	if len(groups) == 0 {
		return true
	}
	g := groups[0]
	for _, at := range p.inOrder(g) {
		if p.room[at] < len(g.entries) {
			continue
		}
		if *left--; *left < 0 {
			return false
		}
		p.take(g, at, len(g.entries))
		if g.at = at; p.search(groups[1:], left) {
			return true
		}
		p.take(g, at, -len(g.entries))
		g.at = -1
	}
	return false
}

// take gives n places of a bridge to a group.
func (p *placer) take(g *group, at, n int) {
	p.room[at] -= n
	g.own[at] += 2 * n
}

func (p *placer) inOrder(g *group) []int {
	return slices.SortedFunc(slices.Values(g.may), func(a, b int) int {
		return cmp.Or(cmp.Compare(g.own[b], g.own[a]), cmp.Compare(p.room[b], p.room[a]), cmp.Compare(a, b))
	})
}

// tightest is the bridge that has room for n and the least left after it, one that has the pool already before all others;
// -1 when none has.
func (p *placer) tightest(may []int, n int, own []int) int {
	best := -1
	for _, at := range may {
		if p.room[at] >= n && (best < 0 || cmp.Or(cmp.Compare(own[best], own[at]), cmp.Compare(p.room[at], p.room[best])) < 0) {
			best = at
		}
	}
	return best
}

func (p *placer) put(entries []int, at int) {
	for _, i := range entries {
		p.placed[i].Fate, p.placed[i].Bridge = Add, p.bridges[at].Name
	}
}

// apart fills what is left of the bridges with the groups that fit nowhere whole: first the bridges that have workers of the
// pool already, then the roomiest ones, so that the pool comes to as few bridges as possible.
func (p *placer) apart() {
	for _, g := range p.groups {
		if g.at >= 0 {
			continue
		}
		rest := g.entries
		for len(rest) > 0 {
			at := p.next(g, len(rest))
			if at < 0 {
				break
			}
			n := min(len(rest), p.room[at])
			p.put(rest[:n], at)
			p.take(g, at, n)
			rest = rest[n:]
		}
		for _, i := range rest {
			p.placed[i].refuse("", p.full(g))
		}
	}
}

// next is the bridge for the next part of a group of which n are left; -1 when all are full.
func (p *placer) next(g *group, n int) int {
	best := -1
	for _, at := range g.may {
		if p.room[at] == 0 {
			continue
		}
		if best < 0 || cmp.Or(cmp.Compare(min(g.own[best], 2), min(g.own[at], 2)), cmp.Compare(p.room[best], p.room[at])) < 0 {
			best = at
		}
	}
	if best >= 0 && g.own[best] < 2 && p.room[best] >= n {
		return p.tightest(g.may, n, g.own)
	}
	return best
}

// full says why nobody has room for an entry of a group.
func (p *placer) full(g *group) fleet.Reason {
	switch {
	case len(g.may) == 0:
		return g.why
	case len(g.may) == 1:
		return fleet.Because("roster.full", "bridge", p.bridges[g.may[0]].Name)
	}
	return fleet.Because("roster.all_full", "pid", g.pid, "count", len(g.may))
}
