package daemon

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"phalops/internal/clock"
	"phalops/internal/config"
	"phalops/internal/fleet"
	simwire "phalops/internal/sim/wire"
	"phalops/internal/sim/world"
)

// A big fleet is served by another process, so that the daemon's own cost can be seen.
const (
	envServe     = "PHALOPS_BENCH_SERVE" // folder for the configuration
	benchBridges = 200
	benchWorkers = 100
	benchLatency = 280 * time.Millisecond // of a real v2 monitor's dial to a peer
	benchSerial  = 3                      // ListPool, ListWorker, GetWorkerStatus: one request in flight per peer
)

// TestServeBigFleet is the other process of BenchmarkCycle: it serves until its standard input ends.
func TestServeBigFleet(t *testing.T) {
	dir := os.Getenv(envServe)
	if dir == "" {
		t.Skip("serves BenchmarkCycle")
	}
	quiet, err := simwire.ParseScenario([]byte("[]"))
	if err != nil {
		t.Fatal(err)
	}
	sim, err := StartSim(t.Context(), SimOptions{Seed: 7, Speed: 1, Scenario: &quiet, Wire: simwire.Options{Latency: benchLatency},
		Fleet: world.FleetOptions{Bridges: benchBridges, Workers: benchWorkers}})
	if err != nil {
		t.Fatal(err)
	}
	defer sim.Close()
	yaml := sim.ConfigYAML("en", filepath.Join(dir, "data"), "127.0.0.1:0", SimReferences{"env:" + SimToken, "env:" + SimSecret})
	file := filepath.Join(dir, "phalops.yaml")
	if err := os.WriteFile(file+".new", yaml, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(file+".new", file); err != nil {
		t.Fatal(err)
	}
	fmt.Println("serving")
	_, _ = io.Copy(io.Discard, os.Stdin)
}

// bigFleet starts the other process and reads the configuration that it wrote.
func bigFleet(b *testing.B) config.Config {
	b.Helper()
	dir := b.TempDir()
	self, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	cmd := exec.CommandContext(b.Context(), self, "-test.run=^TestServeBigFleet$", "-test.v", "-test.timeout=20m")
	cmd.Env = append(os.Environ(), envServe+"="+dir)
	hold, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	says, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = hold.Close()
		_ = cmd.Wait()
	})
	for lines := bufio.NewScanner(says); ; {
		if !lines.Scan() {
			b.Fatal("the simulated fleet did not come up")
		}
		if lines.Text() == "serving" {
			go func() { _, _ = io.Copy(io.Discard, says) }()
			break
		}
	}
	text, err := os.ReadFile(filepath.Join(dir, "phalops.yaml"))
	if err != nil {
		b.Fatal(err)
	}
	cfg, problems := config.Parse(text)
	if len(problems) > 0 {
		b.Fatalf("the simulator's own configuration has problems: %+v", problems)
	}
	return cfg
}

// BenchmarkCycle looks at 200 bridges with 100 workers each once per iteration: observe, decide, write down. The targets are
// printed beside the result: CPU-seconds and wall time of a cycle, and resident memory after it.
func BenchmarkCycle(b *testing.B) {
	cfg := bigFleet(b)
	d, err := New(b.Context(), testOptions(b, cfg, clock.Real{}, "sim-token", "SECsim"))
	if err != nil {
		b.Fatal(err)
	}
	defer func() {
		if err := d.Stop(context.WithoutCancel(b.Context())); err != nil {
			b.Error(err)
		}
	}()
	cycle, stop := newCycle(b, d)
	defer stop()
	for range 2 + benchWorkers/2 { // connections, the first facts and decisions; then each pRuntime is asked once, two in a cycle
		cycle.once()
	}
	peak := resident(b)
	cpu := used(b)
	for b.Loop() {
		cycle.once()
	}
	perCycle := (used(b) - cpu).Seconds() / float64(b.N)
	peak = max(peak, resident(b))
	b.ReportMetric(perCycle, "CPU-s/cycle")
	b.ReportMetric(float64(peak)/(1<<20), "MiB-resident")
	wall := benchSerial*benchLatency + time.Second
	fmt.Printf("    targets: CPU %.2f s of <= 0.8 s, wall %.2f s of <= %.2f s, resident %d MiB of <= 200 MiB\n",
		perCycle, b.Elapsed().Seconds()/float64(b.N), wall.Seconds(), peak>>20)
}

// cycle beats every bridge exactly once.
type cycle struct {
	tb      testing.TB
	d       *Daemon
	bridges int
	ended   chan string
	wg      sync.WaitGroup
}

// newCycle begins to beat; the returned function ends it.
func newCycle(b *testing.B, d *Daemon) (*cycle, func()) {
	c := &cycle{tb: b, d: d, ended: make(chan string, 4096)}
	for _, s := range d.Config().Sites {
		c.bridges += len(s.Bridges)
	}
	d.control.Configure(d.Clock.Now(), d.messages)
	ctx, stop := context.WithCancel(b.Context())
	run := d.runner()
	run.beat = func(id string, _ time.Duration, err error) {
		if err != nil {
			b.Errorf("%s: %v", id, err)
		}
		if strings.HasPrefix(id, "bridge/") && d.control.Board().Bridge(strings.TrimPrefix(id, "bridge/")).Ref != "" {
			c.ended <- id
		}
	}
	c.wg.Go(func() { run.run(ctx) })
	return c, func() { stop(); c.wg.Wait() }
}

// once wakes every bridge and waits until each was looked at.
func (c *cycle) once() {
	for len(c.ended) > 0 {
		<-c.ended
	}
	c.d.control.Schedule().WakePrefix("bridge/", c.d.Clock.Now())
	seen := map[string]bool{}
	for len(seen) < c.bridges {
		seen[<-c.ended] = true
	}
	for _, s := range c.d.control.Board().Bridges() {
		if s.Condition != fleet.BridgeHealthy || len(s.Workers) != benchWorkers {
			c.tb.Fatalf("%s is %s with %d workers", s.Ref, s.Condition, len(s.Workers))
		}
	}
}

func used(tb testing.TB) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// resident is the process's memory as the kernel counts it, in bytes.
func resident(tb testing.TB) int64 {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		tb.Fatal(err)
	}
	pages, err := strconv.ParseInt(strings.Fields(string(text))[1], 10, 64)
	if err != nil {
		tb.Fatal(err)
	}
	return pages * int64(os.Getpagesize())
}
