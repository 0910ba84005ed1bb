package hosttest_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"phalops/internal/clock"
	"phalops/internal/fleet"
	"phalops/internal/host"
	"phalops/internal/host/hosttest"
)

func TestFake(t *testing.T) {
	f := hosttest.NewFake("node-1", clock.Real{}, nil)
	f.MkdirAll("/srv/test")
	for name, p := range map[string]hosttest.Program{
		"true":  func(context.Context, hosttest.Call) int { return 0 },
		"false": func(context.Context, hosttest.Call) int { return 1 },
		"cat": func(_ context.Context, c hosttest.Call) int {
			_, _ = c.Stdout.Write(c.Stdin)
			return 0
		},
		"pwd": func(_ context.Context, c hosttest.Call) int {
			fmt.Fprintln(c.Stdout, c.Dir)
			return 0
		},
		"printf": func(_ context.Context, c hosttest.Call) int {
			if len(c.Argv) == 2 {
				fmt.Fprint(c.Stdout, c.Argv[1])
				return 0
			}
			fmt.Fprintln(c.Stdout, strings.Join(c.Argv[2:], "\n"))
			return 0
		},
		"printenv": func(_ context.Context, c hosttest.Call) int {
			for _, kv := range c.Env {
				if value, ok := strings.CutPrefix(kv, c.Argv[1]+"="); ok {
					fmt.Fprintln(c.Stdout, value)
				}
			}
			return 0
		},
		"yes": func(ctx context.Context, c hosttest.Call) int {
			for ctx.Err() == nil {
				_, _ = io.WriteString(c.Stdout, "y\n")
			}
			return 0
		},
		"sh": func(_ context.Context, c hosttest.Call) int { // knows two scripts
			if c.Argv[2] == "kill -9 $$" {
				return 137
			}
			fmt.Fprintln(c.Stdout, "out")
			fmt.Fprint(c.Stderr, "first\nno such luck\n")
			return 7
		},
	} {
		f.Provide(name, p)
	}
	hosttest.Host(t, hosttest.Machine{Host: f, Dir: "/srv/test"})
}

func TestFakeSilence(t *testing.T) {
	f := hosttest.NewFake("node-1", clock.Real{}, nil)
	f.Silence(true)
	_, run := f.Run(t.Context(), host.Command{Argv: []string{"true"}})
	_, read := f.ReadFile(t.Context(), "/x", host.FileOptions{})
	_, stat := f.Stat(t.Context(), "/x", host.FileOptions{})
	write := f.WriteFile(t.Context(), "/x", nil, host.FileOptions{})
	for call, err := range map[string]error{"run": run, "read": read, "stat": stat, "write": write} {
		if !errors.Is(err, host.ErrSilent) || fleet.KindOf(err) != fleet.Unavailable || errors.Is(err, host.ErrNoFile) {
			t.Errorf("%s: %v", call, err)
		}
	}
	f.Silence(false)
	if err := f.WriteFile(t.Context(), "/x", []byte("y"), host.FileOptions{}); err != nil || len(f.Ran()) != 0 {
		t.Errorf("%v, %v", err, f.Ran())
	}
}
