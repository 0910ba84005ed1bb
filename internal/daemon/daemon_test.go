package daemon

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"phalops/internal/clock"
	"phalops/internal/config"
	"phalops/internal/fleet"
	"phalops/internal/i18n"
	"phalops/internal/secret"
	simwire "phalops/internal/sim/wire"
	"phalops/internal/sim/world"
	"phalops/internal/store"
	"phalops/internal/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// rig is a simulated fleet with a daemon's data folder.
type rig struct {
	t   *testing.T
	sim *Sim
	dir string
	cfg config.Config
}

// testSpeed makes ten fleet minutes ten seconds; the simulated parts' own delays (a stop, a boot) stay seconds of the fleet.
const testSpeed = 60

func newRig(t *testing.T, scenario string) *rig {
	t.Helper()
	s, err := simwire.ParseScenario([]byte(scenario))
	if err != nil {
		t.Fatal(err)
	}
	sim, err := StartSim(t.Context(), SimOptions{Seed: 7, Speed: testSpeed, Fleet: world.FleetOptions{Workers: 12}, Scenario: &s})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(sim.Close)
	r := &rig{t: t, sim: sim, dir: t.TempDir()}
	r.cfg = r.parse("")
	return r
}

func (r *rig) yaml(more string) []byte {
	return append(r.sim.ConfigYAML("en", filepath.Join(r.dir, "data"), "127.0.0.1:0", SimReferences{"env:" + SimToken, "env:" + SimSecret}), more...)
}

func (r *rig) parse(more string) config.Config {
	r.t.Helper()
	cfg, problems := config.Parse(r.yaml(more))
	if len(problems) > 0 {
		r.t.Fatalf("the simulator's own configuration has problems: %+v", problems)
	}
	return cfg
}

func (r *rig) options() Options {
	robot := r.sim.Server.Endpoints().Robots[0]
	return testOptions(r.t, r.cfg, r.sim.Clock, robot.Token, robot.Secret)
}

func testOptions(tb testing.TB, cfg config.Config, c clock.Clock, token, sign string) Options {
	tb.Helper()
	catalog, err := i18n.Load()
	if err != nil {
		tb.Fatal(err)
	}
	return Options{
		Config: cfg, Clock: c, Catalog: catalog, Lang: i18n.EN, Version: "test", Allow: wire.LoopbackOnly,
		Log: slog.New(slog.DiscardHandler), Secrets: secret.NewMap(map[string]string{SimToken: token, SimSecret: sign}),
	}
}

// start runs a daemon until the returned function stops it.
func (r *rig) start(o Options) (*Daemon, func()) {
	r.t.Helper()
	d, err := New(r.t.Context(), o)
	if err != nil {
		r.t.Fatal(err)
	}
	if err := d.Start(r.t.Context()); err != nil {
		r.t.Fatal(err)
	}
	stopped := false
	stop := func() {
		if stopped {
			return
		}
		stopped = true
		if err := d.Stop(context.WithoutCancel(r.t.Context())); err != nil {
			r.t.Errorf("stop: %v", err)
		}
	}
	r.t.Cleanup(stop)
	return d, stop
}

// until waits, in wall time, until what is asked for holds.
func (r *rig) until(what string, most time.Duration, holds func() bool) {
	r.t.Helper()
	deadline := time.NewTimer(most)
	defer deadline.Stop()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-deadline.C:
			r.t.Fatalf("did not happen within %v: %s", most, what)
		case <-tick.C:
		}
	}
}

func (r *rig) world(f func(*world.World)) { r.sim.Face.Do(f) }

func (r *rig) effects() (all []string) {
	r.world(func(w *world.World) {
		for _, e := range w.Effects() {
			all = append(all, e.Kind+" "+e.Target)
		}
	})
	return all
}

func (r *rig) noHarm() {
	r.t.Helper()
	r.world(func(w *world.World) {
		for _, h := range w.Harm() {
			r.t.Errorf("harm was done: %s %s at %s", h.Kind, h.Target, h.At)
		}
	})
}

// incidents are those about the fleet. What the simulated pools' withdrawal queues will do in some days is another matter.
func incidents(d *Daemon, f store.IncidentFilter) ([]fleet.Incident, error) {
	all, err := d.Store.Incidents(context.Background(), f)
	return slices.DeleteFunc(all, func(i fleet.Incident) bool { return i.Target.Kind() == fleet.KindStakePool }), err
}

func closed(d *Daemon, title string) func() bool {
	return func() bool {
		all, err := d.Store.Incidents(context.Background(), store.IncidentFilter{})
		return err == nil && slices.ContainsFunc(all, func(i fleet.Incident) bool { return i.Title == title && !i.Open() && !i.Acted.IsZero() })
	}
}

// The whole street: a worker's error and a node's stall are detected, explained, healed in the right order, and told.
func TestFleetIsHealed(t *testing.T) {
	t.Parallel()
	r := newRig(t, `
- { at: 45s, fault: worker.error, target: w-07, text: timeout }
- { at: 4m, fault: node.stall, target: node-1 }
`)
	d, _ := r.start(r.options())
	r.until("w-07 is healed", 60*time.Second, closed(d, "w-07"))
	if got := r.effects(); !slices.Equal(got, []string{"restart prb-a/w-07"}) {
		t.Errorf("effects so far: %q, want exactly one restart of w-07", got)
	}
	r.until("node-1 is healed", 90*time.Second, closed(d, "node-1"))
	r.until("both are told", 30*time.Second, func() bool { return len(r.told()) >= 3 })
	want := []string{
		"restart prb-a/w-07",
		"stop node-1/bridge_lifecycle_1", "stop node-1/bridge_trade_1", "stop node-1/bridge_redis-q_1", "stop node-1/phala-node",
		"start node-1/phala-node", "start node-1/bridge_redis-q_1", "start node-1/bridge_lifecycle_1", "start node-1/bridge_trade_1",
	}
	if got := r.effects(); !slices.Equal(got, want) {
		t.Errorf("effects:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	r.world(func(w *world.World) {
		if c := w.Host("node-1").Container("bridge_arena_1"); c.Running() {
			t.Error("arena was stopped before the restart and runs after it")
		}
	})
	r.noHarm()
	told := strings.Join(r.told(), "\n---\n")
	for _, part := range []string{"worker w-07", "node node-1: stalled", "[recovered]"} {
		if !strings.Contains(told, part) {
			t.Errorf("the robot was not told of %q:\n%s", part, told)
		}
	}
	r.oneStory(d)
}

func (r *rig) told() (texts []string) {
	r.world(func(w *world.World) {
		for _, m := range w.Robots()[0].Messages() {
			texts = append(texts, m.Text)
		}
	})
	return texts
}

// oneStory holds guarantee 7: every plan has an author, a reason and an incident, and the record tells its steps.
func (r *rig) oneStory(d *Daemon) {
	r.t.Helper()
	plans, err := d.Store.Plans(r.t.Context(), store.PlanFilter{})
	if err != nil || len(plans) != 2 {
		r.t.Fatalf("%d plans, %v", len(plans), err)
	}
	for _, p := range plans {
		if p.State != fleet.PlanDone || !strings.HasPrefix(p.Author, "rule:") || p.Reason.IsZero() || p.Incident == "" {
			r.t.Errorf("plan %s: %+v", p.Kind, p)
		}
		events, err := d.Store.Events(r.t.Context(), store.EventFilter{Plan: p.ID})
		if err != nil || len(events) < 3 {
			r.t.Errorf("plan %s has %d events, %v", p.Kind, len(events), err)
		}
		for _, e := range events {
			if e.Author == "" || e.Reason.IsZero() {
				r.t.Errorf("an event without author or reason: %+v", e)
			}
		}
	}
}

// Observe mode decides and records, and touches nothing.
func TestObserveMode(t *testing.T) {
	t.Parallel()
	r := newRig(t, `- { at: 45s, fault: worker.error, target: w-07, text: timeout }`)
	r.cfg = r.parse("healing: { mode: observe }\n")
	d, _ := r.start(r.options())
	r.until("it says what it would have done", 60*time.Second, func() bool {
		all, err := incidents(d, store.IncidentFilter{Open: true})
		return err == nil && len(all) == 1 && all[0].Decision.Verdict == fleet.WouldAct
	})
	r.until("the robot is told so", 60*time.Second, func() bool { return strings.Contains(strings.Join(r.told(), ""), "Observe mode") })
	if got := r.effects(); len(got) != 0 {
		t.Errorf("observe mode acted: %q", got)
	}
	plans, err := d.Store.Plans(t.Context(), store.PlanFilter{})
	if err != nil || len(plans) != 0 {
		t.Errorf("observe mode made plans: %+v, %v", plans, err)
	}
}

// A daemon that is stopped in the middle of an ordered restart leaves nothing stopped: the next one brings back exactly
// what ran.
func TestStopInTheMiddleOfAnOrderedRestart(t *testing.T) {
	t.Parallel()
	r := newRig(t, `- { at: 30s, fault: node.stall, target: node-1 }`)
	before := r.runningSet()
	d, stop := r.start(r.options())
	r.until("the lifecycle is stopped", 90*time.Second, func() bool {
		return slices.Contains(r.effects(), "stop node-1/bridge_lifecycle_1")
	})
	stop()
	if slices.Equal(r.runningSet(), before) {
		t.Fatal("the plan ended before the daemon did: the test proves nothing")
	}
	d, _ = r.start(r.options())
	r.until("the plan is finished", 90*time.Second, func() bool {
		plans, err := d.Store.Plans(t.Context(), store.PlanFilter{Kind: "node.restart"})
		return err == nil && len(plans) == 1 && plans[0].State == fleet.PlanDone
	})
	if after := r.runningSet(); !slices.Equal(after, before) {
		t.Errorf("runs now: %q\nran before: %q", after, before)
	}
	for _, once := range []string{"stop node-1/bridge_lifecycle_1", "stop node-1/phala-node", "start node-1/phala-node", "start node-1/bridge_lifecycle_1"} {
		if n := count(r.effects(), once); n != 1 {
			t.Errorf("%q happened %d times", once, n)
		}
	}
	r.noHarm()
}

func count(all []string, one string) (n int) {
	for _, x := range all {
		if x == one {
			n++
		}
	}
	return n
}

func (r *rig) runningSet() (names []string) {
	r.world(func(w *world.World) {
		for _, h := range w.Hosts() {
			for _, c := range h.Containers() {
				if c.Running() {
					names = append(names, h.Name+"/"+c.Name)
				}
			}
		}
	})
	return names
}

func TestSecondDaemonIsRefused(t *testing.T) {
	r := newRig(t, `[]`)
	r.start(r.options())
	_, err := New(t.Context(), r.options())
	if fleet.KindOf(err) != fleet.Locked {
		t.Errorf("a second daemon on the same data: %v, want locked", err)
	}
}

func TestUnresolvableSecretIsToldAtStart(t *testing.T) {
	r := newRig(t, `[]`)
	o := r.options()
	o.Secrets = secret.NewMap(nil)
	if _, err := New(t.Context(), o); err == nil || !strings.Contains(err.Error(), "alert channel ops") {
		t.Errorf("start without the robot's token: %v", err)
	}
}

func TestHealthAndMetrics(t *testing.T) {
	t.Parallel()
	r := newRig(t, `[]`)
	d, _ := r.start(r.options())
	r.until("ready", 20*time.Second, func() bool { return get(t, d, "/readyz") == http.StatusOK })
	if code := get(t, d, "/healthz"); code != http.StatusOK {
		t.Errorf("/healthz: %d", code)
	}
	if body := body(t, d, "/metrics"); !strings.Contains(body, `phalops_workers{bridge="prb-a",condition="Working"}`) || !strings.Contains(body, `phalops_node_height{`) {
		t.Errorf("/metrics lacks the fleet:\n%.2000s", body)
	}
	r.until("the chain is read", 20*time.Second, func() bool {
		page := body(t, d, "/metrics")
		return strings.Contains(page, `phalops_chain_height{network="khala"}`) && strings.Contains(page, `pid_owner_blances{network="khala",owner="`)
	})
}

func get(t *testing.T, d *Daemon, path string) int {
	t.Helper()
	res, err := http.Get("http://" + d.Addr() + path)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	return res.StatusCode
}

func body(t *testing.T, d *Daemon, path string) string {
	t.Helper()
	res, err := http.Get("http://" + d.Addr() + path)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	http.DefaultClient.CloseIdleConnections()
	return string(text)
}

// A changed file takes effect; a broken one never replaces a working one.
func TestReload(t *testing.T) {
	t.Parallel()
	r := newRig(t, `[]`)
	path := filepath.Join(r.dir, "phalops.yaml")
	write(t, path, r.yaml(""))
	updates := make(chan config.Update, 4)
	hup := make(chan struct{}, 1)
	o := r.options()
	o.Path, o.Reload, o.Changed = path, hup, func(u config.Update) { updates <- u }
	d, _ := r.start(o)
	if d.Config().Healing.Mode != "act" {
		t.Fatalf("mode %q", d.Config().Healing.Mode)
	}
	write(t, path, r.yaml("healing: { mode: obsrve }\n"))
	hup <- struct{}{}
	if u := receive(t, updates); u.OK() || d.Config().Healing.Mode != "act" {
		t.Errorf("a broken file: ok %v, mode %q", u.OK(), d.Config().Healing.Mode)
	}
	if !strings.Contains(body(t, d, "/metrics"), "phalops_config_last_reload_successful 0") {
		t.Error("the metrics do not tell of the refused file")
	}
	write(t, path, r.yaml("healing: { mode: observe }\n"))
	if u := receive(t, updates); !u.OK() {
		t.Errorf("a good file was refused: %+v", u.Problems)
	}
	r.until("the new mode is in force", 10*time.Second, func() bool { return d.Config().Healing.Mode == "observe" })
}

func write(t *testing.T, path string, text []byte) {
	t.Helper()
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

func receive(t *testing.T, updates <-chan config.Update) config.Update {
	t.Helper()
	select {
	case u := <-updates:
		return u
	case <-time.After(30 * time.Second):
		t.Fatal("the change was not noticed")
		return config.Update{}
	}
}

// Whatever the configuration says, a process that may dial loopback only dials nobody else.
func TestLoopbackOnly(t *testing.T) {
	t.Parallel()
	r := newRig(t, `[]`)
	r.cfg.Sites[0].Nodes[0].Para = "http://10.255.255.1:9944"
	r.cfg.Sites[0].Bridges[0].URL = "http://192.168.2.1:3000"
	d, _ := r.start(r.options())
	r.until("both were refused", 20*time.Second, func() bool {
		nodes, err := d.Store.Nodes(t.Context())
		bridges, err2 := d.Store.Bridges(t.Context())
		return err == nil && err2 == nil && len(nodes) == 1 && len(bridges) == 1 &&
			nodes[0].Para.Cause.Code == "wire.forbidden" && bridges[0].Monitor.Missed > 0
	})
}
