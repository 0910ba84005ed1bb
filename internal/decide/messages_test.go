package decide_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"phalops/internal/decide"
	"phalops/internal/fleet"
)

// stateRow is one thing that a worker can show, and what must follow from it: "condition verdict rule reason", with - for no
// reason.
type stateRow struct {
	state, message string
	lasts          time.Duration // in this state, with this message
	given          []workerChange
	want           string
}

// errorRow is one text of an error and what must follow: "rule verdict reason", before the hold-down a wait.
type errorRow struct {
	text string
	hold time.Duration
	want string
}

// generation is a healthy bridge of one generation, with its workers in its own words.
type generation struct {
	version string
	bridge  func(n int) decide.BridgeInput
	failed  string // the state of an error
}

var gens = map[string]generation{
	"v0": {"v0", v0Bridge, "S_ERROR"}, "v2": {"v2", healthyBridge, "S_ERROR"}, "v3": {"v3", v3Bridge, "HasError"}, "solo": {"solo", soloBridge, ""},
}

func v0Bridge(n int) decide.BridgeInput {
	in := healthyBridge(n)
	in.Status.Version = "v0"
	in.Status.DataProviders[0].PeerID = "fetch"
	in.Status.Pools = []fleet.Pool{{ID: "p", PID: 83, Enabled: true}}
	for i := range in.Status.Workers {
		w := &in.Status.Workers[i]
		w.State, w.Message, w.Session = "S_MINING", "Now the worker should be mining.", "MiningIdle"
	}
	return in
}

func v3Bridge(n int) decide.BridgeInput {
	in := healthyBridge(n)
	in.Status.Version, in.Status.DataProviders, in.DataProvider = "v3", nil, ""
	in.Status.Pools = []fleet.Pool{{ID: "p", PID: 83, Enabled: true}}
	for i := range in.Status.Workers {
		w := &in.Status.Workers[i]
		w.State, w.Message = "Working", "Computing Now!"
	}
	return in
}

// soloBridge is a pherry, which has one worker only.
func soloBridge(int) decide.BridgeInput {
	in := v3Bridge(1)
	in.Status.Version, in.Status.Pools = "solo", nil
	w := &in.Status.Workers[0]
	w.State, w.Message, w.Session = "", "", ""
	w.Pruntime = &fleet.PruntimeStatus{Probe: answered, Endpoint: w.Endpoint, Initialized: new(true), Registered: new(true), Version: "2.2.0",
		Relay: w.Relay, ParaHeader: w.ParaHeader, Para: w.Para, Attests: []string{"none", "dcap"}}
	return in
}

// told is what a decision says: "condition verdict rule reason".
func told(d fleet.Decision) string {
	reason := d.Reason.Code
	if reason == "" {
		reason = "-"
	}
	return fmt.Sprintf("%s %s %s %s", d.Condition, d.Verdict, d.Rule, reason)
}

// checkStates decides about each row with a bridge full of healthy neighbours, whom nothing may draw in.
func checkStates(t *testing.T, g generation, rows []stateRow) {
	texts := catalog(t)
	for i, tt := range rows {
		t.Run(fmt.Sprintf("%02d %s %s %s", i, tt.state, clipped(tt.message), tt.lasts), func(t *testing.T) {
			in := g.bridge(20)
			at := len(in.Status.Workers) / 6
			w := &in.Status.Workers[at]
			if tt.lasts > 0 {
				inState(tt.state, tt.lasts, tt.message)(w)
			}
			for _, f := range tt.given {
				f(w)
			}
			b, ds := decide.Bridge(in)
			if got := told(ds[at]); got != tt.want {
				t.Errorf("got  %s\nwant %s\n%+v", got, tt.want, ds[at])
			}
			if b.Verdict != fleet.Healthy {
				t.Errorf("one worker is no trouble of the bridge: %+v", b)
			}
			for i, d := range ds {
				sound(t, d)
				said(t, texts, d)
				if i != at && d.Verdict != fleet.Healthy {
					t.Errorf("worker %d is drawn in: %+v", i, d)
				}
			}
			if ds[at].Verdict == fleet.Act && ds[at].Action != decide.ActionWorkerRestart {
				t.Errorf("action %q", ds[at].Action)
			}
		})
	}
}

// checkErrors decides about each text right before and right after its hold-down.
func checkErrors(t *testing.T, g generation, rows []errorRow) {
	texts := catalog(t)
	for i, tt := range rows {
		t.Run(fmt.Sprintf("%02d %s", i, clipped(tt.text)), func(t *testing.T) {
			after := func(d time.Duration) fleet.Decision {
				in := g.bridge(20)
				inState(g.failed, d, tt.text)(&in.Status.Workers[3])
				noHeights(&in.Status.Workers[3])
				_, ds := decide.Bridge(in)
				sound(t, ds[3])
				said(t, texts, ds[3])
				return ds[3]
			}
			late := after(tt.hold + time.Second)
			if got := strings.TrimPrefix(told(late), "Failed "); got != tt.want {
				t.Fatalf("got  %s\nwant %s\n%+v", got, tt.want, late)
			}
			if tt.hold == 0 {
				return
			}
			early := after(tt.hold - time.Second)
			if early.Action != "" || early.Verdict == fleet.HandsOff || early.Verdict == fleet.Healthy {
				t.Errorf("before the hold-down: %+v", early)
			}
			if !early.NextLook.Equal(now.Add(time.Second)) {
				t.Errorf("looks again at %v, not when the hold-down ends", early.NextLook)
			}
		})
	}
}

func clipped(s string) string { return s[:min(len(s), 70)] }

func noHeights(w *fleet.WorkerStatus) {
	w.Para, w.ParaHeader, w.Relay = fleet.Height{}, fleet.Height{}, fleet.Height{}
}

func syncOnly(w *fleet.WorkerStatus) { w.SyncOnly = true }

func disabled(w *fleet.WorkerStatus) { w.Enabled = false }

func contextless(w *fleet.WorkerStatus) {
	since := w.StateSince
	w.Running, w.State, w.Message = false, "", ""
	w.StateSince = since
}

// all joins changes.
func all(changes ...workerChange) []workerChange { return changes }

// TestEveryRuleHasItsPlaceInTheDocs: people put these names into healing.watch.
func TestEveryRuleHasItsPlaceInTheDocs(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join("..", "..", "docs", "worker-rules.md"))
	if err != nil {
		t.Fatal(err)
	}
	text := string(raw)
	for _, rule := range rulesInTables(t) {
		_, name, _ := strings.Cut(rule, ".")
		short := strings.TrimPrefix(strings.TrimPrefix(name, "error."), "step.")
		if !strings.Contains(text, "`"+name+"`") && !strings.Contains(text, "`"+short+"`") {
			t.Errorf("%s is not in docs/worker-rules.md", rule)
		}
	}
}

// rulesInTables reads the names out of the tables in the test files.
func rulesInTables(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	name := regexp.MustCompile(`" ?(?:[A-Z][a-zA-Z]+ )?(?:healthy|wait|act|person|handsoff) ((?:gen|v0|v2|v3|solo)\.[a-z_.]+) `)
	seen := map[string]bool{}
	var rules []string
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range name.FindAllStringSubmatch(string(source), -1) {
			if !seen[m[1]] {
				seen[m[1]] = true
				rules = append(rules, m[1])
			}
		}
	}
	if len(rules) < 100 {
		t.Fatalf("only %d rules found", len(rules))
	}
	return rules
}
