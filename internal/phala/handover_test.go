package phala

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"golang.org/x/crypto/blake2b"

	"phalops/internal/fleet"
	"phalops/internal/substrate/scale"
	"phalops/internal/testkit"
)

// alice is the account of the well-known development phrase.
func alice(t testing.TB) Account {
	t.Helper()
	a, err := ParseAccount("5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY")
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// TestHandoverCalls: one order is the call itself, by the numbers of its runtime. They differ from runtime to runtime: what starts a
// worker on one does something else on another.
func TestHandoverCalls(t *testing.T) {
	worker := Key{0xab, 31: 0xcd}
	none := byte(255)
	for name, want := range map[string]struct {
		pallet string
		index  byte
		calls  [6]byte // add, remove, start, stop, reclaim, restart
	}{
		"khala-1080": {"PhalaStakePool", 88, [6]byte{1, 2, 8, 9, 10, none}},
		"khala-1130": {"PhalaStakePool", 88, [6]byte{1, 2, 8, 9, 10, 13}},
		"khala-1190": {"PhalaStakePool", 88, [6]byte{1, 2, 14, 15, 16, 19}},
		"khala-1200": {"PhalaStakePoolv2", 93, [6]byte{1, 2, 18, 19, 20, 22}},
		"khala-1241": {"PhalaStakePoolv2", 93, [6]byte{1, 2, 13, 14, 15, 17}},
		"phala-1291": {"PhalaStakePoolv2", 89, [6]byte{1, 2, 13, 14, 15, 17}},
	} {
		md := metadata(t, name)
		for i, action := range []Action{AddWorker, RemoveWorker, StartWorker, StopWorker, ReclaimWorker, RestartWorker} {
			got, err := Handover(md, Account{}, []Order{{Action: action, Pool: 258, Worker: worker, Stake: fleet.PHA(1)}})
			if want.calls[i] == none {
				if r := fleet.ReasonOf(err); r.Code != "phala.no_call" || r.Args["call"] != "PhalaStakePool.restart_mining" || r.Args["runtime"] != "khala/1080" {
					t.Errorf("%s has no restart: %v", name, err)
				}
				continue
			}
			if err != nil || len(got) != 1 {
				t.Errorf("%s %s: %d batches, %v", name, action, len(got), err)
				continue
			}
			data := fmt.Sprintf("0x%02x%02x0201000000000000ab%scd", want.index, want.calls[i], strings.Repeat("00", 30))
			if action == StartWorker || action == RestartWorker {
				data += "0010a5d4e80000000000000000000000" // 10¹², little-endian
			}
			c := got[0].Call
			if c.Data != data || c.Pallet != want.pallet || got[0].Proxied != nil || got[0].Runtime != strings.Replace(name, "-", "/", 1) || !strings.HasSuffix(name, fmt.Sprint(got[0].Spec)) {
				t.Errorf("%s %s: %s %s.%s is %s, want %s", name, action, got[0].Runtime, c.Pallet, c.Name, c.Data, data)
			}
			raw, err := hex.DecodeString(c.Data[2:])
			if sum := blake2b.Sum256(raw); err != nil || c.Hash != fmt.Sprintf("0x%x", sum) {
				t.Errorf("%s: the hash is %s, %v", name, c.Hash, err)
			}
		}
	}
}

// TestHandoverBatches: many orders keep their order, are cut into batches, and proxies sign the same.
func TestHandoverBatches(t *testing.T) {
	md := metadata(t, "khala-1241")
	var orders []Order
	for i := range 2*MaxBatch + 1 {
		orders = append(orders, Order{Action: StopWorker, Pool: uint64(i % 3), Worker: Key{byte(i)}})
	}
	got, err := Handover(md, alice(t), orders)
	if err != nil || len(got) != 3 {
		t.Fatal(len(got), err)
	}
	var all []Order
	for i, b := range got {
		all = append(all, b.Orders...)
		if want := []string{"batch_all", "batch_all", "stop_computing"}[i]; b.Call.Name != want || len(b.Orders) > MaxBatch {
			t.Errorf("batch %d is %s of %d", i, b.Call.Name, len(b.Orders))
		}
		var proxied struct {
			Real  struct{ ID string }
			Force any `json:"force_proxy_type"`
			Call  map[string]map[string]any
		}
		if err := json.Unmarshal(b.Proxied.Args, &proxied); err != nil || proxied.Real.ID != "45R2pfjQUW2s9PQRHU48HQKLKHVMaDja7N3wpBtmF28UYDs2" || proxied.Force != nil {
			t.Errorf("%v: %s", err, b.Proxied.Args)
		}
		if !strings.HasSuffix(b.Proxied.Data, b.Call.Data[2:]) || proxied.Call[b.Call.Pallet][b.Call.Name] == nil {
			t.Errorf("batch %d: the proxy signs something else: %s", i, b.Proxied.Args)
		}
	}
	if !slices.Equal(all, orders) {
		t.Error("the orders were changed")
	}
	var args struct {
		Calls []map[string]map[string]struct {
			Pid    uint64
			Worker Key
		}
	}
	if err := json.Unmarshal(got[1].Call.Args, &args); err != nil || len(args.Calls) != MaxBatch || args.Calls[3]["PhalaStakePoolv2"]["stop_computing"].Pid != 53%3 {
		t.Errorf("%v: %.300s", err, got[1].Call.Args)
	}
}

// TestHandoverRefuses: orders that make no call.
func TestHandoverRefuses(t *testing.T) {
	md := metadata(t, "khala-1190")
	for code, orders := range map[string][]Order{
		"phala.no_orders": nil,
		"phala.no_stake":  {{Action: StopWorker}, {Action: StartWorker}},
		"phala.no_action": {{Action: "mine"}},
	} {
		if got, err := Handover(md, alice(t), orders); fleet.ReasonOf(err).Code != code || fleet.KindOf(err) != fleet.Invalid || got != nil {
			t.Errorf("%s: %v %v", code, got, err)
		}
	}
	if _, err := Handover(&scale.Metadata{}, alice(t), []Order{{Action: StopWorker}}); fleet.ReasonOf(err).Code != "phala.other_chain" {
		t.Error(err)
	}
	if _, err := CallOf(md, []byte{255, 0}); err == nil {
		t.Error("a pallet that there is not")
	}
}

// TestHandoverAsPolkadotJSMakesIt: the stock client, given the same orders, makes the same bytes, in every era.
func TestHandoverAsPolkadotJSMakesIt(t *testing.T) {
	type chain struct {
		Metadata string    `json:"metadata"`
		Owner    string    `json:"owner"`
		Batches  [][]Order `json:"batches"`
	}
	var chains []chain
	var got [][]Batch
	for _, name := range []string{"khala-1080", "khala-1130", "khala-1190", "khala-1241"} {
		worker := func(i byte) Key { return Key{i, 2: 0xff, 31: i} }
		lists := [][]Order{
			{{Action: AddWorker, Pool: 1<<53 - 1, Worker: worker(1)}},
			{{Action: StartWorker, Pool: 0, Worker: worker(2), Stake: fleet.PHA(18_000_000_000)}},
			{{Action: StopWorker, Pool: 7, Worker: worker(3)}},
			{{Action: ReclaimWorker, Pool: 7, Worker: worker(4)}},
			{{Action: RemoveWorker, Pool: 7, Worker: worker(5)}},
			{{Action: AddWorker, Pool: 8, Worker: worker(6)}, {Action: StartWorker, Pool: 8, Worker: worker(6), Stake: fleet.NewAmount(1)}},
		}
		if name != "khala-1080" {
			lists = append(lists, []Order{{Action: RestartWorker, Pool: 9, Worker: worker(7), Stake: fleet.PHA(3000)}})
		}
		var many []Order
		for i := range byte(MaxBatch) {
			many = append(many, Order{Action: []Action{StopWorker, ReclaimWorker, RemoveWorker}[i%3], Pool: uint64(i), Worker: worker(i)})
		}
		lists = append(lists, many)
		md := metadata(t, name)
		var batches []Batch
		for _, orders := range lists {
			b, err := Handover(md, alice(t), orders)
			if err != nil || len(b) != 1 {
				t.Fatal(name, len(b), err)
			}
			batches = append(batches, b[0])
		}
		got = append(got, batches)
		chains = append(chains, chain{hex.EncodeToString(shared(t, "metadata", name+"-v14.scale.gz")), scale.Address(42, alice(t)), lists})
	}
	input, err := json.Marshal(chains)
	if err != nil {
		t.Fatal(err)
	}
	var want [][]struct{ Call, Hash, Proxied string }
	if err := json.Unmarshal(testkit.RunPolkadotJS(t, input, "testdata/handover.cjs"), &want); err != nil || len(want) != len(got) {
		t.Fatal(err)
	}
	for i := range got {
		for j, b := range got[i] {
			if w := want[i][j]; b.Call.Data != w.Call || b.Call.Hash != w.Hash || b.Proxied.Data != w.Proxied {
				t.Errorf("%s %s of %d orders: %.200s, the stock client makes %.200s", b.Runtime, b.Call.Name, len(b.Orders), b.Call.Data, w.Call)
			}
		}
	}
}
