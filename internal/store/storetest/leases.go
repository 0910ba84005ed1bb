package storetest

import (
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"

	"phalops/internal/store"
)

func leaseRenew(t *testing.T, s store.Store) {
	first := get2(s.Acquire(t.Context(), "dc1", "alpha", time.Minute, t0()))(t)
	same(t, "lease", first, store.Lease{Name: "dc1", Owner: "alpha", Token: first.Token, Expires: at(time.Minute), Since: t0()})
	if first.Token <= 0 {
		t.Errorf("token %d", first.Token)
	}
	renewed := get2(s.Acquire(t.Context(), "dc1", "alpha", time.Minute, at(30*time.Second)))(t)
	want := first
	want.Expires = at(90 * time.Second)
	same(t, "renewed lease", renewed, want)
	same(t, "read lease", get2(s.LeaseOf(t.Context(), "dc1", at(89*time.Second)))(t), want)

	// Late, but nobody else came: the same owner keeps his token.
	late := get2(s.Acquire(t.Context(), "dc1", "alpha", time.Minute, at(time.Hour)))(t)
	if late.Token != first.Token {
		t.Errorf("token %d became %d without another owner", first.Token, late.Token)
	}
	other := get2(s.Acquire(t.Context(), "dc2", "beta", time.Minute, t0()))(t)
	if other.Owner != "beta" {
		t.Errorf("another lease went to %s", other.Owner)
	}
}

func leaseTakeOver(t *testing.T, s store.Store) {
	first := get2(s.Acquire(t.Context(), "dc1", "alpha", time.Minute, t0()))(t)
	_, err := s.Acquire(t.Context(), "dc1", "beta", time.Minute, at(time.Minute-1))
	var held *store.HeldError
	if !errors.As(err, &held) {
		t.Fatalf("a held lease gives %v, want *HeldError", err)
	}
	same(t, "holder", held.Lease, first)

	if _, err := s.LeaseOf(t.Context(), "dc1", at(time.Minute+1)); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("an expired lease is still held: %v", err)
	}
	second := get2(s.Acquire(t.Context(), "dc1", "beta", time.Minute, at(time.Minute+1)))(t)
	if second.Owner != "beta" || second.Token <= first.Token || !second.Since.Equal(at(time.Minute+1)) {
		t.Errorf("taken over: %+v after %+v", second, first)
	}
	if _, err := s.Acquire(t.Context(), "dc1", "alpha", time.Minute, at(time.Minute+2)); !errors.As(err, &held) || held.Lease.Owner != "beta" {
		t.Errorf("the old owner came back: %v", err)
	}
}

func leaseRelease(t *testing.T, s store.Store) {
	must(t, s.Release(t.Context(), "dc1", "alpha")) // never had it
	var last int64
	for i, owner := range []string{"alpha", "beta", "beta", "alpha"} {
		now := at(time.Duration(i) * time.Second)
		l := get2(s.Acquire(t.Context(), "dc1", owner, time.Hour, now))(t)
		if l.Token <= last {
			t.Errorf("token %d after %d, though the lease was given back", l.Token, last)
		}
		last = l.Token
		must(t, s.Release(t.Context(), "dc1", "gamma")) // not his: nothing happens
		if got := get2(s.LeaseOf(t.Context(), "dc1", now))(t); got.Owner != owner {
			t.Errorf("the lease of %s went to %s", owner, got.Owner)
		}
		must(t, s.Release(t.Context(), "dc1", owner))
		if _, err := s.LeaseOf(t.Context(), "dc1", now); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("a released lease is still held: %v", err)
		}
	}
}

// leaseProperty: whatever two owners do and whenever, at most one of them holds an unexpired lease, a token never comes
// back, and it changes exactly when the owner does.
func leaseProperty(t *testing.T, s store.Store) {
	type holding struct {
		store.Lease
		released bool
	}
	round := 0
	rapid.Check(t, func(rt *rapid.T) {
		round++
		name := time.Duration(round).String()
		now := t0()
		var cur *holding
		var newest int64
		for range rapid.IntRange(1, 12).Draw(rt, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(0, 90).Draw(rt, "pass")) * time.Second)
			owner := rapid.SampledFrom([]string{"alpha", "beta", "gamma"}).Draw(rt, "owner")
			if rapid.IntRange(0, 4).Draw(rt, "release") == 0 {
				if err := s.Release(t.Context(), name, owner); err != nil {
					rt.Fatal(err)
				}
				if cur != nil && cur.Owner == owner {
					cur.released = true
				}
				continue
			}
			lasts := cur != nil && !cur.released && cur.Expires.After(now)
			l, err := s.Acquire(t.Context(), name, owner, time.Minute, now)
			var held *store.HeldError
			switch {
			case errors.As(err, &held):
				if !lasts || cur.Owner == owner || held.Lease.Owner != cur.Owner {
					rt.Fatalf("%s was refused for %+v, model %+v", owner, held.Lease, cur)
				}
			case err != nil:
				rt.Fatal(err)
			case lasts && cur.Owner != owner:
				rt.Fatalf("%s got the lease that %s holds until %v", owner, cur.Owner, cur.Expires)
			case cur != nil && !cur.released && cur.Owner == owner && l.Token != cur.Token:
				rt.Fatalf("the same owner got token %d after %d", l.Token, cur.Token)
			case (cur == nil || cur.released || cur.Owner != owner) && l.Token <= newest:
				rt.Fatalf("a new owner got token %d after %d", l.Token, newest)
			default:
				cur, newest = &holding{Lease: l}, l.Token
			}
		}
	})
}
