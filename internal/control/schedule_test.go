package control

import (
	"context"
	"errors"
	"testing"
	"time"
)

func nothing(context.Context, time.Time) (time.Time, error) { return time.Time{}, nil }

func TestScheduleOrderAndOverlap(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	s := NewSchedule()
	s.Set("b", nothing, now)
	s.Set("a", nothing, now.Add(-time.Second))
	s.Set("c", nothing, now.Add(time.Minute))

	first, _, _ := s.Take(now)
	second, _, _ := s.Take(now)
	if first != "a" || second != "b" {
		t.Fatalf("took %s, %s; want the longest due first", first, second)
	}
	if id, _, ok := s.Take(now); ok {
		t.Fatalf("took %s: beats of one identity overlap, or a future one was taken", id)
	}
	s.Wake("a", now) // while it beats
	s.Done("a", now, now.Add(time.Hour), nil)
	if id, _, _ := s.Take(now); id != "a" {
		t.Errorf("took %q; a was woken while beating and must beat again at once", id)
	}
	if at, ok := s.Next(); !ok || !at.Equal(now.Add(time.Minute)) {
		t.Errorf("Next = %v %v, want c's time", at, ok)
	}
}

func TestScheduleBacksOff(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	s := NewSchedule()
	s.Set("a", nothing, now)
	var pauses []time.Duration
	for range 9 {
		s.Take(now)
		s.Done("a", now, time.Time{}, errors.New("no"))
		at, _ := s.Next()
		pauses = append(pauses, at.Sub(now))
		now = at
	}
	if pauses[0] != firstBackoff || pauses[1] != 2*firstBackoff || pauses[8] != lastBackoff {
		t.Errorf("pauses after failures: %v", pauses)
	}
	s.Take(now)
	s.Done("a", now, now.Add(5*time.Second), nil)
	s.Take(now.Add(5 * time.Second))
	s.Done("a", now, time.Time{}, errors.New("no"))
	if at, _ := s.Next(); at.Sub(now) != firstBackoff {
		t.Errorf("a success does not end the back-off: %v", at.Sub(now))
	}
}

func TestScheduleRemove(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	s := NewSchedule()
	s.Set("a", nothing, now)
	s.Set("b", nothing, now)
	s.Take(now) // a beats
	s.Keep(func(id string) bool { return false })
	if s.Has("a") || s.Has("b") {
		t.Error("removed identities are still there")
	}
	s.Done("a", now, now, nil)
	if _, ok := s.Next(); ok {
		t.Error("an identity that was removed while beating came back")
	}
}

// A clock that is set back by hours must not stop the watch until the old time comes again; a clock that drifts changes
// nothing.
func TestScheduleClockSetBack(t *testing.T) {
	now := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	s := NewSchedule()
	s.Set("a", nothing, now.Add(15*time.Second))
	s.Set("b", nothing, now)
	s.Take(now) // b
	back := now.Add(-3 * time.Hour)
	if id, _, ok := s.Take(back); ok {
		t.Fatalf("took %s, which is 15 s away", id)
	}
	s.Done("b", back, now.Add(time.Hour), nil) // it asked by the old clock
	if id, _, ok := s.Take(back); id != "b" {
		t.Fatalf("took %q %v; b's wish was meant by the old clock", id, ok)
	}
	if id, _, _ := s.Take(back.Add(15 * time.Second)); id != "a" {
		t.Errorf("took %q, want a: it is as far away as before", id)
	}
	s.Done("a", back.Add(15*time.Second), back.Add(time.Minute), nil)
	if at, ok := s.Next(); !ok || !at.Equal(back.Add(time.Minute)) {
		t.Errorf("Next = %v %v", at, ok)
	}
	s.Take(back.Add(14 * time.Second)) // a second less than it was
	if at, _ := s.Next(); !at.Equal(back.Add(time.Minute)) {
		t.Errorf("a clock that drifted by a second moved what is due to %v", at)
	}
}
