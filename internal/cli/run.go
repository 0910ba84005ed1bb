package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"phalops/internal/config"
	"phalops/internal/daemon"
	"phalops/internal/fleet"
	"phalops/internal/secret"
	"phalops/internal/store"
	"phalops/internal/view"
)

func (a *app) runCmd() *cobra.Command {
	return &cobra.Command{
		Use: "run", Short: a.say("cli.run"), Long: a.say("cli.run_long"), Args: a.args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.run(cmd.Context()) },
	}
}

func (a *app) run(ctx context.Context) error {
	cfg, path, err := a.loadConfig()
	if err != nil {
		return err
	}
	if !a.flags.verbose {
		a.log = a.logger(slog.LevelInfo)
	}
	d, err := daemon.New(ctx, daemon.Options{
		Config: cfg, Path: path, Clock: clockOf(cfg), Secrets: secret.FromEnvironment(), Catalog: a.catalog, Lang: langNamed(cfg.Lang, a.lang),
		Log: a.log, Version: a.Version, Reload: a.Reload,
		Changed: func(u config.Update) { a.printProblems(path, u.Problems) },
	})
	if err != nil {
		return err
	}
	if err := d.Start(ctx); err != nil {
		return errors.Join(err, d.Stop(context.WithoutCancel(ctx)))
	}
	fmt.Fprintln(a.Stderr, a.say("cli.running", "version", a.Version, "metrics", d.Addr(), "mode", cfg.Healing.Mode))
	<-ctx.Done()
	fmt.Fprintln(a.Stderr, a.say("cli.stopping"))
	return d.Stop(context.WithoutCancel(ctx))
}

func (a *app) statusCmd() *cobra.Command {
	return &cobra.Command{
		Use: "status", Short: a.say("cli.status"), Long: a.say("cli.status_long"), Args: a.args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.status(cmd.Context()) },
	}
}

// status is the fleet on one screen: where things stand, what is wrong, what is being done.
func (a *app) status(ctx context.Context) error {
	return a.withReader(ctx, func(ctx context.Context, s *session) error {
		now, err := s.core.Look(ctx)
		if err != nil {
			return err
		}
		incidents, err := s.core.Store.Incidents(ctx, store.IncidentFilter{Open: true})
		if err != nil {
			return err
		}
		plans, err := s.core.Store.Plans(ctx, store.PlanFilter{Unended: true})
		if err != nil {
			return err
		}
		if s.flags.output != "table" {
			return s.print(s.statusView(now, incidents, plans), grid{})
		}
		s.statusScreen(now, incidents, plans)
		s.foot(now)
		return nil
	})
}

func (s *session) statusView(now snapshot, incidents []fleet.Incident, plans []fleet.Plan) view.Status {
	out := view.Status{At: now.At, Live: now.Live, Daemon: now.Daemon, Nodes: []view.Node{}, Bridges: []view.Bridge{}, Incidents: []view.Incident{}, Plans: []view.Plan{}}
	for _, n := range now.Nodes {
		out.Nodes = append(out.Nodes, s.words().Node(n, now.Decisions[n.Ref]))
	}
	for _, b := range now.Bridges {
		out.Bridges = append(out.Bridges, s.words().Bridge(b, now.Decisions[b.Ref]))
	}
	for _, i := range incidents {
		out.Incidents = append(out.Incidents, s.words().Incident(i, nil))
	}
	for _, p := range plans {
		out.Plans = append(out.Plans, s.words().Plan(p))
	}
	return out
}

func (s *session) statusScreen(now snapshot, incidents []fleet.Incident, plans []fleet.Plan) {
	for _, n := range now.Nodes {
		var heights []string
		for _, c := range s.words().Node(n, fleet.Decision{}).Chains {
			heights = append(heights, c.Chain+" "+show(c.Height))
		}
		fmt.Fprintf(s.Stdout, "%s %s %s %s\n", pad(s.say("col.node"), 8), pad(n.Ref.Name(), 16), pad(s.nodeCondition(n.Condition), 12), join(heights))
	}
	for _, b := range now.Bridges {
		fmt.Fprintf(s.Stdout, "%s %s %s %s\n", pad(s.say("col.bridge"), 8), pad(b.Ref.Name(), 16), pad(s.bridgeCondition(b.Condition), 12), s.mix(view.CountWorkers(b.Workers)))
	}
	slices.SortStableFunc(incidents, func(a, b fleet.Incident) int { return a.Opened.Compare(b.Opened) })
	fmt.Fprintln(s.Stdout, s.paint(bold, s.say("cli.open_incidents", "n", len(incidents))))
	for _, i := range incidents {
		fmt.Fprintf(s.Stdout, "  %s  %s  %s  %s\n", i.ID, pad(i.Title, 14), pad(s.say("verdict."+string(i.Decision.Verdict)), 10), s.text(i.Decision.Reason))
	}
	fmt.Fprintln(s.Stdout, s.paint(bold, s.say("cli.open_plans", "n", len(plans))))
	for _, p := range plans {
		fmt.Fprintf(s.Stdout, "  %s  %s  %s  %s\n", p.ID, p.Kind, s.planState(p.State), targets(p.Targets))
	}
}

func join(parts []string) string { return strings.Join(parts, " · ") }

func (a *app) versionCmd() *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: a.say("cli.version"), Args: a.args(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			if a.flags.output != "table" {
				return a.print(map[string]string{"version": a.Version}, grid{})
			}
			fmt.Fprintln(a.Stdout, "phalops "+a.Version)
			return nil
		},
	}
}
