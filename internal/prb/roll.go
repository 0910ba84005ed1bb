package prb

import (
	"cmp"
	"slices"
	"sync"

	"phalops/internal/fleet"
)

// Roll is a bridge's pools and workers as it has them on record. A client keeps the newest one for as long as the bridge tells
// the same: in most beats nothing is on record that was not there before, and only the running states are news.
type Roll struct {
	pools   []fleet.Pool
	workers []record       // in the order of name
	at      map[string]int // where a worker is, by its uuid

	mu   sync.Mutex
	keys []string // the public keys that were told last, in the order of workers
}

// record is what is on record of a worker: little beside a whole WorkerStatus.
type record struct {
	id, name, endpoint         string
	pid                        uint64
	stake                      fleet.Amount
	stakeOK, enabled, syncOnly bool
}

// NewRoll takes over what DecodePools and DecodeWorkers returned.
func NewRoll(pools []fleet.Pool, workers []fleet.WorkerStatus) *Roll {
	r := &Roll{pools: pools, workers: make([]record, len(workers)), at: make(map[string]int, len(workers)), keys: make([]string, len(workers))}
	for i := range workers {
		w := &workers[i]
		r.workers[i] = record{w.ID, w.Name, w.Endpoint, w.PID, w.Stake, w.StakeOK, w.Enabled, w.SyncOnly}
	}
	slices.SortFunc(r.workers, func(a, b record) int { return cmp.Or(cmp.Compare(a.name, b.name), cmp.Compare(a.id, b.id)) })
	for i := range r.workers {
		r.at[r.workers[i].id] = i
	}
	return r
}

// Pools is the caller's own copy.
func (r *Roll) Pools() []fleet.Pool { return slices.Clone(r.pools) }

// Workers is the caller's own copy, in the order of Name, with the running states of a reply; none: nobody runs, or it is not known.
// States come in any order and may belong to workers that were deleted while their context runs on; those are not ours to treat.
func (r *Roll) Workers(parsers *Parsers, states []Value) []fleet.WorkerStatus {
	out := make([]fleet.WorkerStatus, len(r.workers))
	for i := range r.workers {
		w := &r.workers[i]
		out[i] = fleet.WorkerStatus{
			ID: w.id, Name: w.name, Endpoint: w.endpoint, PID: w.pid, Stake: w.stake, StakeOK: w.stakeOK, Enabled: w.enabled, SyncOnly: w.syncOnly,
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range states {
		if at, ok := r.at[string(s.Get("worker").Get("uuid").bytes())]; ok {
			out[at].PublicKey = r.keys[at]
			decodeState(parsers, s, &out[at])
			r.keys[at] = out[at].PublicKey
		}
	}
	return out
}
