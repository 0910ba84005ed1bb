// Package hosttest holds what every implementation of package host must do.
package hosttest

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"phalops/internal/clock"
	"phalops/internal/fleet"
	"phalops/internal/host"
)

// Never is a StopTakes that no grace outlasts.
const Never = 1000 * time.Hour

// Spec says what container a test wants.
type Spec struct {
	Name             string
	Project, Service string
	Labels           map[string]string
	RestartAlways    bool
	StopTakes        time.Duration // from SIGTERM to the end, with exit code 0
	ExitAtStart      int           // not 0: the process ends with this code as soon as it is there
}

// Fixture is one engine without containers, and the hands that the interface does not have.
type Fixture struct {
	Containers host.Containers
	Clock      clock.Clock                         // the engine's
	Image      string                              // what every container is made of
	Create     func(t testing.TB, s Spec)          // makes a container, not started
	Up         func(t testing.TB, name string)     // waits until the newest process is up
	Crash      func(t testing.TB, name string)     // the process ends by itself with code 3
	Starts     func(t testing.TB, name string) int // how many processes the container has had
}

// Containers is the conformance suite for a container engine. The engine of the fixture is used by all tests of the suite
// one after the other; the names of their containers differ.
func Containers(t *testing.T, f Fixture) {
	for _, c := range []struct {
		name string
		test func(*testing.T, suite)
	}{
		{"created", created},
		{"filters", filtered},
		{"start", start},
		{"stop", stop},
		{"stop kills after grace", stopKills},
		{"stop outlives its caller", stopOutlives},
		{"two stops at once", stopTwice},
		{"stop is not undone by the restart policy", stopHolds},
		{"stop ends a crash loop", stopEndsLoop},
		{"crash without a restart policy", crashStays},
		{"crash with a restart policy", crashReturns},
		{"restart", restart},
		{"restart kills after grace", restartKills},
		{"not found", notFound},
		{"an id's beginning is no name", prefix},
	} {
		t.Run(c.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			c.test(t, suite{Fixture: f, t: t, ctx: ctx})
		})
	}
}

func created(t *testing.T, s suite) {
	before := s.Clock.Now()
	s.Create(t, Spec{Name: "created-1", Project: "bridge", Service: "lifecycle", Labels: map[string]string{"site": "dc1"}})
	c := s.inspect("created-1")
	if len(c.ID) != 64 || c.At.Before(before) || c.Missed != 0 {
		t.Errorf("id %q, probe %+v", c.ID, c.Probe)
	}
	if got := c.Labels["site"]; got != "dc1" {
		t.Errorf("label site = %q", got)
	}
	want := fleet.ContainerStatus{Probe: c.Probe, ID: c.ID, Name: "created-1", Image: s.Image, Project: "bridge", Service: "lifecycle", State: "created", Labels: c.Labels}
	if diff := cmp.Diff(want, c); diff != "" {
		t.Error("inspect (-want +got)\n" + diff)
	}
	if c.Running() {
		t.Error("a created container runs")
	}
	for _, name := range []string{c.ID, c.ID[:12]} {
		if again := s.inspect(name); again.Name != "created-1" {
			t.Errorf("inspect by id %s found %q", name, again.Name)
		}
	}
}

func filtered(t *testing.T, s suite) {
	s.Create(t, Spec{Name: "filter.node", Project: "node", Service: "node"})
	s.Create(t, Spec{Name: "filter-node", Project: "node-2", Service: "node"})
	s.Create(t, Spec{Name: "filter.node.2", Project: "node", Service: "dp"})
	s.Create(t, Spec{Name: "a.filter.node"})
	if err := s.Containers.Start(s.ctx, "filter.node"); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		f    host.Filter
		want []string
	}{
		"project":             {host.Filter{Project: "node"}, []string{"filter.node", "filter.node.2"}},
		"project and service": {host.Filter{Project: "node", Service: "dp"}, []string{"filter.node.2"}},
		"service":             {host.Filter{Service: "node"}, []string{"filter-node", "filter.node"}},
		"exact name":          {host.Filter{Name: "filter.node"}, []string{"filter.node"}},
		"name in a project":   {host.Filter{Name: "filter-node", Project: "node"}, nil},
		"part of a name":      {host.Filter{Name: "filter"}, nil},
		"no such label":       {host.Filter{Project: "nod"}, nil},
	} {
		list, err := s.Containers.List(s.ctx, c.f)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if diff := cmp.Diff(c.want, namesOf(list)); diff != "" {
			t.Errorf("%s (-want +got)\n%s", name, diff)
		}
	}
	all, err := s.Containers.List(s.ctx, host.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	names := namesOf(all)
	if !slices.IsSorted(names) || !slices.Contains(names, "filter-node") || !slices.Contains(names, "filter.node") {
		t.Errorf("all containers: %q", names)
	}
	for _, c := range all {
		one := s.inspect(c.Name)
		one.Probe, c.Probe = fleet.Probe{}, fleet.Probe{}
		if diff := cmp.Diff(one, c); diff != "" {
			t.Errorf("%s: list and inspect differ (-inspect +list)\n%s", c.Name, diff)
		}
	}
}

func start(t *testing.T, s suite) {
	s.Create(t, Spec{Name: "start-1"})
	before := s.Clock.Now()
	s.start("start-1")
	first := s.inspect("start-1")
	if first.State != "running" || !first.Running() || !first.Finished.IsZero() {
		t.Errorf("after start: %+v", first)
	}
	if first.Started.Before(before.Add(-time.Second)) || first.Started.After(s.Clock.Now().Add(time.Second)) {
		t.Errorf("started at %s, asked at %s", first.Started, before)
	}
	if err := s.Containers.Start(s.ctx, "start-1"); err != nil {
		t.Errorf("start of a running container: %v", err)
	}
	if again := s.inspect("start-1"); !again.Started.Equal(first.Started) || s.Starts(t, "start-1") != 1 {
		t.Errorf("the second start began another process: %d", s.Starts(t, "start-1"))
	}
}

func stop(t *testing.T, s suite) {
	const takes = 1500 * time.Millisecond
	s.Create(t, Spec{Name: "stop-1", StopTakes: takes})
	if err := s.Containers.Stop(s.ctx, "stop-1", time.Second); err != nil {
		t.Errorf("stop of a created container: %v", err)
	}
	s.start("stop-1")
	before := s.Clock.Now()
	if err := s.Containers.Stop(s.ctx, "stop-1", time.Minute); err != nil {
		t.Fatal(err)
	}
	if took := s.Clock.Now().Sub(before); took < takes || took > 40*time.Second {
		t.Errorf("stop returned after %s, the process takes %s", took, takes)
	}
	c := s.inspect("stop-1")
	if c.State != "exited" || c.ExitCode != 0 || c.Running() || c.Finished.Sub(c.Started) < takes {
		t.Errorf("after stop: %+v", c)
	}
	if err := s.Containers.Stop(s.ctx, "stop-1", time.Minute); err != nil {
		t.Errorf("stop of a stopped container: %v", err)
	}
	if again := s.inspect("stop-1"); !again.Finished.Equal(c.Finished) {
		t.Error("the second stop changed the end of the process")
	}
	s.start("stop-1")
	if s.inspect("stop-1").State != "running" || s.Starts(t, "stop-1") != 2 {
		t.Error("a stopped container did not start again")
	}
}

func stopKills(t *testing.T, s suite) {
	s.Create(t, Spec{Name: "kill-1", StopTakes: Never, RestartAlways: true})
	s.start("kill-1")
	before := s.Clock.Now()
	if err := s.Containers.Stop(s.ctx, "kill-1", 1200*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	if took := s.Clock.Now().Sub(before); took < 1200*time.Millisecond || took > 40*time.Second {
		t.Errorf("killed after %s", took)
	}
	if c := s.inspect("kill-1"); c.State != "exited" || c.ExitCode != 137 {
		t.Errorf("after the kill: %+v", c)
	}
}

func stopOutlives(t *testing.T, s suite) {
	s.Create(t, Spec{Name: "outlive-1", StopTakes: 3 * time.Second})
	s.start("outlive-1")
	ctx, cancel := context.WithCancel(s.ctx)
	go func() {
		defer cancel()
		_ = s.Clock.Sleep(s.ctx, 500*time.Millisecond)
	}()
	err := s.Containers.Stop(ctx, "outlive-1", time.Minute)
	<-ctx.Done()
	if !errors.Is(err, context.Canceled) || fleet.KindOf(err) != fleet.Unavailable {
		t.Errorf("a stop that was given up: %v", err)
	}
	s.eventually("the engine finishes the stop", func() bool { return s.inspect("outlive-1").State == "exited" })
	if c := s.inspect("outlive-1"); c.ExitCode != 0 {
		t.Errorf("exit code %d", c.ExitCode)
	}
}

func stopTwice(t *testing.T, s suite) {
	s.Create(t, Spec{Name: "twice-1", StopTakes: time.Second})
	s.start("twice-1")
	second := make(chan error, 1)
	go func() { second <- s.Containers.Stop(s.ctx, "twice-1", 30*time.Second) }()
	if err := errors.Join(s.Containers.Stop(s.ctx, "twice-1", 30*time.Second), <-second); err != nil {
		t.Error(err)
	}
	if c := s.inspect("twice-1"); c.State != "exited" || c.ExitCode != 0 {
		t.Errorf("after two stops: %+v", c)
	}
}

func stopHolds(t *testing.T, s suite) {
	s.Create(t, Spec{Name: "holds-1", RestartAlways: true})
	s.start("holds-1")
	if err := s.Containers.Stop(s.ctx, "holds-1", 10*time.Second); err != nil {
		t.Fatal(err)
	}
	s.pass(1500 * time.Millisecond)
	if c := s.inspect("holds-1"); c.State != "exited" || c.Restarts != 0 || s.Starts(t, "holds-1") != 1 {
		t.Errorf("it came back: %+v", c)
	}
}

func stopEndsLoop(t *testing.T, s suite) {
	s.Create(t, Spec{Name: "loop-1", RestartAlways: true, ExitAtStart: 5})
	if err := s.Containers.Start(s.ctx, "loop-1"); err != nil {
		t.Fatal(err)
	}
	// The back-off has doubled to 800 ms by then, so that the container is nearly always found waiting.
	s.eventually("the restart policy tries again", func() bool {
		c := s.inspect("loop-1")
		return c.Restarts >= 3 && c.State == "restarting"
	})
	if c := s.inspect("loop-1"); c.State == "restarting" && (c.Running() || c.ExitCode != 5) {
		t.Errorf("while it waits: %+v", c)
	}
	if err := s.Containers.Stop(s.ctx, "loop-1", 5*time.Second); err != nil {
		t.Fatal(err)
	}
	if c := s.inspect("loop-1"); c.State != "exited" {
		t.Errorf("after stop: %+v", c)
	}
	n := s.Starts(t, "loop-1")
	s.pass(3 * time.Second)
	if s.Starts(t, "loop-1") != n {
		t.Error("the loop goes on")
	}
}

func crashStays(t *testing.T, s suite) {
	s.Create(t, Spec{Name: "crash-1"})
	s.start("crash-1")
	s.Crash(t, "crash-1")
	s.eventually("the process is gone", func() bool { return s.inspect("crash-1").State == "exited" })
	if c := s.inspect("crash-1"); c.ExitCode != 3 || c.Restarts != 0 || c.Finished.Before(c.Started) {
		t.Errorf("after the crash: %+v", c)
	}
}

func crashReturns(t *testing.T, s suite) {
	s.Create(t, Spec{Name: "crash-2", RestartAlways: true})
	s.start("crash-2")
	first := s.inspect("crash-2")
	s.Crash(t, "crash-2")
	s.eventually("the restart policy brings it back", func() bool {
		c := s.inspect("crash-2")
		return c.State == "running" && c.Restarts == 1 && c.Started.After(first.Started)
	})
	s.Up(t, "crash-2")
	if err := s.Containers.Restart(s.ctx, "crash-2", 10*time.Second); err != nil {
		t.Fatal(err)
	}
	if c := s.inspect("crash-2"); c.Restarts != 0 || c.State != "running" {
		t.Errorf("a restart by hand starts the count again: %+v", c)
	}
}

func restart(t *testing.T, s suite) {
	s.Create(t, Spec{Name: "restart-1", StopTakes: time.Second})
	if err := s.Containers.Restart(s.ctx, "restart-1", 30*time.Second); err != nil {
		t.Fatalf("restart of a created container: %v", err)
	}
	s.Up(t, "restart-1")
	first := s.inspect("restart-1")
	if first.State != "running" {
		t.Errorf("after the first restart: %+v", first)
	}
	if err := s.Containers.Restart(s.ctx, "restart-1", 30*time.Second); err != nil {
		t.Fatal(err)
	}
	s.Up(t, "restart-1")
	c := s.inspect("restart-1")
	if c.State != "running" || c.Started.Sub(first.Started) < time.Second || c.ID != first.ID || s.Starts(t, "restart-1") != 2 {
		t.Errorf("after restart: %+v", c)
	}
}

func restartKills(t *testing.T, s suite) {
	s.Create(t, Spec{Name: "restart-2", StopTakes: Never})
	s.start("restart-2")
	first := s.inspect("restart-2")
	if err := s.Containers.Restart(s.ctx, "restart-2", time.Second); err != nil {
		t.Fatal(err)
	}
	s.Up(t, "restart-2")
	if c := s.inspect("restart-2"); c.State != "running" || !c.Started.After(first.Started) || s.Starts(t, "restart-2") != 2 {
		t.Errorf("after restart: %+v", c)
	}
}

func notFound(t *testing.T, s suite) {
	for _, name := range []string{"nobody", "", "/", "..", "a/b", "../containers", "x?all=1", "a%2fb", "fade", strings.Repeat("a", 300)} {
		_, inspect := s.Containers.Inspect(s.ctx, name)
		for call, err := range map[string]error{
			"inspect": inspect,
			"start":   s.Containers.Start(s.ctx, name),
			"stop":    s.Containers.Stop(s.ctx, name, time.Second),
			"restart": s.Containers.Restart(s.ctx, name, time.Second),
		} {
			if !errors.Is(err, host.ErrNoContainer) || fleet.KindOf(err) != fleet.NotFound {
				t.Errorf("%s %q: %v", call, name, err)
			}
		}
	}
}

func prefix(t *testing.T, s suite) {
	s.Create(t, Spec{Name: "prefix-1"})
	id := s.inspect("prefix-1").ID
	if _, err := s.Containers.Inspect(s.ctx, id[:6]); !errors.Is(err, host.ErrNoContainer) {
		t.Errorf("inspect %s: %v", id[:6], err)
	}
	if err := s.Containers.Start(s.ctx, id[:6]); !errors.Is(err, host.ErrNoContainer) {
		t.Errorf("start %s: %v", id[:6], err)
	}
	if c := s.inspect("prefix-1"); c.State != "created" {
		t.Errorf("%s was taken for a name: %+v", id[:6], c)
	}
	if err := s.Containers.Start(s.ctx, id); err != nil || s.inspect("prefix-1").State != "running" {
		t.Errorf("start by full id: %v", err)
	}
}

type suite struct {
	Fixture
	t   *testing.T
	ctx context.Context
}

func (s suite) inspect(name string) fleet.ContainerStatus {
	s.t.Helper()
	c, err := s.Containers.Inspect(s.ctx, name)
	if err != nil {
		s.t.Fatal(err)
	}
	return c
}

// start starts a container and waits until its process is up.
func (s suite) start(name string) {
	s.t.Helper()
	if err := s.Containers.Start(s.ctx, name); err != nil {
		s.t.Fatal(err)
	}
	s.Up(s.t, name)
}

func (s suite) pass(d time.Duration) {
	s.t.Helper()
	if err := s.Clock.Sleep(s.ctx, d); err != nil {
		s.t.Fatal(err)
	}
}

func (s suite) eventually(what string, ok func() bool) {
	s.t.Helper()
	for !ok() {
		if err := s.Clock.Sleep(s.ctx, 20*time.Millisecond); err != nil {
			s.t.Fatalf("never: %s", what)
		}
	}
}

func namesOf(list []fleet.ContainerStatus) []string {
	var names []string
	for _, c := range list {
		names = append(names, c.Name)
	}
	return names
}
