package campaign

import (
	"context"
	"crypto/sha256"
	"strconv"
	"strings"
	"time"

	"phalops/internal/control"
	"phalops/internal/fleet"
	"phalops/internal/host"
	"phalops/internal/observe"
	"phalops/internal/prb"
	"phalops/internal/remedy"
	"phalops/internal/sim/world"
	"phalops/internal/wire"
)

// reach is how one daemon gets at the world: the clients of everything, made when first asked for.
type reach struct {
	*Sim
	daemon  *Daemon
	bridges map[string]prb.Bridge
	engines map[string]host.Containers
	chains  map[string]observe.ChainSource
}

var (
	_ control.Clients = (*reach)(nil)
	_ remedy.Reach    = (*reach)(nil)
)

func newReach(d *Daemon) *reach {
	return &reach{Sim: d.sim, daemon: d, bridges: map[string]prb.Bridge{}, engines: map[string]host.Containers{}, chains: map[string]observe.ChainSource{}}
}

// Bridge is the client of a bridge or solo worker.
func (r *reach) Bridge(name string) (prb.Bridge, error) {
	if b := r.bridges[name]; b != nil {
		return b, nil
	}
	b := r.newBridge(name)
	if b == nil {
		return nil, fleet.Fail(fleet.NotFound, fleet.Because("daemon.no_bridge", "bridge", name))
	}
	r.bridges[name] = b
	return b, nil
}

func (r *reach) newBridge(name string) prb.Bridge {
	if b := r.World.Bridge(name); b != nil {
		return &v2Bridge{reach: r, world: b, url: r.places.bridges[name]}
	}
	if b := r.World.V0Bridge(name); b != nil {
		return &v0Bridge{reach: r, world: b, url: r.places.bridges[name]}
	}
	if b := r.World.V3Bridge(name); b != nil {
		return &v3Bridge{reach: r, world: b, url: r.places.bridges[name]}
	}
	for _, p := range r.World.Pherries() {
		if p.Name == name {
			return &solo{name: name, rt: r.pruntime(p.Pruntime)}
		}
	}
	return nil
}

// Pruntime is the client of the pRuntime at an endpoint.
func (r *reach) Pruntime(url string) (remedy.Pruntime, error) { return r.pruntime(url), nil }

func (r *reach) pruntime(url string) *pruntimeAt {
	return &pruntimeAt{reach: r, url: url, world: r.World.Pruntime(strings.TrimSuffix(url, "/"))}
}

// AskPruntime is what a worker's pRuntime says of itself, or why it said nothing.
func (r *reach) AskPruntime(ctx context.Context, url string) *fleet.PruntimeStatus {
	s, err := r.pruntime(url).GetInfo(ctx)
	if err != nil {
		return &fleet.PruntimeStatus{Endpoint: s.Endpoint, Probe: fleet.Probe{Cause: fleet.ReasonOf(err)}}
	}
	return &s
}

// Containers is the engine of a host.
func (r *reach) Containers(name string) (host.Containers, error) {
	if e := r.engines[name]; e != nil {
		return e, nil
	}
	h := r.World.Host(name)
	if h == nil {
		return nil, fleet.Fail(fleet.NotFound, fleet.Because("daemon.no_host", "host", name))
	}
	e := &engine{reach: r, world: h, addr: "tcp://" + r.places.hosts[name] + ":2375"}
	r.engines[name] = e
	return e, nil
}

// Chain asks one chain's RPC.
func (r *reach) Chain(url string) observe.ChainSource {
	c := r.chains[url]
	if c == nil {
		at := r.places.chains[url]
		c = &chain{reach: r, url: url, node: at.node, NodeChain: at.chain}
		r.chains[url] = c
	}
	return c
}

// Cache asks a headers-cache.
func (r *reach) Cache(name, url string) observe.CacheSource {
	return &cache{reach: r, name: name, url: url, world: r.places.caches[url]}
}

// Heads asks every chain of a node once.
func (r *reach) Heads(ctx context.Context, node string) ([]remedy.Head, error) {
	at, known := r.places.nodes[node]
	if !known {
		return nil, fleet.Fail(fleet.NotFound, fleet.Because("daemon.no_node", "node", node))
	}
	names := [2]string{"para", "relay"}
	var heads []remedy.Head
	for i, url := range at {
		if i == 1 && r.places.chains[url].node.OneChain {
			break
		}
		said, err := r.Chain(url).Look(ctx)
		if err != nil {
			return nil, err
		}
		heads = append(heads, remedy.Head{Chain: names[i], Best: said.Best.Value, Target: said.Target.Value, Peers: *said.Peers})
	}
	return heads, nil
}

// slow is a reply that takes as long, at most limit and as ctx allows: a slower one is a timeout of whoever is asked at url.
// A question is answered at once, with what was true when it was asked, and makes its beat late: several may be asked at the
// same time, from goroutines that must not wait. An order (see order) waits, and the others go on meanwhile.
func (r *reach) slow(ctx context.Context, takes, limit time.Duration, url string) error {
	limit = allowed(ctx, limit)
	if ctx.Value(orderKey{}) == nil {
		delay(ctx, min(takes, limit))
	} else if err := r.sleep(ctx, min(takes, limit)); err != nil {
		return failed(wire.Canceled, "wire.canceled", url, true)
	}
	if takes >= limit {
		return timedOut(url)
	}
	return nil
}

type orderKey struct{}

// order marks the context of something that is done, not asked.
func order(ctx context.Context) context.Context { return context.WithValue(ctx, orderKey{}, true) }

// forEver is how long a peer takes that never answers.
const forEver = 1000 * time.Hour

// allowed is how long ctx allows, at most limit. The deadlines of contexts are real time: as no real time passes in the
// campaign, what is left of one is what its owner gave.
func allowed(ctx context.Context, limit time.Duration) time.Duration {
	if end, ok := ctx.Deadline(); ok {
		limit = min(limit, time.Until(end).Round(time.Second))
	}
	return limit
}

func failed(class wire.Class, code, url string, sent bool) error {
	return fleet.FailWith(fleet.Unavailable, fleet.Because(code, "url", url), &wire.Error{Class: class, Target: url, Sent: sent})
}

func timedOut(url string) error { return failed(wire.Timeout, "wire.timeout", url, true) }

func refused(url string) error { return failed(wire.Refused, "wire.refused", url, false) }

// gone is errGone for a process that is no more: it has no hands.
func (r *reach) gone() error {
	if r.daemon.dead {
		return errGone
	}
	return nil
}

// stake reads a stake as the clients do.
func (s *Sim) stake(text string) (fleet.Amount, bool) {
	if a, known := s.stakes[text]; known {
		return a, true
	}
	a, err := fleet.ParseAmount(text)
	if err != nil {
		return a, false
	}
	if s.stakes == nil {
		s.stakes = map[string]fleet.Amount{}
	}
	s.stakes[text] = a
	return a, true
}

// fixed is a number of the chain's fixed-point type as bridges write it.
func fixed(f float64) string { return strconv.FormatFloat(f, 'f', 8, 64) }

// fillSession is what a chain's record of a worker says through its bridge.
func fillSession(w *fleet.WorkerStatus, s world.Session) {
	w.Session, w.V, w.Ve = s.State, fixed(s.V), fixed(s.Ve)
	w.PInit, w.PInstant, w.TotalReward = int64(s.PInit), int64(s.PInstant), fleet.NewAmount(s.TotalReward)
}

func height(n int64) fleet.Height { return fleet.Height{Value: n, Known: true} }

// operator is the address of the account that stands for a mnemonic.
func (s *Sim) operator(seed string) string {
	if s.operators == nil {
		s.operators = map[string]string{}
	}
	if s.operators[seed] == "" {
		s.operators[seed] = world.SS58(30, sha256.Sum256([]byte("operator/"+seed)))
	}
	return s.operators[seed]
}
