package daemon

import (
	"encoding/hex"
	"testing"
	"time"

	"phalops/internal/fleet"
	"phalops/internal/sim/world"
)

// A daemon reads the chain of its network, of either era, and knows of it what the world put there: about everybody together, and about
// its own pools and workers one by one. Another daemon goes on where the first one ended.
func TestTheChainIsRead(t *testing.T) {
	t.Parallel()
	for _, era := range []world.Era{world.EraV1, world.EraV2} {
		t.Run(string(era), func(t *testing.T) {
			t.Parallel()
			const workers, crowd = 12, 150
			sim, err := StartSim(t.Context(), SimOptions{Seed: 7, Speed: testSpeed, Fleet: world.FleetOptions{Workers: workers, Era: era, Crowd: crowd}, Scenario: &world.Scenario{}})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(sim.Close)
			r := &rig{t: t, sim: sim, dir: t.TempDir()}
			r.cfg = r.parse("\npoll: { chain: 1m }\n")
			d, stop := r.start(r.options())
			var v fleet.ChainView
			read := func(d *Daemon) func() bool {
				return func() bool {
					v, _ = d.control.Board().Chain("khala")
					return v.Fresh() && v.Totals.DailyFor >= 2*time.Minute && len(v.Workers) == workers
				}
			}
			r.until("the chain is read several times", time.Minute, read(d))
			r.asInTheWorld(v, workers+crowd)
			stop()
			first := v

			again, stop := r.start(r.options())
			defer stop()
			r.until("the next daemon reads it too", time.Minute, func() bool { return read(again)() && v.Height > first.Height })
			if !v.Watched.Equal(first.Watched) || v.Totals.Earned.Cmp(first.Totals.Earned) <= 0 || v.Totals.DailyFor <= first.Totals.DailyFor {
				t.Errorf("it began anew: watched since %v, earned %s for %v; before: %v, %s for %v", v.Watched, v.Totals.Earned.PHA(), v.Totals.DailyFor,
					first.Watched, first.Totals.Earned.PHA(), first.Totals.DailyFor)
			}
		})
	}
}

// asInTheWorld compares a view with what the world says was on the chain then.
func (r *rig) asInTheWorld(v fleet.ChainView, everybody int) {
	r.t.Helper()
	var truth *world.ChainState
	r.world(func(w *world.World) {
		n := w.Networks()[0]
		truth = w.Phala(n, int64(v.Height))
		if v.Era != string(n.Era) {
			r.t.Errorf("era %s of %s", v.Era, n.Era)
		}
	})
	if !v.Time.Equal(truth.At.Truncate(time.Millisecond)) || !v.Whole || v.Totals.Workers != everybody || v.Totals.Ve == "" || v.Totals.Daily.IsZero() {
		r.t.Errorf("%s, want %s: %+v", v.Time, truth.At, v.Totals)
	}
	if len(v.Pools) != len(truth.Pools) {
		r.t.Fatalf("%d pools, want %d", len(v.Pools), len(truth.Pools))
	}
	for _, p := range truth.Pools {
		got := v.Pool(p.PID)
		if got == nil || got.Free != fleet.NewAmount(p.Free) || got.Used != fleet.NewAmount(p.Used) || got.Releasing != fleet.NewAmount(p.Releasing) ||
			got.OwnerGas != fleet.NewAmount(p.Gas) || got.OwnerReward != fleet.NewAmount(p.OwnerReward) || got.Commission != p.Commission ||
			len(got.Queue) != len(p.Queue) || got.Daily.IsZero() {
			r.t.Errorf("pool %d: %+v, want %+v", p.PID, got, p)
		}
	}
	for _, w := range truth.Workers {
		got := v.Worker(hex.EncodeToString(w.PublicKey[:]))
		if got == nil || !got.Registered || got.PID != w.Mined.PID || got.Stake != fleet.NewAmount(w.Mined.Stake) || got.StateSince.IsZero() || got.Daily.IsZero() {
			r.t.Errorf("worker %x: %+v, want %+v", w.PublicKey, got, w.Mined)
		}
	}
}
