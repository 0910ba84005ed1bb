package wire

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"phalops/internal/clock"
	v3 "phalops/internal/prb/v3"
	"phalops/internal/sim/world"
	"phalops/internal/wire"
)

// serveV3 is serve with v3 workers, on pRuntime addresses that no other test serves.
func serveV3(t testing.TB, o world.FleetOptions) *site {
	t.Helper()
	s := &site{clock: clock.NewVirtual(epoch), world: world.New(epoch, 1), client: &http.Client{Transport: &http.Transport{}}}
	if tt, ok := t.(*testing.T); ok {
		s.t = tt
	}
	o.Net = 61
	world.DefaultFleet(s.world, o)
	s.face = NewFace(s.world, s.clock)
	var err error
	if s.server, err = Serve(t.Context(), s.face, Options{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.client.CloseIdleConnections()
		s.server.Close()
	})
	s.Endpoints = s.server.Endpoints()
	return s
}

func (s *site) v3() BridgeEndpoint {
	for _, b := range s.Bridges {
		if b.Version == "v3" {
			return b
		}
	}
	s.t.Fatal("no v3 bridge")
	return BridgeEndpoint{}
}

// ask sends a request and gives back status, content type and body.
func (s *site) ask(method, url, contentType, body string) (int, string, string, error) {
	s.t.Helper()
	q, err := http.NewRequestWithContext(s.t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	if contentType != "" {
		q.Header.Set("Content-Type", contentType)
	}
	r, err := s.client.Do(q)
	if err != nil {
		return 0, "", "", err
	}
	defer func() { _ = r.Body.Close() }()
	text, err := io.ReadAll(r.Body)
	return r.StatusCode, r.Header.Get("Content-Type"), string(text), err
}

func TestWMAnswersByTheBook(t *testing.T) {
	s := serveV3(t, world.FleetOptions{Workers: 1, V3Workers: 2})
	const inJSON, text = "application/json", "text/plain; charset=utf-8"
	failed := func(message string) string {
		return `{"error":true,"code":"ServerError","message":"` + message + `","backtrace":"disabled backtrace"}`
	}
	add := func(name, endpoint, stake, pid string) string {
		return fmt.Sprintf(`{"AddWorker":{"name":%q,"endpoint":%q,"stake":%q,"pid":%s,"disabled":false,"sync_only":false,"gatekeeper":false}}`, name, endpoint, stake, pid)
	}
	for _, c := range []struct {
		method, path, contentType, body string
		status                          int
		gotType, want                   string // want: the whole body, or /a pattern/
	}{
		{"GET", "/", "", "", 418, "", ""},
		{"GET", "/workers/status/", "", "", 418, "", ""},
		{"POST", "/workers/status", "", "", 405, "", ""},
		{"PUT", "/wm/restart", "", "", 405, inJSON, `{"ok":true}`},
		{"GET", "/wm/status", "", "", 200, inJSON, `/^\{"git_revision":"[0-9a-f]{40}-\d{14}"\}$/`},
		{"PUT", "/workers/restart", "text/plain", `{"ids":[]}`, 415, text, "Expected request with `Content-Type: application/json`"},
		{"PUT", "/workers/restart", inJSON, `{"ids":`, 400, text, "/^Failed to parse the request body as JSON: EOF while parsing a value at line 1 column 7$/"},
		{"PUT", "/workers/restart", inJSON, `nope`, 400, text, "/expected value at line 1 column/"},
		{"PUT", "/workers/restart", inJSON, `{}`, 422, text, "/missing field `ids`/"},
		{"PUT", "/workers/restart", inJSON, `{"ids":[1]}`, 422, text, "/expected a string/"},
		{"PUT", "/workers/restart", inJSON, `{"ids":["nobody"]}`, 200, inJSON, `{"ok":true}`},
		{"PUT", "/workers/update_endpoints", inJSON, `{"requests":[{"id":"x"}]}`, 422, text, "/missing field `endpoints`/"},
		{"PUT", "/workers/update_endpoints", inJSON, `{"requests":[{"id":"x","endpoints":["http://a"]}]}`, 200, inJSON, `{"ok":true}`},
		{"PUT", "/workers/take_checkpoint", inJSON, `{"ids":[]}`, 200, inJSON, `{"ok":true}`},
		{"GET", "/tx/status", "", "", 200, inJSON, `{"tx_count":0,"running_txs":[],"pending_txs":[],"past_txs":[]}`},
		{"POST", "/wm/config", inJSON, `"GetAllPools"`, 200, text, `/(?s)^\[\n  \{\n    "id": "[0-9a-f-]{36}",\n    "name": "pool-90",\n    "pid": 90,\n    "enabled": true,\n    "sync_only": false,\n    "workers": null\n  \}\n\]$/`},
		{"POST", "/wm/config", inJSON, `{"GetAllPools":null}`, 200, text, `/"pid": 90/`},
		{"POST", "/wm/config", inJSON, `{"GetAllPools":{}}`, 422, text, "/invalid type: map, expected unit/"},
		{"POST", "/wm/config", inJSON, `{"Nope":{}}`, 422, text, "/unknown variant `Nope`, expected one of `AddPool`/"},
		{"POST", "/wm/config", inJSON, `{"AddPool":{"name":"p","pid":-1,"disabled":false,"sync_only":false}}`, 422, text, "/expected u64/"},
		{"POST", "/wm/config", inJSON, `{"AddPool":{"name":"p","pid":7,"disabled":false}}`, 422, text, "/missing field `sync_only`/"},
		{"POST", "/wm/config", inJSON, `{"AddPool":{"name":"p","pid":90,"disabled":false,"sync_only":false}}`, 500, inJSON, failed("Pool already exists!")},
		{"POST", "/wm/config", inJSON, `{"AddPool":{"name":"p","pid":7,"disabled":true,"sync_only":false,"color":1}}`, 200, text, `/"enabled": false/`},
		{"POST", "/wm/config", inJSON, `{"UpdatePool":{"name":"p","pid":8,"disabled":true,"sync_only":false}}`, 500, inJSON, failed("Pool not found!")},
		{"POST", "/wm/config", inJSON, `{"GetPool":{"pid":8}}`, 500, inJSON, failed("pool not found: 8")},
		{"POST", "/wm/config", inJSON, `{"RemovePool":{"pid":8}}`, 500, inJSON, failed("Pool not found")},
		{"POST", "/wm/config", inJSON, `{"RemovePool":{"pid":90}}`, 500, inJSON, failed("Pool not empty!")},
		{"POST", "/wm/config", inJSON, add("w", "http://10.0.0.11:80", "3000000000000000", "7"), 200, text, `/(?s)"endpoint": "http://10.0.0.11/",\n  "stake": "3000000000000000",\n  "pid": 7,\n  "enabled": true/`},
		{"POST", "/wm/config", inJSON, add("w", "http://10.0.0.11:80", "1.5", "7"), 500, inJSON, failed("invalid digit found in string")},
		{"POST", "/wm/config", inJSON, add("p", "http://10.0.0.11:80", "1", "7"), 500, inJSON, failed("Duplicated worker name!")},
		{"POST", "/wm/config", inJSON, add("x", "10.0.0.11", "1", "7"), 500, inJSON, failed("relative URL without a base")},
		{"POST", "/wm/config", inJSON, add("x", "http://10.0.0.11", "1", "70"), 500, inJSON, failed("Pool not found!")},
		{"POST", "/wm/config", inJSON, strings.Replace(add("nobody", "x", "1", "7"), "AddWorker", "UpdateWorker", 1), 500, inJSON, failed("Worker not found!")},
		{"POST", "/wm/config", inJSON, `{"RemoveWorker":{"name":"w"}}`, 200, text, "{\n  \"ok\": true\n}"},
		{"POST", "/wm/config", inJSON, `{"GetPoolWithWorkers":{"pid":7}}`, 200, text, `/"workers": \[\]/`},
		{"POST", "/wm/config", inJSON, `{"GetPoolOperator":{"pid":7}}`, 500, inJSON, failed("Record not found!")},
		{"POST", "/wm/config", inJSON, `{"SetPoolOperator":{"pid":7,"account":"//Alice","account_type":"Seed"}}`, 200, text, `/(?s)"operator_account_id": "4[1-9A-Za-z]{46,48}",\n  "proxied_account_id": null/`},
		{"POST", "/wm/config", inJSON, `{"SetPoolOperator":{"pid":7,"account":"abc","account_type":"SecretKey"}}`, 500, inJSON, failed("Odd number of digits")},
		{"POST", "/wm/config", inJSON, `{"SetPoolOperator":{"pid":7,"account":"x","account_type":"Key"}}`, 422, text, "/unknown variant `Key`/"},
		{"POST", "/wm/config", inJSON, `{"GetAllPoolOperators":null}`, 200, text, `/(?s)"pid": 7.*"pid": 90/`},
	} {
		status, gotType, got, err := s.ask(c.method, s.v3().WM+c.path, c.contentType, c.body)
		pattern, isPattern := strings.CutPrefix(c.want, "/")
		match := got == c.want
		if isPattern {
			match = regexp.MustCompile(strings.TrimSuffix(pattern, "/")).MatchString(got)
		}
		if err != nil || status != c.status || gotType != c.gotType || !match {
			t.Errorf("%s %s %s: %d %q %s, %v; want %d %q %s", c.method, c.path, c.body, status, gotType, got, err, c.status, c.gotType, c.want)
		}
	}
	if _, _, got, err := s.ask("POST", s.v3().WM+"/wm/config", inJSON, `{"RemoveWorker":{"name":"nobody"}}`); err == nil {
		t.Errorf("a panic answers %s", got)
	}
}

func TestWMOfTheOlderGeneration(t *testing.T) {
	s := serveV3(t, world.FleetOptions{Workers: 1, V3Workers: 1, V30: true})
	for request, want := range map[string]string{
		"/workers/take_checkpoint {\"ids\":[]}": "418 ",
		"/workers/restart {\"ids\":[\"x\"]}":    `400 {"error":true,"code":"WorkerNotFound(\"x\")","message":"worker not found: x"}`,
		"/wm/restart ":                          `200 {"ok":true}`,
	} {
		path, body, _ := strings.Cut(request, " ")
		status, _, got, err := s.ask("PUT", s.v3().WM+path, "application/json", body)
		if text := fmt.Sprintf("%d %s", status, got); err != nil || text != want {
			t.Errorf("%s: %s, %v; want %s", path, text, err, want)
		}
	}
}

func TestWorkersStatusShape(t *testing.T) {
	s := serveV3(t, world.FleetOptions{Workers: 1, V3Workers: 1})
	_, _, got, err := s.ask("GET", s.v3().WM+"/workers/status", "", "")
	if err != nil {
		t.Fatal(err)
	}
	for _, pattern := range []string{
		`^\{"workers":\[\{"worker":\{"id":"[0-9a-f-]{36}","name":"v3-01","endpoint":"http://127.61.150.1:8000/","stake":"[0-9]{16}","pid":90,"enabled":true,"sync_only":false,"gatekeeper":false\},"state":"Working","phactory_info":\{"initialized":true,`,
		`"headernum":16399998,"para_headernum":2999998,"blocknum":2999998,`,
		`"gatekeeper":\{"role":0,"master_public_key":""\},"version":"2.2.0"`,
		`"last_message":"\[09-07 07:58:03\] Computing Now!","session_info":\{"state":"WorkerIdle","ve":\d{22,24},"v":\d{22,24},"v_updated_at":\d+,"benchmark":\{"p_init":\d+,"p_instant":\d+,"iterations":\d+,"working_start_time":\d+,"challenge_time_last":\d+\},"cool_down_start":0,"stats":\{"total_reward":\d+\}\}\}\]\}$`,
	} {
		if !regexp.MustCompile(pattern).MatchString(got) {
			t.Errorf("no %s in %s", pattern, got)
		}
	}
}

func TestV3PortsFollowTheWorld(t *testing.T) {
	s := serveV3(t, world.FleetOptions{Workers: 1, V3Workers: 1})
	rt := "http://127.61.150.1:8000"
	h := s.world.Host("node-1")
	urls := []string{s.v3().WM + "/wm/status", s.v3().Monitor + "/api/p/x", s.HeadersCaches[0].URL + "/state", rt + "/info"}
	for _, u := range urls {
		if _, _, _, err := s.ask("GET", u, "", ""); err != nil {
			t.Fatal(err)
		}
	}
	s.face.Do(func(w *world.World) {
		for _, c := range []string{"prb3_wm_1", "prb3_monitor_1", "prb3_headers-cache_1"} {
			_ = h.Stop(c, time.Minute)
		}
		w.Pruntime(rt).Abort()
	})
	s.pass(10 * time.Second)
	for _, u := range urls {
		if _, _, _, err := s.ask("GET", u, "", ""); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("%s still answers: %v", u, err)
		}
	}
}

// TestTheRealClientSpeaksToV3 reads a served v3 bridge with the program's own client, directly and through the monitor.
func TestTheRealClientSpeaksToV3(t *testing.T) {
	s := serveV3(t, world.FleetOptions{Workers: 1, V3Workers: 3})
	for _, proxy := range []string{"", s.v3().Monitor} {
		c, err := v3.New(v3.Options{URL: s.v3().WM, Proxy: proxy, HTTP: wire.New(wire.Options{Allow: wire.LoopbackOnly}), Clock: s.clock})
		if err != nil {
			t.Fatal(err)
		}
		r := c.Read(t.Context())
		if r.MonitorErr != nil || r.InventoryErr != nil || r.StatesErr != nil || len(r.Pools) != 1 || len(r.Workers) != 3 {
			t.Fatalf("%+v", r)
		}
		for _, w := range r.Workers {
			if w.State != "Working" || !w.Para.Known || w.Session != "WorkerIdle" || !w.Running || len(w.PublicKey) != 64 {
				t.Errorf("%+v", w)
			}
		}
		if err := c.RestartWorker(t.Context(), r.Workers[0].ID); err != nil {
			t.Fatal(err)
		}
		s.pass(5 * time.Second)
		for range 60 {
			s.pass(2 * time.Second)
		}
		states, err := c.States(t.Context(), r.Workers[0].ID)
		if err != nil || len(states) != 1 || states[0].State != "Working" {
			t.Errorf("%+v, %v", states, err)
		}
	}
}

func TestProxyDialsNobodyElse(t *testing.T) {
	s := serveV3(t, world.FleetOptions{Workers: 1, V3Workers: 1})
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, s.v3().Monitor+"/api/p/"+url.QueryEscape("http://192.0.2.1:3001")+"/wm/status", nil)
	if err != nil {
		t.Fatal(err)
	}
	r, err := s.client.Do(q)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Body.Close() }()
	if r.StatusCode != http.StatusInternalServerError {
		t.Errorf("answered %d", r.StatusCode)
	}
}

func FuzzWMConfig(f *testing.F) {
	for _, s := range []string{`"GetAllPools"`, `{"AddPool":{"name":"p","pid":7,"disabled":false,"sync_only":false}}`, `{"RemoveWorker":{"name":"v3-01"}}`,
		`{"SetPoolOperator":{"pid":7,"account":"é","account_type":"SecretKey","proxied_account_id":"x"}}`, `[]`, `null`, `{"AddWorker":[]}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		w := world.New(epoch, 1)
		world.DefaultFleet(w, world.FleetOptions{Workers: 1, V3Workers: 1})
		refused, ok := axumJSON("application/json", body, false)
		if !ok {
			if refused.status != 400 || len(refused.body) == 0 {
				t.Errorf("%q: %d", body, refused.status)
			}
			return
		}
		b := w.V3Bridge("prb-v3")
		r := wmConfig(b, body)
		if !r.panics && (len(r.body) == 0 || r.status == 200 && !json.Valid(r.body)) {
			t.Errorf("%q: %d %s", body, r.status, r.body)
		}
		wmAct(b, "/workers/restart", body)
		wmAct(b, "/workers/update_endpoints", body)
		w.Advance(w.Now().Add(time.Minute))
		if !json.Valid(marshal(showV3Workers(b))) || bytes.Contains(r.body, []byte("\x00")) {
			t.Error("no JSON")
		}
	})
}
