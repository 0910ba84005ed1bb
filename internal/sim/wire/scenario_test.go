package wire

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"phalops/internal/fleet"
	"phalops/internal/sim/world"
)

func TestDefaultScenarioStrikesTheDefaultFleet(t *testing.T) {
	w := world.New(epoch, 1)
	world.DefaultFleet(w, world.FleetOptions{})
	if err := w.Apply(DefaultScenario()); err != nil {
		t.Fatal(err)
	}
	w.Advance(epoch.Add(time.Hour))
	faults := DefaultScenario().Faults
	if len(w.Faults()) != len(faults) {
		t.Errorf("%d faults struck, want each of the %d strike one target: %v", len(w.Faults()), len(faults), w.Faults())
	}
	for _, f := range w.Faults() {
		if f.Target == "" {
			t.Errorf("%s after %v struck nobody", f.Kind, f.At.Sub(epoch))
		}
	}
	// The demo shows a worker and a node that need a restart, and something that had better be left alone.
	for _, kind := range []string{world.WorkerError, world.WorkerFreeze, world.NodeStall, world.WorkerPause} {
		if !slices.ContainsFunc(faults, func(f world.Fault) bool { return f.Kind == kind }) {
			t.Errorf("no %s in the demo", kind)
		}
	}
	for _, kind := range world.FaultKinds() {
		if !strings.Contains(DefaultScenarioYAML(), kind) {
			t.Errorf("%s is not documented", kind)
		}
	}
}

func TestParseScenario(t *testing.T) {
	s, err := ParseScenario([]byte(`
- at: 1m30s
  fault: node.stall
  target: node-*
  chain: relay
  for: 5m
  cured_by: nothing
- { fault: bridge.slow, target: prb-a, delay: 2s }
- { fault: worker.error, target: 7, text: 500 }
`))
	want := []world.Fault{
		{At: 90 * time.Second, Kind: world.NodeStall, Target: "node-*", Chain: "relay", For: 5 * time.Minute, CuredBy: world.CuredByNothing},
		{Kind: world.BridgeSlow, Target: "prb-a", Delay: 2 * time.Second},
		{Kind: world.WorkerError, Target: "7", Text: "500"},
	}
	if err != nil || !reflect.DeepEqual(s.Faults, want) {
		t.Errorf("%+v, %v", s.Faults, err)
	}
}

func TestParseScenarioSaysEverythingThatIsWrong(t *testing.T) {
	for text, want := range map[string][]string{
		"":               {"sim.scenario_syntax"},
		"- [":            {"sim.scenario_syntax"},
		"at: 1m":         {"sim.scenario_no_list line=1"},
		"- worker.error": {"sim.scenario_no_fault line=1"},
		"- {fault: worker.error, target: a, target: b}": {"sim.scenario_twice key=target line=1"},
		"- {fault: [a], target: ~}":                     {"sim.scenario_value key=fault line=1", "sim.scenario_value key=target line=1"},
		"- {fault: node.stall, target: a, at: soon}\n- {fault: node.stall, target: a, cure: tea}": {
			"sim.scenario_duration key=at line=1 value=soon", "sim.scenario_unknown_key key=cure keys="},
		"\n- {fault: worker.sneeze, target: a}": {"sim.scenario_fault fault=worker.sneeze faults="},
		"- {fault: node.stall, target: ''}":     {"sim.scenario_fault fault=node.stall line=1 target= why=sim.fault_target"},
	} {
		_, err := ParseScenario([]byte(text))
		var got []string
		for _, e := range flatten(err) {
			if fleet.KindOf(e) != fleet.Invalid {
				t.Errorf("%q: %v is of kind %s", text, e, fleet.KindOf(e))
			}
			got = append(got, fleet.ReasonOf(e).String())
		}
		if len(got) != len(want) {
			t.Errorf("%q: %d problems %v, want %d", text, len(got), got, len(want))
			continue
		}
		for i := range want {
			if !strings.HasPrefix(got[i], want[i]) {
				t.Errorf("%q: %s, want %s", text, got[i], want[i])
			}
		}
	}
}

// flatten are the errors that errors.Join has joined.
func flatten(err error) []error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var all []error
		for _, e := range joined.Unwrap() {
			all = append(all, flatten(e)...)
		}
		return all
	}
	return []error{err}
}

func FuzzParseScenario(f *testing.F) {
	for _, s := range []string{defaultScenario, "", "-", "- {}", "- {at: 1h, fault: worker.error, target: 'random:3', for: -1s}", "- &a {fault: *a}", "- {<<: {at: 1s}, fault: x}"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := ParseScenario(text)
		if err != nil {
			if _, ok := errors.AsType[*fleet.Error](err); !ok {
				t.Fatalf("an error without a reason: %v", err)
			}
			return
		}
		w := world.New(epoch, 1) // what is accepted can be applied
		if err := w.Apply(s); err != nil {
			t.Fatal(err)
		}
	})
}
