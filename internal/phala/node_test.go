package phala

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"phalops/internal/substrate"
	"phalops/internal/substrate/scale"
	"phalops/internal/testkit"
)

const block = "0x2abed23b56dc42824a64ea4a7b518097e338a66c38b4b35ba09eb230af637513"

// shared reads a file of the shared data; tests are skipped without it, but fail under CI.
func shared(t testing.TB, name ...string) []byte {
	t.Helper()
	return testkit.Shared(t, append([]string{"data"}, name...)...)
}

func sharedJSON[T any](t testing.TB, name ...string) (v T) {
	t.Helper()
	dec := json.NewDecoder(bytes.NewReader(shared(t, name...)))
	dec.UseNumber()
	if err := dec.Decode(&v); err != nil {
		t.Fatal(name, err)
	}
	return v
}

func metadata(t testing.TB, name string) *scale.Metadata {
	t.Helper()
	md, err := scale.Parse(shared(t, "metadata", name+"-v14.scale.gz"))
	if err != nil {
		t.Fatal(err)
	}
	return md
}

// node answers with a storage: 0x… to 0x….
type node struct {
	state  map[string]string
	sorted func() []string
	mu     sync.Mutex
	asked  int // keys whose values it was asked for
}

func newNode() *node {
	n := &node{state: map[string]string{}}
	n.sorted = sync.OnceValue(func() []string { return slices.Sorted(maps.Keys(n.state)) })
	return n
}

// put stores a value, given as JSON of the metadata's types.
func (n *node) put(t testing.TB, md *scale.Metadata, pallet, item string, value any, keys ...any) {
	t.Helper()
	e, err := md.Entry(pallet, item)
	if err != nil {
		t.Fatal(err)
	}
	key, err := e.StorageKey(keys...)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := e.Value.Append(nil, value)
	if err != nil {
		t.Fatal(pallet, item, err)
	}
	n.state[fmt.Sprintf("0x%x", key)] = fmt.Sprintf("0x%x", raw)
}

func (n *node) snapshot() *substrate.Snapshot {
	return substrate.New("http://127.0.0.1:9944", n).Snapshot(block, substrate.SnapshotOptions{})
}

func (n *node) Post(_ context.Context, _, _ string, body []byte) (int, []byte, error) {
	var q struct {
		ID     uint64
		Method string
		Params []json.RawMessage
	}
	if err := json.Unmarshal(body, &q); err != nil {
		return 0, nil, err
	}
	var result any
	switch q.Method {
	case "state_getKeysPaged":
		var prefix, after string
		var count int
		_ = json.Unmarshal(q.Params[0], &prefix)
		_ = json.Unmarshal(q.Params[1], &count)
		_ = json.Unmarshal(q.Params[2], &after)
		all := n.sorted()
		from, _ := slices.BinarySearch(all, max(prefix, after))
		keys := []string{}
		for _, k := range all[from:] {
			if !strings.HasPrefix(k, prefix) || len(keys) == count {
				break
			}
			if k != after {
				keys = append(keys, k)
			}
		}
		result = keys
	case "state_queryStorageAt":
		var keys []string
		_ = json.Unmarshal(q.Params[0], &keys)
		changes := make([][2]*string, len(keys))
		for i, k := range keys {
			changes[i][0] = &k
			if v, ok := n.state[k]; ok {
				changes[i][1] = &v
			}
		}
		n.mu.Lock()
		n.asked += len(keys)
		n.mu.Unlock()
		result = []any{map[string]any{"block": block, "changes": changes}}
	}
	reply, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": q.ID, "result": result})
	return 200, reply, err
}
