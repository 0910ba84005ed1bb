package wire

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"phalops/internal/fleet"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func newClient(t *testing.T, o Options) *Client {
	t.Helper()
	if o.Allow == nil {
		o.Allow = LoopbackOnly
	}
	c := New(o)
	t.Cleanup(c.Close)
	return c
}

func serve(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

// raw answers every connection with f and closes it.
func raw(t *testing.T, f func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() { defer conn.Close(); f(conn) })
		}
	})
	t.Cleanup(func() { l.Close(); wg.Wait() })
	return "http://" + l.Addr().String()
}

func readRequest(c net.Conn) {
	buf := make([]byte, 4096)
	_, _ = c.Read(buf)
}

func TestDoSendsWhatItIsGivenAndOurName(t *testing.T) {
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		user, password, _ := r.BasicAuth()
		w.WriteHeader(http.StatusTeapot)
		_, _ = io.WriteString(w, strings.Join([]string{r.Method, r.URL.RequestURI(), r.UserAgent(), r.Header.Get("X-A"), user, password, string(body)}, "|"))
	})
	c := newClient(t, Options{})
	resp, err := c.Do(t.Context(), Request{
		URL: strings.Replace(url, "//", "//me:pw@", 1) + "/p?q=1", Body: []byte("{}"), Header: http.Header{"X-A": {"b"}, "User-Agent": {"other"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := string(resp.Body), "POST|/p?q=1|phalops|b|me|pw|{}"; got != want || resp.Status != http.StatusTeapot {
		t.Errorf("got %d %q, want 418 %q", resp.Status, got, want)
	}
	if err := resp.Expect(url); ClassOf(err) != Status || IsAmbiguous(err) {
		t.Errorf("Expect: %v, want an unambiguous status error", err)
	}
	if err := resp.Expect(url, 200, 418); err != nil {
		t.Errorf("Expect with 418: %v", err)
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	var hits atomic.Int32
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		hits.Add(1)
		http.Redirect(w, r, "/elsewhere", http.StatusFound)
	})
	resp, err := newClient(t, Options{}).Do(t.Context(), Request{URL: url})
	if err != nil || resp.Status != http.StatusFound || hits.Load() != 1 {
		t.Errorf("got %v, %v after %d requests; want the 302 itself after one", resp, err, hits.Load())
	}
}

func TestProxyEnvironmentIsIgnored(t *testing.T) {
	proxy := serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "proxied") })
	for _, name := range []string{"HTTP_PROXY", "http_proxy", "ALL_PROXY"} {
		t.Setenv(name, proxy)
	}
	if f := New(Options{}).transport.Proxy; f != nil {
		t.Error("the transport has a proxy function")
	}
}

func TestFailuresAreClassified(t *testing.T) {
	hang := make(chan struct{})
	defer close(hang)
	dead := raw(t, func(net.Conn) {})
	gone := func() string { // a port where nobody listens any more
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		return "http://" + l.Addr().String()
	}()
	drip := func(c net.Conn) {
		readRequest(c)
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\n\r\n")
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for range tick.C {
			if _, err := io.WriteString(c, "x"); err != nil {
				return
			}
		}
	}
	cases := []struct {
		name, url string
		class     Class
		ambiguous bool
		is        error
	}{
		{"refused", gone, Refused, false, syscall.ECONNREFUSED},
		{"closed without an answer", dead, Closed, true, nil},
		{"reset", raw(t, func(c net.Conn) { readRequest(c); _ = c.(*net.TCPConn).SetLinger(0) }), Closed, true, nil},
		{"half a body", raw(t, func(c net.Conn) {
			readRequest(c)
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")
		}), Closed, true, io.ErrUnexpectedEOF},
		{"never answers", raw(t, func(c net.Conn) { readRequest(c); <-hang }), Timeout, true, context.DeadlineExceeded},
		{"drips for ever", raw(t, drip), Timeout, true, context.DeadlineExceeded},
		{"not HTTP", raw(t, func(c net.Conn) { readRequest(c); _, _ = io.WriteString(c, "220 smtp ready\r\n") }), Protocol, true, nil},
		{"announces too much", raw(t, func(c net.Conn) {
			readRequest(c)
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n")
			<-hang
		}), TooLarge, true, nil},
		{"endless headers", raw(t, func(c net.Conn) {
			readRequest(c)
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\n")
			for {
				if _, err := io.WriteString(c, "X-A: "+strings.Repeat("a", 1000)+"\r\n"); err != nil {
					return
				}
			}
		}), Protocol, true, nil},
		{"bad address", "http://[::1", Invalid, false, nil},
		{"other scheme", "ftp://127.0.0.1/", Invalid, false, nil},
	}
	c := newClient(t, Options{Timeout: 300 * time.Millisecond, MaxBody: 1 << 20})
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			start := time.Now()
			_, err := c.Do(t.Context(), Request{Method: "POST", URL: tc.url, Body: []byte("{}")})
			if ClassOf(err) != tc.class || IsAmbiguous(err) != tc.ambiguous {
				t.Errorf("got %v (class %q, ambiguous %v), want class %q, ambiguous %v", err, ClassOf(err), IsAmbiguous(err), tc.class, tc.ambiguous)
			}
			if tc.is != nil && !errors.Is(err, tc.is) {
				t.Errorf("errors.Is(%v, %v) is false", err, tc.is)
			}
			if r := fleet.ReasonOf(err); !strings.HasPrefix(r.Code, "wire.") {
				t.Errorf("no sentence for people: %v", r)
			}
			if took := time.Since(start); took > 2*time.Second {
				t.Errorf("took %v", took)
			}
		})
	}
}

func TestAnEndlessBodyIsCutAtTheLimit(t *testing.T) {
	var written atomic.Int64
	url := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		chunk := make([]byte, 32<<10)
		for {
			n, err := w.Write(chunk)
			written.Add(int64(n))
			if err != nil {
				return
			}
		}
	})
	_, err := newClient(t, Options{MaxBody: 1 << 20}).Do(t.Context(), Request{URL: url})
	if ClassOf(err) != TooLarge {
		t.Errorf("got %v, want too large", err)
	}
	if w := written.Load(); w > 64<<20 {
		t.Errorf("the server could write %d bytes", w)
	}
	exact := serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 1<<10)) })
	if _, err := newClient(t, Options{}).Do(t.Context(), Request{URL: exact, MaxBody: 1 << 10}); err != nil {
		t.Errorf("a reply of exactly the limit: %v", err)
	}
}

func TestCloseBreaksOffAndRefuses(t *testing.T) {
	hang, began := make(chan struct{}), make(chan struct{})
	url := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		close(began)
		select {
		case <-hang:
		case <-r.Context().Done():
		}
	})
	defer close(hang)
	c := New(Options{})
	result := make(chan error, 1)
	go func() {
		_, err := c.Do(t.Context(), Request{URL: url})
		result <- err
	}()
	<-began
	c.Close()
	if err := <-result; ClassOf(err) != Canceled {
		t.Errorf("in flight at Close: %v, want canceled", err)
	}
	if _, err := c.Do(t.Context(), Request{URL: url}); ClassOf(err) != Canceled || IsAmbiguous(err) {
		t.Errorf("after Close: %v, want canceled and nothing sent", err)
	}
}
