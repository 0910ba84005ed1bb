package decide_test

import (
	"testing"
	"time"

	"phalops/internal/decide"
	"phalops/internal/fleet"
)

type change = func(*decide.NodeInput)

// row is one line of a table of nodes.
type row struct {
	name      string
	given     []change
	condition fleet.NodeCondition
	verdict   fleet.Verdict
	rule      string
	guards    string
}

// decideAll runs a table over a healthy node.
func decideAll(t *testing.T, rows []row) {
	t.Helper()
	texts := catalog(t)
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			in := healthyNode()
			for _, f := range r.given {
				f(&in)
			}
			d := decide.Node(in)
			if d.Condition != string(r.condition) || d.Verdict != r.verdict || d.Rule != r.rule || guarded(d) != r.guards {
				t.Errorf("got %s, %s, %s, guards %q\nwant %s, %s, %s, guards %q\n%+v", d.Condition, d.Verdict, d.Rule, guarded(d), r.condition, r.verdict, r.rule, r.guards, d)
			}
			sound(t, d)
			said(t, texts, d)
		})
	}
}

// peersAt is what at least two peers claim, asked half a minute ago.
func peersAt(height int64, frozen time.Duration) change {
	return func(in *decide.NodeInput) {
		in.Status.Para.PeersBest, in.Status.Para.PeersAsked = at(height, frozen), ago(30*time.Second)
	}
}

// head adds an outside head of the parachain.
func head(height int64, frozen time.Duration) change {
	return func(in *decide.NodeInput) {
		c := chain(height, frozen)
		c.URL = "http://127.0.0." + string(rune('1'+len(in.Reference))) + ":9944"
		in.Reference = append(in.Reference, *c)
	}
}

// second adds another node of ours.
func second(height int64, frozen time.Duration) change {
	return func(in *decide.NodeInput) { in.Others = append(in.Others, other("b", chain(height, frozen))) }
}

func startedAgo(d time.Duration) change {
	return func(in *decide.NodeInput) { in.Status.Container.Started = ago(d) }
}

// genesis says which chains the node, its second node and the outside heads are of.
func genesis(own, others, heads string) change {
	return func(in *decide.NodeInput) {
		in.Status.Para.Genesis = own
		for i := range in.Others {
			in.Others[i].Para.Genesis = others
		}
		for i := range in.Reference {
			in.Reference[i].Genesis = heads
		}
	}
}

func headGenesis(i int, g string) change {
	return func(in *decide.NodeInput) { in.Reference[i].Genesis = g }
}

func TestPeersAsWitnesses(t *testing.T) {
	decideAll(t, []row{
		{"peers higher and growing", []change{frozenPara(6 * m), peersAt(3_000_020, 40*time.Second)}, fleet.NodeStalled, fleet.Act, "node.stalled.witness", ""},
		{"peers higher and growing while the second node stands still", []change{frozenPara(6 * m), second(3_000_000, 6*m), peersAt(3_000_020, 40*time.Second)}, fleet.NodeStalled, fleet.Act, "node.stalled.witness", ""},
		{"peers higher, but they stand still as well", []change{frozenPara(6 * m), peersAt(3_000_020, 4*m)}, fleet.NodeStalled, fleet.Wait, "node.alone", "guard.holddown"},
		{"peers a block ahead is the beat between two questions", []change{frozenPara(6 * m), peersAt(3_000_001, 40*time.Second)}, fleet.NodeStalled, fleet.Wait, "node.alone", "guard.holddown"},
		{"what the node repeats of its peers is no witness: one restart", []change{frozenPara(11 * m), peersAt(3_000_000, 11*m)}, fleet.NodeStalled, fleet.Act, "node.alone", ""},
		{"peers that were met anew after the restart stand still too: the network", []change{frozenPara(20 * m), peersAt(3_000_000, 20*m), restarted(10 * m), startedAgo(10 * m)}, fleet.NodeNetworkStalled, fleet.Person, "node.network_stalled", ""},
		{"… and no further restart after six hours", []change{frozenPara(7 * h), peersAt(3_000_000, 7*h), restarted(6*h + 30*m), startedAgo(6*h + 30*m)}, fleet.NodeNetworkStalled, fleet.Person, "node.network_stalled", ""},
		{"a restart before the standstill proves nothing", []change{frozenPara(11 * m), peersAt(3_000_000, 11*m), startedAgo(2 * h)}, fleet.NodeStalled, fleet.Act, "node.alone", ""},
		{"peers that were heard before the restart prove nothing", []change{frozenPara(20 * m), peersAt(3_000_000, 20*m), startedAgo(6 * m), func(in *decide.NodeInput) { in.Status.Para.PeersAsked = ago(8 * m) }}, fleet.NodeStalled, fleet.Act, "node.alone", ""},
		{"peers that were asked long ago say nothing", []change{frozenPara(11 * m), peersAt(3_000_200, 20*time.Second), func(in *decide.NodeInput) { in.Status.Para.PeersAsked = ago(13 * m) }}, fleet.NodeStalled, fleet.Act, "node.alone", ""},
		{"hostile peers claim what no chain can have made", []change{frozenPara(6 * m), peersAt(3_500_000, 20*time.Second)}, fleet.NodeStalled, fleet.Wait, "node.alone", "guard.holddown"},
		{"hostile peers claim 2⁶⁰", []change{frozenPara(6 * m), peersAt(1<<60, 20*time.Second)}, fleet.NodeStalled, fleet.Wait, "node.alone", "guard.holddown"},
		{"hostile peers in a halt that two witnesses prove", []change{frozenPara(20 * m), second(3_000_000, 20*m), head(3_000_000, 20*m), peersAt(3_500_000, 20*time.Second)}, fleet.NodeNetworkStalled, fleet.Person, "node.network_stalled", ""},
		{"peers while the node grows", []change{peersAt(2_999_990, 2*m)}, fleet.NodeHealthy, fleet.Healthy, "node.healthy", ""},
		{"peers of a node that is far behind", []change{peersAt(3_100_000, 10*time.Second)}, fleet.NodeSyncing, fleet.HandsOff, "node.syncing", ""},
	})
}

func TestWitnessesThatCannotBeBelieved(t *testing.T) {
	wrong := int64(9_000_000)
	decideAll(t, []row{
		{"a healthy node, one head far ahead, the second node agrees with the node", []change{second(3_000_001, 3*time.Second), head(wrong, 0)}, fleet.NodeHealthy, fleet.Healthy, "node.healthy", ""},
		{"a healthy node, two of three heads agree", []change{head(3_000_001, 0), head(3_000_000, 0), head(wrong, 0)}, fleet.NodeHealthy, fleet.Healthy, "node.healthy", ""},
		{"a syncing node: its own target is with the head", []change{second(3_000_001, 3*time.Second), head(wrong, 0), func(in *decide.NodeInput) { in.Status.Para.Target = at(wrong-3, 0) }}, fleet.NodeSyncing, fleet.HandsOff, "node.syncing", ""},
		{"two heads are ahead together: the node syncs", []change{head(wrong, 0), head(wrong+2, 0)}, fleet.NodeSyncing, fleet.HandsOff, "node.syncing", ""},
		{"a halt, and a head that no chain can have reached", []change{frozenPara(20 * m), second(3_000_000, 20*m), head(wrong, 0)}, fleet.NodeNetworkStalled, fleet.Person, "node.network_stalled", ""},
		{"a lone node and such a head: as if there were none", []change{frozenPara(6 * m), head(wrong, 0)}, fleet.NodeStalled, fleet.Wait, "node.alone", "guard.holddown"},
		{"… which is healed all the same", []change{frozenPara(11 * m), head(wrong, 0)}, fleet.NodeStalled, fleet.Act, "node.alone", ""},
		{"such a head that stands still proves no halt", []change{frozenPara(11 * m), head(wrong, 3*h)}, fleet.NodeStalled, fleet.Act, "node.alone", ""},
		{"a head of 2⁶⁰", []change{frozenPara(11 * m), head(1<<60, 0)}, fleet.NodeStalled, fleet.Act, "node.alone", ""},
		{"a head that jumps back and forth", []change{frozenPara(11 * m), head(3_000_055, 0), func(in *decide.NodeInput) {
			in.Reference[0].Falls, in.Reference[0].FellAt = 5, ago(2*m)
		}}, fleet.NodeStalled, fleet.Act, "node.alone", ""},
		{"a head of another chain", []change{frozenPara(11 * m), head(3_000_055, 0), genesis("0xa", "", "0xb")}, fleet.NodeStalled, fleet.Act, "node.alone", ""},
		{"a second node of another chain that stands still proves no halt", []change{frozenPara(6 * m), second(3_000_000, 6*m), head(3_000_030, 0), genesis("0xa", "0xb", "0xa")}, fleet.NodeStalled, fleet.Act, "node.stalled.witness", ""},
		{"a one-chain node of another chain is nothing odd", []change{second(3_000_000, 6*m), genesis("0xa", "0xb", ""), func(in *decide.NodeInput) { in.Others[0].Relay = nil }}, fleet.NodeHealthy, fleet.Healthy, "node.healthy", ""},
	})
}

func TestWrongChain(t *testing.T) {
	changed := func(since time.Duration) change {
		return func(in *decide.NodeInput) {
			in.Status.Para.GenesisWas, in.Status.Para.GenesisSince = "0xa", ago(since)
		}
	}
	decideAll(t, []row{
		{"its own second node is of another chain", []change{second(3_000_000, 0), genesis("0xa", "0xb", "")}, fleet.NodeUnknown, fleet.Person, "node.wrong_chain", ""},
		{"… and it is stalled or down: no restart", []change{bothDark(10 * m), second(3_000_000, 0), genesis("0xa", "0xb", "")}, fleet.NodeUnknown, fleet.Person, "node.wrong_chain", ""},
		{"two of three: the odd one is not us", []change{second(3_000_000, 0), head(3_000_000, 0), genesis("0xa", "0xb", "0xa")}, fleet.NodeHealthy, fleet.Healthy, "node.healthy", ""},
		{"two outside heads agree on another chain", []change{head(3_000_000, 0), head(3_000_000, 0), genesis("0xa", "", "0xb")}, fleet.NodeUnknown, fleet.Person, "node.wrong_chain", ""},
		{"one of two outside heads is of another chain", []change{head(3_000_000, 0), head(3_000_000, 0), genesis("0xa", "", "0xa"), headGenesis(1, "0xb")}, fleet.NodeHealthy, fleet.Healthy, "node.healthy", ""},
		{"the only outside head is: it or the node is configured wrongly", []change{head(9_000_000, 0), genesis("0xa", "", "0xb")}, fleet.NodeHealthy, fleet.Person, "node.odd_reference", ""},
		{"another chain answers at the old address", []change{genesis("0xb", "", ""), changed(h)}, fleet.NodeUnknown, fleet.Person, "node.chain_changed", ""},
		{"… which is the other nodes' chain: put right", []change{second(3_000_000, 0), genesis("0xb", "0xb", ""), changed(h)}, fleet.NodeHealthy, fleet.Healthy, "node.healthy", ""},
		{"… and a day later it is what is wanted", []change{genesis("0xb", "", ""), changed(25 * h)}, fleet.NodeHealthy, fleet.Healthy, "node.healthy", ""},
	})
}

func TestHeadersCacheAsWitness(t *testing.T) {
	cache := func(header int64, moved time.Duration) change {
		return func(in *decide.NodeInput) {
			in.Status.Relay = chain(15_000_000, 7*m)
			in.Status.Caches = []fleet.HeadersCacheStatus{{Probe: answered, Name: "hc-1", Header: at(header, moved)}}
		}
	}
	decideAll(t, []row{
		{"it has newer headers than the relay chain that stands still", []change{cache(15_000_060, m)}, fleet.NodeStalled, fleet.Act, "node.stalled.witness", ""},
		{"it stands still with its node: that proves nothing", []change{cache(14_999_900, 8*m)}, fleet.NodeStalled, fleet.Wait, "node.alone", "guard.holddown"},
		{"it has them from before", []change{cache(15_000_060, h)}, fleet.NodeStalled, fleet.Wait, "node.alone", "guard.holddown"},
		{"it is of another chain", []change{cache(20_000_000, m)}, fleet.NodeStalled, fleet.Wait, "node.alone", "guard.holddown"},
		{"it is absurd", []change{cache(1<<60, m)}, fleet.NodeStalled, fleet.Wait, "node.alone", "guard.holddown"},
	})
}
