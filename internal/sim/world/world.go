// Package world is the one simulated world: chains, nodes, bridges, workers, hosts and what goes wrong with them, on one
// event queue. It has no sockets, no goroutines and no clock of its own: whoever owns it says how late it is.
package world

import (
	"container/heap"
	"math/rand/v2"
	"time"
)

// World is everything that exists, at one moment. It is not safe for concurrent use: sim/wire guards it with a lock,
// sim/campaign has one goroutine.
type World struct {
	now   time.Time
	seq   int64
	queue eventQueue
	soon  map[string]*moments // when events of each bridge, and of everybody (""), happen
	done  map[string]int64    // and how many have
	seed  uint64

	hosts  map[string]*Host
	parts  parts
	robots map[string]*Robot

	effects, harms, struck []Record
}

// New makes an empty world that shows now. All chance in it comes from seed.
func New(now time.Time, seed uint64) *World {
	return &World{now: now, seed: seed, soon: map[string]*moments{}, done: map[string]int64{}, hosts: map[string]*Host{}, parts: newParts(), robots: map[string]*Robot{}}
}

// Now is how late it is in the world.
func (w *World) Now() time.Time { return w.now }

// Rand is a source of chance of its own for every name, so that what happens to one target never changes another's luck.
func (w *World) Rand(name string) *rand.Rand {
	h := w.seed ^ 14695981039346656037
	for i := range len(name) {
		h = (h ^ uint64(name[i])) * 1099511628211
	}
	return rand.New(rand.NewPCG(w.seed, h))
}

// At has f done when the world reaches t; a time in the past means as soon as possible. Events of the same moment happen
// in the order in which they were asked for.
func (w *World) At(t time.Time, f func()) { w.at("", t, f) }

// After has f done d from now.
func (w *World) After(d time.Duration, f func()) { w.at("", w.now.Add(d), f) }

// within is After of what changes nothing outside of one bridge and its workers.
func (w *World) within(bridge string, d time.Duration, f func()) { w.at(bridge, w.now.Add(d), f) }

func (w *World) at(scope string, t time.Time, f func()) {
	if t.Before(w.now) {
		t = w.now
	}
	w.seq++
	heap.Push(&w.queue, event{at: t, seq: w.seq, scope: scope, do: f})
	if w.soon[scope] == nil {
		w.soon[scope] = &moments{}
	}
	heap.Push(w.soon[scope], t)
}

// Soonest is when the next event happens that may change anything of a bridge: its own, or one of everybody's; "" asks for the
// latter alone. Heights grow and earnings come in between without an event; nothing else does while nothing is wrong. ok is false when
// there is none.
func (w *World) Soonest(bridge string) (at time.Time, ok bool) {
	for _, scope := range [...]string{"", bridge} {
		if m := w.soon[scope]; m != nil && len(*m) > 0 && (!ok || (*m)[0].Before(at)) {
			at, ok = (*m)[0], true
		}
	}
	return at, ok
}

// Advance lets everything happen that happens until t. Going back is ignored.
func (w *World) Advance(t time.Time) {
	for len(w.queue) > 0 && !w.queue[0].at.After(t) {
		e := heap.Pop(&w.queue).(event)
		heap.Pop(w.soon[e.scope])
		w.done[e.scope]++
		if e.at.After(w.now) {
			w.now = e.at
		}
		e.do()
	}
	if t.After(w.now) {
		w.now = t
	}
}

// Happened counts the events that may have changed anything of a bridge, see Soonest.
func (w *World) Happened(bridge string) int64 {
	if bridge == "" {
		return w.done[""]
	}
	return w.done[""] + w.done[bridge]
}

type event struct {
	at    time.Time
	seq   int64
	scope string // the only bridge that it concerns; "" everybody
	do    func()
}

// moments is a heap of times.
type moments []time.Time

func (m moments) Len() int           { return len(m) }
func (m moments) Less(i, j int) bool { return m[i].Before(m[j]) }
func (m moments) Swap(i, j int)      { m[i], m[j] = m[j], m[i] }
func (m *moments) Push(x any)        { *m = append(*m, x.(time.Time)) }
func (m *moments) Pop() any {
	old := *m
	t := old[len(old)-1]
	*m = old[:len(old)-1]
	return t
}

type eventQueue []event

func (q eventQueue) Len() int { return len(q) }
func (q eventQueue) Less(i, j int) bool {
	if q[i].at.Equal(q[j].at) {
		return q[i].seq < q[j].seq
	}
	return q[i].at.Before(q[j].at)
}
func (q eventQueue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *eventQueue) Push(x any)   { *q = append(*q, x.(event)) }
func (q *eventQueue) Pop() any {
	old := *q
	e := old[len(old)-1]
	*q = old[:len(old)-1]
	return e
}
