package wire

import (
	"encoding/json"
	"testing"
	"time"

	"go.uber.org/goleak"

	"phalops/internal/clock"
	"phalops/internal/sim/world"
)

// FuzzRoleHello: whatever a process says of itself, the world takes it or refuses it, and goes on when it is gone.
func FuzzRoleHello(f *testing.F) {
	for _, seed := range []string{
		`{"protocol":1,"role":"node","part":"phala-node","pid":1}`,
		`{"protocol":1,"role":"prb","part":"node-1/bridge_lifecycle_1","env":{"PHALA_MODULE":"lifecycle","PHALA_PRPC_REQUEST_TIMEOUT":"-1"}}`,
		`{"protocol":1,"role":"prb","part":"bridge_arena_1","env":{"PHALA_MODULE":"utils/arena"}}`,
		`{"protocol":1,"role":"headers-cache","part":"prb3_headers-cache_1","args":["serve","--interval=4294967295"]}`,
		`{"protocol":1,"role":"headers-cache","part":"prb3_headers-cache_1","args":["--interval","0"]}`,
		`{"protocol":1,"role":"pruntime","part":"127.0.100.1:8000/","env":{"EXTRA_OPTS":"--enable-kick-api"}}`,
		`{"protocol":1,"role":"pruntime","part":"://"}`,
		`{"protocol":1,"role":"redis"}`,
		`{}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		var hello roleHello
		if json.Unmarshal(line, &hello) != nil {
			return
		}
		c := clock.NewVirtual(epoch)
		w := world.New(epoch, 1)
		world.DefaultFleet(w, world.FleetOptions{Workers: 1, V3Workers: 1})
		s := &Server{face: NewFace(w, c), desk: &roleDesk{processes: map[*world.Body]RoleProcess{}}}
		ended := 0
		body, err := s.join(hello, func(int) { ended++ })
		if err != nil {
			return
		}
		if len(s.Roles()) != 1 || s.Roles()[0].Part != body.Part() {
			t.Fatalf("the world lists %+v", s.Roles())
		}
		c.Advance(time.Minute)
		s.face.Do(func(*world.World) { body.Terminate() })
		c.Advance(time.Minute)
		s.face.Do(func(*world.World) { body.Lost() })
		if ended != 1 {
			t.Fatalf("%s was told its end %d times", body.Part(), ended)
		}
	})
}

// TestNothingIsLeftOfRoles: neither the end of a process nor that of the world leaves anything running.
func TestNothingIsLeftOfRoles(t *testing.T) {
	leaks := goleak.IgnoreCurrent()
	s, socket := serveRoles(t)
	node := play(t, socket, "phala-node", image("node", nil))
	says(t, node.joined)
	trade := play(t, socket, "bridge_trade_1", image("prb", map[string]string{"PHALA_MODULE": "trade"}))
	says(t, trade.joined)
	silent := connect(t, socket) // it never says who it is
	s.face.Do(func(w *world.World) { w.Host("node-1").Container("bridge_trade_1").Exit(1) })
	if code, err := trade.end(t); code != 1 || err != nil {
		t.Errorf("exit %d, %v", code, err)
	}
	s.server.Close()
	_, _ = node.end(t)
	_ = silent.Close()
	s.client.CloseIdleConnections()
	goleak.VerifyNone(t, leaks)
}
