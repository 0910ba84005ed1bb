package decide

import (
	"time"

	"phalops/internal/fleet"
)

// chainFinding is a finding about one chain of a node.
type chainFinding struct {
	finding
	weight int  // the heavier one speaks for the node
	silent bool // the chain is proved to stand still: no restart, whatever else is true
	remark bool // says nothing of the condition: something else about the node wants a person
}

// Weights of findings. A chain that is proved to stand still outweighs everything, since it explains everything; being
// alone is the weakest sort of standing still, because the other chain may know better.
const (
	weighHealthy = iota
	weighSyncing
	weighUnknown
	weighLagging
	weighAlone
	weighStarved
	weighStalled
	weighDown
	weighNetwork
	weighStranger // another chain: no other finding means anything
)

// worst judges both chains. A restart that is due outweighs one that still waits.
func (in *NodeInput) worst(h history) chainFinding {
	worst := chainFinding{finding: finding{
		condition: string(fleet.NodeUnknown), rule: "node.unseen", reason: fleet.Because("node.unseen"), want: wantTime,
	}, weight: -1}
	silent := false
	for _, chain := range []string{chainPara, chainRelay} {
		c := chainOf(&in.Status, chain)
		if c == nil {
			continue
		}
		v := in.judge(chain, c, h)
		silent = silent || v.silent
		if v.weight > worst.weight || (v.weight == worst.weight && v.want > worst.want) {
			worst = v
		}
	}
	worst.silent = silent
	return worst
}

// judge reads one chain.
func (in *NodeInput) judge(chain string, c *fleet.ChainStatus, h history) chainFinding {
	t := in.hear(chain, c)
	v := chainFinding{silent: t.silent()}
	v.since, v.witnesses = c.Best.MovedAt, t.said
	v.quiet, v.loud = fleet.Warning, fleet.Critical

	frozen := c.Best.FrozenFor(c.At)
	ahead := in.aheadBy(chain, c) >= in.minute(chain)
	heard := c.Peers != 0 || t.still > 0 // without peers and witnesses it is we who are gone, not the network
	switch {
	case in.strange(chain, c, t, &v):
	case c.Best.Known && frozen >= endedAfter && !ahead && t.moving+t.unsure == 0 && heard && !in.absurd(chain, c.Best):
		v.weight, v.condition, v.rule, v.want, v.loud = weighNetwork, string(fleet.NodeNetworkEnded), "node.network_ended", wantPerson, fleet.Warning
		v.silent = true
		v.reason = fleet.Because("node.network_ended", "chain", chain, "height", c.Best.Value, "for", frozen)
	case !in.Policy.current(c.Probe, in.Now):
		in.dark(chain, c, &v)
	case in.unbelievable(chain, c, &v):
	case !c.Best.Known:
		v.weight, v.condition, v.rule, v.want = weighUnknown, string(fleet.NodeUnknown), "node.half_answer", wantTime
		v.since, v.quiet = time.Time{}, fleet.Info
		v.reason = fleet.Because("node.half_answer", "chain", chain)
	case frozen >= in.Policy.StalledAfter:
		in.standing(chain, c, h, t, frozen, ahead, &v)
	default:
		in.growing(chain, c, t, frozen, &v)
	}
	return v
}

// aheadBy is how many blocks the node's own target is ahead of it; 0 when the target says nothing. A target below the best
// block is usual where peers are behind, and one that no chain can have reached is a lie.
func (in *NodeInput) aheadBy(chain string, c *fleet.ChainStatus) int64 {
	if !c.Target.Known || !c.Best.Known || in.absurd(chain, c.Target) {
		return 0
	}
	return max(0, c.Target.Value-c.Best.Value)
}

// standing reads a chain whose height stands still.
func (in *NodeInput) standing(chain string, c *fleet.ChainStatus, h history, t testimony, frozen time.Duration, ahead bool, v *chainFinding) {
	p := in.Policy
	args := []any{"chain", chain, "height", c.Best.Value, "for", frozen, "peers", c.Peers}
	v.condition, v.want = string(fleet.NodeStalled), wantRestart
	targetMoves := ahead && c.Target.MovedAt.After(c.Best.MovedAt) && c.Target.FrozenFor(c.At) < p.StalledAfter/2
	if targetMoves {
		v.silent = false
	}
	switch {
	case in.settling(args, v), in.beginning(c, frozen, ahead, args, v), in.waitsForRelay(chain, args, v):
	case c.Peers == 0 && t.neighbour > 0 && t.starved == t.neighbour:
		// Nobody of ours has peers: that is the uplink, and no restart mends an uplink.
		v.weight, v.condition, v.rule, v.want = weighStarved, string(fleet.NodeStarved), "node.starved.all", wantPerson
		v.suspect = fleet.SiteRef(in.Status.Site)
		v.reason = fleet.Because("node.starved_all", args...)
	case c.Peers == 0:
		v.weight, v.condition, v.rule = weighStarved, string(fleet.NodeStarved), "node.starved"
		v.reason = fleet.Because("node.starved", args...)
	case t.moving > 0:
		v.weight, v.rule = weighStalled, "node.stalled.witness"
		v.reason = fleet.Because("node.stalled", append(args, "head", t.head)...)
	case targetMoves, ahead && t.alone():
		v.weight, v.rule = weighStalled, "node.stalled.target"
		v.reason = fleet.Because("node.stalled_target", append(args, "target", c.Target.Value)...)
	case t.silent():
		v.weight, v.condition, v.rule, v.want, v.loud = weighNetwork, string(fleet.NodeNetworkStalled), "node.network_stalled", wantPerson, fleet.Warning
		v.until = c.Best.MovedAt.Add(endedAfter)
		v.reason = fleet.Because("node.network_stalled", append(args, "n", t.still)...)
	case t.unsure > 0:
		v.weight, v.rule, v.want = weighAlone, "node.stalled.unsure", wantTime
		v.reason = fleet.Because("node.stalled_unsure", args...)
	default:
		in.lone(c, h, args, v)
	}
}

// lone reads a standing node that nobody can testify for: one ordered restart after twice the time, then a long pause and
// a person. A lone node is not a silent chain, but a second restart would not tell us more.
func (in *NodeInput) lone(c *fleet.ChainStatus, h history, args []any, v *chainFinding) {
	v.weight = weighAlone
	// The first reading after a restart may count as a movement, hence the grace.
	tried := !h.ended.IsZero() && h.last.Outcome != fleet.PlanAborted && !c.Best.MovedAt.After(h.ended.Add(restartGrace))
	if rest := h.ended.Add(loneRest); tried && rest.After(in.Now) {
		v.condition, v.rule, v.want, v.until = string(fleet.NodeNetworkStalled), "node.alone.rest", wantPerson, rest
		v.reason = fleet.Because("node.alone_rest", append(args, "at", h.ended, "until", rest)...)
		return
	}
	v.rule, v.until = "node.alone", c.Best.MovedAt.Add(2*in.Policy.StalledAfter)
	v.reason = fleet.Because("node.alone", append(args, "until", v.until)...)
}

// growing reads a chain whose height moves.
func (in *NodeInput) growing(chain string, c *fleet.ChainStatus, t testimony, frozen time.Duration, v *chainFinding) {
	p, minute := in.Policy, in.minute(chain)
	lag := max(0, t.head-c.Best.Value, in.aheadBy(chain, c))
	unknownTip := !c.Target.Known && t.head < 0 && c.Syncing != nil && *c.Syncing
	v.since, v.until = time.Time{}, c.Best.MovedAt.Add(p.StalledAfter/2)
	switch {
	case lag >= 5*minute && in.fallsBack(chain, c, lag, minute):
		v.weight, v.condition, v.rule, v.want, v.loud = weighLagging, string(fleet.NodeLagging), "node.lagging", wantPerson, fleet.Warning
		v.reason = fleet.Because("node.lagging", "chain", chain, "height", c.Best.Value, "head", c.Best.Value+lag, "lag", lag)
	case lag >= 5*minute || unknownTip:
		v.weight, v.condition, v.rule, v.want, v.quiet = weighSyncing, string(fleet.NodeSyncing), "node.syncing", wantPeace, ""
		v.reason = fleet.Because("node.syncing", "chain", chain, "height", c.Best.Value, "lag", lag)
	case frozen < p.StalledAfter/2 && in.unfinal(chain, c, v):
	case frozen >= p.StalledAfter/2:
		v.weight, v.condition, v.rule, v.want, v.quiet = weighSyncing, string(fleet.NodeHealthy), "node.pausing", wantTime, ""
		v.until = c.Best.MovedAt.Add(p.StalledAfter)
		v.reason = fleet.Because("node.pausing", "chain", chain, "height", c.Best.Value, "for", frozen, "until", v.until)
	default:
		v.weight, v.condition, v.rule, v.want, v.quiet = weighHealthy, string(fleet.NodeHealthy), "node.healthy", wantNothing, ""
	}
}

// fallsBack reports whether the distance to the head grew since the earlier reading.
func (in *NodeInput) fallsBack(chain string, c *fleet.ChainStatus, lag, minute int64) bool {
	if in.Earlier == nil {
		return false
	}
	e := chainOf(in.Earlier, chain)
	if e == nil || !e.Best.Known || !e.Target.Known || !c.Target.Known || c.At.Sub(e.At) < lagWindow {
		return false
	}
	return lag-(e.Target.Value-e.Best.Value) >= minute
}
