package wire

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"syscall"
	"time"

	"phalops/internal/sim/world"
)

// Options say how the world is served. The zero Options are what the demo uses.
type Options struct {
	// Base is the first of the loopback addresses that are taken, one for each served part, in order; the zero Addr takes a
	// stretch of 127.0.0.0/8 by chance. Ports are the usual ones: nodes 9944 (para) and 9945 (relay), in older builds
	// 9933 and 9934 for HTTP and those for WebSocket, monitors 3000,
	// container engines 2375, robots 8080, v3's wm 3001, headers-caches 22111. pRuntimes have the addresses that the world
	// gave them; where one is taken, by another world for example, that pRuntime is not served.
	Base netip.Addr
	// Latency is how long a v2 monitor takes to dial a peer, and a v0 monitor to get a reply, in real time; default 2 ms (a
	// real v2 monitor: about 280 ms).
	Latency time.Duration
	// FrozenAfter is when a v2 monitor gives up dialling a frozen peer, in real time; default 30 s, as the real one.
	FrozenAfter time.Duration
	// QueryTimeout is how long a v0 monitor waits for a reply from its message bus, in real time; default 5 s, as the real
	// one.
	QueryTimeout time.Duration
	// ItemTime is how long a v0 lifecycle takes to write one pool or worker, in real time; default 110 ms, as the real one.
	ItemTime time.Duration
	// KeepOverlapping makes v2 monitors answer all of several overlapping requests to one peer. Real ones lose replies.
	KeepOverlapping bool
	// Socket is the path of a unix socket where real processes become parts of the world, see PlayRole; "" for none.
	Socket string
}

// syncEvery is how soon, in real time, an open port follows the world.
const syncEvery = 20 * time.Millisecond

// fixedPause is after how many rounds a fixed address that was taken is tried again.
const fixedPause = 50

// Server serves a whole world on loopback addresses.
type Server struct {
	face      *Face
	options   Options
	ctx       context.Context // ends with Close
	cancel    context.CancelFunc
	running   sync.WaitGroup // the follower of the world, listeners and handlers
	endpoints Endpoints
	desk      *roleDesk // nil without a socket

	mu     sync.Mutex // ports are opened and closed by one at a time
	ports  []*port
	closed bool
}

// port is one address that answers while something in the world does.
type port struct {
	addr     netip.AddrPort
	handler  http.Handler
	open     func(*world.World) bool
	listener net.Listener
	server   *http.Server // nil while the port refuses connections
	fixed    bool         // the world says the address: when somebody else has it, it is tried again later
	pause    int          // rounds until then
}

// close refuses new connections and ends the present ones. The listener is closed here because a server that has not got
// round to serving does not know it yet.
func (p *port) close() {
	if p.server == nil {
		return
	}
	_ = p.listener.Close()
	_ = p.server.Close()
	p.listener, p.server = nil, nil
}

// Serve opens a port for every node, monitor, container engine and robot that the world has now. A part that is not there
// refuses connections, also later: ports follow the world within some 20 ms. It ends with ctx or Close.
func Serve(ctx context.Context, face *Face, o Options) (*Server, error) {
	if o.Latency == 0 {
		o.Latency = 2 * time.Millisecond
	}
	if o.FrozenAfter == 0 {
		o.FrozenAfter = 30 * time.Second
	}
	if o.QueryTimeout == 0 {
		o.QueryTimeout = 5 * time.Second
	}
	if o.ItemTime == 0 {
		o.ItemTime = 110 * time.Millisecond
	}
	ctx, cancel := context.WithCancel(ctx)
	s := &Server{face: face, options: o, ctx: ctx, cancel: cancel}
	if err := s.listen(o.Base); err != nil {
		s.Close()
		return nil, fmt.Errorf("serve the simulated world: %w", err)
	}
	if o.Socket != "" {
		if err := s.openDesk(o.Socket); err != nil {
			s.Close()
			return nil, fmt.Errorf("serve the simulated world: %w", err)
		}
	}
	s.running.Go(s.follow)
	return s, nil
}

// listen plans and opens the ports; without a base it looks for a free stretch of addresses.
func (s *Server) listen(base netip.Addr) error {
	if base.IsValid() {
		s.plan(base)
		return s.sync()
	}
	var err error
	for range 20 {
		s.plan(netip.AddrFrom4([4]byte{127, byte(16 + rand.IntN(230)), byte(rand.IntN(200)), 1}))
		if err = s.sync(); !errors.Is(err, syscall.EADDRINUSE) {
			return err
		}
		s.shut()
	}
	return err
}

// follow keeps the ports in step with the world.
func (s *Server) follow() {
	tick := time.NewTicker(syncEvery)
	defer tick.Stop()
	for {
		select {
		case <-s.ctx.Done():
			s.shut()
			return
		case <-tick.C:
			_ = s.sync() // a port that cannot be opened now is tried again
		}
	}
}

// Sync lets the world catch up with its clock and opens and closes ports accordingly before it returns. Whoever turns a
// virtual clock by hand calls it instead of waiting.
func (s *Server) Sync() error { return s.sync() }

func (s *Server) sync() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return net.ErrClosed
	}
	open := make([]bool, len(s.ports))
	s.face.Do(func(w *world.World) {
		for i, p := range s.ports {
			open[i] = p.open(w)
		}
	})
	var errs []error
	for i, p := range s.ports {
		switch {
		case open[i] && p.server == nil && p.pause > 0:
			p.pause--
		case open[i] && p.server == nil:
			err := s.open(p)
			if err != nil && p.fixed {
				p.pause = fixedPause
				continue
			}
			errs = append(errs, err)
		case !open[i]:
			p.close()
		}
	}
	return errors.Join(errs...)
}

func (s *Server) open(p *port) error {
	l, err := net.ListenTCP("tcp4", net.TCPAddrFromAddrPort(p.addr))
	if err != nil {
		return err
	}
	p.listener, p.server = l, &http.Server{
		Handler:           p.handler,
		ConnState:         s.count,
		ReadHeaderTimeout: 10 * time.Second,
		ErrorLog:          log.New(io.Discard, "", 0),
		BaseContext:       func(net.Listener) context.Context { return s.ctx },
	}
	server := p.server
	s.running.Go(func() { _ = server.Serve(l) })
	return nil
}

// count makes Close wait for every connection and what is handled on it.
func (s *Server) count(_ net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew: // said by the goroutine of the listener, which is counted itself
		s.running.Add(1)
	case http.StateClosed, http.StateHijacked:
		s.running.Done()
	}
}

// shut closes all ports.
func (s *Server) shut() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.ports {
		p.close()
	}
}

// Close closes every port and returns when nothing of the server runs any more. It may be called again.
func (s *Server) Close() {
	s.cancel()
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.desk.close()
	s.shut()
	s.running.Wait()
}

// Endpoints tell where everything is.
func (s *Server) Endpoints() Endpoints { return s.endpoints }

// refuse ends a connection that a port took although nobody listens there any more, the way a dead process does.
func refuse(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}
