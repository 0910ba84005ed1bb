package wire

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/coder/websocket"

	"phalops/internal/sim/world"
)

const (
	wsWriteWithin      = 10 * time.Second // real time for a client to take a message
	wsMaxSubscriptions = 1024             // of one connection (--rpc-max-subscriptions-per-connection)
)

// session is one WebSocket connection.
type session struct {
	port *nodePort
	conn *websocket.Conn
	link int // of the node when it was opened

	mu   sync.Mutex // one at a time answers or beats: an id goes out before its first notification
	subs []*subscription
	deaf bool // half open: nothing is heard or said any more
}

// serveWS serves a WebSocket connection until the client leaves, the node's socket dies or the server ends.
func (p *nodePort) serveWS(w http.ResponseWriter, r *http.Request) {
	select {
	case p.slots <- struct{}{}:
		defer func() { <-p.slots }()
	default:
		rpcText(w, http.StatusTooManyRequests, "Too many connections. Please try again later.")
		return
	}
	p.running.Add(1) // while the connection itself is still counted
	defer p.running.Done()
	s := &session{port: p, link: p.state().link}
	var err error
	s.conn, err = websocket.Accept(w, r, &websocket.AcceptOptions{InsecureSkipVerify: true, OnPingReceived: s.ponged})
	if err != nil {
		return
	}
	s.conn.SetReadLimit(rpcBodyLimit)
	ctx, cancel := context.WithCancel(r.Context())
	var beating sync.WaitGroup
	beating.Go(func() { s.beat(ctx) })
	s.read(ctx)
	cancel()
	_ = s.conn.CloseNow()
	beating.Wait()
}

// ponged says whether a ping is answered.
func (s *session) ponged(context.Context, []byte) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.silent(s.port.state())
}

// silent reports whether nothing is said now. A connection that went half open stays so.
func (s *session) silent(now portState) bool {
	s.deaf = s.deaf || now.trouble.HalfOpen
	return s.deaf || now.hung
}

func (s *session) read(ctx context.Context) {
	for {
		_, body, err := s.conn.Read(ctx)
		if err != nil {
			return
		}
		if s.hear(ctx, body) != nil {
			return
		}
	}
}

// hear answers one message.
func (s *session) hear(ctx context.Context, body []byte) error {
	state := s.port.state()
	if !waited(ctx.Done(), state.trouble.Slow) {
		return ctx.Err()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.silent(state):
		return nil
	case state.trouble.Garbage != "":
		_, _, text := garbage(state.trouble.Garbage)
		return s.write(ctx, []byte(text))
	case state.trouble.Huge:
		w, err := s.conn.Writer(ctx, websocket.MessageText)
		if err != nil {
			return err
		}
		if err := writeHuge(w, body); err != nil {
			return err
		}
		return w.Close()
	}
	reply := answerBody(body, s.call)
	if reply == nil {
		return nil
	}
	if err := s.write(ctx, reply); err != nil {
		return err
	}
	return s.tell(ctx)
}

func (s *session) write(ctx context.Context, text []byte) error {
	ctx, cancel := context.WithTimeout(ctx, wsWriteWithin)
	defer cancel()
	return s.conn.Write(ctx, websocket.MessageText, text)
}

// beat looks after the connection until ctx ends: it tells subscribers what is new, and dies with the node's socket.
func (s *session) beat(ctx context.Context) {
	tick := time.NewTicker(syncEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if !s.tick(ctx) {
			_ = s.conn.CloseNow()
			return
		}
	}
}

// tick is false when the connection is dead.
func (s *session) tick(ctx context.Context) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	state := s.port.state()
	switch silent := s.silent(state); {
	case s.deaf: // whatever happens to the node, nothing of it arrives
		return true
	case !state.listening || state.link != s.link:
		return false
	case silent || state.trouble.Garbage != "" || state.trouble.Huge:
		return true
	}
	return s.tell(ctx) == nil
}

// tell sends what the subscriptions have to say now.
func (s *session) tell(ctx context.Context) error {
	var notices [][]byte
	s.port.face.Do(func(w *world.World) {
		v := s.port.view(w)
		for _, sub := range s.subs {
			for _, result := range sub.next(v) {
				notices = append(notices, rpcNotice(sub.notice, sub.id, result))
			}
		}
	})
	for _, n := range notices {
		if err := s.write(ctx, n); err != nil {
			return err
		}
	}
	return nil
}

// call answers what HTTP answers, and subscriptions.
func (s *session) call(method string, params json.RawMessage) (result any, failed *rpcError) {
	sort, found := subscriptionOf(method)
	s.port.face.Do(func(w *world.World) {
		v := s.port.view(w)
		switch {
		case !found || v.trouble.Code != 0:
			result, failed = v.call(method, params)
		case !v.read(params):
			failed = &rpcParams
		case method == sort.end || slices.Contains(sort.endAliases, method):
			result, failed = s.unsubscribe(v)
		default:
			result, failed = s.subscribe(sort, v)
		}
	})
	return result, failed
}

func (s *session) subscribe(sort subscriptionSort, v chainView) (any, *rpcError) {
	if len(s.subs) >= wsMaxSubscriptions {
		return nil, &rpcError{Code: -32006, Message: "Too many subscriptions on the connection", Data: "Exceeded max limit of 1024"}
	}
	next, failed := sort.open(v)
	if failed != nil {
		return nil, failed
	}
	sub := &subscription{newSubscriptionID(), sort.notice, next}
	s.subs = append(s.subs, sub)
	return sub.id, nil
}

// unsubscribe says whether there was such a subscription.
func (s *session) unsubscribe(v chainView) (any, *rpcError) {
	var id string
	if p := v.param(0); p == nil || json.Unmarshal(p, &id) != nil {
		return nil, &rpcParams
	}
	before := len(s.subs)
	s.subs = slices.DeleteFunc(s.subs, func(sub *subscription) bool { return sub.id == id })
	return len(s.subs) < before, nil
}
