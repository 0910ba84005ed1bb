package remedy

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"phalops/internal/act"
	"phalops/internal/config"
	"phalops/internal/fleet"
	v3 "phalops/internal/prb/v3"
)

// Arguments of RestartBridge.
const (
	// ArgWait ("10m"; missing or "0": not at all) is how long to wait for a quiet moment: no worker in the middle of a sync
	// that moves, and no transaction under way.
	ArgWait = "wait"
	// ArgThen is what follows a wait in vain: ThenGo (the default) or ThenStop.
	ArgThen  = "then"
	ThenGo   = "go"
	ThenStop = "stop"
)

const (
	opCost  = "bridge.cost"
	opQuiet = "bridge.quiet"
	maxWait = 4 * time.Hour
	// stoodStill is how long a sync's numbers stand before it is no reason to wait any more.
	stoodStill = 2 * time.Minute
	// silentFor is how long a bridge that says nothing is waited for: what cannot be seen cannot be spared.
	silentFor = 2 * time.Minute
)

// minutesLost is what a restart of the feeder costs a healthy worker: v0 and v2 build contexts and queue again (v2's runner
// asks every pRuntime first), v3 reconnects its data sources and loads the chain's state once.
func minutesLost(version string) int {
	switch version {
	case genV3, config.VersionSolo:
		return 2
	default:
		return 5
	}
}

// quietArgs are the request's own words about waiting.
type quietArgs struct {
	wait time.Duration
	then string
}

func quietOf(asked map[string]string) (quietArgs, map[string]string, error) {
	q := quietArgs{then: ThenGo}
	if v := asked[ArgWait]; v != "" {
		d, err := time.ParseDuration(v)
		if err != nil || d < 0 || d > maxWait {
			return q, nil, fleet.Fail(fleet.Invalid, fleet.Because("remedy.bad_wait", "value", v, "max", maxWait))
		}
		q.wait = d
	}
	if v := asked[ArgThen]; v != "" {
		if v != ThenGo && v != ThenStop {
			return q, nil, fleet.Fail(fleet.Invalid, fleet.Because("remedy.bad_then", "value", v))
		}
		q.then = v
	}
	if q.wait == 0 {
		return q, nil, nil
	}
	return q, map[string]string{ArgWait: q.wait.String(), ArgThen: q.then}, nil
}

// costSteps say first what the restart costs, for the preview and the journal, and then wait for a quiet moment.
func (r *Remedies) costSteps(ctx context.Context, b config.Bridge, q quietArgs) []fleet.Step {
	minutes := minutesLost(b.Version)
	label := fleet.Because("remedy.step_cost_unknown", "bridge", b.Name, "minutes", minutes)
	if n, known := r.healthy(ctx, b); known {
		label = fleet.Because("remedy.step_cost", "bridge", b.Name, "workers", n, "minutes", minutes, "hours", fmt.Sprintf("%.2f", float64(n*minutes)/60))
	}
	steps := []fleet.Step{{Name: "cost", Op: opCost, Target: fleet.BridgeRef(b.Name), Class: fleet.ClassReversible, Label: label}}
	if q.wait == 0 || b.Version == config.VersionSolo {
		return steps
	}
	label = fleet.Because("remedy.step_quiet_go", "bridge", b.Name, "for", q.wait)
	if q.then == ThenStop {
		label = fleet.Because("remedy.step_quiet_stop", "bridge", b.Name, "for", q.wait)
	}
	return append(steps, fleet.Step{
		Name: "quiet", Op: opQuiet, Target: fleet.BridgeRef(b.Name), Class: fleet.ClassReversible, Label: label,
		Args: map[string]string{"bridge": b.Name, ArgWait: q.wait.String(), ArgThen: q.then},
	})
}

// cost has nothing to do: its label is what matters.
func cost() act.Op {
	return act.Op{Verify: func(_ context.Context, s act.StepContext) (act.Proof, time.Time, fleet.Reason, error) {
		return act.Proved, s.Now, fleet.Because("remedy.cost_told"), nil
	}}
}

// healthy counts the workers that a restart would interrupt; known is false where the bridge does not say.
func (r *Remedies) healthy(ctx context.Context, b config.Bridge) (n int, known bool) {
	if b.Version == config.VersionSolo {
		return 1, true
	}
	client, err := r.reach.Bridge(b.Name)
	if err != nil {
		return 0, false
	}
	states, err := client.States(ctx)
	for _, w := range states {
		if works(w.State) {
			n++
		}
	}
	return n, err == nil
}

// quiet waits until no worker is in the middle of something that a restart would throw away, or until the time is over.
func (r *Remedies) quiet() act.Op {
	return act.Op{
		Deadline: maxWait + time.Hour, Timeout: 2 * time.Minute,
		Verify: func(ctx context.Context, s act.StepContext) (act.Proof, time.Time, fleet.Reason, error) {
			name, next := s.Step.Args["bridge"], s.Now.Add(pollEvery)
			wait, err := time.ParseDuration(s.Step.Args[ArgWait])
			if err != nil {
				return act.NotYet, next, fleet.Reason{}, err
			}
			waited := s.Now.Sub(s.Step.Effected)
			busy, err := r.busy(ctx, s, name)
			over := waited >= wait || err != nil && waited >= silentFor
			switch {
			case err == nil && len(busy) == 0:
				r.growth.forget(stepKey(s))
				return act.Proved, next, fleet.Because("remedy.quiet", "bridge", name), nil
			case !over && err != nil:
				return act.NotYet, next, fleet.Because("remedy.bridge_silent", "bridge", name, "err", err), nil
			case !over:
				return act.NotYet, next, fleet.Because("remedy.busy", "bridge", name, "workers", strings.Join(busy, ", ")), nil
			case s.Step.Args[ArgThen] == ThenStop && err != nil:
				return act.TooLate, next, fleet.Because("remedy.gave_up_silent", "bridge", name, "err", err), nil
			case s.Step.Args[ArgThen] == ThenStop:
				return act.TooLate, next, fleet.Because("remedy.gave_up", "bridge", name, "for", waited, "workers", strings.Join(busy, ", ")), nil
			}
			return act.Proved, next, fleet.Because("remedy.waited_in_vain", "bridge", name, "for", waited), nil
		},
	}
}

// queue is a bridge that tells of its transactions: v3.
type queue interface {
	Transactions(ctx context.Context) (v3.Transactions, error)
}

// busy names the workers whose sync moves or who wait for a transaction, as far as the bridge tells: v0 and v2 show neither
// queue nor transactions, only the states of the workers that wait for one.
func (r *Remedies) busy(ctx context.Context, s act.StepContext, bridge string) ([]string, error) {
	client, err := r.reach.Bridge(bridge)
	if err != nil {
		return nil, err
	}
	reading := client.Read(ctx)
	for _, err := range []error{reading.MonitorErr, reading.InventoryErr, reading.StatesErr} {
		if err != nil {
			return nil, err
		}
	}
	var busy []string
	for _, w := range reading.Workers {
		switch {
		case !w.Running || !w.Enabled:
		case waitsForChain(w), syncs(w.State) && r.growth.stood(stepKey(s)+w.ID, progress(w), s.Now) < stoodStill:
			busy = append(busy, w.Name)
		}
	}
	if q, ok := client.(queue); ok {
		txs, err := q.Transactions(ctx)
		if err != nil {
			return nil, err
		}
		for _, tx := range slices.Concat(txs.Running, txs.Pending) {
			busy = append(busy, tx.Desc)
		}
	}
	slices.Sort(busy)
	return busy, nil
}

// progress grows with everything that a syncing worker takes in.
func progress(w fleet.WorkerStatus) int64 { return w.Relay.Value + w.ParaHeader.Value + w.Para.Value }
