package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"phalops/internal/phala"
	"phalops/internal/view"
)

func (a *app) chainTotalsCmd() *cobra.Command {
	var f listFlags
	cmd := &cobra.Command{Use: "totals", Short: a.say("cli.chain_totals"), Long: a.say("cli.chain_totals_long"), Args: a.args(cobra.NoArgs)}
	a.chainFlags(cmd, &f.chainFlags)
	cmd.Flags().UintSliceVar(&f.pools, "pool", nil, a.say("cli.flag_totals_pool"))
	cmd.Flags().BoolVar(&f.daily, "daily", false, a.say("cli.flag_daily"))
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return a.readPhala(cmd.Context(), f.chainFlags, f.want(), func(ctx context.Context, r phalaRead) (err error) {
			if f.daily {
				if r, err = a.withDaily(ctx, r, f, true); err != nil {
					return err
				}
			}
			return a.chainTotals(r)
		})
	}
	return cmd
}

// figure is a sum: a number, or PHA as text.
type figure struct {
	code  string
	value any
}

func (a *app) chainTotals(r phalaRead) error {
	out := view.PhalaTotals{PhalaState: r.view(), Totals: map[string]any{}, Checks: []view.PhalaCheck{}}
	g := grid{head: []string{"col.what", "col.value"}}
	all := figures(r.Era, r.Totals())
	if r.daily != nil {
		all = slices.Insert(all, slices.IndexFunc(all, func(f figure) bool { return f.code == "total.reward" })+1, figure{"total.daily", r.earned.PHA()})
	}
	all = append(all, figure{"total.height", r.height}, figure{"total.relay_height", r.Relay})
	for _, f := range all {
		name, label := strings.TrimPrefix(f.code, "total."), a.say(f.code)
		out.Totals[name] = f.value
		if a.csv() {
			label = name
		}
		g.add(label, a.short(fmt.Sprint(f.value)))
	}
	for _, c := range r.Checks {
		out.Checks = append(out.Checks, view.PhalaCheck{What: c.What, Agreed: c.Agreed, Odd: c.Count, Names: append([]string{}, c.Odd...)})
	}
	return a.printChain(r.chainRead, out, g)
}

// figures are the totals by name; those of stakers are of the first era only.
func figures(era phala.Era, t phala.Totals) []figure {
	all := []figure{
		{"total.sessions", t.Sessions}, {"total.bound", t.Bound}, {"total.registered", t.Registered}, {"total.idle", t.ByState[phala.Idle]},
		{"total.unresponsive", t.ByState[phala.Unresponsive]}, {"total.cooling_down", t.ByState[phala.CoolingDown]}, {"total.ready", t.ByState[phala.Ready]},
		{"total.ready_bound", t.BoundBy[phala.Ready]}, {"total.stake_pools", t.StakePools}, {"total.working_pools", t.Working}, {"total.uncapped_pools", t.Uncapped},
		{"total.vaults", t.Vaults}, {"total.v", t.V.String()}, {"total.ve", t.Ve.String()}, {"total.mean_idle_v", t.IdleV.String()}, {"total.shares", t.Shares.String()},
		{"total.p_init", t.PInit}, {"total.p_instant", t.PInstant}, {"total.reward", t.Reward.PHA()}, {"total.stakes", t.Stakes}, {"total.stake", t.Stake.PHA()},
		{"total.lost_stake", t.LostStake.PHA()}, {"total.pool_value", t.Value.PHA()}, {"total.pool_shares", t.PoolShares.PHA()}, {"total.free", t.Free.PHA()},
		{"total.releasing", t.Releasing.PHA()}, {"total.owner_reward", t.Owe.PHA()}, {"total.queues", t.Queues}, {"total.queued", t.Queued}, {"total.queue_amount", t.QueueAmount.PHA()},
	}
	if era == phala.V2 {
		return append(all, figure{"total.claimable", t.Claimable.PHA()})
	}
	return append(
		all, figure{"total.stakers", t.Stakers}, figure{"total.locked", t.Locked.PHA()}, figure{"total.available", t.Available.PHA()},
		figure{"total.debt", t.Debt.PHA()}, figure{"total.pending", t.Pending.PHA()},
	)
}
