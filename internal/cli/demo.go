package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"phalops/internal/config"
	"phalops/internal/daemon"
	"phalops/internal/fleet"
	"phalops/internal/i18n"
	"phalops/internal/secret"
	"phalops/internal/sim/world"
	"phalops/internal/store"
	"phalops/internal/wire"
)

func (a *app) demoCmd() *cobra.Command {
	var f demoFlags
	cmd := &cobra.Command{
		Use: "demo", Short: a.say("cli.demo"), Long: a.say("cli.demo_long"), Args: a.args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.demo(cmd.Context(), f) },
	}
	cmd.Flags().StringVar(&f.listen, "listen", "127.0.0.1:0", a.say("cli.flag_listen"))
	cmd.Flags().DurationVar(&f.lasts, "for", 0, a.say("cli.flag_for"))
	a.simFlags(cmd, &f)
	return cmd
}

// demo runs the real daemon over a simulated fleet and tells the story on the terminal.
func (a *app) demo(ctx context.Context, f demoFlags) (err error) {
	sim, err := a.startSim(ctx, f)
	if err != nil {
		return err
	}
	defer sim.Close()
	dir, err := os.MkdirTemp("", "phalops-demo-")
	if err != nil {
		return fmt.Errorf("make a folder for the demo: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	text := sim.ConfigYAML(string(a.lang), filepath.Join(dir, "data"), f.listen, daemon.SimReferences{Token: "env:" + daemon.SimToken, Secret: "env:" + daemon.SimSecret})
	cfg, problems := config.Parse(text)
	if len(problems) > 0 {
		a.printProblems("demo.yaml", problems)
		return exitError{exitFailed}
	}
	if !a.flags.verbose {
		a.log = a.logger(slog.LevelError)
	}
	robots := sim.Server.Endpoints().Robots
	d, err := daemon.New(ctx, daemon.Options{
		Config: cfg, Clock: sim.Clock, Catalog: a.catalog, Lang: a.lang, Log: a.log, Version: a.Version, Allow: wire.LoopbackOnly,
		Secrets: secret.NewMap(map[string]string{daemon.SimToken: robots[0].Token, daemon.SimSecret: robots[0].Secret}),
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Stop(context.WithoutCancel(ctx))) }()
	if err := d.Start(ctx); err != nil {
		return err
	}
	a.catalog = a.catalog.Naming(d.NameOf)
	t := &teller{app: a, sim: sim, d: d, started: sim.Clock.Now()}
	fmt.Fprintln(a.Stdout, a.say("cli.demo_hello", "workers", f.workers, "speed", fmt.Sprintf("%g", f.speed), "address", d.Addr()))
	if f.v0Workers+f.v3Workers+f.solo > 0 {
		fmt.Fprintln(a.Stdout, a.say("cli.demo_more", "v0", f.v0Workers, "v3", f.v3Workers, "solo", f.solo))
	}
	until := ctx
	if f.lasts > 0 {
		var cancel context.CancelFunc
		until, cancel = context.WithTimeout(ctx, f.lasts)
		defer cancel()
	}
	if err := t.tell(until); err != nil {
		return err
	}
	return t.summary(context.WithoutCancel(ctx))
}

// teller follows the simulated world, the daemon's record and the chat robot, and prints what is new in the order in which
// it happened.
type teller struct {
	*app
	sim      *daemon.Sim
	d        *daemon.Daemon
	started  time.Time
	events   int64
	faults   int
	messages int
}

// tellEvery is wall time.
const tellEvery = 200 * time.Millisecond

// tell prints the story until ctx ends.
func (t *teller) tell(ctx context.Context) error {
	tick := time.NewTicker(tellEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			if err := t.news(context.WithoutCancel(ctx)); err != nil {
				return err
			}
		}
	}
}

func (t *teller) news(ctx context.Context) error {
	var faults []world.Record
	var messages []world.RobotMessage
	t.sim.Face.Do(func(w *world.World) {
		faults = w.Faults()[t.faults:]
		messages = w.Robots()[0].Messages()[t.messages:]
	})
	var lines []told
	for _, f := range faults {
		text := t.say("cli.demo_fault", "fault", f.Kind, "target", f.Target)
		if f.Target == "" {
			text = t.say("cli.demo_fault_missed", "fault", f.Kind)
		}
		lines = append(lines, t.line3(f.At, red, "cli.demo_world", text))
	}
	t.faults += len(faults)
	events, err := t.d.Store.Events(ctx, store.EventFilter{After: t.events})
	if err != nil {
		return err
	}
	for i := 0; i < len(events); {
		n := alike(events[i:])
		if line, tell := t.event(events[i], n); tell {
			lines = append(lines, line)
		}
		t.events = events[i+n-1].Seq
		i += n
	}
	for _, m := range messages {
		lines = append(lines, t.line3(m.At, green, "cli.demo_robot", unmarked(m.Text)))
	}
	t.messages += len(messages)
	slices.SortStableFunc(lines, func(a, b told) int { return a.at.Compare(b.at) })
	for _, l := range lines {
		fmt.Fprintln(t.Stdout, l.text)
	}
	return nil
}

// unmarked is a chat message as it looks in the chat, each line under the first.
func unmarked(markdown string) string {
	var out []string
	for line := range strings.Lines(markdown) {
		line = strings.NewReplacer("**", "", "\\", "").Replace(strings.TrimSpace(strings.TrimLeft(line, "#")))
		if line != "" {
			out = append(out, line)
		}
	}
	return strings.Join(out, "\n"+strings.Repeat(" ", storyIndent))
}

// alike counts the events at the front that say the same of different targets because of one suspect: they are one line.
func alike(events []fleet.Event) int {
	first := events[0].Decision
	for n, e := range events {
		d := e.Decision
		if n > 0 && (first == nil || d == nil || d.Suspect == d.Target || d.Suspect != first.Suspect || d.Rule != first.Rule) {
			return n
		}
	}
	return len(events)
}

// event is n events that say the same as one line.
func (t *teller) event(e fleet.Event, n int) (line told, tell bool) {
	if e.Kind == fleet.EventMessage || e.Kind == fleet.EventDaemon {
		return told{}, false // the robot's own line, and the plumbing
	}
	who, paint := "cli.demo_phalops", faint
	switch e.Kind {
	case fleet.EventIncident, fleet.EventDecision:
		who, paint = "cli.demo_decides", yellow
	case fleet.EventPlan, fleet.EventStep:
		who, paint = "cli.demo_acts", colour(0)
	}
	text := t.text(e.Reason)
	if e.Decision != nil {
		name := t.d.NameOf(string(e.Decision.Target))
		if n > 1 {
			name = t.say("cli.demo_and_more", "name", name, "n", n-1)
		}
		text = t.say("cli.demo_about", "name", name, "text", text)
		for _, g := range e.Decision.Guards {
			text += " · " + t.text(g)
		}
	}
	return t.line3(e.At, paint, who, text), true
}

// told is one line of the story, or a few that belong together.
type told struct {
	at   time.Time
	text string
}

// storyIndent is where the sentences of the story begin.
const storyIndent = 8 + 2 + 8 + 2 + 9 + 1

// line3 is one line: how late it is in the fleet and how long after the beginning, who speaks, what.
func (t *teller) line3(at time.Time, c colour, who, text string) told {
	label := pad(t.say(who), 9)
	if c != 0 {
		label = t.paint(c, label)
	}
	return told{at: at, text: fmt.Sprintf("%s  %8s  %s %s", at.In(t.zone()).Format(time.TimeOnly), t.after(at), label, text)}
}

// summary is the end of the story: what went wrong, what was done, whether it helped, and whether anything was harmed.
func (t *teller) summary(ctx context.Context) error {
	if err := t.news(ctx); err != nil {
		return err
	}
	incidents, err := t.d.Store.Incidents(ctx, store.IncidentFilter{})
	if err != nil {
		return err
	}
	fmt.Fprintln(t.Stdout, "\n"+t.paint(bold, t.say("cli.demo_summary", "for", t.sim.Clock.Now().Sub(t.started))))
	g := grid{head: []string{"col.target", "col.condition", "col.opened", "col.acted", "col.closed", "col.lasted", "col.reason"}}
	for _, x := range slices.Backward(incidents) {

		end := x.Closed
		if x.Open() {
			end = t.sim.Clock.Now()
		}
		g.add(x.Title, t.conditionIn(x), t.after(x.Opened), t.after(x.Acted), t.after(x.Closed), i18n.Duration(t.lang, end.Sub(x.Opened)), firstLine(t.text(x.Reason), 110))
	}
	t.printTable(g)
	chains, err := t.d.Store.Chains(ctx)
	if err != nil {
		return err
	}
	t.chainSummary(chains)
	var effects, harm []world.Record
	t.sim.Face.Do(func(w *world.World) { effects, harm = w.Effects(), w.Harm() })
	fmt.Fprintln(t.Stdout, "\n"+t.say("cli.demo_counts", "faults", t.faults, "effects", len(effects), "messages", t.messages, "harm", len(harm)))
	for _, h := range harm {
		fmt.Fprintln(t.Stdout, t.line3(h.At, red, "cli.demo_harm", h.Kind+" "+h.Target).text)
	}
	return nil
}

// after is a moment counted from the start of the story.
func (t *teller) after(at time.Time) string {
	switch {
	case at.IsZero():
		return "–"
	case at.Before(t.started):
		return t.say("cli.demo_before")
	}
	return "+" + at.Sub(t.started).Round(time.Second).String()
}
