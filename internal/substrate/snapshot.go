package substrate

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"phalops/internal/clock"
)

// SnapshotOptions say how a snapshot is read. The zero value is right for every node.
type SnapshotOptions struct {
	InFlight int           // requests on their way at any moment; default 4
	Page     int           // keys asked for at once; default 1000, which is the most that nodes give
	Chunk    int           // values asked for at once; default 1000, and less once a node finds that too much
	Timeout  time.Duration // of one request; default 30 s
	Tries    int           // of one request that fails for reasons that may pass; default 4
	Pause    time.Duration // before the second try, twice as long before each further one; default 250 ms
	Gentle   bool          // after every request rest as long as it took, at most 2 s, because the node has other things to do
}

func (o SnapshotOptions) withDefaults() SnapshotOptions {
	or := func(v *int, usual int) {
		if *v <= 0 {
			*v = usual
		}
	}
	or(&o.InFlight, 4)
	or(&o.Page, 1000)
	or(&o.Chunk, 1000)
	or(&o.Tries, 4)
	if o.Timeout <= 0 {
		o.Timeout = 30 * time.Second
	}
	if o.Pause <= 0 {
		o.Pause = 250 * time.Millisecond
	}
	return o
}

// Snapshot reads a chain's storage as it was after one block, whatever happens to the chain meanwhile: every request names the
// block, also when it is repeated. It is safe for concurrent use; all reads share its limit of requests in flight.
//
// What it holds in memory is bounded by InFlight answers for each read, however large the map is: when the visitor is slow,
// it asks for no more.
type Snapshot struct {
	client *Client
	hash   string
	opt    SnapshotOptions
	slots  chan time.Time // one for each request in flight: when it may begin
	chunk  atomic.Int64   // values asked for at once

	keys, pairs sync.Pool // of *keys and *[]Pair, for the next answers
}

// Snapshot prepares to read the state of a block. It asks nothing yet.
func (c *Client) Snapshot(hash string, o SnapshotOptions) *Snapshot {
	o = o.withDefaults()
	s := &Snapshot{client: c, hash: hash, opt: o, slots: make(chan time.Time, o.InFlight)}
	for range o.InFlight {
		s.slots <- time.Time{}
	}
	s.chunk.Store(int64(o.Chunk))
	return s
}

// Hash is the block whose state it is.
func (s *Snapshot) Hash() string { return s.hash }

// Pairs visits everything that is stored under keys that begin with prefix, in the order of the keys. Keys and values count only
// during the visit: their memory is the answer's. An error of visit ends the reading and is returned. errors.Is finds
// ErrNoState when the node no longer has the block's state: begin again with a newer block.
func (s *Snapshot) Pairs(ctx context.Context, prefix []byte, visit func(Pair) error) error {
	feed := func(ctx context.Context, emit emitter) error { return s.pages(ctx, prefix, emit) }
	return s.stream(ctx, feed, func(p Pair) error {
		if p.Value == nil {
			return badReply(methodValues, 200, fmt.Sprintf("nothing is stored under the listed key 0x%x", p.Key))
		}
		return visit(p)
	})
}

// Values visits the wanted keys in the given order, each with what is stored under it, nil for nothing. Otherwise it is like Pairs.
func (s *Snapshot) Values(ctx context.Context, wanted [][]byte, visit func(Pair) error) error {
	return s.stream(ctx, func(_ context.Context, emit emitter) error { return emit(listKeys(wanted), nil) }, visit)
}

// emitter takes keys whose values are to be visited. Their memory is borrowed.
type emitter func(all keys, from loan) error

// loan is memory that was lent by a Lender, as functions that give it back.
type loan []func()

func (l loan) back() {
	for _, free := range l {
		free()
	}
}

// fetch is a chunk of values on its way.
type fetch struct {
	done  chan struct{}
	pairs []Pair
	from  loan // what pairs stand in
	keys  loan // what their keys stand in, and those of no later chunk
	err   error
}

// stream fetches the values of all keys that feed emits, several chunks at a time, and visits them in order. While chunks are on
// their way, feed goes on and finished ones are visited. Nothing of it is left when stream returns.
func (s *Snapshot) stream(ctx context.Context, feed func(context.Context, emitter) error, visit func(Pair) error) error {
	ctx, cancel := context.WithCancel(ctx)
	var working sync.WaitGroup
	defer working.Wait()
	defer cancel()
	queue := make(chan *fetch, s.opt.InFlight) // full: the visitor is behind
	emit := func(all keys, from loan) error {
		for all.len() > 0 {
			n := min(all.len(), int(s.chunk.Load()))
			f, mine := &fetch{done: make(chan struct{})}, all.part(0, n)
			if all = all.part(n, all.len()); all.len() == 0 {
				f.keys = from
			}
			select {
			case queue <- f:
			case <-ctx.Done():
				return ctx.Err()
			}
			working.Go(func() {
				f.pairs, f.from, f.err = s.values(ctx, mine, 0)
				close(f.done)
			})
		}
		return nil
	}
	var fed error
	working.Go(func() {
		fed = feed(ctx, emit)
		close(queue)
	})
	for f := range queue {
		<-f.done
		if f.err != nil {
			return f.err
		}
		for _, p := range f.pairs {
			if err := visit(p); err != nil {
				return err
			}
		}
		f.from.back()
		f.keys.back()
		f.pairs = nil
	}
	return fed
}

// pages emits all keys under a prefix, page by page, until one is empty. A short page is no end: servers between us and the node
// give fewer keys than were asked for.
func (s *Snapshot) pages(ctx context.Context, prefix []byte, emit emitter) error {
	var last []byte
	for count := s.opt.Page; ; {
		found, from, err := s.page(ctx, prefix, last, &count)
		if err != nil {
			return err
		}
		before := last
		for _, k := range found.raw {
			if !bytes.HasPrefix(k, prefix) || before != nil && bytes.Compare(k, before) <= 0 {
				return badReply(methodKeys, 200, fmt.Sprintf("the key 0x%x does not belong after 0x%x", k, before))
			}
			before = k
		}
		last = append(last[:0], before...)
		if found.len() == 0 {
			from.back()
			return nil
		}
		if err := emit(found, from); err != nil {
			return err
		}
	}
}

// page asks for one page of keys behind after. When the node finds so many too much, count becomes smaller.
func (s *Snapshot) page(ctx context.Context, prefix, after []byte, count *int) (found keys, from loan, err error) {
	for try := 1; ; {
		found, from, err = s.askKeys(ctx, prefix, *count, after)
		switch {
		case err == nil:
			return found, from, nil
		case tooLarge(err) && *count > 1:
			*count /= 2
			continue
		}
		if err := s.pause(ctx, try, err); err != nil {
			return keys{}, nil, err
		}
		try++
	}
}

// values asks for the values of keys, in halves where the node finds them too much or takes too long.
func (s *Snapshot) values(ctx context.Context, all keys, tried int) ([]Pair, loan, error) {
	for {
		pairs, from, err := s.askValues(ctx, all)
		switch {
		case err == nil:
			return pairs, from, nil
		case tooLarge(err) && all.len() > 1:
			s.chunk.Store(min(s.chunk.Load(), int64(all.len()+1)/2))
			return s.halves(ctx, all, tried)
		}
		tried++
		if err := s.pause(ctx, tried, err); err != nil {
			return nil, nil, err
		}
		if timedOut(err) && all.len() > 1 {
			return s.halves(ctx, all, tried)
		}
	}
}

func (s *Snapshot) halves(ctx context.Context, all keys, tried int) ([]Pair, loan, error) {
	half := (all.len() + 1) / 2
	first, from, err := s.values(ctx, all.part(0, half), tried)
	if err != nil {
		return nil, nil, err
	}
	second, more, err := s.values(ctx, all.part(half, all.len()), tried)
	return append(first, second...), append(from, more...), err
}

// pause waits before a request is repeated, and returns its error when it should not be.
func (s *Snapshot) pause(ctx context.Context, tried int, err error) error {
	if ctx.Err() != nil || tried >= s.opt.Tries || !mayPass(err) {
		return err
	}
	if waited := (clock.Real{}).Sleep(ctx, s.opt.Pause<<(tried-1)); waited != nil {
		return errors.Join(waited, err)
	}
	return nil
}
