package batch

import (
	"context"
	"errors"
	"strings"
	"time"

	"phalops/internal/act"
	"phalops/internal/fleet"
	"phalops/internal/prb"
)

const (
	opDrop = "worker.drop"
	opRest = "worker.rest"
	opWake = "worker.wake"
)

// restsFor is how long a dropped worker is watched before it counts as dropped: a v0 bridge repeats its kick for half a
// minute, and a treatment that was asked for a moment before could still start it again.
const restsFor = 40 * time.Second

// buildStop takes workers from their feeder: enabled=false is stored and read back, and then their contexts are dropped. The
// stake stays locked, and the chain will call the worker unresponsive.
func (b *Batches) buildStop(ctx context.Context, req act.Request, now time.Time) (fleet.Plan, error) {
	p, bridge, err := b.begin(req, fleet.KindWorker)
	if err != nil {
		return p, err
	}
	wards, _, err := b.wards(ctx, p, bridge, now)
	if err != nil {
		return p, err
	}
	for _, w := range wards {
		want := recordOf(w.worker)
		want.Enabled = false
		write := w.writeStep(want, fleet.Because("batch.step_disable", "worker", w.name(), "bridge", bridge.Name))
		if why := w.unwritable(); !why.IsZero() {
			p.Steps = append(p.Steps, leftOut(write, why))
			continue
		}
		write.Class = fleet.ClassCostsMining
		p.Steps = append(p.Steps, write)
		if bridge.Version != genV3 {
			p.Steps = append(p.Steps, w.dropStep())
		}
		p.Steps = append(p.Steps, w.restStep())
	}
	if bridge.Version == genV3 { // v3.0 reads its records again when it is told to
		p.Steps = append(p.Steps, noticeStep(bridge, needRecords, nil, req.Args[ArgRestart]))
	}
	return p, anything(p)
}

func (w ward) dropStep() fleet.Step {
	return fleet.Step{
		Name: "drop " + w.id(), Op: opDrop, Target: w.ref, Class: fleet.ClassCostsMining, Args: w.args(), Phase: phaseWrite,
		Label: fleet.Because("batch.step_drop", "worker", w.name(), "bridge", w.bridge.Name),
	}
}

func (w ward) restStep() fleet.Step {
	return fleet.Step{
		Name: "rest " + w.id(), Op: opRest, Target: w.ref, Class: fleet.ClassCostsMining, Args: w.args(), Phase: phaseFollow,
		Label: fleet.Because("batch.step_rest", "worker", w.name(), "bridge", w.bridge.Name),
	}
}

// kicker is a bridge that can be told to stop feeding one worker: v0 and v2. The context stays, and rests.
type kicker interface {
	KickWorker(ctx context.Context, id string) error
}

// fed reports whether a context sends blocks, or may begin to.
func fed(w *fleet.WorkerStatus) bool {
	return w != nil && !failing(w.State) && w.State != "Disabled"
}

// drop makes a bridge stop feeding a worker whose record is disabled already. A kick ends the sync for good, also where the
// pRuntime has no kick API.
func (b *Batches) drop() act.Op {
	return act.Op{
		Effect: act.Visible, Timeout: 2 * time.Minute, Attempts: 4,
		Check: func(ctx context.Context, s act.StepContext) (bool, error) {
			w, err := b.context(ctx, s.Step.Args["bridge"], s.Step.Args["id"])
			return err == nil && !fed(w), err
		},
		Do: func(ctx context.Context, s act.StepContext) error {
			bridge := s.Step.Args["bridge"]
			client, err := b.Reach.Bridge(bridge)
			if err != nil {
				return act.NotSent(err)
			}
			k, ok := client.(kicker)
			if !ok {
				return act.Final(act.NotSent(fleet.Fail(fleet.Refused, fleet.Because("batch.no_kick", "bridge", bridge))))
			}
			err = k.KickWorker(ctx, s.Step.Args["id"])
			b.acted(bridge)
			if errors.Is(err, prb.ErrNotRunning) {
				return nil
			}
			return err
		},
		Verify: func(ctx context.Context, s act.StepContext) (act.Proof, time.Time, fleet.Reason, error) {
			name, next := s.Step.Args["worker"], s.Now.Add(2*time.Second)
			w, err := b.context(ctx, s.Step.Args["bridge"], s.Step.Args["id"])
			if err == nil && !fed(w) {
				return act.Proved, next, fleet.Because("batch.dropped", "worker", name), nil
			}
			if err != nil {
				return act.NotYet, next, fleet.ReasonOf(err), nil
			}
			return act.NotYet, next, fleet.Because("batch.still_fed", "worker", name, "state", stateOf(w.State)), nil
		},
	}
}

// rest watches that nobody feeds a worker any more, and that it stays so.
func (b *Batches) rest() act.Op {
	return act.Op{
		Timeout: 2 * time.Minute,
		Verify: func(ctx context.Context, s act.StepContext) (act.Proof, time.Time, fleet.Reason, error) {
			name, next := s.Step.Args["worker"], s.Now.Add(pollEvery)
			w, err := b.running(ctx, s)
			switch {
			case err != nil:
				return act.NotYet, next, fleet.ReasonOf(err), nil
			case fed(w):
				return act.NotYet, next, fleet.Because("batch.still_fed", "worker", name, "state", stateOf(w.State)), nil
			case w != nil && w.State != "Disabled" && s.Now.Sub(s.Step.Effected) < restsFor:
				return act.NotYet, s.Step.Effected.Add(restsFor), fleet.Because("batch.dropped", "worker", name), nil
			}
			return act.Proved, next, fleet.Because("batch.rests", "worker", name), nil
		},
	}
}

// buildStart gives workers back to their feeder: enabled=true is stored, what has no context gets one by the bridge's
// restart, what has one is told to begin anew. A worker that cools down or leaves is not revived.
func (b *Batches) buildStart(ctx context.Context, req act.Request, now time.Time) (fleet.Plan, error) {
	p, bridge, err := b.begin(req, fleet.KindWorker)
	if err != nil {
		return p, err
	}
	wards, stock, err := b.wards(ctx, p, bridge, now)
	if err != nil {
		return p, err
	}
	leaving, err := b.leaving(ctx, now)
	if err != nil {
		return p, err
	}
	around := b.neighbours(ctx, bridge.Name, now)
	var names []string
	for _, w := range wards {
		want := recordOf(w.worker)
		want.Enabled = true
		write := w.writeStep(want, fleet.Because("batch.step_enable", "worker", w.name(), "bridge", bridge.Name))
		if why := w.mustRest(leaving, around); !why.IsZero() {
			p.Steps = append(p.Steps, leftOut(write, why))
			continue
		}
		p.Steps = append(p.Steps, write)
		if bridge.Version != genV3 {
			p.Steps = append(p.Steps, w.wakeStep())
		}
		follow := followStep(bridge, w.ref, w.name(), w.worker.SyncOnly || stock.syncs(w.worker.PID))
		follow.Args["id"], follow.Name = w.ref.Name(), "follow "+w.id()
		p.Steps = append(p.Steps, follow)
		names = append(names, w.worker.Name)
	}
	if len(names) > 0 && req.Args[ArgRestart] != RestartNever {
		p.Steps = append(p.Steps, noticeStep(bridge, needContexts, names, req.Args[ArgRestart]))
	}
	if len(around.unchecked) > 0 {
		p.Args[ArgUnchecked] = joined(around.unchecked)
	}
	return p, anything(p)
}

// mustRest says why a worker must not be put to work again.
func (w ward) mustRest(leaving map[string]string, around neighbours) fleet.Reason {
	if why := w.unwritable(); !why.IsZero() {
		return why
	}
	if plan := leaving[string(w.ref)]; plan != "" {
		return fleet.Because("batch.is_leaving", "worker", w.name(), "plan", plan)
	}
	switch s := w.state; {
	case w.worker.Stake.Cmp(fleet.PHA(1)) < 0:
		return fleet.Because("prb.bad_stake", "name", w.name(), "stake", w.worker.Stake.PHA())
	case w.pool == nil:
		return fleet.Because("batch.no_pool", "pool", w.worker.PID, "bridge", w.bridge.Name)
	case s != nil && strings.HasSuffix(s.Session, "CoolingDown"):
		return fleet.Because("remedy.worker_cooling", "worker", w.name())
	case s != nil && (s.Condition == fleet.Leaving || s.State == "S_SYNCHED" && strings.Contains(s.Message, "is cooling down")):
		return fleet.Because("remedy.worker_leaving", "worker", w.name())
	}
	if h, taken := around.other(w); taken {
		return fleet.Because("batch.endpoint_taken", "endpoint", w.worker.Endpoint, "other", h.worker.Name, "bridge", h.bridge)
	}
	return fleet.Reason{}
}

func (w ward) wakeStep() fleet.Step {
	return fleet.Step{
		Name: "wake " + w.id(), Op: opWake, Target: w.ref, Args: w.args(), Phase: phaseWake,
		Label: fleet.Because("batch.step_wake", "worker", w.name(), "bridge", w.bridge.Name),
	}
}

// wake has a context that rests begin anew. One that does not rest was made meanwhile, or told already.
func (b *Batches) wake() act.Op {
	return act.Op{
		Effect: act.Visible, Timeout: 2 * time.Minute, Attempts: 4,
		Check: func(ctx context.Context, s act.StepContext) (bool, error) {
			w, err := b.context(ctx, s.Step.Args["bridge"], s.Step.Args["id"])
			return err == nil && (w == nil || !failing(w.State)), err // follow says it of one that has no context
		},
		Do: func(ctx context.Context, s act.StepContext) error {
			client, err := b.Reach.Bridge(s.Step.Args["bridge"])
			if err != nil {
				return act.NotSent(err)
			}
			err = client.RestartWorker(ctx, s.Step.Args["id"])
			b.acted(s.Step.Args["bridge"])
			return err
		},
		Verify: func(ctx context.Context, s act.StepContext) (act.Proof, time.Time, fleet.Reason, error) {
			w, err := b.context(ctx, s.Step.Args["bridge"], s.Step.Args["id"])
			if err != nil || w != nil && w.State == "S_KICKED" {
				return act.NotYet, s.Now.Add(pollEvery), fleet.ReasonOf(err), nil
			}
			return act.Proved, s.Now, fleet.Because("batch.woken", "worker", s.Step.Args["worker"]), nil
		},
	}
}
