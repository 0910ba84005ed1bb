package phala

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"phalops/internal/fleet"
	"phalops/internal/substrate"
)

// A lean read of the whole chain has the same sessions, pools and sums as a full one, for half of the requests' keys.
func TestLeanIsTheSame(t *testing.T) {
	full, n := rhalaState(t, Want{})
	asked := n.asked
	lean, m := rhalaState(t, Want{Lean: true})
	if m.asked >= asked {
		t.Errorf("it asked for %d values, a full read for %d", m.asked, asked)
	}
	if len(lean.Checks)+len(lean.Claims)+len(lean.Stakers) > 0 {
		t.Errorf("%d checks, %d claims, %d stakers", len(lean.Checks), len(lean.Claims), len(lean.Stakers))
	}
	is, want := lean.Totals(), full.Totals()
	is.Bound, is.BoundBy, is.LostStake, is.Shares, is.Claimable = want.Bound, want.BoundBy, want.LostStake, want.Shares, want.Claimable
	if diff := cmp.Diff(want, is, cmp.Comparer(func(a, b fleet.Amount) bool { return a == b })); diff != "" {
		t.Errorf("-full +lean:\n%s", diff)
	}
	if want.OnlineV.Cmp(want.V) >= 0 || want.OnlineV.IsZero() {
		t.Errorf("V of those online is %s, of all %s", want.OnlineV, want.V)
	}
	for i, p := range lean.Pools {
		q := full.Pools[i]
		if p.ID != q.ID || p.Free != q.Free || p.Releasing != q.Releasing || p.OwnerGas != q.OwnerGas || len(p.Sessions) != len(q.Sessions) {
			t.Errorf("pool %d: %+v, want %+v", p.ID, p, q)
		}
		for j, s := range p.Sessions {
			if o := q.Sessions[j]; s.Account != o.Account || s.Reward != o.Reward || s.Stake != o.Stake || s.Worker.Confidence != o.Worker.Confidence {
				t.Errorf("pool %d, session %d: %+v, want %+v", p.ID, j, s, o)
			}
		}
	}
}

// Without pools and workers a part is the chain's own numbers, not the whole chain.
func TestPartOfNothing(t *testing.T) {
	s, n := rhalaState(t, Want{Part: true})
	if s.Whole || len(s.Sessions)+len(s.Pools)+len(s.Workers) > 0 || s.Online == 0 || s.Now.IsZero() || n.asked > 20 {
		t.Errorf("%d values asked for: %+v", n.asked, s)
	}
	md := metadata(t, "phala-1291")
	if count, err := PoolCount(t.Context(), n.snapshot(), md); err != nil || count != 5 {
		t.Errorf("%d pools: %v", count, err)
	}
}

func account(b byte) (a Account) {
	for i := range a {
		a[i] = b
	}
	return a
}

// Who signs for whom, and what he can pay with, comes out of every real runtime.
func TestSigners(t *testing.T) {
	owner, free, later, pools, votes, none := account(1), account(2), account(3), account(4), account(5), account(6)
	for _, name := range []string{"khala-1080", "khala-1190", "khala-1200", "khala-1241", "phala-1250", "phala-1291"} {
		md := metadata(t, name)
		n := newNode()
		delegate := func(a Account, sort string, delay int) map[string]any {
			return map[string]any{"delegate": a[:], "proxy_type": sort, "delay": delay}
		}
		n.put(t, md, "Proxy", "Proxies", []any{[]any{
			delegate(free, "Any", 0), delegate(later, "Any", 10), delegate(pools, "StakePoolManager", 0), delegate(votes, "Governance", 0),
		}, "1000"}, owner[:])
		frozen := map[string]any{"free": "5000000000000", "reserved": "7", "misc_frozen": "1", "fee_frozen": "2000000000000"}
		if _, err := (must(md.Entry("System", "Account"))).Value.Append(nil, accountOf(frozen)); err != nil {
			frozen = map[string]any{"free": "5000000000000", "reserved": "7", "frozen": "2000000000000", "flags": "1"}
		}
		n.put(t, md, "System", "Account", accountOf(frozen), free[:])

		got, err := Proxies(t.Context(), n.snapshot(), md, []Account{owner, none})
		if err != nil || len(got) != 1 || !slices.Equal(got[owner], []Account{free, pools}) {
			t.Errorf("%s: %x, %v", name, got, err)
		}
		gas, err := Gas(t.Context(), n.snapshot(), md, []Account{free, none})
		if err != nil || len(gas) != 1 || gas[free] != fleet.PHA(3) {
			t.Errorf("%s: %v, %v", name, gas, err)
		}
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func accountOf(data map[string]any) map[string]any {
	return map[string]any{"nonce": 1, "consumers": 0, "providers": 1, "sufficients": 0, "data": data}
}

// hashes is a node that tells hashes of what it stores, or refuses to.
type hashes struct {
	*node
	refuses bool
}

func (h hashes) Post(ctx context.Context, url, sort string, body []byte) (int, []byte, error) {
	var q struct {
		ID     uint64
		Method string
		Params []json.RawMessage
	}
	_ = json.Unmarshal(body, &q)
	if q.Method != "state_getStorageHash" {
		return h.node.Post(ctx, url, sort, body)
	}
	if h.refuses {
		return 200, fmt.Appendf(nil, `{"jsonrpc":"2.0","id":%d,"error":{"code":-32601,"message":"Method not found"}}`, q.ID), nil
	}
	var key string
	_ = json.Unmarshal(q.Params[0], &key)
	if _, ok := h.state[key]; !ok || string(q.Params[1]) != `"`+block+`"` {
		return 200, fmt.Appendf(nil, `{"jsonrpc":"2.0","id":%d,"result":null}`, q.ID), nil
	}
	return 200, fmt.Appendf(nil, `{"jsonrpc":"2.0","id":%d,"result":"0xabcd"}`, q.ID), nil
}

// An upgrade is found wherever the runtime keeps it: authorized by hash, alone or with a flag, or with its code on its way.
func TestUpgrade(t *testing.T) {
	hash := account(9)
	told := "0x0909090909090909090909090909090909090909090909090909090909090909"
	for _, name := range []string{"khala-1080", "khala-1190", "khala-1241", "phala-1291"} {
		md := metadata(t, name)
		var authorization any = hash[:]
		if md2 := must(md.Entry("ParachainSystem", "AuthorizedUpgrade")); md2.Value.String() != "H256" {
			authorization = map[string]any{"code_hash": hash[:], "check_version": true}
		}
		upgrade := func(n hashes) *fleet.RuntimeUpgrade {
			t.Helper()
			c := substrate.New("http://127.0.0.1:9944", n)
			got, err := Upgrade(t.Context(), c, c.Snapshot(block, substrate.SnapshotOptions{}), md)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			return got
		}
		n := hashes{node: newNode()}
		if got := upgrade(n); got != nil {
			t.Errorf("%s: nothing was scheduled: %+v", name, got)
		}
		n = hashes{node: newNode()}
		n.put(t, md, "ParachainSystem", "AuthorizedUpgrade", authorization)
		if got := upgrade(n); got == nil || *got != (fleet.RuntimeUpgrade{Hash: told, At: "authorized"}) {
			t.Errorf("%s: %+v", name, got)
		}
		n.put(t, md, "ParachainSystem", "PendingValidationCode", []byte("code"))
		if got := upgrade(n); got == nil || *got != (fleet.RuntimeUpgrade{Hash: "0xabcd", At: "pending"}) {
			t.Errorf("%s: %+v", name, got)
		}
		n.refuses = true
		if got := upgrade(n); got == nil || got.At != "authorized" {
			t.Errorf("%s: from a node that tells no hashes: %+v", name, got)
		}
	}
}
