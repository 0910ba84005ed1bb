package world

import (
	"slices"
	"time"
)

// V0Spec describes a v0 bridge.
type V0Spec struct {
	Name, Host, Project string
	Node                *Node  // the node that fetch, lifecycle and trade have sockets to
	Hostname            string // of the lifecycle; default lifecycle
	// NoRestart leaves out the restart policy, as the official example does; the community's compose file has always.
	NoRestart bool
	// FetchRunsOn makes fetch outlive a lost node: it never sees the blocks of the gap, and makes no blob until it is
	// restarted. Otherwise it exits, as lifecycle and trade do.
	FetchRunsOn bool
	// NewUUID gives the identity of a new record; default from the world's seed. name may be empty.
	NewUUID func(name string) string
}

// V0Bridge is a v0 bridge: ten containers around two Redis and a key-value server. Its records and blobs outlive every
// process.
type V0Bridge struct {
	V0Spec

	w                           *World
	monitor, fetch, lifecycle   *Container
	trade, io, redis            *Container
	trouble                     []*trouble
	redisUp, queueUp, ioUp      bool
	monitorUp, monitorConnected bool
	tradeUp, tradeLinked        bool

	fetcher v0Fetcher

	pools   *v0Table[V0Pool]
	workers *v0Table[Worker]
	rows    int

	lifecycleUp, answers, database bool
	run                            int
	contexts                       map[string]*V0Context
}

const v0Checks = 2 * time.Second // until a process needs what it depends on

// AddV0Bridge puts a v0 bridge on a host that exists, with the containers of its compose project: <project>_redis_1,
// _redis-q_1, _io_1, _fetch_1, _lifecycle_1, _trade_1, _monitor_1, _arena_1, _inspect_1. None of them runs yet.
func (w *World) AddV0Bridge(s V0Spec) *V0Bridge {
	s.Hostname = or(s.Hostname, "lifecycle")
	b := &V0Bridge{V0Spec: s, w: w, contexts: map[string]*V0Context{}}
	b.pools, b.workers = newV0Tables()
	b.fetcher = newV0Fetcher(b)
	h := w.Host(s.Host)
	add := func(service, image string, onStart func(), onExit func(int)) *Container {
		return h.Add(&Container{Name: s.Project + "_" + service + "_1", Image: image, Project: s.Project, Service: service,
			RestartAlways: !s.NoRestart, StartTakes: time.Second, StopTakes: 500 * time.Millisecond, OnStart: onStart, OnExit: onExit})
	}
	const prb, redis = "phalanetwork/prb:latest", "redis:alpine"
	b.redis = add("redis", redis, func() { b.redisUp = true }, func(int) { b.redisUp = false })
	add("redis-q", redis, func() { b.queueUp = true }, func(int) { b.queueUp = false })
	b.io = add("io", prb, func() { b.ioUp = true }, b.ioExits)
	b.fetch = add("fetch", prb, b.fetcher.starts, b.fetcher.exits)
	b.lifecycle = add("lifecycle", prb, b.lifecycleStarts, b.lifecycleExits)
	b.trade = add("trade", prb, b.tradeStarts, func(int) { b.tradeUp = false })
	b.monitor = add("monitor", "phalanetwork/prb-monitor:latest", func() { b.monitorUp = true }, b.monitorExits)
	b.monitor.StartTakes = 3 * time.Second
	add("arena", prb, nil, nil)
	add("inspect", prb, nil, nil)
	w.parts.kin[s.Name] = b
	return b
}

// V0Bridges are all v0 bridges in the order of their names.
func (w *World) V0Bridges() []*V0Bridge {
	var all []*V0Bridge
	for _, k := range w.kin() {
		if b, ok := k.(*V0Bridge); ok {
			all = append(all, b)
		}
	}
	return all
}

// V0Bridge finds a v0 bridge; nil when there is none of that name.
func (w *World) V0Bridge(name string) *V0Bridge {
	b, _ := w.parts.kin[name].(*V0Bridge)
	return b
}

// ioExits breaks the sockets of everybody who uses the database. Nobody connects anew: fetch, lifecycle and trade have to
// be restarted after it.
func (b *V0Bridge) ioExits(int) {
	b.ioUp = false
	b.database, b.tradeLinked = false, false
	b.fetcher.cutOff()
	b.refeed()
}

func (b *V0Bridge) tradeStarts() {
	b.tradeUp, b.tradeLinked = true, b.ioUp
	b.trade.after(v0Checks, func() {
		if !b.Node.linked || !b.ioUp {
			b.trade.Exit(255)
		}
	})
}

// trades reports whether transactions of the workers get through.
func (b *V0Bridge) trades() bool { return b.queueUp && b.tradeUp && b.tradeLinked }

func (b *V0Bridge) monitorExits(int) {
	b.monitorUp, b.monitorConnected = false, false
	b.trouble = withoutKind(b.trouble, MonitorHang)
}

// MonitorListening reports whether the monitor's port is open.
func (b *V0Bridge) MonitorListening() bool { return b.monitorUp }

// MonitorHung reports whether the monitor takes connections and never answers.
func (b *V0Bridge) MonitorHung() bool { return hasKind(b.trouble, MonitorHang) }

// CrashMonitor is what a field of a wrong type does: its encoder throws where nobody catches.
func (b *V0Bridge) CrashMonitor() { b.monitor.Exit(1) }

// Delay is by how much the bridge's replies are late at present, in real time.
func (b *V0Bridge) Delay() time.Duration {
	if t := find(b.trouble, BridgeSlow); t != nil {
		return t.delay
	}
	return 0
}

// V0Reach is how far a question to the message bus gets.
type V0Reach int

// How far a question gets.
const (
	V0Answered  V0Reach = iota // whoever it is for answers
	V0Silent                   // nobody does
	V0BusLost                  // Redis went away under the monitor: nobody does, and the monitor exits
	V0BusAbsent                // Redis was never there: the monitor waits without limit
)

// Ask tells how far a question to the fetcher, or to the lifecycle, gets; database says that it takes the stored records.
func (b *V0Bridge) Ask(fetcher, database bool) V0Reach {
	switch {
	case !b.redisUp && !b.monitorConnected:
		return V0BusAbsent
	case !b.redisUp:
		return V0BusLost
	}
	b.monitorConnected = true
	there := b.answers && (b.database || !database)
	if fetcher {
		there = b.fetcher.listening && b.fetcher.linked
	}
	if !there || hasKind(b.trouble, PeerFrozen) {
		return V0Silent
	}
	return V0Answered
}

func (b *V0Bridge) settle() {
	b.fetcher.settle()
	if !b.lifecycleUp || !b.ioUp {
		return
	}
	b.run++ // as if it had not been waiting for anybody
	b.answers, b.database, b.tradeLinked = true, true, true
	b.later(v0Scan, b.scan)
	for _, w := range b.Workers() {
		if c := b.runnable(w); c != nil && b.contexts[w.UUID] == nil {
			b.contexts[w.UUID] = c
			c.settle()
		}
	}
}

func (b *V0Bridge) unlinked(n *Node) {
	if b.Node != n {
		return
	}
	if b.lifecycleUp {
		b.later(linkLostAfter, func() { b.lifecycle.Exit(255) })
	}
	if b.tradeUp {
		b.trade.after(linkLostAfter, func() { b.trade.Exit(255) })
	}
	b.fetcher.unlinked()
}

func (b *V0Bridge) fedBy(n *Node) bool {
	return b.Node == n && slices.ContainsFunc(b.running(), func(c *V0Context) bool { return c.feeding })
}

func (b *V0Bridge) keepNotices(n *Node) {
	if n == nil || n == b.Node {
		for _, c := range b.running() {
			c.keepNotice()
		}
	}
}

func (b *V0Bridge) rebase() {
	for _, c := range b.running() {
		if c.rt != nil && c.feeding {
			c.rt.rebase()
		}
	}
}

func (b *V0Bridge) holders(p *Pruntime) []feeder {
	var all []feeder
	for _, c := range b.running() {
		if c.rt == p {
			all = append(all, c)
		}
	}
	return all
}

func (b *V0Bridge) victims(what string) []victim {
	var all []victim
	switch what {
	case "dp":
		all = append(all, victim{b.Name + "/fetch", b.fetcher.strike})
	case "lifecycle", "monitor", "bridge", "peer":
		all = append(all, victim{b.Name, b.strike})
	case "worker", "pruntime":
		for _, c := range b.running() {
			if c.rt != nil {
				all = append(all, victim{c.name(), c.strike})
			}
		}
	}
	return all
}

func (b *V0Bridge) strike(f Fault) {
	switch f.Kind {
	case LifecycleCrash:
		b.lifecycle.Exit(1)
		return
	case MonitorCrash:
		b.monitor.Exit(1)
		return
	}
	t := b.w.newTrouble(f)
	b.trouble = append(b.trouble, t)
	b.refeed()
	b.w.heal(f, func() {
		b.trouble = without(b.trouble, t)
		b.keepNotices(nil)
		b.refeed()
	})
}

// refeed makes every context feed, or not, as its state and the processes allow.
func (b *V0Bridge) refeed() {
	for _, c := range b.running() {
		c.refeed()
	}
}
