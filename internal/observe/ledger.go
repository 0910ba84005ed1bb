package observe

import (
	"bytes"
	"cmp"
	"context"
	"encoding/hex"
	"fmt"
	"slices"

	"phalops/internal/fleet"
	"phalops/internal/phala"
	"phalops/internal/substrate"
	"phalops/internal/substrate/scale"
)

// queueShown is how many withdrawals of a pool's queue a view lists.
const queueShown = 100

// LedgerAsk is what a network's chain is asked for.
type LedgerAsk struct {
	Network string
	Whole   bool                // the whole network, else what is ours and the chain's own numbers
	Others  bool                // keep everybody else's workers too; only of the whole network
	Pools   map[uint64][]string // ours, with the addresses that sign for them besides the owner
	Workers []string            // keys that our bridges show, 64 hex digits
}

// LedgerReading is what a chain said at one block, without history.
type LedgerReading struct {
	View    fleet.ChainView
	Rewards map[phala.Account]fleet.Amount // of every session that was read
}

// LedgerSource reads a chain's storage. It is bounded by ctx and by its own limits.
type LedgerSource interface {
	// URL is where it asks.
	URL() string
	// Read takes everything from the newest finalized block.
	Read(ctx context.Context, ask LedgerAsk) (LedgerReading, error)
}

type ledger struct {
	node     *substrate.Client
	runtimes *substrate.Runtimes
}

// Ledger makes a LedgerSource of a node's JSON-RPC. runtimes remembers metadata between reads and between nodes. The node has other
// things to do: at most two requests are on their way at a time, and between them it rests for as long as they took.
func Ledger(node *substrate.Client, runtimes *substrate.Runtimes) LedgerSource {
	return ledger{node, runtimes}
}

func (l ledger) URL() string { return l.node.URL() }

func (l ledger) Read(ctx context.Context, ask LedgerAsk) (LedgerReading, error) {
	hash, err := l.node.FinalizedHead(ctx)
	if err != nil {
		return LedgerReading{}, err
	}
	header, err := l.node.Header(ctx, hash)
	if err != nil {
		return LedgerReading{}, err
	}
	rt, err := l.runtimes.At(ctx, l.node, hash)
	if err != nil {
		return LedgerReading{}, err
	}
	r := ledgerRead{
		ctx: ctx, ask: ask, node: l.node, md: rt.Metadata,
		snap: l.node.Snapshot(hash, substrate.SnapshotOptions{InFlight: 2, Gentle: true}),
		view: fleet.ChainView{
			Ref: fleet.NetworkRef(ask.Network), Source: l.node.URL(), Height: uint64(header.Number), Hash: hash, Spec: rt.SpecVersion,
			Genesis: rt.Genesis, Whole: ask.Whole,
		},
	}
	return r.all()
}

// ledgerRead is one read of a chain.
type ledgerRead struct {
	ctx  context.Context
	ask  LedgerAsk
	node *substrate.Client
	md   *scale.Metadata
	snap *substrate.Snapshot
	view fleet.ChainView

	state *phala.State
	keys  map[phala.Key]bool // that our bridges show
}

func (r *ledgerRead) all() (LedgerReading, error) {
	r.keys = map[phala.Key]bool{}
	want := phala.Want{Part: !r.ask.Whole, Lean: true}
	for _, text := range r.ask.Workers {
		if key, err := phala.ParseKey(text); err == nil { // what is none is told by whoever watches the bridge
			r.keys[key] = true
		}
	}
	if !r.ask.Whole {
		for pid := range r.ask.Pools {
			want.Pools = append(want.Pools, pid)
		}
		for key := range r.keys {
			want.Workers = append(want.Workers, key)
		}
	}
	var err error
	if r.state, err = phala.Read(r.ctx, r.snap, r.md, want); err != nil {
		return LedgerReading{}, err
	}
	r.view.Era, r.view.Time, r.view.CoolDown = r.state.Era.String(), r.state.Now, r.state.Cool
	if r.view.Upgrade, err = phala.Upgrade(r.ctx, r.node, r.snap, r.md); err != nil {
		return LedgerReading{}, err
	}
	if err := r.totals(); err != nil {
		return LedgerReading{}, err
	}
	if err := r.pools(); err != nil {
		return LedgerReading{}, err
	}
	r.workers()
	rewards := make(map[phala.Account]fleet.Amount, len(r.state.Sessions))
	for _, s := range r.state.Sessions {
		if s.Recorded {
			rewards[s.Account] = s.Reward
		}
	}
	return LedgerReading{r.view, rewards}, nil
}

// totals adds up the network, or what was read of it.
func (r *ledgerRead) totals() error {
	t := r.state.Totals()
	r.view.Totals = fleet.ChainTotals{
		Sessions: stateCounts(t.ByState), Online: r.state.Online, Workers: t.Registered, Pools: t.StakePools, Stake: t.Stake, Value: t.Value, Free: t.Free,
		Shares: t.PoolShares, Reward: t.Reward, V: t.OnlineV.String(), Ve: t.OnlineVe.String(),
	}
	if r.ask.Whole {
		return nil
	}
	n, err := phala.PoolCount(r.ctx, r.snap, r.md)
	r.view.Totals.Pools = int(min(n, 1<<31))
	return err
}

// pools picks ours: those that were named, and those that our workers are in.
func (r *ledgerRead) pools() error {
	var ours []*phala.Pool
	for _, p := range r.state.Pools {
		_, named := r.ask.Pools[p.ID]
		if named || slices.ContainsFunc(p.Workers, func(k phala.Key) bool { return r.keys[k] }) {
			ours = append(ours, p)
		}
	}
	sign, err := r.signers(ours)
	if err != nil {
		return err
	}
	for _, p := range ours {
		r.view.Pools = append(r.view.Pools, r.pool(p, sign))
	}
	return nil
}

func (r *ledgerRead) pool(p *phala.Pool, sign signers) fleet.ChainPool {
	sums := p.Totals()
	out := fleet.ChainPool{
		Ref: fleet.StakePoolRef(r.ask.Network, p.ID), PID: p.ID, Kind: string(p.Kind), Owner: r.address(p.Owner), OwnerGas: p.OwnerGas,
		Operators: r.operators(p, sign), Commission: p.Commission, Cap: p.Cap, Value: p.Value, Free: p.Free, Used: p.Used, Releasing: p.Releasing,
		OwnerReward: p.OwnerReward, Reward: sums.Reward, Workers: stateCounts(sums.ByState), Queued: p.Queued(), Due: p.Due, DueAt: p.DueAt,
	}
	for _, w := range p.Queue[:min(len(p.Queue), queueShown)] {
		out.Queue = append(out.Queue, fleet.ChainQueued{User: r.address(w.User), Amount: w.Amount, Start: w.Start, Ends: w.Deadline(r.state.Grace)})
	}
	return out
}

func stateCounts(by map[phala.SessionState]int) map[string]int {
	out := make(map[string]int, len(by))
	for state, n := range by {
		out[string(state)] = n
	}
	return out
}

// workers picks ours: those that our bridges show, and those of our pools.
func (r *ledgerRead) workers() {
	ours := map[uint64]bool{}
	for _, p := range r.view.Pools {
		ours[p.PID] = true
	}
	seen := map[phala.Key]bool{}
	for _, s := range r.state.Sessions {
		switch {
		case s.Worker == nil || s.Pool == nil: // of a worker that left
			continue
		case ours[s.Pool.ID] || r.keys[s.Worker.Key]:
			r.view.Workers = append(r.view.Workers, r.worker(s.Worker, s))
		case r.ask.Others:
			r.view.Others = append(r.view.Others, r.worker(s.Worker, s))
		default:
			continue
		}
		seen[s.Worker.Key] = true
	}
	registered := map[phala.Key]*phala.Worker{}
	for _, w := range r.state.Workers {
		if r.keys[w.Key] {
			registered[w.Key] = w
		}
	}
	for key := range r.keys {
		if !seen[key] {
			w := registered[key]
			if w == nil {
				w = &phala.Worker{Key: key}
			}
			r.view.Workers = append(r.view.Workers, r.worker(w, &phala.Session{State: phala.Unknown}))
		}
	}
	byKey := func(a, b fleet.ChainWorker) int { return cmp.Compare(a.Key, b.Key) }
	slices.SortFunc(r.view.Workers, byKey)
	slices.SortFunc(r.view.Others, byKey)
}

func (r *ledgerRead) worker(w *phala.Worker, s *phala.Session) fleet.ChainWorker {
	out := fleet.ChainWorker{
		Key: hex.EncodeToString(w.Key[:]), Registered: w.Registered, Operator: r.address(w.Operator), Confidence: w.Confidence, Score: w.Score,
		State: string(s.State), Stake: s.Stake, PInit: s.PInit, PInstant: s.PInstant, ChallengedAt: s.ChallengedAt, Reward: s.Reward,
	}
	if s.Recorded {
		out.V, out.Ve = s.V.String(), s.Ve.String()
	}
	if s.State == phala.CoolingDown {
		out.CoolingSince = s.CoolingSince
	}
	if s.Pool != nil {
		out.PID, out.Pool = s.Pool.ID, true
	}
	return out
}

func (r *ledgerRead) address(a phala.Account) string {
	if a == (phala.Account{}) {
		return ""
	}
	return scale.Address(r.state.Prefix, a)
}

// signers is what the chain knows of the accounts that sign for pools.
type signers struct {
	gas     map[phala.Account]fleet.Amount
	proxies map[phala.Account][]phala.Account // nil: the chain has none
}

func (r *ledgerRead) signers(pools []*phala.Pool) (s signers, err error) {
	var accounts, owners []phala.Account
	for _, p := range pools {
		for _, a := range r.signing(p) {
			accounts, owners = append(accounts, a), append(owners, p.Owner)
		}
	}
	if s.gas, err = phala.Gas(r.ctx, r.snap, r.md, distinct(accounts)); err != nil {
		return s, fmt.Errorf("gas: %w", err)
	}
	if s.proxies, err = phala.Proxies(r.ctx, r.snap, r.md, distinct(owners)); err != nil {
		return s, fmt.Errorf("proxies: %w", err)
	}
	return s, nil
}

// signing are the accounts that are said to sign for a pool, besides its owner.
func (r *ledgerRead) signing(p *phala.Pool) (out []phala.Account) {
	for _, text := range r.ask.Pools[p.ID] {
		a, err := phala.ParseAccount(text)
		if err == nil && a != p.Owner {
			out = append(out, a)
		}
	}
	return distinct(out)
}

func (r *ledgerRead) operators(p *phala.Pool, sign signers) (out []fleet.GasAccount) {
	for _, a := range r.signing(p) {
		g := fleet.GasAccount{Address: r.address(a), Free: sign.gas[a]}
		if sign.proxies != nil {
			g.Proxy = new(slices.Contains(sign.proxies[p.Owner], a))
		}
		out = append(out, g)
	}
	return out
}

func distinct(in []phala.Account) []phala.Account {
	slices.SortFunc(in, func(a, b phala.Account) int { return bytes.Compare(a[:], b[:]) })
	return slices.Compact(in)
}
