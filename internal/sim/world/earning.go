package world

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// earnsWithin is how many parachain blocks a worker may be behind the network and earn all the same: two minutes.
const earnsWithin = 10

// Miner is a worker of a bridge as the world knows it, whatever anybody believes of it. It outlives its bridge's processes.
type Miner struct {
	Bridge, Name, ID string // ID is the bridge's own

	rt      *Pruntime
	host    string // of its bridge
	source  string // the name of its data provider; "" where there is none
	node    *Node
	trouble func() []*trouble // of its bridge
	feeder  *Container        // the lifecycle, or wm
	// provider hands it blocks; nil where the bridge reads its node itself.
	provider func() (trouble []*trouble, c *Container)
	stuck    func() bool
	restart  func()
}

// Miners are the enabled workers of all bridges that have a pRuntime, in the order of their names. Solo workers are not among them.
func (w *World) Miners() []*Miner {
	var all []*Miner
	add := func(m Miner, name, id, endpoint string, enabled bool) {
		m.Name, m.ID, m.rt = name, id, w.parts.pruntimes[strings.TrimSuffix(endpoint, "/")]
		if enabled && m.rt != nil {
			all = append(all, &m)
		}
	}
	for _, b := range w.Bridges() {
		m := Miner{Bridge: b.Name, host: b.Host, node: b.Node, feeder: b.lifecycle, trouble: func() []*trouble { return b.trouble }}
		if len(b.Providers) > 0 {
			d := b.Providers[0]
			m.node, m.source = d.Node, d.Name
			m.provider = func() ([]*trouble, *Container) { return d.trouble, d.container }
		}
		for _, row := range b.workers {
			m.stuck = func() bool {
				c := b.byWorker[row.UUID]
				return c != nil && (c.state == StateError || c.state == StateKicked)
			}
			m.restart = func() { _, _ = b.Act(ActionRestart, []string{row.UUID}) }
			add(m, row.Name, row.UUID, row.Endpoint, row.Enabled)
		}
	}
	for _, b := range w.V0Bridges() {
		m := Miner{Bridge: b.Name, host: b.Host, node: b.Node, feeder: b.lifecycle, trouble: func() []*trouble { return b.trouble },
			provider: func() ([]*trouble, *Container) { return b.fetcher.trouble, b.fetch }}
		for _, row := range b.workers.all() {
			m.stuck = func() bool {
				c := b.contexts[row.UUID]
				return c != nil && (c.state == StateError || c.state == StateKicked)
			}
			m.restart = func() { _ = b.Restart([]V0ID{{UUID: row.UUID}}) }
			add(m, row.Name, row.UUID, row.Endpoint, row.Enabled)
		}
	}
	for _, b := range w.V3Bridges() {
		m := Miner{Bridge: b.Name, host: b.Host, node: b.Nodes[0], feeder: b.wm, trouble: func() []*trouble { return b.trouble }}
		for _, row := range b.rows {
			m.stuck = func() bool {
				c := b.context(row.ID)
				return c != nil && (c.halted || c.mute || c.state == V3HasError && !c.syncing)
			}
			m.restart = func() { _ = b.Act(V3Restart, []string{row.ID}) }
			add(m, row.Name, row.ID, row.Endpoint, row.Enabled)
		}
	}
	slices.SortFunc(all, func(x, y *Miner) int { return cmp.Or(cmp.Compare(x.Bridge, y.Bridge), cmp.Compare(x.Name, y.Name)) })
	return all
}

// Ref is its name in Faults and Effects: prb-a/w-07.
func (m *Miner) Ref() string { return m.Bridge + "/" + m.Name }

// Node is the node that its blocks come from.
func (m *Miner) Node() string { return m.node.Name }

// Provider is the data provider that its blocks come from; "" where its bridge reads the node itself.
func (m *Miner) Provider() string { return m.source }

// Network is the network that it computes for.
func (m *Miner) Network() string { return m.rt.network.Name }

// Touched is when anything was last done to a container of its bridge's host; zero: never.
func (m *Miner) Touched() time.Time {
	if all := m.rt.w.hosts[m.host].effects; len(all) > 0 {
		return all[len(all)-1].At
	}
	return time.Time{}
}

// Earns reports whether it computes: somebody sends it blocks, it takes them, and it is no more than two minutes of blocks behind its
// network. While the whole chain stands still nobody can be behind.
func (m *Miner) Earns() bool {
	return !m.rt.para.still && m.rt.Lag() <= earnsWithin
}

// Behind is since when it has had no new block: when the network made the first one that it lacks beyond the usual few.
func (m *Miner) Behind() time.Time {
	para, _ := m.rt.Heights()
	return m.rt.network.Para.when(para + finalityLag + 1)
}

// Ails is the kind of the fault that is wrong with it or with what it hangs on (its node, its data provider, its bridge), the
// shared one first; "" where nothing is, or only what a fault has left behind: see Left.
func (m *Miner) Ails() string {
	if ts := ofNode(m.node.trouble); len(ts) > 0 {
		return ts[0].kind
	}
	if m.provider != nil {
		if ts, _ := m.provider(); len(ts) > 0 {
			return ts[0].kind
		}
	}
	for _, t := range m.trouble() {
		if t.kind == PeerFrozen {
			return t.kind
		}
	}
	for _, t := range m.rt.trouble {
		if t.kind != WorkerMessage {
			return t.kind
		}
	}
	return ""
}

// Left reports whether something waits for a hand although no fault is there any more: its bridge has given it up, or a process that it
// hangs on is down and nothing brings it back.
func (m *Miner) Left() bool {
	if !m.node.container.alive() || !m.feeder.alive() || m.stuck() {
		return true
	}
	if m.provider != nil {
		_, c := m.provider()
		return !c.alive()
	}
	return false
}
