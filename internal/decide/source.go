package decide

import (
	"time"

	"phalops/internal/fleet"
)

// Spans of a bridge's own parts.
const (
	sourceFrozenAfter = 3 * time.Minute // processed height of a data provider
	sourceToldAfter   = 5 * time.Minute // … after which a person is told
	groupOfBlocks     = 8               // blocks that prb-wm and pherry may hold back until their group is whole
)

// source is where a bridge's workers get their blocks from: its best data provider, or without any (v0, v3) its node.
type source struct {
	known  bool // somebody told a height that is still a fact
	nobody bool // nobody can be asked: no node is configured, and no worker of the bridge moves
	moving bool
	height int64     // newest block that workers can get
	slack  int64     // blocks that they may lack for want of the rest of a group
	since  time.Time // since when it stands still or is gone; zero: not known
	ref    fleet.Ref
	reason fleet.Reason // what it shows
}

// ahead reports whether the source has something that a worker at h does not have. A data provider that was restarted
// indexes from the start again, and until it is past the workers they wait for it.
func (s source) ahead(h fleet.Height) bool { return !h.Known || s.height > h.Value+s.slack }

// findSource picks the data provider that serves best: moving before standing, then the highest.
func (in *BridgeInput) findSource() source {
	if len(in.Status.DataProviders) == 0 && in.Status.Version != "v2" {
		return in.nodeSource()
	}
	best := source{ref: in.sourceRef(), reason: fleet.Because("bridge.source_gone", "n", len(in.Status.DataProviders))}
	if in.Status.Condition == fleet.BridgeStarved {
		best.since = in.Status.Since
	}
	for i := range in.Status.DataProviders {
		dp := &in.Status.DataProviders[i]
		if !in.Policy.current(dp.Probe, in.Now) || !dp.Para.Known {
			continue
		}
		s := in.sourceOf(dp.Para, dp.At)
		if !best.known || (s.moving && !best.moving) || (s.moving == best.moving && s.height > best.height) {
			best = s
		}
	}
	return best
}

// nodeSource is the node where the bridge reads it itself. Without a node in the configuration the best of the bridge's own
// workers shows what there is.
func (in *BridgeInput) nodeSource() source {
	n := in.Node
	if n == nil && in.Status.Version == "solo" { // its only worker is no witness of itself
		return source{nobody: true, ref: in.Status.Ref, reason: fleet.Because("bridge.source_nobody")}
	}
	if n == nil {
		return in.workerSource()
	}
	if n.Para == nil || !in.Policy.current(n.Para.Probe, in.Now) || !n.Para.Best.Known {
		return source{ref: in.sourceRef(), reason: fleet.Because("bridge.source_gone", "n", 0)}
	}
	s := in.sourceOf(n.Para.Best, n.Para.At)
	// prb-wm and pherry feed finalized blocks only, in groups: while finality stands still nobody is to blame, and the node
	// looks to that itself.
	if f := n.Para.Finalized; f.Known {
		s.height = min(s.height, f.Value)
	}
	s.slack = groupOfBlocks
	return s
}

func (in *BridgeInput) workerSource() source {
	best := source{nobody: true, ref: in.sourceRef(), reason: fleet.Because("bridge.source_nobody")}
	for i := range in.Status.Workers {
		w := &in.Status.Workers[i]
		if !w.Running || !w.Para.Known || !in.Policy.current(w.Probe, in.Now) || w.Para.FrozenFor(w.At) >= sourceFrozenAfter {
			continue
		}
		if !best.known || w.Para.Value > best.height {
			best = in.sourceOf(w.Para, w.At)
			best.slack = groupOfBlocks
		}
	}
	return best
}

func (in *BridgeInput) sourceOf(h fleet.Height, at time.Time) source {
	frozen := h.FrozenFor(at)
	s := source{known: true, height: h.Value, moving: frozen < sourceFrozenAfter, since: h.MovedAt, ref: in.sourceRef()}
	s.reason = fleet.Because("bridge.source_frozen", "height", h.Value, "for", frozen)
	switch {
	case h.Value < 0:
		s.reason = fleet.Because("bridge.source_none", "for", frozen)
	case s.moving:
		s.reason = fleet.Because("bridge.source_moving", "height", h.Value)
	}
	return s
}

// sourceRef names what a person would call the source.
func (in *BridgeInput) sourceRef() fleet.Ref {
	switch {
	case in.DataProvider != "":
		return in.DataProvider
	case len(in.Status.DataProviders) == 0 && in.Status.Version != "v2" && in.Node != nil:
		return in.Node.Ref
	default:
		return in.Status.Ref
	}
}

// sourceBehind reports whether most workers are well above their source: it was restarted and indexes from the start.
func (j *judge) sourceBehind() bool {
	above, running := 0, 0
	for i := range j.Status.Workers {
		w := &j.Status.Workers[i]
		if !w.Enabled || !w.Running || !w.Para.Known {
			continue
		}
		running++
		if w.Para.Value >= j.src.height+catchingUp {
			above++
		}
	}
	return above*2 > running
}
