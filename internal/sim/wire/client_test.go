package wire

import (
	"testing"
	"time"

	v2 "phalops/internal/prb/v2"
	"phalops/internal/sim/world"
	"phalops/internal/substrate"
	"phalops/internal/wire"
)

// TestTheRealClientsFindWhatTheyExpect reads a served world with the program's own clients, which share no code with it.
func TestTheRealClientsFindWhatTheyExpect(t *testing.T) {
	s := serve(t, Options{})
	http := wire.New(wire.Options{Allow: wire.LoopbackOnly})
	bridge, err := v2.New(v2.Options{URL: s.Bridges[0].Monitor, Lifecycle: s.Bridges[0].Lifecycle, HTTP: http, Clock: s.clock})
	if err != nil {
		t.Fatal(err)
	}
	s.face.Do(func(w *world.World) {
		_ = w.Apply(world.Scenario{Faults: []world.Fault{{Kind: world.WorkerError, Target: "w-03", Text: "BlockNumberMismatch"}}})
	})
	s.pass(time.Second)
	r := bridge.Read(t.Context())
	if r.MonitorErr != nil || r.InventoryErr != nil || r.StatesErr != nil || len(r.Pools) != 2 || len(r.Workers) != 6 || len(r.DataProviders) != 1 {
		t.Fatalf("%+v", r)
	}
	for _, w := range r.Workers {
		want := "S_ACTIVE"
		if w.Name == "w-03" {
			want = "S_ERROR"
		}
		if w.State != want || !w.Para.Known || w.Para.Value < 2_999_990 || w.Session != "WorkerIdle" || !w.StakeOK || !w.Running || w.MessageAt.IsZero() || len(w.PublicKey) != 64 || w.PInit == 0 || w.V == "" {
			t.Errorf("%+v", w)
		}
	}
	if d := r.DataProviders[0]; d.Err != nil || d.Status.Status != "S_IDLE" || !d.Status.Para.Known {
		t.Errorf("%+v", d)
	}
	if err := bridge.RestartWorker(t.Context(), r.Workers[2].ID); err != nil {
		t.Fatal(err)
	}
	s.pass(2 * time.Second)
	for range 60 {
		s.pass(time.Second)
	}
	states, err := bridge.States(t.Context(), r.Workers[2].ID)
	if err != nil || len(states) != 1 || states[0].State != "S_ACTIVE" {
		t.Errorf("%+v, %v", states, err)
	}
	var health struct {
		Peers     int
		IsSyncing bool
	}
	if err := substrate.New(s.Nodes[0].Relay, http).Call(t.Context(), &health, "system_health"); err != nil || health.Peers != 40 {
		t.Errorf("%+v, %v", health, err)
	}
}

// The node client is not fooled, flooded or held up by a node that has gone mad.
func TestTheNodeClientOutlivesBadNodes(t *testing.T) {
	s := serve(t, Options{})
	http := wire.New(wire.Options{Allow: wire.LoopbackOnly, Timeout: 500 * time.Millisecond, MaxBody: 1 << 20})
	t.Cleanup(http.Close)
	node := substrate.New(s.Nodes[0].Para, http)
	for _, f := range []world.Fault{
		{Kind: world.RPCGarbage}, {Kind: world.RPCGarbage, Text: world.GarbageTorn}, {Kind: world.RPCGarbage, Text: world.GarbageStranger},
		{Kind: world.RPCGarbage, Text: world.GarbageEmpty}, {Kind: world.RPCHuge}, {Kind: world.RPCSlow, Delay: time.Minute}, {Kind: world.RPCError},
	} {
		f.Target, f.For = "node-1", time.Minute
		s.face.Do(func(w *world.World) {
			if err := w.Apply(world.Scenario{Faults: []world.Fault{f}}); err != nil {
				t.Fatal(err)
			}
		})
		s.pass(time.Second)
		if h, err := node.Health(t.Context()); err == nil {
			t.Errorf("%s %s: %+v", f.Kind, f.Text, h)
		}
		s.pass(2 * time.Minute)
		if _, err := node.Health(t.Context()); err != nil {
			t.Errorf("after %s %s: %v", f.Kind, f.Text, err)
		}
	}
	if heights, err := node.PeerHeights(t.Context()); !substrate.IsMissing(err) {
		t.Errorf("a node that hides its peers: %v, %v", heights, err)
	}
	s.face.Do(func(w *world.World) { w.Node("node-1").UnsafeRPC = true })
	heights, err := node.PeerHeights(t.Context())
	if best, ok := substrate.Agreed(heights); err != nil || !ok || best < 3_000_000 || len(heights) != 40 {
		t.Errorf("peers: %v, %v", heights, err)
	}
}
