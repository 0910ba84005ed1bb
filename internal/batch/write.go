package batch

import (
	"context"
	"time"

	"phalops/internal/act"
	"phalops/internal/config"
	"phalops/internal/fleet"
	"phalops/internal/prb"
)

const opWrite = "record.write"

// ward is one worker whose record is changed.
type ward struct {
	ref    fleet.Ref
	bridge config.Bridge
	worker fleet.WorkerStatus  // as stored
	state  *fleet.WorkerStatus // its context; nil: none
	pool   *fleet.Pool
}

func (w ward) id() string { return w.bridge.Name + "/" + w.ref.Name() }

// name is what people call it; a worker that the bridge does not know has only its id.
func (w ward) name() string {
	if w.worker.Name == "" {
		return w.ref.Name()
	}
	return w.worker.Name
}

func (w ward) args() map[string]string {
	return map[string]string{"bridge": w.bridge.Name, "version": w.bridge.Version, "id": w.ref.Name(), "worker": w.name()}
}

// wards are the workers that a request is about, in its order.
func (b *Batches) wards(ctx context.Context, p fleet.Plan, bridge config.Bridge, now time.Time) ([]ward, stock, error) {
	stock, err := b.stock(ctx, bridge.Name, now, writeAge)
	if err != nil {
		return nil, stock, err
	}
	states, err := b.states(ctx, bridge.Name, now, writeAge)
	if err != nil {
		return nil, stock, err
	}
	var all []ward
	for _, ref := range p.Targets {
		w := ward{ref: ref, bridge: bridge}
		if stored := stock.worker(ref.Name()); stored != nil {
			w.worker, w.pool = *stored, stock.pool(stored.PID)
		}
		for i := range states {
			if states[i].ID == ref.Name() {
				w.state = &states[i]
			}
		}
		all = append(all, w)
	}
	return all, stock, nil
}

// unwritable says why a worker's record cannot be written back whole.
func (w ward) unwritable() fleet.Reason {
	switch {
	case w.worker.ID == "":
		return fleet.Because("remedy.no_worker", "target", w.ref, "bridge", w.bridge.Name)
	case !w.worker.StakeOK:
		return fleet.Because("batch.bad_stake", "worker", w.name())
	}
	return fleet.Reason{}
}

// writeStep stores another record in the place of the one that is there now; if that is another one when the step begins,
// somebody else is at it, and nothing is written.
func (w ward) writeStep(want record, label fleet.Reason) fleet.Step {
	args := w.args()
	recordOf(w.worker).put(args, "was.")
	want.put(args, "")
	return fleet.Step{Name: "write " + w.id(), Op: opWrite, Target: w.ref, Args: args, Label: label, Phase: phaseWrite}
}

// write is visible in the inventory. The whole record goes out, because a bridge blanks what is missing.
func (b *Batches) write() act.Op {
	return act.Op{
		Effect: act.Visible, Timeout: 3 * time.Minute, Attempts: 4,
		Check: func(ctx context.Context, s act.StepContext) (bool, error) {
			want, _, have, err := b.change(ctx, s)
			return err == nil && want.stored(*have), err
		},
		Do: func(ctx context.Context, s act.StepContext) error {
			bridge := s.Step.Args["bridge"]
			want, was, have, err := b.change(ctx, s)
			if err != nil {
				return act.NotSent(err)
			}
			if !was.stored(*have) && (have.StakeOK || recordOf(*have) != was) {
				return act.Final(act.NotSent(fleet.Fail(fleet.Refused, fleet.Because("remedy.record_changed", "worker", s.Step.Args["worker"], "bridge", bridge))))
			}
			inventory, err := b.inventory(bridge)
			if err != nil {
				return act.NotSent(err)
			}
			if _, err = inventory.UpdateWorkers(ctx, []prb.WorkerUpdate{{ID: have.ID, WorkerSpec: want.spec()}}); err != nil {
				b.forget(bridge)
				return lasting(err)
			}
			b.wrote(bridge, have.ID, want)
			return nil
		},
	}
}

// change is what a step shall write, what was there when the plan was made, and what is there now.
func (b *Batches) change(ctx context.Context, s act.StepContext) (want, was record, have *fleet.WorkerStatus, err error) {
	a := s.Step.Args
	if want, err = recordIn(a, ""); err != nil {
		return want, was, nil, act.Final(err)
	}
	if was, err = recordIn(a, "was."); err != nil {
		return want, was, nil, act.Final(err)
	}
	stock, err := b.stock(ctx, a["bridge"], s.Now, writeAge)
	if err != nil {
		return want, was, nil, err
	}
	if have = stock.worker(a["id"]); have == nil {
		return want, was, nil, act.Final(fleet.Fail(fleet.NotFound, fleet.Because("remedy.no_worker", "target", s.Step.Target, "bridge", a["bridge"])))
	}
	return want, was, have, nil
}
