package cli

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"phalops/internal/fleet"
	"phalops/internal/remedy"
)

// bridgeRestartCmd restarts the feeders of bridges, or only what shows them.
func (a *app) bridgeRestartCmd() *cobra.Command {
	var names []string
	var monitor, giveUp bool
	var wait time.Duration
	cmd := &cobra.Command{
		Use: "restart", Short: a.say("cli.bridge_restart"), Long: a.say("cli.bridge_restart_long"), Args: a.args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			switch {
			case len(names) == 0:
				return usage("cli.no_selector", "flags", "--bridge")
			case monitor && (wait != 0 || giveUp):
				return usage("cli.not_together", "one", "--monitor", "other", "--wait, --give-up")
			case giveUp && wait == 0:
				return usage("cli.needs_flag", "one", "--give-up", "other", "--wait")
			}
			if err := globs(names); err != nil {
				return err
			}
			kind, args := remedy.RestartBridge, map[string]string{remedy.ArgWait: wait.String()}
			if giveUp {
				args[remedy.ArgThen] = remedy.ThenStop
			}
			if monitor {
				kind, args = remedy.RestartMonitor, nil
			}
			return a.withCore(cmd.Context(), func(ctx context.Context, s *session) error {
				var targets []fleet.Ref
				for _, site := range s.core.Config().Sites {
					for _, b := range site.Bridges {
						if named(names, b.Name) {
							targets = append(targets, fleet.BridgeRef(b.Name))
						}
					}
				}
				return s.eachWith(ctx, kind, targets, args)
			})
		},
	}
	cmd.Flags().StringSliceVar(&names, "bridge", nil, a.say("cli.sel_bridge"))
	cmd.Flags().BoolVar(&monitor, "monitor", false, a.say("cli.flag_monitor"))
	cmd.Flags().DurationVar(&wait, "wait", 0, a.say("cli.flag_wait"))
	cmd.Flags().BoolVar(&giveUp, "give-up", false, a.say("cli.flag_give_up"))
	return cmd
}
