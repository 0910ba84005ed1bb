// Package remedy is the plan kinds that mend: restart one worker through its bridge, restart a node with everything that
// hangs on it in the right order, restart a bridge's lifecycle. It knows orders and proofs; package act executes.
package remedy

import (
	"context"
	"fmt"
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

// Remedies makes the plan kinds of one fleet. It is safe for concurrent use.
type Remedies struct {
	config func() config.Config
	reach  Reach
	growth growth
}

// New makes Remedies over the configuration in force at the time of each call.
func New(cfg func() config.Config, reach Reach) *Remedies {
	return &Remedies{config: cfg, reach: reach, growth: growth{seen: map[string]sighting{}}}
}

// Kinds is what to register with the engine:
//
//   - RestartWorker takes workers of one site; several are a batch, a few at a time, in which one that must not be restarted
//     is left out, while a request for that one alone is refused.
//   - RestartNode takes one node and restarts it in order with the bridges that hang on it.
//   - RestartBridge takes one bridge and restarts its lifecycle, trade and queue together.
//
// The last two are exact: what they find running when the plan is made, and only that, runs in the end.
func (r *Remedies) Kinds() []act.Kind {
	return []act.Kind{
		{Name: RestartWorker, Build: r.buildWorkers, Ops: map[string]act.Op{opWorkerRestart: r.workerRestart()}},
		{Name: RestartNode, Build: r.buildNode, Ops: r.partOps()},
		{Name: RestartBridge, Build: r.buildBridge, Ops: r.partOps()},
	}
}

// stepKey begins the keys under which a step's numbers are remembered.
func stepKey(s act.StepContext) string { return fmt.Sprintf("%s/%d/", s.Plan.ID, s.Step.Seq) }

// onlyTarget is the one target of a request, which must be of the wanted kind.
func onlyTarget(req act.Request, kind fleet.Kind) (fleet.Ref, error) {
	if len(req.Targets) != 1 || req.Targets[0].Kind() != kind {
		return "", fleet.Fail(fleet.Invalid, fleet.Because("remedy.one_target", "kind", "kind."+string(kind), "plan", req.Kind))
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
