package cli

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"strings"

	"phalops/internal/act"
	"phalops/internal/fleet"
	"phalops/internal/view"
)

func (s *session) author() string { return "user:" + s.User }

// each makes one plan a target and runs them one after another.
func (s *session) each(ctx context.Context, kind string, targets []fleet.Ref) error {
	return s.eachWith(ctx, kind, targets, nil)
}

// eachWith is each with arguments for the kind.
func (s *session) eachWith(ctx context.Context, kind string, targets []fleet.Ref, args map[string]string) error {
	if len(targets) == 0 {
		return fleet.Fail(fleet.NotFound, fleet.Because("cli.no_match"))
	}
	var plans []fleet.Plan
	for _, t := range targets {
		p, err := s.build(ctx, kind, []fleet.Ref{t}, args)
		if shared, underWay := act.UnderWay(err); underWay {
			p, err = s.join(ctx, shared)
		}
		if err != nil {
			return err
		}
		plans = append(plans, p)
	}
	return s.carryOut(ctx, plans)
}

// join shares a plan that somebody else has asked for: it is followed like one's own.
func (s *session) join(ctx context.Context, p fleet.Plan) (fleet.Plan, error) {
	fmt.Fprintln(s.Stderr, s.say("cli.joined", "plan", p.ID, "kind", s.kind(p.Kind), "author", p.Author))
	if s.joined == nil {
		s.joined = map[string]bool{}
	}
	s.joined[p.ID] = true
	return s.core.Store.Plan(ctx, p.ID)
}

// submit hands a plan over, unless it is one that is shared; the answer is the plan to follow.
func (s *session) submit(ctx context.Context, p fleet.Plan) (string, error) {
	if s.joined[p.ID] {
		return p.ID, nil
	}
	err := s.core.Engine.Submit(ctx, p, s.core.Clock.Now())
	if shared, underWay := act.UnderWay(err); underWay {
		_, err = s.join(ctx, shared)
		return shared.ID, err
	}
	if err == nil {
		fmt.Fprintln(s.Stderr, s.say("cli.submitted", "plan", p.ID, "kind", s.kind(p.Kind)))
	}
	return p.ID, err
}

func (s *session) build(ctx context.Context, kind string, targets []fleet.Ref, args map[string]string) (fleet.Plan, error) {
	return s.core.Engine.Build(ctx, act.Request{
		Kind: kind, Targets: targets, Args: args, Author: s.author(), Reason: fleet.Because("cli.asked", "user", s.User),
	}, s.core.Clock.Now())
}

// carryOut previews plans, asks, hands them over and follows them to their ends.
func (s *session) carryOut(ctx context.Context, plans []fleet.Plan) error {
	if s.flags.dryRun {
		return s.dryRun(plans)
	}
	for _, p := range plans {
		s.preview(s.Stderr, p)
	}
	if fresh := len(plans) - len(s.joined); fresh > 0 {
		if err := s.confirm(ctx, s.say("cli.confirm", "plans", fresh)); err != nil {
			return err
		}
	}
	var ended []fleet.Plan
	for _, p := range plans {
		id, err := s.submit(ctx, p)
		if err != nil {
			return err
		}
		done, err := s.core.Follow(ctx, id, s.progress())
		if err != nil {
			if ctx.Err() != nil {
				fmt.Fprintln(s.Stderr, s.say("cli.left_running", "plan", id))
			}
			return err
		}
		ended = append(ended, done)
	}
	if err := s.printPlans(ended); err != nil {
		return err
	}
	return outcome(ended)
}

// dryRun answers with what would be done. The plans are in no journal, so they have neither an id nor a state.
func (s *session) dryRun(plans []fleet.Plan) error {
	out := []view.Plan{}
	for _, p := range plans {
		if s.flags.output == "table" {
			s.preview(s.Stdout, p)
		}
		v := s.words().Plan(p)
		v.ID, v.State = "", "dry_run"
		out = append(out, v)
	}
	fmt.Fprintln(s.Stderr, s.say("cli.dry_run"))
	if s.flags.output == "table" {
		return nil
	}
	g := grid{head: []string{"col.kind", "col.step", "col.what"}}
	for _, p := range plans {
		for _, step := range p.Steps {
			g.add(p.Kind, fmt.Sprint(step.Seq+1), s.text(step.Label))
		}
	}
	return s.print(out, g)
}

// outcome is the exit code of ended plans: 0 all done, 3 some or partly, 1 none.
func outcome(plans []fleet.Plan) error {
	done, bad := 0, 0
	for _, p := range plans {
		switch p.State {
		case fleet.PlanDone:
			done++
		case fleet.PlanPartly:
			done, bad = done+1, bad+1
		default:
			bad++
		}
	}
	switch {
	case bad == 0:
		return nil
	case done > 0:
		return exitError{exitPartly}
	default:
		return exitError{exitFailed}
	}
}

func (s *session) preview(w io.Writer, p fleet.Plan) {
	fmt.Fprintln(w, s.paint(bold, s.say("cli.preview", "kind", s.kind(p.Kind), "steps", len(p.Steps))))
	for _, step := range p.Steps {
		line := fmt.Sprintf("  %2d  %s", step.Seq+1, s.text(step.Label))
		if step.State == fleet.StepSkipped {
			line += "  " + s.paint(yellow, s.say("step_state.skipped")+": "+s.text(step.Result))
		}
		fmt.Fprintln(w, line)
	}
}

// progress prints each step once when it begins and once when it ends.
func (s *session) progress() func(fleet.Plan) {
	told := map[string]bool{}
	return func(p fleet.Plan) {
		for _, step := range p.Steps {
			key := fmt.Sprint(step.Seq, step.State)
			if step.State == fleet.StepPlanned || told[key] {
				continue
			}
			told[key] = true
			line := fmt.Sprintf("%s  %2d/%d  %s  %s", s.when(s.core.Clock.Now()), step.Seq+1, len(p.Steps), s.text(step.Label), s.stepState(step.State))
			if !step.Result.IsZero() {
				line += "  " + s.text(step.Result)
			}
			fmt.Fprintln(s.Stderr, line)
		}
	}
}

// confirm asks unless --yes says so already; when nobody answers, nothing is done.
func (a *app) confirm(ctx context.Context, question string) error {
	if a.flags.yes {
		return nil
	}
	fmt.Fprint(a.Stderr, question+" ")
	answer := make(chan string, 1)
	go func() { // a read of a terminal cannot be broken off: after an interruption it ends with the process
		line, _ := bufio.NewReader(a.Stdin).ReadString('\n')
		answer <- strings.ToLower(strings.TrimSpace(line))
	}()
	select {
	case <-ctx.Done():
		fmt.Fprintln(a.Stderr)
		return ctx.Err()
	case line := <-answer:
		switch line {
		case "y", "yes", "是", "好":
			return nil
		case "":
			fmt.Fprintln(a.Stderr)
		}
		return fleet.Fail(fleet.Refused, fleet.Because("cli.not_confirmed"))
	}
}
