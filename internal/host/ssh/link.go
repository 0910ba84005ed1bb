package ssh

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"phalops/internal/fleet"
)

// link is one connection. It lives until it breaks, its peer stops answering or the Host is closed.
type link struct {
	client *ssh.Client
	conn   net.Conn
	once   sync.Once
	gone   chan struct{} // closed when the connection has ended
	why    error         // why it ended, after gone
}

// drop ends the link; everything that waits for the peer returns.
func (l *link) drop(why error) {
	l.once.Do(func() {
		l.why = why
		close(l.gone)
		_ = l.conn.Close()
	})
}

func (l *link) broken() bool {
	select {
	case <-l.gone:
		return true
	default:
		return false
	}
}

// attempt is a login under way; all who need the connection wait for the same one.
type attempt struct {
	done chan struct{}
	link *link
	err  error
}

// connected is the living connection, made when there is none.
func (h *Host) connected(ctx context.Context) (*link, error) {
	h.mu.Lock()
	if l := h.current; l != nil && !l.broken() {
		h.mu.Unlock()
		return l, nil
	}
	if h.life.Err() != nil {
		h.mu.Unlock()
		return nil, h.silent(net.ErrClosed)
	}
	a := h.dialing
	if a == nil {
		a = &attempt{done: make(chan struct{})}
		h.dialing = a
		h.wg.Go(func() { h.attempt(a) })
	}
	h.mu.Unlock()
	select {
	case <-a.done:
		return a.link, a.err
	case <-ctx.Done():
		return nil, h.waited(ctx.Err())
	}
}

func (h *Host) attempt(a *attempt) {
	ctx, cancel := context.WithTimeout(h.life, connectTimeout)
	defer cancel()
	a.link, a.err = h.login(ctx)
	h.mu.Lock()
	h.current, h.dialing = a.link, nil
	h.mu.Unlock()
	close(a.done)
}

// login dials, checks the machine's key and logs in.
func (h *Host) login(ctx context.Context) (*link, error) {
	conn, err := h.dial(ctx)
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() }) // a tunnel knows no deadlines
	defer stop()
	auth, done, err := h.auth(ctx)
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	defer done()
	known := &known{name: h.o.Name, file: h.o.KnownHosts, acceptNew: h.o.AcceptNew}
	algorithms, err := known.algorithms(h.o.Address)
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	sc, channels, requests, err := ssh.NewClientConn(conn, h.o.Address, &ssh.ClientConfig{
		User: h.o.User, Auth: auth, HostKeyCallback: known.check, HostKeyAlgorithms: algorithms, ClientVersion: "SSH-2.0-phalops",
	})
	if err == nil && !stop() {
		_ = sc.Close()
		err = ctx.Err()
	}
	if err != nil {
		_ = conn.Close()
		return nil, h.loginFailed(ctx, err)
	}
	l := &link{client: ssh.NewClient(sc, channels, requests), conn: conn, gone: make(chan struct{})}
	h.wg.Go(func() { l.drop(l.client.Wait()) })
	h.wg.Go(func() { l.keepAlive(h.o.Keepalive) })
	if h.life.Err() != nil { // Close did not see this link
		l.drop(net.ErrClosed)
	}
	return l, nil
}

func (h *Host) loginFailed(ctx context.Context, err error) error {
	if told, ok := errors.AsType[*fleet.Error](err); ok { // of the key
		return told
	}
	if strings.Contains(err.Error(), "unable to authenticate") { // x/crypto has no type for it
		return fleet.FailWith(fleet.Failed, fleet.Because("host.login_refused", "host", h.o.Name, "address", h.o.Address, "user", h.o.User), err)
	}
	return h.silent(errors.Join(ctx.Err(), err))
}

// dial connects to the machine, through the bastion where there is one.
func (h *Host) dial(ctx context.Context) (net.Conn, error) {
	if b := h.o.Bastion; b != nil {
		l, err := b.connected(ctx)
		if err != nil {
			return nil, fmt.Errorf("bastion of %s: %w", h.o.Name, err)
		}
		conn, err := b.tunnel(ctx, l, "tcp", h.o.Address)
		if refused(err) {
			return nil, fleet.FailWith(fleet.Failed, fleet.Because("host.no_forwarding", "host", b.o.Name, "to", h.o.Address, "err", err), err)
		}
		if err != nil {
			return nil, h.silent(err)
		}
		return conn, nil
	}
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", h.o.Address)
	if err != nil {
		return nil, h.silent(err)
	}
	return conn, nil
}

// refused reports whether the other side does not allow a channel, as against one that leads nowhere.
func refused(err error) bool {
	e, ok := errors.AsType[*ssh.OpenChannelError](err)
	return ok && (e.Reason == ssh.Prohibited || e.Reason == ssh.UnknownChannelType)
}

// auth are the ways to log in; done lets go of the agent.
func (h *Host) auth(ctx context.Context) (methods []ssh.AuthMethod, done func(), err error) {
	var signers []ssh.Signer
	for _, key := range h.o.Keys {
		signer, err := ssh.ParsePrivateKey(key) // New has read it before
		if err != nil {
			return nil, nil, err
		}
		signers = append(signers, signer)
	}
	if h.o.Agent == "" {
		return []ssh.AuthMethod{ssh.PublicKeys(signers...)}, func() {}, nil
	}
	conn, err := new(net.Dialer).DialContext(ctx, "unix", h.o.Agent)
	if err != nil {
		return nil, nil, fleet.FailWith(fleet.Failed, fleet.Because("host.no_agent", "host", h.o.Name, "socket", h.o.Agent, "err", err), err)
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	both := func() ([]ssh.Signer, error) {
		more, err := agent.NewClient(conn).Signers()
		return slices.Concat(signers, more), err
	}
	return []ssh.AuthMethod{ssh.PublicKeysCallback(both)}, func() { stop(); _ = conn.Close() }, nil
}

// errFrozen is why a link was dropped whose peer stopped answering.
var errFrozen = errors.New("no answer to a keepalive")

// keepAlive asks for a sign of life every so often and drops the link when none comes within the same time.
func (l *link) keepAlive(every time.Duration) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-l.gone:
			return
		case <-tick.C:
		}
		patience := time.AfterFunc(every, func() { l.drop(errFrozen) })
		_, _, err := l.client.SendRequest("keepalive@openssh.com", true, nil) // refused is an answer as well
		patience.Stop()
		if err != nil {
			l.drop(err)
			return
		}
	}
}
