// Package v3 speaks to prb-wm, the worker manager of PRB v3, directly or through the proxy of its monitor. Protocol facts:
// Phala-Network/phala-blockchain standalone/prb/src (api.rs, configurator.rs, inv_db.rs, worker_status.rs) and
// frontend/apps/prb3-monitor.
//
// A worker's id is worker.id, the uuid in prb-wm's inventory: it stays when the worker is renamed, moved or given another
// endpoint. prb-wm's own commands go by name; this package looks the name up right before it writes.
//
// prb-wm tells nothing of its data sources, so a Reading has no DataProviders.
package v3

import (
	"context"
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

// Options says which bridge.
type Options struct {
	URL   string       // prb-wm, for example http://192.168.3.100:3001
	Proxy string       // the monitor that relays to it, for example http://192.168.3.100:3000; "" = prb-wm is asked directly
	HTTP  *wire.Client // shared by all bridges
	Clock clock.Clock  // default: the machine's; it gives prb-wm's time stamps their year
}

// Client is one bridge.
type Client struct {
	base    string // in front of every route, without a trailing slash
	shown   string // prb-wm's address for people
	proxied bool
	http    *wire.Client
	clock   clock.Clock
	writing chan struct{} // full while a write looks, writes and looks again

	mu         sync.Mutex
	generation Generation
	probed     time.Time
}

var _ prb.Bridge = (*Client)(nil)

// New makes a Client. It sends nothing. Behind a proxy the address may carry neither a path, which the proxy loses, nor a
// user, which it cannot pass on.
func New(o Options) (*Client, error) {
	wm, ok := address(o.URL)
	if !ok {
		return nil, fleet.Fail(fleet.Invalid, fleet.Because("prb3.bad_url", "url", wire.Display(o.URL)))
	}
	c := &Client{
		base: wm.String(), shown: wire.Display(wm.String()), proxied: o.Proxy != "",
		http: o.HTTP, clock: o.Clock, writing: make(chan struct{}, 1),
	}
	if c.clock == nil {
		c.clock = clock.Real{}
	}
	if !c.proxied {
		return c, nil
	}
	monitor, ok := address(o.Proxy)
	if !ok {
		return nil, fleet.Fail(fleet.Invalid, fleet.Because("prb3.bad_url", "url", wire.Display(o.Proxy)))
	}
	if wm.Path != "" || wm.User != nil {
		return nil, fleet.Fail(fleet.Invalid, fleet.Because("prb3.unproxyable_url", "url", c.shown))
	}
	c.base = monitor.String() + "/api/p/" + url.QueryEscape(wm.String()) // QueryEscape, because the monitor's own pages escape the colons, too
	return c, nil
}

// address reads a base address. Its query and fragment mean nothing, and with slashes at its end or in a row a request
// would be redirected instead of answered.
func address(s string) (*url.URL, bool) {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return nil, false
	}
	u.RawQuery, u.ForceQuery, u.Fragment = "", false, ""
	u.Path, u.RawPath = strings.TrimRight(u.Path, "/"), strings.TrimRight(u.RawPath, "/")
	return u, !strings.Contains(u.Path, "//")
}

// Read asks for the inventory, the operators and the running contexts at the same time.
//
// MonitorErr is for what says nothing of prb-wm: silence, or an answer that is none of prb-wm's. A closed port, and a
// monitor that cannot reach prb-wm, say that prb-wm is not there: they are errors of the parts. (prb-wm keeps its port
// closed, too, while it downloads relay chain headers after its start; on a new machine that takes hours.)
//
// Before its event loop runs, a starting prb-wm lists no contexts at all, and a restarting worker's vanishes for some 15 s.
func (c *Client) Read(ctx context.Context) prb.Reading {
	var (
		r         prb.Reading
		pools     []Pool
		operators []Operator
		contexts  []Context
		all       errgroup.Group
	)
	all.Go(func() error { pools, r.InventoryErr = c.Pools(ctx); return nil })
	all.Go(func() error { operators, _ = c.Operators(ctx); return nil }) // a pool without its operator is still a pool
	all.Go(func() error { contexts, r.StatesErr = c.Contexts(ctx); return nil })
	_ = all.Wait()
	if elsewhere(r.InventoryErr) && elsewhere(r.StatesErr) {
		return prb.Reading{MonitorErr: r.StatesErr}
	}
	if r.InventoryErr != nil {
		r.Workers = bare(contexts)
		return r
	}
	r.Pools, r.Workers = inventory(pools, operators)
	join(r.Workers, contexts)
	r.Workers = append(r.Workers, bare(orphans(r.Workers, contexts))...)
	return r
}

// elsewhere reports whether err says nothing about prb-wm.
func elsewhere(err error) bool {
	switch faultOf(err) {
	case faultWire, faultHTTP, faultRoute, faultGarbage:
		return true
	}
	return false
}

// inventory brings records into the words of the fleet. A worker is sync-only when it or its pool says so.
func inventory(pools []Pool, operators []Operator) ([]fleet.Pool, []fleet.WorkerStatus) {
	byPID := make(map[uint64]Operator, len(operators))
	for _, o := range operators {
		byPID[o.PID] = o
	}
	var all []fleet.Pool
	var workers []fleet.WorkerStatus
	seen := map[string]bool{}
	for _, p := range pools {
		o := byPID[p.PID]
		all = append(all, fleet.Pool{
			ID: p.ID, PID: p.PID, Name: p.Name, Enabled: p.Enabled, SyncOnly: p.SyncOnly,
			Operator: o.Account, Proxied: o.Proxied, Workers: len(p.Workers),
		})
		for _, w := range p.Workers {
			if seen[w.ID] {
				continue
			}
			seen[w.ID] = true
			s := w.status()
			s.SyncOnly = w.SyncOnly || p.SyncOnly
			workers = append(workers, s)
		}
	}
	return all, workers
}

// join adds the running contexts to the inventory. A context whose worker is not in the inventory belongs to one that was
// removed before its public key was known: such entries stay until prb-wm restarts and are not ours to treat.
func join(workers []fleet.WorkerStatus, contexts []Context) {
	byID := make(map[string]fleet.WorkerStatus, len(contexts))
	for _, s := range contexts {
		byID[s.ID] = s.WorkerStatus
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

// orphans are the contexts of workers that no pool lists although they were not removed: their record says that they hang
// on no pool, as after a pool was deleted under them.
func orphans(workers []fleet.WorkerStatus, contexts []Context) []Context {
	known := make(map[string]bool, len(workers))
	for _, w := range workers {
		known[w.ID] = true
	}
	var lost []Context
	for _, s := range contexts {
		if !known[s.ID] && !s.Pooled {
			lost = append(lost, s)
		}
	}
	return lost
}

func bare(contexts []Context) []fleet.WorkerStatus {
	var all []fleet.WorkerStatus
	for _, s := range contexts {
		all = append(all, s.WorkerStatus)
	}
	return all
}

// States asks for running contexts, always for all of them: prb-wm has no question for some. v3.2 lists disabled workers,
// too, with the state Disabled.
func (c *Client) States(ctx context.Context, ids ...string) ([]fleet.WorkerStatus, error) {
	contexts, err := c.Contexts(ctx)
	if err != nil {
		return nil, err
	}
	all := bare(contexts)
	if len(ids) == 0 {
		return all, nil
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
