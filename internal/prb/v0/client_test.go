package v0

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"phalops/internal/fleet"
	"phalops/internal/prb"
	"phalops/internal/wire"
)

// answers serves a body (and a status, 0 = 200) per command; a missing one is the monitor's "nobody answered".
func answers(t *testing.T, by map[string]string) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body map[string]json.RawMessage
		_ = json.NewDecoder(r.Body).Decode(&body)
		for command := range body {
			if content, ok := by[command]; ok {
				_, _ = io.WriteString(w, `{"from":"MTG_MANAGER","content":`+content+`}`)
				return
			}
		}
		w.WriteHeader(http.StatusInternalServerError)
		_, _ = io.WriteString(w, "Internal Server Error")
	}))
	t.Cleanup(s.Close)
	return s.URL
}

const (
	twoWorkers = `{"lifecycleManagerStateUpdate":{"pools":[{"uuid":"p","pid":"88","owner":{"polkadotJson":"{}","ss58Phala":"4x"}}],
		"workers":[{"uuid":"a","pid":"88","name":"one","stake":"10000000000000","enabled":true},{"uuid":"b","pid":"88","name":"two","stake":"","enabled":false}]}}`
	oneRuns  = `{"workerStateUpdate":{"workerStates":[{"status":"S_MINING","paraBlockDispatchedTo":9,"worker":{"uuid":"a","name":"old"},"lastMessage":"1662537483123 - Now the worker should be mining.","minerInfoJson":"{}"},{"minerInfoJson":"{}"}]}}`
	fetching = `{"fetcherStateUpdate":{"hostname":"f","paraBlobHeight":8,"parentBlobHeight":-1,"synched":true}}`
)

func TestReadJoinsInventoryAndStatesByPosition(t *testing.T) {
	c := newClient(t, Options{URL: answers(t, map[string]string{
		"callOnlineLifecycleManager": twoWorkers, "queryWorkerState": oneRuns, "callOnlineFetcher": fetching,
	}) + "/"})
	r := c.Read(t.Context())
	if err := errors.Join(r.MonitorErr, r.InventoryErr, r.StatesErr, r.DataProviders[0].Err); err != nil {
		t.Fatal(err)
	}
	one, two := r.Workers[0], r.Workers[1]
	if one.Name != "one" || !one.Running || one.State != "S_MINING" || one.Para.Value != 9 || one.Relay.Known || one.Message != "Now the worker should be mining." ||
		!one.StakeOK || two.Running || two.StakeOK || r.Pools[0].Workers != 2 || r.Pools[0].Operator != "4x" {
		t.Errorf("got %+v", r)
	}
	dp := r.DataProviders[0].Status
	if dp.PeerID != FetcherID || dp.Para.Value != 8 || !dp.Parent.Known || dp.Parent.Value != -1 || dp.ParaFetched.Known {
		t.Errorf("fetcher: %+v", dp)
	}
}

// Answers come by position, mostly without a name on them: what does not fit says nothing about anybody.
func TestStatesThatDoNotFitAreUnknown(t *testing.T) {
	for name, states := range map[string]string{
		"too few":       `[{"minerInfoJson":"{}"}]`,
		"too many":      `[{},{},{}]`,
		"swapped":       `[{"minerInfoJson":"{}"},{"status":"S_MINING","worker":{"uuid":"a"}}]`,
		"no uuid":       `[{"status":"S_MINING","worker":{"name":"x"}},{}]`,
		"no worker":     `[{"status":"S_MINING"},{}]`,
		"odd item":      `[7,{}]`,
		"null item":     `[null,{}]`,
		"not a list":    `{}`,
		"missing":       `null`,
		"another shape": `"x"`,
	} {
		c := newClient(t, Options{URL: answers(t, map[string]string{
			"callOnlineLifecycleManager": twoWorkers, "callOnlineFetcher": fetching,
			"queryWorkerState": `{"workerStateUpdate":{"workerStates":` + states + `}}`,
		})})
		r := c.Read(t.Context())
		if r.StatesErr == nil || r.InventoryErr != nil || len(r.Workers) != 2 || r.Workers[0].Running || r.Workers[1].Running {
			t.Errorf("%s: got %+v", name, r)
		}
	}
}

func TestStatesAreAskedInBatches(t *testing.T) {
	var sizes []int
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body struct {
			Query struct{ IDs []id } `json:"queryWorkerState"`
		}
		_ = json.NewDecoder(r.Body).Decode(&body)
		sizes = append(sizes, len(body.Query.IDs))
		var items []string
		for _, id := range body.Query.IDs {
			items = append(items, `{"status":"S_MINING","worker":{"uuid":"`+id.UUID+`"}}`)
		}
		_, _ = io.WriteString(w, `{"content":{"workerStateUpdate":{"workerStates":[`+strings.Join(items, ",")+`]}}}`)
	}))
	t.Cleanup(s.Close)
	var ids []string
	for i := range 2*statesBatch + 1 {
		ids = append(ids, fmt.Sprint("u", i))
	}
	states, err := newClient(t, Options{URL: s.URL}).States(t.Context(), append(ids, "", "u0")...)
	if err != nil || len(states) != len(ids) || states[200].ID != "u200" || fmt.Sprint(sizes) != "[100 100 1]" {
		t.Errorf("%d states, batches %v, %v", len(states), sizes, err)
	}
}

func TestEachPartHasItsOwnSilence(t *testing.T) {
	noWorkers := `{"lifecycleManagerStateUpdate":{"hostname":"lifecycle"}}`
	r := newClient(t, Options{URL: answers(t, map[string]string{"callOnlineLifecycleManager": noWorkers})}).Read(t.Context())
	if r.MonitorErr != nil || r.InventoryErr != nil || r.StatesErr != nil || fleet.ReasonOf(r.DataProviders[0].Err).Code != "prb.no_reply" {
		t.Errorf("empty bridge, silent fetcher: %+v", r)
	}
	r = newClient(t, Options{URL: answers(t, map[string]string{"callOnlineFetcher": fetching})}).Read(t.Context())
	if r.MonitorErr != nil || r.InventoryErr == nil || r.StatesErr == nil || r.DataProviders[0].Err != nil {
		t.Errorf("silent manager: %+v", r)
	}
	r = newClient(t, Options{URL: answers(t, nil)}).Read(t.Context())
	if r.MonitorErr != nil || r.InventoryErr == nil || r.DataProviders[0].Err == nil {
		t.Errorf("a monitor that says that nobody answers is there: %+v", r)
	}
	notV0 := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(notV0.Close)
	if r = newClient(t, Options{URL: notV0.URL}).Read(t.Context()); fleet.ReasonOf(r.MonitorErr).Code != "prb.not_v0" || r.DataProviders != nil {
		t.Errorf("not a v0 monitor: %+v", r)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	if r = newClient(t, Options{URL: "http://" + l.Addr().String()}).Read(t.Context()); wire.ClassOf(r.MonitorErr) != wire.Refused {
		t.Errorf("nobody there: %+v", r)
	}
}

func TestActionsTellWhatTheyKnow(t *testing.T) {
	extra := func(text string) string {
		raw, _ := json.Marshal(text)
		return `{"error":{"extra":` + string(raw) + `}}`
	}
	for name, tc := range map[string]struct {
		content   string
		is        error
		ambiguous bool
	}{
		"done":            {`{}`, nil, false},
		"no context":      {extra("Cannot read properties of undefined (reading 'innerTxQueue')"), prb.ErrNotRunning, false},
		"no such worker":  {extra(`{"type":"worker","key":"uuid","value":"a"}`), prb.ErrNoWorker, false},
		"its pool is not": {extra(`{"type":"pool","key":"pid","value":"88"}`), prb.ErrNoPool, false},
		"stake":           {extra("Stake amount should be at least > 1PHA!"), prb.ErrLowStake, false},
		"error, no text":  {`{"error":{}}`, nil, true},
		"no content":      {`null`, nil, true},
		"odd content":     {`[]`, nil, true},
	} {
		c := newClient(t, Options{URL: answers(t, map[string]string{"requestStartWorkerLifecycle": tc.content, "requestKickWorker": tc.content})})
		for _, act := range []func(context.Context, string) error{c.RestartWorker, c.KickWorker} {
			err := act(t.Context(), "a")
			if (err == nil) != (name == "done") || tc.is != nil && !errors.Is(err, tc.is) || prb.IsAmbiguous(err) != tc.ambiguous {
				t.Errorf("%s: got %v, ambiguous %v", name, err, prb.IsAmbiguous(err))
			}
		}
	}
	silent := newClient(t, Options{URL: answers(t, nil)})
	if err := silent.RestartWorker(t.Context(), "a"); !prb.IsAmbiguous(err) || fleet.ReasonOf(err).Code != "prb.no_reply" {
		t.Errorf("no reply: %v", err)
	}
	if err := silent.RestartWorker(t.Context(), ""); !errors.Is(err, prb.ErrNoWorker) {
		t.Errorf("no id: %v", err)
	}
}

// A wrongly used monitor dies in the middle: an action is not repeated, a question is, once.
func TestClosedConnections(t *testing.T) {
	var mu sync.Mutex
	hits := map[string]int{}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		raw, _ := io.ReadAll(r.Body)
		mu.Lock()
		hits[string(raw[:15])]++
		mu.Unlock()
		conn, _, err := w.(http.Hijacker).Hijack()
		if err == nil {
			conn.Close()
		}
	}))
	t.Cleanup(s.Close)
	c := newClient(t, Options{URL: s.URL, Clock: hasty})
	if err := c.KickWorker(t.Context(), "a"); !prb.IsAmbiguous(err) {
		t.Errorf("kick: %v", err)
	}
	if _, _, err := c.Inventory(t.Context()); wire.ClassOf(err) != wire.Closed {
		t.Errorf("list: %v", err)
	}
	mu.Lock()
	defer mu.Unlock()
	if hits[`{"requestKickWo`] != 1 || hits[`{"callOnlineLif`] != 2 {
		t.Errorf("requests: %v", hits)
	}
}

// What is no HTTP may be the middle of a list: it is not quoted.
func TestGarbageIsNotQuoted(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = io.ReadAtLeast(conn, make([]byte, 64), 64)
			_, _ = io.WriteString(conn, "CIEIKJJ9secretAAAA=\"\r\n\r\n")
			conn.Close()
		}
	})
	t.Cleanup(func() { l.Close(); wg.Wait() })
	c := newClient(t, Options{URL: "http://" + l.Addr().String(), Clock: hasty})
	r := c.Read(t.Context())
	restart := c.RestartWorker(t.Context(), "a")
	if r.MonitorErr == nil || !prb.IsAmbiguous(restart) || strings.Contains(fmt.Sprint(r.MonitorErr, fleet.ReasonOf(r.MonitorErr), restart, fleet.ReasonOf(restart)), "secret") {
		t.Errorf("got %v and %v", r.MonitorErr, restart)
	}
}

func TestABadAddressIsRefused(t *testing.T) {
	for _, bad := range []string{"", "127.0.0.1:3000", "ftp://127.0.0.1", "http://"} {
		if _, err := New(Options{URL: bad}); fleet.KindOf(err) != fleet.Invalid {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func FuzzReply(f *testing.F) {
	for _, s := range []string{
		`{"content":` + twoWorkers + `}`, `{"content":` + oneRuns + `}`, `{"content":` + fetching + `}`, `{"content":{"error":{"extra":"x"}}}`,
		`{"content":{"error":{"extra":"Duplicated key 'pid' in pool item {\"owner\":{\"polkadotJson\":\"{\\\"encoded\\\":\\\"MFMCAQEw\"}}"}}}`,
		`{}`, `{"content":null}`, `{"content":{"error":null}}`, `Internal Server Error`,
	} {
		f.Add(200, []byte(s))
	}
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		doc, err := decodeReply(new(prb.Parsers), status, body, question{service: "manager", command: "c", subject: "w"}, "http://m")
		if err != nil {
			reason := fleet.ReasonOf(err)
			if reason.Code == "error.other" || len(err.Error()) > 6<<10 || strings.Contains(strings.ToLower(reason.String()), "polkadotjson") {
				t.Errorf("%v", err)
			}
			return
		}
		content := doc.Value
		l, _ := decodeListing(content, "c")
		states, _ := decodeStates(new(prb.Parsers), content, []string{"a", "b"})
		prb.Join(l.workers, states)
		var dp fleet.DataProviderStatus
		_ = decodeFetcher(content, &dp)
		if out, err := json.Marshal([]any{l.pools, l.workers, states, dp}); err != nil || strings.Contains(string(out), "MFMCAQEw") && !strings.Contains(string(body), `"name"`) {
			t.Errorf("%s, %v", out, err)
		}
	})
}
