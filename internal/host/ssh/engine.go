package ssh

import (
	"context"
	"errors"
	"net"

	"golang.org/x/crypto/ssh"

	"phalops/internal/fleet"
	"phalops/internal/host"
)

// tunnel opens a connection from the other side of l.
func (h *Host) tunnel(ctx context.Context, l *link, network, address string) (net.Conn, error) {
	type answer struct {
		conn net.Conn
		err  error
	}
	answers := make(chan answer)
	h.wg.Go(func() { // ends with the link at the latest
		conn, err := l.client.Dial(network, address)
		select {
		case answers <- answer{conn, err}:
		case <-ctx.Done():
			if err == nil {
				_ = conn.Close()
			}
		}
	})
	select {
	case a := <-answers:
		return a.conn, a.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// dialEngine connects to the container engine's socket.
func (h *Host) dialEngine(ctx context.Context) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, openTimeout)
	defer cancel()
	for again := false; ; again = true {
		l, err := h.connected(ctx)
		if err != nil {
			return nil, err
		}
		conn, err := h.tunnel(ctx, l, "unix", h.o.Engine)
		switch {
		case err == nil:
			return conn, nil
		case ctx.Err() != nil:
			return nil, h.waited(ctx.Err())
		case refused(err):
			return nil, h.noForwarding(err)
		}
		if _, ok := errors.AsType[*ssh.OpenChannelError](err); ok {
			return nil, h.diagnose(ctx, err)
		}
		l.drop(err)
		if again {
			return nil, h.silent(err)
		}
	}
}

func (h *Host) noForwarding(err error) error {
	return fleet.FailWith(fleet.Failed, fleet.Because("host.no_forwarding", "host", h.o.Name, "to", h.o.Engine, "err", err), err)
}

// diagnose says why the other side opened no connection to the engine: sshd gives the same answer to all reasons.
func (h *Host) diagnose(ctx context.Context, cause error) error {
	const script = `[ -e "$1" ] || { echo 'there is no such socket' >&2; exit 1; }; [ -w "$1" ] || { echo 'permission denied' >&2; exit 1; }`
	_, err := h.Run(ctx, host.Command{Argv: []string{"sh", "-c", script, "sh", h.o.Engine}})
	exit, ok := errors.AsType[*host.ExitError](err)
	switch {
	case ok:
		return fleet.FailWith(fleet.Unavailable,
			fleet.Because("host.engine_unreachable", "engine", h.o.Name+":"+h.o.Engine, "err", exit.Stderr), cause)
	case err != nil:
		return err
	default:
		return h.noForwarding(cause)
	}
}
