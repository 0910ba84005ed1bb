package remedy

import (
	"context"
	"errors"
	"time"

	"phalops/internal/act"
	"phalops/internal/config"
	"phalops/internal/fleet"
	"phalops/internal/prb"
	v3 "phalops/internal/prb/v3"
)

// feedDeadline is how long a started lifecycle may take until the first worker's height grows: it waits for a data provider,
// whose heights begin at -1 after a start of its own, and reads its database.
const feedDeadline = 15 * time.Minute

const opReload = "bridge.reload"

// buildBridge is the lifecycle restart. It waits for a quiet moment as the request says, refuses what a restart would ruin
// (wouldComeBack), and gives back exactly what ran: a lifecycle that somebody stopped is not started. v3's wm restarts as a
// process, save v3.0's, which reads its inventory again on request; of a solo worker it is the pherry that restarts.
func (r *Remedies) buildBridge(ctx context.Context, req act.Request, _ time.Time) (fleet.Plan, error) {
	target, err := onlyTarget(req, fleet.KindBridge)
	if err != nil {
		return fleet.Plan{}, err
	}
	site, bridge, err := findBridge(r.config(), target.Name())
	if err != nil {
		return fleet.Plan{}, err
	}
	quiet, args, err := quietOf(req.Args)
	if err != nil {
		return fleet.Plan{}, err
	}
	p := fleet.Plan{Site: site.Name, Targets: req.Targets, Locks: req.Targets, Exact: true, Args: args}
	if r.reloads(ctx, bridge) {
		if err := r.wouldComeBack(ctx, bridgeParts{bridge: bridge, layout: layoutOf(bridge), parts: []part{{service: svcWM}}}); err != nil {
			return fleet.Plan{}, err
		}
		p.Steps = append(r.costSteps(ctx, bridge, quiet), reloadStep(bridge), feedStep(bridgeParts{bridge: bridge}))
		return p, nil
	}
	found, err := r.ownParts(ctx, bridge)
	if err != nil {
		return fleet.Plan{}, err
	}
	if err := r.wouldComeBack(ctx, found); err != nil {
		return fleet.Plan{}, err
	}
	p.Steps = append(r.costSteps(ctx, bridge, quiet), sameSteps(target, []bridgeParts{found})...)
	stop, back := found.layout.core, found.layout.back
	if bridge.Version == genV3 {
		stop, back = []string{svcWM}, []string{svcWM}
	}
	for _, part := range found.in(stop...) {
		p.Steps = append(p.Steps, stopStep(part))
	}
	for _, part := range found.in(back...) {
		p.Steps = append(p.Steps, startStep(part))
	}
	p.Steps = append(p.Steps, feedStep(found))
	return p, nil
}

// ownParts are the running parts of a bridge that is ours to restart and whose feeder runs.
func (r *Remedies) ownParts(ctx context.Context, b config.Bridge) (bridgeParts, error) {
	switch {
	case b.Version == config.VersionSolo && b.Pherry == "":
		return bridgeParts{}, fleet.Fail(fleet.Refused, fleet.Because("remedy.no_pherry", "bridge", b.Name))
	case b.Version != config.VersionSolo && b.Project == "":
		return bridgeParts{}, fleet.Fail(fleet.Refused, fleet.Because("remedy.no_project", "bridge", b.Name))
	}
	found, err := r.partsOf(ctx, b)
	switch {
	case err != nil:
		return found, err
	case !found.feeds() && b.Version == config.VersionSolo:
		return found, fleet.Fail(fleet.Refused, fleet.Because("remedy.pherry_stopped", "bridge", b.Name, "container", b.Pherry, "host", b.Host))
	case !found.feeds():
		return found, fleet.Fail(fleet.Refused, fleet.Because("remedy.lifecycle_stopped", "bridge", b.Name, "project", b.Project, "service", found.layout.feeder))
	}
	return found, r.standbyRests(ctx, b)
}

// manager is a v3 bridge that can be told to read its inventory again.
type manager interface {
	Generation(ctx context.Context) (v3.Generation, error)
	RestartManager(ctx context.Context) error
}

// reloads reports whether a bridge is a v3.0 that answers: only there a request does what else takes a restart of the process.
func (r *Remedies) reloads(ctx context.Context, b config.Bridge) bool {
	if b.Version != genV3 {
		return false
	}
	client, err := r.reach.Bridge(b.Name)
	if err != nil {
		return false
	}
	m, ok := client.(manager)
	if !ok {
		return false
	}
	g, err := m.Generation(ctx)
	return err == nil && g == v3.V30
}

func reloadStep(b config.Bridge) fleet.Step {
	return fleet.Step{
		Name: "reload " + b.Name, Op: opReload, Target: fleet.BridgeRef(b.Name), Class: fleet.ClassCostsMining,
		Args:  map[string]string{"bridge": b.Name},
		Label: fleet.Because("remedy.step_reload", "bridge", b.Name),
	}
}

// reload is blind: nothing tells whether a manager has begun to reload, so it is asked once, and the feeding is the proof.
func (r *Remedies) reload() act.Op {
	return act.Op{
		Effect: act.Blind, Timeout: 2 * time.Minute,
		Do: func(ctx context.Context, s act.StepContext) error {
			client, err := r.reach.Bridge(s.Step.Args["bridge"])
			if err != nil {
				return act.NotSent(err)
			}
			m, ok := client.(manager)
			if !ok {
				return act.NotSent(fleet.Fail(fleet.Refused, fleet.Because("remedy.no_reload", "bridge", s.Step.Args["bridge"])))
			}
			return sentOrNot(m.RestartManager(ctx))
		},
	}
}

// sentOrNot marks what a bridge's client knows not to have been carried out.
func sentOrNot(err error) error {
	if err != nil && !prb.IsAmbiguous(err) {
		return act.NotSent(err)
	}
	return err
}

func bridgeSilent(name string, err error) error {
	return fleet.FailWith(fleet.Unavailable, fleet.Because("remedy.bridge_silent", "bridge", name, "err", err), err)
}

// bridgeFeeds proves that a started feeder is found, has built contexts, and that they are fed: some worker's height grows.
// One that has nobody to feed is proved by its answer. A pherry has no API: its pRuntime's own height is the proof.
func (r *Remedies) bridgeFeeds() act.Op {
	return act.Op{
		Deadline: feedDeadline, Timeout: 2 * time.Minute,
		Verify: func(ctx context.Context, s act.StepContext) (act.Proof, time.Time, fleet.Reason, error) {
			name, next := s.Step.Args["bridge"], s.Now.Add(pollEvery)
			if _, b, err := findBridge(r.config(), name); err == nil && b.Version == config.VersionSolo {
				return r.soloFeeds(ctx, s, b)
			}
			client, err := r.reach.Bridge(name)
			if err != nil {
				return act.NotYet, next, fleet.Reason{}, err
			}
			states, err := client.States(ctx)
			switch {
			case errors.Is(err, prb.ErrConfigMode), err == nil && !anyoneToFeed(states) && nobodyToFeed(client.Read(ctx)):
				return act.Proved, next, fleet.Because("remedy.bridge_idle", "bridge", name), nil
			case err != nil:
				return act.NotYet, next, fleet.Because("remedy.bridge_silent", "bridge", name, "err", err), nil
			case someoneGrows(&r.growth, stepKey(s), states, s.Now):
				r.growth.forget(stepKey(s))
				return act.Proved, next, fleet.Because("remedy.bridge_fed", "bridge", name, "contexts", len(states)), nil
			}
			return act.NotYet, next, fleet.Because("remedy.bridge_not_yet", "bridge", name, "contexts", len(states)), nil
		},
	}
}

// soloFeeds asks the pRuntime of a solo worker.
func (r *Remedies) soloFeeds(ctx context.Context, s act.StepContext, b config.Bridge) (act.Proof, time.Time, fleet.Reason, error) {
	next := s.Now.Add(pollEvery)
	height, err := r.runtimeHeight(ctx, b.URL)
	switch {
	case err != nil:
		return act.NotYet, next, fleet.Because("remedy.pruntime_silent", "worker", b.Name, "err", err), nil
	case r.growth.grew(stepKey(s), height, s.Now):
		r.growth.forget(stepKey(s))
		return act.Proved, next, fleet.Because("remedy.solo_fed", "worker", b.Name, "height", height), nil
	}
	return act.NotYet, next, fleet.Because("remedy.solo_not_yet", "worker", b.Name, "height", height), nil
}

// runtimeHeight is the newest block that a pRuntime has executed; -1 before the first.
func (r *Remedies) runtimeHeight(ctx context.Context, url string) (int64, error) {
	client, err := r.reach.Pruntime(url)
	if err != nil {
		return 0, err
	}
	info, err := client.GetInfo(ctx)
	if err != nil {
		return 0, err
	}
	if !info.Para.Known {
		return -1, nil
	}
	return info.Para.Value, nil
}

// someoneGrows reports whether the height of a worker that has not failed is above what an earlier look saw.
func someoneGrows(g *growth, key string, states []fleet.WorkerStatus, now time.Time) bool {
	grows := false
	for _, w := range states {
		if w.Para.Known && w.Para.Value >= 0 && !failing(w.State) && g.grew(key+w.ID, w.Para.Value, now) {
			grows = true
		}
	}
	return grows
}

// anyoneToFeed reports whether there is a context that wants blocks; v3.2 lists disabled workers, too.
func anyoneToFeed(states []fleet.WorkerStatus) bool {
	for _, w := range states {
		if w.State != stateDisabled {
			return true
		}
	}
	return false
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
