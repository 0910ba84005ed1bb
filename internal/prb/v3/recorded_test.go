package v3

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"phalops/internal/fleet"
	"phalops/internal/testkit"
	"phalops/internal/wire"
)

var update = flag.Bool("update", false, "write the golden files")

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type recorded struct {
	Name    string
	Request struct {
		Method, Path, Body string
		Headers            map[string]string
		BodyParts          []struct {
			Text   string
			Repeat int
		} `json:"body_parts"`
	}
	Response struct {
		Status int
		Body   string
	}
}

func (r recorded) body() string {
	body := r.Request.Body
	for _, p := range r.Request.BodyParts {
		body += strings.Repeat(p.Text, max(1, p.Repeat))
	}
	return body
}

const recordedBase = "/api/p/http%3A%2F%2F127.0.0.1%3A28412/"

func recordings(t *testing.T) []recorded {
	t.Helper()
	f := bytes.NewReader(testkit.Shared(t, "data", "replies", "prb-v3-monitor-proxy.jsonl"))
	var all []recorded
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 8<<20)
	for lines.Scan() {
		var r recorded
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			t.Fatal(err)
		}
		all = append(all, r)
	}
	if len(all) != 59 || lines.Err() != nil {
		t.Fatalf("%d recordings, %v", len(all), lines.Err())
	}
	return all
}

func newClient(t *testing.T, o Options) *Client {
	t.Helper()
	if o.HTTP == nil {
		o.HTTP = wire.New(wire.Options{Allow: wire.LoopbackOnly})
		t.Cleanup(o.HTTP.Close)
	}
	c, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Every reply of the real proxy comes to the outcome in the golden file: an error with its sentence, or its data.
func TestEveryRecordedReplyIsUnderstood(t *testing.T) {
	c := newClient(t, Options{URL: "http://wm:3001", Proxy: "http://monitor:3000"})
	var out strings.Builder
	for _, r := range recordings(t) {
		data, err := c.decodeReply(r.Response.Status, []byte(r.Response.Body), question{name: "Q"})
		fmt.Fprintf(&out, "%-24s ", r.Name)
		if err != nil {
			ambiguous := ""
			if faultOf(err).ambiguous() {
				ambiguous = " | maybe carried out"
			}
			fmt.Fprintf(&out, "%s | %s | %s%s\n", faultOf(err), fleet.KindOf(err), fleet.ReasonOf(err), ambiguous)
			continue
		}
		fmt.Fprintf(&out, "ok, %d bytes\n", len(data))
	}
	golden(t, "recorded.golden", out.String())
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s differs (-want +got; -update writes it):\n%s", path, diff)
	}
}

// The recorded server answers only what was recorded, and only when method, whole address, content type and body are those
// of the recording, byte for byte.
func TestTheClientAsksAsTheRecordingsDo(t *testing.T) {
	var next recorded
	hit := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		hit++
		body, _ := io.ReadAll(r.Body)
		if r.Method != next.Request.Method || r.RequestURI != next.Request.Path || string(body) != next.Request.Body ||
			r.Header.Get("Content-Type") != next.Request.Headers["Content-Type"] {
			t.Errorf("%s: got %s %s %q %s", next.Name, r.Method, r.RequestURI, r.Header.Get("Content-Type"), body)
		}
		w.Header()["Content-Type"] = nil
		w.WriteHeader(next.Response.Status)
		_, _ = io.WriteString(w, next.Response.Body)
	}))
	defer server.Close()
	c := newClient(t, Options{URL: "http://127.0.0.1:28412/", Proxy: server.URL + "/"})
	ask := map[string]func() error{
		"workers-status": func() error {
			all, err := c.Contexts(t.Context())
			if err == nil && (len(all) != 2 || all[0].State != "Working" || all[0].Message != "Computing Now!" || all[0].PID != 7 ||
				all[1].State != "HasError" || !strings.Contains(all[1].Message, " received 41 RpcError from pRuntime")) {
				t.Errorf("got %+v", all)
			}
			return err
		},
		"tx-status": func() error {
			tx, err := c.Transactions(t.Context())
			if err == nil && (tx.Count != 0 || tx.Past != nil) {
				t.Errorf("got %+v", tx)
			}
			return err
		},
		"wm-status": func() error {
			m, err := c.Manager(t.Context())
			if m.Commit != "0123456789abcdef0123456789abcdef01234567" || m.Built.Year() != 2024 || m.Dirty {
				t.Errorf("got %+v", m)
			}
			return err
		},
		"wm-config-text-plain": func() error {
			data, err := c.read(t.Context(), "GetAllPools", nil)
			if err != nil {
				return err
			}
			pools, err := decodeEach(data, "", decodePool)
			if len(pools) != 1 || pools[0].Name != "pool7" || pools[0].PID != 7 || !pools[0].Enabled || pools[0].Workers != nil {
				t.Errorf("got %+v", pools)
			}
			return err
		},
		"wm-config-server-error": func() error {
			return c.write(t.Context(), PoolSpec{PID: 7, Name: "pool7", Enabled: true}.edit("AddPool"), nil)
		},
		"workers-restart": func() error {
			return c.act(t.Context(), "workers/restart", idList{[]string{"0b0c9d2e-0000-11ef-8000-000000000001"}})
		},
	}
	want := map[string]string{"wm-config-server-error": "prb3.failed"}
	asked := 0
	for _, next = range recordings(t) {
		f, special := ask[next.Name]
		if route, ok := strings.CutPrefix(next.Request.Path, recordedBase); !special && ok && next.Request.Method == http.MethodGet &&
			len(next.Request.Headers) == 0 && !strings.HasPrefix(route, "/") && route != "" {
			f = func() error { _, _ = c.call(t.Context(), question{method: "GET", route: route}); return nil }
		}
		if f == nil {
			continue // what this client never sends
		}
		asked++
		if err := f(); fleet.ReasonOf(err).Code != want[next.Name] {
			t.Errorf("%s: %v", next.Name, err)
		}
	}
	if asked < 36 || hit != asked {
		t.Errorf("%d recordings were asked for, %d requests came", asked, hit)
	}
}

// The proxy that the other tests go through gives the recorded answers, and hands on what the recorded one handed on.
func TestTheProxyIsAsRecorded(t *testing.T) {
	proxy := newProxy(t)
	var now recorded
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		switch {
		case strings.HasPrefix(r.URL.Path, "/echo"):
			_ = json.NewEncoder(w).Encode(map[string]string{"method": r.Method, "path": r.URL.RequestURI(), "body": string(body)})
		case r.URL.Path == "/redirect":
			http.Redirect(w, r, "/workers/status", http.StatusFound)
		case r.URL.Path == "/drop":
			panic(http.ErrAbortHandler)
		case r.URL.Path == "/half":
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, "{")
		case strings.HasPrefix(r.URL.Path, "/sub/dir"):
			t.Errorf("%s: the path of the base came through", now.Name)
		default:
			w.Header().Set("Set-Cookie", "k=v")
			w.WriteHeader(now.Response.Status)
			_, _ = io.WriteString(w, now.Response.Body)
		}
	}))
	defer upstream.Close()
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	ours := strings.TrimPrefix(strings.ReplaceAll(upstream.URL, ":", "%3A"), "http%3A//")
	checked := 0
	for _, now = range recordings(t) {
		switch now.Name {
		case "slow-15s", "gzip", "not-utf8", "no-such-host", "code-301", "code-304", "code-204", "head", "echo-options", "echo-authorization":
			continue // nothing that the client's tests need
		}
		path := strings.ReplaceAll(now.Request.Path, "127.0.0.1%3A28412", ours)
		req, err := http.NewRequestWithContext(t.Context(), now.Request.Method, proxy.URL+path, strings.NewReader(now.body()))
		if err != nil {
			t.Fatal(err)
		}
		for k, v := range now.Request.Headers {
			req.Header.Set(k, v)
		}
		resp, err := transport.RoundTrip(req)
		if err != nil {
			t.Fatalf("%s: %v", now.Name, err)
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		got, want := string(body), strings.ReplaceAll(now.Response.Body, "127.0.0.1%3A28412", ours)
		if strings.HasPrefix(now.Name, "echo-") {
			got, want = echoed(t, got), echoed(t, want)
		}
		if err != nil || resp.StatusCode != now.Response.Status || got != want || resp.Header.Get("Content-Type") != "" || resp.Header.Get("Set-Cookie") != "" {
			t.Errorf("%s: got %d %q %v (%v), want %d %q", now.Name, resp.StatusCode, got, resp.Header, err, now.Response.Status, want)
		}
		checked++
	}
	if checked < 45 {
		t.Errorf("%d checked", checked)
	}
}

// echoed is what of an echo is told about the request, the order of a body's fields aside.
func echoed(t *testing.T, text string) string {
	t.Helper()
	var e struct{ Method, Path, Body string }
	if err := json.Unmarshal([]byte(text), &e); err != nil {
		t.Fatal(errors.Join(err, errors.New(text)))
	}
	var v any
	if json.Unmarshal([]byte(e.Body), &v) == nil {
		sorted, _ := json.Marshal(v)
		e.Body = string(sorted)
	}
	return e.Method + " " + e.Path + " " + e.Body
}
