package cli

import (
	"context"
	"math/big"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"phalops/internal/fleet"
	"phalops/internal/phala"
	"phalops/internal/view"
)

func (a *app) chainPoolsCmd() *cobra.Command {
	var f listFlags
	cmd := &cobra.Command{Use: "pools", Short: a.say("cli.chain_pools"), Long: a.say("cli.chain_pools_long"), Args: a.args(cobra.NoArgs)}
	a.listFlags(cmd, &f)
	cmd.Flags().UintSliceVar(&f.pools, "pool", nil, a.say("cli.flag_chain_pool"))
	cmd.Flags().BoolVar(&f.daily, "daily", false, a.say("cli.flag_daily"))
	cmd.Flags().BoolVar(&f.queued, "queued", false, a.say("cli.flag_queued"))
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return a.readPhala(cmd.Context(), f.chainFlags, f.want(), func(ctx context.Context, r phalaRead) (err error) {
			if f.daily {
				if r, err = a.withDaily(ctx, r, f, false); err != nil {
					return err
				}
			}
			return a.chainPools(r, f)
		})
	}
	return cmd
}

func (a *app) chainPools(r phalaRead, f listFlags) error {
	owned, err := f.ownedBy()
	if err != nil {
		return err
	}
	var rows []row[view.PhalaPool]
	for _, p := range r.Pools {
		if owned(p) && (!f.queued || len(p.Queue) > 0) {
			rows = append(rows, row[view.PhalaPool]{r.pool(p), a.poolCells(r, p)})
		}
	}
	g := r.poolGrid()
	if rows, err = sortRows(rows, g.head, f); err != nil {
		return err
	}
	out := view.PhalaPools{PhalaState: r.view(), Pools: []view.PhalaPool{}}
	for _, p := range rows {
		out.Pools = append(out.Pools, p.data)
		g.add(p.cells...)
	}
	return a.printChain(r.chainRead, out, a.ofEra(r.Era, g))
}

// ofEra leaves out, for people, the columns that an era has nothing for.
func (a *app) ofEra(era phala.Era, g grid) grid {
	if a.csv() {
		return g
	}
	for _, code := range map[phala.Era][]string{phala.V1: {"col.claimable"}, phala.V2: {"col.available", "col.pending", "col.debt", "col.per_share"}}[era] {
		if at := slices.Index(g.head, code); at >= 0 {
			g = g.without(at)
		}
	}
	return g
}

// poolGrid has the columns of poolCells.
func (r phalaRead) poolGrid() grid {
	g := grid{
		head: []string{
			"col.pool", "col.kind", "col.workers", "col.idle", "col.unresponsive", "col.cooling_down", "col.ready", "col.commission", "col.value_total", "col.free",
			"col.used", "col.releasing", "col.cap", "col.remaining", "col.owner_reward", "col.claimable", "col.queued", "col.force_stop", "col.gas",
			"col.v", "col.ve", "col.p_init", "col.p_now", "col.share_price", "col.per_share", "col.reward", "col.reward_share", "col.owner",
		},
		spare: []string{
			"col.per_share", "col.claimable", "col.share_price", "col.p_init", "col.ve", "col.ready", "col.cooling_down", "col.cap", "col.p_now", "col.v", "col.reward_share",
			"col.daily_share", "col.reward", "col.gas", "col.releasing", "col.owner_reward", "col.used", "col.kind", "col.commission", "col.remaining", "col.value_total", "col.workers",
			"col.free",
		},
	}
	if r.daily != nil {
		g.head = slices.Insert(g.head, len(g.head)-1, "col.daily", "col.daily_share")
	}
	return g
}

func (a *app) poolCells(r phalaRead, p *phala.Pool) []string {
	v := r.pool(p)
	limit, room := a.none(), a.none()
	if p.Kind == phala.StakePool && !a.csv() {
		limit, room = "∞", "∞"
	}
	if v.Remaining != nil {
		limit, room = a.short(*v.Cap), a.short(*v.Remaining)
	}
	in := func(s phala.SessionState) string { return strconv.Itoa(v.States[string(s)]) }
	cells := []string{
		strconv.FormatUint(v.Pool, 10), v.Kind, strconv.Itoa(v.Workers), in(phala.Idle), in(phala.Unresponsive), in(phala.CoolingDown), in(phala.Ready),
		a.short(v.Commission), a.short(v.Value), a.short(v.Free), a.short(v.Used), a.short(v.Releasing), limit, room, a.short(v.OwnerReward), a.short(v.Claimable),
		a.short(v.Queued), a.when(p.DueAt), a.short(v.OwnerGas), a.short(v.V), a.short(v.Ve), strconv.FormatUint(v.PInit, 10), strconv.FormatUint(v.PInstant, 10),
		v.SharePrice, a.short(v.PerShare), a.short(v.Reward), a.perhaps(v.RewardShare),
	}
	if v.Daily != nil {
		cells = append(cells, a.short(*v.Daily), a.perhaps(v.DailyShare))
	}
	return append(cells, v.Owner)
}

// perhaps is a number that is not always known.
func (a *app) perhaps(s *string) string {
	if s == nil {
		return a.none()
	}
	return a.short(*s)
}

func (a *app) chainPoolCmd() *cobra.Command {
	var f chainFlags
	cmd := &cobra.Command{Use: "pool PID", Short: a.say("cli.chain_pool"), Long: a.say("cli.chain_pool_long"), Args: cobra.ArbitraryArgs}
	a.chainFlags(cmd, &f)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) != 1 {
			return usage("cli.missing_argument", "usage", cmd.UseLine())
		}
		pid, err := strconv.ParseUint(args[0], 10, 64)
		if err != nil {
			return usage("cli.bad_pid", "pid", args[0])
		}
		return a.readPhala(cmd.Context(), f, phala.Want{Pools: []uint64{pid}}, func(_ context.Context, r phalaRead) error { return a.chainPool(r, pid) })
	}
	return cmd
}

func (a *app) chainPool(r phalaRead, pid uint64) error {
	p := r.Pool(pid)
	if p == nil {
		return fleet.Fail(fleet.NotFound, fleet.Because("cli.no_pool", "pid", pid))
	}
	v := r.pool(p)
	g := r.poolGrid()
	g.add(a.poolCells(r, p)...)
	g = a.ofEra(r.Era, g)
	g = fieldGrid(g, g.rows[0], a)
	if p.Locked {
		g.add(a.label("col.locked"), a.say("cli.vault_locked"))
	}
	for _, w := range v.Queue {
		text := joined([]string{w.Amount, w.User, w.Deadline})
		if !a.csv() {
			text = a.say("cli.withdrawal", "amount", w.Amount, "user", w.User, "deadline", w.Deadline)
		}
		g.add(a.label("col.withdrawal"), text)
	}
	return a.printChain(r.chainRead, view.PhalaPools{PhalaState: r.view(), Pools: []view.PhalaPool{v}}, g)
}

// pool is a pool for programs.
func (r phalaRead) pool(p *phala.Pool) view.PhalaPool {
	sums := p.Totals()
	out := view.PhalaPool{
		Pool: p.ID, Kind: string(p.Kind), Owner: r.address(p.Owner), OwnerGas: p.OwnerGas.PHA(), Commission: big.NewRat(int64(p.Commission), 10_000).FloatString(4),
		Value: p.Value.PHA(), Shares: p.Shares.PHA(), Free: p.Free.PHA(), Used: p.Used.PHA(), Releasing: p.Releasing.PHA(), OwnerReward: p.OwnerReward.PHA(),
		Claimable: p.Claimable.PHA(), PerShare: p.PerShare.String(), SharePrice: ratio(p.Value, p.Shares, 1), Workers: len(p.Workers), States: map[string]int{},
		V: sums.V.String(), Ve: sums.Ve.String(), PInit: sums.PInit, PInstant: sums.PInstant, Reward: sums.Reward.PHA(), Locked: p.Locked,
		Queued: p.Queued().PHA(), ForceStop: p.Due, ForceStopAt: stamp(p.DueAt), Invests: append([]uint64{}, p.Invests...), Queue: []view.PhalaWithdrawal{},
	}
	if r.Whole {
		out.RewardShare = new(ratio(sums.Reward, r.rewards, 100))
	}
	if r.daily != nil {
		daily := r.dailyOf(p.Sessions)
		out.Daily = new(daily.PHA())
		if r.Whole {
			out.DailyShare = new(ratio(daily, r.earned, 100))
		}
	}
	if room, over, ok := p.Remaining(); ok {
		limit, left := p.Cap.PHA(), room.PHA()
		if over {
			left = "-" + left
		}
		out.Cap, out.Remaining = &limit, &left
	}
	for state, n := range sums.ByState {
		out.States[string(state)] = n
	}
	for _, w := range p.Queue {
		out.Queue = append(out.Queue, view.PhalaWithdrawal{
			User: r.address(w.User), Shares: w.Shares.PHA(), Amount: w.Amount.PHA(), Start: stamp(w.Start), Deadline: stamp(w.Deadline(r.Grace)),
		})
	}
	return out
}

// ratio is how often b is in a, times a factor, to eight places.
func ratio(a, b fleet.Amount, times int64) string {
	if b.IsZero() {
		return "0"
	}
	n, _ := new(big.Rat).SetString(a.String() + "/" + b.String())
	return n.Mul(n, big.NewRat(times, 1)).FloatString(8)
}
