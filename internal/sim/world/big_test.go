package world

import (
	"testing"
	"time"
)

// A fleet as big as the biggest ones is made in seconds, and all of it works.
func TestManyBridges(t *testing.T) {
	w := New(time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC), 1)
	DefaultFleet(w, FleetOptions{Workers: 20, Bridges: 10})
	if got := len(w.Bridges()); got != 10 {
		t.Fatalf("%d bridges", got)
	}
	seen := map[string]bool{}
	for _, b := range w.Bridges() {
		for _, x := range b.Workers() {
			if seen[x.Endpoint] {
				t.Errorf("two workers at %s", x.Endpoint)
			}
			seen[x.Endpoint] = true
		}
	}
	if len(seen) != 200 {
		t.Errorf("%d endpoints, want 200", len(seen))
	}
}
