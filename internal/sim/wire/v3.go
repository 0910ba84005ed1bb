package wire

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"phalops/internal/sim/world"
)

// axumBodyLimit is axum's default.
const axumBodyLimit = 2 << 20

// wm serves prb-wm's own port, without a login, a redirect or a CORS header, as the real one.
type wm struct {
	ctx    context.Context // ends with the server
	face   *Face
	bridge string
}

func newWMHandler(ctx context.Context, face *Face, bridge string) http.Handler {
	return &wm{ctx, face, bridge}
}

// wmReply is a reply on its way. A panic in the handler closes the connection without one.
type wmReply struct {
	status      int
	contentType string
	body        []byte
	panics      bool
}

func wmJSON(status int, v any) wmReply { return wmReply{status, "application/json", marshal(v), false} }

func wmText(status int, text string) wmReply {
	return wmReply{status, "text/plain; charset=utf-8", []byte(text), false}
}

type wmOK struct {
	OK bool `json:"ok"`
}

// wmError is every failure's reply.
func wmError(err error) wmReply {
	var unknown world.V3NotFound
	switch {
	case errors.As(err, &unknown):
		id := string(marshal(unknown.ID))
		return wmJSON(http.StatusBadRequest, struct {
			Error   bool   `json:"error"`
			Code    string `json:"code"`
			Message string `json:"message"`
		}{true, "WorkerNotFound(" + id + ")", err.Error()})
	case errors.Is(err, world.V3Panic{}):
		return wmReply{panics: true}
	}
	return wmJSON(http.StatusInternalServerError, struct {
		Error     bool   `json:"error"`
		Code      string `json:"code"`
		Message   string `json:"message"`
		Backtrace string `json:"backtrace"`
	}{true, "ServerError", err.Error(), "disabled backtrace"})
}

func (m *wm) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, tooLarge := readLimited(r.Body, axumBodyLimit)
	var listening, hung bool
	var delay time.Duration
	m.do(func(b *world.V3Bridge) { listening, hung, delay = b.Listening(), b.Hung(), b.Delay() })
	switch {
	case !listening:
		refuse(w)
		return
	case hung:
		<-r.Context().Done()
		return
	}
	if delay > 0 {
		t := time.NewTimer(delay)
		defer t.Stop()
		select {
		case <-t.C:
		case <-m.ctx.Done():
		}
	}
	var reply wmReply
	m.do(func(b *world.V3Bridge) { reply = m.route(b, r, body, tooLarge) })
	if reply.panics {
		refuse(w)
		return
	}
	w.Header()["Content-Type"] = nil
	if reply.contentType != "" {
		w.Header().Set("Content-Type", reply.contentType)
	}
	w.WriteHeader(reply.status)
	_, _ = w.Write(reply.body)
}

func (m *wm) do(f func(*world.V3Bridge)) {
	m.face.Do(func(w *world.World) { f(w.V3Bridge(m.bridge)) })
}

// wmMethods are the methods of the routes.
func wmMethods(b *world.V3Bridge) map[string]string {
	routes := map[string]string{
		"/wm/status": http.MethodGet, "/wm/restart": http.MethodPut, "/wm/config": http.MethodPost,
		"/workers/status": http.MethodGet, "/workers/restart": http.MethodPut, "/workers/force_register": http.MethodPut,
		"/workers/update_endpoints": http.MethodPut, "/workers/take_checkpoint": http.MethodPut, "/tx/status": http.MethodGet,
	}
	if b.V30 {
		delete(routes, "/workers/take_checkpoint")
	}
	return routes
}

// route answers; the paths are exact, so that a trailing slash makes an unknown one.
func (m *wm) route(b *world.V3Bridge, r *http.Request, body []byte, tooLarge bool) wmReply {
	method, known := wmMethods(b)[r.URL.Path]
	switch {
	case !known:
		return wmReply{status: http.StatusTeapot}
	case r.Method != method && (r.Method != http.MethodHead || method != http.MethodGet):
		return wmReply{status: http.StatusMethodNotAllowed}
	}
	switch r.URL.Path {
	case "/wm/status":
		return wmJSON(http.StatusOK, struct {
			Revision string `json:"git_revision"`
		}{wmRevision(b)})
	case "/wm/restart":
		if b.Reload() {
			return wmJSON(http.StatusOK, wmOK{true})
		}
		return wmJSON(http.StatusMethodNotAllowed, wmOK{true}) // sic
	case "/workers/status":
		return wmJSON(http.StatusOK, showV3Workers(b))
	case "/tx/status":
		return wmJSON(http.StatusOK, showV3Transactions(b))
	}
	if refused, ok := axumJSON(r.Header.Get("Content-Type"), body, tooLarge); !ok {
		return refused
	}
	if r.URL.Path == "/wm/config" {
		return wmConfig(b, body)
	}
	return wmAct(b, r.URL.Path, body)
}

func wmRevision(b *world.V3Bridge) string {
	if b.V30 {
		return "99e7a2c870000000000000000000000000000000-20240501000000"
	}
	return "654b1b6990000000000000000000000000000000-20251207000000"
}

// axumJSON is what the extractor refuses before it looks at the shape.
func axumJSON(contentType string, body []byte, tooLarge bool) (wmReply, bool) {
	switch {
	case !isJSON(contentType):
		return wmText(http.StatusUnsupportedMediaType, "Expected request with `Content-Type: application/json`"), false
	case tooLarge:
		return wmText(http.StatusRequestEntityTooLarge, "Failed to buffer the request body: length limit exceeded"), false
	case !json.Valid(body):
		return wmText(http.StatusBadRequest, "Failed to parse the request body as JSON: "+serdeSyntax(body)), false
	}
	return wmReply{}, true
}

// wmAct asks for an action with workers.
func wmAct(b *world.V3Bridge, path string, body []byte) wmReply {
	f := newSerde(body)
	var ids []string
	action := map[string]world.V3Action{"/workers/restart": world.V3Restart, "/workers/force_register": world.V3ForceRegister,
		"/workers/update_endpoints": world.V3UpdateEndpoints, "/workers/take_checkpoint": world.V3TakeCheckpoint}[path]
	if action == world.V3UpdateEndpoints {
		for _, raw := range f.list("requests") {
			q := newSerde(raw)
			ids = append(ids, q.text("id"))
			q.texts("endpoints")
			f.take(q)
		}
	} else {
		ids = f.texts("ids")
	}
	if f.problem != "" {
		return f.refused()
	}
	if err := b.Act(action, ids); err != nil {
		return wmError(err)
	}
	return wmJSON(http.StatusOK, wmOK{true})
}
