package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"phalops/internal/fleet"
	"phalops/internal/remedy"
	"phalops/internal/view"
)

func (a *app) workerCmd() *cobra.Command {
	list := &cobra.Command{Use: "list", Short: a.say("cli.worker_list"), Long: a.say("cli.worker_list_long"), Args: a.args(cobra.NoArgs)}
	listSel := a.selectorFlags(list)
	var chain, differs bool
	list.Flags().BoolVar(&chain, "chain", false, a.say("cli.flag_chain"))
	list.Flags().BoolVar(&differs, "differs", false, a.say("cli.flag_differs"))
	list.RunE = func(cmd *cobra.Command, _ []string) error {
		if chain || differs {
			return a.listWorkersOnChain(cmd.Context(), listSel, differs)
		}
		return a.listWorkers(cmd.Context(), listSel, false)
	}

	status := &cobra.Command{Use: "status", Short: a.say("cli.worker_status"), Long: a.say("cli.worker_status_long"), Args: a.args(cobra.NoArgs)}
	statusSel := a.selectorFlags(status)
	status.RunE = func(cmd *cobra.Command, _ []string) error { return a.listWorkers(cmd.Context(), statusSel, true) }

	why := &cobra.Command{Use: "why", Short: a.say("cli.worker_why"), Long: a.say("cli.worker_why_long"), Args: a.args(cobra.NoArgs)}
	whySel := a.selectorFlags(why)
	why.RunE = func(cmd *cobra.Command, _ []string) error { return a.whyWorkers(cmd.Context(), whySel) }

	var container bool
	restart := &cobra.Command{Use: "restart", Short: a.say("cli.worker_restart"), Long: a.say("cli.worker_restart_long"), Args: a.args(cobra.NoArgs)}
	restartSel := a.selectorFlags(restart)
	restart.Flags().BoolVar(&container, "container", false, a.say("cli.flag_container"))
	restart.RunE = func(cmd *cobra.Command, _ []string) error {
		if container {
			return a.treatWorkers(cmd.Context(), remedy.RestartContainer, restartSel)
		}
		return a.treatWorkers(cmd.Context(), remedy.RestartWorker, restartSel)
	}

	kick := &cobra.Command{Use: "kick", Short: a.say("cli.worker_kick"), Long: a.say("cli.worker_kick_long"), Args: a.args(cobra.NoArgs)}
	kickSel := a.selectorFlags(kick)
	kick.RunE = func(cmd *cobra.Command, _ []string) error {
		return a.treatWorkers(cmd.Context(), remedy.KickWorker, kickSel)
	}

	refresh := &cobra.Command{Use: "refresh", Short: a.say("cli.worker_refresh"), Long: a.say("cli.worker_refresh_long"), Args: a.args(cobra.NoArgs)}
	refreshSel := a.selectorFlags(refresh)
	refresh.RunE = func(cmd *cobra.Command, _ []string) error {
		return a.treatWorkers(cmd.Context(), remedy.RefreshWorker, refreshSel)
	}
	return a.noun("worker", "cli.worker", list, status, why, a.workerAddCmd(), a.workerSetCmd(),
		a.workerStartCmd(), a.workerStopCmd(), restart, kick, refresh)
}

// listWorkers shows the chosen workers; without a selector all of them.
func (a *app) listWorkers(ctx context.Context, flags *selectorFlags, why bool) error {
	sel, err := a.selector(flags)
	if err != nil {
		return err
	}
	sel.All = sel.All || sel.Empty()
	return a.withReader(ctx, func(ctx context.Context, s *session) error {
		now, err := s.look(ctx)
		if err != nil {
			return err
		}
		return s.workers(now, choose(now, sel), why)
	})
}

func (s *session) workers(now snapshot, found []chosen, why bool) error {
	g := grid{head: []string{"col.worker", "col.bridge", "col.pool", "col.condition", "col.since", "col.state", "col.height", "col.moved", "col.session"},
		spare: []string{"col.session", "col.pool", "col.state", "col.bridge", "col.since"}}
	g.head = append(g.head, map[bool]string{false: "col.message", true: "col.reason"}[why])
	if s.csv() { // then it can be fed to worker add
		g.head = append(g.head, "col.endpoint", "col.stake", "col.enabled", "col.sync_only")
	}
	out := []view.Worker{}
	for _, c := range found {
		w, d := c.worker, now.Decisions[c.worker.Ref]
		out = append(out, s.words().Worker(c.site, w, d))
		last := firstLine(w.Message, 60)
		if why {
			last = s.text(d.Reason)
		}
		moved := ""
		if w.Para.Known {
			moved = s.ago(w.Para.MovedAt, now.At)
		}
		row := []string{w.Name, w.Ref.Parent().Name(), fmt.Sprint(w.PID), s.condition(w.Condition), s.lasting(w.Since, now.At), w.State,
			number(w.Para.Value, w.Para.Known), moved, w.Session, last}
		if s.csv() {
			stake := ""
			if w.StakeOK {
				stake = w.Stake.PHA()
			}
			row = append(row, w.Endpoint, stake, fmt.Sprint(w.Enabled), fmt.Sprint(w.SyncOnly))
		}
		g.add(row...)
	}
	if err := s.print(out, g); err != nil {
		return err
	}
	s.foot(now)
	return nil
}

// namedSelector is the selector of a verb that looks closer or acts: somebody must be named.
func (a *app) namedSelector(flags *selectorFlags) (fleet.Selector, error) {
	sel, err := a.selector(flags)
	if err == nil && sel.Empty() {
		err = usage("cli.no_selector", "flags", "--name, --bridge, --pool, --condition, --message … --all")
	}
	return sel, err
}

// chosen is choose for verbs that must find somebody.
func (s *session) chosen(now snapshot, sel fleet.Selector) ([]chosen, error) {
	found := choose(now, sel)
	if len(found) > 0 {
		return found, nil
	}
	var silent []string
	for _, b := range now.Bridges {
		if !b.Lifecycle.Fresh() {
			silent = append(silent, b.Ref.Name())
		}
	}
	if len(silent) > 0 { // the one that is looked for may hang on it
		return nil, fleet.Fail(fleet.Unavailable, fleet.Because("cli.bridges_silent", "bridges", strings.Join(silent, ", ")))
	}
	return nil, fleet.Fail(fleet.NotFound, fleet.Because("cli.no_match"))
}

// find looks at the fleet and chooses workers.
func (s *session) find(ctx context.Context, sel fleet.Selector) (snapshot, []chosen, error) {
	now, err := s.look(ctx)
	if err != nil {
		return now, nil, err
	}
	found, err := s.chosen(now, sel)
	return now, found, err
}

// treatWorkers makes one plan a site, so that each is executed by whoever holds that site's lease.
func (a *app) treatWorkers(ctx context.Context, kind string, flags *selectorFlags) error {
	sel, err := a.namedSelector(flags)
	if err != nil {
		return err
	}
	return a.withCore(ctx, func(ctx context.Context, s *session) error {
		now, found, err := s.find(ctx, sel)
		if err != nil {
			return err
		}
		bySite := map[string][]fleet.Ref{}
		var sites []string
		for _, c := range found {
			if !slices.Contains(sites, c.site) {
				sites = append(sites, c.site)
			}
			bySite[c.site] = append(bySite[c.site], c.worker.Ref)
		}
		var plans []fleet.Plan
		for _, site := range sites {
			p, err := s.build(ctx, kind, bySite[site], nil)
			if err != nil {
				return err
			}
			plans = append(plans, p)
		}
		if err := s.keepNames(ctx, now); err != nil {
			return err
		}
		return s.carryOut(ctx, plans)
	})
}

// keepNames saves what was seen when no daemon did, so that the record of what is about to be done can name the workers.
func (s *session) keepNames(ctx context.Context, now snapshot) error {
	if !now.Live || s.flags.dryRun {
		return nil
	}
	for _, b := range now.Bridges {
		if err := s.core.Store.SaveBridge(ctx, b); err != nil {
			return fmt.Errorf("save what was seen of %s: %w", b.Ref, err)
		}
	}
	return nil
}
