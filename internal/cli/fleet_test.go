package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"phalops/internal/clock"
	"phalops/internal/control"
	"phalops/internal/fleet"
	"phalops/internal/store"
	"phalops/internal/store/sqlite"
)

// night is when every golden table is looked at.
var night = time.Date(2023, 3, 14, 3, 0, 0, 0, time.UTC)

const (
	stalledIncident = "04097d2a7ac0"
	stalledPlan     = "01a20409-b7c5-7794-9470-b83a5daf65df"
	workerPlan      = "01a20409-8bfa-7a7e-a2e5-01913aeb6af1"
)

// fixture is a data folder in which a daemon, which lives elsewhere, keeps a small fleet with everything that can be shown:
// a healthy and a stalled node, a bridge with workers in many conditions and one that is blind.
type fixture struct {
	config string // its file
	store  store.Store
	clock  *clock.Virtual
}

func newFixture(t *testing.T) fixture {
	t.Helper()
	dir := t.TempDir()
	f := fixture{config: filepath.Join(dir, "phalops.yaml"), clock: clock.NewVirtual(night)}
	text := fmt.Sprintf(`data: %q
sites:
  - name: dc1
    nodes:
      - { name: node-1, para: "http://127.1.0.1:9944", relay: "http://127.1.0.1:9945", container: phala-node }
      - { name: node-2, para: "http://127.1.0.2:9944", relay: "http://127.1.0.2:9945", container: phala-node }
    bridges:
      - { name: prb-a, version: v2, url: "http://127.1.0.3:3000", node: node-1, labels: { customer: alpha } }
      - { name: prb-b, version: v2, url: "http://127.1.0.4:3000", node: node-2 }
`, filepath.Join(dir, "data"))
	if err := os.WriteFile(f.config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := sqlite.Open(t.Context(), sqlite.Options{Dir: filepath.Join(dir, "data")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	f.store = s
	f.fill(t)
	return f
}

func (f fixture) fill(t *testing.T) {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	ctx := t.Context()
	_, err := f.store.Acquire(ctx, control.FleetLease, "daemon@host-1/4711", time.Hour, night.Add(-time.Minute))
	must(err)
	for _, n := range nodesOfTheNight() {
		must(f.store.SaveNode(ctx, n))
	}
	for _, b := range bridgesOfTheNight() {
		must(f.store.SaveBridge(ctx, b))
	}
	must(f.store.SaveChain(ctx, chainOfTheNight()))
	must(f.store.SaveDecisions(ctx, decisionsOfTheNight()...))
	must(f.plans(ctx))
}

func before(d time.Duration) time.Time { return night.Add(-d) }

func height(v int64, frozen time.Duration) fleet.Height {
	return fleet.Height{Value: v, Known: true, MovedAt: before(frozen)}
}

func seen(ago time.Duration) fleet.Probe { return fleet.Probe{}.Answered(before(ago)) }

func chain(url string, best, target int64, frozen time.Duration, peers int) *fleet.ChainStatus {
	syncing := false
	return &fleet.ChainStatus{Probe: seen(5 * time.Second), URL: url, Best: height(best, frozen), Target: height(target, 6*time.Second), Peers: peers, Syncing: &syncing}
}

func nodesOfTheNight() []fleet.NodeStatus {
	running := &fleet.ContainerStatus{Probe: seen(5 * time.Second), Name: "phala-node", State: "running"}
	return []fleet.NodeStatus{
		{Ref: fleet.NodeRef("node-1"), Site: "dc1", Para: chain("http://127.1.0.1:9944", 3512345, 3512345, 8*time.Second, 40),
			Relay: chain("http://127.1.0.1:9945", 16912345, 16912346, 4*time.Second, 38), Container: running, Condition: fleet.NodeHealthy, Since: before(76 * time.Hour)},
		{Ref: fleet.NodeRef("node-2"), Site: "dc1", Para: chain("http://127.1.0.2:9944", 3512288, 3512345, 12*time.Minute, 12),
			Relay: chain("http://127.1.0.2:9945", 16912345, 16912346, 4*time.Second, 38), Container: running, Condition: fleet.NodeStalled, Since: before(7 * time.Minute),
			Disk:   &fleet.DiskStatus{Probe: seen(2 * time.Minute), Path: "/opt/khala", Mount: "/opt", Free: 60 << 30, Total: 2000 << 30},
			Caches: []fleet.HeadersCacheStatus{{Probe: seen(30 * time.Second), Name: "hc-1", URL: "http://127.1.0.2:22111", Header: height(16911360, 40*time.Minute)}}},
	}
}

func worker(n int, condition fleet.Condition, state, message string, frozen time.Duration) fleet.WorkerStatus {
	id := fmt.Sprintf("00000000-0000-4000-8000-%012d", n)
	return fleet.WorkerStatus{
		Probe: seen(5 * time.Second), Ref: fleet.WorkerRef("prb-a", id), ID: id, Name: fmt.Sprintf("w-%02d", n), PID: uint64(83 + n%2),
		Endpoint: fmt.Sprintf("http://127.1.1.%d:8000", n), Stake: fleet.PHA(10), StakeOK: true, Enabled: true, Running: true, State: state, Message: message,
		Relay: height(16912300, time.Second), Para: height(3512340, frozen), Session: "WorkerIdle", Condition: condition, Since: before(26 * time.Hour),
		PublicKey: publicKey(n),
	}
}

func bridgesOfTheNight() []fleet.BridgeStatus {
	active := "Now the worker should be active."
	failed := worker(2, fleet.Failing, "S_ERROR", "Error: connect ECONNREFUSED 127.1.1.2:8000\n    at TCPConnectWrap.afterConnect", 14*time.Minute)
	failed.Since = before(14 * time.Minute)
	syncing := worker(3, fleet.Syncing, "S_SYNCHING", "", 3*time.Second)
	syncing.Since, syncing.Para = before(40*time.Minute), height(3401234, 3*time.Second)
	unresponsive := worker(4, fleet.Unresponsive, "S_ACTIVE", active, 9*time.Minute)
	unresponsive.Since, unresponsive.Session = before(9*time.Minute), "WorkerUnresponsive"
	disabled := worker(5, fleet.Disabled, "", "", 0)
	disabled.Enabled, disabled.Running, disabled.Para, disabled.Session = false, false, fleet.Height{}, ""
	chinese := worker(6, fleet.Working, "S_ACTIVE", active, 7*time.Second)
	chinese.Name = "机柜三-06"
	return []fleet.BridgeStatus{
		{Ref: fleet.BridgeRef("prb-a"), Site: "dc1", Version: "v2", Monitor: seen(5 * time.Second), Lifecycle: seen(5 * time.Second),
			Pools: []fleet.Pool{
				{PID: 83, Name: "first", Enabled: true, Operator: otherOwner, Workers: 3, BridgeRef: fleet.BridgeRef("prb-a")},
				{PID: 84, Name: "second", Enabled: true, Operator: simOwner, Workers: 3, BridgeRef: fleet.BridgeRef("prb-a")},
				{PID: 99, Name: "gone", Operator: simOwner, BridgeRef: fleet.BridgeRef("prb-a")},
			},
			DataProviders: []fleet.DataProviderStatus{{Probe: seen(5 * time.Second), PeerID: "QmDp", Para: height(3512342, 8*time.Second), Parent: height(16912344, 5*time.Second)}},
			Workers:       []fleet.WorkerStatus{worker(1, fleet.Working, "S_ACTIVE", active, 7*time.Second), failed, syncing, unresponsive, disabled, chinese},
			Condition:     fleet.BridgeHealthy, Since: before(76 * time.Hour)},
		{Ref: fleet.BridgeRef("prb-b"), Site: "dc1", Version: "v2", Condition: fleet.BridgeBlind, Since: before(2 * time.Minute),
			Monitor: fleet.Probe{At: before(3 * time.Minute), Failed: before(2 * time.Minute), Missed: 8, Cause: fleet.Because("wire.refused", "url", "http://127.1.0.4:3000/")}},
	}
}

func decisionsOfTheNight() []fleet.Decision {
	failed := fleet.WorkerRef("prb-a", "00000000-0000-4000-8000-000000000002")
	unresponsive := fleet.WorkerRef("prb-a", "00000000-0000-4000-8000-000000000004")
	return []fleet.Decision{
		{Target: fleet.NodeRef("node-1"), At: before(5 * time.Second), Condition: "Healthy", Rule: "node.healthy", Verdict: fleet.Healthy},
		stalledDecision(),
		{Target: fleet.BridgeRef("prb-b"), At: before(5 * time.Second), Condition: "Blind", Since: before(2 * time.Minute), Rule: "bridge.blind", Verdict: fleet.Wait,
			Severity: fleet.Warning, Reason: fleet.Because("bridge.blind", "bridge", fleet.BridgeRef("prb-b"), "for", 2*time.Minute)},
		{Target: fleet.NetworkRef("khala"), At: before(5 * time.Second), Condition: "Upgrade", Since: before(3 * time.Hour), Rule: "network.upgrade_authorized",
			Verdict: fleet.Person, Severity: fleet.Warning, Reason: fleet.Because("network.upgrade_authorized", "spec", 1250, "hash", "0xc0de")},
		{Target: failed, At: before(5 * time.Second), Condition: "Failed", Since: before(14 * time.Minute), Rule: "v2.error.refused", Suspect: failed,
			Verdict: fleet.Wait, Severity: fleet.Warning, NextLook: night.Add(6 * time.Minute), Candidates: candidatesOfTheNight(),
			Reason: fleet.Because("worker.error.refused", "endpoint", "http://127.1.1.2:8000", "message", "Error: connect ECONNREFUSED 127.1.1.2:8000"),
			Guards: []fleet.Reason{fleet.Because("guard.backoff", "n", 2, "pause", 20*time.Minute, "until", night.Add(6*time.Minute))}},
		{Target: unresponsive, At: before(5 * time.Second), Condition: "Unresponsive", Since: before(9 * time.Minute), Rule: "v2.frozen", Suspect: fleet.BridgeRef("prb-a"),
			Verdict: fleet.Act, Action: "worker.restart", Severity: fleet.Warning,
			Reason: fleet.Because("worker.frozen_unresponsive", "session", "WorkerUnresponsive", "height", 3512340, "for", 9*time.Minute, "head", 3512385, "lag", 45),
			Holds:  holdsOfTheNight()},
	}
}

func holdsOfTheNight() []fleet.Hold {
	return []fleet.Hold{
		{Rule: "user.slow", When: "worker.lag > 40", Since: before(9 * time.Minute), Due: before(-time.Minute)},
		{Rule: "user.frozen", When: "worker.enabled and\n  worker.frozen > duration(\"5m\")", Since: before(4 * time.Minute), Due: before(time.Minute),
			Why: fleet.Because("rule.only_observes", "rule", "v2.frozen")},
		{Rule: "user.cold", When: "worker.v < 100", Why: fleet.Because("rule.unknown", "field", "worker.v")},
	}
}

func candidatesOfTheNight() []fleet.Candidate {
	return []fleet.Candidate{
		{Action: "restart", Cure: 0.4, Left: 8 * time.Hour, With: 5 * time.Minute, Gain: 3.17, Price: 0.05, Source: []string{"prior.error_is_terminal"},
			Closed: new(fleet.Because("guard.backoff", "n", 2, "pause", 20*time.Minute, "until", night.Add(6*time.Minute)))},
		{Action: "container", Closed: new(fleet.Because("guard.no_container_rung"))},
		{Action: "alert"},
	}
}

func stalledDecision() fleet.Decision {
	return fleet.Decision{
		Target: fleet.NodeRef("node-2"), At: before(5 * time.Second), Condition: "Stalled", Since: before(12 * time.Minute), Rule: "node.stalled", Suspect: fleet.NodeRef("node-2"),
		Verdict: fleet.Act, Action: "node.restart", Severity: fleet.Critical,
		Reason:    fleet.Because("node.stalled", "chain", "node.chain.para", "height", 3512288, "for", 12*time.Minute, "head", 3512345, "peers", 12),
		Witnesses: []fleet.Reason{fleet.Because("witness.moving", "who", "node-1", "height", 3512345)},
		Guards:    []fleet.Reason{fleet.Because("guard.treating")},
	}
}

func incidentOfTheNight() fleet.Incident {
	return fleet.Incident{
		ID: stalledIncident, Target: fleet.NodeRef("node-2"), Title: "node-2", Site: "dc1", Code: "Stalled", Severity: fleet.Critical,
		Reason: stalledDecision().Reason, Opened: before(12 * time.Minute), Acted: before(7 * time.Minute), Raised: before(7 * time.Minute), Told: before(7 * time.Minute),
		Children: []fleet.Ref{fleet.BridgeRef("prb-b")}, Decision: stalledDecision(),
	}
}

func eventsOfTheNight() []fleet.Event {
	d := stalledDecision()
	event := func(ago time.Duration, kind fleet.EventKind, author string, reason fleet.Reason) fleet.Event {
		return fleet.Event{At: before(ago), Kind: kind, Author: author, Target: d.Target, Incident: stalledIncident, Reason: reason}
	}
	refused := event(14*time.Minute, fleet.EventDecision, "rule:v2.error.refused", decisionsOfTheNight()[4].Reason)
	refused.Target, refused.Incident = decisionsOfTheNight()[4].Target, ""
	return []fleet.Event{
		{At: before(76 * time.Hour), Kind: fleet.EventDaemon, Author: "phalops", Target: fleet.Fleet, Reason: fleet.Because("daemon.started", "version", "v1.2.3", "owner", "daemon@host-1/4711")},
		refused,
		event(7*time.Minute, fleet.EventIncident, "rule:node.stalled", fleet.Because("control.incident_opened", "title", "node-2")),
		event(7*time.Minute, fleet.EventDecision, "rule:node.stalled", d.Reason),
		event(7*time.Minute, fleet.EventMessage, "phalops", fleet.Because("notify.sent", "channel", "ops-ding")),
	}
}

// plans writes a restart of the node that is under way, with its incident, and one of a worker that failed.
func (f fixture) plans(ctx context.Context) error {
	failed := fleet.WorkerRef("prb-a", "00000000-0000-4000-8000-000000000002")
	one := fleet.Plan{
		ID: workerPlan, Kind: "worker.restart", Site: "dc1", Targets: []fleet.Ref{failed}, Locks: []fleet.Ref{failed}, Author: "user:ada", State: fleet.PlanRunning,
		Reason: fleet.Because("cli.asked", "user", "ada"), Created: before(10 * time.Minute),
		Steps: []fleet.Step{{Name: "restart w-02", Op: "worker.restart", Target: failed, State: fleet.StepPlanned, Class: fleet.ClassCostsMining,
			Label: fleet.Because("remedy.step_restart_worker", "worker", "w-02", "bridge", "prb-a")}},
	}
	node := fleet.NodeRef("node-2")
	step := func(seq int, state fleet.StepState, restoring bool, began, took time.Duration, label, result fleet.Reason) fleet.Step {
		s := fleet.Step{Seq: seq, Name: fmt.Sprint("step ", seq), Op: "container.stop", Target: node, State: state, Class: fleet.ClassReversible, Restoring: restoring, Label: label, Result: result}
		if state != fleet.StepPlanned {
			s.Began, s.Attempt = before(began), 1
		}
		if state.Ended() {
			s.Ended = s.Began.Add(took)
		}
		return s
	}
	stop, start := func(c string) fleet.Reason { return fleet.Because("remedy.step_stop", "container", c, "host", "local") }, func(c string) fleet.Reason {
		return fleet.Because("remedy.step_start", "container", c, "host", "local")
	}
	two := fleet.Plan{
		ID: stalledPlan, Kind: "node.restart", Site: "dc1", Targets: []fleet.Ref{node}, Locks: []fleet.Ref{node, fleet.BridgeRef("prb-b")}, Author: "rule:node.stalled",
		Reason: stalledDecision().Reason, Incident: stalledIncident, State: fleet.PlanRunning, Created: before(7 * time.Minute), Exact: true,
		Steps: []fleet.Step{
			step(0, fleet.StepDone, false, 7*time.Minute, 11*time.Second, stop("bridge_lifecycle_1"), fleet.Because("remedy.stopped", "container", "bridge_lifecycle_1")),
			step(1, fleet.StepDone, false, 6*time.Minute, 95*time.Second, stop("phala-node"), fleet.Because("remedy.stopped", "container", "phala-node")),
			step(2, fleet.StepEffected, true, 4*time.Minute, 0, start("phala-node"), fleet.Because("remedy.node_silent", "node", "node-2", "err", "connection refused")),
			step(3, fleet.StepPlanned, true, 0, 0, start("bridge_lifecycle_1"), fleet.Reason{}),
		},
	}
	events := eventsOfTheNight() // in the order in which things happened
	if err := errors.Join(f.store.Append(ctx, events[:2]...), f.store.CreatePlan(ctx, one), f.store.SaveIncident(ctx, incidentOfTheNight(), events[2:4]...),
		f.store.CreatePlan(ctx, two), f.store.Append(ctx, events[4:]...)); err != nil {
		return err
	}
	lease, err := f.store.Acquire(ctx, "dc1", "daemon@host-1/4711", time.Hour, before(10*time.Minute))
	if err != nil {
		return err
	}
	fence := store.Fence{Lease: lease.Name, Token: lease.Token}
	lost := one.Steps[0]
	lost.State, lost.Attempt, lost.Began, lost.Ended = fleet.StepFailed, 1, before(10*time.Minute), before(9*time.Minute)
	lost.Result = fleet.Because("remedy.worker_failed_again", "worker", "w-02", "message", "Error: connect ECONNREFUSED 127.1.1.2:8000")
	if err := f.store.SaveStep(ctx, one.ID, lost, fence); err != nil {
		return err
	}
	one.State, one.Ended = fleet.PlanFailed, before(9*time.Minute)
	one.Note = fleet.Because("act.plan_failed", "label", lost.Label.Code, "worker", "w-02", "bridge", "prb-a", "why", lost.Result.Code, "message", "Error: connect ECONNREFUSED 127.1.1.2:8000")
	return f.store.SavePlan(ctx, one, fence)
}
