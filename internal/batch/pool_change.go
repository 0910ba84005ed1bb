package batch

import (
	"context"
	"strconv"
	"time"

	"phalops/internal/act"
	"phalops/internal/config"
	"phalops/internal/fleet"
	"phalops/internal/prb"
	"phalops/internal/secret"
)

const (
	opPoolSet    = "pool.set"
	opPoolRemove = "pool.remove"
)

// PoolPatch is what SetPools changes; nil and "": it stays as it is.
type PoolPatch struct {
	Name     *string    `json:"name,omitempty"`    // of one pool only
	Proxied  *string    `json:"proxied,omitempty"` // "" takes it away
	Enabled  *bool      `json:"enabled,omitempty"` // stored, and without effect in every generation
	SyncOnly *bool      `json:"sync_only,omitempty"`
	Operator secret.Ref `json:"operator,omitempty"`
}

func (p PoolPatch) on(s prb.PoolSpec) prb.PoolSpec {
	set(&s.Name, p.Name)
	set(&s.Proxied, p.Proxied)
	set(&s.Enabled, p.Enabled)
	set(&s.SyncOnly, p.SyncOnly)
	return s
}

func specOf(p fleet.Pool) prb.PoolSpec {
	return prb.PoolSpec{PID: p.PID, Name: p.Name, Enabled: p.Enabled, SyncOnly: p.SyncOnly, Proxied: p.Proxied}
}

// poolsOf are the pools that a request is about, in its order; one that the bridge does not know has only its PID.
func (b *Batches) poolsOf(ctx context.Context, p fleet.Plan, bridge config.Bridge, now time.Time) ([]fleet.Pool, stock, error) {
	stock, err := b.stock(ctx, bridge.Name, now, writeAge)
	if err != nil {
		return nil, stock, err
	}
	var all []fleet.Pool
	for _, ref := range p.Targets {
		pid, err := strconv.ParseUint(ref.Name(), 10, 64)
		if err != nil {
			return nil, stock, fleet.Fail(fleet.Invalid, fleet.Because("batch.wrong_target", "target", ref, "plan", p.Kind))
		}
		pool := fleet.Pool{PID: pid}
		for _, have := range stock.pools {
			if have.PID == pid && (pool.ID == "" || have.Enabled) { // v0 lists deleted ones, disabled
				pool = have
			}
		}
		all = append(all, pool)
	}
	return all, stock, nil
}

func putPool(args map[string]string, prefix string, s prb.PoolSpec) {
	args[prefix+"pool"], args[prefix+"name"], args[prefix+"proxied"] = decimal(s.PID), s.Name, s.Proxied
	args[prefix+"enabled"], args[prefix+"sync_only"] = strconv.FormatBool(s.Enabled), strconv.FormatBool(s.SyncOnly)
}

// buildSetPools changes pools' records, and nothing in them that was not asked for.
func (b *Batches) buildSetPools(ctx context.Context, req act.Request, now time.Time) (fleet.Plan, error) {
	p, bridge, err := b.begin(req, fleet.KindPool)
	if err != nil {
		return p, err
	}
	var patch PoolPatch
	if err := items(req, &patch); err != nil {
		return p, err
	}
	if len(p.Targets) > 1 && patch.Name != nil {
		return p, fleet.Fail(fleet.Invalid, fleet.Because("batch.one_only", "n", len(p.Targets)))
	}
	p.Args[ArgItems] = req.Args[ArgItems]
	pools, stock, err := b.poolsOf(ctx, p, bridge, now)
	if err != nil {
		return p, err
	}
	applies := false
	for _, pool := range pools {
		is := specOf(pool)
		want := patch.on(is)
		step := fleet.Step{
			Name: "set pool " + bridge.Name + "/" + decimal(pool.PID), Op: opPoolSet, Target: fleet.PoolRef(bridge.Name, decimal(pool.PID)), Phase: phaseWrite,
			Args:  map[string]string{"bridge": bridge.Name, "version": bridge.Version, "id": pool.ID},
			Label: fleet.Because("batch.step_pool_set", "pool", pool.PID, "bridge", bridge.Name),
		}
		putPool(step.Args, "was.", is)
		putPool(step.Args, "", want)
		if !patch.Operator.IsZero() {
			step.Args["operator"] = string(patch.Operator)
		}
		why := b.mustNotSetPool(ctx, bridge, pool, want, patch, &step, stock, req.Args[ArgForce] == "true", now)
		switch {
		case !why.IsZero():
			step = leftOut(step, why)
		case want != is && onlyEnabled(is, want) && patch.Operator.IsZero():
			step.Label = fleet.Because("batch.step_pool_enabled", "pool", pool.PID, "bridge", bridge.Name)
		default:
			applies = applies || want != is || !patch.Operator.IsZero()
		}
		p.Steps = append(p.Steps, step)
	}
	if applies && req.Args[ArgRestart] != RestartNever {
		p.Steps = append(p.Steps, noticeStep(bridge, needRecords, nil, req.Args[ArgRestart]))
	}
	return p, anything(p)
}

func onlyEnabled(is, want prb.PoolSpec) bool {
	is.Enabled = want.Enabled
	return is == want
}

func (b *Batches) mustNotSetPool(ctx context.Context, bridge config.Bridge, pool fleet.Pool, want prb.PoolSpec, patch PoolPatch, step *fleet.Step, s stock, force bool, now time.Time) fleet.Reason {
	if pool.ID == "" {
		return fleet.Because("batch.no_pool", "pool", pool.PID, "bridge", bridge.Name)
	}
	if want.SyncOnly && bridge.Version == genV0 {
		return fleet.Because("prb.no_sync_only", "name", want.Name)
	}
	if patch.Name != nil {
		for _, o := range s.pools {
			if o.Name == *patch.Name && o.ID != pool.ID && (o.Enabled || bridge.Version != genV0) {
				return fleet.Because("batch.pool_taken", "pool", pool.PID, "name", o.Name, "bridge", bridge.Name, "other", o.PID, "other_name", o.Name)
			}
		}
	}
	if patch.Operator.IsZero() {
		if bridge.Version == genV3 && want.Proxied != pool.Proxied {
			return fleet.Because("prb3.proxied_needs_key", "name", pool.Name)
		}
		return fleet.Reason{}
	}
	address, why := b.operator(ctx, patch.Operator)
	if !why.IsZero() {
		return why
	}
	step.Args["account"] = address
	step.Label = fleet.Because("batch.step_pool_operator", "pool", pool.PID, "bridge", bridge.Name, "account", address)
	switch {
	case want.Proxied == address:
		return fleet.Because("batch.proxied_self", "pool", pool.PID)
	case force:
		return fleet.Reason{}
	}
	return b.signsElsewhere(ctx, bridge.Name, address, now)
}

// poolSet is visible in the inventory, but for the operator, which no bridge shows as it was written: with one it is sent once
// for each try, and writing the same again changes nothing.
func (b *Batches) poolSet() act.Op {
	find := func(ctx context.Context, s act.StepContext) (was, want prb.PoolSpec, have *fleet.Pool, err error) {
		if want, err = poolArgs(s.Step.Args); err != nil {
			return was, want, nil, act.Final(err)
		}
		a := s.Step.Args
		was = want
		was.Name, was.Proxied, was.Enabled, was.SyncOnly = a["was.name"], a["was.proxied"], a["was.enabled"] == "true", a["was.sync_only"] == "true"
		stock, err := b.stock(ctx, a["bridge"], s.Now, writeAge)
		if err != nil {
			return was, want, nil, err
		}
		for i := range stock.pools {
			if stock.pools[i].ID == a["id"] {
				return was, want, &stock.pools[i], nil
			}
		}
		return was, want, nil, act.Final(fleet.Fail(fleet.NotFound, fleet.Because("batch.no_pool", "pool", want.PID, "bridge", a["bridge"])))
	}
	return act.Op{
		Effect: act.Visible, Timeout: 3 * time.Minute, Attempts: 4,
		Check: func(ctx context.Context, s act.StepContext) (bool, error) {
			_, want, have, err := find(ctx, s)
			return err == nil && specOf(*have) == want && s.Step.Args["operator"] == "", err
		},
		Do: func(ctx context.Context, s act.StepContext) error {
			bridge := s.Step.Args["bridge"]
			was, want, have, err := find(ctx, s)
			if err != nil {
				return act.NotSent(err)
			}
			if is := specOf(*have); is != was && is != want {
				return act.Final(act.NotSent(fleet.Fail(fleet.Refused, fleet.Because("batch.pool_changed", "pool", want.PID, "bridge", bridge))))
			}
			inventory, err := b.inventory(bridge)
			if err != nil {
				return act.NotSent(err)
			}
			if err := b.withKey(ctx, s, &want); err != nil {
				return err
			}
			_, err = inventory.UpdatePools(ctx, []prb.PoolUpdate{{ID: have.ID, PoolSpec: want}})
			b.forget(bridge)
			return lasting(err)
		},
	}
}

// buildRemovePools deletes pools without workers: a v2 bridge would delete the workers with it, and in v0 they could not start
// any more.
func (b *Batches) buildRemovePools(ctx context.Context, req act.Request, now time.Time) (fleet.Plan, error) {
	p, bridge, err := b.begin(req, fleet.KindPool)
	if err != nil {
		return p, err
	}
	pools, stock, err := b.poolsOf(ctx, p, bridge, now)
	if err != nil {
		return p, err
	}
	for _, pool := range pools {
		step := fleet.Step{
			Name: "remove pool " + bridge.Name + "/" + decimal(pool.PID), Op: opPoolRemove, Target: fleet.PoolRef(bridge.Name, decimal(pool.PID)), Phase: phaseWrite,
			Args:  map[string]string{"bridge": bridge.Name, "version": bridge.Version, "id": pool.ID, "pool": decimal(pool.PID), "name": pool.Name},
			Label: fleet.Because("batch.step_pool_remove", "pool", pool.PID, "bridge", bridge.Name),
		}
		inside := 0
		for _, w := range stock.workers {
			if w.PID == pool.PID && (w.Enabled || bridge.Version != genV0) { // disabled ones of v0 may be the rests of deleted workers
				inside++
			}
		}
		switch {
		case pool.ID == "", bridge.Version == genV0 && !pool.Enabled:
			step = leftOut(step, fleet.Because("batch.no_pool", "pool", pool.PID, "bridge", bridge.Name))
		case inside > 0:
			step = leftOut(step, fleet.Because("batch.pool_has_workers", "pool", pool.PID, "bridge", bridge.Name, "n", inside))
		}
		p.Steps = append(p.Steps, step)
	}
	return p, anything(p)
}

// poolRemove is visible in the inventory: the record is gone, or in v0, which lists it for ever, disabled.
func (b *Batches) poolRemove() act.Op {
	return act.Op{
		Effect: act.Visible, Timeout: 3 * time.Minute, Attempts: 4,
		Check: func(ctx context.Context, s act.StepContext) (bool, error) {
			b.forget(s.Step.Args["bridge"])
			stock, err := b.stock(ctx, s.Step.Args["bridge"], s.Now, writeAge)
			if err != nil {
				return false, err
			}
			for _, p := range stock.pools {
				if p.ID == s.Step.Args["id"] {
					return false, nil // in v0 also after it was deleted: doing it again does no harm, see v0.DeletePool
				}
			}
			return true, nil
		},
		Do: func(ctx context.Context, s act.StepContext) error {
			inventory, err := b.inventory(s.Step.Args["bridge"])
			if err != nil {
				return act.NotSent(err)
			}
			err = inventory.DeletePool(ctx, s.Step.Args["id"])
			b.forget(s.Step.Args["bridge"])
			return lasting(err)
		},
	}
}
