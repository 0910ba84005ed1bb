package world

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strconv"
	"time"
)

const (
	runtimeCatchUp    = 12.0 // blocks per second that a pRuntime executes while behind
	unresponsiveAfter = 40   // parachain blocks behind the network after which the chain calls a worker unresponsive
)

// Pruntime is one worker's enclave. It keeps its heights whatever happens to the bridge, and moves only while somebody
// feeds it.
type Pruntime struct {
	Endpoint  string
	PublicKey string // 64 hex digits
	KickAPI   bool   // it runs with its kick API enabled
	// Uninitialized is a pRuntime that knows no chain yet: whoever feeds it first initialises it.
	Uninitialized bool

	w            *World
	network      *Network
	feeders      []feeder
	para, relay  follower
	born         time.Time
	power        uint64 // pInit
	v            float64
	outages      []outage
	lost         time.Duration // in outages that are not remembered any more
	boots        int           // processes so far, without the first
	unregistered bool          // on chain
	membership
	checkpoint  time.Time
	trouble     []*trouble
	manner      Manner // towards a v0 lifecycle
	mannerSince time.Time
	body        *Body    // its real process, while there is one
	real        bool     // it has had one: nothing here starts it any more
	away        *trouble // it has none now
}

// membership is what the chain has of a worker in its pool.
type membership struct {
	unbound, left, idle bool      // what a worker that earns lacks: its place in the pool, which it may have left, and its start
	coolDown            time.Time // when it was stopped
	stake               uint64    // 10⁻¹² PHA
}

// feeder is whoever sends blocks to a pRuntime: a context of a v2 lifecycle, a worker of another bridge, a pherry.
type feeder interface {
	name() string                // as in Harm, for example prb-a/w-07
	supply() (para, relay int64) // the newest blocks that it can send; 0 while it has none
	keepNotice()                 // the present is about to change: what is derived from it becomes a thing of the past
	stood()                      // the pRuntime began, or ceased, to answer; told to everybody who holds it, feeding or not
	collided()                   // a newer feeder has sent the block that this one wanted to send
}

// collideAfter is how long two feeders get on with each other: until the next block.
const collideAfter = 12 * time.Second

// AddPruntime puts an enclave behind an endpoint such as http://127.0.1.1:8000. It is in step with the network and
// registered.
func (w *World) AddPruntime(endpoint string, network *Network) *Pruntime {
	key := sha256.Sum256(fmt.Appendf(nil, "%d/pruntime/%s", w.seed, endpoint))
	r := w.Rand("pruntime/" + endpoint)
	p := &Pruntime{Endpoint: endpoint, PublicKey: fmt.Sprintf("%x", key), w: w, network: network, born: w.now,
		power: 700 + r.Uint64N(600)}
	p.stake, p.v = staked(p.power, 1, r.Float64())
	p.para = follower{base: network.Para.Head(w.now) - finalityLag, since: w.now, rate: runtimeCatchUp, still: true}
	p.relay = follower{base: network.Relay.Head(w.now) - finalityLag, since: w.now, rate: 2 * runtimeCatchUp, still: true}
	w.parts.pruntimes[endpoint] = p
	return p
}

// staked is its stake on chain, as bridges keep it.
func (p *Pruntime) staked() string { return strconv.FormatUint(p.stake, 10) }

// Feeders is how many send it blocks at present; more than one is harm.
func (p *Pruntime) Feeders() int { return len(p.feeders) }

func (p *Pruntime) sources() (para, relay int64) {
	if len(p.feeders) == 0 {
		return 0, 0
	}
	return p.feeders[len(p.feeders)-1].supply()
}

// Heights are the newest parachain block that it executed and the newest relay chain header that it knows.
func (p *Pruntime) Heights() (para, relay int64) {
	para, relay = p.sources()
	return p.para.at(p.w.now, para), p.relay.at(p.w.now, relay)
}

func (p *Pruntime) rebase() {
	para, relay := p.sources()
	p.para.rebase(p.w.now, para)
	p.relay.rebase(p.w.now, relay)
}

// feed makes c one of those who send blocks, or not any more. With two of them the older one soon sends a block that the
// pRuntime already has: BlockNumberMismatch.
func (p *Pruntime) feed(c feeder, feeding bool) {
	p.rebase()
	p.feeders = slices.DeleteFunc(p.feeders, func(o feeder) bool { return o == c })
	if feeding {
		p.feeders = append(p.feeders, c)
		if len(p.feeders) > 1 {
			p.w.harm(HarmTwoFeeders, c.name())
			p.w.After(collideAfter, func() {
				if i := slices.Index(p.feeders, c); i > 0 {
					p.feeders[i-1].collided()
				}
			})
		}
	}
	p.refresh()
}

// Answers reports whether it answers; a pRuntime that is down refuses connections, one that hangs takes them.
func (p *Pruntime) Answers() bool { return !p.Down() && !p.Hung() }

// Down reports whether it refuses connections.
func (p *Pruntime) Down() bool { return hasKind(p.trouble, PruntimeDown) }

// Hung reports whether it takes connections and never answers; one that cannot be reached looks the same.
func (p *Pruntime) Hung() bool {
	return hasKind(p.trouble, PruntimeHang) || hasKind(p.trouble, SegmentLoss)
}

func (p *Pruntime) refresh() {
	para, relay := p.sources()
	moving := len(p.feeders) > 0 && p.Answers() && !hasKind(p.trouble, WorkerPause)
	if moving && p.para.still {
		p.keepLoss()
	}
	p.para.move(p.w.now, para, moving)
	p.relay.move(p.w.now, relay, moving)
}

// Lag is how many parachain blocks it is behind the network.
func (p *Pruntime) Lag() int64 {
	para, _ := p.Heights()
	return p.network.Para.Head(p.w.now) - para
}

// Unresponsive reports whether the chain calls it unresponsive, and since when.
func (p *Pruntime) Unresponsive() (since time.Time, yes bool) {
	if p.Lag() <= unresponsiveAfter {
		return time.Time{}, false
	}
	stood := p.para.base
	if source, _ := p.sources(); !p.para.still {
		if here := p.para.at(p.w.now, source); here == source {
			stood = here // it is in step with what feeds it: that stands still
		}
	}
	return p.network.Para.when(stood + unresponsiveAfter + 1), true
}
