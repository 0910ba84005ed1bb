package v2

import (
	"bytes"
	"context"
	"hash/maphash"
	"slices"

	"phalops/internal/fleet"
	"phalops/internal/prb"
)

// told is the inventory as it was told last. While the replies are word for word the same they are not read again: records change
// rarely, and they are asked for in every beat.
type told struct {
	peer           string
	pools, workers echo
	bare           []fleet.Pool // without the count of their workers
	roll           *prb.Roll
}

// inventory asks for pools and workers, one after the other.
func (c *Client) inventory(ctx context.Context, lm string) (*prb.Roll, error) {
	c.mu.Lock()
	t := c.told
	c.mu.Unlock()
	if t.peer != lm {
		t = told{peer: lm}
	}
	if err := t.ask(ctx, c); err != nil {
		return nil, err
	}
	c.mu.Lock()
	c.told = t
	c.mu.Unlock()
	return t.roll, nil
}

func (t *told) ask(ctx context.Context, c *Client) error {
	if err := t.askPools(ctx, c); err != nil {
		return err
	}
	data, err := c.askAgain(ctx, t.peer, "ListWorker", nil, &t.workers)
	if err != nil {
		return err
	}
	defer data.Free()
	if t.workers.again {
		return nil
	}
	pools := slices.Clone(t.bare)
	workers, err := decodeWorkers(data.Value, pools)
	if err != nil {
		return err
	}
	t.roll = prb.NewRoll(pools, workers)
	return nil
}

func (t *told) askPools(ctx context.Context, c *Client) error {
	data, err := c.askAgain(ctx, t.peer, "ListPool", nil, &t.pools)
	if err != nil {
		return err
	}
	defer data.Free()
	if t.pools.again {
		return nil
	}
	t.workers.forget() // what is told of workers depends on their pools
	t.bare, err = decodePools(data.Value)
	return err
}

// echo recognises a reply that says the same as the one before. The zero echo has heard none; nil never does.
type echo struct {
	seed  maphash.Seed
	sum   uint64
	size  int
	again bool // the newest reply said the same
}

// metaKey begins what is another with each reply and comes last: a time and two nonces.
const metaKey = `,"meta":`

// hear returns what is left to be read of a reply: all, or, when its words are the same again, its meta.
func (e *echo) hear(body []byte) []byte {
	if e == nil {
		return body
	}
	said := body[:max(0, bytes.LastIndex(body, []byte(metaKey)))]
	e.again = e.size > 0 && len(said) == e.size && maphash.Bytes(e.seed, said) == e.sum
	if e.again {
		return slices.Concat([]byte(`{"hasError":false`), body[e.size:])
	}
	e.seed, e.size = maphash.MakeSeed(), len(said)
	e.sum = maphash.Bytes(e.seed, said)
	return body
}

// read notes the data of a reply: where it comes behind the meta, the words before that are the same in every reply and mean nothing.
func (e *echo) read(data prb.Value) {
	if e != nil && !data.Absent() {
		e.again = false
	}
}

func (e *echo) forget() {
	if e != nil {
		*e = echo{}
	}
}
