package act_test

import (
	"context"
	"fmt"
	"slices"
	"time"

	"phalops/internal/act"
	"phalops/internal/fleet"
)

// containers is a fake host: what runs, how often each was really stopped, started and kicked, and what goes wrong.
type containers struct {
	order   []string        // in the order of stopping
	running map[string]bool // by name
	started map[string]int
	stopped map[string]int
	kicked  map[string]int
	when    map[string]time.Time // newest start
	late    map[string]time.Time // a stop that was answered with an error and lands then
	fault   func(call, name string) fault
}

// fault is what a call meets.
type fault int

const (
	fine      fault = iota
	refused         // nothing happens, and the answer says so
	lost            // it happens, and the answer is lost
	dropped         // nothing happens, and the answer is lost
	slow            // it happens a minute later, and the answer is lost
	panicking       // it happens, and the handler panics
)

func newContainers(names ...string) *containers {
	w := &containers{
		order: names, running: map[string]bool{}, started: map[string]int{}, stopped: map[string]int{}, kicked: map[string]int{},
		when: map[string]time.Time{}, late: map[string]time.Time{}, fault: func(string, string) fault { return fine },
	}
	for _, n := range names {
		w.running[n] = true
	}
	return w
}

func (w *containers) pass(now time.Time) {
	for n, at := range w.late {
		if !at.After(now) {
			delete(w.late, n)
			w.running[n] = false
		}
	}
}

// do meets a fault around an effect.
func (w *containers) do(call, name string, now time.Time, effect func()) error {
	switch f := w.fault(call, name); f {
	case fine:
		effect()
		return nil
	case refused:
		return act.NotSent(fmt.Errorf("%s %s: connection refused", call, name))
	case dropped:
		return fmt.Errorf("%s %s: no answer", call, name)
	case slow:
		if call == "stop" {
			w.late[name] = now.Add(time.Minute)
			return fmt.Errorf("%s %s: timeout", call, name)
		}
		fallthrough
	case lost:
		effect()
		return fmt.Errorf("%s %s: no answer", call, name)
	default:
		effect()
		panic(fmt.Sprint(call, " ", name))
	}
}

func (w *containers) ask(call, name string) error {
	if f := w.fault(call, name); f != fine {
		return fmt.Errorf("%s %s: no answer", call, name)
	}
	return nil
}

// kind stops what runs, restarts the node, kicks it (a blind effect), and starts what ran, in the reverse order. The node
// is the last of the containers; its restart is one effect, told from none by the time of its start.
func (w *containers) kind() act.Kind {
	return act.Kind{Name: "node.restart", Build: w.build, Ops: map[string]act.Op{
		"stop": {
			Effect: act.Visible, Deadline: 3 * time.Minute,
			Check: func(_ context.Context, s act.StepContext) (bool, error) {
				return !w.running[s.Step.Args["c"]], w.ask("inspect", s.Step.Args["c"])
			},
			Do: func(_ context.Context, s act.StepContext) error {
				name := s.Step.Args["c"]
				return w.do("stop", name, s.Now, func() {
					w.running[name] = false
					w.stopped[name]++
					delete(w.late, name) // two stops of one container end together
				})
			},
			Verify: func(_ context.Context, s act.StepContext) (act.Proof, time.Time, fleet.Reason, error) {
				return w.proof(!w.running[s.Step.Args["c"]]), time.Time{}, fleet.Reason{}, w.ask("inspect", s.Step.Args["c"])
			},
		},
		"start": {
			Effect: act.Visible,
			Check: func(_ context.Context, s act.StepContext) (bool, error) {
				return w.running[s.Step.Args["c"]], w.ask("inspect", s.Step.Args["c"])
			},
			Do: func(_ context.Context, s act.StepContext) error { return w.start(s.Step.Args["c"], s.Now) },
			Verify: func(_ context.Context, s act.StepContext) (act.Proof, time.Time, fleet.Reason, error) {
				return w.proof(w.running[s.Step.Args["c"]]), time.Time{}, fleet.Reason{}, w.ask("inspect", s.Step.Args["c"])
			},
		},
		"restart": {
			Effect: act.Visible,
			Check: func(_ context.Context, s act.StepContext) (bool, error) {
				before, noted := s.Step.Note["started"]
				return noted && w.stamp(s.Step.Args["c"]) != before, w.ask("inspect", s.Step.Args["c"])
			},
			Prepare: func(_ context.Context, s act.StepContext) (map[string]string, error) {
				return map[string]string{"started": w.stamp(s.Step.Args["c"])}, w.ask("inspect", s.Step.Args["c"])
			},
			Do: func(_ context.Context, s act.StepContext) error { return w.start(s.Step.Args["c"], s.Now) },
			Verify: func(_ context.Context, s act.StepContext) (act.Proof, time.Time, fleet.Reason, error) {
				// It answers half a minute after its start.
				name := s.Step.Args["c"]
				return w.proof(s.Now.Sub(w.when[name]) >= 30*time.Second), time.Time{}, fleet.Reason{}, w.ask("inspect", name)
			},
		},
		"kick": {
			Effect: act.Blind, Deadline: time.Minute,
			Do: func(_ context.Context, s act.StepContext) error {
				name := s.Step.Args["c"]
				return w.do("kick", name, s.Now, func() { w.kicked[name]++ })
			},
			Verify: func(_ context.Context, s act.StepContext) (act.Proof, time.Time, fleet.Reason, error) {
				return w.proof(w.kicked[s.Step.Args["c"]] > 0), time.Time{}, fleet.Because("r"), w.ask("inspect", s.Step.Args["c"])
			},
		},
	}}
}

func (w *containers) start(name string, now time.Time) error {
	return w.do("start", name, now, func() { w.running[name] = true; w.started[name]++; w.when[name] = now })
}

func (w *containers) stamp(name string) string {
	return fmt.Sprint(w.started[name], w.when[name].UnixNano())
}

func (w *containers) proof(is bool) act.Proof {
	if is {
		return act.Proved
	}
	return act.NotYet
}

func (w *containers) build(_ context.Context, req act.Request, _ time.Time) (fleet.Plan, error) {
	node := w.order[len(w.order)-1]
	p := fleet.Plan{Site: "dc1", Exact: true, Locks: req.Targets}
	step := func(op, name string, restoring bool) {
		p.Steps = append(p.Steps, fleet.Step{
			Name: op + " " + name, Op: op, Target: fleet.BridgeRef(name), Args: map[string]string{"c": name}, Restoring: restoring,
		})
	}
	var ran []string
	for _, n := range w.order[:len(w.order)-1] {
		if w.running[n] {
			ran = append(ran, n)
			step("stop", n, false)
		}
	}
	step("restart", node, false)
	step("kick", node, false)
	slices.Reverse(ran)
	for _, n := range ran {
		step("start", n, true)
	}
	return p, nil
}
