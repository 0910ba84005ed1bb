package substrate

import (
	"bufio"
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"phalops/internal/fleet"
	"phalops/internal/substrate/scale"
	"phalops/internal/testkit"
)

// sharedFile opens a file of the shared data; tests are skipped without it, but fail under CI.
func sharedFile(t testing.TB, name ...string) io.Reader {
	t.Helper()
	return bytes.NewReader(testkit.Shared(t, append([]string{"data"}, name...)...))
}

// replay answers as a real Rhala node did: with the recorded body where the question was recorded, and otherwise, for keys and
// values that a client groups in its own way, from the recorded storage.
type replay struct {
	*fakeNode
	bodies   map[string]json.RawMessage // results, by method and parameters
	metadata json.RawMessage
	fetched  int // metadata
}

func recordedNode(t testing.TB) *replay {
	r := &replay{bodies: map[string]json.RawMessage{}}
	state := map[string]string{}
	lines := bufio.NewScanner(sharedFile(t, "replies", "substrate-rhala.jsonl"))
	lines.Buffer(nil, 8<<20)
	n := 0
	for lines.Scan() {
		n++
		var line struct {
			Name, Request string
			Response      struct{ Body string }
		}
		var request struct {
			Method string
			Params []json.RawMessage
		}
		var reply struct{ Result json.RawMessage }
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			t.Fatal(err)
		}
		if json.Unmarshal([]byte(line.Request), &request) != nil || json.Unmarshal([]byte(line.Response.Body), &reply) != nil || reply.Result == nil {
			continue
		}
		var hash string
		if k := len(request.Params); k > 0 {
			_ = json.Unmarshal(request.Params[k-1], &hash)
		}
		r.bodies[request.Method+fmt.Sprintf("%s", request.Params)] = reply.Result
		if request.Method != methodValues || hash != block {
			continue
		}
		var sets []struct{ Changes [][2]*string }
		if err := json.Unmarshal(reply.Result, &sets); err != nil {
			t.Fatal(line.Name, err)
		}
		for _, c := range sets[0].Changes {
			if c[1] != nil {
				state[*c[0]] = *c[1]
			}
		}
	}
	if n != 137 || len(state) < 100 {
		t.Fatalf("%d recordings, %d entries", n, len(state))
	}
	var body struct{ Result json.RawMessage }
	if err := json.NewDecoder(sharedFile(t, "replies", "substrate-rhala-state_getMetadata.json.gz")).Decode(&body); err != nil {
		t.Fatal(err)
	}
	r.metadata, r.fakeNode = body.Result, newFakeNode(state)
	return r
}

func (r *replay) Post(ctx context.Context, url, kind string, body []byte) (int, []byte, error) {
	var q struct {
		ID     uint64
		Method string
		Params []json.RawMessage
	}
	if err := json.Unmarshal(body, &q); err != nil {
		return 0, nil, err
	}
	result, ok := r.bodies[q.Method+fmt.Sprintf("%s", q.Params)]
	switch {
	case ok:
	case q.Method == "state_getMetadata":
		r.fetched++
		result = r.metadata
	case q.Method == "state_getRuntimeVersion": // recorded for the head only
		result = r.bodies["state_getRuntimeVersion[]"]
	default:
		return r.fakeNode.Post(ctx, url, kind, body)
	}
	return 200, fmt.Appendf(nil, `{"id":%d,"jsonrpc":"2.0","result":%s}`, q.ID, result), nil
}

type decoded struct {
	Block struct {
		Number Number
		Hash   string
	}
	SpecName    string `json:"spec_name"`
	SpecVersion uint32 `json:"spec_version"`
	Maps        map[string][]struct {
		StorageKey string `json:"storage_key"`
		Args       []any
		Value      any
	}
	Plain map[string]struct {
		StorageKey string `json:"storage_key"`
		Value      any
	}
	Totals map[string]any
}

func recordedTruth(t *testing.T) (d decoded) {
	dec := json.NewDecoder(sharedFile(t, "replies", "substrate-rhala.decoded.json"))
	dec.UseNumber()
	if err := dec.Decode(&d); err != nil {
		t.Fatal(err)
	}
	return d
}

func jsonValue(t *testing.T, text []byte, err error) any {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	v, err := scale.ParseValue(string(text))
	if err != nil {
		t.Fatal(err, string(text))
	}
	return v
}

// TestRealRuntime reads every recorded map of a real runtime, page by page, and gets what another decoder got.
func TestRealRuntime(t *testing.T) {
	node, truth := recordedNode(t), recordedTruth(t)
	c := New("http://127.0.0.1:9944", node)
	hash, err := c.FinalizedHead(t.Context())
	if err != nil || hash != truth.Block.Hash {
		t.Fatal(hash, err)
	}
	var runtimes Runtimes
	rt, err := runtimes.At(t.Context(), c, hash)
	if err != nil || rt.SpecName != truth.SpecName || rt.SpecVersion != truth.SpecVersion {
		t.Fatal(rt, err)
	}
	if again, err := runtimes.At(t.Context(), c, hash); err != nil || again != rt || node.fetched != 1 {
		t.Error("metadata was fetched again", node.fetched, err)
	}
	for _, page := range []int{10, 3, 1000} { // 10 is the recorder's, for some maps
		s := c.Snapshot(hash, SnapshotOptions{Page: page})
		for name, entries := range truth.Maps {
			pallet, item, _ := strings.Cut(name, ".")
			e, err := rt.Metadata.Entry(pallet, item)
			if err != nil {
				t.Fatal(err)
			}
			i := 0
			err = s.Pairs(t.Context(), e.Prefix(), func(p Pair) error {
				if i >= len(entries) {
					return fmt.Errorf("more than %d entries", i)
				}
				want := entries[i]
				i++
				if got := fmt.Sprintf("0x%x", p.Key); got != want.StorageKey {
					t.Errorf("%s: key %s, want %s", name, got, want.StorageKey)
				}
				keys, err := e.AppendKeys(nil, p.Key)
				if diff := cmp.Diff(any(want.Args), jsonValue(t, keys, err)); diff != "" {
					t.Errorf("%s: %s", name, diff)
				}
				value, err := e.Value.AppendJSON(nil, p.Value)
				if diff := cmp.Diff(want.Value, jsonValue(t, value, err)); diff != "" {
					t.Errorf("%s %v: %s", name, want.Args, diff)
				}
				return nil
			})
			if err != nil || i != len(entries) {
				t.Errorf("%s: %d of %d entries, %v", name, i, len(entries), err)
			}
		}
	}
	for name, want := range truth.Plain {
		pallet, item, _ := strings.Cut(name, ".")
		e, err := rt.Metadata.Entry(pallet, item)
		if err != nil {
			t.Fatal(err)
		}
		err = c.Snapshot(hash, SnapshotOptions{}).Values(t.Context(), [][]byte{e.Prefix()}, func(p Pair) error {
			raw, ok := e.Or(p.Value)
			if !ok {
				raw = []byte("null")
			} else if raw, err = e.Value.AppendJSON(nil, raw); err != nil {
				return err
			}
			if diff := cmp.Diff(want.Value, jsonValue(t, raw, nil)); diff != "" {
				t.Errorf("%s: %s", name, diff)
			}
			return nil
		})
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestRealCalls decodes the calls of a recorded block and encodes them again, to the byte.
func TestRealCalls(t *testing.T) {
	node := recordedNode(t)
	rt, err := new(Runtimes).At(t.Context(), New("http://127.0.0.1:9944", node), block)
	if err != nil {
		t.Fatal(err)
	}
	var body struct {
		Block struct{ Extrinsics []string }
	}
	if err := json.Unmarshal(node.bodies[fmt.Sprintf(`chain_getBlock["%s"]`, block)], &body); err != nil || len(body.Block.Extrinsics) < 2 {
		t.Fatal(body, err)
	}
	for i, text := range body.Block.Extrinsics {
		raw, err := hex.DecodeString(text[2:])
		if err != nil {
			t.Fatal(err)
		}
		raw = raw[1<<(raw[0]&3):] // its length
		if raw[0] != 4 {
			t.Fatalf("extrinsic %d is of format %d", i, raw[0])
		}
		at := slices.IndexFunc(rt.Metadata.Pallets, func(p *scale.Pallet) bool { return p.Index == raw[1] })
		pallet := rt.Metadata.Pallets[at]
		args, err := pallet.Calls.AppendJSON(nil, raw[2:])
		call, _ := jsonValue(t, args, err).(map[string]any)
		for name, args := range call {
			got, err := rt.Metadata.Call(pallet.Name, name, args.(map[string]any))
			if err != nil || !bytes.Equal(got, raw[1:]) {
				t.Errorf("%s.%s: %x, %v, want %x", pallet.Name, name, got, err, raw[1:])
			}
		}
		if len(call) != 1 || i == 0 && string(args) != `{"set":{"now":1796036882067}}` {
			t.Errorf("%s", args)
		}
	}
	batch, err := rt.Metadata.Call("Utility", "batch_all", map[string]any{"calls": []any{
		map[string]any{"System": map[string]any{"remark": map[string]any{"remark": "hi"}}},
		map[string]any{"Timestamp": map[string]any{"set": map[string]any{"now": 1}}},
	}})
	utility, _ := rt.Metadata.Pallet("Utility")
	remark, _ := rt.Metadata.Call("System", "remark", map[string]any{"remark": []byte("hi")})
	if want := fmt.Sprintf("%02x0208%x010004", utility.Index, remark); err != nil || fmt.Sprintf("%x", batch) != want {
		t.Errorf("%x, %v, want %s", batch, err, want)
	}
}

// TestRealTotals binds the same maps to Go structs and adds them up, exactly.
func TestRealTotals(t *testing.T) {
	node, truth := recordedNode(t), recordedTruth(t)
	c := New("http://127.0.0.1:9944", node)
	rt, err := new(Runtimes).At(t.Context(), c, block)
	if err != nil {
		t.Fatal(err)
	}
	s, got := c.Snapshot(block, SnapshotOptions{Page: 5}), map[string]any{}
	entry := func(pallet, item string) *scale.Entry {
		e, err := rt.Metadata.Entry(pallet, item)
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	plus := func(sum *scale.U128, v scale.U128) {
		var fits bool
		if *sum, fits = sum.Add(v); !fits {
			t.Error("overflow")
		}
	}
	type session struct {
		State       string
		V, Ve       scale.U128
		PInit       uint64     `scale:"benchmark.p_init"`
		PInstant    uint64     `scale:"benchmark.p_instant"`
		TotalReward scale.U128 `scale:"stats.total_reward"`
	}
	var sum session
	var reward scale.U128
	states := map[string]any{}
	machines := 0
	err = Each(t.Context(), s, entry("PhalaComputation", "Sessions"), func(_ *[32]byte, v *session) error {
		machines++
		n, _ := states[v.State].(json.Number)
		var k int
		_, _ = fmt.Sscan(string(n), &k)
		states[v.State] = json.Number(fmt.Sprint(k + 1))
		plus(&sum.V, v.V)
		plus(&sum.Ve, v.Ve)
		plus(&reward, v.TotalReward)
		sum.PInit += v.PInit
		sum.PInstant += v.PInstant
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	got["machines"], got["workers_by_state"] = json.Number(fmt.Sprint(machines)), states
	got["sum_v_bits"], got["sum_v"] = sum.V.String(), sum.V.Fixed64(12)
	got["sum_ve_bits"], got["sum_ve"] = sum.Ve.String(), sum.Ve.Fixed64(12)
	got["sum_p_init"], got["sum_p_instant"] = json.Number(fmt.Sprint(sum.PInit)), json.Number(fmt.Sprint(sum.PInstant))
	got["sum_total_reward"] = reward.String()

	var stake scale.U128
	var one fleet.Amount
	if err := Each(t.Context(), s, entry("PhalaComputation", "Stakes"), func(_ *[32]byte, v *scale.U128) error {
		plus(&stake, *v)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if err := Each(t.Context(), s, entry("PhalaComputation", "Stakes"), func(_ *[32]byte, v *fleet.Amount) error {
		one = *v
		return nil
	}); err != nil || one.PHA() == "0" {
		t.Fatal(one, err)
	}
	got["sum_stake"] = stake.String()
	for name, item := range map[string]string{"bound": "PhalaComputation.SessionBindings", "registered_workers": "PhalaRegistry.Workers"} {
		pallet, item, _ := strings.Cut(item, ".")
		n := 0
		if err := s.Pairs(t.Context(), entry(pallet, item).Prefix(), func(Pair) error { n++; return nil }); err != nil {
			t.Fatal(err)
		}
		got[name] = json.Number(fmt.Sprint(n))
	}
	poolTotals(t, s, entry, plus, got)
	for name, want := range truth.Totals {
		if slices.Contains([]string{"pools", "now_unix", "bound_by_state", "sum_queue_amount"}, name) {
			continue // joins, not sums
		}
		if diff := cmp.Diff(want, got[name]); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func poolTotals(t *testing.T, s *Snapshot, entry func(string, string) *scale.Entry, plus func(*scale.U128, scale.U128), got map[string]any) {
	type basepool struct {
		TotalValue, TotalShares scale.U128
		PoolAccountID           [32]byte `scale:"pool_account_id"`
	}
	type pool struct {
		StakePool *struct {
			Basepool           basepool
			OwnerRewardAccount [32]byte
		}
		Vault *struct{}
	}
	var value, shares, free, reward scale.U128
	counts := map[string]int{}
	type account struct{ Balance scale.U128 }
	balance := func(of [32]byte) scale.U128 {
		a, _, err := One[account](t.Context(), s, entry("Assets", "Account"), 10000, of)
		if err != nil {
			t.Fatal(err)
		}
		return a.Balance
	}
	err := Each(t.Context(), s, entry("PhalaBasePool", "Pools"), func(_ *uint64, p *pool) error {
		if p.Vault != nil {
			counts["vaults"]++
			return nil
		}
		counts["stake_pools"]++
		plus(&value, p.StakePool.Basepool.TotalValue)
		plus(&shares, p.StakePool.Basepool.TotalShares)
		plus(&free, balance(p.StakePool.Basepool.PoolAccountID))
		plus(&reward, balance(p.StakePool.OwnerRewardAccount))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	count, ok, err := One[uint64](t.Context(), s, entry("PhalaBasePool", "PoolCount"))
	if err != nil || !ok {
		t.Fatal(count, ok, err)
	}
	got["pool_count"] = json.Number(fmt.Sprint(count))
	got["vaults"], got["stake_pools"] = json.Number(fmt.Sprint(counts["vaults"])), json.Number(fmt.Sprint(counts["stake_pools"]))
	got["sum_pool_total_value"], got["sum_pool_total_shares"] = value.String(), shares.String()
	got["sum_free_stake"], got["sum_owner_reward"] = free.String(), reward.String()
}
