package decide_test

import (
	"testing"
	"time"

	"phalops/internal/decide"
	"phalops/internal/fleet"
)

func para(f func(*fleet.ChainStatus)) change {
	return func(in *decide.NodeInput) { f(in.Status.Para) }
}

func relay(f func(*fleet.ChainStatus)) change {
	return func(in *decide.NodeInput) { f(in.Status.Relay) }
}

func TestHeightsThatCannotBeTrue(t *testing.T) {
	decideAll(t, []row{
		{"a best block of 2⁶⁰", []change{para(func(c *fleet.ChainStatus) { c.Best = at(1<<60, 11*m) }), witnessed}, fleet.NodeUnknown, fleet.Person, "node.absurd", ""},
		{"… even for three days", []change{para(func(c *fleet.ChainStatus) { c.Best = at(1<<60, 80*h) })}, fleet.NodeUnknown, fleet.Person, "node.absurd", ""},
		{"a target of 2⁶⁰ is no target", []change{frozenPara(6 * m), para(func(c *fleet.ChainStatus) { c.Target = at(1<<60, 0) })}, fleet.NodeStalled, fleet.Wait, "node.alone", "guard.holddown"},
		{"a growing node with a target of 2⁶⁰", []change{para(func(c *fleet.ChainStatus) { c.Target = at(1<<60, 0) })}, fleet.NodeHealthy, fleet.Healthy, "node.healthy", ""},
		{"a target below the best block: its peers are behind", []change{para(func(c *fleet.ChainStatus) { c.Target = at(2_000_000, 0) })}, fleet.NodeHealthy, fleet.Healthy, "node.healthy", ""},
		{"a target below the best block of a node that stands still", []change{frozenPara(11 * m), para(func(c *fleet.ChainStatus) { c.Target = at(2_000_000, 0) })}, fleet.NodeStalled, fleet.Act, "node.alone", ""},
		{"one fall is a restored snapshot", []change{para(func(c *fleet.ChainStatus) { c.Falls, c.FellAt = 1, ago(m) })}, fleet.NodeHealthy, fleet.Healthy, "node.healthy", ""},
		{"heights that jump back and forth", []change{para(func(c *fleet.ChainStatus) { c.Falls, c.FellAt = 2, ago(m) })}, fleet.NodeUnknown, fleet.Person, "node.swings", ""},
		{"… and stand still at last", []change{frozenPara(11 * m), witnessed, para(func(c *fleet.ChainStatus) { c.Falls, c.FellAt = 7, ago(11*m) })}, fleet.NodeUnknown, fleet.Person, "node.swings", ""},
		{"… is over after half an hour", []change{para(func(c *fleet.ChainStatus) { c.Falls, c.FellAt = 7, ago(31*m) })}, fleet.NodeHealthy, fleet.Healthy, "node.healthy", ""},
	})
}

func TestInitialSync(t *testing.T) {
	far := func(c *fleet.ChainStatus) { c.Target = at(c.Best.Value+1_000_000, 0) }
	decideAll(t, []row{
		{"both grow", []change{para(far), relay(far)}, fleet.NodeSyncing, fleet.HandsOff, "node.syncing", ""},
		{"the parachain waits for its relay chain", []change{frozenPara(3 * h), para(far), relay(far)}, fleet.NodeSyncing, fleet.HandsOff, "node.waits_for_relay", ""},
		{"… with a witness that is ahead", []change{frozenPara(3 * h), witnessed, relay(far)}, fleet.NodeSyncing, fleet.HandsOff, "node.waits_for_relay", ""},
		{"the relay chain itself stands still: nobody waits for it", []change{frozenPara(3 * h), para(far), relay(far), relay(func(c *fleet.ChainStatus) { c.Best.MovedAt = ago(20 * m) })}, fleet.NodeStalled, fleet.Act, "node.stalled.target", ""},
		{"the relay chain syncs, and the parachain has fallen silent", []change{para(dark(10 * m)), relay(far)}, fleet.NodeDown, fleet.Act, "node.down.hangs", ""},
		{"block 0 while it fetches the state", []change{relay(func(c *fleet.ChainStatus) { c.Best, c.Target, c.Syncing = at(0, h), at(15_000_000, 0), new(true) })}, fleet.NodeSyncing, fleet.HandsOff, "node.beginning", ""},
		{"… for hours", []change{relay(func(c *fleet.ChainStatus) { c.Best, c.Target, c.Syncing = at(0, 3*h), at(15_000_000, 0), new(true) })}, fleet.NodeSyncing, fleet.Person, "node.beginning", ""},
		{"block 0 without peers fetches nothing", []change{relay(func(c *fleet.ChainStatus) { c.Best, c.Target, c.Peers = at(0, h), at(15_000_000, 0), 0 })}, fleet.NodeStarved, fleet.Act, "node.starved", ""},
		{"imports slower than the chain grows", []change{para(far), func(in *decide.NodeInput) {
			e := with(chain(2_999_990, 0), func(c *fleet.ChainStatus) { c.At, c.Target = ago(10*m), at(2_999_990+999_960, 10*m) })
			in.Earlier = &fleet.NodeStatus{Ref: nodeA, Para: e}
		}}, fleet.NodeLagging, fleet.Person, "node.lagging", ""},
		{"imports slowly, but faster than the chain grows", []change{para(far), func(in *decide.NodeInput) {
			e := with(chain(2_999_900, 0), func(c *fleet.ChainStatus) { c.At, c.Target = ago(10*m), at(2_999_900+1_000_050, 10*m) })
			in.Earlier = &fleet.NodeStatus{Ref: nodeA, Para: e}
		}}, fleet.NodeSyncing, fleet.HandsOff, "node.syncing", ""},
		{"a container that was started just now settles", []change{frozenPara(h), witnessed, startedAgo(2 * m)}, fleet.NodeUnknown, fleet.Wait, "node.settling", ""},
		{"a container that is not running settles nothing", []change{frozenPara(h), witnessed, startedAgo(2 * m), func(in *decide.NodeInput) { in.Status.Container.State = "exited" }}, fleet.NodeStalled, fleet.Act, "node.stalled.witness", ""},
		{"a start in the future is a wrong clock and no excuse", []change{frozenPara(h), witnessed, startedAgo(-time.Hour)}, fleet.NodeStalled, fleet.Act, "node.stalled.witness", ""},
		{"… nor for an RPC that hangs", []change{bothDark(10 * m), startedAgo(-time.Hour)}, fleet.NodeDown, fleet.Act, "node.down.hangs", ""},
	})
}

func TestFinality(t *testing.T) {
	unfinal := para(func(c *fleet.ChainStatus) { c.Finalized = at(2_999_000, 40*m) })
	finalizes := func(height int64, frozen time.Duration) change {
		return func(in *decide.NodeInput) {
			c := chain(3_000_000, 0)
			c.Finalized = at(height, frozen)
			in.Others = []fleet.NodeStatus{other("b", c)}
		}
	}
	decideAll(t, []row{
		{"alone: usually the whole network", []change{unfinal}, fleet.NodeLagging, fleet.Person, "node.finality", ""},
		{"the second node's stands still too", []change{unfinal, finalizes(2_999_000, 40*m)}, fleet.NodeLagging, fleet.Person, "node.finality", ""},
		{"the second node finalizes", []change{unfinal, finalizes(2_999_998, 0)}, fleet.NodeStalled, fleet.Act, "node.finality.own", ""},
		{"somebody finalizes what nobody can have made", []change{unfinal, finalizes(9_999_998, 0)}, fleet.NodeLagging, fleet.Person, "node.finality", ""},
		{"the log says that the build is too old", []change{unfinal, finalizes(2_999_998, 0), signed(fleet.SignJustification)}, fleet.NodeStalled, fleet.Person, "node.justification", ""},
	})
}

func TestNetworkEnded(t *testing.T) {
	decideAll(t, []row{
		{"three days, and peers that are not higher", []change{frozenPara(73 * h), peersAt(3_000_000, 73*h)}, fleet.NodeNetworkEnded, fleet.Person, "node.network_ended", ""},
		{"three days, and a peer is higher and grows", []change{frozenPara(73 * h), peersAt(3_010_000, m)}, fleet.NodeStalled, fleet.Act, "node.stalled.witness", ""},
		{"three days without any peer is an uplink", []change{frozenPara(73 * h), para(peers(0))}, fleet.NodeStarved, fleet.Act, "node.starved", ""},
		{"three days without any peer, and the second node stands too", []change{frozenPara(73 * h), para(peers(0)), second(3_000_000, 73*h)}, fleet.NodeNetworkEnded, fleet.Person, "node.network_ended", ""},
		{"the relay chain ended", []change{func(in *decide.NodeInput) { in.Status.Relay = chain(15_000_000, 73*h) }}, fleet.NodeNetworkEnded, fleet.Person, "node.network_ended", ""},
	})
}

// TestAClockThatWasSet: what changes is our own clock, not the node.
func TestAClockThatWasSet(t *testing.T) {
	shift := func(d time.Duration) change { return func(in *decide.NodeInput) { in.Now = in.Now.Add(d) } }
	for _, d := range []time.Duration{-24 * h, -h, -6 * m, -m, m, 6 * m, h, 24 * h, 100 * h} {
		for name, given := range map[string][]change{
			"healthy":                        {},
			"witnessed":                      {second(3_000_001, 3*time.Second), peersAt(3_000_000, 10*time.Second)},
			"one unanswered question":        {para(func(c *fleet.ChainStatus) { c.Probe = answered.Silent(ago(time.Second), fleet.Reason{}) })},
			"one unanswered question, older": {para(func(c *fleet.ChainStatus) { c.Probe = fleet.Probe{At: ago(4 * m), Failed: ago(3 * m), Missed: 1} })},
		} {
			in := healthyNode()
			for _, f := range append(given, shift(d)) {
				f(&in)
			}
			if got := decide.Node(in); got.Verdict == fleet.Act || got.Verdict == fleet.Person || got.Severity != "" {
				t.Errorf("%s, our clock moved by %v: %s %s %s", name, d, got.Condition, got.Rule, got.Verdict)
			}
		}
	}
}
