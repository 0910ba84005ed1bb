package control

import (
	"context"
	"fmt"
	"testing"
	"time"

	"phalops/internal/clock"
	"phalops/internal/config"
	"phalops/internal/fleet"
	"phalops/internal/host"
	"phalops/internal/host/hosttest"
	"phalops/internal/observe"
	"phalops/internal/store"
	"phalops/internal/substrate"
)

// bare are Clients that offer what Clients must offer; the parts that nobody asks for are nil.
type bare struct {
	Clients
	heads map[string]*growing
}

// growing is a chain that makes a block every time it is looked at, unless it stands.
type growing struct {
	url    string
	height int64
	stands bool
}

func (g *growing) URL() string { return g.url }

func (g *growing) Look(context.Context) (observe.ChainReading, error) {
	if !g.stands {
		g.height++
	}
	h := fleet.Height{Value: g.height, Known: true}
	return observe.ChainReading{Best: h, Target: h, Finalized: h, Peers: new(25)}, nil
}

func (b bare) Chain(url string) observe.ChainSource { return b.heads[url] }

func (b bare) Containers(string) (host.Containers, error) {
	return nil, fleet.Fail(fleet.Unavailable, fleet.Because("x.none"))
}

// rich are Clients that offer hosts and headers caches as well.
type rich struct {
	bare
	machine *hosttest.Fake
	header  *int64
}

func (r rich) Host(string) (host.Host, error) { return r.machine, nil }

func (r rich) Cache(name, url string) observe.CacheSource { return fixed{name, url, r.header} }

type fixed struct {
	name, url string
	header    *int64
}

func (f fixed) Name() string { return f.name }
func (f fixed) URL() string  { return f.url }
func (f fixed) Read(context.Context) (substrate.CacheState, error) {
	n := substrate.Number(*f.header)
	return substrate.CacheState{Highest: substrate.CacheHeights{Header: &n}}, nil
}

// TestLookingAroundANode: the disk and the headers caches of a node are watched where they are configured and somebody can
// look; what is wrong there is told without touching the node's condition.
func TestLookingAroundANode(t *testing.T) {
	cfg, problems := config.Parse([]byte(`
sites:
  - name: dc1
    nodes: [ { name: node-1, para: "http://127.0.0.1:9944", relay: "http://127.0.0.1:9945", container: n, volume: /opt/node } ]
    headers_caches: [ { name: hc-1, url: "http://127.0.0.1:22111", node: node-1 } ]
`))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	hands := clock.NewVirtual(day)
	header, free := int64(10), 500<<20
	b := bare{heads: map[string]*growing{"http://127.0.0.1:9944": {url: "p", height: 100}, "http://127.0.0.1:9945": {url: "r", height: 100}}}
	r := rich{b, hosttest.NewFake("local", hands, nil), &header}
	r.machine.Provide("df", func(_ context.Context, c hosttest.Call) int {
		fmt.Fprintf(c.Stdout, "x\n/dev/sda1 %d 0 %d 0%% /opt\n", 1000<<20, free)
		return 0
	})
	c := &Control{board: NewBoard(), config: func() config.Config { return cfg }, clients: r, clock: hands}
	c.board.setLease("dc1", store.Lease{Name: "dc1", Expires: day.Add(1000 * time.Hour)})
	beat := func(after time.Duration) (fleet.NodeStatus, fleet.Decision) {
		hands.Advance(after)
		status, d, _ := c.judgeNode(t.Context(), cfg.Sites[0], cfg.Sites[0].Nodes[0])
		c.board.setDecision(d)
		return status, d
	}
	n, d := beat(0)
	if d.Rule != "node.healthy" || n.Disk == nil || n.Disk.Free != 500<<30 || len(n.Caches) != 1 || n.Caches[0].Header.Value != 10 {
		t.Fatalf("at first: %s, disk %+v, caches %+v", d.Rule, n.Disk, n.Caches)
	}
	free = 9 << 20
	beat(4 * time.Minute)
	n, d = beat(2 * time.Minute)
	if d.Rule != "node.disk_low" || n.Condition != fleet.NodeHealthy || !n.Since.Equal(day) || !d.Since.Equal(hands.Now()) {
		t.Errorf("little room: %s since %v, %s since %v", d.Rule, d.Since, n.Condition, n.Since)
	}
	free = 500 << 20
	for range 5 * 60 {
		n, d = beat(time.Minute)
	}
	if d.Rule != "node.cache_stale" || n.Condition != fleet.NodeHealthy {
		t.Errorf("a cache that stands still for five hours: %s, %s", d.Rule, n.Condition)
	}
	header = 1000
	if _, d = beat(2 * time.Minute); d.Rule != "node.healthy" {
		t.Errorf("it follows again: %s", d.Rule)
	}
	c.clients = b
	if n, d = beat(time.Minute); n.Disk != nil || n.Caches != nil || d.Rule != "node.healthy" {
		t.Errorf("nobody can look: %s, %+v, %+v", d.Rule, n.Disk, n.Caches)
	}
}

// TestTheDaemonsOwnSleep: after a night in which nobody looked, a height that is the same did not stand still all night. A
// single look by a command has no night.
func TestTheDaemonsOwnSleep(t *testing.T) {
	cfg, problems := config.Parse([]byte(`sites: [ { name: dc1, nodes: [ { name: node-1, rpc: "http://127.0.0.1:9944", container: n } ] } ]`))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	for name, tc := range map[string]struct {
		ours bool
		want string
	}{"the daemon": {true, "node.healthy"}, "a command": {false, "node.alone"}} {
		hands := clock.NewVirtual(day)
		g := &growing{url: "p", height: 100}
		c := &Control{board: NewBoard(), config: func() config.Config { return cfg }, clients: bare{heads: map[string]*growing{"http://127.0.0.1:9944": g}}, clock: hands}
		if tc.ours {
			c.board.setLease("dc1", store.Lease{Name: "dc1", Expires: day.Add(1000 * time.Hour)})
		}
		beat := func(after time.Duration) fleet.Decision {
			hands.Advance(after)
			_, d, _ := c.judgeNode(t.Context(), cfg.Sites[0], cfg.Sites[0].Nodes[0])
			return d
		}
		beat(0)
		g.stands = true
		if d := beat(8 * time.Hour); d.Rule != tc.want {
			t.Errorf("%s after eight hours: %s", name, d.Rule)
		}
	}
}
