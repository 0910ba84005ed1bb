package substrate

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"phalops/internal/fleet"
	"phalops/internal/testkit"
)

// posts answers with f(request).
type posts func(method string, params json.RawMessage, id uint64) (int, string, error)

func (p posts) Post(_ context.Context, _, contentType string, body []byte) (int, []byte, error) {
	var r struct {
		Version string          `json:"jsonrpc"`
		ID      uint64          `json:"id"`
		Method  string          `json:"method"`
		Params  json.RawMessage `json:"params"`
	}
	if err := json.Unmarshal(body, &r); err != nil || r.Version != "2.0" || contentType != "application/json" {
		return 0, nil, fmt.Errorf("not a JSON-RPC request: %s %s", contentType, body)
	}
	status, reply, err := p(r.Method, r.Params, r.ID)
	return status, []byte(strings.ReplaceAll(reply, "$ID", fmt.Sprint(r.ID))), err
}

func always(status int, reply string) *Client {
	return New("http://127.0.0.1:9944", posts(func(string, json.RawMessage, uint64) (int, string, error) { return status, reply, nil }))
}

func result(value string) *Client {
	return always(200, `{"jsonrpc":"2.0","id":$ID,"result":`+value+`}`)
}

func TestNumberForms(t *testing.T) {
	for in, want := range map[string]int64{
		`38`: 38, `"0x26"`: 38, `"0x00000026"`: 38, `"38"`: 38, `0`: 0, `"0x0"`: 0, `9223372036854775807`: 1<<63 - 1,
		`-1`: -1, `"0x"`: -1, `""`: -1, `"ten"`: -1, `1.5`: -1, `1e3`: -1, `true`: -1, `null`: -1, `{}`: -1,
		`9223372036854775808`: -1, `"0xffffffffffffffffff"`: -1, `"-0x1"`: -1, `"+5"`: -1,
	} {
		var n Number
		err := n.UnmarshalJSON([]byte(in))
		if (err == nil) != (want >= 0) || (err == nil && int64(n) != want) {
			t.Errorf("%s: got %d, %v; want %d", in, n, err, want)
		}
	}
}

func TestSyncStateHighestIsOptional(t *testing.T) {
	for _, tc := range []struct {
		in      string
		current uint64
		highest int64 // -1: left out
	}{
		{`{"startingBlock":1,"currentBlock":10,"highestBlock":12}`, 10, 12},
		{`{"startingBlock":1,"currentBlock":10}`, 10, -1},
		{`{"startingBlock":1,"currentBlock":10,"highestBlock":null}`, 10, -1},
		{`{"currentBlock":"0x0a","highestBlock":"0x0000000c"}`, 10, 12},
	} {
		s, err := result(tc.in).SyncState(t.Context())
		if err != nil || uint64(*s.Current) != tc.current || (s.Highest == nil) != (tc.highest < 0) || (s.Highest != nil && int64(*s.Highest) != tc.highest) {
			t.Errorf("%s: got %+v, %v", tc.in, s, err)
		}
	}
	for _, in := range []string{`{}`, `null`, `[]`, `"x"`, `{"currentBlock":-1}`, `{"currentBlock":null}`} {
		if s, err := result(in).SyncState(t.Context()); err == nil {
			t.Errorf("%s: got %+v, want an error", in, s)
		}
	}
}

func TestHealthAbsentIsUnknown(t *testing.T) {
	h, err := result(`{"peers":0,"isSyncing":false,"shouldHavePeers":true}`).Health(t.Context())
	if err != nil || h.Peers == nil || *h.Peers != 0 || h.IsSyncing == nil || *h.IsSyncing || h.ShouldHavePeers == nil || !*h.ShouldHavePeers {
		t.Errorf("got %+v, %v", h, err)
	}
	h, err = result(`{"peers":-3}`).Health(t.Context())
	if err != nil || h.Peers != nil || h.IsSyncing != nil {
		t.Errorf("half an answer: got %+v, %v; want unknown peers and syncing", h, err)
	}
}

func TestHeaderOfNoBlock(t *testing.T) {
	if _, err := result(`null`).Header(t.Context(), "0x11"); !errors.Is(err, ErrNoBlock) {
		t.Errorf("got %v, want ErrNoBlock", err)
	}
	if _, err := result(`{}`).Header(t.Context(), ""); err == nil {
		t.Error("a header without a number is no error")
	}
}

func TestNonsenseIsAnErrorWithASentence(t *testing.T) {
	cases := map[string]struct {
		status int
		body   string
		code   string // of the sentence
	}{
		"html":              {200, "<html>not a node</html>", "substrate.bad_reply"},
		"empty":             {200, "", "substrate.bad_reply"},
		"half":              {200, `{"jsonrpc":"2.0","id":$ID,"result":"kha`, "substrate.bad_reply"},
		"trailing garbage":  {200, `{"jsonrpc":"2.0","id":$ID,"result":"a"}}`, "substrate.bad_reply"},
		"other id":          {200, `{"jsonrpc":"2.0","id":99999,"result":"a"}`, "substrate.bad_reply"},
		"no id":             {200, `{"jsonrpc":"2.0","result":"a"}`, "substrate.bad_reply"},
		"id as text":        {200, `{"jsonrpc":"2.0","id":"$ID","result":"a"}`, "substrate.bad_reply"},
		"batch":             {200, `[{"jsonrpc":"2.0","id":$ID,"result":"a"}]`, "substrate.bad_reply"},
		"no result":         {200, `{"jsonrpc":"2.0","id":$ID}`, "substrate.bad_reply"},
		"other shape":       {200, `{"jsonrpc":"2.0","id":$ID,"result":{"a":1}}`, "substrate.bad_reply"},
		"415":               {415, "Supplied content type is not allowed", "substrate.bad_reply"},
		"403 with a result": {403, `{"jsonrpc":"2.0","id":$ID,"result":"a"}`, "substrate.bad_reply"},
		"error":             {200, `{"jsonrpc":"2.0","id":$ID,"error":{"code":-32603,"message":"Internal error"}}`, "substrate.rpc_error"},
		"413 with error":    {413, `{"jsonrpc":"2.0","id":null,"error":{"code":-32007,"message":"Request is too big"}}`, "substrate.rpc_error"},
		"odd error":         {200, `{"jsonrpc":"2.0","id":$ID,"error":{"code":"x","message":{"a":1},"data":[1]}}`, "substrate.rpc_error"},
		"long error":        {200, `{"jsonrpc":"2.0","id":$ID,"error":{"code":1,"message":"` + strings.Repeat("长", 5000) + `"}}`, "substrate.rpc_error"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := always(tc.status, tc.body).Chain(t.Context())
			if got := fleet.ReasonOf(err).Code; got != tc.code {
				t.Errorf("got %v (%s), want %s", err, got, tc.code)
			}
			if err != nil && len(err.Error()) > 1000 {
				t.Errorf("the error has %d bytes", len(err.Error()))
			}
		})
	}
}

func TestMissingMethods(t *testing.T) {
	for body, missing := range map[string]bool{
		`{"code":-32601,"message":"Method not found"}`:                           true,
		`{"code":-32601,"message":"RPC call is unsafe to be called externally"}`: true,
		`{"message":"Method not found: system_syncState"}`:                       true,
		`{"code":-32603,"message":"Internal error"}`:                             false,
		`{"code":-32000,"message":"Client error: UnknownBlock"}`:                 false,
	} {
		_, err := always(200, `{"jsonrpc":"2.0","id":$ID,"error":`+body+`}`).SyncState(t.Context())
		if IsMissing(err) != missing {
			t.Errorf("%s: IsMissing is %v", body, !missing)
		}
	}
	if IsMissing(errors.New("Method not found")) {
		t.Error("an error of the transport is not the node's word")
	}
}

func TestSilenceIsThePostersError(t *testing.T) {
	down := errors.New("down")
	c := New("http://127.0.0.1:9944", posts(func(string, json.RawMessage, uint64) (int, string, error) { return 0, "", down }))
	if err := c.Call(t.Context(), nil, "system_chain"); !errors.Is(err, down) || !strings.Contains(err.Error(), "system_chain") {
		t.Errorf("got %v", err)
	}
}

type recorded struct {
	Name, Request string
	Response      struct {
		Status int
		Body   string
	}
}

func recordings(t *testing.T) []recorded {
	t.Helper()
	f := bytes.NewReader(testkit.Shared(t, "data", "replies", "substrate-rhala.jsonl"))
	var all []recorded
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 8<<20)
	for lines.Scan() {
		var r recorded
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			t.Fatal(err)
		}
		all = append(all, r)
	}
	if len(all) < 130 || lines.Err() != nil {
		t.Fatalf("%d recordings, %v", len(all), lines.Err())
	}
	return all
}

// Every recorded reply of a single numbered call is read as what it is: its result, byte by byte, or its error.
func TestRecordedReplies(t *testing.T) {
	results, refusals := 0, 0
	for _, r := range recordings(t) {
		var req struct {
			ID     *uint64
			Method string
		}
		if json.Unmarshal([]byte(r.Request), &req) != nil || req.ID == nil || r.Response.Body == "" {
			continue
		}
		got, err := decodeReply(req.Method, *req.ID, r.Response.Status, []byte(r.Response.Body))
		var want struct {
			Result json.RawMessage
			Error  *struct{ Message string }
		}
		if err := json.Unmarshal([]byte(r.Response.Body), &want); err != nil {
			t.Fatal(err)
		}
		var refused *RPCError
		switch {
		case want.Error != nil:
			refusals++
			if !errors.As(err, &refused) || refused.Message != want.Error.Message {
				t.Errorf("%s: got %v, want the refusal %q", r.Name, err, want.Error.Message)
			}
		case err != nil || !bytes.Equal(got, want.Result):
			t.Errorf("%s: got %.80s, %v", r.Name, got, err)
		default:
			results++
		}
	}
	if results < 100 || refusals < 8 {
		t.Errorf("only %d results and %d refusals", results, refusals)
	}
}

func TestHelpersOnRecordedReplies(t *testing.T) {
	replies := map[string]string{}
	for _, r := range recordings(t) {
		var req struct {
			Method string
			Params json.RawMessage
		}
		if json.Unmarshal([]byte(r.Request), &req) == nil && r.Response.Status == 200 {
			var body map[string]json.RawMessage
			if json.Unmarshal([]byte(r.Response.Body), &body) == nil {
				body["id"] = json.RawMessage(`"$ID"`)
				b, _ := json.Marshal(body)
				replies[req.Method+string(req.Params)] = strings.Replace(string(b), `"$ID"`, "$ID", 1)
			}
		}
	}
	c := New("http://127.0.0.1:9944", posts(func(method string, params json.RawMessage, _ uint64) (int, string, error) {
		return 200, replies[method+string(params)], nil
	}))
	ctx := t.Context()
	chain, err1 := c.Chain(ctx)
	version, err2 := c.Version(ctx)
	health, err3 := c.Health(ctx)
	header, err4 := c.Header(ctx, "")
	finalized, err5 := c.Finalized(ctx)
	if err := errors.Join(err1, err2, err3, err4, err5); err != nil {
		t.Fatal(err)
	}
	if chain != "khala" || version != "chopsticks-v1" || *health.Peers != 0 || header.Number != 38 || finalized != 38 {
		t.Errorf("got %q %q %+v %+v %d", chain, version, health, header, finalized)
	}
	if _, err := c.SyncState(ctx); !IsMissing(err) {
		t.Errorf("system_syncState: %v, want missing", err)
	}
}

func FuzzDecodeReply(f *testing.F) {
	for _, s := range []string{
		`{"jsonrpc":"2.0","id":1,"result":{"currentBlock":"0x26"}}`, `{"id":1,"error":{"code":-32601,"message":"Method not found"}}`,
		`{"id":null,"error":{}}`, `[]`, `null`, `{"id":1,"result":null}`, `<html>`, "{\"id\":1,\"error\":{\"message\":\"\xff\"}}",
	} {
		f.Add(200, []byte(s))
	}
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		result, err := decodeReply("m", 1, status, body)
		if err != nil {
			if fleet.ReasonOf(err).Code == "error.other" || len(err.Error()) > 1200 {
				t.Errorf("an error without a sentence or bound: %.200v", err)
			}
			return
		}
		if status != 200 || !json.Valid(result) {
			t.Errorf("status %d gave the result %q", status, result)
		}
		var s SyncState
		_ = json.Unmarshal(result, &s)
	})
}

func FuzzNumber(f *testing.F) {
	for _, s := range []string{`38`, `"0x00000026"`, `"0x"`, `""`, `"\u0030x1"`, `1e400`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		var n Number
		if n.UnmarshalJSON(raw) == nil && int64(n) < 0 {
			t.Errorf("%q became %d", raw, n)
		}
	})
}
