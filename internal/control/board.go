package control

import (
	"cmp"
	"maps"
	"slices"
	"sync"
	"time"

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
	decisions map[fleet.Ref]fleet.Decision
	attempts  []fleet.Attempt
	plans     []fleet.Plan // unended, with locks
	leases    map[string]store.Lease
	past      map[string][]dated // of nodes, about one every 5 minutes
}

type dated struct {
	at     time.Time
	status fleet.NodeStatus
}

// NewBoard makes an empty Board.
func NewBoard() *Board {
	return &Board{
		nodes: map[string]fleet.NodeStatus{}, bridges: map[string]fleet.BridgeStatus{}, heads: map[string][]fleet.ChainStatus{},
		decisions: map[fleet.Ref]fleet.Decision{}, leases: map[string]store.Lease{}, past: map[string][]dated{},
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

// dark reports whether at least three targets, and all of them, left the newest question unanswered: then the suspect is
// phalops itself, its network or its machine.
func (b *Board) dark() bool {
	b.mu.RLock()
	defer b.mu.RUnlock()
	for _, n := range b.nodes {
		if n.Para == nil || n.Para.Missed == 0 {
			return false
		}
	}
	for _, br := range b.bridges {
		if !silent(br) {
			return false
		}
	}
	return len(b.nodes)+len(b.bridges) >= 3
}

func (b *Board) setBridge(name string, s fleet.BridgeStatus) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.bridges[name] = s
}

func (b *Board) setHeads(network string, s []fleet.ChainStatus) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.heads[network] = s
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

// keep drops what is no longer configured.
func (b *Board) keep(configured func(fleet.Ref) bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	maps.DeleteFunc(b.nodes, func(name string, _ fleet.NodeStatus) bool { return !configured(fleet.NodeRef(name)) })
	maps.DeleteFunc(b.bridges, func(name string, _ fleet.BridgeStatus) bool { return !configured(fleet.BridgeRef(name)) })
	maps.DeleteFunc(b.decisions, func(r fleet.Ref, _ fleet.Decision) bool { return !configured(r) })
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
