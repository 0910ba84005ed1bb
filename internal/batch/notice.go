package batch

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"phalops/internal/act"
	"phalops/internal/config"
	"phalops/internal/fleet"
	v3 "phalops/internal/prb/v3"
	"phalops/internal/remedy"
	"phalops/internal/store"
)

const opNotice = "bridge.notice"

// QuietFor is how long a bridge is waited for to be quiet before it is restarted to notice what was written; one that does
// not get quiet is left alone, and the plan says so.
const QuietFor = 30 * time.Minute

// What a notice is for.
const (
	needContexts = "contexts" // workers that shall run and have no context
	needRecords  = "records"  // contexts that run on with the old records
)

// noticeStep makes the bridge read its records again, once, after all of them were written: with v0 and v2 that is a restart of
// the lifecycle manager, with v3.0 a request, with v3.2 nothing (prb-v0-v2-api, 2.2; prb3, 1.6).
func noticeStep(bridge config.Bridge, need string, names []string, restart string) fleet.Step {
	s := fleet.Step{
		Name: "notice " + bridge.Name, Op: opNotice, Target: fleet.InventoryRef(bridge.Name), Class: fleet.ClassCostsMining, Phase: phaseNotice,
		Args:  map[string]string{"bridge": bridge.Name, "version": bridge.Version, "need": need, ArgRestart: restart},
		Label: fleet.Because("batch.step_notice", "bridge", bridge.Name),
	}
	if need == needContexts {
		s.Args["workers"] = strings.Join(names, "\n")
	}
	if bridge.Version == genV3 {
		s.Label = fleet.Because("batch.step_notice_v3", "bridge", bridge.Name)
	}
	return s
}

// manager is a v3 bridge, which tells which build it is.
type manager interface {
	Generation(ctx context.Context) (v3.Generation, error)
}

// notice asks for the shared plan that restarts a bridge, under this one, and waits for its end.
func (b *Batches) notice() act.Op {
	return act.Op{
		Effect: act.Visible, Timeout: 2 * time.Minute, Deadline: 3 * time.Hour, Attempts: 12,
		Check: func(ctx context.Context, s act.StepContext) (bool, error) {
			if s.Step.State == fleet.StepIntent { // it was asked for before a crash, or was not
				_, err := b.Journal.Plan(ctx, child(s))
				if errors.Is(err, store.ErrNotFound) {
					return false, nil
				}
				return err == nil, err
			}
			return b.noticed(ctx, s)
		},
		Do:     b.askRestart,
		Verify: b.restarted,
	}
}

// child is the id of the plan that a step asks for: the same after a crash, another one for another try.
func child(s act.StepContext) string {
	return fmt.Sprintf("%s-%d-%d", s.Plan.ID, s.Step.Seq, s.Step.Attempt)
}

// noticed reports whether there is nothing left that the bridge would have to notice.
func (b *Batches) noticed(ctx context.Context, s act.StepContext) (bool, error) {
	bridge := s.Step.Args["bridge"]
	if s.Step.Args["version"] == genV3 {
		client, err := b.Reach.Bridge(bridge)
		if err != nil {
			return false, err
		}
		m, ok := client.(manager)
		if !ok {
			return false, act.Final(fleet.Fail(fleet.Refused, fleet.Because("remedy.no_reload", "bridge", bridge)))
		}
		if g, err := m.Generation(ctx); err != nil || g == v3.V32 {
			return err == nil, err
		}
	}
	if s.Step.Args["need"] == needRecords {
		return b.wroteNothing(ctx, s.Plan.ID)
	}
	b.forget(bridge)
	stock, err := b.stock(ctx, bridge, s.Now, writeAge)
	if err != nil {
		return false, err
	}
	states, err := b.states(ctx, bridge, s.Now, writeAge)
	if err != nil {
		return false, err
	}
	runs := map[string]bool{}
	for _, w := range states {
		runs[w.ID] = true
	}
	wanted := strings.Split(s.Step.Args["workers"], "\n")
	return !slices.ContainsFunc(stock.workers, func(w fleet.WorkerStatus) bool {
		return w.Enabled && !runs[w.ID] && slices.Contains(wanted, w.Name)
	}), nil
}

// wroteNothing reports whether no step of the plan has changed a record.
func (b *Batches) wroteNothing(ctx context.Context, plan string) (bool, error) {
	p, err := b.Journal.Plan(ctx, plan)
	return err == nil && !slices.ContainsFunc(p.Steps, func(s fleet.Step) bool {
		return s.Phase < phaseNotice && s.Attempt > 0
	}), err
}

func (b *Batches) askRestart(ctx context.Context, s act.StepContext) error {
	bridge := s.Step.Args["bridge"]
	args := map[string]string{remedy.ArgWait: QuietFor.String(), remedy.ArgThen: remedy.ThenStop}
	if s.Step.Args[ArgRestart] == RestartNow {
		args = nil
	}
	p, err := b.Engine().Build(ctx, act.Request{
		Kind: remedy.RestartBridge, Targets: []fleet.Ref{fleet.BridgeRef(bridge)}, Args: args, Author: s.Plan.Author, Under: s.Plan.ID,
		Reason: fleet.Because("batch.to_notice", "plan", s.Plan.ID),
	}, s.Now)
	if err == nil {
		p.ID = child(s)
		if err = b.Engine().Submit(ctx, p, s.Now); errors.Is(err, store.ErrExists) {
			return nil
		}
	}
	b.forget(bridge)
	switch {
	case err == nil:
		return nil
	case fleet.KindOf(err) == fleet.Locked, fleet.KindOf(err) == fleet.Unavailable: // also one under way: it may have read the records before they were written
		return act.NotSent(err)
	}
	return act.Final(act.NotSent(fleet.FailWith(fleet.Refused, fleet.Because("batch.not_noticed", "bridge", bridge, "err", err), err)))
}

// restarted is the end of the plan that was asked for.
func (b *Batches) restarted(ctx context.Context, s act.StepContext) (act.Proof, time.Time, fleet.Reason, error) {
	bridge := s.Step.Args["bridge"]
	p, err := b.Journal.Plan(ctx, child(s))
	switch {
	case err != nil:
		return act.NotYet, s.Now.Add(pollEvery), fleet.Reason{}, err
	case p.State == fleet.PlanDone:
		b.forget(bridge)
		return act.Proved, s.Now, fleet.Because("batch.noticed", "bridge", bridge, "plan", p.ID), nil
	case p.State.Ended(), p.State == fleet.PlanParked:
		why := fleet.Fail(fleet.Failed, p.Note)
		return act.TooLate, s.Now, fleet.Because("batch.not_noticed", "bridge", bridge, "err", why), nil
	}
	return act.NotYet, s.Now.Add(pollEvery / 2), fleet.Because("batch.notice_waits", "bridge", bridge, "plan", p.ID), nil
}
