package decide

import (
	"strings"

	"phalops/internal/fleet"
)

// Heard are the bridges whose workers could be judged together with all others: at least half of those that are enabled are seen now.
// Only they may judge their workers by the same view, because what many share is known of them.
func (in *NetworkInput) Heard() map[fleet.Ref]bool {
	out := map[fleet.Ref]bool{}
	for b := range in.Bridges {
		enabled, seen := 0, 0
		for i := range in.Bridges[b].Workers {
			if w := &in.Bridges[b].Workers[i]; w.Enabled {
				enabled++
				if in.sees(w) {
					seen++
				}
			}
		}
		out[in.Bridges[b].Ref] = 2*seen >= enabled
	}
	return out
}

// Odd are the workers against which the chain may have something to say, and those that are not seen now: of all others nobody needs
// to ask as long as the view is the same. It is nil for a view of which nothing follows.
func (in *NetworkInput) Odd() map[fleet.Ref]bool {
	view := in.Policy.chain(in.View, in.Now)
	if view == nil {
		return nil
	}
	l, out := chainWitness{view: view}, map[fleet.Ref]bool{}
	for b := range in.Bridges {
		for i := range in.Bridges[b].Workers {
			w := &in.Bridges[b].Workers[i]
			if c := view.Worker(w.PublicKey); !in.sees(w) || c != nil && !l.plain(w, c) {
				out[w.Ref] = true
			}
		}
	}
	return out
}

// sees reports whether anything is known of a worker now.
func (in *NetworkInput) sees(w *fleet.WorkerStatus) bool {
	return in.Policy.current(w.Probe, in.Now) && w.Condition != "" && w.Condition != fleet.Unknown
}

// hidden reports whether a trouble that many shared under a target may go on unseen: it was there last time, and some of its workers are
// not seen now.
func (in *NetworkInput) hidden(view *fleet.ChainView, target fleet.Ref) bool {
	if was := in.lastOf(target); !strings.Contains(was.Rule, ".chain.") && !strings.HasSuffix(was.Rule, ".hidden") {
		return false
	}
	for b := range in.Bridges {
		for i := range in.Bridges[b].Workers {
			w := &in.Bridges[b].Workers[i]
			c := view.Worker(w.PublicKey)
			if c == nil || !w.Enabled || in.sees(w) {
				continue
			}
			if pool := poolOn(view, w, c); target == in.Ref || pool != nil && pool.Ref == target {
				return true
			}
		}
	}
	return false
}

// unclear is a target of which nothing bad is seen, while not everything is seen.
func (in *NetworkInput) unclear(condition, rule string) finding {
	return finding{condition: condition, rule: rule, want: wantTime, reason: fleet.Because("chain.hidden")}
}
