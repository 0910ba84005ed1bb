package batch

import (
	"context"
	"strconv"
	"strings"
	"time"

	"phalops/internal/act"
	"phalops/internal/config"
	"phalops/internal/fleet"
)

const opFollow = "worker.follow"

const (
	// followFor is how long a worker is followed that is on its way: one that still takes in blocks then is left to it, a first
	// sync takes days.
	followFor = 10 * time.Minute
	// contextFor is how long a worker may be without a context after its bridge has noticed it.
	contextFor = 3 * time.Minute
	// followDeadline is how long a worker may stand still, or wait for its chain.
	followDeadline = 30 * time.Minute
)

func followStep(bridge config.Bridge, target fleet.Ref, name string, syncOnly bool) fleet.Step {
	return fleet.Step{
		Name: "follow " + bridge.Name + "/" + name, Op: opFollow, Target: target, Phase: phaseFollow,
		Args:  map[string]string{"bridge": bridge.Name, "name": name, "sync_only": strconv.FormatBool(syncOnly)},
		Label: fleet.Because("batch.step_follow", "worker", name, "bridge", bridge.Name),
	}
}

// follow sees a worker on its way until it works, or until it is known why it does not.
func (b *Batches) follow() act.Op {
	return act.Op{
		Deadline: followDeadline, Timeout: 2 * time.Minute,
		Verify: func(ctx context.Context, s act.StepContext) (act.Proof, time.Time, fleet.Reason, error) {
			name, next := s.Step.Args["name"], s.Now.Add(pollEvery)
			w, err := b.running(ctx, s)
			if err != nil {
				return act.NotYet, next, fleet.ReasonOf(err), nil
			}
			waited := s.Now.Sub(s.Step.Effected)
			switch {
			case w == nil && waited < contextFor:
				return act.NotYet, next, fleet.Because("batch.no_context", "worker", name, "bridge", s.Step.Args["bridge"]), nil
			case w == nil:
				return act.TooLate, next, fleet.Because("batch.no_context", "worker", name, "bridge", s.Step.Args["bridge"]), nil
			case works(w.State):
				return act.Proved, next, fleet.Because("batch.works", "worker", name, "state", w.State), nil
			case s.Step.Args["sync_only"] == "true" && w.State == "S_SYNCHED":
				return act.Proved, next, fleet.Because("batch.works", "worker", name, "state", w.State), nil
			case strings.HasSuffix(w.Session, "CoolingDown"):
				return act.TooLate, next, fleet.Because("batch.cools", "worker", name), nil
			case failing(w.State):
				return act.TooLate, next, fleet.Because("batch.fails", "worker", name, "message", brief(w.Message)), nil
			case syncs(w.State) && w.Para.Known && waited >= followFor:
				return act.Proved, next, fleet.Because("batch.syncs", "worker", name, "height", w.Para.Value), nil
			}
			return act.NotYet, next, fleet.Because("batch.on_its_way", "worker", name, "state", stateOf(w.State), "message", brief(w.Message)), nil
		},
	}
}

// brief is the beginning of what a worker says: v0 says whole stacks.
func brief(message string) string {
	const most = 160
	line, _, _ := strings.Cut(message, "\n")
	if r := []rune(line); len(r) > most {
		return string(r[:most]) + "…"
	}
	return line
}

// running is the context of the worker that the bridge has under the step's name (args name) or id; nil when it has none.
func (b *Batches) running(ctx context.Context, s act.StepContext) (*fleet.WorkerStatus, error) {
	bridge, id := s.Step.Args["bridge"], s.Step.Args["id"]
	if id == "" {
		stock, err := b.stock(ctx, bridge, s.Now, listAge)
		if err != nil {
			return nil, err
		}
		for _, w := range stock.workers {
			if w.Name == s.Step.Args["name"] && (id == "" || w.Enabled) { // a v0 bridge lists deleted ones of the same name
				id = w.ID
			}
		}
	}
	states, err := b.states(ctx, bridge, s.Now, watchAge)
	if err != nil {
		return nil, err
	}
	for i := range states {
		if states[i].ID == id && id != "" {
			return &states[i], nil
		}
	}
	return nil, nil
}

// The words of the three generations (prb-v0-v2-api, 3.1; prb3, 1.5).

func works(state string) bool {
	switch state {
	case "S_ACTIVE", "S_MINING", "Working", "GatekeeperWorking":
		return true
	}
	return false
}

func failing(state string) bool {
	return state == "S_ERROR" || state == "S_KICKED" || state == "HasError"
}

func syncs(state string) bool { return state == "S_SYNCHING" || state == "Synchronizing" }

func stateOf(state string) string {
	if state == "" {
		return "–"
	}
	return state
}
