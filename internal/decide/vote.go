package decide

import (
	"slices"
	"time"

	"phalops/internal/fleet"
)

// far is how many blocks apart two heights of one chain cannot be by chance.
func (in *NodeInput) far(chain string) int64 { return 60 * in.minute(chain) }

// outvoted reports whether a witness is so far ahead that it must be of another chain, or lies. That is so in two cases,
// unless somebody else is there with it: when more of the others agree on a lower head that grows (two of three), and,
// while we stand still, when the chain cannot have come so far since we stood at its tip. Our own nodes are believed in
// the second case: we know them.
func (in *NodeInput) outvoted(chain string, voices []voice, i int, own *fleet.ChainStatus) bool {
	v, far := voices[i], in.far(chain)
	with, others := 1, []int64{}
	hear := func(height int64, moves bool) {
		switch {
		case height >= v.height-far:
			with++
		case moves:
			others = append(others, height)
		}
	}
	for j, o := range voices {
		if j != i {
			hear(o.height, o.frozen < in.Policy.StalledAfter/2)
		}
	}
	frozen := own.Best.FrozenFor(own.At)
	if own.Best.Known {
		hear(own.Best.Value, in.Policy.current(own.Probe, in.Now) && frozen < in.Policy.StalledAfter/2)
		if in.aheadBy(chain, own) > 0 && own.Target.Value >= v.height-far {
			with++
		}
	}
	if h, ok := in.peersHeight(chain, own); ok && h >= v.height-far {
		with++
	}
	if group := agreeing(others, 5*in.minute(chain)); group >= 2 && group > with {
		return true
	}
	if v.ours || with > 1 || !own.Best.Known || frozen < in.Policy.StalledAfter {
		return false
	}
	made := int64(frozen / in.blockTime(chain))
	return v.height-own.Best.Value > 2*made+far
}

// agreeing is the size of the greatest group of heights that lie close together.
func agreeing(heights []int64, within int64) int {
	most := 0
	for _, h := range heights {
		n := 0
		for _, o := range heights {
			if o <= h && h-o <= within {
				n++
			}
		}
		most = max(most, n)
	}
	return most
}

// peersHeight is what at least two peers of the node claimed lately.
func (in *NodeInput) peersHeight(chain string, own *fleet.ChainStatus) (int64, bool) {
	h := own.PeersBest
	ok := h.Known && !in.absurd(chain, h) && in.Policy.current(own.Probe, in.Now) && between(in.Now.Sub(own.PeersAsked), peersOld)
	return h.Value, ok
}

// peers adds what the node's peers claim. We hear it through the node itself: one that is cut off repeats old claims. So peers
// that are ahead and grow prove that the chain lives, while peers that stand still prove something only when the node
// was started anew since, and heard it afresh.
func (in *NodeInput) peers(t *testimony, chain string, own *fleet.ChainStatus, voices []voice) {
	height, ok := in.peersHeight(chain, own)
	if !ok || !own.Best.Known {
		return
	}
	stands := own.Best.FrozenFor(own.At) >= in.Policy.StalledAfter/2
	frozen := own.PeersBest.FrozenFor(own.PeersAsked)
	ahead := height - own.Best.Value
	v := voice{who: in.Status.Ref.Name(), height: height, frozen: frozen}
	switch {
	case ahead >= in.minute(chain) && frozen < in.Policy.StalledAfter/2:
		if in.outvoted(chain, append(slices.Clip(voices), v), len(voices), withoutPeers(own)) {
			t.said = append(t.said, fleet.Because("witness.peers_outvoted", "height", height))
			return
		}
		t.moving++
		t.head = max(t.head, height)
		t.said = append(t.said, fleet.Because("witness.peers_moving", "height", height))
	case !stands:
	case ahead < in.minute(chain) && ahead >= -in.minute(chain) && frozen >= in.Policy.StalledAfter/2:
		if in.startedSince(own.Best.MovedAt) && own.PeersAsked.After(in.Status.Container.Started) {
			t.still++
			t.said = append(t.said, fleet.Because("witness.peers_still", "height", height, "for", frozen))
			return
		}
		t.said = append(t.said, fleet.Because("witness.peers_stale", "height", height, "for", frozen))
	default:
		t.said = append(t.said, fleet.Because("witness.peers_unsure", "height", height))
	}
}

func withoutPeers(c *fleet.ChainStatus) *fleet.ChainStatus {
	bare := *c
	bare.PeersBest = fleet.Height{}
	return &bare
}

// startedSince reports whether the node's process began after a height had come to a stand. The first reading after a start
// may count as a movement.
func (in *NodeInput) startedSince(stood time.Time) bool {
	box := in.Status.Container
	return box != nil && box.State == "running" && in.Policy.current(box.Probe, in.Now) &&
		!box.Started.After(in.Now) && !stood.After(box.Started.Add(restartGrace))
}

// cacheAhead hears the headers caches: one that has newer relay chain headers than the node, and gets more, has them from
// somewhere. One that stands still proves nothing, because it reads a node of ours and takes headers in big steps.
func (in *NodeInput) cacheAhead(t *testimony, chain string, own *fleet.ChainStatus) {
	if chain != chainRelay || !own.Best.Known {
		return
	}
	nodes := append([]fleet.NodeStatus{in.Status}, in.Others...)
	for i := range nodes {
		for _, c := range nodes[i].Caches {
			if !in.Policy.current(c.Probe, in.Now) || in.absurd(chain, c.Header) || !c.Header.Known {
				continue
			}
			ahead := c.Header.Value - own.Best.Value
			if ahead >= in.minute(chain) && ahead <= in.far(chain) && c.Header.MovedAt.After(own.Best.MovedAt) {
				t.moving++
				t.head = max(t.head, c.Header.Value)
				t.said = append(t.said, fleet.Because("witness.moving", "who", c.Name, "height", c.Header.Value))
			}
		}
	}
}

// finalizes finds a witness that goes on finalizing while the node does not.
func (in *NodeInput) finalizes(chain string, own *fleet.ChainStatus) (who string, height int64, ok bool) {
	moves := func(c *fleet.ChainStatus) bool {
		return c != nil && in.Policy.current(c.Probe, in.Now) && c.Finalized.Known && !in.absurd(chain, c.Finalized) && !swings(c) &&
			(c.Genesis == "" || own.Genesis == "" || c.Genesis == own.Genesis) &&
			c.Finalized.FrozenFor(c.At) < in.Policy.StalledAfter && c.Finalized.Value-own.Finalized.Value >= 5*in.minute(chain) &&
			c.Finalized.Value <= own.Best.Value+in.far(chain)
	}
	for i := range in.Others {
		if c := chainOf(&in.Others[i], chain); in.Others[i].Ref != in.Status.Ref && moves(c) {
			return in.Others[i].Ref.Name(), c.Finalized.Value, true
		}
	}
	for i := range in.Reference {
		if c := &in.Reference[i]; chain == chainPara && moves(c) {
			return c.URL, c.Finalized.Value, true
		}
	}
	return "", 0, false
}
