package ssh

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"phalops/internal/fleet"
	"phalops/internal/host"
	"phalops/internal/lab"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// hostile is an SSH server that misbehaves in the way that a test says.
type hostile struct {
	addr    string
	hostKey ssh.PublicKey
	userKey []byte

	mu     sync.Mutex
	conns  []net.Conn
	logins int
}

// cut breaks every connection.
func (s *hostile) cut() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.conns {
		_ = c.Close()
	}
}

func (s *hostile) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.logins
}

// serve starts a server; talk has every connection after the login.
func serve(t *testing.T, talk func(*ssh.ServerConn, <-chan ssh.NewChannel, <-chan *ssh.Request)) *hostile {
	t.Helper()
	hostKey, hostPEM := lab.NewKey(t)
	_, userPEM := lab.NewKey(t)
	signer, err := ssh.ParsePrivateKey(hostPEM)
	if err != nil {
		t.Fatal(err)
	}
	config := &ssh.ServerConfig{PublicKeyCallback: func(c ssh.ConnMetadata, _ ssh.PublicKey) (*ssh.Permissions, error) {
		if c.User() != "ops" {
			return nil, errors.New("not you")
		}
		return nil, nil
	}}
	config.AddHostKey(signer)
	l, err := net.Listen("tcp", "127.0.6.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &hostile{addr: l.Addr().String(), hostKey: hostKey, userKey: userPEM}
	var wg sync.WaitGroup
	t.Cleanup(func() {
		_ = l.Close()
		s.cut()
		wg.Wait()
	})
	wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			s.mu.Lock()
			s.conns = append(s.conns, conn)
			s.mu.Unlock()
			wg.Go(func() {
				defer conn.Close()
				sc, channels, requests, err := ssh.NewServerConn(conn, config)
				if err != nil {
					return
				}
				s.mu.Lock()
				s.logins++
				s.mu.Unlock()
				talk(sc, channels, requests)
			})
		}
	})
	return s
}

// polite answers requests and lets exec do with each command's channel what it wants.
func polite(exec func(conn *ssh.ServerConn, line string, ch ssh.Channel)) func(*ssh.ServerConn, <-chan ssh.NewChannel, <-chan *ssh.Request) {
	return func(conn *ssh.ServerConn, channels <-chan ssh.NewChannel, requests <-chan *ssh.Request) {
		go ssh.DiscardRequests(requests)
		var wg sync.WaitGroup
		defer wg.Wait()
		for nc := range channels {
			if nc.ChannelType() != "session" {
				_ = nc.Reject(ssh.Prohibited, "administratively prohibited")
				continue
			}
			ch, reqs, err := nc.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				defer ch.Close()
				for r := range reqs {
					_ = r.Reply(r.Type == "exec", nil)
					if r.Type == "exec" {
						exec(conn, string(r.Payload[4:]), ch)
						return
					}
				}
			})
		}
	}
}

// begin is what the launcher on a real machine says first.
func begin(ch ssh.Channel) { fmt.Fprint(ch, "motd\nunfinished phalops-7c1f-started:4242\n") }

func exit(ch ssh.Channel, code byte) {
	_, _ = ch.SendRequest("exit-status", false, []byte{0, 0, 0, code})
}

func (s *hostile) reach(t *testing.T, change func(*Options)) *Host {
	t.Helper()
	return reach(t, &lab.SSHServer{Addr: s.addr, User: "ops", Key: s.userKey, HostKey: s.hostKey}, change)
}

func within(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

func hello(_ *ssh.ServerConn, _ string, ch ssh.Channel) {
	begin(ch)
	fmt.Fprint(ch, "hello\n")
	exit(ch, 0)
}

func TestHostKeys(t *testing.T) {
	s := serve(t, polite(hello))
	other, _ := lab.NewKey(t)
	right := knownhosts.Line([]string{s.addr}, s.hostKey) + "\n"
	wrong := "# ours\n" + knownhosts.Line([]string{s.addr}, other) + "\n"
	for name, c := range map[string]struct {
		file      string // "" = there is none
		acceptNew bool
		code      string // "" = lets us in
		after     string
	}{
		"known":                          {right, false, "", right},
		"known, of a first contact":      {right, true, "", right},
		"unknown":                        {"", false, "host.key_unknown", ""},
		"unknown, at first contact":      {"", true, "", right},
		"an unfinished line before":      {"# ours", true, "", "# ours\n" + right},
		"changed":                        {wrong, false, "host.key_changed", wrong},
		"changed, of a first contact":    {wrong, true, "host.key_changed", wrong},
		"revoked, at first contact":      {"@revoked " + right, true, "host.key_revoked", "@revoked " + right},
		"a file that is no list of keys": {"what is this\n", true, "host.bad_known_hosts", "what is this\n"},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "known_hosts")
			if c.file != "" {
				if err := os.WriteFile(file, []byte(c.file), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			logins := s.count()
			h := s.reach(t, func(o *Options) { o.KnownHosts, o.AcceptNew = file, c.acceptNew })
			_, err := h.Run(within(t, 10*time.Second), host.Command{Argv: []string{"hello"}})
			why := fleet.ReasonOf(err)
			if why.Code != c.code || errors.Is(err, host.ErrSilent) {
				t.Fatalf("got %v, want %q", err, c.code)
			}
			if c.code == "host.key_unknown" && (why.Args["line"]+"\n" != right || why.Args["fingerprint"] != ssh.FingerprintSHA256(s.hostKey)) {
				t.Errorf("the way to accept it: %v", why.Args)
			}
			if c.code == "host.key_changed" && why.Args["line"] != "2" {
				t.Errorf("where the old key is: %v", why.Args)
			}
			if strings.HasPrefix(c.code, "host.key") && (s.count() != logins || fleet.KindOf(err) != fleet.Refused) {
				t.Errorf("logged in all the same, or %v", err)
			}
			if after, _ := os.ReadFile(file); string(after) != c.after {
				t.Errorf("the file is now %q", after)
			}
		})
	}
}

// TestFirstContactsAtOnce: two hosts that write to one file lose no line, and one machine is written once.
func TestFirstContactsAtOnce(t *testing.T) {
	a, b := serve(t, polite(hello)), serve(t, polite(hello))
	file := filepath.Join(t.TempDir(), "known_hosts")
	var wg sync.WaitGroup
	for range 4 {
		for _, s := range []*hostile{a, b} {
			h := s.reach(t, func(o *Options) { o.KnownHosts, o.AcceptNew = file, true })
			wg.Go(func() {
				if _, err := h.Run(within(t, 20*time.Second), host.Command{Argv: []string{"hello"}}); err != nil {
					t.Error(err)
				}
			})
		}
	}
	wg.Wait()
	text, err := os.ReadFile(file)
	if err != nil || bytes.Count(text, []byte("\n")) != 2 {
		t.Errorf("%s, %v", text, err)
	}
}

func TestLoginRefused(t *testing.T) {
	s := serve(t, polite(hello))
	h := s.reach(t, func(o *Options) { o.User = "stranger" })
	_, err := h.Run(within(t, 10*time.Second), host.Command{Argv: []string{"hello"}})
	if fleet.ReasonOf(err).Code != "host.login_refused" || errors.Is(err, host.ErrSilent) {
		t.Errorf("got %v", err)
	}
}

// TestFrozen: a peer that lets us in and then says nothing more is found out by the keepalive, whatever waits for it.
func TestFrozen(t *testing.T) {
	frozen := make(chan struct{})
	defer close(frozen)
	s := serve(t, func(*ssh.ServerConn, <-chan ssh.NewChannel, <-chan *ssh.Request) { <-frozen })
	h := s.reach(t, func(o *Options) { o.Keepalive = 100 * time.Millisecond })
	_, err := h.Run(within(t, 20*time.Second), host.Command{Argv: []string{"hello"}})
	if !errors.Is(err, host.ErrSilent) || fleet.KindOf(err) != fleet.Unavailable || fleet.ReasonOf(err).Code != "host.silent" {
		t.Errorf("run: %v", err)
	}
	_, err = h.Containers().Inspect(within(t, 20*time.Second), "phala-node")
	if !errors.Is(err, host.ErrSilent) {
		t.Errorf("inspect: %v", err)
	}
}

// TestDeaf: a peer that listens and never says a word of SSH holds nobody longer than he wants to wait.
func TestDeaf(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.6.2:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, key := lab.NewKey(t)
	h, err := New(Options{Name: "deaf", Address: l.Addr().String(), User: "ops", Keys: [][]byte{key}, KnownHosts: t.TempDir() + "/k"})
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close() // and is gone at once
	began := time.Now()
	_, err = h.Run(within(t, 200*time.Millisecond), host.Command{Argv: []string{"hello"}})
	if fleet.ReasonOf(err).Code != "host.not_reached" || !errors.Is(err, context.DeadlineExceeded) || time.Since(began) > 5*time.Second {
		t.Errorf("got %v after %s", err, time.Since(began))
	}
}

// TestFrozenInTheMiddle: a command whose machine freezes is lost, not failed.
func TestFrozenInTheMiddle(t *testing.T) {
	frozen := make(chan struct{})
	defer close(frozen)
	s := serve(t, func(_ *ssh.ServerConn, channels <-chan ssh.NewChannel, _ <-chan *ssh.Request) {
		ch, reqs, err := (<-channels).Accept()
		if err != nil {
			return
		}
		_ = (<-reqs).Reply(true, nil)
		begin(ch)
		fmt.Fprint(ch, "half")
		<-frozen
	})
	h := s.reach(t, func(o *Options) { o.Keepalive = 200 * time.Millisecond })
	r, err := h.Run(within(t, 20*time.Second), host.Command{Argv: []string{"hello"}})
	if fleet.ReasonOf(err).Code != "host.lost" || !errors.Is(err, host.ErrSilent) || string(r.Stdout) != "half" || r.ExitCode != -1 {
		t.Errorf("%+v, %v", r, err)
	}
}

// TestReconnect: what was under way when the connection broke is lost and not repeated; the next command has a new one.
func TestReconnect(t *testing.T) {
	var mu sync.Mutex
	var lines []string
	s := serve(t, polite(func(conn *ssh.ServerConn, line string, ch ssh.Channel) {
		mu.Lock()
		lines = append(lines, line)
		mu.Unlock()
		begin(ch)
		if strings.Contains(line, "'drop'") {
			_ = conn.Close()
			return
		}
		fmt.Fprint(ch, "hello\n")
		exit(ch, 0)
	}))
	h := s.reach(t, nil)
	ctx := within(t, 20*time.Second)
	_, err := h.Run(ctx, host.Command{Argv: []string{"drop"}})
	if fleet.ReasonOf(err).Code != "host.lost" || !errors.Is(err, host.ErrSilent) {
		t.Errorf("got %v", err)
	}
	for range 3 {
		if r, err := h.Run(ctx, host.Command{Argv: []string{"hello"}}); err != nil || string(r.Stdout) != "hello\n" {
			t.Errorf("%+v, %v", r, err)
		}
		s.cut()
	}
	mu.Lock()
	defer mu.Unlock()
	if len(lines) != 4 || s.count() < 4 {
		t.Errorf("%d commands in %d logins: %q", len(lines), s.count(), lines)
	}
}

// TestEndless: output without an end fills no memory and ends when its reader wants, even with a peer that takes no kill.
func TestEndless(t *testing.T) {
	s := serve(t, polite(func(_ *ssh.ServerConn, line string, ch ssh.Channel) {
		begin(ch)
		if !strings.Contains(line, "'yes'") {
			exit(ch, 1)
			return
		}
		for {
			if _, err := io.WriteString(ch, strings.Repeat("y\n", 4096)); err != nil {
				return
			}
		}
	}))
	h := s.reach(t, nil)
	r, err := h.Run(within(t, 300*time.Millisecond), host.Command{Argv: []string{"yes"}, MaxOutput: 100})
	if fleet.ReasonOf(err).Code != "host.gave_up" || len(r.Stdout) != 100 || !r.Truncated {
		t.Errorf("%d bytes, %v", len(r.Stdout), err)
	}
}

// TestForeignShell: a login that does not let our launcher begin says so.
func TestForeignShell(t *testing.T) {
	for _, code := range []byte{0, 1} {
		s := serve(t, polite(func(_ *ssh.ServerConn, _ string, ch ssh.Channel) {
			fmt.Fprint(ch.Stderr(), "This account is currently not available.\n")
			exit(ch, code)
		}))
		_, err := s.reach(t, nil).Run(within(t, 10*time.Second), host.Command{Argv: []string{"hello"}})
		if why := fleet.ReasonOf(err); why.Code != "host.not_started" || why.Args["err"] != "This account is currently not available." {
			t.Errorf("got %v", err)
		}
	}
}

// TestRefusals: what the peer does not allow is told as that, and nobody is taken for silent.
func TestRefusals(t *testing.T) {
	s := serve(t, func(_ *ssh.ServerConn, channels <-chan ssh.NewChannel, requests <-chan *ssh.Request) {
		go ssh.DiscardRequests(requests)
		for nc := range channels {
			_ = nc.Reject(ssh.Prohibited, "administratively prohibited")
		}
	})
	h := s.reach(t, nil)
	_, err := h.Run(within(t, 10*time.Second), host.Command{Argv: []string{"hello"}})
	if fleet.ReasonOf(err).Code != "host.session_refused" || errors.Is(err, host.ErrSilent) {
		t.Errorf("run: %v", err)
	}
	if _, err := h.Run(t.Context(), host.Command{Argv: []string{"hello"}, Become: true}); fleet.KindOf(err) != fleet.Refused {
		t.Errorf("become without a way: %v", err)
	}
	closed := serve(t, polite(hello)).reach(t, nil)
	_, err = closed.Containers().Inspect(within(t, 10*time.Second), "phala-node")
	if fleet.ReasonOf(err).Code != "host.no_forwarding" || errors.Is(err, host.ErrSilent) {
		t.Errorf("inspect: %v", err)
	}
}

// TestBusy: sshd that has no session to spare is asked again.
func TestBusy(t *testing.T) {
	s := serve(t, func(conn *ssh.ServerConn, channels <-chan ssh.NewChannel, requests <-chan *ssh.Request) {
		for range 2 {
			_ = (<-channels).Reject(ssh.ConnectionFailed, "open failed")
		}
		polite(hello)(conn, channels, requests)
	})
	h := s.reach(t, nil)
	if r, err := h.Run(within(t, 10*time.Second), host.Command{Argv: []string{"hello"}}); err != nil || string(r.Stdout) != "hello\n" {
		t.Errorf("%+v, %v", r, err)
	}
}

// TestSessionLimit: never more commands at once than allowed, on one connection.
func TestSessionLimit(t *testing.T) {
	var mu sync.Mutex
	now, most := 0, 0
	s := serve(t, polite(func(_ *ssh.ServerConn, _ string, ch ssh.Channel) {
		mu.Lock()
		now++
		most = max(most, now)
		mu.Unlock()
		_, _ = io.Copy(io.Discard, ch)
		begin(ch)
		mu.Lock()
		now--
		mu.Unlock()
		exit(ch, 0)
	}))
	h := s.reach(t, func(o *Options) { o.Sessions = 3 })
	ctx := within(t, 20*time.Second)
	var wg sync.WaitGroup
	for range 30 {
		wg.Go(func() {
			if _, err := h.Run(ctx, host.Command{Argv: []string{"hello"}, Stdin: make([]byte, 100<<10)}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if most > 3 || most < 2 || s.count() != 1 {
		t.Errorf("%d at once in %d logins", most, s.count())
	}
}

// TestSecretsThroughStdin: neither the input nor sudo's password is on the command line.
func TestSecretsThroughStdin(t *testing.T) {
	type got struct{ line, stdin string }
	seen := make(chan got, 1)
	s := serve(t, polite(func(_ *ssh.ServerConn, line string, ch ssh.Channel) {
		in, _ := io.ReadAll(ch)
		seen <- got{line, string(in)}
		begin(ch)
		exit(ch, 0)
	}))
	h := s.reach(t, func(o *Options) { o.Root = host.Root{Way: "sudo", Password: []byte("correct horse")} })
	if _, err := h.Run(within(t, 10*time.Second), host.Command{Argv: []string{"tee", "/etc/x"}, Stdin: []byte("bottom drive obey"), Become: true}); err != nil {
		t.Fatal(err)
	}
	g := <-seen
	if strings.Contains(g.line, "horse") || strings.Contains(g.line, "bottom") || !strings.Contains(g.line, "'sudo' '-S'") {
		t.Errorf("command line %q", g.line)
	}
	if !strings.HasPrefix(g.stdin, "correct horse\n") || !strings.HasSuffix(g.stdin, "\nbottom drive obey") {
		t.Errorf("stdin %q", g.stdin)
	}
}

// TestBadKeys: the message says what is wrong and nothing of the key.
func TestBadKeys(t *testing.T) {
	_, err := New(Options{Name: "node-1", Keys: [][]byte{[]byte("bottom drive obey")}})
	if fleet.KindOf(err) != fleet.Invalid || strings.Contains(err.Error(), "bottom") {
		t.Errorf("got %v", err)
	}
}
