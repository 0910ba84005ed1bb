package sqlite

import (
	"fmt"
	"testing"
	"time"

	"phalops/internal/fleet"
	"phalops/internal/store"
)

// target prints what a benchmark should stay below, beside its ns/op.
func target(b *testing.B, d time.Duration) { b.ReportMetric(float64(d), "target-ns/op") }

func BenchmarkSaveStep(b *testing.B) {
	s := open(b, b.TempDir())
	l, err := s.Acquire(b.Context(), "dc1", "me", time.Hour, t0)
	if err != nil {
		b.Fatal(err)
	}
	p := twoSteps("p", fleet.NodeRef("n1"))
	if err := s.CreatePlan(b.Context(), p); err != nil {
		b.Fatal(err)
	}
	fence := store.Fence{Lease: l.Name, Token: l.Token}
	event := fleet.Event{At: t0, Kind: fleet.EventStep, Plan: "p", Target: p.Targets[0], Reason: fleet.Because("step.intent", "n", 1)}
	for b.Loop() {
		if err := s.SaveStep(b.Context(), "p", p.Steps[0], fence, event); err != nil {
			b.Fatal(err)
		}
	}
	target(b, time.Millisecond)
}

func BenchmarkSaveBridge100Workers(b *testing.B) {
	s := open(b, b.TempDir())
	status := fleet.BridgeStatus{Ref: fleet.BridgeRef("prb-b"), Site: "dc1", Version: "v2"}
	for i := range 100 {
		height := fleet.Height{Value: 4_000_000, Known: true, MovedAt: t0}
		status.Workers = append(status.Workers, fleet.WorkerStatus{
			Probe: fleet.Probe{At: t0}, Ref: fleet.WorkerRef("prb-b", fmt.Sprint(i)), ID: fmt.Sprintf("8b1d27ee-0000-4000-8000-%012d", i),
			Name: fmt.Sprintf("worker-%03d", i), Endpoint: "http://127.0.1.1:8000", Stake: fleet.PHA(3000), StakeOK: true, Enabled: true,
			Running: true, State: "S_MINING", Message: "Now the worker should be mining.", MessageAt: t0, MessageSeen: t0, StateSince: t0,
			PublicKey: "d43593c715fdd31c61141abd04a99fd6822c8558854ccde39a5684e7a56da27d", Relay: height, ParaHeader: height, Para: height,
			Session: "WorkerIdle", V: "1234.5678", Ve: "1200.1", PInit: 2500, PInstant: 2400, Condition: fleet.Working, Since: t0,
		})
	}
	for b.Loop() {
		if err := s.SaveBridge(b.Context(), status); err != nil {
			b.Fatal(err)
		}
	}
	target(b, 2*time.Millisecond)
}

func BenchmarkLogFacts1000(b *testing.B) {
	s := open(b, b.TempDir())
	facts := make([]fleet.Fact, 1000)
	for i := range facts {
		facts[i] = fleet.Fact{Target: fleet.WorkerRef("prb-b", fmt.Sprint(i)), Field: "state", Value: "S_MINING", Source: "prb-b lifecycle", At: t0}
	}
	for b.Loop() {
		if err := s.LogFacts(b.Context(), facts...); err != nil {
			b.Fatal(err)
		}
	}
	target(b, 50*time.Millisecond)
}

func BenchmarkCreatePlan1000Steps(b *testing.B) {
	s := open(b, b.TempDir())
	i := 0
	for b.Loop() {
		i++
		p := fleet.Plan{ID: fmt.Sprint(i), Site: "dc1", State: fleet.PlanRunning, Created: t0}
		for n := range 1000 {
			w := fleet.WorkerRef(fmt.Sprint("b", i), fmt.Sprint(n))
			p.Targets, p.Locks = append(p.Targets, w), append(p.Locks, w)
			p.Steps = append(p.Steps, fleet.Step{Seq: n, Name: fmt.Sprint("restart ", n), Target: w, State: fleet.StepPlanned})
		}
		if err := s.CreatePlan(b.Context(), p); err != nil {
			b.Fatal(err)
		}
	}
	target(b, 150*time.Millisecond)
}

// BenchmarkAttempts reads a busy fortnight: 2,000 ended plans, one running batch of 1,000.
func BenchmarkAttempts(b *testing.B) {
	s := open(b, b.TempDir())
	for i := range 2000 {
		p := twoSteps(fmt.Sprint(i), fleet.NodeRef(fmt.Sprint(i)))
		p.State, p.Ended = fleet.PlanDone, t0
		if err := s.CreatePlan(b.Context(), p); err != nil {
			b.Fatal(err)
		}
	}
	batch := twoSteps("batch", fleet.NodeRef("n"))
	batch.Steps = nil
	for i := range 1000 {
		w := fleet.WorkerRef("b", fmt.Sprint(i))
		batch.Targets = append(batch.Targets, w)
		batch.Steps = append(batch.Steps, fleet.Step{Seq: i, Target: w, State: fleet.StepPlanned})
	}
	if err := s.CreatePlan(b.Context(), batch); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		got, err := s.Attempts(b.Context(), t0.Add(-time.Hour))
		if err != nil || len(got) != 3001 {
			b.Fatal(len(got), err)
		}
	}
	target(b, 30*time.Millisecond)
}

func BenchmarkOpen(b *testing.B) {
	dir := b.TempDir()
	open(b, dir)
	for b.Loop() {
		s, err := Open(b.Context(), Options{Dir: dir, Reserve: 64 << 10})
		if err != nil {
			b.Fatal(err)
		}
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
	}
	target(b, 20*time.Millisecond)
}
