// Package batch is the plan kinds that change what bridges have stored: add, change, start, stop, move and remove workers,
// add, change and remove pools, one or a thousand. A plan is about one bridge, so that a bridge that dies takes nobody
// else's plan along and bridges work side by side; a batch over ten bridges is ten plans. It knows records, orders and
// proofs; package act executes.
package batch

import (
	"context"
	"time"

	"phalops/internal/act"
	"phalops/internal/config"
	"phalops/internal/fleet"
	"phalops/internal/remedy"
	"phalops/internal/secret"
	"phalops/internal/store"
)

// Names of the plan kinds.
const (
	AddWorkers   = "worker.add"
	SetWorkers   = "worker.set"
	StopWorkers  = "worker.stop"  // at the bridge: nobody feeds them any more
	StartWorkers = "worker.start" // undoes StopWorkers
	AddPools     = "pool.add"
	SetPools     = "pool.set"
	RemovePools  = "pool.remove"
)

// Arguments of the kinds.
const (
	// ArgItems is what to write, as JSON: []Entry of AddWorkers, Patch of SetWorkers, []PoolEntry of AddPools, PoolPatch of
	// SetPools. It is not kept with the plan: its steps have it.
	ArgItems = "items"
	// ArgRestart says whether a bridge that notices changes only when it starts is restarted at the end: RestartQuiet (the
	// default), RestartNow or RestartNever.
	ArgRestart   = "restart"
	RestartQuiet = "quiet" // at a quiet moment, within QuietFor, and else not at all
	RestartNow   = "now"
	RestartNever = "never"
	// ArgUnchecked names the bridges that did not answer when the plan was made: who is there nobody could see.
	ArgUnchecked = "unchecked"
)

// Engine makes and submits the plans that a step asks for.
type Engine interface {
	Build(ctx context.Context, req act.Request, now time.Time) (fleet.Plan, error)
	Submit(ctx context.Context, p fleet.Plan, now time.Time) error
}

// Journal is where it is seen what became of them.
type Journal interface {
	Plan(ctx context.Context, id string) (fleet.Plan, error)
	Locks(ctx context.Context) ([]store.Lock, error)
}

// Options are what Batches are made of.
type Options struct {
	Config  func() config.Config // in force now
	Reach   remedy.Reach
	Journal Journal
	Engine  func() Engine // the engine that these kinds are registered with, or one over the same journal
	Secrets secret.Resolver
}

// Batches makes the plan kinds of one fleet. It is safe for concurrent use.
type Batches struct {
	Options
	looks looks
}

// New makes Batches.
func New(o Options) *Batches { return &Batches{Options: o, looks: looks{of: map[string]*look{}}} }

// Kinds is what to register with the engine. Every one takes what it is about on one bridge: AddWorkers and AddPools the
// bridge's inventory, SetPools and RemovePools pools, the others workers. What must not be done to one is left out with its reason,
// also when that leaves nothing.
func (b *Batches) Kinds() []act.Kind {
	ops := b.ops()
	return []act.Kind{
		{Name: AddWorkers, Build: b.buildAdd, Ops: ops, Again: addAgain},
		{Name: SetWorkers, Build: b.buildSet, Ops: ops, Again: again(opWrite)},
		{Name: StopWorkers, Build: b.buildStop, Ops: ops, Again: again(opWrite)},
		{Name: StartWorkers, Build: b.buildStart, Ops: ops, Again: again(opWrite)},
		{Name: AddPools, Build: b.buildAddPools, Ops: ops, Again: poolAddAgain},
		{Name: SetPools, Build: b.buildSetPools, Ops: ops, Again: again(opPoolSet)},
		{Name: RemovePools, Build: b.buildRemovePools, Ops: ops, Again: again(opPoolRemove)},
	}
}

func (b *Batches) ops() map[string]act.Op {
	return map[string]act.Op{
		opAdd:        b.add(),
		opWrite:      b.write(),
		opDrop:       b.drop(),
		opRest:       b.rest(),
		opWake:       b.wake(),
		opRenew:      b.renew(),
		opNotice:     b.notice(),
		opFollow:     b.follow(),
		opPoolAdd:    b.poolAdd(),
		opPoolSet:    b.poolSet(),
		opPoolRemove: b.poolRemove(),
	}
}

// Phases of a batch: what is written everywhere, what makes the bridge notice it, what wakes single workers, what came of it.
const (
	phaseWrite = iota
	phaseNotice
	phaseWake
	phaseFollow
)
