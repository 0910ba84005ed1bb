package sqlite

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"phalops/internal/fleet"
)

// roleEnv makes the test binary play another process instead of running tests.
const roleEnv = "PHALOPS_TEST_STORE_ROLE"

func TestMain(m *testing.M) {
	if role := os.Getenv(roleEnv); role != "" {
		if err := play(role, os.Args[1]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	goleak.VerifyTestMain(m)
}

// play is what a child process does: it says a line for everything that is done, and goes on until it is killed.
func play(role, dir string) error {
	ctx := context.Background()
	s, err := Open(ctx, Options{Dir: dir, Reserve: 64 << 10})
	if err != nil {
		return err
	}
	switch role {
	case "writer":
		for i := 0; ; i++ {
			if err := s.Append(ctx, fleet.Event{At: t0, Kind: fleet.EventStep, Reason: fleet.Because("n", "i", i)}); err != nil {
				return err
			}
			fmt.Println(i)
		}
	case "owner":
		l, err := s.Acquire(ctx, "dc1", "child", time.Hour, t0)
		if err != nil {
			return err
		}
		fmt.Println(l.Token)
		select {}
	}
	return fmt.Errorf("no role %q", role)
}

var t0 = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// child is another process with the same store.
type child struct {
	*exec.Cmd
	lines *bufio.Scanner
}

func start(t *testing.T, role, dir string) child {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), exe, dir)
	cmd.Env = append(os.Environ(), roleEnv+"="+role)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	return child{cmd, bufio.NewScanner(out)}
}

// number is the next line that the child says.
func (c child) number(t *testing.T) int64 {
	t.Helper()
	if !c.lines.Scan() {
		t.Fatal("the child ended")
	}
	n, err := strconv.ParseInt(strings.TrimSpace(c.lines.Text()), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// kill is kill -9; it returns when the process is gone.
func (c child) kill(t *testing.T) {
	t.Helper()
	if err := c.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_, _ = c.Process.Wait()
}

// needs skips a test that this machine cannot run, and fails it where everything must run.
func needs(t *testing.T, why string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal("CI must run this: " + why)
	}
	t.Skip(why)
}
