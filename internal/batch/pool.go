package batch

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"time"

	"phalops/internal/account"
	"phalops/internal/act"
	"phalops/internal/config"
	"phalops/internal/fleet"
	"phalops/internal/prb"
	"phalops/internal/secret"
)

const opPoolAdd = "pool.add"

// ArgForce ("true") lets one operator's account sign at two bridges.
const ArgForce = "force"

// phalaPrefix is the SS58 prefix of Khala and Phala, in which bridges show accounts.
const phalaPrefix = 30

// PoolEntry is a pool that a bridge shall have.
type PoolEntry struct {
	Line     int        `json:"line,omitempty"`
	PID      uint64     `json:"pool"`
	Name     string     `json:"name"`
	Operator secret.Ref `json:"operator"` // reference to the operator's mnemonic, never the mnemonic
	Proxied  string     `json:"proxied,omitempty"`
	SyncOnly bool       `json:"sync_only,omitempty"`
}

// buildAddPools stores new pools. The mnemonics are looked at here, so that a mistyped one is told before anything is sent,
// and again by whoever executes the step.
func (b *Batches) buildAddPools(ctx context.Context, req act.Request, now time.Time) (fleet.Plan, error) {
	p, bridge, err := b.begin(req, fleet.KindInventory)
	if err != nil {
		return p, err
	}
	var entries []PoolEntry
	if err := items(req, &entries); err != nil {
		return p, err
	}
	stock, err := b.stock(ctx, bridge.Name, now, writeAge)
	if err != nil {
		return p, err
	}
	for _, e := range entries {
		step := fleet.Step{
			Name: "add pool " + bridge.Name + "/" + e.Name, Op: opPoolAdd, Target: fleet.EntryRef(bridge.Name, e.Name), Phase: phaseWrite,
			Args: map[string]string{
				"bridge": bridge.Name, "version": bridge.Version, "pool": decimal(e.PID), "name": e.Name, "operator": string(e.Operator),
				"proxied": e.Proxied, "sync_only": strconv.FormatBool(e.SyncOnly),
			},
			Label: fleet.Because("batch.step_pool_add", "pool", e.PID, "name", e.Name, "bridge", bridge.Name),
		}
		if e.Line > 0 {
			step.Args["line"] = strconv.Itoa(e.Line)
		}
		address, why := b.operator(ctx, e.Operator)
		if why.IsZero() {
			step.Args["account"] = address
			step.Label = fleet.Because("batch.step_pool_add_by", "pool", e.PID, "name", e.Name, "bridge", bridge.Name, "account", address)
			why = b.mustNotAddPool(ctx, bridge, e, address, stock, req.Args[ArgForce] == "true", now)
		}
		if !why.IsZero() {
			step = leftOut(step, why)
		}
		p.Steps = append(p.Steps, step)
	}
	return p, anything(p)
}

// operator is the address behind a reference, or why there is none.
func (b *Batches) operator(ctx context.Context, ref secret.Ref) (string, fleet.Reason) {
	if ref.IsZero() {
		return "", fleet.Because("batch.no_operator")
	}
	value, err := b.Secrets.Resolve(ctx, ref)
	if err != nil {
		return "", fleet.ReasonOf(err)
	}
	a, err := account.Of(value)
	switch {
	case err != nil:
		return "", fleet.ReasonOf(err)
	case a.Derived: // a bridge would drop the path and sign with another account
		return "", fleet.Because("batch.derived")
	}
	return a.Address(phalaPrefix), fleet.Reason{}
}

func (b *Batches) mustNotAddPool(ctx context.Context, bridge config.Bridge, e PoolEntry, address string, s stock, force bool, now time.Time) fleet.Reason {
	if e.SyncOnly && bridge.Version == genV0 {
		return fleet.Because("prb.no_sync_only", "name", e.Name)
	}
	if e.Proxied == address {
		return fleet.Because("batch.proxied_self", "pool", e.PID)
	}
	for _, p := range s.pools {
		switch {
		case p.PID == e.PID && p.Name == e.Name && p.Proxied == e.Proxied && p.SyncOnly == e.SyncOnly:
			return fleet.Reason{} // there already: nothing is sent
		case bridge.Version == genV0 && !p.Enabled: // the rest of a deleted one, perhaps
		case p.PID == e.PID, p.Name == e.Name:
			return fleet.Because("batch.pool_taken", "pool", e.PID, "name", e.Name, "bridge", bridge.Name, "other", p.PID, "other_name", p.Name)
		}
	}
	if force {
		return fleet.Reason{}
	}
	return b.signsElsewhere(ctx, bridge.Name, address, now)
}

// signsElsewhere says where else an account signs: transactions of two bridges with one account make each other fail.
func (b *Batches) signsElsewhere(ctx context.Context, bridge, address string, now time.Time) fleet.Reason {
	for _, site := range b.Config().Sites {
		for _, o := range site.Bridges {
			if o.Name == bridge || o.Version == config.VersionSolo {
				continue
			}
			s, err := b.stock(ctx, o.Name, now, listAge)
			if err != nil {
				continue
			}
			for _, p := range s.pools {
				if p.Operator == address && p.Enabled {
					return fleet.Because("batch.signs_elsewhere", "account", address, "bridge", o.Name, "pool", p.PID)
				}
			}
		}
	}
	return fleet.Reason{}
}

func decimal(n uint64) string { return strconv.FormatUint(n, 10) }

// poolArgs reads a step's pool, without its mnemonic.
func poolArgs(args map[string]string) (prb.PoolSpec, error) {
	pid, err := strconv.ParseUint(args["pool"], 10, 64)
	return prb.PoolSpec{PID: pid, Name: args["name"], Enabled: args["enabled"] != "false", SyncOnly: args["sync_only"] == "true", Proxied: args["proxied"]}, err
}

// withKey puts the mnemonic behind a step's reference into a pool; it passes through to the bridge and is kept nowhere.
func (b *Batches) withKey(ctx context.Context, s act.StepContext, spec *prb.PoolSpec) error {
	ref := secret.Ref(s.Step.Args["operator"])
	if ref.IsZero() {
		return nil
	}
	value, err := b.Secrets.Resolve(ctx, ref)
	if err != nil {
		return act.Final(act.NotSent(err))
	}
	a, err := account.Of(value)
	if err != nil {
		return act.Final(act.NotSent(err))
	}
	if is := a.Address(phalaPrefix); s.Step.Args["account"] != "" && is != s.Step.Args["account"] {
		return act.Final(act.NotSent(fleet.Fail(fleet.Refused, fleet.Because("batch.other_key", "was", s.Step.Args["account"], "is", is))))
	}
	spec.Mnemonic = value
	return nil
}

// poolAdd is visible in the inventory. v3 stores a pool and its operator in two writes: a pool without one is half done.
func (b *Batches) poolAdd() act.Op {
	find := func(ctx context.Context, s act.StepContext) (spec prb.PoolSpec, have *fleet.Pool, err error) {
		if spec, err = poolArgs(s.Step.Args); err != nil {
			return spec, nil, act.Final(err)
		}
		stock, err := b.stock(ctx, s.Step.Args["bridge"], s.Now, writeAge)
		if err != nil {
			return spec, nil, err
		}
		for i, p := range stock.pools {
			if p.PID == spec.PID && p.Name == spec.Name && (p.Enabled || s.Step.Args["version"] != genV0) {
				have = &stock.pools[i]
			}
		}
		return spec, have, nil
	}
	whole := func(spec prb.PoolSpec, have *fleet.Pool) bool {
		return have != nil && len(prb.PoolStored(*have, spec).Different) == 0 && have.Operator != ""
	}
	return act.Op{
		Effect: act.Visible, Timeout: 3 * time.Minute, Attempts: 4,
		Check: func(ctx context.Context, s act.StepContext) (bool, error) {
			spec, have, err := find(ctx, s)
			return err == nil && whole(spec, have), err
		},
		Do: func(ctx context.Context, s act.StepContext) error {
			bridge := s.Step.Args["bridge"]
			spec, have, err := find(ctx, s)
			if err != nil {
				return act.NotSent(err)
			}
			inventory, err := b.inventory(bridge)
			if err != nil {
				return act.NotSent(err)
			}
			if err := b.withKey(ctx, s, &spec); err != nil {
				return err
			}
			if have == nil {
				_, err = inventory.CreatePools(ctx, []prb.PoolSpec{spec})
			} else {
				_, err = inventory.UpdatePools(ctx, []prb.PoolUpdate{{ID: have.ID, PoolSpec: spec}})
			}
			b.forget(bridge)
			if errors.Is(err, prb.ErrDuplicate) {
				return act.Final(fleet.FailWith(fleet.Invalid, fleet.Because("batch.pool_taken_meanwhile", "pool", spec.PID, "name", spec.Name, "bridge", bridge), err))
			}
			return lasting(err)
		},
	}
}

// poolAddAgain asks for the pools that an ended plan did not see through.
func poolAddAgain(old fleet.Plan, req act.Request) act.Request {
	var entries []PoolEntry
	for _, s := range left(old, req, opPoolAdd) {
		spec, err := poolArgs(s.Args)
		if err != nil {
			continue
		}
		line, _ := strconv.Atoi(s.Args["line"])
		entries = append(entries, PoolEntry{Line: line, PID: spec.PID, Name: spec.Name, Operator: secret.Ref(s.Args["operator"]), Proxied: spec.Proxied, SyncOnly: spec.SyncOnly})
	}
	req.Targets, req.Args[ArgItems] = slices.Clone(old.Targets), string(marshal(entries))
	return req
}
