package world

import "slices"

// Pools are all pools in the order of their creation, as the database gives them back: a pid above 2⁶³ was negative, and
// comes back as 0.
func (b *Bridge) Pools() []Pool {
	all := slices.Clone(b.pools)
	for i := range all {
		if all[i].PID > 1<<63 {
			all[i].PID = 0
		}
	}
	return all
}

// Workers are all workers in the order of their creation.
func (b *Bridge) Workers() []Worker { return slices.Clone(b.workers) }

// Worker finds a worker's record by its name; false when there is none.
func (b *Bridge) Worker(name string) (Worker, bool) {
	if i := slices.IndexFunc(b.workers, func(w Worker) bool { return w.Name == name }); i >= 0 {
		return b.workers[i], true
	}
	return Worker{}, false
}

func (b *Bridge) poolSyncOnly(pid uint64) bool {
	return slices.ContainsFunc(b.pools, func(p Pool) bool { return p.PID == pid && p.SyncOnly })
}

func (b *Bridge) nextUUID() string {
	b.rows++
	return b.w.uuid(b.Name, b.rows)
}

// tables is a transaction: changed, checked, and only then kept.
type tables struct {
	pools   []Pool
	workers []Worker
}

func (b *Bridge) transaction() *tables {
	return &tables{slices.Clone(b.pools), slices.Clone(b.workers)}
}

func (b *Bridge) commit(t *tables, what string) {
	b.pools, b.workers = t.pools, t.workers
	b.w.did(what, b.Name)
}

// unique holds pids and names of pools, and names of workers, against each other.
func (t *tables) unique() bool {
	pids, names := map[uint64]bool{}, map[string]bool{}
	for _, p := range t.pools {
		if pids[p.PID] || names[p.Name] {
			return false
		}
		pids[p.PID], names[p.Name] = true, true
	}
	names = map[string]bool{}
	for _, w := range t.workers {
		if names[w.Name] {
			return false
		}
		names[w.Name] = true
	}
	return true
}

// CreatePools writes pools, all or none, and returns them.
func (b *Bridge) CreatePools(in []PoolInput) ([]Pool, error) {
	t := b.transaction()
	var made []Pool
	for _, p := range in {
		if !p.HasOwner {
			return nil, serverError("TypeError: Cannot read properties of null (reading 'mnemonic')")
		}
		if err := checkMnemonic(p.Mnemonic); err != nil {
			return nil, err
		}
		row := Pool{UUID: b.nextUUID(), Seed: p.Mnemonic, RealPhalaSs58: p.RealPhalaSs58}
		row.set(p)
		made = append(made, row)
		t.pools = append(t.pools, row)
	}
	if !t.unique() {
		return nil, errDuplicate
	}
	if len(in) > 0 {
		b.commit(t, "create-pool")
	}
	return made, nil
}

func (p *Pool) set(in PoolInput) {
	p.PID, p.Name, p.RealPhalaSs58, p.Enabled, p.SyncOnly = in.PID, in.Name, in.RealPhalaSs58, in.Enabled, in.SyncOnly
}

// UpdatePools overwrites pools, or deletes them together with their workers; all or none. It returns the updated ones.
func (b *Bridge) UpdatePools(in []PoolChange) ([]Pool, error) {
	t := b.transaction()
	var changed []Pool
	for _, c := range in {
		switch {
		case c.ID == nil:
			return nil, serverError("TypeError: Cannot read properties of null (reading 'uuid')")
		case c.Pool == nil:
			return nil, notFound("Can't find pool: %s", c.ID.JSON)
		}
		i, missing := t.findPool(*c.ID)
		if i < 0 {
			return nil, missing.error(c.Pool.Deleted, "pid")
		}
		p := &t.pools[i]
		if c.Pool.Deleted {
			pid := p.PID
			t.workers = slices.DeleteFunc(t.workers, func(w Worker) bool { return w.PID == pid })
			t.pools = slices.Delete(t.pools, i, i+1)
			continue
		}
		if c.Pool.Mnemonic != "" {
			if err := checkMnemonic(c.Pool.Mnemonic); err != nil {
				return nil, err
			}
			p.Seed = c.Pool.Mnemonic
		}
		was := p.PID
		p.set(*c.Pool)
		for j := range t.workers { // a worker belongs to the row, not to the number
			if t.workers[j].PID == was {
				t.workers[j].PID = p.PID
			}
		}
		changed = append(changed, *p)
	}
	if !t.unique() {
		return nil, errDuplicate
	}
	if len(in) > 0 {
		b.commit(t, "update-pool")
	}
	return changed, nil
}

func (t *tables) findPool(id ID) (int, missing) {
	switch {
	case id.UUID != "":
		return slices.IndexFunc(t.pools, func(p Pool) bool { return p.UUID == id.UUID }), "null"
	case id.Name != "":
		return slices.IndexFunc(t.pools, func(p Pool) bool { return p.Name == id.Name }), "null"
	case id.PID != nil:
		return slices.IndexFunc(t.pools, func(p Pool) bool { return p.PID == *id.PID }), "null"
	}
	return -1, "undefined"
}

func (t *tables) findWorker(id ID) (int, missing) {
	switch {
	case id.UUID != "":
		return slices.IndexFunc(t.workers, func(w Worker) bool { return w.UUID == id.UUID }), "null"
	case id.Name != "":
		return slices.IndexFunc(t.workers, func(w Worker) bool { return w.Name == id.Name }), "null"
	}
	return -1, "undefined"
}

func (t *tables) hasPool(pid uint64) error {
	if !slices.ContainsFunc(t.pools, func(p Pool) bool { return p.PID == pid }) {
		return notFound("Pool {pid:%d not found!", pid) // the brace is the original's
	}
	return nil
}

func (w *Worker) set(in WorkerInput) {
	w.PID, w.Name, w.Endpoint, w.Stake, w.Enabled, w.SyncOnly = in.PID, in.Name, in.Endpoint, in.Stake, in.Enabled, in.SyncOnly
}

// CreateWorkers writes workers, all or none, and returns them. They get a context when the lifecycle's process starts next.
func (b *Bridge) CreateWorkers(in []WorkerInput) ([]Worker, error) {
	t := b.transaction()
	var made []Worker
	for _, w := range in {
		if err := t.hasPool(w.PID); err != nil {
			return nil, err
		}
		row := Worker{UUID: b.nextUUID()}
		row.set(w)
		made = append(made, row)
		t.workers = append(t.workers, row)
	}
	if !t.unique() {
		return nil, errDuplicate
	}
	if len(in) > 0 {
		b.commit(t, "create-worker")
	}
	return made, nil
}

// UpdateWorkers overwrites or deletes workers, all or none. It returns the updated ones. Running contexts do not change.
func (b *Bridge) UpdateWorkers(in []WorkerChange) ([]Worker, error) {
	t := b.transaction()
	var changed []Worker
	for _, c := range in {
		switch {
		case c.ID == nil:
			return nil, serverError("TypeError: Cannot read properties of null (reading 'uuid')")
		case c.Worker == nil:
			return nil, notFound("Can't find worker: %s", c.ID.JSON)
		}
		i, missing := t.findWorker(*c.ID)
		if c.Worker.Deleted {
			if i < 0 {
				return nil, missing.error(true, "")
			}
			t.workers = slices.Delete(t.workers, i, i+1)
			continue
		}
		if err := t.hasPool(c.Worker.PID); err != nil {
			return nil, err
		}
		if i < 0 {
			return nil, missing.error(false, "pool")
		}
		t.workers[i].set(*c.Worker)
		changed = append(changed, t.workers[i])
	}
	if !t.unique() {
		return nil, errDuplicate
	}
	if len(in) > 0 {
		b.commit(t, "update-worker")
	}
	return changed, nil
}
