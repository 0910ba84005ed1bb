package cli

import (
	"context"
	"fmt"
	"path"
	"time"

	"github.com/spf13/cobra"

	"phalops/internal/fleet"
	"phalops/internal/remedy"
	"phalops/internal/view"
)

func (a *app) nodeCmd() *cobra.Command {
	var sites, names []string
	list := func(use, short, long string, all bool) *cobra.Command {
		cmd := &cobra.Command{
			Use: use, Short: a.say(short), Long: a.say(long), Args: a.args(cobra.NoArgs),
			RunE: func(cmd *cobra.Command, _ []string) error { return a.listNodes(cmd.Context(), sites, names, all) },
		}
		cmd.Flags().StringSliceVar(&sites, "site", nil, a.say("cli.sel_site"))
		cmd.Flags().StringSliceVar(&names, "name", nil, a.say("cli.sel_name"))
		return cmd
	}
	restart := &cobra.Command{
		Use: "restart", Short: a.say("cli.node_restart"), Long: a.say("cli.node_restart_long"), Args: a.args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.restartNode(cmd.Context(), names) },
	}
	restart.Flags().StringSliceVar(&names, "name", nil, a.say("cli.sel_name"))
	return a.noun("node", "cli.node", list("list", "cli.node_list", "cli.node_list_long", false), list("status", "cli.node_status", "cli.node_status_long", true), restart)
}

// named reports whether a name is one of the globs; no glob at all means every name.
func named(globs []string, name string) bool {
	for _, g := range globs {
		if ok, err := path.Match(g, name); err == nil && ok {
			return true
		}
	}
	return len(globs) == 0
}

func (a *app) listNodes(ctx context.Context, sites, names []string, why bool) error {
	if err := globs(sites, names); err != nil {
		return err
	}
	return a.withReader(ctx, func(ctx context.Context, s *session) error {
		now, err := s.look(ctx)
		if err != nil {
			return err
		}
		return s.nodes(now, sites, names, why)
	})
}

func (s *session) nodes(now snapshot, sites, names []string, why bool) error {
	g := grid{head: []string{"col.node", "col.site", "col.condition", "col.since", "col.chain", "col.height", "col.target", "col.moved", "col.peers", "col.container"},
		spare: []string{"col.container", "col.site", "col.since", "col.target"}}
	if why {
		g.head = append(g.head, "col.disk", "col.reason")
		g.spare = append(g.spare, "col.disk")
	}
	out, shown := []view.Node{}, []fleet.Ref{}
	for _, n := range now.Nodes {
		if !named(names, n.Ref.Name()) || !named(sites, n.Site) {
			continue
		}
		d := now.Decisions[n.Ref]
		shown = append(shown, n.Ref)
		v := s.words().Node(n, d)
		out = append(out, v)
		for i, c := range v.Chains {
			row := []string{v.Name, v.Site, s.nodeCondition(n.Condition), s.lasting(n.Since, now.At)}
			if i > 0 {
				row = []string{"", "", "", ""}
			}
			row = append(row, c.Chain, show(c.Height), show(c.Target), "", show(c.Peers), v.Container)
			if c.MovedAt != nil {
				row[7] = s.ago(*c.MovedAt, now.At)
			}
			if why {
				row = append(row, freeOf(v.Disk, i), s.because(d, c, i))
			}
			g.add(row...)
		}
		if why {
			for _, c := range v.Caches {
				g.add(s.cacheRow(c, now.At)...)
			}
		}
	}
	if err := s.print(out, g); err != nil {
		return err
	}
	if why {
		s.explain(now, len(names) > 0, shown)
	}
	s.foot(now)
	return nil
}

// because is the reason column: why the node is judged so in its first line, why a chain is silent in its own.
func (a *app) because(d fleet.Decision, c view.Chain, line int) string {
	switch {
	case c.Silent != nil:
		return c.Silent.Text
	case line == 0 && !d.Reason.IsZero():
		return a.text(d.Reason)
	default:
		return ""
	}
}

// freeOf is what is left of a node's disk, in its first line; "" where nobody looks.
func freeOf(d *view.Disk, line int) string {
	switch {
	case d == nil || line > 0:
		return ""
	case d.Free == nil:
		return "–"
	}
	return fmt.Sprintf("%.1f GiB (%.0f%%)", float64(*d.Free)/(1<<30), 100*float64(*d.Free)/float64(*d.Total))
}

// cacheRow is a headers cache in the lines of its node: where the others show a chain, it shows its relay chain headers.
func (s *session) cacheRow(c view.Cache, now time.Time) []string {
	row := []string{"", "", "", "", c.Name, show(c.Header), "", "", "", "", "", ""}
	if c.MovedAt != nil {
		row[7] = s.ago(*c.MovedAt, now)
	}
	if c.Silent != nil {
		row[11] = c.Silent.Text
	}
	return row
}

// show is a number that may be unknown.
func show[T int | int64](v *T) string {
	if v == nil {
		return "–"
	}
	return number(int64(*v), true)
}

func (a *app) nodeCondition(c fleet.NodeCondition) string {
	if c == "" {
		c = fleet.NodeUnknown
	}
	paint := yellow
	switch c {
	case fleet.NodeHealthy:
		paint = green
	case fleet.NodeStalled, fleet.NodeDown, fleet.NodeStarved, fleet.NodeNetworkStalled, fleet.NodeNetworkEnded:
		paint = red
	}
	return a.paint(paint, a.word("node_condition.", string(c)))
}

// restartNode makes one plan a node, one after another: two nodes of a fleet are never down together because of us.
func (a *app) restartNode(ctx context.Context, names []string) error {
	if len(names) == 0 {
		return usage("cli.no_selector", "flags", "--name")
	}
	if err := globs(names); err != nil {
		return err
	}
	return a.withCore(ctx, func(ctx context.Context, s *session) error {
		var targets []fleet.Ref
		for _, site := range s.core.Config().Sites {
			for _, n := range site.Nodes {
				if named(names, n.Name) {
					targets = append(targets, fleet.NodeRef(n.Name))
				}
			}
		}
		return s.each(ctx, remedy.RestartNode, targets)
	})
}
