package batch_test

import (
	"context"

	"phalops/internal/prb"
	v0 "phalops/internal/prb/v0"
	v2 "phalops/internal/prb/v2"
	v3 "phalops/internal/prb/v3"
)

type (
	bridge  interface{ prb.Bridge }
	records interface{ prb.Inventory }
	owns    interface{ prb.OwnRecords }
)

// client is a bridge's client with the site between it and the plans.
type client struct {
	bridge
	records
	s    *site
	name string
}

func (c client) CreateWorkers(ctx context.Context, w []prb.WorkerSpec) (stored []prb.Stored, err error) {
	err = c.s.write(c.name, "create", func() (err error) { stored, err = c.records.CreateWorkers(ctx, w); return err })
	return stored, err
}

func (c client) UpdateWorkers(ctx context.Context, w []prb.WorkerUpdate) (stored []prb.Stored, err error) {
	err = c.s.write(c.name, "update", func() (err error) { stored, err = c.records.UpdateWorkers(ctx, w); return err })
	return stored, err
}

func (c client) CreatePools(ctx context.Context, p []prb.PoolSpec) (stored []prb.Stored, err error) {
	err = c.s.write(c.name, "create pool", func() (err error) { stored, err = c.records.CreatePools(ctx, p); return err })
	return stored, err
}

func (c client) UpdatePools(ctx context.Context, p []prb.PoolUpdate) (stored []prb.Stored, err error) {
	err = c.s.write(c.name, "update pool", func() (err error) { stored, err = c.records.UpdatePools(ctx, p); return err })
	return stored, err
}

func (c client) DeletePool(ctx context.Context, id string) error {
	return c.s.write(c.name, "delete pool", func() error { return c.records.DeletePool(ctx, id) })
}

func (c client) DeleteWorker(ctx context.Context, id string) error {
	return c.s.write(c.name, "delete", func() error { return c.records.DeleteWorker(ctx, id) })
}

func (c client) RestartWorker(ctx context.Context, id string) error {
	return c.s.write(c.name, "restart", func() error { return c.bridge.RestartWorker(ctx, id) })
}

type kicks interface {
	KickWorker(ctx context.Context, id string) error
}

type v0Client struct {
	client
	kicks
}

type v2Client struct {
	client
	kicks
	owns
}

type manages interface {
	Generation(ctx context.Context) (v3.Generation, error)
	RestartManager(ctx context.Context) error
	Transactions(ctx context.Context) (v3.Transactions, error)
}

type v3Client struct {
	client
	owns
	manages
}

// wrap keeps what only one generation has.
func wrap(s *site, name string, b prb.Bridge) prb.Bridge {
	switch b := b.(type) {
	case *v0.Client:
		return v0Client{client{b, b, s, name}, b}
	case *v2.Client:
		return v2Client{client{b, b, s, name}, b, b}
	case *v3.Client:
		return v3Client{client{b, b, s, name}, b, b}
	}
	return b
}
