package observe

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"phalops/internal/fleet"
	"phalops/internal/substrate"
	"phalops/internal/testkit"
)

const rhalaBlock = "0x2abed23b56dc42824a64ea4a7b518097e338a66c38b4b35ba09eb230af637513"

// shared reads a file of the shared data; tests are skipped without it, but fail under CI.
func shared(t testing.TB, name ...string) []byte {
	t.Helper()
	return testkit.Shared(t, append([]string{"data"}, name...)...)
}

// recorded answers with the recorded bytes of a real runtime of the second era, at one block.
type recorded struct {
	state    map[string]string // 0x… to 0x…
	keys     []string
	metadata json.RawMessage

	mu     sync.Mutex
	asked  map[string]int // by method
	atOnce int            // requests on their way
	most   int
	fail   string // method that fails
	number int    // of the block
	spec   int
}

func rhala(t testing.TB) *recorded {
	t.Helper()
	r := &recorded{state: map[string]string{}, asked: map[string]int{}, number: 38, spec: 1241}
	for line := range bytes.Lines(shared(t, "replies", "substrate-rhala.jsonl")) {
		var pair struct {
			Request  string
			Response struct{ Body string }
		}
		var reply struct {
			Result []struct{ Changes [][2]*string }
		}
		if err := json.Unmarshal(line, &pair); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(pair.Request, "state_queryStorageAt") || !strings.Contains(pair.Request, rhalaBlock) || json.Unmarshal([]byte(pair.Response.Body), &reply) != nil {
			continue
		}
		for _, set := range reply.Result {
			for _, c := range set.Changes {
				if c[1] != nil {
					r.state[*c[0]] = *c[1]
				}
			}
		}
	}
	r.keys = slices.Sorted(maps.Keys(r.state))
	var body struct{ Result json.RawMessage }
	if err := json.Unmarshal(shared(t, "replies", "substrate-rhala-state_getMetadata.json.gz"), &body); err != nil {
		t.Fatal(err)
	}
	r.metadata = body.Result
	return r
}

func (r *recorded) Post(_ context.Context, _, _ string, body []byte) (int, []byte, error) {
	var q struct {
		ID     uint64
		Method string
		Params []json.RawMessage
	}
	if err := json.Unmarshal(body, &q); err != nil {
		return 0, nil, err
	}
	r.mu.Lock()
	r.asked[q.Method]++
	r.atOnce++
	r.most = max(r.most, r.atOnce)
	fail := r.fail == q.Method
	r.mu.Unlock()
	defer func() { r.mu.Lock(); r.atOnce--; r.mu.Unlock() }()
	runtime.Gosched() // others may ask meanwhile
	if fail {
		return 200, fmt.Appendf(nil, `{"jsonrpc":"2.0","id":%d,"error":{"code":-32000,"message":"Client error: State already discarded"}}`, q.ID), nil
	}
	result, err := json.Marshal(r.answer(q.Method, q.Params))
	return 200, fmt.Appendf(nil, `{"jsonrpc":"2.0","id":%d,"result":%s}`, q.ID, result), err
}

func (r *recorded) answer(method string, params []json.RawMessage) any {
	switch method {
	case "chain_getFinalizedHead":
		return rhalaBlock
	case "chain_getHeader":
		return map[string]any{"number": fmt.Sprintf("0x%x", r.number), "parentHash": "0x01"}
	case "chain_getBlockHash":
		return "0x99"
	case "state_getRuntimeVersion":
		return map[string]any{"specName": "rhala", "specVersion": r.spec}
	case "state_getMetadata":
		return r.metadata
	case "state_getKeysPaged":
		var prefix, after string
		var count int
		_ = json.Unmarshal(params[0], &prefix)
		_ = json.Unmarshal(params[1], &count)
		_ = json.Unmarshal(params[2], &after)
		from, _ := slices.BinarySearch(r.keys, max(prefix, after))
		keys := []string{}
		for _, k := range r.keys[from:] {
			if !strings.HasPrefix(k, prefix) || len(keys) == count {
				break
			}
			if k != after {
				keys = append(keys, k)
			}
		}
		return keys
	case "state_queryStorageAt":
		var keys []string
		_ = json.Unmarshal(params[0], &keys)
		changes := make([][2]*string, len(keys))
		for i, k := range keys {
			changes[i][0] = &k
			if v, ok := r.state[k]; ok {
				changes[i][1] = &v
			}
		}
		return []any{map[string]any{"block": rhalaBlock, "changes": changes}}
	}
	return nil // nothing is stored
}

func (r *recorded) read(t *testing.T, runtimes *substrate.Runtimes, ask LedgerAsk) LedgerReading {
	t.Helper()
	reading, err := Ledger(substrate.New("http://127.0.0.1:9944", r), runtimes).Read(t.Context(), ask)
	if err != nil {
		t.Fatal(err)
	}
	return reading
}

// sameAmount lets cmp compare amounts.
func sameAmount(a, b fleet.Amount) bool { return a == b }

func amountOf(t *testing.T, s string) fleet.Amount {
	t.Helper()
	a, err := fleet.ParseAmount(s)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// decoded is what an independent decoder made of the same replies.
type decoded struct {
	Totals struct {
		Sessions   map[string]int `json:"workers_by_state"`
		Registered int            `json:"registered_workers"`
		Reward     string         `json:"sum_total_reward"`
		Stake      string         `json:"sum_stake"`
		Pools      []struct {
			PID    uint64
			Kind   string
			Owner  string
			Gas    string `json:"owner_free_balance"`
			Value  string `json:"total_value"`
			Free   string `json:"free_stake"`
			Cap    *string
			Owe    *string `json:"owner_reward"`
			Used   *string `json:"used_stake"`
			Freed  *string `json:"releasing_stake"`
			Reward *string `json:"sum_total_reward"`
			States map[string]int
			Queue  []struct {
				User     string
				Amount   string
				Start    int64 `json:"start_time"`
				Deadline int64
			}
			Due bool `json:"force_stop_due"`
		}
	}
	Maps map[string][]struct {
		Args  []any
		Value json.RawMessage
	}
}

// TestLedgerOfARealRuntime reads the recorded replies and finds what the independent decoder found.
func TestLedgerOfARealRuntime(t *testing.T) {
	var want decoded
	if err := json.Unmarshal(shared(t, "replies", "substrate-rhala.decoded.json"), &want); err != nil {
		t.Fatal(err)
	}
	const signer = "41GUHy9gmjhst2edhhoWCZcf6rqCheD5XMGTUF53CWJTePuc"
	node := rhala(t)
	ask := LedgerAsk{Network: "rhala", Whole: true, Pools: map[uint64][]string{1: {signer, signer, "no address"}, 2: {"43tXcmhJfmvbczKaPKgWXirf3a9r6zD63KAxHq4CTSPm4DRf"}, 3: nil, 99: nil}}
	var runtimes substrate.Runtimes
	v := node.read(t, &runtimes, ask).View

	if v.Ref != "network/rhala" || v.Era != "v2" || v.Height != 38 || v.Hash != rhalaBlock || v.Spec != 1241 || v.Genesis != "0x99" || !v.Whole || v.Upgrade != nil ||
		v.Time.Unix() != 1796036882 || v.Source != "http://127.0.0.1:9944" {
		t.Errorf("%+v", v)
	}
	states := map[string]int{}
	for name, n := range want.Totals.Sessions {
		states[strings.TrimPrefix(name, "Worker")] = n
	}
	tot := v.Totals
	if diff := cmp.Diff(states, tot.Sessions); diff != "" {
		t.Error(diff)
	}
	if tot.Workers != want.Totals.Registered || tot.Reward != amountOf(t, want.Totals.Reward) || tot.Stake != amountOf(t, want.Totals.Stake) || tot.Online != 7 || tot.Pools != 4 {
		t.Errorf("totals: %+v", tot)
	}
	if len(v.Pools) != 3 {
		t.Fatalf("%d pools", len(v.Pools))
	}
	for _, w := range want.Totals.Pools {
		p := v.Pool(w.PID)
		if w.PID == 0 || w.PID == 4 {
			if p != nil {
				t.Errorf("pool %d is none of ours", w.PID)
			}
			continue
		}
		if p.Ref != fleet.StakePoolRef("rhala", w.PID) || p.Kind != w.Kind || p.Owner != w.Owner || p.OwnerGas != amountOf(t, w.Gas) || p.Value != amountOf(t, w.Value) ||
			p.Free != amountOf(t, w.Free) || (w.Cap == nil) != (p.Cap == nil) || w.Cap != nil && *p.Cap != amountOf(t, *w.Cap) || len(p.Queue) != len(w.Queue) || p.Due != w.Due {
			t.Errorf("pool %d: %+v", w.PID, p)
		}
		if w.Used != nil && (p.Used != amountOf(t, *w.Used) || p.Releasing != amountOf(t, *w.Freed) || p.OwnerReward != amountOf(t, *w.Owe) || p.Reward != amountOf(t, *w.Reward)) {
			t.Errorf("pool %d: %+v", w.PID, p)
		}
		for i, q := range w.Queue {
			got := p.Queue[i]
			if got.User != q.User || got.Amount != amountOf(t, q.Amount) || got.Start.Unix() != q.Start || got.Ends.Unix() != q.Deadline {
				t.Errorf("pool %d, withdrawal %d: %+v", w.PID, i, got)
			}
		}
	}
	// Who signs besides the owner: once, with what he has, and whether he may.
	if ops := v.Pool(1).Operators; len(ops) != 1 || ops[0].Address != signer || ops[0].Free != fleet.NewAmount(492990000000) || ops[0].Proxy == nil || *ops[0].Proxy {
		t.Errorf("%+v", ops)
	}
	if ops := v.Pool(2).Operators; len(ops) != 0 {
		t.Errorf("the owner himself is no operator: %+v", ops)
	}
	if len(v.Workers) != 6 || len(v.Others) != 0 || !slices.IsSortedFunc(v.Workers, func(a, b fleet.ChainWorker) int { return strings.Compare(a.Key, b.Key) }) {
		t.Errorf("%d workers", len(v.Workers))
	}
	if node.most > 2 {
		t.Errorf("%d requests at once", node.most)
	}

	// The metadata of a runtime is asked for once.
	before := node.asked["state_getMetadata"]
	node.read(t, &runtimes, ask)
	if before != 1 || node.asked["state_getMetadata"] != 1 {
		t.Errorf("metadata was asked for %d times", node.asked["state_getMetadata"])
	}
	node.spec++
	if v := node.read(t, &runtimes, ask).View; v.Spec != 1242 || node.asked["state_getMetadata"] != 2 {
		t.Errorf("after an upgrade: spec %d, metadata was asked for %d times", v.Spec, node.asked["state_getMetadata"])
	}
}

// TestLedgerOfOurs: of the network's part that is ours the small read says what the whole one says, for fewer values; whoever is not ours
// stays out, unless everybody was asked for.
func TestLedgerOfOurs(t *testing.T) {
	node := rhala(t)
	var runtimes substrate.Runtimes
	everybody := node.read(t, &runtimes, LedgerAsk{Network: "rhala", Whole: true, Others: true, Pools: map[uint64][]string{1: nil}}).View
	if len(everybody.Workers) != 4 || len(everybody.Others) != 7 {
		t.Fatalf("%d workers and %d others", len(everybody.Workers), len(everybody.Others))
	}
	other := everybody.Others[slices.IndexFunc(everybody.Others, func(w fleet.ChainWorker) bool { return w.PID == 2 })]
	registered := "8a9563b80a955718abb68b16665024b5143302d2a835ff4fce20593a01c58440" // in no pool any more, or never
	unknown := strings.Repeat("ab", 32)
	ask := LedgerAsk{Network: "rhala", Whole: true, Pools: map[uint64][]string{1: nil}, Workers: []string{other.Key, registered, unknown, "0x" + unknown, "none"}}
	whole := node.read(t, &runtimes, ask)
	ask.Whole = false
	part := node.read(t, &runtimes, ask)
	if len(whole.View.Pools) != 2 || whole.View.Pool(2) == nil {
		t.Errorf("the pool that a worker of ours is in is not there: %+v", whole.View.Pools)
	}
	for _, compare := range []struct {
		what     string
		got, all any
	}{{"pools", part.View.Pools, whole.View.Pools}, {"workers", part.View.Workers, whole.View.Workers}} {
		if diff := cmp.Diff(compare.all, compare.got, cmp.Comparer(sameAmount)); diff != "" {
			t.Errorf("%s (-whole +part):\n%s", compare.what, diff)
		}
	}
	if got := part.View.Totals; part.View.Whole || got.Pools != 5 || got.Online != whole.View.Totals.Online || len(part.Rewards) >= len(whole.Rewards) {
		t.Errorf("totals of a part: %+v", got)
	}
	w := whole.View.Worker(other.Key)
	if diff := cmp.Diff(&other, w, cmp.Comparer(sameAmount)); diff != "" {
		t.Error(diff)
	}
	if w := whole.View.Worker(unknown); w == nil || w.Registered || w.State != "Unknown" || w.Pool || w.V != "" {
		t.Errorf("a key that the chain does not know: %+v", w)
	}
	if w := whole.View.Worker(registered); w == nil || !w.Registered || w.Operator != "43tXcmhJfmvbczKaPKgWXirf3a9r6zD63KAxHq4CTSPm4DRf" || w.Confidence != 128 || w.Score != 2634 {
		t.Errorf("%+v", w)
	}
	if none := node.read(t, &runtimes, LedgerAsk{Network: "rhala"}).View; len(none.Pools)+len(none.Workers) > 0 || none.Totals.Online == 0 {
		t.Errorf("of nothing: %+v", none)
	}
}

// TestLedgerFails: a read that cannot be finished says why and gives nothing.
func TestLedgerFails(t *testing.T) {
	for _, method := range []string{"chain_getFinalizedHead", "chain_getHeader", "state_getRuntimeVersion", "state_getMetadata", "state_queryStorageAt", "state_getStorageHash"} {
		node := rhala(t)
		node.fail = method
		_, err := Ledger(substrate.New("http://127.0.0.1:9944", node), &substrate.Runtimes{}).Read(t.Context(), LedgerAsk{Network: "rhala", Whole: true})
		if fleet.ReasonOf(err).Code == "" {
			t.Errorf("%s fails: %v", method, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Ledger(substrate.New("http://127.0.0.1:9944", rhala(t)), &substrate.Runtimes{}).Read(ctx, LedgerAsk{Network: "rhala", Whole: true}); err == nil {
		t.Error("a read went on after its end")
	}
}
