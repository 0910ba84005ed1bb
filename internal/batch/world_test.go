package batch_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"phalops/internal/act"
	"phalops/internal/act/acttest"
	"phalops/internal/batch"
	"phalops/internal/clock"
	"phalops/internal/config"
	"phalops/internal/daemon"
	"phalops/internal/fleet"
	"phalops/internal/host"
	"phalops/internal/prb"
	"phalops/internal/remedy"
	"phalops/internal/secret"
	simwire "phalops/internal/sim/wire"
	"phalops/internal/sim/world"
	"phalops/internal/store"
	"phalops/internal/store/memory"
	"phalops/internal/wire"
)

var epoch = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// site is a world that real clients talk to over loopback, on a clock that also moves by itself while they wait for it: a
// second takes a quarter of a real one.
type site struct {
	t       *testing.T
	clock   *clock.Virtual
	world   *world.World
	face    *simwire.Face
	server  *simwire.Server
	clients *daemon.Clients
	cfg     config.Config
	store   store.Store
	secrets secret.Resolver
	spoil   func(bridge, call string) (before, after error) // what goes wrong with a write; nil: nothing
	engine  *act.Engine                                     // of this process
	batches *batch.Batches

	mu   sync.Mutex
	sent map[string]int // writes by bridge and call
}

const phrase = "bottom drive obey lake curtain smoke basket hold race lonely fit walk"

func newSite(t *testing.T, o world.FleetOptions) *site {
	t.Helper()
	s := &site{t: t, clock: clock.NewVirtual(epoch), world: world.New(epoch, 1), store: memory.New(), sent: map[string]int{},
		secrets: secret.NewMap(map[string]string{"OP": phrase})}
	world.DefaultFleet(s.world, o)
	s.face = simwire.NewFace(s.world, s.clock)
	var err error
	s.server, err = simwire.Serve(context.Background(), s.face, simwire.Options{Latency: 1, ItemTime: 1, QueryTimeout: 2 * time.Second, FrozenAfter: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	s.configure()
	s.clients = daemon.NewClients(daemon.ClientOptions{Config: s.cfg, Clock: s.clock, Allow: wire.LoopbackOnly})
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			case <-time.After(time.Millisecond):
				s.clock.Advance(4 * time.Millisecond)
			}
		}
	}()
	t.Cleanup(func() {
		close(stop)
		<-stopped
		s.clients.Close()
		s.server.Close()
	})
	s.boot()
	return s
}

// configure reads the configuration that an operator would have written.
func (s *site) configure() {
	s.t.Helper()
	sim := daemon.Sim{Server: s.server, Clock: clock.Scaled{Origin: epoch, Speed: 1}}
	file := filepath.Join(s.t.TempDir(), "phalops.yaml")
	text := sim.ConfigYAML("en", s.t.TempDir(), "127.0.0.1:0", daemon.SimReferences{Token: "env:T", Secret: "env:S"})
	if err := os.WriteFile(file, text, 0o600); err != nil {
		s.t.Fatal(err)
	}
	cfg, problems, err := config.Load(file)
	if err != nil || len(problems) > 0 {
		s.t.Fatal(err, problems)
	}
	s.cfg = cfg
}

// boot is a new process over the same journal and world.
func (s *site) boot() []act.Kind {
	s.t.Helper()
	reach := reach{s}
	s.batches = batch.New(batch.Options{
		Config: func() config.Config { return s.cfg }, Reach: reach, Journal: s.store, Engine: func() batch.Engine { return s.engine }, Secrets: s.secrets,
	})
	kinds := append(s.batches.Kinds(), remedy.New(func() config.Config { return s.cfg }, reach).Kinds()...)
	var err error
	if s.engine, err = act.New(act.Options{Store: s.store, Kinds: kinds}); err != nil {
		s.t.Fatal(err)
	}
	return kinds
}

// live lets the world catch up, and plans under another one go on: the executor of a site advances all of its plans.
func (s *site) live(time.Time) {
	if err := s.server.Sync(); err != nil {
		s.t.Fatal(err)
	}
	ctx := context.Background()
	plans, err := s.store.Plans(ctx, store.PlanFilter{Unended: true, Kind: remedy.RestartBridge})
	if err != nil {
		s.t.Fatal(err)
	}
	for _, p := range plans {
		lease, err := s.store.LeaseOf(ctx, p.Site, s.clock.Now())
		if err != nil {
			continue // the process has just died
		}
		for range 3 {
			if _, ended, err := s.engine.Advance(ctx, p.ID, store.Fence{Lease: lease.Name, Token: lease.Token}, s.clock.Now()); err != nil || ended {
				break
			}
		}
	}
}

func (s *site) build(req act.Request) (fleet.Plan, error) {
	req.Author, req.Reason = "user:li", fleet.Because("r")
	return s.engine.Build(s.t.Context(), req, s.clock.Now())
}

// run builds a plan, submits it and sees it to its end.
func (s *site) run(req act.Request) fleet.Plan {
	s.t.Helper()
	p, err := s.build(req)
	if err == nil {
		err = s.engine.Submit(s.t.Context(), p, s.clock.Now())
	}
	if err != nil {
		s.t.Fatal(err)
	}
	return acttest.Drive(s.t, s.engine, s.store, p.ID, s.clock, s.live)
}

// setup is a request for acttest: every death gets a new process.
func (s *site) setup(req act.Request, judge func(*testing.T, acttest.Run)) acttest.Setup {
	req.Author, req.Reason = "user:li", fleet.Because("r")
	return acttest.Setup{Kinds: s.boot, Request: req, Store: s.store, Clock: s.clock, Pass: s.live, Judge: judge}
}

// pass lets time go by.
func (s *site) pass(d time.Duration) {
	for range int(d / time.Second) {
		s.clock.Advance(time.Second)
	}
	s.live(s.clock.Now())
}

// reach gets at the world, and counts and spoils the writes on the way.
type reach struct{ s *site }

func (r reach) Bridge(name string) (prb.Bridge, error) {
	b, err := r.s.clients.Bridge(name)
	if err != nil {
		return nil, err
	}
	return wrap(r.s, name, b), nil
}

func (r reach) Pruntime(url string) (remedy.Pruntime, error) { return r.s.clients.Pruntime(url) }

func (r reach) Containers(name string) (host.Containers, error) { return r.s.clients.Containers(name) }

func (r reach) Heads(ctx context.Context, node string) ([]remedy.Head, error) {
	return r.s.clients.Heads(ctx, node)
}

// write does one write, unless it is spoilt before; spoilt after, its answer is lost.
func (s *site) write(bridge, call string, do func() error) error {
	s.mu.Lock()
	s.sent[bridge+" "+call]++
	spoil := s.spoil
	s.mu.Unlock()
	var before, after error
	if spoil != nil {
		before, after = spoil(bridge, call)
	}
	if before != nil {
		return before
	}
	err := do()
	if err == nil {
		err = after
	}
	return err
}

// row is a worker as a bridge has it, whatever its generation; what a v0 bridge has deleted is left out.
type row struct {
	ID, Name, Endpoint, Stake string
	PID                       uint64
	Enabled                   bool
}

func (s *site) rows(bridge string) []row {
	var out []row
	s.face.Do(func(w *world.World) {
		switch {
		case w.Bridge(bridge) != nil:
			for _, x := range w.Bridge(bridge).Workers() {
				out = append(out, row{x.UUID, x.Name, x.Endpoint, x.Stake, x.PID, x.Enabled})
			}
		case w.V0Bridge(bridge) != nil:
			for _, x := range w.V0Bridge(bridge).Workers() {
				out = append(out, row{x.UUID, x.Name, x.Endpoint, x.Stake, x.PID, x.Enabled})
			}
		default:
			b := w.V3Bridge(bridge)
			for _, p := range b.Pools() {
				for _, x := range b.WorkersOf(p.PID) {
					out = append(out, row{x.ID, x.Name, strings.TrimSuffix(x.Endpoint, "/"), x.Stake, x.PID, x.Enabled})
				}
			}
		}
	})
	slices.SortFunc(out, func(a, b row) int { return strings.Compare(a.Name, b.Name) })
	return out
}

func (s *site) row(bridge, name string) (row, bool) {
	all := s.rows(bridge)
	if i := slices.IndexFunc(all, func(r row) bool { return r.Name == name }); i >= 0 {
		return all[i], true
	}
	return row{}, false
}

// feeders is how many feed the pRuntime at an endpoint.
func (s *site) feeders(endpoint string) (n int) {
	s.face.Do(func(w *world.World) {
		if p := w.Pruntime(endpoint); p != nil {
			n = p.Feeders()
		}
	})
	return n
}

// harmless fails the test when the world tells of harm that was done: a pRuntime with two feeders, for example.
func (s *site) harmless(t *testing.T) {
	t.Helper()
	s.face.Do(func(w *world.World) {
		for _, h := range w.Harm() {
			if h.Kind == world.HarmTwoFeeders {
				t.Errorf("harm: %s %s", h.Kind, h.Target)
			}
		}
	})
}

// bridges are the generations with one of their pools.
var bridges = []struct {
	version, name, first string
	pool                 uint64
}{{"v0", "prb-v0", "v0-01", 88}, {"v2", "prb-a", "w-01", 83}, {"v3", "prb-v3", "v3-01", 90}}

func small() world.FleetOptions {
	return world.FleetOptions{Workers: 5, Pools: 1, V0Workers: 5, V3Workers: 5, Spare: 8, Net: 3}
}

// spare is a pRuntime that no bridge has yet.
func spare(n int) string { return fmt.Sprintf("http://127.3.220.%d:8000", n) }

func entries(pool uint64, from, to int) []batch.Entry {
	var out []batch.Entry
	for i := from; i <= to; i++ {
		out = append(out, batch.Entry{Line: i, Name: fmt.Sprintf("new-%02d", i), Endpoint: spare(i), PID: pool, Stake: fleet.PHA(10), Enabled: true})
	}
	return out
}

func addRequest(bridge string, list []batch.Entry, args ...string) act.Request {
	req := act.Request{Kind: batch.AddWorkers, Targets: []fleet.Ref{fleet.InventoryRef(bridge)}, Args: map[string]string{batch.ArgItems: batch.Items(list)}}
	for i := 0; i+1 < len(args); i += 2 {
		req.Args[args[i]] = args[i+1]
	}
	return req
}
