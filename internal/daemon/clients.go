package daemon

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"reflect"
	"slices"
	"sync"

	"phalops/internal/clock"
	"phalops/internal/config"
	"phalops/internal/fleet"
	"phalops/internal/prb"
	v0 "phalops/internal/prb/v0"
	v2 "phalops/internal/prb/v2"
	v3 "phalops/internal/prb/v3"
	"phalops/internal/pruntime"
	"phalops/internal/remedy"
	"phalops/internal/secret"
	"phalops/internal/substrate"
	"phalops/internal/wire"
)

// ClientOptions are what Clients are made of.
type ClientOptions struct {
	Config  config.Config
	Clock   clock.Clock
	Secrets secret.Resolver       // for the keys of hosts; its environment names the ssh-agent
	Allow   func(netip.Addr) bool // who may be dialled; nil: everybody
}

// Clients are the live connections to everything that is configured: made when first asked for, kept until their entry in
// the configuration changes. They are safe for concurrent use.
type Clients struct {
	http    *wire.Client
	clock   clock.Clock
	secrets secret.Resolver
	allow   func(netip.Addr) bool
	parsers prb.Parsers // one for all bridges

	runtimes substrate.Runtimes // of all chains that are read

	mu        sync.Mutex
	cfg       config.Config
	bridges   map[string]keptBridge
	hosts     map[string]machine
	pruntimes map[string]*pruntime.Client
}

// keptBridge is a client with what it was made from.
type keptBridge struct {
	client prb.Bridge
	from   config.Bridge
}

// NewClients makes Clients.
func NewClients(o ClientOptions) *Clients {
	return &Clients{
		http: wire.New(wire.Options{Allow: o.Allow}), clock: o.Clock, secrets: o.Secrets, allow: o.Allow, cfg: o.Config,
		bridges: map[string]keptBridge{}, hosts: map[string]machine{}, pruntimes: map[string]*pruntime.Client{},
	}
}

// Configure makes the clients of a new configuration; those whose entry did not change live on, those of the others and of
// hosts whose key is another now are closed, with whatever is under way on them.
func (c *Clients) Configure(cfg config.Config) {
	c.mu.Lock()
	c.cfg = cfg
	clear(c.pruntimes)
	stale := c.staleHosts()
	c.mu.Unlock()
	closeInOrder(stale)
}

// HTTP is the client under everything that goes out.
func (c *Clients) HTTP() *wire.Client { return c.http }

// Close drops every connection.
func (c *Clients) Close() {
	c.mu.Lock()
	all := slices.Collect(maps.Values(c.hosts))
	clear(c.hosts)
	c.mu.Unlock()
	closeInOrder(all)
	c.http.Close()
}

// Bridge is the client of a configured bridge or solo worker.
func (c *Clients) Bridge(name string) (prb.Bridge, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.cfg.Sites {
		for _, b := range s.Bridges {
			if b.Name != name {
				continue
			}
			from := config.Bridge{Name: b.Name, Version: b.Version, URL: b.URL, Lifecycle: b.Lifecycle}
			if k, ok := c.bridges[name]; ok && reflect.DeepEqual(k.from, from) {
				return k.client, nil
			}
			client, err := c.newBridge(from)
			if err != nil {
				return nil, fmt.Errorf("bridge %s: %w", name, err)
			}
			c.bridges[name] = keptBridge{client, from}
			return client, nil
		}
	}
	return nil, fleet.Fail(fleet.NotFound, fleet.Because("daemon.no_bridge", "bridge", name))
}

func (c *Clients) newBridge(b config.Bridge) (prb.Bridge, error) {
	switch b.Version {
	case "v0":
		return v0.New(v0.Options{URL: b.URL, HTTP: c.http, Clock: c.clock, Parsers: &c.parsers})
	case "v2":
		return v2.New(v2.Options{URL: b.URL, Lifecycle: b.Lifecycle, HTTP: c.http, Clock: c.clock, Parsers: &c.parsers})
	case "v3":
		wm, monitor := b.Manager()
		return v3.New(v3.Options{URL: wm, Proxy: monitor, HTTP: c.http, Clock: c.clock})
	case config.VersionSolo:
		return newSolo(b.Name, b.URL, c.http)
	}
	return nil, fleet.Fail(fleet.Invalid, fleet.Because("daemon.no_generation", "bridge", b.Name, "version", b.Version))
}

// Pruntime asks the pRuntime at an endpoint; it is kept, because it finds out how that one is asked.
func (c *Clients) Pruntime(url string) (*pruntime.Client, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if p := c.pruntimes[url]; p != nil {
		return p, nil
	}
	p, err := pruntime.New(pruntime.Options{URL: url, HTTP: c.http})
	if err != nil {
		return nil, err
	}
	c.pruntimes[url] = p
	return p, nil
}

// Chain is a client of one chain's RPC.
func (c *Clients) Chain(url string) *substrate.Client { return substrate.New(url, c.http) }

// Heads asks every chain of a node once.
func (c *Clients) Heads(ctx context.Context, node string) ([]remedy.Head, error) {
	n, err := c.node(node)
	if err != nil {
		return nil, err
	}
	var heads []remedy.Head
	for _, chain := range []struct{ name, url string }{{"para", n.Para}, {"relay", n.Relay}, {"para", n.RPC}} {
		if chain.url == "" {
			continue
		}
		client := c.Chain(chain.url)
		state, stateErr := client.SyncState(ctx)
		health, healthErr := client.Health(ctx)
		if err := errors.Join(stateErr, healthErr); err != nil {
			return nil, fmt.Errorf("node %s, %s: %w", node, chain.name, err)
		}
		head := remedy.Head{Chain: chain.name, Best: int64(*state.Current), Peers: -1}
		if state.Highest != nil {
			head.Target = int64(*state.Highest)
		}
		if health.Peers != nil {
			head.Peers = *health.Peers
		}
		heads = append(heads, head)
	}
	return heads, nil
}

func (c *Clients) node(name string) (config.Node, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.cfg.Sites {
		for _, n := range s.Nodes {
			if n.Name == name {
				return n, nil
			}
		}
	}
	return config.Node{}, fleet.Fail(fleet.NotFound, fleet.Because("daemon.no_node", "node", name))
}
