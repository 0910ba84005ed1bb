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
	seed  uint64

	hosts  map[string]*Host
	parts  parts
	robots map[string]*Robot

	effects, harms, struck []Record
}

// New makes an empty world that shows now. All chance in it comes from seed.
func New(now time.Time, seed uint64) *World {
	return &World{now: now, seed: seed, hosts: map[string]*Host{}, parts: newParts(), robots: map[string]*Robot{}}
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
func (w *World) At(t time.Time, f func()) {
	if t.Before(w.now) {
		t = w.now
	}
	w.seq++
	heap.Push(&w.queue, event{at: t, seq: w.seq, do: f})
}

// After has f done d from now.
func (w *World) After(d time.Duration, f func()) { w.At(w.now.Add(d), f) }

// Advance lets everything happen that happens until t. Going back is ignored.
func (w *World) Advance(t time.Time) {
	for len(w.queue) > 0 && !w.queue[0].at.After(t) {
		e := heap.Pop(&w.queue).(event)
		if e.at.After(w.now) {
			w.now = e.at
		}
		e.do()
	}
	if t.After(w.now) {
		w.now = t
	}
}

type event struct {
	at  time.Time
	seq int64
	do  func()
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
