package world

import (
	"slices"
	"time"
)

const (
	wmConnects   = 2 * time.Second  // from the process being up until it has tried its nodes
	wmReconnects = 30 * time.Second // between two attempts to reach a node that was lost
	wmFills      = 3 * time.Second  // to look through relay headers that it has already
	wmLoads      = 3 * time.Second  // from the port being open until the workers exist
	wmRPCTimeout = 3 * time.Minute  // of a call to a pRuntime
)

// V3Spec describes a v3 bridge.
type V3Spec struct {
	Name, Host, Project string
	Nodes               []*Node       // its data sources: the first one that is connected is read
	Cache               *HeadersCache // where its relay headers come from when the nodes are pruned; may be nil
	Backlog             time.Duration // how long v3.2 downloads relay headers at its very first start before its port opens
	V30                 bool          // the generation of 2023: v3.0 instead of v3.2
}

// V3Bridge is a v3 bridge: the worker manager wm and a monitor. Inventory and pool operators outlive every process; workers'
// contexts and transactions do not.
type V3Bridge struct {
	V3Spec

	w           *World
	wm, monitor *Container
	trouble     []*trouble

	up, listening, looping, filled, monitorUp bool
	run                                       int
	connected                                 map[*Node]bool

	pools     []V3Pool
	rows      []V3Row
	operators []V3Operator
	uuids     int
	contexts  []*V3Worker
	pending   []*V3Tx
	past      []*V3Tx // newest first, never trimmed
	txCount   int
}

// AddV3Bridge puts a v3 bridge on a host that exists, with the containers <project>_wm_1 and <project>_monitor_1. None of
// them runs yet.
func (w *World) AddV3Bridge(s V3Spec) *V3Bridge {
	b := &V3Bridge{V3Spec: s, w: w, connected: map[*Node]bool{}}
	h := w.Host(s.Host)
	b.wm = h.Add(&Container{Name: s.Project + "_wm_1", Image: "phalanetwork/prb3:25031701", Project: s.Project, Service: "wm",
		RestartAlways: true, StartTakes: time.Second, StopTakes: time.Second, StopCode: 143, OnStart: b.wmStarts, OnExit: b.wmExits})
	b.monitor = h.Add(&Container{Name: s.Project + "_monitor_1", Image: "phalanetwork/prb3-monitor:latest", Project: s.Project,
		Service: "monitor", RestartAlways: true, StartTakes: time.Second, StopTakes: time.Second,
		OnStart: func() { b.monitorUp = true }, OnExit: func(int) {
			b.monitorUp = false
			b.trouble = withoutKind(b.trouble, MonitorHang)
		}})
	w.parts.v3s[s.Name] = b
	w.parts.kin[s.Name] = b
	return b
}

// V3Bridges are all v3 bridges in the order of their names.
func (w *World) V3Bridges() []*V3Bridge { return inOrder(w.parts.v3s) }

// V3Bridge finds a v3 bridge; nil when there is none of that name.
func (w *World) V3Bridge(name string) *V3Bridge { return w.parts.v3s[name] }

// Listening reports whether wm's port is open.
func (b *V3Bridge) Listening() bool { return b.listening }

// Hung reports whether wm takes connections and never answers.
func (b *V3Bridge) Hung() bool { return hasKind(b.trouble, PeerFrozen) }

// MonitorListening reports whether the monitor's port is open.
func (b *V3Bridge) MonitorListening() bool { return b.monitorUp }

// MonitorHung reports whether the monitor takes connections and never answers.
func (b *V3Bridge) MonitorHung() bool { return hasKind(b.trouble, MonitorHang) }

// Delay is by how much wm's replies are late at present, in real time.
func (b *V3Bridge) Delay() time.Duration {
	if t := find(b.trouble, BridgeSlow); t != nil {
		return t.delay
	}
	return 0
}

// later does f d from now unless wm's process is another one by then.
func (b *V3Bridge) later(after time.Duration, f func()) {
	run := b.run
	b.w.After(after, func() {
		if b.up && b.run == run {
			f()
		}
	})
}

func (b *V3Bridge) wmStarts() {
	b.up = true
	b.run++
	for _, n := range b.Nodes {
		b.later(wmConnects, func() { b.connect(n) })
	}
}

func (b *V3Bridge) wmExits(int) {
	for _, c := range b.contexts {
		c.drop()
	}
	b.contexts, b.pending, b.past, b.txCount = nil, nil, nil, 0
	b.up, b.listening, b.looping = false, false, false
	b.connected = map[*Node]bool{}
	b.run++
	b.trouble = withoutKind(b.trouble, PeerFrozen)
}

// connect tries a node until it answers.
func (b *V3Bridge) connect(n *Node) {
	if !n.linked {
		b.later(wmReconnects, func() { b.connect(n) })
		return
	}
	first := b.node() == nil
	b.rebase()
	b.connected[n] = true
	b.rebase()
	b.sourceChanged()
	if first && !b.listening {
		b.prepare()
	}
}

// prepare is what wm does between its first node and its workers. v3.2 has no port until it has the relay chain's headers.
func (b *V3Bridge) prepare() {
	fills := wmFills
	if !b.filled {
		fills += b.Backlog
	}
	listen := func() { b.listening = true }
	if b.V30 {
		listen()
	}
	b.later(fills, func() {
		b.filled = true
		listen()
		b.later(wmLoads, b.form)
	})
}

// form gives every worker of the inventory a context.
func (b *V3Bridge) form() {
	b.looping = true
	for _, row := range b.rows {
		b.addContext(row).begin()
	}
}

func (b *V3Bridge) unlinked(n *Node) {
	if !b.up || !b.connected[n] {
		return
	}
	b.later(linkLostAfter, func() {
		b.rebase()
		delete(b.connected, n)
		b.rebase()
		b.sourceChanged()
		b.later(wmReconnects, func() { b.connect(n) })
	})
}

// node is the one that it reads at present; nil when it is connected to none.
func (b *V3Bridge) node() *Node {
	for _, n := range b.Nodes {
		if b.connected[n] {
			return n
		}
	}
	return nil
}

// source are the heights up to which it knows the chains; 0 while it is connected to no node.
func (b *V3Bridge) source() (para, relay int64) {
	n := b.node()
	if n == nil || b.Hung() {
		return 0, 0
	}
	return n.para.Finalized(b.w.now), n.relay.Finalized(b.w.now)
}

func (b *V3Bridge) sourceChanged() {
	for _, c := range b.contexts {
		c.sourceChanged()
	}
}

func (b *V3Bridge) rebase() {
	for _, c := range b.contexts {
		if c.feeding {
			c.keepNotice()
			c.rt.rebase()
		}
	}
}

// context finds a worker's context; nil when it has none.
func (b *V3Bridge) context(id string) *V3Worker {
	if i := slices.IndexFunc(b.contexts, func(c *V3Worker) bool { return c.Row.ID == id }); i >= 0 {
		return b.contexts[i]
	}
	return nil
}

func (b *V3Bridge) addContext(row V3Row) *V3Worker {
	c := &V3Worker{Row: row, b: b}
	b.contexts = append(b.contexts, c)
	return c
}

func (b *V3Bridge) settle() {
	if !b.up {
		return
	}
	b.run++
	b.filled, b.listening, b.looping = true, true, true
	for _, n := range b.Nodes {
		if n.linked {
			b.connected[n] = true
		} else {
			b.later(wmReconnects, func() { b.connect(n) })
		}
	}
	for _, row := range b.rows {
		b.addContext(row).settle()
	}
}

func (b *V3Bridge) fedBy(n *Node) bool {
	return false // it is made to lose its node: stopping one under it harms nothing
}

func (b *V3Bridge) keepNotices(n *Node) {
	if n != nil && !slices.Contains(b.Nodes, n) {
		return
	}
	for _, c := range b.contexts {
		c.keepNotice()
	}
}

func (b *V3Bridge) holders(p *Pruntime) []feeder {
	var all []feeder
	for _, c := range b.contexts {
		if c.rt == p {
			all = append(all, c)
		}
	}
	return all
}
