// Package ssh is a machine behind SSH: one connection for everything, kept alive, bounded in sessions and made again when it
// breaks. Host keys live in a file of phalops' own; a changed key is never accepted.
package ssh

import (
	"cmp"
	"context"
	"errors"
	"net"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"

	"phalops/internal/fleet"
	"phalops/internal/host"
)

// How long things may take.
const (
	connectTimeout = 15 * time.Second // dial, handshake and login together
	openTimeout    = 15 * time.Second // until the other side opens a channel
	killTimeout    = 4 * time.Second  // to end a command that was given up
)

// Options are what a Host is made of. Only Name, Address, User and KnownHosts are necessary, and one of Keys and Agent.
type Options struct {
	Name    string
	Address string // host or host:port; default port 22
	User    string
	// Keys are private keys, as in a file of ssh-keygen without a passphrase. They stay in memory.
	Keys [][]byte
	// Agent is the socket of an ssh-agent, asked at each login.
	Agent string
	// KnownHosts is our own file in the format of OpenSSH; it need not exist.
	KnownHosts string
	// AcceptNew trusts the key of a machine that KnownHosts knows nothing of and writes it there: the first contact.
	AcceptNew bool
	// Root says how commands become root. Root.Already is set where User is root.
	Root host.Root
	// Bastion is the machine to go through. It is not closed with this one, and must be closed after it.
	Bastion *Host
	// Sessions is how many commands run at once; the rest wait. Default 8: sshd's own limit is 10 (MaxSessions).
	Sessions int
	// Keepalive is how often the other side must answer. One that lets such a time pass is given up and with it everything
	// under way. Default 15s.
	Keepalive time.Duration
	// Engine is the remote socket of the container engine; default /var/run/docker.sock.
	Engine string
	// NewEngine makes the client of the container engine over connections that dial opens; name stands for it in messages.
	// docker.Through is such a client. nil: Containers is nil.
	NewEngine func(name string, dial func(context.Context) (net.Conn, error)) Engine
}

// Engine is the client of a container engine that this package closes with its Host.
type Engine interface {
	host.Engine
	Close()
}

// Host is one machine. It implements host.Host.
type Host struct {
	host.Remote // its files
	o           Options
	engine      Engine
	sessions    chan struct{}

	life context.Context // ends with Close
	end  context.CancelFunc
	wg   sync.WaitGroup

	mu      sync.Mutex
	current *link
	dialing *attempt
}

var _ host.Host = (*Host)(nil)

// New makes a Host. It dials nothing: that happens with the first use. A key that cannot be read is fleet.Invalid.
func New(o Options) (*Host, error) {
	o.Address = withPort(o.Address)
	o.Sessions = cmp.Or(o.Sessions, 8)
	o.Keepalive = cmp.Or(o.Keepalive, 15*time.Second)
	o.Engine = cmp.Or(o.Engine, "/var/run/docker.sock")
	o.Root.Already = o.User == "root"
	for _, key := range o.Keys {
		if _, err := ssh.ParsePrivateKey(key); err != nil {
			return nil, fleet.FailWith(fleet.Invalid, fleet.Because("host.bad_key", "host", o.Name, "err", keyTrouble(err)), err)
		}
	}
	h := &Host{o: o, sessions: make(chan struct{}, o.Sessions)}
	h.life, h.end = context.WithCancel(context.Background())
	h.Remote = host.Remote{Name: o.Name, Run: h.Run}
	if o.NewEngine != nil {
		h.engine = o.NewEngine(o.Name+":"+o.Engine, h.dialEngine)
	}
	return h, nil
}

func withPort(address string) string {
	if _, _, err := net.SplitHostPort(address); err == nil {
		return address
	}
	return net.JoinHostPort(strings.Trim(address, "[]"), "22")
}

// keyTrouble says what is wrong with a key and nothing of the key.
func keyTrouble(err error) string {
	if _, ok := errors.AsType[*ssh.PassphraseMissingError](err); ok {
		return "passphrase"
	}
	return "format"
}

// Name is the host's name in the configuration.
func (h *Host) Name() string { return h.o.Name }

// Containers is the machine's container engine, reached through the connection: everything is as with a local engine.
func (h *Host) Containers() host.Engine {
	if h.engine == nil {
		return nil
	}
	return h.engine
}

// Close ends the connection and everything under way, and waits until all is gone. The Host cannot be used again.
func (h *Host) Close() {
	h.end()
	h.mu.Lock()
	l := h.current
	h.mu.Unlock()
	if l != nil {
		l.drop(net.ErrClosed)
	}
	if h.engine != nil {
		h.engine.Close()
	}
	h.wg.Wait()
}

// silent is the error for a machine that does not answer.
func (h *Host) silent(err error) error {
	return fleet.FailWith(fleet.Unavailable, fleet.Because("host.silent", "host", h.o.Name, "address", h.o.Address, "err", err),
		errors.Join(host.ErrSilent, err))
}

// waited is the error for a ctx that ended before the machine was reached.
func (h *Host) waited(err error) error {
	return fleet.FailWith(fleet.Unavailable, fleet.Because("host.not_reached", "host", h.o.Name, "address", h.o.Address), err)
}
