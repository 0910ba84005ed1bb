package world

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// rack is a host with one container and the story of its process.
type rack struct {
	*World
	h     *Host
	c     *Container
	start time.Time
	story []string
}

func newRack(c *Container) *rack {
	start := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	w := New(start, 1)
	r := &rack{World: w, h: w.AddHost("node-1"), start: start}
	c.Name = "phala-node"
	c.OnStart = func() { r.tell("up") }
	c.OnExit = func(code int) { r.tell(fmt.Sprintf("gone %d", code)) }
	r.c = r.h.Add(c)
	return r
}

func (r *rack) tell(what string) {
	r.story = append(r.story, fmt.Sprintf("%s %s", r.Now().Sub(r.start), what))
}

func (r *rack) to(d time.Duration) { r.Advance(r.start.Add(d)) }

func (r *rack) expect(t *testing.T, story ...string) {
	t.Helper()
	if !slices.Equal(r.story, story) {
		t.Errorf("story\n got %q\nwant %q", r.story, story)
	}
}

func (r *rack) effects() string {
	var out []string
	for _, e := range r.h.Effects() {
		out = append(out, fmt.Sprintf("%s %s", e.At.Sub(r.start), e.Kind))
	}
	return strings.Join(out, ", ")
}

// must ends the test on an error: every call that a test makes in passing is expected to work.
func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestContainerLife(t *testing.T) {
	const name = "phala-node"
	for what, c := range map[string]struct {
		c       Container
		do      func(*testing.T, *rack)
		story   []string
		effects string
		state   ContainerState
		code    int
	}{
		"start is up later, once": {
			Container{StartTakes: 5 * time.Second},
			func(t *testing.T, r *rack) { must(t, r.h.Start(name)); r.to(time.Second); must(t, r.h.Start(name)) },
			[]string{"5s up"}, "0s start", StateRunning, 0,
		},
		"stop waits for the process": {
			Container{StopTakes: 30 * time.Second, StopCode: 143, RestartAlways: true},
			func(t *testing.T, r *rack) { r.c.BootRunning(); must(t, r.h.Stop(name, time.Minute)) },
			[]string{"0s up", "30s gone 143"}, "0s stop", StateExited, 143,
		},
		"stop kills after grace": {
			Container{StopTakes: time.Hour, RestartAlways: true},
			func(t *testing.T, r *rack) { r.c.BootRunning(); must(t, r.h.Stop(name, 2*time.Minute)) },
			[]string{"0s up", "2m0s gone 137"}, "0s stop, 2m0s kill", StateExited, 137,
		},
		"a grace that is just enough does not kill": {
			Container{StopTakes: time.Minute},
			func(t *testing.T, r *rack) { r.c.BootRunning(); must(t, r.h.Stop(name, time.Minute)) },
			[]string{"0s up", "1m0s gone 0"}, "0s stop", StateExited, 0,
		},
		"no grace at all": {
			Container{StopTakes: time.Minute},
			func(t *testing.T, r *rack) { r.c.BootRunning(); must(t, r.h.Stop(name, 0)) },
			[]string{"0s up", "0s gone 137"}, "0s stop, 0s kill", StateExited, 137,
		},
		"a second stop has its own grace": {
			Container{StopTakes: time.Hour},
			func(t *testing.T, r *rack) {
				r.c.BootRunning()
				must(t, r.h.Stop(name, -1))
				r.to(time.Minute)
				must(t, r.h.Stop(name, 10*time.Second))
			},
			[]string{"0s up", "1m10s gone 137"}, "0s stop, 1m0s stop, 1m10s kill", StateExited, 137,
		},
		"stop before it is up": {
			Container{StartTakes: time.Minute, StopTakes: time.Second},
			func(t *testing.T, r *rack) { must(t, r.h.Start(name)); must(t, r.h.Stop(name, time.Minute)) },
			[]string{"1s gone 0"}, "0s start, 0s stop", StateExited, 0,
		},
		"stop of a stopped one": {
			Container{},
			func(t *testing.T, r *rack) { must(t, r.h.Stop(name, 0)) },
			nil, "", StateCreated, 0,
		},
		"restart": {
			Container{StartTakes: 2 * time.Second, StopTakes: 3 * time.Second},
			func(t *testing.T, r *rack) { r.c.BootRunning(); must(t, r.h.Restart(name, time.Minute)) },
			[]string{"0s up", "3s gone 0", "5s up"}, "0s restart", StateRunning, 0,
		},
		"restart kills": {
			Container{StopTakes: time.Hour},
			func(t *testing.T, r *rack) { r.c.BootRunning(); must(t, r.h.Restart(name, time.Minute)) },
			[]string{"0s up", "1m0s gone 137", "1m0s up"}, "0s restart, 1m0s kill", StateRunning, 0,
		},
		"restart of a stopped one": {
			Container{},
			func(t *testing.T, r *rack) { must(t, r.h.Restart(name, time.Minute)) },
			[]string{"0s up"}, "0s restart", StateRunning, 0,
		},
		"a stop takes back a restart": {
			Container{StopTakes: time.Minute},
			func(t *testing.T, r *rack) {
				r.c.BootRunning()
				must(t, r.h.Restart(name, time.Hour))
				r.to(time.Second)
				must(t, r.h.Stop(name, time.Hour))
			},
			[]string{"0s up", "1m0s gone 0"}, "0s restart, 1s stop", StateExited, 0,
		},
		"kill": {
			Container{RestartAlways: true, StopTakes: time.Minute},
			func(t *testing.T, r *rack) { r.c.BootRunning(); must(t, r.h.Kill(name)) },
			[]string{"0s up", "0s gone 137"}, "0s kill", StateExited, 137,
		},
		"a crash stays": {
			Container{},
			func(_ *testing.T, r *rack) { r.c.BootRunning(); r.c.Exit(255); r.c.Exit(1) },
			[]string{"0s up", "0s gone 255"}, "", StateExited, 255,
		},
		"a crash is brought back": {
			Container{RestartAlways: true, StartTakes: time.Second},
			func(_ *testing.T, r *rack) { r.c.BootRunning(); r.to(time.Minute); r.c.Exit(255) },
			[]string{"0s up", "1m0s gone 255", "1m1.1s up"}, "", StateRunning, 0,
		},
		"a crash during a stop is the stop's end": {
			Container{RestartAlways: true, StopTakes: time.Minute},
			func(t *testing.T, r *rack) {
				r.c.BootRunning()
				must(t, r.h.Stop(name, time.Hour))
				r.to(time.Second)
				r.c.Exit(255)
			},
			[]string{"0s up", "1s gone 255"}, "0s stop", StateExited, 255,
		},
		"an engine that cannot start it": {
			Container{RestartAlways: true, StartError: "port is allocated"},
			func(t *testing.T, r *rack) {
				if err := r.h.Start(name); err == nil || r.c.Failure() == nil {
					t.Error("it started")
				}
			},
			nil, "0s start", StateCreated, 0,
		},
	} {
		t.Run(what, func(t *testing.T) {
			r := newRack(&c.c)
			c.do(t, r)
			r.to(24 * time.Hour)
			r.expect(t, c.story...)
			if r.effects() != c.effects {
				t.Errorf("effects %q, want %q", r.effects(), c.effects)
			}
			if r.c.State() != c.state || r.c.ExitCode() != c.code || r.c.Busy() {
				t.Errorf("%s, exit code %d, busy %t; want %s, %d", r.c.State(), r.c.ExitCode(), r.c.Busy(), c.state, c.code)
			}
		})
	}
}

// TestRestartPolicyBacksOff: docker doubles from 100 ms to a minute, and forgets after ten seconds of life.
func TestRestartPolicyBacksOff(t *testing.T) {
	r := newRack(&Container{RestartAlways: true})
	var pauses []time.Duration
	r.c.OnStart = func() {
		if !r.c.FinishedAt().IsZero() {
			pauses = append(pauses, r.Now().Sub(r.c.FinishedAt()))
		}
		if len(pauses) < 12 {
			r.c.Exit(1)
		}
	}
	r.c.BootRunning()
	if r.c.State() != StateRestarting || r.c.RestartCount() != 1 || r.c.Running() {
		t.Errorf("after the first crash: %s, %d", r.c.State(), r.c.RestartCount())
	}
	r.to(time.Hour)
	const ms = time.Millisecond
	want := []time.Duration{100 * ms, 200 * ms, 400 * ms, 800 * ms, 1600 * ms, 3200 * ms, 6400 * ms, 12800 * ms, 25600 * ms, 51200 * ms, time.Minute, time.Minute}
	if !slices.Equal(pauses, want) {
		t.Errorf("pauses %v", pauses)
	}
	if !r.c.Up() || r.c.RestartCount() != 12 {
		t.Errorf("it ended %s after %d restarts", r.c.State(), r.c.RestartCount())
	}
	r.c.Exit(1)
	r.to(time.Hour + 100*ms)
	if got := pauses[len(pauses)-1]; got != 100*ms {
		t.Errorf("after an hour of life it paused %s", got)
	}
	must(t, r.h.Restart("phala-node", time.Second))
	r.to(2 * time.Hour)
	if r.c.RestartCount() != 0 {
		t.Errorf("a restart by hand left the count at %d", r.c.RestartCount())
	}
}

func TestStopEndsACrashLoop(t *testing.T) {
	r := newRack(&Container{RestartAlways: true})
	r.c.OnStart = func() { r.c.Exit(1) }
	r.c.BootRunning()
	r.to(time.Minute)
	runs := r.c.Runs()
	must(t, r.h.Start("phala-node"))
	if got := r.effects(); got != "" {
		t.Errorf("a start while the policy waits has the effect %q", got)
	}
	must(t, r.h.Stop("phala-node", time.Second))
	if r.c.State() != StateExited || r.c.Busy() {
		t.Errorf("after stop: %s", r.c.State())
	}
	r.to(time.Hour)
	if r.c.Runs() != runs {
		t.Error("the loop goes on")
	}
}

func TestFindContainers(t *testing.T) {
	w := New(time.Unix(0, 0).UTC(), 1)
	b, a := w.AddHost("b"), w.AddHost("a")
	if w.Host("c") != nil || w.Host("a") != a || len(w.Hosts()) != 2 || w.Hosts()[0] != a {
		t.Errorf("hosts %v", w.Hosts())
	}
	x := a.Add(&Container{Name: "x", Project: "p", Service: "s", Labels: map[string]string{"k": "v"}})
	y := a.Add(&Container{Name: "w"})
	if got := fmt.Sprint(x.Labels); got != "map[com.docker.compose.project:p com.docker.compose.service:s k:v]" {
		t.Errorf("labels %s", got)
	}
	if list := a.Containers(); len(list) != 2 || list[0] != y {
		t.Errorf("containers %v", list)
	}
	if len(x.ID()) != 64 || strings.Trim(x.ID(), "0123456789abcdef") != "" {
		t.Errorf("id %q", x.ID())
	}
	if a.Container("x") != x || a.Container(x.ID()) != x || a.Container(x.ID()[:12]) != x || a.Container("") != nil || a.Container("z") != nil {
		t.Error("a container is not found by name, id or the beginning of its id")
	}
	if other := b.Add(&Container{Name: "x"}); other.ID() == x.ID() {
		t.Error("two containers of one id")
	}
	again := New(time.Unix(9, 0).UTC(), 1).AddHost("a").Add(&Container{Name: "x"})
	if again.ID() != x.ID() {
		t.Error("the same seed gives another id")
	}
	for what, err := range map[string]error{"start": a.Start("z"), "stop": a.Stop("z", 0), "restart": a.Restart("z", 0), "kill": a.Kill("z")} {
		if !errors.Is(err, ErrNoContainer) {
			t.Errorf("%s of nobody: %v", what, err)
		}
	}
	if err := a.Kill("x"); !errors.Is(err, ErrNotRunning) {
		t.Errorf("kill of a created one: %v", err)
	}
}

// TestContainerNeverLies: whatever is done to a container, up and gone alternate as its process does, a stop always ends
// it and nothing but a start brings a stopped one back.
func TestContainerNeverLies(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := newRack(&Container{
			RestartAlways: rapid.Bool().Draw(t, "always"),
			StartTakes:    time.Duration(rapid.IntRange(0, 20).Draw(t, "start takes")) * time.Second,
			StopTakes:     time.Duration(rapid.IntRange(0, 20).Draw(t, "stop takes")) * time.Second,
		})
		up := false
		r.c.OnStart = func() {
			if up || !r.c.Running() {
				t.Fatalf("up twice or without a process (%s)", r.c.State())
			}
			up = true
		}
		exits := 0
		r.c.OnExit = func(int) { up, exits = false, exits+1 }
		do := func(what int) error {
			switch what {
			case 0:
				return r.h.Start("phala-node")
			case 1:
				return r.h.Stop("phala-node", 10*time.Second)
			case 2:
				return r.h.Restart("phala-node", 10*time.Second)
			case 3:
				r.c.Exit(1)
			case 4:
				if err := r.h.Kill("phala-node"); err != nil && !errors.Is(err, ErrNotRunning) {
					return err
				}
			}
			return nil
		}
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			if err := do(rapid.IntRange(0, 5).Draw(t, "step")); err != nil {
				t.Fatal(err)
			}
			r.Advance(r.Now().Add(time.Duration(rapid.IntRange(0, 15).Draw(t, "seconds")) * time.Second))
			if up != r.c.Up() || up && !r.c.Running() || r.c.Busy() && !r.c.Running() {
				t.Fatalf("told %t, up %t, busy %t, state %s", up, r.c.Up(), r.c.Busy(), r.c.State())
			}
			if alive := r.c.Runs() - exits; alive != 0 && alive != 1 || (alive == 1) != r.c.Running() {
				t.Fatalf("%d processes began, %d ended, state %s", r.c.Runs(), exits, r.c.State())
			}
		}
		if err := r.h.Stop("phala-node", 10*time.Second); err != nil {
			t.Fatal(err)
		}
		r.Advance(r.Now().Add(10 * time.Second))
		runs := r.c.Runs()
		r.Advance(r.Now().Add(time.Hour))
		if r.c.Running() || r.c.Busy() || r.c.State() == StateRestarting || r.c.Runs() != runs {
			t.Fatalf("after the last stop: %s", r.c.State())
		}
	})
}
