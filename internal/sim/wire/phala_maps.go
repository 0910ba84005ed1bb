package wire

import (
	"time"

	"phalops/internal/sim/world"
)

// workerMap is a storage map with at most one entry for each worker.
type workerMap struct {
	pallet, item string
	key          func(*world.ChainWorker) []byte // without the map's prefix; nil: no entry
	value        func(*scale, *world.ChainWorker)
}

// poolMap is a storage map with some entries for each pool.
type poolMap struct {
	pallet, item string
	entries      func(*world.ChainPool) []item // keys without the map's prefix
}

func byKey(w *world.ChainWorker) []byte { return twox64Concat(w.PublicKey[:]) }

// inRegistry, inSession, bound and staked say for which workers there is an entry, and by what key.
func inRegistry(w *world.ChainWorker) []byte {
	if !w.IsRegistered() {
		return nil
	}
	return byKey(w)
}

func inSession(w *world.ChainWorker) []byte {
	if w.Mined == nil {
		return nil
	}
	return twox64Concat(w.Mined.Account[:])
}

func boundAccount(w *world.ChainWorker) []byte {
	if w.Mined == nil || !w.Mined.Bound {
		return nil
	}
	return inSession(w)
}

func boundKey(w *world.ChainWorker) []byte {
	if w.Mined == nil || !w.Mined.Bound {
		return nil
	}
	return byKey(w)
}

func staked(w *world.ChainWorker) []byte {
	if w.Mined == nil || w.Mined.Stake == 0 {
		return nil
	}
	return inSession(w)
}

func workerMaps(era world.Era) []workerMap {
	computation, sessions, bindings, pool := "PhalaComputation", "Sessions", "SessionBindings", "PhalaStakePoolv2"
	if era == world.EraV1 {
		computation, sessions, bindings, pool = "PhalaMining", "Miners", "MinerBindings", "PhalaStakePool"
	}
	publicKey := func(s *scale, w *world.ChainWorker) { s.byte(w.PublicKey[:]...) }
	pid := func(s *scale, w *world.ChainWorker) { s.u64(w.Mined.PID) }
	maps := []workerMap{
		{"PhalaRegistry", "Workers", inRegistry, func(s *scale, w *world.ChainWorker) { s.workerInfo(era, w.Registered) }},
		{computation, sessions, inSession, func(s *scale, w *world.ChainWorker) { s.session(w.Mined.Session) }},
		{computation, bindings, boundAccount, publicKey},
		{computation, "WorkerBindings", boundKey, func(s *scale, w *world.ChainWorker) { s.byte(w.Mined.Account[:]...) }},
		{computation, "Stakes", staked, func(s *scale, w *world.ChainWorker) { s.u128(w.Mined.Stake) }},
		{pool, "WorkerAssignments", boundKey, pid},
		{pool, "SubAccountAssignments", boundAccount, pid},
		{pool, "SubAccountPreimages", inSession, func(s *scale, w *world.ChainWorker) { s.u64(w.Mined.PID); s.byte(w.PublicKey[:]...) }},
	}
	if era == world.EraV2 {
		maps = append(maps, workerMap{"PhalaRegistry", "WorkerAddedAt", inRegistry, func(s *scale, w *world.ChainWorker) { s.u32(uint32(w.AddedAt)) }})
	}
	return maps
}

func (s *scale) unix(t time.Time) {
	if t.IsZero() {
		s.u64(0)
		return
	}
	s.u64(uint64(t.Unix()))
}

// bits64 is U64F64, the chain's fixed-point number.
func (s *scale) bits64(f float64) {
	whole := uint64(f)
	s.u64(uint64((f - float64(whole)) * (1 << 63) * 2))
	s.u64(whole)
}

func (s *scale) workerInfo(era world.Era, r world.Registered) {
	s.byte(r.PublicKey[:]...)
	s.byte(blake2_256(append([]byte("ecdh"), r.PublicKey[:]...))...)
	s.u32(r.RuntimeVersion)
	s.unix(r.LastUpdated)
	s.byte(1)
	s.byte(r.Operator[:]...)
	if era == world.EraV2 {
		s.byte(1, 1) // Ias
	}
	s.byte(r.Confidence, 1)
	s.u32(r.Score)
	list(s, r.Features, s.u32)
}

// session is 97 bytes in both eras.
func (s *scale) session(m world.Session) {
	s.byte(map[string]byte{"Ready": 0, "WorkerIdle": 1, "WorkerUnresponsive": 3, "WorkerCoolingDown": 4}[m.State])
	s.bits64(m.Ve)
	s.bits64(m.V)
	s.unix(m.UpdatedAt)
	s.u32(uint32(m.PInit))
	s.u32(uint32(m.PInstant))
	s.u64(m.Iterations)
	s.unix(m.WorkingStart)
	s.unix(m.ChallengeLast)
	s.unix(m.CoolDownStart)
	s.u128(m.TotalReward)
}

func (s *scale) tokenomics(t world.Tokenomics) {
	for _, f := range []float64{t.PhaRate, t.Rho, t.BudgetPerBlock, t.VMax, t.CostK, t.CostB, t.SlashRate, t.TreasuryRatio} {
		s.bits64(f)
	}
	s.u32(t.HeartbeatWindow)
	for _, f := range []float64{t.RigK, t.RigB, t.Re, t.K, t.Kappa} {
		s.bits64(f)
	}
}

// encoded is what write writes.
func encoded(write func(*scale)) []byte {
	var s scale
	write(&s)
	return s
}

func twoxNumber(n uint64) []byte { return twox64Concat(number64(n)) }

func accountItem(id world.AccountID, a world.Account) item {
	return item{blake2_128Concat(id[:]), encoded(func(s *scale) {
		for _, n := range []uint32{a.Nonce, 0, 1, 0} {
			s.u32(n)
		}
		for _, n := range []uint64{a.Free, a.Reserved, 0, 0} {
			s.u128(n)
		}
	})}
}
