package lab

import (
	"context"
	"io"
	"net"
	"net/http"
	"slices"
	"syscall"
	"testing"
	"time"
)

// TestLabEngine: what a test may rely on when it runs something in the lab's engine.
func TestLabEngine(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a Docker Engine")
	}
	before := interfaces(t)
	e := Docker(t)
	if after := interfaces(t); !slices.Equal(before, after) {
		t.Errorf("the engine changed the machine's network: %v became %v", before, after)
	}
	addr := freeAddr(t)
	e.Run(t, Container{
		Name: "phala-node", Image: "phalanetwork/khala-node:test", HostNetwork: true,
		Env: []string{"DUMMY_LISTEN=" + addr, "DUMMY_STOP_CODE=143"},
	})
	if got := get(t, "http://"+addr); got != "200 ok\n" {
		t.Errorf("the container answers %q", got)
	}
	e.Signal(t, "phala-node", syscall.SIGTERM)
	want := []string{"start", "term", "exit:143"}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for tick := time.Tick(20 * time.Millisecond); !slices.Equal(e.Lines(t, "phala-node"), want); {
		select {
		case <-tick:
		case <-ctx.Done():
			t.Fatalf("the process says %q, want %q", e.Lines(t, "phala-node"), want)
		}
	}
}

func get(t *testing.T, url string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.Status[:3] + " " + string(body)
}

// freeAddr is a loopback address that nobody listens on.
func freeAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.7.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func interfaces(t *testing.T) []string {
	t.Helper()
	list, err := net.Interfaces()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, i := range list {
		names = append(names, i.Name)
	}
	return names
}
