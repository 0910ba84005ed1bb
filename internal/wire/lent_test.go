package wire

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestLentMemoryKeepsRequestsAndRepliesApart(t *testing.T) {
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		_, _ = w.Write(body)
	})
	c := newClient(t, Options{})
	var wg sync.WaitGroup
	for _, letter := range []string{"a", "b", "c", "d"} {
		wg.Go(func() {
			for i := range 30 {
				want := strings.Repeat(letter, 1+i*7919%90_000)
				status, reply, free, err := c.PostLent(t.Context(), url, "text/plain", func(b []byte) []byte { return append(b, want...) })
				if err != nil || status != http.StatusOK || string(reply) != want {
					t.Errorf("%d of %q come back as %d, %.20q: %v", len(want), letter, len(reply), reply, err)
					return
				}
				free()
			}
		})
	}
	wg.Wait()
}

// TestLentRequestIsKeptWhileItIsSent: a server that answers at once and reads later gets what was meant for it, not the next request.
func TestLentRequestIsKeptWhileItIsSent(t *testing.T) {
	const size = kept - 4096 // more than sockets take at first
	url := raw(t, func(conn net.Conn) {
		head := make([]byte, 4096)
		n, _ := conn.Read(head)
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok")
		_, body, _ := bytes.Cut(head[:n], []byte("\r\n\r\n"))
		_ = conn.SetReadDeadline(time.Now().Add(5 * time.Second))
		more, _ := io.ReadAll(io.LimitReader(conn, size-int64(len(body)))) // the client may hang up
		if all := append(body, more...); len(all) > 0 && strings.Trim(string(all), string(all[:1])) != "" {
			t.Errorf("a request of %d bytes is mixed with another one", len(all))
		}
	})
	c := newClient(t, Options{})
	for i := range 6 {
		_, reply, free, err := c.PostLent(t.Context(), url, "text/plain", func(b []byte) []byte {
			return append(b, bytes.Repeat([]byte{'a' + byte(i)}, size)...)
		})
		if err != nil || string(reply) != "ok" {
			t.Fatal(string(reply), err)
		}
		free()
	}
}
