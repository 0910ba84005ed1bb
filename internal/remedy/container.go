package remedy

import (
	"context"
	"errors"
	"strings"
	"time"

	"phalops/internal/act"
	"phalops/internal/fleet"
	"phalops/internal/host"
)

// Ops of the plans that stop and start containers.
const (
	opSameSet      = "set.same"
	opStop         = "container.stop"
	opStopSlow     = "container.stop_slow"
	opStart        = "container.start"
	opNodeGrows    = "node.grows"
	opProviderWait = "dp.wait"
	opProviderCure = "dp.restart"
	opProviderGrow = "dp.grows"
	opBridgeFeeds  = "bridge.feeds"
	opLeave        = "leave"
)

// Bounds of one request to stop. An engine may take a minute on top of the grace, to tear down networks and mounts.
const (
	stopTimeout = 5 * time.Minute
	longGrace   = 3 * time.Minute // from here on the engine goes on stopping after the request was given up
	maxGrace    = time.Hour       // config allows no more
	stopSlack   = time.Minute
)

func (r *Remedies) partOps() map[string]act.Op {
	return map[string]act.Op{
		opSameSet:      r.sameSet(),
		opStop:         r.containerStop(stopSlack),
		opStopSlow:     r.containerStop(maxGrace + stopSlack),
		opStart:        r.containerStart(),
		opNodeGrows:    r.nodeGrows(),
		opProviderWait: r.followWait(),
		opProviderCure: r.followCure(),
		opProviderGrow: r.followGrows(),
		opBridgeFeeds:  r.bridgeFeeds(),
		opLeave:        leave(),
		opCost:         cost(),
		opQuiet:        r.quiet(),
		opReload:       r.reload(),
	}
}

// sameSteps is the look before the first effect: minutes may lie between a plan and its beginning (a preview waits for a
// person), and what somebody stopped in between must not come back.
func sameSteps(target fleet.Ref, bridges []bridgeParts) []fleet.Step {
	set := places(bridges)
	if set == "" {
		return nil
	}
	var names []string
	for _, b := range bridges {
		if b.unseen == "" {
			names = append(names, b.bridge.Name)
		}
	}
	return []fleet.Step{{
		Name: "look", Op: opSameSet, Target: target, Class: fleet.ClassReversible,
		Args:  map[string]string{"bridges": strings.Join(names, " "), "set": set},
		Label: fleet.Because("remedy.step_same", "count", strings.Count(set, " ")+1),
	}}
}

func (r *Remedies) sameSet() act.Op {
	return act.Op{
		Deadline: 2 * time.Minute, Timeout: 90 * time.Second,
		Verify: func(ctx context.Context, s act.StepContext) (act.Proof, time.Time, fleet.Reason, error) {
			var now []bridgeParts
			for name := range strings.FieldsSeq(s.Step.Args["bridges"]) {
				_, bridge, err := findBridge(r.config(), name)
				if err != nil {
					return act.TooLate, time.Time{}, fleet.ReasonOf(err), nil
				}
				b, err := r.partsOf(ctx, bridge)
				if err != nil {
					return act.NotYet, s.Now.Add(pollEvery), fleet.Reason{}, err
				}
				now = append(now, b)
			}
			if was, is := s.Step.Args["set"], places(now); was != is {
				return act.TooLate, time.Time{}, fleet.Because("remedy.set_changed", "was", was, "is", is), nil
			}
			return act.Proved, time.Time{}, fleet.Because("remedy.set_same", "set", s.Step.Args["set"]), nil
		},
	}
}

// stopStep stops one container that ran. Names, not ids, go into the plan: a container that is re-created meanwhile keeps
// its name, and it is the name that an operator looks for.
func stopStep(p part) fleet.Step {
	op := opStop
	if p.grace >= longGrace {
		op = opStopSlow
	}
	return fleet.Step{
		Name: "stop " + p.place(), Op: op, Target: p.owner, Class: fleet.ClassCostsMining,
		Args:  map[string]string{"host": p.host, "container": p.container.Name, "grace": p.grace.String()},
		Label: fleet.Because("remedy.step_stop", "container", p.container.Name, "host", p.host),
	}
}

func startStep(p part) fleet.Step {
	args := map[string]string{"host": p.host, "container": p.container.Name}
	if p.standby != "" {
		args["standby"], args["project"], args["service"], args["bridge"] = p.standby, p.project, p.service, p.owner.Name()
	}
	return fleet.Step{
		Name: "start " + p.place(), Op: opStart, Target: p.owner, Class: fleet.ClassReversible, Restoring: true, Args: args,
		Label: fleet.Because("remedy.step_start", "container", p.container.Name, "host", p.host),
	}
}

func (r *Remedies) engineOf(s act.StepContext) (host.Containers, string, error) {
	engine, err := r.reach.Containers(s.Step.Args["host"])
	return engine, s.Step.Args["container"], err
}

// inspect reads the step's container.
func (r *Remedies) inspect(ctx context.Context, s act.StepContext) (fleet.ContainerStatus, error) {
	engine, name, err := r.engineOf(s)
	if err != nil {
		return fleet.ContainerStatus{}, err
	}
	return engine.Inspect(ctx, name)
}

// is asks whether the step's container is as wished.
func (r *Remedies) is(wished func(fleet.ContainerStatus) bool) func(context.Context, act.StepContext) (bool, error) {
	return func(ctx context.Context, s act.StepContext) (bool, error) {
		c, err := r.inspect(ctx, s)
		return err == nil && wished(c), err
	}
}

func graceOf(s act.StepContext) (time.Duration, error) {
	return time.ParseDuration(s.Step.Args["grace"])
}

func (r *Remedies) containerStop(deadline time.Duration) act.Op {
	stopped := r.is(func(c fleet.ContainerStatus) bool { return !alive(c) })
	return act.Op{
		Effect: act.Visible, Timeout: stopTimeout, Deadline: deadline, Check: stopped,
		Do: func(ctx context.Context, s act.StepContext) error {
			engine, name, err := r.engineOf(s)
			if err != nil {
				return err
			}
			grace, err := graceOf(s)
			if err != nil {
				return err
			}
			patience := min(grace+stopSlack, stopTimeout-stopSlack)
			bounded, cancel := context.WithTimeout(ctx, patience)
			defer cancel()
			err = engine.Stop(bounded, name, grace)
			if patience < grace && ctx.Err() == nil && errors.Is(err, context.DeadlineExceeded) {
				return nil // the engine still waits for the process: Verify sees its end
			}
			return err
		},
		Verify: func(ctx context.Context, s act.StepContext) (act.Proof, time.Time, fleet.Reason, error) {
			return proof(ctx, s, stopped, fleet.Because("remedy.stopped", "container", s.Step.Args["container"]))
		},
	}
}

func (r *Remedies) containerStart() act.Op {
	running := r.is(alive)
	return act.Op{
		Effect: act.Visible, Timeout: 90 * time.Second, Check: running,
		Do: func(ctx context.Context, s act.StepContext) error {
			engine, name, err := r.engineOf(s)
			if err != nil {
				return err
			}
			// Minutes have passed since the plan was made: somebody may have switched to the standby meanwhile.
			a := s.Step.Args
			if err := r.copyRests(ctx, a["standby"], a["project"], a["service"], a["bridge"]); err != nil {
				return err
			}
			return engine.Start(ctx, name)
		},
		Verify: func(ctx context.Context, s act.StepContext) (act.Proof, time.Time, fleet.Reason, error) {
			return proof(ctx, s, running, fleet.Because("remedy.running", "container", s.Step.Args["container"]))
		},
	}
}

// proof turns "is it so?" into a proof that is asked for again shortly.
func proof(ctx context.Context, s act.StepContext, is func(context.Context, act.StepContext) (bool, error), so fleet.Reason) (act.Proof, time.Time, fleet.Reason, error) {
	ok, err := is(ctx, s)
	if ok {
		return act.Proved, time.Time{}, so, nil
	}
	return act.NotYet, s.Now.Add(2 * time.Second), fleet.Because("remedy.not_yet", "container", s.Step.Args["container"]), err
}
