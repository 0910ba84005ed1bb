package wire

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"phalops/internal/clock"
	v0 "phalops/internal/prb/v0"
	"phalops/internal/sim/world"
	"phalops/internal/wire"
)

// v0Site is a served world with a v0 bridge on a clock that the test turns, and the bridge's endpoint.
func v0Site(t *testing.T, o Options) (*site, BridgeEndpoint) {
	t.Helper()
	s := &site{t: t, clock: clock.NewVirtual(epoch), world: world.New(epoch, 1), client: &http.Client{Transport: &http.Transport{}}}
	world.MixedFleet(s.world, world.FleetOptions{Workers: 2, V0Workers: 3})
	s.face = NewFace(s.world, s.clock)
	var err error
	if s.server, err = Serve(t.Context(), s.face, o); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.client.CloseIdleConnections()
		s.server.Close()
	})
	s.Endpoints = s.server.Endpoints()
	i := slices.IndexFunc(s.Bridges, func(b BridgeEndpoint) bool { return b.Version == "v0" })
	if i < 0 || s.Bridges[i].Name != "prb-v0" || s.Bridges[i].Project != "bridge_v0" || s.Bridges[i].Node != "node-1" {
		t.Fatalf("endpoints: %+v", s.Bridges)
	}
	return s, s.Bridges[i]
}

func TestTheRealV0ClientFindsWhatItExpects(t *testing.T) {
	s, end := v0Site(t, Options{})
	bridge, err := v0.New(v0.Options{URL: end.Monitor, HTTP: wire.New(wire.Options{Allow: wire.LoopbackOnly}), Clock: s.clock})
	if err != nil {
		t.Fatal(err)
	}
	r := bridge.Read(t.Context())
	if r.MonitorErr != nil || r.InventoryErr != nil || r.StatesErr != nil || len(r.Pools) != 1 || len(r.Workers) != 3 {
		t.Fatalf("%+v", r)
	}
	for _, w := range r.Workers {
		if w.State != world.V0StateMining && w.State != world.StateActive || !w.Para.Known || w.Para.Value < 2_999_990 || !w.StakeOK || !w.Running {
			t.Errorf("%+v", w)
		}
	}
	if err := bridge.RestartWorker(t.Context(), r.Workers[0].ID); err != nil {
		t.Fatal(err)
	}
	for range 40 {
		s.pass(time.Second)
	}
	states, err := bridge.States(t.Context(), r.Workers[0].ID)
	if err != nil || len(states) != 1 || states[0].State != r.Workers[0].State {
		t.Errorf("%+v, %v", states, err)
	}
}

func TestV0MonitorDiesOfAWrongTypeAndComesBack(t *testing.T) {
	s, end := v0Site(t, Options{})
	manager := end.Monitor + "/api/query_manager"
	ask := func(body string) (int, error) {
		status, _, err := s.post(t.Context(), manager, body)
		return status, err
	}
	if _, err := ask(`{"requestCreateWorker":{"workers":[{"pid":88,"name":"x","endpoint":"http://x","stake":10000000000000}]}}`); err == nil {
		t.Fatal("it answers")
	}
	s.pass(time.Second)
	if _, err := ask(`{}`); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("right after it: %v", err)
	}
	s.pass(5 * time.Second)
	if status, err := ask(`{"callOnlineLifecycleManager":{}}`); err != nil || status != http.StatusOK {
		t.Errorf("%d, %v", status, err)
	}
}

func TestV0LateBatchIsWrittenAfterItWasGivenUp(t *testing.T) {
	s, end := v0Site(t, Options{QueryTimeout: 60 * time.Millisecond, ItemTime: 50 * time.Millisecond})
	body := `{"requestCreateWorker":{"workers":[{"pid":"88","name":"a","endpoint":"http://a"},{"pid":"88","name":"b","endpoint":"http://b"}]}}`
	status, text, err := s.post(t.Context(), end.Monitor+"/api/query_manager", body)
	if err != nil || status != http.StatusInternalServerError || text != "Internal Server Error" {
		t.Fatalf("%d %q, %v", status, text, err)
	}
	deadline := time.Now().Add(5 * time.Second)
	for n := 0; n != 5; {
		s.face.Do(func(w *world.World) { n = len(w.V0Bridge("prb-v0").Workers()) })
		if time.Now().After(deadline) {
			t.Fatalf("%d workers", n)
		}
		if err := (clock.Real{}).Sleep(t.Context(), 5*time.Millisecond); err != nil {
			t.Fatal(err)
		}
	}
}

func TestV0FaultsOnTheWire(t *testing.T) {
	for kind, want := range map[string]int{world.PeerFrozen: http.StatusInternalServerError, world.LifecycleCrash: http.StatusInternalServerError, world.BridgeSlow: http.StatusInternalServerError} {
		s, end := v0Site(t, Options{QueryTimeout: 40 * time.Millisecond})
		f := world.Fault{Kind: kind, Target: "prb-v0"}
		if kind == world.BridgeSlow {
			f.Delay = time.Minute
		}
		s.face.Do(func(w *world.World) { _ = w.Apply(world.Scenario{Faults: []world.Fault{f}}) })
		s.pass(50 * time.Millisecond)
		if status, _, err := s.post(t.Context(), end.Monitor+"/api/query_manager", `{"callOnlineLifecycleManager":{}}`); err != nil || status != want {
			t.Errorf("%s: %d, %v", kind, status, err)
		}
		s.server.Close() // also of what is late
	}
	s, end := v0Site(t, Options{})
	s.face.Do(func(w *world.World) {
		_ = w.Apply(world.Scenario{Faults: []world.Fault{{Kind: world.MonitorHang, Target: "prb-v0"}}})
	})
	s.pass(time.Second)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, _, err := s.post(ctx, end.Monitor+"/api/query_fetcher", `{"callOnlineFetcher":{}}`); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}

func TestV0CloseDoesNotWaitForWhatIsLate(t *testing.T) {
	leaks := goleak.IgnoreCurrent()
	s, end := v0Site(t, Options{QueryTimeout: 20 * time.Millisecond, ItemTime: time.Hour})
	status, _, err := s.post(t.Context(), end.Monitor+"/api/query_manager", `{"requestCreateWorker":{"workers":[{"pid":"88","name":"a","endpoint":"http://a"}]}}`)
	if err != nil || status != http.StatusInternalServerError {
		t.Fatal(status, err)
	}
	s.client.CloseIdleConnections()
	s.server.Close()
	goleak.VerifyNone(t, leaks)
}

// pythonWithRequests finds a Python that has what the community's scripts import.
func pythonWithRequests(t *testing.T) string {
	t.Helper()
	for _, python := range []string{"python3", "/usr/bin/python3"} {
		if exec.CommandContext(t.Context(), python, "-c", "import requests").Run() == nil {
			return python
		}
	}
	t.Skip("no python3 with requests; scripts/test-deps.sh installs it")
	return ""
}

func TestCommunityClientsWorkUnchanged(t *testing.T) {
	python := pythonWithRequests(t)
	s, end := v0Site(t, Options{})
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	c := exec.CommandContext(ctx, python, filepath.Join("testdata", "community.py"), end.Monitor, s.Bridges[0].Monitor)
	c.Env = append(slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.Contains(strings.ToLower(v), "_proxy=") }), "NO_PROXY=*")
	var stderr strings.Builder
	c.Stderr = &stderr
	out, err := c.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, &stderr)
	}
	var got map[string]any
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]string{
		"states": `["S_MINING","S_MINING","S_MINING"]`, "restart": `{}`, "kick": `{}`, "pool": `2`, "worker": `4`, "deleted": `4`,
		"v2 states": `["S_ACTIVE","S_ACTIVE"]`, "v2 ip": `"127.0.0.1"`, "v2 restart": `false`,
	} {
		if have := string(marshal(got[key])); have != want {
			t.Errorf("%s: %s, want %s", key, have, want)
		}
	}
	if text, _ := got["pool again"].(string); !strings.HasPrefix(text, "Duplicated key 'name' in pool item {") {
		t.Errorf("a pool that is there: %s", text)
	}
	if f, _ := got["fetched"].(map[string]any); f["synched"] != true || f["paraId"] != 2004.0 {
		t.Errorf("fetched: %v", f)
	}
	s.face.Do(func(w *world.World) {
		if n := len(w.Effects()); n != 6 {
			t.Errorf("%d effects: %v", n, w.Effects())
		}
	})
}

func FuzzV0Body(f *testing.F) {
	for _, seed := range []string{`{}`, `{"queryWorkerState":{"ids":["x",{"uuid":"y"}]}}`, `{"requestCreatePool":{"pools":[{"pid":-1,"owner":{"polkadotJson":"{"}}]}}`,
		`{"requestUpdateWorker":{"items":[{"id":{"name":"v0-01"},"worker":{"deleted":true,"pid":1e300}},{}]}}`, `{"to":2,"callOnlineFetcher":0}`, `[1]`, `{"requestKickWorker":{"requests":"ab"}}`,
		`{"requestCreateWorker":{"workers":[{"pid":"88","name":"n","endpoint":"e","uuid":"u"},null]}}`, `{"requestStartWorkerLifecycle":{"requests":[{"id":{"pid":"18446744073709551616"}}]}}`} {
		f.Add("application/json", []byte(seed), true)
	}
	f.Add("text/plain", []byte(`{"x"`), false)
	f.Fuzz(func(t *testing.T, contentType string, body []byte, manager bool) {
		w := world.New(epoch, 1)
		world.MixedFleet(w, world.FleetOptions{Workers: 1, V0Workers: 2})
		h := newV0Handler(t.Context(), NewFace(w, clock.NewVirtual(epoch)), "prb-v0", Options{Latency: 1, QueryTimeout: time.Microsecond, ItemTime: 1}, func(f func()) { f() })
		path := map[bool]string{true: "/api/query_manager", false: "/api/query_fetcher"}[manager]
		q := httptest.NewRequestWithContext(t.Context(), http.MethodPost, path, strings.NewReader(string(body)))
		q.Header.Set("Content-Type", contentType)
		reply, died := httptest.NewRecorder(), false
		func() {
			defer func() {
				if p := recover(); p != nil {
					if e, ok := p.(error); !ok || !errors.Is(e, http.ErrAbortHandler) {
						panic(p)
					}
					died = true
				}
			}()
			h.ServeHTTP(reply, q)
		}()
		b := w.V0Bridge("prb-v0")
		switch {
		case died:
			if b.MonitorListening() {
				t.Error("the connection was closed, and the monitor lives on")
			}
			return
		case !b.MonitorListening():
			t.Error("the monitor died and answered")
		case reply.Code == http.StatusOK:
			var e v0Envelope
			if err := json.Unmarshal(reply.Body.Bytes(), &e); err != nil || e.Type != "MTP_REPLY" {
				t.Errorf("%v: %s", err, reply.Body)
			}
		case reply.Code != http.StatusInternalServerError && reply.Code != http.StatusBadRequest && reply.Code != http.StatusRequestEntityTooLarge:
			t.Errorf("status %d", reply.Code)
		}
		if len(b.Workers()) < 2 || len(b.Pools()) < 1 {
			t.Error("records are gone")
		}
	})
}
