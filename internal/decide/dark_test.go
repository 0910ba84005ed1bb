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
		{"only the relay answers there, the parachain hangs there", []change{bothDark(3 * m), func(in *decide.NodeInput) {
			in.Status.Para.FromHost = fleet.HostView{At: ago(soon), Says: fleet.HostHangs}
			in.Status.Relay.FromHost = fleet.HostView{At: ago(soon), Says: fleet.HostAnswers}
		}}, fleet.NodeDown, fleet.Act, "node.down.hangs", ""},
	})
}
