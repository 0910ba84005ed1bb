package campaign

import (
	"context"
	"flag"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"phalops/internal/fleet"
	"phalops/internal/sim/world"
	"phalops/internal/store"
)

// TestMain has properties look at a few cases only, unless more are asked for (-rapid.checks): each is hours of a fleet.
func TestMain(m *testing.M) {
	flag.Parse()
	asked := false
	flag.Visit(func(f *flag.Flag) { asked = asked || f.Name == "rapid.checks" })
	if !asked {
		if err := flag.Set("rapid.checks", "6"); err != nil {
			panic(err)
		}
	}
	goleak.VerifyTestMain(m)
}

var start = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

// rig is a simulated world with somebody to look after it.
type rig struct {
	*Sim
	t      tester
	daemon *Daemon
	ran    []string // what ran at the beginning
}

// newRig makes a fleet, lets faults loose on it and starts a daemon.
func newRig(t tester, o world.FleetOptions, settings string, faults ...world.Fault) *rig {
	t.Helper()
	w := world.New(start, 7)
	world.DefaultFleet(w, o)
	return watch(t, Options{World: w, Settings: settings}, faults...)
}

// tester is a test, or one case of a property.
type tester interface {
	Helper()
	Cleanup(func())
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
	Error(args ...any)
	Fatal(args ...any)
	Log(args ...any)
	Failed() bool
	Context() context.Context
}

func (r *rig) ctx() context.Context { return r.t.Context() }

func watch(t tester, o Options, faults ...world.Fault) *rig {
	t.Helper()
	if err := o.World.Apply(world.Scenario{Faults: faults}); err != nil {
		t.Fatal(err)
	}
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	r := &rig{Sim: s, t: t}
	r.ran = r.running()
	r.daemon = r.start(DaemonOptions{})
	return r
}

func (r *rig) start(o DaemonOptions) *Daemon {
	r.t.Helper()
	d, err := r.Start(r.t.Context(), o)
	if err != nil {
		r.t.Fatal(err)
	}
	return d
}

func (r *rig) pass(d time.Duration) {
	r.t.Helper()
	if err := r.Run(r.t.Context(), d); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) until(what string, most time.Duration, holds func() bool) {
	r.t.Helper()
	ok, err := r.RunUntil(r.t.Context(), most, holds)
	if err != nil {
		r.t.Fatal(err)
	}
	if !ok {
		r.t.Fatalf("did not happen within %v: %s\n%s", most, what, r.story())
	}
}

// running is what runs on all hosts.
func (r *rig) running() (names []string) {
	for _, h := range r.World.Hosts() {
		for _, c := range h.Containers() {
			if c.Running() {
				names = append(names, h.Name+"/"+c.Name)
			}
		}
	}
	return names
}

// effects is what was done to the world.
func (r *rig) effects() (all []string) {
	for _, e := range r.World.Effects() {
		all = append(all, e.Kind+" "+e.Target)
	}
	return all
}

func (r *rig) incidents() []fleet.Incident {
	r.t.Helper()
	all, err := r.Store.Incidents(r.t.Context(), store.IncidentFilter{})
	if err != nil {
		r.t.Fatal(err)
	}
	return all
}

// story is what happened, for a test that failed.
func (r *rig) story() string {
	var b strings.Builder
	line := func(at time.Time, parts ...string) {
		b.WriteString(at.Sub(start).Round(time.Second).String() + " " + strings.Join(parts, " ") + "\n")
	}
	line(r.Now(), "now")
	for _, e := range r.World.Faults() {
		line(e.At, "fault", e.Kind, e.Target)
	}
	for _, e := range r.World.Effects() {
		line(e.At, "effect", e.Kind, e.Target)
	}
	for _, e := range r.World.Harm() {
		line(e.At, "HARM", e.Kind, e.Target)
	}
	for _, i := range r.incidents() {
		line(i.Opened, "incident", i.Title, i.Decision.Rule, i.Reason.String(), "open:", map[bool]string{true: "yes", false: "closed " + i.Closed.Sub(start).String()}[i.Open()])
	}
	for _, d := range r.daemons {
		b.WriteString(strings.Join(d.Troubles, "\n"))
	}
	return b.String()
}

func closed(r *rig, title string) func() bool {
	return func() bool {
		return slices.ContainsFunc(r.incidents(), func(i fleet.Incident) bool { return i.Title == title && !i.Open() && !i.Acted.IsZero() })
	}
}

// The daemon's TestFleetIsHealed in virtual time: the same effects in the same order.
func TestFleetIsHealed(t *testing.T) {
	t.Parallel()
	r := newRig(t, world.FleetOptions{Workers: 12}, "",
		world.Fault{At: 45 * time.Second, Kind: world.WorkerError, Target: "w-07", Text: "timeout"},
		world.Fault{At: 4 * time.Minute, Kind: world.NodeStall, Target: "node-1"})
	r.until("w-07 is healed", time.Hour, closed(r, "w-07"))
	if got := r.effects(); !slices.Equal(got, []string{"restart prb-a/w-07"}) {
		t.Errorf("effects so far: %q, want exactly one restart of w-07", got)
	}
	r.until("node-1 is healed", time.Hour, closed(r, "node-1"))
	r.until("both are told", time.Hour, func() bool { return len(r.World.Robots()[0].Messages()) >= 3 })
	want := []string{
		"restart prb-a/w-07",
		"stop node-1/bridge_lifecycle_1", "stop node-1/bridge_trade_1", "stop node-1/bridge_redis-q_1", "stop node-1/phala-node",
		"start node-1/phala-node", "start node-1/bridge_redis-q_1", "start node-1/bridge_lifecycle_1", "start node-1/bridge_trade_1",
	}
	if got := r.effects(); !slices.Equal(got, want) {
		t.Errorf("effects:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if c := r.World.Host("node-1").Container("bridge_arena_1"); c.Running() {
		t.Error("arena was stopped before the restart and runs after it")
	}
	if harm := r.World.Harm(); len(harm) > 0 {
		t.Errorf("harm: %+v", harm)
	}
	if len(r.daemon.Troubles) > 0 {
		t.Errorf("beats that failed: %q", r.daemon.Troubles)
	}
}
