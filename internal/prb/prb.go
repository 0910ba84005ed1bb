// Package prb is one small interface for every generation of Phala's runtime bridge. The wire formats live in the
// sub-packages v0, v2 and v3.
package prb

import (
	"context"

	"phalops/internal/fleet"
)

// Reading is everything that a bridge's monitor told in one round, part by part: a part that did not answer has its error
// and no data, and says nothing about the other parts.
//
// The statuses in it are bare readings: they carry values and Known flags, but no history (MovedAt, Since, Probe), no Ref
// and no Condition; package observe adds those.
type Reading struct {
	MonitorErr   error // the monitor itself did not answer: everything below is empty
	InventoryErr error // pools and workers (v2: ListPool, ListWorker at the lifecycle manager)
	StatesErr    error // running contexts (v2: GetWorkerStatus)

	LifecyclePeer string         // v2: peer id of the lifecycle manager
	DataProviders []DataProvider // v0: the one fetcher
	Pools         []fleet.Pool
	Workers       []fleet.WorkerStatus // inventory joined with states; Running tells whether there was a state
}

// DataProvider is one data provider's answer.
type DataProvider struct {
	Status fleet.DataProviderStatus
	Err    error
}

// Bridge is one bridge of any generation. All methods are bounded by ctx and by the client's own limits; they are safe for
// concurrent use and serialise what the generation needs serialised (one request in flight per v2 peer).
type Bridge interface {
	// Read asks for everything. It returns no error of its own: see Reading. Reads are retried where that is harmless.
	Read(ctx context.Context) Reading
	// States asks for the running contexts of these workers only (all when ids is empty), for a proof after an action. A
	// worker without a context is missing in the result. Only running state is filled in, not the inventory.
	States(ctx context.Context, ids ...string) ([]fleet.WorkerStatus, error)
	// RestartWorker asks the bridge to drop and rebuild one worker's context. The reply says only that it was asked:
	// watch States for the effect. It is never retried here. An error that IsAmbiguous may have been carried out.
	RestartWorker(ctx context.Context, id string) error
}
