package campaign

import (
	"cmp"
	"context"
	"errors"
	"strings"
	"time"

	"phalops/internal/fleet"
	"phalops/internal/prb"
	"phalops/internal/sim/world"
)

// How long a v2 monitor waits for a frozen peer, and its client for the monitor.
const (
	v2Frozen   = 30 * time.Second
	v2Discover = 15 * time.Second
	v2Proxy    = 75 * time.Second
)

// v2Bridge answers as a v2 monitor and the peers behind it do.
type v2Bridge struct {
	readers
	*reach
	world *world.Bridge
	url   string
	met   bool // its table was read once: the client remembers it
}

var _ prb.Bridge = (*v2Bridge)(nil)

// discover is nil when the monitor knows the lifecycle manager; which error it is tells what failed.
func (b *v2Bridge) discover(ctx context.Context) (monitor, manager error) {
	front := b.front()
	switch {
	case !front.MonitorListening():
		return refused(b.url + "/ptp/discover"), nil
	case front.MonitorHung():
		takes := v2Discover
		if b.met { // the proxy is asked first
			takes += v2Proxy
		}
		return b.slow(ctx, forEver, takes, b.url+"/ptp/discover"), nil
	}
	_, lifecycles := front.Discover()
	for _, p := range lifecycles {
		if p.ID == b.world.LifecyclePeer {
			b.met = true
			return nil, nil
		}
	}
	return nil, fleet.Fail(fleet.Unavailable, fleet.Because("prb.lifecycle_unlisted", "peer", b.world.LifecyclePeer, "url", b.url))
}

// front is the bridge whose monitor shows this one.
func (b *v2Bridge) front() *world.Bridge {
	if b.world.MonitorOf != nil {
		return b.world.MonitorOf
	}
	return b.world
}

// ask is nil when a peer answers questions, so many of them one after the other.
func (b *v2Bridge) ask(ctx context.Context, peer, method string, questions int) error {
	url := b.url + "/ptp/proxy/" + peer + "/" + method
	how, _, _, _ := b.front().Dial(peer)
	switch how {
	case world.DialUnknown:
		return fleet.Fail(fleet.Unavailable, fleet.Because("prb.unknown_peer", "peer", peer, "url", b.url))
	case world.DialRefused:
		return fleet.Fail(fleet.Unavailable, fleet.Because("prb.peer_down", "peer", peer, "url", b.url))
	case world.DialFrozen:
		if err := b.slow(ctx, v2Frozen, v2Proxy, url); err != nil {
			return err
		}
		return fleet.Fail(fleet.Unavailable, fleet.Because("prb.peer_frozen", "peer", peer, "url", b.url))
	}
	takes := b.front().Delay()
	if takes == 0 {
		return nil
	}
	for range questions {
		if err := b.slow(ctx, takes, v2Proxy, url); err != nil {
			return err
		}
	}
	if how, _, _, _ = b.front().Dial(peer); how != world.DialOK { // it went away meanwhile
		return fleet.Fail(fleet.Unavailable, fleet.Because("prb.peer_down", "peer", peer, "url", b.url))
	}
	return nil
}

// Read asks for everything.
func (b *v2Bridge) Read(ctx context.Context) prb.Reading { return b.bend(b.world.Name, b.read(ctx)) }

func (b *v2Bridge) read(ctx context.Context) prb.Reading {
	monitor, manager := b.discover(ctx)
	if monitor != nil {
		return prb.Reading{MonitorErr: monitor}
	}
	r := prb.Reading{InventoryErr: manager, StatesErr: manager, DataProviders: b.providers(ctx)}
	if manager == nil {
		r.LifecyclePeer = b.world.LifecyclePeer
		if err := b.ask(ctx, b.world.LifecyclePeer, "ListPool", 3); err != nil {
			r.InventoryErr, r.StatesErr = err, err
		} else {
			r.Pools, r.Workers = b.inventory()
			var states []fleet.WorkerStatus
			if states, r.StatesErr = b.states(); r.StatesErr == nil {
				prb.Join(r.Workers, states)
			}
		}
	}
	return r
}

func (b *v2Bridge) providers(ctx context.Context) []prb.DataProvider {
	peers, _ := b.front().Discover()
	var all []prb.DataProvider
	for _, p := range peers {
		dp := prb.DataProvider{Status: fleet.DataProviderStatus{PeerID: p.ID, Hostname: p.Hostname, Addr: p.Addr}}
		how, _, provider, _ := b.front().Dial(p.ID)
		switch {
		case how == world.DialOK && b.front().Delay() >= v2Proxy:
			dp.Err = timedOut(b.url + "/ptp/proxy/" + p.ID + "/GetDataProviderInfo")
		case how == world.DialOK:
			fillProvider(&dp.Status, provider.Info(b.Now()))
		case how == world.DialFrozen:
			delay(ctx, v2Frozen)
			dp.Err = fleet.Fail(fleet.Unavailable, fleet.Because("prb.peer_frozen", "peer", p.ID, "url", b.url))
		default:
			dp.Err = fleet.Fail(fleet.Unavailable, fleet.Because("prb.peer_down", "peer", p.ID, "url", b.url))
		}
		all = append(all, dp)
	}
	return all
}

func fillProvider(s *fleet.DataProviderStatus, i world.Info) {
	s.Status = i.Status
	s.ParentTarget, s.ParentFetched, s.Parent = height(i.ParentTarget), height(i.ParentFetched), height(i.ParentProcessed)
	s.ParaTarget, s.ParaFetched, s.Para = height(i.ParaTarget), height(i.ParaFetched), height(i.ParaProcessed)
}

func (b *v2Bridge) inventory() ([]fleet.Pool, []fleet.WorkerStatus) {
	rows := b.world.Pools()
	pools := make([]fleet.Pool, len(rows))
	byPID := make(map[uint64]*fleet.Pool, len(rows))
	for i, p := range rows {
		pools[i] = fleet.Pool{ID: p.UUID, PID: p.PID, Name: p.Name, Enabled: p.Enabled, SyncOnly: p.SyncOnly, Operator: b.operator(p.Seed), Proxied: p.RealPhalaSs58}
		byPID[p.PID] = &pools[i]
	}
	records := b.world.Workers()
	workers := make([]fleet.WorkerStatus, len(records))
	for i, r := range records {
		workers[i] = b.record(r)
		if p := byPID[r.PID]; p != nil {
			p.Workers++
			workers[i].SyncOnly = r.SyncOnly || p.SyncOnly
		}
	}
	return pools, workers
}

// record is a worker's record of v0 and v2.
func (s *Sim) record(r world.Worker) fleet.WorkerStatus {
	w := fleet.WorkerStatus{ID: r.UUID, Name: r.Name, PID: r.PID, Endpoint: r.Endpoint, Enabled: r.Enabled, SyncOnly: r.SyncOnly}
	w.Stake, w.StakeOK = s.stake(r.Stake)
	return w
}

func (b *v2Bridge) states(ids ...string) ([]fleet.WorkerStatus, error) {
	contexts, err := b.world.States(ids)
	if err != nil {
		return nil, b.explain(err, "GetWorkerStatus", strings.Join(ids, ", "))
	}
	states := make([]fleet.WorkerStatus, len(contexts))
	for i, c := range contexts {
		states[i] = v2State(c)
	}
	return states, nil
}

func v2State(c *world.Context) fleet.WorkerStatus {
	w := fleet.WorkerStatus{ID: c.Worker.UUID, Running: true, State: c.State()}
	if text, at := c.Message(); text != "" {
		w.Message, w.MessageAt = prb.Redact(text), at.Truncate(time.Second).UTC()
	}
	if para, relay, known := c.Heights(); known {
		yes := true
		w.Relay, w.ParaHeader, w.Para, w.Initialized = height(relay), height(para), height(para), &yes
		w.PublicKey = c.Pruntime().PublicKey
	}
	if s, known := c.Session(); known {
		fillSession(&w, s)
		yes := true
		w.Registered, w.Version, w.Revision = &yes, v2Version, v2Revision
	}
	return w
}

// What a v2 bridge tells of its pRuntimes.
const (
	v2Version  = "2.0.1"
	v2Revision = "2b214ddf3326016519afcb268f63623b80b91a65"
)

// explain is what the client makes of a peer's refusal.
func (b *v2Bridge) explain(err error, method, worker string) error {
	message := err.Error()
	var p *world.PeerError
	if errors.As(err, &p) && p.NotFound && worker != "" {
		return fleet.FailWith(fleet.NotFound, fleet.Because("prb.no_worker", "worker", worker), prb.ErrNoWorker)
	}
	switch {
	case strings.HasSuffix(message, "(reading 'workers')"):
		return fleet.FailWith(fleet.Failed, fleet.Because("prb.config_mode", "peer", b.world.LifecyclePeer), prb.ErrConfigMode)
	case strings.HasSuffix(message, "(reading 'runner')"), strings.HasSuffix(message, "(reading 'status')"):
		return fleet.FailWith(fleet.Failed, fleet.Because("prb.not_running", "worker", worker), prb.ErrNotRunning)
	}
	return fleet.Fail(fleet.Failed, fleet.Because("prb.peer_error", "method", method, "peer", b.world.LifecyclePeer, "message", prb.Redact(message)))
}

// States asks for running contexts.
func (b *v2Bridge) States(ctx context.Context, ids ...string) ([]fleet.WorkerStatus, error) {
	if err := b.manager(ctx, "GetWorkerStatus"); err != nil {
		return nil, err
	}
	if len(ids) == 1 {
		states, err := b.states(ids...)
		if errors.Is(err, prb.ErrNotRunning) || errors.Is(err, prb.ErrNoWorker) {
			return nil, nil
		}
		return states, err
	}
	all, err := b.states()
	if err != nil || len(ids) == 0 {
		return all, err
	}
	return only(all, ids), nil
}

func only(all []fleet.WorkerStatus, ids []string) []fleet.WorkerStatus {
	wanted := make(map[string]bool, len(ids))
	for _, id := range ids {
		wanted[id] = true
	}
	var found []fleet.WorkerStatus
	for _, s := range all {
		if wanted[s.ID] {
			found = append(found, s)
		}
	}
	return found
}

// manager is nil when the lifecycle manager answers one question.
func (b *v2Bridge) manager(ctx context.Context, method string) error {
	if monitor, manager := b.discover(ctx); monitor != nil || manager != nil {
		return cmp.Or(monitor, manager)
	}
	return b.ask(ctx, b.world.LifecyclePeer, method, 1)
}

// RestartWorker asks for a worker's context to be rebuilt.
func (b *v2Bridge) RestartWorker(ctx context.Context, id string) error {
	return b.act(ctx, "RestartWorker", world.ActionRestart, id)
}

// RefreshWorker is RestartWorker with a new attestation.
func (b *v2Bridge) RefreshWorker(ctx context.Context, id string) error {
	return b.act(ctx, "RefreshRaAndRestartWorker", world.ActionRefresh, id)
}

// act asks once. What is asked of a lifecycle that answers too late is done all the same.
func (b *v2Bridge) act(ctx context.Context, method string, a world.Action, id string) error {
	if err := b.gone(); err != nil {
		return err
	}
	ctx = order(ctx)
	monitor, manager := b.discover(ctx)
	if err := cmp.Or(monitor, manager); err != nil {
		return prb.Unsent(err)
	}
	front := b.front()
	if takes := front.Delay(); takes >= allowed(ctx, v2Proxy) {
		if how, _, _, _ := front.Dial(b.world.LifecyclePeer); how == world.DialOK {
			b.World.After(takes, func() { _, _ = b.world.Act(a, []string{id}) })
		}
	}
	frozen, _, _, _ := front.Dial(b.world.LifecyclePeer)
	if err := b.ask(ctx, b.world.LifecyclePeer, method, 1); err != nil {
		if frozen == world.DialFrozen {
			return prb.Ambiguous(err)
		}
		return err
	}
	if err := b.gone(); err != nil {
		return err
	}
	_, err := b.world.Act(a, []string{id})
	if err == nil {
		return nil
	}
	err = b.explain(err, method, id)
	if fleet.ReasonOf(err).Code == "prb.peer_error" {
		return prb.Ambiguous(err)
	}
	return err
}
