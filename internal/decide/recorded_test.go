package decide_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"phalops/internal/decide"
	"phalops/internal/fleet"
	"phalops/internal/observe"
	"phalops/internal/prb"
	v0 "phalops/internal/prb/v0"
	v2 "phalops/internal/prb/v2"
	v3 "phalops/internal/prb/v3"
	"phalops/internal/testkit"
	"phalops/internal/wire"
)

var update = flag.Bool("update", false, "write the golden files")

// recording is one reply of a real monitor.
type recording struct {
	Name     string
	Request  struct{ Path, Body string }
	Response struct {
		Status int
		Body   string
	}
}

func recordings(t *testing.T, file string) []recording {
	t.Helper()
	f := bytes.NewReader(testkit.Shared(t, "data", "replies", file))
	var all []recording
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 8<<20)
	for lines.Scan() {
		var r recording
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			t.Fatal(err)
		}
		all = append(all, r)
	}
	if len(all) == 0 || lines.Err() != nil {
		t.Fatalf("%d recordings, %v", len(all), lines.Err())
	}
	return all
}

// object is a JSON object of which only some members matter.
type object = map[string]json.RawMessage

func member(raw []byte, path ...string) json.RawMessage {
	for _, key := range path {
		var o object
		if json.Unmarshal(raw, &o) != nil {
			return nil
		}
		raw = o[key]
	}
	return raw
}

func list(raw []byte) []json.RawMessage {
	var l []json.RawMessage
	_ = json.Unmarshal(raw, &l)
	return l
}

func text(raw []byte) string {
	var s string
	_ = json.Unmarshal(raw, &s)
	return s
}

func encode(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// serve answers as one monitor; answer gets the path and the body of each request.
func serve(t *testing.T, answer func(path, body string) string) (string, *wire.Client) {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		_, _ = io.WriteString(w, answer(r.URL.Path, string(body)))
	}))
	t.Cleanup(s.Close)
	client := wire.New(wire.Options{Allow: wire.LoopbackOnly})
	t.Cleanup(client.Close)
	return s.URL, client
}

// judged reads a bridge once, again a minute later and again after an hour in which the data source went on, and returns
// what decide then makes of each worker.
func judged(t *testing.T, version string, bridge prb.Bridge) (fleet.BridgeStatus, map[string][2]fleet.Decision) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	r := bridge.Read(ctx)
	if r.MonitorErr != nil || r.InventoryErr != nil || r.StatesErr != nil {
		t.Fatalf("%v, %v, %v", r.MonitorErr, r.InventoryErr, r.StatesErr)
	}
	node := healthyNode().Status
	b := fleet.BridgeStatus{Ref: prbB, Site: "dc1", Version: version, Condition: fleet.BridgeHealthy, Since: ago(48 * h)}
	b = observe.Bridge(b, r, ago(2*h))
	out := map[string][2]fleet.Decision{}
	for i, at := range []time.Time{ago(2*h - time.Minute), now} {
		b = observe.Bridge(b, r, at)
		for d := range b.DataProviders {
			b.DataProviders[d].Para = fleet.Height{Value: 20_000_000, Known: true, MovedAt: at}
		}
		node.Para.Best = fleet.Height{Value: 20_000_000, Known: true, MovedAt: at}
		node.Para.Probe, node.Relay.Probe = fleet.Probe{At: at}, fleet.Probe{At: at}
		_, ds := decide.Bridge(decide.BridgeInput{Status: b, Node: &node, Policy: defaults, Now: at})
		for k, w := range b.Workers {
			pair := out[w.ID]
			pair[i] = ds[k]
			out[w.ID] = pair
		}
	}
	return b, out
}

// report writes what was made of one worker, and fails when its message is in no rule.
func report(t *testing.T, out *strings.Builder, name string, b fleet.BridgeStatus, id string, ds map[string][2]fleet.Decision) {
	t.Helper()
	w := b.Worker(fleet.WorkerRef("prb-b", id))
	if w == nil {
		t.Errorf("%s: worker %s is lost", name, id)
		return
	}
	texts := catalog(t)
	fmt.Fprintf(out, "%s: %s %q %s\n", name, w.State, clipped(w.Message), w.Session)
	for i, d := range ds[id] {
		said(t, texts, d)
		if strings.Contains(d.Rule, "unknown") || strings.HasSuffix(d.Rule, ".step.other") {
			t.Errorf("%s: no rule knows %s %q", name, w.State, w.Message)
		}
		fmt.Fprintf(out, "    %-10s %-12s %-24s %s\n", [2]string{"at first", "2 h later"}[i], d.Condition, d.Rule, d.Reason.Code)
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Error(diff)
	}
}

// TestRecordedV0 takes every state that a real v0 bridge told through the client, the history and the rules.
func TestRecordedV0(t *testing.T) {
	var out strings.Builder
	var stored, fetcher string
	seen := map[string]bool{}
	all := recordings(t, "prb-v0.jsonl")
	for _, r := range all {
		switch r.Name {
		case "st-list":
			stored = r.Response.Body
		case "fetcher-synched":
			fetcher = r.Response.Body
		}
	}
	for _, r := range all {
		ids := list(member([]byte(r.Request.Body), "queryWorkerState", "ids"))
		states := list(member([]byte(r.Response.Body), "content", "workerStateUpdate", "workerStates"))
		if (!strings.HasPrefix(r.Name, "state-") && !strings.HasPrefix(r.Name, "run-state")) || len(states) != len(ids) {
			continue
		}
		byID := map[string]json.RawMessage{}
		for i, id := range ids {
			if uuid := text(member(id, "uuid")); len(member(states[i], "worker")) > 0 {
				byID[uuid] = states[i]
			}
		}
		url, client := serve(t, func(path, body string) string {
			if strings.HasSuffix(path, "query_fetcher") {
				return fetcher
			}
			asked := list(member([]byte(body), "queryWorkerState", "ids"))
			if asked == nil {
				return stored
			}
			told := make([]json.RawMessage, len(asked))
			for i, id := range asked {
				if told[i] = byID[text(member(id, "uuid"))]; told[i] == nil {
					told[i] = json.RawMessage(`{"minerInfoJson":"{}"}`)
				}
			}
			return encode(map[string]any{"from": "MTG_MANAGER", "to": "MTG_APP", "nonceRef": "x", "type": "MTP_REPLY",
				"content": map[string]any{"workerStateUpdate": map[string]any{"workerStates": told}}})
		})
		bridge, err := v0.New(v0.Options{URL: url, HTTP: client})
		if err != nil {
			t.Fatal(err)
		}
		b, ds := judged(t, "v0", bridge)
		for _, raw := range ids {
			id := text(member(raw, "uuid"))
			if state := byID[id]; state != nil && !seen[id+string(state)] {
				seen[id+string(state)] = true
				report(t, &out, r.Name, b, id, ds)
			}
		}
	}
	golden(t, "recorded_v0.golden", out.String())
}

// TestRecordedV2: the states are the reference's, in the envelopes of a real bridge.
func TestRecordedV2(t *testing.T) {
	var out strings.Builder
	seen := map[string]bool{}
	for _, r := range recordings(t, "prb-v2.jsonl") {
		states := list(member([]byte(r.Response.Body), "data", "workerStates"))
		if len(states) == 0 || r.Response.Status != http.StatusOK {
			continue
		}
		reply := func(data any) string {
			return encode(map[string]any{"data": data, "hasError": false, "meta": map[string]any{"createdAt": "1662537483123", "requestNonce": "a", "nonce": "b", "hasError": false}})
		}
		var records []json.RawMessage
		for _, s := range states {
			records = append(records, member(s, "worker"))
		}
		url, client := serve(t, func(path, _ string) string {
			switch {
			case path == "/ptp/discover":
				return `{"dataProviders":[{"peerId":"QmDp","hostname":"dp","role":1,"remoteAddr":"/ip4/127.0.0.1/tcp/28888/p2p/QmDp"}],"lifecycleManagers":[{"peerId":"QmLm","hostname":"lm","role":3,"remoteAddr":"/ip4/127.0.0.1/tcp/29888/p2p/QmLm"}]}`
			case strings.HasSuffix(path, "/GetDataProviderInfo"):
				return reply(map[string]any{"status": "S_IDLE", "paraProcessedHeight": 3000000, "parentProcessedHeight": 16400000})
			case strings.HasSuffix(path, "/ListPool"):
				return reply(map[string]any{})
			case strings.HasSuffix(path, "/ListWorker"):
				return reply(map[string]any{"workers": records})
			}
			return r.Response.Body
		})
		bridge, err := v2.New(v2.Options{URL: url, HTTP: client})
		if err != nil {
			t.Fatal(err)
		}
		b, ds := judged(t, "v2", bridge)
		for _, record := range records {
			id := text(member(record, "uuid"))
			w := b.Worker(fleet.WorkerRef("prb-b", id))
			if w == nil || seen[w.State+w.Message+id] {
				continue // told several times
			}
			seen[w.State+w.Message+id] = true
			report(t, &out, r.Name, b, id, ds)
		}
	}
	golden(t, "recorded_v2.golden", out.String())
}

// TestRecordedV3: one reply through a real proxy, and the reference's example.
func TestRecordedV3(t *testing.T) {
	var out strings.Builder
	example, err := os.ReadFile(filepath.Join("testdata", "v3_example.json"))
	if err != nil {
		t.Fatal(err)
	}
	all := []recording{{Name: "example"}}
	all[0].Response.Body = string(example)
	for _, r := range recordings(t, "prb-v3-monitor-proxy.jsonl") {
		if r.Name == "workers-status" {
			all = append(all, r)
		}
	}
	for _, r := range all {
		pools := map[string][]json.RawMessage{}
		for _, w := range list(member([]byte(r.Response.Body), "workers")) {
			pid := string(member(w, "worker", "pid"))
			pools[pid] = append(pools[pid], member(w, "worker"))
		}
		url, client := serve(t, func(path, body string) string {
			switch {
			case strings.HasSuffix(path, "/workers/status"):
				return r.Response.Body
			case strings.Contains(body, "GetAllPoolsWithWorkers"):
				var list []any
				for pid, workers := range pools {
					list = append(list, map[string]any{"id": "p" + pid, "pid": json.RawMessage(pid), "name": "pool" + pid, "enabled": true, "sync_only": false, "workers": workers})
				}
				return encode(list)
			}
			return `[]`
		})
		bridge, err := v3.New(v3.Options{URL: url, HTTP: client})
		if err != nil {
			t.Fatal(err)
		}
		b, ds := judged(t, "v3", bridge)
		for i := range b.Workers {
			report(t, &out, r.Name, b, b.Workers[i].ID, ds)
		}
	}
	golden(t, "recorded_v3.golden", out.String())
}
