package docker_test

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"phalops/internal/clock"
	"phalops/internal/fleet"
	"phalops/internal/host"
	"phalops/internal/host/docker"
)

func frame(stream byte, text string) string {
	head := []byte{stream, 0, 0, 0, 0, 0, 0, 0}
	binary.BigEndian.PutUint32(head[4:], uint32(len(text)))
	return string(head) + text
}

// TestLogs: a terminal's log comes as it is, all others in frames; a log of any length leaves its end.
func TestLogs(t *testing.T) {
	long := strings.Repeat("0123456789abcde\n", 100<<10) + "end\n"
	for name, c := range map[string]struct {
		tty             bool
		body, want      string
		query           string
		since           time.Time
		tail            int
		truncated, fail bool
	}{
		"two streams":                   {body: frame(1, "out\n") + frame(2, "err\n"), want: "out\nerr\n", query: "100 "},
		"a terminal":                    {tty: true, body: "out\r\n", want: "out\r\n", tail: 7, since: noon().Add(5 * time.Millisecond), query: "7 1772625600.005000000"},
		"long":                          {body: frame(1, long), want: long[len(long)-host.MaxLogs:], truncated: true, query: "100 "},
		"no frame":                      {body: "nonsense!", fail: true, query: "100 "},
		"longer than any answer may be": {tty: true, body: strings.Repeat(long, 12), fail: true, query: "100 "},
	} {
		t.Run(name, func(t *testing.T) {
			e := serve(t, func(w http.ResponseWriter, r *http.Request) {
				if !strings.HasSuffix(r.URL.Path, "/logs") {
					_, _ = w.Write([]byte(`{"Id":"` + strings.Repeat("ab", 32) + `","Name":"/n","Config":{"Tty":` + map[bool]string{true: "true", false: "false"}[c.tty] + `}}`))
					return
				}
				if got := r.URL.Query().Get("tail") + " " + r.URL.Query().Get("since"); got != c.query {
					t.Errorf("asked for %q, want %q", got, c.query)
				}
				_, _ = w.Write([]byte(c.body))
			})
			got, err := e.Logs(t.Context(), "n", c.since, c.tail)
			if c.fail != (err != nil) || string(got.Text) != c.want || got.Truncated != c.truncated {
				t.Errorf("%d bytes, truncated %v, %v; want %d bytes", len(got.Text), got.Truncated, err, len(c.want))
			}
		})
	}
}

// TestThrough: what the tunnel says is what people read.
func TestThrough(t *testing.T) {
	broken := fleet.FailWith(fleet.Unavailable, fleet.Because("host.silent", "host", "node-1"), host.ErrSilent)
	e := docker.Through("node-1", func(context.Context) (net.Conn, error) { return nil, broken }, clock.Real{})
	_, err := e.Inspect(t.Context(), "phala-node")
	if fleet.ReasonOf(err).Code != "host.silent" || !errors.Is(err, host.ErrSilent) {
		t.Errorf("got %v", err)
	}
}
