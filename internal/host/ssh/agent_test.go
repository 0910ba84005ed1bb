package ssh

import (
	"net"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"phalops/internal/fleet"
	"phalops/internal/host"
)

// TestAgent: a login with a key that only an ssh-agent has, which is let go of after the login.
func TestAgent(t *testing.T) {
	s := serve(t, polite(hello))
	raw, err := ssh.ParseRawPrivateKey(s.userKey)
	if err != nil {
		t.Fatal(err)
	}
	ring := agent.NewKeyring()
	if err := ring.Add(agent.AddedKey{PrivateKey: raw}); err != nil {
		t.Fatal(err)
	}
	socket := filepath.Join(t.TempDir(), "agent")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	t.Cleanup(wg.Wait)
	t.Cleanup(func() { _ = l.Close() })
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_ = agent.ServeAgent(ring, c) // until the other side closes
			_ = c.Close()
		}
	})
	login := func(socket string) error {
		h := s.reach(t, func(o *Options) { o.Keys, o.Agent = nil, socket })
		_, err := h.Run(within(t, 10*time.Second), host.Command{Argv: []string{"hello"}})
		return err
	}
	for range 2 {
		if err := login(socket); err != nil {
			t.Error(err)
		}
	}
	if err := login(socket + ".gone"); fleet.ReasonOf(err).Code != "host.no_agent" {
		t.Errorf("an agent that does not run: %v", err)
	}
}
