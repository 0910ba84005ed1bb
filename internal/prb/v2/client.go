// Package v2 speaks to a PRB v2 monitor, which relays every question to a peer of the bridge: a lifecycle manager or a data
// provider. Protocol facts: Phala-Network/runtime-bridge-monitor@next server/ptp.ts, runtime-bridge-walkie src/rpc.ts and
// src/proto, runtime-bridge@current-v2 src/lifecycle.
package v2

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"phalops/internal/clock"
	"phalops/internal/fleet"
	"phalops/internal/prb"
	"phalops/internal/wire"
)

const (
	discoverTimeout = 15 * time.Second // answered from the monitor's memory
	proxyTimeout    = 75 * time.Second // the monitor gives a frozen peer up after 30 s; once a stream is open it waits for ever
	tableAge        = 5 * time.Minute
	readAttempts    = 4
	firstPause      = 250 * time.Millisecond
	peersAtOnce     = 8
)

// Options says which bridge.
type Options struct {
	URL       string       // the monitor, for example http://192.168.3.100:3000
	Lifecycle string       // the lifecycle manager's peer id; "" where the monitor lists exactly one
	HTTP      *wire.Client // shared by all bridges: two of them may have a monitor or a peer in common
	Clock     clock.Clock  // default: the machine's
	Parsers   *prb.Parsers // shared by all bridges; default: its own
}

// Client is one bridge.
type Client struct {
	base      string // without a trailing slash
	lifecycle string
	http      *wire.Client
	clock     clock.Clock
	parsers   *prb.Parsers

	mu    sync.Mutex
	table *table // what the monitor knew last; nil: ask again
	told  told   // its inventory, as the lifecycle manager told it last
}

var _ prb.Bridge = (*Client)(nil)

// New makes a Client. It sends nothing.
func New(o Options) (*Client, error) {
	u, err := url.Parse(o.URL)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return nil, fleet.Fail(fleet.Invalid, fleet.Because("prb.bad_url", "url", wire.Display(o.URL)))
	}
	u.RawQuery, u.Fragment = "", ""
	c := &Client{base: strings.TrimRight(u.String(), "/"), lifecycle: o.Lifecycle, http: o.HTTP, clock: o.Clock, parsers: o.Parsers}
	if c.clock == nil {
		c.clock = clock.Real{}
	}
	if c.parsers == nil {
		c.parsers = new(prb.Parsers)
	}
	return c, nil
}

// Read asks the lifecycle manager for pools, workers and states, one after the other, and every data provider at the same
// time.
func (c *Client) Read(ctx context.Context) prb.Reading {
	peers, err := c.peers(ctx)
	if err != nil {
		return prb.Reading{MonitorErr: err}
	}
	var r prb.Reading
	asking, cancel := leaveRoom(ctx)
	defer cancel()
	var all errgroup.Group
	all.SetLimit(1 + peersAtOnce)
	all.Go(func() error { c.readLifecycle(asking, peers, &r); return nil })
	providers := make([]prb.DataProvider, len(peers.providers))
	for i, p := range peers.providers {
		all.Go(func() error { providers[i] = c.readProvider(asking, p); return nil })
	}
	_ = all.Wait()
	r.DataProviders = providers
	return c.blame(ctx, r)
}

// leaveRoom keeps a little of the caller's time for blame.
func leaveRoom(ctx context.Context) (context.Context, context.CancelFunc) {
	end, ok := ctx.Deadline()
	if !ok {
		return context.WithCancel(ctx)
	}
	return context.WithDeadline(ctx, end.Add(-min(5*time.Second, time.Until(end)/4)))
}

// blame decides whose silence it was. When questions got no HTTP answer, a peer may be stuck behind a living monitor, or the
// monitor may be gone: discover, which no peer takes part in, tells.
func (c *Client) blame(ctx context.Context, r prb.Reading) prb.Reading {
	silent, answered, moved := false, false, false
	look := func(err error) {
		switch f := faultOf(err); f {
		case "":
			answered = answered || err == nil
		case faultWire:
			silent = true
		default:
			answered = true
			moved = moved || f == faultUnknownPeer || f == faultDial || f == faultFrozen
		}
	}
	look(r.InventoryErr)
	look(r.StatesErr)
	for _, dp := range r.DataProviders {
		look(dp.Err)
	}
	if moved {
		c.forget()
	}
	if !silent {
		return r
	}
	c.forget()
	if _, err := c.peers(ctx); err != nil && !answered {
		return prb.Reading{MonitorErr: err}
	}
	return r
}

func (c *Client) readProvider(ctx context.Context, p peer) prb.DataProvider {
	dp := prb.DataProvider{Status: fleet.DataProviderStatus{PeerID: p.ID, Hostname: p.Hostname, Addr: p.Addr}}
	data, err := c.ask(ctx, p.ID, "GetDataProviderInfo", nil)
	if err == nil {
		err = decodeProvider(data.Value, &dp.Status)
		data.Free()
	}
	dp.Err = err
	return dp
}

func (c *Client) readLifecycle(ctx context.Context, t *table, r *prb.Reading) {
	lm, err := c.manager(t)
	if err != nil {
		r.InventoryErr, r.StatesErr = err, err
		return
	}
	r.LifecyclePeer = lm
	roll, err := c.inventory(ctx, lm)
	if r.InventoryErr = err; faultOf(err).hopeless() {
		r.StatesErr = err // asking the same peer again would only cost another half minute
		return
	}
	if err != nil {
		r.Workers, r.StatesErr = c.states(ctx, lm, nil)
		return
	}
	r.Pools = roll.Pools()
	states, free, err := c.running(ctx, lm)
	defer free()
	r.Workers, r.StatesErr = roll.Workers(c.parsers, states), err
}

// running asks for all running contexts; they live until free.
func (c *Client) running(ctx context.Context, lm string) (states []prb.Value, free func(), err error) {
	data, err := c.ask(ctx, lm, "GetWorkerStatus", nil)
	if err != nil {
		return nil, func() {}, err
	}
	states, err = decodeList(data.Value, "workerStates")
	return states, data.Free, err
}

// States asks for running contexts. One id is asked for by itself; several are picked out of all, because one worker without
// a context turns a question for many into an error.
func (c *Client) States(ctx context.Context, ids ...string) ([]fleet.WorkerStatus, error) {
	lm, err := c.findManager(ctx)
	if err != nil {
		return nil, err
	}
	states, err := c.states(ctx, lm, ids)
	c.forgetOn(err)
	return states, err
}

func (c *Client) states(ctx context.Context, lm string, ids []string) ([]fleet.WorkerStatus, error) {
	var only []string
	if len(ids) == 1 {
		only = ids
	}
	data, err := c.ask(ctx, lm, "GetWorkerStatus", only)
	if len(ids) == 1 && (errors.Is(err, prb.ErrNotRunning) || errors.Is(err, prb.ErrNoWorker)) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer data.Free()
	all, err := decodeStates(c.parsers, data.Value)
	if err != nil || len(ids) == 0 {
		return all, err
	}
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
	return found, nil
}

// RestartWorker asks for one worker's context to be rebuilt, from what the lifecycle manager has in memory: edits of the
// database need a restart of the manager itself. The id must be the uuid.
func (c *Client) RestartWorker(ctx context.Context, id string) error {
	return c.act(ctx, "RestartWorker", id)
}

// KickWorker stops a worker's sync for good, and asks its pRuntime to exit, which works where its kick API is enabled. The
// context stays, in S_KICKED, until RestartWorker. A worker without a context is prb.ErrNotRunning.
func (c *Client) KickWorker(ctx context.Context, id string) error {
	return c.act(ctx, "KickWorker", id)
}

// RefreshWorker is RestartWorker with a new attestation and registration once the worker is in step: a transaction that
// costs gas. The bridge can only ask for an EPID report, which nobody issues any more; a worker for which that fails ends
// in S_ERROR with its sync stopped, until it is restarted.
func (c *Client) RefreshWorker(ctx context.Context, id string) error {
	return c.act(ctx, "RefreshRaAndRestartWorker", id)
}

// act asks for an action on one worker, once.
func (c *Client) act(ctx context.Context, method, id string) error {
	if id == "" {
		return fleet.FailWith(fleet.NotFound, fleet.Because("prb.no_worker", "worker", id), prb.ErrNoWorker)
	}
	lm, err := c.findManager(ctx)
	if err != nil {
		return prb.Unsent(err)
	}
	data, err := c.call(ctx, lm, method, []string{id}, nil)
	if err != nil {
		c.forgetOn(err)
		if faultOf(err).ambiguous() || wire.IsAmbiguous(err) {
			return prb.Ambiguous(err)
		}
		return err
	}
	// The reply carries the state before the action. Without one the list of ids was not read, and nothing was done.
	defer data.Free()
	if list, err := decodeList(data.Value, "workerStates"); err != nil {
		return prb.Ambiguous(err)
	} else if len(list) == 0 {
		return fleet.Fail(fleet.Failed, fleet.Because("prb.nothing_done", "worker", id, "url", wire.Display(c.base)))
	}
	return nil
}
