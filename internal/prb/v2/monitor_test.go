package v2

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"phalops/internal/clock"
)

// monitor is a monitor by hand: answers by "peer/method", counted, with the most requests at a time per peer.
type monitor struct {
	*httptest.Server
	mu      sync.Mutex
	table   string
	answers map[string]func() (int, string)
	asked   map[string]int
	bodies  map[string]string
	flying  map[string]int
	most    map[string]int
	hold    func(peer string, ctx context.Context) // runs while the request is in flight
}

const (
	goodMeta  = `"hasError":false,"meta":{"createdAt":"1675000000123","requestNonce":"a","nonce":"b","hasError":false}`
	lostReply = `{"data":{},"hasError":false,"meta":{}}`
)

func ok(data string) func() (int, string) { return reply(200, `{"data":`+data+`,`+goodMeta+`}`) }

func reply(status int, body string) func() (int, string) {
	return func() (int, string) { return status, body }
}

func refused(kind int, message string) func() (int, string) {
	m, _ := json.Marshal(message)
	return reply(200, `{"hasError":true,"error":{"type":`+string(rune('0'+kind))+`,"message":`+string(m)+`},"meta":{"createdAt":"1","hasError":true}}`)
}

// inTurn gives one answer after the other, the last one for ever.
func inTurn(answers ...func() (int, string)) func() (int, string) {
	i := 0
	return func() (int, string) {
		a := answers[min(i, len(answers)-1)]
		i++
		return a()
	}
}

const oneOfEach = `{"dataProviders":[{"peerId":"QmDP","hostname":"dp","role":1,"remoteAddr":"/ip4/127.0.0.1/tcp/1"}],"lifecycleManagers":[{"peerId":"QmLM","hostname":"lm","role":3,"remoteAddr":"/ip4/127.0.0.1/tcp/2"}]}`

func newMonitor(t *testing.T) *monitor {
	t.Helper()
	m := &monitor{
		table: oneOfEach, asked: map[string]int{}, bodies: map[string]string{}, flying: map[string]int{}, most: map[string]int{},
		answers: map[string]func() (int, string){
			"QmDP/GetDataProviderInfo": ok(`{"status":"S_IDLE","parentTarget":20,"parentProcessedHeight":19,"paraTarget":10,"paraProcessedHeight":"9"}`),
			"QmLM/ListPool":            ok(`{"pools":[{"uuid":"p1","pid":"83","name":"pool","enabled":true,"syncOnly":true,"owner":{"ss58Phala":"4x","polkadotJson":"0a10secret"}}]}`),
			"QmLM/ListWorker": ok(`{"workers":[{"uuid":"w1","pid":"83","name":"one","endpoint":"http://10.0.0.1:8000","enabled":true,"stake":"10000000000000"},` +
				`{"uuid":"w2","pid":84,"name":"two","enabled":true,"stake":"ten"},{"uuid":"w3","pid":"84","name":"three"}]}`),
			"QmLM/GetWorkerStatus": ok(`{"workerStates":[{"status":"S_SYNCHING","worker":{"uuid":"w2","name":"old name"},"paraBlockDispatchedTo":-1},` +
				`{"status":"S_ACTIVE","worker":{"uuid":"w1"},"paraBlockDispatchedTo":9,"lastMessage":"[2022-09-07T15:58:03+08:00] Now the worker should be active."},` +
				`{"status":"S_ACTIVE","worker":{"uuid":"deleted"}},{"minerInfoJson":"{}"}]}`),
			"QmLM/RestartWorker": ok(`{"workerStates":[{"status":"S_ERROR","worker":{"uuid":"w1"}}]}`),
		},
	}
	m.Server = httptest.NewServer(m)
	t.Cleanup(m.Close)
	return m
}

func (m *monitor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	if r.URL.Path == "/ptp/discover" {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.asked["discover"]++
		_, _ = io.WriteString(w, m.table)
		return
	}
	call := strings.TrimPrefix(r.URL.Path, "/ptp/proxy/")
	peer, _, _ := strings.Cut(call, "/")
	m.mu.Lock()
	m.asked[call]++
	m.bodies[call] = string(body)
	m.flying[peer]++
	m.most[peer] = max(m.most[peer], m.flying[peer])
	answer := reply(500, "{}")
	if a, ok := m.answers[call]; ok && r.Header.Get("Content-Type") == "application/json" {
		answer = a
	}
	status, text := answer()
	hold := m.hold
	m.mu.Unlock()
	if hold != nil {
		hold(peer, r.Context())
	}
	m.mu.Lock()
	m.flying[peer]--
	m.mu.Unlock()
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text)
}

func (m *monitor) count(call string) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.asked[call]
}

func (m *monitor) set(call string, answer func() (int, string)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.answers[call] = answer
}

// hasty is a machine's clock on which pauses take no time.
type hasty struct{ clock.Real }

func (hasty) Sleep(ctx context.Context, _ time.Duration) error { return ctx.Err() }
