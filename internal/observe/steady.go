package observe

import (
	"time"

	"phalops/internal/fleet"
)

// unsteady leaves out of two statuses of a bridge every worker of which a rule sees the same in both. In most beats that is
// nearly every one, and spelling them out twice would be most of what a beat costs.
func unsteady(prev, next fleet.BridgeStatus) (was, is fleet.BridgeStatus) {
	was, is = prev, next
	was.Workers, is.Workers = nil, nil
	before, after := &roll{list: prev.Workers}, &roll{list: next.Workers}
	for i := range next.Workers {
		w := &next.Workers[i]
		if old := before.find(i, w.ID); old.Ref != w.Ref || !steady(old, w) {
			is.Workers = append(is.Workers, *w)
		}
	}
	if len(is.Workers) == 0 && len(prev.Workers) == len(next.Workers) {
		return was, is
	}
	for i := range prev.Workers {
		w := &prev.Workers[i]
		if now := after.find(i, w.ID); now.Ref != w.Ref || !steady(w, now) {
			was.Workers = append(was.Workers, *w)
		}
	}
	return was, is
}

// steady reports whether two statuses of a worker spell the same facts, their times aside.
func steady(a, b *fleet.WorkerStatus) bool {
	if (a.Pruntime == nil) != (b.Pruntime == nil) || a.Pruntime != nil && inside(a.Pruntime) != inside(b.Pruntime) {
		return false
	}
	return sightOf(a) == sightOf(b) && (a.Message == b.Message || uncounted(a.Message) == uncounted(b.Message))
}

// sight is what the facts of a worker are spelled from, beside its message and its pRuntime.
type sight struct {
	reached                                         reached
	name, endpoint, state, publicKey, session       string
	version, revision                               string
	pid                                             uint64
	stake                                           fleet.Amount
	stakeOK, enabled, syncOnly, running, gatekeeper bool
	messageAt                                       time.Time
	initialized, registered                         truth
	relay, paraHeader, para                         counter
}

func sightOf(w *fleet.WorkerStatus) sight {
	return sight{
		reached: reachedOf(w.Probe), name: w.Name, endpoint: w.Endpoint, state: w.State, publicKey: w.PublicKey, session: w.Session,
		version: w.Version, revision: w.Revision, pid: w.PID, stake: w.Stake, stakeOK: w.StakeOK, enabled: w.Enabled,
		syncOnly: w.SyncOnly, running: w.Running, gatekeeper: w.Gatekeeper, messageAt: w.MessageAt.Truncate(messageGrain).UTC(),
		initialized: truthOf(w.Initialized), registered: truthOf(w.Registered),
		relay: counterOf(w.Relay, w.At), paraHeader: counterOf(w.ParaHeader, w.At), para: counterOf(w.Para, w.At),
	}
}

// insight is sight of a pRuntime.
type insight struct {
	reached                          reached
	initialized, registered, waiting truth
	publicKey, version               string
	relay, paraHeader, para          counter
}

func inside(p *fleet.PruntimeStatus) insight {
	return insight{
		reached: reachedOf(p.Probe), initialized: truthOf(p.Initialized), registered: truthOf(p.Registered), waiting: truthOf(p.Waiting),
		publicKey: p.PublicKey, version: p.Version,
		relay: counterOf(p.Relay, p.At), paraHeader: counterOf(p.ParaHeader, p.At), para: counterOf(p.Para, p.At),
	}
}

// truth is a bool that may be unknown.
type truth struct{ known, yes bool }

func truthOf(b *bool) truth {
	if b == nil {
		return truth{}
	}
	return truth{true, *b}
}

// reached is what Probe says of the newest question.
type reached struct{ asked, answered bool }

func reachedOf(p fleet.Probe) reached {
	return reached{asked: p.Missed > 0 || !p.At.IsZero(), answered: p.Missed == 0}
}

// counter is what the facts say of a height.
type counter struct{ known, moving, begun bool }

func counterOf(h fleet.Height, at time.Time) counter {
	if !h.Known {
		return counter{}
	}
	return counter{true, h.FrozenFor(at) < frozenAfter, h.Value >= 0}
}
