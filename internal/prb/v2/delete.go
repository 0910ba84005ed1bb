package v2

import (
	"context"

	"phalops/internal/fleet"
	"phalops/internal/prb"
)

type deletion struct {
	Deleted bool `json:"deleted"`
}

// DeletePool deletes a pool that has no workers: the bridge's database would delete them with it. See prb.Inventory.
func (c *Client) DeletePool(ctx context.Context, id string) error {
	pools, workers, err := c.Inventory(ctx)
	if err != nil {
		return prb.Unsent(err)
	}
	var pool *fleet.Pool
	for i := range pools {
		if pools[i].ID == id {
			pool = &pools[i]
		}
	}
	if pool == nil {
		return noPool(id)
	}
	for _, w := range workers {
		if w.PID == pool.PID {
			return fleet.Fail(fleet.Refused, fleet.Because("prb.pool_in_use", "pool", pool.Name, "worker", w.Name))
		}
	}
	return c.drop(ctx, "UpdatePool", "ListPool", id, item{ID: recordID{id}, Pool: deletion{true}})
}

// DeleteWorker deletes a worker. See prb.Inventory.
func (c *Client) DeleteWorker(ctx context.Context, id string) error {
	if id == "" {
		return noWorker(id)
	}
	return c.drop(ctx, "UpdateWorker", "ListWorker", id, item{ID: recordID{id}, Worker: deletion{true}})
}

// drop sends a deletion and looks whether the record is gone. An answer that reports success proves nothing: a request
// whose body was lost on its way gets it, too.
func (c *Client) drop(ctx context.Context, method, list, id string, i item) error {
	lm, err := c.findManager(ctx)
	if err != nil {
		return prb.Unsent(err)
	}
	data, sent := c.submit(ctx, lm, method, items{[]item{i}}, []string{id})
	data.Free()
	if sent != nil && !prb.IsAmbiguous(sent) {
		return sent
	}
	if r, err := c.stored(ctx, lm, list); err == nil && !r.has(id) {
		return nil
	} else if err == nil && sent == nil {
		return fleet.Fail(fleet.Failed, fleet.Because("prb.not_deleted", "name", id))
	}
	_, gone := prb.ReadBack(ctx, c.clock, func() ([]prb.Stored, bool, error) {
		r, err := c.stored(ctx, lm, list)
		return nil, err == nil && !r.has(id), err
	})
	switch {
	case gone:
		return nil
	case sent != nil:
		return sent
	default:
		return prb.Ambiguous(fleet.Fail(fleet.Unavailable, fleet.Because("prb.not_deleted", "name", id)))
	}
}

func (r records) has(id string) bool {
	for _, p := range r.pools {
		if p.ID == id {
			return true
		}
	}
	for _, w := range r.workers {
		if w.ID == id {
			return true
		}
	}
	return false
}
