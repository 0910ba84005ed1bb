package lab

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
)

// SSHServer is a private sshd on a loopback address that lets the test's user in with one key.
type SSHServer struct {
	Addr    string // 127.x.y.z:port
	User    string
	Key     []byte // the user's private key
	HostKey ssh.PublicKey
}

// KnownHosts makes a file that knows the server's key and returns its path.
func (s *SSHServer) KnownHosts(t testing.TB) string {
	t.Helper()
	return writeFile(t, filepath.Join(t.TempDir(), "known_hosts"), knownhosts.Line([]string{s.Addr}, s.HostKey)+"\n")
}

// SSH starts an sshd at a free port of ip, which is in 127.0.0.0/8, for the time of the test; more are lines of its
// configuration. Without sshd the test is skipped; it fails where CI is true.
func SSH(t testing.TB, ip string, more ...string) *SSHServer {
	t.Helper()
	sshd := Find("sshd")
	if sshd == "" {
		Missing(t, "no SSH server: sshd is not installed")
	}
	if os.Geteuid() == 0 {
		// Where sshd separates privileges; Debian makes it when the service starts, which it does not here.
		if err := os.MkdirAll("/run/sshd", 0o755); err != nil {
			t.Fatal(err)
		}
	}
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	hostKey, hostPEM := NewKey(t)
	userKey, userPEM := NewKey(t)
	s := &SSHServer{Addr: free(t, ip), User: me.Username, Key: userPEM, HostKey: hostKey}
	_, port, _ := net.SplitHostPort(s.Addr)
	keys := writeFile(t, dir+"/keys", string(ssh.MarshalAuthorizedKey(userKey)))
	// SHLVL keeps Debian's bash from reading the user's own .bashrc, which may be slow.
	conf := append(more, "SetEnv SHLVL=2", "ListenAddress "+ip, "AuthorizedKeysFile "+keys, "PidFile none", "StrictModes no", "UsePAM no",
		"PasswordAuthentication no", "KbdInteractiveAuthentication no", "PermitRootLogin prohibit-password", "UseDNS no",
		"MaxStartups 100", "LogLevel INFO")
	logPath := dir + "/log"
	cmd := exec.CommandContext(context.Background(), sshd, "-D", "-p", port, "-h", writeFile(t, dir+"/host", string(hostPEM)),
		"-f", writeFile(t, dir+"/conf", strings.Join(conf, "\n")+"\n"), "-E", logPath)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH")} // logins inherit it
	d, err := launch(cmd)
	if err != nil {
		t.Fatalf("start sshd: %v", err)
	}
	t.Cleanup(func() {
		if err := d.stop(5 * time.Second); err != nil {
			t.Errorf("sshd: %v", err)
		}
		if t.Failed() {
			t.Logf("sshd says\n%s", tail(logPath))
		}
	})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	up := func(ctx context.Context) bool {
		c, err := new(net.Dialer).DialContext(ctx, "tcp", s.Addr)
		if err == nil {
			c.Close()
		}
		return err == nil
	}
	if !d.until(ctx, up) {
		t.Fatalf("sshd did not come up\n%s", tail(logPath))
	}
	return s
}

// NewKey makes a key pair: the public key, and the private one as ssh-keygen writes it.
func NewKey(t testing.TB) (ssh.PublicKey, []byte) {
	t.Helper()
	pub, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(private, "lab")
	if err != nil {
		t.Fatal(err)
	}
	key, err := ssh.NewPublicKey(pub)
	if err != nil {
		t.Fatal(err)
	}
	return key, pem.EncodeToMemory(block)
}

// free is an address of ip that nobody listens on.
func free(t testing.TB, ip string) string {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", net.JoinHostPort(ip, "0"))
	if err != nil {
		t.Fatal(fmt.Errorf("a free port: %w", err))
	}
	defer l.Close()
	return l.Addr().String()
}
