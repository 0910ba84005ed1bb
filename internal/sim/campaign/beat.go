package campaign

import (
	"container/heap"
	"context"
	"errors"
	"iter"
	"runtime/debug"
	"sync"
	"time"

	"phalops/internal/control"
)

// routine is a coroutine that beats, one after the other: a beat can wait in the middle, and the stack that it needed serves
// the next one.
type routine struct {
	beat   *beat
	resume func() (time.Time, bool) // until the beat waits; the zero time: it is over
	end    func()
	yield  func(time.Time) bool
}

func newRoutine() *routine {
	r := &routine{}
	r.resume, r.end = iter.Pull(func(yield func(time.Time) bool) {
		r.yield = yield
		for r.beat.run(); yield(time.Time{}); r.beat.run() {
		}
	})
	return r
}

// beat is one beat that is under way.
type beat struct {
	daemon *Daemon
	id     string
	step   control.Step

	routine *routine
	wake    time.Time // in the world's time
	seq     int64
	place   int // in the heap

	began time.Time // on the daemon's clock
	next  time.Time
	err   error

	mu   sync.Mutex // questions to the parts of a node are asked in parallel
	late time.Duration
}

// killed is what a beat of a daemon that is gone panics with.
type killed struct{}

// errPanicked is the result of a beat that panicked.
var errPanicked = errors.New("the beat panicked")

type beatKey struct{}

// begin gives a beat its coroutine; it runs with the first resume.
func (d *Daemon) begin(id string, step control.Step) *beat {
	b := &beat{daemon: d, id: id, step: step, began: d.clock.Now()}
	if n := len(d.sim.idle); n > 0 {
		b.routine, d.sim.idle = d.sim.idle[n-1], d.sim.idle[:n-1]
	} else {
		b.routine = newRoutine()
	}
	b.routine.beat = b
	d.under[b] = true
	return b
}

func (b *beat) run() {
	defer func() {
		switch p := recover().(type) {
		case nil:
		case killed:
			b.err = errGone
		default:
			b.next, b.err = time.Time{}, errPanicked
			b.daemon.panicked(b.id, p, debug.Stack())
		}
	}()
	b.next, b.err = b.step(context.WithValue(b.daemon.ctx, beatKey{}, b), b.daemon.clock.Now())
	if b.late > 0 {
		b.pause(b.late)
	}
}

// pause lets the others go on until d has passed. It is called by the beat itself.
func (b *beat) pause(d time.Duration) {
	if !b.routine.yield(b.daemon.sim.Now().Add(d)) || b.daemon.dead {
		panic(killed{})
	}
}

// delay notes that an answer that was given at once would have come d later: the beat as a whole ends so much later.
func delay(ctx context.Context, d time.Duration) {
	b, ok := ctx.Value(beatKey{}).(*beat)
	if !ok || d <= 0 {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.late = max(b.late, d)
}

// resume lets a beat go on until it waits or ends.
func (s *Sim) resume(b *beat) {
	outer := s.current
	s.current = b
	wake, _ := b.routine.resume()
	s.current = outer
	if !wake.IsZero() {
		b.wake = wake
		s.waiting.push(b)
		return
	}
	s.idle = append(s.idle, b.routine)
	s.over(b)
}

// over is the end of a beat.
func (s *Sim) over(b *beat) {
	d := b.daemon
	delete(d.under, b)
	d.beaten(b.id, b.began, b.err)
	if b.err != nil && !d.dead && d.ctx.Err() == nil {
		d.failed(b.id, b.err)
	}
	if !d.dead {
		d.Control.Schedule().Done(b.id, d.clock.Now(), b.next, b.err)
	}
}

// sleep lets d of virtual time pass for whoever asks: a beat lets the others go on meanwhile, anybody else turns the clock.
func (s *Sim) sleep(ctx context.Context, d time.Duration) error {
	if err := ctx.Err(); err != nil || d <= 0 {
		return err
	}
	if s.current != nil {
		s.current.pause(d)
	} else {
		s.World.Advance(s.Now().Add(d))
	}
	return ctx.Err()
}

// waiting are the beats that wait, in the order in which they go on.
type waiting struct {
	beats heapOfBeats
	count int64
}

func (w *waiting) push(b *beat) {
	w.count++
	b.seq = w.count
	heap.Push(&w.beats, b)
}

func (w *waiting) first() *beat {
	if len(w.beats) == 0 {
		return nil
	}
	return w.beats[0]
}

// due takes out the first one that has waited long enough by now; nil when there is none.
func (w *waiting) due(now time.Time) *beat {
	if b := w.first(); b != nil && !b.wake.After(now) {
		return heap.Pop(&w.beats).(*beat)
	}
	return nil
}

// take takes a beat out of the order.
func (w *waiting) take(b *beat) {
	if b.place < len(w.beats) && w.beats[b.place] == b {
		heap.Remove(&w.beats, b.place)
	}
}

type heapOfBeats []*beat

func (h heapOfBeats) Len() int { return len(h) }
func (h heapOfBeats) Less(i, j int) bool {
	if h[i].wake.Equal(h[j].wake) {
		return h[i].seq < h[j].seq
	}
	return h[i].wake.Before(h[j].wake)
}
func (h heapOfBeats) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].place, h[j].place = i, j
}
func (h *heapOfBeats) Push(x any) {
	b := x.(*beat)
	b.place = len(*h)
	*h = append(*h, b)
}
func (h *heapOfBeats) Pop() any {
	old := *h
	b := old[len(old)-1]
	*h = old[:len(old)-1]
	return b
}
