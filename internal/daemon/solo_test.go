package daemon

import (
	"testing"
	"time"

	"phalops/internal/fleet"
	"phalops/internal/prb"
	"phalops/internal/sim/world"
)

func TestSoloWorker(t *testing.T) {
	t.Parallel()
	r := newWholeRig(t, 73)
	s, err := r.clients(r.cfg).Bridge("solo-01")
	if err != nil {
		t.Fatal(err)
	}
	w := only(t, s.Read(t.Context()))
	if w.ID != "solo-01" || w.Name != "solo-01" || !w.Running || !w.Enabled || w.PublicKey == "" || w.Initialized == nil || !*w.Initialized ||
		w.Registered == nil || !*w.Registered || !w.Para.Known || !w.Relay.Known || w.Pruntime == nil {
		t.Errorf("a worker that works: %+v", w)
	}
	if all, err := s.States(t.Context()); err != nil || len(all) != 1 || all[0].ID != "solo-01" {
		t.Errorf("states: %+v, %v", all, err)
	}
	if none, err := s.States(t.Context(), "solo-02"); err != nil || len(none) != 0 {
		t.Errorf("states of another: %+v, %v", none, err)
	}
	err = s.RestartWorker(t.Context(), "solo-01")
	if why := fleet.ReasonOf(err); fleet.KindOf(err) != fleet.Refused || why.Code != "daemon.solo_restart" || why.Args["plan"] != "bridge.restart" {
		t.Errorf("restart: %v", err)
	}

	r.world(func(w *world.World) {
		if err := w.Apply(world.Scenario{Faults: []world.Fault{{Kind: world.PruntimeDown, Target: "solo-01"}}}); err != nil {
			t.Error(err)
		}
	})
	// The worker is still there, and its silence has a cause; nobody else is to blame.
	r.until("the pRuntime refuses connections", 10*time.Second, func() bool {
		w := only(t, s.Read(t.Context()))
		return !w.Running && w.ID == "solo-01" && w.Pruntime != nil && w.Pruntime.Cause.Code == "wire.refused"
	})
	if _, err := s.States(t.Context(), "solo-01"); fleet.ReasonOf(err).Code != "wire.refused" {
		t.Errorf("states of a pRuntime that is down: %v", err)
	}
}

// only is the one worker of a reading without errors.
func only(t *testing.T, r prb.Reading) fleet.WorkerStatus {
	t.Helper()
	if r.MonitorErr != nil || r.InventoryErr != nil || r.StatesErr != nil || len(r.Workers) != 1 {
		t.Fatalf("%+v", r)
	}
	return r.Workers[0]
}
