package batch

import (
	"context"
	"time"

	"phalops/internal/act"
	"phalops/internal/fleet"
	"phalops/internal/prb"
	"phalops/internal/roster"
)

// Patch is what SetWorkers changes; nil: it stays as it is.
type Patch struct {
	Stake    *fleet.Amount `json:"stake,omitempty"`
	PID      *uint64       `json:"pool,omitempty"`
	Name     *string       `json:"name,omitempty"`     // of one worker only
	Endpoint *string       `json:"endpoint,omitempty"` // of one worker only
	Enabled  *bool         `json:"enabled,omitempty"`
	SyncOnly *bool         `json:"sync_only,omitempty"`
}

// on is the record with the changes.
func (p Patch) on(r record) record {
	set(&r.Stake, p.Stake)
	set(&r.PID, p.PID)
	set(&r.Name, p.Name)
	set(&r.Endpoint, p.Endpoint)
	set(&r.Enabled, p.Enabled)
	set(&r.SyncOnly, p.SyncOnly)
	return r
}

func set[T any](field *T, to *T) {
	if to != nil {
		*field = *to
	}
}

// buildSet changes records, and nothing in them that was not asked for. Contexts run on with the old ones: a v0 bridge
// reads a record again when its worker is restarted, a v2 bridge when its lifecycle manager is, v3.2 at once.
func (b *Batches) buildSet(ctx context.Context, req act.Request, now time.Time) (fleet.Plan, error) {
	p, bridge, err := b.begin(req, fleet.KindWorker)
	if err != nil {
		return p, err
	}
	var patch Patch
	if err := items(req, &patch); err != nil {
		return p, err
	}
	if len(p.Targets) > 1 && (patch.Name != nil || patch.Endpoint != nil) {
		return p, fleet.Fail(fleet.Invalid, fleet.Because("batch.one_only", "n", len(p.Targets)))
	}
	p.Args[ArgItems] = req.Args[ArgItems]
	wards, stock, err := b.wards(ctx, p, bridge, now)
	if err != nil {
		return p, err
	}
	leaving, err := b.leaving(ctx, now)
	if err != nil {
		return p, err
	}
	around := b.neighbours(ctx, bridge.Name, now)
	applies := false
	for _, w := range wards {
		is := recordOf(w.worker)
		want := patch.on(is)
		write := w.writeStep(want, changes(w, is, want))
		why := w.unwritable()
		if patch.Stake != nil && why.Code == "batch.bad_stake" {
			why = fleet.Reason{} // that is what is being mended
		}
		if why.IsZero() {
			why = w.mustNotBecome(want, patch, stock, around, leaving)
		}
		if !why.IsZero() {
			p.Steps = append(p.Steps, leftOut(write, why))
			continue
		}
		p.Steps = append(p.Steps, write)
		switch {
		case want.Enabled && !is.Enabled:
			applies = applies || bridge.Version != genV0 || w.state == nil
			if bridge.Version != genV3 {
				p.Steps = append(p.Steps, w.wakeStep())
			}
		case !want.Enabled && is.Enabled && bridge.Version != genV3:
			p.Steps = append(p.Steps, w.dropStep(), w.restStep())
		case want == is || !fed(w.state):
			continue
		case bridge.Version == genV0:
			p.Steps = append(p.Steps, w.renewStep())
		case req.Args[ArgRestart] == RestartNever && bridge.Version == genV2:
			continue // it runs on as before
		default:
			applies = true
		}
		if want.Enabled {
			follow := followStep(bridge, w.ref, w.name(), want.SyncOnly || stock.syncs(want.PID))
			follow.Args["id"], follow.Name = w.ref.Name(), "follow "+w.id()
			p.Steps = append(p.Steps, follow)
		}
	}
	if applies && req.Args[ArgRestart] != RestartNever {
		p.Steps = append(p.Steps, noticeStep(bridge, needRecords, nil, req.Args[ArgRestart]))
	}
	if len(around.unchecked) > 0 {
		p.Args[ArgUnchecked] = joined(around.unchecked)
	}
	return p, anything(p)
}

// changes say what becomes of a record, and what that costs where it is the stake.
func changes(w ward, is, want record) fleet.Reason {
	switch c := want.Stake.Cmp(is.Stake); {
	case want == is:
		return fleet.Because("batch.step_same", "worker", w.name(), "bridge", w.bridge.Name)
	case c > 0:
		return fleet.Because("batch.step_raise", "worker", w.name(), "bridge", w.bridge.Name, "from", is.Stake.PHA(), "to", want.Stake.PHA())
	case c < 0:
		return fleet.Because("batch.step_lower", "worker", w.name(), "bridge", w.bridge.Name, "from", is.Stake.PHA(), "to", want.Stake.PHA())
	}
	return fleet.Because("batch.step_set", "worker", w.name(), "bridge", w.bridge.Name)
}

func (w ward) mustNotBecome(want record, patch Patch, s stock, around neighbours, leaving map[string]string) fleet.Reason {
	if err := prb.CheckWorkers([]prb.WorkerSpec{want.spec()}); err != nil {
		return fleet.ReasonOf(err)
	}
	if plan := leaving[string(w.ref)]; plan != "" {
		return fleet.Because("batch.is_leaving", "worker", w.name(), "plan", plan)
	}
	switch {
	case s.pool(want.PID) == nil:
		return fleet.Because("batch.no_pool", "pool", want.PID, "bridge", w.bridge.Name)
	case want.SyncOnly && w.bridge.Version == genV0:
		return fleet.Because("prb.no_sync_only", "name", w.name())
	}
	if want.Enabled && !w.worker.Enabled {
		if why := w.mustRest(leaving, around); !why.IsZero() {
			return why
		}
	}
	if h, taken := around.names[want.Name]; taken && patch.Name != nil && h.worker.ID != w.worker.ID {
		return fleet.Because("batch.name_taken", "worker", want.Name, "bridge", h.bridge, "endpoint", h.worker.Endpoint)
	}
	if patch.Endpoint != nil {
		for _, h := range around.endpoints[roster.Key(want.Endpoint)] {
			if h.bridge != w.bridge.Name || h.worker.ID != w.worker.ID {
				return fleet.Because("batch.endpoint_taken", "endpoint", want.Endpoint, "other", h.worker.Name, "bridge", h.bridge)
			}
		}
	}
	return fleet.Reason{}
}

const opRenew = "worker.renew"

func (w ward) renewStep() fleet.Step {
	return fleet.Step{
		Name: "renew " + w.id(), Op: opRenew, Target: w.ref, Class: fleet.ClassCostsMining, Args: w.args(), Phase: phaseWake,
		Label: fleet.Because("batch.step_renew", "worker", w.name(), "bridge", w.bridge.Name),
	}
}

// renew has a v0 bridge make a worker's context anew from its stored record. It is blind: nothing tells from which record a
// context was made.
func (b *Batches) renew() act.Op {
	return act.Op{
		Effect: act.Blind, Timeout: 2 * time.Minute,
		Do: func(ctx context.Context, s act.StepContext) error {
			client, err := b.Reach.Bridge(s.Step.Args["bridge"])
			if err != nil {
				return act.NotSent(err)
			}
			err = client.RestartWorker(ctx, s.Step.Args["id"])
			b.acted(s.Step.Args["bridge"])
			if err != nil && !prb.IsAmbiguous(err) {
				return act.NotSent(err)
			}
			return err
		},
		Verify: func(ctx context.Context, s act.StepContext) (act.Proof, time.Time, fleet.Reason, error) {
			w, err := b.context(ctx, s.Step.Args["bridge"], s.Step.Args["id"])
			switch {
			case err != nil:
				return act.NotYet, s.Now.Add(pollEvery), fleet.Reason{}, err
			case w == nil:
				return act.NotYet, s.Now.Add(pollEvery), fleet.Because("batch.no_context", "worker", s.Step.Args["worker"], "bridge", s.Step.Args["bridge"]), nil
			}
			return act.Proved, s.Now, fleet.Because("batch.renewed", "worker", s.Step.Args["worker"]), nil
		},
	}
}
