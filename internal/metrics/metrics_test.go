package metrics

import (
	"errors"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"phalops/internal/clock"
	"phalops/internal/fleet"
)

var update = flag.Bool("update", false, "write the golden files")

var start = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

type fixed struct{ s Snapshot }

func (f *fixed) Snapshot() Snapshot { return f.s }

func known(n int64) fleet.Height { return fleet.Height{Value: n, Known: true, MovedAt: start} }

func snapshot() Snapshot {
	fresh := fleet.Probe{At: start}
	dp := fleet.DataProviderStatus{
		Probe: fresh, PeerID: "QmA", ParentTarget: known(30), ParentFetched: known(29), Parent: known(28), ParaTarget: known(20), ParaFetched: known(19),
	}
	return Snapshot{
		Nodes: []fleet.NodeStatus{
			{
				Ref: fleet.NodeRef("node-1"), Condition: fleet.NodeStalled,
				Para:  &fleet.ChainStatus{Probe: fresh, Best: known(100), Target: known(120), Finalized: known(98), Peers: 7},
				Relay: &fleet.ChainStatus{Probe: fresh, Best: known(200), Peers: -1},
			},
			{ // silent for long: its last height is no fact any more
				Ref: fleet.NodeRef("node-2"), Condition: fleet.NodeUnknown,
				Para: &fleet.ChainStatus{Probe: fleet.Probe{At: start, Missed: fleet.MissedLimit}, Best: known(50), Peers: 3},
			},
		},
		Bridges: []fleet.BridgeStatus{{
			Ref: fleet.BridgeRef("prb-a"), Monitor: fresh, Condition: fleet.BridgeHealthy,
			DataProviders: []fleet.DataProviderStatus{dp, dp, {Probe: fresh, PeerID: "Qm\xff", Para: known(18)}},
			Workers:       []fleet.WorkerStatus{{Condition: fleet.Working, Name: "w-01", PublicKey: "0x" + key(1)}, {Condition: fleet.Working}, {Condition: fleet.Failing}},
		}},
		Chains:    chains(),
		Plans:     map[fleet.PlanState]int{fleet.PlanRunning: 2},
		Incidents: map[fleet.Severity]int{fleet.Critical: 1},
		Leases:    map[string]bool{"dc1": true, "dc2": false},
		Reloaded:  true,
		Ready:     Ready{Config: true, Store: true, Beats: true},
	}
}

// busy is a registry in which everything happened at least once.
func busy() (*Metrics, *fixed) {
	source := &fixed{snapshot()}
	m := New(source, "v1.2.3", start)
	m.Beat("node", start.Add(time.Second), 20*time.Millisecond, nil)
	m.Beat("bridge", start.Add(2*time.Second), 3*time.Second, errors.New("x"))
	m.Action("node.restart", fleet.PlanDone)
	m.Message("ops-ding", fleet.MessageSent)
	m.Message("ops-ding", fleet.MessageFailed)
	return m, source
}

func TestNamesFollowTheConventions(t *testing.T) {
	m, _ := busy()
	problems, err := testutil.GatherAndLint(m.registry)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

func TestScrape(t *testing.T) {
	m, _ := busy()
	rec := httptest.NewRecorder()
	m.Handler().ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	if rec.Code != http.StatusOK {
		t.Fatalf("status %d: %s", rec.Code, rec.Body)
	}
	var ours []string
	for l := range strings.Lines(rec.Body.String()) {
		if (strings.HasPrefix(l, "phalops_") || strings.HasPrefix(l, "phala_") || strings.HasPrefix(l, "pid_")) && !strings.HasPrefix(l, "phalops_build_info") {
			ours = append(ours, l)
		}
	}
	golden(t, filepath.Join("testdata", "scrape.txt"), strings.Join(ours, ""))
	if !strings.Contains(rec.Body.String(), `phalops_build_info{goversion="go`) {
		t.Error("no build info")
	}
}

// TestDocumentation keeps docs/metrics.md equal to what is served, and what is served equal to what is documented.
func TestDocumentation(t *testing.T) {
	var b strings.Builder
	b.WriteString("# Metrics\n\nServed at `/metrics` on `metrics.listen` (default 127.0.0.1:9477), beside those of the Go runtime and the process.\n" +
		"What is unknown has no series.\n\n" +
		"Workers are counted (`phalops_workers`); a series for each has only what the chain says of it: of ours, and with `chain.all_workers` of\n" +
		"everybody's, at most 30000 of a network. The names in its label `worker` are public keys; `phalops_worker_chain_info` tells whose they are.\n" +
		"From `phalops_chain_sessions` to `phalops_chain_daily_reward_pha` there is something only while the whole network is read\n" +
		"(`chain.whole`). Amounts are floats in PHA, for charts; `phalops chain` has every digit. Names without `phalops_` are those for which the\n" +
		"boards of wowvwow/Phala-Network ask.\n\n" +
		"`/healthz` answers 200 while the process beats, else 503; `/readyz` answers 200 once the configuration is loaded, the store is\n" +
		"open and every controller had its first beat.\n\n| metric | type | labels | meaning |\n|---|---|---|---|\n")
	want := map[string]bool{}
	for _, f := range families() {
		want[f.name] = true
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", f.name, f.kind, strings.Join(f.labels, ", "), f.help)
	}
	golden(t, filepath.Join("..", "..", "docs", "metrics.md"), b.String())

	m, _ := busy()
	got, err := m.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range got {
		if !strings.HasPrefix(f.GetName(), "go_") && !strings.HasPrefix(f.GetName(), "process_") && !want[f.GetName()] {
			t.Errorf("%s is served and not documented", f.GetName())
		}
		delete(want, f.GetName())
	}
	for name := range want {
		t.Errorf("%s is documented and not served", name)
	}
}

func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs (-update writes it):\n%s", path, got)
	}
}

func ask(h http.Handler) (int, string) {
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/", nil))
	return rec.Code, strings.TrimSpace(rec.Body.String())
}

func TestHealth(t *testing.T) {
	c := clock.NewVirtual(start)
	m := New(&fixed{}, "v", start)
	h := m.Healthz(c, time.Minute)
	for _, tc := range []struct {
		advance time.Duration
		beat    bool
		status  int
		body    string
	}{
		{0, false, 200, `{"status":"ok","age_seconds":0}`},
		{time.Minute, false, 200, `{"status":"ok","age_seconds":60}`},
		{time.Second, false, 503, `{"status":"stalled","age_seconds":61}`},
		{0, true, 200, `{"status":"ok","last_beat":"2026-03-04T05:07:08Z","age_seconds":0}`},
		{2 * time.Minute, false, 503, `{"status":"stalled","last_beat":"2026-03-04T05:07:08Z","age_seconds":120}`},
	} {
		c.Advance(tc.advance)
		if tc.beat {
			m.Beat("node", c.Now(), 0, nil)
		}
		if status, body := ask(h); status != tc.status || body != tc.body {
			t.Errorf("%v: %d %s, want %d %s", c.Now(), status, body, tc.status, tc.body)
		}
	}
}

func TestReady(t *testing.T) {
	source := &fixed{}
	h := New(source, "v", start).Readyz()
	for _, tc := range []struct {
		ready  Ready
		status int
		body   string
	}{
		{Ready{}, 503, `{"status":"starting","checks":{"config":false,"store":false,"beats":false}}`},
		{Ready{Config: true, Store: true}, 503, `{"status":"starting","checks":{"config":true,"store":true,"beats":false}}`},
		{Ready{Config: true, Store: true, Beats: true}, 200, `{"status":"ready","checks":{"config":true,"store":true,"beats":true}}`},
	} {
		source.s.Ready = tc.ready
		if status, body := ask(h); status != tc.status || body != tc.body {
			t.Errorf("%+v: %d %s, want %d %s", tc.ready, status, body, tc.status, tc.body)
		}
	}
}
