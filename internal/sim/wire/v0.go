package wire

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"phalops/internal/sim/world"
)

const (
	nextBodyLimit = 1 << 20                // Next's default
	v0Remaking    = 201 * time.Millisecond // from the order to restart a worker to the reply, in real time
)

// v0Monitor serves a v0 monitor (Next.js in front of a Redis bus) of one bridge.
type v0Monitor struct {
	ctx     context.Context // what is late is carried out although its caller has been answered
	face    *Face
	bridge  string
	options Options
	spawn   func(func()) // runs what is late
}

func newV0Handler(ctx context.Context, face *Face, bridge string, o Options, spawn func(func())) http.Handler {
	return &v0Monitor{ctx: ctx, face: face, bridge: bridge, options: o, spawn: spawn}
}

func (m *v0Monitor) do(f func(*world.V0Bridge, time.Time)) {
	m.face.Do(func(w *world.World) { f(w.V0Bridge(m.bridge), w.Now()) })
}

func (m *v0Monitor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, tooLarge := readLimited(r.Body, nextBodyLimit)
	var listening, hung bool
	m.do(func(b *world.V0Bridge, _ time.Time) { listening, hung = b.MonitorListening(), b.MonitorHung() })
	if !listening {
		refuse(w)
		return
	}
	if hung {
		<-r.Context().Done()
		return
	}
	if r.URL.Path != "/api/query_manager" && r.URL.Path != "/api/query_fetcher" {
		http.Error(w, "This page could not be found", http.StatusNotFound)
		return
	}
	if tooLarge {
		nextText(w, http.StatusRequestEntityTooLarge, "Body exceeded 1mb limit")
		return
	}
	message, err := parseNextBody(r.Header.Get("Content-Type"), body)
	if err != nil {
		nextText(w, http.StatusBadRequest, "Invalid JSON")
		return
	}
	call, err := decodeV0(message, r.URL.Path == "/api/query_fetcher")
	if err != nil { // its encoder throws where nobody catches
		m.do(func(b *world.V0Bridge, _ time.Time) { b.CrashMonitor() })
		refuse(w)
		return
	}
	reply, ok := m.ask(r, call)
	if !ok {
		nextText(w, http.StatusInternalServerError, "Internal Server Error")
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	_, _ = w.Write(marshal(reply))
}

// ask puts a call on the bus and waits for its reply, at most as long as the monitor does. What takes longer is carried
// out all the same.
func (m *v0Monitor) ask(r *http.Request, call v0Call) (reply v0Envelope, ok bool) {
	var reach world.V0Reach
	var write func()
	cost, limit := m.options.Latency, m.options.QueryTimeout
	m.do(func(b *world.V0Bridge, _ time.Time) {
		cost += b.Delay()
		if reach = b.Ask(call.fetcher, call.database); reach == world.V0Answered && call.prepare != nil {
			var err error
			if write, err = call.prepare(b); err != nil { // nothing is written
				call.perform = func(*world.V0Bridge) (v0Content, error) { return v0Content{}, err }
				call.items = 0
			}
		}
	})
	cost += time.Duration(call.items) * m.options.ItemTime
	switch {
	case reach == world.V0BusAbsent:
		<-r.Context().Done()
		return reply, false
	case reach == world.V0BusLost:
		m.wait(limit)
		m.do(func(b *world.V0Bridge, _ time.Time) { b.CrashMonitor() })
		return reply, false
	case reach == world.V0Silent || call.perform == nil:
		m.wait(limit)
		return reply, false
	case cost >= limit:
		m.spawn(func() {
			if m.wait(cost) {
				m.perform(call, write)
			}
		})
		m.wait(limit)
		return reply, false
	}
	m.wait(cost)
	if reply, ok = m.perform(call, write); !ok { // whoever would have answered has gone meanwhile
		m.wait(limit - cost)
		return reply, false
	}
	if call.remakes {
		m.wait(v0Remaking)
	}
	return reply, true
}

// wait is d of real time; false when the server closes before.
func (m *v0Monitor) wait(d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-m.ctx.Done():
		return false
	}
}

// v0Envelope is a reply as the monitor shows it.
type v0Envelope struct {
	From      string    `json:"from"`
	To        string    `json:"to"`
	Content   v0Content `json:"content"`
	CreatedAt string    `json:"createdAt"`
	Nonce     string    `json:"nonce"`
	NonceRef  string    `json:"nonceRef"`
	Type      string    `json:"type"`
	Context   v0Context `json:"context"`
}

// v0Context is an artefact of the monitor.
type v0Context struct {
	Dispatcher object `json:"dispatcher"`
}

type v0Content struct {
	List    *v0List    `json:"lifecycleManagerStateUpdate,omitempty"`
	States  *v0States  `json:"workerStateUpdate,omitempty"`
	Fetcher *v0Fetcher `json:"fetcherStateUpdate,omitempty"`
	Error   *v0Error   `json:"error,omitempty"`
}

type v0Error struct {
	Extra string `json:"extra"`
}

// perform writes what was prepared, acts and answers; false when nobody is there to do it.
func (m *v0Monitor) perform(call v0Call, write func()) (reply v0Envelope, ok bool) {
	m.do(func(b *world.V0Bridge, now time.Time) {
		if ok = b.Ask(call.fetcher, call.database) == world.V0Answered; !ok {
			return
		}
		reply = v0Envelope{From: "MTG_MANAGER", To: "MTG_APP", CreatedAt: strconv.FormatInt(now.UnixMilli(), 10),
			Nonce: uuid.NewString(), NonceRef: uuid.NewString(), Type: "MTP_REPLY"}
		if call.fetcher {
			reply.From = "MTG_FETCHER"
		}
		if write != nil {
			write()
		}
		content, err := call.perform(b)
		if err != nil {
			content = v0Content{Error: &v0Error{err.Error()}}
		}
		reply.Content = content
	})
	return reply, ok
}

// parseNextBody is Next's body parser: a JSON text by its content type, nothing as {}; a message without a command when it
// is anything else.
func parseNextBody(contentType string, body []byte) (jsObject, error) {
	if !isJSON(contentType) || len(body) == 0 {
		return nil, nil
	}
	if !json.Valid(body) {
		return nil, errNotJSON
	}
	o, err := parseObject(strings.TrimSpace(string(body)))
	if _, other := errors.AsType[*json.UnmarshalTypeError](err); other { // JSON, but no object
		return nil, nil
	}
	return o, err
}

// nextText answers with a text that has no content type.
func nextText(w http.ResponseWriter, status int, text string) {
	w.Header()["Content-Type"] = nil
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text)
}
