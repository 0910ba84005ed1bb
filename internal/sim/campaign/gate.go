package campaign

import (
	"context"
	"time"

	"phalops/internal/fleet"
	"phalops/internal/store"
)

// gate is the store as one daemon has it: what a process that is gone writes is never written.
type gate struct {
	store.Store
	daemon *Daemon
}

func (g *gate) shut() error {
	if g.daemon.dead {
		return errGone
	}
	return nil
}

func (g *gate) CreatePlan(ctx context.Context, p fleet.Plan) error {
	if err := g.shut(); err != nil {
		return err
	}
	return g.Store.CreatePlan(ctx, p)
}

func (g *gate) SaveStep(ctx context.Context, plan string, s fleet.Step, f store.Fence, events ...fleet.Event) error {
	if err := g.shut(); err != nil {
		return err
	}
	return g.Store.SaveStep(ctx, plan, s, f, events...)
}

func (g *gate) SavePlan(ctx context.Context, p fleet.Plan, f store.Fence, events ...fleet.Event) error {
	if err := g.shut(); err != nil {
		return err
	}
	return g.Store.SavePlan(ctx, p, f, events...)
}

func (g *gate) Acquire(ctx context.Context, name, owner string, ttl time.Duration, now time.Time) (store.Lease, error) {
	if err := g.shut(); err != nil {
		return store.Lease{}, err
	}
	return g.Store.Acquire(ctx, name, owner, ttl, now)
}

func (g *gate) SaveIncident(ctx context.Context, i fleet.Incident, events ...fleet.Event) error {
	if err := g.shut(); err != nil {
		return err
	}
	return g.Store.SaveIncident(ctx, i, events...)
}

func (g *gate) Append(ctx context.Context, events ...fleet.Event) error {
	if err := g.shut(); err != nil {
		return err
	}
	return g.Store.Append(ctx, events...)
}

func (g *gate) SaveNode(ctx context.Context, n fleet.NodeStatus) error {
	if err := g.shut(); err != nil {
		return err
	}
	return g.Store.SaveNode(ctx, n)
}

func (g *gate) SaveBridge(ctx context.Context, b fleet.BridgeStatus) error {
	if err := g.shut(); err != nil {
		return err
	}
	return g.Store.SaveBridge(ctx, b)
}

func (g *gate) SaveDecisions(ctx context.Context, d ...fleet.Decision) error {
	if err := g.shut(); err != nil {
		return err
	}
	return g.Store.SaveDecisions(ctx, d...)
}

func (g *gate) LogFacts(ctx context.Context, facts ...fleet.Fact) error {
	if err := g.shut(); err != nil {
		return err
	}
	return g.Store.LogFacts(ctx, facts...)
}

func (g *gate) SaveMessage(ctx context.Context, m []fleet.Message, events ...fleet.Event) error {
	if err := g.shut(); err != nil {
		return err
	}
	return g.Store.SaveMessage(ctx, m, events...)
}
