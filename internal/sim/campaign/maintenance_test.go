package campaign

import (
	"slices"
	"testing"
	"time"

	"phalops/internal/fleet"
	"phalops/internal/sim/world"
)

// A window that a person opens holds a daemon that runs, and one that starts meanwhile; when it is closed, early or by its
// end, what is still bad is healed.
func TestAPersonsMaintenance(t *testing.T) {
	t.Parallel()
	for name, early := range map[string]bool{"closed early": true, "ends": false} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, everySort, "")
			r.pass(5 * time.Minute)
			window := fleet.Maintenance{ID: "w", Author: "user:li", Began: r.Now(), Ends: r.Now().Add(3 * time.Hour)}
			save := func() {
				if err := r.Store.SaveMaintenance(t.Context(), []fleet.Maintenance{window}); err != nil {
					t.Fatal(err)
				}
			}
			save()
			r.pass(2 * time.Second)
			if err := r.World.Apply(world.Scenario{Faults: []world.Fault{{Kind: world.WorkerError, Target: "w-03", Text: "timeout"}, {Kind: world.NodeStall, Target: "node-1"}}}); err != nil {
				t.Fatal(err)
			}
			r.pass(time.Hour)
			r.daemon.Kill()
			r.daemon = r.start(DaemonOptions{})
			r.pass(time.Hour)
			r.nothingDone()
			if early {
				window.Ends = r.Now()
				save()
			} else {
				r.pass(50 * time.Minute)
				r.nothingDone()
			}
			r.until("the node is healed", 3*time.Hour, closed(r, "node-1"))
			r.until("w-03 is well", time.Hour, func() bool {
				return !slices.ContainsFunc(r.incidents(), func(i fleet.Incident) bool { return i.Title == "w-03" && i.Open() })
			})
			r.calm(40)
		})
	}
}
