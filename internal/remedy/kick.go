package remedy

import (
	"context"
	"errors"
	"time"

	"phalops/internal/act"
	"phalops/internal/fleet"
	"phalops/internal/pruntime"
	"phalops/internal/wire"
)

// kickSettles is how long after a kick the process may still answer, before it is gone.
const kickSettles = 10 * time.Second

// buildKick lets pRuntimes' processes exit, for their supervisors to start them again: checkpoint, kick, answers, feeder. It
// is for persons, and asks the pRuntime itself, never its bridge: a bridge stops feeding first and then finds out that the
// pRuntime, started as usual, has no kick API (operations, 5.5), while a pRuntime without one says so and nothing has
// happened. One that has said so is not offered again.
func (r *Remedies) buildKick(ctx context.Context, req act.Request, now time.Time) (fleet.Plan, error) {
	if byRule(req) {
		return fleet.Plan{}, fleet.Fail(fleet.Refused, fleet.Because("remedy.by_hand", "kind", "plan_kind."+req.Kind))
	}
	return r.batch(ctx, req, now, rung{label: kickLabel, guard: r.mustNotKick, steps: r.kickSteps})
}

func kickLabel(w ward) fleet.Reason { return fleet.Because("remedy.step_kick", "worker", w.name) }

func (r *Remedies) mustNotKick(w ward) fleet.Reason {
	if why := mustNotRevive(w); !why.IsZero() {
		return why
	}
	if _, without := r.kickless.Load(endpointOf(w)); without {
		return fleet.Because("remedy.no_kick", "worker", w.name)
	}
	return fleet.Reason{}
}

func (r *Remedies) kickSteps(ctx context.Context, w ward) ([]fleet.Step, error) {
	back, err := r.restartSteps(ctx, w)
	if err != nil {
		return nil, err
	}
	kick := fleet.Step{
		Name: "kick " + w.id(), Op: opKick, Target: w.ref, Class: fleet.ClassCostsMining, Args: w.args("url", endpointOf(w)), Label: kickLabel(w),
	}
	return append([]fleet.Step{w.checkpoint(), kick, w.answers()}, back...), nil
}

// kick is blind: a process that has just started says nothing of why.
func (r *Remedies) kick() act.Op {
	return act.Op{
		Effect: act.Blind, Timeout: time.Minute,
		Do: func(ctx context.Context, s act.StepContext) error {
			client, err := r.reach.Pruntime(s.Step.Args["url"])
			if err != nil {
				return act.NotSent(err)
			}
			err = client.Kick(ctx)
			if errors.Is(err, pruntime.ErrNoMethod) {
				r.kickless.Store(s.Step.Args["url"], true)
			}
			if err != nil && !wire.IsAmbiguous(err) {
				return act.NotSent(err)
			}
			return err
		},
		Verify: func(_ context.Context, s act.StepContext) (act.Proof, time.Time, fleet.Reason, error) {
			if gone := s.Step.Effected.Add(kickSettles); s.Now.Before(gone) {
				return act.NotYet, gone, fleet.Because("remedy.kick_settles", "worker", s.Step.Args["name"]), nil
			}
			return act.Proved, s.Now, fleet.Because("remedy.kicked", "worker", s.Step.Args["name"]), nil
		},
		Attempts: 1,
	}
}
