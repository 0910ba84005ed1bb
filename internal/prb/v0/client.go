// Package v0 speaks to a PRB v0 monitor, which puts every command on a Redis bus and gives back the first reply. Its lists
// and some of its error texts carry unencrypted private keys: they are left behind in this package, before anything else
// can see them. Protocol facts: Phala-Network/runtime-bridge-monitor@master pages/api, message/index.js;
// runtime-bridge@legacy-v0 src/lifecycle, src/fetch, src/io.
package v0

import (
	"context"
	"net/url"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"phalops/internal/clock"
	"phalops/internal/fleet"
	"phalops/internal/prb"
	"phalops/internal/wire"
)

const (
	// The monitor gives the bridge 5 s; when it cannot reach Redis it never answers.
	callTimeout = 15 * time.Second
	retryPause  = 250 * time.Millisecond
	statesBatch = 100     // about 140 kB of reply
	maxReply    = 8 << 20 // a list of 1000 workers and their pools has 0.3 MB
)

// KickSettle is how long to wait after KickWorker before RestartWorker: the bridge repeats the kick while its call breaks
// off, for up to 31 s, also into the new context.
const KickSettle = 35 * time.Second

// FetcherID is what stands for the one data source of a v0 bridge where v2 has peer ids.
const FetcherID = "fetch"

// Options says which bridge.
type Options struct {
	URL     string       // the monitor, for example http://192.168.3.100:3000
	HTTP    *wire.Client //
	Clock   clock.Clock  // default: the machine's
	Parsers *prb.Parsers // shared by all bridges; default: its own
}

// Client is one bridge.
type Client struct {
	base    string // without a trailing slash
	shown   string // as it may be shown
	http    *wire.Client
	clock   clock.Clock
	parsers *prb.Parsers
}

var (
	_ prb.Bridge    = (*Client)(nil)
	_ prb.Inventory = (*Client)(nil)
)

// New makes a Client. It sends nothing.
func New(o Options) (*Client, error) {
	u, err := url.Parse(o.URL)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return nil, fleet.Fail(fleet.Invalid, fleet.Because("prb.bad_url", "url", wire.Display(o.URL)))
	}
	u.RawQuery, u.Fragment = "", ""
	c := &Client{base: strings.TrimRight(u.String(), "/"), shown: wire.Display(o.URL), http: o.HTTP, clock: o.Clock, parsers: o.Parsers}
	if c.clock == nil {
		c.clock = clock.Real{}
	}
	if c.parsers == nil {
		c.parsers = new(prb.Parsers)
	}
	return c, nil
}

// Read asks for pools and workers, then for the state of every worker, and the fetcher at the same time.
func (c *Client) Read(ctx context.Context) prb.Reading {
	var (
		r   prb.Reading
		dp  prb.DataProvider
		all errgroup.Group
	)
	all.Go(func() error { dp = c.fetcher(ctx); return nil })
	all.Go(func() error { c.readManager(ctx, &r); return nil })
	_ = all.Wait()
	// Without one word of the monitor, the silence is the monitor's.
	if silent(r.InventoryErr) && silent(dp.Err) {
		return prb.Reading{MonitorErr: r.InventoryErr}
	}
	r.DataProviders = []prb.DataProvider{dp}
	return r
}

// silent reports whether nothing was heard of a v0 monitor.
func silent(err error) bool {
	f := faultOf(err)
	return f == faultWire || f == faultNotHTTP || f == faultHTTP
}

func (c *Client) readManager(ctx context.Context, r *prb.Reading) {
	list, err := c.list(ctx)
	if err != nil {
		r.InventoryErr, r.StatesErr = err, err // states are asked for by id: without a list there is nothing to ask
		return
	}
	r.Pools, r.Workers = list.pools, list.workers
	states, err := c.states(ctx, list.ids())
	if err != nil {
		r.StatesErr = err
		return
	}
	prb.Join(r.Workers, states)
}

// Inventory lists pools and workers without their running state. Deleted workers stay in it for ever.
func (c *Client) Inventory(ctx context.Context) ([]fleet.Pool, []fleet.WorkerStatus, error) {
	list, err := c.list(ctx)
	return list.pools, list.workers, err
}

func (c *Client) list(ctx context.Context) (listing, error) {
	q := question{service: "manager", command: "callOnlineLifecycleManager"}
	content, err := c.ask(ctx, q, struct{}{})
	if err != nil {
		return listing{}, err
	}
	defer content.Free()
	return decodeListing(content.Value, q.command)
}

// States asks for running contexts: of these workers, or of all that are listed.
func (c *Client) States(ctx context.Context, ids ...string) ([]fleet.WorkerStatus, error) {
	if len(ids) == 0 {
		list, err := c.list(ctx)
		if err != nil {
			return nil, err
		}
		ids = list.ids()
	}
	return c.states(ctx, ids)
}

type id struct {
	UUID string `json:"uuid"`
}

// states asks in batches. Answers come by position and mostly without a name on them, so one batch that does not fit makes
// everything unknown.
func (c *Client) states(ctx context.Context, uuids []string) ([]fleet.WorkerStatus, error) {
	uuids = distinct(uuids)
	var states []fleet.WorkerStatus
	for len(uuids) > 0 { // an empty list is an error to the bridge
		batch := uuids[:min(statesBatch, len(uuids))]
		uuids = uuids[len(batch):]
		var value struct {
			IDs []id `json:"ids"`
		}
		for _, uuid := range batch {
			value.IDs = append(value.IDs, id{uuid})
		}
		content, err := c.ask(ctx, question{service: "manager", command: "queryWorkerState"}, value)
		if err != nil {
			return nil, err
		}
		part, err := decodeStates(c.parsers, content.Value, batch)
		content.Free()
		if err != nil {
			return nil, err
		}
		states = append(states, part...)
	}
	return states, nil
}

// distinct keeps the first of each id and drops empty ones.
func distinct(ids []string) []string {
	seen := make(map[string]bool, len(ids))
	var kept []string
	for _, s := range ids {
		if s != "" && !seen[s] {
			seen[s] = true
			kept = append(kept, s)
		}
	}
	return kept
}

// fetcher asks the one process that fetches blocks. Its blob heights are what the lifecycle can hand out.
func (c *Client) fetcher(ctx context.Context) prb.DataProvider {
	dp := prb.DataProvider{Status: fleet.DataProviderStatus{PeerID: FetcherID, Hostname: FetcherID}}
	content, err := c.ask(ctx, question{service: "fetcher", command: "callOnlineFetcher"}, struct{}{})
	if err == nil {
		err = decodeFetcher(content.Value, &dp.Status)
		content.Free()
	}
	dp.Err = err
	return dp
}

// RestartWorker asks for one worker's context to be dropped and rebuilt from its stored record and pool. It cannot start a
// worker without a context (prb.ErrNotRunning). When the new context cannot be made (prb.ErrLowStake, prb.ErrNoPool) the
// worker is left without one.
func (c *Client) RestartWorker(ctx context.Context, id string) error {
	return c.act(ctx, "requestStartWorkerLifecycle", id)
}

// KickWorker asks the bridge to stop a worker's sync and to make its pRuntime exit, which works where pRuntime's kick API
// is enabled. Nothing resumes by itself: wait KickSettle, then RestartWorker. For a worker without a context the bridge
// reports success and does nothing.
func (c *Client) KickWorker(ctx context.Context, id string) error {
	return c.act(ctx, "requestKickWorker", id)
}

// act sends one action for one worker: of several, one that fails would hide that the others were carried out.
func (c *Client) act(ctx context.Context, command, uuid string) error {
	if uuid == "" {
		return fleet.FailWith(fleet.NotFound, fleet.Because("prb.no_worker", "worker", uuid), prb.ErrNoWorker)
	}
	type request struct {
		ID id `json:"id"`
	}
	value := struct {
		Requests []request `json:"requests"`
	}{[]request{{id{uuid}}}}
	reply, err := c.call(ctx, question{service: "manager", command: command, subject: uuid, write: true}, value)
	reply.Free()
	if faultOf(err).ambiguous() {
		return prb.Ambiguous(err)
	}
	return err
}
