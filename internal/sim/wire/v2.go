package wire

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"phalops/internal/sim/world"
)

// expressBodyLimit is Express's default for JSON.
const expressBodyLimit = 100 << 10

// monitor serves a v2 monitor (Express in front of a libp2p client) of one bridge.
type monitor struct {
	ctx     context.Context // a request whose caller is gone is carried out all the same
	face    *Face
	bridge  string
	options Options

	mu    sync.Mutex
	lines map[string]map[*v2Call]bool // calls on their way, by peer
}

// v2Call is one request to a peer on its way.
type v2Call struct{ lost bool }

func newMonitorHandler(ctx context.Context, face *Face, bridge string, o Options) http.Handler {
	return &monitor{ctx: ctx, face: face, bridge: bridge, options: o, lines: map[string]map[*v2Call]bool{}}
}

func (m *monitor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, tooLarge := readLimited(r.Body, expressBodyLimit)
	var listening, hung bool
	m.do(func(b *world.Bridge, _ time.Time) { listening, hung = b.MonitorListening(), b.MonitorHung() })
	if !listening {
		refuse(w)
		return
	}
	if hung {
		<-r.Context().Done()
		return
	}
	w.Header().Set("X-Powered-By", "Express")
	if isJSON(r.Header.Get("Content-Type")) {
		if tooLarge {
			expressError(w, http.StatusRequestEntityTooLarge, "Payload Too Large")
			return
		}
	} else {
		body = nil // the body parser leaves it alone
	}
	message, err := parseExpressBody(body)
	if err != nil {
		expressError(w, http.StatusBadRequest, "Bad Request")
		return
	}
	path := strings.Split(strings.TrimSuffix(strings.TrimPrefix(r.URL.Path, "/"), "/"), "/")
	switch {
	case len(path) == 2 && path[0] == "ptp" && path[1] == "discover":
		expressJSON(w, http.StatusOK, m.discover())
	case len(path) == 4 && path[0] == "ptp" && path[1] == "proxy":
		status, reply := m.proxy(path[2], path[3], message)
		expressJSON(w, status, reply)
	default:
		expressError(w, http.StatusNotFound, fmt.Sprintf("Cannot %s %s", r.Method, html.EscapeString(r.URL.EscapedPath())))
	}
}

func (m *monitor) do(f func(*world.Bridge, time.Time)) {
	m.face.Do(func(w *world.World) { f(w.Bridge(m.bridge), w.Now()) })
}

func (m *monitor) discover() any {
	type peer struct {
		ID            string `json:"peerId"`
		Hostname      string `json:"hostname"`
		Role          int    `json:"role"`
		ChainIdentity string `json:"chainIdentity"`
		Identity      string `json:"bridgeIdentity"`
		Addr          string `json:"remoteAddr"`
	}
	reply := struct {
		Providers  []peer `json:"dataProviders"`
		Lifecycles []peer `json:"lifecycleManagers"`
	}{[]peer{}, []peer{}}
	m.do(func(b *world.Bridge, _ time.Time) {
		providers, lifecycles := b.Discover()
		for _, p := range providers {
			reply.Providers = append(reply.Providers, peer{p.ID, p.Hostname, p.Role, p.ChainIdentity, p.Identity, p.Addr})
		}
		for _, p := range lifecycles {
			reply.Lifecycles = append(reply.Lifecycles, peer{p.ID, p.Hostname, p.Role, p.ChainIdentity, p.Identity, p.Addr})
		}
	})
	return reply
}

// v2Reply is what the proxy answers: data on success, error otherwise.
type v2Reply struct {
	Data     any  `json:"data,omitempty"`
	HasError bool `json:"hasError"`
	Error    any  `json:"error,omitempty"`
	Meta     any  `json:"meta"`
}

type v2Meta struct {
	CreatedAt    string       `json:"createdAt"`
	RequestNonce string       `json:"requestNonce"`
	Nonce        string       `json:"nonce"`
	HasError     bool         `json:"hasError"`
	Error        *v2MetaError `json:"error,omitempty"`
}

type v2MetaError struct {
	Type    string `json:"type"`
	Message string `json:"message"`
}

type v2Error struct {
	Type    int    `json:"type"`
	Message string `json:"message"`
}

// jsError is what JSON.stringify leaves of an exception: its own enumerable fields.
type jsError struct {
	Name string `json:"name,omitempty"`
	Code string `json:"code,omitempty"`
}

func (e *jsError) Error() string { return e.Name + " " + e.Code }

type object struct{}

// proxy carries a method to a peer: encode, dial, ask.
func (m *monitor) proxy(peer, method string, message jsObject) (int, any) {
	known := false
	m.do(func(b *world.Bridge, _ time.Time) {
		how, _, _, _ := b.Dial(peer)
		known = how != world.DialUnknown
	})
	if !known {
		return http.StatusInternalServerError, object{}
	}
	call, err := encodeCall(method, message)
	if err == nil {
		var reply any
		if reply, err = m.ask(peer, call); err == nil {
			return http.StatusOK, reply
		}
	}
	var thrown *jsError
	if !errors.As(err, &thrown) {
		thrown = &jsError{}
	}
	return http.StatusOK, v2Reply{HasError: true, Error: thrown}
}

// ask dials, which all requests to one peer share, and asks. The first one that is done closes the connection: the others
// read an empty reply, although what they asked for was done.
func (m *monitor) ask(peer string, call peerCall) (any, error) {
	flight := m.take(peer)
	var how world.Dialled
	var delay time.Duration
	m.do(func(b *world.Bridge, _ time.Time) {
		how, _, _, _ = b.Dial(peer)
		delay = m.options.Latency + b.Delay()
	})
	switch how {
	case world.DialRefused:
		m.land(peer, flight)
		return nil, &jsError{Name: "AggregateError"}
	case world.DialFrozen:
		m.wait(m.options.FrozenAfter)
		m.land(peer, flight)
		return nil, &jsError{Name: "AggregateError", Code: "ERR_TIMEOUT"}
	}
	m.wait(delay)
	var reply v2Reply
	m.do(func(b *world.Bridge, now time.Time) {
		var provider *world.DataProvider
		var lifecycle *world.Bridge
		var p world.Peer
		if how, p, provider, lifecycle = b.Dial(peer); how != world.DialOK {
			return
		}
		data, err := call(callee{p, provider, lifecycle, now})
		reply = answer(data, err, now)
	})
	lost := m.land(peer, flight)
	switch {
	case how != world.DialOK: // it went away while we dialled
		return nil, &jsError{Name: "AggregateError"}
	case lost:
		return v2Reply{Data: object{}, Meta: object{}}, nil
	}
	return reply, nil
}

// wait is d of real time, or until the server closes.
func (m *monitor) wait(d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-m.ctx.Done():
	}
}

func (m *monitor) take(peer string) *v2Call {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := &v2Call{}
	if m.lines[peer] == nil {
		m.lines[peer] = map[*v2Call]bool{}
	}
	m.lines[peer][c] = true
	return c
}

// land ends a request and tells whether its reply was lost because another one had ended first.
func (m *monitor) land(peer string, c *v2Call) (lost bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.lines[peer], c)
	if c.lost || m.options.KeepOverlapping {
		return c.lost
	}
	for other := range m.lines[peer] {
		other.lost = true
	}
	return false
}

func answer(data any, err error, now time.Time) v2Reply {
	meta := v2Meta{CreatedAt: strconv.FormatInt(now.UnixMilli(), 10), RequestNonce: uuid.NewString(), Nonce: uuid.NewString()}
	if err == nil {
		if data == nil {
			data = object{}
		}
		return v2Reply{Data: data, Meta: meta}
	}
	name, number := "SERVER", 1
	var failed *world.PeerError
	if errors.As(err, &failed) && failed.NotFound {
		name, number = "NOT_FOUND", 2
	}
	meta.HasError, meta.Error = true, &v2MetaError{name, err.Error()}
	return v2Reply{HasError: true, Error: v2Error{number, err.Error()}, Meta: meta}
}

// drained is how much of a body that is too large is still read: a server that closes while its client writes resets the
// connection, and the client never reads the answer.
const drained = 8 << 20

func readLimited(r io.Reader, limit int64) (body []byte, tooLarge bool) {
	body, _ = io.ReadAll(io.LimitReader(r, limit+1)) // what a caller that hangs up has sent is all there is
	if tooLarge = int64(len(body)) > limit; tooLarge {
		_, _ = io.Copy(io.Discard, io.LimitReader(r, drained))
	}
	return body, tooLarge
}

func isJSON(contentType string) bool {
	t, _, err := mime.ParseMediaType(contentType)
	return err == nil && t == "application/json"
}

var errNotJSON = errors.New("not a JSON object or list")

// parseExpressBody is express.json in its strict mode: an object or a list; nothing is {}. A list has no fields.
func parseExpressBody(body []byte) (jsObject, error) {
	text := strings.TrimLeft(string(body), " \t\r\n")
	if len(body) == 0 {
		return nil, nil
	}
	if text == "" || text[0] != '{' && text[0] != '[' || !json.Valid(body) {
		return nil, errNotJSON
	}
	if text[0] == '[' {
		return nil, nil
	}
	return parseObject(text)
}

func expressJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(marshal(v))
}

func expressError(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Security-Policy", "default-src 'none'")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>Error</title>\n</head>\n<body>\n<pre>"+
		text+"</pre>\n</body>\n</html>\n")
}
