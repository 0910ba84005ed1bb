package act_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"phalops/internal/act"
	"phalops/internal/act/acttest"
	"phalops/internal/fleet"
)

func request() act.Request {
	return act.Request{Kind: "node.restart", Targets: []fleet.Ref{fleet.NodeRef("node")}, Author: "rule:node.stalled", Incident: "i1", Reason: fleet.Because("r")}
}

func TestEveryCrashEndsInTheWishedWorld(t *testing.T) {
	acttest.Enumerate(t, func(*testing.T) acttest.Setup {
		w := newContainers("lifecycle", "trade", "standby", "node")
		w.running["standby"] = false
		return acttest.Setup{
			Kinds:   func() []act.Kind { return []act.Kind{w.kind()} },
			Request: request(), Pass: w.pass,
			Judge: func(t *testing.T, r acttest.Run) {
				if r.Plan.State != fleet.PlanDone && r.Plan.State != fleet.PlanFailed {
					t.Errorf("the plan is %s", r.Plan.State)
				}
				for _, name := range []string{"lifecycle", "trade"} {
					if !w.running[name] || w.stopped[name] != 1 || w.started[name] != 1 {
						t.Errorf("%s: running %v, stopped %d times, started %d times", name, w.running[name], w.stopped[name], w.started[name])
					}
				}
				if w.running["standby"] || w.started["standby"] > 0 {
					t.Error("the standby was started")
				}
				if w.started["node"] != 1 || !w.running["node"] || w.stopped["node"] > 0 {
					t.Errorf("node: running %v, started %d times", w.running["node"], w.started["node"])
				}
				// A kick whose intent was written and which was never sent stays unsent: the plan fails, and control decides anew.
				if r.Plan.State == fleet.PlanFailed && w.kicked["node"] > 0 {
					t.Errorf("the plan failed though all its effects happened: %s", r.Plan.Note)
				}
				if w.kicked["node"] > 1 {
					t.Errorf("kicked %d times", w.kicked["node"])
				}
				record(t, r)
			},
		}
	})
}

// record holds the journal's events against the steps: one intent and one end each, all with the plan's author.
func record(t *testing.T, r acttest.Run) {
	t.Helper()
	ends := map[string]int{}
	for _, e := range r.Events {
		if e.Author != "rule:node.stalled" || e.Plan != r.Plan.ID || e.Incident != "i1" {
			t.Errorf("event %s is by %q, of plan %q and incident %q", e.Reason, e.Author, e.Plan, e.Incident)
		}
		switch e.Reason.Code {
		case "act.step_intent":
			ends["intent "+e.Reason.Args["step"]]++
		case "act.step_done", "act.step_failed":
			ends["end "+e.Reason.Args["step"]]++
		case "act.plan_started", "act.plan_done", "act.plan_failed":
			ends[e.Reason.Code]++
		}
	}
	for _, s := range r.Plan.Steps {
		if ends["intent "+s.Name] != s.Attempt {
			t.Errorf("%s: %d intents in the journal, %d in the audit", s.Name, s.Attempt, ends["intent "+s.Name])
		}
		if s.State != fleet.StepSkipped && ends["end "+s.Name] != 1 {
			t.Errorf("%s is %s and has %d ends in the audit", s.Name, s.State, ends["end "+s.Name])
		}
	}
	if ends["act.plan_started"] != 1 || ends["act.plan_done"]+ends["act.plan_failed"] != 1 {
		t.Errorf("the plan's own events: %v", ends)
	}
}

// The same with a batch of two-step lines, one of which meets a busy host.
func TestEveryCrashOfABatch(t *testing.T) {
	acttest.Enumerate(t, func(*testing.T) acttest.Setup {
		w, busy := newContainers("a", "b", "c"), true
		w.fault = func(call, name string) fault {
			if call == "start" && name == "b" && busy {
				busy = false
				return dropped
			}
			return fine
		}
		kind := w.kind()
		kind.Build = func(_ context.Context, req act.Request, _ time.Time) (fleet.Plan, error) {
			p := fleet.Plan{Site: "dc1", Locks: req.Targets, Args: map[string]string{act.ArgAtOnce: "2"}}
			for _, n := range w.order {
				for _, op := range []string{"stop", "start"} {
					p.Steps = append(p.Steps, fleet.Step{
						Name: op + " " + n, Op: op, Target: fleet.BridgeRef(n), Args: map[string]string{"c": n}, Restoring: op == "start",
					})
				}
			}
			return p, nil
		}
		return acttest.Setup{
			Kinds: func() []act.Kind { return []act.Kind{kind} }, Request: request(), Pass: w.pass,
			Judge: func(t *testing.T, r acttest.Run) {
				if r.Plan.State != fleet.PlanDone {
					t.Errorf("the plan is %s: %s", r.Plan.State, r.Plan.Note)
				}
				for _, n := range w.order {
					if !w.running[n] || w.stopped[n] != 1 {
						t.Errorf("%s: running %v, stopped %d times", n, w.running[n], w.stopped[n])
					}
				}
			},
		}
	})
}

// TestEnumerateVisitsEveryBoundary proves that the enumeration finds what it is for: a restart without a note is done
// twice after a crash between the effect and its result.
func TestEnumerateVisitsEveryBoundary(t *testing.T) {
	visited := map[string]bool{}
	acttest.Enumerate(t, func(*testing.T) acttest.Setup {
		w := newContainers("lifecycle", "node")
		kind := w.kind()
		restart := kind.Ops["restart"]
		restart.Prepare = nil
		kind.Ops["restart"] = restart
		return acttest.Setup{
			Kinds: func() []act.Kind { return []act.Kind{kind} }, Request: request(),
			Judge: func(_ *testing.T, r acttest.Run) {
				if len(r.Crashes) == 1 {
					visited[fmt.Sprintf("%s: %d restarts", r.Crashes[0], w.started["node"])] = true
				}
			},
		}
	})
	for _, want := range []string{
		"before intent of restart node (attempt 0): 1 restarts",
		"after intent of restart node (attempt 1): 1 restarts",
		"after effect of restart node (attempt 1): 2 restarts", // the lie that the note is there to prevent
		"after verify of restart node (attempt 1): 1 restarts",
		"before state: 1 restarts",
	} {
		if !visited[want] {
			t.Errorf("never seen: %s", want)
		}
	}
}
