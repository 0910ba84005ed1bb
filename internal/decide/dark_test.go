package decide_test

import (
	"testing"
	"time"

	"phalops/internal/decide"
	"phalops/internal/fleet"
)

func fromHost(says string, old time.Duration) change {
	return func(in *decide.NodeInput) {
		in.Status.Para.FromHost = fleet.HostView{At: ago(old), Says: says}
		in.Status.Relay.FromHost = in.Status.Para.FromHost
	}
}

func noBox(in *decide.NodeInput) { in.CanRestart, in.Status.Container = false, nil }

// restartedByEngine says how often the engine started the container again in the last minutes.
func restartedByEngine(n int) change {
	return func(in *decide.NodeInput) {
		box := *in.Status.Container
		box.Restarts = 7
		in.Status.Container.Restarts = 7 + n
		in.Earlier = &fleet.NodeStatus{Ref: nodeA, Container: &box}
	}
}

func TestDownAsItsHostSeesIt(t *testing.T) {
	soon := 20 * time.Second
	never := func(in *decide.NodeInput) {
		for _, c := range []*fleet.ChainStatus{in.Status.Para, in.Status.Relay} {
			c.Probe, c.Best = fleet.Probe{Failed: ago(h), Missed: 99}, fleet.Height{}
		}
	}
	decideAll(t, []row{
		{"the port is closed there too", []change{bothDark(3 * m), fromHost(fleet.HostRefused, soon)}, fleet.NodeDown, fleet.Act, "node.down.refused", ""},
		{"it hangs there too", []change{bothDark(3 * m), fromHost(fleet.HostHangs, soon)}, fleet.NodeDown, fleet.Act, "node.down.hangs", ""},
		{"it answers there: the network between", []change{bothDark(3 * m), fromHost(fleet.HostAnswers, soon)}, fleet.NodeUnknown, fleet.Person, "node.network_between", ""},
		{"… for days", []change{bothDark(80 * h), fromHost(fleet.HostAnswers, soon)}, fleet.NodeUnknown, fleet.Person, "node.network_between", ""},
		{"the host could not tell: its container decides", []change{bothDark(3 * m), fromHost("", soon)}, fleet.NodeDown, fleet.Act, "node.down.hangs", ""},
		{"what the host saw long ago says nothing", []change{bothDark(10 * m), fromHost(fleet.HostAnswers, 5*m)}, fleet.NodeDown, fleet.Act, "node.down.hangs", ""},
		{"closed there, and its container was just started", []change{bothDark(3 * m), fromHost(fleet.HostRefused, soon), startedAgo(m)}, fleet.NodeUnknown, fleet.Wait, "node.starting", ""},
		{"never answered us, answers there", []change{never, fromHost(fleet.HostAnswers, soon)}, fleet.NodeUnknown, fleet.Person, "node.network_between", ""},
		{"never answered us, closed there: an address, not a death", []change{never, fromHost(fleet.HostRefused, soon)}, fleet.NodeUnknown, fleet.Person, "node.never_answered", ""},
		{"too early", []change{bothDark(m), fromHost(fleet.HostRefused, soon)}, fleet.NodeUnknown, fleet.Wait, "node.silent", ""},
		{"silent host", []change{bothDark(10 * m), fromHost("", soon), func(in *decide.NodeInput) { in.HostSilent = true }}, fleet.NodeUnknown, fleet.Person, "node.host_silent", ""},
		{"no container configured, and it answers there", []change{bothDark(3 * m), fromHost(fleet.HostAnswers, soon), noBox}, fleet.NodeUnknown, fleet.Person, "node.network_between", ""},
		{"no container configured, and it hangs there: down, and a person restarts it", []change{bothDark(3 * m), fromHost(fleet.HostHangs, soon), noBox}, fleet.NodeDown, fleet.Person, "node.down.port", "guard.no_container"},
		{"the engine is silent, and it answers there", []change{bothDark(3 * m), fromHost(fleet.HostAnswers, soon), func(in *decide.NodeInput) { in.HostSilent = true }}, fleet.NodeUnknown, fleet.Person, "node.network_between", ""},
		{"the container is gone", []change{bothDark(3 * m), func(in *decide.NodeInput) {
			in.Status.Container = &fleet.ContainerStatus{Name: "phala-node", Probe: fleet.Probe{Failed: ago(3 * m), Missed: 12, Cause: fleet.Because("observe.no_container", "container", "phala-node")}}
		}}, fleet.NodeDown, fleet.Person, "node.down.gone", ""},
		{"it crashes every few minutes, and never answers", []change{bothDark(25 * m), startedAgo(m), restartedByEngine(1)}, fleet.NodeDown, fleet.Person, "node.down.loop", ""},
		{"it crashes every few minutes before it imports a block", []change{frozenPara(25 * m), witnessed, startedAgo(m), restartedByEngine(1)}, fleet.NodeDown, fleet.Person, "node.crash_loop", ""},
		{"its engine restarted it once, long before", []change{frozenPara(25 * m), witnessed, startedAgo(m), restartedByEngine(0)}, fleet.NodeUnknown, fleet.Wait, "node.settling", ""},
		{"its engine restarted it a while ago, and that was that", []change{frozenPara(10 * m), witnessed, startedAgo(m), restartedByEngine(1)}, fleet.NodeUnknown, fleet.Wait, "node.settling", ""},
		{"only the relay answers there, the parachain hangs there", []change{bothDark(3 * m), func(in *decide.NodeInput) {
			in.Status.Para.FromHost = fleet.HostView{At: ago(soon), Says: fleet.HostHangs}
			in.Status.Relay.FromHost = fleet.HostView{At: ago(soon), Says: fleet.HostAnswers}
		}}, fleet.NodeDown, fleet.Act, "node.down.hangs", ""},
	})
}
