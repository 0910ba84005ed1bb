package daemon

import (
	"slices"
	"testing"
	"time"

	"phalops/internal/fleet"
	"phalops/internal/store"
)

// The operator's own rule of the documentation: a message that the built-in rules rightly leave alone while the worker
// works is treated once it has lasted as long as the operator says, under the rule's name, and once only.
func TestOwnRuleHeals(t *testing.T) {
	t.Parallel()
	r := newRig(t, `- { at: 45s, fault: worker.message, target: w-07 }`)
	r.cfg = r.parse(`
healing:
  mode: act
  rules:
    - name: mq egress flapping
      when: 'worker.bridge.version == "v2" and worker.message contains "Error while synching mq egress"'
      for: 3m
      do: [restart, alert]
      cooldown: 10m
`)
	d, _ := r.start(r.options())
	r.until("w-07 is treated and its incident closed", 90*time.Second, closed(d, "w-07"))
	if got := r.effects(); !slices.Equal(got, []string{"restart prb-a/w-07"}) {
		t.Errorf("effects: %q, want exactly one restart of w-07", got)
	}
	plans, err := d.Store.Plans(t.Context(), store.PlanFilter{})
	if err != nil || len(plans) != 1 {
		t.Fatalf("%d plans, %v", len(plans), err)
	}
	p := plans[0]
	if p.Author != "rule:user.mq egress flapping" || p.State != fleet.PlanDone || p.Reason.Code != "rule.holds" {
		t.Errorf("%+v", p)
	}
	all, err := incidents(d, store.IncidentFilter{})
	if err != nil || len(all) != 1 {
		t.Fatalf("%d incidents, %v", len(all), err)
	}
	if held := p.Created.Sub(all[0].Opened); held < 3*time.Minute || held > 10*time.Minute {
		t.Errorf("it was treated after %v", held)
	}
	r.noHarm()
}
