package decide

import (
	"net/url"
	"slices"
	"strconv"
	"time"

	"phalops/internal/fleet"
)

// groupKey names a parent that workers may share.
type groupKey struct{ kind, name string }

// group is everybody who shares one parent.
type group struct {
	key      groupKey
	ref      fleet.Ref // a ref of its own (host, pool); "": the site, or the fleet where they are of several
	explicit bool      // their own words name it
	total    int
	all      int // workers of the whole fleet, and how many of them are bad
	allBad   int
	bad      []*patient
	window   []*patient // those of bad that turned bad together
}

// patient is a bad worker.
type patient struct {
	w     *fleet.WorkerStatus
	d     fleet.Decision
	site  string
	again bool // turned bad right after its own treatment: that is no symptom of anything new
	taken bool
}

// lift is how much more often the group's are bad than everybody else, -1…1.
func (g *group) lift() float64 {
	inside, outside := g.shares()
	return inside - outside
}

// shares are how many of the group are bad, and how many of everybody else.
func (g *group) shares() (inside, outside float64) {
	return float64(len(g.bad)) / float64(max(1, g.total)), float64(g.allBad-len(g.bad)) / float64(max(1, g.all-g.total))
}

// suspect groups every worker by every parent, and takes the parents that explain most until none is left that explains
// enough: at least clusterLeast that turned bad within one window, at least a fifth of the parent's, and twice as often as
// everybody else. Where the workers' own words name the parent, their number is enough: who is fine just does not need it.
func (in *FleetInput) suspect() []Suspicion {
	groups := in.groups()
	var out []Suspicion
	for {
		var best *group
		for _, g := range groups {
			if in.together(g) && (best == nil || heavier(g, best) < 0) {
				best = g
			}
		}
		if best == nil {
			return out
		}
		s := in.suspicion(best)
		for _, p := range best.window {
			p.taken = true
		}
		if s.Until.IsZero() || s.Until.After(in.Now) {
			out = append(out, s)
		}
	}
}

// together finds those of a group who turned bad within one window and are blamed on nobody yet.
func (in *FleetInput) together(g *group) bool {
	g.window = g.window[:0]
	var free []*patient
	for _, p := range g.bad {
		if !p.taken {
			free = append(free, p)
		}
	}
	least, span := max(clusterLeast, (g.total+clusterShare-1)/clusterShare), clusterWindow
	if g.explicit {
		least, span = clusterLeast, causeWindow
	}
	if len(free) < least {
		return false
	}
	slices.SortStableFunc(free, func(a, b *patient) int { return a.d.Since.Compare(b.d.Since) })
	from, bestFrom, bestTo := 0, 0, 0
	for to := range free {
		for free[to].d.Since.Sub(free[from].d.Since) > span {
			from++
		}
		if to+1-from >= bestTo-bestFrom {
			bestFrom, bestTo = from, to+1
		}
	}
	if bestTo-bestFrom < least {
		return false
	}
	g.window = append(g.window, free[bestFrom:bestTo]...)
	if !g.explicit && !g.visible() {
		return false
	}
	if g.key.kind == sharedBlock && !in.diedAgain(g) {
		return false
	}
	inside, outside := g.shares()
	return g.explicit || inside >= 2*outside
}

// visible reports whether the group tells more than a bridge knows of its own workers: it reaches beyond one bridge, or it
// is smaller than the bridge and of a kind that the bridge does not look for.
func (g *group) visible() bool {
	for _, p := range g.window {
		if p.w.Ref.Parent() != g.window[0].w.Ref.Parent() {
			return true
		}
	}
	switch g.key.kind {
	case sharedHost, sharedVersion, sharedPool, sharedBlock:
		return g.lift() > 0 && g.total < g.all
	}
	return false
}

// diedAgain reports whether somebody of a group was treated and went down again: a power cut would have left them alive.
func (in *FleetInput) diedAgain(g *group) bool {
	for _, p := range g.window {
		for _, a := range in.Attempts {
			if a.Target == p.w.Ref && !a.Ended.IsZero() && a.Ended.Before(p.d.Since.Add(time.Minute)) && p.d.Since.Sub(a.Ended) < relapse {
				return true
			}
		}
	}
	return false
}

func (in *FleetInput) suspicion(g *group) Suspicion {
	s := Suspicion{Parent: g.ref, Kind: g.key.kind, Name: g.key.name, Total: g.total, Since: g.window[0].d.Since, Explicit: g.explicit}
	if g.explicit {
		s.Total = g.all
	}
	last := s.Since
	oneSite := true
	for _, p := range g.window {
		s.Members = append(s.Members, p.w.Ref)
		s.Names = append(s.Names, p.w.Name)
		last = latest(last, p.d.Since)
		oneSite = oneSite && p.site == g.window[0].site
	}
	slices.Sort(s.Names)
	if s.Parent == "" {
		s.Parent = fleet.Fleet
		if oneSite {
			s.Parent = fleet.SiteRef(g.window[0].site)
		}
	}
	switch {
	case g.explicit, g.key.kind == sharedBlock:
	case g.key.kind == sharedHost || g.key.kind == sharedSegment:
		s.Until = last.Add(segmentHold)
	default:
		s.Until = last.Add(clusterHold)
	}
	return s
}

// groups counts everybody under each parent.
func (in *FleetInput) groups() []*group {
	index := map[groupKey]*group{}
	var order []*group
	all, allBad := 0, 0
	var seen []*group // of one worker
	for b := range in.Bridges {
		br := &in.Bridges[b]
		for i := range br.Workers {
			w := &br.Workers[i]
			if !w.Enabled || !w.Running || !w.Fresh() {
				continue
			}
			all++
			var p *patient
			if d, known := in.Decisions[w.Ref]; known && ill(d) {
				p = &patient{w: w, d: d, site: br.Site, again: in.relapsed(w.Ref, d)}
				if !p.again {
					allBad++
				}
			}
			seen = seen[:0]
			in.parents(br, w, p, func(key groupKey, ref fleet.Ref, explicit bool) {
				g := index[key]
				if g == nil {
					g = &group{key: key, ref: ref, explicit: explicit}
					index[key] = g
					order = append(order, g)
				}
				if !slices.Contains(seen, g) {
					seen = append(seen, g)
				}
			})
			for _, g := range seen {
				g.total++
				if p != nil && g.counts(p) {
					g.bad = append(g.bad, p)
				}
			}
		}
	}
	for _, g := range order {
		g.all, g.allBad = all, allBad
	}
	return order
}

// counts reports whether a patient is a symptom of this parent.
func (g *group) counts(p *patient) bool {
	switch g.key.kind {
	case sharedSegment:
		return !p.again && p.d.Cause == causeNetwork
	case sharedBlock:
		return true
	}
	return g.explicit || !p.again
}

// ill reports whether a decision counts when many turn bad together: something is wrong that is not on its way by itself.
func ill(d fleet.Decision) bool {
	return d.Severity != "" && (d.Condition == string(fleet.Failing) || d.Condition == string(fleet.Unresponsive) || d.Condition == string(fleet.Starting)) &&
		(d.Verdict != fleet.HandsOff)
}

// relapsed reports whether a worker turned bad right after its own treatment.
func (in *FleetInput) relapsed(ref fleet.Ref, d fleet.Decision) bool {
	for _, a := range in.Attempts {
		if a.Target != ref {
			continue
		}
		if end := endOf(a); !d.Since.Before(end) && d.Since.Before(end.Add(afterTreatment)) {
			return true
		}
	}
	return false
}

// parents names every parent of a worker. Causes are parents of those only whose own words name them.
func (in *FleetInput) parents(b *fleet.BridgeStatus, w *fleet.WorkerStatus, p *patient, add func(key groupKey, ref fleet.Ref, explicit bool)) {
	if u, err := url.Parse(w.Endpoint); err == nil && u.Hostname() != "" {
		add(groupKey{sharedHost, u.Hostname()}, in.Hosts[u.Hostname()], false)
	}
	if prefix := prefixOf(w.Endpoint); prefix != "" {
		add(groupKey{sharedSegment, prefix}, "", false)
	}
	if w.Version != "" {
		add(groupKey{sharedVersion, w.Version}, "", false)
	}
	if w.PID != 0 {
		pid := strconv.FormatUint(w.PID, 10)
		add(groupKey{sharedPool, pid}, fleet.PoolRef(b.Ref.Name(), pid), false)
	}
	add(groupKey{sharedMinute, b.Site}, fleet.SiteRef(b.Site), false)
	if w.Para.Known && w.Para.Value > 0 && p != nil && p.d.Cause == causeNetwork {
		add(groupKey{sharedBlock, strconv.FormatInt(w.Para.Value, 10)}, "", false)
	}
	if p != nil && p.d.Cause != "" && p.d.Cause != causeNetwork {
		name, ref := in.causeOf(b, w, p.d.Cause)
		add(groupKey{p.d.Cause, name}, ref, true)
	}
}

// causeOf is which one of a kind of parent a worker means.
func (in *FleetInput) causeOf(b *fleet.BridgeStatus, w *fleet.WorkerStatus, cause string) (string, fleet.Ref) {
	pid := strconv.FormatUint(w.PID, 10)
	switch cause {
	case causeGas, causeOperator:
		for i := range b.Pools {
			if b.Pools[i].PID == w.PID && b.Pools[i].Operator != "" {
				return b.Pools[i].Operator, fleet.PoolRef(b.Ref.Name(), pid)
			}
		}
		return "pid " + pid, fleet.PoolRef(b.Ref.Name(), pid)
	case causePool:
		return "pid " + pid, fleet.PoolRef(b.Ref.Name(), pid)
	case causeTrade, causeSource:
		return b.Ref.Name(), b.Ref
	case causeNode:
		if node := in.Nodes[b.Ref]; node != "" {
			return node.Name(), ""
		}
		return b.Ref.Name(), b.Ref
	case causeAllowlist, causeImage:
		return w.Version, ""
	default: // PCCS, runtime
		return b.Site, fleet.SiteRef(b.Site)
	}
}
