package v0

import (
	"encoding/json"
	"fmt"
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
	"phalops/internal/secret"
)

// hasty waits a thousandth of what it is told.
var hasty = clock.Scaled{Origin: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), Speed: 1000}

const words = "abandon ability able about above absent absorb abstract absurd abuse access accident"

// spec is a worker named w and a number.
func spec(name string) prb.WorkerSpec {
	return prb.WorkerSpec{PID: 88, Name: name, Endpoint: "http://127.0.1." + name[1:] + ":8000", Stake: fleet.PHA(10), Enabled: true}
}

func poolSpec(pid uint64) prb.PoolSpec {
	return prb.PoolSpec{PID: pid, Name: fmt.Sprint("pool-", pid), Enabled: true, Mnemonic: secret.NewValue(" " + strings.ReplaceAll(words, " ", "  ") + "\n")}
}

// monitor is a v0 bridge as far as its inventory goes: records of plain JSON, full replacement, deletions that hide.
type monitor struct {
	*httptest.Server
	t *testing.T

	mu       sync.Mutex
	pools    []map[string]any
	workers  []map[string]any
	deleted  map[string]bool
	commands []string
	bodies   []string
	after    func(command string, w http.ResponseWriter) bool // true: it has answered instead
}

func newMonitor(t *testing.T) *monitor {
	m := &monitor{t: t, deleted: map[string]bool{}}
	m.Server = httptest.NewServer(m)
	t.Cleanup(m.Close)
	return m
}

func (m *monitor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	m.mu.Lock()
	defer m.mu.Unlock()
	raw, _ := io.ReadAll(r.Body)
	var body map[string]map[string]any
	if err := json.Unmarshal(raw, &body); err != nil || len(body) != 1 || r.Header.Get("Content-Type") != "application/json" {
		m.t.Errorf("the monitor would die of %s", raw)
		return
	}
	for command, value := range body {
		m.commands = append(m.commands, command)
		m.bodies = append(m.bodies, string(raw))
		content := m.do(command, value)
		if m.after != nil && m.after(command, w) {
			return
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"from": "MTG_MANAGER", "content": content})
	}
}

func (m *monitor) do(command string, value map[string]any) any {
	list, _ := value["items"].([]any)
	switch command {
	case "callOnlineLifecycleManager":
	case "requestCreatePool":
		for _, p := range value["pools"].([]any) {
			m.pools = append(m.pools, m.pool(p.(map[string]any), fmt.Sprint("p", len(m.pools))))
		}
	case "requestCreateWorker":
		for _, p := range value["workers"].([]any) {
			m.workers = append(m.workers, m.worker(p.(map[string]any), fmt.Sprint("w", len(m.workers))))
		}
	case "requestUpdateWorker":
		for _, item := range list {
			uuid := item.(map[string]any)["id"].(map[string]any)["uuid"].(string)
			i := slices.IndexFunc(m.workers, func(w map[string]any) bool { return w["uuid"] == uuid })
			if i < 0 {
				return map[string]any{"error": map[string]any{"extra": `{"type":"worker","key":"uuid","value":"` + uuid + `"}`}}
			}
			m.workers[i] = m.worker(item.(map[string]any)["worker"].(map[string]any), uuid)
		}
	case "requestUpdatePool":
		for _, item := range list {
			uuid := item.(map[string]any)["id"].(map[string]any)["uuid"].(string)
			i := slices.IndexFunc(m.pools, func(w map[string]any) bool { return w["uuid"] == uuid })
			m.pools[i] = m.pool(item.(map[string]any)["pool"].(map[string]any), uuid)
		}
	default:
		return map[string]any{}
	}
	update := map[string]any{"hostname": "lifecycle"}
	if len(m.pools) > 0 {
		update["pools"] = m.pools
	}
	if len(m.workers) > 0 {
		update["workers"] = m.workers
	}
	return map[string]any{"lifecycleManagerStateUpdate": update}
}

// typed is field by field what the protobuf schema demands: another type kills the real monitor.
func (m *monitor) typed(in map[string]any, uuid string, fields ...string) map[string]any {
	out := map[string]any{"uuid": uuid, "deleted": false}
	for _, f := range fields {
		s, ok := in[f].(string)
		if _, there := in[f]; there && !ok {
			m.t.Errorf("%s is %T: the monitor would die", f, in[f])
		}
		out[f] = s
	}
	out["enabled"] = in["enabled"] == true
	if in["deleted"] == true {
		m.deleted[uuid] = true
	}
	return out
}

func (m *monitor) worker(in map[string]any, uuid string) map[string]any {
	return m.typed(in, uuid, "pid", "name", "endpoint", "stake")
}

func (m *monitor) pool(in map[string]any, uuid string) map[string]any {
	out := m.typed(in, uuid, "pid", "name", "realPhalaSs58")
	o := in["owner"].(map[string]any)
	keystore, _ := o["polkadotJson"].(string)
	if mnemonic, _ := o["mnemonic"].(string); mnemonic != "" {
		if mnemonic != words {
			m.t.Errorf("mnemonic %q", mnemonic)
		}
		keystore = `{"encoded":"` + uuid + `","encoding":{"type":["none"]}}`
	}
	out["owner"] = map[string]any{"mnemonic": "", "polkadotJson": keystore, "ss58Phala": "4x"}
	return out
}

func (m *monitor) count(command string) (n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, c := range m.commands {
		if c == command {
			n++
		}
	}
	return n
}
