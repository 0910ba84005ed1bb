package daemon

import (
	"context"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"phalops/internal/clock"
	"phalops/internal/control"
)

// runner beats a schedule on a clock: identities in parallel under a limit, each on its own never twice at a time.
type runner struct {
	sched *control.Schedule
	clock clock.Clock
	limit int
	grace time.Duration // wall time that beats under way get to finish when the runner is told to stop
	log   *slog.Logger
	beat  func(id string, took time.Duration, err error) // told of every beat
}

// idle bounds a sleep of the runner, so that a clock that jumped is noticed.
const idle = time.Minute

// run beats until ctx ends, then waits for the beats under way.
func (r *runner) run(ctx context.Context) {
	// Beats under way outlive ctx by the grace: half a container stop is better finished than broken off.
	work, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	slots := make(chan struct{}, r.limit)
	var wg sync.WaitGroup
	for ctx.Err() == nil {
		now := r.clock.Now()
		id, step, ok := r.sched.Take(now)
		if !ok {
			r.sleep(ctx, now)
			continue
		}
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			r.one(work, id, step)
		})
	}
	// The grace is wall time: whoever stops the process counts in it.
	timer := time.AfterFunc(r.grace, stop)
	wg.Wait()
	timer.Stop()
}

// one beats once; a panic is a failed beat, not the end of the daemon.
func (r *runner) one(ctx context.Context, id string, step control.Step) {
	began := time.Now()
	var next time.Time
	var err error
	defer func() {
		if p := recover(); p != nil {
			r.log.Error("a beat panicked", "beat", id, "panic", p, "stack", string(debug.Stack()))
			next, err = time.Time{}, errPanicked
		}
		r.sched.Done(id, r.clock.Now(), next, err)
		r.beat(id, time.Since(began), err)
	}()
	next, err = step(ctx, r.clock.Now())
	if err != nil && ctx.Err() == nil {
		r.log.Warn("a beat failed", "beat", id, "err", err)
	}
}

// sleep waits for the next due beat, or until something is woken.
func (r *runner) sleep(ctx context.Context, now time.Time) {
	wait := idle
	if next, ok := r.sched.Next(); ok {
		wait = min(wait, next.Sub(now))
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var wg sync.WaitGroup
	wg.Go(func() {
		select {
		case <-r.sched.Woken():
			cancel()
		case <-ctx.Done():
		}
	})
	_ = r.clock.Sleep(ctx, wait) // ends early when woken: that is its purpose
	cancel()
	wg.Wait()
}
