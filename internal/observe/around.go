package observe

import (
	"context"
	"net/url"
	"slices"
	"sync"
	"time"

	"phalops/internal/clock"
	"phalops/internal/fleet"
	"phalops/internal/host"
)

// How often a node's host is asked.
const (
	diskEvery    = 5 * time.Minute
	aroundSoon   = time.Minute // disk and log while something looks wrong
	portEvery    = 30 * time.Second
	suspectAfter = 2 * time.Minute  // a height that stands still this long looks wrong
	hostTimeout  = 20 * time.Second // one command, one log
)

// Machine runs commands; host.Host is one.
type Machine interface {
	Run(ctx context.Context, c host.Command) (host.Result, error)
}

// LogSource reads what a container wrote; host.Engine is one.
type LogSource interface {
	Logs(ctx context.Context, name string, since time.Time, tail int) (host.Logs, error)
}

// around asks the node's host about what looks wrong, and about its disk now and then in any case.
func around(ctx context.Context, c clock.Clock, src NodeSource, prev fleet.NodeStatus, next *fleet.NodeStatus) {
	now := c.Now()
	wrong := suspicious(next, now)
	var parts sync.WaitGroup
	if src.Machine != nil && src.Volume != "" {
		next.Disk = prev.Disk
		if prev.Disk == nil || prev.Disk.Path != src.Volume || due(prev.Disk.Probe, now, diskEvery) || wrong && due(prev.Disk.Probe, now, aroundSoon) {
			parts.Go(func() { next.Disk = disk(ctx, c, src, prev.Disk) })
		}
	}
	if logs, ok := src.Containers.(LogSource); ok && wrong && next.Container != nil && next.Container.State != "" {
		next.Log = prev.Log
		if prev.Log == nil || due(prev.Log.Probe, now, aroundSoon) {
			box := *next.Container
			parts.Go(func() { next.Log = readLog(ctx, c, logs, box, prev.Log) })
		}
	}
	if src.Machine != nil {
		for _, chain := range []*fleet.ChainStatus{next.Para, next.Relay} {
			if chain != nil && chain.Missed >= 2 && !between(now.Sub(chain.FromHost.At), portEvery) {
				parts.Go(func() { chain.FromHost = fromHost(ctx, c, src.Machine, chain.URL) })
			}
		}
	}
	parts.Wait()
}

// suspicious reports whether something about a node looks wrong: then the host is asked more often and for more.
func suspicious(n *fleet.NodeStatus, now time.Time) bool {
	for _, c := range []*fleet.ChainStatus{n.Para, n.Relay} {
		if c != nil && (c.Missed > 0 || c.Best.FrozenFor(now) >= suspectAfter) {
			return true
		}
	}
	if n.Container != nil && n.Container.Fresh() && !n.Container.Running() {
		return true
	}
	return !slices.Contains([]fleet.NodeCondition{"", fleet.NodeHealthy, fleet.NodeSyncing}, n.Condition)
}

// due reports whether a source is to be asked again. One that failed is asked at the same pace.
func due(p fleet.Probe, now time.Time, every time.Duration) bool {
	last := p.At
	if p.Missed > 0 {
		last = p.Failed.Add(time.Duration(p.Missed-1) * every)
	}
	return !between(now.Sub(last), every)
}

func between(d, limit time.Duration) bool { return d >= 0 && d < limit }

// portOf is what to dial on the host for an RPC address; false where its own port is not what answers there (TLS ends
// somewhere else).
func portOf(address string) (name, port string, ok bool) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" || u.Hostname() == "" {
		return "", "", false
	}
	if port = u.Port(); port == "" {
		port = "80"
	}
	return u.Hostname(), port, true
}
