package batch

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"phalops/internal/config"
	"phalops/internal/fleet"
	"phalops/internal/prb"
	"phalops/internal/roster"
)

// looks are what bridges have said lately: a thousand steps ask for the same lists.
type looks struct {
	mu sync.Mutex
	of map[string]*look
}

// look is one bridge's. It is locked while somebody asks, and the others wait for the answer.
type look struct {
	mu      sync.Mutex
	at, ran time.Time // when stock and states were read; zero: never
	stock   stock
	states  []fleet.WorkerStatus
}

// stock is what a bridge has stored.
type stock struct {
	pools   []fleet.Pool
	workers []fleet.WorkerStatus
}

func (s stock) pool(pid uint64) *fleet.Pool {
	for i := range s.pools {
		if s.pools[i].PID == pid {
			return &s.pools[i]
		}
	}
	return nil
}

func (s stock) worker(id string) *fleet.WorkerStatus {
	for i := range s.workers {
		if s.workers[i].ID == id {
			return &s.workers[i]
		}
	}
	return nil
}

// syncs reports whether all workers of a pool only sync.
func (s stock) syncs(pid uint64) bool {
	p := s.pool(pid)
	return p != nil && p.SyncOnly
}

const (
	// writeAge is how old a list may be that a write relies on: whoever else writes holds no lock of ours.
	writeAge = 15 * time.Second
	// watchAge is how old contexts may be that are watched.
	watchAge = 8 * time.Second
	// listAge is how old a list may be that only translates names into ids.
	listAge = time.Minute
)

func (b *Batches) look(bridge string) *look {
	b.looks.mu.Lock()
	defer b.looks.mu.Unlock()
	l := b.looks.of[bridge]
	if l == nil {
		l = &look{}
		b.looks.of[bridge] = l
	}
	return l
}

func fresh(at, now time.Time, age time.Duration) bool {
	return !at.IsZero() && !now.Before(at) && now.Sub(at) <= age
}

// inventory is the client of a bridge whose records can be written.
func (b *Batches) inventory(bridge string) (prb.Inventory, error) {
	client, err := b.Reach.Bridge(bridge)
	if err != nil {
		return nil, err
	}
	inventory, ok := client.(prb.Inventory)
	if !ok {
		return nil, fleet.Fail(fleet.Refused, fleet.Because("remedy.no_inventory", "bridge", bridge))
	}
	return inventory, nil
}

// stock is what a bridge has stored, at most so old.
func (b *Batches) stock(ctx context.Context, bridge string, now time.Time, age time.Duration) (stock, error) {
	l := b.look(bridge)
	l.mu.Lock()
	defer l.mu.Unlock()
	if fresh(l.at, now, age) {
		return l.stock, nil
	}
	inventory, err := b.inventory(bridge)
	if err != nil {
		return stock{}, err
	}
	list := inventory.Inventory
	if own, ok := inventory.(prb.OwnRecords); ok {
		list = own.OwnRecords
	}
	pools, workers, err := list(ctx)
	if err != nil {
		l.at = time.Time{}
		return stock{}, silent(bridge, err)
	}
	l.at, l.stock = now, stock{pools, workers}
	return l.stock, nil
}

// states are a bridge's running contexts, at most so old.
func (b *Batches) states(ctx context.Context, bridge string, now time.Time, age time.Duration) ([]fleet.WorkerStatus, error) {
	l := b.look(bridge)
	l.mu.Lock()
	defer l.mu.Unlock()
	if fresh(l.ran, now, age) {
		return l.states, nil
	}
	client, err := b.Reach.Bridge(bridge)
	if err != nil {
		return nil, err
	}
	states, err := client.States(ctx)
	if err != nil && !errors.Is(err, prb.ErrConfigMode) {
		l.ran = time.Time{}
		return nil, silent(bridge, err)
	}
	l.ran, l.states = now, states
	return states, nil
}

// forget has the next step ask again: something was written, perhaps.
func (b *Batches) forget(bridge string) {
	l := b.look(bridge)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.at, l.ran = time.Time{}, time.Time{}
}

// acted has the next step ask for contexts again; what is stored has not changed.
func (b *Batches) acted(bridge string) {
	l := b.look(bridge)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ran = time.Time{}
}

// context is one worker's context as it is now; nil when it has none.
func (b *Batches) context(ctx context.Context, bridge, id string) (*fleet.WorkerStatus, error) {
	client, err := b.Reach.Bridge(bridge)
	if err != nil {
		return nil, err
	}
	states, err := client.States(ctx, id)
	if err != nil && !errors.Is(err, prb.ErrConfigMode) {
		return nil, silent(bridge, err)
	}
	for i := range states {
		if states[i].ID == id {
			return &states[i], nil
		}
	}
	return nil, nil
}

// wrote keeps the list in step with a write that is proved. What was asked for before is in other hands: it is not changed.
func (b *Batches) wrote(bridge, id string, r record) {
	l := b.look(bridge)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ran = time.Time{}
	if l.at.IsZero() {
		return
	}
	workers := slices.Clone(l.stock.workers)
	w := fleet.WorkerStatus{ID: id, PID: r.PID, Name: r.Name, Endpoint: r.Endpoint, Stake: r.Stake, StakeOK: true, Enabled: r.Enabled,
		SyncOnly: r.SyncOnly}
	if i := slices.IndexFunc(workers, func(w fleet.WorkerStatus) bool { return w.ID == id }); i >= 0 {
		workers[i] = w
	} else {
		workers = append(workers, w)
	}
	l.stock.workers = workers
}

func silent(bridge string, err error) error {
	return fleet.FailWith(fleet.Unavailable, fleet.Because("remedy.bridge_silent", "bridge", bridge, "err", err), err)
}

// holder is a record of some bridge.
type holder struct {
	bridge string
	worker fleet.WorkerStatus
}

// neighbours are who has a name, an endpoint or a key anywhere in the fleet.
type neighbours struct {
	endpoints   map[string][]holder
	names, keys map[string]holder
	unchecked   []string // bridges that did not answer
}

// neighbours asks every bridge of the configuration. A record that a v0 bridge has disabled may be the rest of a deleted
// one, which is listed for ever: it is nobody.
func (b *Batches) neighbours(ctx context.Context, bridge string, now time.Time) neighbours {
	n := neighbours{endpoints: map[string][]holder{}, keys: map[string]holder{}, names: map[string]holder{}}
	var mu sync.Mutex
	var wg sync.WaitGroup
	for _, site := range b.Config().Sites {
		for _, br := range site.Bridges {
			if br.Version == config.VersionSolo {
				mu.Lock()
				n.add(holder{br.Name, fleet.WorkerStatus{Name: br.Name, Endpoint: br.URL, Enabled: true}}, bridge, nil)
				mu.Unlock()
				continue
			}
			wg.Go(func() {
				stock, err := b.stock(ctx, br.Name, now, listAge)
				var states []fleet.WorkerStatus
				if err == nil {
					states, err = b.states(ctx, br.Name, now, listAge)
				}
				mu.Lock()
				defer mu.Unlock()
				if err != nil {
					n.unchecked = append(n.unchecked, br.Name)
				}
				keys := map[string]string{}
				for _, s := range states {
					keys[s.ID] = s.PublicKey
				}
				for _, w := range stock.workers {
					if br.Version == genV0 && !w.Enabled {
						continue
					}
					n.add(holder{br.Name, w}, bridge, keys)
				}
			})
		}
	}
	wg.Wait()
	slices.Sort(n.unchecked)
	return n
}

func (n *neighbours) add(h holder, bridge string, keys map[string]string) {
	at := roster.Key(h.worker.Endpoint)
	n.endpoints[at] = append(n.endpoints[at], h)
	if key := keys[h.worker.ID]; key != "" {
		n.keys[key] = h
	}
	if n.names[h.worker.Name].bridge != bridge { // the one on the same bridge counts first
		n.names[h.worker.Name] = h
	}
}

// other is who else may feed the pRuntime of a worker.
func (n *neighbours) other(w ward) (holder, bool) {
	for _, h := range n.endpoints[roster.Key(w.worker.Endpoint)] {
		if h.worker.Enabled && (h.bridge != w.bridge.Name || h.worker.ID != w.worker.ID) {
			return h, true
		}
	}
	return holder{}, false
}

// Generations of bridges.
const (
	genV0 = "v0"
	genV2 = "v2"
	genV3 = "v3"
)
