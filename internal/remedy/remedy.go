// Package remedy is the plan kinds that mend, for bridges of every generation and for solo workers: restart a node with
// everything that hangs on it in the right order, a bridge's lifecycle, its monitor, a worker at its feeder, a worker's
// pRuntime. It knows orders and proofs; package act executes.
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
	RestartNode      = "node.restart"
	RestartBridge    = "bridge.restart"
	RestartMonitor   = "bridge.monitor"
	RestartWorker    = "worker.restart"
	RestartContainer = "worker.container"
	DisableWorker    = "worker.disable"
	KickWorker       = "worker.kick"
	RefreshWorker    = "worker.refresh"
)

// Head is the best block of one chain of a node.
type Head struct {
	Chain string // "para" or "relay"
	Best  int64
	// Target is the highest block that the node knows of; 0 where it does not say.
	Target int64
	Peers  int // -1: unknown
}

// Pruntime is a worker's own API. See pruntime.Client.
type Pruntime interface {
	GetInfo(ctx context.Context) (fleet.PruntimeStatus, error)
	TakeCheckpoint(ctx context.Context) (fleet.Height, error)
	Kick(ctx context.Context) error
}

// Reach is how the hands get at the fleet.
type Reach interface {
	// Bridge is the client of a configured bridge. What else it can do is found by asking: prb.Inventory, and the commands that
	// only one generation has.
	Bridge(name string) (prb.Bridge, error)
	// Pruntime is the client of the pRuntime at an endpoint.
	Pruntime(url string) (Pruntime, error)
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

	kickless sync.Map // endpoints of pRuntimes that said that they have no kick API
}

// New makes Remedies over the configuration in force at the time of each call.
func New(cfg func() config.Config, reach Reach) *Remedies {
	return &Remedies{config: cfg, reach: reach, growth: growth{seen: map[string]sighting{}}}
}

// Kinds is what to register with the engine:
//
//   - RestartNode takes one node and restarts it in order with what hangs on it.
//   - RestartBridge takes one bridge and restarts its feeder, see ArgWait and ArgThen; several callers share one.
//   - RestartMonitor takes one bridge and restarts what only shows.
//   - RestartWorker, RestartContainer, DisableWorker, KickWorker and RefreshWorker take workers of one site; several are a
//     batch, a few at a time, in which one that must not be treated is left out, while a request for that one alone is
//     refused. The last two are for persons only.
//
// The first two are exact: what they find running when the plan is made, and only that, runs in the end.
func (r *Remedies) Kinds() []act.Kind {
	return []act.Kind{
		{Name: RestartNode, Build: r.buildNode, Ops: r.partOps()},
		{Name: RestartBridge, Build: r.buildBridge, Ops: r.partOps(), Shared: true},
		{Name: RestartMonitor, Build: r.buildMonitor, Ops: map[string]act.Op{opMonitor: r.monitor()}},
		{Name: RestartWorker, Build: r.buildWorkers, Ops: r.workerOps()},
		{Name: RestartContainer, Build: r.buildContainer, Ops: r.workerOps()},
		{Name: DisableWorker, Build: r.buildDisable, Ops: r.workerOps()},
		{Name: KickWorker, Build: r.buildKick, Ops: r.workerOps()},
		{Name: RefreshWorker, Build: r.buildRefresh, Ops: r.workerOps()},
	}
}

func (r *Remedies) workerOps() map[string]act.Op {
	return map[string]act.Op{
		opWorkerRestart: r.workerRestart(),
		opFeederRestart: r.feederRestart(),
		opCheckpoint:    r.checkpoint(),
		opStop:          r.containerStop(stopSlack),
		opStopSlow:      r.containerStop(maxGrace + stopSlack),
		opStart:         r.containerStart(),
		opAnswers:       r.answers(),
		opKick:          r.kick(),
		opDisable:       r.disable(),
		opRefresh:       r.refresh(),
		opRegister:      r.register(),
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
	site, bridge, ok := cfg.Bridge(name)
	if !ok {
		return site, bridge, fleet.Fail(fleet.NotFound, fleet.Because("remedy.no_bridge", "bridge", name))
	}
	return site, bridge, nil
}

// pollEvery is how often a proof that takes minutes is asked for.
const pollEvery = 10 * time.Second
