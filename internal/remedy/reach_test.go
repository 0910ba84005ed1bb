package remedy_test

import (
	"context"
	"errors"
	"fmt"
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
func newSite(workers int) *site {
	s := &site{clock: clock.NewVirtual(start())}
	s.w = world.New(start(), 7)
	world.DefaultFleet(s.w, world.FleetOptions{Workers: workers, Pools: 1})
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
	return s
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

func (s *site) setup(req act.Request, judge func(*testing.T, acttest.Run)) acttest.Setup {
	return acttest.Setup{
		Kinds:   func() []act.Kind { return remedy.New(func() config.Config { return s.cfg }, s).Kinds() },
		Request: req, Clock: s.clock, Pass: s.live, Judge: judge,
	}
}

// judge holds what holds for every plan whatever happened to it: exactly what ran before runs, and nobody was harmed.
func (s *site) judge(t *testing.T) {
	t.Helper()
	if now := s.running(); !maps.Equal(now, s.before) {
		t.Errorf("there run %v, before %v", slices.Sorted(maps.Keys(now)), slices.Sorted(maps.Keys(s.before)))
	}
	for _, h := range s.w.Harm() {
		t.Errorf("harm at %s: %s to %s", h.At.Sub(start()), h.Kind, h.Target)
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
func (s *site) Bridge(name string) (prb.Bridge, error) { return bridge{s, s.w.Bridge(name)}, nil }

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

// engine is a host's container engine.
type engine struct {
	s *site
	h *world.Host
}

func (e engine) effects() int { return len(e.h.Effects()) }

func (e engine) do(call, name string, f func() error) error {
	return e.s.do(call+" "+e.h.Name+"/"+name, e.effects, func() error {
		if e.h.Down {
			return errSilent
		}
		return f()
	})
}

func (e engine) List(_ context.Context, f host.Filter) ([]fleet.ContainerStatus, error) {
	var out []fleet.ContainerStatus
	err := e.do("list", f.Project+"/"+f.Service, func() error {
		for _, c := range e.h.Containers() {
			if (f.Project == "" || f.Project == c.Project) && (f.Service == "" || f.Service == c.Service) && (f.Name == "" || f.Name == c.Name) {
				out = append(out, e.show(c))
			}
		}
		return nil
	})
	return out, err
}

func (e engine) show(c *world.Container) fleet.ContainerStatus {
	out := fleet.ContainerStatus{
		ID: c.ID(), Name: c.Name, Project: c.Project, Service: c.Service, State: c.State(), ExitCode: c.ExitCode(),
		Started: c.StartedAt(), Finished: c.FinishedAt(), Restarts: c.RestartCount(), Labels: c.Labels,
	}
	if e.s.paused == c.Name {
		out.State = "paused"
	}
	return out
}

func (e engine) Inspect(_ context.Context, name string) (fleet.ContainerStatus, error) {
	var out fleet.ContainerStatus
	err := e.do("inspect", name, func() error {
		c := e.h.Container(name)
		if c == nil {
			return fmt.Errorf("%s: %w", name, host.ErrNoContainer)
		}
		out = e.show(c)
		return nil
	})
	return out, err
}

func (e engine) Start(_ context.Context, name string) error {
	return e.do("start", name, func() error { return e.h.Start(name) })
}

func (e engine) Stop(_ context.Context, name string, grace time.Duration) error {
	return e.do("stop", name, func() error { return e.settle(name, e.h.Stop(name, grace)) })
}

func (e engine) Restart(_ context.Context, name string, grace time.Duration) error {
	return e.do("restart", name, func() error { return e.settle(name, e.h.Restart(name, grace)) })
}

// settle returns when the engine has done what it was asked for.
func (e engine) settle(name string, err error) error {
	for err == nil && e.h.Container(name).Busy() {
		e.s.pass(250 * time.Millisecond)
		if e.h.Down {
			return errSilent
		}
	}
	return err
}

// bridge is a v2 bridge through its monitor.
type bridge struct {
	s *site
	b *world.Bridge
}

func (b bridge) monitor() (*world.Bridge, error) {
	m := b.b
	if m.MonitorOf != nil {
		m = m.MonitorOf
	}
	if !m.MonitorListening() || m.MonitorHung() {
		return nil, errSilent
	}
	return m, nil
}

func (b bridge) lifecycle() error {
	m, err := b.monitor()
	if err != nil {
		return err
	}
	if how, _, _, _ := m.Dial(b.b.LifecyclePeer); how != world.DialOK {
		return errSilent
	}
	return nil
}

func (b bridge) Read(ctx context.Context) prb.Reading {
	m, err := b.monitor()
	if err != nil {
		return prb.Reading{MonitorErr: err}
	}
	var r prb.Reading
	providers, _ := m.Discover()
	for _, p := range providers {
		dp := prb.DataProvider{Status: fleet.DataProviderStatus{PeerID: p.ID, Hostname: p.Hostname, Addr: p.Addr}}
		how, _, provider, _ := m.Dial(p.ID)
		if how == world.DialOK {
			dp.Status.Para = fleet.Height{Value: provider.Info(b.s.w.Now()).ParaProcessed, Known: true}
		} else {
			dp.Err = errSilent
		}
		r.DataProviders = append(r.DataProviders, dp)
	}
	states, err := b.States(ctx)
	if err != nil {
		r.InventoryErr, r.StatesErr = err, err
		return r
	}
	for _, row := range b.b.Workers() {
		w := fleet.WorkerStatus{ID: row.UUID, Name: row.Name, Enabled: row.Enabled, Endpoint: row.Endpoint, PID: row.PID}
		w.Stake, err = fleet.ParseAmount(row.Stake)
		w.StakeOK = err == nil
		if i := slices.IndexFunc(states, func(c fleet.WorkerStatus) bool { return c.ID == row.UUID }); i >= 0 {
			w.Running, w.State, w.Session = true, states[i].State, states[i].Session
		}
		r.Workers = append(r.Workers, w)
	}
	return r
}

func (b bridge) States(_ context.Context, ids ...string) ([]fleet.WorkerStatus, error) {
	if err := b.lifecycle(); err != nil {
		return nil, err
	}
	contexts, err := b.b.States(nil)
	if err != nil {
		return nil, err
	}
	var out []fleet.WorkerStatus
	for _, c := range contexts {
		if len(ids) > 0 && !slices.Contains(ids, c.Worker.UUID) {
			continue
		}
		w := fleet.WorkerStatus{ID: c.Worker.UUID, Running: true, State: c.State()}
		w.Message, w.MessageAt = c.Message()
		w.MessageAt = w.MessageAt.Truncate(time.Second)
		if para, _, known := c.Heights(); known {
			w.Para = fleet.Height{Value: para, Known: true}
		}
		if session, ok := c.Session(); ok {
			w.Session = session.State
		}
		out = append(out, w)
	}
	return out, nil
}

func (b bridge) RestartWorker(_ context.Context, id string) error {
	effects := func() int {
		return len(slices.DeleteFunc(b.s.w.Effects(), func(r world.Record) bool {
			return r.Kind != string(world.ActionRestart) || strings.HasPrefix(r.Target, "node-")
		}))
	}
	return b.s.do("restart "+b.b.Name+"/"+b.nameOf(id), effects, func() error {
		if err := b.lifecycle(); err != nil {
			return err
		}
		_, err := b.b.Act(world.ActionRestart, []string{id})
		return err
	})
}

func (b bridge) nameOf(id string) string {
	for _, w := range b.b.Workers() {
		if w.UUID == id {
			return w.Name
		}
	}
	return id
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
