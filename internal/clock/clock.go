// Package clock is the one source of time. It is passed in everywhere: real in production, scaled for the demo (one wall
// second is many seconds of the fleet), virtual where a test or a campaign turns the hands itself.
package clock

import (
	"context"
	"sync"
	"time"
)

// Clock tells the time and waits.
type Clock interface {
	// Now is the present moment on this clock.
	Now() time.Time
	// Sleep returns nil once d has passed on this clock, or ctx.Err() as soon as ctx is done. d ≤ 0 returns at once.
	Sleep(ctx context.Context, d time.Duration) error
}

// Real is the machine's clock.
type Real struct{}

// Now is time.Now without its monotonic part, so that times survive a round trip through the store unchanged.
func (Real) Now() time.Time { return time.Now().UTC().Round(0) }

// Sleep waits on the machine's clock.
func (Real) Sleep(ctx context.Context, d time.Duration) error { return sleep(ctx, d) }

func sleep(ctx context.Context, d time.Duration) error {
	if err := ctx.Err(); err != nil || d <= 0 {
		return err
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Scaled runs Speed times as fast as the machine's clock from a common origin, so that two processes with the same origin
// and speed agree on the time.
type Scaled struct {
	Origin time.Time // where both clocks showed the same time
	Speed  float64   // fleet seconds per wall second, > 0
}

// Now is the scaled time.
func (s Scaled) Now() time.Time {
	wall := time.Since(s.Origin)
	return s.Origin.Add(time.Duration(float64(wall) * s.Speed)).UTC().Round(0)
}

// Sleep waits d of scaled time.
func (s Scaled) Sleep(ctx context.Context, d time.Duration) error {
	return sleep(ctx, time.Duration(float64(d)/s.Speed))
}

// Virtual moves only when it is told to. It is safe for concurrent use.
type Virtual struct {
	mu      sync.Mutex
	now     time.Time
	waiters []waiter
}

type waiter struct {
	at   time.Time
	done chan struct{}
}

// NewVirtual makes a Virtual clock that shows now.
func NewVirtual(now time.Time) *Virtual { return &Virtual{now: now.UTC().Round(0)} }

// Now is where the hands stand.
func (v *Virtual) Now() time.Time {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.now
}

// Advance moves the hands forward by d and wakes whoever slept until then.
func (v *Virtual) Advance(d time.Duration) { v.Set(v.Now().Add(d)) }

// Set moves the hands to t; going back is ignored.
func (v *Virtual) Set(t time.Time) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if t.After(v.now) {
		v.now = t.UTC().Round(0)
	}
	left := v.waiters[:0]
	for _, w := range v.waiters {
		if w.at.After(v.now) {
			left = append(left, w)
		} else {
			close(w.done)
		}
	}
	v.waiters = left
}

// Sleep waits until the hands have moved by d.
func (v *Virtual) Sleep(ctx context.Context, d time.Duration) error {
	if err := ctx.Err(); err != nil || d <= 0 {
		return err
	}
	v.mu.Lock()
	w := waiter{at: v.now.Add(d), done: make(chan struct{})}
	v.waiters = append(v.waiters, w)
	v.mu.Unlock()
	select {
	case <-w.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
