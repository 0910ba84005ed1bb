package v3

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
)

// manager is a prb-wm by hand, of either generation: its routes, its inventory and its quirks.
type manager struct {
	*httptest.Server
	generation Generation

	mu        sync.Mutex
	pools     []*fakePool
	workers   []*fakeWorker
	operators map[uint64]map[string]any
	loaded    []string // v3.0: the names in the order of the last start
	serial    int
	asked     map[string]int // "PUT /workers/restart", "AddPool"
	bodies    map[string]string
	queries   []string
	// fault changes what happens to a request, named as in asked: it may answer itself and say that it did.
	fault map[string]func(w http.ResponseWriter, carryOut func()) bool
}

type fakePool struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	PID      uint64 `json:"pid"`
	Enabled  bool   `json:"enabled"`
	SyncOnly bool   `json:"sync_only"`
	Workers  any    `json:"workers"`
}

type fakeWorker struct {
	ID         string  `json:"id"`
	Name       string  `json:"name"`
	Endpoint   string  `json:"endpoint"`
	Stake      string  `json:"stake"`
	PID        *uint64 `json:"pid"`
	Enabled    bool    `json:"enabled"`
	SyncOnly   bool    `json:"sync_only"`
	Gatekeeper bool    `json:"gatekeeper"`

	state, message, info, session string
}

func newManager(t *testing.T, g Generation) *manager {
	t.Helper()
	pid := uint64(7)
	m := &manager{
		generation: g, operators: map[uint64]map[string]any{}, asked: map[string]int{}, bodies: map[string]string{},
		fault: map[string]func(http.ResponseWriter, func()) bool{},
		pools: []*fakePool{{ID: "p7", Name: "pool7", PID: 7, Enabled: true}, {ID: "p8", Name: "pool8", PID: 8, Enabled: true, SyncOnly: true}},
		workers: []*fakeWorker{
			{ID: "w1", Name: "one", Endpoint: "http://127.0.0.1:8000/", Stake: "3000000000000000", PID: &pid, Enabled: true,
				state: `"Working"`, message: "[06-10 06:13:20] Computing Now!", info: infoText, session: sessionText},
			{ID: "w2", Name: "two", Endpoint: "http://127.0.0.2:8000/", Stake: "ten", PID: &pid, Enabled: true,
				state: `{"HasError":"Need Restart Manually! Worker Info is not matching prb internal status."}`, message: "[06-10 06:13:17] Start Synchronizing..."},
			{ID: "w3", Name: "three", Endpoint: "http://127.0.0.3:8000/", Stake: "1", PID: &pid, state: `"Disabled"`},
		},
	}
	m.operators[7] = map[string]any{"pid": 7, "operator_account_id": "45ProxyOfSeven", "proxied_account_id": "45OwnerOfSeven"}
	m.load()
	m.Server = httptest.NewServer(m)
	t.Cleanup(m.Close)
	return m
}

const (
	infoText = `{"initialized":true,"registered":true,"public_key":"1c2d3e4f5061728394a5b6c7d8e9fa0b1c2d3e4f5061728394a5b6c7d8e9fa0b",` +
		`"headernum":21500001,"para_headernum":6200001,"blocknum":6200001,"version":"2.2.0","git_revision":"0123-2024","memory_usage":null}`
	sessionText = `{"state":"WorkerIdle","ve":55340232221128654848000,"v":55533923033902605139968,"v_updated_at":1717999988,` +
		`"benchmark":{"p_init":1650,"p_instant":1648,"iterations":9123456789,"working_start_time":1717000000,"challenge_time_last":1717999940},` +
		`"cool_down_start":0,"stats":{"total_reward":12345678901234567890}}`
)

// load is what a start of v3.0 does.
func (m *manager) load() {
	m.loaded = nil
	for _, w := range m.workers {
		if w.Enabled {
			m.loaded = append(m.loaded, w.ID)
		}
	}
}

func (m *manager) count(what string) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.asked[what]
}

// body is the newest body that came, its fields in the order of their names and its numbers as they were written.
func (m *manager) body(what string) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	var v any
	d := json.NewDecoder(strings.NewReader(m.bodies[what]))
	d.UseNumber()
	if d.Decode(&v) != nil {
		return m.bodies[what]
	}
	text, _ := json.Marshal(v)
	return string(text)
}

// with changes the manager while nobody is being answered.
func (m *manager) with(f func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f()
}

func (m *manager) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	m.mu.Lock()
	defer m.mu.Unlock()
	what := r.Method + " " + r.URL.Path
	m.queries = append(m.queries, r.URL.RawQuery)
	route := map[string]string{
		"/wm/status": "GET", "/wm/restart": "PUT", "/wm/config": "POST", "/workers/status": "GET", "/workers/restart": "PUT",
		"/workers/force_register": "PUT", "/workers/update_endpoints": "PUT", "/tx/status": "GET",
	}
	if m.generation == V32 {
		route["/workers/take_checkpoint"] = "PUT"
	}
	method, known := route[r.URL.Path]
	switch {
	case !known:
		w.WriteHeader(http.StatusTeapot)
		return
	case r.Method != method:
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	case len(body) > 0 && r.Header.Get("Content-Type") != "application/json":
		w.WriteHeader(http.StatusUnsupportedMediaType)
		return
	}
	answer := func() (int, string) { return m.plain(r.URL.Path, body) }
	if r.URL.Path == "/wm/config" {
		var command map[string]json.RawMessage
		if json.Unmarshal(body, &command) != nil || len(command) != 1 {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		for name, args := range command {
			what = name
			answer = func() (int, string) { return m.command(name, args) }
		}
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	}
	m.asked[what]++
	m.bodies[what] = string(body)
	if f := m.fault[what]; f != nil && f(w, func() { answer() }) {
		return
	}
	status, text := answer()
	if status == 0 {
		panic(http.ErrAbortHandler)
	}
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text)
}

func (m *manager) plain(path string, body []byte) (int, string) {
	switch path {
	case "/wm/status":
		return 200, `{"git_revision":"0123456789abcdef0123456789abcdef01234567-20240201000000-dirty"}`
	case "/wm/restart":
		if m.generation == V32 {
			return 405, `{"ok":true}`
		}
		m.load()
		return 200, `{"ok":true}`
	case "/tx/status":
		return 200, `{"tx_count":2,"running_txs":[],"pending_txs":[{"id":1,"state":"Pending","desc":"Update endpoint of worker.","pid":18446744073709551615,"created_at":"2024-06-10T06:13:20.123456789Z"}],` +
			`"past_txs":[{"id":0,"state":{"Error":{"updated_at":"2024-06-10T06:14:20Z","message":"Invalid pool operator"}},"desc":"Register worker for pool #7","pid":7,"created_at":"2024-06-10T06:13:20Z"}]}`
	case "/workers/status":
		return 200, m.statuses()
	}
	var ids struct {
		IDs      []string `json:"ids"`
		Requests []struct {
			ID        string   `json:"id"`
			Endpoints []string `json:"endpoints"`
		} `json:"requests"`
	}
	if err := json.Unmarshal(body, &ids); err != nil {
		return 422, err.Error()
	}
	for _, id := range ids.IDs {
		i := slices.IndexFunc(m.workers, func(w *fakeWorker) bool { return w.ID == id })
		if m.generation == V30 && !slices.Contains(m.loaded, id) {
			return 400, fmt.Sprintf(`{"error":true,"code":"WorkerNotFound(\"%s\")","message":"worker not found: %s"}`, id, id)
		}
		if path == "/workers/restart" && i >= 0 && m.workers[i].Enabled {
			m.workers[i].state, m.workers[i].message = `"Restarting"`, "[06-10 07:00:00] Restarting, need to wait about 20 seconds"
		}
	}
	return 200, `{"ok":true}`
}

func (m *manager) statuses() string {
	byOrder := map[string]*fakeWorker{} // v3.2 has the order of a hash map
	for _, w := range m.workers {
		if m.generation == V32 || slices.Contains(m.loaded, w.ID) {
			byOrder[w.ID] = w
		}
	}
	or := func(s, none string) string {
		if s == "" {
			return none
		}
		return s
	}
	var list []string
	for w := range maps.Values(byOrder) {
		record, _ := json.Marshal(w)
		message, _ := json.Marshal(w.message)
		list = append(list, fmt.Sprintf(`{"worker":%s,"state":%s,"phactory_info":%s,"last_message":%s,"session_info":%s}`,
			record, or(w.state, `"Starting"`), or(w.info, "null"), message, or(w.session, "null")))
	}
	return `{"workers":[` + strings.Join(list, ",") + `]}`
}
