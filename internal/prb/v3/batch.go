package v3

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"phalops/internal/fleet"
	"phalops/internal/prb"
	"phalops/internal/secret"
)

var (
	_ prb.Inventory  = (*Client)(nil)
	_ prb.OwnRecords = (*Client)(nil)
)

// Inventory lists pools and workers without their running state.
func (c *Client) Inventory(ctx context.Context) ([]fleet.Pool, []fleet.WorkerStatus, error) {
	pools, operators, err := c.stored(ctx)
	if err != nil {
		return nil, nil, err
	}
	all, workers := inventory(pools, operators)
	return all, workers, nil
}

// OwnRecords is Inventory without the pools' SyncOnly mixed into the workers'. See prb.OwnRecords.
func (c *Client) OwnRecords(ctx context.Context) ([]fleet.Pool, []fleet.WorkerStatus, error) {
	pools, operators, err := c.stored(ctx)
	if err != nil {
		return nil, nil, err
	}
	all, workers := inventory(pools, operators)
	own := map[string]bool{}
	for _, p := range pools {
		for _, w := range p.Workers {
			own[w.ID] = w.SyncOnly
		}
	}
	for i := range workers {
		workers[i].SyncOnly = own[workers[i].ID]
	}
	return all, workers, nil
}

func (c *Client) stored(ctx context.Context) ([]Pool, []Operator, error) {
	pools, err := c.Pools(ctx)
	if err != nil {
		return nil, nil, err
	}
	operators, err := c.Operators(ctx)
	if err != nil {
		return nil, nil, err
	}
	return pools, operators, nil
}

// CreatePools stores new pools and their operators, one after the other, and ends at the first that fails. See
// prb.Inventory; v3.2 applies what is written at once, here and below.
func (c *Client) CreatePools(ctx context.Context, specs []prb.PoolSpec) ([]prb.Stored, error) {
	if err := prb.CheckPools(specs, true); err != nil {
		return nil, err
	}
	pools, err := c.Pools(ctx)
	if err != nil {
		return nil, unsent(err)
	}
	for _, s := range specs {
		if _, ok := findPool(pools, s.PID); ok {
			return nil, poolExists(s.PID)
		}
		if err := nameFree(pools, s.Name, ""); err != nil {
			return nil, err
		}
	}
	return c.writePools(ctx, specs, c.AddPool)
}

// UpdatePools replaces pools, one after the other. A pool's PID cannot change, and another Proxied needs the mnemonic
// again: prb-wm stores both together.
func (c *Client) UpdatePools(ctx context.Context, updates []prb.PoolUpdate) ([]prb.Stored, error) {
	specs := make([]prb.PoolSpec, len(updates))
	for i, u := range updates {
		specs[i] = u.PoolSpec
	}
	if err := prb.CheckPools(specs, false); err != nil {
		return nil, err
	}
	pools, operators, err := c.stored(ctx)
	if err != nil {
		return nil, unsent(err)
	}
	for i, s := range specs {
		p, ok := findPoolID(pools, updates[i].ID)
		switch {
		case !ok:
			return nil, noPoolID(updates[i].ID)
		case p.PID != s.PID:
			return nil, fleet.Fail(fleet.Invalid, fleet.Because("prb3.pid_fixed", "name", p.Name, "pid", p.PID))
		case s.Mnemonic.IsZero() && !sameAccount(operatorOf(operators, s.PID).Proxied, s.Proxied):
			return nil, fleet.Fail(fleet.Invalid, fleet.Because("prb3.proxied_needs_key", "name", p.Name))
		}
		if err := nameFree(pools, s.Name, p.ID); err != nil {
			return nil, err
		}
	}
	return c.writePools(ctx, specs, c.UpdatePool)
}

// writePools writes pools and, where a mnemonic is given, operators.
func (c *Client) writePools(ctx context.Context, specs []prb.PoolSpec, write func(context.Context, PoolSpec) error) ([]prb.Stored, error) {
	var err error
	for _, s := range specs {
		if err = write(ctx, PoolSpec{PID: s.PID, Name: s.Name, Enabled: s.Enabled, SyncOnly: s.SyncOnly}); err != nil {
			break
		}
		if s.Mnemonic.IsZero() {
			continue
		}
		if _, err = c.SetOperator(ctx, OperatorSpec{PID: s.PID, Key: secret.NewValue(prb.Mnemonic(s.Mnemonic)), Type: Seed, Proxied: s.Proxied}); err != nil {
			break
		}
	}
	return c.settle(ctx, err, func(pools []Pool, operators []Operator) ([]prb.Stored, error) {
		all, _ := inventory(pools, operators)
		stored := make([]prb.Stored, len(specs))
		for i, s := range specs {
			for _, p := range all {
				if p.PID != s.PID {
					continue
				}
				if sameAccount(p.Proxied, s.Proxied) {
					p.Proxied = s.Proxied
				}
				stored[i] = prb.PoolStored(p, s)
			}
		}
		return stored, prb.NotStored(stored, func(i int) string { return specs[i].Name })
	})
}

// CreateWorkers stores new workers, one after the other, and ends at the first that fails.
func (c *Client) CreateWorkers(ctx context.Context, specs []prb.WorkerSpec) ([]prb.Stored, error) {
	specs = trimmed(specs)
	if err := prb.CheckWorkers(specs); err != nil {
		return nil, err
	}
	pools, err := c.Pools(ctx)
	if err != nil {
		return nil, unsent(err)
	}
	for _, s := range specs {
		if err := cmp.Or(workerSpec(s, Worker{}).check(pools), nameFree(pools, s.Name, "")); err != nil {
			return nil, err
		}
	}
	for _, s := range specs {
		if err = c.AddWorker(ctx, workerSpec(s, Worker{})); err != nil {
			break
		}
	}
	return c.settleWorkers(ctx, err, specs, func(w Worker, i int) bool { return w.Name == specs[i].Name })
}

// UpdateWorkers replaces workers, one after the other; a worker stays the gatekeeper that it is.
func (c *Client) UpdateWorkers(ctx context.Context, updates []prb.WorkerUpdate) ([]prb.Stored, error) {
	specs := make([]prb.WorkerSpec, len(updates))
	for i, u := range updates {
		specs[i] = u.WorkerSpec
	}
	specs = trimmed(specs)
	if err := prb.CheckWorkers(specs); err != nil {
		return nil, err
	}
	pools, err := c.Pools(ctx)
	if err != nil {
		return nil, unsent(err)
	}
	for i, s := range specs {
		w, ok := findWorker(pools, updates[i].ID)
		if !ok {
			return nil, noWorker(updates[i].ID)
		}
		if err := cmp.Or(workerSpec(s, w).check(pools), nameFree(pools, s.Name, w.ID)); err != nil {
			return nil, err
		}
	}
	for i, s := range specs {
		if err = c.updateWorker(ctx, updates[i].ID, func(w Worker) WorkerSpec { return workerSpec(s, w) }); err != nil {
			break
		}
	}
	return c.settleWorkers(ctx, err, specs, func(w Worker, i int) bool { return w.ID == updates[i].ID })
}

func (c *Client) settleWorkers(ctx context.Context, err error, specs []prb.WorkerSpec, is func(Worker, int) bool) ([]prb.Stored, error) {
	return c.settle(ctx, err, func(pools []Pool, _ []Operator) ([]prb.Stored, error) {
		stored := make([]prb.Stored, len(specs))
		for i, s := range specs {
			for _, p := range pools {
				for _, w := range p.Workers {
					if !is(w, i) {
						continue
					}
					if canonical(w.Endpoint) == canonical(s.Endpoint) {
						w.Endpoint = s.Endpoint
					}
					stored[i] = prb.WorkerStored(w.status(), s)
				}
			}
		}
		return stored, prb.NotStored(stored, func(i int) string { return specs[i].Name })
	})
}

// settle looks at what is stored after writes that ended with err.
func (c *Client) settle(ctx context.Context, err error, compare func([]Pool, []Operator) ([]prb.Stored, error)) ([]prb.Stored, error) {
	pools, operators, lookErr := c.stored(ctx)
	if lookErr != nil {
		return nil, cmp.Or(err, prb.Ambiguous(lookErr))
	}
	stored, different := compare(pools, operators)
	return stored, cmp.Or(err, different)
}

// DeletePool deletes a pool that has no workers.
func (c *Client) DeletePool(ctx context.Context, id string) error {
	pools, err := c.Pools(ctx)
	if err != nil {
		return unsent(err)
	}
	p, ok := findPoolID(pools, id)
	if !ok {
		return noPoolID(id)
	}
	return c.RemovePool(ctx, p.PID)
}

// DeleteWorker deletes a worker; v3.2 stops it at once.
func (c *Client) DeleteWorker(ctx context.Context, id string) error { return c.RemoveWorker(ctx, id) }

// workerSpec is a worker as prb-wm shall store it. The endpoint is written as AddWorker would store it: UpdateWorker takes it
// as it is, and a running worker whose endpoint has become another text goes to a new pRuntime (prb3, 1.6).
func workerSpec(s prb.WorkerSpec, stored Worker) WorkerSpec {
	endpoint := canonical(s.Endpoint)
	switch endpoint {
	case "":
		endpoint = s.Endpoint // check says so
	case canonical(stored.Endpoint):
		endpoint = stored.Endpoint
	}
	return WorkerSpec{
		Name: s.Name, Endpoint: endpoint, Stake: s.Stake, PID: s.PID,
		Enabled: s.Enabled, SyncOnly: s.SyncOnly, Gatekeeper: stored.Gatekeeper,
	}
}

// trimmed takes off the slash that prb-wm puts behind every endpoint: what was read may be written.
func trimmed(specs []prb.WorkerSpec) []prb.WorkerSpec {
	specs = slices.Clone(specs)
	for i := range specs {
		specs[i].Endpoint = strings.TrimSuffix(specs[i].Endpoint, "/")
	}
	return specs
}

func findPoolID(pools []Pool, id string) (Pool, bool) {
	for _, p := range pools {
		if p.ID == id {
			return p, true
		}
	}
	return Pool{}, false
}

func operatorOf(operators []Operator, pid uint64) Operator {
	for _, o := range operators {
		if o.PID == pid {
			return o
		}
	}
	return Operator{}
}

func noPoolID(id string) error {
	return fleet.FailWith(fleet.NotFound, fleet.Because("prb3.no_pool_id", "pool", id), prb.ErrNoPool)
}
