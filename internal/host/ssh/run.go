package ssh

import (
	"context"
	"errors"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"

	"phalops/internal/clock"
	"phalops/internal/fleet"
	"phalops/internal/host"
)

// Run runs a command. When ctx ends, it takes up to 8 s more to end the command on the other side. Should even that fail, or
// the connection break, the machine ends the command by itself when ctx would have ended.
func (h *Host) Run(ctx context.Context, c host.Command) (host.Result, error) {
	nothing := host.Result{ExitCode: -1}
	if err := c.Check(h.o.Name); err != nil {
		return nothing, err
	}
	if c.Become && h.o.Root.None() {
		return nothing, host.NoRoot(h.o.Name, c)
	}
	ctx, cancel := context.WithTimeout(ctx, host.Limit)
	defer cancel()
	select {
	case h.sessions <- struct{}{}:
	case <-ctx.Done():
		return nothing, h.waited(ctx.Err())
	}
	r := h.start(ctx, c, func() { <-h.sessions })
	select {
	case <-r.done:
		return r.ended(ctx, h, false)
	case <-ctx.Done():
		h.giveUp(ctx, r)
		return r.ended(ctx, h, true)
	}
}

// run is a command under way.
type run struct {
	c      host.Command
	launch *host.Launch
	stderr *host.Output
	done   chan struct{} // closed when it is over, with err
	err    error

	mu      sync.Mutex
	link    *link        // nil until there is a connection
	session *ssh.Session // nil until it is open
}

// start begins to run a command; after is called when it is over, which may be later than the end of ctx.
func (h *Host) start(ctx context.Context, c host.Command, after func()) *run {
	deadline, _ := ctx.Deadline()
	r := &run{
		c: c, launch: host.NewLaunch(c, h.o.Root, time.Until(deadline)+2*killTimeout),
		stderr: host.NewOutput(c.MaxOutput), done: make(chan struct{}),
	}
	h.wg.Go(func() {
		defer after()
		defer close(r.done)
		r.err = h.carry(ctx, r)
	})
	return r
}

// carry runs a command to its end.
func (h *Host) carry(ctx context.Context, r *run) error {
	session, err := h.open(ctx, r)
	if err != nil {
		return err
	}
	defer session.Close()
	session.Stdout, session.Stderr = r.launch.Writer(), r.stderr
	stdin, err := session.StdinPipe()
	if err != nil {
		return h.lost(r, err)
	}
	patience := time.AfterFunc(openTimeout, func() { r.link.drop(errFrozen) })
	err = session.Start(host.Quote(r.launch.Argv))
	patience.Stop()
	if err != nil {
		return h.lost(r, err)
	}
	h.wg.Go(func() { // ends with the session
		_, _ = stdin.Write(r.launch.Stdin) // a command need not read it
		_ = stdin.Close()
	})
	err = session.Wait()
	if _, ok := errors.AsType[*ssh.ExitError](err); ok || err == nil {
		return err
	}
	return h.lost(r, err)
}

// open opens a session. Nothing has begun before, so it may try again: once when the connection turns out to be dead, and
// for a while when sshd has no session to spare, since it counts those that just ended a little longer than we do.
func (h *Host) open(ctx context.Context, r *run) (*ssh.Session, error) {
	again, pause := false, 50*time.Millisecond
	for {
		l, err := h.connected(ctx)
		if err != nil {
			return nil, err
		}
		patience := time.AfterFunc(openTimeout, func() { l.drop(errFrozen) })
		session, err := l.client.NewSession()
		patience.Stop()
		if err == nil {
			r.mu.Lock()
			r.link, r.session = l, session
			r.mu.Unlock()
			if ctx.Err() != nil { // nobody waits any more
				_ = session.Close()
				return nil, h.waited(ctx.Err())
			}
			return session, nil
		}
		if _, ok := errors.AsType[*ssh.OpenChannelError](err); ok {
			if refused(err) || pause > 2*time.Second || (clock.Real{}).Sleep(ctx, pause) != nil {
				return nil, fleet.FailWith(fleet.Failed, fleet.Because("host.session_refused", "host", h.o.Name, "err", err), err)
			}
			pause *= 2
			continue
		}
		l.drop(err)
		if again || errors.Is(l.why, errFrozen) {
			return nil, h.silent(l.why)
		}
		again = true
	}
}

// lost is the error for a command whose end nobody will tell.
func (h *Host) lost(r *run, err error) error {
	if l := r.link; l.broken() && l.why != nil {
		err = l.why
	}
	return fleet.FailWith(fleet.Unavailable, fleet.Because("host.lost", "host", h.o.Name, "program", r.c.Argv[0], "err", err),
		errors.Join(host.ErrSilent, err))
}

// giveUp ends a command: its process and children with a command of its own, for only that reaches what runs as root and
// works with every sshd; then its session. A peer that does not let go of the session is not a sane one.
func (h *Host) giveUp(ctx context.Context, r *run) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), killTimeout)
	defer cancel()
	r.mu.Lock()
	l, session := r.link, r.session
	r.mu.Unlock()
	if l == nil {
		return // open sees to it
	}
	if r.launch.Started() != 0 && !l.broken() {
		k := h.start(ctx, r.launch.Kill(r.c), func() {}) // beside the limit: there may be no free session
		select {
		case <-k.done:
		case <-ctx.Done():
		}
	}
	// timeout(1) needs its two seconds for a command that ignores SIGTERM.
	wait := time.NewTimer(killTimeout)
	defer wait.Stop()
	if r.launch.Started() != 0 {
		select {
		case <-r.done:
			return
		case <-wait.C:
		}
	}
	_ = session.Close()
	h.wg.Go(func() {
		patience := time.NewTimer(openTimeout)
		defer patience.Stop()
		select {
		case <-r.done:
		case <-patience.C:
			l.drop(errFrozen)
		}
	})
}

// ended says how a command ended, or that it was given up.
func (r *run) ended(ctx context.Context, h *Host, gaveUp bool) (host.Result, error) {
	out := host.Result{ExitCode: -1}
	var cut [2]bool
	out.Stdout, cut[0] = r.launch.Stdout.Bytes()
	out.Stderr, cut[1] = r.stderr.Bytes()
	out.Truncated = cut[0] || cut[1]
	if gaveUp {
		r.mu.Lock()
		l := r.link
		r.mu.Unlock()
		switch {
		case l == nil:
			return out, h.waited(ctx.Err())
		case l.broken():
			return out, h.lost(r, l.why)
		}
		return out, host.GaveUp(h.o.Name, r.c, ctx.Err())
	}
	exit, exited := errors.AsType[*ssh.ExitError](r.err)
	switch {
	case r.err != nil && !exited:
		return out, r.err
	case r.launch.Started() == 0: // sudo refuses, there is no shell, the folder is missing
		return out, host.NotStarted(h.o.Name, r.c, host.LastLine(out.Stderr))
	case exited:
		out.ExitCode = exit.ExitStatus()
	default:
		out.ExitCode = 0
	}
	return out, host.Exited(h.o.Name, r.c, out)
}
