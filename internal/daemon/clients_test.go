package daemon

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"phalops/internal/clock"
	"phalops/internal/config"
	"phalops/internal/fleet"
	"phalops/internal/host"
	"phalops/internal/i18n"
	"phalops/internal/secret"
	simwire "phalops/internal/sim/wire"
	"phalops/internal/sim/world"
	"phalops/internal/wire"
)

// newWholeRig is a quiet fleet with bridges of every generation. Its pRuntimes have addresses in 127.net.0.0/16.
func newWholeRig(t *testing.T, net byte) *rig {
	t.Helper()
	sim, err := StartSim(t.Context(), SimOptions{Seed: 7, Speed: testSpeed, Scenario: &world.Scenario{},
		Fleet: world.FleetOptions{Workers: 3, V0Workers: 2, V3Workers: 4, Solo: 2, Net: net}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(sim.Close)
	r := &rig{t: t, sim: sim, dir: t.TempDir()}
	r.cfg = r.parse("")
	return r
}

func (r *rig) clients(cfg config.Config) *Clients {
	c := NewClients(ClientOptions{Config: cfg, Clock: r.sim.Clock, Allow: wire.LoopbackOnly})
	r.t.Cleanup(c.Close)
	return c
}

// TestEveryGenerationIsReached loads the configuration that the simulator writes, makes every client of it, and asks.
func TestEveryGenerationIsReached(t *testing.T) {
	t.Parallel()
	r := newWholeRig(t, 71)
	path := filepath.Join(r.dir, "sim.yaml")
	write(t, path, r.yaml(""))
	cfg, problems, err := config.Load(path)
	if err != nil || len(problems) > 0 {
		t.Fatal(problems, err)
	}
	c := r.clients(cfg)
	want := map[string]int{"prb-a v2": 3, "prb-v0 v0": 2, "prb-v3 v3": 4, "solo-01 solo": 1, "solo-02 solo": 1}
	if len(cfg.Sites[0].Bridges) != len(want) {
		t.Errorf("%d bridges are configured, want %d", len(cfg.Sites[0].Bridges), len(want))
	}
	for _, b := range cfg.Sites[0].Bridges {
		client, err := c.Bridge(b.Name)
		if err != nil {
			t.Error(err)
			continue
		}
		got := client.Read(t.Context())
		if err := errors.Join(got.MonitorErr, got.InventoryErr, got.StatesErr); err != nil {
			t.Errorf("%s: %v", b.Name, err)
		}
		n := 0
		for _, w := range got.Workers {
			if w.Running && w.Para.Known && w.Para.Value > 0 {
				n++
			}
		}
		if n != want[b.Name+" "+b.Version] {
			t.Errorf("%s (%s): %d workers run, want %d", b.Name, b.Version, n, want[b.Name+" "+b.Version])
		}
		if again, err := c.Bridge(b.Name); err != nil || again != client {
			t.Errorf("%s: another client the second time, %v", b.Name, err)
		}
	}
	for name := range cfg.Hosts {
		if engine, err := c.Containers(name); err != nil {
			t.Error(err)
		} else if name != config.LocalHost {
			if s, err := engine.List(t.Context(), host.Filter{}); err != nil || len(s) == 0 {
				t.Errorf("host %s: %v, %v", name, s, err)
			}
		}
	}
	if caches := cfg.Sites[0].HeadersCaches; len(caches) != 1 || caches[0].Node != "node-1" {
		t.Errorf("headers-caches: %+v", caches)
	}
	for _, endpoint := range r.sim.Server.Endpoints().Pruntimes[:2] {
		p, err := c.Pruntime(endpoint)
		if err != nil {
			t.Fatal(err)
		}
		if s, err := p.GetInfo(t.Context()); err != nil || s.PublicKey == "" {
			t.Errorf("pRuntime %s: %+v, %v", endpoint, s, err)
		}
	}
}

// TestChangedBridge: a bridge whose entry changes gets a new client, the others keep theirs; v3 is asked through its monitor
// where its URL says so.
func TestChangedBridge(t *testing.T) {
	t.Parallel()
	r := newWholeRig(t, 72)
	c := r.clients(r.cfg)
	before := map[string]any{}
	for _, b := range r.cfg.Sites[0].Bridges {
		client, err := c.Bridge(b.Name)
		if err != nil {
			t.Fatal(err)
		}
		before[b.Name] = client
	}
	proxied := r.parse("")
	for i, b := range proxied.Sites[0].Bridges {
		proxied.Sites[0].Bridges[i].Labels = map[string]string{"x": "y"} // not what a client is made of
		if b.Version == "v3" {
			for _, e := range r.sim.Server.Endpoints().Bridges {
				if e.Name == b.Name {
					proxied.Sites[0].Bridges[i].URL = config.ManagerURL(e.Monitor, e.WM)
				}
			}
		}
	}
	c.Configure(proxied)
	for name, was := range before {
		is, err := c.Bridge(name)
		if err != nil {
			t.Fatal(err)
		}
		if (is == was) != (name != "prb-v3") {
			t.Errorf("%s: same client %v", name, is == was)
		}
		if name == "prb-v3" {
			if got := is.Read(t.Context()); got.MonitorErr != nil || got.InventoryErr != nil || len(got.Workers) != 4 {
				t.Errorf("through the monitor: %+v", got)
			}
		}
	}
}

func TestNotConfigured(t *testing.T) {
	cfg := quick(t, "hosts: { far: { address: 127.0.0.2 }, plain: { address: 127.0.0.3, docker: \"tcp://127.0.0.1:1\" }, keyless: { address: 127.0.0.4, user: ops }, away: { address: 192.0.2.1, user: ops, key: env:KEY }, named: { address: node.example, user: ops, key: env:KEY }, no-env: { address: 127.0.0.5, user: ops, key: env:NONE }, nonsense: { address: 127.0.0.6, user: ops, key: env:KEY } }\n")
	catalog, err := i18n.Load()
	if err != nil {
		t.Fatal(err)
	}
	const text = "-----BEGIN TOPSECRET KEY-----"
	c := NewClients(ClientOptions{Config: cfg, Clock: clock.Real{}, Secrets: secret.NewMap(map[string]string{"KEY": text}), Allow: wire.LoopbackOnly})
	defer c.Close()
	bridge := func(name string) error { _, err := c.Bridge(name); return err }
	engine := func(name string) error { _, err := c.Containers(name); return err }
	commands := func(name string) error { _, err := c.Host(name); return err }
	for _, tc := range []struct {
		ask  func(string) error
		name string
		code string
		says string
	}{
		{bridge, "prb-x", "daemon.no_bridge", "prb-x"},
		{commands, "x", "daemon.no_host", "no host x"},
		{engine, "far", "daemon.no_engine", "docker or user"},
		{commands, "plain", "daemon.no_commands", "give it a user"},
		{engine, "keyless", "daemon.no_key", "SSH_AUTH_SOCK"},
		{commands, "away", "wire.forbidden", "192.0.2.1"},
		{commands, "named", "wire.forbidden", "node.example"},
		{commands, "no-env", "secret.env_unset", "NONE"},
		{commands, "nonsense", "host.bad_key", "nonsense"},
	} {
		err := tc.ask(tc.name)
		why := fleet.ReasonOf(err)
		said := catalog.Text(i18n.EN, why.Code, why.Args)
		if why.Code != tc.code || !strings.Contains(said, tc.says) {
			t.Errorf("%s: %v (%s), want %s with %q", tc.name, err, said, tc.code, tc.says)
		}
		if strings.Contains(fmt.Sprintf("%v %+v %s", err, err, said), "TOPSECRET") {
			t.Errorf("%s: the key is shown: %v", tc.name, err)
		}
	}
	if err := c.CheckKeys(); fleet.ReasonOf(err).IsZero() || !strings.Contains(err.Error(), "keyless") {
		t.Errorf("keys that cannot be had: %v", err)
	}
}

// quick is a configuration of one empty site and what more says.
func quick(t *testing.T, more string) config.Config {
	t.Helper()
	cfg, problems := config.Parse([]byte(more + "sites: [ { name: dc1 } ]\n"))
	if len(problems) > 0 {
		t.Fatalf("%+v", problems)
	}
	return cfg
}

// TestOneChainNode: what the simulator writes of a node with one chain can be read again.
func TestOneChainNode(t *testing.T) {
	var b strings.Builder
	siteYAML(func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }, simwire.Endpoints{
		Nodes: []simwire.NodeEndpoint{{Name: "single", Host: "local", RPC: "http://127.0.0.1:9944", Container: "my-node"}},
	})
	cfg, problems := config.Parse([]byte("sites:\n  - name: sim\n" + b.String()))
	if len(problems) > 0 {
		t.Fatalf("%+v\n%s", problems, b.String())
	}
	if n := cfg.Sites[0].Nodes[0]; n.RPC != "http://127.0.0.1:9944" || n.Para != "" || n.Relay != "" {
		t.Errorf("%+v", n)
	}
}
