package wire

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"phalops/internal/sim/world"
)

// socket is a WebSocket connection to a node, as a test talks over it.
type socket struct {
	t    *testing.T
	conn *websocket.Conn
	next int
	news []notice // notifications that came before an answer
}

type notice struct {
	Method string
	Params struct {
		Subscription string
		Result       json.RawMessage
	}
}

func dial(t *testing.T, url string) *socket {
	t.Helper()
	conn, _, err := websocket.Dial(t.Context(), url, nil) //nolint:bodyclose // the body is the connection
	if err != nil {
		t.Fatal(err)
	}
	conn.SetReadLimit(-1)
	t.Cleanup(func() { _ = conn.CloseNow() })
	return &socket{t: t, conn: conn}
}

func (s *socket) read() []byte {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), 5*time.Second)
	defer cancel()
	_, body, err := s.conn.Read(ctx)
	if err != nil {
		s.t.Fatal(err)
	}
	return body
}

func (s *socket) send(text string) {
	s.t.Helper()
	if err := s.conn.Write(s.t.Context(), websocket.MessageText, []byte(text)); err != nil {
		s.t.Fatal(err)
	}
}

// ask calls a method and gives its result, or its error object.
func (s *socket) ask(method, params string) string {
	s.t.Helper()
	s.next++
	s.send(fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":%q,"params":[%s]}`, s.next, method, params))
	for {
		body := s.read()
		var reply struct {
			ID            *int
			Result, Error json.RawMessage
		}
		if err := json.Unmarshal(body, &reply); err != nil {
			s.t.Fatalf("%s: %s", err, body)
		}
		if reply.ID == nil {
			s.keep(body)
			continue
		}
		if reply.Error != nil {
			return string(reply.Error)
		}
		return string(reply.Result)
	}
}

func (s *socket) keep(body []byte) {
	var n notice
	if err := json.Unmarshal(body, &n); err != nil || n.Method == "" {
		s.t.Fatalf("neither answer nor notice: %s", body)
	}
	s.news = append(s.news, n)
}

// notice is the next notification.
func (s *socket) notice() notice {
	s.t.Helper()
	if len(s.news) == 0 {
		s.keep(s.read())
	}
	n := s.news[0]
	s.news = s.news[1:]
	return n
}

// closed reports whether the connection ends within a second, and not merely says nothing.
func (s *socket) closed() bool {
	ctx, cancel := context.WithTimeout(s.t.Context(), time.Second)
	defer cancel()
	for {
		if _, _, err := s.conn.Read(ctx); err != nil {
			return ctx.Err() == nil
		}
	}
}

func TestSubscriptionsFollowTheChain(t *testing.T) {
	s := serve(t, Options{})
	c := dial(t, s.Nodes[0].ParaWS)
	var heads, storage string
	for id, method := range map[*string]string{&heads: "chain_subscribeNewHead", &storage: "state_subscribeStorage"} {
		params := ""
		if id == &storage {
			params = `["` + hexOf(storagePrefix("Timestamp", "Now")) + `","` + hexOf(storagePrefix("Balances", "TotalIssuance")) + `"]`
		}
		if err := json.Unmarshal([]byte(c.ask(method, params)), id); err != nil {
			t.Fatal(err)
		}
		first := c.notice()
		if first.Params.Subscription != *id {
			t.Errorf("%s: %+v", method, first)
		}
		if changes := bytes.Count(first.Params.Result, []byte(`["0x`)); id == &storage && changes != 2 {
			t.Errorf("the first change set has %d values: %s", changes, first.Params.Result)
		}
	}
	s.pass(12 * time.Second)
	seen := map[string]string{}
	for range 2 {
		n := c.notice()
		seen[n.Params.Subscription] = n.Method + string(n.Params.Result)
	}
	if !strings.HasPrefix(seen[heads], `chain_newHead{`) || !strings.Contains(seen[heads], `"number":"0x2dc6c1"`) {
		t.Errorf("a head: %s", seen[heads])
	}
	if got := seen[storage]; !strings.HasPrefix(got, "state_storage{") || strings.Count(got, `["0x`) != 1 {
		t.Errorf("only the time has changed: %s", got)
	}
	if got := c.ask("chain_unsubscribeNewHead", `"`+heads+`"`); got != "true" {
		t.Errorf("unsubscribe: %s", got)
	}
	if got := c.ask("chain_unsubscribeNewHead", `"`+heads+`"`); got != "false" {
		t.Errorf("unsubscribe again: %s", got)
	}
	s.pass(12 * time.Second)
	if n := c.notice(); n.Params.Subscription != storage {
		t.Errorf("after the end: %+v", n)
	}
}

func TestFinalizedHeadsAndRuntimeVersion(t *testing.T) {
	s := serve(t, Options{})
	c := dial(t, s.Nodes[0].RelayWS)
	c.ask("chain_subscribeFinalizedHeads", "")
	if n := c.notice(); n.Method != "chain_finalizedHead" || !strings.Contains(string(n.Params.Result), fmt.Sprintf(`"0x%x"`, 16_400_000-3)) {
		t.Errorf("%+v", n)
	}
	c.ask("state_subscribeRuntimeVersion", "")
	if n := c.notice(); n.Method != "state_runtimeVersion" || !strings.Contains(string(n.Params.Result), `"specName":"kusama"`) {
		t.Errorf("%+v", n)
	}
}

func TestWSBatchAndErrors(t *testing.T) {
	s := serve(t, Options{})
	c := dial(t, s.Nodes[0].ParaWS)
	for _, tc := range []struct{ send, want string }{
		{`[{"jsonrpc":"2.0","id":"a","method":"system_chain"},{"jsonrpc":"2.0","method":"system_chain"},{"jsonrpc":"2.0","id":2,"method":"nope"}]`,
			`[{"jsonrpc":"2.0","result":"Khala","id":"a"},{"jsonrpc":"2.0","error":{"code":-32601,"message":"Method not found"},"id":2}]`},
		{`hello`, `{"jsonrpc":"2.0","error":{"code":-32700,"message":"Parse error"},"id":null}`},
		{`{"jsonrpc":"2.0","id":1,"method":"state_subscribeStorage","params":[]}`, `{"jsonrpc":"2.0","error":{"code":-32601,"message":"RPC call is unsafe to be called externally"},"id":1}`},
		{`{"jsonrpc":"2.0","id":1,"method":"state_subscribeStorage","params":[["xx"]]}`, `{"jsonrpc":"2.0","error":{"code":-32602,"message":"Invalid params"},"id":1}`},
	} {
		c.send(tc.send)
		if got := string(c.read()); got != tc.want {
			t.Errorf("%s: %s", tc.send, got)
		}
	}
	for range wsMaxSubscriptions {
		if got := c.ask("state_subscribeRuntimeVersion", ""); got[0] != '"' {
			t.Fatal(got)
		}
	}
	if got := c.ask("state_subscribeRuntimeVersion", ""); !strings.Contains(got, `"code":-32006`) {
		t.Errorf("one too many: %s", got)
	}
}

func TestSocketsDieWithTheNode(t *testing.T) {
	s := serve(t, Options{})
	restarted, kept := dial(t, s.Nodes[0].ParaWS), dial(t, s.Nodes[0].RelayWS)
	s.face.Do(func(w *world.World) {
		_ = w.Apply(world.Scenario{Faults: []world.Fault{{Kind: world.NodeRPCDown, Target: "node-1", For: time.Second}}})
	})
	s.pass(10 * time.Second) // down and up again before anybody looks
	if !restarted.closed() || !kept.closed() {
		t.Error("a connection outlives its node's socket")
	}
	if got := dial(t, s.Nodes[0].ParaWS).ask("system_chain", ""); got != `"Khala"` {
		t.Error(got)
	}
}

func TestHalfOpenSocketsAreSilent(t *testing.T) {
	s := serve(t, Options{})
	c, other := dial(t, s.Nodes[0].ParaWS), dial(t, s.Nodes[0].RelayWS)
	c.ask("chain_subscribeNewHeads", "")
	c.notice()
	s.face.Do(func(w *world.World) {
		_ = w.Apply(world.Scenario{Faults: []world.Fault{{Kind: world.WSHalfOpen, Target: "node-1", Chain: "para", For: time.Minute}}})
	})
	s.pass(time.Second)
	c.conn.CloseRead(t.Context()) // a pong would be heard, and anything else would end the connection
	silent := func(when string) {
		t.Helper()
		c.send(health)
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		defer cancel()
		if err := c.conn.Ping(ctx); ctx.Err() == nil {
			t.Errorf("%s: the ping ends with %v", when, err)
		}
	}
	silent("struck")
	s.pass(2 * time.Minute)
	silent("healed, but not this connection")
	if got := other.ask("system_chain", ""); got != `"Kusama"` {
		t.Errorf("the other chain: %s", got)
	}
	if got := dial(t, s.Nodes[0].ParaWS).ask("system_chain", ""); got != `"Khala"` {
		t.Errorf("a new connection: %s", got)
	}
}

func TestOldNodesHaveFourPorts(t *testing.T) {
	h, _, w := nodeHandler(t, (*world.Node).Para)
	w.Node("node-1").SplitPorts, w.Node("node-1").NullTarget, w.Node("node-1").OmitsTarget = true, true, true
	if got := ask(h, strings.Replace(health, "health", "syncState", 1)).Body.String(); !strings.Contains(got, `"highestBlock":null`) {
		t.Errorf("an old build: %s", got)
	}
	s := serveWith(t, func(w *world.World) { w.Node("node-1").SplitPorts = true })
	n := s.Nodes[0]
	if !strings.HasSuffix(n.Para, ":9933") || !strings.HasSuffix(n.Relay, ":9934") || !strings.HasSuffix(n.ParaWS, ":9944") || !strings.HasSuffix(n.RelayWS, ":9945") {
		t.Errorf("%+v", n)
	}
	if got := dial(t, n.RelayWS).ask("system_chain", ""); got != `"Kusama"` {
		t.Error(got)
	}
	if _, _, err := websocket.Dial(t.Context(), "ws"+strings.TrimPrefix(n.Para, "http"), nil); err == nil { //nolint:bodyclose // the library closes it
		t.Error("the HTTP port takes WebSocket")
	}
	for url, want := range map[string]int{n.Para: http.StatusOK, "http" + strings.TrimPrefix(n.ParaWS, "ws"): http.StatusBadRequest} {
		r, err := s.client.Post(url, "application/json", strings.NewReader(health))
		if err != nil {
			t.Fatal(err)
		}
		_ = r.Body.Close()
		if r.StatusCode != want {
			t.Errorf("POST to %s: %d, want %d", url, r.StatusCode, want)
		}
	}
	one := serveWith(t, func(w *world.World) { w.Node("node-1").OneChain = true }).Nodes[0]
	if one.Para != "" || one.Relay != "" || one.RelayWS != "" || !strings.HasSuffix(one.RPC, ":9944") {
		t.Errorf("one chain: %+v", one)
	}
}
