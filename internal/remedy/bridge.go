package remedy

import (
	"context"
	"errors"
	"strings"
	"time"

	"phalops/internal/act"
	"phalops/internal/fleet"
	"phalops/internal/prb"
)

// feedDeadline is how long a started lifecycle may take until the first worker's height grows: it waits for a data provider,
// whose heights begin at -1 after a start of its own, and reads its database.
const feedDeadline = 15 * time.Minute

// buildBridge is the lifecycle restart: lifecycle, trade and redis-q together, because a queue that outlives its lifecycle
// holds transactions that nobody waits for (prb-v0-v2-api, 4.2). It costs every healthy worker some minutes, and refuses
// where the lifecycle would not come back. A lifecycle that somebody stopped is not started.
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
	found, err := r.partsOf(ctx, bridge)
	if err != nil {
		return fleet.Plan{}, err
	}
	if !found.has(svcLifecycle) {
		return fleet.Plan{}, fleet.Fail(fleet.Refused, fleet.Because("remedy.lifecycle_stopped", "bridge", bridge.Name, "project", bridge.Project))
	}
	if err := r.wouldComeBack(ctx, found); err != nil {
		return fleet.Plan{}, err
	}
	p := fleet.Plan{Site: site.Name, Targets: req.Targets, Locks: req.Targets, Exact: true}
	p.Steps = sameSteps(target, []bridgeParts{found})
	for _, part := range found.in(stopOrder) {
		p.Steps = append(p.Steps, stopStep(part))
	}
	p.Steps = append(p.Steps, backSteps([]bridgeParts{found})...)
	return p, nil
}

// wouldComeBack refuses while an enabled worker has a stake below 1 PHA: with it v2's runner, and so its whole lifecycle,
// exits at every start (prb-v0-v2-api, 2.5). A bridge that does not answer cannot be checked, and a dead one is exactly what
// a restart is for, so silence does not refuse.
func (r *Remedies) wouldComeBack(ctx context.Context, b bridgeParts) error {
	if !b.has(svcLifecycle) {
		return nil
	}
	client, err := r.reach.Bridge(b.name)
	if err != nil {
		return nil //nolint:nilerr // see above: silence is no reason to refuse
	}
	var low []string
	if reading := client.Read(ctx); reading.InventoryErr == nil {
		for _, w := range reading.Workers {
			if w.Enabled && (!w.StakeOK || w.Stake.Cmp(fleet.PHA(1)) < 0) {
				low = append(low, w.Name)
			}
		}
	}
	if len(low) > 0 {
		return fleet.Fail(fleet.Refused, fleet.Because("remedy.low_stake", "bridge", b.name, "workers", strings.Join(low, ", ")))
	}
	return nil
}

// bridgeFeeds proves that a started lifecycle is found, has built contexts, and that they are fed: some worker's height
// grows. A lifecycle that has nobody to feed is proved by its answer.
func (r *Remedies) bridgeFeeds() act.Op {
	return act.Op{
		Deadline: feedDeadline, Timeout: 2 * time.Minute,
		Verify: func(ctx context.Context, s act.StepContext) (act.Proof, time.Time, fleet.Reason, error) {
			name, next := s.Step.Args["bridge"], s.Now.Add(pollEvery)
			client, err := r.reach.Bridge(name)
			if err != nil {
				return act.NotYet, next, fleet.Reason{}, err
			}
			states, err := client.States(ctx)
			switch {
			case errors.Is(err, prb.ErrConfigMode), err == nil && len(states) == 0 && nobodyToFeed(client.Read(ctx)):
				return act.Proved, next, fleet.Because("remedy.bridge_idle", "bridge", name), nil
			case err != nil:
				return act.NotYet, next, fleet.Because("remedy.bridge_silent", "bridge", name, "err", err), nil
			}
			for _, w := range states {
				if w.Para.Known && w.Para.Value >= 0 && !failing(w.State) && r.growth.grew(stepKey(s)+w.ID, w.Para.Value, s.Now) {
					r.growth.forget(stepKey(s))
					return act.Proved, next, fleet.Because("remedy.bridge_fed", "bridge", name, "contexts", len(states)), nil
				}
			}
			return act.NotYet, next, fleet.Because("remedy.bridge_not_yet", "bridge", name, "contexts", len(states)), nil
		},
	}
}

// nobodyToFeed reports whether the bridge says that it has no enabled worker.
func nobodyToFeed(reading prb.Reading) bool {
	if reading.MonitorErr != nil || reading.InventoryErr != nil {
		return false
	}
	for _, w := range reading.Workers {
		if w.Enabled {
			return false
		}
	}
	return true
}
