package decide

import (
	"cmp"
	"slices"
	"time"

	"phalops/internal/fleet"
)

// Numbers of workers that share what ails them on the chain.
const (
	chainWindow  = time.Hour        // each is marked only when the chain next asks it
	chainTogeth  = 10               // so many at once are one trouble, however many there are
	chainSuspect = 15 * time.Minute // a person is told of a group after so long, of no worker sooner
)

// ChainSuspicion is a parent that many of our workers share which are in the same trouble on chain. Its incident tells of them; their
// own decisions wait for it.
type ChainSuspicion struct {
	Parent  fleet.Ref   `json:"parent"` // bridge, stakepool or network
	Kind    string      `json:"kind"`   // what they are in
	Members []fleet.Ref `json:"members"`
	Names   []string    `json:"names"`
	Total   int         `json:"total"` // of our workers under this parent
	Since   time.Time   `json:"since"` // when the first of them got into it
	Due     time.Time   `json:"due"`   // when a person is told
}

// reason is what the parent's incident says, and what stands beside its workers' own words.
func (s *ChainSuspicion) reason() fleet.Reason {
	return fleet.Because("chain.shared", "n", len(s.Members), "total", s.Total, "names", few(s.Names), "what", "chain.what."+s.Kind, "advice", "chain.advice."+s.Kind,
		"kind", "kind."+string(s.Parent.Kind()), "parent", s.Parent)
}

// finding is what the parent's incident says, as of the reading.
func (s *ChainSuspicion) finding(condition, rule string, at time.Time) finding {
	f := finding{condition: condition, rule: rule + s.Kind, want: wantTime, since: s.Since, until: s.Due, quiet: fleet.Info, loud: fleet.Warning, own: true, reason: s.reason()}
	if 2*len(s.Members) >= s.Total {
		f.loud = fleet.Critical
	}
	if !s.Due.After(at) {
		f.want, f.until = wantPerson, time.Time{}
	}
	return f
}

// sufferer is a worker in trouble on the chain.
type sufferer struct {
	trouble
	w      *fleet.WorkerStatus
	bridge fleet.Ref
	pool   fleet.Ref
	taken  bool
}

// kin is everybody under one parent.
type kin struct {
	ref   fleet.Ref
	rank  int // among those that explain the same: the nearest first
	total int
	bad   []*sufferer // of the kind at hand
	group []*sufferer // those of bad that got into it together
}

// suspect finds what the troubled workers of each kind share. The network itself comes first: when very many sessions of others
// are marked as well, ours are nobody's fault here.
func (in *NetworkInput) suspect(view *fleet.ChainView) (crowd finding, out []ChainSuspicion) {
	families, sick := in.families(view)
	crowd = in.crowd(view, sick)
	for _, kind := range []string{differCooling, differUnheard, differUnpaid, differIdle, differUnbound, differElsewhere, differOperator, differUnregistered} {
		all := ofKind(sick, kind)
		if kind == differUnheard && crowd.want != wantNothing && len(all) > 0 {
			out = append(out, in.suspicion(kind, kin{ref: in.Ref, total: families[0].total, group: all}))
			continue
		}
		for {
			best := in.best(families, all)
			if best == nil {
				break
			}
			out = append(out, in.suspicion(kind, *best))
			for _, p := range best.group {
				p.taken = true
			}
		}
	}
	return crowd, out
}

func ofKind(sick []*sufferer, kind string) []*sufferer {
	var out []*sufferer
	for _, p := range sick {
		if p.kind == kind {
			out = append(out, p)
		}
	}
	return out
}

// families counts our workers that the chain knows of under each parent, the network first, and finds the troubled ones.
func (in *NetworkInput) families(view *fleet.ChainView) ([]*kin, []*sufferer) {
	whole := &kin{ref: in.Ref, rank: 2}
	out, index := []*kin{whole}, map[fleet.Ref]*kin{}
	count := func(ref fleet.Ref, rank int) {
		k := index[ref]
		if k == nil {
			k = &kin{ref: ref, rank: rank}
			index[ref], out = k, append(out, k)
		}
		k.total++
	}
	l := chainWitness{view: view, leaving: in.Leaving, last: in.Last}
	var sick []*sufferer
	for b := range in.Bridges {
		br := &in.Bridges[b]
		rule := bookOf(br.Version).gen + ".chain."
		for i := range br.Workers {
			w := &br.Workers[i]
			c := view.Worker(w.PublicKey)
			if c == nil || !w.Enabled || !in.sees(w) {
				continue
			}
			pool := poolOn(view, w, c)
			whole.total++
			count(br.Ref, 0)
			if pool != nil {
				count(pool.Ref, 1)
			}
			if t, found := l.against(w, w.Condition, c, rule); found {
				p := &sufferer{trouble: t, w: w, bridge: br.Ref}
				if pool != nil {
					p.pool = pool.Ref
				}
				sick = append(sick, p)
			}
		}
	}
	slices.SortStableFunc(sick, func(a, b *sufferer) int { return a.since.Compare(b.since) })
	return out, sick
}

// best is the parent that explains most of what is left: at least clusterLeast of its workers that got into it within an hour,
// and a fifth of them or chainTogeth. It explains most when its workers are in it more often than all others of ours; when they are
// in it as often, it is the whole network that explains most. nil when none is left.
func (in *NetworkInput) best(families []*kin, sick []*sufferer) *kin {
	free := 0
	for _, k := range families {
		k.bad = k.bad[:0]
	}
	for _, p := range sick {
		if p.taken {
			continue
		}
		free++
		for _, k := range families {
			if k.ref == in.Ref || k.ref == p.bridge || k.ref == p.pool {
				k.bad = append(k.bad, p)
			}
		}
	}
	if free < clusterLeast {
		return nil
	}
	var best *kin
	lift := func(k *kin) float64 {
		return float64(len(k.bad))/float64(k.total) - float64(free-len(k.bad))/float64(max(1, families[0].total-k.total))
	}
	for _, k := range families {
		k.group = inSpan(k.bad, chainWindow)
		least := min(max(clusterLeast, (k.total+clusterShare-1)/clusterShare), chainTogeth)
		if len(k.group) < least {
			continue
		}
		if best == nil || cmp.Or(cmp.Compare(lift(k), lift(best)), cmp.Compare(best.rank, k.rank)) > 0 {
			best = k
		}
	}
	return best
}

// inSpan is the largest part of some in order that lies within a span.
func inSpan(in []*sufferer, span time.Duration) []*sufferer {
	from, bestFrom, bestTo := 0, 0, 0
	for to := range in {
		for in[to].since.Sub(in[from].since) > span {
			from++
		}
		if to+1-from > bestTo-bestFrom {
			bestFrom, bestTo = from, to+1
		}
	}
	return in[bestFrom:bestTo:bestTo]
}

func (in *NetworkInput) suspicion(kind string, k kin) ChainSuspicion {
	s := ChainSuspicion{Parent: k.ref, Kind: kind, Total: k.total, Since: k.group[0].since}
	s.Due = s.Since.Add(chainSuspect)
	for _, p := range k.group {
		s.Members = append(s.Members, p.w.Ref)
		s.Names = append(s.Names, p.w.Name)
	}
	slices.Sort(s.Names)
	return s
}

// crowd is a network of which very many sessions of others are marked unresponsive, ours no more often than twice as much: then it
// is everybody's trouble. It takes the whole network to say so.
func (in *NetworkInput) crowd(view *fleet.ChainView, sick []*sufferer) finding {
	online, bad, ours, oursBad := view.Totals.Sessions[sessionIdle]+view.Totals.Sessions[sessionUnresponsive], view.Totals.Sessions[sessionUnresponsive], 0, 0
	for i := range view.Workers {
		switch view.Workers[i].State {
		case sessionIdle:
			ours++
		case sessionUnresponsive:
			ours, oursBad = ours+1, oursBad+1
		}
	}
	online, bad = online-ours, bad-oursBad
	if !view.Whole || online < crowdLeast || crowdShare*bad < online || oursBad*online >= 2*bad*ours && oursBad > 0 {
		return finding{}
	}
	since := in.lasting(in.Ref, string(fleet.NetworkUnheard), in.Now)
	f := finding{condition: string(fleet.NetworkUnheard), rule: "network.unheard", want: wantTime, since: since, until: since.Add(crowdHold), quiet: fleet.Info, loud: fleet.Info,
		reason: fleet.Because("network.unheard", "n", bad, "total", online, "ours", oursBad, "of", ours)}
	if !f.until.After(in.Now) {
		f.want, f.until = wantPerson, time.Time{}
	}
	if len(ofKind(sick, differUnheard)) > 0 {
		f.loud = fleet.Warning
	}
	return f
}
