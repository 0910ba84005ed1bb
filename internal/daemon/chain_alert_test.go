package daemon

import (
	"strings"
	"testing"
	"time"

	"phalops/internal/fleet"
	"phalops/internal/sim/world"
)

// What the chain says of a pool reaches people: the simulated pool's withdrawals are due in two days, which no bridge tells.
func TestTheChainIsTold(t *testing.T) {
	t.Parallel()
	sim, err := StartSim(t.Context(), SimOptions{Seed: 7, Speed: testSpeed, Fleet: world.FleetOptions{Workers: 12}, Scenario: &world.Scenario{}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(sim.Close)
	r := &rig{t: t, sim: sim, dir: t.TempDir()}
	r.cfg = r.parse("\npoll: { chain: 1m }\n")
	d, stop := r.start(r.options())
	defer stop()
	var told fleet.Incident
	r.until("somebody is told of the pool", time.Minute, func() bool {
		for _, i := range d.control.Incidents() {
			if i.Target.Kind() == fleet.KindStakePool && !i.Told.IsZero() {
				told = i
			}
		}
		return told.ID != ""
	})
	if told.Code != string(fleet.StakePoolForceStop) || told.Severity != fleet.Warning || told.Decision.Action != "" || told.Reason.Code != "stakepool.due" {
		t.Errorf("%+v", told)
	}
	if p, known := d.control.Board().Chain("khala"); !known || p.Pool(83) == nil || told.Target != p.Pools[0].Ref {
		t.Errorf("of %s", told.Target)
	}
	if said := strings.Join(r.told(), ""); !strings.Contains(said, "khala/83") {
		t.Errorf("the robot heard %q", said)
	}
	if did := r.effects(); len(did) != 0 {
		t.Errorf("done because of it: %v", did)
	}
}
