package substrate

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"phalops/internal/fleet"
	"phalops/internal/wire"
)

// byPort answers system_chain on some ports; every other one refuses.
type byPort map[string]string

func (p byPort) Post(_ context.Context, url, _ string, _ []byte) (int, []byte, error) {
	port := url[strings.LastIndex(url, ":")+1:]
	switch reply := p[port]; reply {
	case "":
		return 0, nil, fmt.Errorf("%s refuses", port)
	case "ws": // an old WebSocket port
		return 400, []byte("Bad Request"), nil
	case "denied":
		return 200, []byte(`{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"Method not found"}}`), nil
	default:
		return 200, fmt.Appendf(nil, `{"jsonrpc":"2.0","id":1,"result":%q}`, reply), nil
	}
}

func TestProbeFindsTheHTTPPorts(t *testing.T) {
	for name, tc := range map[string]struct {
		ports byPort
		want  Found
	}{
		"new":               {byPort{"9944": "Khala", "9945": "Kusama"}, Found{"http://h:9944", "http://h:9945", "Khala", "Kusama", false}},
		"old":               {byPort{"9944": "ws", "9945": "ws", "9933": "Khala", "9934": "Kusama"}, Found{"http://h:9933", "http://h:9934", "Khala", "Kusama", true}},
		"old, only HTTP":    {byPort{"9933": "Khala", "9934": "Kusama"}, Found{"http://h:9933", "http://h:9934", "Khala", "Kusama", true}},
		"one chain":         {byPort{"9944": "Anything"}, Found{Para: "http://h:9944", ParaChain: "Anything"}},
		"a node that hides": {byPort{"9944": "denied", "9945": "Kusama"}, Found{"http://h:9944", "http://h:9945", "", "Kusama", false}},
		"both":              {byPort{"9944": "Khala", "9933": "Other", "9945": "Kusama"}, Found{"http://h:9944", "http://h:9945", "Khala", "Kusama", false}},
	} {
		if got, err := Probe(t.Context(), tc.ports, "h"); err != nil || got != tc.want {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	_, err := Probe(t.Context(), byPort{"9944": "ws"}, "fd00::1")
	if r := fleet.ReasonOf(err); r.Code != "substrate.no_rpc" || !strings.Contains(err.Error(), "9933 refuses") {
		t.Errorf("nobody there: %v", err)
	}
}

func TestPeerHeights(t *testing.T) {
	got, err := result(`[{"bestNumber":7},{"bestNumber":900},{"bestNumber":9},{"roles":"FULL"}]`).PeerHeights(t.Context())
	if err != nil || !slices.Equal(got, []uint64{900, 9, 7}) {
		t.Errorf("%v, %v", got, err)
	}
	if h, ok := Agreed([]uint64{7, 900, 9}); !ok || h != 9 {
		t.Errorf("a single liar decides: %d, %v", h, ok)
	}
	for _, few := range [][]uint64{nil, {5}} {
		if h, ok := Agreed(few); ok {
			t.Errorf("%v agree on %d", few, h)
		}
	}
	_, err = always(200, `{"jsonrpc":"2.0","id":$ID,"error":{"code":-32601,"message":"RPC call is unsafe to be called externally"}}`).PeerHeights(t.Context())
	if !IsMissing(err) {
		t.Errorf("a refusal: %v", err)
	}
}

// hostile serves f on loopback and returns a client of it with small limits.
func hostile(t *testing.T, f http.HandlerFunc) (*Client, *wire.Client) {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // only then does a server notice that its client has gone
		f(w, r)
	}))
	w := wire.New(wire.Options{Allow: wire.LoopbackOnly, Timeout: 300 * time.Millisecond, MaxBody: 1 << 20})
	t.Cleanup(func() { w.Close(); s.Close() })
	return New(s.URL, w), w
}

// Whatever a server does, a question ends soon, with an error, and with a sentence for people.
func TestHostileServers(t *testing.T) {
	for name, tc := range map[string]struct {
		serve http.HandlerFunc
		class wire.Class
	}{
		"endless": {func(w http.ResponseWriter, r *http.Request) {
			zeros := strings.Repeat("0", 1<<16)
			_, err := fmt.Fprint(w, `{"jsonrpc":"2.0","id":1,"result":"0x`)
			for err == nil && r.Context().Err() == nil {
				_, err = fmt.Fprint(w, zeros)
			}
		}, wire.TooLarge},
		"200 MB announced": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "209715200")
			_, _ = fmt.Fprint(w, `{"jsonrpc"`)
		}, wire.TooLarge},
		"never answers": {func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, wire.Timeout},
		"a byte at a time": {func(w http.ResponseWriter, r *http.Request) {
			tick := time.NewTicker(20 * time.Millisecond)
			defer tick.Stop()
			for _, b := range `{"jsonrpc":"2.0","id":1,"result":"Khala, and much more than that"}` {
				_, _ = fmt.Fprint(w, string(b))
				_ = http.NewResponseController(w).Flush()
				select {
				case <-tick.C:
				case <-r.Context().Done():
					return
				}
			}
		}, wire.Timeout},
		"breaks off": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "500")
			_, _ = fmt.Fprint(w, `{"jsonrpc":"2.0","id":1,"result":"Kha`)
		}, wire.Closed},
		"resets": {func(w http.ResponseWriter, _ *http.Request) {
			conn, _, _ := http.NewResponseController(w).Hijack()
			_ = conn.(*net.TCPConn).SetLinger(0)
			_ = conn.Close()
		}, wire.Closed},
		"a bomb of lists":  {func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(w, strings.Repeat("[", 1<<19)) }, ""},
		"nulls":            {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 1000)) }, ""},
		"redirects itself": {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/", http.StatusFound) }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			node, transport := hostile(t, tc.serve)
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			defer cancel()
			_, err := node.Chain(ctx)
			if err == nil || ctx.Err() != nil || wire.ClassOf(err) != tc.class || fleet.ReasonOf(err).IsZero() {
				t.Errorf("the node: %v (%s), want %q", err, wire.ClassOf(err), tc.class)
			}
			_, err = ReadCache(ctx, transport, node.URL())
			if err == nil || ctx.Err() != nil || wire.ClassOf(err) != tc.class || fleet.ReasonOf(err).IsZero() {
				t.Errorf("the cache: %v (%s), want %q", err, wire.ClassOf(err), tc.class)
			}
		})
	}
}

func TestProbeEndsWithItsContext(t *testing.T) {
	_, transport := hostile(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Probe(ctx, transport, "127.0.0.1"); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}
