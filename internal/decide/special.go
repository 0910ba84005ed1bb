package decide

import (
	"time"

	"phalops/internal/fleet"
)

// Spans and numbers of the special cases of a chain.
const (
	beginningFor = 2 * time.Hour  // what a node at block 0 gets for its warp or state sync
	changedFor   = 24 * time.Hour // how long another chain at an old address is told; then it counts as intended
	fallsTooMany = 2              // one fall is a restored snapshot
	leastAbsurd  = 100_000_000    // blocks that a chain may have, whatever the clock says
)

// firstChain is before any Substrate chain began.
var firstChain = time.Date(2015, 1, 1, 0, 0, 0, 0, time.UTC)

// absurd reports whether no chain can have come so far: twice as many blocks as its block time allows since the beginning.
func (in *NodeInput) absurd(chain string, h fleet.Height) bool {
	most := int64(in.Now.Sub(firstChain) / in.blockTime(chain))
	return h.Known && h.Value > max(leastAbsurd, 2*most)
}

// unbelievable reads a chain whose heights cannot be true: they prove nothing, and nothing is moved because of them.
func (in *NodeInput) unbelievable(chain string, c *fleet.ChainStatus, v *chainFinding) bool {
	switch {
	case in.absurd(chain, c.Best):
		v.rule, v.since = "node.absurd", c.Best.MovedAt
		v.reason = fleet.Because("node.absurd", "chain", chain, "height", c.Best.Value, "url", c.URL)
	case swings(c):
		v.rule, v.since = "node.swings", c.FellAt
		v.reason = fleet.Because("node.swings", "chain", chain, "height", c.Best.Value, "n", c.Falls, "url", c.URL)
		v.until = c.FellAt.Add(fleet.FallWindow)
	default:
		return false
	}
	v.weight, v.condition, v.want, v.loud = weighUnknown, string(fleet.NodeUnknown), wantPerson, fleet.Warning
	return true
}

// swings reports whether a height jumps back again and again, as behind a balancer with several nodes.
func swings(c *fleet.ChainStatus) bool {
	return c.Falls >= fallsTooMany && c.At.Sub(c.FellAt) < fleet.FallWindow
}

// strange reads a chain that is not the network's. Two-chain nodes of ours or two outside heads must say so, and nobody
// otherwise.
func (in *NodeInput) strange(chain string, c *fleet.ChainStatus, t testimony, v *chainFinding) bool {
	switch {
	case c.GenesisWas != "" && t.kin == 0 && between(in.Now.Sub(c.GenesisSince), changedFor):
		v.rule, v.since, v.until = "node.chain_changed", c.GenesisSince, c.GenesisSince.Add(changedFor)
		v.reason = fleet.Because("node.chain_changed", "chain", chain, "name", chainName(c), "genesis", c.Genesis, "was", c.GenesisWas, "until", v.until)
	case t.kin == 0 && (t.strangers > 0 || t.strangeHeads > 1):
		v.rule, v.since = "node.wrong_chain", time.Time{}
		v.reason = fleet.Because("node.wrong_chain", "chain", chain, "name", chainName(c), "genesis", c.Genesis, "who", t.stranger)
	default:
		return false
	}
	v.weight, v.condition, v.want = weighStranger, string(fleet.NodeUnknown), wantPerson
	return true
}

func between(d, limit time.Duration) bool { return d >= 0 && d < limit }

func chainName(c *fleet.ChainStatus) string {
	if c.Chain == "" {
		return "?"
	}
	return c.Chain
}

// settling reads a node whose container was started just now, whoever did it: it opens its databases and finds its peers. A
// start in the future is a host whose clock is wrong, and says nothing.
func (in *NodeInput) settling(args []any, v *chainFinding) bool {
	box := in.Status.Container
	if box == nil || !in.Policy.current(box.Probe, in.Now) || box.State != "running" || box.Started.IsZero() ||
		!between(in.Now.Sub(box.Started), restartGrace) {
		return false
	}
	if in.crashes(box, v.since) {
		v.weight, v.condition, v.rule, v.want = weighDown, string(fleet.NodeDown), "node.crash_loop", wantPerson
		v.reason = fleet.Because("node.crash_loop", append(args, "container", box.Name, "at", box.Started, "n", box.Restarts)...)
		return true
	}
	v.until = box.Started.Add(restartGrace)
	v.weight, v.condition, v.rule, v.want = weighUnknown, string(fleet.NodeUnknown), "node.settling", wantTime
	v.reason = fleet.Because("node.settling", append(args, "container", box.Name, "at", box.Started, "until", v.until)...)
	return true
}

// beginning reads a chain that still stands at its first block while it knows of higher ones: it fetches a state first (warp
// sync), and a restart would throw that away.
func (in *NodeInput) beginning(c *fleet.ChainStatus, frozen time.Duration, ahead bool, args []any, v *chainFinding) bool {
	syncing := c.Syncing != nil && *c.Syncing
	if c.Best.Value > 0 || c.Peers == 0 || !ahead && !syncing {
		return false
	}
	v.weight, v.condition, v.rule = weighSyncing, string(fleet.NodeSyncing), "node.beginning"
	v.reason = fleet.Because("node.beginning", args...)
	if v.want, v.quiet = wantPeace, ""; frozen >= beginningFor {
		v.weight, v.want, v.quiet, v.loud = weighLagging, wantPerson, fleet.Warning, fleet.Warning
	}
	return true
}

// waitsForRelay reads a parachain that stands still while its own relay chain is still far behind: it cannot know newer
// blocks than the relay chain has confirmed.
func (in *NodeInput) waitsForRelay(chain string, args []any, v *chainFinding) bool {
	r := in.Status.Relay
	if chain != chainPara || r == nil || !in.Policy.current(r.Probe, in.Now) || !r.Best.Known || in.unbelievable(chainRelay, r, new(chainFinding)) ||
		r.Best.FrozenFor(r.At) >= in.Policy.StalledAfter/2 {
		return false
	}
	lag := max(in.hear(chainRelay, r).head-r.Best.Value, in.aheadBy(chainRelay, r))
	if lag < 5*in.minute(chainRelay) {
		return false
	}
	v.weight, v.condition, v.rule, v.want, v.quiet = weighSyncing, string(fleet.NodeSyncing), "node.waits_for_relay", wantPeace, ""
	v.reason = fleet.Because("node.waits_for_relay", append(args, "relay", r.Best.Value, "lag", lag)...)
	return true
}

// unfinal reads a chain that imports blocks of which none becomes final. When others go on finalizing, it is this node's own
// trouble, and a restart may mend it.
func (in *NodeInput) unfinal(chain string, c *fleet.ChainStatus, v *chainFinding) bool {
	span := c.Finalized.FrozenFor(c.At)
	if span < finalityAfter {
		return false
	}
	v.weight, v.since, v.until = weighLagging, c.Finalized.MovedAt, time.Time{}
	args := []any{"chain", chain, "height", c.Best.Value, "finalized", c.Finalized.Value, "for", span}
	if who, height, ok := in.finalizes(chain, c); ok {
		v.weight, v.condition, v.rule, v.want = weighStalled, string(fleet.NodeStalled), "node.finality.own", wantRestart
		v.reason = fleet.Because("node.finality_own", append(args, "who", who, "head", height)...)
		return true
	}
	v.condition, v.rule, v.want, v.loud = string(fleet.NodeLagging), "node.finality", wantPerson, fleet.Warning
	v.reason = fleet.Because("node.finality", args...)
	return true
}
