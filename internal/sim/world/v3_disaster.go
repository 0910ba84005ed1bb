package world

import (
	"cmp"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"
)

// More kinds of faults: disasters, and the dead ends of v3.
const (
	WorkerDeadEnd = "worker.dead_end" // v3: a state that only a restart of the worker ends; text: late, restarted, sync (default)
	CacheStale    = "cache.stale"     // a headers-cache answers, and takes no new headers
	IdentityLost  = "identity.lost"   // a pRuntime comes back with another public key, knowing no chain
	SegmentLoss   = "segment.loss"    // a /24 of pRuntimes (target 127.0.100.0/24) cannot be reached
	DiskFull      = "disk.full"       // a host's disk: nodes and data providers exit with 1, v3 inventories refuse
	PowerCut      = "power.cut"       // a host loses its power; it and what ran come back after for, default 90 s
)

// Dead ends of a v3 worker.
const (
	DeadEndLate      = "late"      // its pRuntime came up after the first GetInfo
	DeadEndRestarted = "restarted" // its pRuntime went back to a checkpoint
	DeadEndSync      = "sync"      // one sync call was lost
)

const (
	powerBack    = 90 * time.Second
	diskDiesAt   = 2 * time.Second // from a process being up until it cannot write
	engineStarts = 5 * time.Second // from the power being back until the first container starts
)

// disasterKinds are the kinds of this file.
func disasterKinds() []string {
	return []string{WorkerDeadEnd, CacheStale, IdentityLost, SegmentLoss, DiskFull, PowerCut}
}

// disasters are the victims of a kind of this file; false for any other kind.
func (w *World) disasters(kind string) ([]victim, bool) {
	var all []victim
	switch kind {
	case WorkerDeadEnd:
		for _, b := range w.V3Bridges() {
			all = append(all, b.victims("worker")...)
		}
	case CacheStale:
		for _, h := range w.HeadersCaches() {
			all = append(all, victim{h.Name, h.strike})
		}
	case IdentityLost:
		for _, p := range w.Pruntimes() {
			for _, f := range p.holders() {
				all = append(all, victim{f.name(), func(Fault) { p.loseIdentity() }})
			}
		}
	case SegmentLoss:
		all = w.segments()
	case DiskFull:
		for _, h := range w.Hosts() {
			all = append(all, victim{h.Name, h.fill})
		}
	case PowerCut:
		for _, h := range w.Hosts() {
			all = append(all, victim{h.Name, h.cutPower})
		}
	default:
		return nil, false
	}
	slices.SortStableFunc(all, func(a, b victim) int { return cmp.Compare(a.name, b.name) })
	return all, true
}

// segments are the networks of 256 addresses that pRuntimes live in.
func (w *World) segments() []victim {
	members := map[string][]*Pruntime{}
	for _, p := range w.Pruntimes() {
		if s := segment(p.Endpoint); s != "" {
			members[s] = append(members[s], p)
		}
	}
	var all []victim
	for name, within := range members {
		all = append(all, victim{name, func(f Fault) {
			for _, p := range within {
				p.suffer(f)
			}
		}})
	}
	return all
}

func segment(endpoint string) string {
	u, err := url.Parse(endpoint)
	if err != nil {
		return ""
	}
	a, err := netip.ParseAddr(u.Hostname())
	if err != nil {
		return ""
	}
	p, err := a.Prefix(24)
	if err != nil {
		return ""
	}
	return p.String()
}

// fill makes the disk full. What writes all the time dies of it, as often as it is started.
func (h *Host) fill(f Fault) {
	h.DiskFull = true
	for _, c := range h.Containers() {
		if c.Up() {
			c.dieOfDisk()
		}
	}
	h.w.heal(f, func() { h.DiskFull = false })
}

// dieOfDisk ends a process that cannot write: a node's or a data provider's.
func (c *Container) dieOfDisk() {
	if !c.host.DiskFull || !strings.Contains(c.Image, "-node") && c.Service != "data_provider" && c.Service != "fetch" {
		return
	}
	c.after(diskDiesAt, func() {
		if c.host.DiskFull {
			c.Exit(1)
		}
	})
}

// cutPower ends every process at once. When the power is back, so is what ran.
func (h *Host) cutPower(f Fault) {
	wasDown := h.Down
	h.Down, h.dark = true, true
	var ran []*Container
	for _, c := range h.Containers() {
		if c.alive() {
			ran = append(ran, c)
			c.powerless()
		}
	}
	off := or(f.For, powerBack)
	h.w.After(off, func() { h.Down, h.dark = wasDown, false })
	h.w.After(off+engineStarts, func() {
		for _, c := range ran {
			if !c.alive() {
				c.restarts, c.backoff = 0, 0
				c.launch()
			}
		}
	})
}

// powerless ends a process without a word; the engine, which is gone too, calls that 255.
func (c *Container) powerless() {
	c.again = false
	if c.state == StateRestarting {
		c.epoch++
		c.state = StateExited
		return
	}
	c.stopping = true // no restart policy without an engine
	c.gone(255)
}
