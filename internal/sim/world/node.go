package world

import (
	"slices"
	"time"
)

const (
	nodeCatchUp   = 40.0             // blocks per second that a node imports while behind
	nodeRPCAfter  = 4 * time.Second  // from the process being up until its RPC listens
	nodeRecovers  = 30 * time.Second // and after a SIGKILL, for what its database had not written in order
	finalityLag   = 3                // blocks between best and finalized
	majorSyncing  = 8                // blocks behind its target from which on a node says isSyncing
	linkLostAfter = time.Second      // until dependants notice that their socket died
)

// NodeSpec describes a node.
type NodeSpec struct {
	Name, Host, Container string
	Network               *Network
	Peers                 int    // default 40
	Version               string // system_version; default a build of 2023
	UnsafeRPC             bool   // system_peers is allowed from outside
	OmitsTarget           bool   // a build before 2022-08: no highestBlock while it is in step
	NullTarget            bool   // with OmitsTarget: such a build that writes null instead of leaving it out
	SplitPorts            bool   // a build before 2023-05: HTTP on 9933 and 9934, WebSocket on 9944 and 9945
	OneChain              bool   // any other Substrate node: its RPC has the first chain only
}

// Node is one process with a parachain and a relay chain.
type Node struct {
	NodeSpec

	w           *World
	container   *Container
	up          bool
	linked      bool // its RPC serves sockets
	links       int  // how often it began to
	trouble     []*trouble
	para, relay *NodeChain
	rpcAt       time.Time // when its RPC listens, if the process lives that long
	unflushed   bool      // its last process could not close its database
	generation  int
}

// NodeChain is one of a node's two chains.
type NodeChain struct {
	Chain *Chain

	node   *Node
	side   string // para | relay
	f      follower
	target int64 // what it believed to be the highest block when it was cut off; -1 while it sees the network
	start  int64
}

// AddNode puts a node on a host that exists; its container is made of image and takes 3 s to start and 8 s to stop.
func (w *World) AddNode(s NodeSpec, c Container) *Node {
	if s.Peers == 0 {
		s.Peers = 40
	}
	if s.Version == "" {
		s.Version = "0.1.26-83a98ee6fa2-x86_64-linux-gnu"
	}
	n := &Node{NodeSpec: s, w: w}
	n.para = &NodeChain{Chain: s.Network.Para, node: n, side: "para"}
	n.relay = &NodeChain{Chain: s.Network.Relay, node: n, side: "relay"}
	for _, nc := range n.Chains() {
		nc.start = nc.Chain.Head(w.now)
		nc.f = follower{base: nc.start, since: w.now, rate: nodeCatchUp, still: true}
		nc.target = -1
	}
	c.Name, c.OnStart, c.OnExit = s.Container, n.onStart, n.onExit
	c.StartTakes, c.StopTakes = or(c.StartTakes, 3*time.Second), or(c.StopTakes, 8*time.Second)
	n.container = w.Host(s.Host).Add(&c)
	w.parts.nodes[s.Name] = n
	return n
}

// Chains are its two chains, the parachain first.
func (n *Node) Chains() []*NodeChain { return []*NodeChain{n.para, n.relay} }

// Para is its parachain, Relay its relay chain.
func (n *Node) Para() *NodeChain { return n.para }

// Relay is its relay chain.
func (n *Node) Relay() *NodeChain { return n.relay }

// Listening reports whether its RPC ports are open.
func (n *Node) Listening() bool { return n.linked }

// Hung reports whether its RPC takes connections and never answers.
func (n *Node) Hung() bool { return n.has(NodeHang, "") }

func (n *Node) onStart() {
	opens := nodeRPCAfter
	if n.unflushed {
		opens += nodeRecovers
	}
	n.up, n.unflushed, n.rpcAt = true, false, n.w.now.Add(opens)
	n.generation++
	gen := n.generation
	for _, nc := range n.Chains() {
		nc.start = nc.f.base
	}
	n.w.After(opens, func() {
		if n.generation == gen && n.up {
			n.refresh()
		}
	})
	n.refresh()
}

func (n *Node) onExit(code int) {
	n.up = false
	n.generation++
	if code == 137 {
		n.unflushed = true
		n.w.harm(HarmNodeKilled, n.Name)
	}
	if byHand := code == n.container.StopCode || code == 137; byHand && n.w.fedBy(n) {
		n.w.harm(HarmNodeUnderLoad, n.Name)
	}
	n.trouble = slices.DeleteFunc(n.trouble, func(t *trouble) bool { return t.curedBy == CuredByRestart })
	n.refresh()
}

// settle makes it as if it had been running for long.
func (n *Node) settle() {
	for _, nc := range n.Chains() {
		nc.f.base, nc.f.since = nc.Chain.Head(n.w.now), n.w.now
	}
	n.linked, n.rpcAt = n.up, n.w.now
}

// refresh draws the consequences of what changed: which chain moves, and whether anybody can talk to it.
func (n *Node) refresh() {
	now := n.w.now
	for _, nc := range n.Chains() {
		moving := n.up && !n.has(NodeStall, nc.side) && !n.has(NodeStallImport, nc.side) && !n.has(NodePeersLost, "") && !n.has(NodeHang, "")
		if moving && nc.f.still {
			n.w.keepNotices(n)
		}
		blind := !n.up || n.has(NodeStall, nc.side) || n.has(NodePeersLost, "") || n.has(NodeHang, "")
		switch {
		case blind && nc.target < 0:
			nc.target = nc.Best(now)
		case !blind:
			nc.target = -1
		}
		nc.f.move(now, nc.Chain.Head(now), moving)
	}
	linked := n.up && !n.has(NodeRPCDown, "") && !now.Before(n.rpcAt)
	if was := n.linked; was != linked {
		n.linked = linked
		n.links++
		n.w.nodeLink(n, linked)
	}
}

func (n *Node) has(kind, side string) bool {
	return slices.ContainsFunc(n.trouble, func(t *trouble) bool {
		return t.kind == kind && (side == "" || t.chain == "" || t.chain == "both" || t.chain == side)
	})
}

// Best is its newest imported block.
func (c *NodeChain) Best(now time.Time) int64 { return c.f.at(now, c.Chain.Head(now)) }

// Finalized is its newest finalized block.
func (c *NodeChain) Finalized(now time.Time) int64 { return max(0, c.Best(now)-finalityLag) }

// Seen is the highest block that it believes its peers have. A node that sees nobody ahead of it believes in its own best
// one: what it has seen freezes with a node that is stuck.
func (c *NodeChain) Seen(now time.Time) int64 {
	if c.target < 0 {
		return max(c.Chain.Head(now), c.Best(now))
	}
	return max(c.target, c.Best(now))
}

// Target is highestBlock; false where the build leaves it out.
func (c *NodeChain) Target(now time.Time) (int64, bool) {
	seen := c.Seen(now)
	return seen, !c.node.OmitsTarget || seen-c.Best(now) > majorSyncing
}

// Start is the height with which the process began.
func (c *NodeChain) Start() int64 { return c.start }

// Syncing is isSyncing: behind a target that it knows of. A node that is stuck without knowing better says false.
func (c *NodeChain) Syncing(now time.Time) bool { return c.Seen(now)-c.Best(now) > majorSyncing }

// PeerCount is the number of its peers on this chain.
func (c *NodeChain) PeerCount() int {
	if c.node.has(NodePeersLost, "") {
		return 0
	}
	return c.node.Peers
}

// Knows reports whether it has imported block h.
func (c *NodeChain) Knows(now time.Time, h int64) bool { return h >= 0 && h <= c.Best(now) }

func or[T comparable](v, instead T) T {
	var zero T
	if v == zero {
		return instead
	}
	return v
}
