package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"phalops/internal/act"
	"phalops/internal/clock"
	"phalops/internal/config"
	"phalops/internal/daemon"
	"phalops/internal/fleet"
)

// session is an opened fleet for one command.
type session struct {
	*app
	core *daemon.Core
}

// Places where the configuration is looked for when -c is not given.
var configPlaces = [...]string{"./phalops.yaml", "/etc/phalops/phalops.yaml"}

func (a *app) configPath() (string, error) {
	if a.flags.config != "" {
		return a.flags.config, nil
	}
	for _, p := range configPlaces {
		if _, err := os.Stat(p); err == nil {
			return p, nil
		}
	}
	return "", usage("cli.no_config", "places", strings.Join(configPlaces[:], ", "))
}

// loadConfig reads the configuration; its problems are printed, all of them.
func (a *app) loadConfig() (config.Config, string, error) {
	path, err := a.configPath()
	if err != nil {
		return config.Config{}, "", err
	}
	cfg, problems, err := config.Load(path)
	if err != nil {
		return cfg, path, err
	}
	if len(problems) > 0 {
		a.printProblems(path, problems)
		return cfg, path, exitError{exitUsage}
	}
	if a.flags.lang == "" && cfg.Lang != "" {
		a.lang = langNamed(cfg.Lang, a.lang)
	}
	return cfg, path, nil
}

func clockOf(cfg config.Config) clock.Clock {
	if cfg.Clock == nil {
		return clock.Real{}
	}
	return clock.Scaled{Origin: cfg.Clock.Origin, Speed: cfg.Clock.Speed}
}

// withCore opens the fleet of the configuration for one command and closes it after.
func (a *app) withCore(ctx context.Context, f func(context.Context, *session) error) (err error) {
	cfg, _, err := a.loadConfig()
	if err != nil {
		return err
	}
	ctx, cancel := a.withTimeout(ctx)
	defer cancel()
	core, err := daemon.Open(ctx, daemon.CoreOptions{
		Config: cfg, Clock: clockOf(cfg), Log: a.log, Owner: "cli", NeedsStore: !a.flags.dryRun,
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, core.Close()) }()
	a.catalog = a.catalog.Naming(core.NameOf)
	return f(ctx, &session{app: a, core: core})
}

// snapshot is what a command shows: from the daemon's memory, or asked for just now.
type snapshot = daemon.Snapshot

// look reads what is known of the fleet: the daemon's last facts with their age, or, without a daemon, one round of asking.
func (a *app) look(ctx context.Context) (snapshot, error) {
	var out snapshot
	err := a.withReader(ctx, func(ctx context.Context, s *session) (err error) {
		out, err = s.core.Look(ctx)
		return err
	})
	return out, err
}

// withReader is withCore for commands that only read: they need no data folder.
func (a *app) withReader(ctx context.Context, f func(context.Context, *session) error) error {
	dry := a.flags.dryRun
	a.flags.dryRun = true
	defer func() { a.flags.dryRun = dry }()
	return a.withCore(ctx, f)
}

// foot says on stderr where the answer comes from.
func (a *app) foot(s snapshot) {
	switch {
	case a.flags.output != "table":
	case s.Live:
		fmt.Fprintln(a.Stderr, a.paint(faint, a.say("cli.asked_now")))
	default:
		fmt.Fprintln(a.Stderr, a.paint(faint, a.say("cli.from_daemon", "at", s.Seen, "owner", s.Daemon)))
	}
}

func (s *session) author() string { return "user:" + s.User }

// each makes one plan a target and runs them one after another.
func (s *session) each(ctx context.Context, kind string, targets []fleet.Ref) error {
	if len(targets) == 0 {
		return fleet.Fail(fleet.NotFound, fleet.Because("cli.no_match"))
	}
	var plans []fleet.Plan
	for _, t := range targets {
		p, err := s.build(ctx, kind, []fleet.Ref{t}, nil)
		if err != nil {
			return err
		}
		plans = append(plans, p)
	}
	return s.carryOut(ctx, plans)
}

func (s *session) build(ctx context.Context, kind string, targets []fleet.Ref, args map[string]string) (fleet.Plan, error) {
	return s.core.Engine.Build(ctx, act.Request{
		Kind: kind, Targets: targets, Args: args, Author: s.author(), Reason: fleet.Because("cli.asked", "user", s.User),
	}, s.core.Clock.Now())
}

// carryOut previews plans, asks, hands them over and follows them to their ends.
func (s *session) carryOut(ctx context.Context, plans []fleet.Plan) error {
	for _, p := range plans {
		s.preview(p)
	}
	if s.flags.dryRun {
		fmt.Fprintln(s.Stderr, s.say("cli.dry_run"))
		return s.printPlans(plans)
	}
	if err := s.confirm(s.say("cli.confirm", "plans", len(plans))); err != nil {
		return err
	}
	var ended []fleet.Plan
	for _, p := range plans {
		if err := s.core.Engine.Submit(ctx, p, s.core.Clock.Now()); err != nil {
			return err
		}
		fmt.Fprintln(s.Stderr, s.say("cli.submitted", "plan", p.ID, "kind", p.Kind))
		done, err := s.core.Follow(ctx, p.ID, s.progress())
		if err != nil {
			if ctx.Err() != nil {
				fmt.Fprintln(s.Stderr, s.say("cli.left_running", "plan", p.ID))
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

func (s *session) preview(p fleet.Plan) {
	fmt.Fprintln(s.Stderr, s.paint(bold, s.say("cli.preview", "kind", p.Kind, "steps", len(p.Steps))))
	for _, step := range p.Steps {
		line := fmt.Sprintf("  %2d  %s", step.Seq+1, s.text(step.Label))
		if step.State == fleet.StepSkipped {
			line += "  " + s.paint(yellow, s.say("step_state.skipped")+": "+s.text(step.Result))
		}
		fmt.Fprintln(s.Stderr, line)
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

// confirm asks unless --yes says so already; without a terminal nobody can answer, so nothing is done.
func (a *app) confirm(question string) error {
	if a.flags.yes {
		return nil
	}
	fmt.Fprint(a.Stderr, question+" ")
	line, _ := bufio.NewReader(a.Stdin).ReadString('\n')
	switch strings.ToLower(strings.TrimSpace(line)) {
	case "y", "yes", "是", "好":
		return nil
	}
	fmt.Fprintln(a.Stderr)
	return fleet.Fail(fleet.Refused, fleet.Because("cli.not_confirmed"))
}
