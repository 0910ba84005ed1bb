package world

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"phalops/internal/fleet"
)

// stage is a fleet of two workers, and whom real processes of it were told to end.
type stage struct {
	*World
	start time.Time
	ends  []string
}

func newStage() *stage {
	s := &stage{start: time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)}
	s.World = New(s.start, 1)
	DefaultFleet(s.World, FleetOptions{Workers: 2, V0Workers: 1, V3Workers: 1})
	return s
}

func (s *stage) to(d time.Duration) { s.Advance(s.start.Add(d)) }

// join makes a real process join at the present moment.
func (s *stage) join(r Role) (*Body, error) {
	r.End = func(code int) {
		s.ends = append(s.ends, r.Part+" "+s.Now().Sub(s.start).String()+fmt.Sprintf(" exit %d", code))
	}
	return s.Join(r)
}

func (s *stage) node(t *testing.T) *Body {
	t.Helper()
	b, err := s.join(Role{Name: "node", Part: "phala-node"})
	must(t, err)
	return b
}

func (s *stage) kinds(records []Record) string {
	var all []string
	for _, r := range records {
		all = append(all, r.Kind+" "+r.Target)
	}
	return strings.Join(all, ", ")
}

// TestFirstProcessTakesOver: a real process that joins a running part changes nothing for anybody.
func TestFirstProcessTakesOver(t *testing.T) {
	s := newStage()
	s.to(time.Minute)
	before := s.Host("node-1").Container("phala-node").StartedAt()
	b := s.node(t)
	s.to(10 * time.Minute)
	n := s.Node("node-1")
	if !n.Listening() || n.container.StartedAt() != before || b.Part() != "node-1/phala-node" {
		t.Errorf("listening %v, started %v instead of %v, part %q", n.Listening(), n.container.StartedAt(), before, b.Part())
	}
	if len(s.ends) > 0 || len(s.Effects()) > 0 || len(s.Harm()) > 0 {
		t.Errorf("ends %q, effects %v, harm %v", s.ends, s.Effects(), s.Harm())
	}
}

// TestProcessThatIsTerminated gets its time for a flush, and the part begins again with the next process only.
func TestProcessThatIsTerminated(t *testing.T) {
	s := newStage()
	b := s.node(t)
	s.to(time.Minute)
	b.Terminate()
	b.Terminate() // a second SIGTERM changes nothing
	s.to(68*time.Second - time.Millisecond)
	if len(s.ends) > 0 {
		t.Fatalf("it ended before its database was written: %q", s.ends)
	}
	s.to(69 * time.Second)
	if want := []string{"phala-node 1m8s exit 0"}; !slices.Equal(s.ends, want) {
		t.Fatalf("ends %q, want %q", s.ends, want)
	}
	b.Lost() // its connection ends with it
	n := s.Node("node-1")
	s.to(10 * time.Minute)
	if n.container.Running() || n.Listening() {
		t.Error("it came back without a process")
	}
	if got := s.kinds(s.Effects()); got != "stop node-1/phala-node" {
		t.Errorf("effects %s", got)
	}
	s.node(t)
	if s.to(10*time.Minute + 6*time.Second); n.Listening() {
		t.Error("its RPC listens before it can")
	}
	if s.to(10*time.Minute + 8*time.Second); !n.Listening() || n.container.Runs() != 2 {
		t.Errorf("listening %v after %d starts", n.Listening(), n.container.Runs())
	}
	if slices.ContainsFunc(s.Harm(), func(r Record) bool { return r.Kind == HarmNodeKilled }) {
		t.Error("an orderly end counts as a kill")
	}
}

// TestProcessThatIsKilled, by itself or because the flush took longer than the grace, is a crash.
func TestProcessThatIsKilled(t *testing.T) {
	for _, c := range []struct {
		name    string
		grace   time.Duration // since SIGTERM; 0: without one
		effects string
	}{
		{"at once", 0, "kill node-1/phala-node"},
		{"after the grace", 2 * time.Second, "stop node-1/phala-node, kill node-1/phala-node"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newStage()
			b := s.node(t)
			if c.grace > 0 {
				b.Terminate()
				s.to(c.grace)
			}
			b.Lost()
			s.to(time.Hour)
			if got := s.kinds(s.Effects()); got != c.effects {
				t.Errorf("effects %q, want %q", got, c.effects)
			}
			if !slices.ContainsFunc(s.Harm(), func(r Record) bool { return r.Kind == HarmNodeKilled }) {
				t.Errorf("harm %v", s.Harm())
			}
			if len(s.ends) > 0 || s.Node("node-1").container.ExitCode() != 137 {
				t.Errorf("ends %q, exit code %d", s.ends, s.Node("node-1").container.ExitCode())
			}
			s.node(t)
			if s.to(time.Hour + 36*time.Second); s.Node("node-1").Listening() {
				t.Error("its database opens as if it had been closed")
			}
			if s.to(time.Hour + 38*time.Second); !s.Node("node-1").Listening() {
				t.Error("its RPC does not listen")
			}
		})
	}
}

// TestLifecycleThatCannotLive ends every process that it is given, as a stake below 1 PHA makes it.
func TestLifecycleThatCannotLive(t *testing.T) {
	s := newStage()
	role := Role{Name: "prb", Module: "lifecycle", Part: "bridge_lifecycle_1"}
	b, err := s.join(role)
	must(t, err)
	s.Bridge("prb-a").addWorker(Worker{Name: "poor", Endpoint: "http://127.0.100.9:8000", Stake: "500000000000", PID: 83, Enabled: true})
	s.to(time.Minute)
	if len(s.ends) > 0 {
		t.Fatalf("it noticed before it was restarted: %q", s.ends)
	}
	b.Lost()
	for i := range 3 {
		s.to(time.Minute + time.Duration(i)*20*time.Second)
		_, err = s.join(role)
		must(t, err)
	}
	s.to(3 * time.Minute)
	want := []string{"bridge_lifecycle_1 1m4s exit 255", "bridge_lifecycle_1 1m24s exit 255", "bridge_lifecycle_1 1m44s exit 255"}
	if !slices.Equal(s.ends, want) {
		t.Errorf("ends %q, want %q", s.ends, want)
	}
}

// TestEnvironmentOfALifecycle: what the image reads from its environment is what its container was given, not what the
// simulated one had.
func TestEnvironmentOfALifecycle(t *testing.T) {
	s := newStage()
	_, err := s.join(Role{Name: "prb", Module: "lifecycle", Part: "bridge_lifecycle_1",
		Env: map[string]string{"PHALA_LIFECYCLE_CONFIG_MODE": "true", "PHALA_BLOB_REQUEST_TIMEOUT": "90000"}})
	must(t, err)
	b := s.Bridge("prb-a")
	if !b.ConfigMode || b.BlobTimeout != 90*time.Second || b.RPCTimeout != 8*time.Second {
		t.Errorf("config mode %v, timeouts %v and %v", b.ConfigMode, b.BlobTimeout, b.RPCTimeout)
	}
	_, err = s.join(Role{Name: "headers-cache", Part: "prb3_headers-cache_1", Args: []string{"serve", "--interval=90"}})
	must(t, err)
	if got := s.HeadersCache("cache-1").Interval; got != 90*time.Second {
		t.Errorf("interval %v", got)
	}
}

// TestWhoMayJoin: every refusal says which.
func TestWhoMayJoin(t *testing.T) {
	s := newStage()
	s.AddHost("node-2").Add(&Container{Name: "bridge_trade_1", Project: "bridge", Service: "trade"})
	taken := s.node(t)
	s.Host("node-1").Container("bridge_monitor_1").StartError = "port is already allocated"
	must(t, s.Host("node-1").Stop("bridge_redis-q_1", -1)) // it takes a second
	for _, c := range []struct {
		role Role
		code string
		says string
	}{
		{Role{Name: "toaster", Part: "phala-node"}, "sim.role_unknown", "pruntime"},
		{Role{Name: "node", Part: "a1b2c3d4e5f6"}, "sim.role_no_part", "node-1/phala-node"},
		{Role{Name: "node"}, "sim.role_no_part", "node-1/phala-node"},
		{Role{Name: "prb", Module: "data_provider", Part: "bridge_lifecycle_1"}, "sim.role_other", "prb lifecycle"},
		{Role{Name: "prb", Module: "trade", Part: "bridge_trade_1"}, "sim.role_ambiguous", "node-2/bridge_trade_1"},
		{Role{Name: "node", Part: "phala-node"}, "sim.role_taken", "phala-node"},
		{Role{Name: "node", Part: "node-1/phala-node"}, "sim.role_taken", "phala-node"},
		{Role{Name: "monitor", Part: "bridge_monitor_1"}, "sim.role_start_error", "port is already allocated"},
		{Role{Name: "redis", Part: "bridge_redis-q_1"}, "sim.role_stopping", "redis-q"},
		{Role{Name: "pruntime", Part: "127.9.9.9:8000"}, "sim.role_no_pruntime", "127.9.9.9:8000"},
	} {
		_, err := s.join(c.role)
		why := fleet.ReasonOf(err)
		if why.Code != c.code || !strings.Contains(why.String(), c.says) {
			t.Errorf("%+v: %v, want %s with %q", c.role, why, c.code, c.says)
		}
	}
	taken.Lost()
	s.node(t) // its seat is free again
}

// TestEveryPartHasARole: all containers of a fleet with every generation of bridges can be real ones, each as one role.
func TestEveryPartHasARole(t *testing.T) {
	s := newStage()
	count := 0
	for _, h := range s.Hosts() {
		count += len(h.Containers())
	}
	if all := s.roles(); len(all) != count {
		t.Errorf("%d of %d containers have a role: %s", len(all), count, partsOf(all, ""))
	}
	for _, p := range s.roles() {
		module := p.module
		if module == "arena" {
			module = "utils/arena"
		}
		if _, err := s.join(Role{Name: p.name, Module: module, Part: p.c.Name, Args: []string{"serve"}}); err != nil {
			t.Errorf("%s as %s: %v", p.full(), p.role(), err)
		}
	}
	s.to(10 * time.Minute)
	if len(s.ends) > 0 {
		t.Errorf("a fleet of real processes is not steady: %q", s.ends)
	}
}

// TestSimulatedEngineLeavesRealContainersAlone: what another engine runs is not its own.
func TestSimulatedEngineLeavesRealContainersAlone(t *testing.T) {
	s := newStage()
	s.node(t)
	h := s.Host("node-1")
	for name, err := range map[string]error{
		"start": h.Start("phala-node"), "stop": h.Stop("phala-node", 0), "restart": h.Restart("phala-node", 0), "kill": h.Kill("phala-node"),
	} {
		if !errors.Is(err, ErrReal) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestPowerCutEndsRealProcesses, and lets none begin before the power is back.
func TestPowerCutEndsRealProcesses(t *testing.T) {
	s := newStage()
	s.node(t)
	must(t, s.Apply(Scenario{Faults: []Fault{{At: time.Minute, Kind: "power.cut", Target: "node-1", For: 5 * time.Minute}}}))
	s.to(2 * time.Minute)
	if want := []string{"phala-node 1m0s exit 255"}; !slices.Equal(s.ends, want) {
		t.Fatalf("ends %q, want %q", s.ends, want)
	}
	if _, err := s.join(Role{Name: "node", Part: "phala-node"}); fleet.ReasonOf(err).Code != "sim.role_dark" {
		t.Errorf("without power: %v", err)
	}
	s.to(20 * time.Minute)
	if s.Node("node-1").Listening() {
		t.Error("it came back without a process")
	}
	s.node(t)
	s.to(21 * time.Minute)
	if !s.Node("node-1").Listening() {
		t.Error("it does not run although its process does")
	}
}

// TestRealPruntime refuses connections while it has no process, and is kicked like a simulated one.
func TestRealPruntime(t *testing.T) {
	s := newStage()
	const part = "127.0.100.1:8000"
	role := Role{Name: "pruntime", Part: part, Env: map[string]string{"EXTRA_OPTS": "--cores=2 --enable-kick-api"}}
	b, err := s.join(role)
	must(t, err)
	p := s.Pruntime("http://" + part)
	if s.to(time.Minute); p.Down() || !p.KickAPI {
		t.Fatalf("down %v, kick API %v", p.Down(), p.KickAPI)
	}
	if _, err := s.join(role); fleet.ReasonOf(err).Code != "sim.role_taken" {
		t.Errorf("a second process: %v", err)
	}
	b.Terminate()
	s.to(time.Minute + 4*time.Second)
	if p.Down() {
		t.Error("it is gone before it ended")
	}
	s.to(time.Hour)
	if !p.Down() || len(s.ends) != 1 {
		t.Fatalf("down %v, ends %q", p.Down(), s.ends)
	}
	_, err = s.join(role)
	must(t, err)
	if !p.Down() {
		t.Error("it answers before it has started")
	}
	s.to(time.Hour + time.Minute)
	if p.Down() {
		t.Error("it does not answer although its process runs")
	}
	if !p.Kick() {
		t.Error("its kick API is off")
	}
	s.to(3 * time.Hour)
	if !p.Down() || len(s.ends) != 2 || !strings.HasSuffix(s.ends[1], "exit 0") {
		t.Fatalf("after a kick: down %v, ends %q", p.Down(), s.ends)
	}
	b, err = s.join(role)
	must(t, err)
	s.to(3*time.Hour + time.Minute)
	b.Lost()
	if !p.Down() {
		t.Error("it answers without a process")
	}
	if got := s.kinds(s.Effects()); !strings.HasSuffix(got, "kill http://"+part) {
		t.Errorf("effects %s", got)
	}
}

// TestProcessesAndParts: whatever happens to processes, a part that has had one runs if and only if it has one, and every
// process is told its end at most once.
func TestProcessesAndParts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		start := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
		w := New(start, 1)
		DefaultFleet(w, FleetOptions{Workers: 1})
		roles := []Role{{Name: "node", Part: "phala-node"}, {Name: "prb", Module: "data_provider", Part: "bridge_dp_data_provider_1"},
			{Name: "prb", Module: "lifecycle", Part: "bridge_lifecycle_1"}, {Name: "redis", Part: "bridge_redis-q_1"}}
		bodies, had := make([]*Body, len(roles)), make([]bool, len(roles))
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			i := rapid.IntRange(0, len(roles)-1).Draw(t, "part")
			switch rapid.SampledFrom([]string{"join", "term", "kill", "crash", "wait"}).Draw(t, "what") {
			case "join":
				told := false
				r := roles[i]
				r.End = func(int) {
					if told {
						t.Fatalf("%s was told twice", r.Part)
					}
					told = true
					bodies[i] = nil
				}
				b, err := w.Join(r)
				if taken := bodies[i] != nil; taken != (fleet.ReasonOf(err).Code == "sim.role_taken") || !taken && err != nil {
					t.Fatalf("%s: %v with a process: %v", r.Part, err, taken)
				}
				if err == nil {
					bodies[i], had[i] = b, true
				}
			case "term":
				if bodies[i] != nil {
					bodies[i].Terminate()
				}
			case "kill":
				if b := bodies[i]; b != nil {
					bodies[i] = nil
					b.Lost()
				}
			case "crash":
				if had[i] {
					w.Host("node-1").Container(roles[i].Part).Exit(1)
				}
			case "wait":
				w.Advance(w.Now().Add(time.Duration(rapid.IntRange(0, 20_000).Draw(t, "ms")) * time.Millisecond))
			}
			for i, r := range roles {
				if c := w.Host("node-1").Container(r.Part); had[i] && c.Running() != (bodies[i] != nil) {
					t.Fatalf("%s runs: %v, its process: %v", r.Part, c.Running(), bodies[i] != nil)
				}
			}
		}
	})
}
