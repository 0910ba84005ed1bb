package cli

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"phalops/internal/phala"
	"phalops/internal/view"
)

// listFlags choose rows and their order.
type listFlags struct {
	chainFlags
	sort   string
	desc   bool
	limit  int
	owner  string
	staker string
	pools  []uint
	states []string
	former bool
	queued bool
	daily  bool
}

func (a *app) listFlags(cmd *cobra.Command, f *listFlags) {
	a.chainFlags(cmd, &f.chainFlags)
	cmd.Flags().StringVar(&f.sort, "sort", "", a.say("cli.flag_sort"))
	cmd.Flags().BoolVar(&f.desc, "desc", false, a.say("cli.flag_desc"))
	cmd.Flags().IntVar(&f.limit, "limit", 0, a.say("cli.flag_chain_limit"))
	cmd.Flags().StringVar(&f.owner, "owner", "", a.say("cli.flag_owner"))
}

// ownedBy is a test for pools of the owner that was asked for.
func (f listFlags) ownedBy() (func(*phala.Pool) bool, error) {
	if f.owner == "" {
		return func(*phala.Pool) bool { return true }, nil
	}
	owner, err := phala.ParseAccount(f.owner)
	if err != nil {
		return nil, usage("cli.bad_owner", "owner", f.owner)
	}
	return func(p *phala.Pool) bool { return p != nil && p.Owner == owner }, nil
}

func (f listFlags) want() (w phala.Want) {
	for _, p := range f.pools {
		w.Pools = append(w.Pools, uint64(p))
	}
	return w
}

func (a *app) chainWorkersCmd() *cobra.Command {
	var f listFlags
	cmd := &cobra.Command{Use: "workers", Short: a.say("cli.chain_workers"), Long: a.say("cli.chain_workers_long"), Args: a.args(cobra.NoArgs)}
	a.listFlags(cmd, &f)
	cmd.Flags().UintSliceVar(&f.pools, "pool", nil, a.say("cli.flag_chain_pool"))
	cmd.Flags().StringSliceVar(&f.states, "state", nil, a.say("cli.flag_chain_state"))
	cmd.Flags().BoolVar(&f.former, "former", false, a.say("cli.flag_former"))
	cmd.Flags().BoolVar(&f.daily, "daily", false, a.say("cli.flag_daily"))
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return a.readPhala(cmd.Context(), f.chainFlags, f.want(), func(ctx context.Context, r phalaRead) (err error) {
			if f.daily {
				if r, err = a.withDaily(ctx, r, f, false); err != nil {
					return err
				}
			}
			return a.chainWorkers(r, f)
		})
	}
	return cmd
}

func (a *app) chainWorkers(r phalaRead, f listFlags) error {
	owned, err := f.ownedBy()
	if err != nil {
		return err
	}
	for _, s := range f.states {
		if !slices.ContainsFunc(phala.States(), func(k phala.SessionState) bool { return strings.EqualFold(s, string(k)) }) {
			return usage("cli.no_state", "name", s, "known", fmt.Sprint(phala.States()))
		}
	}
	var rows []row[view.PhalaWorker]
	for _, x := range r.Sessions {
		if !owned(x.Pool) || x.Pool == nil && !f.former || len(f.states) > 0 && !slices.ContainsFunc(f.states, func(s string) bool { return strings.EqualFold(s, string(x.State)) }) {
			continue
		}
		rows = append(rows, row[view.PhalaWorker]{r.worker(x), a.workerCells(r, x)})
	}
	g := r.workerGrid()
	if rows, err = sortRows(rows, g.head, f); err != nil {
		return err
	}
	out := view.PhalaWorkers{PhalaState: r.view(), Workers: []view.PhalaWorker{}}
	for _, w := range rows {
		out.Workers = append(out.Workers, w.data)
		g.add(w.cells...)
	}
	return a.printChain(r.chainRead, out, g)
}

// workerGrid has the columns of workerCells.
func (r phalaRead) workerGrid() grid {
	g := grid{
		head: []string{
			"col.worker", "col.pool", "col.state", "col.v", "col.ve", "col.p_init", "col.p_now", "col.stake", "col.reward", "col.cores", "col.cpu_level", "col.confidence",
			"col.challenged", "col.v_updated", "col.added", "col.iterations", "col.operator", "col.account",
		},
		spare: []string{"col.operator", "col.iterations", "col.added", "col.v_updated", "col.cpu_level", "col.challenged", "col.cores"},
	}
	if r.daily != nil {
		g.head = slices.Insert(g.head, dailyColumn, "col.daily")
	}
	return g
}

// dailyColumn is where the daily reward stands: behind the reward.
const dailyColumn = 9

func (a *app) workerCells(r phalaRead, x *phala.Session) []string {
	w := r.worker(x)
	pool := a.none()
	if w.Pool != nil {
		pool = strconv.FormatUint(*w.Pool, 10)
	}
	key := w.Worker
	if !a.csv() && len(key) > 14 {
		key = key[:14] + "…"
	}
	cells := []string{
		key, pool, w.State, a.short(w.V), a.short(w.Ve), strconv.Itoa(int(w.PInit)), strconv.Itoa(int(w.PInstant)), a.short(w.Stake), a.short(w.Reward),
		strconv.Itoa(int(w.Cores)), strconv.Itoa(int(w.CPULevel)), strconv.Itoa(int(w.Confidence)), a.when(x.ChallengedAt), a.when(x.VUpdated), a.when(x.Added),
		strconv.FormatUint(w.Iterations, 10), w.Operator, w.Account,
	}
	if w.Daily != nil {
		cells = slices.Insert(cells, dailyColumn, a.short(*w.Daily))
	}
	return cells
}

func (a *app) chainWorkerCmd() *cobra.Command {
	var f chainFlags
	cmd := &cobra.Command{Use: "worker KEY", Short: a.say("cli.chain_worker"), Long: a.say("cli.chain_worker_long"), Args: cobra.ArbitraryArgs}
	a.chainFlags(cmd, &f)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) != 1 {
			return usage("cli.missing_argument", "usage", cmd.UseLine())
		}
		key, err := phala.ParseKey(args[0])
		if err != nil {
			return usage("cli.bad_worker_key", "key", args[0])
		}
		return a.readPhala(cmd.Context(), f, phala.Want{Workers: []phala.Key{key}}, func(_ context.Context, r phalaRead) error { return a.chainWorker(r, key) })
	}
	return cmd
}

// chainWorker shows a worker by its public key, also one that is registered but in no pool.
func (a *app) chainWorker(r phalaRead, key phala.Key) error {
	x, err := findSession(r.State, key.String())
	if err != nil {
		w := r.Worker(key)
		if w == nil || !w.Registered {
			return err
		}
		x = &phala.Session{State: phala.Unknown, Worker: w}
	}
	v := r.worker(x)
	if x.Account == (phala.Account{}) {
		v.Account = ""
	}
	g := fieldGrid(r.workerGrid(), a.workerCells(r, x), a)
	g.rows[0][1] = v.Worker
	if x.Account == (phala.Account{}) {
		g.rows = g.rows[:len(g.rows)-1]
	}
	return a.printChain(r.chainRead, view.PhalaWorkers{PhalaState: r.view(), Workers: []view.PhalaWorker{v}}, g)
}

// fieldGrid turns a row into a list of fields.
func fieldGrid(of grid, cells []string, a *app) grid {
	g := grid{head: []string{"col.field", "col.value"}}
	for i, code := range of.head {
		g.add(a.label(code), cells[i])
	}
	return g
}

// none stands for what there is not.
func (a *app) none() string {
	if a.csv() {
		return ""
	}
	return "–"
}

// label is a column's name in the reader's language, or for programs its own.
func (a *app) label(code string) string {
	if a.csv() {
		return strings.TrimPrefix(code, "col.")
	}
	return a.say(code)
}
