package decide_test

import (
	"testing"
	"time"

	"phalops/internal/decide"
	"phalops/internal/fleet"
)

// TestSilentParts is what phalops does itself about a monitor or a lifecycle manager that does not answer.
func TestSilentParts(t *testing.T) {
	type change = func(*decide.BridgeInput)
	ours := func(in *decide.BridgeInput) { in.CanRestart = true }
	monitor := func(d time.Duration) change {
		return func(in *decide.BridgeInput) { in.Status.Monitor = silentFor(d) }
	}
	lifecycle := func(d time.Duration) change {
		return func(in *decide.BridgeInput) { in.Status.Lifecycle = silentFor(d) }
	}
	own := func(n int, frozen time.Duration) change { // so many pRuntimes were asked
		return func(in *decide.BridgeInput) {
			for i := range n {
				in.Status.Workers[i].Pruntime = &fleet.PruntimeStatus{Probe: answered, Para: at(20_000, frozen), Before: ago(30 * time.Second)}
			}
		}
	}
	v3 := func(in *decide.BridgeInput) {
		in.Status.Version, in.Status.DataProviders, in.DataProvider = "v3", nil, ""
		for i := range in.Status.Workers {
			in.Status.Workers[i].State = "Working"
		}
	}
	v0 := func(in *decide.BridgeInput) { in.Status.Version = "v0" }
	tried := func(kind string, ended ...time.Duration) change {
		return func(in *decide.BridgeInput) {
			for _, d := range ended {
				in.Attempts = append(in.Attempts, fleet.Attempt{Target: prbB, Kind: kind, At: ago(d + m), Ended: ago(d), Outcome: fleet.PlanDone, Author: "rule:x"})
			}
		}
	}
	tests := []struct {
		name    string
		given   []change
		verdict fleet.Verdict
		rule    string
		action  string
	}{
		{"a monitor that is not ours", []change{monitor(3 * m)}, fleet.Person, "bridge.blind", ""},
		{"a monitor silent for a minute", []change{ours, monitor(m)}, fleet.Wait, "bridge.blind", ""},
		{"a monitor silent for long", []change{ours, monitor(3 * m)}, fleet.Act, "bridge.blind.monitor", "bridge.monitor"},
		{"… of v0", []change{ours, v0, monitor(3 * m)}, fleet.Act, "bridge.blind.monitor", "bridge.monitor"},
		{"… while the node is down: it still shows", []change{ours, monitor(3 * m), nodeIs(fleet.NodeDown)}, fleet.Act, "bridge.blind.monitor", "bridge.monitor"},
		{"… while everything is dark", []change{ours, monitor(3 * m), func(in *decide.BridgeInput) { in.Blind = true }}, fleet.Wait, "bridge.blind", ""},
		{"… in maintenance", []change{ours, monitor(3 * m), func(in *decide.BridgeInput) { in.Policy.Maintenance = true }}, fleet.Wait, "bridge.blind.monitor", ""},
		{"… in observe mode", []change{ours, monitor(3 * m), func(in *decide.BridgeInput) { in.Policy.Mode = decide.ModeObserve }}, fleet.WouldAct, "bridge.blind.monitor", "bridge.monitor"},
		{"… just restarted", []change{ours, monitor(3 * m), tried("bridge.monitor", 2*m)}, fleet.Wait, "bridge.blind.monitor", ""},
		{"… restarted three times", []change{ours, monitor(3 * h), tried("bridge.monitor", 2*h, 80*m, 30*m)}, fleet.Person, "bridge.blind.monitor", ""},
		{"prb-wm silent, and nobody can be asked", []change{ours, v3, monitor(11 * m)}, fleet.Person, "bridge.blind", ""},
		{"… and pRuntimes that stand still", []change{ours, v3, monitor(11 * m), own(3, 9*m)}, fleet.Act, "bridge.no_lifecycle.hangs", "bridge.restart"},
		{"… not yet for long", []change{ours, v3, monitor(7 * m), own(3, 6*m)}, fleet.Wait, "bridge.no_lifecycle.hangs", ""},
		{"… and pRuntimes that take blocks", []change{ours, v3, monitor(11 * m), own(1, 10*time.Second)}, fleet.Person, "bridge.blind", ""},

		{"a lifecycle that is not ours", []change{lifecycle(11 * m), own(3, 9*m)}, fleet.Person, "bridge.no_lifecycle", ""},
		{"a lifecycle silent for long, pRuntimes stand still", []change{ours, lifecycle(11 * m), own(3, 9*m)}, fleet.Act, "bridge.no_lifecycle.hangs", "bridge.restart"},
		{"… one of them takes blocks", []change{ours, lifecycle(11 * m), own(3, 9*m), own(1, 10*time.Second)}, fleet.Act, "bridge.no_lifecycle.cut", "bridge.monitor"},
		{"… one of them took blocks since it was asked an hour ago", []change{ours, lifecycle(11 * m), own(3, 9*m), own(1, 10*time.Second), func(in *decide.BridgeInput) {
			in.Status.Workers[0].Pruntime.Before = ago(h)
		}}, fleet.Wait, "bridge.no_lifecycle", ""},
		{"… nobody can be asked, yet", []change{ours, lifecycle(5 * m)}, fleet.Wait, "bridge.no_lifecycle", ""},
		{"… nobody can be asked", []change{ours, lifecycle(11 * m)}, fleet.Person, "bridge.no_lifecycle", ""},
		{"… the node is to blame", []change{ours, lifecycle(11 * m), own(3, 9*m), nodeIs(fleet.NodeStalled)}, fleet.Wait, "bridge.no_lifecycle", ""},
		{"… a stake below 1 PHA would stop it again", []change{ours, lifecycle(11 * m), own(3, 9*m), func(in *decide.BridgeInput) {
			in.Status.Workers[7].Stake = fleet.NewAmount(5)
		}}, fleet.Person, "bridge.no_lifecycle", ""},
		{"… a plan is at it", []change{ours, lifecycle(11 * m), own(3, 9*m), func(in *decide.BridgeInput) { in.ParentTreated = new(fleet.Because("guard.treating")) }},
			fleet.Wait, "bridge.no_lifecycle", ""},
		{"… just restarted", []change{ours, lifecycle(11 * m), own(3, 9*m), tried("bridge.restart", 5*m)}, fleet.Wait, "bridge.no_lifecycle.hangs", ""},
	}
	texts := catalog(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in := healthyBridge(20)
			for _, f := range tt.given {
				f(&in)
			}
			d, ws := decide.Bridge(in)
			if d.Verdict != tt.verdict || d.Rule != tt.rule || d.Action != tt.action {
				t.Errorf("got %s, %s, action %q\n%+v", d.Verdict, d.Rule, d.Action, d)
			}
			for _, w := range append(ws, d) {
				sound(t, w)
				said(t, texts, w)
				if w.Target != d.Target && w.Action != "" {
					t.Errorf("%s is treated behind a silent bridge", w.Target)
				}
			}
			weighed(t, texts, d)
		})
	}
}
