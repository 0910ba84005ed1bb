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

	"phalops/internal/act"
	"phalops/internal/fleet"
	"phalops/internal/store"
	"phalops/internal/store/memory"
)

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
	for name := range strings.FieldsSeq("n1 n2 n3 n4 n5 n6 n7 n8") {
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
