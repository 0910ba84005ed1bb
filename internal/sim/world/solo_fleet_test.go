package world

import (
	"testing"
	"time"
)

// TestSoloFleet: workers without a bridge are in step from the beginning, each fed by its own pherry on its own host.
func TestSoloFleet(t *testing.T) {
	w := New(time.Unix(1_650_000_000, 0), 1)
	DefaultFleet(w, FleetOptions{Workers: 1, Solo: 3})
	before := map[string]int64{}
	for _, p := range w.Pherries() {
		if h := w.Host(p.Name); p.Host != p.Name || h == nil || !h.Container("phala-pherry").Running() {
			t.Errorf("%s has no pherry that runs on its host", p.Name)
		}
		rt := w.Pruntime(p.Pruntime)
		if !p.Feeding() || rt.Feeders() != 1 || rt.Lag() > 10 {
			t.Errorf("%s: feeding %v, %d feeders, lag %d", p.Name, p.Feeding(), rt.Feeders(), rt.Lag())
		}
		before[p.Name], _ = rt.Heights()
	}
	if len(before) != 3 {
		t.Fatalf("%d solo workers", len(before))
	}
	w.Advance(w.Now().Add(5 * time.Minute))
	for _, p := range w.Pherries() {
		if now, _ := w.Pruntime(p.Pruntime).Heights(); now <= before[p.Name] {
			t.Errorf("%s stands still at %d", p.Name, now)
		}
	}
	if harm := w.Harm(); len(harm) > 0 {
		t.Errorf("harm: %+v", harm)
	}
}
