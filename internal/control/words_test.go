package control

import (
	"errors"
	"testing"

	"phalops/internal/fleet"
	"phalops/internal/prb"
)

// A pRuntime was asked because its worker was known before; meanwhile the worker may have been deleted, or have moved.
func TestWithWords(t *testing.T) {
	silent := errors.New("silent")
	asked := []*fleet.WorkerStatus{{ID: "a", Endpoint: "http://10.0.0.1:8000"}}
	told := func(endpoint string) []fleet.WorkerStatus { return []fleet.WorkerStatus{{ID: "a", Endpoint: endpoint}} }
	for name, tt := range map[string]struct {
		reading prb.Reading
		workers int
		words   bool
	}{
		"as before":                     {prb.Reading{Workers: told("http://10.0.0.1:8000")}, 1, true},
		"elsewhere now":                 {prb.Reading{Workers: told("http://10.0.0.2:8000")}, 1, false},
		"deleted meanwhile":             {prb.Reading{}, 0, false},
		"the bridge tells no inventory": {prb.Reading{InventoryErr: silent}, 1, true},
		"the monitor is silent":         {prb.Reading{MonitorErr: silent}, 1, true},
	} {
		got := withWords(tt.reading, asked, []*fleet.PruntimeStatus{{PublicKey: "k"}})
		if len(got.Workers) != tt.workers || (tt.workers > 0 && (got.Workers[0].Pruntime != nil) != tt.words) {
			t.Errorf("%s: %+v", name, got.Workers)
		}
	}
}
