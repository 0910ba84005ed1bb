package world

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestWhateverHappensToV3: nobody is fed twice for long, nothing panics, and a restart of wm, with all troubles gone, makes
// every worker work again.
func TestWhateverHappensToV3(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := New(epoch, rapid.Uint64().Draw(t, "seed"))
		DefaultFleet(w, FleetOptions{Workers: 1, V3Workers: 3, V30: rapid.Bool().Draw(t, "v3.0")})
		var s Scenario
		for range rapid.IntRange(0, 5).Draw(t, "faults") {
			f := anyFault(t)
			if f.Kind == WorkerDeadEnd {
				f.Text = rapid.SampledFrom([]string{DeadEndLate, DeadEndRestarted, DeadEndSync}).Draw(t, "dead end")
			}
			s.Faults = append(s.Faults, f)
		}
		if err := w.Apply(s); err != nil {
			t.Fatal(err)
		}
		h, b := w.Host("node-1"), w.V3Bridge("prb-v3")
		for range rapid.IntRange(1, 20).Draw(t, "steps") {
			for range rapid.IntRange(0, 120).Draw(t, "s") {
				pass(w, time.Second)
			}
			name := rapid.SampledFrom([]string{"phala-node", "prb3_wm_1", "prb3_headers-cache_1"}).Draw(t, "container")
			row := b.rows[rapid.IntRange(0, 2).Draw(t, "worker")]
			switch rapid.SampledFrom([]string{"restart", "stop", "start", "worker", "register", "switch", "reload"}).Draw(t, "what") {
			case "restart":
				_ = h.Restart(name, time.Minute)
			case "stop":
				_ = h.Stop(name, 5*time.Second)
			case "start":
				_ = h.Start(name)
			case "worker":
				_ = b.Act(V3Restart, []string{row.ID})
			case "register":
				_ = b.Act(V3ForceRegister, []string{row.ID})
			case "switch":
				row.Enabled = !row.Enabled
				_, _ = b.UpdateWorker(row, "")
			case "reload":
				if b.Listening() {
					b.Reload()
				}
			}
			for _, p := range w.Pruntimes() {
				if p.Feeders() > 1 {
					t.Fatalf("%d feeders of %s", p.Feeders(), p.Endpoint)
				}
			}
			b.Workers()
		}
		for range 4000 { // every For has passed
			pass(w, time.Second)
		}
		h.DiskFull, w.Node("node-1").trouble, b.trouble, b.Cache.trouble = false, nil, nil, nil
		for _, p := range w.Pruntimes() {
			p.trouble = nil
		}
		for i := range b.rows {
			b.rows[i].Enabled = true
		}
		for _, name := range []string{"phala-node", "prb3_headers-cache_1", "prb3_wm_1"} {
			_ = h.Restart(name, time.Minute)
		}
		for range 900 {
			pass(w, time.Second)
		}
		if n := len(b.Workers()); n != 3 {
			t.Fatalf("%d workers", n)
		}
		for _, c := range b.contexts {
			if state, text := c.State(); state != V3Working || c.rt.Lag() > 8 && len(s.Faults) > 0 {
				t.Fatalf("%s: %s %s, %d behind", c.Row.Name, state, text, c.rt.Lag())
			}
		}
	})
}
