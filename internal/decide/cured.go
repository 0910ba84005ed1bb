package decide

import (
	"time"

	"phalops/internal/fleet"
)

// provedWithin is how recently a height must have moved to prove that something works now.
const provedWithin = 2 * time.Minute

// WorkerCured reports whether the worker whose trouble was began at was.Since counts as recovered: it is Working or
// Syncing, and its height moved after the trouble began and lately, as the bridge or the pRuntime itself tells. A worker that nobody wants to work any more (Disabled,
// CoolingDown, Leaving) counts as well: there is nothing left to heal. w carries this beat's Condition.
func WorkerCured(was fleet.Decision, w fleet.WorkerStatus, p Policy, now time.Time) bool {
	if !p.current(w.Probe, now) {
		return false
	}
	switch w.Condition {
	case fleet.Disabled, fleet.CoolingDown, fleet.Leaving:
		return true
	case fleet.Working, fleet.Syncing:
		if p := w.Pruntime; p != nil && p.Missed == 0 && moved(p.Para, p.At, was.Since) && now.Sub(p.At) < provedWithin {
			return true
		}
		if w.Condition == fleet.Working {
			return moved(w.Para, w.At, was.Since)
		}
		return moved(w.Para, w.At, was.Since) || moved(w.ParaHeader, w.At, was.Since) || moved(w.Relay, w.At, was.Since)
	}
	return false
}

// NodeCured reports whether the node whose trouble was began at was.Since counts as recovered: it is Healthy or Syncing,
// and each of its chains moved after the trouble began and lately, without jumping back; where no block became final, that
// must move again as well. n carries this beat's Condition.
func NodeCured(was fleet.Decision, n fleet.NodeStatus, p Policy, now time.Time) bool {
	if n.Condition != fleet.NodeHealthy && n.Condition != fleet.NodeSyncing {
		return false
	}
	final := was.Rule == "node.finality" || was.Rule == "node.finality.own"
	proved := false
	for _, c := range []*fleet.ChainStatus{n.Para, n.Relay} {
		if c == nil {
			continue
		}
		if !p.current(c.Probe, now) || !moved(c.Best, c.At, was.Since) || swings(c) {
			return false
		}
		if final && c.Finalized.Known && c.Finalized.FrozenFor(c.At) >= finalityAfter {
			return false
		}
		proved = true
	}
	return proved
}

func moved(h fleet.Height, at, since time.Time) bool {
	return h.Known && h.MovedAt.After(since) && h.FrozenFor(at) < provedWithin
}
