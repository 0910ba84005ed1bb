package observe

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"phalops/internal/clock"
	"phalops/internal/fleet"
	"phalops/internal/host"
	"phalops/internal/host/hosttest"
)

func TestParseDF(t *testing.T) {
	const kib = 1 << 10
	for name, c := range map[string]struct {
		out  string
		want fleet.DiskStatus
		ok   bool
	}{
		"ext4": {"Filesystem     1024-blocks      Used Available Capacity Mounted on\n/dev/mapper/vg-lv 2063077376 1950000000 8200000     100% /opt\n",
			fleet.DiskStatus{Mount: "/opt", Free: 8200000 * kib, Total: 2063077376 * kib}, true},
		"spaces":               {"x\n//nas/my share 100 50 50 50% /mnt/my data\n", fleet.DiskStatus{Mount: "/mnt/my data", Free: 50 * kib, Total: 100 * kib}, true},
		"only root has room":   {"x\n/dev/sda1 100 104 -4 104% /\n", fleet.DiskStatus{Mount: "/", Total: 100 * kib}, true},
		"no share":             {"x\noverlay 100 50 50 - /\n", fleet.DiskStatus{Mount: "/", Free: 50 * kib, Total: 100 * kib}, true},
		"a pseudo file system": {"x\nproc 0 0 0 - /proc\n", fleet.DiskStatus{}, false},
		"more than there is":   {"x\n/dev/sda1 100 0 200 0% /\n", fleet.DiskStatus{}, false},
		"absurd":               {"x\n/dev/sda1 99999999999999999999 0 1 0% /\n", fleet.DiskStatus{}, false},
		"nothing":              {"", fleet.DiskStatus{}, false},
		"only the head":        {"Filesystem 1024-blocks Used Available Capacity Mounted on\n", fleet.DiskStatus{}, false},
	} {
		if got, ok := parseDF(c.out); ok != c.ok || !gocmp.Equal(got, c.want) {
			t.Errorf("%s: %+v, %v", name, got, ok)
		}
	}
}

func FuzzParseDF(f *testing.F) {
	f.Add("x\n/dev/sda1 100 50 50 50% /\n")
	f.Add("x\n/dev/sda1 100 104 -4 104% /\n")
	f.Fuzz(func(t *testing.T, out string) {
		if d, ok := parseDF(out); ok && (d.Total == 0 || d.Free > d.Total || !strings.HasPrefix(d.Mount, "/")) {
			t.Errorf("%q: %+v", out, d)
		}
	})
}

// bash runs the question as a host does.
func bash(t *testing.T, address string) string {
	t.Helper()
	for _, need := range []string{"bash", "timeout"} {
		if _, err := exec.LookPath(need); err != nil {
			t.Skip(need + " is not installed")
		}
	}
	return fromHost(t.Context(), clock.NewVirtual(start), shell{}, address).Says
}

// shell is this machine.
type shell struct{}

func (shell) Run(ctx context.Context, c host.Command) (host.Result, error) {
	cmd := exec.CommandContext(ctx, c.Argv[0], c.Argv[1:]...)
	out, err := cmd.Output()
	r := host.Result{Stdout: out, ExitCode: cmd.ProcessState.ExitCode()}
	if err != nil && r.ExitCode < 0 {
		return r, err
	}
	return r, host.Exited("local", c, r)
}

func TestPortAsItsHostSeesIt(t *testing.T) {
	answers := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost || r.ContentLength < 40 || r.Header.Get("Content-Type") != "application/json" {
			w.WriteHeader(http.StatusBadGateway)
		}
	}))
	defer answers.Close()
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }))
	defer proxy.Close()
	if got := bash(t, answers.URL); got != fleet.HostAnswers {
		t.Errorf("a node that answers: %q", got)
	}
	if got := bash(t, proxy.URL); got != fleet.HostRefused {
		t.Errorf("a proxy in front of a dead node: %q", got)
	}
	closes, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		for {
			c, err := closes.Accept()
			if err != nil {
				return
			}
			_ = c.Close()
		}
	}()
	if got := bash(t, "http://"+closes.Addr().String()); got != fleet.HostRefused {
		t.Errorf("an engine's proxy that takes the connection and closes it: %q", got)
	}
	_ = closes.Close()
	<-gone
	if got := bash(t, "http://"+closes.Addr().String()); got != fleet.HostRefused {
		t.Errorf("nobody listens: %q", got)
	}
}

func TestWhatTheHostSays(t *testing.T) {
	for _, c := range []struct {
		code int
		line string
		want string
	}{
		{0, "HTTP/1.1 200 OK\r", fleet.HostAnswers}, {0, "HTTP/1.1 403 Forbidden\r", fleet.HostAnswers}, {0, "HTTP/1.0 405 x", fleet.HostAnswers},
		{0, "HTTP/1.1 502 Bad Gateway\r", fleet.HostRefused}, {0, "SSH-2.0-OpenSSH_8.9", ""}, {0, "", ""},
		{7, "", fleet.HostRefused}, {28, "", fleet.HostHangs}, {124, "", fleet.HostHangs},
		{127, "", ""}, {126, "", ""}, {1, "", ""}, {137, "", ""},
	} {
		if got := saysOf(c.code, c.line); got != c.want {
			t.Errorf("exit %d with %q: %q, want %q", c.code, c.line, got, c.want)
		}
	}
	for address, want := range map[string]string{
		"http://192.168.2.100:9944": "192.168.2.100 9944", "http://[fd00::1]:9944/": "fd00::1 9944", "http://node": "node 80",
		"https://node:443": "", "ws://node:9944": "", "": "", "http://": "", "::": "",
	} {
		name, port, ok := portOf(address)
		if got := strings.TrimSpace(name + " " + port); got != want || ok != (want != "") {
			t.Errorf("%s: %q, %v", address, got, ok)
		}
	}
}

// engine is a container engine with a log.
type engine struct {
	box
	text  string
	err   error
	since *time.Time
}

func (e engine) Logs(_ context.Context, _ string, since time.Time, _ int) (host.Logs, error) {
	*e.since = since
	return host.Logs{Text: []byte(e.text)}, e.err
}

func TestAroundANode(t *testing.T) {
	o := &oracle{said: said{url: "http://127.0.0.1:9944", ChainReading: ChainReading{Best: at(1)}}}
	w := watch(t, o)
	grow := func(after time.Duration) {
		o.Best.Value++
		w.after(after)
	}
	var since time.Time
	up := fleet.ContainerStatus{ID: "c1", State: "running", Started: start.Add(-time.Hour)}
	e := engine{box: box{status: up}, text: "Essential task `network` failed\n", since: &since}
	m := hosttest.NewFake("node-1", w.hands, nil)
	room, port := "x\n/dev/sda1 1000 900 100 90% /opt\n", 7
	m.Provide("df", func(_ context.Context, c hosttest.Call) int {
		fmt.Fprint(c.Stdout, room)
		return 0
	})
	m.Provide("timeout", func(context.Context, hosttest.Call) int { return port })
	w.source.Machine, w.source.Volume, w.source.Container, w.source.Containers = m, "/opt/node", "n", e
	ran := func(program string) int {
		n := 0
		for _, c := range m.Ran() {
			if c.Argv[0] == program {
				n++
			}
		}
		return n
	}

	for range 41 {
		grow(15 * time.Second)
	}
	if d := w.status.Disk; d == nil || d.Free != 100<<10 || d.Mount != "/opt" || ran("df") != 3 {
		t.Errorf("ten minutes of a healthy node: %d looks at the disk, %+v", ran("df"), d)
	}
	if w.status.Log != nil || ran("timeout") != 0 {
		t.Errorf("a healthy node's host was asked for more: %+v, %d", w.status.Log, ran("timeout"))
	}

	for range 9 { // it stands still
		w.after(15 * time.Second)
	}
	if l := w.status.Log; l.Line(fleet.SignCrash) == "" || !since.Equal(l.At.Add(-logSpan)) {
		t.Errorf("a node that stands still: log %+v since %v", l, since)
	}
	asked := ran("df")
	for range 8 {
		w.after(15 * time.Second)
	}
	if got := ran("df") - asked; got != 2 {
		t.Errorf("two minutes of a node that stands still: %d looks at the disk", got)
	}

	o.err = errors.New("refused") // it does not answer
	w.after(15 * time.Second)
	if ran("timeout") != 0 {
		t.Error("the port was asked for after one missed beat")
	}
	w.after(15 * time.Second)
	if v := w.status.Para.FromHost; v.Says != fleet.HostRefused || !v.At.Equal(w.hands.Now()) {
		t.Errorf("the port: %+v", v)
	}
	port = 28
	w.after(15 * time.Second)
	if ran("timeout") != 1 {
		t.Error("the port was asked for twice in half a minute")
	}
	w.after(15 * time.Second)
	if v := w.status.Para.FromHost; v.Says != fleet.HostHangs {
		t.Errorf("the port later: %+v", v)
	}
	m.Silence(true)
	for range 20 {
		w.after(30 * time.Second)
	}
	if d := w.status.Disk; d.Fresh() || d.Free != 100<<10 || w.status.Para.FromHost.Says != "" {
		t.Errorf("a silent host: %+v %+v", d, w.status.Para.FromHost)
	}
	m.Silence(false)
	o.err = nil
	grow(15 * time.Second)
	if v := w.status.Para.FromHost; v != (fleet.HostView{}) {
		t.Errorf("it answers again: %+v", v)
	}
	room = "nonsense\n"
	grow(10 * time.Minute)
	if d := w.status.Disk; d.Missed == 0 || d.Cause.Code != "observe.bad_df" {
		t.Errorf("an answer that is none: %+v", d)
	}
	w.source.Machine, w.source.Containers = nil, box{status: up}
	if grow(time.Minute); w.status.Disk != nil || w.status.Log != nil {
		t.Errorf("nobody can look any more: %+v %+v", w.status.Disk, w.status.Log)
	}
}
