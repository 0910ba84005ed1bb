package campaign

import (
	"context"
	"encoding/json"
	"regexp"
	"testing"
	"time"

	"phalops/internal/fleet"
	"phalops/internal/host"
	"phalops/internal/host/docker"
	"phalops/internal/observe"
	"phalops/internal/prb"
	v0 "phalops/internal/prb/v0"
	v2 "phalops/internal/prb/v2"
	v3 "phalops/internal/prb/v3"
	"phalops/internal/pruntime"
	simwire "phalops/internal/sim/wire"
	"phalops/internal/sim/world"
	"phalops/internal/substrate"
	"phalops/internal/wire"
)

// TestBothFacesSayTheSame asks the same world, at the same moment, through its sockets with the real clients and through the
// adapters. Whatever they say must be the same, errors included.
func TestBothFacesSayTheSame(t *testing.T) {
	t.Parallel()
	minutes := func(n int) time.Duration { return time.Duration(n) * time.Minute }
	every := func(kinds ...string) (all []world.Fault) {
		for i, k := range kinds {
			all = append(all, world.Fault{At: time.Duration(i+1) * time.Second, Kind: k, Target: "*/*2"})
		}
		return all
	}
	net := byte(150) // pRuntimes have addresses of their own in every world
	for name, c := range map[string]struct {
		after  time.Duration
		v30    bool
		faults []world.Fault
	}{
		"all is well":         {after: minutes(3)},
		"all is well in v3.0": {after: minutes(3), v30: true},
		"workers in error": {after: minutes(4), faults: append(every(world.WorkerError, world.WorkerFreeze, world.WorkerMessage),
			world.Fault{Kind: world.PruntimeDown, Target: "*01"}, world.Fault{Kind: world.WorkerStarting, Target: "*3"})},
		"workers in error in v3.0": {after: minutes(4), v30: true, faults: append(every(world.WorkerError, world.WorkerFreeze, world.WorkerMessage),
			world.Fault{Kind: world.PruntimeDown, Target: "*01"})},
		"pRuntimes are new":     {after: minutes(6), faults: []world.Fault{{Kind: world.IdentityLost, Target: "*01"}}},
		"the node stands still": {after: minutes(30), faults: []world.Fault{{Kind: world.NodeStall, Target: "node-1"}}},
		"the node crashed":      {after: 20 * time.Second, faults: []world.Fault{{Kind: world.NodeCrash, Target: "node-1"}}},
		"the node lies":         {after: minutes(2), faults: []world.Fault{{Kind: world.RPCLie, Target: "node-1"}}},
		"the node refuses":      {after: minutes(2), faults: []world.Fault{{Kind: world.RPCError, Target: "node-1"}}},
		"the node says HTML":    {after: minutes(2), faults: []world.Fault{{Kind: world.RPCGarbage, Target: "node-1"}}},
		"the node says half":    {after: minutes(2), faults: []world.Fault{{Kind: world.RPCGarbage, Target: "node-1", Text: world.GarbageTorn}}},
		"lifecycles crashed":    {after: 1500 * time.Millisecond, faults: []world.Fault{{At: time.Second, Kind: world.LifecycleCrash, Target: "*"}}},
		"monitors crashed":      {after: 1500 * time.Millisecond, faults: []world.Fault{{At: time.Second, Kind: world.MonitorCrash, Target: "*"}}},
		"providers stand still": {after: minutes(9), faults: []world.Fault{{Kind: world.ProviderStall, Target: "*"}, {Kind: world.ProviderStall, Target: "prb-v0/fetch"}}},
		"lifecycle frozen":      {after: minutes(1), faults: []world.Fault{{Kind: world.PeerFrozen, Target: "prb-a"}}},
		"providers crashed":     {after: 1500 * time.Millisecond, faults: []world.Fault{{At: time.Second, Kind: world.ProviderCrash, Target: "*"}}},
	} {
		net++
		own := net
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := world.New(start, 5)
			world.DefaultFleet(w, world.FleetOptions{Workers: 5, V0Workers: 4, V3Workers: 4, V30: c.v30, Solo: 2, Net: own})
			if err := w.Apply(world.Scenario{Faults: c.faults}); err != nil {
				t.Fatal(err)
			}
			w.Advance(start.Add(c.after))
			compareFaces(t, w)
		})
	}
}

func compareFaces(t *testing.T, w *world.World) {
	t.Helper()
	s, err := New(Options{World: w})
	if err != nil {
		t.Fatal(err)
	}
	d := &Daemon{Name: "asker", sim: s}
	d.clock = &handClock{sim: s}
	inside := newReach(d)
	face := simwire.NewFace(w, d.clock)
	server, err := simwire.Serve(t.Context(), face, simwire.Options{QueryTimeout: 100 * time.Millisecond, FrozenAfter: 50 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	http := wire.New(wire.Options{Allow: wire.LoopbackOnly})
	defer http.Close()
	e := server.Endpoints()
	same := func(what string, ask func() any, answer any) {
		var here any
		face.Do(func(*world.World) { here = ask() })
		if a, b := shown(t, here), shown(t, answer); a != b {
			at := 0
			for at < min(len(a), len(b)) && a[at] == b[at] {
				at++
			}
			at = max(0, at-100)
			t.Errorf("%s\n adapter: … %.300s\n  client: … %.300s", what, a[min(at, len(a)):], b[min(at, len(b)):])
		}
	}
	for _, b := range e.Bridges {
		var client prb.Bridge
		switch b.Version {
		case "v0":
			client, err = v0.New(v0.Options{URL: b.Monitor, HTTP: http, Clock: d.clock})
		case "v2":
			client, err = v2.New(v2.Options{URL: b.Monitor, Lifecycle: b.Lifecycle, HTTP: http, Clock: d.clock})
		case "v3":
			client, err = v3.New(v3.Options{URL: b.WM, HTTP: http, Clock: d.clock})
		}
		if err != nil {
			t.Fatal(err)
		}
		adapter, err := inside.Bridge(b.Name)
		if err != nil {
			t.Fatal(err)
		}
		same(b.Name, func() any { return plain(adapter.Read(t.Context())) }, plain(client.Read(t.Context())))
		same(b.Name+" nobody", func() any { return nobody(t.Context(), adapter) }, nobody(t.Context(), client))
	}
	for _, p := range e.Pruntimes {
		client, err := pruntime.New(pruntime.Options{URL: p, HTTP: http})
		if err != nil {
			t.Fatal(err)
		}
		same(p, func() any { return both(inside.pruntime(p).GetInfo(t.Context())) }, both(client.GetInfo(t.Context())))
	}
	for _, n := range e.Nodes {
		at := s.places.nodes[n.Name]
		for i, url := range []string{n.Para, n.Relay} {
			client := observe.RPC(substrate.New(url, http))
			same(url, func() any { return both(inside.Chain(at[i]).Look(t.Context())) }, both(client.Look(t.Context())))
		}
	}
	for _, h := range e.HeadersCaches {
		for url := range s.places.caches {
			same(h.URL, func() any { return both(inside.Cache(h.Name, url).Read(t.Context())) }, both(observe.Cache(h.Name, h.URL, http).Read(t.Context())))
		}
	}
	for _, h := range e.Hosts {
		client, err := docker.New(h.Docker, d.clock)
		if err != nil {
			t.Fatal(err)
		}
		adapter, err := inside.Containers(h.Name)
		if err != nil {
			t.Fatal(err)
		}
		same(h.Name, func() any { return both(adapter.List(t.Context(), host.Filter{})) }, both(client.List(t.Context(), host.Filter{})))
		same(h.Name, func() any { return both(adapter.Inspect(t.Context(), "nobody")) }, both(client.Inspect(t.Context(), "nobody")))
		client.Close()
	}
}

// nobody asks for a worker that is not there.
func nobody(ctx context.Context, b prb.Bridge) any {
	states, err := b.States(ctx, "no-such-id")
	acted := b.RestartWorker(ctx, "no-such-id")
	return []any{both(states, err), both(nil, acted)}
}

// said is an answer, or what its error says to people and to the program.
type said struct {
	Answer    any          `json:"answer,omitempty"`
	Reason    fleet.Reason `json:"reason"`
	Kind      fleet.ErrorKind
	Class     wire.Class
	Ambiguous bool
}

func both(answer any, err error) said {
	if err != nil {
		answer = nil
	}
	return said{answer, fleet.ReasonOf(err), fleet.KindOf(err), wire.ClassOf(err), prb.IsAmbiguous(err)}
}

// plain is a reading whose errors can be shown.
func plain(r prb.Reading) any {
	type provider struct {
		Status fleet.DataProviderStatus
		Err    said
	}
	var providers []provider
	for _, p := range r.DataProviders {
		providers = append(providers, provider{p.Status, both(nil, p.Err)})
	}
	return struct {
		Monitor, Inventory, States said
		Peer                       string
		Providers                  []provider
		Pools                      []fleet.Pool
		Workers                    []fleet.WorkerStatus
	}{both(nil, r.MonitorErr), both(nil, r.InventoryErr), both(nil, r.StatesErr), r.LifecyclePeer, providers, r.Pools, r.Workers}
}

// somewhere is an address of one of the faces.
var somewhere = regexp.MustCompile(`(http|tcp)://127\.\d+\.\d+\.\d+:(3000|3001|9944|9945|22111|2375)`)

func shown(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return somewhere.ReplaceAllString(string(b), "$1://…:$2")
}
