package act_test

import (
	"testing"
	"time"

	"phalops/internal/act"
	"phalops/internal/fleet"
	"phalops/internal/store/memory"
)

// TestStepFoundInItsIntent is the specification of what follows a death between an intent and its result, ten seconds
// after the intent.
func TestStepFoundInItsIntent(t *testing.T) {
	ok := []any{nil}
	tests := []struct {
		name   string
		step   script
		tries  int // before the death; 0: 1
		before func(b *bench)
		want   string
	}{
		{"visible, happened", script{check: []any{true}, do: []any{errBroken}}, 0, nil, `
			10s a done act.found_done
			10s plan done act.plan_done`},
		{"visible, happened, proof outstanding", script{check: []any{true}, do: []any{errBroken}, verify: []any{act.NotYet, act.Proved}}, 0, nil, `
			10s a effected
			20s a done act.proved
			20s plan done act.plan_done`},
		{"visible, did not happen", script{check: []any{false}, do: ok}, 0, nil, `
			10s a done act.sent
			10s plan done act.plan_done`},
		{"visible, nothing can tell and repeating is harmless", script{do: ok}, 0, nil, `
			10s a done act.sent
			10s plan done act.plan_done`},
		{"visible, did not happen, and that was the last try", script{check: []any{false}, do: ok, attempts: 2}, 2, nil, `
			10s a failed act.interrupted
			10s plan failed act.plan_failed`},
		{"visible, cannot be asked at first", script{check: []any{errBroken, true}, do: []any{errBroken}}, 0, nil, `
			10s a (error.other)
			20s a done act.found_done
			20s plan done act.plan_done`},
		{"visible, can never be asked", script{check: []any{errBroken}, do: []any{errBroken}}, 0, nil, `
			10s a (error.other)
			20s a failed error.other
			20s plan failed act.plan_failed`},
		{"visible, did not happen, paused", script{check: []any{false}, do: ok}, 0, func(b *bench) { b.pause(); b.run(2); b.resume() }, `
			30s a done act.sent
			30s plan done act.plan_done`},
		{"visible, happened, paused", script{check: []any{true}, do: []any{errBroken}}, 0, func(b *bench) { b.pause() }, `
			10s a done act.found_done
			10s plan done act.plan_done`},
		{"visible, did not happen, aborted", script{check: []any{false}, do: ok}, 0, func(b *bench) { b.abort() }, `
			10s a failed act.interrupted
			10s plan aborted act.plan_aborted`},
		{"blind, proved", script{effect: act.Blind, check: []any{false}, do: []any{errBroken}, verify: []any{act.NotYet, act.Proved}}, 0, nil, `
			10s a effected act.interrupted
			20s a done act.proved
			20s plan done act.plan_done`},
		{"blind, never proved", script{effect: act.Blind, do: []any{errBroken}, verify: []any{act.NotYet}, deadline: time.Minute}, 0, nil, `
			10s a effected act.interrupted
			1m0s a failed act.too_late
			1m0s plan failed act.plan_failed`},
		{"blind, nothing can tell", script{effect: act.Blind, do: []any{errBroken}}, 0, nil, `
			10s a failed act.not_known
			10s plan failed act.plan_failed`},
		{"blind, deadline passed while nobody looked, proved at the second look",
			script{effect: act.Blind, do: []any{errBroken}, verify: []any{act.NotYet, act.Proved}, deadline: 5 * time.Second}, 0, nil, `
			10s a effected act.interrupted
			20s a done act.proved
			20s plan done act.plan_done`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t, map[string]act.Op{"op": tt.step.op()}, true, nil, "a op n1")
			s := b.plan().Steps[0]
			s.State, s.Attempt, s.Token, s.Began = fleet.StepIntent, max(tt.tries, 1), b.fence.Token, start()
			if err := b.store.SaveStep(t.Context(), b.id, s, b.fence); err != nil {
				t.Fatal(err)
			}
			b.clock.Advance(10 * time.Second)
			if tt.before != nil {
				tt.before(b)
			}
			b.run(50).want(tt.want)
		})
	}
}

// interrupting is a store in which a person speaks between Advance's reading of the plan and its writing.
type interrupting struct {
	*memory.Store
	person func()
}

func (s *interrupting) Full() bool {
	if say := s.person; say != nil {
		s.person = nil
		say()
	}
	return s.Store.Full()
}

func TestAbortIsHeardWhileThePlanEnds(t *testing.T) {
	b := newBench(t, ops(map[string]script{"bad": {do: []any{errBroken}, attempts: 1}}), true, nil, "a bad n1")
	b.until("a failed")
	s := &interrupting{Store: b.store, person: b.abort}
	b.e = newEngine(t, s, b.kind)
	b.run(5)
	if p := b.plan(); p.State != fleet.PlanAborted {
		t.Errorf("the plan is %s", p.State)
	}
}
