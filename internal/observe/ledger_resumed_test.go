package observe

import (
	"testing"
	"time"

	"phalops/internal/fleet"
)

// When everybody's rewards grow again after a pause, that moment is kept: nobody is blamed for not having earned before it.
func TestRewardsResume(t *testing.T) {
	start := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	var h LedgerHistory
	for i, step := range []struct {
		after   time.Duration
		reward  uint64
		moved   time.Duration
		resumed time.Duration // -1: never
	}{
		{0, 100, 0, -1},
		{5 * time.Minute, 101, 5 * time.Minute, -1},
		{10 * time.Minute, 101, 5 * time.Minute, -1},
		{64 * time.Minute, 102, 64 * time.Minute, -1},
		{2 * time.Hour, 102, 64 * time.Minute, -1},
		{3 * time.Hour, 103, 3 * time.Hour, 3 * time.Hour},
		{3*time.Hour + 5*time.Minute, 104, 3*time.Hour + 5*time.Minute, 3 * time.Hour},
	} {
		now := start.Add(step.after)
		r := LedgerReading{View: fleet.ChainView{Ref: "network/khala", Genesis: "0x01", Height: uint64(100 + i), Time: now}}
		r.View.Totals.Reward = fleet.PHA(step.reward)
		if _, err := h.Add(r, now); err != nil {
			t.Fatal(err)
		}
		got := h.View.Totals
		if !got.RewardMoved.Equal(start.Add(step.moved)) {
			t.Errorf("after %v the rewards moved at %v", step.after, got.RewardMoved.Sub(start))
		}
		if step.resumed < 0 != got.RewardResumed.IsZero() || step.resumed >= 0 && !got.RewardResumed.Equal(start.Add(step.resumed)) {
			t.Errorf("after %v they resumed at %v", step.after, got.RewardResumed)
		}
	}
}
