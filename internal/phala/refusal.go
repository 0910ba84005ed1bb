package phala

import (
	"strconv"

	"phalops/internal/fleet"
)

// Refused says of each order why the chain would not carry it out after those before it in the list, as far as it can be told of what
// was read: its pool, the registry's word on its worker. The zero Reason: nothing speaks against it. One refused order lets all of its
// batch fail. That somebody may sign for the owner, and can pay, is not looked at.
//
// Of the first era, which stops a computing worker that is removed and leaves its stake behind, that is refused as well.
func (s *State) Refused(orders []Order) []fleet.Reason {
	l := ledger{State: s, standings: map[place]Standing{}, pools: map[uint64]*poolLedger{}}
	why := make([]fleet.Reason, len(orders))
	for i, o := range orders {
		if why[i] = l.refused(o); why[i].IsZero() {
			l.carryOut(o)
		}
	}
	return why
}

// ledger is a state and what orders have changed of it.
type ledger struct {
	*State
	standings map[place]Standing
	pools     map[uint64]*poolLedger
}

// place is a worker in a pool.
type place struct {
	pool   uint64
	worker Key
}

// poolLedger is what orders change of a pool.
type poolLedger struct {
	free    fleet.Amount
	workers int
}

func (l *ledger) standing(o Order) Standing {
	at := place{o.Pool, o.Worker}
	if _, ok := l.standings[at]; !ok {
		l.standings[at] = l.Standing(o.Pool, o.Worker)
	}
	return l.standings[at]
}

func (l *ledger) pool(p *Pool) *poolLedger {
	if l.pools[p.ID] == nil {
		l.pools[p.ID] = &poolLedger{p.Free, len(p.Workers)}
	}
	return l.pools[p.ID]
}

func (l *ledger) refused(o Order) fleet.Reason {
	p := l.Pool(o.Pool)
	switch {
	case p == nil:
		return fleet.Because("phala.no_pool", "pool", number(o.Pool))
	case p.Kind != StakePool:
		return fleet.Because("phala.is_vault", "pool", number(o.Pool))
	case o.Action == AddWorker:
		return l.refusedAdd(p, o)
	case o.Action == ReclaimWorker:
		return l.refusedReclaim(o)
	}
	st := l.standing(o)
	if !st.InPool {
		return fleet.Because("phala.not_in_pool", "worker", o.Worker, "pool", number(o.Pool))
	}
	computing := st.State == Idle || st.State == Unresponsive
	switch {
	case o.Action == StopWorker && !computing:
		return fleet.Because("phala.not_computing", "worker", o.Worker, "state", string(st.State))
	case o.Action == RemoveWorker && st.State != Ready && (computing || l.Era == V2):
		return fleet.Because("phala.not_ready", "worker", o.Worker, "state", string(st.State))
	case o.Action == StartWorker && st.State != Ready:
		return fleet.Because("phala.not_ready", "worker", o.Worker, "state", string(st.State))
	case o.Action == StartWorker:
		return l.refusedStake(p, o, fleet.Amount{})
	case o.Action == RestartWorker && !computing:
		return fleet.Because("phala.not_computing", "worker", o.Worker, "state", string(st.State))
	case o.Action == RestartWorker && len(p.Queue) > 0:
		return fleet.Because("phala.queue_waits", "pool", number(o.Pool))
	case o.Action == RestartWorker && o.Stake.Cmp(st.Stake) <= 0:
		return fleet.Because("phala.stake_not_more", "worker", o.Worker, "stake", o.Stake.PHA(), "now", st.Stake.PHA())
	case o.Action == RestartWorker:
		return l.refusedStake(p, o, st.Stake)
	}
	return fleet.Reason{}
}

func (l *ledger) refusedAdd(p *Pool, o Order) fleet.Reason {
	w, st := l.Worker(o.Worker), l.standing(o)
	switch {
	case w == nil || !w.Registered:
		return fleet.Because("phala.not_registered", "worker", o.Worker)
	case w.Operator != p.Owner:
		return fleet.Because("phala.other_operator", "worker", o.Worker, "pool", number(o.Pool))
	case w.Score == 0:
		return fleet.Because("phala.no_score", "worker", o.Worker)
	case st.InPool:
		return fleet.Because("phala.in_pool", "worker", o.Worker, "pool", number(o.Pool))
	case st.State != Ready && st.State != Unknown: // of the first era: it left before its stake was reclaimed
		return fleet.Because("phala.not_ready", "worker", o.Worker, "state", string(st.State))
	case l.MaxWorkers > 0 && l.pool(p).workers >= int(l.MaxWorkers):
		return fleet.Because("phala.pool_full", "pool", number(o.Pool), "most", strconv.Itoa(int(l.MaxWorkers)))
	}
	for _, x := range l.Sessions {
		if x.Worker == w && x.Pool != nil && x.Pool != p && l.standing(Order{Pool: x.Pool.ID, Worker: o.Worker}).InPool {
			return fleet.Because("phala.in_pool", "worker", o.Worker, "pool", number(x.Pool.ID))
		}
	}
	return fleet.Reason{}
}

func (l *ledger) refusedReclaim(o Order) fleet.Reason {
	st := l.standing(o)
	if st.State != CoolingDown {
		return fleet.Because("phala.not_cooling", "worker", o.Worker, "state", string(st.State))
	}
	if until, _ := st.CoolsUntil(l.Cool); !st.CoolDownOver(l.Now, l.Cool) {
		return fleet.Because("phala.still_cooling", "worker", o.Worker, "until", until)
	}
	return fleet.Reason{}
}

// refusedStake judges the stake of a start or restart; had is what is on the worker already.
func (l *ledger) refusedStake(p *Pool, o Order, had fleet.Amount) fleet.Reason {
	if free := l.pool(p).free.Plus(had); o.Stake.Cmp(free) > 0 {
		return fleet.Because("phala.no_free_stake", "pool", number(o.Pool), "stake", o.Stake.PHA(), "free", free.PHA())
	}
	w := l.Worker(o.Worker)
	if w == nil || !w.Registered {
		return fleet.Reason{} // nobody asked the registry
	}
	e, err := Compute(Input{Params: l.Params, PInit: w.Score, Confidence: w.Confidence, Stake: o.Stake})
	if err != nil || len(e.Problems) == 0 {
		return fleet.Reason{} // without parameters nothing is known of the bounds
	}
	return e.Problems[0]
}

// carryOut changes what the order changes on the chain.
func (l *ledger) carryOut(o Order) {
	p, st := l.pool(l.Pool(o.Pool)), l.standing(o)
	switch o.Action {
	case AddWorker:
		st = Standing{Known: true, InPool: true, State: Ready}
		p.workers++
	case StartWorker, RestartWorker:
		p.free = p.free.Plus(st.Stake).Minus(o.Stake)
		st.State, st.Stake = Idle, o.Stake
	case StopWorker:
		st.State, st.Since = CoolingDown, l.Now
	case ReclaimWorker:
		p.free = p.free.Plus(st.Stake)
		st = Standing{Known: true, InPool: st.InPool, State: Ready}
	case RemoveWorker:
		st.InPool = false
		p.workers--
	}
	l.standings[place{o.Pool, o.Worker}] = st
}

// number is a pool's number as text.
func number(n uint64) string { return strconv.FormatUint(n, 10) }
