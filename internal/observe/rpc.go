package observe

import (
	"context"
	"sync"
	"time"

	"phalops/internal/fleet"
	"phalops/internal/substrate"
)

// lookTimeout bounds one look at a chain. A healthy node answers within milliseconds.
const lookTimeout = 10 * time.Second

type rpc struct{ node *substrate.Client }

// RPC makes a ChainSource of a node's JSON-RPC.
func RPC(node *substrate.Client) ChainSource { return rpc{node} }

func (r rpc) URL() string { return r.node.URL() }

// Look asks for the height first, because without it nothing else matters, and then for the rest at the same time.
func (r rpc) Look(ctx context.Context) (ChainReading, error) {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	var out ChainReading
	if err := r.height(ctx, &out); err != nil {
		return ChainReading{}, err
	}
	var rest sync.WaitGroup
	rest.Go(func() {
		if h, err := r.node.Health(ctx); err == nil {
			out.Peers, out.Syncing = h.Peers, h.IsSyncing
		}
	})
	rest.Go(func() {
		if n, err := r.node.Finalized(ctx); err == nil {
			out.Finalized = fleet.Height{Value: int64(n), Known: true}
		}
	})
	rest.Go(func() { out.Chain, _ = r.node.Chain(ctx) })
	rest.Go(func() { out.Version, _ = r.node.Version(ctx) })
	rest.Wait()
	return out, nil
}

func (r rpc) height(ctx context.Context, out *ChainReading) error {
	s, err := r.node.SyncState(ctx)
	if err == nil {
		out.Best = fleet.Height{Value: int64(*s.Current), Known: true}
		if s.Highest != nil {
			out.Target = fleet.Height{Value: int64(*s.Highest), Known: true}
		}
		return nil
	}
	if !substrate.IsMissing(err) {
		return err
	}
	h, err := r.node.Header(ctx, "")
	if err != nil {
		return err
	}
	out.Best = fleet.Height{Value: int64(h.Number), Known: true}
	return nil
}

// PeersBest is the height that at least two of the peers claim: a single liar moves nothing.
func (r rpc) PeersBest(ctx context.Context) (int64, bool) {
	heights, err := r.node.PeerHeights(ctx)
	if err != nil {
		return 0, false
	}
	best, agreed := substrate.Agreed(heights)
	return int64(best), agreed
}

// Genesis tells which chain it is.
func (r rpc) Genesis(ctx context.Context) (string, error) { return r.node.Genesis(ctx) }
