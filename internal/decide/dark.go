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
	case c.Failed.IsZero() || silence < in.Policy.DownAfter:
		v.rule, v.quiet, v.until = "node.silent", "", since.Add(in.Policy.DownAfter)
		v.reason = fleet.Because("node.silent", append(args, "until", v.until)...)
	case in.Blind:
		v.rule, v.suspect = "node.blind", fleet.Fleet
		v.reason = fleet.Because("node.blind", args...)
	case in.HostSilent, box != nil && !in.Policy.current(box.Probe, in.Now), box != nil && box.State == "":
		v.rule, v.want = "node.host_silent", wantPerson
		v.reason = fleet.Because("node.host_silent", args...)
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
		switch started := box.Started.Add(restartGrace); {
		case !box.Started.IsZero() && started.After(in.Now):
			v.rule, v.want, v.until, v.condition, v.weight = "node.starting", wantTime, started, string(fleet.NodeUnknown), weighUnknown
			v.reason = fleet.Because("node.starting", append(args, "at", box.Started, "until", started)...)
		case c.At.IsZero():
			// It never answered us: a wrong address looks exactly like this, and a restart of a healthy node would not mend it.
			v.rule, v.want, v.condition, v.weight = "node.never_answered", wantPerson, string(fleet.NodeUnknown), weighUnknown
			v.reason = fleet.Because("node.never_answered", append(args, "url", c.URL)...)
		default:
			v.rule = "node.down.hangs"
			v.reason = fleet.Because("node.down_hangs", args...)
		}
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
