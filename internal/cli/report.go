package cli

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"phalops/internal/fleet"
	"phalops/internal/store"
	"phalops/internal/view"
)

func (a *app) reportCmd() *cobra.Command {
	var since time.Duration
	cmd := &cobra.Command{
		Use: "report", Short: a.say("cli.incident_report"), Long: a.say("cli.incident_report_long"), Args: a.args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.report(cmd.Context(), since) },
	}
	cmd.Flags().DurationVar(&since, "since", 7*24*time.Hour, a.say("cli.flag_report_since"))
	return cmd
}

// report tells what observing saw.
func (a *app) report(ctx context.Context, back time.Duration) error {
	return a.withReader(ctx, func(ctx context.Context, s *session) error {
		since := s.core.Clock.Now().Add(-back)
		incidents, err := s.core.Store.Incidents(ctx, store.IncidentFilter{Since: since})
		if err != nil {
			return err
		}
		open, err := s.core.Store.Incidents(ctx, store.IncidentFilter{Open: true}) // those that opened earlier as well
		if err != nil {
			return err
		}
		attempts, err := s.core.Store.Attempts(ctx, since.Add(-back))
		if err != nil {
			return err
		}
		rule := func(i fleet.Incident) string { return s.wouldRule(ctx, i) }
		r := view.NewReport(union(incidents, open), since, treatedIn(attempts), rule)
		g := grid{head: []string{"col.rule", "col.would_act", "col.alone", "col.by_person", "col.still_open", "col.recovery"}, spare: []string{"col.recovery"}}
		for _, x := range r.Rules {
			median := ""
			if x.Alone > 0 {
				median = s.took(time.Duration(x.Median * float64(time.Second)))
			}
			g.add(x.Rule, strconv.Itoa(x.Would), strconv.Itoa(x.Alone), strconv.Itoa(x.Treated), strconv.Itoa(x.Open), median)
		}
		if s.flags.output == "table" {
			if r.Would == 0 {
				fmt.Fprintln(s.Stdout, s.say("cli.report_none", "since", back))
				return nil
			}
			fmt.Fprintln(s.Stdout, s.say("cli.report_sum", "since", back, "would", r.Would, "alone", r.Alone, "treated", r.Treated, "open", r.Open))
		}
		return s.print(r, g)
	})
}

// wouldRule is the rule by which an incident would have been acted upon first.
func (s *session) wouldRule(ctx context.Context, i fleet.Incident) string {
	events, err := s.core.Store.Events(ctx, store.EventFilter{Incident: i.ID, Kinds: []fleet.EventKind{fleet.EventDecision}})
	if err == nil {
		for _, e := range events {
			if e.Decision != nil && e.Decision.Verdict == fleet.WouldAct {
				return e.Decision.Rule
			}
		}
	}
	return i.Decision.Rule
}

// union is two lists of incidents without the same one twice.
func union(a, b []fleet.Incident) []fleet.Incident {
	known := map[string]bool{}
	var out []fleet.Incident
	for _, i := range slices.Concat(a, b) {
		if !known[i.ID] {
			known[i.ID] = true
			out = append(out, i)
		}
	}
	return out
}

// treatedIn tells whether a target, or what it belongs to, was treated between two moments; a zero end is now.
func treatedIn(attempts []fleet.Attempt) func(fleet.Ref, time.Time, time.Time) bool {
	at := map[fleet.Ref][]time.Time{}
	for _, x := range attempts {
		at[x.Target] = append(at[x.Target], x.At)
	}
	return func(target fleet.Ref, from, to time.Time) bool {
		for _, ref := range []fleet.Ref{target, target.Parent()} {
			for _, t := range at[ref] {
				if !t.Before(from) && (to.IsZero() || t.Before(to)) {
					return true
				}
			}
		}
		return false
	}
}
