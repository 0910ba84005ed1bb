package wire

import (
	"compress/gzip"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"phalops/internal/clock"
	"phalops/internal/sim/world"
)

// upstream answers as the invented one behind the recorded proxy did.
func upstream(t *testing.T, lines []recorded) *httptest.Server {
	t.Helper()
	said := map[string]string{}
	for _, l := range lines {
		if path, ok := strings.CutPrefix(l.Request.Path, "/api/p/http%3A%2F%2F127.0.0.1%3A28412/"); ok && l.Response.Status == 200 {
			said[l.Request.Method+" /"+path] = l.Response.Body
		}
	}
	hangUp := func(w http.ResponseWriter, text string) {
		conn, buf, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		_, _ = buf.WriteString(text)
		_ = buf.Flush()
		_ = conn.Close()
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		path := r.URL.EscapedPath()
		code, isCode := strings.CutPrefix(path, "/code/")
		switch {
		case r.Header.Get("Content-Type") != "application/json":
			t.Errorf("%s arrived as %q", path, r.Header.Get("Content-Type"))
		case strings.HasPrefix(path, "/echo"):
			_, _ = w.Write(marshal(map[string]any{"method": r.Method, "path": r.URL.RequestURI(), "body": string(body),
				"headers": map[string]string{"authorization": r.Header.Get("Authorization"), "cookie": r.Header.Get("Cookie")}}))
		case isCode:
			n, _ := strconv.Atoi(code)
			w.WriteHeader(n)
			if n != 204 && n != 304 {
				_, _ = io.WriteString(w, `{"code":`+code+`}`)
			}
		case path == "/text500":
			w.WriteHeader(http.StatusInternalServerError)
			_, _ = io.WriteString(w, "thread panicked")
		case path == "/html502":
			w.WriteHeader(http.StatusBadGateway)
			_, _ = io.WriteString(w, "<html><body>502 Bad Gateway</body></html>")
		case path == "/gzip":
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			_, _ = io.WriteString(z, `{"gzip":true}`)
			_ = z.Close()
		case path == "/latin1":
			_, _ = w.Write([]byte("{\"bytes\":\"\xe9\xff\"}"))
		case path == "/redirect":
			http.Redirect(w, r, "/workers/status", http.StatusFound)
		case path == "/drop":
			hangUp(w, "")
		case path == "/half":
			hangUp(w, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"half\":")
		case path == "/wm/config":
			status, text := 200, said["POST /wm/config"]
			switch {
			case !json.Valid(body):
				status, text = 400, "Failed to parse the request body as JSON: expected value at line 1 column 1"
			case strings.Contains(string(body), "Nope"):
				status, text = 422, "Failed to deserialize the JSON body into the target type: unknown variant `Nope`"
			case strings.Contains(string(body), "AddPool"):
				status, text = 500, `{"error":true,"code":"ServerError","message":"Pool already exists!","backtrace":"disabled backtrace"}`
			}
			w.WriteHeader(status)
			_, _ = io.WriteString(w, text)
		case path == "/workers/restart" && r.Method == http.MethodGet:
			w.WriteHeader(http.StatusMethodNotAllowed)
		case path == "/headers":
			w.Header().Set("Set-Cookie", "a=b")
			w.Header().Set("Retry-After", "7")
			_, _ = io.WriteString(w, said["GET /headers"])
		default:
			method := r.Method
			if method == http.MethodHead {
				method = http.MethodGet
			}
			text, ok := said[method+" "+path]
			if !ok {
				w.WriteHeader(http.StatusTeapot)
				return
			}
			_, _ = io.WriteString(w, text)
		}
	}))
	t.Cleanup(s.Close)
	return s
}

// TestV3ProxyAnswersAsTheRealOne sends every recorded request through the simulated proxy to an upstream like the recorded one.
func TestV3ProxyAnswersAsTheRealOne(t *testing.T) {
	lines := recordingsIn(t, "prb-v3-monitor-proxy.jsonl", 59)
	w := world.New(epoch, 1)
	world.DefaultFleet(w, world.FleetOptions{Workers: 1, V3Workers: 1})
	monitor := httptest.NewServer(newV3MonitorHandler(NewFace(w, clock.NewVirtual(epoch)), "prb-v3"))
	defer monitor.Close()
	up := url.QueryEscape(upstream(t, lines).URL)
	nobody, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = nobody.Close()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DisableCompression: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	here := strings.NewReplacer("http%3A%2F%2F127.0.0.1%3A28412", up, "127.0.0.1%3A28412", strings.TrimPrefix(up, "http%3A%2F%2F"),
		"127.0.0.1%3A28499", url.QueryEscape(nobody.Addr().String()), "http%3A%2F%2F127.0.0.1%3A28412%2Fsub", up+"%2Fsub")
	for _, l := range lines {
		if l.Name == "no-such-host" {
			continue // nothing here asks a resolver
		}
		body := l.Request.Body
		for _, p := range l.Request.Parts {
			body += strings.Repeat(p.Text, max(1, p.Repeat))
		}
		q, err := http.NewRequestWithContext(t.Context(), l.Request.Method, monitor.URL+here.Replace(l.Request.Path), strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		for k, v := range l.Request.Headers {
			q.Header.Set(k, v)
		}
		r, err := client.Do(q)
		if err != nil {
			t.Errorf("%s: %v", l.Name, err)
			continue
		}
		got, _ := io.ReadAll(r.Body)
		_ = r.Body.Close()
		want := here.Replace(l.Response.Body)
		if r.StatusCode != l.Response.Status || !sameEcho(string(got), want) {
			t.Errorf("%s: %d %s; want %d %s", l.Name, r.StatusCode, got, l.Response.Status, want)
		}
		for _, dropped := range []string{"Content-Type", "Set-Cookie", "Retry-After"} {
			if r.Header.Get(dropped) != "" {
				t.Errorf("%s: %s is told: %s", l.Name, dropped, r.Header.Get(dropped))
			}
		}
	}
}

// sameEcho compares replies; of an echo what the upstream saw of the caller's own.
func sameEcho(got, want string) bool {
	type echo struct {
		Method, Path, Body string
		Headers            struct{ Authorization, Cookie string }
	}
	if !strings.HasPrefix(want, `{"method":`) {
		return got == want
	}
	var a, b echo
	return json.Unmarshal([]byte(got), &a) == nil && json.Unmarshal([]byte(want), &b) == nil && a == b
}

func FuzzProxyBody(f *testing.F) {
	for _, s := range []string{`{}`, `"GetAllPools"`, `{ "b" : 1, "a" : 12345678901234567890 }`, `[1e400,-0,1e-7,1e21,[],{"a":1,"a":2}]`, `0`, `{"a":`} {
		f.Add("application/json", []byte(s))
	}
	f.Add("application/x-www-form-urlencoded", []byte("a=1&b=%zz"))
	f.Add("application/octet-stream", []byte{0, 255})
	f.Fuzz(func(t *testing.T, contentType string, body []byte) {
		if len(body) > 1<<12 {
			return
		}
		text, ok := proxyBody(contentType, body)
		if ok && contentType == "application/json" && text != "" && (text[0] == '{' || text[0] == '[') && body[0] != '"' && !json.Valid([]byte(text)) {
			t.Errorf("%q became %q", body, text)
		}
	})
}

func TestJSNumbers(t *testing.T) {
	for in, want := range map[string]string{"12345678901234567890": "12345678901234567000", "1e21": "1e+21", "0.0000001": "1e-7", "0.000001": "0.000001",
		"-0": "0", "1.50": "1.5", "1e400": "null", "9007199254740993": "9007199254740992", "-12e2": "-1200"} {
		if got, ok := jsReencode([]byte("[" + in + "]")); !ok || got != "["+want+"]" {
			t.Errorf("%s is %s, want %s", in, got, want)
		}
	}
}
