package act_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"phalops/internal/act"
	"phalops/internal/clock"
	"phalops/internal/fleet"
	"phalops/internal/store"
	"phalops/internal/store/memory"
)

func start() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }

var errBroken = errors.New("broken")

// script is an op that answers from lists; the last answer of a list repeats.
type script struct {
	effect   act.Effect // "": visible
	check    []any      // bool, error or panics(""); nil: no Check
	do       []any      // error, nil or panics(""); nil: no Do
	verify   []any      // act.Proof, error or panics(""); nil: no Verify
	deadline time.Duration
	attempts int
}

type panics string

func answer(list *[]any) any {
	a := (*list)[0]
	if len(*list) > 1 {
		*list = (*list)[1:]
	}
	if p, ok := a.(panics); ok {
		panic(p)
	}
	return a
}

func (s script) op() act.Op {
	op := act.Op{Effect: s.effect, Deadline: s.deadline, Attempts: s.attempts}
	if op.Effect == "" {
		op.Effect = act.Visible
	}
	if s.check != nil {
		op.Check = func(context.Context, act.StepContext) (bool, error) {
			switch a := answer(&s.check).(type) {
			case error:
				return false, a
			default:
				return a.(bool), nil
			}
		}
	}
	if s.do != nil {
		op.Do = func(context.Context, act.StepContext) error {
			err, _ := answer(&s.do).(error)
			return err
		}
	}
	if s.verify != nil {
		op.Verify = func(context.Context, act.StepContext) (act.Proof, time.Time, fleet.Reason, error) {
			switch a := answer(&s.verify).(type) {
			case error:
				return "", time.Time{}, fleet.Reason{}, a
			default:
				return a.(act.Proof), time.Time{}, fleet.Reason{}, nil
			}
		}
	}
	return op
}

// bench is an engine with one plan, and the trace of what Advance does to it.
type bench struct {
	t     *testing.T
	store *memory.Store
	clock *clock.Virtual
	kind  act.Kind
	e     *act.Engine
	fence store.Fence
	id    string
	trace strings.Builder
}

// newBench submits a plan of steps, each written as "name op target [phase]", with "~" in front when it restores.
func newBench(t *testing.T, ops map[string]act.Op, exact bool, args map[string]string, steps ...string) *bench {
	t.Helper()
	b := &bench{t: t, store: memory.New(), clock: clock.NewVirtual(start())}
	b.kind = act.Kind{Name: "test", Ops: ops, Build: func(_ context.Context, req act.Request, _ time.Time) (fleet.Plan, error) {
		p := fleet.Plan{Site: "dc1", Targets: req.Targets, Locks: req.Targets, Args: req.Args, Exact: exact}
		for _, line := range steps {
			line, restoring := strings.CutPrefix(line, "~")
			f := strings.Fields(line)
			phase := 0
			if len(f) > 3 { // "2": of the second phase
				phase, _ = strconv.Atoi(f[3])
			}
			p.Steps = append(p.Steps, fleet.Step{Name: f[0], Op: f[1], Target: fleet.NodeRef(f[2]), Phase: phase, Restoring: restoring})
		}
		return p, nil
	}}
	b.e = newEngine(t, b.store, b.kind)
	b.fence = lease(t, b.store, "me", start())
	var targets []fleet.Ref
	for _, line := range steps {
		targets = append(targets, fleet.NodeRef(strings.Fields(line)[2]))
	}
	p, err := b.e.Build(t.Context(), act.Request{Kind: "test", Targets: targets, Args: args, Author: "rule:r", Incident: "i1", Reason: fleet.Because("r")}, start())
	if err != nil {
		t.Fatal(err)
	}
	if err := b.e.Submit(t.Context(), p, start()); err != nil {
		t.Fatal(err)
	}
	b.id = p.ID
	return b
}

func newEngine(t *testing.T, s act.Store, kinds ...act.Kind) *act.Engine {
	t.Helper()
	e, err := act.New(act.Options{Store: s, Kinds: kinds})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func lease(t *testing.T, s store.Store, owner string, now time.Time) store.Fence {
	t.Helper()
	l, err := s.Acquire(t.Context(), "dc1", owner, time.Minute, now)
	if err != nil {
		t.Fatal(err)
	}
	return store.Fence{Lease: l.Name, Token: l.Token}
}

func (b *bench) plan() fleet.Plan {
	b.t.Helper()
	p, err := b.store.Plan(b.t.Context(), b.id)
	if err != nil {
		b.t.Fatal(err)
	}
	return p
}

// advance makes one move, notes what changed, and moves the clock to the next one.
func (b *bench) advance() (ended bool) {
	b.t.Helper()
	before, now := b.plan(), b.clock.Now()
	next, ended, err := b.e.Advance(b.t.Context(), b.id, b.fence, now)
	if err != nil {
		b.t.Fatal(err)
	}
	after := b.plan()
	for i, s := range after.Steps {
		if old := before.Steps[i]; old.State != s.State || old.Attempt != s.Attempt {
			b.note("%s %s %s", s.Name, s.State, s.Result.Code)
		} else if old.Result.Code != s.Result.Code {
			b.note("%s (%s)", s.Name, s.Result.Code)
		}
	}
	if before.State != after.State {
		b.note("plan %s %s", after.State, after.Note.Code)
	}
	b.clock.Set(next)
	return ended
}

func (b *bench) note(format string, args ...any) {
	fmt.Fprintf(&b.trace, "%s ", b.clock.Now().Sub(start()))
	b.trace.WriteString(strings.TrimSpace(fmt.Sprintf(format, args...)) + "\n")
}

// run advances until the plan ends, or n moves were made.
func (b *bench) run(n int) *bench {
	b.t.Helper()
	for range n {
		if b.advance() {
			break
		}
	}
	return b
}

// until advances until a line of the trace contains text.
func (b *bench) until(text string) *bench {
	b.t.Helper()
	for range 2000 {
		if strings.Contains(b.trace.String(), text) {
			return b
		}
		if b.advance() {
			break
		}
	}
	if !strings.Contains(b.trace.String(), text) {
		b.t.Fatalf("%q never happened:\n%s", text, b.trace.String())
	}
	return b
}

func (b *bench) want(trace string) {
	b.t.Helper()
	clean := func(s string) string {
		var lines []string
		for line := range strings.Lines(s) {
			if line = strings.TrimSpace(line); line != "" {
				lines = append(lines, line)
			}
		}
		return strings.Join(lines, "\n")
	}
	if got, want := clean(b.trace.String()), clean(trace); got != want {
		b.t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

func (b *bench) events() []fleet.Event {
	b.t.Helper()
	events, err := b.store.Events(b.t.Context(), store.EventFilter{Plan: b.id})
	if err != nil {
		b.t.Fatal(err)
	}
	return events
}
