package v2

import (
	"context"
	"encoding/json"
	"strings"

	"phalops/internal/fleet"
	"phalops/internal/prb"
	"phalops/internal/wire"
)

var (
	_ prb.Inventory  = (*Client)(nil)
	_ prb.OwnRecords = (*Client)(nil)
)

// The bodies of writes: every field is always there, because the bridge overwrites what is missing with nothing.
type poolBody struct {
	PID      uint64 `json:"pid"`
	Name     string `json:"name"`
	Enabled  bool   `json:"enabled"`
	SyncOnly bool   `json:"syncOnly"`
	Proxied  string `json:"realPhalaSs58"`
	Owner    *owner `json:"owner,omitempty"` // the stored operator stays without one
}

type owner struct {
	Mnemonic string `json:"mnemonic"`
}

type workerBody struct {
	PID      uint64 `json:"pid"`
	Name     string `json:"name"`
	Endpoint string `json:"endpoint"`
	Stake    string `json:"stake"`
	Enabled  bool   `json:"enabled"`
	SyncOnly bool   `json:"syncOnly"`
}

// item is one record of an update. The list must be called items: under another name the bridge reports success and does
// nothing.
type item struct {
	ID     recordID `json:"id"`
	Pool   any      `json:"pool,omitempty"`
	Worker any      `json:"worker,omitempty"`
}

type recordID struct {
	UUID string `json:"uuid"`
}

func poolOf(s prb.PoolSpec) poolBody {
	b := poolBody{PID: s.PID, Name: s.Name, Enabled: s.Enabled, SyncOnly: s.SyncOnly, Proxied: s.Proxied}
	if mnemonic := prb.Mnemonic(s.Mnemonic); mnemonic != "" {
		b.Owner = &owner{mnemonic}
	}
	return b
}

func workerOf(s prb.WorkerSpec) workerBody {
	return workerBody{PID: s.PID, Name: s.Name, Endpoint: s.Endpoint, Stake: s.Stake.String(), Enabled: s.Enabled, SyncOnly: s.SyncOnly}
}

// records are lists of either kind; workers without their pools' SyncOnly mixed in.
type records struct {
	pools   []fleet.Pool
	workers []fleet.WorkerStatus
}

func decodeRecords(data prb.Value) (r records, err error) {
	if r.pools, err = decodePools(data); err == nil {
		r.workers, err = decodeWorkers(data, nil)
	}
	return r, err
}

// Inventory lists pools and workers without their running state.
func (c *Client) Inventory(ctx context.Context) ([]fleet.Pool, []fleet.WorkerStatus, error) {
	lm, err := c.findManager(ctx)
	if err != nil {
		return nil, nil, err
	}
	roll, err := c.inventory(ctx, lm)
	c.forgetOn(err)
	if err != nil {
		return nil, nil, err
	}
	return roll.Pools(), roll.Workers(c.parsers, nil), nil
}

// OwnRecords is Inventory without the pools' SyncOnly mixed into the workers'. See prb.OwnRecords.
func (c *Client) OwnRecords(ctx context.Context) ([]fleet.Pool, []fleet.WorkerStatus, error) {
	lm, err := c.findManager(ctx)
	if err != nil {
		return nil, nil, err
	}
	pools, err := c.stored(ctx, lm, "ListPool")
	if err != nil {
		c.forgetOn(err)
		return nil, nil, err
	}
	workers, err := c.stored(ctx, lm, "ListWorker")
	c.forgetOn(err)
	return pools.pools, workers.workers, err
}

// write is one write on its way.
type write struct {
	method, list string // list answers what is stored
	value        any
	creates      bool     // what was stored before is left out when reading back
	ids          []string // of updates, for sentences
	check        func(records) ([]prb.Stored, error)
}

// CreatePools stores new pools. See prb.Inventory.
func (c *Client) CreatePools(ctx context.Context, pools []prb.PoolSpec) ([]prb.Stored, error) {
	if err := prb.CheckPools(pools, true); err != nil {
		return nil, err
	}
	var value struct {
		Pools []poolBody `json:"pools"`
	}
	for _, p := range pools {
		value.Pools = append(value.Pools, poolOf(p))
	}
	return c.write(ctx, write{
		method: "CreatePool", list: "ListPool", value: value, creates: true,
		check: func(r records) ([]prb.Stored, error) {
			stored := prb.ComparePools(r.pools, pools)
			return stored, prb.NotStored(stored, func(i int) string { return pools[i].Name })
		},
	})
}

// CreateWorkers stores new workers. See prb.Inventory.
func (c *Client) CreateWorkers(ctx context.Context, workers []prb.WorkerSpec) ([]prb.Stored, error) {
	if err := prb.CheckWorkers(workers); err != nil {
		return nil, err
	}
	var value struct {
		Workers []workerBody `json:"workers"`
	}
	for _, w := range workers {
		value.Workers = append(value.Workers, workerOf(w))
	}
	return c.write(ctx, write{
		method: "CreateWorker", list: "ListWorker", value: value, creates: true,
		check: func(r records) ([]prb.Stored, error) {
			stored := prb.CompareWorkers(r.workers, workers)
			return stored, prb.NotStored(stored, func(i int) string { return workers[i].Name })
		},
	})
}

type items struct {
	Items []item `json:"items"`
}

// UpdatePools replaces pools. See prb.Inventory.
func (c *Client) UpdatePools(ctx context.Context, pools []prb.PoolUpdate) ([]prb.Stored, error) {
	specs := make([]prb.PoolSpec, len(pools))
	value, ids := items{make([]item, len(pools))}, make([]string, len(pools))
	for i, p := range pools {
		if p.ID == "" {
			return nil, noPool(p.Name)
		}
		specs[i], ids[i] = p.PoolSpec, p.ID
		value.Items[i] = item{ID: recordID{p.ID}, Pool: poolOf(p.PoolSpec)}
	}
	if err := prb.CheckPools(specs, false); err != nil {
		return nil, err
	}
	return c.write(ctx, write{
		method: "UpdatePool", list: "ListPool", value: value, ids: ids,
		check: func(r records) ([]prb.Stored, error) {
			stored := make([]prb.Stored, len(pools))
			for _, found := range r.pools {
				for i, p := range pools {
					if found.ID == p.ID {
						stored[i] = prb.PoolStored(found, p.PoolSpec)
					}
				}
			}
			return stored, prb.NotStored(stored, func(i int) string { return pools[i].Name })
		},
	})
}

// UpdateWorkers replaces workers; running ones take it up when the lifecycle manager restarts. See prb.Inventory.
func (c *Client) UpdateWorkers(ctx context.Context, workers []prb.WorkerUpdate) ([]prb.Stored, error) {
	specs := make([]prb.WorkerSpec, len(workers))
	value, ids := items{make([]item, len(workers))}, make([]string, len(workers))
	for i, w := range workers {
		if w.ID == "" {
			return nil, noWorker(w.Name)
		}
		specs[i], ids[i] = w.WorkerSpec, w.ID
		value.Items[i] = item{ID: recordID{w.ID}, Worker: workerOf(w.WorkerSpec)}
	}
	if err := prb.CheckWorkers(specs); err != nil {
		return nil, err
	}
	return c.write(ctx, write{
		method: "UpdateWorker", list: "ListWorker", value: value, ids: ids,
		check: func(r records) ([]prb.Stored, error) {
			stored := make([]prb.Stored, len(workers))
			for _, found := range r.workers {
				for i, w := range workers {
					if found.ID == w.ID {
						stored[i] = prb.WorkerStored(found, w.WorkerSpec)
					}
				}
			}
			return stored, prb.NotStored(stored, func(i int) string { return workers[i].Name })
		},
	})
}

// submit sends a write once. Its error is marked where the write may have been carried out.
func (c *Client) submit(ctx context.Context, lm, method string, value any, ids []string) (*prb.Doc, error) {
	q := question{peer: lm, method: method, ids: ids, url: wire.Display(c.base), write: true}
	body, err := json.Marshal(value)
	if err != nil {
		return nil, fail(faultRequest, fleet.Failed, fleet.Because("prb.request_refused", "method", method, "url", q.url, "code", "JSON"), nil)
	}
	data, err := c.send(ctx, body, q)
	c.forgetOn(err)
	if faultOf(err).ambiguous() {
		err = prb.Ambiguous(err)
	}
	return data, err
}

// write sends once. The answer is what was written; without one that can be read the list is read.
func (c *Client) write(ctx context.Context, w write) ([]prb.Stored, error) {
	lm, err := c.findManager(ctx)
	if err != nil {
		return nil, prb.Unsent(err)
	}
	var before records
	if w.creates {
		if before, err = c.stored(ctx, lm, w.list); err != nil {
			c.forgetOn(err)
			return nil, prb.Unsent(err)
		}
	}
	data, err := c.submit(ctx, lm, w.method, w.value, w.ids)
	if err == nil {
		var r records
		r, err = decodeRecords(data.Value)
		data.Free()
		if err == nil {
			return w.check(r)
		}
		err = prb.Ambiguous(err)
	}
	if !prb.IsAmbiguous(err) {
		return nil, err
	}
	stored, complete := prb.ReadBack(ctx, c.clock, func() ([]prb.Stored, bool, error) {
		r, err := c.stored(ctx, lm, w.list)
		if err != nil {
			return nil, false, err
		}
		r.pools = prb.Without(r.pools, before.pools, prb.PoolID)
		r.workers = prb.Without(r.workers, before.workers, prb.WorkerID)
		stored, missing := w.check(r)
		return stored, missing == nil, nil
	})
	if complete {
		return stored, nil
	}
	return stored, err
}

func (c *Client) stored(ctx context.Context, lm, list string) (records, error) {
	data, err := c.ask(ctx, lm, list, nil)
	if err != nil {
		return records{}, err
	}
	defer data.Free()
	return decodeRecords(data.Value)
}

// explainWrite knows the exceptions of writes that are rolled back whole; nil for the others.
func explainWrite(message string, q question) error {
	switch {
	case strings.HasPrefix(message, "SequelizeUniqueConstraintError"): // which field it was is not told
		what, key := "worker", "name"
		if strings.HasSuffix(q.method, "Pool") {
			what, key = "pool", "pid/name"
		}
		return fail(faultPeer, fleet.Failed, fleet.Because("prb.duplicate", "what", what, "key", key), prb.ErrDuplicate)
	case strings.HasPrefix(message, "Pool {pid:"):
		pid, _, _ := strings.Cut(strings.TrimPrefix(message, "Pool {pid:"), " ")
		return fail(faultPeer, fleet.NotFound, fleet.Because("prb.no_pool", "what", pid), prb.ErrNoPool)
	case strings.Contains(message, "Invalid bip39 mnemonic"):
		return fail(faultPeer, fleet.Invalid, fleet.Because("prb.mnemonic_refused"), nil)
	case strings.HasSuffix(message, "(setting 'pool')"), strings.HasSuffix(message, "(setting 'pid')"), strings.HasSuffix(message, "(reading 'destroy')"),
		strings.HasPrefix(message, "Can't find "):
		if strings.HasSuffix(q.method, "Pool") {
			return &callError{faultPeer, noPool(strings.Join(q.ids, ", "))}
		}
		return &callError{faultPeer, noWorker(strings.Join(q.ids, ", "))}
	}
	return nil
}

func noPool(what string) error {
	return fleet.FailWith(fleet.NotFound, fleet.Because("prb.no_pool", "what", what), prb.ErrNoPool)
}

func noWorker(id string) error {
	return fleet.FailWith(fleet.NotFound, fleet.Because("prb.no_worker", "worker", id), prb.ErrNoWorker)
}
