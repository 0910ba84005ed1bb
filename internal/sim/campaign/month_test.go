package campaign

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"phalops/internal/fleet"
	"phalops/internal/sim/world"
)

const small = `
name: small
faults:
  - { fault: worker.error, target: 'prb-0[1-3]/*', every: 24h, source: test }
  - { fault: worker.pause, every: 48h, for: 3m, source: test }
  - { fault: node.stall, target: node-1, at: [2h], source: test }
`

func month1(t *testing.T, p Policy, scenario string) []byte {
	t.Helper()
	s, err := ParseScenario([]byte(scenario))
	if err != nil {
		t.Fatal(err)
	}
	r, err := Month(t.Context(), MonthOptions{Policy: p, Days: 1, Workers: 20, Seed: 3, Scenario: s})
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetIndent("", "  ")
	if err := e.Encode(r); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func decoded(t *testing.T, text []byte) (r Result) {
	t.Helper()
	if err := json.Unmarshal(text, &r); err != nil {
		t.Fatal(err)
	}
	return r
}

// TestMonth: the same day has the same bytes every time; looking after a fleet loses less than leaving it alone, and nobody beats the
// floor, which is the same for all.
func TestMonth(t *testing.T) {
	t.Parallel()
	text := month1(t, PolicyPhalops, small)
	if again := month1(t, PolicyPhalops, small); !bytes.Equal(text, again) {
		t.Errorf("the same day differs:\n%s\n%s", text, again)
	}
	ours, none := decoded(t, text), decoded(t, month1(t, PolicyNone, small))
	switch {
	case ours.Floor != none.Floor || ours.Faults != none.Faults:
		t.Errorf("floor %v and %v, faults %d and %d", ours.Floor, none.Floor, ours.Faults, none.Faults)
	case ours.Floor <= 0 || ours.Lost.Total < ours.Floor || none.Lost.Total < 10*ours.Lost.Total:
		t.Errorf("lost %v, by nobody %v, floor %v", ours.Lost, none.Lost, ours.Floor)
	case none.Lost.Uncured+none.Lost.SelfInflicted != 0 || none.Actions+none.Alerts != 0:
		t.Errorf("nobody knows and nobody acts: %+v", none)
	case ours.Needless+ours.Harmful != 0 || ours.Actions == 0 || ours.Alerts == 0:
		t.Errorf("actions %d, needless %d, harmful %d, alerts %d", ours.Actions, ours.Needless, ours.Harmful, ours.Alerts)
	}
	if n := ours.ByFault[world.NodeStall]; n.Faults != 1 || n.Outages < 6 || n.TTR.P50 < 120 || n.Lost.Undetected == 0 {
		t.Errorf("node.stall: %+v", n)
	}
}

// TestFloor: who knows everything has whatever fell over running again within minutes, and every outage has its cause.
func TestFloor(t *testing.T) {
	t.Parallel()
	s, err := ParseScenario([]byte(`
name: falls
faults:
  - { fault: node.crash, target: node-3, at: [20h], source: test }
  - { fault: lifecycle.crash, at: [21h], source: test }
  - { fault: node.stall, target: node-2, at: [22h], source: test }
  - { fault: peer.frozen, at: [19h], source: test }
`))
	if err != nil {
		t.Fatal(err)
	}
	floor, err := live(t.Context(), MonthOptions{Days: 1, Workers: 40, Seed: 3, Scenario: s}, policyFloor)
	if err != nil {
		t.Fatal(err)
	}
	if len(floor.outages) < 20 {
		t.Errorf("%d outages", len(floor.outages))
	}
	for _, o := range floor.outages {
		if o.Lasted() > 5*time.Minute || o.Cause == unexplained || o.SelfInflicted {
			t.Errorf("%+v", o)
		}
	}
}

// TestLuckIsEachTargetsOwn: a row more, or a target more, changes nothing for the others.
func TestLuckIsEachTargetsOwn(t *testing.T) {
	t.Parallel()
	draw := func(workers int, more string) []string {
		w := world.New(began, 3)
		world.MonthFleet(w, workers)
		s, err := ParseScenario([]byte(small + more))
		if err != nil {
			t.Fatal(err)
		}
		var all []string
		for _, f := range s.Draw(w, 48*time.Hour).Faults {
			if f.Kind == world.WorkerPause && strings.HasPrefix(f.Target, "prb-01/") {
				all = append(all, f.At.String()+" "+f.Target)
			}
		}
		return all
	}
	few := draw(20, "")
	many := draw(30, "  - { fault: worker.freeze, every: 3h, source: test }")
	many = slices.DeleteFunc(many, func(s string) bool { return strings.HasSuffix(s, "w-0021") })
	if len(few) == 0 || !slices.Equal(few, many) {
		t.Errorf("%q\n%q", few, many)
	}
}

func TestDefaultScenario(t *testing.T) {
	t.Parallel()
	s := DefaultScenario()
	w := world.New(began, 1)
	world.MonthFleet(w, 1000)
	for _, r := range s.Rows {
		if len(w.Targets(r.Fault.Kind)) == 0 {
			t.Errorf("%s strikes nobody", r.Fault.Kind)
		}
	}
	if perDay := len(s.Draw(w, 30*24*time.Hour).Faults) / 30; perDay < 150 || perDay > 200 {
		t.Errorf("%d faults a day", perDay)
	}
}

func TestScenarioIsRefused(t *testing.T) {
	t.Parallel()
	for text, code := range map[string]string{
		"name: x\nfaults: [{ fault: worker.error, every: 2h, sorce: x }]": "campaign.scenario_syntax",
		"name: x": "campaign.scenario_empty",
		"name: x\nfaults: [{ fault: worker.error, source: x }]":                                "campaign.scenario_when",
		"name: x\nfaults: [{ fault: worker.error, every: 2h, at: [1h], source: x }]":           "campaign.scenario_when",
		"name: x\nfaults: [{ fault: worker.error, every: 1s, source: x }]":                     "campaign.scenario_when",
		"name: x\nfaults: [{ fault: worker.error, every: 2h }]":                                "campaign.scenario_source",
		"name: x\nfaults: [{ fault: worker.eror, every: 2h, source: x }]":                      "sim.fault_unknown",
		"name: x\nfaults: [{ fault: worker.error, target: 'random:3', every: 2h, source: x }]": "campaign.scenario_random",
	} {
		_, err := ParseScenario([]byte(text))
		var e *fleet.Error
		if !errors.As(err, &e) || e.Reason.Code != code {
			t.Errorf("%s: %v, want %s", text, err, code)
		}
	}
}
