package world

// CreatePools checks pools one by one, each against what is stored only. write puts them all into the database.
func (b *V0Bridge) CreatePools(in []V0Item) (write func(), err error) {
	return create(b, b.pools, in, "create-pool", true, v0Record.pool)
}

// CreateWorkers checks workers one by one, each against what is stored only; whether their pool exists is not looked at.
// write puts them all into the database. They get a context at the next scan.
func (b *V0Bridge) CreateWorkers(in []V0Item) (write func(), err error) {
	return create(b, b.workers, in, "create-worker", false, v0Record.worker)
}

func create[T any](b *V0Bridge, t *v0Table[T], in []V0Item, what string, owned bool, row func(v0Record) T) (func(), error) {
	records, err := b.newRecords(in, owned)
	if err == nil {
		err = checkNew(t, records)
	}
	if err != nil {
		return nil, err
	}
	return func() {
		for _, r := range records {
			t.put(r.uuid, row(r))
		}
		b.w.did(what, b.Name)
	}, nil
}

func checkNew[T any](t *v0Table[T], records []v0Record) error {
	no := false
	for _, r := range records {
		tail := v0Tail{UUID: r.uuid}
		if r.given.Deleted == nil {
			tail.Deleted = &no
		}
		if err := t.check(r, r.json(tail)); err != nil {
			return err
		}
	}
	return nil
}

func (b *V0Bridge) newRecords(in []V0Item, owned bool) ([]v0Record, error) {
	records := make([]v0Record, 0, len(in))
	for _, item := range in {
		if item.Deleted != nil {
			no := false
			item.Deleted = &no
		}
		r, err := newRecord(item, owned)
		if err != nil {
			return nil, err
		}
		records = append(records, r)
	}
	for i := range records {
		records[i].uuid = b.nextUUID(records[i].keys["name"])
	}
	return records, nil
}

func (b *V0Bridge) nextUUID(name string) string {
	b.rows++
	if b.NewUUID != nil {
		return b.NewUUID(name)
	}
	return b.w.uuid(b.Name, b.rows)
}

func value[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}

// newRecord makes the operator's account of a pool and lays the item out as the server does.
func newRecord(item V0Item, owned bool) (v0Record, error) {
	r := v0Record{given: item, keys: map[string]string{"name": value(item.Name), "endpoint": value(item.Endpoint)},
		doc: v0Doc{First: item.UUID, Name: item.Name, Endpoint: item.Endpoint, Enabled: item.Enabled, Deleted: item.Deleted, Stake: item.Stake, Real: item.RealPhalaSs58}}
	if item.PID != nil {
		r.keys["pid"] = pidText(*item.PID)
		r.doc.PID = pidText(*item.PID)
	}
	if owned {
		owner, err := newOwner(item.Owner)
		if err != nil {
			return r, err
		}
		r.doc.Owner, r.keys["owner"] = &owner, owner.Phala
	}
	return r, nil
}

func (r v0Record) pool() V0Pool {
	return V0Pool{UUID: r.uuid, Name: r.keys["name"], RealPhalaSs58: value(r.given.RealPhalaSs58), PID: value(r.given.PID),
		Enabled: value(r.given.Enabled), Owner: *r.doc.Owner}
}

func (r v0Record) worker() Worker {
	return Worker{UUID: r.uuid, Name: r.keys["name"], Endpoint: r.keys["endpoint"], Stake: value(r.given.Stake), PID: value(r.given.PID),
		Enabled: value(r.given.Enabled)}
}

// UpdatePools checks pools one by one. write overwrites them all with full records, or deletes them. A deleted one stays
// listed: only its index entries go.
func (b *V0Bridge) UpdatePools(in []V0Change) (write func(), err error) {
	return update(b, b.pools, in, "update-pool", true, v0Record.pool)
}

// UpdateWorkers checks workers one by one. write overwrites them all with full records, or deletes them. A deleted one stays
// listed, and runs on: only its index entries go. Running contexts do not change.
func (b *V0Bridge) UpdateWorkers(in []V0Change) (write func(), err error) {
	return update(b, b.workers, in, "update-worker", false, v0Record.worker)
}

func update[T any](b *V0Bridge, t *v0Table[T], in []V0Change, what string, owned bool, row func(v0Record) T) (func(), error) {
	records := make([]v0Record, 0, len(in))
	for _, c := range in {
		if c.ID == nil {
			return nil, &V0Error{"Cannot read properties of undefined (reading 'uuid')"}
		}
		if c.Item == nil {
			return nil, &V0Error{"Cannot read properties of undefined (reading 'owner')"}
		}
		r, err := newRecord(*c.Item, owned)
		if err != nil {
			return nil, err
		}
		stored, found, err := t.byID(*c.ID)
		if err != nil {
			return nil, err
		}
		r.uuid = stored
		if err := t.check(r, r.json(v0Tail{UUID: stored, Old: t.show(found)})); err != nil {
			return nil, err
		}
		records = append(records, r)
	}
	return func() {
		for _, r := range records {
			if value(r.given.Deleted) {
				t.unindex(r.keys, "")
			} else {
				t.put(r.uuid, row(r))
			}
		}
		b.w.did(what, b.Name)
	}, nil
}

// byID finds what an update means: the last of uuid, name and pid that is given counts.
func (t *v0Table[T]) byID(id V0ID) (uuid string, row T, err error) {
	key, text, shown := "uuid", id.UUID, any(id.UUID)
	if id.Name != "" {
		key, text, shown = "name", id.Name, id.Name
	}
	if id.PID != nil {
		key, text, shown = "pid", pidText(*id.PID), long(*id.PID)
	}
	row, ok := t.find(key, text)
	if !ok {
		return "", row, notFoundV0(t.kind, key, shown)
	}
	if key == "uuid" {
		return text, row, nil
	}
	return t.index[key+":"+text], row, nil
}
