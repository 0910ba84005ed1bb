package docker_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"phalops/internal/clock"
	"phalops/internal/fleet"
	"phalops/internal/host"
	"phalops/internal/host/docker"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func noon() time.Time { return time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC) }

// serve makes an Engine whose other side is h behind the version negotiation.
func serve(t *testing.T, h http.HandlerFunc) *docker.Engine {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Api-Version", "1.41")
		if r.URL.Path != "/_ping" {
			h(w, r)
		}
	}))
	t.Cleanup(srv.Close)
	e, err := docker.New("tcp://"+srv.Listener.Addr().String(), clock.NewVirtual(noon()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	return e
}

func TestAddresses(t *testing.T) {
	for addr, ok := range map[string]bool{
		"":                            true,
		"unix:///run/docker.sock":     true,
		"tcp://127.0.0.1:2375":        true,
		"tcp://127.9.8.7:2375":        true,
		"tcp://[::1]:2375":            true,
		"unix://docker.sock":          false,
		"/var/run/docker.sock":        false,
		"tcp://192.168.2.101:2375":    false,
		"tcp://0.0.0.0:2375":          false,
		"tcp://localhost:2375":        false,
		"tcp://127.0.0.1":             false,
		"tcp://127.0.0.1:2375/x":      false,
		"tcp://user@127.0.0.1:2375":   false,
		"http://127.0.0.1:2375":       false,
		"ssh://127.0.0.1:22":          false,
		"tcp://127.0.0.1:99999":       false,
		"tcp://127.0.0.1.example:237": false,
	} {
		e, err := docker.New(addr, clock.Real{})
		switch {
		case ok && err != nil:
			t.Errorf("%q: %v", addr, err)
		case !ok && (e != nil || fleet.KindOf(err) != fleet.Invalid || fleet.ReasonOf(err).Code != "host.engine_address"):
			t.Errorf("%q: %v", addr, err)
		}
	}
}

// TestInspectReadsWhatTheEngineSays: a health check, a paused process and times with and without meaning.
func TestInspectReadsWhatTheEngineSays(t *testing.T) {
	const id = "8b1f0f7d1f0c4f3c9d2e5a6b7c8d9e0f8b1f0f7d1f0c4f3c9d2e5a6b7c8d9e0f"
	e := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/v1.41/containers/phala-node/json" {
			t.Errorf("asked for %s", r.URL)
		}
		_, _ = io.WriteString(w, `{"Id":"`+id+`","Name":"/phala-node","Image":"sha256:ab","RestartCount":4,
			"State":{"Status":"paused","Running":true,"Paused":true,"ExitCode":255,"StartedAt":"2026-03-04T13:00:00.5+02:00","FinishedAt":"0001-01-01T00:00:00Z",
			"Health":{"Status":"unhealthy","FailingStreak":3}},
			"Config":{"Image":"phalanetwork/phala-node","Labels":{"com.docker.compose.project":"node","com.docker.compose.service":"phala","a":"b"}}}`)
	})
	got, err := e.Inspect(t.Context(), "phala-node")
	if err != nil {
		t.Fatal(err)
	}
	want := fleet.ContainerStatus{
		Probe: fleet.Probe{At: noon()}, ID: id, Name: "phala-node", Image: "phalanetwork/phala-node", Project: "node", Service: "phala",
		State: "paused", Health: "unhealthy", ExitCode: 255, Started: time.Date(2026, 3, 4, 11, 0, 0, 5e8, time.UTC), Restarts: 4,
		Labels: map[string]string{"com.docker.compose.project": "node", "com.docker.compose.service": "phala", "a": "b"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error("(-want +got)\n" + diff)
	}
}

func TestListSkipsWhatIsRemovedMeanwhile(t *testing.T) {
	e := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasSuffix(r.URL.Path, "/containers/json"):
			if r.URL.Query().Get("all") != "1" {
				t.Errorf("stopped containers are not asked for: %s", r.URL)
			}
			_, _ = io.WriteString(w, `[{"Id":"gone"},{"Id":"there"}]`)
		case strings.HasSuffix(r.URL.Path, "/containers/there/json"):
			_, _ = io.WriteString(w, `{"Id":"there","Name":"/there"}`)
		default:
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusNotFound)
			_, _ = io.WriteString(w, `{"message":"No such container: gone"}`)
		}
	})
	list, err := e.List(t.Context(), host.Filter{})
	if err != nil || len(list) != 1 || list[0].Name != "there" {
		t.Errorf("%+v, %v", list, err)
	}
}

func TestGraceIsWholeSecondsRoundedUp(t *testing.T) {
	for grace, want := range map[time.Duration]string{
		0: "0", -time.Second: "0", time.Millisecond: "1", time.Second: "1", 119500 * time.Millisecond: "120",
	} {
		for _, verb := range []string{"stop", "restart"} {
			var got string
			e := serve(t, func(w http.ResponseWriter, r *http.Request) {
				got = r.Method + " " + r.URL.RequestURI()
				w.WriteHeader(http.StatusNoContent)
			})
			call := map[string]func(context.Context, string, time.Duration) error{"stop": e.Stop, "restart": e.Restart}[verb]
			if err := call(t.Context(), "phala-node", grace); err != nil {
				t.Fatal(err)
			}
			if want := fmt.Sprintf("POST /v1.41/containers/phala-node/%s?t=%s", verb, want); got != want {
				t.Errorf("%s after %s: asked %s, want %s", verb, grace, got, want)
			}
		}
	}
}

func TestErrors(t *testing.T) {
	for name, c := range map[string]struct {
		status      int
		kind, reply string
		list        string // code of the Reason when all are asked for
		one         string // when one is
		err         string // what the reader is told
	}{
		"refusal":        {500, "application/json", `{"message":"driver failed\n"}`, "host.engine_failed", "host.container_failed", "driver failed"},
		"conflict":       {409, "application/json", `{"message":"removal in progress"}`, "host.engine_failed", "host.container_failed", "removal in progress"},
		"not found":      {404, "application/json", `{"message":"No such container: phala-node"}`, "host.engine_failed", "host.no_container", ""},
		"a web page":     {502, "text/html", `<html>`, "host.engine_failed", "host.container_failed", "<html>"},
		"not JSON":       {200, "application/json", `hello`, "host.engine_failed", "host.container_failed", "invalid character"},
		"half an answer": {200, "application/json", `[{"Id":`, "host.engine_failed", "host.container_failed", "unexpected EOF"},
	} {
		t.Run(name, func(t *testing.T) {
			e := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", c.kind)
				w.WriteHeader(c.status)
				_, _ = io.WriteString(w, c.reply)
			})
			_, listErr := e.List(t.Context(), host.Filter{})
			_, oneErr := e.Inspect(t.Context(), "phala-node")
			if got := fleet.ReasonOf(listErr); got.Code != c.list {
				t.Errorf("list: %v", listErr)
			}
			got := fleet.ReasonOf(oneErr)
			if got.Code != c.one || c.err != "" && !strings.HasPrefix(got.Args["err"], c.err) {
				t.Errorf("inspect: %v", got)
			}
			if errors.Is(oneErr, host.ErrNoContainer) != (c.status == 404) {
				t.Errorf("inspect: %v", oneErr)
			}
		})
	}
}

func TestNotAnEngine(t *testing.T) {
	srv := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(srv.Close)
	e, err := docker.New("tcp://"+srv.Listener.Addr().String(), clock.Real{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	if _, err := e.Inspect(t.Context(), "phala-node"); fleet.ReasonOf(err).Code != "host.engine_failed" || errors.Is(err, host.ErrNoContainer) {
		t.Errorf("a web server without an engine: %v", err)
	}
}

func TestEndlessAnswer(t *testing.T) {
	e := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `[{"Id":"`)
		for block := strings.Repeat("a", 1<<20); ; {
			if _, err := io.WriteString(w, block); err != nil {
				return
			}
		}
	})
	if _, err := e.List(t.Context(), host.Filter{}); err == nil || !strings.Contains(err.Error(), "longer than 16 MiB") {
		t.Errorf("%v", err)
	}
}

func TestUnreachable(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := l.Addr().String()
	_ = l.Close()
	for name, addr := range map[string]string{
		"no socket":    "unix://" + filepath.Join(t.TempDir(), "none.sock"),
		"nobody there": "tcp://" + closed,
	} {
		e, err := docker.New(addr, clock.Real{})
		if err != nil {
			t.Fatal(err)
		}
		_, err = e.Inspect(t.Context(), "phala-node")
		if fleet.KindOf(err) != fleet.Unavailable || fleet.ReasonOf(err).Code != "host.engine_unreachable" || errors.Is(err, host.ErrNoContainer) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestEngineIsUpgradedUnderUs: Docker 29 refuses the versions that Docker 20.10 spoke.
func TestEngineIsUpgradedUnderUs(t *testing.T) {
	speaks := "1.41"
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Api-Version", speaks)
		w.Header().Set("Content-Type", "application/json")
		switch {
		case r.URL.Path == "/_ping":
		case strings.HasPrefix(r.URL.Path, "/v"+speaks+"/"):
			_, _ = io.WriteString(w, `{"Id":"a","Name":"/n"}`)
		default:
			w.WriteHeader(http.StatusBadRequest)
			_, _ = io.WriteString(w, `{"message":"client version 1.41 is too old. Minimum supported API version is 1.44, please upgrade your client to a newer version"}`)
		}
	}))
	t.Cleanup(srv.Close)
	e, err := docker.New("tcp://"+srv.Listener.Addr().String(), clock.Real{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	if _, err := e.Inspect(t.Context(), "n"); err != nil {
		t.Fatal(err)
	}
	speaks = "1.44"
	if _, err := e.Inspect(t.Context(), "n"); fleet.ReasonOf(err).Code != "host.container_failed" {
		t.Errorf("the first request after the upgrade: %v", err)
	}
	if _, err := e.Inspect(t.Context(), "n"); err != nil {
		t.Errorf("the second one: %v", err)
	}
}

// FuzzInspect: whatever an engine answers, reading it ends in a status or in an error.
func FuzzInspect(f *testing.F) {
	f.Add(`{"Id":"a","Name":"/n","State":{"Status":"running","StartedAt":"2026-03-04T13:00:00Z"}}`)
	f.Add(`{"State":null,"Config":null}`)
	f.Add(`{"Id":"a","State":{"Health":{}},"Config":{"Labels":null}}`)
	f.Add(`null`)
	f.Add(`[]`)
	f.Add(`{"State":{"StartedAt":"yesterday"}}`)
	var answer string
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Api-Version", "1.41")
		_, _ = io.WriteString(w, answer)
	}))
	f.Cleanup(srv.Close)
	e, err := docker.New("tcp://"+srv.Listener.Addr().String(), clock.Real{})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(e.Close)
	f.Fuzz(func(t *testing.T, body string) {
		answer = body
		c, err := e.Inspect(t.Context(), "n")
		if err == nil && c.Name != "n" {
			t.Errorf("%q was taken for container n", c.Name)
		}
	})
}
