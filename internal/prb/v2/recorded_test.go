package v2

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"phalops/internal/fleet"
	"phalops/internal/prb"
	"phalops/internal/testkit"
	"phalops/internal/wire"
)

var update = flag.Bool("update", false, "write the golden files")

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type recorded struct {
	Name    string
	Request struct {
		Method, Path, Body string
		Headers            map[string]string
	}
	Response struct {
		Status  int
		Headers map[string]string
		Body    string
	}
}

// peerMethod is the peer and the method of a proxied request.
func (r recorded) peerMethod() (peer, method string, ok bool) {
	rest, ok := strings.CutPrefix(r.Request.Path, "/ptp/proxy/")
	peer, method, _ = strings.Cut(rest, "/")
	return peer, method, ok
}

func recordings(t *testing.T) []recorded {
	t.Helper()
	f := bytes.NewReader(testkit.Shared(t, "data", "replies", "prb-v2.jsonl"))
	var all []recorded
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 8<<20)
	for lines.Scan() {
		var r recorded
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			t.Fatal(err)
		}
		all = append(all, r)
	}
	if len(all) != 194 || lines.Err() != nil {
		t.Fatalf("%d recordings, %v", len(all), lines.Err())
	}
	return all
}

func newClient(t *testing.T, o Options) *Client {
	t.Helper()
	if o.HTTP == nil {
		o.HTTP = wire.New(wire.Options{Allow: wire.LoopbackOnly})
		t.Cleanup(o.HTTP.Close)
	}
	c, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Every reply of the real servers comes to the outcome in the golden file: an error with its sentence, or its data.
func TestEveryRecordedReplyIsUnderstood(t *testing.T) {
	var out strings.Builder
	for _, r := range recordings(t) {
		peer, method, ok := r.peerMethod()
		if !ok {
			continue
		}
		q := question{peer: peer[:6], method: method, url: "http://monitor"}
		data, err := decodeReply(new(prb.Parsers), r.Response.Status, []byte(r.Response.Body), q)
		fmt.Fprintf(&out, "%-36s ", r.Name)
		if err != nil {
			fmt.Fprintf(&out, "%s | %s | %s\n", faultOf(err), fleet.KindOf(err), fleet.ReasonOf(err))
			continue
		}
		if !data.IsObject() {
			t.Fatalf("%s: no object", r.Name)
		}
		var sizes []string
		for _, key := range []string{"pools", "workers", "workerStates"} {
			if list, err := decodeList(data.Value, key); err != nil {
				t.Errorf("%s: %v", r.Name, err)
			} else if len(list) > 0 {
				sizes = append(sizes, fmt.Sprint(len(list), " ", key))
			}
		}
		fmt.Fprintf(&out, "ok %s\n", strings.Join(sizes, ", "))
		if strings.Contains(out.String(), "0a10") {
			t.Fatalf("%s: an encrypted key is in the outcome", r.Name)
		}
	}
	golden(t, "recorded.golden", out.String())
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s differs (-want +got; -update writes it):\n%s", path, diff)
	}
}

// The recorded server answers only what was recorded, in that order, and only when method, path, content type and body are
// those of the recording.
func TestTheClientAsksAsTheRecordingsDo(t *testing.T) {
	var next recorded
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		want := next.Request
		if r.Method != want.Method || r.URL.Path != want.Path || string(body) != want.Body || r.Header.Get("Content-Type") != want.Headers["Content-Type"] {
			t.Errorf("%s: got %s %s %q %s, want %+v", next.Name, r.Method, r.URL.Path, r.Header.Get("Content-Type"), body, want)
		}
		w.Header().Set("Content-Type", next.Response.Headers["content-type"])
		w.WriteHeader(next.Response.Status)
		_, _ = io.WriteString(w, next.Response.Body)
	}))
	defer server.Close()
	c := newClient(t, Options{URL: server.URL})
	asked := 0
	for _, next = range recordings(t) {
		if next.Request.Method != http.MethodPost {
			continue
		}
		if next.Request.Path == "/ptp/discover" {
			if next.Request.Body == "" {
				asked++
				c.forget()
				table, err := c.peers(t.Context())
				if err != nil {
					t.Fatalf("%s: %v", next.Name, err)
				}
				checkTable(t, next, table)
			}
			continue
		}
		peer, method, _ := next.peerMethod()
		var body struct{ IDs []string }
		if next.Request.Headers["Content-Type"] == "" || json.Unmarshal([]byte(next.Request.Body), &body) != nil {
			continue
		}
		if sent, _ := json.Marshal(map[string][]string{"ids": body.IDs}); next.Request.Body != "{}" && next.Request.Body != string(sent) {
			continue // a body that this client never sends
		}
		asked++
		data, err := c.call(t.Context(), peer, method, body.IDs, nil)
		if err != nil {
			continue // what it says is in the golden file
		}
		checkData(t, next, method, data.Value)
	}
	if asked < 110 {
		t.Errorf("only %d recordings were asked for", asked)
	}
}

func checkTable(t *testing.T, r recorded, got *table) {
	t.Helper()
	type entry struct{ PeerID, Hostname, RemoteAddr string }
	var want struct{ DataProviders, LifecycleManagers []entry }
	if err := json.Unmarshal([]byte(r.Response.Body), &want); err != nil {
		t.Fatal(err)
	}
	peers := func(list []entry) (peers []peer) {
		for _, e := range list {
			peers = append(peers, peer{e.PeerID, e.Hostname, e.RemoteAddr})
		}
		return peers
	}
	if !slices.Equal(got.providers, peers(want.DataProviders)) || !slices.Equal(got.managers, peers(want.LifecycleManagers)) {
		t.Errorf("%s: got %+v", r.Name, got)
	}
}

// checkData holds what the client made of a reply against the reply as plain JSON, field by field.
func checkData(t *testing.T, r recorded, method string, data prb.Value) {
	t.Helper()
	var plain struct {
		Data struct {
			Pools, Workers, WorkerStates []map[string]any
		}
	}
	var info struct{ Data map[string]any }
	if err := errors.Join(json.Unmarshal([]byte(r.Response.Body), &plain), json.Unmarshal([]byte(r.Response.Body), &info)); err != nil {
		t.Fatal(err)
	}
	switch method {
	case "ListPool":
		pools, err := decodePools(data)
		if err != nil || len(pools) != len(plain.Data.Pools) {
			t.Fatalf("%s: %d of %d pools, %v", r.Name, len(pools), len(plain.Data.Pools), err)
		}
		for i, w := range plain.Data.Pools {
			p := pools[i]
			proxied, _ := w["realPhalaSs58"].(string)
			want := []any{w["uuid"], w["pid"], w["name"], w["enabled"], w["syncOnly"], w["owner"].(map[string]any)["ss58Phala"], proxied}
			if diff := cmp.Diff(want, []any{p.ID, fmt.Sprint(p.PID), p.Name, p.Enabled, p.SyncOnly, p.Operator, p.Proxied}); diff != "" {
				t.Errorf("%s: %s", r.Name, diff)
			}
		}
	case "ListWorker":
		workers, err := decodeWorkers(data, nil)
		if err != nil || len(workers) != len(plain.Data.Workers) {
			t.Fatalf("%s: %d of %d workers, %v", r.Name, len(workers), len(plain.Data.Workers), err)
		}
		for i, w := range plain.Data.Workers {
			checkRecord(t, r, w, workers[i])
		}
	case "GetWorkerStatus", "RestartWorker", "KickWorker", "RefreshRaAndRestartWorker":
		states, err := decodeStates(new(prb.Parsers), data)
		if err != nil || len(states) != len(plain.Data.WorkerStates) {
			t.Fatalf("%s: %d of %d states, %v", r.Name, len(states), len(plain.Data.WorkerStates), err)
		}
		for i, s := range plain.Data.WorkerStates {
			checkState(t, r, s, states[i])
		}
	case "GetDataProviderInfo":
		var s fleet.DataProviderStatus
		if err := decodeProvider(data, &s); err != nil {
			t.Fatal(err)
		}
		i := info.Data
		want := []any{i["status"], i["parentTarget"], i["parentFetchedHeight"], i["parentProcessedHeight"], i["paraTarget"], i["paraFetchedHeight"], i["paraProcessedHeight"]}
		if diff := cmp.Diff(want, []any{s.Status, num(s.ParentTarget), num(s.ParentFetched), num(s.Parent), num(s.ParaTarget), num(s.ParaFetched), num(s.Para)}); diff != "" {
			t.Errorf("%s: %s", r.Name, diff)
		}
	}
}

// num is a height as plain JSON has it: absent is nil.
func num(h fleet.Height) any {
	if !h.Known {
		return nil
	}
	return float64(h.Value)
}

func checkRecord(t *testing.T, r recorded, plain map[string]any, w fleet.WorkerStatus) {
	t.Helper()
	got := []any{w.ID, fmt.Sprint(w.PID), w.Name, w.Endpoint, w.Enabled, w.SyncOnly}
	want := []any{plain["uuid"], plain["pid"], plain["name"], plain["endpoint"], plain["enabled"], plain["syncOnly"]}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s: %s", r.Name, diff)
	}
	stake := plain["stake"].(string)
	if w.StakeOK != (strings.Trim(stake, "0123456789") == "" && stake != "") || (w.StakeOK && w.Stake.String() != stake) {
		t.Errorf("%s: stake %q became %v %v", r.Name, stake, w.Stake, w.StakeOK)
	}
}

func checkState(t *testing.T, r recorded, plain map[string]any, s fleet.WorkerStatus) {
	t.Helper()
	str := func(key string) string { v, _ := plain[key].(string); return v }
	var initialized any
	if s.Initialized != nil {
		initialized = *s.Initialized
	}
	got := []any{s.ID, s.State, s.PublicKey, initialized, num(s.Relay), num(s.ParaHeader), num(s.Para), s.Running}
	want := []any{plain["worker"].(map[string]any)["uuid"], str("status"), str("publicKey"), plain["initialized"],
		plain["parentHeaderSynchedTo"], plain["paraHeaderSynchedTo"], plain["paraBlockDispatchedTo"], true}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s: %s", r.Name, diff)
	}
	if m := str("lastMessage"); m != "" {
		stamp := fmt.Sprintf("[%s] ", s.MessageAt.In(fixedZone).Format("2006-01-02T15:04:05-07:00"))
		if stamp+s.Message != m {
			t.Errorf("%s: message %q became %q and %v", r.Name, m, s.Message, s.MessageAt)
		}
	}
	var session struct {
		State, V, Ve string
		Raw          struct {
			Benchmark struct{ PInit, PInstant int64 }
			Stats     struct{ TotalReward json.Number }
		}
	}
	if err := json.Unmarshal([]byte(str("sessionInfoJson")), &session); err != nil {
		t.Fatal(err)
	}
	reward := session.Raw.Stats.TotalReward.String()
	if reward == "" {
		reward = "0"
	}
	wantSession := []any{session.State, session.V, session.Ve, session.Raw.Benchmark.PInit, session.Raw.Benchmark.PInstant, reward}
	if diff := cmp.Diff(wantSession, []any{s.Session, s.V, s.Ve, s.PInit, s.PInstant, s.TotalReward.String()}); diff != "" {
		t.Errorf("%s: %s", r.Name, diff)
	}
}

// Nothing that a bridge tells keeps a key, in lists or in texts.
func TestNoKeyComesThrough(t *testing.T) {
	for _, r := range recordings(t) {
		_, method, ok := r.peerMethod()
		if !ok || method != "ListPool" && method != "CreatePool" && method != "UpdatePool" {
			continue
		}
		data, err := decodeReply(new(prb.Parsers), r.Response.Status, []byte(r.Response.Body), question{})
		if err != nil {
			continue
		}
		pools, err := decodePools(data.Value)
		if err != nil {
			t.Fatal(err)
		}
		if out, _ := json.Marshal(pools); strings.Contains(string(out), "0a10") || strings.Contains(string(out), "polkadotJson") {
			t.Errorf("%s: a key came through: %s", r.Name, out)
		}
		if clean := prb.Redact(r.Response.Body); strings.Contains(clean, "0a10") {
			t.Errorf("%s: Redact leaves a key: %.200s", r.Name, clean)
		}
	}
}

// fixedZone is where the recordings were made.
var fixedZone = time.FixedZone("", 8*3600)
