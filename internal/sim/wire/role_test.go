package wire

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"phalops/internal/fleet"
	"phalops/internal/sim/world"
)

// process is a role that runs in the test's own process.
type process struct {
	joined, stopping chan string
	kill             context.CancelFunc // SIGTERM
	done             chan struct{}
	code             int
	err              error
}

// short is a folder whose sockets' paths are shorter than 108 bytes.
func short(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "role")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func serveRoles(t *testing.T) (s *site, socket string) {
	t.Helper()
	socket = filepath.Join(short(t), "sim.sock")
	return serveFleet(t, Options{Socket: socket}, func(*world.World) {}), socket
}

func image(role string, env map[string]string, args ...string) Image {
	return Image{Role: role, Args: args, Getenv: func(name string) string { return env[name] }, Exists: func(string) bool { return true }}
}

func play(t *testing.T, socket, part string, i Image) *process {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	p := &process{joined: make(chan string, 1), stopping: make(chan string, 1), kill: cancel, done: make(chan struct{})}
	go func() {
		defer close(p.done)
		p.code, p.err = PlayRole(ctx, RoleOptions{Socket: socket, Part: part, Image: i, Mounts: []string{"/root/data"},
			Joined: func(part string) { p.joined <- part }, Stopping: func() { p.stopping <- "" }})
	}()
	t.Cleanup(func() {
		cancel()
		<-p.done
	})
	return p
}

// says waits for what a process says of itself.
func says(t *testing.T, from chan string) string {
	t.Helper()
	select {
	case s := <-from:
		return s
	case <-time.After(10 * time.Second):
		t.Fatal("the process says nothing")
		return ""
	}
}

// end waits for a process to end.
func (p *process) end(t *testing.T) (int, error) {
	t.Helper()
	select {
	case <-p.done:
	case <-time.After(10 * time.Second):
		t.Fatal("the process does not end")
	}
	return p.code, p.err
}

// eventually waits for something that follows within moments.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !ok(); {
		if time.Now().After(deadline) {
			t.Fatal(what)
		}
		<-time.After(5 * time.Millisecond)
	}
}

// up reports whether the node's RPC answers, as a client sees it.
func (s *site) up() bool {
	s.t.Helper()
	_, _, err := s.post(s.t.Context(), s.Nodes[0].Para, `{"jsonrpc":"2.0","id":1,"method":"system_health"}`)
	return err == nil
}

func (s *site) effects() (kinds []string) {
	s.face.Do(func(w *world.World) {
		for _, e := range w.Effects() {
			kinds = append(kinds, e.Kind+" "+e.Target)
		}
	})
	return kinds
}

// TestRealNode is stopped in order, and comes back, over the socket; the port of its RPC follows.
func TestRealNode(t *testing.T) {
	s, socket := serveRoles(t)
	env := map[string]string{"NODE_ROLE": "MINER", "MNEMONIC": "never to be seen"}
	p := play(t, socket, "phala-node", image("node", env))
	if got := says(t, p.joined); got != "node-1/phala-node" {
		t.Errorf("joined %q", got)
	}
	want := []RoleProcess{{Part: "node-1/phala-node", Role: "node", PID: os.Getpid(), Env: map[string]string{"NODE_ROLE": "MINER"},
		Mounts: []string{"/root/data"}, Since: epoch}}
	if got := s.server.Roles(); !reflect.DeepEqual(got, want) {
		t.Errorf("roles %+v, want %+v", got, want)
	}
	p.kill()
	says(t, p.stopping)
	eventually(t, "SIGTERM is not seen", func() bool { return slices.Contains(s.effects(), "stop node-1/phala-node") })
	s.pass(7 * time.Second)
	select {
	case <-p.done:
		t.Fatal("the process did not wait for its database")
	default:
	}
	s.pass(2 * time.Second)
	if code, err := p.end(t); code != 0 || err != nil {
		t.Errorf("exit %d, %v", code, err)
	}
	eventually(t, "the process is still listed", func() bool { return len(s.server.Roles()) == 0 })
	s.pass(time.Minute)
	if s.up() {
		t.Error("the node answers without a process")
	}
	p = play(t, socket, "node-1/phala-node", image("node", env))
	says(t, p.joined)
	s.pass(time.Minute)
	if !s.up() {
		t.Error("the node does not answer although its process runs")
	}
}

// TestBrokenConnection is a process that was killed.
func TestBrokenConnection(t *testing.T) {
	s, socket := serveRoles(t)
	conn := connect(t, socket)
	send(t, conn, `{"protocol":1,"role":"node","part":"phala-node"}`)
	if got := receive(t, conn); got.Joined != "node-1/phala-node" {
		t.Fatalf("%+v", got)
	}
	send(t, conn, `{"signal":"HUP"}`) // it takes no notice
	send(t, conn, `nonsense`)
	send(t, conn, `{"signal":"TERM"}`)
	eventually(t, "SIGTERM is not seen", func() bool { return slices.Contains(s.effects(), "stop node-1/phala-node") })
	_ = conn.Close() // in the middle of its flush
	eventually(t, "the kill is not seen", func() bool { return slices.Contains(s.effects(), "kill node-1/phala-node") })
	s.face.Do(func(w *world.World) {
		if !slices.ContainsFunc(w.Harm(), func(r world.Record) bool { return r.Kind == world.HarmNodeKilled }) {
			t.Errorf("harm %v", w.Harm())
		}
	})
	s.pass(time.Minute)
	if s.up() {
		t.Error("the node answers without a process")
	}
}

// TestPartThatCrashes takes its process along, with its own exit code.
func TestPartThatCrashes(t *testing.T) {
	s, socket := serveRoles(t)
	p := play(t, socket, "bridge_lifecycle_1", image("prb", map[string]string{"PHALA_MODULE": "lifecycle"}))
	says(t, p.joined)
	s.face.Do(func(w *world.World) { w.Host("node-1").Container("bridge_lifecycle_1").Exit(255) })
	if code, err := p.end(t); code != 255 || err != nil {
		t.Errorf("exit %d, %v", code, err)
	}
	for _, e := range s.effects() {
		t.Errorf("a crash counts as %s", e)
	}
}

// TestWorldThatEnds under a living process, and one that was never there.
func TestWorldThatEnds(t *testing.T) {
	s, socket := serveRoles(t)
	p := play(t, socket, "phala-node", image("node", nil))
	says(t, p.joined)
	s.server.Close()
	if _, err := p.end(t); fleet.ReasonOf(err).Code != "sim.role_world_gone" {
		t.Errorf("%v", err)
	}
	if _, err := os.Lstat(socket); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the socket is still there: %v", err)
	}
	for _, e := range s.effects() {
		t.Errorf("the end of the world counts as %s", e)
	}
	p = play(t, socket, "phala-node", image("node", nil))
	if _, err := p.end(t); fleet.ReasonOf(err).Code != "sim.role_no_world" {
		t.Errorf("%v", err)
	}
	again, err := Serve(t.Context(), s.face, Options{Socket: socket})
	if err != nil {
		t.Fatal(err)
	}
	again.Close()
}

// TestRefusals reach the process as what the world said.
func TestRefusals(t *testing.T) {
	_, socket := serveRoles(t)
	p := play(t, socket, "phala-node", image("node", nil))
	says(t, p.joined)
	for _, c := range []struct {
		part  string
		image Image
		code  string
		kind  fleet.ErrorKind
	}{
		{"phala-node", image("node", nil), "sim.role_taken", fleet.Locked},
		{"3f2a9c81d0e4", image("node", nil), "sim.role_no_part", fleet.NotFound},
		{"bridge_trade_1", image("prb", map[string]string{"PHALA_MODULE": "lifecycle"}), "sim.role_other", fleet.Invalid},
		{"phala-node", image("toaster", nil), "sim.role_unknown", fleet.Invalid},
	} {
		_, err := play(t, socket, c.part, c.image).end(t)
		if fleet.ReasonOf(err).Code != c.code || fleet.KindOf(err) != c.kind {
			t.Errorf("%s as %s: %v", c.part, c.image.Role, err)
		}
	}
}

// TestStrangersOnTheSocket are told what is wrong, or dropped; nobody else notices.
func TestStrangersOnTheSocket(t *testing.T) {
	_, socket := serveRoles(t)
	for _, hello := range []string{"GET / HTTP/1.1", `{"protocol":2,"role":"node","part":"phala-node"}`, `[]`, ``} {
		conn := connect(t, socket)
		send(t, conn, hello)
		if got := receive(t, conn); got.Refused == nil || got.Refused.Code != "sim.role_protocol" {
			t.Errorf("%q is answered with %+v", hello, got)
		}
	}
	conn := connect(t, socket)
	send(t, conn, strings.Repeat("x", roleLineLimit+1))
	if rest, err := io.ReadAll(conn); len(rest) > 0 {
		t.Errorf("an endless message is answered with %q, %v", rest, err)
	}
	p := play(t, socket, "phala-node", image("node", nil))
	says(t, p.joined)
}

// TestSocket: what may be in the place of a server's socket.
func TestSocket(t *testing.T) {
	s := serve(t, Options{})
	dir := short(t)
	try := func(path string) string {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		server, err := Serve(ctx, s.face, Options{Socket: path})
		if err != nil {
			return fleet.ReasonOf(err).Code
		}
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", path, info.Mode(), err)
		}
		server.Close()
		server.Close()
		return ""
	}
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	stale := filepath.Join(dir, "stale")
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: stale, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	if got := try(stale); got != "sim.role_socket_taken" {
		t.Errorf("the socket of a living server: %q", got)
	}
	_ = l.Close()
	for path, want := range map[string]string{
		file: "sim.role_no_socket", dir: "sim.role_no_socket", stale: "", filepath.Join(dir, "new"): "",
		filepath.Join(dir, "no", "folder"): "sim.role_listen", filepath.Join(dir, strings.Repeat("long", 40)): "sim.role_listen",
	} {
		if got := try(path); got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
	if text, err := os.ReadFile(file); string(text) != "precious" {
		t.Errorf("a file was overwritten: %q, %v", text, err)
	}
}

// TestImages die of what the real ones die of.
func TestImages(t *testing.T) {
	none := func(string) bool { return false }
	for _, c := range []struct {
		name  string
		image Image
		code  int // 0: it starts
		says  string
	}{
		{"node without a role", image("node", nil), 1, "You must set NODE_ROLE"},
		{"node with a wrong role", image("node", map[string]string{"NODE_ROLE": "miner"}), 1, "FULL | ARCHIVE | COLLATOR | MINER"},
		{"node", image("node", map[string]string{"NODE_ROLE": "MINER"}), 0, ""},
		{"prb without a module", image("prb", nil), 1, "PHALA_MODULE"},
		{"prb with a wrong module", image("prb", map[string]string{"PHALA_MODULE": "lifecycel"}), 1, "'./lifecycel'"},
		{"prb", image("prb", map[string]string{"PHALA_MODULE": "utils/arena"}), 0, ""},
		{"pruntime", image("pruntime", map[string]string{"EXTRA_OPTS": "--cores=4 --checkpoint-interval 3600"}), 0, ""},
		{"pruntime with a wrong option", image("pruntime", map[string]string{"EXTRA_OPTS": "--core=4"}), 2, "--core"},
		{"pruntime without a device", Image{Role: "pruntime", Getenv: func(string) string { return "" }, Exists: none}, 1, "SGX_ERROR_NO_DEVICE"},
		{"pruntime that needs none", Image{Role: "pruntime", Getenv: func(string) string { return "0" }, Exists: none}, 0, ""},
		{"pherry", image("pherry", nil, "-r", "--parachain", "--mnemonic", "//Alice", "--fetch-blocks=512"), 0, ""},
		{"pherry with a wrong option", image("pherry", nil, "--parachian"), 2, "--parachian"},
		{"headers-cache", image("headers-cache", nil, "serve", "--grab-headers"), 0, ""},
		{"headers-cache without a command", image("headers-cache", nil), 2, "serve"},
		{"wm", image("wm", map[string]string{"MGMT_LISTEN_ADDRESSES": "0.0.0.0:3001"}), 0, ""},
		{"wm without data sources", Image{Role: "wm", Getenv: func(string) string { return "" }, Exists: none}, 101, "/var/data/prb-wm/ds.yml"},
		{"wm without a port", image("wm", map[string]string{"MGMT_LISTEN_ADDRESSES": "localhost:3001"}), 101, "localhost:3001"},
		{"monitor", image("monitor", nil), 0, ""},
	} {
		d := c.image.Check()
		if d == nil {
			d = &Death{}
		}
		if d.Code != c.code || !strings.Contains(d.Says, c.says) {
			t.Errorf("%s: %+v, want %d with %q", c.name, *d, c.code, c.says)
		}
	}
}

// TestRoleNames: every role of the world has a name, and the one that compose files use beside it.
func TestRoleNames(t *testing.T) {
	for _, r := range world.Roles() {
		if got, ok := RoleNamed(r); got != r || !ok {
			t.Errorf("%s: %q, %v", r, got, ok)
		}
	}
	if got, ok := RoleNamed("redis-q"); got != "redis" || !ok {
		t.Errorf("redis-q: %q, %v", got, ok)
	}
	if _, ok := RoleNamed("toaster"); ok {
		t.Error("a toaster is a role")
	}
}

// TestSecretsStayInTheProcess: the world is told arguments and environment, and a gas account is nobody's business.
func TestSecretsStayInTheProcess(t *testing.T) {
	i := image("pherry", map[string]string{"MNEMONIC": "hush", "EXTRA_OPTS": "-m hush"},
		"--mnemonic", "hush", "--mnemonic=hush", "-m", "hush", "-mhush", "--inject-key", "hush", "--parachain", "--token=hush")
	text, err := json.Marshal(roleHello{Args: i.args(), Env: i.env()})
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(text), "hush") || !strings.Contains(string(text), "--parachain") {
		t.Errorf("the world is told %s", text)
	}
}

func TestMounts(t *testing.T) {
	const info = `24 1 0:22 / / rw,relatime - overlay overlay rw
25 24 0:23 / /proc rw - proc proc rw
26 24 0:24 / /dev rw - tmpfs tmpfs rw
27 26 0:25 / /dev/shm rw - tmpfs shm rw
28 24 8:1 /x/hosts /etc/hosts rw - ext4 /dev/sda1 rw
29 24 8:1 /x/my\040data /root/my\040data rw - ext4 /dev/sda1 rw
30 24 8:1 /x /root/data rw - ext4 /dev/sda1 rw
torn
`
	if got, want := Mounts(info), []string{"/root/data", "/root/my data"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func connect(t *testing.T, socket string) *net.UnixConn {
	t.Helper()
	conn, err := net.DialUnix("unix", nil, &net.UnixAddr{Name: socket, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	return conn
}

func send(t *testing.T, conn *net.UnixConn, line string) {
	t.Helper()
	if _, err := io.WriteString(conn, line+"\n"); err != nil {
		t.Fatal(err)
	}
}

func receive(t *testing.T, conn *net.UnixConn) (r roleReply) {
	t.Helper()
	line, err := bufio.NewReader(conn).ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, &r)
	}
	if err != nil {
		t.Fatal(err)
	}
	return r
}
