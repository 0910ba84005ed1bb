package v3

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"phalops/internal/fleet"
	"phalops/internal/prb"
)

func TestRestartWorker(t *testing.T) {
	eachWay(t, func(t *testing.T, m *manager, c *Client) {
		if err := c.RestartWorker(t.Context(), "w2"); err != nil || m.body("PUT /workers/restart") != `{"ids":["w2"]}` {
			t.Fatalf("%v, sent %s", err, m.body("PUT /workers/restart"))
		}
		states, err := c.States(t.Context(), "w2")
		if err != nil || len(states) != 1 || states[0].State != "Restarting" {
			t.Errorf("after: %+v, %v", states, err)
		}
		if err := c.RestartWorker(t.Context(), "w2"); err != nil || m.count("PUT /workers/restart") != 1 {
			t.Errorf("one that restarts already: %v, sent %d times", err, m.count("PUT /workers/restart"))
		}
	})
}

// v3.2 answers "ok" and drops what it cannot do: that is found out before.
func TestNothingIsSentForAWorkerThatDoesNotRun(t *testing.T) {
	eachWay(t, func(t *testing.T, m *manager, c *Client) {
		for name, do := range map[string]func(ids ...string) error{
			"restart":    func(ids ...string) error { return c.RestartWorkers(t.Context(), ids...) },
			"register":   func(ids ...string) error { return c.ForceRegister(t.Context(), ids...) },
			"checkpoint": func(ids ...string) error { return c.TakeCheckpoint(t.Context(), ids...) },
			"endpoints":  func(ids ...string) error { return c.UpdateEndpoints(t.Context(), Endpoints{ID: ids[0]}) },
		} {
			if err := do("nobody"); !errors.Is(err, prb.ErrNoWorker) || fleet.KindOf(err) != fleet.NotFound {
				t.Errorf("%s, unknown: %v", name, err)
			}
			if err := do("w3"); !errors.Is(err, prb.ErrNotRunning) || fleet.ReasonOf(err).Args["worker"] != "three" {
				t.Errorf("%s, disabled: %v", name, err)
			}
		}
		if err := c.RestartWorkers(t.Context(), "w1", "nobody"); !errors.Is(err, prb.ErrNoWorker) {
			t.Errorf("one of two: %v", err)
		}
		if err := c.RestartWorker(t.Context(), ""); !errors.Is(err, prb.ErrNoWorker) {
			t.Errorf("no id: %v", err)
		}
		if err := c.RestartWorkers(t.Context()); !errors.Is(err, prb.ErrNoWorker) {
			t.Errorf("no ids: %v", err)
		}
		for what, n := range m.asked {
			if what[:3] == "PUT" {
				t.Errorf("%s was sent %d times", what, n)
			}
		}
	})
}

func TestRestartSaysWhatMayHaveHappenedAndIsNeverRepeated(t *testing.T) {
	cases := map[string]struct {
		answer       func(http.ResponseWriter, func()) bool
		direct       string
		proxied      string
		ambiguous    bool
		ambiguousToo bool // through the proxy
	}{
		"closed":      {hangUp(false), "wire.closed", "prb3.upstream", true, true},
		"gateway":     {say(504, "<html>"), "prb3.http_status", "prb3.http_status", true, true},
		"plain 500":   {say(500, "Internal Server Error"), "prb3.http_status", "prb3.upstream", true, true},
		"no word":     {say(200, ""), "prb3.garbage", "prb3.garbage", true, true},
		"not ok":      {say(200, `{"ok":false}`), "prb3.bad_data", "prb3.bad_data", true, true},
		"failed":      {say(500, `{"error":true,"code":"ServerError","message":"channel closed"}`), "prb3.failed", "prb3.failed", true, true},
		"gone since":  {say(400, `{"error":true,"code":"WorkerNotFound(\"w1\")","message":"worker not found: w1"}`), "prb3.failed", "prb3.failed", false, false},
		"wrong shape": {say(422, "missing field `ids`"), "prb3.request_refused", "prb3.request_refused", false, false},
		"other":       {say(404, "<html>"), "prb3.http_status", "prb3.http_status", false, false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			for _, proxied := range []bool{false, true} {
				m := newManager(t, V32)
				m.fault["PUT /workers/restart"] = tc.answer
				o, code, ambiguous := Options{URL: m.URL, Clock: hands()}, tc.direct, tc.ambiguous
				if proxied {
					o.Proxy, code, ambiguous = newProxy(t).URL, tc.proxied, tc.ambiguousToo
				}
				err := newClient(t, o).RestartWorker(t.Context(), "w1")
				if fleet.ReasonOf(err).Code != code || prb.IsAmbiguous(err) != ambiguous || m.count("PUT /workers/restart") != 1 {
					t.Errorf("proxied %v: got %v (ambiguous %v), sent %d times", proxied, err, prb.IsAmbiguous(err), m.count("PUT /workers/restart"))
				}
				if name == "gone since" && !errors.Is(err, prb.ErrNoWorker) {
					t.Errorf("got %v", err)
				}
			}
		})
	}
}

// A look that fails before the command leaves no doubt about the command.
func TestALookThatFailsIsNotAmbiguous(t *testing.T) {
	m := newManager(t, V32)
	m.fault["GET /workers/status"] = hangUp(false)
	m.fault["GetAllPoolsWithWorkers"] = hangUp(false)
	c := newClient(t, Options{URL: m.URL, Clock: hands()})
	for name, err := range map[string]error{
		"restart": c.RestartWorker(t.Context(), "w1"),
		"add":     c.AddPool(t.Context(), PoolSpec{PID: 9, Name: "nine"}),
	} {
		if fleet.ReasonOf(err).Code != "wire.closed" || prb.IsAmbiguous(err) {
			t.Errorf("%s: %v (ambiguous %v)", name, err, prb.IsAmbiguous(err))
		}
	}
}

func TestATimeoutOfTheLook(t *testing.T) {
	m := newManager(t, V32)
	hang := make(chan struct{})
	m.fault["GET /workers/status"] = func(http.ResponseWriter, func()) bool { <-hang; return true }
	defer close(hang)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	err := newClient(t, Options{URL: m.URL}).RestartWorker(ctx, "w1")
	if prb.IsAmbiguous(err) || !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "workers/status") {
		t.Errorf("got %v", err)
	}
}

func TestRestartTimeoutIsAmbiguous(t *testing.T) {
	m := newManager(t, V32)
	hang := make(chan struct{})
	m.fault["PUT /workers/restart"] = func(http.ResponseWriter, func()) bool { <-hang; return true }
	defer close(hang)
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if err := newClient(t, Options{URL: m.URL}).RestartWorker(ctx, "w1"); !prb.IsAmbiguous(err) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}

// 405 with {"ok":true} is the trap of v3.2.
func TestRestartOfTheManager(t *testing.T) {
	eachWay(t, func(t *testing.T, m *manager, c *Client) {
		err := c.RestartManager(t.Context())
		if m.generation == V30 {
			if err != nil {
				t.Error(err)
			}
			return
		}
		if fleet.ReasonOf(err).Code != "prb3.restart_ignored" || fleet.KindOf(err) != fleet.Failed || prb.IsAmbiguous(err) {
			t.Errorf("got %v", err)
		}
	})
}

func TestCheckpointAndEndpoints(t *testing.T) {
	eachWay(t, func(t *testing.T, m *manager, c *Client) {
		err := c.TakeCheckpoint(t.Context(), "w2")
		if m.generation == V32 && (err != nil || m.body("PUT /workers/take_checkpoint") != `{"ids":["w2"]}`) {
			t.Errorf("checkpoint: %v", err)
		}
		if m.generation == V30 && (fleet.ReasonOf(err).Code != "prb3.no_checkpoint" || prb.IsAmbiguous(err)) {
			t.Errorf("checkpoint: %v", err)
		}
		if err := c.ForceRegister(t.Context(), "w1", "w2"); err != nil || m.body("PUT /workers/force_register") != `{"ids":["w1","w2"]}` {
			t.Errorf("register: %v", err)
		}
		e := Endpoints{"w1", []string{"https://127.0.0.1/"}}
		if err := c.UpdateEndpoints(t.Context(), e); err != nil || m.body("PUT /workers/update_endpoints") != `{"requests":[{"endpoints":["https://127.0.0.1/"],"id":"w1"}]}` {
			t.Errorf("endpoints: %v, %s", err, m.body("PUT /workers/update_endpoints"))
		}
		err = c.UpdateEndpoints(t.Context(), Endpoints{"w2", []string{"https://127.0.0.1/"}})
		if m.generation == V30 && (!errors.Is(err, prb.ErrNotRunning) || m.count("PUT /workers/update_endpoints") != 1) || m.generation == V32 && err != nil {
			t.Errorf("endpoints of one that does not work: %v", err)
		}
	})
}
