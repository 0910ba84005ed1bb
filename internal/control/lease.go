package control

import (
	"context"
	"errors"
	"time"

	"phalops/internal/fleet"
	"phalops/internal/store"
)

// A lease lasts three renewals, so that one lost renewal changes nothing.
const (
	leaseTTL    = 90 * time.Second
	leaseRenew  = 30 * time.Second
	leaseMargin = 10 * time.Second
)

// FleetLease is the lease for what belongs to no site: messages and housekeeping.
const FleetLease = "fleet"

// leaseStep takes and renews one lease. Without it this process watches nothing and does nothing there: another one does.
func (c *Control) leaseStep(name string) Step {
	return func(ctx context.Context, now time.Time) (time.Time, error) {
		held, had := c.board.Lease(name, now)
		lease, err := c.store.Acquire(ctx, name, c.owner, leaseTTL, now)
		var other *store.HeldError
		switch {
		case errors.As(err, &other):
			c.board.setLease(name, store.Lease{})
			if had {
				c.log.Warn("lease lost", "lease", name, "to", other.Lease.Owner)
			}
			return now.Add(leaseRenew / 3), nil
		case err != nil:
			return now.Add(leaseRenew / 3), err
		}
		c.board.setLease(name, lease)
		if !had || held.Token != lease.Token {
			c.log.Info("lease taken", "lease", name, "token", lease.Token)
			c.sched.Wake(beatPlans, now)
			return now.Add(leaseRenew), c.store.Append(ctx, fleet.Event{At: now, Kind: fleet.EventDaemon, Author: "phalops", Target: siteRef(name),
				Reason: fleet.Because("control.lease_taken", "lease", name, "owner", c.owner)})
		}
		return now.Add(leaseRenew), nil
	}
}

func siteRef(lease string) fleet.Ref {
	if lease == FleetLease {
		return fleet.Fleet
	}
	return fleet.SiteRef(lease)
}

// Release gives every lease back, so that the next process need not wait for their end.
func (c *Control) Release(ctx context.Context) error {
	var errs []error
	for _, name := range c.leaseNames() {
		errs = append(errs, c.store.Release(ctx, name, c.owner))
		c.board.setLease(name, store.Lease{})
	}
	return errors.Join(errs...)
}

func (c *Control) leaseNames() []string {
	names := []string{FleetLease}
	for _, s := range c.config().Sites {
		names = append(names, s.Name)
	}
	return names
}
