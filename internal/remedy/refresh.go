package remedy

import (
	"context"
	"strings"
	"time"

	"phalops/internal/act"
	"phalops/internal/config"
	"phalops/internal/fleet"
)

const (
	opRefresh  = "worker.refresh"
	opRegister = "worker.register"
)

// refreshDeadline: a transaction waits for its pool's others, and for a block.
const refreshDeadline = 20 * time.Minute

// refresher is a v2 bridge: a new attestation, registration and restart.
type refresher interface {
	RefreshWorker(ctx context.Context, id string) error
}

// registrar is a v3 bridge: a new registration, without a restart.
type registrar interface {
	ForceRegister(ctx context.Context, ids ...string) error
}

// buildRefresh renews workers' registrations. It is for persons alone: v2's bridge can only ask for an EPID attestation, which
// nobody issues any more, and leaves a worker for which that fails in S_ERROR without a feeder (operations, 5.5); v3's costs a
// transaction of the pool's operator; v0 and pherry have none.
func (r *Remedies) buildRefresh(ctx context.Context, req act.Request, now time.Time) (fleet.Plan, error) {
	if byRule(req) {
		return fleet.Plan{}, fleet.Fail(fleet.Refused, fleet.Because("remedy.by_hand", "kind", "plan_kind."+req.Kind))
	}
	return r.batch(ctx, req, now, rung{label: refreshLabel, guard: cannotRefresh, steps: refreshSteps})
}

func cannotRefresh(w ward) fleet.Reason {
	switch w.bridge.Version {
	case genV0:
		return fleet.Because("remedy.no_refresh_v0", "worker", w.name)
	case config.VersionSolo:
		return fleet.Because("remedy.no_refresh_solo", "worker", w.name)
	}
	return mustNotRevive(w)
}

func refreshLabel(w ward) fleet.Reason {
	if w.bridge.Version == genV3 {
		return fleet.Because("remedy.step_register", "worker", w.name)
	}
	return fleet.Because("remedy.step_refresh", "worker", w.name)
}

func refreshSteps(_ context.Context, w ward) ([]fleet.Step, error) {
	op := opRefresh
	if w.bridge.Version == genV3 {
		op = opRegister
	}
	return []fleet.Step{{
		Name: "refresh " + w.id(), Op: op, Target: w.ref, Class: fleet.ClassCostsMining, Args: w.args(), Label: refreshLabel(w),
	}}, nil
}

// refresh is a restart that costs more, and is proved in the same way.
func (r *Remedies) refresh() act.Op {
	return act.Op{
		Effect: act.Blind, Deadline: refreshDeadline, Timeout: 2 * time.Minute, Prepare: r.noteWorker, Verify: r.verifyWorker,
		Do: func(ctx context.Context, s act.StepContext) error {
			client, err := r.reach.Bridge(s.Step.Args["bridge"])
			if err != nil {
				return act.NotSent(err)
			}
			able, ok := client.(refresher)
			if !ok {
				return act.NotSent(fleet.Fail(fleet.Refused, fleet.Because("remedy.no_refresh", "worker", s.Step.Args["name"])))
			}
			return sentOrNot(able.RefreshWorker(ctx, s.Step.Args["id"]))
		},
	}
}

// register asks v3 for a registration, which its words tell of.
func (r *Remedies) register() act.Op {
	return act.Op{
		Effect: act.Blind, Deadline: refreshDeadline, Timeout: 2 * time.Minute, Prepare: r.noteWorker,
		Do: func(ctx context.Context, s act.StepContext) error {
			client, err := r.reach.Bridge(s.Step.Args["bridge"])
			if err != nil {
				return act.NotSent(err)
			}
			able, ok := client.(registrar)
			if !ok {
				return act.NotSent(fleet.Fail(fleet.Refused, fleet.Because("remedy.no_refresh", "worker", s.Step.Args["name"])))
			}
			return sentOrNot(able.ForceRegister(ctx, s.Step.Args["id"]))
		},
		Verify: func(ctx context.Context, s act.StepContext) (act.Proof, time.Time, fleet.Reason, error) {
			name, next := s.Step.Args["name"], s.Now.Add(pollEvery)
			w, err := r.workerState(ctx, s)
			switch {
			case err != nil:
				return act.NotYet, next, fleet.Because("remedy.bridge_silent", "bridge", s.Step.Args["bridge"], "err", err), nil
			case w == nil:
				return act.NotYet, next, fleet.Because("remedy.worker_no_context", "worker", name), nil
			case saying(w) == s.Step.Note["said"], strings.HasPrefix(w.Message, "Requesting "), strings.HasSuffix(w.Message, " Starting..."):
				return act.NotYet, next, fleet.Because("remedy.worker_not_yet", "worker", name, "state", stateOf(w)), nil
			case failing(w.State):
				return act.TooLate, next, fleet.Because("remedy.worker_failed_again", "worker", name, "message", w.Message), nil
			}
			return act.Proved, next, fleet.Because("remedy.registered", "worker", name, "message", w.Message), nil
		},
	}
}
