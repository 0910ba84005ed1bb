// Package lab starts real parts for tests: private instances that listen on unix sockets and 127.0.0.0/8 only, and that are
// gone when the test is. Only tests import it.
package lab

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"testing"
	"time"
)

// CI reports whether this is the project's continuous integration, where nothing may be skipped.
func CI() bool { return os.Getenv("CI") == "true" }

// Missing ends a test that lacks a real part: it is skipped with the reason, and fails where CI is true.
func Missing(t testing.TB, reason string) {
	t.Helper()
	if CI() {
		t.Fatalf("%s (make test-deps installs it)", reason)
	}
	t.Skipf("%s (make test-deps installs it)", reason)
}

// Find is the path of a program, also where only root looks; "" when it is not installed.
func Find(name string) string {
	if path, err := exec.LookPath(name); err == nil {
		return path
	}
	for _, dir := range []string{"/usr/sbin", "/usr/local/sbin", "/sbin"} {
		if path, err := exec.LookPath(dir + "/" + name); err == nil {
			return path
		}
	}
	return ""
}

// daemon is a running server process of a test. It gets SIGTERM when the test process dies, however it dies.
type daemon struct {
	cmd  *exec.Cmd
	gone chan struct{} // closed when the process has ended
	err  error         // how it ended, after gone
}

// launch starts cmd and returns once it runs.
func launch(cmd *exec.Cmd) (*daemon, error) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	d := &daemon{cmd: cmd, gone: make(chan struct{})}
	started := make(chan error, 1)
	go func() {
		defer close(d.gone)
		// Pdeathsig is bound to the thread that forks, so that thread must live as long as the process.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			d.err = cmd.Wait()
		}
	}()
	return d, <-started
}

// stop asks with SIGTERM, waits, kills, and returns when the process is gone.
func (d *daemon) stop(grace time.Duration) error {
	_ = d.cmd.Process.Signal(syscall.SIGTERM)
	patience := time.NewTimer(grace)
	defer patience.Stop()
	select {
	case <-d.gone:
		return nil
	case <-patience.C:
	}
	_ = d.cmd.Process.Kill()
	<-d.gone
	return errors.New("had to be killed")
}

// until calls ready every 50 ms until it is true, ctx is done or the process is gone; then it reports false.
func (d *daemon) until(ctx context.Context, ready func(context.Context) bool) bool {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		if ready(ctx) {
			return true
		}
		select {
		case <-ctx.Done():
			return false
		case <-d.gone:
			return false
		case <-tick.C:
		}
	}
}

// tail is the end of a log file, for a failing test's report.
func tail(path string) string {
	b, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	if len(b) > 4000 {
		b = b[len(b)-4000:]
	}
	return string(bytes.TrimSpace(b))
}
