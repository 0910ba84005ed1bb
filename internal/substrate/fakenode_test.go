package substrate

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const block = "0x2abed23b56dc42824a64ea4a7b518097e338a66c38b4b35ba09eb230af637513"

// fakeNode holds a state and answers like a node, except where trouble says otherwise.
type fakeNode struct {
	state  map[string]string // 0x… to 0x…
	sorted func() []string

	trouble func(ctx context.Context, asked question) (answer string, err error) // "" is no trouble
	order   func([]string) []string                                              // of the keys in an answer about values
	stingy  int                                                                  // gives at most so many keys; 0: as many as it is asked for

	flying, most atomic.Int64
	lent         atomic.Int64 // replies that were not given back
	mu           sync.Mutex
	asked        []question
}

// question is one that the node was asked about storage.
type question struct {
	Method string
	N      int    // of keys: asked for, or asked about
	After  string // of keys
	Hash   string
	Keys   []string
}

func newFakeNode(state map[string]string) *fakeNode {
	return &fakeNode{state: state, sorted: sync.OnceValue(func() []string { return slices.Sorted(maps.Keys(state)) })}
}

// numbered is a state of n entries under prefix, with values of some length.
func numbered(prefix []byte, n int) map[string]string {
	state := map[string]string{}
	for i := range n {
		key := fmt.Sprintf("0x%x%08x%x", prefix, uint32(i)*2654435761, i)
		state[key+strings.Repeat("0", len(key)%2)] = fmt.Sprintf("0x%0*x", 2*(i%7), i%256)[:2+2*(i%7)]
	}
	return state
}

func (f *fakeNode) client() *Client { return New("http://127.0.0.1:9944", f) }

func (f *fakeNode) questions(method string) (all []question) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, q := range f.asked {
		if q.Method == method {
			all = append(all, q)
		}
	}
	return all
}

func (f *fakeNode) Post(ctx context.Context, _, _ string, body []byte) (int, []byte, error) {
	f.flying.Add(1)
	defer f.flying.Add(-1)
	for now := f.flying.Load(); ; {
		most := f.most.Load()
		if now <= most || f.most.CompareAndSwap(most, now) {
			break
		}
	}
	var r struct {
		ID     uint64
		Method string
		Params []json.RawMessage
	}
	if err := json.Unmarshal(body, &r); err != nil {
		return 0, nil, fmt.Errorf("%w: %s", err, body)
	}
	q, answer := f.question(r.Method, r.Params)
	f.mu.Lock()
	f.asked = append(f.asked, q)
	f.mu.Unlock()
	if f.trouble != nil {
		other, err := f.trouble(ctx, q)
		if err != nil {
			return 0, nil, err
		}
		if other != "" {
			return 200, []byte(strings.ReplaceAll(other, "$ID", fmt.Sprint(r.ID))), nil
		}
	}
	return 200, fmt.Appendf(nil, `{"jsonrpc":"2.0","result":%s,"id":%d}`, answer(), r.ID), nil
}

// PostLent lends replies, and spoils those that it gets back.
func (f *fakeNode) PostLent(ctx context.Context, url, contentType string, body func([]byte) []byte) (int, []byte, func(), error) {
	status, reply, err := f.Post(ctx, url, contentType, body(nil))
	f.lent.Add(1)
	return status, reply, func() {
		f.lent.Add(-1)
		for i := range reply {
			reply[i] = '!'
		}
	}, err
}

func (f *fakeNode) question(method string, params []json.RawMessage) (question, func() string) {
	q := question{Method: method}
	get := func(i int, v any) {
		if i < len(params) {
			_ = json.Unmarshal(params[i], v)
		}
	}
	switch method {
	case methodKeys:
		var prefix string
		get(0, &prefix)
		get(1, &q.N)
		get(2, &q.After)
		get(3, &q.Hash)
		return q, func() string { return f.keys(prefix, q.N, q.After) }
	case methodValues:
		get(0, &q.Keys)
		get(1, &q.Hash)
		q.N = len(q.Keys)
		return q, func() string { return f.values(q.Keys, q.Hash) }
	}
	get(0, &q.Hash)
	return q, func() string { return "null" }
}

func (f *fakeNode) keys(prefix string, n int, after string) string {
	if f.stingy > 0 {
		n = min(n, f.stingy)
	}
	all := f.sorted()
	from, _ := slices.BinarySearch(all, max(prefix, after))
	out := []string{}
	for _, k := range all[from:] {
		if k != after && strings.HasPrefix(k, prefix) && len(out) < n {
			out = append(out, k)
		}
	}
	b, _ := json.Marshal(out)
	return string(b)
}

func (f *fakeNode) values(keys []string, hash string) string {
	if f.order != nil {
		keys = f.order(slices.Clone(keys))
	}
	changes := make([][2]*string, len(keys))
	for i, k := range keys {
		changes[i][0] = &k
		if v, ok := f.state[k]; ok {
			changes[i][1] = &v
		}
	}
	b, _ := json.Marshal([]any{map[string]any{"block": hash, "changes": changes}})
	return string(b)
}

// collect reads a whole prefix into text, in order.
func collect(ctx context.Context, s *Snapshot, prefix []byte) (keys []string, state map[string]string, err error) {
	state = map[string]string{}
	err = s.Pairs(ctx, prefix, func(p Pair) error {
		k := "0x" + hex.EncodeToString(p.Key)
		keys = append(keys, k)
		state[k] = "0x" + hex.EncodeToString(p.Value)
		return nil
	})
	return keys, state, err
}
