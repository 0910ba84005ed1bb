package decide_test

import (
	"testing"

	"phalops/internal/decide"
	"phalops/internal/fleet"
)

const gib = 1 << 30

func room(free, total uint64) change {
	return func(in *decide.NodeInput) {
		in.Status.Disk = &fleet.DiskStatus{Probe: answered, Path: "/opt/khala", Mount: "/opt", Free: free, Total: total}
	}
}

func signed(signs ...string) change {
	return func(in *decide.NodeInput) {
		in.Status.Log = &fleet.LogStatus{Probe: answered}
		for _, s := range signs {
			in.Status.Log.Signs = append(in.Status.Log.Signs, fleet.LogSign{Sign: s, Line: "a line about " + s})
		}
	}
}

func exited(in *decide.NodeInput) {
	bothDark(10 * m)(in)
	in.Status.Container.State, in.Status.Container.ExitCode = "exited", 1
}

func TestDisk(t *testing.T) {
	full := room(200<<20, 2000*gib)
	decideAll(t, []row{
		{"full and exited: no restart", []change{exited, full}, fleet.NodeDown, fleet.Person, "node.disk_full", ""},
		{"full and stalled: no restart", []change{frozenPara(6 * m), witnessed, full}, fleet.NodeStalled, fleet.Person, "node.disk_full", ""},
		{"full and hanging: no restart", []change{bothDark(10 * m), full}, fleet.NodeDown, fleet.Person, "node.disk_full", ""},
		{"full, and only silent so far: a person at once", []change{bothDark(m), full}, fleet.NodeUnknown, fleet.Person, "node.disk_full", ""},
		{"full while the whole network stands", []change{frozenPara(20 * m), second(3_000_000, 20*m), full}, fleet.NodeNetworkStalled, fleet.Person, "node.disk_full", ""},
		{"full, and still healthy", []change{full}, fleet.NodeHealthy, fleet.Person, "node.disk_full", ""},
		{"the log says full, and nobody can look at the disk", []change{exited, signed(fleet.SignNoSpace)}, fleet.NodeDown, fleet.Person, "node.disk_full", ""},
		{"stalled, the log says full", []change{frozenPara(6 * m), witnessed, signed(fleet.SignNoSpace)}, fleet.NodeStalled, fleet.Person, "node.disk_full", ""},
		{"the log says full, but room was made since: it hangs and is restarted", []change{bothDark(10 * m), signed(fleet.SignNoSpace), room(500*gib, 2000*gib)}, fleet.NodeDown, fleet.Act, "node.down.hangs", ""},
		{"the log says full, the disk has not been looked at for long", []change{exited, signed(fleet.SignNoSpace), room(500*gib, 2000*gib), func(in *decide.NodeInput) {
			in.Status.Disk.Probe = fleet.Probe{At: ago(h)}
		}}, fleet.NodeDown, fleet.Person, "node.disk_full", ""},
		{"an old log line says nothing", []change{exited, signed(fleet.SignNoSpace), func(in *decide.NodeInput) { in.Status.Log.Probe = silentFor(20 * m) }}, fleet.NodeDown, fleet.Act, "node.down.exited", ""},
		{"low in bytes", []change{room(9*gib, 100*gib)}, fleet.NodeHealthy, fleet.Person, "node.disk_low", ""},
		{"low in share", []change{room(90*gib, 2000*gib)}, fleet.NodeHealthy, fleet.Person, "node.disk_low", ""},
		{"low while it syncs: the condition stays", []change{para(func(c *fleet.ChainStatus) { c.Target = at(3_500_000, 0) }), room(9*gib, 100*gib)}, fleet.NodeSyncing, fleet.Person, "node.disk_low", ""},
		{"low does not forbid a restart", []change{frozenPara(6 * m), witnessed, room(9*gib, 100*gib)}, fleet.NodeStalled, fleet.Act, "node.stalled.witness", ""},
		{"room enough", []change{room(101*gib, 2000*gib)}, fleet.NodeHealthy, fleet.Healthy, "node.healthy", ""},
		{"a little more than low, told already: it stays", []change{room(101*gib, 2000*gib), func(in *decide.NodeInput) { in.Last = fleet.Decision{Rule: "node.disk_low", Since: ago(h)} }}, fleet.NodeHealthy, fleet.Person, "node.disk_low", ""},
		{"a host that does not say: nothing", []change{room(0, 0)}, fleet.NodeHealthy, fleet.Healthy, "node.healthy", ""},
	})
}

func TestLogSigns(t *testing.T) {
	stalled := []change{frozenPara(6 * m), witnessed}
	given := func(signs ...string) []change { return append(append([]change{}, stalled...), signed(signs...)) }
	decideAll(t, []row{
		{"a damaged database", given(fleet.SignCorrupt), fleet.NodeStalled, fleet.Person, "node.corrupt", ""},
		{"a wrong clock", given(fleet.SignClock), fleet.NodeStalled, fleet.Person, "node.clock", ""},
		{"an old build", given(fleet.SignJustification), fleet.NodeStalled, fleet.Person, "node.justification", ""},
		{"no role", []change{exited, signed(fleet.SignRole)}, fleet.NodeDown, fleet.Person, "node.role", ""},
		{"a crash is restarted", []change{exited, signed(fleet.SignCrash, fleet.SignPort, fleet.SignMemory, fleet.SignFiles)}, fleet.NodeDown, fleet.Act, "node.down.exited", ""},
		{"a healthy node's log says nothing", []change{signed(fleet.SignCorrupt, fleet.SignNoSpace)}, fleet.NodeHealthy, fleet.Healthy, "node.healthy", ""},
		{"a silent network is a silent network", []change{frozenPara(20 * m), second(3_000_000, 20*m), signed(fleet.SignCorrupt)}, fleet.NodeNetworkStalled, fleet.Person, "node.network_stalled", ""},
	})
	in := healthyNode()
	for _, f := range []change{exited, signed(fleet.SignCrash)} {
		f(&in)
	}
	in.CanRestart = true
	found := false
	for _, w := range decide.Node(in).Witnesses {
		found = found || w.Code == "witness.log" && w.Args["line"] == "a line about crash"
	}
	if !found {
		t.Error("the line that explains the crash is not told")
	}
}

// TestRemarkSince: what is remarked about a healthy node begins with the remark, not with the health, and goes on.
func TestRemarkSince(t *testing.T) {
	in := healthyNode()
	room(9*gib, 100*gib)(&in)
	first := decide.Node(in)
	if !first.Since.Equal(now) || first.Severity != fleet.Warning {
		t.Errorf("first: since %v, %s", first.Since, first.Severity)
	}
	first.Since = ago(h)
	in.Last = first
	if again := decide.Node(in); !again.Since.Equal(ago(h)) || !again.Same(first) {
		t.Errorf("again: since %v", again.Since)
	}
}

func TestHeadersCaches(t *testing.T) {
	final := func(in *decide.NodeInput) {
		in.Status.Para.Finalized, in.Status.Relay.Finalized = at(2_999_995, 0), at(14_999_995, 0)
	}
	cache := func(f func(*fleet.HeadersCacheStatus)) change {
		return func(in *decide.NodeInput) {
			final(in)
			c := fleet.HeadersCacheStatus{Probe: answered, Name: "hc-1", URL: "http://127.0.0.1:22111", Header: at(14_999_500, h),
				ParaHeader: at(2_999_990, m), StorageChanges: at(2_999_990, m)}
			f(&c)
			in.Status.Caches = []fleet.HeadersCacheStatus{c}
		}
	}
	decideAll(t, []row{
		{"relay headers come in steps", []change{cache(func(*fleet.HeadersCacheStatus) {})}, fleet.NodeHealthy, fleet.Healthy, "node.healthy", ""},
		{"relay headers stand for half a day", []change{cache(func(c *fleet.HeadersCacheStatus) { c.Header = at(14_990_000, 12*h) })}, fleet.NodeHealthy, fleet.Person, "node.cache_stale", ""},
		{"parachain headers stand for half an hour", []change{cache(func(c *fleet.HeadersCacheStatus) { c.ParaHeader = at(2_999_900, 31*m) })}, fleet.NodeHealthy, fleet.Person, "node.cache_stale", ""},
		{"storage changes stand for half an hour", []change{cache(func(c *fleet.HeadersCacheStatus) { c.StorageChanges = at(2_999_900, 31*m) })}, fleet.NodeHealthy, fleet.Person, "node.cache_stale", ""},
		{"it does not collect storage changes", []change{cache(func(c *fleet.HeadersCacheStatus) { c.StorageChanges = fleet.Height{} })}, fleet.NodeHealthy, fleet.Healthy, "node.healthy", ""},
		{"it has all that the node has", []change{cache(func(c *fleet.HeadersCacheStatus) { c.ParaHeader = at(2_999_995, 31*m) })}, fleet.NodeHealthy, fleet.Healthy, "node.healthy", ""},
		{"the node stands as well: the node comes first", []change{cache(func(c *fleet.HeadersCacheStatus) { c.Header = at(14_990_000, 12*h) }), func(in *decide.NodeInput) {
			in.Status.Relay = chain(15_000_000, 7*m)
		}}, fleet.NodeStalled, fleet.Wait, "node.alone", "guard.holddown"},
		{"silent for a quarter of an hour", []change{cache(func(c *fleet.HeadersCacheStatus) { c.Probe = silentFor(15 * m) })}, fleet.NodeHealthy, fleet.Person, "node.cache_silent", ""},
		{"silent for a few minutes", []change{cache(func(c *fleet.HeadersCacheStatus) { c.Probe = silentFor(6 * m) })}, fleet.NodeHealthy, fleet.Healthy, "node.healthy", ""},
	})
}
