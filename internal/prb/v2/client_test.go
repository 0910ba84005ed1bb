package v2

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"phalops/internal/clock"
	"phalops/internal/fleet"
	"phalops/internal/prb"
	"phalops/internal/wire"
)

func TestReadJoinsInventoryAndStatesByID(t *testing.T) {
	m := newMonitor(t)
	c := newClient(t, Options{URL: m.URL + "/"})
	r := c.Read(t.Context())
	if err := errors.Join(r.MonitorErr, r.InventoryErr, r.StatesErr); err != nil {
		t.Fatal(err)
	}
	if r.LifecyclePeer != "QmLM" || len(r.Pools) != 1 || r.Pools[0].Workers != 1 || r.Pools[0].Operator != "4x" {
		t.Errorf("got %+v", r)
	}
	if len(r.Workers) != 3 {
		t.Fatalf("%d workers, want the inventory's 3: %+v", len(r.Workers), r.Workers)
	}
	one, three, two := r.Workers[0], r.Workers[1], r.Workers[2] // by name
	if one.Name != "one" || one.State != "S_ACTIVE" || one.Para.Value != 9 || !one.Running || !one.StakeOK || one.Stake != fleet.PHA(10) || !one.SyncOnly ||
		one.Message != "Now the worker should be active." || !one.MessageAt.Equal(time.Date(2022, 9, 7, 7, 58, 3, 0, time.UTC)) {
		t.Errorf("w1: %+v", one)
	}
	if two.Name != "two" || two.State != "S_SYNCHING" || !two.Para.Known || two.Para.Value != -1 || two.Relay.Known || two.StakeOK || two.SyncOnly || two.PID != 84 {
		t.Errorf("w2: %+v", two)
	}
	if three.Running || three.Enabled || three.State != "" || three.Para.Known {
		t.Errorf("w3 has no context: %+v", three)
	}
	dp := r.DataProviders[0]
	if dp.Err != nil || dp.Status.Para.Value != 9 || dp.Status.Parent.Value != 19 || dp.Status.ParaFetched.Known || dp.Status.Hostname != "dp" {
		t.Errorf("data provider: %+v", dp)
	}
	c.Read(t.Context())
	if n := m.count("discover"); n != 1 {
		t.Errorf("discover was asked %d times for two reads", n)
	}
}

func TestOneRequestPerPeerAndPeersInParallel(t *testing.T) {
	m := newMonitor(t)
	both := make(chan struct{})
	m.hold = func(_ string, ctx context.Context) { // nobody goes on before both peers are being asked
		m.mu.Lock()
		if m.flying["QmDP"] > 0 && m.flying["QmLM"] > 0 {
			select {
			case <-both:
			default:
				close(both)
			}
		}
		m.mu.Unlock()
		select {
		case <-both:
		case <-ctx.Done():
		}
	}
	shared := wire.New(wire.Options{Allow: wire.LoopbackOnly})
	t.Cleanup(shared.Close)
	a, b := newClient(t, Options{URL: m.URL, HTTP: shared}), newClient(t, Options{URL: m.URL, HTTP: shared, Lifecycle: "QmLM"})
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	var wg sync.WaitGroup
	for _, c := range []*Client{a, b, a, b} {
		wg.Go(func() {
			if r := c.Read(ctx); r.MonitorErr != nil || r.InventoryErr != nil || r.StatesErr != nil {
				t.Errorf("%+v", r)
			}
		})
		wg.Go(func() {
			if err := c.RestartWorker(ctx, "w1"); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if m.most["QmLM"] != 1 || m.most["QmDP"] != 1 {
		t.Errorf("at the same time: %v, want one per peer", m.most)
	}
}

func TestLostRepliesToReadsAreAskedAgain(t *testing.T) {
	m := newMonitor(t)
	c := newClient(t, Options{URL: m.URL, Clock: hasty{}})
	good := m.answers["QmLM/ListWorker"]
	m.set("QmLM/ListWorker", inTurn(reply(200, lostReply), reply(200, lostReply), good))
	if r := c.Read(t.Context()); r.InventoryErr != nil || len(r.Workers) != 3 {
		t.Errorf("after two lost replies: %v, %d workers", r.InventoryErr, len(r.Workers))
	}
	before := m.count("QmLM/GetWorkerStatus")
	m.set("QmLM/GetWorkerStatus", reply(200, lostReply))
	r := c.Read(t.Context())
	if fleet.ReasonOf(r.StatesErr).Code != "prb.lost_reply" || r.InventoryErr != nil || len(r.Workers) != 3 || r.Workers[0].Running {
		t.Errorf("with states lost for ever: %v, %v, %+v", r.StatesErr, r.InventoryErr, r.Workers)
	}
	if n := m.count("QmLM/GetWorkerStatus") - before; n != readAttempts {
		t.Errorf("asked %d times, want %d", n, readAttempts)
	}
}

func TestWhoseSilence(t *testing.T) {
	stuck := func(who string) func(string, context.Context) {
		return func(peer string, ctx context.Context) {
			if peer == who {
				<-ctx.Done()
			}
		}
	}
	read := func(t *testing.T, c *Client) prb.Reading {
		ctx, cancel := context.WithTimeout(t.Context(), 600*time.Millisecond)
		defer cancel()
		return c.Read(ctx)
	}
	t.Run("lifecycle hangs behind a living monitor", func(t *testing.T) {
		m := newMonitor(t)
		m.hold = stuck("QmLM")
		r := read(t, newClient(t, Options{URL: m.URL}))
		if r.MonitorErr != nil || wire.ClassOf(r.InventoryErr) != wire.Timeout || r.StatesErr == nil || r.DataProviders[0].Err != nil {
			t.Errorf("got %+v", r)
		}
		if m.count("QmLM/GetWorkerStatus") != 0 {
			t.Error("a stuck peer was asked a second question in the same round")
		}
	})
	t.Run("everything behind a living monitor hangs", func(t *testing.T) {
		m := newMonitor(t)
		m.hold = func(_ string, ctx context.Context) { <-ctx.Done() }
		if r := read(t, newClient(t, Options{URL: m.URL})); r.MonitorErr != nil || r.InventoryErr == nil || r.DataProviders[0].Err == nil {
			t.Errorf("got %+v", r)
		}
	})
	t.Run("a data provider hangs", func(t *testing.T) {
		m := newMonitor(t)
		m.hold = stuck("QmDP")
		if r := read(t, newClient(t, Options{URL: m.URL})); r.MonitorErr != nil || r.InventoryErr != nil || r.StatesErr != nil || len(r.Workers) != 3 || r.DataProviders[0].Err == nil {
			t.Errorf("got %+v", r)
		}
	})
	t.Run("the monitor dies between two reads", func(t *testing.T) {
		m := newMonitor(t)
		c := newClient(t, Options{URL: m.URL, Clock: hasty{}})
		read(t, c)
		m.Close()
		if r := read(t, c); wire.ClassOf(r.MonitorErr) != wire.Refused || r.Workers != nil || r.DataProviders != nil {
			t.Errorf("got %+v", r)
		}
	})
	t.Run("something else answers", func(t *testing.T) {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"ok":true}`) }))
		defer s.Close()
		if r := read(t, newClient(t, Options{URL: s.URL})); fleet.ReasonOf(r.MonitorErr).Code != "prb.not_v2" {
			t.Errorf("got %v", r.MonitorErr)
		}
	})
}

func TestTheTableIsAskedAgainWhenItMayBeWrong(t *testing.T) {
	cases := map[string]func(*monitor){
		"unknown peer": func(m *monitor) { m.set("QmLM/ListPool", reply(500, `{}`)) },
		"dead peer": func(m *monitor) {
			m.set("QmDP/GetDataProviderInfo", reply(200, `{"hasError":true,"error":{"name":"AggregateError"},"meta":null}`))
		},
		"nothing listed":   func(m *monitor) { m.table = `{"dataProviders":[],"lifecycleManagers":[]}` },
		"no data provider": func(m *monitor) { m.table = `{"dataProviders":[],"lifecycleManagers":[{"peerId":"QmLM"}]}` },
	}
	for name, breakIt := range cases {
		t.Run(name, func(t *testing.T) {
			m := newMonitor(t)
			breakIt(m)
			c := newClient(t, Options{URL: m.URL, Clock: hasty{}})
			c.Read(t.Context())
			c.Read(t.Context())
			if n := m.count("discover"); n != 2 {
				t.Errorf("discover was asked %d times for two reads, want 2", n)
			}
		})
	}
	t.Run("old", func(t *testing.T) {
		m := newMonitor(t)
		hands := clock.NewVirtual(time.Now())
		c := newClient(t, Options{URL: m.URL, Clock: hands})
		c.Read(t.Context())
		hands.Advance(tableAge)
		c.Read(t.Context())
		if n := m.count("discover"); n != 2 {
			t.Errorf("discover was asked %d times", n)
		}
	})
}

func TestWhichLifecycleManager(t *testing.T) {
	two := strings.Replace(oneOfEach, `"lifecycleManagers":[`, `"lifecycleManagers":[{"peerId":"QmAA"},{"peerId":"QmLM"},`, 1)
	cases := []struct {
		name, table, configured, peer, code string
		kind                                fleet.ErrorKind
	}{
		{"the only one", oneOfEach, "", "QmLM", "", ""},
		{"configured", two, "QmLM", "QmLM", "", ""},
		{"none", `{"dataProviders":[],"lifecycleManagers":[]}`, "", "", "prb.no_lifecycle", fleet.Unavailable},
		{"several", two, "", "", "prb.several_lifecycles", fleet.Invalid},
		{"another", oneOfEach, "QmZZ", "", "prb.lifecycle_unlisted", fleet.Unavailable},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			m := newMonitor(t)
			m.table = tc.table
			c := newClient(t, Options{URL: m.URL, Lifecycle: tc.configured})
			r := c.Read(t.Context())
			if r.LifecyclePeer != tc.peer || fleet.ReasonOf(r.InventoryErr).Code != tc.code || fleet.KindOf(r.StatesErr) != tc.kind || r.MonitorErr != nil {
				t.Errorf("got %+v", r)
			}
			if tc.code == "prb.several_lifecycles" && fleet.ReasonOf(r.InventoryErr).Args["peers"] != "QmAA, QmLM" {
				t.Errorf("the ids are not listed: %v", r.InventoryErr)
			}
			if err := c.RestartWorker(t.Context(), "w1"); fleet.ReasonOf(err).Code != tc.code || prb.IsAmbiguous(err) {
				t.Errorf("restart: %v", err)
			}
		})
	}
}

func TestStatesOfSomeWorkers(t *testing.T) {
	m := newMonitor(t)
	c := newClient(t, Options{URL: m.URL})
	ids := func(states []fleet.WorkerStatus, err error) []string {
		if err != nil {
			t.Error(err)
		}
		var ids []string
		for _, s := range states {
			ids = append(ids, s.ID)
		}
		slices.Sort(ids)
		return ids
	}
	if got := ids(c.States(t.Context())); !slices.Equal(got, []string{"deleted", "w1", "w2"}) {
		t.Errorf("all: %v", got)
	}
	if got := ids(c.States(t.Context(), "w1", "w3")); !slices.Equal(got, []string{"w1"}) || m.bodies["QmLM/GetWorkerStatus"] != "{}" {
		t.Errorf("two, one without a context: %v, asked with %s", got, m.bodies["QmLM/GetWorkerStatus"])
	}
	if got := ids(c.States(t.Context(), "w2")); !slices.Equal(got, []string{"w2"}) || m.bodies["QmLM/GetWorkerStatus"] != `{"ids":["w2"]}` {
		t.Errorf("one: %v", got)
	}
	for _, message := range []string{"TypeError: Cannot read properties of undefined (reading 'status')"} {
		m.set("QmLM/GetWorkerStatus", refused(1, message))
		if got := ids(c.States(t.Context(), "w3")); got != nil {
			t.Errorf("without a context: %v", got)
		}
	}
	m.set("QmLM/GetWorkerStatus", refused(2, "Worker w9 not found!"))
	if got := ids(c.States(t.Context(), "w9")); got != nil {
		t.Errorf("unknown: %v", got)
	}
	m.set("QmLM/GetWorkerStatus", refused(1, "TypeError: Cannot read properties of undefined (reading 'workers')"))
	if _, err := c.States(t.Context(), "w1"); !errors.Is(err, prb.ErrConfigMode) {
		t.Errorf("config mode: %v", err)
	}
}

func TestKeysInErrorTextsAreRedacted(t *testing.T) {
	key := strings.Repeat("0a10ea05", 150)
	for _, text := range []string{
		`Duplicated key 'pid' in pool item {"pid":"88","owner":{"mnemonic":"file midnight since","polkadotJson":"{\"encoded\":\"SECRET\"}"},"name":"SECRET2"}`,
		`Error: {\"mnemonic\":\"file midnight since\"}`, "Error: cannot open " + key, "0x" + key, `{"encoded":"SECRET"}`,
	} {
		m := newMonitor(t)
		m.set("QmLM/ListPool", refused(1, text))
		raw, _ := json.Marshal(text)
		m.set("QmLM/GetWorkerStatus", ok(`{"workerStates":[{"worker":{"uuid":"w1"},"lastMessage":`+string(raw)+`}]}`))
		c := newClient(t, Options{URL: m.URL})
		r := c.Read(t.Context())
		for _, got := range []string{r.InventoryErr.Error(), fleet.ReasonOf(r.InventoryErr).String(), r.Workers[0].Message} {
			for _, secret := range []string{"SECRET", "midnight", key[:200]} {
				if strings.Contains(got, secret) {
					t.Errorf("%q came through in %q", secret, got)
				}
			}
		}
	}
}

func TestNewRefusesWhatIsNoAddress(t *testing.T) {
	for _, address := range []string{"", "192.168.3.100:3000", "ftp://x", "http://", "http://[::1"} {
		if _, err := New(Options{URL: address}); fleet.KindOf(err) != fleet.Invalid {
			t.Errorf("%q: %v", address, err)
		}
	}
}
