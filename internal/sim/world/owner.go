package world

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// OwnerCall is a call about one worker of a pool that the pool's owner signs. Name is the pallet's own, of either era: add_worker,
// remove_worker, start_mining, start_computing, stop_…, restart_…, reclaim_pool_worker.
type OwnerCall struct {
	Name   string
	PID    uint64
	Worker [32]byte
	Stake  uint64 // of start and restart, 10⁻¹² PHA
}

// ErrOwner is found in every error of Sign; its text has the pallet's own name of what is wrong.
var ErrOwner = errors.New("the chain refuses")

// Sign carries calls out as the chain does with a batch_all that the signer has signed: all of them, or none. A worker can only be
// added to the pool that a bridge has it in.
func (w *World) Sign(n *Network, signer AccountID, calls []OwnerCall) error {
	owners, all := w.inventories(n)
	before := map[*Pruntime]membership{}
	for i, c := range calls {
		at := -1
		for j, x := range all {
			if x.pid == c.PID && x.rt.key() == c.Worker {
				at = j
			}
		}
		why := "WorkerDoesNotExist"
		if at >= 0 {
			rt := all[at].rt
			if _, kept := before[rt]; !kept {
				before[rt] = rt.membership
			}
			why = rt.sign(c, owners[c.PID], signer)
		}
		if why != "" {
			for rt, was := range before {
				rt.membership = was
			}
			return fmt.Errorf("%w: call %d, %s: %s", ErrOwner, i, c.Name, why)
		}
	}
	return nil
}

// sign carries one call out; why is the pallet's error, "" for none.
func (p *Pruntime) sign(c OwnerCall, owner, signer AccountID) (why string) {
	verb, _, _ := strings.Cut(c.Name, "_")
	on := p.onChain(c.PID, owner, p.w.now)
	state, bound := "", on.Mined != nil && on.Mined.Bound
	if on.Mined != nil {
		state = on.Mined.State
	}
	computing := state == "WorkerIdle" || state == "WorkerUnresponsive"
	over := state == "WorkerCoolingDown" && p.w.now.Sub(on.Mined.CoolDownStart) >= CoolDown
	switch {
	case verb != "reclaim" && signer != owner:
		return "UnauthorizedPoolOwner"
	case verb == "add" && !on.IsRegistered():
		return "WorkerNotRegistered"
	case verb == "add" && bound:
		return "WorkerExists"
	case verb != "add" && verb != "reclaim" && !bound:
		return "WorkerDoesNotExist"
	case verb == "remove" && state != "Ready", verb == "start" && state != "Ready":
		return "WorkerIsNotReady"
	case (verb == "stop" || verb == "restart") && !computing:
		return "WorkerNotComputing"
	case verb == "reclaim" && !over:
		return "CoolDownNotReady"
	case verb == "start" && c.Stake == 0:
		return "InsufficientStake"
	case verb == "restart" && c.Stake <= p.stake:
		return "CannotRestartWithLessStake"
	}
	switch verb {
	case "add":
		p.unbound, p.left, p.idle = false, false, true
	case "remove":
		p.unbound, p.left = true, true
	case "start", "restart":
		p.idle, p.stake = false, c.Stake
	case "stop":
		p.StopComputing()
	case "reclaim":
		p.coolDown = time.Time{}
	default:
		return "CallFiltered"
	}
	return ""
}
