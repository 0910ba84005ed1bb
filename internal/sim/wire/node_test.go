package wire

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"phalops/internal/clock"
	"phalops/internal/sim/world"
)

func nodeHandler(t *testing.T, side func(*world.Node) *world.NodeChain, faults ...world.Fault) (http.Handler, *clock.Virtual, *world.World) {
	t.Helper()
	c := clock.NewVirtual(epoch)
	w := world.New(epoch, 1)
	world.DefaultFleet(w, world.FleetOptions{Workers: 2})
	if err := w.Apply(world.Scenario{Faults: faults}); err != nil {
		t.Fatal(err)
	}
	return newNodeHandler(NewFace(w, c), "node-1", side, speaksBoth, new(sync.WaitGroup)), c, w
}

func ask(h http.Handler, body string) *httptest.ResponseRecorder {
	q := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
	q.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, q)
	return w
}

func TestNodeTransport(t *testing.T) {
	h, _, _ := nodeHandler(t, (*world.Node).Para)
	const (
		health = `{"jsonrpc":"2.0","id":1,"method":"system_chain","params":[]}`
		khala  = `{"jsonrpc":"2.0","result":"Khala","id":1}`
		parse  = `{"jsonrpc":"2.0","error":{"code":-32700,"message":"Parse error"},"id":null}`
	)
	for _, tc := range []struct {
		name, method, content, body string
		status                      int
		wantType, want              string
	}{
		{"GET", "GET", "application/json", "", 405, "text/plain; charset=utf-8", "Used HTTP Method is not allowed. POST or OPTIONS is required\n"},
		{"no content type", "POST", "", health, 415, "text/plain; charset=utf-8", "Supplied content type is not allowed. Content-Type: application/json is required\n"},
		{"wrong content type", "POST", "text/plain", health, 415, "text/plain; charset=utf-8", "Supplied content type is not allowed. Content-Type: application/json is required\n"},
		{"charset", "POST", "application/json; charset=utf-8", health, 200, "application/json; charset=utf-8", khala},
		{"plain", "POST", "application/json", health, 200, "application/json; charset=utf-8", khala},
		{"no params", "POST", "application/json", `{"jsonrpc":"2.0","id":"a","method":"system_chain"}`, 200, "application/json; charset=utf-8", `{"jsonrpc":"2.0","result":"Khala","id":"a"}`},
		{"nothing", "POST", "application/json", "", 400, "application/json; charset=utf-8", parse},
		{"text", "POST", "application/json", `"x"`, 400, "application/json; charset=utf-8", parse},
		{"torn", "POST", "application/json", `{"jsonrpc":`, 200, "application/json; charset=utf-8", parse},
		{"torn batch", "POST", "application/json", `[{"jsonrpc":`, 200, "application/json; charset=utf-8", parse},
		{"no version", "POST", "application/json", `{"id":1,"method":"system_chain"}`, 200, "application/json; charset=utf-8", `{"jsonrpc":"2.0","error":{"code":-32600,"message":"Invalid request"},"id":1}`},
		{"method is a number", "POST", "application/json", `{"jsonrpc":"2.0","id":1,"method":1}`, 200, "application/json; charset=utf-8", `{"jsonrpc":"2.0","error":{"code":-32600,"message":"Invalid request"},"id":null}`},
		{"empty batch", "POST", "application/json", `[]`, 200, "application/json; charset=utf-8", `{"jsonrpc":"2.0","error":{"code":-32600,"message":"Invalid request"},"id":null}`},
		{"batch", "POST", "application/json", `[` + health + `,{"jsonrpc":"2.0","id":2,"method":"nope"}]`, 200, "application/json; charset=utf-8", `[` + khala + `,{"jsonrpc":"2.0","error":{"code":-32601,"message":"Method not found"},"id":2}]`},
		{"unsafe", "POST", "application/json", `{"jsonrpc":"2.0","id":1,"method":"system_peers","params":[]}`, 200, "application/json; charset=utf-8", `{"jsonrpc":"2.0","error":{"code":-32601,"message":"RPC call is unsafe to be called externally"},"id":1}`},
		{"subscription", "POST", "application/json", `{"jsonrpc":"2.0","id":1,"method":"chain_subscribeNewHeads","params":[]}`, 200, "application/json; charset=utf-8", `{"jsonrpc":"2.0","error":{"code":-32603,"message":"Internal error"},"id":1}`},
		{"bad parameter", "POST", "application/json", `{"jsonrpc":"2.0","id":1,"method":"chain_getHeader","params":["0x12"]}`, 200, "application/json; charset=utf-8", `{"jsonrpc":"2.0","error":{"code":-32602,"message":"Invalid params"},"id":1}`},
		{"params are no list", "POST", "application/json", `{"jsonrpc":"2.0","id":1,"method":"chain_getHeader","params":5}`, 200, "application/json; charset=utf-8", `{"jsonrpc":"2.0","error":{"code":-32602,"message":"Invalid params"},"id":1}`},
	} {
		q := httptest.NewRequest(tc.method, "/", strings.NewReader(tc.body))
		if tc.content != "" {
			q.Header.Set("Content-Type", tc.content)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, q)
		if w.Code != tc.status || w.Header().Get("Content-Type") != tc.wantType || w.Body.String() != tc.want {
			t.Errorf("%s: %d %s %q, want %d %s %q", tc.name, w.Code, w.Header().Get("Content-Type"), w.Body, tc.status, tc.wantType, tc.want)
		}
	}
}

func TestNodeMethods(t *testing.T) {
	h, c, _ := nodeHandler(t, (*world.Node).Para)
	c.Advance(time.Minute) // five blocks
	hash, _ := regexp.Compile(`^"0x[0-9a-f]{64}"$`)
	for _, tc := range []struct{ method, params, want string }{
		{"system_health", ``, `^{"peers":40,"isSyncing":false,"shouldHavePeers":true}$`},
		{"system_syncState", ``, `^{"startingBlock":3000000,"currentBlock":3000005,"highestBlock":3000005}$`},
		{"system_name", ``, `^"Phala Node"$`},
		{"system_version", ``, `^"0\.1\.\d+-[0-9a-f]+-x86_64-linux-gnu"$`},
		{"system_properties", ``, `^{"ss58Format":30,"tokenDecimals":12,"tokenSymbol":"PHA"}$`},
		{"system_nodeRoles", ``, `^\["Full"\]$`},
		{"system_localPeerId", ``, `^"12D3KooW[1-9A-HJ-NP-Za-km-z]{44}"$`},
		{"chain_getHeader", ``, `^{"parentHash":"0x[0-9a-f]{64}","number":"0x2dc6c5","stateRoot":"0x[0-9a-f]{64}","extrinsicsRoot":"0x[0-9a-f]{64}","digest":{"logs":\["0x06617572612[0-9a-f]+"\]}}$`},
		{"chain_getBlockHash", `null`, hash.String()},
		{"chain_getBlockHash", `3000001`, hash.String()},
		{"chain_getBlockHash", `"0x2dc6c1"`, hash.String()},
		{"chain_getBlockHash", `3000006`, `^null$`},
		{"chain_getBlockHash", `[0,9999999]`, `^\["0x[0-9a-f]{64}",null\]$`},
		{"chain_getHeader", `"0x` + strings.Repeat("ab", 32) + `"`, `^null$`},
		{"chain_getFinalizedHead", ``, hash.String()},
		{"state_getRuntimeVersion", ``, `"specName":"khala".*"specVersion":1241`},
		{"rpc_methods", ``, `^{"version":1,"methods":\["chain_getBlock","chain_getBlockHash".*"system_version","unsubscribe_newHead"\]}$`},
	} {
		w := ask(h, fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":"%s","params":[%s]}`, tc.method, tc.params))
		var reply struct{ Result json.RawMessage }
		if err := json.Unmarshal(w.Body.Bytes(), &reply); err != nil || !regexp.MustCompile(tc.want).Match(reply.Result) {
			t.Errorf("%s(%s): %s, want %s", tc.method, tc.params, w.Body, tc.want)
		}
	}
}

func TestHeadersHangTogether(t *testing.T) {
	for _, side := range []func(*world.Node) *world.NodeChain{(*world.Node).Para, (*world.Node).Relay} {
		h, _, _ := nodeHandler(t, side)
		result := func(method, params string, into any) {
			t.Helper()
			if err := json.Unmarshal(ask(h, `{"jsonrpc":"2.0","id":1,"method":"`+method+`","params":[`+params+`]}`).Body.Bytes(), &struct{ Result any }{into}); err != nil {
				t.Fatal(err)
			}
		}
		var finalized string
		result("chain_getFinalizedHead", "", &finalized)
		var child, parent header
		result("chain_getHeader", `"`+finalized+`"`, &child)
		result("chain_getHeader", `"`+child.ParentHash+`"`, &parent)
		var again string
		result("chain_getBlockHash", `"`+parent.Number+`"`, &again)
		if again != child.ParentHash || parent.Number >= child.Number {
			t.Errorf("%s: the parent of %s (%s) is %s (%s, by number %s)", finalized, child.Number, child.ParentHash, parent.Number, parent.ParentHash, again)
		}
	}
}

func TestNodeFaultsOnTheWire(t *testing.T) {
	h, c, w := nodeHandler(t, (*world.Node).Relay, world.Fault{Kind: world.NodeStall, Target: "node-1", Chain: "relay"})
	c.Advance(time.Second)
	ask(h, health)
	before := ask(h, strings.Replace(health, "health", "syncState", 1)).Body.String()
	c.Advance(10 * time.Minute)
	if after := ask(h, strings.Replace(health, "health", "syncState", 1)).Body.String(); after != before || !strings.Contains(after, `"highestBlock":16400000`) {
		t.Errorf("stalled: %s, then %s", before, after)
	}
	w.Node("node-1").OmitsTarget = true
	if got := ask(h, strings.Replace(health, "health", "syncState", 1)).Body.String(); strings.Contains(got, "highestBlock") {
		t.Errorf("an old build: %s", got)
	}
	w.Node("node-1").UnsafeRPC = true
	if got := ask(h, strings.Replace(health, "health", "peers", 1)).Body.String(); strings.Count(got, `"bestNumber":1640000`)+strings.Count(got, `"bestNumber":1639999`) != 40 { // it does not see what it misses
		t.Errorf("peers: %s", got)
	}
}

func FuzzNodeRPC(f *testing.F) {
	for _, s := range []string{health, "[" + health + "]", "[]", "{}", `{"jsonrpc":"2.0","id":1,"method":"chain_getBlockHash","params":[["0x1",-1,1e9,{}]]}`, `{"jsonrpc":"2.0","id":{},"method":"x"}`, "[1,null]"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		h, _, _ := nodeHandler(t, (*world.Node).Para)
		w := ask(h, string(body))
		if w.Body.Len() > 0 && !json.Valid(w.Body.Bytes()) {
			t.Errorf("%q is answered with %q", body, w.Body)
		}
		if w.Code != http.StatusOK && w.Code != http.StatusBadRequest {
			t.Errorf("%q: status %d", body, w.Code)
		}
	})
}

func FuzzMonitor(f *testing.F) {
	for _, s := range []string{`{}`, `[]`, `{"workers":[{"pid":83,"name":"x"},null,"ab",5]}`, `{"ids":"abc"}`, `{"items":[{"id":{"pid":-1e400},"worker":{"deleted":"false"}}]}`,
		`{"items":[{"id":{"pid":"83"},"pool":{"deleted":1}}]}`, `{"pools":[{"pid":1.5,"name":"p","owner":{"mnemonic":"foo bar"}}]}`, `{"pools":{"length":2}}`} {
		for i := range uint8(6) {
			f.Add(i, []byte(s))
		}
	}
	methods := []string{"CreateWorker", "UpdateWorker", "CreatePool", "UpdatePool", "RestartWorker", "GetWorkerStatus"}
	f.Fuzz(func(t *testing.T, method uint8, body []byte) {
		w := world.New(epoch, 1)
		world.DefaultFleet(w, world.FleetOptions{Workers: 2})
		h := newMonitorHandler(t.Context(), NewFace(w, clock.NewVirtual(epoch)), "prb-a", Options{Latency: 1})
		path := "/ptp/proxy/" + w.Bridge("prb-a").LifecyclePeer + "/" + methods[int(method)%len(methods)]
		q := httptest.NewRequest(http.MethodPost, path, strings.NewReader(string(body)))
		q.Header.Set("Content-Type", "application/json")
		r := httptest.NewRecorder()
		h.ServeHTTP(r, q)
		switch {
		case r.Code == http.StatusOK:
			var reply struct {
				HasError *bool
				Meta     any
			}
			if err := json.Unmarshal(r.Body.Bytes(), &reply); err != nil || reply.HasError == nil {
				t.Errorf("%q: %s", body, r.Body)
			}
		case r.Code != http.StatusBadRequest && r.Code != http.StatusRequestEntityTooLarge:
			t.Errorf("%q: status %d", body, r.Code)
		}
	})
}
