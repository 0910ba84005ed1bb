package campaign

import (
	"context"
	"strings"

	"phalops/internal/fleet"
	"phalops/internal/prb"
	"phalops/internal/sim/world"
)

// The inventories of bridges, as far as a controller writes to them: what workers there are, and changes of their records.

var (
	_ prb.Inventory = (*v0Bridge)(nil)
	_ prb.Inventory = (*v2Bridge)(nil)
	_ prb.Inventory = (*v3Bridge)(nil)
)

// readers are what no controller asks for: pools, and records that come or go.
type readers struct{}

func notOffered(what string) error {
	return fleet.Fail(fleet.Refused, fleet.Because("campaign.not_offered", "what", what))
}

// CreatePools is refused.
func (readers) CreatePools(context.Context, []prb.PoolSpec) ([]prb.Stored, error) {
	return nil, notOffered("CreatePools")
}

// CreateWorkers is refused.
func (readers) CreateWorkers(context.Context, []prb.WorkerSpec) ([]prb.Stored, error) {
	return nil, notOffered("CreateWorkers")
}

// UpdatePools is refused.
func (readers) UpdatePools(context.Context, []prb.PoolUpdate) ([]prb.Stored, error) {
	return nil, notOffered("UpdatePools")
}

// DeletePool is refused.
func (readers) DeletePool(context.Context, string) error { return notOffered("DeletePool") }

// DeleteWorker is refused.
func (readers) DeleteWorker(context.Context, string) error { return notOffered("DeleteWorker") }

// check is the clients' own look at updates before anything is sent.
func check(updates []prb.WorkerUpdate) error {
	specs := make([]prb.WorkerSpec, len(updates))
	for i, u := range updates {
		specs[i] = u.WorkerSpec
		specs[i].Endpoint = strings.TrimSuffix(u.Endpoint, "/")
	}
	return prb.CheckWorkers(specs)
}

// stored compares what is stored now with what was asked for.
func stored(workers []fleet.WorkerStatus, updates []prb.WorkerUpdate) ([]prb.Stored, error) {
	found := make([]prb.Stored, len(updates))
	for i, u := range updates {
		for _, w := range workers {
			if w.ID == u.ID {
				w.Endpoint = strings.TrimSuffix(w.Endpoint, "/")
				u.Endpoint = strings.TrimSuffix(u.Endpoint, "/")
				found[i] = prb.WorkerStored(w, u.WorkerSpec)
			}
		}
	}
	return found, prb.NotStored(found, func(i int) string { return updates[i].Name })
}

// Inventory lists pools and workers.
func (b *v2Bridge) Inventory(ctx context.Context) ([]fleet.Pool, []fleet.WorkerStatus, error) {
	if err := b.manager(ctx, "ListWorker"); err != nil {
		return nil, nil, err
	}
	pools, workers := b.inventory()
	return pools, workers, nil
}

// UpdateWorkers replaces records, all or none.
func (b *v2Bridge) UpdateWorkers(ctx context.Context, updates []prb.WorkerUpdate) ([]prb.Stored, error) {
	if err := check(updates); err != nil {
		return nil, err
	}
	if err := b.writable(b.manager(order(ctx), "UpdateWorker")); err != nil {
		return nil, err
	}
	var changes []world.WorkerChange
	for _, u := range updates {
		changes = append(changes, world.WorkerChange{ID: &world.ID{UUID: u.ID}, Worker: &world.WorkerInput{PID: u.PID, Name: u.Name, Endpoint: u.Endpoint,
			Stake: u.Stake.String(), Enabled: u.Enabled, SyncOnly: u.SyncOnly}})
	}
	if _, err := b.world.UpdateWorkers(changes); err != nil {
		return nil, b.explain(err, "UpdateWorker", updates[0].ID)
	}
	var workers []fleet.WorkerStatus
	for _, r := range b.world.Workers() {
		workers = append(workers, b.record(r))
	}
	return stored(workers, updates)
}

// writable is err, or why this process writes nothing any more.
func (r *reach) writable(err error) error {
	if err != nil {
		return err
	}
	return r.gone()
}

// Inventory lists pools and workers.
func (b *v0Bridge) Inventory(ctx context.Context) ([]fleet.Pool, []fleet.WorkerStatus, error) {
	if err := b.ask(ctx, "callOnlineLifecycleManager", true); err != nil {
		return nil, nil, err
	}
	pools, workers := b.inventory()
	return pools, workers, nil
}

// UpdateWorkers replaces records.
func (b *v0Bridge) UpdateWorkers(ctx context.Context, updates []prb.WorkerUpdate) ([]prb.Stored, error) {
	if err := check(updates); err != nil {
		return nil, err
	}
	if err := b.writable(b.ask(order(ctx), "requestUpdateWorker", true)); err != nil {
		return nil, err
	}
	var changes []world.V0Change
	for _, u := range updates {
		stake := u.Stake.String()
		changes = append(changes, world.V0Change{ID: &world.V0ID{UUID: u.ID}, Item: &world.V0Item{PID: &u.PID, Name: &u.Name, Endpoint: &u.Endpoint,
			Stake: &stake, Enabled: &u.Enabled}})
	}
	write, err := b.world.UpdateWorkers(changes)
	if err != nil {
		return nil, v0Explain(err.Error(), "requestUpdateWorker", updates[0].ID)
	}
	write()
	_, workers := b.inventory()
	return stored(workers, updates)
}

// Inventory lists pools and workers.
func (b *v3Bridge) Inventory(ctx context.Context) ([]fleet.Pool, []fleet.WorkerStatus, error) {
	if err := b.ask(ctx, "wm/config"); err != nil {
		return nil, nil, err
	}
	pools, workers := b.inventory()
	return pools, workers, nil
}

// UpdateWorkers replaces records, one after the other.
func (b *v3Bridge) UpdateWorkers(ctx context.Context, updates []prb.WorkerUpdate) ([]prb.Stored, error) {
	if err := check(updates); err != nil {
		return nil, err
	}
	if err := b.writable(b.ask(order(ctx), "wm/config")); err != nil {
		return nil, err
	}
	rows := map[string]world.V3Row{}
	for _, p := range b.world.Pools() {
		for _, r := range b.world.WorkersOf(p.PID) {
			rows[r.ID] = r
		}
	}
	for _, u := range updates {
		was, known := rows[u.ID]
		if !known {
			return nil, fleet.FailWith(fleet.NotFound, fleet.Because("prb3.no_worker", "worker", u.ID), prb.ErrNoWorker)
		}
		now := world.V3Row{Name: was.Name, Endpoint: strings.TrimSuffix(u.Endpoint, "/") + "/", Stake: u.Stake.String(), PID: u.PID,
			Enabled: u.Enabled, SyncOnly: u.SyncOnly, Gatekeeper: was.Gatekeeper}
		rename := ""
		if u.Name != was.Name {
			rename = u.Name
		}
		if _, err := b.world.UpdateWorker(now, rename); err != nil {
			return nil, prb.Ambiguous(fleet.Fail(fleet.Failed, fleet.Because("prb3.failed", "method", "UpdateWorker", "message", err, "url", b.url)))
		}
	}
	_, workers := b.inventory()
	return stored(workers, updates)
}
