package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"phalops/internal/fleet"
	"phalops/internal/store"
	"phalops/internal/view"
)

func (a *app) statusCmd() *cobra.Command {
	return &cobra.Command{
		Use: "status", Short: a.say("cli.status"), Long: a.say("cli.status_long"), Args: a.args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.status(cmd.Context()) },
	}
}

// status is the fleet on one screen: where things stand, what is wrong, what is being done.
func (a *app) status(ctx context.Context) error {
	return a.withReader(ctx, func(ctx context.Context, s *session) error {
		now, err := s.look(ctx)
		if err != nil {
			return err
		}
		incidents, err := s.core.Store.Incidents(ctx, store.IncidentFilter{Open: true})
		if err != nil {
			return err
		}
		plans, err := s.core.Store.Plans(ctx, store.PlanFilter{Unended: true})
		if err != nil {
			return err
		}
		for n := range incidents {
			if incidents[n], err = s.newest(ctx, incidents[n]); err != nil {
				return err
			}
		}
		windows, err := s.openNow(ctx, now.At)
		if err != nil {
			return err
		}
		slices.SortStableFunc(incidents, func(a, b fleet.Incident) int { return a.Opened.Compare(b.Opened) })
		answer := s.statusView(now, incidents, plans)
		answer.Maintenance = windows
		if err := s.print(answer, s.statusGrid(now)); err != nil {
			return err
		}
		if s.flags.output == "table" {
			s.statusWork(now, incidents, plans)
			s.statusPeace(windows)
			s.foot(now)
		}
		return nil
	})
}

func (s *session) statusView(now snapshot, incidents []fleet.Incident, plans []fleet.Plan) view.Status {
	out := view.Status{At: now.At, Live: now.Live, Daemon: now.Daemon, Nodes: []view.Node{}, Bridges: []view.Bridge{}, Networks: []view.Network{}, Incidents: []view.Incident{}, Plans: []view.Plan{}}
	for _, n := range now.Nodes {
		out.Nodes = append(out.Nodes, s.words().Node(n, now.Decisions[n.Ref]))
	}
	for _, b := range now.Bridges {
		out.Bridges = append(out.Bridges, s.words().Bridge(b, now.Decisions[b.Ref]))
	}
	for _, v := range now.Chains {
		out.Networks = append(out.Networks, s.words().Network(v, now.Decisions[v.Ref]))
	}
	for _, i := range incidents {
		out.Incidents = append(out.Incidents, s.words().Incident(i, nil))
	}
	for _, p := range plans {
		out.Plans = append(out.Plans, s.words().Plan(p))
	}
	return out
}

// statusGrid has a row for every node and bridge, and one more with the reason for those that are not well.
func (s *session) statusGrid(now snapshot) grid {
	g := grid{head: []string{"col.kind", "col.target", "col.site", "col.condition", "col.since", "col.detail"}}
	add := func(ref fleet.Ref, site, condition, since, detail string) {
		g.add(s.word("kind.", string(ref.Kind())), ref.Name(), site, condition, since, detail)
		if d := now.Decisions[ref]; d.Verdict != fleet.Healthy && !d.Reason.IsZero() {
			g.add("", "", "", "", "", s.text(d.Reason))
		}
	}
	for _, n := range now.Nodes {
		var heights []string
		for _, c := range s.words().Node(n, fleet.Decision{}).Chains {
			heights = append(heights, c.Chain+" "+show(c.Height))
		}
		add(n.Ref, n.Site, s.nodeCondition(n.Condition), s.lasting(n.Since, now.At), join(heights))
	}
	for _, b := range now.Bridges {
		add(b.Ref, b.Site, s.bridgeCondition(b.Condition), s.lasting(b.Since, now.At), s.mix(view.CountWorkers(b.Workers)))
	}
	for _, v := range now.Chains {
		d, condition := now.Decisions[v.Ref], ""
		if d.Condition != "" {
			condition = s.conditionOf(v.Ref, d.Condition)
		}
		add(v.Ref, "", condition, s.lasting(d.Since, now.At), s.networkDetail(s.words().Network(v, d), v.At, now.At))
	}
	return g
}

// statusPeace is where nothing is treated at present, which explains why nothing happens there.
func (s *session) statusPeace(windows []view.Maintenance) {
	if len(windows) == 0 {
		return
	}
	fmt.Fprintln(s.Stdout, "\n"+s.paint(bold, s.say("cli.open_windows", "n", len(windows))))
	s.printTable(s.windowGrid(windows))
}

// statusWork is what is wrong and what is being done about it.
func (s *session) statusWork(now snapshot, incidents []fleet.Incident, plans []fleet.Plan) {
	fmt.Fprintln(s.Stdout, "\n"+s.paint(bold, s.say("cli.open_incidents", "n", len(incidents))))
	if len(incidents) > 0 {
		g := grid{head: []string{"col.id", "col.target", "col.lasted", "col.verdict", "col.reason"}}
		for _, i := range incidents {
			g.add(i.ID, i.Title, s.took(now.At.Sub(i.Opened)), s.verdict(i), s.text(reasonOf(i)))
		}
		s.printTable(g)
	}
	fmt.Fprintln(s.Stdout, "\n"+s.paint(bold, s.say("cli.open_plans", "n", len(plans))))
	if len(plans) > 0 {
		g := grid{head: []string{"col.plan", "col.kind", "col.state", "col.targets"}}
		for _, p := range plans {
			g.add(p.ID, s.kind(p.Kind), s.planState(p.State), s.targets(p.Targets))
		}
		s.printTable(g)
	}
	if len(incidents) > 0 {
		fmt.Fprintln(s.Stderr, s.paint(faint, s.say("cli.incident_details", "id", incidents[0].ID)))
	}
}

func join(parts []string) string { return strings.Join(parts, " · ") }
