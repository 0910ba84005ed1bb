package phala

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"phalops/internal/fleet"
	"phalops/internal/substrate/scale"
)

// rawSession is MinerInfo of the first era and SessionInfo of the second, as far as they matter.
type rawSession struct {
	State         string
	V, Ve         Fixed
	VUpdatedAt    uint64
	PInit         uint32       `scale:"benchmark.p_init"`
	PInstant      uint32       `scale:"benchmark.p_instant"`
	Iterations    uint64       `scale:"benchmark.iterations"`
	Added         uint64       `scale:"benchmark.working_start_time|benchmark.mining_start_time"`
	Challenged    uint64       `scale:"benchmark.challenge_time_last"`
	CoolDownStart uint64       `scale:"cool_down_start"`
	Reward        fleet.Amount `scale:"stats.total_reward"`
}

// stateOf gives both eras' names of a state one name.
func stateOf(name string) SessionState {
	s := SessionState(strings.TrimPrefix(strings.TrimPrefix(name, "Mining"), "Worker"))
	if !slices.Contains(States(), s) {
		return Unknown
	}
	return s
}

func (r *reader) readSessions(ctx context.Context) error {
	pallet, sessions, _, _ := r.st.Era.sessions()
	return each(ctx, r, pallet, sessions, !r.want.whole(), r.accounts(), byAccount, func(a *Account, v *rawSession) {
		s := r.session(*a)
		s.Recorded, s.State, s.ByChain = true, stateOf(v.State), v.State
		s.V, s.Ve, s.VUpdated = v.V, v.Ve, at(v.VUpdatedAt)
		s.PInit, s.PInstant, s.Iterations = v.PInit, v.PInstant, v.Iterations
		s.Added, s.ChallengedAt, s.CoolingSince, s.Reward = at(v.Added), at(v.Challenged), at(v.CoolDownStart), v.Reward
	})
}

func (r *reader) readStakes(ctx context.Context) error {
	pallet, _, _, _ := r.st.Era.sessions()
	return each(ctx, r, pallet, "Stakes", !r.want.whole(), r.accounts(), byAccount, func(a *Account, v *fleet.Amount) {
		s := r.session(*a)
		s.Stake, s.Staked = *v, true
	})
}

// readBindings takes the chain's word on which worker a session belongs to.
func (r *reader) readBindings(ctx context.Context) error {
	pallet, _, bindings, _ := r.st.Era.sessions()
	return each(ctx, r, pallet, bindings, !r.want.whole(), r.accounts(), byAccount, func(a *Account, k *Key) {
		s := r.session(*a)
		s.Bound, s.bound = true, *k
	})
}

// join takes the bindings for sessions whose worker does not follow from a pool.
func (r *reader) join(context.Context) error {
	for _, s := range r.sessions {
		if s.Bound && s.Worker == nil {
			s.Worker = r.worker(s.bound)
		}
	}
	return nil
}

// milliseconds is where times of the registry are no seconds any more: benchmark reports wrote milliseconds until April 2023
// (Phala-Network/phala-blockchain, change acd12fbe9).
const milliseconds = 1e11

func (r *reader) readWorkers(ctx context.Context) error {
	type worker struct {
		RuntimeVersion  uint32
		LastUpdated     uint64
		Operator        scale.Option[Account]
		ConfidenceLevel uint8
		InitialScore    scale.Option[uint32]
		Features        []uint32
	}
	var keys []Key
	if !r.want.whole() {
		keys = slices.Collect(maps.Keys(r.workers))
	}
	return each(ctx, r, "PhalaRegistry", "Workers", !r.want.whole(), keys, byKey, func(k *Key, v *worker) {
		w := r.worker(*k)
		w.Registered, w.Runtime, w.Confidence, w.Score = true, v.RuntimeVersion, v.ConfidenceLevel, v.InitialScore.Value
		if w.Updated = at(v.LastUpdated); v.LastUpdated > milliseconds {
			w.Updated = time.UnixMilli(int64(min(v.LastUpdated, 1<<52))).UTC()
		}
		if v.Operator.Some {
			w.Operator = v.Operator.Value
		}
		if len(v.Features) > 0 {
			w.Cores = v.Features[0]
		}
		if len(v.Features) > 1 {
			w.CPULevel = v.Features[1]
		}
	})
}

// former finds the workers and pools of sessions that nobody is bound to any more.
func (r *reader) former(ctx context.Context) error {
	var lost []Account
	for a, s := range r.sessions {
		if s.Worker == nil {
			lost = append(lost, a)
		}
	}
	type preimage struct {
		Pool   uint64
		Worker Key
	}
	return each(ctx, r, r.st.Era.pools(), "SubAccountPreimages", true, lost, byAccount, func(a *Account, v *preimage) {
		if SessionAccount(v.Pool, v.Worker) == *a {
			s := r.sessions[*a]
			s.Worker, s.Was = r.worker(v.Worker), v.Pool
		}
	})
}
