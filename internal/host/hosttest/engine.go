package hosttest

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"phalops/internal/clock"
	"phalops/internal/fleet"
	"phalops/internal/host"
	"phalops/internal/lab"
)

// OnEngine is the Fixture of a laboratory's engine that is reached through c.
func OnEngine(real *lab.Engine, c host.Containers) Fixture {
	return Fixture{
		Containers: c,
		Clock:      clock.Real{},
		Image:      lab.Image,
		Create: func(t testing.TB, s Spec) {
			t.Helper()
			c := lab.Container{Name: s.Name, Project: s.Project, Service: s.Service, Labels: s.Labels, RestartAlways: s.RestartAlways}
			switch {
			case s.StopTakes == Never:
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
	}
}

// Logs is the conformance suite for the logs of a laboratory's engine.
func Logs(t *testing.T, real *lab.Engine, e host.Engine) {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	real.Run(t, lab.Container{Name: "logs-1"})
	between := time.Now()
	if err := e.Restart(ctx, "logs-1", 10*time.Second); err != nil {
		t.Fatal(err)
	}
	real.Up(t, "logs-1")
	for name, c := range map[string]struct {
		since time.Time
		tail  int
		want  string
	}{
		"all":              {want: "start term exit:0 start"},
		"the last two":     {tail: 2, want: "exit:0 start"},
		"since":            {since: between, want: "term exit:0 start"},
		"since and tail":   {since: between, tail: 1, want: "start"},
		"nothing so young": {since: time.Now().Add(time.Hour)},
	} {
		logs, err := e.Logs(ctx, "logs-1", c.since, c.tail)
		if got := strings.Join(strings.Fields(string(logs.Text)), " "); err != nil || got != c.want || logs.Truncated {
			t.Errorf("%s: %q, %v; want %q", name, got, err, c.want)
		}
	}
	if _, err := e.Logs(ctx, "nobody", time.Time{}, 0); !errors.Is(err, host.ErrNoContainer) || fleet.KindOf(err) != fleet.NotFound {
		t.Errorf("logs of nobody: %v", err)
	}
}
