package control

import (
	"context"
	"strings"
	"sync"
	"time"
)

// Step is one beat of a controller: read facts, decide, hand over plans, let the executor take its next step. It returns
// when it wants to be called again; zero with an error means "you decide" (the schedule backs off). Nothing in it waits.
type Step func(ctx context.Context, now time.Time) (next time.Time, err error)

// Schedule knows which controller is due when. Beats of one identity never overlap; different identities may beat in
// parallel. It owns no timer and no goroutine: a runner asks Take, beats, and reports Done. It is safe for concurrent use.
type Schedule struct {
	mu    sync.Mutex
	beats map[string]*beat
	wake  chan struct{} // capacity 1: something may be due earlier than Next said
	shown time.Time     // the latest that the clock has shown
}

// setBack is by how much a clock must fall to have been set back; less is the drift that a time service takes out of it.
const setBack = 10 * time.Second

type beat struct {
	step    Step
	at      time.Time
	began   time.Time // when it was taken last
	running bool
	again   bool // woken while running: beat again at once
	removed bool
	failed  int // errors in a row
}

// Bounds of the pause after a beat that failed.
const (
	firstBackoff = time.Second
	lastBackoff  = time.Minute
)

// NewSchedule makes an empty Schedule.
func NewSchedule() *Schedule {
	return &Schedule{beats: map[string]*beat{}, wake: make(chan struct{}, 1)}
}

// Set adds an identity that is due at a time. One that is there already keeps its time and gets the new step.
func (s *Schedule) Set(id string, step Step, at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if b := s.beats[id]; b != nil {
		b.step, b.removed = step, false
		return
	}
	s.beats[id] = &beat{step: step, at: at}
	s.signal()
}

// Remove forgets an identity; a beat of it that is under way is finished.
func (s *Schedule) Remove(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.beats[id]
	switch {
	case b == nil:
	case b.running:
		b.removed = true
	default:
		delete(s.beats, id)
	}
}

// Has reports whether the identity is scheduled.
func (s *Schedule) Has(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.beats[id]
	return b != nil && !b.removed
}

// Keep removes every identity that keep says no to.
func (s *Schedule) Keep(keep func(id string) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, b := range s.beats {
		if keep(id) {
			continue
		}
		if b.running {
			b.removed = true
		} else {
			delete(s.beats, id)
		}
	}
}

// Wake makes an identity due now, or once more when it is beating at this moment.
func (s *Schedule) Wake(id string, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.beats[id]
	switch {
	case b == nil:
		return
	case b.running:
		b.again = true
	case b.at.After(now):
		b.at = now
	}
	s.signal()
}

// WakePrefix is Wake of every identity that begins so.
func (s *Schedule) WakePrefix(prefix string, now time.Time) {
	s.mu.Lock()
	var ids []string
	for id := range s.beats {
		if strings.HasPrefix(id, prefix) {
			ids = append(ids, id)
		}
	}
	s.mu.Unlock()
	for _, id := range ids {
		s.Wake(id, now)
	}
}

func (s *Schedule) signal() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Woken tells a sleeping runner that something may be due earlier than Next said.
func (s *Schedule) Woken() <-chan struct{} { return s.wake }

// Take hands out the identity that has been due the longest and is not beating, if there is one.
func (s *Schedule) Take(now time.Time) (id string, step Step, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.follow(now)
	var oldest *beat
	for name, b := range s.beats {
		if b.running || b.removed || b.at.After(now) {
			continue
		}
		if oldest == nil || b.at.Before(oldest.at) || b.at.Equal(oldest.at) && name < id {
			id, oldest = name, b
		}
	}
	if oldest == nil {
		return "", nil, false
	}
	oldest.running, oldest.began = true, now
	return id, oldest.step, true
}

// follow notices a clock that was set back: what is due stays as far away as it was, instead of waiting for the old time to
// come again.
func (s *Schedule) follow(now time.Time) {
	if by := s.shown.Sub(now); by > setBack {
		for _, b := range s.beats {
			b.at = b.at.Add(-by)
		}
		s.shown = now
	}
	if now.After(s.shown) {
		s.shown = now
	}
}

// Done reports that a taken beat ended at now and wants to be called at next. A zero next means at once, or after a growing
// pause when it failed.
func (s *Schedule) Done(id string, now, next time.Time, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.beats[id]
	if b == nil {
		return
	}
	b.running = false
	if b.removed {
		delete(s.beats, id)
		return
	}
	if err != nil {
		b.failed++
		if next.IsZero() {
			next = now.Add(min(firstBackoff<<min(b.failed-1, 10), lastBackoff))
		}
	} else {
		b.failed = 0
	}
	if b.again || b.began.Sub(now) > setBack { // or next was meant by a clock that was set back meanwhile
		b.again, next = false, now
	}
	b.at = next
	s.signal()
}

// Next is when the next identity is due; false when none is waiting.
func (s *Schedule) Next() (time.Time, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var first *beat
	for _, b := range s.beats {
		if !b.running && !b.removed && (first == nil || b.at.Before(first.at)) {
			first = b
		}
	}
	if first == nil {
		return time.Time{}, false
	}
	return first.at, true
}
