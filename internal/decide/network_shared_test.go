package decide_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"phalops/internal/decide"
	"phalops/internal/fleet"
)

// everybody decides about the network, and with that about all of its bridges, as a daemon does.
func everybody(in decide.NetworkInput) []fleet.Decision {
	suspicions, ds := decide.Network(in)
	for i := range in.Bridges {
		b := decide.BridgeInput{Status: in.Bridges[i], Node: &fleet.NodeStatus{}, ChainOdd: in.Odd(), DataProvider: "dp/dp-1", Policy: in.Policy, Now: in.Now, Chain: in.View,
			ChainSuspicions: suspicions, Leaving: in.Leaving, Last: in.Last}
		node := healthyNode()
		b.Node = &node.Status
		own, workers := decide.Bridge(b)
		ds = append(append(ds, own), workers...)
	}
	return ds
}

// wakes are the targets about which a person is told, with the rule.
func wakes(ds []fleet.Decision) []string {
	var out []string
	for _, d := range ds {
		if d.Verdict == fleet.Person {
			out = append(out, string(d.Target)+" "+d.Rule+" "+string(d.Severity))
		}
	}
	return out
}

func TestManyOnChainAreOne(t *testing.T) {
	type change = func(*decide.NetworkInput)
	marked := is("Unresponsive", 2*h)
	tests := []struct {
		name             string
		bridges, workers int
		given            []change
		want             []string
	}{
		{"a thousand on ten bridges", 10, 100, []change{state(marked)}, []string{"network/khala network.chain.unheard critical"}},
		{"all of one bridge, which is all of a pool", 4, 25, []change{part(0, 25, marked)}, []string{"bridge/prb-b bridge.chain.unheard critical"}},
		{"a fifth of it", 4, 25, []change{part(0, 5, marked)}, []string{"bridge/prb-b bridge.chain.unheard warning"}},
		{"two whole bridges of a pool on four", 4, 20, []change{onePool, part(0, 40, marked)}, []string{"bridge/prb-b bridge.chain.unheard critical", "bridge/prb-c bridge.chain.unheard critical"}},
		{"all of a pool on two bridges that have another one besides", 2, 20, []change{halves, part(0, 10, marked), part(20, 30, marked)}, []string{"stakepool/khala/83 stakepool.chain.unheard critical"}},
		{"one of two bridges of a pool", 2, 20, []change{onePool, part(0, 20, marked)}, []string{"bridge/prb-b bridge.chain.unheard critical"}},
		{"all of a pool whose feeders tell no pool", 2, 20, []change{halves, part(0, 10, marked), part(20, 30, marked), untold}, []string{"stakepool/khala/83 stakepool.chain.unheard critical"}},
		{"two workers", 4, 25, []change{part(0, 2, marked)}, []string{"worker/prb-b/id-000 v2.chain.unheard warning", "worker/prb-b/id-001 v2.chain.unheard warning"}},
		{"three of many", 4, 25, []change{part(0, 3, marked)}, []string{
			"worker/prb-b/id-000 v2.chain.unheard warning", "worker/prb-b/id-001 v2.chain.unheard warning", "worker/prb-b/id-002 v2.chain.unheard warning"}},
		{"ten of very many", 2, 100, []change{part(0, 10, marked)}, []string{"bridge/prb-b bridge.chain.unheard warning"}},
		{"a few of each, all at once", 10, 100, []change{each(10, 100, 3, marked)}, []string{"network/khala network.chain.unheard warning"}},
		{"one after the other", 4, 25, []change{func(in *decide.NetworkInput) {
			for i := range 4 {
				inView(in, i, i+1, is("Unresponsive", time.Duration(2+3*i)*h))
			}
		}}, []string{"worker/prb-b/id-000 v2.chain.unheard warning", "worker/prb-b/id-001 v2.chain.unheard warning", "worker/prb-b/id-002 v2.chain.unheard warning", "worker/prb-b/id-003 v2.chain.unheard warning"}},
		{"a group, and one long ago", 4, 25, []change{part(0, 24, marked), part(24, 25, is("Unresponsive", 48*h))},
			[]string{"bridge/prb-b bridge.chain.unheard critical", "worker/prb-b/id-024 v2.chain.unheard warning"}},
		{"too early", 4, 25, []change{part(0, 25, is("Unresponsive", 14*m))}, nil},
		{"soon enough", 4, 25, []change{part(0, 25, is("Unresponsive", 15*m))}, []string{"bridge/prb-b bridge.chain.unheard critical"}},
		{"a force-stopped pool", 4, 25, []change{onePool, state(is("CoolingDown", 20*m))}, []string{"stakepool/khala/83 stakepool.chain.cooling critical"}},
		{"a pool stopped a moment ago", 4, 25, []change{onePool, state(is("CoolingDown", 10*m))}, nil},
		{"two troubles of two bridges", 4, 25, []change{part(0, 25, marked), part(25, 50, is("CoolingDown", h))},
			[]string{"bridge/prb-b bridge.chain.unheard critical", "bridge/prb-c bridge.chain.cooling critical"}},
		{"all unpaid, and others are paid", 4, 25, []change{state(unpaidFor(12 * h))}, []string{"network/khala network.chain.unpaid critical"}},
		{"nobody is paid at all", 10, 100, []change{state(unpaidFor(12 * h)), view(func(v *fleet.ChainView) { v.Totals.RewardMoved = read.Add(-12 * h) })},
			[]string{"network/khala network.unpaid warning"}},
		{"paid again, for a moment only, by a few", 10, 100, []change{state(unpaidFor(20 * h)), view(func(v *fleet.ChainView) { v.Totals.RewardResumed = read })}, nil},
		{"everybody's trouble", 10, 100, []change{state(is("Unresponsive", 2*h)), sessions(300, 2000), before(khala, "Unheard", h)}, []string{"network/khala network.unheard warning"}},
		{"everybody's trouble, and a bridge that was stopped", 4, 25, []change{part(0, 25, is("CoolingDown", h)), sessions(300, 2000), before(khala, "Unheard", h)},
			[]string{"network/khala network.unheard info", "bridge/prb-b bridge.chain.cooling critical"}},
		{"most of those that are enabled", 4, 25, []change{part(0, 3, marked), func(in *decide.NetworkInput) {
			for i := 5; i < 25; i++ {
				in.Bridges[0].Workers[i].Enabled, in.Bridges[0].Workers[i].Condition = false, fleet.Disabled
			}
		}}, []string{"bridge/prb-b bridge.chain.unheard critical"}},
		{"everybody's trouble, for a moment", 10, 100, []change{state(is("Unresponsive", 2*h)), sessions(300, 2000)}, nil},
		{"all moved to another pool", 2, 25, []change{state(inPool(7)), rememberAll("v2.chain.elsewhere", h)}, []string{"network/khala network.chain.elsewhere critical"}},
		{"all of an old view", 10, 100, []change{state(marked), view(func(v *fleet.ChainView) { v.At, v.Time = ago(h), ago(h) })}, nil},
		{"all while the chain stands", 10, 100, []change{state(marked), view(func(v *fleet.ChainView) { v.Time, v.Moved = read.Add(-h), read.Add(-h) })}, []string{"network/khala network.stands warning"}},
		{"all of another network", 10, 100, []change{state(marked), strangers}, nil},
		{"all while their bridges are silent", 2, 25, []change{state(marked), func(in *decide.NetworkInput) {
			for b := range in.Bridges {
				for i := range in.Bridges[b].Workers {
					in.Bridges[b].Workers[i].Probe = silentFor(20 * m)
				}
			}
		}}, nil},
		{"all while they catch up", 2, 25, []change{state(marked), func(in *decide.NetworkInput) {
			for b := range in.Bridges {
				for i := range in.Bridges[b].Workers {
					w := &in.Bridges[b].Workers[i]
					w.Condition, w.Para.Value = fleet.Syncing, w.Para.Value-500
				}
			}
		}}, nil},
	}
	texts := catalog(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in := networkOf(tt.bridges, tt.workers)
			for _, f := range tt.given {
				f(&in)
			}
			ds := everybody(in)
			for _, d := range ds {
				sound(t, d)
				said(t, texts, d)
			}
			if got := wakes(ds); !slices.Equal(got, tt.want) {
				t.Errorf("a person is told of\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(tt.want, "\n"))
			}
		})
	}
}

// halves puts the first half of each bridge's workers into pool 83, the others into 84.
func halves(in *decide.NetworkInput) {
	pools(in, func(i, n int) uint64 { return 83 + uint64(2*i/n) })
}

// untold takes the pools out of what the bridges tell.
func untold(in *decide.NetworkInput) {
	for b := range in.Bridges {
		for i := range in.Bridges[b].Workers {
			in.Bridges[b].Workers[i].PID = 0
		}
	}
}

// onePool puts all workers into pool 83.
func onePool(in *decide.NetworkInput) {
	pools(in, func(int, int) uint64 { return 83 })
}

// pools puts the i-th of a bridge's n workers into a pool.
func pools(in *decide.NetworkInput, of func(i, n int) uint64) {
	var all []*fleet.BridgeStatus
	for b := range in.Bridges {
		workers := in.Bridges[b].Workers
		for i := range workers {
			workers[i].PID = of(i, len(workers))
		}
		all = append(all, &in.Bridges[b])
	}
	in.View = onChain(all...)
}

// each changes the first few workers of each bridge.
func each(bridges, workers, few int, changes ...chainChange) func(*decide.NetworkInput) {
	return func(in *decide.NetworkInput) {
		for b := range bridges {
			inView(in, b*workers, b*workers+few, changes...)
		}
	}
}

// rememberAll has the newest decision about every worker made by a rule that has spoken for so long.
func rememberAll(rule string, d time.Duration) func(*decide.NetworkInput) {
	return func(in *decide.NetworkInput) {
		in.Last = func(ref fleet.Ref) (fleet.Decision, bool) {
			return fleet.Decision{Target: ref, Rule: rule, Since: ago(d), At: ago(m)}, ref.Kind() == fleet.KindWorker
		}
	}
}

// strangers gives every worker a key that the chain was not asked about.
func strangers(in *decide.NetworkInput) {
	for b := range in.Bridges {
		for i := range in.Bridges[b].Workers {
			in.Bridges[b].Workers[i].PublicKey = keyOf(1_000_000 + 1000*b + i)
		}
	}
}

// Whose trouble is their parent's says so, waits for it and keeps its own words.
func TestChildrenOfTheChain(t *testing.T) {
	in := networkOf(4, 25)
	inView(&in, 0, 25, is("Unresponsive", 2*h))
	suspicions, _ := decide.Network(in)
	if len(suspicions) != 1 || len(suspicions[0].Members) != 25 || suspicions[0].Total != 25 || !suspicions[0].Since.Equal(read.Add(-2*h)) {
		t.Fatalf("%+v", suspicions)
	}
	for _, d := range everybody(in) {
		if d.Target.Parent() != prbB {
			continue
		}
		if d.Verdict != fleet.Wait || d.Suspect != prbB || d.Severity != fleet.Info || d.Reason.Code != "chain.unheard" || d.Witnesses[1].Code != "chain.shared" {
			t.Fatalf("%+v", d)
		}
	}
}

// Who is plainly well is asked about once for each reading, and who is not, or is not seen, at every look.
func TestOddWorkers(t *testing.T) {
	in := networkOf(1, 9)
	inView(&in, 1, 2, is("Unresponsive", m))
	inView(&in, 2, 3, unpaidFor(12*h))
	inView(&in, 3, 4, inPool(91))
	inView(&in, 4, 5, unregistered)
	inView(&in, 5, 6, operatedBy("45other"))
	in.Bridges[0].Workers[6].Condition = fleet.Unknown
	in.Bridges[0].Workers[7].Probe = silentFor(h)
	in.Bridges[0].Workers[8].PublicKey = ""
	odd := in.Odd()
	for i, want := range []bool{false, true, true, true, true, false, true, true, false} {
		if ref := in.Bridges[0].Workers[i].Ref; odd[ref] != want {
			t.Errorf("number %d: %v", i, odd[ref])
		}
	}
	b := watchedBridge(1)
	chained(b.Chain, 0, is("Unresponsive", 2*h))
	for _, tc := range []struct {
		odd  map[fleet.Ref]bool
		want string
	}{{nil, "v2.chain.unheard"}, {map[fleet.Ref]bool{}, "v2.active"}, {map[fleet.Ref]bool{b.Status.Workers[0].Ref: true}, "v2.chain.unheard"}} {
		b.ChainOdd = tc.odd
		if _, ds := decide.Bridge(b); ds[0].Rule != tc.want {
			t.Errorf("%v: %s", tc.odd, ds[0].Rule)
		}
	}
	in.View.At = ago(h)
	if in.Odd() != nil {
		t.Error("of an old view")
	}
}

// What was suspected by a view that is old by now is nobody's trouble.
func TestAnOldSuspicion(t *testing.T) {
	in := networkOf(2, 25)
	inView(&in, 0, 25, is("Unresponsive", 2*h))
	suspicions, _ := decide.Network(in)
	node := healthyNode()
	b := decide.BridgeInput{Status: in.Bridges[0], Node: &node.Status, DataProvider: "dp/dp-1", Policy: in.Policy, Now: now, Chain: in.View, ChainSuspicions: suspicions}
	if d, _ := decide.Bridge(b); d.Rule != "bridge.chain.unheard" {
		t.Fatalf("%+v", d)
	}
	for _, old := range []*fleet.ChainView{nil, {}, {Probe: fleet.Probe{At: ago(h)}, Time: ago(h), Workers: in.View.Workers}} {
		b.Chain = old
		if d, ds := decide.Bridge(b); d.Verdict != fleet.Healthy || ds[0].Verdict != fleet.Healthy {
			t.Errorf("%+v", d)
		}
	}
}

// What many shared does not end while those who suffer from it are out of sight; and a bridge that was out of sight hears the chain
// only once it is known again what its workers share.
func TestOutOfSightIsNotOver(t *testing.T) {
	in := networkOf(2, 25)
	halves(&in)
	inView(&in, 0, 12, is("CoolingDown", h))
	inView(&in, 25, 37, is("CoolingDown", h))
	_, ds := decide.Network(in)
	if ds[1].Target != pool83 || ds[1].Rule != "stakepool.chain.cooling" || ds[1].Verdict != fleet.Person {
		t.Fatalf("%+v", ds[1])
	}
	if heard := in.Heard(); !heard["bridge/prb-b"] || !heard["bridge/prb-c"] {
		t.Errorf("heard %v", heard)
	}
	for b := range in.Bridges {
		for i := range in.Bridges[b].Workers {
			in.Bridges[b].Workers[i].Condition = fleet.Unknown
		}
	}
	if heard := in.Heard(); heard["bridge/prb-b"] || heard["bridge/prb-c"] {
		t.Errorf("out of sight, and heard %v", heard)
	}
	for range 3 { // as long as it takes
		in.Last = remembering(ds...)
		if _, ds = decide.Network(in); ds[1].Rule != "stakepool.hidden" || ds[1].Verdict != fleet.Wait || ds[1].Severity != "" || ds[2].Verdict != fleet.Healthy {
			t.Fatalf("out of sight: %+v / %+v", ds[1], ds[2])
		}
		said(t, catalog(t), ds[1])
	}
	for b := range in.Bridges {
		for i := range in.Bridges[b].Workers {
			in.Bridges[b].Workers[i].Condition = fleet.Working
		}
	}
	in.Last = remembering(ds...)
	if _, again := decide.Network(in); again[1].Rule != "stakepool.chain.cooling" {
		t.Errorf("seen again: %+v", again[1])
	}
	state(is("Idle", 5*m))(&in)
	if _, over := decide.Network(in); over[1].Verdict != fleet.Healthy {
		t.Errorf("over: %+v", over[1])
	}
	in.Last = remembering(fleet.Decision{Target: pool83, Rule: "stakepool.gas"})
	in.Bridges[0].Workers[0].Condition = fleet.Unknown
	if _, over := decide.Network(in); over[1].Verdict != fleet.Healthy {
		t.Errorf("another trouble is over when it is not seen: %+v", over[1])
	}
	in.Last = remembering(fleet.Decision{Target: "stakepool/khala/84", Rule: "stakepool.chain.cooling"})
	if _, over := decide.Network(in); over[2].Verdict != fleet.Healthy {
		t.Errorf("only workers of another pool are out of sight: %+v", over[2])
	}
}

// An operator's own rule may act on the chain's word, as long as that is a fact, and not on what many share.
func TestOwnRuleAboutTheChain(t *testing.T) {
	ask := func(in decide.NetworkInput, change func(*decide.BridgeInput)) fleet.Decision {
		suspicions, _ := decide.Network(in)
		node := healthyNode()
		b := decide.BridgeInput{Status: in.Bridges[0], Node: &node.Status, DataProvider: "dp/dp-1", Policy: in.Policy, Now: now, Chain: in.View, ChainSuspicions: suspicions}
		b.Policy.Rules = []decide.UserRule{own(t, "marked", `worker.chain.state == "Unresponsive"`, 0)}
		change(&b)
		_, ds := decide.Bridge(b)
		return ds[0]
	}
	in := networkOf(2, 25)
	inView(&in, 0, 1, is("Unresponsive", 5*m))
	if d := ask(in, func(*decide.BridgeInput) {}); d.Rule != "user.marked" || d.Verdict != fleet.Act {
		t.Errorf("one alone: %+v", d)
	}
	if d := ask(in, func(b *decide.BridgeInput) { b.Now, b.Policy.TooOld = now.Add(h), 2*h }); d.Rule != "v2.active" || len(d.Holds) != 1 || d.Holds[0].Why.Code != "rule.unknown" {
		t.Errorf("of an old view: %+v", d)
	}
	inView(&in, 0, 25, is("Unresponsive", 5*m))
	if d := ask(in, func(*decide.BridgeInput) {}); d.Rule != "v2.chain.unheard" || d.Verdict != fleet.Wait || d.Holds[0].Why.Code != "rule.parent_first" {
		t.Errorf("of many: %+v", d)
	}
}
