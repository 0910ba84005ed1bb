package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"

	"phalops/internal/control"
	"phalops/internal/fleet"
	"phalops/internal/store"
	"phalops/internal/view"
)

// pad fills to a width in terminal columns, of which a Chinese character takes two.
func pad(s string, width int) string { return text.AlignLeft.Apply(s, width) }

func (a *app) incidentCmd() *cobra.Command {
	var all bool
	list := &cobra.Command{
		Use: "list", Short: a.say("cli.incident_list"), Long: a.say("cli.incident_list_long"), Args: a.args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.listIncidents(cmd.Context(), all) },
	}
	list.Flags().BoolVar(&all, "all", false, a.say("cli.flag_closed_too"))
	showCmd := &cobra.Command{
		Use: "show ID", Short: a.say("cli.incident_show"), Long: a.say("cli.incident_show_long"), Args: a.args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error { return a.showIncident(cmd.Context(), args[0]) },
	}
	return a.noun("incident", "cli.incident", list, showCmd, a.reportCmd())
}

func (a *app) listIncidents(ctx context.Context, all bool) error {
	return a.withReader(ctx, func(ctx context.Context, s *session) error {
		found, err := s.core.Store.Incidents(ctx, store.IncidentFilter{Open: !all, Limit: 500})
		if err != nil {
			return err
		}
		now := s.core.Clock.Now()
		g := grid{head: []string{"col.id", "col.target", "col.condition", "col.severity", "col.opened", "col.lasted", "col.verdict", "col.reason"},
			spare: []string{"col.opened", "col.severity", "col.verdict"}}
		out := []view.Incident{}
		for _, i := range found {
			if i, err = s.newest(ctx, i); err != nil {
				return err
			}
			out = append(out, s.words().Incident(i, nil))
			end := i.Closed
			if i.Open() {
				end = now
			}
			g.add(i.ID, i.Title, s.conditionIn(i), s.severity(i.Severity), s.when(i.Opened), s.took(end.Sub(i.Opened)), s.verdict(i), s.text(reasonOf(i)))
		}
		if err := s.print(out, g); err != nil {
			return err
		}
		return s.nobodyWatches(ctx)
	})
}

// conditionIn is the condition of an incident, in the words in which people are told of it.
func (a *app) conditionIn(i fleet.Incident) string {
	code := i.ConditionCode()
	if a.csv() || !strings.HasPrefix(code, "outlook.") {
		return a.conditionOf(i.Target, i.Code)
	}
	return a.paint(yellow, a.text(fleet.Reason{Code: code}))
}

// conditionOf is a condition in the words of whatever kind of thing is in it.
func (a *app) conditionOf(target fleet.Ref, code string) string {
	switch target.Kind() {
	case fleet.KindNode:
		return a.nodeCondition(fleet.NodeCondition(code))
	case fleet.KindBridge:
		return a.bridgeCondition(fleet.BridgeCondition(code))
	case fleet.KindWorker:
		return a.condition(fleet.Condition(code))
	case fleet.KindFleet, fleet.KindSite, fleet.KindHost, fleet.KindPool:
		return a.word("parent_condition.", code)
	case fleet.KindNetwork:
		return a.word("network_condition.", code)
	case fleet.KindStakePool:
		return a.word("stakepool_condition.", code)
	}
	return code
}

// verdict is what is being done about an open incident.
func (a *app) verdict(i fleet.Incident) string {
	if !i.Open() || i.Decision.Verdict == "" {
		return ""
	}
	return a.word("verdict.", string(i.Decision.Verdict))
}

// nobodyWatches warns that an empty list of incidents means little: only a daemon opens them.
func (s *session) nobodyWatches(ctx context.Context) error {
	_, err := s.core.Store.LeaseOf(ctx, control.FleetLease, s.core.Clock.Now())
	if !errors.Is(err, store.ErrNotFound) || s.flags.output != "table" {
		return err
	}
	fmt.Fprintln(s.Stderr, s.paint(yellow, s.say("cli.nobody_watches")))
	return nil
}

func (a *app) severity(s fleet.Severity) string {
	if s == "" {
		return ""
	}
	paint := map[fleet.Severity]colour{fleet.Critical: red, fleet.Warning: yellow, fleet.Info: faint}[s]
	return a.paint(paint, a.word("severity.", string(s)))
}

func (a *app) showIncident(ctx context.Context, id string) error {
	return a.withReader(ctx, func(ctx context.Context, s *session) error {
		i, err := s.core.Store.Incident(ctx, id)
		if err != nil {
			return notFound(err, "cli.no_incident", id)
		}
		if i, err = s.newest(ctx, i); err != nil {
			return err
		}
		events, err := s.core.Store.Events(ctx, store.EventFilter{Incident: id})
		if err != nil {
			return err
		}
		v := s.words().Incident(i, events)
		if s.flags.output != "table" {
			return s.print(v, s.eventGrid(events))
		}
		s.line("col.id", i.ID)
		s.line("col.target", i.Title+"  "+string(i.Target))
		s.line("col.condition", s.conditionIn(i))
		s.line("col.severity", s.severity(i.Severity))
		s.line("col.opened", s.when(i.Opened))
		s.line("col.acted", s.when(i.Acted))
		s.line("col.told", s.when(i.Told))
		if !i.Open() {
			s.line("col.closed", s.with(s.when(i.Closed), "cli.lasted", s.took(i.Closed.Sub(i.Opened))))
		}
		if len(i.Children) > 0 {
			s.line("col.children", s.targets(i.Children))
		}
		if i.Open() {
			s.decision(i.Decision)
		} else {
			s.line("col.reason", s.text(i.Reason))
		}
		s.timeline(i.Target, events)
		return nil
	})
}

// notFound turns the store's "not found" into a sentence with the id.
func notFound(err error, code, id string) error {
	if fleet.KindOf(err) == fleet.NotFound {
		return fleet.FailWith(fleet.NotFound, fleet.Because(code, "id", id), err)
	}
	return err
}

func (a *app) auditCmd() *cobra.Command {
	var since time.Duration
	var target string
	var limit int
	list := &cobra.Command{
		Use: "list", Short: a.say("cli.audit_list"), Long: a.say("cli.audit_list_long"), Args: a.args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.listAudit(cmd.Context(), since, target, limit) },
	}
	list.Flags().DurationVar(&since, "since", 24*time.Hour, a.say("cli.flag_since"))
	list.Flags().StringVar(&target, "target", "", a.say("cli.flag_target"))
	list.Flags().IntVar(&limit, "limit", 200, a.say("cli.flag_limit"))
	return a.noun("audit", "cli.audit", list)
}

// listAudit shows who did what, why and with which result: plans and steps, messages, configuration and the daemon itself.
func (a *app) listAudit(ctx context.Context, since time.Duration, target string, limit int) error {
	return a.withReader(ctx, func(ctx context.Context, s *session) error {
		events, err := s.core.Store.Events(ctx, store.EventFilter{
			Kinds:  []fleet.EventKind{fleet.EventPlan, fleet.EventStep, fleet.EventMessage, fleet.EventConfig, fleet.EventDaemon, fleet.EventMaintenance},
			Target: fleet.Ref(target), Since: s.core.Clock.Now().Add(-since), Limit: limit, Newest: true,
		})
		if err != nil {
			return err
		}
		slices.Reverse(events)
		out := []view.Event{}
		for _, e := range events {
			out = append(out, s.words().Event(e))
		}
		return s.print(out, s.eventGrid(events))
	})
}

func (s *session) eventGrid(events []fleet.Event) grid {
	g := grid{head: []string{"col.time", "col.author", "col.target", "col.plan", "col.what"}, spare: []string{"col.plan"}}
	for _, e := range events {
		g.add(s.when(e.At), e.Author, s.name(e.Target), e.Plan, s.text(e.Reason))
	}
	return g
}
