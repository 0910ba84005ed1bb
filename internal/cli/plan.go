package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"phalops/internal/fleet"
	"phalops/internal/store"
	"phalops/internal/view"
)

func (a *app) planCmd() *cobra.Command {
	var all bool
	list := &cobra.Command{
		Use: "list", Short: a.say("cli.plan_list"), Long: a.say("cli.plan_list_long"), Args: a.args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.listPlans(cmd.Context(), all) },
	}
	list.Flags().BoolVar(&all, "all", false, a.say("cli.flag_ended_too"))
	verb := func(use, short, long string, f func(context.Context, *session, string) error) *cobra.Command {
		return &cobra.Command{
			Use: use + " ID", Short: a.say(short), Long: a.say(long), Args: a.args(cobra.ExactArgs(1)),
			RunE: func(cmd *cobra.Command, args []string) error {
				return a.withCore(cmd.Context(), func(ctx context.Context, s *session) error {
					return notFound(f(ctx, s, args[0]), "cli.no_plan", args[0])
				})
			},
		}
	}
	// asked is a verb by which a person speaks to a plan under way; a dry run only shows the plan.
	asked := func(use, short, long string, ask func(s *session, ctx context.Context, id string) error, then func(*session, context.Context, string) error) *cobra.Command {
		return verb(use, short, long, func(ctx context.Context, s *session, id string) error {
			if s.flags.dryRun {
				p, err := s.core.Store.Plan(ctx, id)
				if err != nil {
					return err
				}
				fmt.Fprintln(s.Stderr, s.say("cli.dry_run_plan"))
				return s.showPlan(p)
			}
			if err := ask(s, ctx, id); err != nil {
				return err
			}
			return then(s, ctx, id)
		})
	}
	showCmd := &cobra.Command{
		Use: "show ID", Short: a.say("cli.plan_show"), Long: a.say("cli.plan_show_long"), Args: a.args(cobra.ExactArgs(1)),
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
		asked("pause", "cli.plan_pause", "cli.plan_pause_long", func(s *session, ctx context.Context, id string) error {
			return s.core.Engine.Pause(ctx, id, s.author(), s.core.Clock.Now())
		}, (*session).paused),
		asked("resume", "cli.plan_resume", "cli.plan_resume_long", func(s *session, ctx context.Context, id string) error {
			return s.core.Engine.Resume(ctx, id, s.author(), s.core.Clock.Now())
		}, (*session).finish),
		asked("abort", "cli.plan_abort", "cli.plan_abort_long", func(s *session, ctx context.Context, id string) error {
			return s.core.Engine.Abort(ctx, id, s.author(), s.core.Clock.Now())
		}, (*session).finish),
		verb("retry", "cli.plan_retry", "cli.plan_retry_long", func(ctx context.Context, s *session, id string) error {
			old, err := s.core.Store.Plan(ctx, id)
			if err != nil {
				return err
			}
			req, err := s.core.Engine.Retry(old, s.author())
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

func (s *session) paused(ctx context.Context, id string) error {
	p, err := s.core.Store.Plan(ctx, id)
	if err != nil {
		return err
	}
	return s.showPlan(p)
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

func (s *session) printPlans(plans []fleet.Plan) error {
	g := grid{head: []string{"col.plan", "col.kind", "col.state", "col.created", "col.lasted", "col.author", "col.steps", "col.targets", "col.note"},
		spare: []string{"col.author", "col.created", "col.lasted", "col.steps"}}
	out := []view.Plan{}
	for _, p := range plans {
		v := s.words().Plan(p)
		out = append(out, v)
		total := 0
		for _, n := range v.Counts {
			total += n
		}
		steps := fmt.Sprintf("%d/%d", v.Counts[string(fleet.StepDone)], total)
		if n := v.Counts[string(fleet.StepFailed)]; n > 0 {
			steps += " " + s.paint(red, s.say("cli.failed_steps", "n", n))
		}
		lasted := ""
		if !p.Ended.IsZero() {
			lasted = s.took(p.Ended.Sub(p.Created))
		}
		g.add(p.ID, s.kind(p.Kind), s.planState(p.State), s.when(p.Created), lasted, p.Author, steps, s.targets(p.Targets), s.text(p.Note))
	}
	return s.print(out, g)
}

// targets lists a few names and counts the rest.
func (s *session) targets(refs []fleet.Ref) string {
	const few = 3
	if len(refs) > few {
		return s.say("cli.names_and_more", "names", s.targets(refs[:few]), "n", len(refs)-few)
	}
	var names []string
	for _, r := range refs {
		names = append(names, s.name(r))
	}
	return strings.Join(names, ", ")
}

// kind is a plan kind for people.
func (a *app) kind(name string) string {
	if !a.catalog.Has("plan_kind." + name) {
		return name
	}
	return a.word("plan_kind.", name)
}

func (a *app) planState(s fleet.PlanState) string {
	paint := yellow
	switch s {
	case fleet.PlanDone:
		paint = green
	case fleet.PlanFailed, fleet.PlanParked, fleet.PlanPartly:
		paint = red
	}
	return a.paint(paint, a.word("plan_state.", string(s)))
}

func (a *app) stepState(s fleet.StepState) string {
	paint := yellow
	switch s {
	case fleet.StepDone:
		paint = green
	case fleet.StepFailed:
		paint = red
	}
	return a.paint(paint, a.word("step_state.", string(s)))
}

// showPlan is one plan with its step log.
func (s *session) showPlan(p fleet.Plan) error {
	if s.flags.output == "table" {
		s.line("col.plan", p.ID)
		s.line("col.kind", s.with(s.kind(p.Kind), "cli.in_brackets", p.Kind))
		s.line("col.targets", s.targets(p.Targets))
		s.line("col.state", s.planState(p.State))
		s.line("col.author", p.Author)
		s.line("col.reason", s.text(p.Reason))
		s.line("col.incident", p.Incident)
		s.line("col.note", s.text(p.Note))
		s.line("col.created", s.when(p.Created))
		s.line("col.ended", s.when(p.Ended))
	}
	g := grid{head: []string{"col.step", "col.state", "col.began", "col.took", "col.what", "col.result"}}
	for _, x := range p.Steps {
		took := ""
		if !x.Ended.IsZero() && !x.Began.IsZero() {
			took = s.took(x.Ended.Sub(x.Began))
		}
		g.add(fmt.Sprint(x.Seq+1), s.stepState(x.State), s.when(x.Began), took, s.text(x.Label), s.text(x.Result))
	}
	if err := s.print(s.words().Plan(p), g); err != nil {
		return err
	}
	if s.flags.output == "table" {
		s.planHint(p)
	}
	return nil
}

// planHint says what a person can do about a plan.
func (s *session) planHint(p fleet.Plan) {
	switch p.State {
	case fleet.PlanPaused, fleet.PlanParked:
		fmt.Fprintln(s.Stderr, s.paint(faint, s.say("cli.plan_waits", "plan", p.ID)))
	case fleet.PlanFailed, fleet.PlanPartly:
		fmt.Fprintln(s.Stderr, s.paint(faint, s.say("cli.plan_again", "plan", p.ID)))
	}
}
