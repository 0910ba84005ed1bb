package campaign

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"phalops/internal/sim/world"
	"phalops/internal/store"
)

// faultsThatEnd are what a scenario is made of. What only a person mends is not among them.
var faultsThatEnd = []string{
	world.ChainHalt, world.NodeStall, world.NodeStallImport, world.NodePeersLost, world.NodeRPCDown, world.NodeHang, world.NodeCrash,
	world.RPCGarbage, world.RPCError, world.RPCLie, world.ProviderStall, world.ProviderCrash, world.LifecycleCrash, world.PeerFrozen,
	world.MonitorHang, world.BridgeSlow, world.WorkerError, world.WorkerFreeze, world.WorkerPause, world.WorkerStarting, world.WorkerMessage,
	world.PruntimeDown, world.PruntimeHang, world.HostSilent, world.RobotFails, world.SegmentLoss, world.PowerCut, world.CacheStale,
}

func drawFault(t *rapid.T, n int) world.Fault {
	label := fmt.Sprintf("%d ", n)
	f := world.Fault{
		Kind:   rapid.SampledFrom(faultsThatEnd).Draw(t, label+"kind"),
		Target: rapid.SampledFrom([]string{"*", "random:1", "random:2", "prb-a/*", "*1"}).Draw(t, label+"target"),
		At:     time.Duration(rapid.IntRange(1, 60).Draw(t, label+"at")) * time.Minute,
	}
	crash := slices.Contains([]string{world.NodeCrash, world.ProviderCrash, world.LifecycleCrash}, f.Kind)
	if !crash {
		f.For = time.Duration(rapid.IntRange(1, 45).Draw(t, label+"for")) * time.Minute
	}
	if f.Kind == world.BridgeSlow {
		f.Delay = time.Duration(rapid.IntRange(1, 100).Draw(t, label+"delay")) * time.Second
	}
	if f.Kind == world.WorkerError {
		f.Text = rapid.SampledFrom([]string{"timeout", "refused", "txtimeout", "500"}).Draw(t, label+"text")
	}
	return f
}

// Whatever goes wrong, in whatever order: nobody is fed twice or treated more often than allowed, a plan never works on what
// its parent's plan holds, whatever is decided has a reason, and when all is over what ran runs again.
func TestAnyScenario(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w := world.New(start, rapid.Uint64().Draw(t, "seed"))
		world.DefaultFleet(w, world.FleetOptions{
			Workers: rapid.IntRange(1, 6).Draw(t, "v2"), V0Workers: rapid.IntRange(0, 3).Draw(t, "v0"), V3Workers: rapid.IntRange(0, 3).Draw(t, "v3"),
			V30: rapid.Bool().Draw(t, "v3.0"), Solo: rapid.IntRange(0, 2).Draw(t, "solo"),
		})
		var faults []world.Fault
		for n := range rapid.IntRange(1, 4).Draw(t, "faults") {
			faults = append(faults, drawFault(t, n))
		}
		r := watch(t, Options{World: w}, faults...)
		r.pass(5 * time.Hour)
		if harm := w.Harm(); len(harm) > 0 {
			t.Errorf("harm was done: %+v", harm)
		}
		if is := r.running(); !slices.Equal(is, r.ran) {
			t.Errorf("runs now: %q\nran before: %q", is, r.ran)
		}
		r.withinBudgets()
		r.reasoned()
		r.apart()
		if len(r.daemon.Troubles) > 0 {
			t.Errorf("beats that failed: %q", r.daemon.Troubles)
		}
		if t.Failed() {
			t.Log(r.story())
		}
	})
}

// apart holds that no plan was made for a target whose parent another plan held, nor for one that another plan held itself.
func (r *rig) apart() {
	r.t.Helper()
	plans, err := r.Store.Plans(r.ctx(), store.PlanFilter{})
	if err != nil {
		r.t.Fatal(err)
	}
	for _, p := range plans {
		for _, other := range plans {
			if p.ID == other.ID || p.Created.Before(other.Created) || !other.Ended.IsZero() && !p.Created.Before(other.Ended) {
				continue
			}
			for _, target := range p.Targets {
				if slices.Contains(other.Locks, target) || target.Parent() != "" && slices.Contains(other.Locks, target.Parent()) {
					r.t.Errorf("%s of %s was made while %s %s held it: %v", p.Kind, target, other.Kind, other.Targets, other.Locks)
				}
			}
		}
	}
}
