package wire

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"

	"phalops/internal/sim/world"
)

// v3Monitor serves a v3 monitor, of which a program sees only the proxy /api/p/<endpoint>/…: it forwards to whatever address
// it is told, here on loopback only.
type v3Monitor struct {
	face   *Face
	bridge string
	client *http.Client
}

// proxyBodyLimit is Next.js's default.
const proxyBodyLimit = 1 << 20

func newV3MonitorHandler(face *Face, bridge string) http.Handler {
	dialer := &net.Dialer{ControlContext: loopbackOnly}
	return &v3Monitor{face, bridge, &http.Client{
		Transport: &http.Transport{DialContext: dialer.DialContext, DisableKeepAlives: true},
		CheckRedirect: func(q *http.Request, via []*http.Request) error {
			if len(via) > 20 {
				return errors.New("redirect count exceeded")
			}
			if q.Method == via[0].Method {
				q.Header.Set("Content-Type", "application/json")
			}
			return nil
		},
	}}
}

var errNotLoopback = errors.New("the simulated world dials loopback addresses only")

func loopbackOnly(_ context.Context, _, address string, _ syscall.RawConn) error {
	host, _, err := net.SplitHostPort(address)
	if err == nil && net.ParseIP(host).IsLoopback() {
		return nil
	}
	return errNotLoopback
}

func (m *v3Monitor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, tooLarge := readLimited(r.Body, proxyBodyLimit)
	var listening, hung bool
	m.face.Do(func(w *world.World) {
		b := w.V3Bridge(m.bridge)
		listening, hung = b.MonitorListening(), b.MonitorHung()
	})
	switch {
	case !listening:
		refuse(w)
		return
	case hung:
		<-r.Context().Done()
		return
	}
	path := r.URL.EscapedPath()
	if to := collapsed(path); to != path {
		w.Header().Set("Location", to)
		proxyText(w, http.StatusPermanentRedirect, to)
		return
	}
	rest, ok := strings.CutPrefix(path, "/api/p/")
	if !ok || rest == "" {
		proxyText(w, http.StatusNotFound, "This page could not be found.")
		return
	}
	if tooLarge {
		proxyText(w, http.StatusRequestEntityTooLarge, "Body exceeded 1mb limit")
		return
	}
	forwarded, ok := proxyBody(r.Header.Get("Content-Type"), body)
	if !ok {
		proxyText(w, http.StatusBadRequest, "Invalid JSON")
		return
	}
	status, text, err := m.forward(r, rest, forwarded)
	if err != nil {
		proxyText(w, http.StatusInternalServerError, "Internal Server Error")
		return
	}
	proxyText(w, status, text)
}

// collapsed is a path without slashes in a row or at its end.
func collapsed(path string) string {
	for strings.Contains(path, "//") {
		path = strings.ReplaceAll(path, "//", "/")
	}
	if len(path) > 1 {
		path = strings.TrimSuffix(path, "/")
	}
	return path
}

func proxyText(w http.ResponseWriter, status int, text string) {
	w.Header()["Content-Type"] = nil // and none that is guessed
	w.WriteHeader(status)
	if status != http.StatusNoContent && status != http.StatusNotModified {
		_, _ = io.WriteString(w, text)
	}
}

// forward asks the upstream: the first part of the path is its address, against which the other parts are resolved, so that
// the last part of a path in the address is lost; the query string is forgotten.
func (m *v3Monitor) forward(r *http.Request, rest, body string) (int, string, error) {
	parts := strings.Split(rest, "/")
	for i, p := range parts {
		plain, err := url.PathUnescape(p)
		if err != nil {
			return 0, "", err
		}
		parts[i] = plain
	}
	base, err := url.Parse(parts[0])
	if err != nil || base.Scheme != "http" && base.Scheme != "https" || base.Host == "" {
		return 0, "", errors.New("invalid URL")
	}
	relative, err := url.Parse(strings.Join(parts[1:], "/"))
	if err != nil {
		return 0, "", err
	}
	to := base.ResolveReference(relative)
	var content io.Reader
	if body != "" {
		if r.Method == http.MethodGet || r.Method == http.MethodHead {
			return 0, "", errors.New("a request with method GET or HEAD cannot have a body")
		}
		content = strings.NewReader(body)
	}
	q, err := http.NewRequestWithContext(r.Context(), r.Method, to.String(), content)
	if err != nil {
		return 0, "", err
	}
	q.Header = r.Header.Clone()
	for _, name := range []string{"Content-Length", "Transfer-Encoding", "Connection", "Accept-Encoding"} {
		q.Header.Del(name)
	}
	q.Header.Set("Content-Type", "application/json")
	q.Header.Set("X-Forwarded-Host", r.Host)
	q.Header.Set("X-Forwarded-Proto", "http")
	reply, err := m.client.Do(q)
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = reply.Body.Close() }()
	text, err := io.ReadAll(reply.Body)
	return reply.StatusCode, string([]rune(string(text))), err // each byte that is no UTF-8 is replaced
}

// proxyBody is what the proxy makes of a request body: JSON is parsed and written again, a form becomes an object, text stays.
// A JSON text loses its quotes, and a value that JavaScript calls false is no body at all.
func proxyBody(contentType string, body []byte) (string, bool) {
	kind, _, _ := strings.Cut(contentType, ";")
	switch strings.TrimSpace(strings.ToLower(kind)) {
	case "application/json", "application/ld+json":
		if len(body) == 0 {
			return "{}", true
		}
		return jsReencode(body)
	case "application/x-www-form-urlencoded":
		form, err := url.ParseQuery(string(body))
		if err != nil {
			return "{}", true
		}
		fields := map[string]string{}
		for k, v := range form {
			fields[k] = v[0]
		}
		return string(marshal(fields)), true
	case "", "text/plain":
		return string(body), true
	}
	data := make([]int, len(body))
	for i, b := range body {
		data[i] = int(b)
	}
	return string(marshal(struct {
		Type string `json:"type"`
		Data []int  `json:"data"`
	}{"Buffer", data})), true
}

// jsReencode is JSON.stringify(JSON.parse(body)); a number keeps what a float64 can hold.
func jsReencode(body []byte) (string, bool) {
	if !json.Valid(body) {
		return "", false
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var out bytes.Buffer
	if err := jsValue(d, &out); err != nil {
		return "", false
	}
	text := out.String()
	switch text {
	case "0", "false", "null", `""`:
		return "", true
	}
	var bare string
	if text[0] == '"' && json.Unmarshal(out.Bytes(), &bare) == nil {
		return bare, true
	}
	return text, true
}
