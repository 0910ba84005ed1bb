package v3

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"phalops/internal/fleet"
	"phalops/internal/prb"
)

var spec = WorkerSpec{Name: "new", Endpoint: "http://127.0.0.9:8000", Stake: fleet.PHA(3000), PID: 7, Enabled: true}

func worker(t *testing.T, c *Client, name string) (Worker, bool) {
	t.Helper()
	pools, err := c.Pools(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range pools {
		for _, w := range p.Workers {
			if w.Name == name {
				return w, true
			}
		}
	}
	return Worker{}, false
}

func TestWritesOfPools(t *testing.T) {
	eachWay(t, func(t *testing.T, m *manager, c *Client) {
		s := PoolSpec{PID: 0, Name: "池 <9>", Enabled: true, SyncOnly: true}
		if err := c.AddPool(t.Context(), s); err != nil {
			t.Fatal(err)
		}
		s.Name, s.Enabled = "nine", false
		if err := c.UpdatePool(t.Context(), s); err != nil || m.body("UpdatePool") != `{"UpdatePool":{"disabled":true,"name":"nine","pid":0,"sync_only":true}}` {
			t.Errorf("update: %v, %s", err, m.body("UpdatePool"))
		}
		if p, err := c.Pool(t.Context(), 0); err != nil || p.Name != "nine" || p.Enabled || !p.SyncOnly {
			t.Errorf("got %+v, %v", p, err)
		}
		if err := c.RemovePool(t.Context(), 0); err != nil {
			t.Errorf("remove: %v", err)
		}
		if _, err := c.Pool(t.Context(), 0); fleet.KindOf(err) != fleet.NotFound {
			t.Errorf("still there: %v", err)
		}
	})
}

func TestWritesOfWorkers(t *testing.T) {
	eachWay(t, func(t *testing.T, m *manager, c *Client) {
		s := spec
		s.Stake, _ = fleet.ParseAmount("340282366920938463463374607431768211455")
		if err := c.AddWorker(t.Context(), s); err != nil {
			t.Fatal(err)
		}
		w, ok := worker(t, c, "new")
		if !ok || w.Endpoint != "http://127.0.0.9:8000/" || w.Stake != s.Stake || !w.Enabled || w.PID != 7 {
			t.Errorf("got %+v", w)
		}
		s = w.Spec()
		s.Name, s.PID, s.Gatekeeper, s.SyncOnly = "renamed", 8, true, true
		if err := c.UpdateWorker(t.Context(), w.ID, s); err != nil {
			t.Fatal(err)
		}
		want := `{"UpdateWorker":{"disabled":false,"endpoint":"http://127.0.0.9:8000/","gatekeeper":true,"name":"new","new_name":"renamed",` +
			`"pid":8,"stake":"340282366920938463463374607431768211455","sync_only":true}}`
		if got := m.body("UpdateWorker"); got != want {
			t.Errorf("sent %s", got)
		}
		now, ok := worker(t, c, "renamed")
		if !ok || now.ID != w.ID || now.PID != 8 || !now.Gatekeeper || now.Stake != w.Stake {
			t.Errorf("got %+v", now)
		}
		if err := c.RemoveWorker(t.Context(), w.ID); err != nil || m.body("RemoveWorker") != `{"RemoveWorker":{"name":"renamed"}}` {
			t.Errorf("remove: %v", err)
		}
		if _, ok := worker(t, c, "renamed"); ok {
			t.Error("still there")
		}
	})
}

// What prb-wm takes and chokes on is not sent.
func TestWhatIsRefusedBeforeItIsSent(t *testing.T) {
	with := func(change func(*WorkerSpec)) WorkerSpec {
		s := spec
		change(&s)
		return s
	}
	cases := map[string]struct {
		do   func(ctx context.Context, c *Client) error
		code string
		kind fleet.ErrorKind
	}{
		"pool exists":             {func(ctx context.Context, c *Client) error { return c.AddPool(ctx, PoolSpec{PID: 7, Name: "x"}) }, "prb3.pool_exists", fleet.Invalid},
		"pool like a worker":      {func(ctx context.Context, c *Client) error { return c.AddPool(ctx, PoolSpec{PID: 9, Name: "one"}) }, "prb3.name_taken", fleet.Invalid},
		"pool without a name":     {func(ctx context.Context, c *Client) error { return c.AddPool(ctx, PoolSpec{PID: 9, Name: " "}) }, "prb3.no_name", fleet.Invalid},
		"no such pool":            {func(ctx context.Context, c *Client) error { return c.UpdatePool(ctx, PoolSpec{PID: 9, Name: "x"}) }, "prb3.no_pool", fleet.NotFound},
		"pool renamed to another": {func(ctx context.Context, c *Client) error { return c.UpdatePool(ctx, PoolSpec{PID: 7, Name: "pool8"}) }, "prb3.name_taken", fleet.Invalid},
		"remove no pool":          {func(ctx context.Context, c *Client) error { return c.RemovePool(ctx, 9) }, "prb3.no_pool", fleet.NotFound},
		"remove a full pool":      {func(ctx context.Context, c *Client) error { return c.RemovePool(ctx, 7) }, "prb3.pool_not_empty", fleet.Refused},
		"worker like a pool": {func(ctx context.Context, c *Client) error {
			return c.AddWorker(ctx, with(func(s *WorkerSpec) { s.Name = "pool8" }))
		}, "prb3.name_taken", fleet.Invalid},
		"worker of no pool": {func(ctx context.Context, c *Client) error {
			return c.AddWorker(ctx, with(func(s *WorkerSpec) { s.PID = 9 }))
		}, "prb3.no_pool", fleet.NotFound},
		"worker without address": {func(ctx context.Context, c *Client) error {
			return c.AddWorker(ctx, with(func(s *WorkerSpec) { s.Endpoint = "10.0.0.1:8000" }))
		}, "prb3.bad_endpoint", fleet.Invalid},
		"worker with a password": {func(ctx context.Context, c *Client) error {
			return c.UpdateWorker(ctx, "w1", with(func(s *WorkerSpec) { s.Endpoint = "http://u:hush@x" }))
		}, "prb3.bad_endpoint", fleet.Invalid},
		"rename to another": {func(ctx context.Context, c *Client) error {
			return c.UpdateWorker(ctx, "w1", with(func(s *WorkerSpec) { s.Name = "two" }))
		}, "prb3.name_taken", fleet.Invalid},
		"no such worker":     {func(ctx context.Context, c *Client) error { return c.UpdateWorker(ctx, "one", spec) }, "prb3.no_worker", fleet.NotFound},
		"remove no worker":   {func(ctx context.Context, c *Client) error { return c.RemoveWorker(ctx, "one") }, "prb3.no_worker", fleet.NotFound},
		"remove a pool's id": {func(ctx context.Context, c *Client) error { return c.RemoveWorker(ctx, "p7") }, "prb3.no_worker", fleet.NotFound},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			m := newManager(t, V32)
			err := tc.do(t.Context(), newClient(t, Options{URL: m.URL}))
			if fleet.ReasonOf(err).Code != tc.code || fleet.KindOf(err) != tc.kind || prb.IsAmbiguous(err) || strings.Contains(err.Error(), "hush") {
				t.Errorf("got %v", err)
			}
			for what, n := range m.asked {
				if what != "GetAllPoolsWithWorkers" {
					t.Errorf("%s was sent %d times", what, n)
				}
			}
		})
	}
	t.Run("a worker that is called like a pool", func(t *testing.T) {
		m := newManager(t, V32)
		m.workers[0].Name = "pool8"
		c := newClient(t, Options{URL: m.URL})
		if err := c.RemoveWorker(t.Context(), "w1"); fleet.ReasonOf(err).Code != "prb3.name_ambiguous" || m.count("RemoveWorker") != 0 {
			t.Errorf("got %v", err)
		}
	})
}

// The proxy would make another pool of it; directly it is exact.
func TestLargePoolNumbers(t *testing.T) {
	const large = 1<<53 + 1
	m := newManager(t, V32)
	m.pools[0].PID, m.workers[0].PID = large, new(uint64(large))
	direct, proxied := newClient(t, Options{URL: m.URL}), newClient(t, Options{URL: m.URL, Proxy: newProxy(t).URL})
	for _, c := range []*Client{direct, proxied} {
		if r := c.Read(t.Context()); r.InventoryErr != nil || r.Pools[0].PID != large || r.Workers[0].PID != large {
			t.Errorf("read: %+v", r)
		}
	}
	s := PoolSpec{PID: large, Name: "large", Enabled: true}
	if err := proxied.UpdatePool(t.Context(), s); fleet.ReasonOf(err).Code != "prb3.pid_too_large" || m.count("UpdatePool") != 0 {
		t.Errorf("through the monitor: %v", err)
	}
	if _, err := proxied.Pool(t.Context(), large); fleet.ReasonOf(err).Code != "prb3.pid_too_large" {
		t.Errorf("through the monitor: %v", err)
	}
	if err := direct.UpdatePool(t.Context(), s); err != nil {
		t.Errorf("directly: %v", err)
	}
	if err := proxied.AddPool(t.Context(), PoolSpec{PID: 1 << 53, Name: "edge"}); err != nil {
		t.Errorf("2^53 itself is exact: %v", err)
	}
}

// An unclear answer is settled by a look; nothing is sent twice.
func TestUnclearAnswersToWrites(t *testing.T) {
	down := func(m *manager) func(http.ResponseWriter, func()) bool {
		return func(http.ResponseWriter, func()) bool {
			m.fault["GetAllPoolsWithWorkers"] = say(503, "") // from now on
			panic(http.ErrAbortHandler)
		}
	}
	cases := map[string]struct {
		answer    func(*manager) func(http.ResponseWriter, func()) bool
		code      string // directly
		ambiguous bool
	}{
		"closed, done":      {func(*manager) func(http.ResponseWriter, func()) bool { return hangUp(true) }, "", false},
		"closed, not done":  {func(*manager) func(http.ResponseWriter, func()) bool { return hangUp(false) }, "wire.closed", true},
		"gateway, done":     {func(*manager) func(http.ResponseWriter, func()) bool { return doneBut(504, "<html>") }, "", false},
		"gateway, not done": {func(*manager) func(http.ResponseWriter, func()) bool { return say(504, "<html>") }, "prb3.http_status", true},
		"empty, done":       {func(*manager) func(http.ResponseWriter, func()) bool { return doneBut(200, "") }, "", false},
		"empty, not done":   {func(*manager) func(http.ResponseWriter, func()) bool { return say(200, "") }, "prb3.garbage", false},
		"null, done":        {func(*manager) func(http.ResponseWriter, func()) bool { return doneBut(200, "null") }, "", false},
		"another record": {func(*manager) func(http.ResponseWriter, func()) bool {
			return say(200, `{"id":"w1","name":"one","stake":"1","pid":7}`)
		}, "prb3.not_as_asked", false},
		"failed, done all the same": {func(*manager) func(http.ResponseWriter, func()) bool {
			return doneBut(500, `{"error":true,"code":"ServerError","message":"db write failed"}`)
		}, "", false},
		"failed, not done": {func(*manager) func(http.ResponseWriter, func()) bool {
			return say(500, `{"error":true,"code":"ServerError","message":"db write failed"}`)
		}, "prb3.failed", false},
		"refused": {func(*manager) func(http.ResponseWriter, func()) bool {
			return say(500, `{"error":true,"code":"ServerError","message":"Duplicated worker name!"}`)
		}, "prb3.failed", false},
		"wrong shape":             {func(*manager) func(http.ResponseWriter, func()) bool { return say(422, "missing field") }, "prb3.request_refused", false},
		"closed, then no look":    {down, "wire.closed", true},
		"other server, after all": {func(*manager) func(http.ResponseWriter, func()) bool { return say(404, "<html>") }, "prb3.http_status", false},
	}
	for name, tc := range cases {
		for _, proxied := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				m := newManager(t, V32)
				o := Options{URL: m.URL, Clock: hands()}
				code := tc.code
				if proxied {
					o.Proxy = newProxy(t).URL
					code = strings.Replace(code, "wire.closed", "prb3.upstream", 1)
				}
				c := newClient(t, o)
				m.fault["AddWorker"] = tc.answer(m)
				err := c.AddWorker(t.Context(), spec)
				if fleet.ReasonOf(err).Code != code || prb.IsAmbiguous(err) != tc.ambiguous || m.count("AddWorker") != 1 {
					t.Errorf("proxied %v: got %v (ambiguous %v), sent %d times", proxied, err, prb.IsAmbiguous(err), m.count("AddWorker"))
				}
			})
		}
	}
}

func TestUnclearAnswersToOtherWrites(t *testing.T) {
	eachWay(t, func(t *testing.T, m *manager, c *Client) {
		lose := func(done bool, names ...string) {
			m.with(func() {
				for _, name := range names {
					m.fault[name] = hangUp(done)
				}
			})
		}
		all := []string{"AddPool", "UpdatePool", "RemovePool", "UpdateWorker", "RemoveWorker"}
		lose(false, all...)
		pool, s := PoolSpec{PID: 9, Name: "nine"}, spec
		s.Name = "uno"
		steps := []func() error{
			func() error { return c.AddPool(t.Context(), pool) },
			func() error { return c.UpdateWorker(t.Context(), "w1", s) },
			func() error { return c.RemoveWorker(t.Context(), "w2") },
			func() error { return c.RemovePool(t.Context(), 8) },
			func() error { return c.UpdatePool(t.Context(), PoolSpec{PID: 7, Name: "sept"}) },
		}
		for i, step := range steps {
			if err := step(); !prb.IsAmbiguous(err) {
				t.Errorf("step %d, not done: %v", i, err)
			}
		}
		lose(true, all...)
		for i, step := range steps {
			if err := step(); err != nil {
				t.Errorf("step %d, done: %v", i, err)
			}
		}
		for _, name := range all {
			if n := m.count(name); n != 2 {
				t.Errorf("%s was sent %d times for 2", name, n)
			}
		}
	})
}

func TestATimeoutLeavesTimeForALook(t *testing.T) {
	m := newManager(t, V32)
	c := newClient(t, Options{URL: m.URL})
	release := make(chan struct{})
	m.fault["AddWorker"] = func(_ http.ResponseWriter, carryOut func()) bool {
		carryOut()
		m.mu.Unlock() // others are answered meanwhile
		<-release
		m.mu.Lock()
		return true
	}
	ctx, cancel := context.WithTimeout(t.Context(), 900*time.Millisecond)
	defer cancel()
	err := c.AddWorker(ctx, spec)
	close(release)
	if err != nil {
		t.Errorf("it was carried out, and a look would have shown it: %v", err)
	}
}

func TestWritesComeOneAfterTheOther(t *testing.T) {
	m := newManager(t, V32)
	c := newClient(t, Options{URL: m.URL})
	var mu sync.Mutex
	errs := map[string]int{}
	var wg sync.WaitGroup
	for range 8 { // all want the same name: one gets it, the others see it taken before they send
		wg.Go(func() {
			err := c.AddWorker(t.Context(), spec)
			mu.Lock()
			defer mu.Unlock()
			errs[fleet.ReasonOf(err).Code]++
		})
	}
	wg.Wait()
	if errs[""] != 1 || errs["prb3.name_taken"] != 7 || m.count("AddWorker") != 1 {
		t.Errorf("got %v, sent %d times", errs, m.count("AddWorker"))
	}
	c.writing <- struct{}{}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
	defer cancel()
	if err := c.RemoveWorker(ctx, "w1"); fleet.ReasonOf(err).Code != "prb3.write_waited" || prb.IsAmbiguous(err) {
		t.Errorf("while another writes: %v", err)
	}
}

func TestEndpointsAreComparedAsTheyAreStored(t *testing.T) {
	for a, b := range map[string]string{
		"http://127.0.0.1:8000": "http://127.0.0.1:8000/", "http://Host:80": "http://host/", "https://x:443/a": "https://x/a",
		"HTTP://x": "http://x/", "http://[::1]:8000": "http://[::1]:8000/",
	} {
		if canonical(a) != b || canonical(b) != b {
			t.Errorf("%s became %s, want %s", a, canonical(a), b)
		}
	}
	for _, bad := range []string{"", "x:8000", "/a", "ftp://x", "http://", "http://:8000", "http://u@x", "http://[::1"} {
		if canonical(bad) != "" {
			t.Errorf("%q became %q", bad, canonical(bad))
		}
	}
}
