package world

import (
	"strings"
	"time"
)

// cureGrace is the time that a process gets to end when it is restarted by Cure.
const cureGrace = time.Minute

// Cure does what somebody who knew everything would do at this moment with the hands that everybody has: it restarts what a restart
// cures now, starts what is down for good, and restarts workers that their bridge has given up and that could work. What is on its way
// it leaves alone. It is no policy, but what policies are measured against.
func (w *World) Cure(miners []*Miner) {
	for _, n := range w.Nodes() {
		w.cureProcess(n.Host, n.container, ofNode(n.trouble))
	}
	for _, d := range w.DataProviders() {
		w.cureProcess(d.Host, d.container, d.trouble)
	}
	for _, b := range w.Bridges() {
		w.cureProcess(b.Host, b.lifecycle, ofKind(b.trouble, PeerFrozen))
		if b.monitor != nil {
			w.cureProcess(b.Host, b.monitor, ofKind(b.trouble, MonitorHang))
		}
	}
	for _, b := range w.V0Bridges() {
		w.cureProcess(b.Host, b.fetch, b.fetcher.trouble)
		w.cureProcess(b.Host, b.lifecycle, ofKind(b.trouble, PeerFrozen))
		w.cureProcess(b.Host, b.monitor, ofKind(b.trouble, MonitorHang))
	}
	for _, b := range w.V3Bridges() {
		w.cureProcess(b.Host, b.wm, ofKind(b.trouble, PeerFrozen))
		w.cureProcess(b.Host, b.monitor, ofKind(b.trouble, MonitorHang))
	}
	for _, m := range miners {
		m.cure()
	}
}

// cure restarts it where that helps, once nothing is wrong with what it hangs on.
func (m *Miner) cure() {
	if m.Earns() && !m.stuck() || !m.rt.Answers() || !m.feeder.Up() || !m.node.up {
		return
	}
	curable := false
	for _, t := range m.rt.trouble {
		curable = curable || t.curedBy == CuredByRestart && t.kind != WorkerMessage
	}
	if curable || m.stuck() {
		m.restart()
	}
}

// cureProcess restarts a container with a trouble that ends with its process, or starts one that is down for good.
func (w *World) cureProcess(host string, c *Container, ts []*trouble) {
	h := w.Host(host)
	switch {
	case c.Busy():
	case !c.alive():
		_ = h.Start(c.Name)
	case len(ts) > 0 && ts[0].curedBy == CuredByRestart && c.Up():
		_ = h.Restart(c.Name, cureGrace)
	}
}

func ofKind(ts []*trouble, kind string) []*trouble {
	for i, t := range ts {
		if t.kind == kind {
			return ts[i : i+1]
		}
	}
	return nil
}

func ofNode(ts []*trouble) []*trouble {
	for i, t := range ts {
		if strings.HasPrefix(t.kind, "node.") {
			return ts[i : i+1]
		}
	}
	return nil
}
