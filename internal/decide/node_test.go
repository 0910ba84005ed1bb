package decide_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"phalops/internal/decide"
	"phalops/internal/fleet"
)

const (
	m     = time.Minute
	h     = time.Hour
	nodeA = fleet.Ref("node/a")
)

// chain is a chain that answers, has peers, and knows nothing higher than its own best block.
func chain(best int64, frozen time.Duration) *fleet.ChainStatus {
	return &fleet.ChainStatus{Probe: answered, URL: "http://127.0.0.1:9944", Best: at(best, frozen), Target: at(best, frozen), Peers: 25}
}

// running is the container of a node that was started a day ago.
func running() *fleet.ContainerStatus {
	return &fleet.ContainerStatus{Probe: answered, Name: "phala-node", State: "running", Started: ago(24 * h)}
}

// healthyNode is a node where nothing is wrong.
func healthyNode() decide.NodeInput {
	return decide.NodeInput{
		Status: fleet.NodeStatus{Ref: nodeA, Site: "dc1", Para: chain(3_000_000, 5*time.Second), Relay: chain(15_000_000, 3*time.Second),
			Container: running(), Condition: fleet.NodeHealthy, Since: ago(48 * h)},
		CanRestart: true, Policy: defaults, Now: now,
	}
}

func other(name string, para *fleet.ChainStatus) fleet.NodeStatus {
	return fleet.NodeStatus{Ref: fleet.NodeRef(name), Site: "dc1", Para: para, Relay: chain(15_000_000, 3*time.Second)}
}

func with(c *fleet.ChainStatus, change func(*fleet.ChainStatus)) *fleet.ChainStatus {
	change(c)
	return c
}

func peers(n int) func(*fleet.ChainStatus) { return func(c *fleet.ChainStatus) { c.Peers = n } }

func dark(d time.Duration) func(*fleet.ChainStatus) {
	return func(c *fleet.ChainStatus) { c.Probe = silentFor(d) }
}

func noTarget(c *fleet.ChainStatus) { c.Target = fleet.Height{} }

// bothDark is a node whose two RPCs have been silent for so long.
func bothDark(d time.Duration) func(*decide.NodeInput) {
	return func(in *decide.NodeInput) { dark(d)(in.Status.Para); dark(d)(in.Status.Relay) }
}

func frozenPara(d time.Duration) func(*decide.NodeInput) {
	return func(in *decide.NodeInput) { in.Status.Para = chain(3_000_000, d) }
}

// witnessed adds a second node that is ahead and grows.
func witnessed(in *decide.NodeInput) {
	in.Others = append(in.Others, other("b", chain(3_000_100, 5*time.Second)))
}

func restarted(ended ...time.Duration) func(*decide.NodeInput) {
	return func(in *decide.NodeInput) {
		for _, d := range ended {
			in.Attempts = append(in.Attempts, tried(nodeA, decide.ActionNodeRestart, d))
		}
	}
}

func TestNode(t *testing.T) {
	type change = func(*decide.NodeInput)
	tests := []struct {
		name      string
		given     []change
		condition fleet.NodeCondition
		verdict   fleet.Verdict
		rule      string
		guards    string
		severity  fleet.Severity
	}{
		{"all well", nil, fleet.NodeHealthy, fleet.Healthy, "node.healthy", "", ""},
		{"a one-chain node", []change{func(in *decide.NodeInput) { in.Status.Relay = nil }}, fleet.NodeHealthy, fleet.Healthy, "node.healthy", "", ""},
		{"no chain at all", []change{func(in *decide.NodeInput) { in.Status.Para, in.Status.Relay = nil, nil }}, fleet.NodeUnknown, fleet.Wait, "node.unseen", "", ""},
		{"highestBlock omitted at the tip", []change{func(in *decide.NodeInput) { noTarget(in.Status.Para); noTarget(in.Status.Relay) }}, fleet.NodeHealthy, fleet.Healthy, "node.healthy", "", ""},
		{"a block or two behind its peers", []change{func(in *decide.NodeInput) { in.Status.Para.Target = at(3_000_002, 0) }}, fleet.NodeHealthy, fleet.Healthy, "node.healthy", "", ""},
		{"isSyncing true at the tip with a known target", []change{func(in *decide.NodeInput) { in.Status.Para.Syncing = new(true) }}, fleet.NodeHealthy, fleet.Healthy, "node.healthy", "", ""},

		{"syncing and growing", []change{func(in *decide.NodeInput) { in.Status.Para.Target = at(3_500_000, 0) }}, fleet.NodeSyncing, fleet.HandsOff, "node.syncing", "", ""},
		{"syncing without highestBlock", []change{func(in *decide.NodeInput) { noTarget(in.Status.Para); in.Status.Para.Syncing = new(true) }}, fleet.NodeSyncing, fleet.HandsOff, "node.syncing", "", ""},
		{"a reference head shows that it is behind", []change{func(in *decide.NodeInput) { in.Reference = []fleet.ChainStatus{*chain(3_002_000, 0)} }}, fleet.NodeSyncing, fleet.HandsOff, "node.syncing", "", ""},
		{"growing, but the distance grows too", []change{func(in *decide.NodeInput) {
			in.Status.Para.Target = at(3_001_000, 0)
			early := with(chain(2_999_900, 0), func(c *fleet.ChainStatus) { c.At, c.Target = ago(10*m), at(3_000_000, 10*m) })
			in.Earlier = &fleet.NodeStatus{Ref: nodeA, Para: early}
		}}, fleet.NodeLagging, fleet.Person, "node.lagging", "", fleet.Warning},
		{"blocks without finality", []change{func(in *decide.NodeInput) { in.Status.Para.Finalized = at(2_999_000, 40*m) }}, fleet.NodeLagging, fleet.Person, "node.finality", "", fleet.Warning},
		{"pausing", []change{frozenPara(3 * m)}, fleet.NodeHealthy, fleet.Wait, "node.pausing", "", ""},

		{"frozen while the second node grows", []change{frozenPara(6 * m), witnessed}, fleet.NodeStalled, fleet.Act, "node.stalled.witness", "", fleet.Warning},
		{"frozen while a reference head grows", []change{frozenPara(6 * m), func(in *decide.NodeInput) { in.Reference = []fleet.ChainStatus{*chain(3_000_050, 0)} }},
			fleet.NodeStalled, fleet.Act, "node.stalled.witness", "", fleet.Warning},
		{"relay frozen while the second node's relay grows", []change{witnessed, func(in *decide.NodeInput) {
			in.Status.Relay = chain(14_999_000, 7*m)
		}}, fleet.NodeStalled, fleet.Act, "node.stalled.witness", "", fleet.Warning},
		{"relay frozen alone: the outside heads are the parachain's", []change{func(in *decide.NodeInput) {
			in.Status.Relay = chain(15_000_000, 7*m)
			in.Reference = []fleet.ChainStatus{*chain(3_000_000, 0)}
		}}, fleet.NodeStalled, fleet.Wait, "node.alone", "guard.holddown", fleet.Warning},
		{"frozen, peers are ahead and grow", []change{frozenPara(6 * m), func(in *decide.NodeInput) { in.Status.Para.Target = at(3_000_030, 5*time.Second) }},
			fleet.NodeStalled, fleet.Act, "node.stalled.target", "", fleet.Warning},
		{"frozen, peers are ahead and grow, the second node stands still too", []change{frozenPara(6 * m), func(in *decide.NodeInput) {
			in.Status.Para.Target = at(3_000_030, 5*time.Second)
			in.Others = []fleet.NodeStatus{other("b", chain(3_000_000, 6*m))}
		}}, fleet.NodeStalled, fleet.Act, "node.stalled.target", "", fleet.Warning},
		{"frozen, highestBlock ahead and nobody else", []change{frozenPara(6 * m), func(in *decide.NodeInput) { in.Status.Para.Target = at(3_000_030, 6*m) }},
			fleet.NodeStalled, fleet.Act, "node.stalled.target", "", fleet.Warning},
		{"frozen and so is a witness, highestBlock ahead but frozen too", []change{frozenPara(6 * m), func(in *decide.NodeInput) {
			in.Status.Para.Target = at(3_000_030, 6*m)
			in.Others = []fleet.NodeStatus{other("b", chain(3_000_030, 6*m))}
		}}, fleet.NodeNetworkStalled, fleet.Person, "node.network_stalled", "", fleet.Warning},

		{"lone node, equal heights, too early", []change{frozenPara(6 * m)}, fleet.NodeStalled, fleet.Wait, "node.alone", "guard.holddown", fleet.Warning},
		{"lone node, twice the time", []change{frozenPara(11 * m)}, fleet.NodeStalled, fleet.Act, "node.alone", "", fleet.Warning},
		{"lone node, highestBlock omitted", []change{frozenPara(11 * m), func(in *decide.NodeInput) { noTarget(in.Status.Para) }}, fleet.NodeStalled, fleet.Act, "node.alone", "", fleet.Warning},
		{"lone node, the restart did not help", []change{frozenPara(30 * m), restarted(15 * m)}, fleet.NodeNetworkStalled, fleet.Person, "node.alone.rest", "", fleet.Critical},
		{"lone node, a first reading after the restart is no cure", []change{frozenPara(14 * m), restarted(15 * m)}, fleet.NodeNetworkStalled, fleet.Person, "node.alone.rest", "", fleet.Critical},
		{"lone node, it did help and it froze again later", []change{frozenPara(11 * m), restarted(50 * m)}, fleet.NodeStalled, fleet.Act, "node.alone", "", fleet.Warning},
		{"lone node, after the six hours", []change{frozenPara(7 * h), restarted(6*h + m)}, fleet.NodeStalled, fleet.Act, "node.alone", "", fleet.Warning},
		{"lone node, an aborted restart proves nothing", []change{frozenPara(30 * m), restarted(15 * m), func(in *decide.NodeInput) {
			in.Attempts[0].Outcome = fleet.PlanAborted
		}}, fleet.NodeStalled, fleet.Act, "node.alone", "", fleet.Warning},
		{"a silent second node is no witness", []change{frozenPara(11 * m), func(in *decide.NodeInput) {
			in.Others = []fleet.NodeStatus{other("b", with(chain(3_000_000, 11*m), dark(10*m)))}
		}}, fleet.NodeStalled, fleet.Act, "node.alone", "", fleet.Warning},
		{"a second node far below is no witness", []change{frozenPara(11 * m), func(in *decide.NodeInput) {
			in.Others = []fleet.NodeStatus{other("b", chain(2_000_000, 2*h))}
		}}, fleet.NodeStalled, fleet.Act, "node.alone", "", fleet.Warning},
		{"a second node that catches up through our height decides nothing yet", []change{frozenPara(11 * m), func(in *decide.NodeInput) {
			in.Others = []fleet.NodeStatus{other("b", chain(3_000_001, 2*time.Second))}
		}}, fleet.NodeStalled, fleet.Wait, "node.stalled.unsure", "", fleet.Warning},
		{"itself among the others is no witness", []change{frozenPara(11 * m), func(in *decide.NodeInput) {
			in.Others = []fleet.NodeStatus{in.Status}
		}}, fleet.NodeStalled, fleet.Act, "node.alone", "", fleet.Warning},

		{"chain halt: both nodes stand within a beat of each other", []change{frozenPara(5*m + 10*time.Second), func(in *decide.NodeInput) {
			in.Others = []fleet.NodeStatus{other("b", chain(3_000_001, 4*m+50*time.Second))}
		}}, fleet.NodeNetworkStalled, fleet.Person, "node.network_stalled", "", fleet.Warning},
		{"chain halt: the reference head stands too", []change{frozenPara(20 * m), func(in *decide.NodeInput) {
			in.Reference = []fleet.ChainStatus{*chain(3_000_000, 20*m)}
		}}, fleet.NodeNetworkStalled, fleet.Person, "node.network_stalled", "", fleet.Warning},
		{"two witnesses, one grows: the chain lives", []change{frozenPara(20 * m), witnessed, func(in *decide.NodeInput) {
			in.Reference = []fleet.ChainStatus{*chain(3_000_000, 20*m)}
		}}, fleet.NodeStalled, fleet.Act, "node.stalled.witness", "", fleet.Warning},
		{"relay halted, parachain freezes with it", []change{frozenPara(20 * m), func(in *decide.NodeInput) {
			in.Status.Relay = chain(15_000_000, 21*m)
			b := other("b", chain(3_000_000, 20*m))
			b.Relay = chain(15_000_000, 21*m)
			in.Others = []fleet.NodeStatus{b}
		}}, fleet.NodeNetworkStalled, fleet.Person, "node.network_stalled", "", fleet.Warning},
		{"nothing for three days", []change{frozenPara(73 * h)}, fleet.NodeNetworkEnded, fleet.Person, "node.network_ended", "", fleet.Warning},
		{"nothing for three days, and the node stopped since", []change{frozenPara(73 * h), bothDark(h), func(in *decide.NodeInput) {
			in.Status.Para.Best.MovedAt = ago(80 * h)
			in.Status.Container.State = "exited"
		}}, fleet.NodeNetworkEnded, fleet.Person, "node.network_ended", "", fleet.Warning},
		{"three days, but a peer is higher", []change{frozenPara(73 * h), func(in *decide.NodeInput) { in.Status.Para.Target = at(3_100_000, 5*time.Second) }},
			fleet.NodeStalled, fleet.Act, "node.stalled.target", "", fleet.Warning},

		{"no peers", []change{frozenPara(6 * m), func(in *decide.NodeInput) { in.Status.Para.Peers = 0 }}, fleet.NodeStarved, fleet.Act, "node.starved", "", fleet.Warning},
		{"no peers, second node fine", []change{frozenPara(6 * m), witnessed, func(in *decide.NodeInput) { in.Status.Para.Peers = 0 }}, fleet.NodeStarved, fleet.Act, "node.starved", "", fleet.Warning},
		{"no peers anywhere: the uplink", []change{frozenPara(6 * m), func(in *decide.NodeInput) {
			in.Status.Para.Peers = 0
			in.Others = []fleet.NodeStatus{other("b", with(chain(3_000_000, 6*m), peers(0)))}
		}}, fleet.NodeStarved, fleet.Person, "node.starved.all", "", fleet.Critical},
		{"no peers but growing", []change{func(in *decide.NodeInput) { in.Status.Para.Peers = 0 }}, fleet.NodeHealthy, fleet.Healthy, "node.healthy", "", ""},
		{"peers unknown", []change{frozenPara(11 * m), func(in *decide.NodeInput) { in.Status.Para.Peers = -1 }}, fleet.NodeStalled, fleet.Act, "node.alone", "", fleet.Warning},

		{"one missed beat is nothing", []change{func(in *decide.NodeInput) {
			in.Status.Para.Probe = answered.Silent(ago(time.Second), fleet.Reason{})
		}}, fleet.NodeHealthy, fleet.Healthy, "node.healthy", "", ""},
		{"silent for a minute", []change{bothDark(m)}, fleet.NodeUnknown, fleet.Wait, "node.silent", "", ""},
		{"never asked", []change{func(in *decide.NodeInput) { in.Status.Para, in.Status.Relay = &fleet.ChainStatus{}, nil }}, fleet.NodeUnknown, fleet.Wait, "node.unseen", "", ""},
		{"no limit to the age of an answer configured", []change{func(in *decide.NodeInput) { in.Policy.TooOld = 0 }}, fleet.NodeHealthy, fleet.Healthy, "node.healthy", "", ""},
		{"an earlier reading too close to tell a growing lag", []change{func(in *decide.NodeInput) {
			in.Status.Para.Target = at(3_001_000, 0)
			in.Earlier = &fleet.NodeStatus{Ref: nodeA, Para: with(chain(2_999_990, 0), func(c *fleet.ChainStatus) { c.At = ago(m) })}
		}}, fleet.NodeSyncing, fleet.HandsOff, "node.syncing", "", ""},
		{"half an answer", []change{func(in *decide.NodeInput) { in.Status.Para.Best = fleet.Height{} }}, fleet.NodeUnknown, fleet.Wait, "node.half_answer", "", fleet.Info},
		{"phalops slept: old facts prove nothing", []change{frozenPara(30 * m), witnessed, func(in *decide.NodeInput) {
			in.Status.Para.Probe, in.Status.Relay.Probe = fleet.Probe{At: ago(10 * m)}, fleet.Probe{At: ago(10 * m)}
		}}, fleet.NodeUnknown, fleet.Wait, "node.silent", "", ""},
		{"phalops slept: the height is judged as of its answer", []change{func(in *decide.NodeInput) {
			in.Others = []fleet.NodeStatus{other("b", chain(3_000_020, 0))}
			in.Status.Para.Probe = fleet.Probe{At: ago(4 * m)}
			in.Status.Para.Best.MovedAt = ago(6 * m)
		}}, fleet.NodeHealthy, fleet.Healthy, "node.healthy", "", ""},
		{"container exited", []change{bothDark(3 * m), func(in *decide.NodeInput) { in.Status.Container.State = "exited" }}, fleet.NodeDown, fleet.Act, "node.down.exited", "", fleet.Warning},
		{"container runs, RPC hangs", []change{bothDark(3 * m)}, fleet.NodeDown, fleet.Act, "node.down.hangs", "", fleet.Warning},
		{"only the relay RPC hangs", []change{func(in *decide.NodeInput) { dark(3 * m)(in.Status.Relay) }}, fleet.NodeDown, fleet.Act, "node.down.hangs", "", fleet.Warning},
		{"container restarting again and again", []change{bothDark(12 * m), func(in *decide.NodeInput) { in.Status.Container.State = "restarting" }}, fleet.NodeDown, fleet.Person, "node.down.loop", "", fleet.Critical},
		{"container restarting for a while", []change{bothDark(4 * m), func(in *decide.NodeInput) { in.Status.Container.State = "restarting" }}, fleet.NodeDown, fleet.Wait, "node.down.loop", "", fleet.Warning},
		{"container paused by a person", []change{bothDark(4 * m), func(in *decide.NodeInput) { in.Status.Container.State = "paused" }}, fleet.NodeDown, fleet.Person, "node.down.paused", "", fleet.Critical},
		{"container was just started", []change{bothDark(3 * m), func(in *decide.NodeInput) { in.Status.Container.Started = ago(m) }}, fleet.NodeUnknown, fleet.Wait, "node.starting", "", fleet.Warning},
		{"never answered: an address, not a death", []change{func(in *decide.NodeInput) {
			in.Status.Relay.Probe = fleet.Probe{Failed: ago(h), Missed: 99}
			in.Status.Relay.Best = fleet.Height{}
		}}, fleet.NodeUnknown, fleet.Person, "node.never_answered", "", fleet.Critical},
		{"silent host", []change{bothDark(10 * m), func(in *decide.NodeInput) { in.HostSilent = true }}, fleet.NodeUnknown, fleet.Person, "node.host_silent", "", fleet.Critical},
		{"the engine's answer is old", []change{bothDark(10 * m), func(in *decide.NodeInput) { in.Status.Container.Probe = silentFor(10 * m) }}, fleet.NodeUnknown, fleet.Person, "node.host_silent", "", fleet.Critical},
		{"no container configured", []change{bothDark(10 * m), func(in *decide.NodeInput) { in.CanRestart, in.Status.Container = false, nil }}, fleet.NodeUnknown, fleet.Person, "node.unreachable", "", fleet.Critical},
		{"everything dark: phalops itself", []change{bothDark(10 * m), func(in *decide.NodeInput) { in.Blind = true }}, fleet.NodeUnknown, fleet.Wait, "node.blind", "", fleet.Warning},
		{"down while the chain stands still", []change{bothDark(10 * m), func(in *decide.NodeInput) {
			in.Others = []fleet.NodeStatus{other("b", chain(3_000_001, 11*m))}
		}}, fleet.NodeDown, fleet.Wait, "node.down.hangs", "guard.chain_silent", fleet.Warning},
		{"down while the other node grows", []change{bothDark(10 * m), witnessed}, fleet.NodeDown, fleet.Act, "node.down.hangs", "", fleet.Warning},

		{"no container: a person restarts it", []change{frozenPara(6 * m), witnessed, func(in *decide.NodeInput) { in.CanRestart = false }}, fleet.NodeStalled, fleet.Person, "node.stalled.witness", "guard.no_container", fleet.Critical},
		{"host silent while stalled", []change{frozenPara(6 * m), witnessed, func(in *decide.NodeInput) { in.HostSilent = true }}, fleet.NodeStalled, fleet.Person, "node.stalled.witness", "guard.host_silent", fleet.Critical},
		{"locked by somebody", []change{frozenPara(6 * m), witnessed, func(in *decide.NodeInput) { in.Locked = new(fleet.Because("guard.treating")) }}, fleet.NodeStalled, fleet.Wait, "node.stalled.witness", "guard.treating", fleet.Warning},
		{"a restart runs", []change{frozenPara(6 * m), witnessed, func(in *decide.NodeInput) {
			in.Attempts = []fleet.Attempt{{Target: nodeA, Kind: decide.ActionNodeRestart, At: ago(m), Outcome: fleet.PlanRunning}}
		}}, fleet.NodeStalled, fleet.Wait, "node.stalled.witness", "guard.treating", fleet.Warning},
		{"just restarted", []change{bothDark(3 * m), restarted(2 * m)}, fleet.NodeDown, fleet.Wait, "node.down.hangs", "guard.just_restarted", fleet.Warning},
		{"a person restarted it just now", []change{bothDark(3 * m), restarted(2 * m), func(in *decide.NodeInput) { in.Attempts[0].Author = "user:li" }},
			fleet.NodeDown, fleet.Wait, "node.down.hangs", "guard.just_restarted", fleet.Warning},
		{"backing off", []change{bothDark(3 * m), restarted(8 * m)}, fleet.NodeDown, fleet.Wait, "node.down.hangs", "guard.backoff", fleet.Warning},
		{"back-off over", []change{bothDark(3 * m), restarted(11 * m)}, fleet.NodeDown, fleet.Act, "node.down.hangs", "", fleet.Warning},
		{"back-off doubles", []change{bothDark(3 * m), restarted(30*m, 15*m)}, fleet.NodeDown, fleet.Wait, "node.down.hangs", "guard.backoff", fleet.Warning},
		{"doubled back-off over", []change{bothDark(3 * m), restarted(50*m, 21*m)}, fleet.NodeDown, fleet.Act, "node.down.hangs", "", fleet.Warning},
		{"budget used up", []change{bothDark(3 * m), restarted(5*h, 3*h, h)}, fleet.NodeDown, fleet.Person, "node.down.hangs", "guard.budget", fleet.Critical},
		{"budget free again", []change{bothDark(3 * m), restarted(6*h, 3*h, h)}, fleet.NodeDown, fleet.Act, "node.down.hangs", "", fleet.Warning},
		{"what people did costs no budget", []change{bothDark(3 * m), restarted(5*h, 3*h, h), func(in *decide.NodeInput) { in.Attempts[1].Author = "user:li" }},
			fleet.NodeDown, fleet.Act, "node.down.hangs", "", fleet.Warning},
		{"another node's restarts cost nothing", []change{bothDark(3 * m), restarted(5*h, 3*h, h), func(in *decide.NodeInput) { in.Attempts[1].Target = "node/b" }},
			fleet.NodeDown, fleet.Act, "node.down.hangs", "", fleet.Warning},
		{"maintenance", []change{bothDark(3 * m), func(in *decide.NodeInput) { in.Policy.Maintenance = true }}, fleet.NodeDown, fleet.Wait, "node.down.hangs", "guard.maintenance", fleet.Warning},
		{"observe", []change{bothDark(3 * m), func(in *decide.NodeInput) { in.Policy.Mode = decide.ModeObserve }}, fleet.NodeDown, fleet.WouldAct, "node.down.hangs", "guard.observe", fleet.Warning},

		{"the worse chain speaks", []change{frozenPara(11 * m), func(in *decide.NodeInput) { in.Status.Relay.Finalized = at(14_000_000, h) }}, fleet.NodeStalled, fleet.Act, "node.alone", "", fleet.Warning},
		{"a provable stall outweighs being alone", []change{frozenPara(30 * m), restarted(15 * m), func(in *decide.NodeInput) {
			in.Status.Relay = with(chain(15_000_000, 31*m), func(c *fleet.ChainStatus) { c.Target = at(15_000_300, 0) })
		}}, fleet.NodeStalled, fleet.Act, "node.stalled.target", "", fleet.Warning},
	}
	texts := catalog(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in := healthyNode()
			for _, f := range tt.given {
				f(&in)
			}
			d := decide.Node(in)
			if d.Condition != string(tt.condition) || d.Verdict != tt.verdict || d.Rule != tt.rule || guarded(d) != tt.guards || d.Severity != tt.severity {
				t.Errorf("got %s, %s, %s, guards %q, severity %q\nwant %s, %s, %s, guards %q, severity %q\n%+v",
					d.Condition, d.Verdict, d.Rule, guarded(d), d.Severity, tt.condition, tt.verdict, tt.rule, tt.guards, tt.severity, d)
			}
			sound(t, d)
			said(t, texts, d)
			if again := decide.Node(in); !cmp.Equal(d, again) {
				t.Errorf("the second time it is another decision:\n%s", cmp.Diff(d, again))
			}
		})
	}
}

func TestNodeRemembersSinceWhen(t *testing.T) {
	in := healthyNode()
	frozenPara(6 * m)(&in)
	witnessed(&in)
	if d := decide.Node(in); !d.Since.Equal(ago(6 * m)) {
		t.Errorf("a fresh stall is told to last since %v, want since the height stands still", d.Since)
	}
	in.Status.Condition, in.Status.Since = fleet.NodeStalled, ago(h)
	if d := decide.Node(in); !d.Since.Equal(ago(h)) {
		t.Errorf("an old stall is told to last since %v", d.Since)
	}
}

func TestNodeNextLook(t *testing.T) {
	tests := []struct {
		name  string
		given func(*decide.NodeInput)
		want  time.Time
	}{
		{"healthy: when standing still would begin to matter", func(*decide.NodeInput) {}, ago(5 * time.Second).Add(150 * time.Second)},
		{"silent: when it may be down", bothDark(m), now.Add(m)},
		{"alone: when the restart is due", frozenPara(6 * m), now.Add(4 * m)},
		{"alone at rest: when it may be tried again", func(in *decide.NodeInput) { frozenPara(30 * m)(in); restarted(15 * m)(in) }, now.Add(6*h - 15*m)},
		{"backing off", func(in *decide.NodeInput) { bothDark(3 * m)(in); restarted(8 * m)(in) }, now.Add(2 * m)},
		{"budget: when the oldest restart is forgotten", func(in *decide.NodeInput) { bothDark(3 * m)(in); restarted(5*h, 3*h, h)(in) }, now.Add(h - 2*m)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in := healthyNode()
			tt.given(&in)
			if d := decide.Node(in); !d.NextLook.Equal(tt.want) {
				t.Errorf("next look at %v, want %v (%s)", d.NextLook, tt.want, d.Rule)
			}
		})
	}
}

func TestNodeNamesItsDependantsAndWitnesses(t *testing.T) {
	in := healthyNode()
	frozenPara(6 * m)(&in)
	witnessed(&in)
	in.Dependants = []fleet.Ref{"dp/dp-1", "bridge/prb-b"}
	d := decide.Node(in)
	want := []fleet.Reason{
		fleet.Because("witness.moving", "who", "b", "height", 3_000_100),
		fleet.Because("node.dependants", "n", 2, "names", "dp-1, prb-b"),
	}
	if diff := cmp.Diff(want, d.Witnesses); diff != "" {
		t.Error(diff)
	}
}
