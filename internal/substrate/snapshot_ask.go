package substrate

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"phalops/internal/clock"
	"phalops/internal/fleet"
)

const (
	methodKeys   = "state_getKeysPaged"
	methodValues = "state_queryStorageAt"
)

// ErrNoState is returned when a node no longer has, or never had, the state of a block. Pruning nodes keep 256 blocks.
var ErrNoState = errors.New("the node does not have the state of this block")

// askKeys asks for at most count keys with a prefix, behind after (nil: from the first one on).
func (s *Snapshot) askKeys(ctx context.Context, prefix []byte, count int, after []byte) (found keys, from loan, err error) {
	from, err = s.ask(ctx, methodKeys, func(params []byte) []byte {
		params = append(appendHex(append(params, '['), prefix), ',')
		params = append(strconv.AppendInt(params, int64(count), 10), ',')
		if after == nil {
			return append(params, "null"...)
		}
		return appendHex(params, after)
	}, func(r *scanner) (err error) {
		found, err = r.keys(spare(&s.keys, keys{}).fresh(count, len(r.b)))
		return err
	})
	if err == nil && found.len() > count {
		err = badReply(methodKeys, http.StatusOK, fmt.Sprintf("%d keys instead of %d", found.len(), count))
	}
	if err != nil {
		return keys{}, nil, err
	}
	return found, append(from, func() { s.keys.Put(&found) }), nil
}

// askValues asks for the values of keys, and puts the answer into their order.
func (s *Snapshot) askValues(ctx context.Context, asked keys) (pairs []Pair, from loan, err error) {
	from, err = s.ask(ctx, methodValues, func(params []byte) []byte {
		return append(append(append(params, "[["...), asked.list()...), ']')
	}, func(r *scanner) (err error) {
		pairs, err = r.changes(asked, s.hash, slices.Grow(spare(&s.pairs, []Pair{})[:0], asked.len()))
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	from = append(from, func() {
		clear(pairs)
		s.pairs.Put(&pairs)
	})
	matched, err := match(asked.raw, pairs)
	return matched, from, err
}

// spare is what somebody has put back, or else something new.
func spare[T any](pool *sync.Pool, fresh T) T {
	if used, ok := pool.Get().(*T); ok {
		return *used
	}
	return fresh
}

func appendHex(dst, b []byte) []byte {
	return append(hex.AppendEncode(append(dst, `"0x`...), b), '"')
}

// match puts pairs into the order of the keys that were asked for. Nodes keep that order, leave out repeated keys, or answer
// them twice.
func match(keys [][]byte, pairs []Pair) ([]Pair, error) {
	same := len(keys) == len(pairs)
	for i := 0; same && i < len(keys); i++ {
		same = bytes.Equal(keys[i], pairs[i].Key)
	}
	if same {
		return pairs, nil
	}
	values := make(map[string][]byte, len(pairs))
	for _, p := range pairs {
		values[string(p.Key)] = p.Value
	}
	out := make([]Pair, len(keys))
	for i, k := range keys {
		v, ok := values[string(k)]
		if !ok {
			return nil, badReply(methodValues, http.StatusOK, fmt.Sprintf("no answer about the key 0x%x", k))
		}
		out[i] = Pair{k, v}
	}
	return out, nil
}

// ask sends one request, as soon as there are not too many, and reads its result in place. params appends all parameters but the last, which
// is the block.
func (s *Snapshot) ask(ctx context.Context, method string, params func([]byte) []byte, list func(*scanner) error) (loan, error) {
	q := listCall{method, s.client.id.Add(1), func(b []byte) []byte {
		return append(strconv.AppendQuote(append(params(b), ','), s.hash), ']')
	}}
	status, reply, free, err := s.post(ctx, q)
	if err == nil {
		err = q.read(status, reply, list)
	}
	if err != nil {
		return nil, stateOf(s.hash, err)
	}
	return loan{free}, nil
}

// post is the part of ask that counts as in flight.
func (s *Snapshot) post(ctx context.Context, q listCall) (status int, reply []byte, free func(), err error) {
	leave, err := s.enter(ctx)
	if err != nil {
		return 0, nil, nil, err
	}
	defer leave()
	ctx, cancel := context.WithTimeout(ctx, s.opt.Timeout)
	defer cancel()
	if lender, ok := s.client.http.(Lender); ok {
		status, reply, free, err = lender.PostLent(ctx, s.client.url, jsonType, q.append)
	} else {
		free = func() {}
		status, reply, err = s.client.http.Post(ctx, s.client.url, jsonType, q.append(nil))
	}
	if err != nil {
		err = fmt.Errorf("%s: %w", q.method, err)
	}
	return status, reply, free, err
}

// maxRest is the longest rest of a gentle snapshot.
const maxRest = 2 * time.Second

// enter waits for one of the places in flight, and until it has rested.
func (s *Snapshot) enter(ctx context.Context) (leave func(), err error) {
	var due time.Time
	select {
	case due = <-s.slots:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if err := (clock.Real{}).Sleep(ctx, time.Until(due)); err != nil {
		s.slots <- due
		return nil, err
	}
	begin := time.Now()
	return func() {
		due := time.Time{}
		if s.opt.Gentle {
			due = time.Now().Add(min(time.Since(begin), maxRest))
		}
		s.slots <- due
	}, nil
}

// listCall is a call whose result is a list, without encoding/json.
type listCall struct {
	method string
	id     uint64
	params func([]byte) []byte // appends JSON
}

func (q listCall) append(dst []byte) []byte {
	dst = fmt.Appendf(dst, `{"jsonrpc":"2.0","id":%d,"method":%q,"params":`, q.id, q.method)
	return append(q.params(dst), '}')
}

// read lets list read the result where it stands.
func (q listCall) read(status int, reply []byte, list func(*scanner) error) error {
	if status == http.StatusOK {
		called, ok, err := scanReply(reply, q.id, list)
		switch {
		case ok:
			return nil
		case called && err != nil:
			return badReply(q.method, status, err.Error())
		case called:
			return badReply(q.method, status, "the answer belongs to another question, or fails and does not")
		}
	}
	if _, err := decodeReply(q.method, q.id, status, reply); err != nil {
		return err
	}
	return badReply(q.method, status, "the result is no list")
}

// stateOf says of an error that the state of a block is missing, if that is what the node means.
func stateOf(hash string, err error) error {
	e, ok := errors.AsType[*RPCError](err)
	if !ok {
		return err
	}
	text := e.Message + e.Data
	if e.Code != 4001 && !strings.Contains(text, "UnknownBlock") && !strings.Contains(text, "State already discarded") &&
		!strings.Contains(text, "Header was not found") {
		return err
	}
	why := fleet.Because("substrate.no_state", "hash", clip(hash))
	return fleet.FailWith(fleet.Unavailable, why, errors.Join(ErrNoState, err))
}

// tooLarge reports whether less would have gone through. Codes: jsonrpsee, old and new; 4002: too many keys.
func tooLarge(err error) bool {
	if e, ok := errors.AsType[*RPCError](err); ok {
		switch e.Code {
		case -32007, -32008, -32701, -32702, 4002:
			return true
		}
		text := strings.ToLower(e.Message)
		return strings.Contains(text, "too big") || strings.Contains(text, "too large")
	}
	if e, ok := errors.AsType[*ReplyError](err); ok {
		return e.Status == http.StatusRequestEntityTooLarge
	}
	return fleet.ReasonOf(err).Code == "wire.too_large"
}

func timedOut(err error) bool {
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded)
}

// mayPass reports whether the same question may be answered in a moment. A node's own refusal does not change, except for one
// that is busy.
func mayPass(err error) bool {
	if e, ok := errors.AsType[*RPCError](err); ok {
		return e.Code == -32009 || e.Code == -32604
	}
	return fleet.KindOf(err) != fleet.Invalid
}
