package control

import (
	"testing"

	"phalops/internal/config"
	"phalops/internal/fleet"
)

// A rule is compiled once for all beats, and anew when its condition changes; one that goes wrong is told once.
func TestRulebook(t *testing.T) {
	var book rulebook
	slow := config.Rule{Name: "slow", When: "worker.lag > 5", Do: []string{"alert"}}
	first, again := book.of([]config.Rule{slow}), book.of([]config.Rule{slow})
	if len(first) != 1 || len(again) != 1 || first[0].When != again[0].When || first[0].Name != "slow" {
		t.Fatalf("%+v\n%+v", first, again)
	}
	slow.When = "worker.lag > 50"
	if changed := book.of([]config.Rule{slow, {Name: "broken", When: "worker.lga > 5"}}); len(changed) != 1 || changed[0].When.String() != "worker.lag > 50" {
		t.Fatalf("%+v", changed)
	}
	if book.of(nil) != nil {
		t.Error("rules out of nothing")
	}

	wrong := fleet.Decision{Target: "worker/prb-b/1", Holds: []fleet.Hold{
		{Rule: "user.a", When: "x", Why: fleet.Because("rule.no_answer", "detail", "int(w-1)")},
		{Rule: "user.b", When: "y", Why: fleet.Because("rule.unknown", "field", "worker.lag")},
	}}
	other := wrong
	other.Target = "worker/prb-b/2"
	told := book.broken([]fleet.Decision{wrong, other})
	if len(told) != 1 || told[0].Author != "rule:user.a" || told[0].Target != wrong.Target || told[0].Reason.Code != "rule.no_answer" {
		t.Errorf("told %+v", told)
	}
	if told = book.broken([]fleet.Decision{other}); len(told) != 0 {
		t.Errorf("told twice: %+v", told)
	}
	wrong.Holds[0].When = "z"
	if told = book.broken([]fleet.Decision{wrong}); len(told) != 1 {
		t.Errorf("another condition is another rule: %+v", told)
	}
}
