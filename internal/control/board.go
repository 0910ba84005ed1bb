package control

import (
	"cmp"
	"maps"
	"slices"
	"sync"
	"time"

	"phalops/internal/decide"
	"phalops/internal/fleet"
	"phalops/internal/store"
)

// Board is what the controllers know at this moment: the newest statuses and decisions, who is under treatment, and which
// sites are ours to act on. What is handed out is never changed afterwards. It is safe for concurrent use.
type Board struct {
	mu        sync.RWMutex
	nodes     map[string]fleet.NodeStatus
	bridges   map[string]fleet.BridgeStatus
	heads     map[string][]fleet.ChainStatus // reference heads by network
	chains    map[string]fleet.ChainView     // by network
	decisions map[fleet.Ref]fleet.Decision
	attempts  []fleet.Attempt
	plans     []fleet.Plan // unended, with locks
	leases    map[string]store.Lease
	past      map[string][]dated // of nodes, about one every 5 minutes

	blindFrom  time.Time // since when phalops is blind; zero: it sees
	seeing     time.Time // when it last began to see again
	suspicions []decide.Suspicion
	onChain    map[string]judgement    // by network
	windows    []fleet.Maintenance     // opened by persons, not ended
	promised   map[fleet.Ref]time.Time // workers that a decision treats, until there is a plan
	boxless    map[fleet.Ref]time.Time // workers whose container could not be found, until then
}

type dated struct {
	at     time.Time
	status fleet.NodeStatus
}

// NewBoard makes an empty Board.
func NewBoard() *Board {
	return &Board{
		chains: map[string]fleet.ChainView{}, onChain: map[string]judgement{}, nodes: map[string]fleet.NodeStatus{}, bridges: map[string]fleet.BridgeStatus{}, heads: map[string][]fleet.ChainStatus{},
		decisions: map[fleet.Ref]fleet.Decision{}, leases: map[string]store.Lease{}, past: map[string][]dated{},
		promised: map[fleet.Ref]time.Time{}, boxless: map[fleet.Ref]time.Time{},
	}
}

// Node is the newest status of a node; the zero status when it was never looked at.
func (b *Board) Node(name string) fleet.NodeStatus {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.nodes[name]
}

// Nodes is the newest status of every node by name.
func (b *Board) Nodes() []fleet.NodeStatus {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return inOrder(b.nodes)
}

// Bridge is the newest status of a bridge.
func (b *Board) Bridge(name string) fleet.BridgeStatus {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.bridges[name]
}

// Bridges is the newest status of every bridge by name.
func (b *Board) Bridges() []fleet.BridgeStatus {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return inOrder(b.bridges)
}

// Chain is what the chain of a network says; false when it was never asked.
func (b *Board) Chain(network string) (fleet.ChainView, bool) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	v, ok := b.chains[network]
	return v, ok
}

// Chains is what the chain of every network says, by network.
func (b *Board) Chains() []fleet.ChainView {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return inOrder(b.chains)
}

func (b *Board) setChain(network string, v fleet.ChainView) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.chains[network] = v
}

func inOrder[K cmp.Ordered, T any](m map[K]T) []T {
	out := make([]T, 0, len(m))
	for _, k := range slices.Sorted(maps.Keys(m)) {
		out = append(out, m[k])
	}
	return out
}

func (b *Board) setNode(name string, s fleet.NodeStatus) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.nodes[name] = s
	b.doubt()
}

// pastEvery is how far apart the kept statuses of a node are: far enough apart to tell whether a lag grows.
const pastEvery = 5 * time.Minute

// earlier is the node as it was at least 5 minutes ago, nil when that is not known; calling it keeps the present status for
// later calls.
func (b *Board) earlier(name string, now time.Time) *fleet.NodeStatus {
	b.mu.Lock()
	defer b.mu.Unlock()
	kept := b.past[name]
	if status, known := b.nodes[name]; known && (len(kept) == 0 || now.Sub(kept[len(kept)-1].at) >= pastEvery) {
		kept = append(kept, dated{now, status})
		b.past[name] = kept[max(0, len(kept)-2):]
	}
	for i := len(kept) - 1; i >= 0; i-- {
		if now.Sub(kept[i].at) >= pastEvery {
			return &kept[i].status
		}
	}
	return nil
}

// dark reports whether phalops should doubt itself: most of what it asks fell silent at once.
func (b *Board) dark() bool {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return !b.blindFrom.IsZero()
}

// blind is since when phalops is blind, zero while it sees, and since when it sees again after it was.
func (b *Board) blind() (from, seeing time.Time) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.blindFrom, b.seeing
}

// doubt weighs anew whether phalops is blind. Once it sees again, only answers since then count: the oldest that ended the
// blindness. The caller holds the lock.
func (b *Board) doubt() {
	var voices []decide.Voice
	var answers []time.Time
	hear := func(p fleet.Probe, outside, silent bool) {
		v := decide.Voice{Outside: outside}
		if silent {
			v.Missed, v.Failed = max(1, p.Missed), p.Failed
		} else {
			answers = append(answers, p.At)
		}
		voices = append(voices, v)
	}
	for _, n := range b.nodes {
		if n.Para != nil {
			hear(n.Para.Probe, false, n.Para.Missed > 0)
		}
	}
	for _, br := range b.bridges {
		hear(br.Monitor, false, silent(br))
	}
	for _, heads := range b.heads {
		for _, h := range heads {
			hear(h.Probe, true, h.Missed > 0)
		}
	}
	yes, since := decide.Blind(voices)
	switch {
	case yes && b.blindFrom.IsZero():
		b.blindFrom = since
	case !yes && !b.blindFrom.IsZero():
		b.seeing = time.Time{}
		for _, at := range answers {
			if at.After(b.blindFrom) && (b.seeing.IsZero() || at.Before(b.seeing)) {
				b.seeing = at
			}
		}
		b.blindFrom = time.Time{}
	}
}

func (b *Board) setBridge(name string, s fleet.BridgeStatus) {
	b.mu.Lock()
	defer b.mu.Unlock()
	was, known := b.bridges[name]
	b.bridges[name] = s
	if known && b.blindFrom.IsZero() && !silent(was) && !silent(s) {
		return // an answer after an answer raises no doubt
	}
	b.doubt()
}

func (b *Board) setHeads(network string, s []fleet.ChainStatus) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.heads[network] = s
	b.doubt()
}

func (b *Board) headsOf(network string) []fleet.ChainStatus {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.heads[network]
}

// Decision is the newest decision about a target; false when there is none.
func (b *Board) Decision(target fleet.Ref) (fleet.Decision, bool) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	d, ok := b.decisions[target]
	return d, ok
}

func (b *Board) setDecision(d fleet.Decision) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.decisions[d.Target] = d
}

// keep drops what is no longer configured. configured may ask the board.
func (b *Board) keep(configured func(fleet.Ref) bool) {
	gone := map[fleet.Ref]bool{}
	for _, ref := range b.refs() {
		gone[ref] = !configured(ref)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	maps.DeleteFunc(b.nodes, func(name string, _ fleet.NodeStatus) bool { return gone[fleet.NodeRef(name)] })
	maps.DeleteFunc(b.bridges, func(name string, _ fleet.BridgeStatus) bool { return gone[fleet.BridgeRef(name)] })
	maps.DeleteFunc(b.chains, func(name string, _ fleet.ChainView) bool { return gone[fleet.NetworkRef(name)] })
	maps.DeleteFunc(b.onChain, func(name string, _ judgement) bool { return gone[fleet.NetworkRef(name)] })
	maps.DeleteFunc(b.decisions, func(r fleet.Ref, _ fleet.Decision) bool { return gone[r] })
}

// refs is everything of which something is known.
func (b *Board) refs() []fleet.Ref {
	b.mu.RLock()
	defer b.mu.RUnlock()
	out := slices.Collect(maps.Keys(b.decisions))
	for name := range b.nodes {
		out = append(out, fleet.NodeRef(name))
	}
	for name := range b.bridges {
		out = append(out, fleet.BridgeRef(name))
	}
	for name := range b.chains {
		out = append(out, fleet.NetworkRef(name))
	}
	return out
}

// setWork replaces what is known of treatments: what was tried, and what is under way.
func (b *Board) setWork(attempts []fleet.Attempt, plans []fleet.Plan) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.attempts, b.plans = attempts, plans
}

// addPlan notes a plan that was handed over just now, before the journal is read again.
func (b *Board) addPlan(p fleet.Plan) {
	b.mu.Lock()
	defer b.mu.Unlock()
	p.Steps = nil
	b.plans = append(slices.Clone(b.plans), p)
}

// Plans is every plan that has not ended.
func (b *Board) Plans() []fleet.Plan {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.plans
}

// attemptsOn is what was tried on a target, oldest first.
func (b *Board) attemptsOn(target fleet.Ref) []fleet.Attempt {
	b.mu.RLock()
	defer b.mu.RUnlock()
	var out []fleet.Attempt
	for _, a := range b.attempts {
		if a.Target == target {
			out = append(out, a)
		}
	}
	return out
}

// attemptsUnder is what was tried on a bridge, its workers and the node that it hangs on, oldest first.
func (b *Board) attemptsUnder(bridge, node fleet.Ref) []fleet.Attempt {
	b.mu.RLock()
	defer b.mu.RUnlock()
	var out []fleet.Attempt
	for _, a := range b.attempts {
		if a.Target == bridge || a.Target == node || a.Target.Parent() == bridge {
			out = append(out, a)
		}
	}
	return out
}

// holder is the unended plan that has a target locked, nil when none has.
func (b *Board) holder(target fleet.Ref) *fleet.Plan {
	b.mu.RLock()
	defer b.mu.RUnlock()
	for i := range b.plans {
		if slices.Contains(b.plans[i].Locks, target) {
			return &b.plans[i]
		}
	}
	return nil
}

// treating is the workers of a bridge that a plan is working on.
func (b *Board) treating(bridge fleet.Ref) map[fleet.Ref]bool {
	b.mu.RLock()
	defer b.mu.RUnlock()
	out := map[fleet.Ref]bool{}
	for _, p := range b.plans {
		for _, t := range p.Targets {
			if t.Parent() == bridge {
				out[t] = true
			}
		}
	}
	return out
}

// looked reports whether every one of these nodes and bridges was looked at.
func (b *Board) looked(nodes, bridges []string) bool {
	b.mu.RLock()
	defer b.mu.RUnlock()
	for _, n := range nodes {
		if _, ok := b.nodes[n]; !ok {
			return false
		}
	}
	for _, br := range bridges {
		if _, ok := b.bridges[br]; !ok {
			return false
		}
	}
	return true
}

func (b *Board) setLease(name string, l store.Lease) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.leases[name] = l
}

// Lease is the lease by this name if it is ours at now. Ours ends a moment before the store's, so that an effect that
// begins now is sent while the lease still lasts.
func (b *Board) Lease(name string, now time.Time) (store.Lease, bool) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	l, ok := b.leases[name]
	return l, ok && now.Before(l.Expires.Add(-leaseMargin))
}
