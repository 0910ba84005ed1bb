package decide_test

import (
	"testing"
	"time"

	"phalops/internal/decide"
	"phalops/internal/fleet"
)

func TestContainerRung(t *testing.T) {
	target := fleet.WorkerRef("prb-b", "id-003")
	spent := []fleet.Attempt{tried(target, decide.ActionWorkerRestart, 5*h), tried(target, decide.ActionWorkerRestart, 3*h), tried(target, decide.ActionWorkerRestart, h)}
	answers := &fleet.PruntimeStatus{Probe: answered}
	tests := []struct {
		name    string
		text    string
		given   func(*decide.BridgeInput)
		verdict fleet.Verdict
		action  string
		guards  string
	}{
		{"restart comes first", refused, func(in *decide.BridgeInput) { in.Attempts = nil }, fleet.Act, decide.ActionWorkerRestart, ""},
		{"then the container of a process that is gone", refused, func(*decide.BridgeInput) {}, fleet.Act, decide.ActionWorkerContainer, ""},
		{"once", refused, func(in *decide.BridgeInput) {
			in.Attempts = append(in.Attempts, tried(target, decide.ActionWorkerContainer, 30*m))
		}, fleet.Person, "", "guard.budget guard.budget"},
		{"not where there is none", refused, func(in *decide.BridgeInput) { in.Containers = nil }, fleet.Person, "", "guard.budget guard.no_container_rung"},
		{"not where the ladder has none", refused, func(in *decide.BridgeInput) { in.Policy.Ladder = []string{"restart", "alert"} }, fleet.Person, "", "guard.budget"},
		{"alone on the ladder", refused, func(in *decide.BridgeInput) { in.Policy.Ladder = []string{"container", "alert"} }, fleet.Act, decide.ActionWorkerContainer, ""},
		{"not when its memory would be lost", `"TimeoutError: Timeout awaiting 'request' for 8000ms"`, func(*decide.BridgeInput) {}, fleet.Person, "", "guard.budget guard.price"},
		{"but when a checkpoint can be taken", `"TimeoutError: Timeout awaiting 'request' for 8000ms"`, func(in *decide.BridgeInput) { in.Status.Workers[3].Pruntime = answers }, fleet.Act, decide.ActionWorkerContainer, ""},
		{"observe", refused, func(in *decide.BridgeInput) { in.Policy.Mode = decide.ModeObserve }, fleet.WouldAct, decide.ActionWorkerContainer, "guard.observe"},
		{"the site observes", refused, func(in *decide.BridgeInput) { in.Policy.Mode, in.Policy.SiteMode = decide.ModeObserve, true }, fleet.WouldAct, decide.ActionWorkerContainer, "guard.observe_site"},
		{"the rule is watched", refused, func(in *decide.BridgeInput) { in.Policy.Watch = []string{"v3.*", "v2.error.*"} }, fleet.WouldAct, decide.ActionWorkerContainer, "guard.observe_rule"},
		{"another rule is watched", refused, func(in *decide.BridgeInput) { in.Policy.Watch = []string{"v3.*"} }, fleet.Act, decide.ActionWorkerContainer, ""},
	}
	texts := catalog(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in := healthyBridge(20)
			failed(20*m, tt.text)(&in.Status.Workers[3])
			in.Attempts, in.Containers = spent, map[fleet.Ref]bool{target: true}
			tt.given(&in)
			_, ws := decide.Bridge(in)
			d := ws[3]
			sound(t, d)
			said(t, texts, d)
			if d.Verdict != tt.verdict || d.Action != tt.action || guarded(d) != tt.guards {
				t.Errorf("%s %s, guards %q\n%+v", d.Verdict, d.Action, guarded(d), d)
			}
			weighed(t, texts, d)
		})
	}
}

// TestHalvedForEachTry: what did not help is less likely to help again.
func TestHalvedForEachTry(t *testing.T) {
	in := healthyBridge(20)
	failed(h, "null")(&in.Status.Workers[3])
	_, fresh := decide.Bridge(in)
	in.Attempts = []fleet.Attempt{tried(in.Status.Workers[3].Ref, decide.ActionWorkerRestart, 30*m)}
	_, again := decide.Bridge(in)
	if a, b := fresh[3].Candidates[0], again[3].Candidates[0]; b.Cure != a.Cure/2 || b.Gain >= a.Gain || b.Price != a.Price {
		t.Errorf("%+v then %+v", a, b)
	}
}

// TestANodesRestartCostsItsDependants: the healthy workers that go down with it are its price.
func TestANodesRestartCostsItsDependants(t *testing.T) {
	in := healthyNode()
	in.CanRestart = true
	in.Status.Para = chain(3_000_000, 6*m)
	in.Others = []fleet.NodeStatus{other("b", chain(3_000_100, 2*time.Second))}
	price := func(workers, working int) fleet.Candidate {
		in.Workers, in.Working = workers, working
		return decide.Node(in).Candidates[0]
	}
	none, some := price(100, 0), price(100, 60)
	if d := some.Price - none.Price; d < 4.9 || d > 5.1 || some.Gain != none.Gain {
		t.Errorf("60 workers for 5 minutes cost %v worker-hours: %+v", d, some)
	}
}

// TestIdentity: a lost identity is taken out of its bridge's hands, and nothing else is done to it.
func TestIdentity(t *testing.T) {
	target := fleet.WorkerRef("prb-b", "id-003")
	disable := func(ended time.Duration) fleet.Attempt { return tried(target, decide.ActionWorkerDisable, ended) }
	tests := []struct {
		name    string
		given   func(*decide.BridgeInput, *fleet.WorkerStatus)
		verdict fleet.Verdict
		guards  string
	}{
		{"another key", func(*decide.BridgeInput, *fleet.WorkerStatus) {}, fleet.Act, ""},
		{"even while it fails", func(_ *decide.BridgeInput, w *fleet.WorkerStatus) { failed(h, "null")(w) }, fleet.Act, ""},
		{"even while its node stalls", func(in *decide.BridgeInput, _ *fleet.WorkerStatus) { nodeIs(fleet.NodeStalled)(in) }, fleet.Act, ""},
		{"even beyond the cap", func(in *decide.BridgeInput, _ *fleet.WorkerStatus) { in.Fleet = &decide.Load{} }, fleet.Act, ""},
		{"no key for a minute", func(_ *decide.BridgeInput, w *fleet.WorkerStatus) { w.OtherKey, w.OtherSince = fleet.NoKey, ago(m) }, fleet.Wait, "guard.holddown"},
		{"no key for long", func(_ *decide.BridgeInput, w *fleet.WorkerStatus) { w.OtherKey, w.OtherSince = fleet.NoKey, ago(3*m) }, fleet.Act, ""},
		{"observe", func(in *decide.BridgeInput, _ *fleet.WorkerStatus) { in.Policy.Mode = decide.ModeObserve }, fleet.WouldAct, "guard.observe"},
		{"maintenance", func(in *decide.BridgeInput, _ *fleet.WorkerStatus) { in.Policy.Maintenance = true }, fleet.Wait, "guard.maintenance"},
		{"blind", func(in *decide.BridgeInput, _ *fleet.WorkerStatus) { in.Blind = true }, fleet.Wait, "guard.blind"},
		{"disabled: a person", func(_ *decide.BridgeInput, w *fleet.WorkerStatus) { w.Enabled = false }, fleet.Person, ""},
		{"tried twice in vain", func(in *decide.BridgeInput, _ *fleet.WorkerStatus) {
			in.Attempts = []fleet.Attempt{disable(2 * h), disable(h)}
		}, fleet.Person, "guard.not_disabled"},
		{"a plan runs on it", func(in *decide.BridgeInput, _ *fleet.WorkerStatus) { in.Treating = map[fleet.Ref]bool{target: true} }, fleet.Wait, "guard.treating"},
	}
	texts := catalog(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in := healthyBridge(20)
			w := &in.Status.Workers[3]
			w.KnownKey, w.OtherKey, w.OtherSince = "aa", "bb", ago(m)
			tt.given(&in, w)
			_, ws := decide.Bridge(in)
			d := ws[3]
			sound(t, d)
			said(t, texts, d)
			if d.Verdict != tt.verdict || guarded(d) != tt.guards || d.Rule != "v2.identity_changed" || d.Condition != string(fleet.Failing) {
				t.Errorf("%+v", d)
			}
			if d.Action != "" && (d.Action != decide.ActionWorkerDisable || d.Severity != fleet.Critical) {
				t.Errorf("%s, %s", d.Action, d.Severity)
			}
		})
	}
}
