package remedy

import (
	"context"
	"errors"
	"time"

	"phalops/internal/act"
	"phalops/internal/config"
	"phalops/internal/fleet"
	"phalops/internal/host"
)

// nodeDeadline is how long a started node may take to import blocks: a big database that was not closed well takes minutes
// to open. When it passes, everything that was stopped is started all the same.
const nodeDeadline = 20 * time.Minute

// buildNode is the ordered restart of a node (operations, 5.5, v2): lifecycle, trade and redis-q of every bridge on it stop,
// the node stops with its long grace and starts, its heights must grow, its data providers must follow (they are
// restarted only where they do not by themselves), then every queue, lifecycle and trade comes back, and only then each
// bridge is waited for. Exactly what ran is recorded here, before the first effect, and comes back whatever fails.
//
//	look → stop lifecycle → trade → redis-q → node → start node → grows → data providers run, follow → start redis-q → lifecycle → trade → feeds
//
// The same plan starts a node that has exited.
func (r *Remedies) buildNode(ctx context.Context, req act.Request, _ time.Time) (fleet.Plan, error) {
	target, err := onlyTarget(req, fleet.KindNode)
	if err != nil {
		return fleet.Plan{}, err
	}
	cfg := r.config()
	site, node, err := findNode(cfg, target.Name())
	if err != nil {
		return fleet.Plan{}, err
	}
	container, err := r.nodeContainer(ctx, node)
	if err != nil {
		return fleet.Plan{}, err
	}
	hang, err := r.hangsOn(ctx, cfg, node)
	if err != nil {
		return fleet.Plan{}, err
	}
	if req.Incident == "" {
		// Who restarts a sick node has nothing to lose by it; a person who restarts a sound one does.
		for _, b := range hang.bridges {
			if err := r.wouldComeBack(ctx, b); err != nil {
				return fleet.Plan{}, err
			}
		}
	}
	self := part{host: node.Host, owner: target, container: container, grace: node.Grace}
	p := fleet.Plan{Site: site.Name, Targets: req.Targets, Locks: append([]fleet.Ref{target}, hang.locks...), Exact: true}
	p.Steps = sameSteps(target, hang.bridges)
	for _, b := range hang.bridges {
		for _, part := range b.in(stopOrder) {
			p.Steps = append(p.Steps, stopStep(part))
		}
	}
	if runs(container) {
		p.Steps = append(p.Steps, stopStep(self))
	}
	p.Steps = append(p.Steps, startStep(self), fleet.Step{
		Name: "grow " + node.Name, Op: opNodeGrows, Target: target, Class: fleet.ClassReversible,
		Args:  map[string]string{"node": node.Name},
		Label: fleet.Because("remedy.step_grow", "node", node.Name),
	})
	p.Steps = append(p.Steps, providerSteps(hang.providers)...)
	p.Steps = append(p.Steps, backSteps(hang.bridges)...)
	return p, nil
}

// nodeContainer reads the node's container, which must be there and not paused by a person.
func (r *Remedies) nodeContainer(ctx context.Context, node config.Node) (fleet.ContainerStatus, error) {
	if node.Container == "" {
		return fleet.ContainerStatus{}, fleet.Fail(fleet.Refused, fleet.Because("remedy.no_container", "node", node.Name))
	}
	engine, err := r.reach.Containers(node.Host)
	if err != nil {
		return fleet.ContainerStatus{}, err
	}
	c, err := engine.Inspect(ctx, node.Container)
	switch {
	case errors.Is(err, host.ErrNoContainer):
		return c, fleet.FailWith(fleet.NotFound, fleet.Because("remedy.container_gone", "node", node.Name, "container", node.Container, "host", node.Host), err)
	case err != nil:
		return c, fleet.FailWith(fleet.Unavailable, fleet.Because("remedy.host_silent", "host", node.Host, "err", err), err)
	case c.State == "paused":
		return c, fleet.Fail(fleet.Refused, fleet.Because("remedy.node_paused", "node", node.Name, "container", node.Container, "host", node.Host))
	}
	return c, nil
}

// dependants is what hangs on a node.
type dependants struct {
	locks     []fleet.Ref
	bridges   []bridgeParts
	providers []provider
}

// hangsOn finds the bridges and data providers of a node, at whatever site, with what runs of them on whatever host. It
// fails when one of their hosts does not answer: what cannot be seen can neither be stopped in order nor brought back.
func (r *Remedies) hangsOn(ctx context.Context, cfg config.Config, node config.Node) (dependants, error) {
	var d dependants
	taken := map[string]bool{}
	for _, s := range cfg.Sites {
		for _, b := range s.Bridges {
			if b.Node != node.Name {
				continue
			}
			found, err := r.partsOf(ctx, b)
			if err != nil {
				return d, err
			}
			found.parts = untaken(found.parts, taken)
			d.bridges = append(d.bridges, found)
			d.locks = append(d.locks, fleet.BridgeRef(b.Name))
		}
	}
	for _, s := range cfg.Sites {
		for _, dp := range s.DataProviders {
			if dp.Node != node.Name {
				continue
			}
			parts, err := r.providerParts(ctx, dp)
			if err != nil {
				return d, err
			}
			d.providers = append(d.providers, provider{dp.Name, bridgesOf(cfg, dp.Name), untaken(parts, taken)})
			d.locks = append(d.locks, fleet.DataProviderRef(dp.Name))
		}
	}
	return d, nil
}

// untaken leaves out containers that were found already: two entries of the configuration may mean the same project.
func untaken(parts []part, taken map[string]bool) []part {
	var out []part
	for _, p := range parts {
		if !taken[p.place()] {
			taken[p.place()] = true
			out = append(out, p)
		}
	}
	return out
}

// backSteps start what ran of the bridges, all of them before anybody is waited for, and end with the proofs that their
// workers are fed again.
func backSteps(bridges []bridgeParts) []fleet.Step {
	var starts, feeds []fleet.Step
	for _, b := range bridges {
		for _, p := range b.in(startOrder) {
			starts = append(starts, startStep(p))
		}
		if b.has(svcLifecycle) {
			feeds = append(feeds, fleet.Step{
				Name: "feed " + b.name, Op: opBridgeFeeds, Target: fleet.BridgeRef(b.name), Class: fleet.ClassReversible,
				Args:  map[string]string{"bridge": b.name},
				Label: fleet.Because("remedy.step_feed", "bridge", b.name),
			})
		}
	}
	return append(starts, feeds...)
}

// nodeGrows proves that a started node answers and that every chain of it imports blocks.
func (r *Remedies) nodeGrows() act.Op {
	return act.Op{
		Deadline: nodeDeadline, Timeout: time.Minute,
		Verify: func(ctx context.Context, s act.StepContext) (act.Proof, time.Time, fleet.Reason, error) {
			node, next := s.Step.Args["node"], s.Now.Add(pollEvery)
			heads, err := r.reach.Heads(ctx, node)
			if err != nil {
				return act.NotYet, next, fleet.Because("remedy.node_silent", "node", node, "err", err), nil
			}
			all := len(heads) > 0
			for _, h := range heads {
				all = r.growth.grew(stepKey(s)+h.Chain, h.Best, s.Now) && all
			}
			if !all {
				return act.NotYet, next, fleet.Because("remedy.node_not_growing", "node", node), nil
			}
			r.growth.forget(stepKey(s))
			return act.Proved, next, fleet.Because("remedy.node_grows", "node", node, "height", heads[0].Best), nil
		},
	}
}
