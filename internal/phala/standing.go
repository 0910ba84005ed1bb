package phala

import (
	"strings"
	"time"

	"phalops/internal/fleet"
)

// Standing is how a worker stands to a pool, as far as its owner's orders are about it. The zero value says nothing.
type Standing struct {
	Known  bool         // somebody looked, and could tell; false: no order has shown an effect
	InPool bool         // it is one of the pool's workers
	State  SessionState // of its session with the pool; Unknown: there was never one, or it is not told
	Since  time.Time    // of CoolingDown: when it began, by the chain's clock; zero: not told
	Stake  fleet.Amount // that is locked on it
}

// StandingOf is how a worker stands to a pool by what the daemon read of the chain; nil: nobody looked.
func StandingOf(w *fleet.ChainWorker, pool uint64) Standing {
	if w == nil {
		return Standing{}
	}
	s := Standing{Known: true, InPool: w.Pool && w.PID == pool, State: stateOf(w.State)}
	if w.Pool && !s.InPool { // its session is that with another pool
		s.State = Unknown
		return s
	}
	s.Since, s.Stake = w.CoolingSince, w.Stake
	return s
}

// StandingBySession is how a worker stands to its pool by the word of its bridge, which relays the state of the session and nothing
// else: neither when the cool-down began nor whether the worker left the pool. session is WorkerStatus.Session; "" says nothing.
func StandingBySession(session string) Standing {
	state := stateOf(strings.TrimSpace(session))
	return Standing{Known: state != Unknown, InPool: state != Unknown, State: state}
}

// Standing is how a worker stands to a pool. It says nothing of a pool that was not read.
func (s *State) Standing(pool uint64, worker Key) Standing {
	p := s.Pool(pool)
	if p == nil {
		return Standing{}
	}
	out := Standing{Known: true, State: Unknown}
	account := SessionAccount(pool, worker)
	for _, x := range s.Sessions {
		if x.Account == account {
			out.State, out.Since, out.Stake, out.InPool = x.State, x.CoolingSince, x.Stake, x.Pool == p
		}
	}
	return out
}

// CoolDownOver reports whether the stake can be reclaimed: the worker cools down, and the chain's own clock has passed the period
// since it began. now is the time of a block (Timestamp.Now), never this machine's: the chain's clock stands still when the chain does.
func (s Standing) CoolDownOver(now time.Time, period time.Duration) bool {
	until, cooling := s.CoolsUntil(period)
	return cooling && !until.IsZero() && !now.Before(until)
}

// CoolsUntil is when the cool-down ends, by the chain's clock; zero: it is not told when it began. cooling is false when the worker
// does not cool down.
func (s Standing) CoolsUntil(period time.Duration) (until time.Time, cooling bool) {
	if !s.Known || s.State != CoolingDown {
		return time.Time{}, false
	}
	if s.Since.IsZero() {
		return time.Time{}, true
	}
	return s.Since.Add(period), true
}

// Shows reports whether the chain shows the order's effect, whoever brought it about.
//
//   - add: the worker is in the pool;
//   - start: it computes, or should (Unresponsive);
//   - restart: it does so with at least the stake;
//   - stop: it computes no more: it cools down, or is Ready already;
//   - reclaim: its session is Ready, or it has none;
//   - remove: it is not in the pool.
func (s Standing) Shows(o Order) bool {
	computing := s.State == Idle || s.State == Unresponsive
	switch {
	case !s.Known:
		return false
	case o.Action == AddWorker:
		return s.InPool
	case o.Action == StartWorker:
		return s.InPool && computing
	case o.Action == RestartWorker:
		return s.InPool && computing && s.Stake.Cmp(o.Stake) >= 0
	case o.Action == StopWorker:
		return s.State == CoolingDown || s.State == Ready || s.left()
	case o.Action == ReclaimWorker:
		return s.State == Ready || s.left()
	case o.Action == RemoveWorker:
		return !s.InPool
	}
	return false
}

// left reports whether the worker is out of the pool, and nothing of it waits there. A worker of the first era may leave while it
// cools down; its stake still has to be reclaimed.
func (s Standing) left() bool { return !s.InPool && s.State == Unknown }

// Stage is what comes next for a worker on its way out of a pool.
type Stage string

// The stages.
const (
	StageUnknown Stage = "unknown" // nobody could tell
	StageStop    Stage = "stop"    // the owner has to stop it
	StageCooling Stage = "cooling" // wait until the cool-down is over
	StageReclaim Stage = "reclaim" // its stake has to be reclaimed
	StageRemove  Stage = "remove"  // the owner has to remove it
	StageGone    Stage = "gone"    // nothing: it is in the pool no more, and none of its stake is
)

// Leaving is what comes next for a worker that is to leave its pool. until is the end of the cool-down, while it waits for that and
// it is known. Stage names are those of the order that is due, but for cooling, unknown and gone.
func (s Standing) Leaving(now time.Time, period time.Duration) (next Stage, until time.Time) {
	until, cooling := s.CoolsUntil(period)
	switch {
	case !s.Known:
		return StageUnknown, time.Time{}
	case cooling && s.CoolDownOver(now, period):
		return StageReclaim, time.Time{}
	case cooling:
		return StageCooling, until
	case !s.InPool:
		return StageGone, time.Time{}
	case s.State == Ready || s.State == Unknown:
		return StageRemove, time.Time{}
	}
	return StageStop, time.Time{}
}
