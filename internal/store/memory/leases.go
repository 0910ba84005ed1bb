package memory

import (
	"context"
	"fmt"
	"time"

	"phalops/internal/store"
)

// held is a lease, and whether its owner gave it back; the row stays, so that its token never comes again.
type held struct {
	store.Lease
	released bool
}

func (h *held) lasts(now time.Time) bool { return !h.released && h.Expires.After(now) }

// Acquire implements store.Leases.
func (s *Store) Acquire(ctx context.Context, name, owner string, ttl time.Duration, now time.Time) (store.Lease, error) {
	end, err := s.begin(ctx)
	if err != nil {
		return store.Lease{}, err
	}
	defer end()
	h := s.leases[name]
	switch {
	case h == nil:
		h = &held{released: true}
		s.leases[name] = h
	case h.lasts(now) && h.Owner != owner:
		return store.Lease{}, &store.HeldError{Lease: h.Lease}
	}
	if h.released || h.Owner != owner {
		h.Lease = store.Lease{Name: name, Owner: owner, Token: h.Token + 1, Since: now}
		h.released = false
	}
	h.Expires = now.Add(ttl)
	return h.Lease, nil
}

// Release implements store.Leases.
func (s *Store) Release(ctx context.Context, name, owner string) error {
	end, err := s.begin(ctx)
	if err != nil {
		return err
	}
	defer end()
	if h := s.leases[name]; h != nil && h.Owner == owner {
		h.released = true
	}
	return nil
}

// LeaseOf implements store.Leases.
func (s *Store) LeaseOf(ctx context.Context, name string, now time.Time) (store.Lease, error) {
	end, err := s.begin(ctx)
	if err != nil {
		return store.Lease{}, err
	}
	defer end()
	if h := s.leases[name]; h != nil && h.lasts(now) {
		return h.Lease, nil
	}
	return store.Lease{}, fmt.Errorf("lease %s: %w", name, store.ErrNotFound)
}
