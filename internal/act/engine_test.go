package act_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
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

// Two processes believe in the same plan; the one that lost the lease sends nothing, wherever it was.
func TestLostLeaseStopsBeforeTheEffect(t *testing.T) {
	s := memory.New()
	sent := 0
	var takeOver func()
	kind := kindOf(planned(fleet.Step{Name: "a"}, fleet.Step{Name: "b"}), nil)
	kind.Ops["do"] = act.Op{
		Effect: act.Visible,
		Check:  func(context.Context, act.StepContext) (bool, error) { takeOver(); return false, nil },
		Do:     func(context.Context, act.StepContext) error { sent++; return nil },
	}
	e := newEngine(t, s, kind)
	p, err := e.Build(t.Context(), want(), start())
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Submit(t.Context(), p, start()); err != nil {
		t.Fatal(err)
	}
	old := lease(t, s, "old", start())
	takeOver = func() { lease(t, s, "new", start().Add(time.Hour)) } // while Check is asked
	if _, _, err := e.Advance(t.Context(), p.ID, old, start()); !errors.Is(err, store.ErrFenced) {
		t.Errorf("got %v, want ErrFenced", err)
	}
	if sent != 0 {
		t.Error("an effect was sent without the lease")
	}
	takeOver = func() {}
	fresh := lease(t, s, "new", start().Add(time.Hour))
	for range 3 {
		if _, _, err := e.Advance(t.Context(), p.ID, fresh, start().Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
	}
	if got, _ := s.Plan(t.Context(), p.ID); got.State != fleet.PlanDone || sent != 2 || got.Steps[0].Token != fresh.Token {
		t.Errorf("the new owner: plan %s, %d effects, token %d", got.State, sent, got.Steps[0].Token)
	}
}

func TestHandlerHasADeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hang := act.Op{
			Effect: act.Blind, Timeout: 3 * time.Second, Deadline: time.Second,
			Do: func(ctx context.Context, _ act.StepContext) error { <-ctx.Done(); return ctx.Err() },
			Verify: func(context.Context, act.StepContext) (act.Proof, time.Time, fleet.Reason, error) {
				return act.Proved, time.Time{}, fleet.Reason{}, nil
			},
		}
		b := newBench(t, map[string]act.Op{"hang": hang}, true, nil, "a hang n1")
		before := time.Now()
		b.run(1).want(`0s a effected act.timeout`)
		if took := time.Since(before); took != 3*time.Second {
			t.Errorf("it took %s", took)
		}
	})
}

// The daemon stops during an effect: the step stays in its intent, as after a crash, and nothing counts as failed.
func TestStopDuringAnEffectIsLikeACrash(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	happened := false
	op := act.Op{
		Effect: act.Visible,
		Check:  func(context.Context, act.StepContext) (bool, error) { return happened, nil },
		Do: func(ctx context.Context, _ act.StepContext) error {
			happened = true
			cancel()
			return ctx.Err()
		},
	}
	b := newBench(t, map[string]act.Op{"op": op}, true, nil, "a op n1")
	if _, _, err := b.e.Advance(ctx, b.id, b.fence, start()); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if s := b.plan().Steps[0]; s.State != fleet.StepIntent || s.Attempt != 1 {
		t.Errorf("the step is %s", s.State)
	}
	b.run(5).want(`
		0s a done act.found_done
		0s plan done act.plan_done`)
}

// The daemon stops right after the effect: its result is written all the same.
func TestResultOfAnEffectIsWrittenWhileStopping(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	op := act.Op{Effect: act.Blind, Do: func(context.Context, act.StepContext) error { cancel(); return nil }}
	b := newBench(t, map[string]act.Op{"op": op}, true, nil, "a op n1")
	if _, _, err := b.e.Advance(ctx, b.id, b.fence, start()); err != nil {
		t.Error(err)
	}
	if s := b.plan().Steps[0]; s.State != fleet.StepDone {
		t.Errorf("the step is %s", s.State)
	}
}

func TestPanicIsLoggedWithItsStackAndNotJournalled(t *testing.T) {
	var log bytes.Buffer
	s := memory.New()
	kind := kindOf(planned(fleet.Step{Name: "a"}), nil)
	kind.Ops["do"] = act.Op{Effect: act.Visible, Do: func(context.Context, act.StepContext) error { panic("token=12345") }}
	e, err := act.New(act.Options{Store: s, Kinds: []act.Kind{kind}, Log: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	p, err := e.Build(t.Context(), want(), start())
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Submit(t.Context(), p, start()); err != nil {
		t.Fatal(err)
	}
	if _, _, err := e.Advance(t.Context(), p.ID, lease(t, s, "me", start()), start()); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(log.String(), "engine_test.go") {
		t.Errorf("the log has no stack: %s", &log)
	}
	got, _ := s.Plan(t.Context(), p.ID)
	events, _ := s.Events(t.Context(), store.EventFilter{})
	for _, r := range append([]fleet.Reason{got.Steps[0].Result}, reasons(events)...) {
		if strings.Contains(r.String(), "12345") {
			t.Errorf("the panic's value is in the journal: %s", r)
		}
	}
}

func reasons(events []fleet.Event) (out []fleet.Reason) {
	for _, e := range events {
		out = append(out, e.Reason)
	}
	return out
}

// A plan that another version wrote is left to a person, loudly, and a version that knows it goes on.
func TestUnknownKindIsParkedAndResumed(t *testing.T) {
	b := newBench(t, map[string]act.Op{"op": script{do: []any{nil}}.op()}, true, nil, "a op n1")
	knows := b.e
	b.e = newEngine(t, b.store)
	b.run(3).want(`0s plan parked act.unknown_kind`)
	b.e = knows
	b.resume()
	b.run(5)
	if p := b.plan(); p.State != fleet.PlanDone {
		t.Errorf("the plan is %s", p.State)
	}
}

func TestPersonsWordIsRecordedAndRefusedAtTheEnd(t *testing.T) {
	b := newBench(t, map[string]act.Op{"op": script{do: []any{nil}}.op()}, true, nil, "a op n1", "~b op n1")
	b.pause()
	b.pause()
	b.resume()
	b.resume()
	b.run(1)
	b.abort()
	b.abort()
	if err := b.e.Pause(t.Context(), b.id, "user:li", start()); fleet.KindOf(err) != fleet.Refused {
		t.Errorf("a restoring plan is paused: %v", err)
	}
	b.run(9)
	for _, err := range []error{
		b.e.Pause(t.Context(), b.id, "user:li", start()), b.e.Resume(t.Context(), b.id, "user:li", start()), b.e.Abort(t.Context(), b.id, "user:li", start()),
	} {
		if !errors.Is(err, store.ErrEnded) {
			t.Errorf("an ended plan is changed: %v", err)
		}
	}
	if err := b.e.Abort(t.Context(), "none", "user:li", start()); fleet.KindOf(err) != fleet.NotFound {
		t.Errorf("no such plan: %v", err)
	}
	var said []string
	for _, e := range b.events() {
		if e.Author == "user:li" {
			said = append(said, e.Reason.Code)
		}
	}
	if d := cmp.Diff([]string{"act.plan_paused", "act.plan_resumed", "act.plan_abort_asked"}, said); d != "" {
		t.Error(d)
	}
}

func TestRetryAsksForWhatIsLeft(t *testing.T) {
	args := map[string]string{"stake": "10", act.ArgConfirm: "yes"}
	b := newBench(t, ops(map[string]script{"good": {do: []any{nil}}, "bad": {do: []any{errBroken}, attempts: 1}}), false, args,
		"set1 good n1", "set2 bad n2", "tell2 good n2", "set3 bad n3")
	if _, err := act.Retry(b.plan(), "user:wang"); fleet.KindOf(err) != fleet.Refused {
		t.Errorf("a running plan is retried: %v", err)
	}
	b.run(50)
	got, err := act.Retry(b.plan(), "user:wang")
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(act.Request{
		Kind: "test", Targets: []fleet.Ref{fleet.NodeRef("n2"), fleet.NodeRef("n3")}, Args: map[string]string{"stake": "10"},
		Author: "user:wang", Incident: "i1", Reason: fleet.Because("act.retry_of", "plan", b.id),
	}, got); d != "" {
		t.Error(d)
	}
	done := newBench(t, ops(map[string]script{"good": {do: []any{nil}}}), false, nil, "set1 good n1")
	done.run(5)
	if _, err := act.Retry(done.plan(), "user:wang"); fleet.KindOf(err) != fleet.Refused {
		t.Errorf("a plan that left nothing is retried: %v", err)
	}
}

// Long waits are in the journal, so that a list shows them and a new process does not ask too early.
func TestLongWaitIsJournalled(t *testing.T) {
	later := start().Add(6 * time.Hour)
	asked := 0
	op := act.Op{Deadline: 7 * 24 * time.Hour, Verify: func(context.Context, act.StepContext) (act.Proof, time.Time, fleet.Reason, error) {
		asked++
		return act.NotYet, later, fleet.Because("cooling"), nil
	}}
	b := newBench(t, map[string]act.Op{"cool": op}, true, nil, "a cool n1")
	b.run(2)
	if p := b.plan(); !p.Next.Equal(later) || !b.clock.Now().Equal(later) {
		t.Errorf("next is %v, want %v", p.Next, later)
	}
	again := newEngine(t, b.store, b.kind)
	if next, _, err := again.Advance(t.Context(), b.id, b.fence, start().Add(time.Hour)); err != nil || !next.Equal(later) || asked != 1 {
		t.Errorf("asked %d times, next %v, %v", asked, next, err)
	}
}

func TestUnendedListsTheOldestFirst(t *testing.T) {
	s := memory.New()
	e := newEngine(t, s, kindOf(planned(fleet.Step{Name: "a"}), nil))
	for i, id := range []string{"first", "second", "third"} {
		p := planned(fleet.Step{Name: "a", State: fleet.StepPlanned})
		p.ID, p.Created, p.Locks, p.State = id, start().Add(time.Duration(i)*time.Minute), nil, fleet.PlanRunning
		if id == "second" {
			p.Site = "dc2"
		}
		if err := s.CreatePlan(t.Context(), p); err != nil {
			t.Fatal(err)
		}
	}
	for want, sites := range map[string][]string{"first second third": nil, "first third": {"dc1"}} {
		plans, err := e.Unended(t.Context(), sites...)
		var ids []string
		for _, p := range plans {
			ids = append(ids, p.ID)
		}
		if got := strings.Join(ids, " "); err != nil || got != want {
			t.Errorf("of %v: %q, %v", sites, got, err)
		}
	}
}

func TestPlansAdvanceInParallel(t *testing.T) {
	s := memory.New()
	kind := kindOf(fleet.Plan{}, nil)
	kind.Build = func(_ context.Context, req act.Request, _ time.Time) (fleet.Plan, error) {
		return fleet.Plan{Site: "dc1", Locks: req.Targets, Steps: []fleet.Step{{Name: "a", Op: "do"}, {Name: "b", Op: "kick"}}}, nil
	}
	e := newEngine(t, s, kind)
	f := lease(t, s, "me", start())
	var all sync.WaitGroup
	for _, name := range strings.Fields("n1 n2 n3 n4 n5 n6 n7 n8") {
		req := want()
		req.Targets = []fleet.Ref{fleet.NodeRef(name)}
		all.Go(func() {
			p, err := e.Build(t.Context(), req, start())
			if err == nil {
				err = e.Submit(t.Context(), p, start())
			}
			for ended := false; err == nil && !ended; {
				_, ended, err = e.Advance(t.Context(), p.ID, f, start())
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if left, err := e.Unended(t.Context()); err != nil || len(left) > 0 {
		t.Errorf("unended: %v, %v", left, err)
	}
}
