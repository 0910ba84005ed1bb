package daemon

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"phalops/internal/config"
	"phalops/internal/control"
	"phalops/internal/fleet"
	"phalops/internal/observe"
	"phalops/internal/pruntime"
	"phalops/internal/store"
)

// Snapshot is what is known of the fleet at one moment.
type Snapshot struct {
	At        time.Time // now
	Seen      time.Time // the newest fact in it
	Live      bool      // asked for just now, because no daemon keeps watch
	Daemon    string    // who keeps watch
	Nodes     []fleet.NodeStatus
	Bridges   []fleet.BridgeStatus
	Chains    []fleet.ChainView // of the configured networks, as they were read last; by network
	Decisions map[fleet.Ref]fleet.Decision

	core *Core
}

// Labels are a bridge's labels in the configuration.
func (s Snapshot) Labels(bridge string) map[string]string {
	for _, site := range s.core.Config().Sites {
		for _, b := range site.Bridges {
			if b.Name == bridge {
				return b.Labels
			}
		}
	}
	return nil
}

// Chain is what the chain of a site's network says, nil where it was never read.
func (s Snapshot) Chain(site string) *fleet.ChainView {
	for _, configured := range s.core.Config().Sites {
		for i := range s.Chains {
			if configured.Name == site && s.Chains[i].Ref == fleet.NetworkRef(configured.Network) {
				return &s.Chains[i]
			}
		}
	}
	return nil
}

// Look reads the last facts of a living daemon; without one it asks the whole fleet once, but for the chains, of which it has what a
// daemon wrote down last.
func (c *Core) Look(ctx context.Context) (Snapshot, error) { return c.look(ctx, false) }

// LookAtChains is Look that without a daemon also reads what the chains say of ours.
func (c *Core) LookAtChains(ctx context.Context) (Snapshot, error) { return c.look(ctx, true) }

func (c *Core) look(ctx context.Context, chains bool) (Snapshot, error) {
	now := c.Clock.Now()
	s := Snapshot{At: now, core: c, Decisions: map[fleet.Ref]fleet.Decision{}}
	lease, err := c.Store.LeaseOf(ctx, control.FleetLease, now)
	switch {
	case err == nil:
		s.Daemon = lease.Owner
		return s, c.remember(ctx, &s)
	case !errors.Is(err, store.ErrNotFound):
		return s, fmt.Errorf("who keeps watch: %w", err)
	}
	s.Live = true
	ctl := control.New(control.Options{Config: c.Config, Clock: c.Clock, Store: c.Store, Engine: c.Engine, Clients: c.sources(), Owner: c.Owner, Log: c.Log})
	if err := ctl.Load(ctx, now); err != nil {
		return s, err
	}
	ctl.Survey(ctx)
	if chains {
		if err := ctl.SurveyChains(ctx); err != nil {
			return s, err
		}
	}
	s.At = c.Clock.Now()
	s.Chains = c.configuredChains(ctl.Board().Chains())
	s.Nodes, s.Bridges = ctl.Board().Nodes(), ctl.Board().Bridges()
	for _, ref := range s.targets() {
		if d, ok := ctl.Board().Decision(ref); ok {
			s.Decisions[ref] = d
		}
	}
	s.Seen = s.At
	return s, nil
}

// remember fills a snapshot from the store.
func (c *Core) remember(ctx context.Context, s *Snapshot) error {
	var err error
	if s.Nodes, err = c.Store.Nodes(ctx); err != nil {
		return fmt.Errorf("read the nodes: %w", err)
	}
	if s.Bridges, err = c.Store.Bridges(ctx); err != nil {
		return fmt.Errorf("read the bridges: %w", err)
	}
	views, err := c.Store.Chains(ctx)
	if err != nil {
		return fmt.Errorf("read the chains: %w", err)
	}
	s.Chains = c.configuredChains(views)
	for _, ref := range s.targets() {
		d, err := c.Store.Decision(ctx, ref)
		if errors.Is(err, store.ErrNotFound) {
			continue
		} else if err != nil {
			return fmt.Errorf("read the decision about %s: %w", ref, err)
		}
		s.Decisions[ref] = d
	}
	for _, n := range s.Nodes {
		if n.Para != nil && n.Para.At.After(s.Seen) {
			s.Seen = n.Para.At
		}
	}
	for _, b := range s.Bridges {
		if b.Lifecycle.At.After(s.Seen) {
			s.Seen = b.Lifecycle.At
		}
	}
	return nil
}

// configuredChains leaves out the views of networks that no site is on any more.
func (c *Core) configuredChains(views []fleet.ChainView) []fleet.ChainView {
	return slices.DeleteFunc(slices.Clone(views), func(v fleet.ChainView) bool {
		return !slices.ContainsFunc(c.Config().Sites, func(s config.Site) bool { return v.Ref == fleet.NetworkRef(s.Network) })
	})
}

func (s Snapshot) targets() []fleet.Ref {
	var out []fleet.Ref
	for _, n := range s.Nodes {
		out = append(out, n.Ref)
	}
	for _, b := range s.Bridges {
		out = append(out, b.Ref)
		for _, w := range b.Workers {
			out = append(out, w.Ref)
		}
	}
	for _, v := range s.Chains {
		out = append(out, v.Ref)
		for _, p := range v.Pools {
			out = append(out, p.Ref)
		}
	}
	return out
}

// sources is Clients as control wants it: a chain's client as the interface that observe asks.
func (c *Core) sources() control.Clients { return sources{c.Clients} }

type sources struct{ *Clients }

func (s sources) Chain(url string) observe.ChainSource { return observe.RPC(s.Clients.Chain(url)) }

// Ledger reads a chain's storage.
func (s sources) Ledger(url string) observe.LedgerSource {
	return observe.Ledger(s.Clients.Chain(url), &s.runtimes)
}

func (s sources) Cache(name, url string) observe.CacheSource {
	return observe.Cache(name, url, s.HTTP())
}

// AskPruntime is what a worker's pRuntime says of itself, or why it said nothing.
func (s sources) AskPruntime(ctx context.Context, url string) *fleet.PruntimeStatus {
	client, err := s.Pruntime(url)
	if err != nil {
		return pruntime.Worker(fleet.PruntimeStatus{Endpoint: url}, err).Pruntime
	}
	return pruntime.Worker(client.GetInfo(ctx)).Pruntime
}
