package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/spf13/cobra"

	"phalops/internal/config"
	"phalops/internal/daemon"
	"phalops/internal/secret"
)

func (a *app) runCmd() *cobra.Command {
	return &cobra.Command{
		Use: "run", Short: a.say("cli.run"), Long: a.say("cli.run_long"), Args: a.args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.run(cmd.Context()) },
	}
}

func (a *app) run(ctx context.Context) error {
	if a.flags.dryRun {
		return usage("cli.run_is_no_dry_run")
	}
	cfg, path, err := a.loadConfig()
	if err != nil {
		return err
	}
	if !a.flags.verbose {
		a.log = a.logger(slog.LevelInfo)
	}
	d, err := daemon.New(ctx, daemon.Options{
		Config: cfg, Path: path, Clock: a.clockOf(cfg), Secrets: secret.FromEnvironment(), Catalog: a.catalog, Lang: langNamed(cfg.Lang, a.lang),
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

func (a *app) versionCmd() *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: a.say("cli.version"), Long: a.say("cli.version_long"), Args: a.args(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			if a.flags.output != "table" {
				return a.print(map[string]string{"version": a.Version}, grid{head: []string{"col.version"}, rows: [][]string{{a.Version}}})
			}
			fmt.Fprintln(a.Stdout, "phalops "+a.Version)
			return nil
		},
	}
}
