package v3

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"phalops/internal/clock"
	"phalops/internal/fleet"
	"phalops/internal/prb"
	"phalops/internal/wire"
)

// hands stand shortly after the time stamps of the manager by hand.
func hands() clock.Clock {
	return hasty{clock.NewVirtual(time.Date(2024, 6, 10, 7, 0, 0, 0, time.UTC))}
}

// hasty is a clock on which pauses take no time.
type hasty struct{ clock.Clock }

func (hasty) Sleep(ctx context.Context, _ time.Duration) error { return ctx.Err() }

// eachWay runs f against both generations, directly and through the proxy.
func eachWay(t *testing.T, f func(t *testing.T, m *manager, c *Client)) {
	for _, g := range []Generation{V30, V32} {
		t.Run(string(g)+" direct", func(t *testing.T) {
			m := newManager(t, g)
			f(t, m, newClient(t, Options{URL: m.URL, Clock: hands()}))
		})
		t.Run(string(g)+" through the monitor", func(t *testing.T) {
			m := newManager(t, g)
			f(t, m, newClient(t, Options{URL: m.URL, Proxy: newProxy(t).URL, Clock: hands()}))
		})
	}
}

func TestReadJoinsInventoryAndContexts(t *testing.T) {
	eachWay(t, func(t *testing.T, m *manager, c *Client) {
		m.workers = append(m.workers, &fakeWorker{ID: "w4", Name: "four", Stake: "1", Enabled: true}) // on no pool
		eight := uint64(8)
		m.workers = append(m.workers, &fakeWorker{ID: "w5", Name: "five", Stake: "1", PID: &eight, Enabled: true, state: `"Starting"`})
		m.load()
		r := c.Read(t.Context())
		if err := errors.Join(r.MonitorErr, r.InventoryErr, r.StatesErr); err != nil {
			t.Fatal(err)
		}
		if len(r.Pools) != 2 || r.Pools[0].Workers != 3 || r.Pools[0].Operator != "45ProxyOfSeven" || r.Pools[0].Proxied != "45OwnerOfSeven" ||
			r.Pools[1].Operator != "" || r.DataProviders != nil {
			t.Errorf("got %+v", r)
		}
		byName := map[string]fleet.WorkerStatus{}
		for _, w := range r.Workers {
			byName[w.Name] = w
		}
		one, two, three, four, five := byName["one"], byName["two"], byName["three"], byName["four"], byName["five"]
		if len(r.Workers) != 5 || len(byName) != 5 {
			t.Errorf("got %+v", r.Workers)
		}
		if one.ID != "w1" || !one.Running || one.State != "Working" || one.Session != "WorkerIdle" || one.Para.Value != 6200000 || one.Relay.Value != 21500000 ||
			one.ParaHeader.Value != 6200000 || one.V != "3010.50000000" || one.Ve != "3000.00000000" || one.PInit != 1650 || one.PInstant != 1648 ||
			one.TotalReward.String() != "12345678901234567890" || one.Message != "Computing Now!" || one.Initialized == nil || !*one.Initialized ||
			!one.MessageAt.Equal(time.Date(2024, 6, 10, 6, 13, 20, 0, time.UTC)) || !strings.HasPrefix(one.PublicKey, "1c2d") ||
			!one.StakeOK || one.Stake != fleet.PHA(3000) || one.PID != 7 || !one.Enabled || one.Endpoint != "http://127.0.0.1:8000/" {
			t.Errorf("one: %+v", one)
		}
		if two.State != "HasError" || !strings.HasPrefix(two.Message, "Need Restart Manually!") || !two.MessageAt.IsZero() || two.StakeOK ||
			two.Para.Known || two.Session != "" || two.Initialized != nil {
			t.Errorf("two: %+v", two)
		}
		if three.Enabled || three.Running != (m.generation == V32) || (three.State == "Disabled") != (m.generation == V32) {
			t.Errorf("three: %+v", three)
		}
		if !four.Running || four.PID != 0 {
			t.Errorf("four hangs on no pool: %+v", four)
		}
		if !five.SyncOnly || five.State != "Starting" || one.SyncOnly {
			t.Errorf("five's pool is sync-only: %+v", five)
		}
	})
}

func TestStatesOfSomeWorkers(t *testing.T) {
	eachWay(t, func(t *testing.T, m *manager, c *Client) {
		ids := func(wanted ...string) (ids []string) {
			states, err := c.States(t.Context(), wanted...)
			if err != nil {
				t.Error(err)
			}
			for _, s := range states {
				ids = append(ids, s.ID)
			}
			return ids
		}
		all := []string{"w1", "w3", "w2"} // by name
		if m.generation == V30 {
			all = []string{"w1", "w2"}
		}
		for range 5 { // v3.2's order is another each time
			if got := ids(); !slices.Equal(got, all) {
				t.Errorf("all: %v", got)
			}
		}
		if got := ids("w2", "nobody"); !slices.Equal(got, []string{"w2"}) {
			t.Errorf("some: %v", got)
		}
	})
}

// A worker that was removed before its key was known stays in v3.2's list until prb-wm restarts.
func TestAStaleContextIsNobodys(t *testing.T) {
	m := newManager(t, V32)
	m.fault["GET /workers/status"] = func(w http.ResponseWriter, _ func()) bool {
		_, _ = io.WriteString(w, `{"workers":[{"worker":{"id":"gone","name":"gone","pid":7,"enabled":true},"state":"Working"},7,{"worker":{"name":"no id"}}]}`)
		return true
	}
	r := newClient(t, Options{URL: m.URL}).Read(t.Context())
	if r.StatesErr != nil || len(r.Workers) != 3 || slices.ContainsFunc(r.Workers, func(w fleet.WorkerStatus) bool { return w.Running || w.ID == "gone" }) {
		t.Errorf("got %+v", r)
	}
}

func TestWhoseSilence(t *testing.T) {
	t.Run("prb-wm is gone", func(t *testing.T) {
		m := newManager(t, V32)
		m.Close()
		r := newClient(t, Options{URL: m.URL, Clock: hands()}).Read(t.Context())
		if r.MonitorErr != nil || fleet.ReasonOf(r.StatesErr).Code != "prb3.port_closed" || wire.ClassOf(r.InventoryErr) != wire.Refused {
			t.Errorf("direct: got %+v", r)
		}
		r = newClient(t, Options{URL: m.URL, Proxy: newProxy(t).URL, Clock: hands()}).Read(t.Context())
		if r.MonitorErr != nil || fleet.ReasonOf(r.StatesErr).Code != "prb3.upstream" || fleet.KindOf(r.InventoryErr) != fleet.Unavailable {
			t.Errorf("proxied: got %+v", r)
		}
	})
	t.Run("the monitor is gone", func(t *testing.T) {
		m, proxy := newManager(t, V32), newProxy(t)
		proxy.Close()
		r := newClient(t, Options{URL: m.URL, Proxy: proxy.URL, Clock: hands()}).Read(t.Context())
		if wire.ClassOf(r.MonitorErr) != wire.Refused || r.StatesErr != nil || r.Workers != nil {
			t.Errorf("got %+v", r)
		}
	})
	t.Run("nobody answers in time", func(t *testing.T) {
		hang := make(chan struct{})
		s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			select {
			case <-hang:
			case <-r.Context().Done():
			}
		}))
		defer s.Close()
		defer close(hang)
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		defer cancel()
		if r := newClient(t, Options{URL: s.URL}).Read(ctx); !errors.Is(r.MonitorErr, context.DeadlineExceeded) {
			t.Errorf("got %+v", r)
		}
	})
	for name, h := range map[string]http.HandlerFunc{
		"a page":            func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<!DOCTYPE html>") },
		"another API":       func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"ok":true}`) },
		"not found":         func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) },
		"a teapot":          func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) },
		"a redirect":        func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/login", http.StatusFound) },
		"who wants a login": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) },
	} {
		t.Run("something else answers: "+name, func(t *testing.T) {
			s := httptest.NewServer(h)
			defer s.Close()
			for _, o := range []Options{{URL: s.URL}, {URL: "http://127.0.0.1:1", Proxy: s.URL}} {
				if r := newClient(t, o).Read(t.Context()); r.MonitorErr == nil || !strings.HasPrefix(fleet.ReasonOf(r.MonitorErr).Code, "prb3.") {
					t.Errorf("got %+v", r)
				}
			}
		})
	}
	t.Run("one part fails", func(t *testing.T) {
		m := newManager(t, V32)
		c := newClient(t, Options{URL: m.URL, Clock: hands()})
		m.fault["GET /workers/status"] = say(503, "busy")
		if r := c.Read(t.Context()); r.MonitorErr != nil || r.InventoryErr != nil || r.StatesErr == nil || len(r.Workers) != 3 || r.Workers[0].Running {
			t.Errorf("no contexts: %+v", r)
		}
		delete(m.fault, "GET /workers/status")
		m.fault["GetAllPoolsWithWorkers"] = say(200, "")
		if r := c.Read(t.Context()); r.MonitorErr != nil || fleet.ReasonOf(r.InventoryErr).Code != "prb3.garbage" || r.StatesErr != nil || len(r.Workers) != 3 || !r.Workers[0].Running {
			t.Errorf("no inventory: %+v", r)
		}
		delete(m.fault, "GetAllPoolsWithWorkers")
		m.fault["GetAllPoolOperators"] = say(500, `{"error":true,"code":"ServerError","message":"x"}`)
		if r := c.Read(t.Context()); r.InventoryErr != nil || len(r.Pools) != 2 {
			t.Errorf("no operators: %+v", r)
		}
	})
}

// say answers without carrying anything out.
func say(status int, body string) func(http.ResponseWriter, func()) bool {
	return func(w http.ResponseWriter, _ func()) bool {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
		return true
	}
}

// doneBut carries the request out and answers something else.
func doneBut(status int, body string) func(http.ResponseWriter, func()) bool {
	return func(w http.ResponseWriter, carryOut func()) bool {
		carryOut()
		return say(status, body)(w, nil)
	}
}

// hangUp closes the connection without an answer, before or after the request was carried out.
func hangUp(done bool) func(http.ResponseWriter, func()) bool {
	return func(_ http.ResponseWriter, carryOut func()) bool {
		if done {
			carryOut()
		}
		panic(http.ErrAbortHandler)
	}
}

func TestReadsAreAskedAgainAfterABrokenConnection(t *testing.T) {
	eachWay(t, func(t *testing.T, m *manager, c *Client) {
		m.fault["GetAllPoolsWithWorkers"] = func(http.ResponseWriter, func()) bool {
			if m.asked["GetAllPoolsWithWorkers"] < readAttempts {
				panic(http.ErrAbortHandler)
			}
			return false
		}
		if _, err := c.Pools(t.Context()); err != nil || m.count("GetAllPoolsWithWorkers") != readAttempts {
			t.Errorf("%v after %d", err, m.count("GetAllPoolsWithWorkers"))
		}
		m.with(func() { m.fault["GetAllPoolsWithWorkers"] = hangUp(false); m.asked["GetAllPoolsWithWorkers"] = 0 })
		if _, err := c.Pools(t.Context()); err == nil || m.count("GetAllPoolsWithWorkers") != readAttempts {
			t.Errorf("%v after %d", err, m.count("GetAllPoolsWithWorkers"))
		}
	})
}

func TestOtherReads(t *testing.T) {
	eachWay(t, func(t *testing.T, m *manager, c *Client) {
		if p, err := c.Pool(t.Context(), 7); err != nil || p.Name != "pool7" || len(p.Workers) != 3 || p.Workers[0].PID != 7 {
			t.Errorf("pool: %+v, %v", p, err)
		}
		if _, err := c.Pool(t.Context(), 9); fleet.KindOf(err) != fleet.NotFound {
			t.Errorf("pool 9: %v", err)
		}
		if o, err := c.Operator(t.Context(), 7); err != nil || o.Account != "45ProxyOfSeven" || o.Proxied != "45OwnerOfSeven" {
			t.Errorf("operator: %+v, %v", o, err)
		}
		if _, err := c.Operator(t.Context(), 8); fleet.KindOf(err) != fleet.NotFound {
			t.Errorf("operator of 8: %v", err)
		}
		if w, err := c.Manager(t.Context()); err != nil || !w.Dirty || len(w.Commit) != 40 || !w.Built.Equal(time.Date(2024, 2, 1, 0, 0, 0, 0, time.UTC)) {
			t.Errorf("manager: %+v, %v", w, err)
		}
		tx, err := c.Transactions(t.Context())
		if err != nil || tx.Count != 2 || len(tx.Pending) != 1 || len(tx.Past) != 1 {
			t.Fatalf("transactions: %+v, %v", tx, err)
		}
		if p := tx.Pending[0]; p.PID != 1<<64-1 || p.State != "Pending" || p.Created.Nanosecond() != 123456789 {
			t.Errorf("pending: %+v", p)
		}
		if p := tx.Past[0]; p.State != "Error" || p.Message != "Invalid pool operator" || p.Updated.Minute() != 14 || p.PID != 7 {
			t.Errorf("past: %+v", p)
		}
		g, err := c.Generation(t.Context())
		if err != nil || g != m.generation {
			t.Errorf("generation: %v, %v", g, err)
		}
		for _, q := range m.queries {
			if q != "" {
				t.Errorf("a query was used: %q", q)
			}
		}
	})
}

func TestGenerationIsRememberedForAWhile(t *testing.T) {
	m := newManager(t, V30)
	hands := clock.NewVirtual(time.Now())
	c := newClient(t, Options{URL: m.URL, Clock: hands})
	if g, err := c.Generation(t.Context()); g != V30 || err != nil {
		t.Fatal(g, err)
	}
	m.with(func() { m.generation = V32 })
	if g, _ := c.Generation(t.Context()); g != V30 {
		t.Errorf("asked again at once: %v", g)
	}
	hands.Advance(generationAge)
	if g, _ := c.Generation(t.Context()); g != V32 {
		t.Errorf("an update was not noticed: %v", g)
	}
	m.Close()
	hands.Advance(generationAge)
	if g, err := c.Generation(t.Context()); err == nil {
		t.Errorf("nobody answered, got %v", g)
	}
}

func TestAddresses(t *testing.T) {
	for _, o := range []Options{
		{URL: ""}, {URL: "192.168.3.100:3001"}, {URL: "ftp://x"}, {URL: "http://"}, {URL: "http://[::1"}, {URL: "http://x//y"},
		{URL: "http://x:3001", Proxy: "monitor:3000"}, {URL: "http://x:3001", Proxy: "http://m//n"},
		{URL: "http://x:3001/sub", Proxy: "http://m"}, {URL: "http://u:pw@x:3001", Proxy: "http://m"},
	} {
		_, err := New(o)
		if fleet.KindOf(err) != fleet.Invalid || strings.Contains(err.Error(), "pw") {
			t.Errorf("%+v: %v", o, err)
		}
	}
	c := newClient(t, Options{URL: "http://wm:3001/?token=x#y", Proxy: "http://m:3000/base/"})
	if c.base != "http://m:3000/base/api/p/http%3A%2F%2Fwm%3A3001" || c.shown != "http://wm:3001" {
		t.Errorf("got %q, shown as %q", c.base, c.shown)
	}
	if c := newClient(t, Options{URL: "http://gate/prb///"}); c.base != "http://gate/prb" {
		t.Errorf("got %q", c.base)
	}
}

var _ prb.Bridge = (*Client)(nil)
