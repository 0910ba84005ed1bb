package hosttest

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"phalops/internal/fleet"
	"phalops/internal/host"
)

// Machine is one host to be tested, and a folder of its own on it.
type Machine struct {
	Host      host.Host
	Dir       string // absolute, empty
	Become    bool   // run everything as root
	Processes bool   // it has real processes and files: children die with their parents, links and FIFOs can be made
}

// Host is the conformance suite for commands and files. The machine needs sh and coreutils, or something that acts like them.
func Host(t *testing.T, m Machine) {
	for _, c := range []struct {
		name string
		real bool
		test func(*testing.T, machine)
	}{
		{"arguments arrive exactly", false, exactArguments},
		{"stdin arrives exactly", false, exactStdin},
		{"stdin that nobody reads", false, unreadStdin},
		{"folder and environment", false, surroundings},
		{"exit codes", false, exitCodes},
		{"commands that cannot be", false, impossible},
		{"output is bounded", false, boundedOutput},
		{"endless output ends with ctx", false, endless},
		{"children die with ctx", true, children},
		{"a command that ignores SIGTERM dies with ctx", true, stubborn},
		{"ctx is over already", false, overAlready},
		{"many at once", false, manyAtOnce},
		{"files", false, files},
		{"mode", false, modes},
		{"no such file", false, missing},
		{"what is no file", false, noFile},
		{"file names of any bytes", true, oddNames},
		{"a link stays", true, links},
		{"writers at once", false, writers},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.real && !m.Processes {
				t.Skip("the machine has no real processes")
			}
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			c.test(t, machine{Machine: m, t: t, ctx: ctx})
		})
	}
}

type machine struct {
	Machine
	t   *testing.T
	ctx context.Context
}

func (m machine) run(c host.Command) (host.Result, error) {
	c.Become = m.Become
	return m.Host.Run(m.ctx, c)
}

// must runs a command that ends well and returns its output.
func (m machine) must(argv ...string) string {
	m.t.Helper()
	r, err := m.run(host.Command{Argv: argv})
	if err != nil {
		m.t.Fatalf("%q: %v", argv, err)
	}
	return string(r.Stdout)
}

func exactArguments(t *testing.T, m machine) {
	check := func(t *testing.T, args []string) {
		r, err := m.run(host.Command{Argv: append([]string{"printf", `%s\n`}, args...)})
		if want := strings.Join(args, "\n") + "\n"; err != nil || string(r.Stdout) != want {
			t.Errorf("%q came as %q, %v", want, r.Stdout, err)
		}
	}
	check(t, []string{"", " ", "'", `"`, `\`, "$HOME", "`id`", "$(id)", "!!", "*", "~", "a;b", "#", "-n", "--", "a\nb", "\r\t", "中文", "\xff\x80", "a=b", "{a,b}"})
	var each []string
	for b := 1; b < 256; b++ {
		each = append(each, string([]byte{'a', byte(b), byte(b)}), string([]byte{byte(b)}))
	}
	check(t, each)
}

func exactStdin(t *testing.T, m machine) {
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	for name, in := range map[string][]byte{
		"nothing": nil, "no newline": []byte("secret"), "every byte": all, "long": bytes.Repeat(all, 2000), "newlines": []byte("\n\n\na\n"),
	} {
		r, err := m.run(host.Command{Argv: []string{"cat"}, Stdin: in})
		if err != nil || !bytes.Equal(r.Stdout, in) || r.Truncated {
			t.Errorf("%s: %d bytes came as %d, %v", name, len(in), len(r.Stdout), err)
		}
	}
}

func unreadStdin(t *testing.T, m machine) {
	if r, err := m.run(host.Command{Argv: []string{"true"}, Stdin: make([]byte, 4<<20)}); err != nil || r.ExitCode != 0 {
		t.Errorf("%+v, %v", r, err)
	}
}

func surroundings(t *testing.T, m machine) {
	r, err := m.run(host.Command{Argv: []string{"pwd"}, Dir: m.Dir})
	if err != nil || string(r.Stdout) != m.Dir+"\n" {
		t.Errorf("pwd: %q, %v", r.Stdout, err)
	}
	r, err = m.run(host.Command{Argv: []string{"printenv", "ODD"}, Env: []string{"ODD='a b' $HOME\nc=d", "OTHER="}})
	if err != nil || string(r.Stdout) != "'a b' $HOME\nc=d\n" {
		t.Errorf("printenv: %q, %v", r.Stdout, err)
	}
}

func exitCodes(t *testing.T, m machine) {
	for name, c := range map[string]struct {
		argv []string
		code int
	}{
		"its own":          {[]string{"sh", "-c", "echo out; echo first >&2; echo no such luck >&2; exit 7"}, 7},
		"by a signal":      {[]string{"sh", "-c", "kill -9 $$"}, 137},
		"no such program":  {[]string{"no-such-program-here"}, 127},
		"no such path":     {[]string{"/no/such/program"}, 127},
		"not a program":    {[]string{"/"}, 126},
		"of a failed test": {[]string{"false"}, 1},
	} {
		r, err := m.run(host.Command{Argv: c.argv})
		exit, ok := errors.AsType[*host.ExitError](err)
		if !ok || exit.Code != c.code || r.ExitCode != c.code || exit.Program != c.argv[0] || fleet.KindOf(err) != fleet.Failed || errors.Is(err, host.ErrSilent) {
			t.Errorf("%s: %+v, %v", name, r, err)
		}
		if name == "its own" && (string(r.Stdout) != "out\n" || string(r.Stderr) != "first\nno such luck\n" || exit.Stderr != "no such luck") {
			t.Errorf("%s: %q %q %q", name, r.Stdout, r.Stderr, exit.Stderr)
		}
	}
}

func impossible(t *testing.T, m machine) {
	for name, c := range map[string]host.Command{
		"no program":        {},
		"an empty program":  {Argv: []string{"", "a"}},
		"an assignment":     {Argv: []string{"A=b", "true"}},
		"a NUL":             {Argv: []string{"echo", "a\x00b"}},
		"a NUL in Env":      {Argv: []string{"true"}, Env: []string{"A=\x00"}},
		"Env without =":     {Argv: []string{"true"}, Env: []string{"A"}},
		"Env without name":  {Argv: []string{"true"}, Env: []string{"=A"}},
		"a relative folder": {Argv: []string{"true"}, Dir: "tmp"},
	} {
		if r, err := m.run(c); fleet.KindOf(err) != fleet.Invalid || r.ExitCode != -1 {
			t.Errorf("%s: %+v, %v", name, r, err)
		}
	}
	r, err := m.run(host.Command{Argv: []string{"true"}, Dir: m.Dir + "/missing"})
	if _, exited := errors.AsType[*host.ExitError](err); exited || fleet.ReasonOf(err).Code != "host.not_started" || r.ExitCode != -1 {
		t.Errorf("a missing folder: %+v, %v", r, err)
	}
}

func boundedOutput(t *testing.T, m machine) {
	for limit, want := range map[int]string{4: "0123", 10: "0123456789", 11: "0123456789"} {
		r, err := m.run(host.Command{Argv: []string{"printf", "0123456789"}, MaxOutput: limit})
		if err != nil || string(r.Stdout) != want || r.Truncated != (limit < 10) {
			t.Errorf("at most %d bytes: %+v, %v", limit, r, err)
		}
	}
}

func endless(t *testing.T, m machine) {
	ctx, cancel := context.WithTimeout(m.ctx, 700*time.Millisecond)
	defer cancel()
	began := time.Now()
	r, err := m.Host.Run(ctx, host.Command{Argv: []string{"yes"}, MaxOutput: 1000, Become: m.Become})
	if !errors.Is(err, context.DeadlineExceeded) || fleet.KindOf(err) != fleet.Unavailable || errors.Is(err, host.ErrSilent) {
		t.Errorf("got %v", err)
	}
	if len(r.Stdout) != 1000 || !r.Truncated || r.ExitCode != -1 {
		t.Errorf("%d bytes, %+v", len(r.Stdout), r.ExitCode)
	}
	if took := time.Since(began); took > 12*time.Second {
		t.Errorf("took %s", took)
	}
}

func children(t *testing.T, m machine) { dies(t, m, "sleep 1000 & echo $!; wait") }
func stubborn(t *testing.T, m machine) {
	dies(t, m, `trap "" TERM; echo $$; while :; do sleep 1; done`)
}

// dies runs a script that prints the id of a process, gives it up, and looks whether the process is gone.
func dies(t *testing.T, m machine, script string) {
	pidFile := m.Dir + "/pid"
	ctx, cancel := context.WithCancel(m.ctx)
	defer cancel()
	ended := make(chan error, 1)
	go func() {
		_, err := m.Host.Run(ctx, host.Command{Argv: []string{"sh", "-c", "{ " + script + "; } >" + pidFile}, Become: m.Become})
		ended <- err
	}()
	var pid string
	for pid == "" {
		data, err := m.Host.ReadFile(m.ctx, pidFile, host.FileOptions{Become: m.Become})
		if err != nil && !errors.Is(err, host.ErrNoFile) {
			t.Fatal(err)
		}
		pid = strings.TrimSpace(string(data))
	}
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) || errors.Is(err, host.ErrSilent) {
		t.Errorf("got %v", err)
	}
	m.must("rm", pidFile)
	state, err := m.run(host.Command{Argv: []string{"ps", "-o", "stat=,args=", "-p", pid}})
	if err == nil && !strings.HasPrefix(string(state.Stdout), "Z") { // one whose parent does not care may stay as a zombie
		t.Errorf("process %s lives: %s", pid, state.Stdout)
	}
}

func overAlready(t *testing.T, m machine) {
	ctx, cancel := context.WithCancel(m.ctx)
	cancel()
	_, err := m.Host.Run(ctx, host.Command{Argv: []string{"true"}, Become: m.Become})
	if !errors.Is(err, context.Canceled) || fleet.KindOf(err) != fleet.Unavailable {
		t.Errorf("run: %v", err)
	}
	if err := m.Host.WriteFile(ctx, m.Dir+"/never", nil, host.FileOptions{Become: m.Become}); err == nil {
		t.Error("a file was written for a ctx that is over")
	}
}

func manyAtOnce(t *testing.T, m machine) {
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			want := strings.Repeat("x", i*1000)
			if r, err := m.run(host.Command{Argv: []string{"cat"}, Stdin: []byte(want)}); err != nil || string(r.Stdout) != want {
				t.Errorf("%d: %d bytes, %v", i, len(r.Stdout), err)
			}
		})
	}
	wg.Wait()
}
