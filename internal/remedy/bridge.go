package remedy

import (
	"context"
	"strings"
	"time"

	"phalops/internal/act"
	"phalops/internal/config"
	"phalops/internal/fleet"
)

// buildBridge is the lifecycle restart: lifecycle, trade and redis-q together, because a queue that outlives its lifecycle
// holds transactions that nobody waits for (prb-v0-v2-api, 4.2). It costs every healthy worker some minutes, and refuses
// where the lifecycle would not come back.
func (r *Remedies) buildBridge(ctx context.Context, req act.Request, _ time.Time) (fleet.Plan, error) {
	target, err := onlyTarget(req, fleet.KindBridge)
	if err != nil {
		return fleet.Plan{}, err
	}
	site, bridge, err := findBridge(r.config(), target.Name())
	if err != nil {
		return fleet.Plan{}, err
	}
	if bridge.Project == "" {
		return fleet.Plan{}, fleet.Fail(fleet.Refused, fleet.Because("remedy.no_project", "bridge", bridge.Name))
	}
	if err := r.wouldComeBack(ctx, bridge); err != nil {
		return fleet.Plan{}, err
	}
	parts, err := r.bridgeParts(ctx, bridge)
	if err != nil {
		return fleet.Plan{}, err
	}
	if len(parts) == 0 {
		return fleet.Plan{}, fleet.Fail(fleet.Refused, fleet.Because("remedy.nothing_runs", "bridge", bridge.Name, "project", bridge.Project))
	}
	p := fleet.Plan{Site: site.Name, Targets: req.Targets, Locks: req.Targets, Exact: true}
	for _, part := range parts {
		p.Steps = append(p.Steps, stopStep(part))
	}
	p.Steps = append(p.Steps, backSteps(bridgeOnNode{bridge, parts})...)
	return p, nil
}

// wouldComeBack refuses while an enabled worker has a stake below 1 PHA: with it v2's runner, and so its whole lifecycle,
// exits at every start (prb-v0-v2-api, 2.5). A bridge that does not answer cannot be checked, and a dead one is exactly what
// a restart is for, so silence does not refuse.
func (r *Remedies) wouldComeBack(ctx context.Context, b config.Bridge) error {
	workers, err := r.workersOf(ctx, b.Name)
	if err != nil {
		return nil //nolint:nilerr // see above: silence is no reason to refuse
	}
	var low []string
	for _, w := range workers {
		if w.Enabled && (!w.StakeOK || w.Stake.Cmp(fleet.PHA(1)) < 0) {
			low = append(low, w.Name)
		}
	}
	if len(low) > 0 {
		return fleet.Fail(fleet.Refused, fleet.Because("remedy.low_stake", "bridge", b.Name, "workers", strings.Join(low, ", ")))
	}
	return nil
}

// bridgeFeeds proves that a started lifecycle is found, has built contexts, and that they are fed: some worker's height
// grows, or every context is beyond its start.
func (r *Remedies) bridgeFeeds() act.Op {
	return act.Op{
		Effect: act.Visible, Deadline: 15 * time.Minute, Timeout: 90 * time.Second,
		Verify: func(ctx context.Context, s act.StepContext) (act.Proof, time.Time, fleet.Reason, error) {
			name, next := s.Step.Args["bridge"], s.Now.Add(pollEvery)
			client, err := r.reach.Bridge(name)
			if err != nil {
				return act.NotYet, next, fleet.Reason{}, err
			}
			states, err := client.States(ctx)
			if err != nil {
				return act.NotYet, next, fleet.Because("remedy.bridge_silent", "bridge", name, "err", err), nil
			}
			for _, w := range states {
				if w.Para.Known && !failing(w.State) && r.growth.grew(stepKey(s)+w.ID, w.Para.Value) {
					r.growth.forget(stepKey(s))
					return act.Proved, next, fleet.Because("remedy.bridge_fed", "bridge", name, "contexts", len(states)), nil
				}
			}
			return act.NotYet, next, fleet.Because("remedy.bridge_not_yet", "bridge", name, "contexts", len(states)), nil
		},
	}
}
