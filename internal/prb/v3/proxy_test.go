package v3

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// newProxy is the monitor's proxy as it was recorded (TestTheProxyIsAsRecorded holds it against that).
func newProxy(t *testing.T) *httptest.Server {
	t.Helper()
	transport := &http.Transport{}
	client := &http.Client{Transport: transport}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		say := func(status int, body []byte) {
			w.Header()["Content-Type"] = nil
			w.WriteHeader(status)
			_, _ = w.Write(body)
		}
		path := r.URL.EscapedPath()
		if strings.Contains(path, "//") || strings.HasSuffix(path, "/") {
			to := strings.TrimSuffix(path, "/")
			for strings.Contains(to, "//") {
				to = strings.ReplaceAll(to, "//", "/")
			}
			say(http.StatusPermanentRedirect, []byte(to))
			return
		}
		rest, ok := strings.CutPrefix(path, "/api/p/")
		base, rest, _ := strings.Cut(rest, "/")
		target, err := url.PathUnescape(base)
		if !ok || err != nil {
			say(http.StatusNotFound, []byte("<!DOCTYPE html>"))
			return
		}
		body, _ := io.ReadAll(r.Body)
		if len(body) > 1<<20 {
			say(http.StatusRequestEntityTooLarge, []byte("Body exceeded 1mb limit"))
			return
		}
		if len(body) > 0 && strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
			if body, ok = reencode(body); !ok {
				say(http.StatusBadRequest, []byte("Invalid JSON"))
				return
			}
		}
		u, err := url.Parse(target)
		if err != nil || u.Host == "" {
			say(http.StatusInternalServerError, []byte("Internal Server Error"))
			return
		}
		rest = strings.NewReplacer("%2F", "/", "%2f", "/").Replace(rest)
		req, err := http.NewRequestWithContext(r.Context(), r.Method, u.Scheme+"://"+u.Host+"/"+rest, bytes.NewReader(body))
		if err != nil {
			say(http.StatusInternalServerError, []byte("Internal Server Error"))
			return
		}
		req.Header.Set("Content-Type", "application/json")
		resp, err := client.Do(req)
		if err != nil {
			say(http.StatusInternalServerError, []byte("Internal Server Error"))
			return
		}
		defer resp.Body.Close()
		reply, err := io.ReadAll(resp.Body)
		if err != nil {
			say(http.StatusInternalServerError, []byte("Internal Server Error"))
			return
		}
		say(resp.StatusCode, bytes.ToValidUTF8(reply, []byte("�")))
	}))
	t.Cleanup(func() { s.Close(); transport.CloseIdleConnections() })
	return s
}

// reencode does to a body what JavaScript does: numbers become doubles, a bare string is passed on without its quotes, and
// what is falsy is no body at all.
func reencode(body []byte) ([]byte, bool) {
	var v any
	if json.Unmarshal(body, &v) != nil {
		return nil, false
	}
	switch v := v.(type) {
	case nil:
		return nil, true
	case string:
		return []byte(v), true
	case bool:
		if !v {
			return nil, true
		}
	case float64:
		if v == 0 {
			return nil, true
		}
	}
	out, err := json.Marshal(v)
	return out, err == nil
}
