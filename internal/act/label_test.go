package act_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"phalops/internal/act"
	"phalops/internal/fleet"
	"phalops/internal/i18n"
	"phalops/internal/store"
	"phalops/internal/store/memory"
)

// People read what a step does, in their language; its name is for programs.
func TestEventsCallAStepByItsLabel(t *testing.T) {
	label := fleet.Because("act.plan_resumed", "who", "li") // any sentence of the catalogue will do
	for name, c := range map[string]struct {
		label    fleet.Reason
		why      fleet.Reason
		want, zh string
	}{
		"label":                       {label, fleet.Because("x", "err", "e"), "act.plan_resumed", "步骤“li 恢复了计划的执行”失败：x"},
		"no label":                    {fleet.Reason{}, fleet.Because("x", "err", "e"), "a", "步骤“a”失败：x"},
		"an argument that both have":  {label, fleet.Because("x", "who", "li"), "act.plan_resumed", "步骤“li 恢复了计划的执行”失败：x"},
		"an argument with two values": {label, fleet.Because("x", "who", "wang"), "a", "步骤“a”失败：x"},
		"an argument of the engine's": {fleet.Because("act.plan_resumed", "who", "li", "why", "y"), fleet.Because("x"), "a", "步骤“a”失败：x"},
	} {
		t.Run(name, func(t *testing.T) {
			kind := kindOf(planned(fleet.Step{Name: "a", Label: c.label}), nil)
			kind.Ops["do"] = act.Op{Effect: act.Visible, Attempts: 1, Do: func(context.Context, act.StepContext) error { return fleet.Fail(fleet.Failed, c.why) }}
			p, events := runToEnd(t, kind)
			for _, e := range events {
				if e.Kind == fleet.EventStep && (e.Reason.Args["label"] == "" || e.Reason.Args["step"] != "a") {
					t.Errorf("%s does not say which step", e.Reason)
				}
			}
			last := events[len(events)-1]
			if last.Kind == fleet.EventStep || last.Reason.Args["label"] != c.want || p.Note.Args["label"] != c.want {
				t.Errorf("the plan's end: %s, note %s", last.Reason, p.Note)
			}
			words, err := i18n.Load()
			if err != nil {
				t.Fatal(err)
			}
			failed := ""
			for _, e := range events {
				if e.Reason.Code == "act.step_failed" {
					failed = words.Text(i18n.ZH, e.Reason.Code, e.Reason.Args)
				}
			}
			if failed != c.zh {
				t.Errorf("reads %q, want %q", failed, c.zh)
			}
		})
	}
}

func runToEnd(t *testing.T, kind act.Kind) (fleet.Plan, []fleet.Event) {
	t.Helper()
	s := memory.New()
	e := newEngine(t, s, kind)
	p, err := e.Build(t.Context(), want(), start())
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Submit(t.Context(), p, start()); err != nil {
		t.Fatal(err)
	}
	fence := lease(t, s, "me", start())
	for now, moves := start(), 0; ; moves++ {
		next, ended, err := e.Advance(t.Context(), p.ID, fence, now)
		if err != nil || moves > 100 {
			t.Fatal(moves, err)
		}
		if ended {
			break
		}
		now = next
	}
	if p, err = s.Plan(t.Context(), p.ID); err != nil {
		t.Fatal(err)
	}
	events, err := s.Events(t.Context(), store.EventFilter{Plan: p.ID})
	if err != nil {
		t.Fatal(err)
	}
	return p, events
}

// A batch may leave a target out from the start: the plan says why, does the others, and is partly done.
func TestBuildMayLeaveAStepOut(t *testing.T) {
	leftOut := fleet.Because("too.dangerous", "worker", "w-2")
	kind := kindOf(fleet.Plan{}, nil)
	kind.Build = func(_ context.Context, req act.Request, _ time.Time) (fleet.Plan, error) {
		one, two := fleet.NodeRef("n1"), fleet.NodeRef("n2")
		return fleet.Plan{Site: "dc1", Targets: []fleet.Ref{one, two}, Locks: []fleet.Ref{one, two}, Steps: []fleet.Step{
			{Name: "a", Op: "do", Target: two, State: fleet.StepSkipped, Result: leftOut, Attempt: 2},
			{Name: "b", Op: "do", Target: one, State: fleet.StepFailed, Result: leftOut},
		}}, nil
	}
	p, events := runToEnd(t, kind)
	if p.State != fleet.PlanPartly || p.Note.Code != "act.plan_partly" || p.Note.Args["why"] != "too.dangerous" || p.Note.Args["worker"] != "w-2" {
		t.Errorf("the plan is %s: %s", p.State, p.Note)
	}
	if s := p.Steps[0]; s.State != fleet.StepSkipped || s.Result.Code != "too.dangerous" || s.Attempt != 0 || !s.Ended.Equal(start()) {
		t.Errorf("left out: %+v", s)
	}
	if s := p.Steps[1]; s.State != fleet.StepDone {
		t.Errorf("the other one: %+v", s)
	}
	var codes []string
	for _, e := range events {
		codes = append(codes, e.Reason.Code)
	}
	if !strings.Contains(strings.Join(codes, " "), "act.plan_started") {
		t.Errorf("the audit lacks the plan's start: %v", codes)
	}
	req, err := act.Retry(p, "user:li")
	if err != nil || len(req.Targets) != 1 || req.Targets[0] != fleet.NodeRef("n2") {
		t.Errorf("a retry is for %v: %v", req.Targets, err)
	}
}
