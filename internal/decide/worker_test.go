package decide_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"phalops/internal/decide"
	"phalops/internal/fleet"
)

const prbB = fleet.Ref("bridge/prb-b")

// worker number i of prb-b: active, at its data provider's height, two blocks behind.
func worker(i int) fleet.WorkerStatus {
	id := fmt.Sprintf("id-%03d", i)
	return fleet.WorkerStatus{
		Probe: answered, Ref: fleet.WorkerRef("prb-b", id), ID: id, Name: fmt.Sprintf("w-%03d", i), PID: 83,
		Endpoint: fmt.Sprintf("http://127.0.%d.%d:8000", 1+i/200, 1+i%200), Stake: fleet.PHA(10), StakeOK: true, Enabled: true,
		Running: true, State: "S_ACTIVE", Message: "Now the worker should be active.", StateSince: ago(48 * h), MessageSeen: ago(48 * h),
		Relay: at(15_000_000, 3*time.Second), ParaHeader: at(2_999_998, 10*time.Second), Para: at(2_999_998, 10*time.Second),
		Session: "WorkerIdle", Condition: fleet.Working, Since: ago(48 * h),
	}
}

// healthyBridge is a bridge with n workers where nothing is wrong.
func healthyBridge(n int) decide.BridgeInput {
	node := healthyNode()
	in := decide.BridgeInput{
		Status: fleet.BridgeStatus{
			Ref: prbB, Site: "dc1", Version: "v2", Monitor: answered, Lifecycle: answered, Condition: fleet.BridgeHealthy, Since: ago(48 * h),
			DataProviders: []fleet.DataProviderStatus{{Probe: answered, PeerID: "QmDp", Status: "S_IDLE", Para: at(3_000_000, 5*time.Second), Parent: at(15_000_000, 5*time.Second)}},
		},
		Node: &node.Status, DataProvider: "dp/dp-1", Policy: defaults, Now: now,
	}
	for i := range n {
		in.Status.Workers = append(in.Status.Workers, worker(i))
	}
	return in
}

type workerChange = func(*fleet.WorkerStatus)

func inState(state string, d time.Duration, message string) workerChange {
	return func(w *fleet.WorkerStatus) {
		w.State, w.StateSince, w.Message, w.MessageSeen, w.MessageAt = state, ago(d), message, ago(d), ago(d)
	}
}

func frozen(d time.Duration) workerChange {
	return func(w *fleet.WorkerStatus) {
		w.Para.MovedAt, w.ParaHeader.MovedAt, w.Relay.MovedAt = ago(d), ago(d), ago(d)
		w.Para.Value -= 100
	}
}

func failed(d time.Duration, text string) workerChange { return inState("S_ERROR", d, text) }

func session(s string) workerChange { return func(w *fleet.WorkerStatus) { w.Session = s } }

func heights(v int64, d time.Duration) workerChange {
	return func(w *fleet.WorkerStatus) { w.Para, w.ParaHeader, w.Relay = at(v, d), at(v, d), at(v, d) }
}

func TestUnreachableHostIsToldAtOnceAndProbedLater(t *testing.T) {
	in := healthyBridge(20)
	failed(m, `"Error: connect EHOSTUNREACH 127.0.1.4:8000"`)(&in.Status.Workers[3])
	_, ds := decide.Bridge(in)
	if ds[3].Verdict != fleet.Person {
		t.Errorf("got %+v", ds[3])
	}
}

func TestUnknownErrorIsTriedOnce(t *testing.T) {
	in := healthyBridge(20)
	w := &in.Status.Workers[3]
	failed(h, `"Error: the moon is in the wrong place"`)(w)
	in.Attempts = []fleet.Attempt{tried(w.Ref, decide.ActionWorkerRestart, h+m)}
	_, ds := decide.Bridge(in)
	if d := ds[3]; d.Verdict != fleet.Person || guarded(d) != "guard.tried guard.no_container_rung" {
		t.Errorf("got %s, guards %q", d.Verdict, guarded(d))
	}
}

// TestOldHeightsAfterARestart: v2 reports the heights of the context before until there are new ones.
func TestOldHeightsAfterARestart(t *testing.T) {
	for target, kind := range map[fleet.Ref]string{worker(3).Ref: decide.ActionWorkerRestart, prbB: "bridge.restart", nodeA: decide.ActionNodeRestart} {
		in := healthyBridge(20)
		frozen(6 * m)(&in.Status.Workers[3])
		in.Attempts = []fleet.Attempt{tried(target, kind, 2*m)}
		if _, ds := decide.Bridge(in); ds[3].Condition != string(fleet.Syncing) {
			t.Errorf("after %s: %+v", kind, ds[3])
		}
	}
}

func TestStateWithoutItsHistory(t *testing.T) {
	in := healthyBridge(20)
	w := &in.Status.Workers[3]
	failed(0, "null")(w)
	w.StateSince, w.Condition, w.Since = time.Time{}, fleet.Failing, ago(h)
	if _, ds := decide.Bridge(in); ds[3].Verdict != fleet.Act {
		t.Errorf("the condition's age counts: %+v", ds[3])
	}
	w.Since = time.Time{}
	if _, ds := decide.Bridge(in); ds[3].Verdict != fleet.Wait {
		t.Errorf("without any history the hold-down begins now: %+v", ds[3])
	}
}

func TestLongForeignTextIsClipped(t *testing.T) {
	in := healthyBridge(3)
	failed(h, strings.Repeat("链", 500))(&in.Status.Workers[1])
	_, ds := decide.Bridge(in)
	if text := ds[1].Reason.Args["message"]; len(text) > 170 || strings.ContainsRune(text, '�') {
		t.Errorf("%d bytes: %q", len(text), text)
	}
}

func TestWorkerCured(t *testing.T) {
	was := fleet.Decision{Since: ago(20 * m)}
	tests := []struct {
		name  string
		given []workerChange
		want  bool
	}{
		{"works", nil, true},
		{"syncs with moving headers", []workerChange{func(w *fleet.WorkerStatus) { w.Condition = fleet.Syncing; w.Para = at(-1, 10*m) }}, true},
		{"says Working, but has not moved since", []workerChange{heights(1, 25*m)}, false},
		{"says Working, moved once and stopped again", []workerChange{heights(1, 3*m)}, false},
		{"says Working, moved lately, but before the trouble began", []workerChange{heights(1, 90*time.Second), func(w *fleet.WorkerStatus) { w.Name = "fresh trouble" }}, false},
		{"still failed", []workerChange{func(w *fleet.WorkerStatus) { w.Condition = fleet.Failing }}, false},
		{"nobody sees it", []workerChange{func(w *fleet.WorkerStatus) { w.Probe = silentFor(h) }}, false},
		{"somebody disabled it", []workerChange{func(w *fleet.WorkerStatus) { w.Condition = fleet.Disabled }, heights(1, h)}, true},
		{"it cools down", []workerChange{func(w *fleet.WorkerStatus) { w.Condition = fleet.CoolingDown }, heights(1, h)}, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := worker(1)
			for _, f := range tt.given {
				f(&w)
			}
			since := was
			if w.Name == "fresh trouble" {
				since.Since = ago(m)
			}
			if got := decide.WorkerCured(since, w, defaults, now); got != tt.want {
				t.Errorf("got %v", got)
			}
		})
	}
}

func TestNodeCured(t *testing.T) {
	was := fleet.Decision{Since: ago(20 * m)}
	tests := []struct {
		name  string
		given func(*fleet.NodeStatus)
		want  bool
	}{
		{"healthy", func(*fleet.NodeStatus) {}, true},
		{"syncing and moving", func(n *fleet.NodeStatus) { n.Condition = fleet.NodeSyncing }, true},
		{"healthy by the last decision, the relay stands", func(n *fleet.NodeStatus) { n.Relay = chain(1, 3*m) }, false},
		{"silent", func(n *fleet.NodeStatus) { dark(2 * m)(n.Para) }, false},
		{"stalled", func(n *fleet.NodeStatus) { n.Condition = fleet.NodeStalled }, false},
		{"one chain", func(n *fleet.NodeStatus) { n.Relay = nil }, true},
		{"no chain", func(n *fleet.NodeStatus) { n.Para, n.Relay = nil, nil }, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			n := healthyNode().Status
			tt.given(&n)
			if got := decide.NodeCured(was, n, defaults, now); got != tt.want {
				t.Errorf("got %v", got)
			}
		})
	}
}

func TestTheSameFactsGiveTheSameDecisions(t *testing.T) {
	in := healthyBridge(30)
	for i := range 9 {
		failed(time.Duration(3+7*i)*m, "null")(&in.Status.Workers[i])
	}
	b, ws := decide.Bridge(in)
	for range 20 {
		b2, ws2 := decide.Bridge(in)
		if diff := cmp.Diff(ws, ws2); diff != "" || !cmp.Equal(b, b2) {
			t.Fatal(diff)
		}
	}
}
