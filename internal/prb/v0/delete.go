package v0

import (
	"context"

	"phalops/internal/fleet"
	"phalops/internal/prb"
)

// A deletion frees the name and the endpoint (pid) and no more: the record stays listed, not marked in any way, a running
// worker runs on, and at the lifecycle manager's next start a record that is stored as enabled starts again. So records are
// disabled first. And because a second deletion would free what another record uses by then, a record that shares its name,
// endpoint or pid is left alone, unless it is the only enabled one: then the others are the rests of deleted ones.

// DeleteWorker disables a worker and deletes it. It can be found by its uuid only afterwards. See prb.Inventory.
func (c *Client) DeleteWorker(ctx context.Context, uuid string) error {
	before, err := c.list(ctx)
	if err != nil {
		return err
	}
	w := before.worker(uuid)
	if w == nil {
		return noWorker(uuid)
	}
	for _, o := range before.workers {
		if o.ID != uuid && (o.Name == w.Name || o.Endpoint == w.Endpoint) && (o.Enabled || !w.Enabled) {
			return fleet.Fail(fleet.Refused, fleet.Because("prb.shared_index", "what", w.Name, "other", o.ID))
		}
	}
	body := workerBody{PID: decimal(w.PID), Name: w.Name, Endpoint: w.Endpoint, Enabled: false}
	if w.StakeOK {
		body.Stake = w.Stake.String()
	}
	_, err = c.update(ctx, "requestUpdateWorker", []workerItem{{id{uuid}, body}}, func(l listing) ([]prb.Stored, error) {
		now := l.worker(uuid)
		return one(now != nil && !now.Enabled, w.Name, "enabled")
	})
	if err != nil {
		return err
	}
	body.Deleted = true
	return c.drop(ctx, "requestUpdateWorker", struct {
		Items []workerItem `json:"items"`
	}{[]workerItem{{id{uuid}, body}}}, uuid)
}

// DeletePool disables a pool and deletes it. It is refused while a worker of the pool is enabled. See prb.Inventory.
func (c *Client) DeletePool(ctx context.Context, uuid string) error {
	before, err := c.list(ctx)
	if err != nil {
		return err
	}
	p := before.pool(uuid)
	if p == nil {
		return noPool(uuid)
	}
	for _, o := range before.pools {
		if o.ID != uuid && (o.Name == p.Name || o.PID == p.PID) && (o.Enabled || !p.Enabled) {
			return fleet.Fail(fleet.Refused, fleet.Because("prb.shared_index", "what", p.Name, "other", o.ID))
		}
	}
	for _, w := range before.workers { // disabled ones may be the rests of deleted workers
		if w.PID == p.PID && w.Enabled {
			return fleet.Fail(fleet.Refused, fleet.Because("prb.pool_in_use", "pool", p.Name, "worker", w.Name))
		}
	}
	keystore := before.keys[uuid]
	if keystore.IsZero() {
		return fleet.Fail(fleet.Failed, fleet.Because("prb.no_keystore", "pool", p.Name))
	}
	body := poolOf(prb.PoolSpec{PID: p.PID, Name: p.Name, Proxied: p.Proxied}, keystore)
	_, err = c.update(ctx, "requestUpdatePool", []poolItem{{id{uuid}, body}}, func(l listing) ([]prb.Stored, error) {
		now := l.pool(uuid)
		return one(now != nil && !now.Enabled, p.Name, "enabled")
	})
	if err != nil {
		return err
	}
	body.Deleted = true
	return c.drop(ctx, "requestUpdatePool", struct {
		Items []poolItem `json:"items"`
	}{[]poolItem{{id{uuid}, body}}}, uuid)
}

// drop sends a deletion. Nothing in the list shows whether it was carried out, so a lost answer stays a doubt.
func (c *Client) drop(ctx context.Context, command string, value any, uuid string) error {
	content, err := c.call(ctx, question{service: "manager", command: command, subject: uuid, write: true}, value)
	if err == nil {
		_, err = decodeListing(content.Value, command)
		content.Free()
	}
	if f := faultOf(err); f.ambiguous() || f == faultServer {
		return prb.Ambiguous(err)
	}
	return err
}

func one(ok bool, name, field string) ([]prb.Stored, error) {
	if ok {
		return nil, nil
	}
	return nil, fleet.Fail(fleet.Failed, fleet.Because("prb.stored_otherwise", "name", name, "fields", field))
}
