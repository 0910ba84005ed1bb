package daemon

import (
	"testing"
	"time"

	"phalops/internal/fleet"
	"phalops/internal/store"
)

// TestLostIdentity: a pRuntime comes back with another key. Its worker is disabled at the bridge, nothing else is done to it,
// and a person is told for as long as nobody enables it again.
func TestLostIdentity(t *testing.T) {
	t.Parallel()
	r := newRig(t, `- { at: 4m, fault: identity.lost, target: w-07 }`) // late enough for its first key to be seen on a busy machine
	d, _ := r.start(r.options())
	r.until("it is disabled", 60*time.Second, func() bool {
		plans, err := d.Store.Plans(t.Context(), store.PlanFilter{})
		return err == nil && len(plans) == 1 && plans[0].Kind == "worker.disable" && plans[0].State == fleet.PlanDone
	})
	r.until("a person is told", 60*time.Second, func() bool {
		all, err := incidents(d, store.IncidentFilter{Open: true})
		return err == nil && len(all) == 1 && all[0].Severity == fleet.Critical && all[0].Decision.Verdict == fleet.Person &&
			all[0].Decision.Rule == "v2.identity_changed"
	})
	if plans, err := d.Store.Plans(t.Context(), store.PlanFilter{}); err != nil || len(plans) != 1 {
		t.Errorf("more was done to it: %+v, %v", plans, err)
	}
}
