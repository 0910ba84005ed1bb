package decide

import "phalops/internal/fleet"

// Words for what a chain and a bridge tell differently about one worker, or the chain alone. They are part of the names of rules.
const (
	differElsewhere    = "elsewhere"    // in another pool
	differUnregistered = "unregistered" // works, and the chain does not know it
	differOperator     = "operator"     // registered for somebody who does not own the pool
	differUnbound      = "unbound"      // works, and is in nobody's pool
	differCooling      = "cooling"      // cools down
	differUnheard      = "unheard"      // works, and is marked unresponsive
	differIdle         = "not_computing"
	differUnpaid       = "unpaid"
	differStake        = "stake"
	differDisabled     = "disabled" // computes, and is disabled at its bridge
)

// Differences says in which ways a chain tells something else about a worker than its bridge does: computing or not, the pool, the
// stake, the operator. c is what the chain says of its key, nil where the chain was not asked; pool is the worker's pool as the
// chain knows it, nil where that is not known. None of them is news by itself: the two are not asked at the same moment, and v0 and
// v3 do not apply a changed stake before somebody restarts the session.
func Differences(w *fleet.WorkerStatus, c *fleet.ChainWorker, pool *fleet.ChainPool) []fleet.Reason {
	if c == nil {
		return nil
	}
	var out []fleet.Reason
	for _, kind := range differences(w, w.Condition, c, pool) {
		out = append(out, difference(kind, w, c, pool))
	}
	return out
}

// differences are the kinds of differences, the one that explains most first. condition is what is made of the worker now.
func differences(w *fleet.WorkerStatus, condition fleet.Condition, c *fleet.ChainWorker, pool *fleet.ChainPool) []string {
	if !comparable(w) {
		return nil
	}
	online := c.State == sessionIdle || c.State == sessionUnresponsive
	if !w.Enabled {
		if online {
			return []string{differDisabled}
		}
		return nil
	}
	var out []string
	works := condition == fleet.Working
	switch {
	case c.Pool && c.PID != w.PID && w.PID != 0: // a solo worker's feeder tells no pool
		out = append(out, differElsewhere)
	case works && !c.Registered:
		out = append(out, differUnregistered)
	case works && !c.Pool:
		out = append(out, differUnbound)
	}
	if pool != nil && c.Registered && c.Operator != "" && c.Operator != pool.Owner {
		out = append(out, differOperator)
	}
	switch {
	case !works || c.State == sessionIdle || !c.Pool:
	case c.State == sessionUnresponsive:
		out = append(out, differUnheard)
	case c.State == sessionCoolingDown:
		out = append(out, differCooling)
	default:
		out = append(out, differIdle)
	}
	if w.StakeOK && !w.Stake.IsZero() && c.Pool && online && c.Stake != w.Stake { // a solo worker has none at its feeder
		out = append(out, differStake)
	}
	return out
}

// poolOn is a worker's pool as the chain knows it: the one that its bridge tells, else the one that it is in. nil when it is none of
// ours.
func poolOn(v *fleet.ChainView, w *fleet.WorkerStatus, c *fleet.ChainWorker) *fleet.ChainPool {
	switch {
	case w.PID != 0:
		return v.Pool(w.PID)
	case c.Pool:
		return v.Pool(c.PID)
	}
	return nil
}

// comparable reports whether a chain can say anything about a worker: a gatekeeper and one that only syncs are in no pool, and one
// whose identity is lost is another matter.
func comparable(w *fleet.WorkerStatus) bool { return !w.Gatekeeper && !w.SyncOnly && w.OtherKey == "" }

func difference(kind string, w *fleet.WorkerStatus, c *fleet.ChainWorker, pool *fleet.ChainPool) fleet.Reason {
	switch kind {
	case differElsewhere:
		return fleet.Because("chain.differ.elsewhere", "pid", int64(w.PID), "other", int64(c.PID))
	case differUnregistered:
		return fleet.Because("chain.differ.unregistered", "key", short(c.Key))
	case differUnbound:
		return fleet.Because("chain.differ.unbound", "pid", pidOf(w))
	case differOperator:
		return fleet.Because("chain.differ.operator", "operator", c.Operator, "owner", pool.Owner, "pid", int64(pool.PID))
	case differStake:
		return fleet.Because("chain.differ.stake", "stake", w.Stake.PHA(), "chain", c.Stake.PHA())
	case differDisabled:
		return fleet.Because("chain.differ.disabled", "state", c.State)
	}
	return fleet.Because("chain.differ.state", "word", wordOf(w), "state", c.State)
}

// pidOf is a worker's pool for people.
func pidOf(w *fleet.WorkerStatus) any {
	if w.PID == 0 {
		return "?"
	}
	return int64(w.PID)
}

// wordOf is what a bridge says of a worker, or phalops where the bridge has no word.
func wordOf(w *fleet.WorkerStatus) string {
	if w.State != "" {
		return w.State
	}
	return string(w.Condition)
}
