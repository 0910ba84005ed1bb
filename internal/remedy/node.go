package remedy

import (
	"context"
	"time"

	"phalops/internal/act"
	"phalops/internal/config"
	"phalops/internal/fleet"
)

// buildNode is the ordered restart of a node (operations, 5.5, v2): lifecycle, trade and redis-q of every bridge on it stop,
// the node stops with its long grace and starts, its heights must grow, its data providers must follow (they are
// restarted only where they do not by themselves), then the queue, lifecycle and trade come back. Exactly what ran is
// recorded here, before the first effect, and comes back whatever fails.
//
//	stop lifecycle → trade → redis-q → node → start node → grows → data providers follow → start redis-q → trade → lifecycle → feeds
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
	if node.Container == "" {
		return fleet.Plan{}, fleet.Fail(fleet.Refused, fleet.Because("remedy.no_container", "node", node.Name))
	}
	hang, err := r.hangsOn(ctx, cfg, node)
	if err != nil {
		return fleet.Plan{}, err
	}
	engine, err := r.reach.Containers(node.Host)
	if err != nil {
		return fleet.Plan{}, err
	}
	container, err := engine.Inspect(ctx, node.Container)
	if err != nil {
		return fleet.Plan{}, fleet.FailWith(fleet.Unavailable, fleet.Because("remedy.host_silent", "host", node.Host, "err", err), err)
	}
	self := part{host: node.Host, owner: target, container: container, grace: node.Grace}

	p := fleet.Plan{Site: site.Name, Targets: req.Targets, Locks: append([]fleet.Ref{target}, hang.locks...), Exact: true}
	for _, b := range hang.bridges {
		for _, part := range b.parts {
			p.Steps = append(p.Steps, stopStep(part))
		}
	}
	if ran(container) {
		p.Steps = append(p.Steps, stopStep(self))
	}
	p.Steps = append(p.Steps, startStep(self), fleet.Step{
		Name: "grow " + node.Name, Op: opNodeGrows, Target: target, Class: fleet.ClassReversible,
		Args:  map[string]string{"node": node.Name},
		Label: fleet.Because("remedy.step_grow", "node", node.Name),
	})
	for _, dp := range hang.providers {
		p.Steps = append(p.Steps, providerSteps(dp)...)
	}
	for _, b := range hang.bridges {
		p.Steps = append(p.Steps, backSteps(b)...)
	}
	return p, nil
}

// bridgeOnNode is a bridge with the containers of it that ran.
type bridgeOnNode struct {
	config.Bridge
	parts []part // in the order of stopping
}

// providerOnNode is a data provider with the containers of it that ran, and a bridge that can tell how it fares.
type providerOnNode struct {
	config.DataProvider
	parts []part
	via   string
}

// dependants is what hangs on a node.
type dependants struct {
	locks     []fleet.Ref
	bridges   []bridgeOnNode
	providers []providerOnNode
}

func (r *Remedies) hangsOn(ctx context.Context, cfg config.Config, node config.Node) (dependants, error) {
	var d dependants
	via := map[string]string{}
	for _, s := range cfg.Sites {
		for _, b := range s.Bridges {
			for _, dp := range b.DataProviders {
				via[dp] = b.Name
			}
			if b.Node != node.Name {
				continue
			}
			parts, err := r.bridgeParts(ctx, b)
			if err != nil {
				return d, err
			}
			d.bridges = append(d.bridges, bridgeOnNode{b, parts})
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
			d.providers = append(d.providers, providerOnNode{dp, parts, via[dp.Name]})
			d.locks = append(d.locks, fleet.DataProviderRef(dp.Name))
		}
	}
	return d, nil
}

// backSteps start what ran of a bridge in the reverse order of stopping, so that the queue is there before those who use
// it, and end with the proof that its workers are fed again.
func backSteps(b bridgeOnNode) []fleet.Step {
	var steps []fleet.Step
	fed := false
	for i := len(b.parts) - 1; i >= 0; i-- {
		steps = append(steps, startStep(b.parts[i]))
		fed = fed || b.parts[i].service == svcLifecycle
	}
	if fed {
		steps = append(steps, fleet.Step{
			Name: "feed " + b.Name, Op: opBridgeFeeds, Target: fleet.BridgeRef(b.Name), Class: fleet.ClassReversible,
			Args:  map[string]string{"bridge": b.Name},
			Label: fleet.Because("remedy.step_feed", "bridge", b.Name),
		})
	}
	return steps
}

// providerSteps wait for a data provider to follow its node again, and restart what does not.
func providerSteps(dp providerOnNode) []fleet.Step {
	if dp.via == "" {
		return nil // no bridge of ours can tell how it fares
	}
	target := fleet.DataProviderRef(dp.Name)
	steps := []fleet.Step{{
		Name: "wait " + dp.Name, Op: opProviderWait, Target: target, Class: fleet.ClassReversible,
		Args:  map[string]string{"bridge": dp.via, "provider": dp.Name},
		Label: fleet.Because("remedy.step_provider_wait", "provider", dp.Name),
	}}
	for _, p := range dp.parts {
		steps = append(steps, fleet.Step{
			Name: "restart " + p.host + "/" + p.container.Name, Op: opProviderCure, Target: target, Class: fleet.ClassReversible,
			Args:  map[string]string{"bridge": dp.via, "provider": dp.Name, "host": p.host, "container": p.container.Name, "grace": p.grace.String()},
			Label: fleet.Because("remedy.step_provider_restart", "provider", dp.Name, "container", p.container.Name),
		})
	}
	return append(steps, fleet.Step{
		Name: "follow " + dp.Name, Op: opProviderGrow, Target: target, Class: fleet.ClassReversible,
		Args:  map[string]string{"bridge": dp.via, "provider": dp.Name},
		Label: fleet.Because("remedy.step_provider_follow", "provider", dp.Name),
	})
}

// nodeGrows proves that a started node answers and that every chain of it imports blocks.
func (r *Remedies) nodeGrows() act.Op {
	return act.Op{
		Effect: act.Visible, Deadline: 20 * time.Minute,
		Verify: func(ctx context.Context, s act.StepContext) (act.Proof, time.Time, fleet.Reason, error) {
			node, next := s.Step.Args["node"], s.Now.Add(pollEvery)
			heads, err := r.reach.Heads(ctx, node)
			if err != nil {
				return act.NotYet, next, fleet.Because("remedy.node_silent", "node", node, "err", err), nil
			}
			all := len(heads) > 0
			for _, h := range heads {
				all = r.growth.grew(stepKey(s)+h.Chain, h.Best) && all
			}
			if !all {
				return act.NotYet, next, fleet.Because("remedy.node_not_growing", "node", node), nil
			}
			r.growth.forget(stepKey(s))
			return act.Proved, next, fleet.Because("remedy.node_grows", "node", node, "height", heads[0].Best), nil
		},
	}
}
