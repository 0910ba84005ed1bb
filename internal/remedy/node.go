package remedy

import (
	"context"
	"errors"
	"slices"
	"time"

	"phalops/internal/act"
	"phalops/internal/config"
	"phalops/internal/fleet"
	"phalops/internal/host"
)

// nodeDeadline is how long a started node may take to import blocks: a big database that was not closed well takes minutes
// to open. When it passes, everything that was stopped is started all the same.
const nodeDeadline = 20 * time.Minute

// buildNode is the ordered restart of a node (operations, 5.5): whatever has sockets to it stops, the node stops with its long
// grace and starts, its heights must grow, whoever hands out its blocks must follow (they are restarted only where they do
// not by themselves), then every bridge's parts come back, and only then each bridge is waited for. Exactly what ran is
// recorded here, before the first effect, and comes back whatever fails.
//
//	look → stop lifecycle → trade → redis-q (→ v0: fetch; solo: pherry) → node → start node → grows
//	→ v2: data providers run, follow · v0: start fetch, follow → start redis-q → lifecycle → trade · solo: pherry
//	→ v3: wm, which was left running, follows → feeds
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
	for _, b := range hang.bridges {
		if err := r.standbyRests(ctx, b.bridge); b.feeds() && err != nil {
			return fleet.Plan{}, err
		}
		if req.Incident != "" {
			continue // who restarts a sick node has nothing to lose by it; a person who restarts a sound one does
		}
		if err := r.wouldComeBack(ctx, b); err != nil && b.bridge.Version != genV3 { // v3's wm stays
			return fleet.Plan{}, err
		}
	}
	self := part{host: node.Host, owner: target, container: container, grace: node.Grace}
	p := fleet.Plan{Site: site.Name, Targets: req.Targets, Locks: append([]fleet.Ref{target}, hang.locks...), Exact: true}
	p.Steps = append(sameSteps(target, hang.bridges), leftSteps(hang.bridges)...)
	for _, b := range hang.bridges {
		for _, part := range b.in(append(slices.Clone(b.layout.core), b.layout.source)...) {
			p.Steps = append(p.Steps, stopStep(part))
		}
	}
	if runs(container) {
		p.Steps = append(p.Steps, stopStep(self))
	}
	p.Steps = append(p.Steps, startStep(self), growStep(node, target, hang.bridges))
	p.Steps = append(p.Steps, followSteps(hang.providers)...)
	p.Steps = append(p.Steps, backSteps(hang.bridges)...)
	return p, nil
}

// leftSteps tell whom the plan leaves alone because their host does not answer: a pherry starts over by itself, without end,
// whatever happens to its node, so one dark machine does not keep a node from being mended.
func leftSteps(bridges []bridgeParts) []fleet.Step {
	var steps []fleet.Step
	for _, b := range bridges {
		if b.unseen != "" {
			steps = append(steps, fleet.Step{
				Name: "leave " + b.bridge.Name, Op: opLeave, Target: b.ref(), Class: fleet.ClassReversible,
				Args:  map[string]string{"bridge": b.bridge.Name, "host": b.unseen},
				Label: fleet.Because("remedy.step_leave", "bridge", b.bridge.Name, "host", b.unseen),
			})
		}
	}
	return steps
}

func leave() act.Op {
	return act.Op{Verify: func(_ context.Context, s act.StepContext) (act.Proof, time.Time, fleet.Reason, error) {
		return act.Proved, s.Now, fleet.Because("remedy.left_alone", "bridge", s.Step.Args["bridge"], "host", s.Step.Args["host"]), nil
	}}
}

// growStep proves the node. For a v0 bridge it must have stopped syncing as well: its fetch walks what the node has.
func growStep(node config.Node, target fleet.Ref, bridges []bridgeParts) fleet.Step {
	args := map[string]string{"node": node.Name}
	if slices.ContainsFunc(bridges, func(b bridgeParts) bool { return b.bridge.Version == genV0 && b.has(svcFetch) }) {
		args["in_step"] = "yes"
	}
	return fleet.Step{
		Name: "grow " + node.Name, Op: opNodeGrows, Target: target, Class: fleet.ClassReversible, Args: args,
		Label: fleet.Because("remedy.step_grow", "node", node.Name),
	}
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
		return c, hostSilent(node.Host, err)
	case c.State == "paused":
		return c, fleet.Fail(fleet.Refused, fleet.Because("remedy.node_paused", "node", node.Name, "container", node.Container, "host", node.Host))
	}
	return c, nil
}

// dependants is what hangs on a node.
type dependants struct {
	locks     []fleet.Ref
	bridges   []bridgeParts
	providers []follower
}

// hangsOn finds the bridges and data providers of a node, at whatever site, with what runs of them on whatever host. It
// fails when one of their hosts does not answer: what cannot be seen can neither be stopped in order nor brought back (a
// pherry is left alone instead, see leftSteps).
func (r *Remedies) hangsOn(ctx context.Context, cfg config.Config, node config.Node) (dependants, error) {
	var d dependants
	taken := map[string]bool{}
	for _, s := range cfg.Sites {
		for _, b := range s.Bridges {
			if b.Node != node.Name {
				continue
			}
			found, err := r.partsOf(ctx, b)
			if err != nil && b.Version == config.VersionSolo {
				found.unseen, err = b.Host, nil
			}
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
			d.providers = append(d.providers, dataProvider(cfg, dp, untaken(parts, taken)))
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
// workers are fed again. v0's lifecycle asks its fetch once, at its start, so fetch comes first and must follow the node.
func backSteps(bridges []bridgeParts) []fleet.Step {
	var sources, starts, riders, feeds []fleet.Step
	for _, b := range bridges {
		for _, p := range b.in(b.layout.source) {
			sources = append(sources, startStep(p))
		}
	}
	for _, b := range bridges {
		if f := b.fetcher(); len(f.parts) > 0 {
			sources = append(sources, followSteps([]follower{f})...)
		}
		for _, p := range b.in(b.layout.back...) {
			starts = append(starts, startStep(p))
		}
		riders = append(riders, followSteps(b.riders())...)
		if b.feeds() && b.bridge.Version != genV3 { // a rider that follows feeds
			feeds = append(feeds, feedStep(b))
		}
	}
	return slices.Concat(sources, starts, riders, feeds)
}

func feedStep(b bridgeParts) fleet.Step {
	name := b.bridge.Name
	return fleet.Step{
		Name: "feed " + name, Op: opBridgeFeeds, Target: b.ref(), Class: fleet.ClassReversible,
		Args:  map[string]string{"bridge": name},
		Label: fleet.Because("remedy.step_feed", "bridge", name),
	}
}

// stillSyncing bounds how long a growing node is waited for until it is in step: after a long outage that takes hours, and
// everything that was stopped can follow it meanwhile.
const stillSyncing = 10 * time.Minute

// inStepWithin is how many blocks behind its target a node still counts as in step.
const inStepWithin = 10

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
			if all && s.Step.Args["in_step"] != "" && s.Now.Sub(s.Step.Effected) < stillSyncing {
				for _, h := range heads {
					if h.Target-h.Best > inStepWithin {
						return act.NotYet, next, fleet.Because("remedy.node_syncing", "node", node, "behind", h.Target-h.Best), nil
					}
				}
			}
			if !all {
				return act.NotYet, next, fleet.Because("remedy.node_not_growing", "node", node), nil
			}
			r.growth.forget(stepKey(s))
			return act.Proved, next, fleet.Because("remedy.node_grows", "node", node, "height", heads[0].Best), nil
		},
	}
}
