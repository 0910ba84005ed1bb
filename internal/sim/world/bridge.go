package world

import (
	"slices"
	"time"
)

const (
	monitorMeets     = 3 * time.Second         // from a peer, or the monitor, coming up until the table has it
	lifecycleListens = 1500 * time.Millisecond // until the lifecycle can be dialled
	lifecycleChecks  = 2 * time.Second         // until it needs its node
	lifecycleForms   = 3 * time.Second         // until its runners have read the database
)

// BridgeSpec describes a v2 bridge.
type BridgeSpec struct {
	Name, Host, Project string
	Node                *Node           // the node that its lifecycle and trade have sockets to
	Providers           []*DataProvider // the first that runs is read from
	Hostname            string          // default lifecycle
	Identity            string          // default production
	BuiltInTrader       bool            // no trade container
	ConfigMode          bool            // PHALA_LIFECYCLE_CONFIG_MODE: the API only, no runners
	BlobTimeout         time.Duration   // default 150 s
	RPCTimeout          time.Duration   // PHALA_PRPC_REQUEST_TIMEOUT; default 60 s, as the guides set it
	MonitorOf           *Bridge         // it has no monitor of its own: this bridge's monitor knows its lifecycle too
}

// Bridge is a v2 bridge: monitor, lifecycle, trade, redis-q. Its inventory outlives every process.
type Bridge struct {
	BridgeSpec
	LifecyclePeer string

	w                                 *World
	monitor, lifecycle, trade, redisQ *Container // monitor and trade may be nil
	trouble                           []*trouble

	monitorUp  bool
	monitorRun int
	table      []Peer

	pools   []Pool
	workers []Worker
	rows    int // uuids given so far

	lifecycleUp, listening, formed bool
	run                            int
	contexts                       []*Context
	byWorker                       map[string]*Context
	tradeUp, redisUp               bool
}

// Peer is one line of a monitor's discover table.
type Peer struct {
	ID, Hostname  string
	Role          int // 1 internal data provider, 3 lifecycle manager
	ChainIdentity string
	Identity      string
	Addr          string

	provider *DataProvider
	bridge   *Bridge
}

// Roles of peers.
const (
	RoleDataProvider = 1
	RoleLifecycle    = 3
)

func peerOf(d *DataProvider) Peer {
	return Peer{ID: d.PeerID, Hostname: d.Hostname, Role: RoleDataProvider, ChainIdentity: d.Node.Network.Para.Hash(1),
		Identity: d.Identity, Addr: "/ip4/127.0.0.1/tcp/28888/p2p/" + d.PeerID, provider: d}
}

func (b *Bridge) peer() Peer {
	return Peer{ID: b.LifecyclePeer, Hostname: b.Hostname, Role: RoleLifecycle, ChainIdentity: b.Node.Network.Para.Hash(1),
		Identity: b.Identity, Addr: "/ip4/127.0.0.1/tcp/29888/p2p/" + b.LifecyclePeer, bridge: b}
}

// AddBridge puts a v2 bridge on a host that exists, with the containers of its compose project: <project>_lifecycle_1,
// _trade_1, _redis-q_1, _monitor_1. None of them runs yet.
func (w *World) AddBridge(s BridgeSpec) *Bridge {
	s.Hostname, s.Identity = or(s.Hostname, "lifecycle"), or(s.Identity, "production")
	s.BlobTimeout, s.RPCTimeout = or(s.BlobTimeout, 150*time.Second), or(s.RPCTimeout, time.Minute)
	b := &Bridge{BridgeSpec: s, LifecyclePeer: w.peerID("lm/" + s.Name), w: w, byWorker: map[string]*Context{}}
	h := w.Host(s.Host)
	add := func(service, image string, always bool, onStart func(), onExit func(int)) *Container {
		return h.Add(&Container{Name: s.Project + "_" + service + "_1", Image: image, Project: s.Project, Service: service,
			RestartAlways: always, StartTakes: time.Second, StopTakes: time.Second, OnStart: onStart, OnExit: onExit})
	}
	b.lifecycle = add("lifecycle", "phalanetwork/prb:next", true, b.lifecycleStarts, b.lifecycleExits)
	if !s.BuiltInTrader {
		b.trade = add("trade", "phalanetwork/prb:next", true, b.tradeStarts, func(int) { b.tradeUp = false })
	}
	b.redisQ = add("redis-q", "redis:alpine", true, func() { b.redisUp = true }, func(int) { b.redisUp = false })
	if s.MonitorOf == nil {
		b.monitor = add("monitor", "phalanetwork/prb-monitor:next", false, b.monitorStarts, b.monitorExits)
	}
	w.parts.bridges[s.Name] = b
	return b
}

// trades reports whether transactions of the workers get through.
func (b *Bridge) trades() bool { return b.redisUp && (b.tradeUp || b.BuiltInTrader) }

// MonitorListening reports whether the monitor's port is open.
func (b *Bridge) MonitorListening() bool { return b.monitorUp }

// MonitorHung reports whether the monitor takes connections and never answers.
func (b *Bridge) MonitorHung() bool { return hasKind(b.trouble, MonitorHang) }

// Delay is by how much the bridge's replies are late at present, in real time.
func (b *Bridge) Delay() time.Duration {
	for _, t := range b.trouble {
		if t.kind == BridgeSlow {
			return t.delay
		}
	}
	return 0
}

func (b *Bridge) tradeStarts() {
	b.tradeUp = true
	b.trade.after(lifecycleChecks, func() {
		if !b.Node.linked {
			b.trade.Exit(255)
		}
	})
}

func (b *Bridge) monitorLater(after time.Duration, f func()) {
	run := b.monitorRun
	b.w.After(after, func() {
		if b.monitorUp && b.monitorRun == run {
			f()
		}
	})
}

func (b *Bridge) monitorStarts() {
	b.monitorUp = true
	b.monitorRun++
	b.table = nil
	b.monitorLater(monitorMeets, b.meetAll)
}

func (b *Bridge) monitorExits(int) {
	b.monitorUp = false
	b.monitorRun++
	b.trouble = withoutKind(b.trouble, MonitorHang)
}

// meetAll shakes hands with everybody who is there; who is not will be met when it comes.
func (b *Bridge) meetAll() {
	for _, d := range b.Providers {
		if d.listening {
			b.meet(peerOf(d))
		}
	}
	for _, o := range b.w.Bridges() {
		if o.listening && b.meets(o.peer()) {
			b.meet(o.peer())
		}
	}
}

func (b *Bridge) meets(p Peer) bool {
	if p.bridge != nil {
		return p.bridge == b || p.bridge.MonitorOf == b
	}
	return slices.Contains(b.Providers, p.provider)
}

// meet adds a peer to the table, which is never pruned: only a restart of the monitor empties it.
func (b *Bridge) meet(p Peer) {
	if !slices.ContainsFunc(b.table, func(o Peer) bool { return o.ID == p.ID }) {
		b.table = append(b.table, p)
	}
}

// Discover is the monitor's table: data providers, then lifecycle managers, each in the order in which they were met.
func (b *Bridge) Discover() (providers, lifecycles []Peer) {
	for _, p := range b.table {
		if p.Role == RoleDataProvider {
			providers = append(providers, p)
		} else {
			lifecycles = append(lifecycles, p)
		}
	}
	return providers, lifecycles
}

// Dialled is what comes of dialling a peer.
type Dialled int

// What comes of dialling a peer.
const (
	DialUnknown Dialled = iota // not in the table
	DialRefused                // nobody listens
	DialFrozen                 // nothing comes back, ever
	DialOK
)

// Dial dials a peer of the monitor's table. Provider is nil when it is a lifecycle manager, and the other way round.
func (b *Bridge) Dial(peerID string) (how Dialled, peer Peer, provider *DataProvider, lifecycle *Bridge) {
	i := slices.IndexFunc(b.table, func(p Peer) bool { return p.ID == peerID })
	if i < 0 {
		return DialUnknown, Peer{}, nil, nil
	}
	p := b.table[i]
	listening, frozen := false, false
	if p.provider != nil {
		listening, frozen = p.provider.listening, p.provider.Frozen()
	} else {
		listening, frozen = p.bridge.listening, hasKind(p.bridge.trouble, PeerFrozen)
	}
	switch {
	case frozen:
		how = DialFrozen
	case listening:
		how = DialOK
	default:
		how = DialRefused
	}
	return how, p, p.provider, p.bridge
}
