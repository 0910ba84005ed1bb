package cli

import (
	"context"
	"slices"

	"github.com/spf13/cobra"

	"phalops/internal/view"
)

func (a *app) poolCmd() *cobra.Command {
	list := &cobra.Command{Use: "list", Short: a.say("cli.pool_list"), Long: a.say("cli.pool_list_long"), Args: a.args(cobra.NoArgs)}
	sel := a.poolSelector(list)
	var queue bool
	list.Flags().BoolVar(&queue, "queue", false, a.say("cli.flag_pool_queue"))
	list.RunE = func(cmd *cobra.Command, _ []string) error { return a.listPools(cmd.Context(), sel, queue) }
	return a.noun("pool", "cli.pool", list, a.poolAddCmd(), a.poolSetCmd(), a.poolRemoveCmd())
}

// listPools is the panel of our own pools, or of the withdrawals that wait in them.
func (a *app) listPools(ctx context.Context, f *poolSelector, queue bool) error {
	if err := globs(f.sites, f.bridges); err != nil {
		return err
	}
	return a.withReader(ctx, func(ctx context.Context, s *session) error {
		now, err := s.lookAtChains(ctx)
		if err != nil {
			return err
		}
		pools := slices.DeleteFunc(s.ownPools(now), func(p ownPool) bool { return !p.matches(f) })
		out := []view.StakePool{}
		for _, p := range pools {
			out = append(out, s.words().StakePool(p.network, p.pid, p.chain, p.at, now.Decisions[p.ref()]))
		}
		g := s.ownPoolGrid(now, pools)
		if queue {
			g = s.queueGrid(pools)
		}
		if err := s.print(out, g); err != nil {
			return err
		}
		s.foot(now)
		s.chainFeet(now, nil)
		return nil
	})
}

// matches reports whether a pool is among the chosen ones; without a choice all are.
func (p ownPool) matches(f *poolSelector) bool {
	some := func(names, patterns []string) bool {
		return len(patterns) == 0 || slices.ContainsFunc(names, func(n string) bool { return named(patterns, n) })
	}
	return (len(f.pools) == 0 || slices.Contains(f.pools, uint(p.pid))) && some(p.sites, f.sites) && some(p.bridges(), f.bridges)
}
