package ssh

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"

	"phalops/internal/clock"
	"phalops/internal/fleet"
	"phalops/internal/host"
	"phalops/internal/host/docker"
	"phalops/internal/host/hosttest"
	"phalops/internal/lab"
)

// dockerEngine is the engine as the daemon composes it.
func dockerEngine(name string, dial func(context.Context) (net.Conn, error)) Engine {
	return docker.Through(name, dial, clock.Real{})
}

// reach makes a Host for a laboratory's sshd.
func reach(t *testing.T, s *lab.SSHServer, change func(*Options)) *Host {
	t.Helper()
	o := Options{Name: "node-1", Address: s.Addr, User: s.User, Keys: [][]byte{s.Key}, KnownHosts: s.KnownHosts(t), NewEngine: dockerEngine}
	if change != nil {
		change(&o)
	}
	h, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.Close)
	return h
}

// TestLabConformance holds everything but containers against a real sshd: as the login, under a real sudo, and through a
// bastion.
func TestLabConformance(t *testing.T) {
	if testing.Short() {
		t.Skip("starts SSH servers")
	}
	t.Parallel()
	s := lab.SSH(t, "127.0.5.1")
	t.Run("login", func(t *testing.T) {
		hosttest.Host(t, hosttest.Machine{Host: reach(t, s, nil), Dir: t.TempDir(), Processes: true})
	})
	if lab.Find("sudo") == "" {
		lab.Missing(t, "no sudo")
	}
	t.Run("sudo", func(t *testing.T) {
		h := reach(t, s, func(o *Options) { o.Root = host.Root{Way: "sudo"} })
		h.o.Root.Already = false // root may use sudo as well
		hosttest.Host(t, hosttest.Machine{Host: h, Dir: t.TempDir(), Processes: true, Become: true})
	})
	t.Run("sudo with a password that it does not ask for", func(t *testing.T) {
		h := reach(t, s, func(o *Options) { o.Root = host.Root{Way: "sudo", Password: []byte("correct horse")} })
		h.o.Root.Already = false
		r, err := h.Run(t.Context(), host.Command{Argv: []string{"cat"}, Stdin: []byte("input\n"), Become: true})
		if err != nil || string(r.Stdout) != "input\n" {
			t.Errorf("the program got %q, %v", r.Stdout, err)
		}
	})
}

// TestLabBastion: a machine that is reached through another one.
func TestLabBastion(t *testing.T) {
	if testing.Short() {
		t.Skip("starts SSH servers")
	}
	t.Parallel()
	bastion := reach(t, lab.SSH(t, "127.0.5.2"), func(o *Options) { o.Name = "bastion" })
	inside := lab.SSH(t, "127.0.5.3")
	h := reach(t, inside, func(o *Options) { o.Bastion = bastion })
	r, err := h.Run(t.Context(), host.Command{Argv: []string{"printenv", "SSH_CONNECTION"}})
	if ip, _, _ := strings.Cut(inside.Addr, ":"); err != nil || !strings.Contains(string(r.Stdout), " "+ip+" ") {
		t.Errorf("%q, %v", r.Stdout, err)
	}
	closed := reach(t, lab.SSH(t, "127.0.5.4", "AllowTcpForwarding no"), func(o *Options) { o.Name = "closed" })
	h = reach(t, inside, func(o *Options) { o.Bastion = closed })
	_, err = h.Run(t.Context(), host.Command{Argv: []string{"true"}})
	if why := fleet.ReasonOf(err); why.Code != "host.no_forwarding" || why.Args["host"] != "closed" {
		t.Errorf("through a bastion that forwards nothing: %v", err)
	}
}

// TestLabContainers: a real engine behind a real sshd does all that one on this machine does.
func TestLabContainers(t *testing.T) {
	if testing.Short() {
		t.Skip("starts an SSH server and a Docker Engine")
	}
	t.Parallel()
	real := lab.Docker(t)
	socket := strings.TrimPrefix(real.Addr, "unix://")
	h := reach(t, lab.SSH(t, "127.0.5.5"), func(o *Options) { o.Engine = socket })
	hosttest.Containers(t, hosttest.OnEngine(real, h.Containers()))
	hosttest.Logs(t, real, h.Containers())

	closed := reach(t, lab.SSH(t, "127.0.5.6", "AllowStreamLocalForwarding no"), func(o *Options) { o.Engine = socket })
	_, err := closed.Containers().Inspect(t.Context(), "logs-1")
	if why := fleet.ReasonOf(err); why.Code != "host.no_forwarding" || why.Args["host"] != "node-1" {
		t.Errorf("through an sshd that forwards nothing: %v", err)
	}
	nobody := reach(t, lab.SSH(t, "127.0.5.7"), func(o *Options) { o.Engine = t.TempDir() + "/nobody" })
	_, err = nobody.Containers().List(t.Context(), host.Filter{})
	if why := fleet.ReasonOf(err); why.Code != "host.engine_unreachable" || fleet.KindOf(err) != fleet.Unavailable || errors.Is(err, host.ErrSilent) {
		t.Errorf("an engine that does not run: %v", err)
	}
}
