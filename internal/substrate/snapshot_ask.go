package substrate

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"

	"phalops/internal/fleet"
)

const (
	methodKeys   = "state_getKeysPaged"
	methodValues = "state_queryStorageAt"
)

// ErrNoState is returned when a node no longer has, or never had, the state of a block. Pruning nodes keep 256 blocks.
var ErrNoState = errors.New("the node does not have the state of this block")

// askKeys asks for at most count keys with a prefix, behind after (nil: from the first one on).
func (s *Snapshot) askKeys(ctx context.Context, prefix []byte, count int, after []byte) (keys [][]byte, err error) {
	params := appendHex([]byte{'['}, prefix)
	params = strconv.AppendInt(append(params, ','), int64(count), 10)
	params = append(params, ',')
	if after == nil {
		params = append(params, "null"...)
	} else {
		params = appendHex(params, after)
	}
	err = s.ask(ctx, methodKeys, s.appendHash(params), func(r *scanner) (err error) {
		keys, err = r.keys(make([][]byte, 0, count))
		return err
	})
	if err == nil && len(keys) > count {
		return nil, badReply(methodKeys, http.StatusOK, fmt.Sprintf("%d keys instead of %d", len(keys), count))
	}
	return keys, err
}

// askValues asks for the values of keys, and puts the answer into their order.
func (s *Snapshot) askValues(ctx context.Context, keys [][]byte) (pairs []Pair, err error) {
	params := append(make([]byte, 0, 100+len(keys)*(2*len(keys[0])+5)), "[["...)
	for i, k := range keys {
		if i > 0 {
			params = append(params, ',')
		}
		params = appendHex(params, k)
	}
	err = s.ask(ctx, methodValues, s.appendHash(append(params, ']')), func(r *scanner) (err error) {
		pairs, err = r.changes(make([]Pair, 0, len(keys)), s.hash)
		return err
	})
	if err != nil {
		return nil, err
	}
	return match(keys, pairs)
}

func appendHex(dst, b []byte) []byte {
	return append(hex.AppendEncode(append(dst, `"0x`...), b), '"')
}

// appendHash ends a list of parameters with the block.
func (s *Snapshot) appendHash(params []byte) []byte {
	return append(strconv.AppendQuote(append(params, ','), s.hash), ']')
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

// ask sends one request, as soon as there are not too many, and reads its result in place.
func (s *Snapshot) ask(ctx context.Context, method string, params []byte, list func(*scanner) error) error {
	select {
	case s.slots <- struct{}{}:
		defer func() { <-s.slots }()
	case <-ctx.Done():
		return ctx.Err()
	}
	ctx, cancel := context.WithTimeout(ctx, s.opt.Timeout)
	defer cancel()
	return stateOf(s.hash, s.client.scan(ctx, method, params, list))
}

// scan is Call for results that are lists, with parameters that are JSON already and without encoding/json.
func (c *Client) scan(ctx context.Context, method string, params []byte, list func(*scanner) error) error {
	id := c.id.Add(1)
	body := make([]byte, 0, len(params)+100)
	body = fmt.Appendf(body, `{"jsonrpc":"2.0","id":%d,"method":%q,"params":`, id, method)
	body = append(append(body, params...), '}')
	status, reply, err := c.http.Post(ctx, c.url, "application/json", body)
	if err != nil {
		return fmt.Errorf("%s: %w", method, err)
	}
	if status == http.StatusOK {
		called, ok, err := scanReply(reply, id, list)
		switch {
		case ok:
			return nil
		case called && err != nil:
			return badReply(method, status, err.Error())
		case called:
			return badReply(method, status, "the answer belongs to another question, or fails and does not")
		}
	}
	if _, err := decodeReply(method, id, status, reply); err != nil {
		return err
	}
	return badReply(method, status, "the result is no list")
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
