package remedy

import (
	"context"
	"strconv"
	"time"

	"phalops/internal/act"
	"phalops/internal/config"
	"phalops/internal/fleet"
	"phalops/internal/prb"
)

const opDisable = "worker.disable"

// buildDisable writes enabled=false into workers' records at their bridge, and nothing else: for a worker whose pRuntime has
// another identity than before, so that the bridge does not register the new key and lock a second stake.
func (r *Remedies) buildDisable(ctx context.Context, req act.Request, now time.Time) (fleet.Plan, error) {
	return r.batch(ctx, req, now, rung{
		label: func(w ward) fleet.Reason {
			return fleet.Because("remedy.step_disable", "worker", w.name, "bridge", w.bridge.Name)
		},
		guard: cannotDisable, steps: r.disableSteps,
	})
}

// cannotDisable says where a bridge would not take the record: it checks all of it again.
func cannotDisable(w ward) fleet.Reason {
	switch {
	case w.bridge.Version == config.VersionSolo:
		return fleet.Because("remedy.solo_disable", "worker", w.name, "container", w.bridge.Pherry, "host", w.bridge.Host)
	case !w.worker.StakeOK, w.worker.Stake.Cmp(fleet.PHA(1)) < 0:
		return fleet.Because("remedy.disable_stake", "worker", w.name)
	}
	return fleet.Reason{}
}

// disableSteps keep the whole record in the plan, as the bridge's inventory has it now: if it is another one when the step
// begins, somebody else is at it, and nothing is written.
func (r *Remedies) disableSteps(ctx context.Context, w ward) ([]fleet.Step, error) {
	_, record, err := r.record(ctx, w.bridge.Name, w.ref.Name())
	if err != nil {
		return nil, err
	}
	args := w.args("pid", strconv.FormatUint(record.PID, 10), "record", record.Name, "endpoint", record.Endpoint,
		"stake", record.Stake.String(), "sync_only", strconv.FormatBool(record.SyncOnly), "version", w.bridge.Version)
	class := fleet.ClassReversible
	if w.bridge.Version == genV3 {
		class = fleet.ClassCostsMining // v3.2 takes it out of work at once
	}
	return []fleet.Step{{
		Name: "disable " + w.id(), Op: opDisable, Target: w.ref, Class: class, Args: args,
		Label: fleet.Because("remedy.step_disable", "worker", w.name, "bridge", w.bridge.Name),
	}}, nil
}

// record reads a worker's record from its bridge's inventory, with the worker's own SyncOnly.
func (r *Remedies) record(ctx context.Context, bridge, id string) (prb.Inventory, fleet.WorkerStatus, error) {
	client, err := r.reach.Bridge(bridge)
	if err != nil {
		return nil, fleet.WorkerStatus{}, err
	}
	inventory, ok := client.(prb.Inventory)
	if !ok {
		return nil, fleet.WorkerStatus{}, fleet.Fail(fleet.Refused, fleet.Because("remedy.no_inventory", "bridge", bridge))
	}
	pools, workers, err := inventory.Inventory(ctx)
	if err != nil {
		return nil, fleet.WorkerStatus{}, bridgeSilent(bridge, err)
	}
	for _, w := range workers {
		if w.ID != id {
			continue
		}
		for _, p := range pools {
			if p.PID == w.PID && p.SyncOnly {
				// The inventory mixes the pool's flag into the worker's: what the worker's own is cannot be told, and must not be guessed.
				return nil, w, fleet.Fail(fleet.Refused, fleet.Because("remedy.disable_sync_only", "worker", w.Name, "pool", p.PID))
			}
		}
		return inventory, w, nil
	}
	return nil, fleet.WorkerStatus{}, fleet.Fail(fleet.NotFound, fleet.Because("remedy.no_worker", "target", fleet.WorkerRef(bridge, id), "bridge", bridge))
}

// disable is visible in the inventory.
func (r *Remedies) disable() act.Op {
	disabled := func(ctx context.Context, s act.StepContext) (bool, error) {
		_, w, err := r.record(ctx, s.Step.Args["bridge"], s.Step.Args["id"])
		return err == nil && !w.Enabled, err
	}
	return act.Op{
		Effect: act.Visible, Timeout: 2 * time.Minute, Check: disabled,
		Do: func(ctx context.Context, s act.StepContext) error {
			inventory, w, err := r.record(ctx, s.Step.Args["bridge"], s.Step.Args["id"])
			if err != nil {
				return act.NotSent(err)
			}
			if !sameRecord(w, s.Step.Args) {
				return act.NotSent(fleet.Fail(fleet.Refused, fleet.Because("remedy.record_changed", "worker", s.Step.Args["name"], "bridge", s.Step.Args["bridge"])))
			}
			_, err = inventory.UpdateWorkers(ctx, []prb.WorkerUpdate{{ID: w.ID, WorkerSpec: prb.WorkerSpec{
				PID: w.PID, Name: w.Name, Endpoint: w.Endpoint, Stake: w.Stake, Enabled: false, SyncOnly: w.SyncOnly,
			}}})
			return err
		},
		Verify: func(ctx context.Context, s act.StepContext) (act.Proof, time.Time, fleet.Reason, error) {
			ok, err := disabled(ctx, s)
			if err != nil || !ok {
				return act.NotYet, s.Now.Add(pollEvery), fleet.Because("remedy.not_disabled", "worker", s.Step.Args["name"]), err
			}
			if s.Step.Args["version"] == genV3 {
				return act.Proved, s.Now, fleet.Because("remedy.disabled_now", "worker", s.Step.Args["name"]), nil
			}
			return act.Proved, s.Now, fleet.Because("remedy.disabled_later", "worker", s.Step.Args["name"], "bridge", s.Step.Args["bridge"]), nil
		},
	}
}

func sameRecord(w fleet.WorkerStatus, args map[string]string) bool {
	return w.Enabled && w.StakeOK && strconv.FormatUint(w.PID, 10) == args["pid"] && w.Name == args["record"] && w.Endpoint == args["endpoint"] &&
		w.Stake.String() == args["stake"] && strconv.FormatBool(w.SyncOnly) == args["sync_only"]
}
