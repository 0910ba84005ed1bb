package control

import (
	"context"
	"errors"
	"sync"
	"time"

	"phalops/internal/fleet"
	"phalops/internal/store"
)

// A lease lasts three renewals, so that one lost renewal changes nothing.
const (
	leaseTTL    = 90 * time.Second
	leaseRenew  = 30 * time.Second
	leaseMargin = 10 * time.Second
	// requestsLast is the longest that a request may be on its way that another process began while the lease was its: a
	// container's stop with its grace. What the world does after a lease was taken from somebody is ours no earlier.
	requestsLast = 3 * time.Minute
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
			c.rivals.saw(name)
			if had {
				c.log.Warn("lease lost", "lease", name, "to", other.Lease.Owner)
			}
			return now.Add(leaseRenew / 3), nil
		case err != nil:
			return now.Add(leaseRenew / 3), err
		}
		if !had || held.Token != lease.Token {
			if err := c.takeOver(ctx, name, now); err != nil {
				return now.Add(leaseRenew / 3), err
			}
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

// takeOver reads what whoever had the lease before us knew last: its incidents are ours to close.
func (c *Control) takeOver(ctx context.Context, name string, now time.Time) error {
	c.rivals.gone(name, now)
	return c.load(ctx, now, func(site string) bool { return site == name })
}

// rivals are other processes that were seen to hold a lease. Their last requests may still be on their way when the lease is
// ours. It is safe for concurrent use.
type rivals struct {
	mu    sync.Mutex
	held  map[string]bool
	until map[string]time.Time
}

func (r *rivals) saw(lease string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.held == nil {
		r.held, r.until = map[string]bool{}, map[string]time.Time{}
	}
	r.held[lease] = true
}

// gone is a lease that is ours since now.
func (r *rivals) gone(lease string, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.held[lease] {
		r.held[lease], r.until[lease] = false, now.Add(requestsLast)
	}
}

// wait is until when no effect may begin under a lease; false when it may now.
func (r *rivals) wait(lease string, now time.Time) (time.Time, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	until := r.until[lease]
	return until, now.Before(until) && until.Sub(now) <= requestsLast
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
