package act_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"phalops/internal/act"
	"phalops/internal/fleet"
	"phalops/internal/store"
	"phalops/internal/store/memory"
)

func planned(steps ...fleet.Step) fleet.Plan {
	node := fleet.NodeRef("n1")
	for i := range steps {
		if steps[i].Op == "" {
			steps[i].Op = "do"
		}
		steps[i].Target = node
	}
	return fleet.Plan{Site: "dc1", Locks: []fleet.Ref{node}, Exact: true, Steps: steps}
}

func kindOf(p fleet.Plan, err error) act.Kind {
	nothing := func(context.Context, act.StepContext) error { return nil }
	return act.Kind{
		Name:  "test",
		Build: func(context.Context, act.Request, time.Time) (fleet.Plan, error) { return p, err },
		Ops: map[string]act.Op{
			"do":   {Effect: act.Visible, Do: nothing},
			"kick": {Effect: act.Blind, Do: nothing},
		},
	}
}

func want() act.Request {
	return act.Request{Kind: "test", Targets: []fleet.Ref{fleet.NodeRef("n1")}, Author: "user:li", Reason: fleet.Because("r"), Incident: "i1"}
}

func TestBuildRefusesWhatCannotBeExecuted(t *testing.T) {
	good := fleet.Step{Name: "a"}
	noSite, noLock := planned(good), planned(good)
	noSite.Site, noLock.Locks = "", nil
	badArg := planned(good)
	badArg.Args = map[string]string{act.ArgAtOnce: "many"}
	refusal := fleet.Fail(fleet.Refused, fleet.Because("too.dangerous"))
	tests := []struct {
		name string
		plan fleet.Plan
		err  error
		want string
	}{
		{"no site", noSite, nil, "names no site"},
		{"target not locked", noLock, nil, "lack the target node/n1"},
		{"two steps of a name", planned(good, good), nil, `"a" is empty or not unique`},
		{"step without a name", planned(fleet.Step{}), nil, "empty"},
		{"unknown op", planned(fleet.Step{Name: "a", Op: "fly"}), nil, `no op "fly"`},
		{"blind restoring step", planned(fleet.Step{Name: "a", Op: "kick", Restoring: true}), nil, "must be visible"},
		{"irreversible not last", planned(fleet.Step{Name: "a", Class: fleet.ClassIrreversible}, fleet.Step{Name: "b"}), nil, "after the irreversible"},
		{"bad argument", badArg, nil, "act.bad_number"},
		{"the kind refuses", fleet.Plan{}, refusal, "too.dangerous"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := newEngine(t, memory.New(), kindOf(tt.plan, tt.err))
			_, err := e.Build(t.Context(), want(), start())
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
			if tt.err != nil && fleet.KindOf(err) != fleet.Refused {
				t.Errorf("kind %q", fleet.KindOf(err))
			}
		})
	}
	e := newEngine(t, memory.New(), kindOf(planned(fleet.Step{Name: "a", Class: fleet.ClassIrreversible}, fleet.Step{Name: "b", Restoring: true}), nil))
	if _, err := e.Build(t.Context(), want(), start()); err != nil {
		t.Errorf("a restoring step may follow an irreversible one: %v", err)
	}
	unknown := want()
	unknown.Kind = "nothing"
	if _, err := e.Build(t.Context(), unknown, start()); fleet.KindOf(err) != fleet.Invalid {
		t.Errorf("an unknown kind gives %v", err)
	}
}

func TestBuildChangesNothingAndFillsIn(t *testing.T) {
	s := memory.New()
	dirty := planned(fleet.Step{Name: "a", State: fleet.StepDone, Attempt: 3, Began: start()})
	dirty.State, dirty.Author, dirty.Abort = fleet.PlanDone, "somebody", true
	p, err := newEngine(t, s, kindOf(dirty, nil)).Build(t.Context(), want(), start())
	if err != nil {
		t.Fatal(err)
	}
	if p.ID == "" {
		t.Error("the plan has no id")
	}
	expected := planned(fleet.Step{Name: "a", State: fleet.StepPlanned, Class: fleet.ClassReversible})
	expected.ID, expected.Kind, expected.Targets, expected.Author, expected.Reason = p.ID, "test", want().Targets, "user:li", fleet.Because("r")
	expected.Incident, expected.State, expected.Created = "i1", fleet.PlanRunning, start()
	if d := cmp.Diff(expected, p); d != "" {
		t.Error(d)
	}
	plans, _ := s.Plans(t.Context(), store.PlanFilter{})
	events, _ := s.Events(t.Context(), store.EventFilter{})
	if len(plans)+len(events) > 0 {
		t.Errorf("a preview is in the journal: %v %v", plans, events)
	}
}

func TestNewRefusesKindsThatCannotWork(t *testing.T) {
	good := kindOf(fleet.Plan{}, nil)
	idle, unsure := good, good
	idle.Ops = map[string]act.Op{"idle": {}}
	unsure.Ops = map[string]act.Op{"unsure": {Do: func(context.Context, act.StepContext) error { return nil }}}
	for name, o := range map[string]act.Options{
		"no store":        {Kinds: []act.Kind{good}},
		"twice":           {Store: memory.New(), Kinds: []act.Kind{good, good}},
		"no build":        {Store: memory.New(), Kinds: []act.Kind{{Name: "x"}}},
		"idle op":         {Store: memory.New(), Kinds: []act.Kind{idle}},
		"nameless effect": {Store: memory.New(), Kinds: []act.Kind{unsure}},
	} {
		if _, err := act.New(o); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestSubmitRefuses(t *testing.T) {
	s := memory.New()
	irreversible := planned(fleet.Step{Name: "wipe", Class: fleet.ClassIrreversible})
	e := newEngine(t, s, kindOf(irreversible, nil))
	build := func() fleet.Plan {
		p, err := e.Build(t.Context(), want(), start())
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	if err := e.Submit(t.Context(), build(), start()); fleet.KindOf(err) != fleet.Refused {
		t.Errorf("an irreversible plan without a confirmation: %v", err)
	}
	p := build()
	p.Args = map[string]string{act.ArgConfirm: "/dev/sdb"}
	s.SetFull(true)
	if err := e.Submit(t.Context(), p, start()); !errors.Is(err, store.ErrFull) || fleet.KindOf(err) != fleet.Refused {
		t.Errorf("on a full disk: %v", err)
	}
	s.SetFull(false)
	if err := e.Submit(t.Context(), p, start().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	p.ID = "other"
	err := e.Submit(t.Context(), p, start())
	var locked *store.LockedError
	if fleet.KindOf(err) != fleet.Locked || !errors.As(err, &locked) || locked.Held.Owner != "user:li" || !locked.Held.Since.Equal(start().Add(time.Minute)) {
		t.Errorf("a second plan for the same node: %v", err)
	}
}
