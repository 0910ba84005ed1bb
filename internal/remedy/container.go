package remedy

import (
	"context"
	"time"

	"phalops/internal/act"
	"phalops/internal/fleet"
	"phalops/internal/host"
)

// Ops of the plans that stop and start containers.
const (
	opStop         = "container.stop"
	opStart        = "container.start"
	opNodeGrows    = "node.grows"
	opProviderWait = "dp.wait"
	opProviderCure = "dp.restart"
	opProviderGrow = "dp.grows"
	opBridgeFeeds  = "bridge.feeds"
)

func (r *Remedies) partOps() map[string]act.Op {
	return map[string]act.Op{
		opStop:         r.containerStop(),
		opStart:        r.containerStart(),
		opNodeGrows:    r.nodeGrows(),
		opProviderWait: r.providerWait(),
		opProviderCure: r.providerCure(),
		opProviderGrow: r.providerGrows(),
		opBridgeFeeds:  r.bridgeFeeds(),
	}
}

// stopStep stops one container that ran. Names, not ids, go into the plan: a container that is re-created meanwhile keeps
// its name, and it is the name that an operator looks for.
func stopStep(p part) fleet.Step {
	return fleet.Step{
		Name: "stop " + p.host + "/" + p.container.Name, Op: opStop, Target: p.owner, Class: fleet.ClassCostsMining,
		Args:  map[string]string{"host": p.host, "container": p.container.Name, "grace": p.grace.String()},
		Label: fleet.Because("remedy.step_stop", "container", p.container.Name, "host", p.host),
	}
}

func startStep(p part) fleet.Step {
	return fleet.Step{
		Name: "start " + p.host + "/" + p.container.Name, Op: opStart, Target: p.owner, Class: fleet.ClassReversible, Restoring: true,
		Args:  map[string]string{"host": p.host, "container": p.container.Name},
		Label: fleet.Because("remedy.step_start", "container", p.container.Name, "host", p.host),
	}
}

func (r *Remedies) engineOf(s act.StepContext) (host.Containers, string, error) {
	engine, err := r.reach.Containers(s.Step.Args["host"])
	return engine, s.Step.Args["container"], err
}

func (r *Remedies) containerStop() act.Op {
	stopped := func(ctx context.Context, s act.StepContext) (bool, error) {
		engine, name, err := r.engineOf(s)
		if err != nil {
			return false, err
		}
		c, err := engine.Inspect(ctx, name)
		return err == nil && !ran(c), err
	}
	return act.Op{
		Effect: act.Visible,
		// The longest grace is the node's; the request itself waits it out.
		Timeout:  5 * time.Minute,
		Deadline: time.Minute,
		Check:    stopped,
		Do: func(ctx context.Context, s act.StepContext) error {
			engine, name, err := r.engineOf(s)
			if err != nil {
				return err
			}
			grace, err := time.ParseDuration(s.Step.Args["grace"])
			if err != nil {
				return err
			}
			return engine.Stop(ctx, name, grace)
		},
		Verify: func(ctx context.Context, s act.StepContext) (act.Proof, time.Time, fleet.Reason, error) {
			return proofOf(stopped, ctx, s, fleet.Because("remedy.stopped", "container", s.Step.Args["container"]))
		},
	}
}

func (r *Remedies) containerStart() act.Op {
	running := func(ctx context.Context, s act.StepContext) (bool, error) {
		engine, name, err := r.engineOf(s)
		if err != nil {
			return false, err
		}
		c, err := engine.Inspect(ctx, name)
		return err == nil && c.Running(), err
	}
	return act.Op{
		Effect: act.Visible,
		Check:  running,
		Do: func(ctx context.Context, s act.StepContext) error {
			engine, name, err := r.engineOf(s)
			if err != nil {
				return err
			}
			return engine.Start(ctx, name)
		},
		Verify: func(ctx context.Context, s act.StepContext) (act.Proof, time.Time, fleet.Reason, error) {
			return proofOf(running, ctx, s, fleet.Because("remedy.running", "container", s.Step.Args["container"]))
		},
	}
}

// proofOf turns "is it so?" into a proof that is asked for again shortly.
func proofOf(is func(context.Context, act.StepContext) (bool, error), ctx context.Context, s act.StepContext, proved fleet.Reason) (act.Proof, time.Time, fleet.Reason, error) {
	ok, err := is(ctx, s)
	if ok {
		return act.Proved, time.Time{}, proved, nil
	}
	return act.NotYet, s.Now.Add(2 * time.Second), fleet.Because("remedy.not_yet", "container", s.Step.Args["container"]), err
}
