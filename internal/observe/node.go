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
	Containers ContainerSource
}

// Node asks a node's chains and its container at the same time and merges the answers into the status of last time. The
// silence of one part leaves the others alone; the silent part keeps its last words, and its Probe tells how old they are.
// Condition and Since stay: they are decide's. It blocks until the slowest part has answered or ctx is done.
func Node(ctx context.Context, c clock.Clock, src NodeSource, prev fleet.NodeStatus) fleet.NodeStatus {
	next := prev
	next.Ref, next.Site = src.Ref, src.Site
	next.Para, next.Relay, next.Container = nil, nil, nil
	var parts sync.WaitGroup
	if src.Para != nil {
		parts.Go(func() { next.Para = chain(ctx, c, src.Para, prev.Para) })
	}
	if src.Relay != nil {
		parts.Go(func() { next.Relay = chain(ctx, c, src.Relay, prev.Relay) })
	}
	if src.Container != "" && src.Containers != nil {
		parts.Go(func() { next.Container = container(ctx, c, src, prev.Container) })
	}
	parts.Wait()
	return next
}

// Reference asks outside heads at the same time, in the order of sources. prev are the heads of last time, in any order.
func Reference(ctx context.Context, c clock.Clock, prev []fleet.ChainStatus, sources ...ChainSource) []fleet.ChainStatus {
	heads := make([]fleet.ChainStatus, len(sources))
	var parts sync.WaitGroup
	for i, src := range sources {
		parts.Go(func() {
			var before *fleet.ChainStatus
			for j := range prev {
				if prev[j].URL == src.URL() {
					before = &prev[j]
				}
			}
			heads[i] = *chain(ctx, c, src, before)
		})
	}
	parts.Wait()
	return heads
}

func chain(ctx context.Context, c clock.Clock, src ChainSource, prev *fleet.ChainStatus) *fleet.ChainStatus {
	s := fleet.ChainStatus{URL: src.URL(), Peers: -1}
	if prev != nil && prev.URL == s.URL {
		s = *prev
	}
	r, err := src.Look(ctx)
	at := c.Now()
	if err != nil {
		s.Probe = s.Silent(at, fleet.ReasonOf(err))
		return &s
	}
	s.Probe = s.Answered(at)
	s.Best = grow(s.Best, r.Best, at)
	s.Target = grow(s.Target, r.Target, at)
	s.Finalized = grow(s.Finalized, r.Finalized, at)
	s.Peers, s.Syncing = -1, r.Syncing
	if r.Peers != nil {
		s.Peers = *r.Peers
	}
	if r.Chain != "" { // the names of a node outlive one unanswered question
		s.Chain = r.Chain
	}
	if r.Version != "" {
		s.Version = r.Version
	}
	return &s
}

// grow adds a bare height to the history of the old one.
func grow(old, bare fleet.Height, at time.Time) fleet.Height {
	return old.Next(bare.Value, bare.Known, at)
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
