package remedy_test

import (
	"bufio"
	"context"
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"phalops/internal/clock"
	"phalops/internal/host"
	"phalops/internal/host/docker"
	"phalops/internal/lab"
)

// TestLabNodeRestartSurvivesKill restarts a node in order on a real Docker Engine, from a process that is killed with
// SIGKILL half-way and another one that finds its journal. In the end exactly what ran before runs, and each container was
// stopped and started once. PHALOPS_LAB=full kills at every boundary, and in the middle of a stop.
func TestLabNodeRestartSurvivesKill(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a Docker Engine")
	}
	r := newRig(t)
	boundaries := []string{
		"after intent of stop node-1/bridge_trade_1 (attempt 1)",
		"after effect of stop node-1/phala-node (attempt 1)",
	}
	if os.Getenv("PHALOPS_LAB") == "full" {
		boundaries = nil
		for line := range strings.Lines(r.restart(t, "")) {
			if b, ok := strings.CutPrefix(strings.TrimSpace(line), "boundary "); ok && !slices.Contains(boundaries, b) {
				boundaries = append(boundaries, b)
			}
		}
		boundaries = append(boundaries, midStop)
	}
	for _, b := range boundaries {
		t.Run(b, func(t *testing.T) { r.restart(t, b) })
	}
}

// midStop kills the process while the engine waits for the node to end.
const midStop = "while the node stops"

// rig is an engine with a node's and a bridge's containers, named as operators have them.
type rig struct {
	t       *testing.T // of the whole lab
	lab     *lab.Engine
	engine  *docker.Engine
	order   order
	born    time.Time
	dropped int // ends of the node that its data provider has noticed
}

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{t: t, lab: lab.Docker(t), born: time.Now()}
	var err error
	if r.engine, err = docker.New(r.lab.Addr, clock.Real{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.engine.Close)
	const prb = "phalanetwork/prb:next"
	slow := []string{"DUMMY_STOP_TAKES=300ms"}
	for _, c := range []lab.Container{
		{Name: "phala-node", Image: "phalanetwork/khala-node:latest", RestartAlways: true, Env: slow},
		{Name: "bridge_dp_data_provider_1", Image: prb, Project: "bridge_dp", Service: "data_provider", RestartAlways: true},
		{Name: "bridge_lifecycle_1", Image: prb, Project: "bridge", Service: "lifecycle", RestartAlways: true},
		{Name: "bridge_trade_1", Image: prb, Project: "bridge", Service: "trade", RestartAlways: true},
		{Name: "bridge_redis-q_1", Image: "redis:alpine", Project: "bridge", Service: "redis-q", RestartAlways: true},
		{Name: "bridge_monitor_1", Image: "phalanetwork/prb-monitor:next", Project: "bridge", Service: "monitor"},
		{Name: "bridge_arena_1", Image: prb, Project: "bridge", Service: "arena", RestartAlways: true},
		{Name: "standby_lifecycle_1", Image: prb, Project: "standby", Service: "lifecycle", RestartAlways: true},
	} {
		r.lab.Run(t, c)
	}
	for _, name := range []string{"bridge_arena_1", "standby_lifecycle_1"} {
		if err := r.engine.Stop(t.Context(), name, time.Second); err != nil {
			t.Fatal(err)
		}
	}
	r.order = order{Engine: r.lab.Addr, RPC: serve(t, "127.0.9.1", r.node), Monitor: serve(t, "127.0.9.2", r.monitor)}
	return r
}

// restart runs the plan with one death and judges what became of the containers. It returns what the processes said.
func (r *rig) restart(t *testing.T, boundary string) string {
	t.Helper()
	o := r.order
	o.Data, o.Origin, o.Stop = t.TempDir(), time.Now(), boundary
	running, lines := r.running(t), r.lines(t)
	first := r.start(t, o)
	if boundary != "" {
		if boundary == midStop {
			first.until(t, func() bool { return r.last("phala-node") == "term" })
		} else {
			first.until(t, func() bool { return slices.Contains(first.said(), "here") })
		}
		o.Plan, o.Stop = first.plan(t), ""
		first.kill()
		second := r.start(t, o)
		second.end(t)
	} else {
		first.end(t)
	}
	if now := r.running(t); !maps.Equal(now, running) {
		t.Errorf("there run %v, before %v", now, running)
	}
	once := []string{"term", "exit:0", "start"}
	for name, want := range map[string][]string{
		"phala-node": once, "bridge_lifecycle_1": once, "bridge_trade_1": once, "bridge_redis-q_1": once,
		"bridge_dp_data_provider_1": {"exit:3", "start"}, // by itself, and its restart policy
		"bridge_monitor_1":          nil, "bridge_arena_1": nil, "standby_lifecycle_1": nil,
	} {
		got := r.lab.Lines(t, name)[lines[name]:]
		if boundary == midStop {
			got = slices.Compact(got) // the successor may ask a node to stop that is stopping already
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s went through %q, want %q", name, got, want)
		}
	}
	return strings.Join(first.said(), "\n")
}

func (r *rig) running(t *testing.T) map[string]bool {
	t.Helper()
	list, err := r.engine.List(t.Context(), host.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	set := map[string]bool{}
	for _, c := range list {
		set[c.Name+" "+c.State] = true
	}
	return set
}

// lines is how much every container's processes have said so far.
func (r *rig) lines(t *testing.T) map[string]int {
	t.Helper()
	list, err := r.engine.List(t.Context(), host.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	n := map[string]int{}
	for _, c := range list {
		n[c.Name] = len(r.lab.Lines(t, c.Name))
	}
	return n
}

// last is the newest thing that a container's process has said.
func (r *rig) last(name string) string {
	lines := r.lab.Lines(r.t, name)
	return append([]string{""}, lines...)[len(lines)]
}

func (r *rig) up(name string) bool { return r.last(name) == "start" }

// dropSockets makes the data provider exit once after each end of the node, as a real one does.
func (r *rig) dropSockets(t *testing.T) {
	t.Helper()
	ends := 0
	for _, line := range r.lab.Lines(t, "phala-node") {
		if strings.HasPrefix(line, "exit:") {
			ends++
		}
	}
	if ends > r.dropped && r.up("bridge_dp_data_provider_1") {
		r.dropped = ends
		r.lab.Signal(t, "bridge_dp_data_provider_1", syscall.SIGUSR1)
	}
}

// childProcess is the executor as its parent sees it.
type childProcess struct {
	rig  *rig
	cmd  *exec.Cmd
	gone chan struct{} // closed when it has ended and everything that it said is in lines

	mu    sync.Mutex
	lines []string
}

func (r *rig) start(t *testing.T, o order) *childProcess {
	t.Helper()
	text, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p := &childProcess{rig: r, cmd: exec.CommandContext(context.Background(), self), gone: make(chan struct{})}
	p.cmd.Env, p.cmd.Stderr = append(os.Environ(), childEnv+"="+string(text)), os.Stderr
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(p.gone)
		for scan := bufio.NewScanner(out); scan.Scan(); {
			p.mu.Lock()
			p.lines = append(p.lines, scan.Text())
			p.mu.Unlock()
		}
		_ = p.cmd.Wait()
	}()
	t.Cleanup(func() { p.kill() })
	return p
}

// kill is kill -9.
func (p *childProcess) kill() {
	_ = p.cmd.Process.Kill()
	<-p.gone
}

func (p *childProcess) said() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.lines)
}

// until waits for something to be so, and lets the containers live meanwhile.
func (p *childProcess) until(t *testing.T, so func() bool) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for patience := time.After(time.Minute); ; {
		p.rig.dropSockets(t)
		ended := false
		select {
		case <-p.gone:
			ended = true
		case <-patience:
			t.Fatalf("waited in vain; it said\n%s", strings.Join(p.said(), "\n"))
		case <-tick.C:
		}
		if so() {
			return
		}
		if ended {
			t.Fatalf("it ended; it said\n%s", strings.Join(p.said(), "\n"))
		}
	}
}

// end waits for the end of the plan.
func (p *childProcess) end(t *testing.T) {
	t.Helper()
	last := func() string { return append([]string{""}, p.said()...)[len(p.said())] }
	p.until(t, func() bool { return strings.HasPrefix(last(), "ended ") })
	if !strings.HasPrefix(last(), "ended done ") {
		t.Errorf("the plan %s", last())
	}
	<-p.gone
}

// plan is the id of the plan that it made.
func (p *childProcess) plan(t *testing.T) string {
	t.Helper()
	for _, line := range p.said() {
		if id, ok := strings.CutPrefix(line, "plan "); ok {
			return id
		}
	}
	t.Fatal("it made no plan")
	return ""
}
