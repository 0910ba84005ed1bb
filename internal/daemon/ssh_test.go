package daemon

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh/knownhosts"

	"phalops/internal/clock"
	"phalops/internal/config"
	"phalops/internal/fleet"
	"phalops/internal/host"
	"phalops/internal/i18n"
	"phalops/internal/lab"
	"phalops/internal/secret"
	"phalops/internal/wire"
)

// sshSite is a data folder, the keys of laboratory machines in an environment, and a configuration of hosts.
type sshSite struct {
	t    *testing.T
	data string
	env  map[string]string
	yaml strings.Builder
}

func newSSHSite(t *testing.T) *sshSite {
	return &sshSite{t: t, data: t.TempDir(), env: map[string]string{}}
}

// host is an entry for a laboratory's sshd.
func (s *sshSite) host(name string, server *lab.SSHServer, more string) *sshSite {
	ip, port, err := net.SplitHostPort(server.Addr)
	if err != nil {
		s.t.Fatal(err)
	}
	key := "KEY_" + strings.ReplaceAll(name, "-", "_")
	s.env[key] = string(server.Key)
	s.yaml.WriteString("  " + name + ": { address: " + ip + ", port: " + port + ", user: " + server.User + ", key: env:" + key + more + " }\n")
	return s
}

func (s *sshSite) config() config.Config {
	s.t.Helper()
	return quick(s.t, "data: "+s.data+"\nhosts:\n"+s.yaml.String())
}

func (s *sshSite) clients() *Clients {
	s.t.Helper()
	c := NewClients(ClientOptions{Config: s.config(), Clock: clock.Real{}, Secrets: secret.NewMap(s.env), Allow: wire.LoopbackOnly})
	s.t.Cleanup(c.Close)
	return c
}

// knows writes the host keys of machines into the data folder.
func (s *sshSite) knows(lines ...string) {
	s.t.Helper()
	if err := os.WriteFile(filepath.Join(s.data, "known_hosts"), []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

func soon(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// says runs a command on a host and gives what it printed, or the sentence of its error.
func says(t *testing.T, c *Clients, name string, argv ...string) (out, code, sentence string) {
	t.Helper()
	h, err := c.Host(name)
	if err != nil {
		t.Fatal(err)
	}
	r, err := h.Run(soon(t), host.Command{Argv: argv})
	why := fleet.ReasonOf(err)
	if err == nil {
		return string(r.Stdout), "", ""
	}
	catalog, failed := i18n.Load()
	if failed != nil {
		t.Fatal(failed)
	}
	return string(r.Stdout), why.Code, catalog.Text(i18n.EN, why.Code, why.Args)
}

// TestLabOverSSH: commands, files and containers of a machine behind a real sshd, which is behind another one.
func TestLabOverSSH(t *testing.T) {
	if testing.Short() {
		t.Skip("starts SSH servers and a Docker Engine")
	}
	t.Parallel()
	engine := lab.Docker(t)
	engine.Run(t, lab.Container{Name: "phala-node", Project: "node", Service: "node"})
	gate, node := lab.SSH(t, "127.0.8.1"), lab.SSH(t, "127.0.8.2")
	s := newSSHSite(t).host("gate", gate, ", trust: first").
		host("node-1", node, ", trust: first, become: sudo, bastion: gate, docker: \"ssh://"+strings.TrimPrefix(engine.Addr, "unix://")+"\"")
	c := s.clients()
	out, _, sentence := says(t, c, "node-1", "printenv", "SSH_CONNECTION")
	if ip, _, _ := strings.Cut(node.Addr, ":"); !strings.Contains(out, " "+ip+" ") {
		t.Errorf("a command on node-1: %q, %s", out, sentence)
	}
	containers, err := c.Containers("node-1")
	if err != nil {
		t.Fatal(err)
	}
	all, err := containers.List(soon(t), host.Filter{Project: "node"})
	if err != nil || len(all) != 1 || all[0].Name != "phala-node" || !all[0].Running() {
		t.Errorf("containers of node-1: %+v, %v", all, err)
	}
	if err := containers.Restart(soon(t), "phala-node", 5*time.Second); err != nil {
		t.Errorf("restart: %v", err)
	}
	engine.Up(t, "phala-node")
	if lines := engine.Lines(t, "phala-node"); !slices.Equal(lines, []string{"start", "term", "exit:0", "start"}) {
		t.Errorf("the container's processes: %q", lines)
	}
	known, err := os.ReadFile(filepath.Join(s.data, "known_hosts"))
	if err != nil || strings.Count(string(known), "\n") != 2 {
		t.Errorf("first contacts: %s, %v", known, err)
	}

	// Another key for the bastion: what goes through it is made anew, after what was there is closed.
	old, err := c.Host("node-1")
	if err != nil {
		t.Fatal(err)
	}
	cfg := s.config()
	changed := *cfg.Hosts["gate"].SSH
	changed.Become = "sudo"
	gateHost := cfg.Hosts["gate"]
	gateHost.SSH = &changed
	cfg.Hosts["gate"] = gateHost
	c.Configure(cfg)
	if _, err := old.Run(soon(t), host.Command{Argv: []string{"true"}}); err == nil {
		t.Error("a host behind a changed bastion still runs commands on the old connection")
	}
	if out, code, sentence := says(t, c, "node-1", "echo", "again"); out != "again\n" {
		t.Errorf("after the change: %q, %s %s", out, code, sentence)
	}
}

// TestLabHostKeys: an unknown key, a changed one and a login that is refused end in a sentence that says what to do.
func TestLabHostKeys(t *testing.T) {
	if testing.Short() {
		t.Skip("starts SSH servers")
	}
	t.Parallel()
	server := lab.SSH(t, "127.0.8.3")
	other, _ := lab.NewKey(t)
	_, stranger := lab.NewKey(t)
	s := newSSHSite(t).host("node-1", server, "")
	file := filepath.Join(s.data, "known_hosts")
	right, wrong := knownhosts.Line([]string{server.Addr}, server.HostKey), knownhosts.Line([]string{server.Addr}, other)
	for _, tc := range []struct{ file, code, says string }{
		{"", "host.key_unknown", right},
		{right, "", ""},
		{"# ours\n" + wrong, "host.key_changed", "2"}, // the line of the old key
	} {
		s.knows(tc.file)
		_, code, sentence := says(t, s.clients(), "node-1", "true")
		if code != tc.code || tc.code != "" && (!strings.Contains(sentence, tc.says) || !strings.Contains(sentence, file) || !strings.Contains(sentence, "node-1")) {
			t.Errorf("known hosts %q: %s, %s", tc.file, code, sentence)
		}
	}
	s.knows(right)
	s.env["KEY_node_1"] = string(stranger)
	_, code, sentence := says(t, s.clients(), "node-1", "true")
	if code != "host.login_refused" || !strings.Contains(sentence, server.User) || strings.Contains(sentence, "PRIVATE KEY") {
		t.Errorf("a key that the machine does not know: %s, %s", code, sentence)
	}
	// The right key takes its place: it counts after a reload of the same configuration, which leaves a working login alone.
	c := s.clients()
	says(t, c, "node-1", "true")
	s.env["KEY_node_1"] = string(server.Key)
	c.Configure(s.config())
	h, err := c.Host("node-1")
	if err != nil {
		t.Fatal(err)
	}
	if _, code, sentence = says(t, c, "node-1", "true"); code != "" {
		t.Errorf("after the key was replaced: %s, %s", code, sentence)
	}
	c.Configure(s.config())
	if again, err := c.Host("node-1"); err != nil || again != h {
		t.Errorf("a reload that changes nothing makes another login, %v", err)
	}
}

// TestDaemonWithoutAKey: a key that cannot be had is told when the daemon starts, and refuses a reload.
func TestDaemonWithoutAKey(t *testing.T) {
	t.Parallel()
	r := newRig(t, `[]`)
	r.cfg.Hosts["far"] = config.Host{Name: "far", Address: "127.0.0.2", SSH: &config.SSH{User: "ops", Port: 22, Key: "env:FAR_KEY"}}
	if d, err := New(t.Context(), r.options()); err == nil || !strings.Contains(err.Error(), "host far") || fleet.ReasonOf(err).Code != "secret.env_unset" {
		t.Errorf("start without a host's key: %v", err)
		if d != nil {
			_ = d.Stop(context.WithoutCancel(t.Context()))
		}
	}
	delete(r.cfg.Hosts, "far")
	d, _ := r.start(r.options())
	broken := r.cfg
	broken.Hosts = map[string]config.Host{"far": {Name: "far", Address: "127.0.0.2", SSH: &config.SSH{User: "ops", Port: 22, Key: "env:FAR_KEY"}}}
	d.reload(t.Context(), config.Update{Config: broken})
	if _, there := d.Config().Hosts["far"]; there || !d.face.refused.Load() {
		t.Error("a reload without a host's key is in force")
	}
}
