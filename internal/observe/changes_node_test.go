package observe

import (
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"phalops/internal/fleet"
)

func TestChangesAroundANode(t *testing.T) {
	later := func(d time.Duration) time.Time { return start.Add(d) }
	answered := func(d time.Duration) fleet.Probe { return fleet.Probe{At: later(d)} }
	base := fleet.NodeStatus{Ref: "node/n", Container: &fleet.ContainerStatus{Probe: answered(0), State: "running"},
		Para: &fleet.ChainStatus{Probe: answered(0), Best: fleet.Height{Value: 100, Known: true, MovedAt: start}, Peers: -1, Genesis: "0xa"}}
	status := base
	steps := []struct {
		name   string
		change func(*fleet.NodeStatus)
		want   []string
	}{
		{"nothing", func(*fleet.NodeStatus) {}, nil},
		{"a disk is looked at", func(n *fleet.NodeStatus) {
			n.Disk = &fleet.DiskStatus{Probe: answered(time.Minute), Free: 300 << 30, Total: 2000 << 30}
		}, []string{"node/n disk.reachable=true +60", "node/n disk.free_gib=256 +60"}},
		{"it fills a little", func(n *fleet.NodeStatus) {
			n.Disk = &fleet.DiskStatus{Probe: answered(2 * time.Minute), Free: 257 << 30, Total: 2000 << 30}
		}, nil},
		{"it is full", func(n *fleet.NodeStatus) {
			n.Disk = &fleet.DiskStatus{Probe: answered(3 * time.Minute), Free: 1 << 20, Total: 2000 << 30}
		}, []string{"node/n disk.free_gib=0 +180"}},
		{"the log says so", func(n *fleet.NodeStatus) {
			n.Log = &fleet.LogStatus{Probe: answered(4 * time.Minute), Signs: []fleet.LogSign{{Sign: "crash"}, {Sign: "no_space", Line: "x"}}}
		}, []string{"node/n log.signs=crash no_space +240"}},
		{"another line, the same sign", func(n *fleet.NodeStatus) {
			n.Log = &fleet.LogStatus{Probe: answered(5 * time.Minute), Signs: []fleet.LogSign{{Sign: "crash"}, {Sign: "no_space", Line: "y"}}}
		}, nil},
		{"nothing is wrong any more: nobody reads it", func(n *fleet.NodeStatus) { n.Log = nil }, []string{"node/n log.signs= +0"}},
		{"a cache", func(n *fleet.NodeStatus) {
			n.Caches = []fleet.HeadersCacheStatus{{Probe: answered(6 * time.Minute), Name: "hc", Header: fleet.Height{Value: 1, Known: true, MovedAt: later(6 * time.Minute)}}}
		}, []string{"node/n cache.hc.present=true +360", "node/n cache.hc.reachable=true +360", "node/n cache.hc.header_moving=true +360"}},
		{"its headers come in steps", func(n *fleet.NodeStatus) {
			n.Caches = []fleet.HeadersCacheStatus{{Probe: answered(2 * time.Hour), Name: "hc", Header: fleet.Height{Value: 1, Known: true, MovedAt: later(6 * time.Minute)}}}
		}, nil},
		{"it stands still", func(n *fleet.NodeStatus) {
			n.Caches = []fleet.HeadersCacheStatus{{Probe: answered(5 * time.Hour), Name: "hc", Header: fleet.Height{Value: 1, Known: true, MovedAt: later(6 * time.Minute)}}}
		}, []string{"node/n cache.hc.header_moving=false +360"}},
		{"peers are ahead", func(n *fleet.NodeStatus) {
			c := *n.Para
			c.PeersBest, c.PeersAsked = fleet.Height{Value: 200, Known: true, MovedAt: later(time.Hour)}, later(time.Hour)
			n.Para = &c
		}, []string{"node/n para.peers_ahead=true +3600", "node/n para.peers_moving=true +3600"}},
		{"it jumps, and its host sees it hang", func(n *fleet.NodeStatus) {
			c := *n.Para
			c.Falls, c.FellAt, c.FromHost = 2, later(2*time.Hour), fleet.HostView{At: later(3 * time.Hour), Says: fleet.HostHangs}
			n.Para = &c
		}, []string{"node/n para.falls=2 +7200", "node/n para.from_host=hangs +10800"}},
	}
	for _, s := range steps {
		before := status
		s.change(&status)
		if diff := gocmp.Diff(s.want, told(Changes(before, status))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", s.name, diff)
		}
	}
}
