package act_test

import (
	"strings"
	"testing"
	"time"

	"phalops/internal/act"
	"phalops/internal/fleet"
)

func ops(pairs map[string]script) map[string]act.Op {
	out := map[string]act.Op{}
	for name, s := range pairs {
		out[name] = s.op()
	}
	return out
}

// TestLines is the specification of how steps wait for one another, and of what still runs when one fails.
func TestLines(t *testing.T) {
	good := script{check: []any{false}, do: []any{nil}}
	bad := script{check: []any{false}, do: []any{errBroken}, attempts: 1}
	proved := script{check: []any{false}, do: []any{nil}, verify: []any{act.NotYet, act.Proved}}
	never := script{check: []any{false}, do: []any{nil}, verify: []any{act.TooLate}}
	heals := script{check: []any{false}, do: []any{errBroken, errBroken, errBroken, errBroken, nil}, attempts: 2}
	refused := script{check: []any{errBroken}, do: []any{nil}, attempts: 1}
	all := map[string]script{"good": good, "bad": bad, "proved": proved, "never": never, "refused": refused}
	tests := []struct {
		name   string
		exact  bool
		args   map[string]string
		ops    map[string]script
		steps  []string
		before func(b *bench)
		want   string
	}{
		{name: "exact: in order, each proved before the next", exact: true, ops: all,
			steps: []string{"stop proved n1", "restart proved n2", "~start good n1"}, want: `
			0s stop effected
			10s stop done act.proved
			10s restart effected
			10s restart done act.proved
			10s start done act.sent
			10s plan done act.plan_done`},
		{name: "exact: a failure skips what does not restore", exact: true, ops: all,
			steps: []string{"stop good n1", "restart never n2", "grow good n2", "~start-b good n3", "~start-a good n1"}, want: `
			0s stop done act.sent
			0s restart effected
			0s restart failed act.too_late
			0s plan restoring act.plan_restoring
			0s start-b done act.sent
			0s start-a done act.sent
			0s grow skipped act.skipped
			0s plan failed act.plan_failed`},
		{name: "exact: nothing was begun, nothing is restored", exact: true, ops: all,
			steps: []string{"stop refused n1", "restart good n2", "~start good n1"}, want: `
			0s stop failed error.other
			0s plan restoring act.plan_restoring
			0s restart skipped act.skipped
			0s start skipped act.skipped
			0s plan failed act.plan_failed`},
		{name: "exact: a restoring step that fails holds up no other, and is tried until it succeeds", exact: true,
			ops:   map[string]script{"good": good, "heals": heals},
			steps: []string{"stop good n1", "~start-b heals n3", "grow good n2", "~start-a good n1"}, want: `
			0s stop done act.sent
			0s start-b planned error.other
			5s start-b planned error.other
			5s plan restoring act.plan_restoring
			5s start-a done act.sent
			5s grow skipped act.skipped
			15s start-b planned error.other
			35s start-b planned error.other
			1m15s start-b done act.sent
			1m15s plan failed act.plan_failed`},
		{name: "batch: a failure ends its own line only", ops: all,
			steps: []string{"set1 good n1", "set2 bad n2", "set3 good n3", "tell2 good n2", "tell3 good n3"}, want: `
			0s set1 done act.sent
			0s set2 failed error.other
			0s set3 done act.sent
			0s tell3 done act.sent
			0s tell2 skipped act.skipped
			0s plan partly act.plan_partly`},
		{name: "batch: all failed", ops: all, steps: []string{"set1 bad n1", "set2 bad n2"}, want: `
			0s set1 failed error.other
			0s set2 failed error.other
			0s plan failed act.plan_failed`},
		{name: "batch: what a failed line stopped is started again", ops: all,
			steps: []string{"stop1 good n1", "set1 bad n1", "~start1 good n1", "set2 good n2"}, want: `
			0s stop1 done act.sent
			0s set1 failed error.other
			0s start1 done act.sent
			0s set2 done act.sent
			0s plan partly act.plan_partly`},
		{name: "batch: one at a time unless told otherwise", ops: all, steps: []string{"set1 proved n1", "set2 proved n2"}, want: `
			0s set1 effected
			10s set1 done act.proved
			10s set2 effected
			10s set2 done act.proved
			10s plan done act.plan_done`},
		{name: "batch: two at once", args: map[string]string{act.ArgAtOnce: "2"},
			ops:   map[string]script{"slow": proved, "good": good},
			steps: []string{"set1 slow n1", "set2 good n2", "set3 good n3"}, want: `
			0s set1 effected
			0s set2 done act.sent
			0s set3 done act.sent
			10s set1 done act.proved
			10s plan done act.plan_done`},
		{name: "batch: a phase begins when all lines have ended the one before", args: map[string]string{act.ArgAtOnce: "2"},
			ops:   map[string]script{"slow": proved, "good": good, "bad": bad},
			steps: []string{"set1 slow n1", "set2 good n2", "set3 bad n3", "tell1 good n1 2", "tell2 good n2 2", "tell3 good n3 2", "wake good n4 1"}, want: `
			0s set1 effected
			0s set2 done act.sent
			0s set3 failed error.other
			0s tell3 skipped act.skipped
			10s set1 done act.proved
			10s wake done act.sent
			10s tell1 done act.sent
			10s tell2 done act.sent
			10s plan partly act.plan_partly`},
		{name: "batch: what no further try can mend", ops: map[string]script{"taken": {check: []any{false}, do: []any{act.Final(errBroken)}}, "good": good},
			steps: []string{"set1 taken n1", "set2 good n2"}, want: `
			0s set1 failed error.other
			0s set2 done act.sent
			0s plan partly act.plan_partly`},
		{name: "batch: six a minute", args: map[string]string{act.ArgRate: "6", act.ArgAtOnce: "5"}, ops: all,
			steps: []string{"set1 good n1", "set2 proved n2", "set3 good n3", "tell1 good n1"}, want: `
			0s set1 done act.sent
			0s tell1 done act.sent
			10s set2 effected
			20s set2 done act.proved
			20s set3 done act.sent
			20s plan done act.plan_done`},
		{name: "batch: stops after two failures", args: map[string]string{act.ArgMaxFailures: "2"}, ops: all,
			steps: []string{"set1 good n1", "set2 bad n2", "set3 bad n3", "set4 good n4", "~start4 good n4"}, want: `
			0s set1 done act.sent
			0s set2 failed error.other
			0s set3 failed error.other
			0s plan restoring act.plan_stopping
			0s set4 skipped act.skipped
			0s start4 skipped act.skipped
			0s plan partly act.plan_partly`},
		{name: "batch: a restoring step that fails stops nobody", ops: map[string]script{"good": good, "heals": heals},
			steps: []string{"~start1 heals n1", "set2 good n2"}, want: `
			0s start1 planned error.other
			5s start1 planned error.other
			5s set2 done act.sent
			15s start1 planned error.other
			35s start1 planned error.other
			1m15s start1 done act.sent
			1m15s plan done act.plan_done`},
		{name: "exact: abort proves what was sent before it restores", exact: true, ops: all,
			steps: []string{"stop proved n1", "restart good n2", "~start good n1"}, before: func(b *bench) { b.run(1); b.abort() }, want: `
			0s stop effected
			10s stop done act.proved
			10s start done act.sent
			10s restart skipped act.skipped
			10s plan aborted act.plan_aborted`},
		{name: "exact: paused half-way, aborted", exact: true, ops: all,
			steps: []string{"stop good n1", "restart good n2", "~start good n1"}, before: func(b *bench) { b.run(1); b.pause(); b.run(3); b.abort() }, want: `
			0s stop done act.sent
			30s start done act.sent
			30s restart skipped act.skipped
			30s plan aborted act.plan_aborted`},
		{name: "exact: a pause does not hold up what restores", exact: true, ops: all,
			steps: []string{"stop good n1", "~start good n1", "grow good n1"}, before: func(b *bench) { b.run(1); b.pause(); b.run(2); b.resume() }, want: `
			0s stop done act.sent
			0s start done act.sent
			20s grow done act.sent
			20s plan done act.plan_done`},
		{name: "exact: abort does not wait for a step that only waits", exact: true,
			ops:   map[string]script{"good": good, "waits": {verify: []any{act.NotYet}, deadline: time.Hour}},
			steps: []string{"stop good n1", "grow waits n2", "~start good n1"}, before: func(b *bench) { b.until("grow effected"); b.abort() }, want: `
			0s stop done act.sent
			0s grow effected
			0s start done act.sent
			0s grow skipped act.skipped
			0s plan aborted act.plan_aborted`},
		{name: "exact: after a look that nothing follows nothing is restored", exact: true,
			ops:   map[string]script{"good": good, "looks": {verify: []any{act.TooLate}}},
			steps: []string{"look looks n2", "stop good n1", "~start good n1"}, want: `
			0s look effected
			0s look failed act.too_late
			0s plan restoring act.plan_restoring
			0s stop skipped act.skipped
			0s start skipped act.skipped
			0s plan failed act.plan_failed`},
		{name: "exact: full disk half-way restores", exact: true, ops: all,
			steps: []string{"stop good n1", "restart good n2", "~start good n1"}, before: func(b *bench) { b.run(1); b.store.SetFull(true) }, want: `
			0s stop done act.sent
			0s plan restoring act.plan_restoring_full
			0s start done act.sent
			0s restart skipped act.skipped
			0s plan failed act.plan_failed`},
		{name: "exact: full disk before anything was begun waits", exact: true, ops: all,
			steps: []string{"stop good n1", "~start good n1"}, before: func(b *bench) { b.store.SetFull(true); b.run(2); b.store.SetFull(false) }, want: `
			20s stop done act.sent
			20s start done act.sent
			20s plan done act.plan_done`},
		{name: "exact: full disk when only restoring is left", exact: true, ops: all,
			steps: []string{"stop good n1", "~start good n1"}, before: func(b *bench) { b.run(1); b.store.SetFull(true) }, want: `
			0s stop done act.sent
			0s start done act.sent
			0s plan done act.plan_done`},
		{name: "batch: what restores goes first", args: map[string]string{act.ArgAtOnce: "2"},
			ops: map[string]script{
				"good": good, "slow1": proved, "slow2": proved,
			},
			steps: []string{"set1 slow1 n1", "tell1 good n1", "stop2 slow2 n2", "~start2 good n2"}, want: `
			0s set1 effected
			0s stop2 effected
			10s set1 done act.proved
			10s stop2 done act.proved
			10s start2 done act.sent
			10s tell1 done act.sent
			10s plan done act.plan_done`},
		{name: "nothing to do", exact: true, want: `0s plan done act.plan_done`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t, ops(tt.ops), tt.exact, tt.args, tt.steps...)
			if tt.before != nil {
				tt.before(b)
			}
			b.run(500).want(tt.want)
		})
	}
}

// A stop that timed out here may still end there: the container that "already runs" is looked at until that is over, and
// what follows does not wait for it.
func TestRunningIsNotBelievedWhileAStopMayStillLand(t *testing.T) {
	all := ops(map[string]script{
		"stop":  {check: []any{false}, do: []any{errBroken}, attempts: 1, deadline: time.Minute},
		"start": {check: []any{true, true, false}, do: []any{nil}},
		"good":  {check: []any{false}, do: []any{nil}},
	})
	b := newBench(t, all, true, nil, "stop stop n1", "~start start n1", "~other good n2")
	b.run(100).want(`
		0s stop failed error.other
		0s plan restoring act.plan_restoring
		0s other done act.sent
		20s start done act.sent
		20s plan failed act.plan_failed`)

	all["stop"] = script{check: []any{false}, do: []any{errBroken}, attempts: 1, deadline: time.Minute}.op()
	all["start"] = script{check: []any{true}, do: []any{nil}}.op()
	b = newBench(t, all, true, nil, "stop stop n1", "~start start n1")
	b.run(100).want(`
		0s stop failed error.other
		0s plan restoring act.plan_restoring
		1m30s start done act.already
		1m30s plan failed act.plan_failed`) // 30 s for the request and a minute for its effect
}

func TestRestoringIsTriedForADayThenAPersonIsCalled(t *testing.T) {
	start := script{check: []any{false}, do: []any{errBroken}}
	for range 300 {
		start.do = append(start.do, errBroken)
	}
	start.do = append(start.do, nil)
	b := newBench(t, ops(map[string]script{"stop": {do: []any{nil}}, "start": start}), true, nil, "stop stop n1", "~start start n1")
	b.until("plan parked")
	if at := b.clock.Now().Sub(startOf(b)); at < 24*time.Hour || at > 24*time.Hour+10*time.Minute {
		t.Errorf("parked after %s", at)
	}
	p := b.plan()
	if p.State != fleet.PlanParked || p.Note.Code != "act.plan_parked" || p.Note.Args["plan"] != p.ID {
		t.Errorf("the plan is %s, %s", p.State, p.Note)
	}
	told := 0
	for _, e := range b.events() {
		if e.Reason.Code == "act.restore_failing" {
			told++
		}
	}
	if told < 20 || told > 40 {
		t.Errorf("%d events in a day about the failing start, want about one an hour", told)
	}
	if locks, err := b.store.Locks(t.Context()); err != nil || len(locks) == 0 {
		t.Errorf("a parked plan gave back its locks: %v", err)
	}
	tries := p.Steps[1].Attempt
	b.run(5)
	if n := b.plan().Steps[1].Attempt; n != tries {
		t.Errorf("a parked plan went on: %d tries after %d", n, tries)
	}

	b.resume()
	b.until("start done")
	b.run(5)
	if p := b.plan(); p.State != fleet.PlanDone && p.State != fleet.PlanFailed {
		t.Errorf("after the resume the plan is %s", p.State)
	}
	if !strings.Contains(b.trace.String(), "start done act.sent") {
		t.Errorf("the container was never started:\n%s", b.trace.String())
	}
}

func startOf(b *bench) time.Time { return b.plan().Created }
