package daemon

import (
	"context"
	"errors"
	"fmt"
	"time"

	"phalops/internal/fleet"
	"phalops/internal/store"
)

// A command's lease is short: it is renewed while the command works, and a killed command's is free again soon.
const (
	commandLease = 6 * time.Minute // longer than any single request of a step
	followEvery  = time.Second
)

// Follow sees a plan to its end and calls progress with its steps after each change. Whoever holds the lease of the plan's
// site executes it and Follow only watches; while nobody does, Follow takes the lease and executes. When ctx ends the plan
// stays where it is: a daemon, or `plan resume`, continues it.
func (c *Core) Follow(ctx context.Context, id string, progress func(fleet.Plan)) (fleet.Plan, error) {
	mine := ""
	defer func() {
		if mine != "" {
			// The command may have been interrupted: giving the lease back must not be.
			if err := c.Store.Release(context.WithoutCancel(ctx), mine, c.Owner); err != nil {
				c.Log.Warn("give back the lease", "lease", mine, "err", err)
			}
		}
	}()
	for {
		p, err := c.Store.Plan(ctx, id)
		if err != nil {
			return p, fmt.Errorf("follow plan %s: %w", id, err)
		}
		progress(p)
		if p.State.Ended() || p.State == fleet.PlanParked {
			return p, nil
		}
		next, err := c.turn(ctx, p, &mine)
		if err != nil {
			return p, err
		}
		if err := c.Clock.Sleep(ctx, max(next, 0)); err != nil {
			return p, fmt.Errorf("follow plan %s: %w", id, err)
		}
	}
}

// turn takes one move of a plan if its site's lease is free or ours, and says how long to wait before the next.
func (c *Core) turn(ctx context.Context, p fleet.Plan, mine *string) (time.Duration, error) {
	now := c.Clock.Now()
	lease, err := c.Store.Acquire(ctx, p.Site, c.Owner, commandLease, now)
	var held *store.HeldError
	switch {
	case errors.As(err, &held):
		*mine = ""
		return followEvery, nil
	case err != nil:
		return 0, fmt.Errorf("take the lease of site %s: %w", p.Site, err)
	}
	*mine = p.Site
	next, ended, err := c.Engine.Advance(ctx, p.ID, store.Fence{Lease: lease.Name, Token: lease.Token}, now)
	switch {
	case err != nil && errors.Is(err, store.ErrFenced), ended:
		return 0, nil
	case err != nil:
		return 0, fmt.Errorf("advance plan %s: %w", p.ID, err)
	}
	// The lease must be renewed although the plan may wait longer.
	return min(next.Sub(c.Clock.Now()), commandLease/3), nil
}
