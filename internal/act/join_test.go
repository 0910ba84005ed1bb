package act_test

import (
	"testing"
	"time"

	"phalops/internal/act"
	"phalops/internal/fleet"
	"phalops/internal/store"
	"phalops/internal/store/memory"
)

// Who asks for what is on its way already is told which plan does it, whether they come before or after that was written.
func TestASharedKindIsJoined(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		shared bool
		change func(*fleet.Plan)
		joins  bool
	}{
		"on its way":                {true, func(*fleet.Plan) {}, true},
		"paused":                    {true, func(p *fleet.Plan) { p.State = fleet.PlanPaused }, true},
		"restores":                  {true, func(p *fleet.Plan) { p.State = fleet.PlanRestoring }, false},
		"aborted":                   {true, func(p *fleet.Plan) { p.Abort = true }, false},
		"each for itself":           {false, func(*fleet.Plan) {}, false},
		"ended, its locks are free": {true, func(p *fleet.Plan) { p.State, p.Ended = fleet.PlanDone, now }, false},
	} {
		t.Run(name, func(t *testing.T) {
			kind := kindOf(planned(fleet.Step{Name: "a"}), nil)
			kind.Shared = c.shared
			s := memory.New()
			e, err := act.New(act.Options{Store: s, Kinds: []act.Kind{kind}})
			if err != nil {
				t.Fatal(err)
			}
			first, err := e.Build(t.Context(), want(), now)
			if err != nil {
				t.Fatal(err)
			}
			second, err := e.Build(t.Context(), want(), now)
			if err != nil {
				t.Fatalf("a plan that nobody handed over is in the way: %v", err)
			}
			if err := e.Submit(t.Context(), first, now); err != nil {
				t.Fatal(err)
			}
			c.change(&first)
			if err := s.SavePlan(t.Context(), first, store.Fence{}); err != nil {
				t.Fatal(err)
			}
			_, buildErr := e.Build(t.Context(), want(), now)
			submitErr := e.Submit(t.Context(), second, now)
			if p, joined := act.UnderWay(submitErr); joined != c.joins || joined && p.ID != first.ID {
				t.Errorf("Submit: %v", submitErr)
			}
			if p, joined := act.UnderWay(buildErr); joined != c.joins || joined && p.ID != first.ID {
				t.Errorf("Build: %v", buildErr)
			}
			if c.joins && (fleet.KindOf(submitErr) != fleet.Locked || fleet.ReasonOf(submitErr).Code != "act.under_way") {
				t.Errorf("to others it is %s: %s", fleet.KindOf(submitErr), fleet.ReasonOf(submitErr))
			}
		})
	}
}
