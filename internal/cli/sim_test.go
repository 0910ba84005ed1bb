package cli

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"phalops/internal/daemon"
	"phalops/internal/i18n"
	simwire "phalops/internal/sim/wire"
	"phalops/internal/sim/world"
)

// simFleet is a simulated fleet of eight workers with the configuration that `sim serve --write-config` writes for it.
type simFleet struct {
	*daemon.Sim
	config string
	data   string // its data folder, made by the first command that acts
	shell  shell
}

// Speeds: fast makes a worker's restart take a fraction of a second, slow leaves time to come between.
const (
	fast = 100
	slow = 5
)

func newSimFleet(t *testing.T, scenario string, speed float64) simFleet {
	t.Helper()
	return startFleet(t, scenario, daemon.SimOptions{Speed: speed, Fleet: world.FleetOptions{Workers: 8}})
}

func startFleet(t *testing.T, scenario string, o daemon.SimOptions) simFleet {
	t.Helper()
	s, err := simwire.ParseScenario([]byte(scenario))
	if err != nil {
		t.Fatal(err)
	}
	o.Seed, o.Scenario = 3, &s
	sim, err := daemon.StartSim(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(sim.Close)
	dir := t.TempDir()
	f := simFleet{Sim: sim, config: filepath.Join(dir, "sim.yaml"), data: filepath.Join(dir, "data"), shell: shell{lang: i18n.EN}}
	a := &app{Env: Env{Stderr: new(strings.Builder)}, catalog: loaded(t), lang: i18n.EN}
	if err := a.writeSimConfig(sim, f.config); err != nil {
		t.Fatal(err)
	}
	return f
}

// want runs a command and holds its exit code and a part of what it says against what is wanted.
func (f simFleet) want(t *testing.T, code int, says string, args ...string) result {
	t.Helper()
	r := f.shell.run(t, append(args, "-c", f.config)...)
	if r.code != code {
		t.Errorf("phalops %s: exit %d, want %d\n%s%s", strings.Join(args, " "), r.code, code, r.out, r.err)
	}
	if !strings.Contains(r.out+r.err, says) {
		t.Errorf("phalops %s does not say %q:\n%s%s", strings.Join(args, " "), says, r.out, r.err)
	}
	return r
}

// effects are what was done to the simulated fleet, by kind.
func (f simFleet) effects() (kinds []string) {
	f.Face.Do(func(w *world.World) {
		for _, e := range w.Effects() {
			kinds = append(kinds, e.Kind)
		}
	})
	return kinds
}

// bad is a fleet in which w-02 needs a restart and w-03 is beyond help.
const bad = `
- { fault: worker.error, target: w-02, text: timeout, cured_by: restart }
- { fault: worker.error, target: w-03, text: refused, cured_by: nothing }
`

// down is a fleet in which w-02 needs a restart, the pRuntime of w-03 is not there and that of w-04 hangs.
const down = `
- { fault: worker.error, target: w-02, text: timeout, cured_by: restart }
- { fault: pruntime.down, target: w-03 }
- { fault: pruntime.hang, target: w-04 }
`

// TestLooking asks a fleet that nobody watches, in every way, and touches nothing.
func TestLooking(t *testing.T) {
	t.Parallel()
	f := newSimFleet(t, bad, fast)
	f.want(t, exitDone, "No daemon keeps watch", "status")
	f.want(t, exitDone, "phala-node", "node", "restart", "--name", "node-1", "--dry-run")
	f.want(t, exitDone, "3000", "node", "list")
	f.want(t, exitDone, "bridge_lifecycle_1", "bridge", "restart", "--bridge", "prb-a", "--dry-run")
	f.want(t, exitDone, "failed 2", "bridge", "list")
	f.want(t, exitDone, "timed out", "worker", "why", "--name", "w-02")
	f.want(t, exitDone, "restart w-02 through bridge prb-a", "worker", "restart", "--name", "w-02", "--dry-run")
	f.want(t, exitDone, "No daemon keeps watch", "incident", "list")
	f.want(t, exitDone, "", "audit", "list")
	var list []struct {
		Name, Condition, Bridge string
	}
	if err := json.Unmarshal([]byte(f.want(t, exitDone, "", "worker", "list", "--condition", "failed", "-o", "json").out), &list); err != nil {
		t.Fatal(err)
	}
	if len(list) != 2 || list[0].Name != "w-02" || list[1].Name != "w-03" || list[0].Bridge != "prb-a" {
		t.Errorf("failed workers: %+v", list)
	}
	// What has been so for ever must not be shown as new, merely because this is the first look.
	if out := f.want(t, exitDone, "", "worker", "list", "--name", "w-02").out; strings.Contains(out, " ms") || strings.Contains(out, "just now") {
		t.Errorf("a first look claims to know since when:\n%s", out)
	}
	if got := f.effects(); len(got) > 0 {
		t.Errorf("looking did %v", got)
	}
	if _, err := os.Stat(f.data); !os.IsNotExist(err) {
		t.Errorf("looking made the data folder %s (%v)", f.data, err)
	}
}

// TestRestart restarts workers by commands alone, without a daemon, and meets every exit code on the way.
func TestRestart(t *testing.T) {
	t.Parallel()
	f := newSimFleet(t, down, fast)
	f.want(t, exitUsage, "nothing matches", "worker", "restart", "--name", "w-99", "--yes")
	f.want(t, exitUsage, "say which", "worker", "restart", "--yes")
	f.want(t, exitRefused, "not confirmed", "worker", "restart", "--name", "w-02")
	f.shell.stdin = "n\n"
	f.want(t, exitRefused, "not confirmed", "worker", "restart", "--name", "w-02")
	if got := f.effects(); len(got) > 0 {
		t.Fatalf("without a confirmation %v was done", got)
	}
	f.shell.stdin = "y\n"
	f.want(t, exitDone, "w-02 is fed again", "worker", "restart", "--name", "w-02")
	if got := f.effects(); len(got) != 1 {
		t.Errorf("one restart did %v", got)
	}
	f.want(t, exitDone, "user:ada", "audit", "list")
	f.want(t, exitDone, "w-02", "audit", "list") // by name, although no daemon ever saw it

	f.want(t, exitPartly, "1 failed", "worker", "restart", "--name", "w-01,w-03", "--yes")
	r := f.want(t, exitFailed, "", "worker", "restart", "--name", "w-03", "--yes", "-o", "json")
	var plans []struct{ ID, State string }
	if err := json.Unmarshal([]byte(r.out), &plans); err != nil || len(plans) != 1 || plans[0].State != "failed" {
		t.Fatalf("%v: %s", err, r.out)
	}
	f.want(t, exitDone, "phalops plan retry "+plans[0].ID, "plan", "show", plans[0].ID)
	f.want(t, exitDone, "restart w-03", "plan", "retry", plans[0].ID, "--dry-run")
	f.want(t, exitRefused, "", "plan", "pause", plans[0].ID)
	f.want(t, exitUsage, "there is no plan", "plan", "show", "nope")
	f.want(t, exitUsage, "there is no incident", "incident", "show", "nope")

	f.Face.Do(func(w *world.World) {
		b := w.Bridge("prb-a")
		x, _ := b.Worker("w-05")
		if _, err := b.UpdateWorkers([]world.WorkerChange{{ID: &world.ID{UUID: x.UUID}, Worker: &world.WorkerInput{PID: x.PID, Name: x.Name, Endpoint: x.Endpoint, Stake: x.Stake}}}); err != nil {
			t.Error(err)
		}
	})
	f.want(t, exitRefused, "w-05 is disabled", "worker", "restart", "--name", "w-05", "--yes")
}

// TestInterrupted breaks a restart off in the middle: it keeps its lock, and another command finishes it.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	f := newSimFleet(t, down, slow)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	s := f.shell
	s.onErr = func(line string) {
		if strings.Contains(line, "acted, not yet proved") {
			cancel()
		}
	}
	r := s.runIn(ctx, "worker", "restart", "--name", "w-04", "--yes", "-c", f.config)
	if r.code != exitInterrupted || !strings.Contains(r.err, "phalops plan resume") {
		t.Fatalf("exit %d: %s", r.code, r.err)
	}
	id := f.onlyPlan(t)
	f.want(t, exitLocked, id, "worker", "restart", "--name", "w-04", "--yes")
	f.want(t, exitLocked, id, "bridge", "restart", "--bridge", "prb-a", "--yes")
	before := f.effects()
	f.want(t, exitDone, "", "plan", "abort", id, "--dry-run")
	f.want(t, exitDone, "running", "plan", "list")
	f.want(t, exitDone, "phalops plan resume "+id, "plan", "pause", id)
	f.want(t, exitFailed, "--timeout", "plan", "resume", id, "--timeout", "300ms")
	f.want(t, exitDone, "aborted", "plan", "abort", id)
	if after := f.effects(); !slices.Equal(before, after) {
		t.Errorf("a blind restart was sent again: %v, then %v", before, after)
	}
	f.want(t, exitDone, "(nothing)", "plan", "list")

	// A question that nobody answers can be interrupted too.
	ctx, cancel = context.WithCancel(t.Context())
	defer cancel()
	r = shell{lang: i18n.EN, onErr: func(line string) {
		if strings.Contains(line, "[y/N]") {
			cancel()
		}
	}}.runIn(ctx, "worker", "restart", "--name", "w-02", "-c", f.config)
	if r.code != exitInterrupted {
		t.Errorf("an interrupted question: exit %d: %s", r.code, r.err)
	}
}

func (f simFleet) onlyPlan(t *testing.T) string {
	t.Helper()
	var plans []struct{ ID string }
	r := f.want(t, exitDone, "", "plan", "list", "-o", "json")
	if err := json.Unmarshal([]byte(r.out), &plans); err != nil || len(plans) != 1 {
		t.Fatalf("want one plan (%v): %s", err, r.out)
	}
	return plans[0].ID
}

// TestDaemon runs the daemon by its command, asks it, has it carry out a restart and stops it.
func TestDaemon(t *testing.T) {
	t.Parallel()
	f := newSimFleet(t, bad, fast)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	up := make(chan struct{}, 1)
	ended := make(chan result, 1)
	s := f.shell
	s.onErr = func(line string) {
		if strings.Contains(line, "keeps watch, mode act") {
			up <- struct{}{}
		}
	}
	go func() { ended <- s.runIn(ctx, "run", "-c", f.config) }()
	select {
	case <-up:
	case r := <-ended:
		t.Fatalf("run ended: %d %s", r.code, r.err)
	}
	f.want(t, exitLocked, "daemon", "run")
	f.eventually(t, "As seen by daemon@", "status")
	f.eventually(t, "w-02", "worker", "list")
	f.want(t, exitDone, "w-04 is fed again", "worker", "restart", "--name", "w-04", "--yes")
	f.eventually(t, "w-03", "incident", "list", "--all")
	stop()
	if r := <-ended; r.code != exitDone {
		t.Errorf("a stopped daemon ended with %d: %s", r.code, r.err)
	}
	f.want(t, exitDone, "No daemon keeps watch", "status")
}

// eventually repeats a command until it says something.
func (f simFleet) eventually(t *testing.T, says string, args ...string) {
	t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	var r result
	for {
		if r = f.shell.run(t, append(args, "-c", f.config)...); strings.Contains(r.out+r.err, says) {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("phalops %s never says %q:\n%s%s", strings.Join(args, " "), says, r.out, r.err)
		}
	}
}

// TestNobodyAnswers: that nothing can be seen is not the same as that nothing is there.
func TestNobodyAnswers(t *testing.T) {
	t.Parallel()
	f := newSimFleet(t, "[]", fast)
	f.Close()
	f.want(t, exitDone, "unknown", "status")
	f.want(t, exitDone, "refuse", "node", "status")
	f.want(t, exitFailed, "prb-a", "worker", "restart", "--name", "w-01", "--yes")
	f.want(t, exitFailed, "prb-a", "worker", "why", "--name", "w-01")
	f.want(t, exitFailed, "", "bridge", "restart", "--bridge", "prb-a", "--yes")
}

// TestSimServe starts the simulated fleet by its command and uses the configuration that it writes.
func TestSimServe(t *testing.T) {
	t.Parallel()
	f := simFleet{config: filepath.Join(t.TempDir(), "sim.yaml"), shell: shell{lang: i18n.ZH}}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	up, ended := make(chan struct{}, 1), make(chan result, 1)
	s := f.shell
	s.onErr = func(line string) {
		if strings.Contains(line, "Ctrl-C") {
			up <- struct{}{}
		}
	}
	go func() { ended <- s.runIn(ctx, "sim", "serve", "--write-config", f.config, "--workers", "4") }()
	select {
	case <-up:
	case r := <-ended:
		t.Fatalf("sim serve ended: %d %s", r.code, r.err)
	}
	f.want(t, exitDone, "没有问题", "config", "check")
	f.want(t, exitDone, "工作中 4", "bridge", "list")
	if info, err := os.Stat(f.config + ".secret"); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the robot's secret: %v, %v", info, err)
	}
	stop()
	r := <-ended
	if r.code != exitDone || !json.Valid([]byte(r.out)) {
		t.Errorf("exit %d, stdout %s", r.code, r.out)
	}
}

// TestDemo wants the whole story: the world's fault, the decision, the act and a summary without harm.
func TestDemo(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "evening.yaml")
	if err := os.WriteFile(file, []byte("- { at: 20s, fault: worker.freeze, target: w-03, cured_by: restart }\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for lang, wanted := range map[i18n.Lang][]string{
		i18n.ZH: {"模拟机群", "[世界]", "[判断]", "[处理]", "w-03 已恢复", "造成伤害 0 次"},
		i18n.EN: {"A simulated fleet", "[world]", "[decides]", "[acts]", "w-03 has recovered", "0 times harm done"},
	} {
		t.Run(string(lang), func(t *testing.T) {
			t.Parallel()
			r := shell{lang: lang}.run(t, "demo", "--for", "6s", "--speed", "100", "--workers", "6", "--scenario", file)
			if r.code != exitDone || r.err != "" {
				t.Errorf("exit %d, stderr %s", r.code, r.err)
			}
			for _, w := range wanted {
				if !strings.Contains(r.out, w) {
					t.Errorf("the demo does not say %q:\n%s", w, r.out)
				}
			}
		})
	}
	r := shell{lang: i18n.EN}.run(t, "demo", "--scenario", "/nonexistent.yaml")
	if r.code != exitUsage {
		t.Errorf("a scenario that is not there: exit %d", r.code)
	}
}

// TestScenarioProblems are told all at once.
func TestScenarioProblems(t *testing.T) {
	file := filepath.Join(t.TempDir(), "bad.yaml")
	if err := os.WriteFile(file, []byte("- { fault: sunshine, target: w-01 }\n- { at: soon, fault: node.stall, target: node-1 }\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := shell{lang: i18n.EN}.run(t, "sim", "serve", "--scenario", file)
	if r.code != exitUsage || strings.Count(r.err, "error: ") != 2 || !strings.Contains(r.err, "sunshine") || !strings.Contains(r.err, "soon") {
		t.Errorf("exit %d: %s", r.code, r.err)
	}
}
