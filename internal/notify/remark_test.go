package notify

import (
	"testing"

	"phalops/internal/fleet"
)

// TestATitleNeverSaysHealthy: an incident of a node that works is about something else, a low disk for example.
func TestATitleNeverSaysHealthy(t *testing.T) {
	for want, i := range map[string]fleet.Incident{
		"notify.remark":          {Target: fleet.NodeRef("n"), Code: string(fleet.NodeHealthy)},
		"node_condition.Stalled": {Target: fleet.NodeRef("n"), Code: string(fleet.NodeStalled)},
		"node_condition.Syncing": {Target: fleet.NodeRef("n"), Code: string(fleet.NodeSyncing)},
	} {
		if got := title("notify.title.firing", i).Args["condition"]; got != want {
			t.Errorf("%s is told as %s, want %s", i.Code, got, want)
		}
	}
}
