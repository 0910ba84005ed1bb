package storetest

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"phalops/internal/fleet"
	"phalops/internal/store"
)

const goroutines = 8

// parallelAppend: no event is lost, the events of one writer keep their order, and a reader that follows the cursor
// meanwhile sees each exactly once.
func parallelAppend(t *testing.T, s store.Store) {
	const each = 25
	var g errgroup.Group
	for w := range goroutines {
		g.Go(func() error {
			for i := range each {
				e := fleet.Event{At: t0(), Kind: fleet.EventStep, Author: fmt.Sprint(w), Reason: because(fmt.Sprint(i))}
				if err := s.Append(t.Context(), e); err != nil {
					return err
				}
			}
			return nil
		})
	}
	next := map[string]int{}
	g.Go(func() error {
		var cursor int64
		for seen := 0; seen < goroutines*each; {
			events, err := s.Events(t.Context(), store.EventFilter{After: cursor, Limit: 7})
			if err != nil {
				return err
			}
			for _, e := range events {
				if e.Seq <= cursor {
					return fmt.Errorf("seq %d after %d", e.Seq, cursor)
				}
				if want := fmt.Sprint(next[e.Author]); e.Reason.Code != want {
					return fmt.Errorf("writer %s: event %s, want %s", e.Author, e.Reason.Code, want)
				}
				cursor = e.Seq
				next[e.Author]++
				seen++
			}
		}
		return nil
	})
	must(t, g.Wait())
}

// parallelLocks: of many plans for one bridge and its workers, those that hold locks at the same time never overlap.
func parallelLocks(t *testing.T, s store.Store) {
	refs := []fleet.Ref{fleet.BridgeRef("b"), fleet.WorkerRef("b", "1"), fleet.WorkerRef("b", "2")}
	var mu sync.Mutex
	held := map[fleet.Ref]bool{}
	won := 0
	var g errgroup.Group
	for w := range goroutines {
		g.Go(func() error {
			for i := range 10 {
				ref := refs[(w+i)%len(refs)]
				p := restart(fmt.Sprintf("%d-%d", w, i), ref)
				err := s.CreatePlan(t.Context(), p)
				if _, ok := errors.AsType[*store.LockedError](err); ok {
					continue
				}
				if err != nil {
					return err
				}
				mu.Lock()
				for other := range held {
					if other.Overlaps(ref) {
						err = fmt.Errorf("%s and %s are locked at the same time", other, ref)
					}
				}
				held[ref] = true
				won++
				mu.Unlock()
				if err != nil {
					return err
				}
				mu.Lock()
				delete(held, ref)
				mu.Unlock()
				p.State, p.Ended = fleet.PlanDone, at(1)
				if err := s.SavePlan(t.Context(), p, store.Fence{}); err != nil {
					return err
				}
			}
			return nil
		})
	}
	must(t, g.Wait())
	if won == 0 {
		t.Error("nobody got a lock")
	}
	if n := len(lockedRefs(t, s)); n != 0 {
		t.Errorf("%d locks are left", n)
	}
}

// parallelLease: many want it at the same moment, one gets it; the others are told who.
func parallelLease(t *testing.T, s store.Store) {
	var last int64
	for round := range 5 {
		now := at(time.Duration(round) * time.Hour)
		var mu sync.Mutex
		var winners []store.Lease
		var losers []store.Lease
		var g errgroup.Group
		for w := range goroutines {
			g.Go(func() error {
				l, err := s.Acquire(t.Context(), "dc1", fmt.Sprintf("owner-%d-%d", round, w), time.Minute, now)
				var held *store.HeldError
				mu.Lock()
				defer mu.Unlock()
				switch {
				case errors.As(err, &held):
					losers = append(losers, held.Lease)
				case err != nil:
					return err
				default:
					winners = append(winners, l)
				}
				return nil
			})
		}
		must(t, g.Wait())
		if len(winners) != 1 || len(losers) != goroutines-1 {
			t.Fatalf("%d owners at the same time: %+v", len(winners), winners)
		}
		for _, l := range losers {
			same(t, "who was told", l, winners[0])
		}
		if winners[0].Token <= last {
			t.Errorf("token %d after %d", winners[0].Token, last)
		}
		last = winners[0].Token
	}
}
