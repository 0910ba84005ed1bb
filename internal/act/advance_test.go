package act_test

import (
	"testing"
	"time"

	"phalops/internal/act"
)

// TestOneStep is the specification of a step's life: what Check, Do and Verify answer, and what becomes of it when.
func TestOneStep(t *testing.T) {
	ok := []any{nil}
	tests := []struct {
		name   string
		step   script
		before func(b *bench)
		want   string
	}{
		{"already so", script{check: []any{true}, do: []any{errBroken}}, nil, `
			0s a done act.already
			0s plan done act.plan_done`},
		{"done without proof asked", script{check: []any{false}, do: ok}, nil, `
			0s a done act.sent
			0s plan done act.plan_done`},
		{"proved", script{do: ok, verify: []any{act.Proved}}, nil, `
			0s a effected
			0s a done act.proved
			0s plan done act.plan_done`},
		{"proved at the third look", script{do: ok, verify: []any{act.NotYet, errBroken, act.Proved}}, nil, `
			0s a effected
			20s a done act.proved
			20s plan done act.plan_done`},
		{"only a proof", script{check: []any{false}, verify: []any{act.NotYet, act.Proved}}, nil, `
			0s a effected
			10s a done act.proved
			10s plan done act.plan_done`},
		{"too late", script{do: ok, verify: []any{act.NotYet, act.TooLate}}, nil, `
			0s a effected
			10s a failed act.too_late
			10s plan failed act.plan_failed`},
		{"deadline", script{do: ok, verify: []any{act.NotYet}, deadline: 25 * time.Second}, nil, `
			0s a effected
			25s a failed act.too_late
			25s plan failed act.plan_failed`},
		{"deadline while the proof cannot be asked", script{do: ok, verify: []any{errBroken}}, nil, `
			0s a effected
			5m0s a failed act.too_late_because
			5m0s plan failed act.plan_failed`},
		{"visible effect succeeds at the third try", script{check: []any{false}, do: []any{errBroken, errBroken, nil}, verify: []any{act.Proved}}, nil, `
			0s a planned error.other
			5s a planned error.other
			15s a effected
			15s a done act.proved
			15s plan done act.plan_done`},
		{"visible effect fails but happened", script{check: []any{false, true}, do: []any{errBroken}}, nil, `
			0s a planned error.other
			5s a done act.already
			5s plan done act.plan_done`},
		{"visible effect never succeeds", script{check: []any{false}, do: []any{errBroken}, attempts: 2}, nil, `
			0s a planned error.other
			5s a failed error.other
			5s plan failed act.plan_failed`},
		{"blind effect was not sent", script{effect: act.Blind, do: []any{act.NotSent(errBroken), nil}, verify: []any{act.Proved}}, nil, `
			0s a planned error.other
			5s a effected
			5s a done act.proved
			5s plan done act.plan_done`},
		{"blind effect may have been sent, and was", script{effect: act.Blind, do: []any{errBroken}, verify: []any{act.NotYet, act.Proved}}, nil, `
			0s a effected error.other
			10s a done act.proved
			10s plan done act.plan_done`},
		{"blind effect may have been sent, and was not", script{effect: act.Blind, do: []any{errBroken}, verify: []any{act.NotYet}, deadline: time.Minute}, nil, `
			0s a effected error.other
			1m0s a failed act.too_late
			1m0s plan failed act.plan_failed`},
		{"blind effect may have been sent, and nothing can tell", script{effect: act.Blind, do: []any{errBroken}}, nil, `
			0s a failed act.not_known
			0s plan failed act.plan_failed`},
		{"check fails once", script{check: []any{errBroken, false}, do: ok}, nil, `
			0s a (error.other)
			5s a done act.sent
			5s plan done act.plan_done`},
		{"check fails for good", script{effect: act.Blind, check: []any{errBroken}, do: ok}, nil, `
			0s a (error.other)
			15s a failed error.other
			15s plan failed act.plan_failed`},
		{"check panics", script{check: []any{panics("x")}, do: ok}, nil, `
			0s a failed act.panic
			0s plan failed act.plan_failed`},
		{"effect panics", script{check: []any{false}, do: []any{panics("x")}}, nil, `
			0s a failed act.panic
			0s plan failed act.plan_failed`},
		{"proof panics", script{do: ok, verify: []any{panics("x")}}, nil, `
			0s a effected
			0s a failed act.panic
			0s plan failed act.plan_failed`},
		{"pause before", script{do: ok}, func(b *bench) { b.pause(); b.run(3); b.resume() }, `
			30s a done act.sent
			30s plan done act.plan_done`},
		{"pause between effect and proof", script{do: ok, verify: []any{act.NotYet, act.Proved}}, func(b *bench) { b.run(1); b.pause() }, `
			0s a effected
			10s a done act.proved
			10s plan done act.plan_done`},
		{"abort before", script{do: ok}, func(b *bench) { b.abort() }, `
			0s a skipped act.skipped
			0s plan aborted act.plan_aborted`},
		{"abort between effect and proof", script{do: ok, verify: []any{act.NotYet, act.Proved}}, func(b *bench) { b.run(1); b.abort() }, `
			0s a effected
			10s a done act.proved
			10s plan done act.plan_done`},
		{"abort between two tries", script{check: []any{false}, do: []any{errBroken}}, func(b *bench) { b.run(1); b.abort() }, `
			0s a planned error.other
			5s a skipped error.other
			5s plan aborted act.plan_aborted`},
		{"full disk before", script{do: ok}, func(b *bench) { b.store.SetFull(true); b.run(2); b.store.SetFull(false) }, `
			20s a done act.sent
			20s plan done act.plan_done`},
	}
	for _, tt := range tests {
		for _, exact := range []bool{true, false} {
			name := tt.name + map[bool]string{true: " (exact)", false: " (batch)"}[exact]
			t.Run(name, func(t *testing.T) {
				b := newBench(t, map[string]act.Op{"op": tt.step.op()}, exact, nil, "a op n1")
				if tt.before != nil {
					tt.before(b)
				}
				b.run(200).want(tt.want)
				if locks, err := b.store.Locks(t.Context()); err != nil || len(locks) > 0 {
					t.Errorf("locks are left: %v %v", locks, err)
				}
			})
		}
	}
}

func (b *bench) must(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) pause()  { b.must(b.e.Pause(b.t.Context(), b.id, "user:li", b.clock.Now())) }
func (b *bench) resume() { b.must(b.e.Resume(b.t.Context(), b.id, "user:li", b.clock.Now())) }
func (b *bench) abort()  { b.must(b.e.Abort(b.t.Context(), b.id, "user:li", b.clock.Now())) }
