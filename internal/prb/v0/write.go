package v0

import (
	"context"
	"strconv"

	"phalops/internal/fleet"
	"phalops/internal/prb"
	"phalops/internal/secret"
)

// The bodies of writes. A field of another type than the protobuf one ends the monitor's process, so the types here are the
// protocol's: strings for pid and stake.
type poolBody struct {
	PID     string `json:"pid"`
	Name    string `json:"name"`
	Enabled bool   `json:"enabled"` // omitted is false
	Deleted bool   `json:"deleted,omitempty"`
	Proxied string `json:"realPhalaSs58"`
	Owner   owner  `json:"owner"`
}

type owner struct {
	Mnemonic string `json:"mnemonic,omitempty"`
	Keystore string `json:"polkadotJson,omitempty"` // used where there is no mnemonic
}

type workerBody struct {
	PID      string `json:"pid"`
	Name     string `json:"name"`
	Endpoint string `json:"endpoint"`
	Stake    string `json:"stake"`
	Enabled  bool   `json:"enabled"`
	Deleted  bool   `json:"deleted,omitempty"`
}

type poolItem struct {
	ID   id       `json:"id"`
	Pool poolBody `json:"pool"`
}

type workerItem struct {
	ID     id         `json:"id"`
	Worker workerBody `json:"worker"`
}

func poolOf(s prb.PoolSpec, keystore secret.Value) poolBody {
	b := poolBody{PID: decimal(s.PID), Name: s.Name, Enabled: s.Enabled, Proxied: s.Proxied}
	if mnemonic := prb.Mnemonic(s.Mnemonic); mnemonic != "" {
		b.Owner.Mnemonic = mnemonic
	} else {
		b.Owner.Keystore = keystore.Reveal()
	}
	return b
}

func workerOf(s prb.WorkerSpec) workerBody {
	return workerBody{PID: decimal(s.PID), Name: s.Name, Endpoint: s.Endpoint, Stake: s.Stake.String(), Enabled: s.Enabled}
}

func decimal(n uint64) string { return strconv.FormatUint(n, 10) }

// CreatePools stores new pools. See prb.Inventory.
func (c *Client) CreatePools(ctx context.Context, pools []prb.PoolSpec) ([]prb.Stored, error) {
	if err := prb.CheckPools(pools, true); err != nil {
		return nil, err
	}
	var value struct {
		Pools []poolBody `json:"pools"`
	}
	for _, p := range pools {
		if p.SyncOnly {
			return nil, noSyncOnly(p.Name)
		}
		value.Pools = append(value.Pools, poolOf(p, secret.Value{}))
	}
	before, err := c.list(ctx)
	if err != nil {
		return nil, err
	}
	return c.write(ctx, "requestCreatePool", value, func(l listing) ([]prb.Stored, error) {
		stored := prb.ComparePools(prb.Without(l.pools, before.pools, prb.PoolID), pools)
		return stored, prb.NotStored(stored, func(i int) string { return pools[i].Name })
	})
}

// CreateWorkers stores new workers. The bridge would take a worker whose pool it does not have; such a worker can never
// start and is refused here. See prb.Inventory.
func (c *Client) CreateWorkers(ctx context.Context, workers []prb.WorkerSpec) ([]prb.Stored, error) {
	if err := prb.CheckWorkers(workers); err != nil {
		return nil, err
	}
	before, err := c.list(ctx)
	if err != nil {
		return nil, err
	}
	var value struct {
		Workers []workerBody `json:"workers"`
	}
	for _, w := range workers {
		if w.SyncOnly {
			return nil, noSyncOnly(w.Name)
		}
		if !before.hasPool(w.PID) {
			return nil, noPool(decimal(w.PID))
		}
		value.Workers = append(value.Workers, workerOf(w))
	}
	return c.write(ctx, "requestCreateWorker", value, func(l listing) ([]prb.Stored, error) {
		stored := prb.CompareWorkers(prb.Without(l.workers, before.workers, prb.WorkerID), workers)
		return stored, prb.NotStored(stored, func(i int) string { return workers[i].Name })
	})
}

// UpdatePools replaces pools. The bridge wants the operator again with each update; where none is given its own keystore
// is sent back to it. See prb.Inventory.
func (c *Client) UpdatePools(ctx context.Context, pools []prb.PoolUpdate) ([]prb.Stored, error) {
	specs := make([]prb.PoolSpec, len(pools))
	for i, p := range pools {
		specs[i] = p.PoolSpec
	}
	if err := prb.CheckPools(specs, false); err != nil {
		return nil, err
	}
	before, err := c.list(ctx)
	if err != nil {
		return nil, err
	}
	var items []poolItem
	for _, p := range pools {
		if p.SyncOnly {
			return nil, noSyncOnly(p.Name)
		}
		if before.pool(p.ID) == nil {
			return nil, noPool(p.ID)
		}
		body := poolOf(p.PoolSpec, before.keys[p.ID])
		if body.Owner == (owner{}) {
			return nil, fleet.Fail(fleet.Failed, fleet.Because("prb.no_keystore", "pool", p.Name))
		}
		items = append(items, poolItem{id{p.ID}, body})
	}
	return c.update(ctx, "requestUpdatePool", items, func(l listing) ([]prb.Stored, error) {
		stored := make([]prb.Stored, len(pools))
		for i, p := range pools {
			if found := l.pool(p.ID); found != nil {
				stored[i] = prb.PoolStored(*found, p.PoolSpec)
			}
		}
		return stored, prb.NotStored(stored, func(i int) string { return pools[i].Name })
	})
}

// UpdateWorkers replaces workers. A running worker takes it up at its next RestartWorker. See prb.Inventory.
func (c *Client) UpdateWorkers(ctx context.Context, workers []prb.WorkerUpdate) ([]prb.Stored, error) {
	specs := make([]prb.WorkerSpec, len(workers))
	var items []workerItem
	for i, w := range workers {
		specs[i] = w.WorkerSpec
		if w.SyncOnly {
			return nil, noSyncOnly(w.Name)
		}
		if w.ID == "" {
			return nil, noWorker(w.ID)
		}
		items = append(items, workerItem{id{w.ID}, workerOf(w.WorkerSpec)})
	}
	if err := prb.CheckWorkers(specs); err != nil {
		return nil, err
	}
	return c.update(ctx, "requestUpdateWorker", items, func(l listing) ([]prb.Stored, error) {
		stored := make([]prb.Stored, len(workers))
		for i, w := range workers {
			if found := l.worker(w.ID); found != nil {
				stored[i] = prb.WorkerStored(*found, w.WorkerSpec)
			}
		}
		return stored, prb.NotStored(stored, func(i int) string { return workers[i].Name })
	})
}

func (c *Client) update(ctx context.Context, command string, items any, check func(listing) ([]prb.Stored, error)) ([]prb.Stored, error) {
	return c.write(ctx, command, struct {
		Items any `json:"items"`
	}{items}, check)
}

// write sends once. The answer is the whole list, and check says what became of the write; without an answer that can be
// trusted the list is read again until everything is there.
func (c *Client) write(ctx context.Context, command string, value any, check func(listing) ([]prb.Stored, error)) ([]prb.Stored, error) {
	content, err := c.call(ctx, question{service: "manager", command: command, write: true}, value)
	if err == nil {
		var l listing
		l, err = decodeListing(content.Value, command)
		content.Free()
		if err == nil {
			return check(l)
		}
	}
	// An exception that is not known may have come after the write.
	if f := faultOf(err); f.ambiguous() || f == faultServer {
		err = prb.Ambiguous(err)
	}
	if !prb.IsAmbiguous(err) {
		return nil, err
	}
	stored, complete := prb.ReadBack(ctx, c.clock, func() ([]prb.Stored, bool, error) {
		l, err := c.list(ctx)
		if err != nil {
			return nil, false, err
		}
		stored, missing := check(l)
		return stored, missing == nil, nil
	})
	if complete {
		return stored, nil
	}
	return stored, err
}

func (l *listing) hasPool(pid uint64) bool {
	for _, p := range l.pools {
		if p.PID == pid {
			return true
		}
	}
	return false
}

func (l *listing) pool(id string) *fleet.Pool {
	for i := range l.pools {
		if l.pools[i].ID == id {
			return &l.pools[i]
		}
	}
	return nil
}

func (l *listing) worker(id string) *fleet.WorkerStatus {
	for i := range l.workers {
		if l.workers[i].ID == id {
			return &l.workers[i]
		}
	}
	return nil
}

func noSyncOnly(name string) error {
	return fleet.Fail(fleet.Invalid, fleet.Because("prb.no_sync_only", "name", name))
}

func noPool(what string) error {
	return fleet.FailWith(fleet.NotFound, fleet.Because("prb.no_pool", "what", what), prb.ErrNoPool)
}

func noWorker(id string) error {
	return fleet.FailWith(fleet.NotFound, fleet.Because("prb.no_worker", "worker", id), prb.ErrNoWorker)
}
