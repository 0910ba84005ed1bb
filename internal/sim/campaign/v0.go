package campaign

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"phalops/internal/fleet"
	"phalops/internal/prb"
	v0 "phalops/internal/prb/v0"
	"phalops/internal/sim/world"
)

// Times of a v0 monitor and its client.
const (
	v0Call    = 15 * time.Second       // the client's patience
	v0Query   = 5 * time.Second        // the monitor's, with its message bus
	v0Remakes = 201 * time.Millisecond // from the order to restart a worker to the reply
)

// v0Bridge answers as a v0 monitor and the processes on its message bus do.
type v0Bridge struct {
	readers
	*reach
	world *world.V0Bridge
	url   string
}

var _ prb.Bridge = (*v0Bridge)(nil)

// ask is nil when a question reaches the lifecycle manager and is answered in time; database says that it takes the stored
// records.
func (b *v0Bridge) ask(ctx context.Context, command string, database bool) error {
	url := b.url + "/api/query_manager"
	noReply := fleet.Fail(fleet.Unavailable, fleet.Because("prb.no_reply", "method", command, "service", "manager", "url", b.url))
	if !b.world.MonitorListening() {
		return refused(url)
	}
	if b.world.MonitorHung() {
		return b.slow(ctx, forEver, v0Call, url)
	}
	switch b.world.Ask(false, database) {
	case world.V0BusAbsent:
		return b.slow(ctx, forEver, v0Call, url)
	case world.V0BusLost:
		if err := b.slow(ctx, v0Query, v0Call, url); err != nil {
			return err
		}
		b.world.CrashMonitor()
		return noReply
	case world.V0Silent:
		if err := b.slow(ctx, v0Query, v0Call, url); err != nil {
			return err
		}
		return noReply
	}
	takes := b.world.Delay()
	if err := b.slow(ctx, min(takes, v0Query), v0Call, url); err != nil {
		return err
	}
	if takes >= v0Query || b.world.Ask(false, database) != world.V0Answered {
		return noReply
	}
	return nil
}

// Read asks for everything.
func (b *v0Bridge) Read(ctx context.Context) prb.Reading { return b.bend(b.world.Name, b.read(ctx)) }

func (b *v0Bridge) read(ctx context.Context) prb.Reading {
	var r prb.Reading
	fetcher := b.fetcher()
	err := b.ask(ctx, "callOnlineLifecycleManager", true)
	if err != nil && fleet.ReasonOf(err).Code != "prb.no_reply" {
		return prb.Reading{MonitorErr: err}
	}
	r.InventoryErr, r.StatesErr = err, err
	if err == nil {
		r.Pools, r.Workers = b.inventory()
		if r.StatesErr = b.ask(ctx, "queryWorkerState", false); r.StatesErr == nil {
			prb.Join(r.Workers, b.states(nil))
		}
	}
	r.DataProviders = []prb.DataProvider{fetcher}
	return r
}

// fetcher is what fetch says, or that nobody answers for it.
func (b *v0Bridge) fetcher() prb.DataProvider {
	dp := prb.DataProvider{Status: fleet.DataProviderStatus{PeerID: v0.FetcherID, Hostname: v0.FetcherID}}
	if !b.world.MonitorListening() || b.world.MonitorHung() || b.world.Ask(true, false) != world.V0Answered || b.world.Delay() >= v0Query {
		dp.Err = fleet.Fail(fleet.Unavailable, fleet.Because("prb.no_reply", "method", "callOnlineFetcher", "service", "fetcher", "url", b.url))
		return dp
	}
	f, s := b.world.Fetch(), &dp.Status
	s.Status = "S_SYHCHING"
	if f.Synched {
		s.Status = "S_IDLE"
	}
	s.ParentFetched, s.Parent = height(f.ParentKnown), height(f.ParentBlob)
	s.ParaFetched, s.Para = height(f.ParaKnown), height(f.ParaBlob)
	return dp
}

func (b *v0Bridge) inventory() ([]fleet.Pool, []fleet.WorkerStatus) {
	var pools []fleet.Pool
	for _, p := range b.world.Pools() {
		pools = append(pools, fleet.Pool{ID: p.UUID, PID: p.PID, Name: p.Name, Enabled: p.Enabled, Operator: p.Owner.Phala, Proxied: p.RealPhalaSs58})
	}
	var workers []fleet.WorkerStatus
	for _, r := range b.world.Workers() {
		workers = append(workers, b.record(r))
		for i := range pools {
			if pools[i].PID == r.PID {
				pools[i].Workers++
			}
		}
	}
	return pools, workers
}

// states are the running contexts of these workers, of all without any.
func (b *v0Bridge) states(ids []string) []fleet.WorkerStatus {
	if ids == nil {
		for _, w := range b.world.Workers() {
			ids = append(ids, w.UUID)
		}
	}
	var all []fleet.WorkerStatus
	for _, id := range ids {
		if c := b.world.State(id); c != nil {
			all = append(all, v0State(c))
		}
	}
	return all
}

func v0State(c *world.V0Context) fleet.WorkerStatus {
	r := c.Worker
	w := fleet.WorkerStatus{ID: r.UUID, Running: true, State: c.State()}
	if text, at := c.Message(); text != "" {
		w.Message, w.MessageAt = prb.Redact(text), at.Truncate(time.Millisecond).UTC()
	}
	if yes, known := c.Initialized(); known {
		w.Initialized, w.PublicKey = &yes, c.Pruntime().PublicKey
	}
	if h, begun := c.Heights(); begun {
		w.Relay, w.ParaHeader, w.Para = height(h.Parent), height(h.ParaHeader), height(h.Para)
	}
	if s, known := c.Session(); known {
		fillSession(&w, s)
	}
	return w
}

// States asks for running contexts.
func (b *v0Bridge) States(ctx context.Context, ids ...string) ([]fleet.WorkerStatus, error) {
	if len(ids) == 0 {
		if err := b.ask(ctx, "callOnlineLifecycleManager", true); err != nil {
			return nil, err
		}
		ids = nil
	}
	if err := b.ask(ctx, "queryWorkerState", false); err != nil {
		return nil, err
	}
	return b.states(ids), nil
}

// RestartWorker asks for a worker's context to be rebuilt.
func (b *v0Bridge) RestartWorker(ctx context.Context, id string) error {
	return b.act(ctx, "requestStartWorkerLifecycle", id, b.world.Restart)
}

// KickWorker asks the bridge to stop a worker's sync and to make its pRuntime exit.
func (b *v0Bridge) KickWorker(ctx context.Context, id string) error {
	return b.act(ctx, "requestKickWorker", id, b.world.Kick)
}

// act asks once. What is answered too late is done all the same.
func (b *v0Bridge) act(ctx context.Context, command, id string, do func([]world.V0ID) error) error {
	if err := b.gone(); err != nil {
		return err
	}
	ctx = order(ctx)
	if takes := b.world.Delay(); takes >= v0Query && b.world.MonitorListening() && b.world.Ask(false, true) == world.V0Answered {
		b.World.After(takes, func() { _ = do([]world.V0ID{{UUID: id}}) })
	}
	if err := b.ask(ctx, command, true); err != nil {
		if fleet.ReasonOf(err).Code == "prb.no_reply" {
			return prb.Ambiguous(err)
		}
		return err
	}
	if err := b.gone(); err != nil {
		return err
	}
	if err := do([]world.V0ID{{UUID: id}}); err != nil {
		return v0Explain(err.Error(), command, id)
	}
	return b.sleep(ctx, v0Remakes)
}

// v0Explain is what the client makes of an exception's text.
func v0Explain(text, command, worker string) error {
	var miss struct{ Type, Key string }
	switch {
	case strings.HasSuffix(text, "(reading 'innerTxQueue')"):
		return fleet.FailWith(fleet.Failed, fleet.Because("prb.not_running", "worker", worker), prb.ErrNotRunning)
	case strings.HasPrefix(text, "Stake amount should be at least"):
		return fleet.FailWith(fleet.Failed, fleet.Because("prb.low_stake", "worker", worker), prb.ErrLowStake)
	case json.Unmarshal([]byte(text), &miss) == nil && miss.Type == "worker":
		return fleet.FailWith(fleet.NotFound, fleet.Because("prb.no_worker", "worker", worker), prb.ErrNoWorker)
	case miss.Type == "pool":
		return fleet.FailWith(fleet.NotFound, fleet.Because("prb.no_pool", "what", worker), prb.ErrNoPool)
	}
	return fleet.Fail(fleet.Failed, fleet.Because("prb.bridge_error", "method", command, "message", prb.Redact(text)))
}
