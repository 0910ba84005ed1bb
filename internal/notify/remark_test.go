package notify

import (
	"testing"

	"phalops/internal/fleet"
)

// TestATitleNeverSaysHealthy: an incident of what works is about something else, a low disk of a node or suspects that
// share a bridge. What has no page of its own, a site for example, is told in words as well.
func TestATitleNeverSaysHealthy(t *testing.T) {
	for _, c := range []struct {
		target     fleet.Ref
		code, want string
	}{
		{fleet.NodeRef("n"), string(fleet.NodeHealthy), "outlook.remark"},
		{fleet.NodeRef("n"), string(fleet.NodeStalled), "node_condition.Stalled"},
		{fleet.NodeRef("n"), string(fleet.NodeSyncing), "node_condition.Syncing"},
		{fleet.BridgeRef("b"), string(fleet.BridgeHealthy), "outlook.remark"},
		{fleet.BridgeRef("b"), string(fleet.BridgeBlind), "bridge_condition.Blind"},
		{fleet.WorkerRef("b", "w"), string(fleet.Working), "outlook.remark"},
		{fleet.WorkerRef("b", "w"), string(fleet.Failing), "condition.Failed"},
		{fleet.NetworkRef("khala"), string(fleet.NetworkUpgrade), "network_condition.Upgrade"},
		{fleet.StakePoolRef("khala", 83), string(fleet.StakePoolLowGas), "stakepool_condition.LowGas"},
		{fleet.SiteRef("dc1"), string(fleet.ParentSuspect), "parent_condition." + string(fleet.ParentSuspect)},
	} {
		i := fleet.Incident{Target: c.target, Code: c.code}
		if got := title("notify.title.firing", i).Args["condition"]; got != c.want {
			t.Errorf("%s of %s is told as %s, want %s", c.code, c.target, got, c.want)
		}
	}
}
