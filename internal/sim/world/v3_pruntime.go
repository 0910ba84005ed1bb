package world

import (
	"crypto/sha256"
	"fmt"
	"time"
)

// Pruntimes are all pRuntimes in the order of their endpoints.
func (w *World) Pruntimes() []*Pruntime { return inOrder(w.parts.pruntimes) }

// Pruntime finds the enclave behind an endpoint such as http://127.0.100.1:8000; nil when there is none.
func (w *World) Pruntime(endpoint string) *Pruntime { return w.parts.pruntimes[endpoint] }

// AddFreshPruntime is AddPruntime with a new machine: it knows no chain, and no chain knows it.
func (w *World) AddFreshPruntime(endpoint string, network *Network) *Pruntime {
	p := w.AddPruntime(endpoint, network)
	p.forget()
	return p
}

// forget makes it new: without a chain, a registration or a pool.
func (p *Pruntime) forget() {
	p.Uninitialized, p.unregistered, p.unbound, p.idle = true, true, true, true
	p.left = false
	p.load(0, 0)
}

// load puts it at these heights, as a chain state that is loaded does.
func (p *Pruntime) load(para, relay int64) {
	p.para.base, p.relay.base = para, relay
	p.para.since, p.relay.since = p.w.now, p.w.now
}

// Registered reports whether the chain knows its key.
func (p *Pruntime) Registered() bool { return !p.unregistered }

// Session reads the chain; false when it knows no session of the worker.
func (p *Pruntime) Session() (Session, bool) {
	if p.unregistered || p.unbound {
		return Session{}, false
	}
	return p.session(), true
}

// Checkpoint is when it saved where it is last; zero for never.
func (p *Pruntime) Checkpoint() time.Time { return p.checkpoint }

// StopComputing is stop_computing on chain: the session cools down for seven days, whatever the bridges say of it.
func (p *Pruntime) StopComputing() { p.idle, p.coolDown = true, p.w.now }

// loseIdentity is a key that could not be unsealed: the process comes back with a new one, and nobody knows it.
func (p *Pruntime) loseIdentity() {
	p.reboot()
	p.w.After(rebootTakes, func() {
		key := sha256.Sum256(fmt.Appendf(nil, "%s/%d", p.PublicKey, p.boots))
		p.PublicKey, p.born = fmt.Sprintf("%x", key), p.w.now
		p.forget()
	})
}

// TakeCheckpoint saves where it is and tells the block.
func (p *Pruntime) TakeCheckpoint() int64 {
	para, _ := p.Heights()
	p.checkpoint = p.w.now
	return para
}

// Kick ends its process if its kick API is enabled; its supervisor brings it back. False when the API is not enabled.
func (p *Pruntime) Kick() bool {
	if p.KickAPI {
		p.w.did(string(ActionKick), p.Endpoint)
		p.reboot()
	}
	return p.KickAPI
}

// Age is how long its present identity has existed.
func (p *Pruntime) Age() time.Duration { return p.w.now.Sub(p.born) }

// Score is its own estimate of its power.
func (p *Pruntime) Score() uint64 { return p.power }

// Abort ends its process; its supervisor brings it back.
func (p *Pruntime) Abort() { p.reboot() }

// BlockTime is when the newest block that it executed was made.
func (p *Pruntime) BlockTime() time.Time {
	para, _ := p.Heights()
	return p.network.Para.when(para)
}
