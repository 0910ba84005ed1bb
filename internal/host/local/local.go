// Package local is the machine that phalops runs on.
package local

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"time"

	"phalops/internal/host"
)

// Options are what a Host is made of.
type Options struct {
	Name   string      // default "local"
	Engine host.Engine // the machine's container engine
	Root   host.Root   // how commands become root; Root.Already is found out
}

// Host is this machine. It implements host.Host.
type Host struct {
	name   string
	engine host.Engine
	root   host.Root
	remote host.Remote // files of root's, when phalops is not root
}

var _ host.Host = (*Host)(nil)

// New makes a Host. It starts nothing and holds nothing open.
func New(o Options) *Host {
	h := &Host{name: o.Name, engine: o.Engine, root: o.Root}
	if h.name == "" {
		h.name = "local"
	}
	h.root.Already = os.Geteuid() == 0
	h.remote = host.Remote{Name: h.name, Run: h.Run}
	return h
}

// Name is the host's name in the configuration.
func (h *Host) Name() string { return h.name }

// Containers is the machine's container engine.
func (h *Host) Containers() host.Engine { return h.engine }

// lingering is how long output is waited for that somebody in the background still could write.
const lingering = 2 * time.Second

// Run runs a command. It gets the few variables of the environment that a login would have, and none of phalops' own: these
// may hold secrets.
func (h *Host) Run(ctx context.Context, c host.Command) (host.Result, error) {
	if err := c.Check(h.name); err != nil {
		return host.Result{ExitCode: -1}, err
	}
	ctx, cancel := context.WithTimeout(ctx, host.Limit)
	defer cancel()
	if c.Become && !h.root.Already {
		return h.asRoot(ctx, c)
	}
	stdout, stderr := host.NewOutput(c.MaxOutput), host.NewOutput(c.MaxOutput)
	cmd := command(ctx, c.Argv, c.Stdin)
	cmd.Dir, cmd.Env = c.Dir, append(cmd.Env, c.Env...)
	cmd.Stdout, cmd.Stderr = stdout, stderr
	err := cmd.Run()
	return h.ended(ctx, c, cmd, err, stdout, stderr)
}

// asRoot runs a command under sudo, which only root can kill.
func (h *Host) asRoot(ctx context.Context, c host.Command) (host.Result, error) {
	if h.root.None() {
		return host.Result{ExitCode: -1}, host.NoRoot(h.name, c)
	}
	deadline, _ := ctx.Deadline()
	l := host.NewLaunch(c, h.root, time.Until(deadline)+lingering)
	stderr := host.NewOutput(c.MaxOutput)
	cmd := command(ctx, l.Argv, l.Stdin)
	cmd.Stdout, cmd.Stderr = l.Writer(), stderr
	cmd.Cancel = func() error {
		if l.Started() == 0 {
			return cmd.Process.Kill()
		}
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*lingering)
		defer cancel()
		_, err := h.asRoot(ctx, l.Kill(c))
		return err
	}
	cmd.WaitDelay = 2 * lingering
	err := cmd.Run()
	if l.Started() == 0 && cmd.ProcessState != nil && ctx.Err() == nil {
		said, _ := stderr.Bytes()
		return host.Result{ExitCode: -1, Stderr: said}, host.NotStarted(h.name, c, host.LastLine(said))
	}
	return h.ended(ctx, c, cmd, err, l.Stdout, stderr)
}

// command makes a process in a group of its own, which is killed when ctx ends.
func command(ctx context.Context, argv []string, stdin []byte) *exec.Cmd {
	cmd := exec.CommandContext(ctx, find(argv[0]), argv[1:]...)
	cmd.Env = environment(os.Environ())
	cmd.Stdin = bytes.NewReader(stdin)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = lingering
	return cmd
}

// ended says how a command ended.
func (h *Host) ended(ctx context.Context, c host.Command, cmd *exec.Cmd, err error, stdout, stderr *host.Output) (host.Result, error) {
	r := host.Result{ExitCode: -1}
	var cut [2]bool
	r.Stdout, cut[0] = stdout.Bytes()
	r.Stderr, cut[1] = stderr.Bytes()
	r.Truncated = cut[0] || cut[1] || errors.Is(err, exec.ErrWaitDelay)
	switch {
	case ctx.Err() != nil && err != nil:
		return r, host.GaveUp(h.name, c, ctx.Err())
	case cmd.ProcessState == nil && (errors.Is(err, exec.ErrNotFound) || errors.Is(err, fs.ErrNotExist)) && folder(c.Dir):
		r.ExitCode, r.Stderr = 127, fmt.Appendf(nil, "%s: not found", c.Argv[0]) // as a shell would
	case cmd.ProcessState == nil && (errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EISDIR)) && folder(c.Dir):
		r.ExitCode, r.Stderr = 126, fmt.Appendf(nil, "%s: cannot be executed", c.Argv[0])
	case cmd.ProcessState == nil:
		return r, host.NotStarted(h.name, c, err.Error())
	default:
		r.ExitCode = exitCode(cmd.ProcessState)
	}
	return r, host.Exited(h.name, c, r)
}

func exitCode(s *os.ProcessState) int {
	if w, ok := s.Sys().(syscall.WaitStatus); ok && w.Signaled() {
		return 128 + int(w.Signal())
	}
	return s.ExitCode()
}

func folder(dir string) bool {
	info, err := os.Stat(dir)
	return dir == "" || err == nil && info.IsDir()
}

// sbin is where administrators' programs are, which a service's PATH may lack.
var sbin = []string{"/usr/local/sbin", "/usr/sbin", "/sbin"}

// find looks a program up in PATH and in sbin.
func find(program string) string {
	if _, err := exec.LookPath(program); err == nil || strings.Contains(program, "/") {
		return program
	}
	for _, dir := range sbin {
		if path, err := exec.LookPath(dir + "/" + program); err == nil {
			return path
		}
	}
	return program
}

// environment is what a login has of env.
func environment(env []string) []string {
	taken := []string{"HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "TZ", "TMPDIR"}
	out := []string{"PATH=" + strings.Join(append([]string{os.Getenv("PATH")}, sbin...), ":")}
	for _, kv := range env {
		if name, _, _ := strings.Cut(kv, "="); slices.Contains(taken, name) || strings.HasPrefix(name, "LC_") {
			out = append(out, kv)
		}
	}
	return out
}

func failed(name, path string, err error) error {
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return host.NoFile(name, path, err)
	}
	return host.FileFailed(name, path, err)
}
