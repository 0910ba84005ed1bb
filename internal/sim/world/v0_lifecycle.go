package world

import (
	"encoding/json"
	"maps"
	"slices"
	"time"
)

const (
	v0AsksFetch = 15 * time.Second       // how long the lifecycle waits for fetch at its start, before it exits
	v0FirstScan = 3 * time.Second        // from then on until it looks for workers without a context
	v0Scan      = 3609 * time.Second     // and again
	v0ScanStep  = 178 * time.Millisecond // from context to context
	v0Remakes   = 200 * time.Millisecond // between the old and the new context of a worker
)

// later does f d from now unless the lifecycle's process is another one by then.
func (b *V0Bridge) later(after time.Duration, f func()) {
	run := b.run
	b.w.After(after, func() {
		if b.lifecycleUp && b.run == run {
			f()
		}
	})
}

// lifecycleStarts asks fetch once. When nobody answers within the limit, the process exits, even if fetch comes meanwhile:
// the question is lost.
func (b *V0Bridge) lifecycleStarts() {
	b.lifecycleUp = true
	b.run++
	b.database = b.ioUp
	if !b.redisUp || !b.fetcher.listening {
		b.later(v0AsksFetch, func() { b.lifecycle.Exit(255) })
		return
	}
	b.later(v0Checks, func() {
		if !b.Node.linked || !b.ioUp {
			b.lifecycle.Exit(255)
		}
	})
	b.answers = true
	b.later(v0FirstScan, b.scan)
}

func (b *V0Bridge) lifecycleExits(int) {
	for _, c := range b.running() {
		c.drop()
	}
	b.contexts = map[string]*V0Context{}
	b.lifecycleUp, b.answers, b.database = false, false, false
	b.run++
	b.trouble = withoutKind(b.trouble, PeerFrozen)
}

// scan makes contexts, one after the other, for the enabled workers that have none. It also means to apply changes,
// disabling and deletion to the others, and fails in its own code: they stay as they are.
func (b *V0Bridge) scan() {
	b.later(v0Scan, b.scan)
	if !b.database {
		return
	}
	at := time.Duration(0)
	for _, w := range b.Workers() {
		if b.contexts[w.UUID] != nil || b.runnable(w) == nil {
			continue
		}
		at += v0ScanStep
		b.later(at, func() {
			if b.contexts[w.UUID] == nil {
				b.remake(w.UUID)
			}
		})
	}
}

// running are all contexts in the order of their workers' identities.
func (b *V0Bridge) running() []*V0Context {
	all := make([]*V0Context, 0, len(b.contexts))
	for _, id := range slices.Sorted(maps.Keys(b.contexts)) {
		all = append(all, b.contexts[id])
	}
	return all
}

// runnable is a new context of an enabled worker, or nil: why not only shows in the lifecycle's log.
func (b *V0Bridge) runnable(w Worker) *V0Context {
	if c, err := b.newContext(w); w.Enabled && err == nil {
		return c
	}
	return nil
}

func (b *V0Bridge) newContext(w Worker) (*V0Context, error) {
	if _, ok := b.pools.find("pid", pidText(w.PID)); !ok {
		return nil, notFoundV0("pool", "pid", pidText(w.PID))
	}
	if !enoughStake(w.Stake) {
		return nil, &V0Error{"Stake amount should be at least > 1PHA!"}
	}
	return &V0Context{Worker: w, b: b, rt: b.w.parts.pruntimes[w.Endpoint]}, nil
}

// remake makes the worker's context anew from its record, if it can.
func (b *V0Bridge) remake(uuid string) {
	if c := b.workers.rows[uuid]; c.UUID != "" {
		if c, err := b.newContext(c); err == nil {
			b.contexts[uuid] = c
			c.begin()
		}
	}
}

// V0ID names a worker or a pool.
type V0ID struct {
	UUID, Name string
	PID        *uint64
}

// byID finds a worker by uuid before name. An id by pid is looked for as well, in vain.
func (b *V0Bridge) byID(id V0ID) (Worker, error) {
	key, value := "uuid", id.UUID
	if value == "" {
		key, value = "name", id.Name
	}
	if w, ok := b.workers.find(key, value); ok {
		return w, nil
	}
	return Worker{}, notFoundV0("worker", key, value)
}

func (b *V0Bridge) byIDs(ids []V0ID) ([]Worker, error) {
	found := make([]Worker, 0, len(ids))
	for _, id := range ids {
		w, err := b.byID(id)
		if err != nil {
			return nil, err
		}
		found = append(found, w)
	}
	return found, nil
}

// State is a worker's context; nil when it has none.
func (b *V0Bridge) State(uuid string) *V0Context { return b.contexts[uuid] }

// Restart drops the contexts of workers and makes them anew, a little later, from their records. Only a worker with a
// context can be restarted. One failure is the reply, although the others are restarted.
func (b *V0Bridge) Restart(ids []V0ID) error {
	found, err := b.byIDs(ids)
	if err != nil {
		return err
	}
	for _, w := range found {
		if e := b.restart(w); e != nil && err == nil {
			err = e
		}
	}
	return err
}

func (b *V0Bridge) restart(w Worker) error {
	c := b.contexts[w.UUID]
	if c == nil {
		return &V0Error{"Cannot read properties of undefined (reading 'innerTxQueue')"}
	}
	b.w.did(string(ActionRestart), c.name())
	b.judge(c)
	c.drop()
	delete(b.contexts, w.UUID)
	if _, err := b.newContext(w); err != nil {
		return err
	}
	b.later(v0Remakes, func() { b.remake(w.UUID) })
	return nil
}

// Kick stops the sync of workers for good and asks their pRuntimes to exit. Without a context nothing happens, and it is a
// success all the same. One unknown worker, and none is kicked.
func (b *V0Bridge) Kick(ids []V0ID) error {
	found, err := b.byIDs(ids)
	if err != nil {
		return err
	}
	for _, w := range found {
		if c := b.contexts[w.UUID]; c != nil {
			b.w.did(string(ActionKick), c.name())
			b.judge(c)
			c.kick()
		}
	}
	return nil
}

func (b *V0Bridge) judge(c *V0Context) {
	para, _ := c.supply()
	b.w.judge(c.rt, c.name(), c.feeding && c.state == StateSynching, c.feeding && c.state == V0StateMining, para)
}

func notFoundV0(kind, key string, value any) error {
	text, _ := json.Marshal(struct {
		Type  string `json:"type"`
		Key   string `json:"key"`
		Value any    `json:"value"`
	}{kind, key, value})
	return &V0Error{string(text)}
}
