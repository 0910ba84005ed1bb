package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"

	"phalops/internal/fleet"
	"phalops/internal/store"
	"phalops/internal/view"
)

// maxWhy bounds how many workers are explained at once: more is a table's job.
const maxWhy = 20

// why is everything that is known about one worker's fate.
type why struct {
	view.Worker
	Events []view.Event `json:"events"`
}

// whyWorkers tells the whole story of the chosen workers: what they are, what was decided and why, also why nothing was
// done, and what happened lately.
func (a *app) whyWorkers(ctx context.Context, flags *selectorFlags) error {
	sel, err := a.namedSelector(flags)
	if err != nil {
		return err
	}
	return a.withReader(ctx, func(ctx context.Context, s *session) error {
		now, err := s.look(ctx)
		if err != nil {
			return err
		}
		found, err := s.chosen(now, sel)
		if err != nil {
			return nobodyFits(err, now, flags.names)
		}
		if len(found) > maxWhy {
			return usage("cli.too_many", "found", len(found), "most", maxWhy)
		}
		if s.flags.output == "csv" {
			return s.workers(now, found, true)
		}
		out := []why{}
		for i, c := range found {
			events, err := s.core.Store.Events(ctx, store.EventFilter{Target: c.worker.Ref, Since: now.At.Add(-24 * time.Hour), Limit: 30, Newest: true})
			if err != nil {
				return err
			}
			d := now.Decisions[c.worker.Ref]
			w := why{Worker: s.words().Worker(c.site, c.worker, d), Events: []view.Event{}}
			slices.Reverse(events)
			for _, event := range events {
				w.Events = append(w.Events, s.words().Event(event))
			}
			out = append(out, w)
			if s.flags.output == "table" {
				if i > 0 {
					fmt.Fprintln(s.Stdout)
				}
				s.story(c, d, events, now)
			}
		}
		if s.flags.output != "table" {
			return s.print(out, grid{})
		}
		s.foot(now)
		return nil
	})
}

// story prints one worker's explanation.
func (s *session) story(c chosen, d fleet.Decision, events []fleet.Event, now snapshot) {
	x := c.worker
	s.line("col.worker", fmt.Sprintf("%s · %s · %s", s.paint(bold, x.Name), x.Ref.Parent().Name(), x.Endpoint))
	s.line("col.condition", s.with(s.condition(x.Condition), "cli.for_so_long", s.lasting(x.Since, now.At)))
	s.line("col.state", strings.Trim(x.State+" · "+x.Session, " ·"))
	s.line("col.height", s.with(number(x.Para.Value, x.Para.Known), "cli.moved_ago", s.ago(x.Para.MovedAt, now.At)))
	s.line("col.message", firstLine(x.Message, 200))
	s.lookedAt(x, now)
	s.decision(d)
	s.checked(d)
	s.holds(d, now.At)
	s.timeline(x.Ref, events)
}

// with adds a remark to a value when there is something to remark.
func (s *session) with(value, code, text string) string {
	if text == "" || text == "–" {
		return value
	}
	return value + s.say(code, "text", text)
}

func (s *session) decision(d fleet.Decision) {
	if d.Target == "" {
		s.line("col.verdict", s.say("cli.no_decision"))
		return
	}
	s.line("col.verdict", s.text(d.Outlook()))
	s.line("col.reason", s.text(d.Reason))
	for _, r := range d.Guards {
		s.line("col.guard", s.text(r))
	}
	s.rungs(d)
	for _, r := range d.Witnesses {
		s.line("col.witness", s.text(r))
	}
	if d.Suspect != "" && d.Suspect != d.Target {
		s.line("col.suspect", s.word("kind.", string(d.Suspect.Kind()))+" "+s.name(d.Suspect))
	}
	s.line("col.rule", s.with(d.Rule, "cli.judged_at", s.when(d.At)))
}

// holds prints the operator's own rules that hold, or why they have no answer.
func (s *session) holds(d fleet.Decision, at time.Time) {
	for _, h := range d.Holds {
		name, when := strings.TrimPrefix(h.Rule, "user."), text.Snip(strings.Join(strings.Fields(h.When), " "), 200, "…")
		told := s.say("cli.rule_no_answer", "rule", name, "when", when)
		if !h.Since.IsZero() {
			told = s.say("cli.rule_holds", "rule", name, "when", when, "for", max(0, at.Sub(h.Since)))
			if h.Due.After(at) {
				told += s.say("cli.rule_due", "in", h.Due.Sub(at))
			}
		}
		if !h.Why.IsZero() {
			told += s.say("cli.rule_why", "why", s.text(h.Why))
		}
		s.line("col.own_rule", told)
	}
}

// line prints a labelled value; an empty value is left out.
func (a *app) line(label, value string) {
	if strings.TrimSpace(value) == "" {
		return
	}
	fmt.Fprintf(a.Stdout, "%s %s\n", a.paint(faint, pad(a.say(label), labelWidth)), a.wrap(value, labelWidth+1))
}

// labelWidth is the width of the labels, in terminal columns.
const labelWidth = 12

// wrap breaks a value that begins at a column to the terminal; its further lines begin there as well. A pipe is not wrapped.
func (a *app) wrap(value string, from int) string {
	if a.Width == 0 {
		return value
	}
	var lines []string
	for l := range strings.Lines(wrapped(value, max(minLast, a.Width-from))) {
		lines = append(lines, strings.TrimRight(l, " \n"))
	}
	return strings.Join(lines, "\n"+strings.Repeat(" ", from))
}

// timeline prints events about a target, oldest first; those about others are told with their names.
func (s *session) timeline(about fleet.Ref, events []fleet.Event) {
	if len(events) == 0 {
		return
	}
	fmt.Fprintln(s.Stdout, s.paint(bold, s.say("col.events")))
	wide := 0
	for _, e := range events {
		wide = max(wide, text.StringWidth(e.Author))
	}
	for _, e := range gather(events) {
		what := s.text(e.Reason)
		if e.Kind == fleet.EventDecision && (e.Target != about || len(e.targets) > 1) {
			what = s.say("cli.event_of", "who", s.targets(e.targets), "what", what)
		}
		begin := s.when(e.At) + "  " + pad(e.Author, wide) + "  "
		if s.Width > 0 && text.StringWidth(begin) > s.Width/2 { // a narrow terminal: what happened has a line of its own
			begin += "\n" + strings.Repeat(" ", labelWidth/2)
		}
		fmt.Fprintf(s.Stdout, "%s%s\n", begin, s.wrap(what, text.StringWidth(begin[strings.LastIndexByte(begin, '\n')+1:])))
	}
}
