package decide_test

import (
	"testing"
	"time"

	"phalops/internal/decide"
	"phalops/internal/fleet"
)

func TestNodeCuredForCertain(t *testing.T) {
	was := fleet.Decision{Target: nodeA, Condition: "Stalled", Rule: "node.alone", Since: ago(20 * m)}
	stood := func(c *fleet.ChainStatus) { c.Finalized = at(2_999_000, 40*m) }
	for _, tt := range []struct {
		name  string
		was   fleet.Decision
		given change
		want  bool
	}{
		{"both chains move", was, func(*decide.NodeInput) {}, true},
		{"nothing known", was, func(in *decide.NodeInput) { in.Status.Condition = fleet.NodeUnknown }, false},
		{"one chain has not moved since", was, func(in *decide.NodeInput) { in.Status.Relay = chain(15_000_000, 25*m) }, false},
		{"it moved once, and not lately", was, func(in *decide.NodeInput) { in.Status.Relay = chain(15_000_000, 3*m) }, false},
		{"its heights jump", was, para(func(c *fleet.ChainStatus) { c.Falls, c.FellAt = 3, ago(time.Minute) }), false},
		{"nothing final for long was another trouble", was, para(stood), true},
		{"nothing final yet", fleet.Decision{Rule: "node.finality.own", Since: ago(20 * m)}, para(stood), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in := healthyNode()
			tt.given(&in)
			if got := decide.NodeCured(tt.was, in.Status, defaults, now); got != tt.want {
				t.Errorf("cured = %v", got)
			}
		})
	}
}
