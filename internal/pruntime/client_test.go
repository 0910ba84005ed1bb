package pruntime

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"phalops/internal/fleet"
	"phalops/internal/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	key     = "9a0a1b2c3d4e5f60718293a4b5c6d7e8f9a0a1b2c3d4e5f60718293a4b518014"
	genesis = "d435a1c0e3b2f4a5968778695a4b3c2d1e0f00112233445566778899aabbccdd"

	// As of 2.2.0.
	modern = `{"initialized":true,"registered":false,"genesis_block_hash":"` + genesis + `","public_key":"` + key + `","ecdh_public_key":"ab",
		"headernum":16400002,"para_headernum":3000002,"blocknum":3000001,"state_root":"00","dev_mode":false,"pending_messages":3,"score":1012,
		"gatekeeper":{"role":0,"master_public_key":""},"version":"2.2.0","git_revision":"654b1b6","memory_usage":{"rust_used":10,"rust_peak_used":20,
		"total_peak_used":30,"free":40,"rust_spike":50},"waiting_for_paraheaders":false,"system":{"registered":true,"public_key":"` + key + `",
		"gatekeeper":{"role":2,"master_public_key":"x"},"max_supported_consensus_version":0,"genesis_block":0},"can_load_chain_state":false,
		"safe_mode_level":0,"current_block_time":1700000000123,"supported_attestation_methods":["none","dcap"]}`
	uninitialized = `{"initialized":false,"registered":false,"genesis_block_hash":null,"public_key":null,"ecdh_public_key":null,"headernum":0,
		"para_headernum":0,"blocknum":0,"state_root":"","dev_mode":false,"pending_messages":0,"score":0,"gatekeeper":{"role":0,"master_public_key":""},
		"system":null,"can_load_chain_state":true}`
	// As of 2021: fewer fields, keys sorted, others that are gone.
	old = `{"blocknum":55,"dev_mode":true,"genesis_block_hash":"` + genesis + `","headernum":101,"initialized":true,"machine_id":"m","para_headernum":56,
		"pending_messages":0,"public_key":"0x` + key + `","registered":true,"running_side_tasks":0,"score":900}`
)

// server is a pRuntime that has some of the routes; the others are Rocket's 404.
type server struct {
	*httptest.Server
	asked []string
}

type reply struct {
	status int
	body   string
}

func serve(t *testing.T, routes map[string]reply) *server {
	t.Helper()
	s := &server{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		s.asked = append(s.asked, r.Method+" "+r.URL.RequestURI())
		if r.URL.Path == "/get_info" && (string(body) != `{"input":{},"nonce":{}}` || r.Header.Get("Content-Type") != "application/json") ||
			strings.HasPrefix(r.URL.Path, "/prpc/") && len(body) > 0 {
			t.Errorf("%s with body %q and type %q", r.URL, body, r.Header.Get("Content-Type"))
		}
		answer, ok := routes[r.Method+" "+r.URL.RequestURI()]
		if !ok {
			answer = reply{404, `<!DOCTYPE html><h1>404: Not Found</h1>`}
		}
		w.WriteHeader(answer.status)
		_, _ = io.WriteString(w, answer.body)
	}))
	t.Cleanup(s.Close)
	return s
}

func newClient(t *testing.T, o Options) *Client {
	t.Helper()
	o.HTTP = wire.New(wire.Options{Allow: wire.LoopbackOnly})
	t.Cleanup(o.HTTP.Close)
	c, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func envelope(payload, status string) string {
	out, _ := json.Marshal(map[string]any{"payload": payload, "signature": nil, "status": status})
	return string(out)
}

const (
	post    = "POST /prpc/PhactoryAPI.GetInfo?json=true"
	get     = "GET /prpc/PhactoryAPI.GetInfo"
	getInfo = "POST /get_info"
	info    = "GET /info"
)

func TestEveryFormIsFoundAndRemembered(t *testing.T) {
	protobuf := reply{200, "\x08\x01\x38\x65"}
	for name, tc := range map[string]struct {
		routes map[string]reply
		asked  []string // by two questions
	}{
		"json":                            {map[string]reply{post: {200, modern}}, []string{post, post}},
		"get":                             {map[string]reply{post: {405, ""}, get: {200, modern}}, []string{post, get, get}},
		"legacy":                          {map[string]reply{getInfo: {200, envelope(modern, "ok")}}, []string{post, get, getInfo, getInfo}},
		"info":                            {map[string]reply{info: {200, modern}}, []string{post, get, getInfo, info, info}},
		"a server that ignores json=true": {map[string]reply{post: protobuf, get: protobuf, getInfo: {200, envelope(modern, "ok")}}, []string{post, get, getInfo, getInfo}},
		"method not found in JSON": {map[string]reply{
			post: {404, `{"error":"ProtoError { message: \"Method Not Found\" }"}`}, getInfo: {200, envelope(modern, "ok")}}, []string{post, get, getInfo, getInfo}},
	} {
		s := serve(t, tc.routes)
		c := newClient(t, Options{URL: s.URL + "/"})
		for range 2 {
			got, err := c.GetInfo(t.Context())
			if err != nil || got.Version != "2.2.0" || got.Para.Value != 3000000 {
				t.Errorf("%s: %+v, %v", name, got, err)
			}
		}
		if !slices.Equal(s.asked, tc.asked) {
			t.Errorf("%s: asked %v, want %v", name, s.asked, tc.asked)
		}
	}
}

func TestAServerThatChangesIsFoundAgain(t *testing.T) {
	routes := map[string]reply{getInfo: {200, envelope(old, "ok")}}
	s := serve(t, routes)
	c := newClient(t, Options{URL: s.URL})
	if _, err := c.GetInfo(t.Context()); err != nil {
		t.Fatal(err)
	}
	delete(routes, getInfo)
	if _, err := c.GetInfo(t.Context()); fleet.ReasonOf(err).Code != "pruntime.not_one" || !errors.Is(err, ErrNoMethod) {
		t.Errorf("gone: %v", err)
	}
	routes[post] = reply{200, modern}
	if got, err := c.GetInfo(t.Context()); err != nil || got.Version != "2.2.0" {
		t.Errorf("upgraded: %+v, %v", got, err)
	}
}

func TestWhatIsReadOfEachVersion(t *testing.T) {
	yes, no := true, false
	height := func(n int64) fleet.Height { return fleet.Height{Value: n, Known: true} }
	for name, tc := range map[string]struct {
		body string
		want fleet.PruntimeStatus
	}{
		"2.2.0": {modern, fleet.PruntimeStatus{
			Initialized: &yes, Registered: &yes, PublicKey: key, ECDHKey: "ab", GenesisHash: genesis, Version: "2.2.0", Revision: "654b1b6",
			Relay: height(16400001), ParaHeader: height(3000001), Para: height(3000000), Pending: height(3), Score: 1012,
			Memory: fleet.Memory{Used: 10, Peak: 20, TotalPeak: 30, Free: 40}, Waiting: &no, FastSync: &no, Gatekeeper: 2, Consensus: height(0),
			BlockTime: time.UnixMilli(1700000000123).UTC(), Attests: []string{"none", "dcap"},
		}},
		"uninitialized": {uninitialized, fleet.PruntimeStatus{
			Initialized: &no, Registered: &no, Relay: height(-1), ParaHeader: height(-1), Para: height(-1), Pending: height(0), FastSync: &yes,
		}},
		"2021": {old, fleet.PruntimeStatus{
			Initialized: &yes, Registered: &yes, DevMode: true, PublicKey: key, GenesisHash: genesis, Relay: height(100), ParaHeader: height(55),
			Para: height(54), Pending: height(0), Score: 900,
		}},
		"odd types": {`{"initialized":true,"blocknum":"7","headernum":4294967296,"para_headernum":-1,"public_key":[1,2,255],"ecdh_public_key":[1,256],
			"genesis_block_hash":"zz","score":{},"memory_usage":[],"system":7,"version":null,"registered":"yes","supported_attestation_methods":[1],"current_block_time":1e300}`,
			fleet.PruntimeStatus{Initialized: &yes, Para: height(6), PublicKey: "0102ff"}},
	} {
		s := serve(t, map[string]reply{post: {200, tc.body}})
		got, err := newClient(t, Options{URL: s.URL}).GetInfo(t.Context())
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		tc.want.Endpoint = s.URL
		if diff := cmp.Diff(tc.want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestErrorsOfGetInfo(t *testing.T) {
	for name, tc := range map[string]struct {
		routes map[string]reply
		code   string
		is     error
	}{
		"application error":    {map[string]reply{post: {500, `{"error":"state root mismatch"}`}}, "pruntime.error", nil},
		"printed error":        {map[string]reply{post: {400, `{"error":"DecodeError { message: \"bad\" }"}`}}, "pruntime.error", nil},
		"busy":                 {map[string]reply{post: {500, `{"error":"RCU in progress, please try the request again later"}`}}, "pruntime.busy", ErrBusy},
		"not initialized":      {map[string]reply{post: {500, `{"error":"Runtime not initialized"}`}}, "pruntime.uninitialized", ErrUninitialized},
		"safe mode":            {map[string]reply{post: {500, `{"error":"This RPC is disabled in safe mode"}`}}, "pruntime.safe_mode", ErrSafeMode},
		"public port":          {map[string]reply{post: {403, ""}}, "pruntime.forbidden", ErrForbidden},
		"proxy":                {map[string]reply{post: {503, "Read body failed"}}, "pruntime.http_status", nil},
		"legacy error":         {map[string]reply{getInfo: {200, envelope(`{"message":"Uninitiated runtime info"}`, "error")}}, "pruntime.uninitialized", ErrUninitialized},
		"legacy error as text": {map[string]reply{getInfo: {200, envelope("Io error: x", "error")}}, "pruntime.error", nil},
		"lock":                 {map[string]reply{info: {200, `{"error": "Failed to lock Phactory`}}, "pruntime.busy", ErrBusy},
		"nothing like it":      {map[string]reply{post: {200, `{"jsonrpc":"2.0"}`}, get: {200, `[]`}, getInfo: {200, `null`}, info: {200, "hello"}}, "pruntime.not_one", nil},
	} {
		s := serve(t, tc.routes)
		got, err := newClient(t, Options{URL: s.URL}).GetInfo(t.Context())
		if fleet.ReasonOf(err).Code != tc.code || tc.is != nil && !errors.Is(err, tc.is) || got.Endpoint != s.URL || got.Para.Known {
			t.Errorf("%s: got %v, want %s", name, err, tc.code)
		}
	}
}

func TestTransportFailuresAreNotOtherForms(t *testing.T) {
	hang := make(chan struct{})
	asked := 0
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked++; <-hang }))
	c := newClient(t, Options{URL: s.URL, InfoTimeout: 50 * time.Millisecond})
	_, err := c.GetInfo(t.Context())
	close(hang)
	s.Close()
	if wire.ClassOf(err) != wire.Timeout || asked != 1 {
		t.Errorf("a pRuntime that hangs: %v after %d questions", err, asked)
	}
	if _, err := c.GetInfo(t.Context()); wire.ClassOf(err) != wire.Refused {
		t.Errorf("a pRuntime that is gone: %v", err)
	}
	endless := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for {
			if _, err := io.WriteString(w, strings.Repeat(" ", 64<<10)); err != nil {
				return
			}
		}
	}))
	t.Cleanup(endless.Close)
	if _, err := newClient(t, Options{URL: endless.URL}).GetInfo(t.Context()); wire.ClassOf(err) != wire.TooLarge {
		t.Errorf("an endless answer: %v", err)
	}
}

func TestTakeCheckpoint(t *testing.T) {
	const path = "POST /prpc/PhactoryAPI.TakeCheckpoint?json=true"
	for name, tc := range map[string]struct {
		answer reply
		want   fleet.Height
		is     error
		code   string
	}{
		"done":      {reply{200, `{"synced_to":3000000}`}, fleet.Height{Value: 3000000, Known: true}, nil, ""},
		"safe mode": {reply{500, `{"error":"Checkpoint is disabled in safe mode"}`}, fleet.Height{}, ErrSafeMode, "pruntime.safe_mode"},
		"too old":   {reply{404, `{"error":"ProtoError { message: \"Method Not Found\" }"}`}, fleet.Height{}, ErrNoMethod, "pruntime.no_method"},
		"garbage":   {reply{200, "\x08\x01"}, fleet.Height{}, nil, "pruntime.garbage"},
	} {
		s := serve(t, map[string]reply{path: tc.answer})
		got, err := newClient(t, Options{URL: s.URL}).TakeCheckpoint(t.Context())
		if got != tc.want || fleet.ReasonOf(err).Code != tc.code || tc.is != nil && !errors.Is(err, tc.is) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

func TestKick(t *testing.T) {
	s := serve(t, map[string]reply{})
	if err := newClient(t, Options{URL: s.URL}).Kick(t.Context()); !errors.Is(err, ErrNoMethod) || fleet.ReasonOf(err).Code != "pruntime.no_kick" || wire.IsAmbiguous(err) {
		t.Errorf("not enabled: %v", err)
	}
	s = serve(t, map[string]reply{"POST /kick": {200, ""}})
	if err := newClient(t, Options{URL: s.URL}).Kick(t.Context()); err != nil {
		t.Errorf("answered: %v", err)
	}
	exit := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if conn, _, err := w.(http.Hijacker).Hijack(); err == nil {
			_ = conn.(*net.TCPConn).SetLinger(0)
			conn.Close()
		}
	}))
	c := newClient(t, Options{URL: exit.URL})
	if err := c.Kick(t.Context()); err != nil {
		t.Errorf("the process exits in the middle: %v", err)
	}
	exit.Close()
	if err := c.Kick(t.Context()); wire.ClassOf(err) != wire.Refused {
		t.Errorf("nobody there: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := c.Kick(ctx); err == nil {
		t.Error("given up, and no error")
	}
}

func TestABadAddressIsRefused(t *testing.T) {
	for _, bad := range []string{"", "192.168.2.1:8000", "ws://127.0.0.1", "http://"} {
		if _, err := New(Options{URL: bad}); fleet.KindOf(err) != fleet.Invalid {
			t.Errorf("%q: %v", bad, err)
		}
	}
	c, err := New(Options{URL: "http://me:pw@127.0.0.1:8000/x/?token=1"})
	if err != nil || strings.Contains(c.shown, "pw") || strings.Contains(c.shown, "token") {
		t.Errorf("shown as %q, %v", c.shown, err)
	}
}

func FuzzInfo(f *testing.F) {
	for _, s := range []string{modern, uninitialized, old, envelope(old, "ok"), envelope("x", "error"), `{"error":"x"}`, `{"error": "Failed to lock Phactory`, "\x08\x01", `null`} {
		f.Add(200, []byte(s))
		f.Add(500, []byte(s))
	}
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		for _, form := range forms {
			r, err := form.decode(status, body, question{method: "GetInfo", url: "http://p"})
			if err != nil {
				if code := fleet.ReasonOf(err).Code; !strings.HasPrefix(code, "pruntime.") || len(err.Error()) > 2<<10 {
					t.Errorf("%v", err)
				}
				continue
			}
			var s fleet.PruntimeStatus
			r.fill(&s)
			if s.Initialized == nil || s.Para.Value < -1 || s.Relay.Value < -1 {
				t.Errorf("%+v", s)
			}
			if _, err := json.Marshal(s); err != nil {
				t.Error(err)
			}
		}
	})
}
