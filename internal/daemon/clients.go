package daemon

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"reflect"
	"sync"

	"phalops/internal/clock"
	"phalops/internal/config"
	"phalops/internal/fleet"
	"phalops/internal/host"
	"phalops/internal/host/docker"
	"phalops/internal/prb"
	v2 "phalops/internal/prb/v2"
	"phalops/internal/remedy"
	"phalops/internal/substrate"
	"phalops/internal/wire"
)

// Clients are the live connections to everything that is configured: made when first asked for, kept until their entry in
// the configuration changes. They are safe for concurrent use.
type Clients struct {
	http  *wire.Client
	clock clock.Clock

	mu      sync.Mutex
	cfg     config.Config
	bridges map[string]kept[prb.Bridge]
	hosts   map[string]kept[*docker.Engine]
}

// kept is a client with the configuration that it was made from.
type kept[T any] struct {
	client T
	from   any
}

// NewClients makes Clients that dial whom allow says (nil: everybody).
func NewClients(cfg config.Config, c clock.Clock, allow func(netip.Addr) bool) *Clients {
	return &Clients{
		http: wire.New(wire.Options{Allow: allow}), clock: c, cfg: cfg,
		bridges: map[string]kept[prb.Bridge]{}, hosts: map[string]kept[*docker.Engine]{},
	}
}

// Configure makes the clients of a new configuration; those whose entry did not change live on.
func (c *Clients) Configure(cfg config.Config) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cfg = cfg
}

// HTTP is the client under everything that goes out.
func (c *Clients) HTTP() *wire.Client { return c.http }

// Close drops every connection.
func (c *Clients) Close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, h := range c.hosts {
		h.client.Close()
	}
	c.http.Close()
}

// Bridge is the client of a configured bridge.
func (c *Clients) Bridge(name string) (prb.Bridge, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.cfg.Sites {
		for _, b := range s.Bridges {
			if b.Name != name {
				continue
			}
			from := [2]string{b.URL, b.Lifecycle}
			if k, ok := c.bridges[name]; ok && k.from == from {
				return k.client, nil
			}
			client, err := v2.New(v2.Options{URL: b.URL, Lifecycle: b.Lifecycle, HTTP: c.http, Clock: c.clock})
			if err != nil {
				return nil, fmt.Errorf("bridge %s: %w", name, err)
			}
			c.bridges[name] = kept[prb.Bridge]{client, from}
			return client, nil
		}
	}
	return nil, fleet.Fail(fleet.NotFound, fleet.Because("daemon.no_bridge", "bridge", name))
}

// Containers is the engine of a configured host.
func (c *Clients) Containers(name string) (host.Containers, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	h, ok := c.cfg.Hosts[name]
	if !ok || h.Docker == "" {
		return nil, fleet.Fail(fleet.Unavailable, fleet.Because("daemon.no_engine", "host", name))
	}
	if k, ok := c.hosts[name]; ok {
		if reflect.DeepEqual(k.from, h) {
			return k.client, nil
		}
		k.client.Close()
	}
	client, err := docker.New(h.Docker, c.clock)
	if err != nil {
		return nil, fmt.Errorf("host %s: %w", name, err)
	}
	c.hosts[name] = kept[*docker.Engine]{client, h}
	return client, nil
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
