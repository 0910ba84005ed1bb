package control

import (
	"slices"
	"strings"
	"time"

	"phalops/internal/decide"
	"phalops/internal/fleet"
)

// suspect replaces the suspicions and returns those that are new.
func (b *Board) suspect(now []decide.Suspicion) []decide.Suspicion {
	b.mu.Lock()
	defer b.mu.Unlock()
	known := map[[3]string]bool{}
	for _, s := range b.suspicions {
		known[[3]string{string(s.Parent), s.Kind, s.Name}] = true
	}
	b.suspicions = now
	var fresh []decide.Suspicion
	for _, s := range now {
		if !known[[3]string{string(s.Parent), s.Kind, s.Name}] {
			fresh = append(fresh, s)
		}
	}
	return fresh
}

// suspicionsOf are those that concern a bridge or one of its workers.
func (b *Board) suspicionsOf(bridge fleet.Ref) []decide.Suspicion {
	b.mu.RLock()
	defer b.mu.RUnlock()
	var out []decide.Suspicion
	for _, s := range b.suspicions {
		if s.Parent == bridge || s.Concerns(bridge) {
			out = append(out, s)
		}
	}
	return out
}

// judgement is what was made of a network's chain.
type judgement struct {
	suspicions []decide.ChainSuspicion
	heard      map[fleet.Ref]bool // bridges of which it is known what their workers share with others
	odd        map[fleet.Ref]bool // workers that are worth a look
}

// judgedChain puts what a network's chain says on the board, with what was made of it.
func (b *Board) judgedChain(network string, v fleet.ChainView, j judgement) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.chains[network], b.onChain[network] = v, j
}

// heardChain is what a network's chain says to a bridge, with what was made of it; nil while this process did not judge that
// bridge's workers together with all others.
func (b *Board) heardChain(network string, bridge fleet.Ref) (*fleet.ChainView, judgement) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	j := b.onChain[network]
	if !j.heard[bridge] {
		return nil, judgement{}
	}
	v := b.chains[network]
	return &v, j
}

// leaving are the workers that an unended plan takes out of their pools.
func (b *Board) leaving() map[fleet.Ref]bool {
	b.mu.RLock()
	defer b.mu.RUnlock()
	out := map[fleet.Ref]bool{}
	for _, p := range b.plans {
		for _, lock := range p.Locks {
			if worker, ok := strings.CutPrefix(string(lock), string(fleet.KindLeaving)+"/"); ok {
				out[fleet.Ref(string(fleet.KindWorker)+"/"+worker)] = true
			}
		}
	}
	return out
}

// allAttempts is what was tried on anything, oldest first.
func (b *Board) allAttempts() []fleet.Attempt {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.attempts
}

// busy are the workers that a rule's plan works on, or is about to.
func (b *Board) busy(now time.Time) map[fleet.Ref]bool {
	b.mu.RLock()
	defer b.mu.RUnlock()
	out := map[fleet.Ref]bool{}
	for _, p := range b.plans {
		if strings.HasPrefix(p.Author, "user:") {
			continue
		}
		for _, t := range p.Targets {
			if t.Kind() == fleet.KindWorker {
				out[t] = true
			}
		}
	}
	for ref, at := range b.promised {
		if now.Sub(at).Abs() < promiseFor { // a clock may have been set back since
			out[ref] = true
		}
	}
	return out
}

// promise holds the places of the workers that decisions treat, until their plans are written down.
func (b *Board) promise(decisions []fleet.Decision, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, d := range decisions {
		if d.Verdict == fleet.Act && d.Target.Kind() == fleet.KindWorker {
			b.promised[d.Target] = now
		}
	}
}

// redeem gives a promised place back: there is a plan now, or none could be made.
func (b *Board) redeem(target fleet.Ref) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.promised, target)
}

// noBox notes that a worker's container could not be found.
func (b *Board) noBox(worker fleet.Ref, until time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.boxless[worker] = until
}

func (b *Board) isBoxless(worker fleet.Ref, now time.Time) bool {
	b.mu.RLock()
	defer b.mu.RUnlock()
	until := b.boxless[worker]
	return now.Before(until) && until.Sub(now) <= boxlessFor // else the clock was set back since
}

// setWindows replaces the maintenance windows that persons opened.
func (b *Board) setWindows(w []fleet.Maintenance) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.windows = w
}

// maintained reports whether such a window holds a site at now.
func (b *Board) maintained(site string, now time.Time) bool {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return slices.ContainsFunc(b.windows, func(w fleet.Maintenance) bool { return w.Covers(site, now) })
}
