package wire

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"phalops/internal/clock"
	"phalops/internal/fleet"
	"phalops/internal/host"
	"phalops/internal/host/docker"
	"phalops/internal/host/hosttest"
	"phalops/internal/lab"
	"phalops/internal/sim/world"
)

// simEngine is a simulated engine, served on loopback, and the real client of it.
type simEngine struct {
	face   *Face
	host   *world.Host
	url    string
	client *docker.Engine
}

func newSimEngine(t *testing.T, c clock.Clock) *simEngine {
	t.Helper()
	w := world.New(c.Now(), 1)
	e := &simEngine{host: w.AddHost("node-1"), face: NewFace(w, c)}
	srv := httptest.NewServer(newDockerHandler(e.face, "node-1"))
	t.Cleanup(srv.Close)
	e.url = srv.URL
	var err error
	if e.client, err = docker.New("tcp://"+strings.TrimPrefix(srv.URL, "http://"), c); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.client.Close)
	return e
}

// until polls the world.
func (e *simEngine) until(t testing.TB, ok func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for done := false; !done; {
		e.face.Do(func(*world.World) { done = ok() })
		if err := e.face.clock.Sleep(ctx, 20*time.Millisecond); err != nil {
			t.Fatal("it never happened")
		}
	}
}

func TestDockerConformance(t *testing.T) {
	c := clock.Scaled{Origin: time.Now(), Speed: 10}
	e := newSimEngine(t, c)
	hosttest.Containers(t, hosttest.Fixture{
		Containers: e.client,
		Clock:      c,
		Image:      "phalanetwork/khala-node",
		Create: func(_ testing.TB, s hosttest.Spec) {
			e.face.Do(func(*world.World) {
				c := &world.Container{
					Name: s.Name, Image: "phalanetwork/khala-node", Project: s.Project, Service: s.Service, Labels: s.Labels,
					RestartAlways: s.RestartAlways, StopTakes: s.StopTakes, StartTakes: 10 * time.Millisecond,
				}
				if s.ExitAtStart != 0 {
					c.OnStart = func() { c.Exit(s.ExitAtStart) }
				}
				e.host.Add(c)
			})
		},
		Up: func(t testing.TB, name string) {
			t.Helper()
			e.until(t, func() bool { return e.host.Container(name).Up() })
		},
		Crash: func(_ testing.TB, name string) {
			e.face.Do(func(*world.World) { e.host.Container(name).Exit(3) })
		},
		Starts: func(_ testing.TB, name string) (n int) {
			e.face.Do(func(*world.World) { n = e.host.Container(name).Runs() })
			return n
		},
	})
}

// dockerAnswer is a request and how an engine answers it that has a running container phala-node and a created one idle.
type dockerAnswer struct {
	method, path string
	status       int
	message      string // of an error; ids are written ID
}

func dockerAnswers() map[string]dockerAnswer {
	return map[string]dockerAnswer{
		"ping":                   {"GET", "/_ping", 200, ""},
		"ping without a body":    {"HEAD", "/_ping", 200, ""},
		"version":                {"GET", "/version", 200, ""},
		"info, with a version":   {"GET", "/v1.41/info", 200, ""},
		"list":                   {"GET", "/v1.24/containers/json?all=1", 200, ""},
		"list by label":          {"GET", "/containers/json?filters=" + url.QueryEscape(`{"label":["com.docker.compose.project=node"]}`), 200, ""},
		"a filter of nonsense":   {"GET", "/containers/json?filters=nope", 500, "invalid character 'o' in literal null (expecting 'u')"},
		"unknown filter":         {"GET", "/containers/json?filters=" + url.QueryEscape(`{"colour":{"red":true}}`), 400, "Invalid filter 'colour'"},
		"too new":                {"GET", "/v1.99/containers/json", 400, "client version 1.99 is too new. Maximum supported API version is 1.41"},
		"too old":                {"GET", "/v1.11/containers/json", 400, "client version 1.11 is too old. Minimum supported API version is 1.12, please upgrade your client to a newer version"},
		"inspect by name":        {"GET", "/v1.41/containers/phala-node/json", 200, ""},
		"inspect nobody":         {"GET", "/containers/nobody/json", 404, "No such container: nobody"},
		"start nobody":           {"POST", "/v1.41/containers/nobody/start", 404, "No such container: nobody"},
		"stop nobody":            {"POST", "/v1.41/containers/nobody/stop", 404, "No such container: nobody"},
		"restart nobody":         {"POST", "/v1.41/containers/nobody/restart", 404, "No such container: nobody"},
		"start a running one":    {"POST", "/v1.41/containers/phala-node/start", 304, ""},
		"stop a stopped one":     {"POST", "/v1.41/containers/idle/stop?t=5", 304, ""},
		"stop with nonsense":     {"POST", "/v1.41/containers/phala-node/stop?t=soon", 500, `strconv.Atoi: parsing "soon": invalid syntax`},
		"kill a stopped one":     {"POST", "/v1.41/containers/idle/kill", 409, "Cannot kill container: idle: Container ID is not running"},
		"kill by unknown signal": {"POST", "/v1.41/containers/phala-node/kill?signal=NOPE", 400, "Invalid signal: NOPE"},
		"wrong method":           {"GET", "/containers/phala-node/stop", 404, "page not found"},
		"no such page":           {"GET", "/v1.41/pods/json", 404, "page not found"},
	}
}

// expectDockerAnswers sends every request and compares what comes back.
func expectDockerAnswers(t *testing.T, client *http.Client, base string) {
	t.Helper()
	ids := regexp.MustCompile(`[0-9a-f]{64}`)
	for name, want := range dockerAnswers() {
		t.Run(name, func(t *testing.T) {
			req, err := http.NewRequestWithContext(t.Context(), want.method, base+want.path, http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			resp, err := client.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			body, err := io.ReadAll(resp.Body)
			if err != nil {
				t.Fatal(err)
			}
			if resp.StatusCode != want.status {
				t.Errorf("status %d, want %d: %s", resp.StatusCode, want.status, body)
			}
			if want.status < 400 {
				return
			}
			message := strings.TrimSpace(string(body))
			if resp.Header.Get("Content-Type") == "application/json" {
				var answer struct{ Message string }
				if err := json.Unmarshal(body, &answer); err != nil {
					t.Fatal(err)
				}
				message = answer.Message
			}
			if got := ids.ReplaceAllString(message, "ID"); got != want.message {
				t.Errorf("message %q, want %q", got, want.message)
			}
		})
	}
}

func TestDockerAnswers(t *testing.T) {
	e := newSimEngine(t, clock.NewVirtual(time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)))
	e.host.Add(&world.Container{Name: "phala-node", Project: "node", RestartAlways: true}).BootRunning()
	e.host.Add(&world.Container{Name: "idle"})
	expectDockerAnswers(t, http.DefaultClient, e.url)
	if got := e.host.Effects(); len(got) != 0 {
		t.Errorf("effects %+v of requests that change nothing", got)
	}
}

// TestLabDockerAnswers holds the expectations of TestDockerAnswers against a real Docker Engine.
func TestLabDockerAnswers(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a Docker Engine")
	}
	e := lab.Docker(t)
	e.Run(t, lab.Container{Name: "phala-node", Project: "node", RestartAlways: true})
	e.Create(t, lab.Container{Name: "idle"})
	tr := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", strings.TrimPrefix(e.Addr, "unix://"))
	}}
	defer tr.CloseIdleConnections()
	expectDockerAnswers(t, &http.Client{Transport: tr}, "http://docker")
}

func TestDockerStartThatFails(t *testing.T) {
	const why = "driver failed programming external connectivity"
	e := newSimEngine(t, clock.NewVirtual(time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)))
	c := e.host.Add(&world.Container{Name: "phala-node", StartError: why})
	for what, err := range map[string]error{
		"start":   e.client.Start(t.Context(), "phala-node"),
		"restart": e.client.Restart(t.Context(), "phala-node", time.Second),
	} {
		if r := fleet.ReasonOf(err); r.Code != "host.container_failed" || r.Args["err"] != why {
			t.Errorf("%s: %v", what, err)
		}
	}
	if c.Running() {
		t.Error("it runs")
	}
}

func TestDockerListShowsRunningOnesUnlessAsked(t *testing.T) {
	c := clock.NewVirtual(time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC))
	e := newSimEngine(t, c)
	e.host.Add(&world.Container{Name: "b"}).BootRunning()
	e.host.Add(&world.Container{Name: "a"})
	for path, want := range map[string]string{
		"/containers/json":                                  "[/b]",
		"/containers/json?all=0":                            "[/b]",
		"/containers/json?all=1":                            "[/a /b]",
		`/containers/json?filters={"status":["created"]}`:   "[/a]",
		`/containers/json?all=true&filters={"name":["^a"]}`: "[/a]",
	} {
		resp, err := http.Get(e.url + path)
		if err != nil {
			t.Fatal(err)
		}
		var list []struct{ Names []string }
		if err := json.NewDecoder(resp.Body).Decode(&list); err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		var got []string
		for _, c := range list {
			got = append(got, c.Names...)
		}
		if fmt.Sprint(got) != want {
			t.Errorf("%s: %v, want %s", path, got, want)
		}
	}
}

func TestDockerSilentHost(t *testing.T) {
	c := clock.NewVirtual(time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC))
	e := newSimEngine(t, c)
	e.host.Add(&world.Container{Name: "phala-node", StopTakes: time.Minute}).BootRunning()
	if _, err := e.client.Inspect(t.Context(), "phala-node"); err != nil {
		t.Fatal(err)
	}
	e.face.Do(func(w *world.World) { w.Host("node-1").Down = true })
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err := e.client.Inspect(ctx, "phala-node")
	if !errors.Is(err, context.DeadlineExceeded) || fleet.ReasonOf(err).Code != "host.engine_silent" {
		t.Errorf("inspect on a silent host: %v", err)
	}
	e.face.Do(func(w *world.World) { w.Host("node-1").Down = false })
	if _, err := e.client.Inspect(t.Context(), "phala-node"); err != nil {
		t.Errorf("after the host came back: %v", err)
	}
}

// TestDockerStopLetsTheWorldGoOn: a stop that waits must not hold the world.
func TestDockerStopLetsTheWorldGoOn(t *testing.T) {
	c := clock.NewVirtual(time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC))
	e := newSimEngine(t, c)
	e.host.Add(&world.Container{Name: "phala-node", StopTakes: 90 * time.Second}).BootRunning()
	done := make(chan error, 1)
	go func() { done <- e.client.Stop(t.Context(), "phala-node", 2*time.Minute) }()
	e.waitReal(t, func(w *world.World) bool { return w.Host("node-1").Container("phala-node").Busy() })
	if _, err := e.client.List(t.Context(), host.Filter{}); err != nil {
		t.Errorf("list during a stop: %v", err)
	}
	select {
	case err := <-done:
		t.Fatalf("the stop returned before the process was gone: %v", err)
	default:
	}
	c.Advance(89 * time.Second)
	var state string
	e.face.Do(func(w *world.World) { state = w.Host("node-1").Container("phala-node").State() })
	if state != world.StateRunning {
		t.Errorf("after 89 s: %s", state)
	}
	e.advanceUntil(t, c, done)
}

func (e *simEngine) waitReal(t *testing.T, ok func(*world.World) bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for done := false; !done; {
		e.face.Do(func(w *world.World) { done = ok(w) })
		if err := (clock.Real{}).Sleep(ctx, time.Millisecond); err != nil {
			t.Fatal("it never happened")
		}
	}
}

// advanceUntil moves the hands until the call is done.
func (e *simEngine) advanceUntil(t *testing.T, c *clock.Virtual, done <-chan error) {
	t.Helper()
	for range 20000 {
		select {
		case err := <-done:
			if err != nil {
				t.Error(err)
			}
			return
		default:
			c.Advance(100 * time.Millisecond)
			_ = (clock.Real{}).Sleep(t.Context(), time.Millisecond)
		}
	}
	t.Fatal("the call never returned")
}
