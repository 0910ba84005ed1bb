package wire

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"phalops/internal/sim/world"
)

// rpc asks a handler one thing and gives the result or the error object as text.
func rpc(t *testing.T, h http.Handler, method, params string) string {
	t.Helper()
	body := ask(h, fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":%q,"params":[%s]}`, method, params)).Body.Bytes()
	var reply struct{ Result, Error json.RawMessage }
	if err := json.Unmarshal(body, &reply); err != nil {
		t.Fatalf("%s: %s", method, body)
	}
	if reply.Error != nil {
		return string(reply.Error)
	}
	return string(reply.Result)
}

// Keys and hashes as the chain reference has them: the hashers are right or nothing is found.
func TestWellKnownKeys(t *testing.T) {
	for want, got := range map[string][]byte{
		"0xf0c365c3cf59d671eb72da0e7a4113c49f1f0515f462cdcf84e0f1d6045dfcbb":                                                                                                 storagePrefix("Timestamp", "Now"),
		"0x26aa394eea5630e07c48ae0c9558cef702a5c1b19ab7a04f536c519aca4983ac":                                                                                                 storagePrefix("System", "Number"),
		"0x26aa394eea5630e07c48ae0c9558cef7b99d880ec681799c0cf30e8886371da94f9aea1afa791265fae359272badc1cf8eaf04151687736326c9fea17e25fc5287613693c912909cb226aa4794f26a48": accountKey(world.Bob()),
	} {
		if hexOf(got) != want {
			t.Errorf("%x, want %s", got, want)
		}
	}
}

func accountKey(id world.AccountID) []byte {
	return append(storagePrefix("System", "Account"), blake2_128Concat(id[:])...)
}

func TestStateMethods(t *testing.T) {
	h, c, w := nodeHandler(t, (*world.Node).Para)
	c.Advance(time.Minute)
	chain := w.Node("node-1").Network.Para
	now, number := `"`+hexOf(storagePrefix("Timestamp", "Now"))+`"`, `"`+hexOf(storagePrefix("System", "Number"))+`"`
	bob, absent := `"`+hexOf(accountKey(world.Bob()))+`"`, `"0x`+strings.Repeat("11", 48)+`"`
	at := `"` + chain.Hash(3_000_001) + `"`
	unknown := `"0x` + strings.Repeat("ab", 32) + `"`
	future := `"` + chain.Hash(3_000_006) + `"`
	for _, tc := range []struct{ method, params, want string }{
		{"state_getStorage", number, `"0xc5c62d00"`},
		{"state_getStorage", number + "," + at, `"0xc1c62d00"`},
		{"state_getStorage", absent, `null`},
		{"state_getStorage", number + "," + unknown, `{"code":4003,"message":"Client error: UnknownBlock: Header was not found in the database: 0x` + strings.Repeat("ab", 32) + `"}`},
		{"state_getStorage", number + "," + future, `{"code":4003,`},
		{"state_getStorage", `"not-hex"`, `{"code":-32602,`},
		{"state_getStorage", ``, `{"code":-32602,`},
		{"state_getStorageSize", bob, `80`},
		{"state_getRuntimeVersion", unknown, `{"code":4003,`},
		{"state_getMetadata", ``, `"0x6d6574610e`},
		{"state_getKeysPaged", `"0x",1001`, `{"code":4002,"message":"count exceeds maximum value. value: 1001, max: 1000"}`},
		{"state_getKeysPaged", `"0x26aa394eea5630e07c48ae0c9558cef7b99d880ec681799c0cf30e8886371da9",1`, `["` + hexOf(accountKey(world.Bob()))},
		{"state_getKeysPaged", `"0x26aa394eea5630e07c48ae0c9558cef7b99d880ec681799c0cf30e8886371da9",5,"0x26aa394eea5630e07c48ae0c9558cef7b99d880ec681799c0cf30e8886371da9de"`, `["` + hexOf(accountKey(world.Alice()))},
		{"state_getKeysPaged", `"0x42cbe4fedfc209225dad817c6d03820e",10,null,` + at, `[]`},
		{"state_getKeysPaged", `"0x",10,null,` + unknown, `{"code":4003,`},
		{"state_queryStorageAt", `[` + number + `,` + absent + `,` + number + `],` + at, `[{"block":` + at + `,"changes":[[` + number + `,"0xc1c62d00"],[` + absent + `,null]]}]`},
		{"state_queryStorageAt", `[],` + at, `[]`},
		{"state_queryStorageAt", `[` + now + `],` + unknown, `{"code":4001,"message":"Cannot resolve a block range [`},
		{"chain_getBlock", unknown, `null`},
		{"chain_getBlock", at, `{"block":{"header":{"parentHash":"` + chain.Hash(3_000_000) + `","number":"0x2dc6c1"`},
	} {
		if got := rpc(t, h, tc.method, tc.params); !strings.HasPrefix(got, tc.want) {
			t.Errorf("%s(%s): %.300s, want %s", tc.method, tc.params, got, tc.want)
		}
	}
}

// Paging reaches every key once, also where pages are exactly full.
func TestPagingReachesEveryKey(t *testing.T) {
	h, _, w := nodeHandler(t, (*world.Node).Para)
	chain := w.Node("node-1").Network.Para
	for i := range 1996 {
		chain.SetAccount(world.AccountID{byte(i), byte(i >> 8), 1}, world.Account{Free: uint64(i)})
	}
	const prefix = `"0x26aa394eea5630e07c48ae0c9558cef7b99d880ec681799c0cf30e8886371da9"`
	start, sizes := prefix, []int{} // as polkadot-js begins
	seen := map[string]bool{}
	for {
		var page []string
		if err := json.Unmarshal([]byte(rpc(t, h, "state_getKeysPaged", prefix+",1000,"+start)), &page); err != nil {
			t.Fatal(err)
		}
		sizes = append(sizes, len(page))
		for _, key := range page {
			seen[key] = true
		}
		if len(page) < 1000 {
			break
		}
		start = `"` + page[len(page)-1] + `"`
	}
	if len(seen) != 2000 || !slices.Equal(sizes, []int{1000, 1000, 0}) {
		t.Errorf("%d keys on pages of %v", len(seen), sizes)
	}
}

func TestRPCFaults(t *testing.T) {
	const syncState = `{"jsonrpc":"2.0","id":1,"method":"system_syncState","params":[]}`
	for _, tc := range []struct {
		kind, text string
		status     int
		want       string
	}{
		{world.RPCGarbage, "", 502, "<html>"},
		{world.RPCGarbage, world.GarbageTorn, 200, `{"jsonrpc":"2.0","result":{"peers":40,"isSyn`},
		{world.RPCGarbage, world.GarbageEmpty, 200, ``},
		{world.RPCGarbage, world.GarbageStranger, 200, `{"jsonrpc":"2.0","result":{"peers":40`},
		{world.RPCError, "", 200, `{"jsonrpc":"2.0","error":{"code":-32603,"message":"Internal error"},"id":1}`},
		{world.RPCError, "-32009 Server is busy", 200, `{"jsonrpc":"2.0","error":{"code":-32009,"message":"Server is busy"},"id":1}`},
		{world.RPCLie, "", 200, `{"jsonrpc":"2.0","result":{"startingBlock":3000000,"currentBlock":4000000,"highestBlock":4000000},"id":1}`},
		{world.RPCLie, "-50", 200, `{"jsonrpc":"2.0","result":{"startingBlock":3000000,"currentBlock":2999950,"highestBlock":3000000},"id":1}`},
	} {
		h, c, _ := nodeHandler(t, (*world.Node).Para, world.Fault{Kind: tc.kind, Target: "node-1", Chain: "para", Text: tc.text, For: time.Minute})
		c.Advance(time.Second)
		ask(h, health) // the world catches up
		if got := ask(h, syncState); got.Code != tc.status || !strings.HasPrefix(got.Body.String(), tc.want) || tc.want == "" && got.Body.Len() > 0 {
			t.Errorf("%s %s: %d %s", tc.kind, tc.text, got.Code, got.Body)
		}
		c.Advance(2 * time.Minute)
		if got := ask(h, health); got.Code != 200 || !strings.Contains(got.Body.String(), `"peers":40`) {
			t.Errorf("%s %s, healed: %d %s", tc.kind, tc.text, got.Code, got.Body)
		}
	}
	for _, f := range []world.Fault{{Kind: world.RPCGarbage, Text: "pdf"}, {Kind: world.RPCError, Text: "busy"}, {Kind: world.RPCLie, Text: "much"}, {Kind: world.RPCSlow}, {Kind: world.WSHalfOpen, Text: "x"}} {
		if f.Target = "node-1"; f.Check() == nil {
			t.Errorf("%+v is accepted", f)
		}
	}
}
