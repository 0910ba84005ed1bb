package cli

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"phalops/internal/fleet"
	"phalops/internal/i18n"
	"phalops/internal/view"
)

// observed is an incident of worker n that would have been acted upon so long ago, by a rule, and lasted so long; 0: it is open.
func observed(n int, rule string, ago, lasted time.Duration) (fleet.Incident, fleet.Event) {
	target := fleet.WorkerRef("prb-a", fmt.Sprint("watched-", n))
	d := fleet.Decision{Target: target, At: before(ago), Rule: rule, Verdict: fleet.WouldAct, Action: "worker.restart", Severity: fleet.Info, Reason: fleet.Because("worker.error.timeout", "for", time.Minute)}
	i := fleet.Incident{ID: fmt.Sprintf("0watched%04d", n), Target: target, Title: fmt.Sprint("w-", n), Site: "dc1", Code: "Failed", Opened: before(ago + time.Minute), WouldAct: before(ago),
		Decision: fleet.Decision{Target: target, Rule: "v2.active"}}
	if lasted > 0 {
		i.Closed = before(ago - lasted)
	}
	return i, fleet.Event{At: before(ago), Kind: fleet.EventDecision, Author: "rule:" + rule, Target: target, Incident: i.ID, Reason: d.Reason, Decision: &d}
}

// TestReport: three of one rule recovered by themselves, one was treated by a person, one of another rule still lasts; what
// is older than asked for, and what was never up to be acted upon, does not count.
func TestReport(t *testing.T) {
	f := newFixture(t)
	const timeout, frozen = "v2.error.timeout", "v2.active.frozen"
	for n, x := range []struct {
		rule        string
		ago, lasted time.Duration
	}{
		{timeout, 20 * time.Hour, 2 * time.Minute}, {timeout, 19 * time.Hour, 4 * time.Minute}, {timeout, 18 * time.Hour, 30 * time.Minute},
		{timeout, 5 * time.Hour, time.Hour}, {frozen, 2 * time.Hour, 0}, {frozen, 60 * time.Hour, time.Hour},
	} {
		i, e := observed(n, x.rule, x.ago, x.lasted)
		if err := f.store.SaveIncident(t.Context(), i, e); err != nil {
			t.Fatal(err)
		}
		if n == 3 {
			if err := f.store.CreatePlan(t.Context(), fleet.Plan{ID: "by-hand", Kind: "worker.restart", Site: "dc1", Targets: []fleet.Ref{i.Target}, Locks: []fleet.Ref{i.Target},
				Author: "user:li", State: fleet.PlanRunning, Created: before(x.ago - 10*time.Minute),
				Steps: []fleet.Step{{Name: "restart", Op: "worker.restart", Target: i.Target, State: fleet.StepPlanned}}}); err != nil {
				t.Fatal(err)
			}
		}
	}
	args := []string{"incident", "report", "--since", "48h"}
	for _, lang := range i18n.Langs() {
		r := f.run(t, lang, args...)
		golden(t, lang, "incident_report", r.out+"--- stderr\n"+r.err)
	}
	var got view.Report
	if err := json.Unmarshal([]byte(f.run(t, i18n.EN, append(args, "-o", "json")...).out), &got); err != nil {
		t.Fatal(err)
	}
	if got.Would != 5 || got.Alone != 3 || got.Treated != 1 || got.Open != 1 || len(got.Rules) != 2 || got.Rules[0].Rule != timeout || got.Rules[0].Median != 240 {
		t.Errorf("%+v", got)
	}
	golden(t, i18n.EN, "incident_report_none", f.run(t, i18n.EN, "incident", "report", "--since", "1h").out)
}
