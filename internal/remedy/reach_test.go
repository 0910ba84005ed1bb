package remedy_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"phalops/internal/act"
	"phalops/internal/act/acttest"
	"phalops/internal/clock"
	"phalops/internal/config"
	"phalops/internal/fleet"
	"phalops/internal/host"
	"phalops/internal/prb"
	"phalops/internal/remedy"
	"phalops/internal/sim/world"
)

func start() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }

var errSilent = errors.New("no answer")

// site is a simulated world with the configuration of it, reached without sockets, in virtual time. Whatever blocks in life
// (a stop that waits for its process) lets the world live here until it is done.
type site struct {
	w      *world.World
	clock  *clock.Virtual
	cfg    config.Config
	log    []string                // what was done to containers and workers, in order: "stop node-1/phala-node"
	before map[string]bool         // what ran at the beginning
	spoil  func(call string) error // asked before every call of an engine and every restart of a worker; an error is the answer
	after  func(call string) error // the same afterwards: the effect has happened
	paused string                  // a container that somebody paused
}

// newSite is the demo's fleet with a few workers (prb-a on node-1, with an arena container that somebody stopped).
func newSite(workers int) *site { return newSiteOf(world.FleetOptions{Workers: workers, Pools: 1}) }

func newSiteOf(o world.FleetOptions) *site {
	s := &site{clock: clock.NewVirtual(start())}
	s.w = world.New(start(), 7)
	world.DefaultFleet(s.w, o)
	s.cfg = config.Config{
		Hosts: map[string]config.Host{"node-1": {Name: "node-1", Address: "192.168.3.10", Docker: "unix:///x"}},
		Sites: []config.Site{{
			Name:          "dc1",
			Nodes:         []config.Node{{Name: "node-1", Host: "node-1", Para: "http://x", Container: "phala-node", Grace: 2 * time.Minute}},
			DataProviders: []config.DataProvider{{Name: "dp-1", Host: "node-1", Node: "node-1", Project: "bridge_dp"}},
			Bridges: []config.Bridge{{
				Name: "prb-a", Version: "v2", Node: "node-1", Host: "node-1", Project: "bridge", DataProviders: []string{"dp-1"},
			}},
		}},
	}
	add := func(b config.Bridge) { s.cfg.Sites[0].Bridges = append(s.cfg.Sites[0].Bridges, b) }
	if o.V0Workers > 0 {
		add(config.Bridge{Name: "prb-v0", Version: "v0", Node: "node-1", Host: "node-1", Project: "bridge_v0"})
	}
	if o.V3Workers > 0 {
		add(config.Bridge{Name: "prb-v3", Version: "v3", Node: "node-1", Host: "node-1", Project: "prb3"})
	}
	for _, p := range s.w.Pherries() {
		add(config.Bridge{Name: p.Name, Version: config.VersionSolo, URL: p.Pruntime, Node: "node-1", Host: p.Host, Pherry: p.Container})
		s.cfg.Hosts[p.Host] = config.Host{Name: p.Host}
	}
	return s
}

// addOld puts a bridge of each generation on node-1 that somebody stopped long ago, trade and all: whatever is done, nothing
// of it may ever run again.
func (s *site) addOld() {
	n := s.w.Node("node-1")
	s.w.AddBridge(world.BridgeSpec{Name: "old-v2", Host: "node-1", Project: "old_v2", Node: n})
	s.w.AddV0Bridge(world.V0Spec{Name: "old-v0", Host: "node-1", Project: "old_v0", Node: n})
	s.w.AddV3Bridge(world.V3Spec{Name: "old-v3", Host: "node-1", Project: "old_v3", Nodes: []*world.Node{n}})
	for _, version := range []string{"v2", "v0", "v3"} {
		s.cfg.Sites[0].Bridges = append(s.cfg.Sites[0].Bridges, config.Bridge{
			Name: "old-" + version, Version: version, Node: "node-1", Host: "node-1", Project: "old_" + version,
		})
	}
}

// addStandby puts a second bridge beside prb-a that has the same workers: its lifecycle was stopped by somebody, its other
// parts run.
func (s *site) addStandby() *site {
	b := s.addBridge("prb-b", "standby")
	must(s.w.Host("node-1").Stop("standby_lifecycle_1", 0))
	a := s.w.Bridge("prb-a")
	_, err := b.CreatePools([]world.PoolInput{{PID: 83, Name: "pool-83", HasOwner: true, Mnemonic: "standby", Enabled: true}})
	must(err)
	var copies []world.WorkerInput
	for _, w := range a.Workers() {
		copies = append(copies, world.WorkerInput{PID: 83, Name: w.Name, Endpoint: w.Endpoint, Stake: w.Stake, Enabled: true})
	}
	_, err = b.CreateWorkers(copies)
	must(err)
	s.pass(30 * time.Second)
	return s
}

// addBridge puts another bridge on node-1, all of whose containers run.
func (s *site) addBridge(name, project string) *world.Bridge {
	b := s.w.AddBridge(world.BridgeSpec{Name: name, Host: "node-1", Project: project, Node: s.w.Node("node-1"), Providers: s.w.DataProviders()})
	for _, service := range []string{"lifecycle", "trade", "redis-q", "monitor"} {
		s.container(project + "_" + service + "_1").BootRunning()
	}
	s.cfg.Sites[0].Bridges = append(s.cfg.Sites[0].Bridges, config.Bridge{
		Name: name, Version: "v2", Node: "node-1", Host: "node-1", Project: project, DataProviders: []string{"dp-1"},
	})
	return b
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func (s *site) container(name string) *world.Container { return s.w.Host("node-1").Container(name) }

func (s *site) pass(d time.Duration) {
	s.clock.Advance(d)
	s.live(s.clock.Now())
}

func (s *site) live(now time.Time) { s.w.Advance(now) }

// begin ends the preparations: from here on everything counts.
func (s *site) begin() *site {
	s.log, s.before = nil, s.running()
	return s
}

// running is every container with a process, or one that the restart policy is bringing back.
func (s *site) running() map[string]bool {
	set := map[string]bool{}
	for _, h := range s.w.Hosts() {
		for _, c := range h.Containers() {
			if c.State() == world.StateRunning || c.State() == world.StateRestarting {
				set[h.Name+"/"+c.Name] = true
			}
		}
	}
	return set
}

// setup is a plan to enumerate, in a site with an old bridge of each generation beside those that it is about.
func (s *site) setup(req act.Request, judge func(*testing.T, acttest.Run)) acttest.Setup {
	s.addOld()
	return acttest.Setup{
		Kinds:   func() []act.Kind { return remedy.New(func() config.Config { return s.cfg }, s).Kinds() },
		Request: req, Clock: s.clock, Pass: s.live, Judge: judge,
	}
}

// judge holds what holds for every plan whatever happened to it: exactly what ran before runs, and nobody was harmed.
func (s *site) judge(t *testing.T) {
	t.Helper()
	s.judgeSet(t)
	for _, h := range s.w.Harm() {
		t.Errorf("harm at %s: %s to %s", h.At.Sub(start()), h.Kind, h.Target)
	}
}

// judgeSet is judge for what a person asked for although nothing was wrong: that is harm by itself.
func (s *site) judgeSet(t *testing.T) {
	t.Helper()
	if now := s.running(); !maps.Equal(now, s.before) {
		t.Errorf("there run %v, before %v", slices.Sorted(maps.Keys(now)), slices.Sorted(maps.Keys(s.before)))
	}
	for _, line := range s.log {
		what, where, _ := strings.Cut(line, " ")
		if host, _, _ := strings.Cut(where, "/"); s.w.Host(host) != nil && !s.before[where] {
			t.Errorf("%s did not run before, and was asked to %s", where, what)
		}
	}
}

// did holds the effects, in order, against what was wanted.
func (s *site) did(t *testing.T, want string) {
	t.Helper()
	if got, want := strings.Join(s.log, "\n"), lines(want); got != want {
		t.Errorf("what was done:\n%s\nwant:\n%s", got, want)
	}
}

func lines(s string) string {
	var out []string
	for line := range strings.Lines(s) {
		if line = strings.TrimSpace(line); line != "" {
			out = append(out, line)
		}
	}
	return strings.Join(out, "\n")
}

// do is one call: it may be answered with an error before or after its effect. The effect is logged when there was one.
func (s *site) do(call string, effects func() int, f func() error) error {
	if s.spoil != nil {
		if err := s.spoil(call); err != nil {
			return err
		}
	}
	n := effects()
	err := f()
	if effects() > n {
		s.log = append(s.log, call)
	}
	if s.after != nil && err == nil {
		return s.after(call)
	}
	return err
}

// Bridge implements remedy.Reach.
func (s *site) Bridge(name string) (prb.Bridge, error) {
	if b := s.w.V0Bridge(name); b != nil {
		return v0Bridge{s: s, b: b}, nil
	}
	if b := s.w.V3Bridge(name); b != nil {
		return v3Bridge{s: s, b: b}, nil
	}
	if b := s.w.Bridge(name); b != nil {
		return bridge{s: s, b: b}, nil
	}
	return nil, errSilent
}

// Containers implements remedy.Reach.
func (s *site) Containers(name string) (host.Containers, error) {
	return engine{s, s.w.Host(name)}, nil
}

// Heads implements remedy.Reach.
func (s *site) Heads(_ context.Context, name string) ([]remedy.Head, error) {
	n := s.w.Node(name)
	if !n.Listening() || n.Hung() {
		return nil, errSilent
	}
	return []remedy.Head{
		{Chain: "para", Best: n.Para().Best(s.w.Now()), Peers: n.Para().PeerCount()},
		{Chain: "relay", Best: n.Relay().Best(s.w.Now()), Peers: n.Relay().PeerCount()},
	}, nil
}

// workers are the Refs of prb-a's workers by their names.
func (s *site) workers(names ...string) []fleet.Ref {
	var out []fleet.Ref
	for _, name := range names {
		w, ok := s.w.Bridge("prb-a").Worker(name)
		if !ok {
			panic("no worker " + name)
		}
		out = append(out, fleet.WorkerRef("prb-a", w.UUID))
	}
	return out
}

func (s *site) strike(kind, target string) {
	must(s.w.Apply(world.Scenario{Name: kind, Faults: []world.Fault{{Kind: kind, Target: target}}}))
	s.live(s.clock.Now())
}

func (s *site) cured(kind, target, by string) {
	must(s.w.Apply(world.Scenario{Name: kind, Faults: []world.Fault{{Kind: kind, Target: target, CuredBy: by}}}))
	s.live(s.clock.Now())
}
