package decide

import (
	"time"

	"phalops/internal/fleet"
)

// dark reads a chain that does not answer. Silence is Unknown; it becomes Down only when the host itself answers and shows
// it.
func (in *NodeInput) dark(chain string, c *fleet.ChainStatus, v *chainFinding) {
	since := c.Failed
	if since.IsZero() {
		since = c.At // nobody asked lately
	}
	silence := in.Now.Sub(since)
	args := []any{"chain", chain, "for", silence}
	v.weight, v.condition, v.want, v.since = weighUnknown, string(fleet.NodeUnknown), wantTime, since
	if !c.Cause.IsZero() {
		v.witnesses = append(v.witnesses, c.Cause)
	}
	box := in.Status.Container
	switch {
	case since.IsZero():
		v.rule, v.quiet, v.since = "node.unseen", "", time.Time{}
		v.reason = fleet.Because("node.unseen")
	case c.Missed < fleet.MissedLimit || silence < in.Policy.DownAfter:
		// Time alone proves nothing: our own clock may have been set.
		v.rule, v.quiet, v.until = "node.silent", "", since.Add(in.Policy.DownAfter)
		v.reason = fleet.Because("node.silent", append(args, "until", v.until)...)
	case in.Blind:
		v.rule, v.suspect = "node.blind", fleet.Fleet
		v.reason = fleet.Because("node.blind", args...)
	case in.hostSays(c) == fleet.HostAnswers:
		v.rule, v.want = "node.network_between", wantPerson
		v.reason = fleet.Because("node.network_between", append(args, "url", c.URL)...)
	case box != nil && box.Cause.Code == "observe.no_container":
		v.weight, v.condition, v.rule, v.want = weighDown, string(fleet.NodeDown), "node.down.gone", wantPerson
		v.reason = fleet.Because("node.down_gone", append(args, "container", box.Name)...)
	case in.HostSilent, box != nil && !in.Policy.current(box.Probe, in.Now), box != nil && box.State == "":
		v.rule, v.want = "node.host_silent", wantPerson
		v.reason = fleet.Because("node.host_silent", args...)
	case box == nil && in.hostSays(c) != "" && !c.At.IsZero():
		v.weight, v.condition, v.rule, v.want = weighDown, string(fleet.NodeDown), "node.down.port", wantRestart // which the guards refuse
		v.reason = fleet.Because("node.down_port", append(args, "url", c.URL)...)
	case box == nil:
		v.rule, v.want = "node.unreachable", wantPerson
		v.reason = fleet.Because("node.unreachable", args...)
	default:
		in.boxed(c, box, since, args, v)
	}
}

// boxed reads a chain that does not answer on a host that does: the container tells what happened.
func (in *NodeInput) boxed(c *fleet.ChainStatus, box *fleet.ContainerStatus, since time.Time, args []any, v *chainFinding) {
	args = append(args, "container", box.Name)
	v.weight, v.condition, v.want = weighDown, string(fleet.NodeDown), wantRestart
	switch box.State {
	case "running":
		in.deaf(c, box, args, v)
	case "paused":
		v.rule, v.want = "node.down.paused", wantPerson
		v.reason = fleet.Because("node.down_paused", args...)
	case "restarting":
		v.rule, v.want, v.until = "node.down.loop", wantTime, since.Add(crashLoop)
		v.reason = fleet.Because("node.down_loop", append(args, "n", box.Restarts, "exit", box.ExitCode)...)
		if !v.until.After(in.Now) {
			v.want = wantPerson
		}
	default: // created, exited, dead, removing
		v.rule = "node.down.exited"
		v.reason = fleet.Because("node.down_exited", append(args, "state", box.State, "exit", box.ExitCode)...)
	}
}

// deaf reads a chain that answers neither us nor its own host although its container runs.
func (in *NodeInput) deaf(c *fleet.ChainStatus, box *fleet.ContainerStatus, args []any, v *chainFinding) {
	unknown := func(rule string, w want) {
		v.rule, v.want, v.condition, v.weight = rule, w, string(fleet.NodeUnknown), weighUnknown
	}
	says := in.hostSays(c)
	switch {
	case in.crashes(box, v.since):
		v.rule, v.want = "node.down.loop", wantPerson
		v.reason = fleet.Because("node.down_loop", append(args, "n", box.Restarts, "exit", box.ExitCode)...)
	case !box.Started.IsZero() && between(in.Now.Sub(box.Started), restartGrace):
		unknown("node.starting", wantTime)
		v.until = box.Started.Add(restartGrace)
		v.reason = fleet.Because("node.starting", append(args, "at", box.Started, "until", v.until)...)
	case c.At.IsZero():
		// It never answered us: a wrong address looks exactly like this, and a restart of a healthy node would not mend it.
		unknown("node.never_answered", wantPerson)
		v.reason = fleet.Because("node.never_answered", append(args, "url", c.URL)...)
	case says == fleet.HostRefused:
		v.rule = "node.down.refused"
		v.reason = fleet.Because("node.down_refused", args...)
	default:
		v.rule = "node.down.hangs"
		v.reason = fleet.Because("node.down_hangs", args...)
		if says == fleet.HostHangs {
			v.witnesses = append(v.witnesses, fleet.Because("witness.host_hangs"))
		}
	}
}

// portOld is the age at which what a host saw of a port says nothing any more. It is asked every half minute.
const portOld = 3 * time.Minute

// hostSays is what the node's own host sees of a silent RPC, "" when it was not asked lately or could not tell.
func (in *NodeInput) hostSays(c *fleet.ChainStatus) string {
	if in.Now.Sub(c.FromHost.At) >= portOld {
		return ""
	}
	return c.FromHost.Says
}

// crashes reports whether the engine started the container again since the earlier look, and the trouble has lasted for
// longer than one such round: the grace of a start must not be given again and again.
func (in *NodeInput) crashes(box *fleet.ContainerStatus, since time.Time) bool {
	if in.Earlier == nil || in.Earlier.Container == nil || in.Now.Sub(since) < 2*crashLoop {
		return false
	}
	return in.Earlier.Container.ID == box.ID && in.Earlier.Container.State != "" && box.Restarts > in.Earlier.Container.Restarts
}
