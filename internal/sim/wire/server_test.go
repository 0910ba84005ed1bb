package wire

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"phalops/internal/clock"
	"phalops/internal/sim/world"
)

// site is a served world on a clock that the test turns.
type site struct {
	t      *testing.T
	clock  *clock.Virtual
	world  *world.World
	face   *Face
	server *Server
	client *http.Client
	Endpoints
}

func serve(t *testing.T, o Options) *site {
	t.Helper()
	return serveFleet(t, o, func(*world.World) {})
}

// serveWith serves a fleet that was changed beforehand.
func serveWith(t *testing.T, change func(*world.World)) *site {
	t.Helper()
	return serveFleet(t, Options{}, change)
}

func serveFleet(t *testing.T, o Options, change func(*world.World)) *site {
	t.Helper()
	s := &site{t: t, clock: clock.NewVirtual(epoch), world: world.New(epoch, 1), client: &http.Client{Transport: &http.Transport{}}}
	world.DefaultFleet(s.world, world.FleetOptions{Workers: 6})
	change(s.world)
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
	return s
}

// pass turns the clock and lets the ports follow.
func (s *site) pass(d time.Duration) {
	s.t.Helper()
	s.clock.Advance(d)
	if err := s.server.Sync(); err != nil {
		s.t.Fatal(err)
	}
}

func (s *site) post(ctx context.Context, url, body string) (int, string, error) {
	s.t.Helper()
	q, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	q.Header.Set("Content-Type", "application/json")
	r, err := s.client.Do(q)
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = r.Body.Close() }()
	text, err := io.ReadAll(r.Body)
	return r.StatusCode, string(text), err
}

func (s *site) peer(method string) string {
	b := s.Bridges[0]
	return b.Monitor + "/ptp/proxy/" + b.Lifecycle + "/" + method
}

const health = `{"jsonrpc":"2.0","id":1,"method":"system_health","params":[]}`

func TestServesTheWholeWorld(t *testing.T) {
	s := serve(t, Options{})
	for url, want := range map[string]string{
		s.Nodes[0].Para:                         `{"jsonrpc":"2.0","result":{"peers":40,"isSyncing":false,"shouldHavePeers":true},"id":1}`,
		s.Nodes[0].Relay:                        `{"jsonrpc":"2.0","result":{"peers":40,"isSyncing":false,"shouldHavePeers":true},"id":1}`,
		s.Bridges[0].Monitor + "/ptp/discover":  `"peerId":"` + s.Bridges[0].Lifecycle + `"`,
		s.Robots[0].URL + "?access_token=wrong": `"errcode":300001`,
		strings.Replace(s.Hosts[0].Docker, "tcp://", "http://", 1) + "/v1.41/containers/phala-node/restart?t=x": `"message"`,
	} {
		if _, got, err := s.post(t.Context(), url, health); err != nil || !strings.Contains(got, want) {
			t.Errorf("%s: %s, %v; want %s", url, got, err, want)
		}
	}
	text, err := json.Marshal(s.Endpoints)
	if err != nil || !bytes.Contains(text, []byte(`"data_providers":[{"name":"dp-1","peer_id":"Qm`)) {
		t.Errorf("%s, %v", text, err)
	}
	for _, addr := range []string{s.Nodes[0].Para, s.Bridges[0].Monitor, s.Robots[0].URL} {
		if !strings.HasPrefix(addr, "http://127.") {
			t.Errorf("%s is not loopback", addr)
		}
	}
}

func TestPortsFollowTheWorld(t *testing.T) {
	s := serve(t, Options{})
	h := s.world.Host("node-1")
	refused := func(url string) bool {
		_, _, err := s.post(t.Context(), url, health)
		return errors.Is(err, syscall.ECONNREFUSED)
	}
	s.face.Do(func(*world.World) { _, _ = h.Stop("phala-node", time.Minute), h.Stop("bridge_monitor_1", time.Minute) })
	s.pass(time.Minute)
	if !refused(s.Nodes[0].Para) || !refused(s.Nodes[0].Relay) || !refused(s.Bridges[0].Monitor+"/ptp/discover") {
		t.Error("a stopped part still has an open port")
	}
	s.face.Do(func(*world.World) { _, _ = h.Start("phala-node"), h.Start("bridge_monitor_1") })
	s.pass(5 * time.Second)
	if !refused(s.Nodes[0].Para) || refused(s.Bridges[0].Monitor+"/ptp/discover") {
		t.Error("5 s after the start the node's RPC is not up yet, the monitor is")
	}
	s.pass(5 * time.Second)
	if refused(s.Nodes[0].Para) || refused(s.Nodes[0].Relay) {
		t.Error("the node does not listen again")
	}
}

func TestHungPartsHangUntilTheirCallerGoes(t *testing.T) {
	s := serve(t, Options{})
	s.face.Do(func(w *world.World) {
		_ = w.Apply(world.Scenario{Faults: []world.Fault{{Kind: world.NodeHang, Target: "node-1"}, {Kind: world.MonitorHang, Target: "prb-a"}}})
	})
	s.pass(time.Second)
	for _, url := range []string{s.Nodes[0].Para, s.Bridges[0].Monitor + "/ptp/discover"} {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		if _, _, err := s.post(ctx, url, health); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v", url, err)
		}
		cancel()
	}
}

func TestCloseEndsEverything(t *testing.T) {
	leaks := goleak.IgnoreCurrent()
	c := clock.NewVirtual(epoch)
	w := world.New(epoch, 1)
	world.DefaultFleet(w, world.FleetOptions{Workers: 2})
	if err := w.Apply(world.Scenario{Faults: []world.Fault{{Kind: world.NodeHang, Target: "*"}}}); err != nil {
		t.Fatal(err)
	}
	s, err := Serve(t.Context(), NewFace(w, c), Options{Latency: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{}}
	var asking sync.WaitGroup
	b := s.Endpoints().Bridges[0]
	for _, url := range []string{s.Endpoints().Nodes[0].Para, b.Monitor + "/ptp/proxy/" + b.Lifecycle + "/ListWorker"} {
		asking.Go(func() {
			q, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(health))
			if r, err := client.Do(q); err == nil {
				_ = r.Body.Close()
			}
		})
	}
	deadline := time.Now().Add(5 * time.Second)
	for open := false; !open && time.Now().Before(deadline); { // both are on their way
		conn, err := net.Dial("tcp", strings.TrimPrefix(b.Monitor, "http://"))
		if open = err == nil; open {
			_ = conn.Close()
		}
	}
	s.Close()
	s.Close()
	asking.Wait()
	client.CloseIdleConnections()
	if err := s.Sync(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Sync after Close: %v", err)
	}
	goleak.VerifyNone(t, leaks)
}

func TestTwoServersKeepOutOfEachOthersWay(t *testing.T) {
	a, b := serve(t, Options{}), serve(t, Options{})
	if a.Nodes[0].Para == b.Nodes[0].Para {
		t.Error("both have the same address")
	}
	addr, err := net.ResolveTCPAddr("tcp", strings.TrimPrefix(a.Nodes[0].Para, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Serve(t.Context(), a.face, Options{Base: addr.AddrPort().Addr()}); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("an address that is taken: %v", err)
	}
}

func TestOverlappingRequestsLoseRepliesButAreCarriedOut(t *testing.T) {
	for _, keep := range []bool{false, true} {
		s := serve(t, Options{Latency: 100 * time.Millisecond, KeepOverlapping: keep})
		var mu sync.Mutex
		var replies []string
		var all sync.WaitGroup
		for _, name := range []string{"x-1", "x-2", "x-3", "x-4"} {
			all.Go(func() {
				_, text, err := s.post(t.Context(), s.peer("CreateWorker"), `{"workers":[{"pid":83,"name":"`+name+`"}]}`)
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				replies = append(replies, text)
			})
		}
		all.Wait()
		lost := len(slices.DeleteFunc(replies, func(r string) bool { return r != `{"data":{},"hasError":false,"meta":{}}` }))
		if lost == 0 != keep || lost == 4 {
			t.Errorf("keep %v: %d replies lost", keep, lost)
		}
		s.face.Do(func(w *world.World) {
			if n := len(w.Bridge("prb-a").Workers()); n != 10 {
				t.Errorf("keep %v: %d workers", keep, n)
			}
		})
		if _, text, _ := s.post(t.Context(), s.peer("ListWorker"), `{}`); !strings.Contains(text, "x-4") {
			t.Errorf("keep %v: a request by itself: %s", keep, text)
		}
	}
}

func TestARequestWhoseCallerLeftIsCarriedOut(t *testing.T) {
	s := serve(t, Options{Latency: 100 * time.Millisecond})
	var id string
	s.face.Do(func(w *world.World) { id = w.Bridge("prb-a").Workers()[0].UUID })
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
	defer cancel()
	if _, _, err := s.post(ctx, s.peer("RestartWorker"), `{"ids":["`+id+`"]}`); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatal(err)
	}
	deadline := time.Now().Add(5 * time.Second)
	for done := false; !done; {
		s.face.Do(func(w *world.World) { done = len(w.Effects()) == 1 })
		if time.Now().After(deadline) {
			t.Fatal("it never happened")
		}
		if err := (clock.Real{}).Sleep(t.Context(), 5*time.Millisecond); err != nil {
			t.Fatal(err)
		}
	}
}

func TestFrozenPeerTimesOut(t *testing.T) {
	s := serve(t, Options{FrozenAfter: 30 * time.Millisecond})
	s.face.Do(func(w *world.World) {
		_ = w.Apply(world.Scenario{Faults: []world.Fault{{Kind: world.PeerFrozen, Target: "prb-a"}}})
	})
	s.pass(time.Second)
	began := time.Now()
	_, text, err := s.post(t.Context(), s.peer("ListPool"), `{}`)
	if want := `{"hasError":true,"error":{"name":"AggregateError","code":"ERR_TIMEOUT"},"meta":null}`; err != nil || text != want || time.Since(began) < 30*time.Millisecond {
		t.Errorf("%s after %v, %v", text, time.Since(began), err)
	}
}

func TestSlowBridge(t *testing.T) {
	s := serve(t, Options{})
	s.face.Do(func(w *world.World) {
		_ = w.Apply(world.Scenario{Faults: []world.Fault{{Kind: world.BridgeSlow, Target: "prb-a", Delay: 60 * time.Millisecond}}})
	})
	s.pass(time.Second)
	began := time.Now()
	if _, _, err := s.post(t.Context(), s.peer("ListPool"), `{}`); err != nil || time.Since(began) < 60*time.Millisecond {
		t.Errorf("answered after %v, %v", time.Since(began), err)
	}
}
