package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"phalops/internal/fleet"
	"phalops/internal/view"
)

func (a *app) bridgeCmd() *cobra.Command {
	var sites, names []string
	list := func(use, short, long string, why bool) *cobra.Command {
		cmd := &cobra.Command{
			Use: use, Short: a.say(short), Long: a.say(long), Args: a.args(cobra.NoArgs),
			RunE: func(cmd *cobra.Command, _ []string) error { return a.listBridges(cmd.Context(), sites, names, why) },
		}
		cmd.Flags().StringSliceVar(&sites, "site", nil, a.say("cli.sel_site"))
		cmd.Flags().StringSliceVar(&names, "bridge", nil, a.say("cli.sel_bridge"))
		return cmd
	}
	restart := a.bridgeRestartCmd()
	return a.noun("bridge", "cli.bridge", list("list", "cli.bridge_list", "cli.bridge_list_long", false), list("status", "cli.bridge_status", "cli.bridge_status_long", true), restart)
}

func (a *app) listBridges(ctx context.Context, sites, names []string, why bool) error {
	if err := globs(sites, names); err != nil {
		return err
	}
	return a.withReader(ctx, func(ctx context.Context, s *session) error {
		now, err := s.look(ctx)
		if err != nil {
			return err
		}
		return s.bridges(now, sites, names, why)
	})
}

func (s *session) bridges(now snapshot, sites, names []string, why bool) error {
	g := grid{head: []string{"col.bridge", "col.site", "col.version", "col.condition", "col.since", "col.workers", "col.dp_height", "col.mix"},
		spare: []string{"col.version", "col.site", "col.dp_height", "col.since"}}
	if why {
		g.head = append(g.head, "col.reason")
	}
	out, shown := []view.Bridge{}, []fleet.Ref{}
	for _, b := range now.Bridges {
		if !named(names, b.Ref.Name()) || !named(sites, b.Site) {
			continue
		}
		d := now.Decisions[b.Ref]
		shown = append(shown, b.Ref)
		v := s.words().Bridge(b, d)
		out = append(out, v)
		row := []string{v.Name, v.Site, v.Version, s.bridgeCondition(b.Condition), s.lasting(b.Since, now.At), fmt.Sprint(v.Workers), providerHeights(v), s.mix(v.ByCondition)}
		if why {
			row = append(row, s.text(d.Reason))
		}
		g.add(row...)
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

func providerHeights(b view.Bridge) string {
	var hs []string
	for _, dp := range b.DataProviders {
		hs = append(hs, show(dp.Para))
	}
	return strings.Join(hs, " ")
}

// mix is the workers by condition, the bad ones first.
func (a *app) mix(by map[string]int) string {
	var parts []string
	for _, c := range fleet.Conditions() {
		if n := by[string(c)]; n > 0 {
			parts = append(parts, fmt.Sprintf("%s %d", a.condition(c), n))
		}
	}
	return strings.Join(parts, " · ")
}

func (a *app) condition(c fleet.Condition) string {
	if c == "" {
		c = fleet.Unknown
	}
	paint := faint
	switch c {
	case fleet.Working:
		paint = green
	case fleet.Failing, fleet.Unresponsive:
		paint = red
	case fleet.Unknown, fleet.Starting, fleet.Syncing:
		paint = yellow
	}
	return a.paint(paint, a.word("condition.", string(c)))
}

func (a *app) bridgeCondition(c fleet.BridgeCondition) string {
	if c == "" {
		c = fleet.BridgeUnknown
	}
	paint := red
	switch c {
	case fleet.BridgeHealthy:
		paint = green
	case fleet.BridgeUnknown:
		paint = yellow
	}
	return a.paint(paint, a.word("bridge_condition.", string(c)))
}
