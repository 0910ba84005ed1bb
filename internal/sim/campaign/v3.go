package campaign

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"phalops/internal/fleet"
	"phalops/internal/prb"
	v3 "phalops/internal/prb/v3"
	"phalops/internal/sim/world"
	"phalops/internal/wire"
)

// v3Bridge answers as prb-wm does, asked directly.
type v3Bridge struct {
	readers
	*reach
	world *world.V3Bridge
	url   string
}

var _ prb.Bridge = (*v3Bridge)(nil)

// ask is nil when prb-wm answers a question in time.
func (b *v3Bridge) ask(ctx context.Context, route string) error {
	switch {
	case !b.world.Listening():
		return b.closed()
	case b.world.Hung():
		return b.slow(ctx, forEver, wire.DefaultTimeout, b.url+"/"+route)
	}
	if err := b.slow(ctx, b.world.Delay(), wire.DefaultTimeout, b.url+"/"+route); err != nil {
		return err
	}
	if !b.world.Listening() {
		return b.closed()
	}
	return nil
}

func (b *v3Bridge) closed() error {
	return fleet.FailWith(fleet.Unavailable, fleet.Because("prb3.port_closed", "url", b.url), refused(b.url))
}

// Read asks for everything at the same time.
func (b *v3Bridge) Read(ctx context.Context) prb.Reading { return b.bend(b.world.Name, b.read(ctx)) }

func (b *v3Bridge) read(ctx context.Context) prb.Reading {
	err := b.ask(ctx, "workers/status")
	switch {
	case err != nil && fleet.ReasonOf(err).Code != "prb3.port_closed":
		return prb.Reading{MonitorErr: err}
	case err != nil:
		return prb.Reading{InventoryErr: err, StatesErr: err}
	}
	var r prb.Reading
	r.Pools, r.Workers = b.inventory()
	join(r.Workers, b.contexts())
	return r
}

// join adds the running state to the inventory.
func join(workers, contexts []fleet.WorkerStatus) {
	byID := make(map[string]fleet.WorkerStatus, len(contexts))
	for _, s := range contexts {
		byID[s.ID] = s
	}
	for i, w := range workers {
		s, ok := byID[w.ID]
		if !ok {
			continue
		}
		s.Name, s.PID, s.Endpoint = w.Name, w.PID, w.Endpoint
		s.Stake, s.StakeOK, s.Enabled, s.SyncOnly, s.Gatekeeper = w.Stake, w.StakeOK, w.Enabled, w.SyncOnly, w.Gatekeeper
		workers[i] = s
	}
}

func (b *v3Bridge) inventory() (pools []fleet.Pool, workers []fleet.WorkerStatus) {
	operators := map[uint64]world.V3Operator{}
	for _, o := range b.world.Operators() {
		operators[o.PID] = o
	}
	for _, p := range b.world.Pools() {
		o := operators[p.PID]
		rows := b.world.WorkersOf(p.PID)
		pools = append(pools, fleet.Pool{ID: p.ID, PID: p.PID, Name: p.Name, Enabled: p.Enabled, SyncOnly: p.SyncOnly,
			Operator: b.operator(o.Seed), Proxied: o.Proxied, Workers: len(rows)})
		for _, r := range rows {
			w := b.row(r)
			w.SyncOnly = r.SyncOnly || p.SyncOnly
			workers = append(workers, w)
		}
	}
	return pools, workers
}

func (b *v3Bridge) row(r world.V3Row) fleet.WorkerStatus {
	w := fleet.WorkerStatus{ID: r.ID, Name: r.Name, PID: r.PID, Endpoint: r.Endpoint, Enabled: r.Enabled, SyncOnly: r.SyncOnly, Gatekeeper: r.Gatekeeper}
	w.Stake, w.StakeOK = b.stake(r.Stake)
	return w
}

// contexts are the running contexts in the order of names.
func (b *v3Bridge) contexts() []fleet.WorkerStatus {
	told := b.world.Workers()
	all := make([]fleet.WorkerStatus, len(told))
	for i, s := range told {
		all[i] = b.context(s)
	}
	slices.SortStableFunc(all, func(x, y fleet.WorkerStatus) int { return cmp.Or(cmp.Compare(x.Name, y.Name), cmp.Compare(x.ID, y.ID)) })
	return all
}

func (b *v3Bridge) context(s world.V3Status) fleet.WorkerStatus {
	w := b.row(s.Worker)
	w.Running, w.State = true, s.State
	if s.Message != "" {
		w.Message, w.MessageAt = prb.Redact(s.Message), s.At.UTC()
		if !b.world.V30 {
			w.MessageAt = w.MessageAt.Truncate(time.Second)
		}
	}
	if s.State == world.V3HasError && s.Error != s.Message {
		w.Message, w.MessageAt = prb.Redact(s.Error), time.Time{}
	}
	rt := s.Context.Pruntime()
	if rt == nil {
		return w
	}
	initialized, registered := !rt.Uninitialized, !rt.Uninitialized && rt.Registered()
	para, relay := s.Context.Heights()
	w.Initialized, w.Registered, w.Version, w.Revision = &initialized, &registered, infoVersion, infoRevision
	w.Relay, w.ParaHeader, w.Para = height(relay), height(para), height(para)
	if initialized {
		w.PublicKey = rt.PublicKey
	}
	if session, known := rt.Session(); known {
		fillSession(&w, session)
	}
	return w
}

// States asks for running contexts, of these workers or of all.
func (b *v3Bridge) States(ctx context.Context, ids ...string) ([]fleet.WorkerStatus, error) {
	if err := b.ask(ctx, "workers/status"); err != nil {
		return nil, err
	}
	if len(ids) == 0 {
		return b.contexts(), nil
	}
	return only(b.contexts(), ids), nil
}

// RestartWorker asks for a worker's context to be made again. One that is restarting already is not asked for again.
func (b *v3Bridge) RestartWorker(ctx context.Context, id string) error {
	return b.act(ctx, "workers/restart", world.V3Restart, id)
}

// TakeCheckpoint asks pRuntimes to write a checkpoint. v3.0 cannot.
func (b *v3Bridge) TakeCheckpoint(ctx context.Context, ids ...string) error {
	if b.world.V30 {
		return fleet.Fail(fleet.Failed, fleet.Because("prb3.no_checkpoint", "url", b.url))
	}
	return b.act(ctx, "workers/take_checkpoint", world.V3TakeCheckpoint, ids...)
}

// ForceRegister makes workers register again.
func (b *v3Bridge) ForceRegister(ctx context.Context, ids ...string) error {
	return b.act(ctx, "workers/force_register", world.V3ForceRegister, ids...)
}

// act looks, and asks once. What is asked of a prb-wm that answers too late is done all the same.
func (b *v3Bridge) act(ctx context.Context, route string, a world.V3Action, ids ...string) error {
	if err := b.gone(); err != nil {
		return err
	}
	ctx = order(ctx)
	if err := b.ask(ctx, "workers/status"); err != nil {
		return prb.Unsent(err)
	}
	running := map[string]fleet.WorkerStatus{}
	for _, s := range b.contexts() {
		running[s.ID] = s
	}
	for _, id := range ids {
		switch s, known := running[id]; {
		case known && s.State != world.V3Disabled:
		case known || b.known(id):
			return fleet.FailWith(fleet.Failed, fleet.Because("prb3.not_running", "worker", cmp.Or(s.Name, id)), prb.ErrNotRunning)
		default:
			return fleet.FailWith(fleet.NotFound, fleet.Because("prb3.no_worker", "worker", id), prb.ErrNoWorker)
		}
	}
	if a == world.V3Restart {
		ids = slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return running[id].State == world.V3Restarting })
	}
	if len(ids) == 0 {
		return nil
	}
	if takes := b.world.Delay(); takes >= allowed(ctx, wire.DefaultTimeout) {
		b.World.After(takes, func() { _ = b.world.Act(a, ids) })
	}
	if err := b.ask(ctx, route); err != nil {
		return err
	}
	if err := b.gone(); err != nil {
		return err
	}
	if err := b.world.Act(a, ids); err != nil {
		return fleet.FailWith(fleet.NotFound, fleet.Because("prb3.failed", "method", route, "message", err, "url", b.url), prb.ErrNoWorker)
	}
	return nil
}

func (b *v3Bridge) known(id string) bool {
	for _, p := range b.world.Pools() {
		if slices.ContainsFunc(b.world.WorkersOf(p.PID), func(r world.V3Row) bool { return r.ID == id }) {
			return true
		}
	}
	return false
}

// Generation tells which build answers.
func (b *v3Bridge) Generation(ctx context.Context) (v3.Generation, error) {
	if err := b.ask(ctx, "workers/take_checkpoint"); err != nil {
		return "", err
	}
	if b.world.V30 {
		return v3.V30, nil
	}
	return v3.V32, nil
}

// RestartManager makes v3.0 load its inventory again; v3.2 does nothing.
func (b *v3Bridge) RestartManager(ctx context.Context) error {
	if err := b.gone(); err != nil {
		return err
	}
	if err := b.ask(order(ctx), "wm/restart"); err != nil {
		return err
	}
	if !b.world.Reload() {
		return fleet.Fail(fleet.Failed, fleet.Because("prb3.restart_ignored", "url", b.url))
	}
	return nil
}

// Transactions is prb-wm's queue since its start.
func (b *v3Bridge) Transactions(ctx context.Context) (v3.Transactions, error) {
	if err := b.ask(ctx, "tx/status"); err != nil {
		return v3.Transactions{}, err
	}
	count, pending, past := b.world.Transactions()
	return v3.Transactions{Count: int64(count), Pending: v3Txs(pending), Past: v3Txs(past)}, nil
}

func v3Txs(all []world.V3Tx) []v3.Transaction {
	var shown []v3.Transaction
	for _, t := range all {
		shown = append(shown, v3.Transaction{ID: int64(t.ID), State: t.State, Message: strings.TrimSpace(t.Message), Desc: t.Desc, PID: t.PID,
			Created: t.Created, Updated: t.Updated})
	}
	return shown
}
