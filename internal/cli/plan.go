package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"phalops/internal/act"
	"phalops/internal/fleet"
	"phalops/internal/store"
	"phalops/internal/view"
)

func (a *app) planCmd() *cobra.Command {
	var all bool
	list := &cobra.Command{
		Use: "list", Short: a.say("cli.plan_list"), Args: a.args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.listPlans(cmd.Context(), all) },
	}
	list.Flags().BoolVar(&all, "all", false, a.say("cli.flag_ended_too"))
	verb := func(use, short string, f func(context.Context, *session, string) error) *cobra.Command {
		return &cobra.Command{
			Use: use + " ID", Short: a.say(short), Args: a.args(cobra.ExactArgs(1)),
			RunE: func(cmd *cobra.Command, args []string) error {
				return a.withCore(cmd.Context(), func(ctx context.Context, s *session) error {
					return notFound(f(ctx, s, args[0]), "cli.no_plan", args[0])
				})
			},
		}
	}
	showCmd := &cobra.Command{
		Use: "show ID", Short: a.say("cli.plan_show"), Args: a.args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withReader(cmd.Context(), func(ctx context.Context, s *session) error {
				p, err := s.core.Store.Plan(ctx, args[0])
				if err != nil {
					return notFound(err, "cli.no_plan", args[0])
				}
				return s.showPlan(p)
			})
		},
	}
	return a.noun("plan", "cli.plan", list, showCmd,
		verb("pause", "cli.plan_pause", func(ctx context.Context, s *session, id string) error {
			return s.core.Engine.Pause(ctx, id, s.author(), s.core.Clock.Now())
		}),
		verb("resume", "cli.plan_resume", func(ctx context.Context, s *session, id string) error {
			if err := s.core.Engine.Resume(ctx, id, s.author(), s.core.Clock.Now()); err != nil {
				return err
			}
			return s.finish(ctx, id)
		}),
		verb("abort", "cli.plan_abort", func(ctx context.Context, s *session, id string) error {
			if err := s.core.Engine.Abort(ctx, id, s.author(), s.core.Clock.Now()); err != nil {
				return err
			}
			return s.finish(ctx, id)
		}),
		verb("retry", "cli.plan_retry", func(ctx context.Context, s *session, id string) error {
			old, err := s.core.Store.Plan(ctx, id)
			if err != nil {
				return err
			}
			req, err := act.Retry(old, s.author())
			if err != nil {
				return err
			}
			p, err := s.core.Engine.Build(ctx, req, s.core.Clock.Now())
			if err != nil {
				return err
			}
			return s.carryOut(ctx, []fleet.Plan{p})
		}))
}

// finish follows a plan to its end and answers with its outcome.
func (s *session) finish(ctx context.Context, id string) error {
	done, err := s.core.Follow(ctx, id, s.progress())
	if err != nil {
		return err
	}
	if err := s.showPlan(done); err != nil {
		return err
	}
	if done.State == fleet.PlanAborted && done.Abort {
		return nil
	}
	return outcome([]fleet.Plan{done})
}

func (a *app) listPlans(ctx context.Context, all bool) error {
	return a.withReader(ctx, func(ctx context.Context, s *session) error {
		plans, err := s.core.Store.Plans(ctx, store.PlanFilter{Unended: !all, Limit: 500})
		if err != nil {
			return err
		}
		return s.printPlans(plans)
	})
}

func (a *app) printPlans(plans []fleet.Plan) error {
	g := grid{head: []string{"col.plan", "col.kind", "col.state", "col.created", "col.lasted", "col.author", "col.steps", "col.targets", "col.note"}}
	out := []view.Plan{}
	for _, p := range plans {
		v := a.words().Plan(p)
		out = append(out, v)
		total := 0
		for _, n := range v.Counts {
			total += n
		}
		steps := fmt.Sprintf("%d/%d", v.Counts[string(fleet.StepDone)], total)
		if n := v.Counts[string(fleet.StepFailed)]; n > 0 {
			steps += " " + a.paint(red, a.say("cli.failed_steps", "n", n))
		}
		lasted := ""
		if !p.Ended.IsZero() {
			lasted = a.lasting(p.Created, p.Ended)
		}
		g.add(p.ID, p.Kind, a.planState(p.State), a.when(p.Created), lasted, p.Author, steps, targets(p.Targets), a.text(p.Note))
	}
	return a.print(out, g)
}

// targets lists a few names and counts the rest.
func targets(refs []fleet.Ref) string {
	var names []string
	for i, r := range refs {
		if i == 3 {
			names = append(names, fmt.Sprintf("… %d", len(refs)))
			break
		}
		names = append(names, string(r))
	}
	return strings.Join(names, " ")
}

func (a *app) planState(s fleet.PlanState) string {
	paint := yellow
	switch s {
	case fleet.PlanDone:
		paint = green
	case fleet.PlanFailed, fleet.PlanParked, fleet.PlanPartly:
		paint = red
	}
	return a.paint(paint, a.say("plan_state."+string(s)))
}

func (a *app) stepState(s fleet.StepState) string {
	paint := yellow
	switch s {
	case fleet.StepDone:
		paint = green
	case fleet.StepFailed:
		paint = red
	}
	return a.paint(paint, a.say("step_state."+string(s)))
}

// showPlan is one plan with its step log.
func (a *app) showPlan(p fleet.Plan) error {
	if a.flags.output != "table" {
		return a.print(a.words().Plan(p), grid{})
	}
	a.line("col.plan", p.ID)
	a.line("col.kind", p.Kind)
	a.line("col.state", a.planState(p.State))
	a.line("col.author", p.Author)
	a.line("col.reason", a.text(p.Reason))
	a.line("col.note", a.text(p.Note))
	a.line("col.created", a.when(p.Created))
	a.line("col.ended", a.when(p.Ended))
	g := grid{head: []string{"col.step", "col.state", "col.began", "col.took", "col.what", "col.result"}}
	for _, s := range p.Steps {
		took := ""
		if !s.Ended.IsZero() && !s.Began.IsZero() {
			took = s.Ended.Sub(s.Began).Round(time.Second).String()
		}
		g.add(fmt.Sprint(s.Seq+1), a.stepState(s.State), a.when(s.Began), took, a.text(s.Label), a.text(s.Result))
	}
	a.printTable(g)
	return nil
}
