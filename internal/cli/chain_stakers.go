package cli

import (
	"context"
	"strconv"

	"github.com/spf13/cobra"

	"phalops/internal/phala"
	"phalops/internal/view"
)

func (a *app) chainStakersCmd() *cobra.Command {
	var f listFlags
	cmd := &cobra.Command{Use: "stakers", Short: a.say("cli.chain_stakers"), Long: a.say("cli.chain_stakers_long"), Args: a.args(cobra.NoArgs)}
	a.listFlags(cmd, &f)
	cmd.Flags().UintSliceVar(&f.pools, "pool", nil, a.say("cli.flag_stakers_pool"))
	cmd.Flags().StringVar(&f.staker, "staker", "", a.say("cli.flag_staker"))
	cmd.Flags().BoolVar(&f.queued, "queued", false, a.say("cli.flag_stakers_queued"))
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return a.readChain(cmd.Context(), f.chainFlags, func(ctx context.Context, r chainRead) error {
			s, err := phala.ReadStakers(ctx, r.Snapshot, r.Metadata, f.want().Pools)
			if err != nil {
				return err
			}
			return a.chainStakers(phalaRead{chainRead: r, State: s}, f)
		})
	}
	return cmd
}

func (a *app) chainStakers(r phalaRead, f listFlags) error {
	owned, err := f.ownedBy()
	if err != nil {
		return err
	}
	var who *phala.Account
	if f.staker != "" {
		acc, err := phala.ParseAccount(f.staker)
		if err != nil {
			return usage("cli.bad_owner", "owner", f.staker)
		}
		who = &acc
	}
	pools := map[uint64]*phala.Pool{}
	for _, p := range r.Pools {
		pools[p.ID] = p
	}
	var rows []row[view.PhalaStaker]
	for _, s := range r.Stakers {
		p := pools[s.Pool]
		if p == nil || !owned(p) || who != nil && s.User != *who || f.queued && s.Queued.IsZero() {
			continue
		}
		v := r.staker(p, s)
		rows = append(rows, row[view.PhalaStaker]{v, a.stakerCells(v)})
	}
	g := stakerGrid()
	if rows, err = sortRows(rows, g.head, f); err != nil {
		return err
	}
	out := view.PhalaStakers{PhalaState: r.view(), Stakers: []view.PhalaStaker{}}
	for _, s := range rows {
		out.Stakers = append(out.Stakers, s.data)
		g.add(s.cells...)
	}
	return a.printChain(r.chainRead, out, a.ofEra(r.Era, g))
}

// staker is a stake for programs.
func (r phalaRead) staker(p *phala.Pool, s phala.Staker) view.PhalaStaker {
	out := view.PhalaStaker{
		Pool: s.Pool, Kind: string(p.Kind), Staker: r.address(s.User), Queued: s.Queued.PHA(), Locked: s.Locked.PHA(), Available: s.Available.PHA(),
		Pending: s.Pending.PHA(), Debt: s.Debt.PHA(), Claimable: s.Claimable.PHA(),
	}
	if s.Told {
		out.Shares, out.Value, out.Part = new(s.Shares.PHA()), new(s.Value.PHA()), new(ratio(s.Shares, p.Shares, 100))
	}
	return out
}

// stakerGrid has the columns of stakerCells.
func stakerGrid() grid {
	return grid{
		head: []string{
			"col.pool", "col.kind", "col.worth", "col.shares", "col.part", "col.queued", "col.locked", "col.available", "col.pending", "col.debt", "col.claimable", "col.staker",
		},
		spare: []string{"col.debt", "col.claimable", "col.kind", "col.locked", "col.pending", "col.available", "col.shares"},
	}
}

func (a *app) stakerCells(v view.PhalaStaker) []string {
	return []string{
		strconv.FormatUint(v.Pool, 10), v.Kind, a.perhaps(v.Value), a.perhaps(v.Shares), a.perhaps(v.Part), a.short(v.Queued), a.short(v.Locked), a.short(v.Available),
		a.short(v.Pending), a.short(v.Debt), a.short(v.Claimable), v.Staker,
	}
}
