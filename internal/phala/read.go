package phala

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"phalops/internal/substrate"
	"phalops/internal/substrate/scale"
)

// Want says what to read. The zero value is the whole chain: about 45 MB on Khala at its largest. With pools, and workers, whose
// pools are looked up, only these are read.
type Want struct {
	Pools   []uint64
	Workers []Key
	Part    bool // never the whole chain: without pools and workers only its own numbers
	Lean    bool // half of the whole chain: no stakers, claims and bindings, hence no Checks; sessions without a pool have no Worker, and Totals no Shares
}

func (w Want) whole() bool { return !w.Part && len(w.Pools) == 0 && len(w.Workers) == 0 }

func (w Want) lean() bool { return w.Lean && w.whole() }

// Read takes Phala's state out of one block. It blocks until everything is read; ctx bounds it. Errors are the snapshot's, or
// phala.other_chain.
func Read(ctx context.Context, s *substrate.Snapshot, md *scale.Metadata, want Want) (*State, error) {
	r, err := newReader(s, md, want)
	if err != nil {
		return nil, err
	}
	if err := r.plan()(ctx); err != nil {
		return nil, err
	}
	r.finish()
	return r.st, nil
}

// reader collects what is read.
type reader struct {
	s    *substrate.Snapshot
	md   *scale.Metadata
	want Want
	st   *State

	mu       sync.Mutex // what is visited together
	sessions map[Account]*Session
	workers  map[Key]*Worker
	pools    map[uint64]*Pool
	assigned map[Key]uint64 // pools of workers, as the chain says

	spareSessions slab[Session]
	spareWorkers  slab[Worker]

	upstream map[uint64]*Pool // in which vaults have staked, and which nobody asked for
	patience time.Duration    // how long a withdrawal of a vault may wait at most, covered or not; 0: as long as it is covered
}

func newReader(s *substrate.Snapshot, md *scale.Metadata, want Want) (*reader, error) {
	era, err := EraOf(md)
	if err != nil {
		return nil, err
	}
	return &reader{
		s: s, md: md, want: want,
		st:       &State{Era: era, Prefix: md.Prefix, Whole: want.whole(), lean: want.lean()},
		sessions: map[Account]*Session{}, workers: map[Key]*Worker{}, pools: map[uint64]*Pool{}, assigned: map[Key]uint64{},
		upstream: map[uint64]*Pool{},
	}, nil
}

// each visits a map: all of it, or of part only what is stored under keys. What a runtime does not have is empty. One visit is made at a time, also
// of maps that are read together.
func each[K comparable, V any](ctx context.Context, r *reader, pallet, item string, part bool, keys []K, args func(K) []any, visit func(*K, *V)) error {
	e, err := r.md.Entry(pallet, item)
	if errors.Is(err, scale.ErrUnknown) {
		return nil
	} else if err != nil {
		return err
	}
	if !part {
		return substrate.Each(ctx, r.s, e, func(k *K, v *V) error {
			r.mu.Lock()
			visit(k, v)
			r.mu.Unlock()
			return nil
		})
	}
	read, err := scale.Bind[V](e.Value)
	if err != nil {
		return fmt.Errorf("%s.%s: %w", pallet, item, err)
	}
	type entry struct {
		storageKey []byte
		key        *K
	}
	all := make([]entry, len(keys))
	for i := range keys {
		all[i].key = &keys[i]
		if all[i].storageKey, err = e.StorageKey(args(keys[i])...); err != nil {
			return err
		}
	}
	// The chain's own order, which its database likes: keys come out of maps, and the same state should be asked for in the same words.
	slices.SortFunc(all, func(a, b entry) int { return bytes.Compare(a.storageKey, b.storageKey) })
	raw := make([][]byte, len(all))
	for i := range all {
		raw[i] = all[i].storageKey
	}
	var v V
	i := -1
	return r.s.Values(ctx, raw, func(p substrate.Pair) error {
		i++
		if p.Value == nil {
			return nil
		}
		if err := read(p.Value, &v); err != nil {
			return fmt.Errorf("%s.%s 0x%x: %w", pallet, item, p.Key, err)
		}
		r.mu.Lock()
		visit(all[i].key, &v)
		r.mu.Unlock()
		return nil
	})
}

func byAccount(a Account) []any { return []any{a[:]} }
func byKey(k Key) []any         { return []any{k[:]} }
func byNumber(n uint64) []any   { return []any{n} }

// plain reads a plain value; one that a runtime does not have is zero.
func plain[V any](ctx context.Context, r *reader, pallet, item string) (v V, err error) {
	e, err := r.md.Entry(pallet, item)
	if errors.Is(err, scale.ErrUnknown) {
		return v, nil
	} else if err != nil {
		return v, err
	}
	v, _, err = substrate.One[V](ctx, r.s, e)
	return v, err
}

// value reads a plain value into a variable.
func value[V any](r *reader, into *V, pallet, item string) step {
	return func(ctx context.Context) (err error) {
		*into, err = plain[V](ctx, r, pallet, item)
		return err
	}
}

func (r *reader) globals(ctx context.Context) error {
	pallet, _, _, online := r.st.Era.sessions()
	var now, cool uint64
	read := together(r.relay, value(r, &now, "Timestamp", "Now"), value(r, &cool, pallet, "CoolDownPeriod"),
		value(r, &r.st.Params, pallet, "TokenomicParameters"), value(r, &r.st.Online, pallet, online))
	if err := read(ctx); err != nil {
		return err
	}
	r.st.Now = time.UnixMilli(int64(min(now, 1<<52))).UTC()
	r.st.Cool = time.Duration(min(cool, 1<<32)) * time.Second
	return r.constants()
}

func (r *reader) constants() error {
	grace, err := constant[uint64](r, "GracePeriod")
	if err != nil {
		return err
	}
	r.st.Grace = time.Duration(min(grace, 1<<32)) * time.Second
	r.st.MaxWorkers, err = constant[uint32](r, "MaxPoolWorkers")
	return err
}

// constant reads a constant of the pallet of pools.
func constant[V any](r *reader, name string) (v V, err error) {
	c, err := r.md.Constant(r.st.Era.pools(), name)
	if err != nil {
		return v, err
	}
	read, err := scale.Bind[V](c.Type)
	if err != nil {
		return v, err
	}
	err = read(c.Value, &v)
	return v, err
}

// relay reads the relay chain's height; runtimes below 1170 have it only in what the collator handed in.
func (r *reader) relay(ctx context.Context) (err error) {
	if r.st.Relay, err = plain[uint32](ctx, r, "ParachainSystem", "LastRelayChainBlockNumber"); err != nil || r.st.Relay > 0 {
		return err
	}
	type handed struct{ RelayParentNumber uint32 }
	data, err := plain[handed](ctx, r, "ParachainSystem", "ValidationData")
	r.st.Relay = data.RelayParentNumber
	return err
}

// findPools turns wished workers into pools, and remembers which pool the chain says a worker is in.
func (r *reader) findPools(ctx context.Context) error {
	return each(ctx, r, r.st.Era.pools(), "WorkerAssignments", !r.want.whole(), r.want.Workers, byKey, func(k *Key, pid *uint64) {
		r.assigned[*k] = *pid
		if !r.want.whole() && !slices.Contains(r.want.Pools, *pid) {
			r.want.Pools = append(r.want.Pools, *pid)
		}
	})
}

// derive gives every worker of a pool its session.
func (r *reader) derive(context.Context) error {
	for _, p := range r.pools {
		for _, k := range p.Workers {
			s := r.session(SessionAccount(p.ID, k))
			s.Worker, s.Pool, s.Was = r.worker(k), p, p.ID
			p.Sessions = append(p.Sessions, s)
		}
	}
	for _, k := range r.want.Workers {
		r.worker(k)
	}
	return nil
}

// session is the one of an account, made where there is none yet.
func (r *reader) session(a Account) *Session {
	s := r.sessions[a]
	if s == nil {
		s = r.spareSessions.next()
		s.Account, s.State = a, Unknown
		r.sessions[a] = s
	}
	return s
}

func (r *reader) worker(k Key) *Worker {
	w := r.workers[k]
	if w == nil {
		w = r.spareWorkers.next()
		w.Key = k
		r.workers[k] = w
	}
	return w
}

// slab makes values of a kind, some at a time.
type slab[T any] []T

func (s *slab[T]) next() *T {
	if len(*s) == 0 {
		*s = make([]T, 64)
	}
	v := &(*s)[0]
	*s = (*s)[1:]
	return v
}

// accounts are those of the sessions that are wanted, nil for all.
func (r *reader) accounts() (all []Account) {
	if r.want.whole() {
		return nil
	}
	for a := range r.sessions {
		all = append(all, a)
	}
	return all
}

// gas reads what the owners of pools can pay fees with.
func (r *reader) gas(ctx context.Context) error {
	var owners []Account
	seen := map[Account]bool{}
	for _, p := range r.pools {
		if !seen[p.Owner] {
			seen[p.Owner] = true
			owners = append(owners, p.Owner)
		}
	}
	gas, err := r.balances(ctx, owners)
	for _, p := range r.pools {
		p.OwnerGas = gas[p.Owner]
	}
	return err
}

// finish puts everything in order and compares.
func (r *reader) finish() {
	r.st.Sessions = inOrder(r.sessions, func(s *Session) Account { return s.Account })
	r.st.Workers = inOrder(r.workers, func(w *Worker) Key { return w.Key })
	r.finishPools()
	if !r.want.lean() {
		r.check()
	}
}

// inOrder is everything in the order of its keys, which nearly always differ in one word: that is quicker to compare than a key to look up.
func inOrder[K Account | Key, V any](all map[K]*V, key func(*V) K) []*V {
	type entry struct {
		word  uint64
		value *V
	}
	entries := make([]entry, 0, len(all))
	for k, v := range all {
		entries = append(entries, entry{binary.BigEndian.Uint64(k[:8]), v})
	}
	slices.SortFunc(entries, func(a, b entry) int {
		if a.word != b.word {
			return cmp.Compare(a.word, b.word)
		}
		x, y := key(a.value), key(b.value)
		return bytes.Compare(x[:], y[:])
	})
	out := make([]*V, len(entries))
	for i := range entries {
		out[i] = entries[i].value
	}
	return out
}

func (r *reader) finishPools() {
	for _, c := range r.st.Claims {
		if p := r.pools[c.Pool]; p != nil && p.Owner == c.User {
			p.Claimable = p.Claimable.Plus(c.Amount)
		}
	}
	for i := range r.st.Stakers {
		s := &r.st.Stakers[i]
		if p := r.pools[s.Pool]; p != nil && r.st.Era == V1 {
			s.Pending = s.pending(p.PerShare)
		}
	}
	for _, p := range r.pools {
		p.settle(r.st.Now, r.st.Grace, r.st.Era)
		r.st.Pools = append(r.st.Pools, p)
	}
	slices.SortFunc(r.st.Pools, func(a, b *Pool) int { return cmp.Compare(a.ID, b.ID) })
	r.settleVaults()
}

func at(seconds uint64) time.Time {
	if seconds == 0 {
		return time.Time{}
	}
	return time.Unix(int64(min(seconds, 1<<40)), 0).UTC()
}
