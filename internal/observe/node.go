package observe

import (
	"context"
	"errors"
	"sync"
	"time"

	"phalops/internal/clock"
	"phalops/internal/fleet"
	"phalops/internal/host"
)

// ChainSource answers for one chain of a node. It is bounded by ctx and by its own limits.
type ChainSource interface {
	// URL is where it asks; a history belongs to one URL.
	URL() string
	// Look asks once. An error means that not even the best height could be learned; what else is missing is unknown.
	Look(ctx context.Context) (ChainReading, error)
}

// PeerSource is a ChainSource that knows what its peers claim. Most nodes do not tell strangers: false is no error.
type PeerSource interface {
	PeersBest(ctx context.Context) (best int64, ok bool)
}

// GenesisSource is a ChainSource that tells which chain it is.
type GenesisSource interface {
	Genesis(ctx context.Context) (string, error)
}

// ChainReading is what a chain said in one look. The heights are bare, without history.
type ChainReading struct {
	Best, Target, Finalized fleet.Height
	Peers                   *int // nil: not said
	Syncing                 *bool
	Chain, Version          string // "": not said
}

// ContainerSource inspects containers; host.Containers is one.
type ContainerSource interface {
	Inspect(ctx context.Context, name string) (fleet.ContainerStatus, error)
}

// NodeSource is where a node is looked at. What is nil or "" is not configured, and its part of the status stays nil.
type NodeSource struct {
	Ref        fleet.Ref
	Site       string
	Para       ChainSource // or the only chain of a one-chain node
	Relay      ChainSource
	Container  string
	Containers ContainerSource // may be a LogSource as well
	Machine    Machine         // the node's host, where commands can run on it
	Volume     string          // folder of the chain data there
	Caches     []CacheSource   // headers caches that read the node
	// Gap is the longest time between two looks in which nothing was missed; 0: any. A height that is the same after a
	// longer one (phalops slept, its clock was set) counts as standing still for the time that was watched only.
	Gap time.Duration
}

// Node asks a node's chains, its container and its caches at the same time, then its host about whatever looks wrong, and
// merges the answers into the status of last time. The silence of one part leaves the others alone; the silent part keeps
// its last words, and its Probe tells how old they are. Condition and Since stay: they are decide's. It blocks until the
// slowest part has answered or ctx is done.
func Node(ctx context.Context, c clock.Clock, src NodeSource, prev fleet.NodeStatus) fleet.NodeStatus {
	next := prev
	next.Ref, next.Site = src.Ref, src.Site
	next.Para, next.Relay, next.Container, next.Disk, next.Log, next.Caches = nil, nil, nil, nil, nil, nil
	look := looker{clock: c, gap: src.Gap, peers: true}
	var parts sync.WaitGroup
	if src.Para != nil {
		parts.Go(func() { next.Para = look.chain(ctx, src.Para, prev.Para) })
	}
	if src.Relay != nil {
		parts.Go(func() { next.Relay = look.chain(ctx, src.Relay, prev.Relay) })
	}
	if src.Container != "" && src.Containers != nil {
		parts.Go(func() { next.Container = container(ctx, c, src, prev.Container) })
	}
	parts.Go(func() { next.Caches = look.caches(ctx, src.Caches, prev.Caches) })
	parts.Wait()
	around(ctx, c, src, prev, &next)
	return next
}

func container(ctx context.Context, c clock.Clock, src NodeSource, prev *fleet.ContainerStatus) *fleet.ContainerStatus {
	s := fleet.ContainerStatus{Name: src.Container}
	if prev != nil && prev.Name == s.Name {
		s = *prev
	}
	found, err := src.Containers.Inspect(ctx, src.Container)
	at := c.Now()
	switch {
	case errors.Is(err, host.ErrNoContainer):
		// The engine answered, and there is nothing to start: its last state must not look like a present one.
		cause := fleet.Because("observe.no_container", "container", src.Container)
		return &fleet.ContainerStatus{Name: src.Container, Probe: s.Silent(at, cause)}
	case err != nil:
		s.Probe = s.Silent(at, fleet.ReasonOf(err))
		return &s
	}
	found.Probe, found.Name = s.Answered(at), src.Container
	return &found
}
