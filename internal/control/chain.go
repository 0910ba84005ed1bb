package control

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"phalops/internal/config"
	"phalops/internal/decide"
	"phalops/internal/fleet"
	"phalops/internal/observe"
)

const (
	// ledgerLasts bounds one try to read a chain, in real time: a node in good health needs seconds.
	ledgerLasts = 4 * time.Minute
	// historyLasts is how much of a network's history is read back: a day, and what may have been missed before.
	historyLasts = 49 * time.Hour
	// judgeEvery is how often what was read is held against what the bridges say by now.
	judgeEvery = time.Minute
	// soonAgain is when a chain that nobody could be asked for is tried again.
	soonAgain = 30 * time.Second
)

// ledgers is what Clients may offer besides: chains whose storage can be read.
type ledgers interface {
	Ledger(url string) observe.LedgerSource
}

// ledger is what this process knows of a network's chain; only the network's own beat touches it.
type ledger struct {
	history observe.LedgerHistory
	ours    bool      // nobody else has read it since
	due     time.Time // when it is to be read again
	missed  time.Time // when a failure counted last
}

// ledgerBook has the ledger of every network. It is safe for concurrent use.
type ledgerBook struct {
	mu sync.Mutex
	of map[string]*ledger
}

func (b *ledgerBook) get(network string) *ledger {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.of == nil {
		b.of = map[string]*ledger{}
	}
	if b.of[network] == nil {
		b.of[network] = &ledger{}
	}
	return b.of[network]
}

// chainStep reads a network's chain and decides about it and our pools on it. One process does: the one that watches the network's
// first site; the others take over what it wrote down.
func (c *Control) chainStep(network string, from ledgers) Step {
	return func(ctx context.Context, now time.Time) (time.Time, error) {
		l, sites := c.ledgers.get(network), sitesOf(c.config(), network)
		if len(sites) == 0 {
			return now.Add(leaseRenew), nil // a configuration that is being replaced
		}
		site := sites[0]
		if _, ours := c.board.Lease(site.Name, now); !ours {
			l.ours = false
			return now.Add(leaseRenew), c.foreignChain(ctx, network, site, now)
		}
		if !l.ours {
			history, err := c.chainHistory(ctx, network, now)
			if err != nil {
				return time.Time{}, err
			}
			l.history, l.ours, l.due = history, true, time.Time{}
		}
		var errs []error
		if !now.Before(l.due) {
			urls, wait := c.chainSources(network)
			if wait || !c.bridgesSeen(network, now) {
				return now.Add(leaseRenew / 3), nil // who can be asked, and what for, is not known yet
			}
			errs = append(errs, c.readChain(ctx, network, urls, from, l))
			now = c.clock.Now() // asking took time
		}
		decisions := c.judgeChain(network, site, l.history.View, now)
		errs = append(errs, c.record(ctx, site.Name, chainTitles(decisions), decisions, func(_, is fleet.Decision) bool { return is.Verdict == fleet.Healthy }, now))
		return c.nextLook(now, max(min(l.due.Sub(now), judgeEvery), time.Second), decisions...), errors.Join(errs...)
	}
}

// chainInput is what decide.Network is asked about.
func (c *Control) chainInput(network string, site config.Site, view fleet.ChainView, now time.Time) decide.NetworkInput {
	cfg := c.config()
	in := decide.NetworkInput{
		Ref: fleet.NetworkRef(network), View: &view, MinGas: map[uint64]fleet.Amount{}, Leaving: c.board.leaving(), Last: c.board.Decision,
		Policy: c.policyAt(site, now), Now: now,
	}
	for _, s := range sitesOf(cfg, network) {
		for _, p := range s.Pools {
			in.MinGas[p.PID] = p.MinGas
		}
		for _, b := range s.Bridges {
			if status := c.board.Bridge(b.Name); status.Ref != "" {
				in.Bridges = append(in.Bridges, status)
			}
		}
	}
	return in
}

// judgeChain decides about a network and our pools on it, and lets the bridges hear the view: no worker is judged by one before it is
// known what many of them share.
func (c *Control) judgeChain(network string, site config.Site, view fleet.ChainView, now time.Time) []fleet.Decision {
	in := c.chainInput(network, site, view, now)
	suspicions, decisions := decide.Network(in)
	c.board.judgedChain(network, view, judgement{suspicions, in.Heard(), in.Odd()})
	return decisions
}

func chainTitles(decisions []fleet.Decision) map[fleet.Ref]string {
	out := make(map[fleet.Ref]string, len(decisions))
	for _, d := range decisions {
		out[d.Target] = titleOf(d.Target)
	}
	return out
}

// readChain asks one source after the other until one answers, and writes down what is known then.
func (c *Control) readChain(ctx context.Context, network string, urls []string, from ledgers, l *ledger) error {
	samples, cause := c.askChain(ctx, network, urls, from, l)
	now, poll := c.clock.Now(), c.config().Poll.Chain
	l.due = now.Add(poll)
	if !cause.IsZero() {
		if l.history.View.Missed == 0 {
			c.log.Warn("the chain was not read", "network", network, "cause", cause)
		}
		if l.history.View.Missed == 0 || !now.Before(l.missed.Add(poll)) { // trying soon again makes what is known no older
			l.history.Silent(network, now, cause)
			l.missed = now
		}
		l.history.View.Cause = cause
		l.due = now.Add(min(soonAgain, poll))
	}
	return c.store.SaveChain(ctx, l.history.View, samples...)
}

// askChain adds the answer of the first source that has one to the history; cause is why the last one had none.
func (c *Control) askChain(ctx context.Context, network string, urls []string, from ledgers, l *ledger) (samples []fleet.ChainSample, cause fleet.Reason) {
	cause = fleet.Because("control.no_chain_source", "network", network)
	ask := c.chainAsk(network)
	for _, url := range urls {
		part := ask
		if slices.Contains(c.config().Networks[network].Reference, url) {
			part.Whole, part.Others = false, false // nobody else's node is asked for everything
		}
		began := c.clock.Now() // what is read is true then
		reading, err := readLedger(ctx, from.Ledger(url), part)
		if err != nil {
			cause = fleet.ReasonOf(err)
			continue
		}
		sample, err := l.history.Add(reading, began)
		if err != nil {
			cause = fleet.ReasonOf(err)
			continue
		}
		if sample != nil {
			samples = append(samples, *sample)
		}
		return samples, fleet.Reason{}
	}
	return nil, cause
}

func readLedger(ctx context.Context, source observe.LedgerSource, ask observe.LedgerAsk) (observe.LedgerReading, error) {
	ctx, cancel := context.WithTimeout(ctx, ledgerLasts)
	defer cancel()
	return source.Read(ctx, ask)
}

// chainAsk is what is ours on a network: what the configuration names, and what our bridges show.
func (c *Control) chainAsk(network string) observe.LedgerAsk {
	cfg := c.config()
	ask := observe.LedgerAsk{Network: network, Whole: cfg.Chain.Whole, Others: cfg.Chain.AllWorkers, Pools: map[uint64][]string{}}
	signs := func(pid uint64, address string) {
		if address != "" && !slices.Contains(ask.Pools[pid], address) {
			ask.Pools[pid] = append(ask.Pools[pid], address)
		} else if _, known := ask.Pools[pid]; !known {
			ask.Pools[pid] = nil
		}
	}
	for _, s := range sitesOf(cfg, network) {
		for _, p := range s.Pools {
			signs(p.PID, p.Account)
		}
		for _, configured := range s.Bridges {
			b := c.board.Bridge(configured.Name)
			for _, p := range b.Pools {
				signs(p.PID, p.Operator)
			}
			for i := range b.Workers {
				if key := b.Workers[i].PublicKey; key != "" {
					ask.Workers = append(ask.Workers, key)
				}
			}
		}
	}
	return ask
}

// chainSources are the addresses to ask, the best first: our own nodes that are well and left alone, then reference nodes. wait: our
// own ones were not looked at yet.
func (c *Control) chainSources(network string) (urls []string, wait bool) {
	cfg := c.config()
	rank := func(n config.Node, s fleet.NodeStatus) int {
		switch {
		case s.Para == nil || s.Para.Missed > 0 || c.lockedBy(s.Ref) != nil:
			return -1 // it has enough to do
		case s.Condition == fleet.NodeHealthy && n.RPC == "":
			return 0
		case s.Condition == fleet.NodeHealthy:
			return 1 // some node of one chain
		case s.Condition == fleet.NodeNetworkStalled, s.Condition == fleet.NodeNetworkEnded:
			return 2
		}
		return -1
	}
	by := map[int][]string{}
	unseen := 0
	for _, s := range sitesOf(cfg, network) {
		for _, n := range s.Nodes {
			status := c.board.Node(n.Name)
			if status.Condition == "" {
				unseen++
				continue
			}
			if r := rank(n, status); r >= 0 {
				by[r] = append(by[r], cmp.Or(n.RPC, n.Para))
			}
		}
	}
	for _, r := range slices.Sorted(maps.Keys(by)) {
		urls = append(urls, by[r]...)
	}
	return append(urls, cfg.Networks[network].Reference...), unseen > 0 && len(urls) == 0
}

// bridgesSeen reports whether all bridges of a network that are ours to watch were looked at: what is ours on the chain is what they
// show.
func (c *Control) bridgesSeen(network string, now time.Time) bool {
	for _, s := range sitesOf(c.config(), network) {
		if _, ours := c.board.Lease(s.Name, now); !ours {
			continue
		}
		for _, b := range s.Bridges {
			if c.board.Bridge(b.Name).Ref == "" {
				return false
			}
		}
	}
	return true
}

// sitesOf are the sites on a network, in the order of the configuration.
func sitesOf(cfg config.Config, network string) (out []config.Site) {
	for _, s := range cfg.Sites {
		if s.Network == network {
			out = append(out, s)
		}
	}
	return out
}

// readable reports whether a network's chain is to be read: somebody is there to be asked, and something is there that it is about.
func readable(cfg config.Config, network string) bool {
	sites := sitesOf(cfg, network)
	nodes := slices.ContainsFunc(sites, func(s config.Site) bool { return len(s.Nodes) > 0 })
	return cfg.Poll.Chain > 0 && len(sites) > 0 && (nodes || len(cfg.Networks[network].Reference) > 0)
}

// chainHistory reads back what an earlier process, or another one, knew.
func (c *Control) chainHistory(ctx context.Context, network string, now time.Time) (h observe.LedgerHistory, err error) {
	views, err := c.store.Chains(ctx)
	if err != nil {
		return h, fmt.Errorf("read back the chain of %s: %w", network, err)
	}
	for _, v := range views {
		if v.Ref == fleet.NetworkRef(network) {
			h.View = v
		}
	}
	samples, err := c.store.ChainSamples(ctx, fleet.NetworkRef(network), now.Add(-historyLasts))
	if err != nil {
		return h, fmt.Errorf("read back the chain of %s: %w", network, err)
	}
	h.Samples = slices.DeleteFunc(samples, func(s fleet.ChainSample) bool { return s.At.Before(h.View.Watched) })
	return h, nil
}

// foreignChain takes over what another process wrote down. The incidents of the network and of its pools are that one's, and it sees
// its own bridges only: what ours share beyond one bridge is told of each.
func (c *Control) foreignChain(ctx context.Context, network string, site config.Site, now time.Time) error {
	views, err := c.store.Chains(ctx)
	for _, v := range views {
		if v.Ref == fleet.NetworkRef(network) {
			in := c.chainInput(network, site, v, now)
			suspicions, _ := decide.Network(in)
			suspicions = slices.DeleteFunc(suspicions, func(s decide.ChainSuspicion) bool { return s.Parent.Kind() != fleet.KindBridge })
			c.board.judgedChain(network, v, judgement{suspicions, in.Heard(), in.Odd()})
		}
	}
	return err
}

// loadChains puts the views of networks with wanted sites on the board, with what was decided about them.
func (c *Control) loadChains(ctx context.Context, wanted func(site string) bool) error {
	views, err := c.store.Chains(ctx)
	if err != nil {
		return err
	}
	cfg := c.config()
	for _, v := range views {
		network := v.Ref.Name()
		if !slices.ContainsFunc(sitesOf(cfg, network), func(s config.Site) bool { return wanted(s.Name) }) {
			continue
		}
		c.board.setChain(network, v)
		c.loadDecision(ctx, v.Ref)
		for _, p := range v.Pools {
			c.loadDecision(ctx, p.Ref)
		}
	}
	return nil
}

// onChain reports whether a network is read, or whether a stake pool is ours by what was read last.
func (c *Control) onChain(ref fleet.Ref) bool {
	network := ref
	if n := ref.Network(); n != "" {
		network = n
	}
	if !readable(c.config(), network.Name()) {
		return false
	}
	v, known := c.board.Chain(network.Name())
	return ref == network || !known || slices.ContainsFunc(v.Pools, func(p fleet.ChainPool) bool { return p.Ref == ref })
}
