package docker_test

import (
	"slices"
	"strconv"
	"syscall"
	"testing"

	"phalops/internal/clock"
	"phalops/internal/host/docker"
	"phalops/internal/host/hosttest"
	"phalops/internal/lab"
)

// TestLabDocker holds the client against a real Docker Engine.
func TestLabDocker(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a Docker Engine")
	}
	real := lab.Docker(t)
	e, err := docker.New(real.Addr, clock.Real{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	hosttest.Containers(t, hosttest.Fixture{
		Containers: e,
		Clock:      clock.Real{},
		Image:      lab.Image,
		Create: func(t testing.TB, s hosttest.Spec) {
			t.Helper()
			c := lab.Container{Name: s.Name, Project: s.Project, Service: s.Service, Labels: s.Labels, RestartAlways: s.RestartAlways}
			switch {
			case s.StopTakes == hosttest.Never:
				c.Env = append(c.Env, "DUMMY_STOP_TAKES=never")
			case s.StopTakes > 0:
				c.Env = append(c.Env, "DUMMY_STOP_TAKES="+s.StopTakes.String())
			}
			if s.ExitAtStart != 0 {
				c.Env = append(c.Env, "DUMMY_EXIT="+strconv.Itoa(s.ExitAtStart))
			}
			real.Create(t, c)
		},
		Up:    real.Up,
		Crash: func(t testing.TB, name string) { t.Helper(); real.Signal(t, name, syscall.SIGUSR1) },
		Starts: func(t testing.TB, name string) int {
			t.Helper()
			lines := real.Lines(t, name)
			return len(lines) - len(slices.DeleteFunc(slices.Clone(lines), func(l string) bool { return l == "start" }))
		},
	})
}
