package daemon

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"phalops/internal/fleet"
	"phalops/internal/remedy"
	"phalops/internal/store"
)

// A command's lease is short: it is renewed while the command works, and a killed command's is free again soon.
const (
	commandLease = 6 * time.Minute // longer than any single request of a step
	followEvery  = time.Second
	fewSteps     = 30
	tellEvery    = 500 * time.Millisecond // real time
)

// Follow sees a plan to its end and calls progress with its steps after each change. Whoever holds the lease of the plan's
// site executes it and Follow only watches; while nobody does, Follow takes the lease and executes. When ctx ends the plan
// stays where it is: a daemon, or `plan resume`, continues it.
func (c *Core) Follow(ctx context.Context, id string, progress func(fleet.Plan)) (fleet.Plan, error) {
	ended, err := c.FollowAll(ctx, []string{id}, 1, progress)
	if len(ended) == 0 {
		return fleet.Plan{}, err
	}
	return ended[0], err
}

// FollowAll is Follow of several plans, atOnce of them side by side; progress is called from one goroutine at a time. It
// returns the plans as they are in the end, in the order of ids, those that were not come to left out.
func (c *Core) FollowAll(ctx context.Context, ids []string, atOnce int, progress func(fleet.Plan)) ([]fleet.Plan, error) {
	f := following{Core: c, progress: progress, mine: map[string]held{}}
	// The command may have been interrupted: giving the leases back must not be.
	defer f.release(context.WithoutCancel(ctx))
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	plans, errs := make([]fleet.Plan, len(ids)), make([]error, len(ids))
	slots := make(chan struct{}, max(1, atOnce))
	var wg sync.WaitGroup
	for i, id := range ids {
		slots <- struct{}{}
		if ctx.Err() != nil && i > 0 {
			break
		}
		wg.Go(func() {
			defer func() { <-slots }()
			if plans[i], errs[i] = f.follow(ctx, id); errs[i] != nil {
				cancel()
			}
		})
	}
	wg.Wait()
	plans = slices.DeleteFunc(plans, func(p fleet.Plan) bool { return p.ID == "" })
	for _, err := range errs { // the first that is no consequence of another
		if err != nil && !errors.Is(err, context.Canceled) {
			return plans, err
		}
	}
	return plans, errors.Join(errs...)
}

// following is the leases that a command holds while it follows plans.
type following struct {
	*Core
	progress func(fleet.Plan)

	mu   sync.Mutex // also held while progress is told
	mine map[string]held
}

// held is a lease of ours with when it was renewed last.
type held struct {
	fence store.Fence
	at    time.Time
}

func (f *following) release(ctx context.Context) {
	for site := range f.mine {
		if err := f.Store.Release(ctx, site, f.Owner); err != nil {
			f.Log.Warn("give back the lease", "lease", site, "err", err)
		}
	}
}

// lease is the fence of a site whose plans are ours to execute now; ours is false while somebody else does. It is renewed once
// in a while only, because that is a write.
func (f *following) lease(ctx context.Context, site string, now time.Time) (fence store.Fence, ours bool, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if h, ok := f.mine[site]; ok && now.Sub(h.at) < commandLease/6 && !now.Before(h.at) {
		return h.fence, true, nil
	}
	lease, err := f.Store.Acquire(ctx, site, f.Owner, commandLease, now)
	if _, other := errors.AsType[*store.HeldError](err); other {
		delete(f.mine, site)
		return fence, false, nil
	}
	if err != nil {
		return fence, false, fmt.Errorf("take the lease of site %s: %w", site, err)
	}
	fence = store.Fence{Lease: lease.Name, Token: lease.Token}
	f.mine[site] = held{fence, now}
	return fence, true, nil
}

// lost forgets a lease that turned out to be somebody else's.
func (f *following) lost(site string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.mine, site)
}

func (f *following) tell(p fleet.Plan) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.progress(p)
}

func (f *following) follow(ctx context.Context, id string) (fleet.Plan, error) {
	var told time.Time
	var steps []fleet.Step
	for {
		p, err := f.Store.PlanHead(ctx, id)
		// Of a plan of thousands of steps most time would go into telling.
		if err == nil && (p.State.Ended() || p.State == fleet.PlanParked || time.Since(told) >= tellEvery || len(steps) < fewSteps) {
			if p, err = f.Store.Plan(ctx, id); err == nil {
				f.tell(p)
				told, steps = time.Now(), p.Steps
			}
		}
		if err != nil {
			return p, fmt.Errorf("follow plan %s: %w", id, err)
		}
		p.Steps = steps
		if p.State.Ended() || p.State == fleet.PlanParked {
			return p, nil
		}
		next, err := f.turn(ctx, p)
		if err != nil {
			return p, err
		}
		if err := f.Clock.Sleep(ctx, max(next, 0)); err != nil {
			return p, fmt.Errorf("follow plan %s: %w", id, err)
		}
	}
}

// turn takes one move of a plan, and of those under it, if its site's lease is free or ours, and says how long to wait
// before the next.
func (f *following) turn(ctx context.Context, p fleet.Plan) (time.Duration, error) {
	now := f.Clock.Now()
	fence, ours, err := f.lease(ctx, p.Site, now)
	switch {
	case err != nil:
		return 0, err
	case !ours:
		return followEvery, nil
	}
	wait, err := f.advance(ctx, p.ID, fence, now)
	if err != nil || !slices.ContainsFunc(p.Steps, func(s fleet.Step) bool { return s.State == fleet.StepEffected }) {
		return wait, err
	}
	under, err := f.Store.Plans(ctx, store.PlanFilter{Sites: []string{p.Site}, Kind: remedy.RestartBridge, Unended: true})
	if err != nil {
		return 0, fmt.Errorf("look for plans under %s: %w", p.ID, err)
	}
	for _, child := range under {
		if child.Under != p.ID || child.State == fleet.PlanParked {
			continue
		}
		soon, err := f.advance(ctx, child.ID, fence, now)
		if err != nil {
			return 0, err
		}
		wait = min(wait, soon)
	}
	return wait, nil
}

// advance takes one move of one plan, and says how long to wait before the next.
func (f *following) advance(ctx context.Context, id string, fence store.Fence, now time.Time) (time.Duration, error) {
	next, ended, err := f.Engine.Advance(ctx, id, fence, now)
	switch {
	case ended:
		return 0, nil
	case errors.Is(err, store.ErrFenced):
		f.lost(fence.Lease)
		return followEvery, nil
	case err != nil:
		return 0, fmt.Errorf("advance plan %s: %w", id, err)
	}
	// The lease must be renewed although the plan may wait longer.
	return min(next.Sub(f.Clock.Now()), commandLease/3), nil
}
