package cli

import (
	"context"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"phalops/internal/fleet"
	"phalops/internal/i18n"
	"phalops/internal/remedy"
	"phalops/internal/view"
)

func (a *app) workerCmd() *cobra.Command {
	list := &cobra.Command{Use: "list", Short: a.say("cli.worker_list"), Long: a.say("cli.worker_list_long"), Args: a.args(cobra.NoArgs)}
	listSel := a.selectorFlags(list)
	list.RunE = func(cmd *cobra.Command, _ []string) error { return a.listWorkers(cmd.Context(), listSel, false) }

	status := &cobra.Command{Use: "status", Short: a.say("cli.worker_status"), Args: a.args(cobra.NoArgs)}
	statusSel := a.selectorFlags(status)
	status.RunE = func(cmd *cobra.Command, _ []string) error { return a.listWorkers(cmd.Context(), statusSel, true) }

	why := &cobra.Command{Use: "why", Short: a.say("cli.worker_why"), Long: a.say("cli.worker_why_long"), Args: a.args(cobra.NoArgs)}
	whySel := a.selectorFlags(why)
	why.RunE = func(cmd *cobra.Command, _ []string) error { return a.whyWorkers(cmd.Context(), whySel) }

	restart := &cobra.Command{Use: "restart", Short: a.say("cli.worker_restart"), Long: a.say("cli.worker_restart_long"), Args: a.args(cobra.NoArgs)}
	restartSel := a.selectorFlags(restart)
	restart.RunE = func(cmd *cobra.Command, _ []string) error { return a.restartWorkers(cmd.Context(), restartSel) }
	return a.noun("worker", "cli.worker", list, status, why, restart)
}

// workersOf is the chosen workers. A list without a selector is everybody; a verb that looks closer or acts wants one named.
func (a *app) chosenWorkers(now snapshot, flags *selectorFlags, mustName bool) ([]chosen, error) {
	sel, err := a.selector(flags)
	if err != nil {
		return nil, err
	}
	if sel.Empty() {
		if mustName {
			return nil, usage("cli.no_selector", "flags", "--name, --bridge, --pool, --condition, --message … --all")
		}
		sel.All = true
	}
	found := choose(now, sel)
	if len(found) == 0 && mustName {
		return nil, fleet.Fail(fleet.NotFound, fleet.Because("cli.no_match"))
	}
	return found, nil
}

func (a *app) listWorkers(ctx context.Context, flags *selectorFlags, why bool) error {
	now, err := a.look(ctx)
	if err != nil {
		return err
	}
	found, err := a.chosenWorkers(now, flags, false)
	if err != nil {
		return err
	}
	g := grid{head: []string{"col.worker", "col.bridge", "col.pool", "col.condition", "col.since", "col.state", "col.height", "col.moved", "col.session"}}
	g.head = append(g.head, map[bool]string{false: "col.message", true: "col.reason"}[why])
	out := []view.Worker{}
	for _, c := range found {
		w, d := c.worker, now.Decisions[c.worker.Ref]
		out = append(out, a.words().Worker(c.site, w, d))
		last := firstLine(w.Message, 60)
		if why {
			last = a.text(d.Reason)
		}
		moved := ""
		if w.Para.Known {
			moved = i18n.Ago(a.lang, w.Para.FrozenFor(now.At))
		}
		g.add(w.Name, w.Ref.Parent().Name(), fmt.Sprint(w.PID), a.condition(w.Condition), a.lasting(w.Since, now.At), w.State,
			number(w.Para.Value, w.Para.Known), moved, w.Session, last)
	}
	if err := a.print(out, g); err != nil {
		return err
	}
	a.foot(now)
	return nil
}

// restartWorkers makes one plan a site, so that each is executed by whoever holds that site's lease.
func (a *app) restartWorkers(ctx context.Context, flags *selectorFlags) error {
	return a.withCore(ctx, func(ctx context.Context, s *session) error {
		now, err := s.core.Look(ctx)
		if err != nil {
			return err
		}
		found, err := s.chosenWorkers(now, flags, true)
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
			p, err := s.build(ctx, remedy.RestartWorker, bySite[site], nil)
			if err != nil {
				return err
			}
			plans = append(plans, p)
		}
		return s.carryOut(ctx, plans)
	})
}
