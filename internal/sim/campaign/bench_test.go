package campaign

import (
	"testing"
	"time"

	"phalops/internal/sim/world"
)

// BenchmarkCampaign lets controllers look after 1,000 workers on 10 bridges. The target of 30 days within 60 s is 12
// virtual hours a second.
func BenchmarkCampaign(b *testing.B) {
	w := world.New(start, 7)
	world.DefaultFleet(w, world.FleetOptions{Workers: 100, Bridges: 10, Pools: 2})
	s, err := New(Options{World: w})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	if _, err := s.Start(b.Context(), DaemonOptions{}); err != nil {
		b.Fatal(err)
	}
	if err := s.Run(b.Context(), time.Minute); err != nil {
		b.Fatal(err)
	}
	hours := 0.0
	for b.Loop() {
		if err := s.Run(b.Context(), 10*time.Minute); err != nil {
			b.Fatal(err)
		}
		hours += 1.0 / 6
	}
	b.ReportMetric(hours/b.Elapsed().Seconds(), "virtual-h/s")
	b.ReportMetric(30*24/60, "target-virtual-h/s")
}
