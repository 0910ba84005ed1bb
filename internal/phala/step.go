package phala

import (
	"context"

	"golang.org/x/sync/errgroup"
)

// step is a part of a read.
type step func(context.Context) error

// inTurn takes steps one after the other, up to the first error.
func inTurn(steps ...step) step {
	return func(ctx context.Context) error {
		for _, s := range steps {
			if err := s(ctx); err != nil {
				return err
			}
		}
		return nil
	}
}

// together takes steps at the same time. The first error ends the others.
func together(steps ...step) step {
	return func(ctx context.Context) error {
		all, ctx := errgroup.WithContext(ctx)
		for _, s := range steps {
			all.Go(func() error { return s(ctx) })
		}
		return all.Wait()
	}
}

// plan is everything that Read does in the order in which it may be done. All of the chain is read in one go and joined afterwards; a part of it is
// found by what leads there.
func (r *reader) plan() step {
	pools := []step{r.gas}
	if r.st.Era == V2 {
		pools = append(pools, r.assets, inTurn(r.vaults, r.queues))
	}
	sessions := []step{r.readSessions, r.readStakes, r.readWorkers}
	if !r.want.lean() {
		sessions = append(sessions, r.readBindings)
		if r.st.Era == V2 {
			sessions = append(sessions, func(ctx context.Context) error { return r.claims(ctx, r.want.whole()) })
		}
	}
	if !r.want.whole() {
		return together(r.globals, inTurn(r.findPools, r.readPools, r.derive, together(append(pools, sessions...)...), r.join))
	}
	all := append(sessions, r.globals, inTurn(r.readPools, together(pools...)))
	if r.want.lean() {
		return inTurn(together(all...), r.derive)
	}
	all = append(all, r.findPools)
	if r.st.Era == V1 {
		all = append(all, r.stakers)
	}
	return inTurn(together(all...), r.derive, r.join, r.former)
}
