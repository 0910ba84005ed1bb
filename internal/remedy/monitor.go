package remedy

import (
	"context"
	"time"

	"phalops/internal/act"
	"phalops/internal/config"
	"phalops/internal/fleet"
	"phalops/internal/host"
)

const opMonitor = "bridge.monitor"

// monitorDeadline is how long a restarted monitor may take to answer: it meets its peers, or Redis, first.
const monitorDeadline = 5 * time.Minute

// buildMonitor restarts a bridge's monitor and nothing else: a dead one is only a blind window, nobody mines less for it. One
// that looks as if somebody had stopped it is left to a person.
func (r *Remedies) buildMonitor(ctx context.Context, req act.Request, _ time.Time) (fleet.Plan, error) {
	target, err := onlyTarget(req, fleet.KindBridge)
	if err != nil {
		return fleet.Plan{}, err
	}
	site, bridge, err := findBridge(r.config(), target.Name())
	if err != nil {
		return fleet.Plan{}, err
	}
	p := fleet.Plan{Site: site.Name, Targets: req.Targets, Locks: req.Targets}
	parts, err := r.monitors(ctx, bridge, byRule(req))
	if err != nil {
		return fleet.Plan{}, err
	}
	for _, m := range parts {
		p.Steps = append(p.Steps, fleet.Step{
			Name: "restart " + m.place(), Op: opMonitor, Target: target, Class: fleet.ClassReversible,
			Args:  map[string]string{"bridge": bridge.Name, "host": m.host, "container": m.container.Name, "grace": queueGrace.String()},
			Label: fleet.Because("remedy.step_monitor", "container", m.container.Name, "host", m.host),
		})
	}
	return p, nil
}

func (r *Remedies) monitors(ctx context.Context, b config.Bridge, rule bool) ([]part, error) {
	switch {
	case b.Version == config.VersionSolo:
		return nil, fleet.Fail(fleet.Refused, fleet.Because("remedy.no_monitor", "bridge", b.Name))
	case b.Project == "":
		return nil, fleet.Fail(fleet.Refused, fleet.Because("remedy.no_project", "bridge", b.Name))
	}
	where := hostOf(b, svcMonitor)
	all, err := r.list(ctx, where, host.Filter{Project: b.Project, Service: svcMonitor})
	if err != nil {
		return nil, err
	}
	var parts []part
	for _, c := range all {
		if c.State == "paused" || rule && byHand(c) {
			return nil, fleet.Fail(fleet.Refused, fleet.Because("remedy.monitor_stopped", "bridge", b.Name, "container", c.Name, "host", where))
		}
		parts = append(parts, part{host: where, service: svcMonitor, container: c})
	}
	if len(parts) == 0 {
		return nil, fleet.Fail(fleet.Refused, fleet.Because("remedy.no_monitor", "bridge", b.Name))
	}
	return parts, nil
}

// monitor restarts the container; a rule's restart is not needed any more once the monitor answers. That it happened is
// visible, and its proof is that the monitor answers as well. A v3 bridge whose prb-wm is asked directly shows nothing of its
// monitor: there the container is all that can be seen.
func (r *Remedies) monitor() act.Op {
	return act.Op{
		Effect: act.Visible, Timeout: 2 * time.Minute, Deadline: monitorDeadline,
		Check: func(ctx context.Context, s act.StepContext) (bool, error) {
			if yes, begun, err := r.restarted(ctx, s); begun {
				return yes, err
			}
			if s.Plan.Incident == "" || r.unheard(s) {
				return false, nil
			}
			return r.monitorAnswers(ctx, s)
		},
		Prepare: r.noteStart,
		Do:      r.restartContainer,
		Verify: func(ctx context.Context, s act.StepContext) (act.Proof, time.Time, fleet.Reason, error) {
			next := s.Now.Add(pollEvery)
			runs, _, err := r.restarted(ctx, s)
			if err != nil || !runs {
				return act.NotYet, next, fleet.Because("remedy.not_yet", "container", s.Step.Args["container"]), err
			}
			if r.unheard(s) {
				return act.Proved, next, fleet.Because("remedy.monitor_runs", "bridge", s.Step.Args["bridge"], "container", s.Step.Args["container"]), nil
			}
			ok, err := r.monitorAnswers(ctx, s)
			if err != nil || !ok {
				return act.NotYet, next, fleet.Because("remedy.monitor_silent", "bridge", s.Step.Args["bridge"]), err
			}
			return act.Proved, next, fleet.Because("remedy.monitor_answers", "bridge", s.Step.Args["bridge"]), nil
		},
	}
}

func (r *Remedies) monitorAnswers(ctx context.Context, s act.StepContext) (bool, error) {
	client, err := r.reach.Bridge(s.Step.Args["bridge"])
	if err != nil {
		return false, err
	}
	return client.Read(ctx).MonitorErr == nil, nil
}

// unheard reports whether the bridge's answers come past its monitor.
func (r *Remedies) unheard(s act.StepContext) bool {
	_, bridge, err := findBridge(r.config(), s.Step.Args["bridge"])
	if err != nil || bridge.Version != genV3 {
		return false
	}
	_, monitor := bridge.Manager()
	return monitor == ""
}
