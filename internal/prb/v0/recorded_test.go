package v0

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

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
	Key     bool `json:"contains_throwaway_key"`
	Request struct {
		Method, Path, Body string
		Headers            map[string]string
	}
	Response *struct {
		Status  int
		Headers map[string]string
		Body    string
	}
	raw string // the whole line
}

// command is the one key of the request's body, "" when there is none or several.
func (r recorded) command() string {
	var body map[string]json.RawMessage
	if json.Unmarshal([]byte(r.Request.Body), &body) != nil || len(body) != 1 {
		return ""
	}
	for key := range body {
		return key
	}
	return ""
}

func (r recorded) question() question {
	service := strings.TrimPrefix(r.Request.Path, "/api/query_")
	return question{service: service, command: r.command(), subject: "w"}
}

// uuids are the ids of a queryWorkerState.
func (r recorded) uuids() []string {
	var body struct {
		Query struct{ IDs []struct{ UUID string } } `json:"queryWorkerState"`
	}
	_ = json.Unmarshal([]byte(r.Request.Body), &body)
	var ids []string
	for _, id := range body.Query.IDs {
		ids = append(ids, id.UUID)
	}
	return ids
}

func recordings(t *testing.T) []recorded {
	t.Helper()
	f := bytes.NewReader(testkit.Shared(t, "data", "replies", "prb-v0.jsonl"))
	var all []recorded
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 8<<20)
	for lines.Scan() {
		r := recorded{raw: lines.Text()}
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			t.Fatal(err)
		}
		if r.Response != nil && r.Response.Status == 0 {
			r.Response = nil // closed, refused, or the recorder gave up
		}
		all = append(all, r)
	}
	if len(all) != 235 || lines.Err() != nil {
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
		if r.Response == nil {
			continue // closed, refused or never answered: wire's tests
		}
		fmt.Fprintf(&out, "%-34s ", r.Name)
		content, err := decodeReply(new(prb.Parsers), r.Response.Status, []byte(r.Response.Body), r.question(), "http://monitor")
		if err != nil {
			fmt.Fprintf(&out, "%s | %s | %s\n", faultOf(err), fleet.KindOf(err), fleet.ReasonOf(err))
			continue
		}
		fmt.Fprintf(&out, "ok%s\n", checkContent(t, r, content.Value))
	}
	golden(t, "recorded.golden", out.String())
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := errors.Join(os.MkdirAll("testdata", 0o755), os.WriteFile(path, []byte(got), 0o644)); err != nil {
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

// checkContent holds what the client made of a reply against the reply as plain JSON, field by field.
func checkContent(t *testing.T, r recorded, content prb.Value) string {
	t.Helper()
	var plain struct {
		List *struct {
			Pools, Workers []map[string]any
		} `json:"lifecycleManagerStateUpdate"`
		States *struct{ WorkerStates []map[string]any } `json:"workerStateUpdate"`
		Fetch  map[string]any                           `json:"fetcherStateUpdate"`
	}
	text, _ := content.MarshalJSON()
	if err := json.Unmarshal(text, &plain); err != nil {
		t.Fatalf("%s: %v", r.Name, err)
	}
	switch {
	case plain.List != nil:
		return checkList(t, r, content, plain.List.Pools, plain.List.Workers)
	case plain.States != nil:
		return checkStates(t, r, content, plain.States.WorkerStates)
	case plain.Fetch != nil:
		var s fleet.DataProviderStatus
		if err := decodeFetcher(content, &s); err != nil {
			t.Fatalf("%s: %v", r.Name, err)
		}
		i := plain.Fetch
		want := []any{i["hostname"], i["parentKnownHeight"], i["parentBlobHeight"], i["paraKnownHeight"], i["paraBlobHeight"], nil, i["synched"]}
		got := []any{s.Hostname, num(s.ParentFetched), num(s.Parent), num(s.ParaFetched), num(s.Para), num(s.ParaTarget), s.Status == "S_IDLE"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", r.Name, diff)
		}
		return " fetcher"
	}
	if string(text) != "{}" {
		t.Errorf("%s: content %s was not read", r.Name, text)
	}
	return ""
}

func checkList(t *testing.T, r recorded, content prb.Value, pools, workers []map[string]any) string {
	t.Helper()
	l, err := decodeListing(content, "list")
	if err != nil || len(l.pools) != len(pools) || len(l.workers) != len(workers) || len(l.keys) != len(pools) {
		t.Fatalf("%s: %d of %d pools, %d of %d workers, %d keys, %v", r.Name, len(l.pools), len(pools), len(l.workers), len(workers), len(l.keys), err)
	}
	for i, w := range pools {
		p, o := l.pools[i], w["owner"].(map[string]any)
		want := []any{w["uuid"], w["pid"], w["name"], w["enabled"], o["ss58Phala"], w["realPhalaSs58"], o["polkadotJson"]}
		if diff := cmp.Diff(want, []any{p.ID, fmt.Sprint(p.PID), p.Name, p.Enabled, p.Operator, p.Proxied, l.keys[p.ID].Reveal()}); diff != "" {
			t.Errorf("%s: %s", r.Name, diff)
		}
	}
	for i, w := range workers {
		got := l.workers[i]
		want := []any{w["uuid"], w["pid"], w["name"], w["endpoint"], w["enabled"], false}
		if diff := cmp.Diff(want, []any{got.ID, fmt.Sprint(got.PID), got.Name, got.Endpoint, got.Enabled, got.SyncOnly}); diff != "" {
			t.Errorf("%s: %s", r.Name, diff)
		}
		stake := w["stake"].(string)
		if number := stake != "" && strings.Trim(stake, "0123456789") == ""; got.StakeOK != number || number && got.Stake.String() != stake {
			t.Errorf("%s: stake %q became %v %v", r.Name, stake, got.Stake, got.StakeOK)
		}
	}
	return fmt.Sprintf(" %d pools, %d workers", len(pools), len(workers))
}

func num(h fleet.Height) any {
	if !h.Known {
		return nil
	}
	return float64(h.Value)
}

func checkStates(t *testing.T, r recorded, content prb.Value, plain []map[string]any) string {
	t.Helper()
	ids := r.uuids()
	states, err := decodeStates(new(prb.Parsers), content, ids)
	if err != nil {
		t.Fatalf("%s: %v", r.Name, err)
	}
	running := 0
	for i, s := range plain {
		if s["worker"] == nil {
			continue
		}
		got := states[running]
		running++
		str := func(key string) string { v, _ := s[key].(string); return v }
		var initialized any
		if got.Initialized != nil {
			initialized = *got.Initialized
		}
		message := ""
		if !got.MessageAt.IsZero() {
			message = fmt.Sprint(got.MessageAt.UnixMilli(), " - ", got.Message)
		}
		want := []any{ids[i], str("status"), str("publicKey"), s["initialized"], s["parentHeaderSynchedTo"], s["paraHeaderSynchedTo"],
			s["paraBlockDispatchedTo"], str("lastMessage"), true}
		if diff := cmp.Diff(want, []any{got.ID, got.State, got.PublicKey, initialized, num(got.Relay), num(got.ParaHeader), num(got.Para), message, got.Running}); diff != "" {
			t.Errorf("%s: %s", r.Name, diff)
		}
		checkSession(t, r, str("minerInfoJson"), got)
	}
	if running != len(states) {
		t.Errorf("%s: %d states, want %d", r.Name, len(states), running)
	}
	return fmt.Sprintf(" %d of %d run", running, len(ids))
}

func checkSession(t *testing.T, r recorded, text string, got fleet.WorkerStatus) {
	t.Helper()
	var miner struct {
		State, V, Ve string
		Raw          struct {
			Benchmark struct{ PInit, PInstant int64 }
			Stats     struct{ TotalReward json.Number }
		}
	}
	if err := json.Unmarshal([]byte(text), &miner); err != nil {
		t.Fatal(err)
	}
	reward := miner.Raw.Stats.TotalReward.String()
	if reward == "" {
		reward = "0"
	}
	want := []any{miner.State, miner.V, miner.Ve, miner.Raw.Benchmark.PInit, miner.Raw.Benchmark.PInstant, reward}
	if diff := cmp.Diff(want, []any{got.Session, got.V, got.Ve, got.PInit, got.PInstant, got.TotalReward.String()}); diff != "" {
		t.Errorf("%s: %s", r.Name, diff)
	}
}

// replay answers each request with the next recorded reply, and holds the request against the recorded one.
func replay(t *testing.T, next *recorded) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		want := next.Request
		if r.Method != want.Method || r.URL.Path != want.Path || string(body) != want.Body || r.Header.Get("Content-Type") != want.Headers["Content-Type"] {
			t.Errorf("%s: got %s %s %q %s, want %+v", next.Name, r.Method, r.URL.Path, r.Header.Get("Content-Type"), body, want)
		}
		if kind := next.Response.Headers["content-type"]; kind != "" {
			w.Header().Set("Content-Type", kind)
		}
		w.WriteHeader(next.Response.Status)
		_, _ = io.WriteString(w, next.Response.Body)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// The questions and actions of this client are, byte for byte, those that were recorded.
func TestTheClientAsksAsTheRecordingsDo(t *testing.T) {
	var next recorded
	c := newClient(t, Options{URL: replay(t, &next)})
	asked := map[string]int{}
	for _, next = range recordings(t) {
		if next.Response == nil || next.Request.Method != http.MethodPost || next.Request.Headers["Content-Type"] != "application/json" {
			continue
		}
		command := next.command()
		var err error
		switch {
		case next.Request.Body == `{"callOnlineLifecycleManager":{}}` && strings.HasSuffix(next.Request.Path, "manager"):
			_, err = c.list(t.Context())
		case next.Request.Body == `{"callOnlineFetcher":{}}` && strings.HasSuffix(next.Request.Path, "fetcher"):
			err = c.fetcher(t.Context()).Err
		case command == "queryWorkerState" && len(next.uuids()) > 0 && len(next.uuids()) <= statesBatch && strings.Count(next.Request.Body, `{"uuid":"`) == len(next.uuids()):
			_, err = c.States(t.Context(), next.uuids()...)
		case command == "requestStartWorkerLifecycle", command == "requestKickWorker":
			uuid := oneID.FindStringSubmatch(next.Request.Body)
			if uuid == nil {
				continue
			}
			if command == "requestKickWorker" {
				err = c.KickWorker(t.Context(), uuid[1])
			} else {
				err = c.RestartWorker(t.Context(), uuid[1])
			}
		default:
			continue
		}
		asked[command]++
		if ok := next.Response.Status == 200 && !strings.Contains(next.Response.Body, `"content":{"error"`); ok != (err == nil) {
			t.Errorf("%s: %v", next.Name, err)
		}
	}
	want := map[string]int{"callOnlineLifecycleManager": 9, "callOnlineFetcher": 4, "queryWorkerState": 120, "requestStartWorkerLifecycle": 4, "requestKickWorker": 2}
	for command, n := range want {
		if asked[command] < n {
			t.Errorf("%s was asked %d times, want %d or more", command, asked[command], n)
		}
	}
}

var oneID = regexp.MustCompile(`^\{"request\w+":\{"requests":\[\{"id":\{"uuid":"([^"]+)"\}\}\]\}\}$`)

// keyMaterial finds the private keys in a recorded line, however deep they are escaped.
var keyMaterial = regexp.MustCompile(`MFMCAQEw[0-9A-Za-z+/]{40,}`)

// Whatever the bridge tells: no value, error or log line of this package has a key in it.
func TestNoKeyComesThrough(t *testing.T) {
	var flagged, keys int
	for _, r := range recordings(t) {
		found := keyMaterial.FindAllString(r.raw, -1)
		if r.Key {
			flagged++
			if len(found) == 0 {
				t.Fatalf("%s: the test does not find its key", r.Name)
			}
		}
		if r.Response == nil || len(found) == 0 {
			continue
		}
		keys += len(found)
		status, body := r.Response.Status, r.Response.Body
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
		}))
		c := newClient(t, Options{URL: server.URL, Clock: hasty})
		var log bytes.Buffer
		logger := slog.New(slog.NewTextHandler(&log, nil))
		show := func(v any) {
			fmt.Fprintf(&log, "%v %+v %#v %s", v, v, v, v)
			out, err := json.Marshal(v)
			logger.Info("dump", "value", v, "json", string(out), "err", err)
			if e, ok := v.(error); ok {
				logger.Error("failed", "reason", fleet.ReasonOf(e))
				fmt.Fprint(&log, fleet.ReasonOf(e), errors.Unwrap(e))
			}
		}
		show(c.Read(t.Context()))
		l, err := c.list(t.Context())
		show(l)
		show(err)
		_, err = c.States(t.Context(), "a")
		show(err)
		show(c.RestartWorker(t.Context(), "a"))
		stored, err := c.UpdateWorkers(t.Context(), []prb.WorkerUpdate{{ID: "x", WorkerSpec: spec("w1")}})
		show(stored)
		show(err)
		stored, err = c.CreatePools(t.Context(), []prb.PoolSpec{poolSpec(88)})
		show(stored)
		show(err)
		show(prb.Redact(body))
		server.Close()
		for _, key := range found {
			secret := key[24:56]
			if strings.Contains(log.String(), secret) || strings.Contains(log.String(), "MFMCAQEw") {
				t.Fatalf("%s: a key came through", r.Name)
			}
		}
		if strings.Contains(log.String(), words) {
			t.Fatalf("%s: the mnemonic came through", r.Name)
		}
	}
	if flagged < 30 || keys < 60 {
		t.Errorf("only %d flagged lines and %d keys", flagged, keys)
	}
}
