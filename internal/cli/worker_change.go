package cli

import (
	"context"

	"github.com/spf13/cobra"

	"phalops/internal/batch"
	"phalops/internal/fleet"
	"phalops/internal/roster"
)

func (a *app) workerSetCmd() *cobra.Command {
	cmd := &cobra.Command{Use: "set KEY=VALUE…", Short: a.say("cli.worker_set"), Long: a.say("cli.worker_set_long")}
	sel := a.selectorFlags(cmd)
	b := a.batchFlags(cmd, true)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		var items any
		if b.retry == "" {
			patch, err := roster.ParsePatch(args)
			if err != nil {
				return err
			}
			if len(patch.Labels) > 0 {
				return usage("cli.no_labels")
			}
			items = batch.Patch{Stake: patch.Stake, PID: patch.PID, Name: patch.Name, Endpoint: patch.Endpoint, Enabled: patch.Enabled, SyncOnly: patch.SyncOnly}
		}
		return a.changeWorkers(cmd.Context(), batch.SetWorkers, sel, items, b)
	}
	return cmd
}

// levels are the three ways in which a worker can be stopped and started again.
type levels struct{ feed bool }

func (a *app) workerStopCmd() *cobra.Command {
	return a.levelCmd(&cobra.Command{Use: "stop", Short: a.say("cli.worker_stop"), Long: a.say("cli.worker_stop_long")}, batch.StopWorkers)
}

func (a *app) workerStartCmd() *cobra.Command {
	return a.levelCmd(&cobra.Command{Use: "start", Short: a.say("cli.worker_start"), Long: a.say("cli.worker_start_long")}, batch.StartWorkers)
}

func (a *app) levelCmd(cmd *cobra.Command, kind string) *cobra.Command {
	var l levels
	cmd.Args = a.args(cobra.NoArgs)
	sel := a.selectorFlags(cmd)
	b := a.batchFlags(cmd, true)
	cmd.Flags().BoolVar(&l.feed, "feed", false, a.say("cli.flag_feed"))
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if !l.feed && b.retry == "" {
			return usage("cli.needs_level", "verb", cmd.Name())
		}
		return a.changeWorkers(cmd.Context(), kind, sel, nil, b)
	}
	return cmd
}

// changeWorkers does one thing to the chosen workers.
func (a *app) changeWorkers(ctx context.Context, kind string, flags *selectorFlags, items any, b *batchFlags) error {
	args, err := b.args(items)
	if err != nil {
		return err
	}
	if b.retry != "" {
		return a.withCore(ctx, func(ctx context.Context, s *session) error {
			w, err := s.again(ctx, kind, b.retry)
			if err != nil {
				return err
			}
			return s.carryBatch(ctx, w, b)
		})
	}
	sel, err := a.namedSelector(flags)
	if err != nil {
		return err
	}
	return a.withCore(ctx, func(ctx context.Context, s *session) error {
		now, found, err := s.find(ctx, sel)
		if err != nil {
			return err
		}
		var targets []fleet.Ref
		for _, c := range found {
			targets = append(targets, c.worker.Ref)
		}
		w, err := s.perBridge(ctx, kind, targets, args)
		if err != nil {
			return err
		}
		if err := s.keepNames(ctx, now); err != nil {
			return err
		}
		return s.carryBatch(ctx, w, b)
	})
}
