// Package remedy is the plan kinds that mend: restart one worker through its bridge, restart a node with everything that
// hangs on it in the right order, restart a bridge's lifecycle. It knows orders and proofs; package act executes.
package remedy

import (
	"context"
	"fmt"
	"sync"
	"time"

	"phalops/internal/act"
	"phalops/internal/config"
	"phalops/internal/fleet"
	"phalops/internal/host"
	"phalops/internal/prb"
)

// Names of the plan kinds.
const (
	RestartWorker = "worker.restart"
	RestartNode   = "node.restart"
	RestartBridge = "bridge.restart"
)

// Head is the best block of one chain of a node.
type Head struct {
	Chain string // "para" or "relay"
	Best  int64
	Peers int // -1: unknown
}

// Reach is how the hands get at the fleet.
type Reach interface {
	// Bridge is the client of a configured bridge.
	Bridge(name string) (prb.Bridge, error)
	// Containers is the engine of a configured host.
	Containers(host string) (host.Containers, error)
	// Heads asks every chain of a node once; an error when one of them does not answer.
	Heads(ctx context.Context, node string) ([]Head, error)
}

// Remedies makes the plan kinds of one fleet.
type Remedies struct {
	config func() config.Config
	reach  Reach
	growth growth
}

// New makes Remedies over the configuration in force at the time of each call.
func New(cfg func() config.Config, reach Reach) *Remedies {
	return &Remedies{config: cfg, reach: reach, growth: growth{seen: map[string]int64{}}}
}

// Kinds is what to register with the engine.
func (r *Remedies) Kinds() []act.Kind {
	return []act.Kind{
		{Name: RestartWorker, Build: r.buildWorkers, Ops: map[string]act.Op{opWorkerRestart: r.workerRestart()}},
		{Name: RestartNode, Build: r.buildNode, Ops: r.partOps()},
		{Name: RestartBridge, Build: r.buildBridge, Ops: r.partOps()},
	}
}

// growth remembers, per step, the number seen at the last look, so that "it grows" can be proved by two looks although
// each Verify asks only once. It is not authoritative: after a crash the proof takes one more look.
type growth struct {
	mu   sync.Mutex
	seen map[string]int64
}

// grew reports whether value is above what the same key showed at an earlier look.
func (g *growth) grew(key string, value int64) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	before, known := g.seen[key]
	if !known || value < before {
		g.seen[key] = value
		return false
	}
	return value > before
}

// forget drops what was remembered for a step.
func (g *growth) forget(prefix string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for k := range g.seen {
		if len(k) >= len(prefix) && k[:len(prefix)] == prefix {
			delete(g.seen, k)
		}
	}
}

func stepKey(s act.StepContext) string { return fmt.Sprintf("%s/%d/", s.Plan.ID, s.Step.Seq) }

// onlyTarget is the one target of a request, which must be of the wanted kind.
func onlyTarget(req act.Request, kind fleet.Kind) (fleet.Ref, error) {
	if len(req.Targets) != 1 || req.Targets[0].Kind() != kind {
		return "", fleet.Fail(fleet.Invalid, fleet.Because("remedy.one_target", "kind", string(kind), "plan", req.Kind))
	}
	return req.Targets[0], nil
}

func findNode(cfg config.Config, name string) (config.Site, config.Node, error) {
	for _, s := range cfg.Sites {
		for _, n := range s.Nodes {
			if n.Name == name {
				return s, n, nil
			}
		}
	}
	return config.Site{}, config.Node{}, fleet.Fail(fleet.NotFound, fleet.Because("remedy.no_node", "node", name))
}

func findBridge(cfg config.Config, name string) (config.Site, config.Bridge, error) {
	for _, s := range cfg.Sites {
		for _, b := range s.Bridges {
			if b.Name == name {
				return s, b, nil
			}
		}
	}
	return config.Site{}, config.Bridge{}, fleet.Fail(fleet.NotFound, fleet.Because("remedy.no_bridge", "bridge", name))
}

// pollEvery is how often a proof that takes minutes is asked for.
const pollEvery = 10 * time.Second
