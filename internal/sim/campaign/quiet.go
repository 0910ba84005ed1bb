package campaign

import (
	"slices"
	"strings"
	"time"

	"phalops/internal/fleet"
)

// lately is how long ago a height may have moved that grows: more than two blocks, and two questions.
const lately = 45 * time.Second

// quiet lets beats pass that would see nothing new. While all is well with a bridge or a node its heights grow and nothing else
// happens, until an event of the world; so a beat is left out when
//
//   - the one before found all well: every decision healthy, every height moving, nothing under way, no incident;
//   - it is due exactly one poll after that, because nobody woke it;
//   - no event that could concern it has happened since, and none happens before the next one is due: the last look before an
//     event is a real one, and every history begins where it would have begun.
type quiet struct {
	off  bool
	well map[string]wellness // by the beat's id
}

// wellness is what is known of a beat's identity since it was beaten last, or left out.
type wellness struct {
	at    time.Time // on the daemon's clock
	well  bool
	after int64     // how many events of the world had happened
	since time.Time // and since when no more did
}

// leaveOut reports whether a beat that is due now is left out, and when it is due again.
func (d *Daemon) leaveOut(id string, now time.Time) (next time.Time, yes bool) {
	kind, name, _ := strings.Cut(id, "/")
	poll := d.config().Poll.Bridge
	switch fleet.Kind(kind) {
	case fleet.KindNode:
		poll = d.config().Poll.Node
	case fleet.KindBridge:
	default:
		return time.Time{}, false
	}
	was, known := d.quiet.well[id]
	if d.quiet.off || !known || !was.well || !now.Equal(was.at.Add(poll)) || d.clock.ahead != 0 || len(d.sim.daemons) > 1 || d.sim.bent[name] != nil {
		return time.Time{}, false
	}
	if fleet.Kind(kind) == fleet.KindNode && !d.bridgesWell(name) {
		return time.Time{}, false // its height is what those are held against
	}
	next = now.Add(poll)
	scope := scopeOf(id)
	if at, ok := d.sim.World.Soonest(scope); d.sim.World.Happened(scope) != was.after || ok && !at.After(next) {
		return time.Time{}, false
	}
	was.at = now
	d.quiet.well[id] = was
	return next, true
}

// scopeOf is whose events concern a beat.
func scopeOf(id string) string {
	if kind, name, _ := strings.Cut(id, "/"); fleet.Kind(kind) == fleet.KindBridge {
		return name
	}
	return ""
}

// beaten notes how a beat that ended left what it looks after.
func (d *Daemon) beaten(id string, began time.Time, err error) {
	if d.quiet.off {
		return
	}
	kind, name, _ := strings.Cut(id, "/")
	well := false
	switch fleet.Kind(kind) {
	case fleet.KindNode:
		well = d.nodeWell(name)
	case fleet.KindBridge:
		well = d.bridgeWell(name)
	default:
		return
	}
	now, happened := d.clock.Now(), d.sim.World.Happened(scopeOf(id))
	since := now
	if was, known := d.quiet.well[id]; known && was.after == happened {
		since = was.since
	}
	// What an event brought to a stop moved a moment ago.
	well = well && now.Sub(since) > lately && err == nil && began.Equal(now)
	d.quiet.well[id] = wellness{now, well, happened, since}
}

func (d *Daemon) nodeWell(name string) bool {
	n := d.Control.Board().Node(name)
	if !d.untouched(n.Ref) || !d.healthy(n.Ref) {
		return false
	}
	for _, c := range []*fleet.ChainStatus{n.Para, n.Relay} {
		if c != nil && (c.Missed > 0 || !moves(c.Best, c.At)) {
			return false
		}
	}
	return n.Container == nil || n.Container.Running()
}

func (d *Daemon) bridgeWell(name string) bool {
	b := d.Control.Board().Bridge(name)
	if !d.untouched(b.Ref) || !d.healthy(b.Ref) || b.Monitor.Missed > 0 || b.Lifecycle.Missed > 0 {
		return false
	}
	for i := range b.DataProviders {
		if dp := &b.DataProviders[i]; dp.Missed > 0 || !moves(dp.Para, dp.At) {
			return false
		}
	}
	for i := range b.Workers {
		w := &b.Workers[i]
		for _, h := range []fleet.Height{w.Para, w.ParaHeader, w.Relay} {
			if h.Known && !moves(h, w.At) {
				return false
			}
		}
		if w.Running && !w.Para.Known || !d.healthy(w.Ref) {
			return false
		}
	}
	return true
}

// bridgesWell reports whether all is well with everything that hangs on a node.
func (d *Daemon) bridgesWell(node string) bool {
	for _, s := range d.config().Sites {
		for _, b := range s.Bridges {
			if b.Node == node && !d.quiet.well[string(fleet.BridgeRef(b.Name))].well {
				return false
			}
		}
	}
	return true
}

// healthy reports whether nothing is wrong with a target. When it would be, if its heights stood still from now on, does not matter: they
// move.
func (d *Daemon) healthy(ref fleet.Ref) bool {
	decision, known := d.Control.Board().Decision(ref)
	return known && decision.Verdict == fleet.Healthy
}

// untouched reports whether nobody works on a target or on what hangs on it, and no incident of theirs is open.
func (d *Daemon) untouched(ref fleet.Ref) bool {
	for _, p := range d.Control.Board().Plans() {
		if slices.ContainsFunc(p.Locks, ref.Overlaps) {
			return false
		}
	}
	return !slices.ContainsFunc(d.Control.Incidents(), func(i fleet.Incident) bool { return i.Target.Overlaps(ref) })
}

func moves(h fleet.Height, at time.Time) bool { return h.Known && h.FrozenFor(at) < lately }
