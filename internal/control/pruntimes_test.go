package control

import (
	"slices"
	"testing"
	"time"

	"phalops/internal/fleet"
)

// Who is asked beside the bridge: everybody in trouble in turn, a few whose bridge tells nothing, and now and then a sound one.
func TestWitnesses(t *testing.T) {
	now := time.Date(2025, 1, 1, 12, 0, 0, 0, time.UTC)
	worker := func(id string, c fleet.Condition, asked time.Duration) fleet.WorkerStatus {
		w := fleet.WorkerStatus{ID: id, Endpoint: "http://127.0.0.1:8000", Enabled: true, Running: true, Condition: c}
		if asked > 0 {
			w.Pruntime = &fleet.PruntimeStatus{Probe: fleet.Probe{At: now.Add(-asked)}}
		}
		return w
	}
	many := func(n int, c fleet.Condition) (all []fleet.WorkerStatus) {
		for i := range n {
			all = append(all, worker(string(rune('a'+i)), c, time.Duration(1+i)*time.Minute))
		}
		return all
	}
	tests := []struct {
		name   string
		bridge fleet.BridgeStatus
		want   []string
	}{
		{"nobody is there", fleet.BridgeStatus{}, nil},
		{"sound and asked lately", fleet.BridgeStatus{Workers: many(5, fleet.Working)}, nil},
		{"sound and never asked: two at a time", fleet.BridgeStatus{Workers: []fleet.WorkerStatus{
			worker("a", fleet.Working, 2*time.Hour), worker("b", fleet.Working, 0), worker("c", fleet.Syncing, 3*time.Hour)}}, []string{"b", "c"}},
		{"in trouble: eight, the longest unasked first", fleet.BridgeStatus{Workers: many(10, fleet.Failing)},
			[]string{"j", "i", "h", "g", "f", "e", "d", "c"}},
		{"the lifecycle is silent: three that were asked before", fleet.BridgeStatus{Lifecycle: fleet.Probe{Missed: 2}, Workers: []fleet.WorkerStatus{
			worker("a", fleet.Unknown, 0), worker("b", fleet.Unknown, time.Minute), worker("c", fleet.Unknown, time.Minute), worker("d", fleet.Unknown, time.Minute)}},
			[]string{"b", "c", "d"}},
		{"disabled or without an endpoint: never", fleet.BridgeStatus{Workers: []fleet.WorkerStatus{
			{ID: "a", Endpoint: "http://127.0.0.1:8000", Condition: fleet.Disabled}, {ID: "b", Enabled: true, Condition: fleet.Failing}}}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, w := range witnesses(tt.bridge, now) {
				got = append(got, w.ID)
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("asked are %q, want %q", got, tt.want)
			}
		})
	}
}
