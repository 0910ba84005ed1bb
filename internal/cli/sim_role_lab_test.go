package cli

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"phalops/internal/clock"
	"phalops/internal/daemon"
	"phalops/internal/fleet"
	"phalops/internal/host/docker"
	"phalops/internal/lab"
	simwire "phalops/internal/sim/wire"
	"phalops/internal/sim/world"
)

// TestLabRealContainers: containers of test images in a real Docker Engine are a node and a lifecycle of a simulated world.
// What the engine does to them is seen in the world and on the node's RPC port; what goes wrong in the world ends them, and
// their restart policy is the engine's own.
func TestLabRealContainers(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a Docker Engine")
	}
	t.Parallel()
	s := newSet(t)
	s.run(t, lab.Container{Name: "phala-node", Image: nodeImage, RestartAlways: true, Mounts: []string{t.TempDir() + ":/root/data"},
		Env: []string{"NODE_ROLE=MINER", "NODE_NAME=lab", "PHALOPS_SIM_PART=node-1/phala-node"}})
	s.run(t, lab.Container{Name: "bridge_lifecycle_1", Image: bridgeImage, Project: "bridge", Service: "lifecycle", RestartAlways: true,
		Hostname: "bridge_lifecycle_1", Env: []string{"PHALA_MODULE=lifecycle", "PHALA_PRPC_REQUEST_TIMEOUT=60000"}})
	s.until(t, "both are parts of the world", func() bool { return len(s.sim.Server.Roles()) == 2 })
	node := s.sim.Server.Roles()[1]
	if node.Part != "node-1/phala-node" || node.PID != 1 || !reflect.DeepEqual(node.Env, map[string]string{"NODE_ROLE": "MINER", "NODE_NAME": "lab"}) ||
		!slices.Equal(node.Mounts, []string{"/lab", "/root/data", "/run/phalops"}) {
		t.Errorf("the world sees %+v", node)
	}
	s.until(t, "the node answers", s.answers)

	t.Run("stopped with time for its database", func(t *testing.T) {
		began := time.Now()
		s.stop(t, "phala-node", 30*time.Second)
		if took := time.Since(began); took < flush/2 {
			t.Errorf("the node was gone after %v, and its database takes %v", took, flush)
		}
		if c := s.inspect(t, "phala-node"); c.State != "exited" || c.ExitCode != 0 {
			t.Errorf("%s with exit code %d", c.State, c.ExitCode)
		}
		s.until(t, "the node's port is closed", func() bool { return !s.answers() })
		if s.harmed(world.HarmNodeKilled) {
			t.Error("an orderly end counts as a kill")
		}
	})
	t.Run("started", func(t *testing.T) {
		s.start(t, "phala-node")
		s.until(t, "the node answers again", s.answers)
	})
	t.Run("stopped without time for its database", func(t *testing.T) {
		s.stop(t, "phala-node", time.Second)
		if c := s.inspect(t, "phala-node"); c.ExitCode != 137 {
			t.Errorf("exit code %d", c.ExitCode)
		}
		s.until(t, "the world sees a kill", func() bool { return s.harmed(world.HarmNodeKilled) })
		s.start(t, "phala-node")
		s.until(t, "the node answers again", s.answers)
	})
	t.Run("killed past the engine", func(t *testing.T) {
		before := s.count("kill node-1/phala-node")
		s.lab.Signal(t, "phala-node", syscall.SIGKILL)
		s.until(t, "the world sees a kill", func() bool { return s.count("kill node-1/phala-node") == before+1 })
		s.until(t, "its restart policy has brought it back", s.answers)
		if c := s.inspect(t, "phala-node"); c.Restarts != 1 {
			t.Errorf("%d restarts", c.Restarts)
		}
	})
	t.Run("a lifecycle that is restarted", func(t *testing.T) {
		s.until(t, "it has got over the node's ends", s.lifecycleSteady)
		runs := s.lifecycleRuns()
		if err := s.engine.Restart(t.Context(), "bridge_lifecycle_1", 10*time.Second); err != nil {
			t.Fatal(err)
		}
		s.until(t, "the world has a new process", func() bool { return s.lifecycleRuns() > runs })
		if s.count("stop node-1/bridge_lifecycle_1") == 0 {
			t.Error("the world did not see how it was stopped")
		}
	})
	t.Run("a lifecycle that cannot live", func(t *testing.T) {
		s.sim.Face.Do(func(w *world.World) {
			if _, err := w.Bridge("prb-a").CreateWorkers([]world.WorkerInput{{PID: 83, Name: "poor", Endpoint: "http://127.0.100.99:8000",
				Stake: "500000000000", Enabled: true}}); err != nil {
				t.Error(err)
			}
		})
		if err := s.engine.Restart(t.Context(), "bridge_lifecycle_1", 10*time.Second); err != nil {
			t.Fatal(err)
		}
		s.until(t, "the engine has restarted it again and again", func() bool { return s.inspect(t, "bridge_lifecycle_1").Restarts >= 2 })
		s.until(t, "it exits with 255", func() bool { return s.inspect(t, "bridge_lifecycle_1").ExitCode == 255 })
	})
	t.Run("an image that refuses to start", func(t *testing.T) {
		s.run(t, lab.Container{Name: "nobody", Image: nodeImage})
		s.until(t, "it has exited", func() bool { return s.inspect(t, "nobody").State == "exited" })
		logs, err := s.engine.Logs(t.Context(), "nobody", time.Time{}, 10)
		if c := s.inspect(t, "nobody"); err != nil || c.ExitCode != 1 || !strings.Contains(string(logs.Text), "You must set NODE_ROLE") {
			t.Errorf("exit code %d: %s, %v", c.ExitCode, logs.Text, err)
		}
	})
	t.Run("the world ends under its processes", func(t *testing.T) {
		s.sim.Close()
		for _, says := range []string{"has ended", "Run phalops sim serve --socket"} { // at first; then it is brought back in vain
			s.until(t, "the node's process says "+says, func() bool {
				logs, err := s.engine.Logs(t.Context(), "phala-node", time.Time{}, 100)
				return err == nil && strings.Contains(string(logs.Text), says)
			})
		}
		if s.inspect(t, "phala-node").Restarts < 2 {
			t.Error("the restart policy does not try")
		}
		s.serve(t)
		s.until(t, "its restart policy has brought it into the next world", func() bool { return len(s.sim.Server.Roles()) > 0 })
	})
}

// The lab's images, and how fast its world is: a node takes 8 s of the fleet's time to write its database.
const (
	nodeImage   = "phalanetwork/khala-node:test"
	bridgeImage = "phalanetwork/prb:test"
	labSpeed    = 4
	flush       = 8 * time.Second / labSpeed
)

// set is a simulated world and a real engine whose containers are parts of it.
type set struct {
	lab    *lab.Engine
	engine *docker.Engine
	sim    *daemon.Sim
	dir    string // of the socket
}

func newSet(t *testing.T) *set {
	t.Helper()
	s := &set{lab: lab.Docker(t)}
	program := lab.Build(t, "phalops/cmd/phalops")
	s.lab.Load(t, nodeImage, program, "/phalops", "sim", "role", "node")
	s.lab.Load(t, bridgeImage, program, "/phalops", "sim", "role", "prb")
	var err error
	if s.engine, err = docker.New(s.lab.Addr, clock.Real{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.engine.Close)
	if s.dir, err = os.MkdirTemp("", "role"); err != nil { // shorter than t.TempDir, for a socket's path
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(s.dir) })
	s.serve(t)
	return s
}

// serve begins a world.
func (s *set) serve(t *testing.T) {
	t.Helper()
	var err error
	s.sim, err = daemon.StartSim(t.Context(), daemon.SimOptions{Seed: 3, Speed: labSpeed, Fleet: world.FleetOptions{Workers: 4},
		Scenario: &world.Scenario{}, Wire: simwire.Options{Socket: filepath.Join(s.dir, "sim.sock")}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.sim.Close)
}

// run starts a container with the world's socket.
func (s *set) run(t *testing.T, c lab.Container) {
	t.Helper()
	c.Mounts = append(c.Mounts, s.dir+":/run/phalops")
	s.lab.Create(t, c)
	s.start(t, c.Name)
}

func (s *set) start(t *testing.T, name string) {
	t.Helper()
	if err := s.engine.Start(t.Context(), name); err != nil {
		t.Fatal(err)
	}
}

func (s *set) stop(t *testing.T, name string, grace time.Duration) {
	t.Helper()
	if err := s.engine.Stop(t.Context(), name, grace); err != nil {
		t.Fatal(err)
	}
}

func (s *set) inspect(t *testing.T, name string) fleet.ContainerStatus {
	t.Helper()
	c, err := s.engine.Inspect(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// until waits until something is so.
func (s *set) until(t *testing.T, what string, so func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !so() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("never: %s; the world knows %v", what, s.did())
		}
	}
}

// answers asks the node's RPC port, as anybody would.
func (s *set) answers() bool {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	q, err := http.NewRequestWithContext(ctx, http.MethodPost, s.sim.Server.Endpoints().Nodes[0].Para,
		strings.NewReader(`{"jsonrpc":"2.0","id":1,"method":"system_health"}`))
	if err != nil {
		return false
	}
	q.Header.Set("Content-Type", "application/json")
	r, err := http.DefaultClient.Do(q)
	if err != nil {
		return false
	}
	_ = r.Body.Close()
	return r.StatusCode == http.StatusOK
}

func (s *set) did() (all []string) {
	s.sim.Face.Do(func(w *world.World) {
		for _, e := range w.Effects() {
			all = append(all, fmt.Sprintf("%s %s", e.Kind, e.Target))
		}
	})
	return all
}

func (s *set) count(effect string) (n int) {
	for _, e := range s.did() {
		if e == effect {
			n++
		}
	}
	return n
}

func (s *set) harmed(kind string) (yes bool) {
	s.sim.Face.Do(func(w *world.World) {
		yes = slices.ContainsFunc(w.Harm(), func(r world.Record) bool { return r.Kind == kind })
	})
	return yes
}

// lifecycleSteady reports whether the lifecycle has come so far that it has no reason of its own to exit any more.
func (s *set) lifecycleSteady() (yes bool) {
	s.sim.Face.Do(func(w *world.World) {
		c := w.Host("node-1").Container("bridge_lifecycle_1")
		yes = c.Up() && w.Now().Sub(c.StartedAt()) > 20*time.Second
	})
	return yes
}

func (s *set) lifecycleRuns() (n int) {
	s.sim.Face.Do(func(w *world.World) { n = w.Host("node-1").Container("bridge_lifecycle_1").Runs() })
	return n
}
