package remedy_test

import (
	"context"
	"errors"
	"slices"
	"strings"

	"phalops/internal/fleet"
	"phalops/internal/prb"
	v3 "phalops/internal/prb/v3"
	"phalops/internal/pruntime"
	"phalops/internal/remedy"
	"phalops/internal/sim/world"
)

// effectsOf counts what was done to workers and inventories; container effects are counted by their engines.
func (s *site) effectsOf() int {
	return len(slices.DeleteFunc(s.w.Effects(), func(r world.Record) bool { return s.w.Host(strings.SplitN(r.Target, "/", 2)[0]) != nil }))
}

func record(w world.Worker) fleet.WorkerStatus {
	out := fleet.WorkerStatus{ID: w.UUID, Name: w.Name, Enabled: w.Enabled, Endpoint: w.Endpoint, PID: w.PID, SyncOnly: w.SyncOnly}
	var err error
	out.Stake, err = fleet.ParseAmount(w.Stake)
	out.StakeOK = err == nil
	return out
}

// v0Bridge is a v0 bridge through its monitor.
type v0Bridge struct {
	inventory
	s *site
	b *world.V0Bridge
}

func (b v0Bridge) ask(fetcher, database bool) error {
	if !b.b.MonitorListening() || b.b.MonitorHung() || b.b.Ask(fetcher, database) != world.V0Answered {
		return errSilent
	}
	return nil
}

func (b v0Bridge) Read(ctx context.Context) prb.Reading {
	dp := prb.DataProvider{Status: fleet.DataProviderStatus{PeerID: "fetch", Hostname: "fetch"}, Err: b.ask(true, false)}
	if dp.Err == nil {
		dp.Status.Para = fleet.Height{Value: b.b.Fetch().ParaBlob, Known: true}
	}
	var r prb.Reading
	r.Pools, r.Workers, r.InventoryErr = b.Inventory(ctx)
	if !b.b.MonitorListening() || b.b.MonitorHung() {
		return prb.Reading{MonitorErr: errSilent}
	}
	r.DataProviders = []prb.DataProvider{dp}
	if r.StatesErr = r.InventoryErr; r.StatesErr == nil {
		states, _ := b.States(ctx)
		prb.Join(r.Workers, states)
	}
	return r
}

// Inventory lists what is stored.
func (b v0Bridge) Inventory(context.Context) ([]fleet.Pool, []fleet.WorkerStatus, error) {
	if err := b.ask(false, true); err != nil {
		return nil, nil, err
	}
	var all []fleet.WorkerStatus
	for _, w := range b.b.Workers() {
		all = append(all, record(w))
	}
	return nil, all, nil
}

// UpdateWorkers replaces one record of a v0 bridge.
func (b v0Bridge) UpdateWorkers(_ context.Context, updates []prb.WorkerUpdate) ([]prb.Stored, error) {
	u := updates[0]
	return nil, b.s.do("update "+b.b.Name+"/"+b.nameOf(u.ID), b.s.effectsOf, func() error {
		if err := b.ask(false, true); err != nil {
			return err
		}
		stake := u.Stake.String()
		write, err := b.b.UpdateWorkers([]world.V0Change{{ID: &world.V0ID{UUID: u.ID}, Item: &world.V0Item{
			PID: &u.PID, Name: &u.Name, Endpoint: &u.Endpoint, Stake: &stake, Enabled: &u.Enabled,
		}}})
		if err == nil {
			write()
		}
		return err
	})
}

func (b v0Bridge) States(_ context.Context, ids ...string) ([]fleet.WorkerStatus, error) {
	if err := b.ask(false, false); err != nil {
		return nil, err
	}
	var out []fleet.WorkerStatus
	for _, row := range b.b.Workers() {
		c := b.b.State(row.UUID)
		if c == nil || len(ids) > 0 && !slices.Contains(ids, row.UUID) {
			continue
		}
		w := fleet.WorkerStatus{ID: row.UUID, Running: true, State: c.State()}
		w.Message, w.MessageAt = c.Message()
		if h, known := c.Heights(); known {
			w.Para = fleet.Height{Value: h.Para, Known: true}
		}
		if session, ok := c.Session(); ok {
			w.Session = session.State
		}
		out = append(out, w)
	}
	return out, nil
}

func (b v0Bridge) RestartWorker(_ context.Context, id string) error {
	return b.s.do("restart "+b.b.Name+"/"+b.nameOf(id), b.s.effectsOf, func() error {
		if err := b.ask(false, true); err != nil {
			return err
		}
		return b.b.Restart([]world.V0ID{{UUID: id}})
	})
}

func (b v0Bridge) nameOf(id string) string {
	for _, w := range b.b.Workers() {
		if w.UUID == id {
			return w.Name
		}
	}
	return id
}

// v3Bridge is a v3 bridge, asked directly.
type v3Bridge struct {
	inventory
	s *site
	b *world.V3Bridge
}

func (b v3Bridge) silent() error {
	if !b.b.Listening() || b.b.Hung() {
		return errSilent
	}
	return nil
}

func (b v3Bridge) Read(ctx context.Context) prb.Reading {
	if b.silent() != nil {
		return prb.Reading{InventoryErr: errSilent, StatesErr: errSilent}
	}
	var r prb.Reading
	r.Pools, r.Workers, _ = b.Inventory(ctx)
	states, _ := b.States(ctx)
	prb.Join(r.Workers, states)
	return r
}

// Inventory lists what is stored.
func (b v3Bridge) Inventory(context.Context) (pools []fleet.Pool, workers []fleet.WorkerStatus, err error) {
	if err := b.silent(); err != nil {
		return nil, nil, err
	}
	for _, p := range b.b.Pools() {
		pools = append(pools, fleet.Pool{ID: p.ID, PID: p.PID, SyncOnly: p.SyncOnly})
		for _, row := range b.b.WorkersOf(p.PID) {
			workers = append(workers, record(world.Worker{UUID: row.ID, Name: row.Name, Endpoint: row.Endpoint, Stake: row.Stake, PID: row.PID,
				Enabled: row.Enabled, SyncOnly: row.SyncOnly}))
		}
	}
	return pools, workers, nil
}

// UpdateWorkers replaces one record of a v3 bridge.
func (b v3Bridge) UpdateWorkers(_ context.Context, updates []prb.WorkerUpdate) ([]prb.Stored, error) {
	u := updates[0]
	return nil, b.s.do("update "+b.b.Name+"/"+b.nameOf(u.ID), b.s.effectsOf, func() error {
		if err := b.silent(); err != nil {
			return err
		}
		_, err := b.b.UpdateWorker(world.V3Row{
			Name: u.Name, Endpoint: u.Endpoint, Stake: u.Stake.String(), PID: u.PID, Enabled: u.Enabled, SyncOnly: u.SyncOnly,
		}, "")
		return err
	})
}

func (b v3Bridge) States(_ context.Context, ids ...string) ([]fleet.WorkerStatus, error) {
	if err := b.silent(); err != nil {
		return nil, err
	}
	var out []fleet.WorkerStatus
	for _, s := range b.b.Workers() {
		if len(ids) > 0 && !slices.Contains(ids, s.Worker.ID) {
			continue
		}
		w := fleet.WorkerStatus{ID: s.Worker.ID, Running: true, State: s.State, Message: s.Message, MessageAt: s.At}
		if s.State == "HasError" {
			w.Message = s.Error
		}
		if rt := s.Context.Pruntime(); rt != nil {
			para, _ := s.Context.Heights()
			w.Para = fleet.Height{Value: para, Known: true}
			if session, ok := rt.Session(); ok {
				w.Session = session.State
			}
		}
		out = append(out, w)
	}
	return out, nil
}

func (b v3Bridge) act(a world.V3Action, id string) error {
	return b.s.do(string(a)+" "+b.b.Name+"/"+b.nameOf(id), b.s.effectsOf, func() error {
		if err := b.silent(); err != nil {
			return err
		}
		return b.b.Act(a, []string{id})
	})
}

func (b v3Bridge) RestartWorker(_ context.Context, id string) error {
	return b.act(world.V3Restart, id)
}

func (b v3Bridge) ForceRegister(_ context.Context, ids ...string) error {
	return b.act(world.V3ForceRegister, ids[0])
}

func (b v3Bridge) Generation(context.Context) (v3.Generation, error) {
	if b.b.V30 {
		return v3.V30, b.silent()
	}
	return v3.V32, b.silent()
}

func (b v3Bridge) RestartManager(context.Context) error {
	return b.s.do("reload "+b.b.Name, b.s.effectsOf, func() error {
		if err := b.silent(); err != nil {
			return err
		}
		if !b.b.Reload() {
			return errors.New("ignored")
		}
		return nil
	})
}

func (b v3Bridge) Transactions(context.Context) (v3.Transactions, error) {
	if err := b.silent(); err != nil {
		return v3.Transactions{}, err
	}
	var out v3.Transactions
	_, pending, _ := b.b.Transactions()
	for _, tx := range pending {
		out.Pending = append(out.Pending, v3.Transaction{Desc: tx.Desc})
	}
	return out, nil
}

func (b v3Bridge) nameOf(id string) string {
	for _, p := range b.b.Pools() {
		for _, w := range b.b.WorkersOf(p.PID) {
			if w.ID == id {
				return w.Name
			}
		}
	}
	return id
}

// Inventory lists what a v2 bridge has stored. Of prb.Inventory only this and UpdateWorkers are there.
func (b bridge) Inventory(context.Context) ([]fleet.Pool, []fleet.WorkerStatus, error) {
	if err := b.lifecycle(); err != nil {
		return nil, nil, err
	}
	var all []fleet.WorkerStatus
	for _, w := range b.b.Workers() {
		all = append(all, record(w))
	}
	return nil, all, nil
}

// UpdateWorkers replaces one record of a v2 bridge.
func (b bridge) UpdateWorkers(_ context.Context, updates []prb.WorkerUpdate) ([]prb.Stored, error) {
	u := updates[0]
	return nil, b.s.do("update "+b.b.Name+"/"+b.nameOf(u.ID), b.s.effectsOf, func() error {
		if err := b.lifecycle(); err != nil {
			return err
		}
		in := world.WorkerInput{PID: u.PID, Name: u.Name, Endpoint: u.Endpoint, Stake: u.Stake.String(), Enabled: u.Enabled, SyncOnly: u.SyncOnly}
		_, err := b.b.UpdateWorkers([]world.WorkerChange{{ID: &world.ID{UUID: u.ID, JSON: `"` + u.ID + `"`}, Worker: &in}})
		return err
	})
}

func (b bridge) RefreshWorker(_ context.Context, id string) error {
	return b.s.do("refresh "+b.b.Name+"/"+b.nameOf(id), b.s.effectsOf, func() error {
		if err := b.lifecycle(); err != nil {
			return err
		}
		_, err := b.b.Act(world.ActionRefresh, []string{id})
		return err
	})
}

// runtime is a pRuntime's own API.
type runtime struct {
	s *site
	p *world.Pruntime
}

// Pruntime implements remedy.Reach.
func (s *site) Pruntime(url string) (remedy.Pruntime, error) {
	p := s.w.Pruntime(strings.TrimSuffix(url, "/"))
	if p == nil {
		return nil, errSilent
	}
	return runtime{s, p}, nil
}

func (r runtime) GetInfo(context.Context) (fleet.PruntimeStatus, error) {
	if !r.p.Answers() {
		return fleet.PruntimeStatus{}, errSilent
	}
	para, _ := r.p.Heights()
	return fleet.PruntimeStatus{Para: fleet.Height{Value: para, Known: true}}, nil
}

func (r runtime) TakeCheckpoint(context.Context) (fleet.Height, error) {
	if !r.p.Answers() {
		return fleet.Height{}, errSilent
	}
	return fleet.Height{Value: r.p.TakeCheckpoint(), Known: true}, nil
}

func (r runtime) Kick(context.Context) error {
	return r.s.do("kick "+r.p.Endpoint, r.s.effectsOf, func() error {
		if !r.p.Answers() {
			return errSilent
		}
		if !r.p.Kick() {
			return pruntime.ErrNoMethod
		}
		return nil
	})
}
