package control

import (
	"time"

	"phalops/internal/config"
	"phalops/internal/fleet"
	"phalops/internal/host"
	"phalops/internal/observe"
)

// machines is what Clients may offer besides: a configured host on which commands can run.
type machines interface {
	Host(name string) (host.Host, error)
}

// caches is what Clients may offer besides: headers caches.
type caches interface {
	Cache(name, url string) observe.CacheSource
}

// nodeSource is where a node is looked at.
func (c *Control) nodeSource(s config.Site, n config.Node, now time.Time) observe.NodeSource {
	src := observe.NodeSource{Ref: fleet.NodeRef(n.Name), Site: s.Name, Container: n.Container, Volume: n.Volume}
	if _, ours := c.board.Lease(s.Name, now); ours { // a single look says what it sees
		src.Gap = gap(c.config(), c.config().Poll.Node)
	}
	switch {
	case n.RPC != "":
		src.Para = c.clients.Chain(n.RPC)
	default:
		src.Para = c.clients.Chain(n.Para)
		if n.Relay != "" {
			src.Relay = c.clients.Chain(n.Relay)
		}
	}
	if n.Container != "" {
		if engine, err := c.clients.Containers(n.Host); err == nil {
			src.Containers = engine
		}
	}
	if m, ok := c.clients.(machines); ok {
		if machine, err := m.Host(n.Host); err == nil {
			src.Machine = machine
		}
	}
	if m, ok := c.clients.(caches); ok {
		for _, h := range s.HeadersCaches {
			if h.Node == n.Name {
				src.Caches = append(src.Caches, m.Cache(h.Name, h.URL))
			}
		}
	}
	return src
}

// gap is the longest pause between two looks that is not remarkable: a few polls, and the time that answers may take.
func gap(cfg config.Config, poll time.Duration) time.Duration {
	slack := time.Minute
	if cfg.Clock != nil {
		slack = time.Duration(float64(slack) * cfg.Clock.Speed)
	}
	return 4*poll + slack
}
