package metrics

import (
	"maps"
	"slices"
	"strconv"
	"time"

	"phalops/internal/fleet"
)

// mostWorkers is how many workers of a network have series of their own, ours first: each has nine of them.
const mostWorkers = 30_000

// sessionStates are the states of sessions on a chain, with the names that the first era had for them.
var sessionStates = [...][2]string{
	{"Idle", "MiningIdle"}, {"Unresponsive", "MiningUnresponsive"}, {"CoolingDown", "MiningCoolingDown"}, {"Ready", "Ready"},
}

// chain emits what a network's chain says. What was read too long ago is no fact any more.
func (e *emitter) chain(v fleet.ChainView, bridges []fleet.BridgeStatus) {
	network := v.Ref.Name()
	e.put(chainUp, one(v.Fresh()), network)
	e.moment(chainRead, v.At, network)
	if !v.Fresh() {
		return
	}
	e.put(chainHeight, float64(v.Height), network)
	e.moment(chainBlock, v.Time, network)
	e.put(chainSpec, float64(v.Spec), network)
	e.put(chainUpgrade, one(v.Upgrade != nil), network)
	e.put(chainOnline, float64(v.Totals.Online), network)
	e.put(chainPools, float64(v.Totals.Pools), network)
	if v.Whole {
		e.totals(network, v.Totals)
	}
	for _, p := range v.Pools {
		e.pool(network, strconv.FormatUint(p.PID, 10), p)
	}
	e.byPool(network, &v)
	e.chainWorkers(network, &v, bridges)
}

func (e *emitter) totals(network string, t fleet.ChainTotals) {
	for _, state := range sessionStates {
		e.put(chainSessions, float64(t.Sessions[state[0]]), network, state[0])
	}
	e.put(chainWorkers, float64(t.Workers), network)
	e.pha(chainStake, t.Stake, network)
	e.pha(chainValue, t.Value, network)
	e.pha(chainFree, t.Free, network)
	e.decimal(chainV, t.V, network)
	e.decimal(chainVe, t.Ve, network)
	e.pha(chainReward, t.Reward, network)
	e.pha(chainEarned, t.Earned, network)
	e.daily(chainDaily, t.Daily, t.DailyFor, network)
	e.put(oldStakers, float64(t.Pools), network, "pools")
	e.pha(oldStakers, t.Value, network, "locked")
	e.pha(oldStakers, t.Shares, network, "shares")
}

func (e *emitter) pool(network, pid string, p fleet.ChainPool) {
	e.pha(poolValue, p.Value, network, pid)
	e.pha(poolFree, p.Free, network, pid)
	e.pha(poolUsed, p.Used, network, pid)
	e.pha(poolReleasing, p.Releasing, network, pid)
	if p.Cap != nil {
		e.pha(poolCap, *p.Cap, network, pid)
	}
	e.put(poolCommission, float64(p.Commission)/1e6, network, pid)
	e.pha(poolOwed, p.OwnerReward, network, pid)
	e.pha(poolGas, p.OwnerGas, network, pid, p.Owner)
	for _, o := range p.Operators {
		e.pha(poolGas, o.Free, network, pid, o.Address)
	}
	workers := 0
	for _, state := range sessionStates {
		e.put(poolWorkers, float64(p.Workers[state[0]]), network, pid, state[0])
	}
	for _, n := range p.Workers {
		workers += n
	}
	e.pha(poolReward, p.Reward, network, pid)
	e.daily(poolDaily, p.Daily, p.DailyFor, network, pid)
	e.pha(poolQueued, p.Queued, network, pid)
	e.moment(poolStop, p.DueAt, network, pid)

	e.pha(oldBalances, p.OwnerGas, network, pid, p.Owner)
	e.pha(oldReward, p.OwnerReward, network, pid, p.Owner)
	e.put(oldWorkers, float64(workers), network, pid, p.Owner)
	e.put(oldCommission, float64(p.Commission)/1e4, network, pid, p.Owner)
	e.pha(oldFree, p.Free, network, pid, p.Owner)
	e.pha(oldTotal, p.Value, network, pid, p.Owner)
}

// poolSum is what the sessions of one pool have, for the old names.
type poolSum struct {
	reward float64
	states map[string]int
}

// byPool emits the old names that add up to the network's: our pools, where everybody's workers are kept all pools, and the rest
// without a pool.
func (e *emitter) byPool(network string, v *fleet.ChainView) {
	sums := map[uint64]*poolSum{}
	for _, p := range v.Pools {
		sums[p.PID] = &poolSum{p.Reward.InPHA(), p.Workers}
	}
	ours := len(sums)
	for _, w := range v.Others {
		s := sums[w.PID]
		if s == nil {
			s = &poolSum{states: map[string]int{}}
			sums[w.PID] = s
		}
		s.reward += w.Reward.InPHA()
		s.states[w.State]++
	}
	if ours == 0 && !v.Whole {
		return
	}
	rest := poolSum{v.Totals.Reward.InPHA(), maps.Clone(v.Totals.Sessions)}
	for _, pid := range slices.Sorted(maps.Keys(sums)) {
		s := sums[pid]
		name := strconv.FormatUint(pid, 10)
		e.put(oldMinted, s.reward, network, name)
		rest.reward -= s.reward
		for _, state := range sessionStates {
			e.put(oldState, float64(s.states[state[0]]), network, name, state[1])
			if rest.states != nil {
				rest.states[state[0]] -= s.states[state[0]]
			}
		}
	}
	if !v.Whole {
		return
	}
	e.put(oldMinted, max(0, rest.reward), network, "")
	for _, state := range sessionStates {
		e.put(oldState, float64(max(0, rest.states[state[0]])), network, "", state[1])
	}
}

// chainWorkers emits the workers, up to a limit.
func (e *emitter) chainWorkers(network string, v *fleet.ChainView, bridges []fleet.BridgeStatus) {
	for _, b := range bridges {
		for _, w := range b.Workers {
			if c := v.Worker(w.PublicKey); c != nil {
				e.put(workerInfo, 1, network, c.Key, b.Ref.Name(), w.Name)
			}
		}
	}
	left := mostWorkers
	for _, list := range [][]fleet.ChainWorker{v.Workers, v.Others} {
		for i := range list {
			if left--; left >= 0 {
				e.chainWorker(network, &list[i])
			}
		}
	}
	e.put(workersLeftOut, float64(max(0, -left)), network)
}

func (e *emitter) chainWorker(network string, w *fleet.ChainWorker) {
	pid := ""
	if w.Pool {
		pid = strconv.FormatUint(w.PID, 10)
	}
	e.put(workerState, 1, network, pid, w.Key, w.State)
	e.decimal(workerV, w.V, network, pid, w.Key)
	e.decimal(workerVe, w.Ve, network, pid, w.Key)
	if w.V != "" { // it has a session
		e.put(workerPInit, float64(w.PInit), network, pid, w.Key)
		e.put(workerPInstant, float64(w.PInstant), network, pid, w.Key)
		e.pha(workerStake, w.Stake, network, pid, w.Key)
		e.pha(workerReward, w.Reward, network, pid, w.Key)
	}
	e.daily(workerDaily, w.Daily, w.DailyFor, network, pid, w.Key)
	e.moment(workerChallenged, w.ChallengedAt, network, pid, w.Key)
}

func (e *emitter) pha(f family, a fleet.Amount, labels ...string) { e.put(f, a.InPHA(), labels...) }

// daily is a reward of a day; it has no series before it is known.
func (e *emitter) daily(f family, a fleet.Amount, measured time.Duration, labels ...string) {
	if measured > 0 {
		e.pha(f, a, labels...)
	}
}

func (e *emitter) moment(f family, t time.Time, labels ...string) {
	if !t.IsZero() {
		e.put(f, float64(t.UnixMilli())/1000, labels...)
	}
}

// decimal is a number that the chain's own text has.
func (e *emitter) decimal(f family, s string, labels ...string) {
	if n, err := strconv.ParseFloat(s, 64); err == nil {
		e.put(f, n, labels...)
	}
}
