package cli

import (
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"phalops/internal/batch"
	"phalops/internal/fleet"
	"phalops/internal/roster"
)

// addFlags are what `worker add` is told beside the list.
type addFlags struct {
	file, bridge, site, pool, stake string
	skipBad                         bool
}

func (a *app) workerAddCmd() *cobra.Command {
	var f addFlags
	cmd := &cobra.Command{Use: "add", Short: a.say("cli.worker_add"), Long: a.say("cli.worker_add_long"), Args: a.args(cobra.NoArgs)}
	cmd.Flags().StringVar(&f.file, "file", "", a.say("cli.flag_add_file"))
	cmd.Flags().StringVar(&f.pool, "pool", "", a.say("cli.flag_add_pool"))
	cmd.Flags().StringVar(&f.stake, "stake", "", a.say("cli.flag_add_stake"))
	cmd.Flags().StringVar(&f.bridge, "bridge", "", a.say("cli.flag_add_bridge"))
	cmd.Flags().StringVar(&f.site, "site", "", a.say("cli.flag_add_site"))
	cmd.Flags().BoolVar(&f.skipBad, "skip-bad", false, a.say("cli.flag_skip_bad"))
	b := a.batchFlags(cmd, true)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return a.addWorkers(cmd.Context(), f, b) }
	return cmd
}

func (a *app) addWorkers(ctx context.Context, f addFlags, b *batchFlags) error {
	if b.retry != "" {
		if f.file != "" {
			return usage("cli.not_together", "one", "--file", "other", "--retry")
		}
		return a.withCore(ctx, func(ctx context.Context, s *session) error {
			w, err := s.again(ctx, batch.AddWorkers, b.retry)
			if err != nil {
				return err
			}
			return s.carryBatch(ctx, w, b)
		})
	}
	entries, err := a.readWorkers(f)
	if err != nil {
		return err
	}
	args, err := b.args(nil)
	if err != nil {
		return err
	}
	return a.withCore(ctx, func(ctx context.Context, s *session) error {
		if _, _, known := s.core.Config().Bridge(f.bridge); f.bridge != "" && !known {
			return fleet.Fail(fleet.NotFound, fleet.Because("cli.no_bridge", "bridge", f.bridge))
		}
		placement := s.core.Batches.Place(ctx, entries, roster.PlaceOptions{Bridge: f.bridge, Site: f.site}, s.core.Clock.Now())
		w, err := s.placed(ctx, placement, args)
		if err != nil {
			return err
		}
		return s.carryBatch(ctx, w, b)
	})
}

// readWorkers reads the list; with a bad line nothing of it counts, unless told otherwise.
func (a *app) readWorkers(f addFlags) ([]roster.Entry, error) {
	o := roster.Options{NeedPID: true, NeedStake: true}
	if f.pool != "" {
		pid, why := roster.PID(f.pool)
		if !why.IsZero() {
			return nil, fleet.Fail(fleet.Invalid, why)
		}
		o.PID = &pid
	}
	if f.stake != "" {
		stake, why := roster.Stake(f.stake)
		if !why.IsZero() {
			return nil, fleet.Fail(fleet.Invalid, why)
		}
		o.Stake = &stake
	}
	in, done, err := a.openList(f.file)
	if err != nil {
		return nil, err
	}
	defer done()
	list, err := roster.Parse(in, o)
	if err != nil {
		return nil, err
	}
	return list.Entries, a.badLines(f.file, list.Problems, f.skipBad, len(list.Entries))
}

// openList opens a file, or standard input for "-".
func (a *app) openList(name string) (io.Reader, func(), error) {
	switch name {
	case "":
		return nil, nil, usage("cli.needs_list")
	case "-":
		return a.Stdin, func() {}, nil
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, nil, usage("cli.no_file", "file", name, "err", err)
	}
	return f, func() { _ = f.Close() }, nil
}

// badLines says what is wrong with a list, line by line.
func (a *app) badLines(file string, problems roster.Problems, skip bool, good int) error {
	if len(problems) == 0 {
		return nil
	}
	name := filepath.Base(file)
	for _, p := range problems {
		place := name
		if at := p.At(); at != "" {
			place += ":" + at
		}
		fmt.Fprintf(a.Stderr, "%s: %s\n", place, a.text(p.Reason))
		if p.Excerpt != "" {
			fmt.Fprintf(a.Stderr, "%s\n", indent(strings.TrimRight(p.Excerpt+"\n"+p.Caret(), "\n")))
		}
	}
	if skip && good > 0 {
		fmt.Fprintln(a.Stderr, a.say("cli.skipped_bad", "n", problems.Count(), "good", good))
		return nil
	}
	fmt.Fprintln(a.Stderr, a.say("cli.bad_list", "n", problems.Count()))
	return exitError{exitUsage}
}

// placed makes a plan for every bridge that gets something, and keeps what goes nowhere.
func (s *session) placed(ctx context.Context, placement roster.Placement, args map[string]string) (work, error) {
	w := work{kind: batch.AddWorkers}
	of := map[string][]batch.Entry{}
	for _, p := range placement.Placed {
		e := p.Entry
		if p.Fate == roster.Refused || p.Fate == roster.Already && !p.Reason.IsZero() {
			r := refusal{line: e.Line, name: e.Name, endpoint: e.Endpoint, bridge: p.Bridge, why: p.Reason}
			if e.PID != nil {
				r.pool = *e.PID
			}
			w.refused = append(w.refused, r)
			continue
		}
		of[p.Bridge] = append(of[p.Bridge], batch.EntryOf(e))
	}
	for _, split := range placement.Splits {
		fmt.Fprintln(s.Stderr, s.paint(yellow, s.say("cli.split", "pool", strconv.FormatUint(split.PID, 10), "bridges", fmt.Sprint(split.Bridges))))
	}
	bridges := make([]string, 0, len(of))
	for name := range of {
		bridges = append(bridges, name)
	}
	slices.Sort(bridges)
	for _, name := range bridges {
		mine := map[string]string{batch.ArgItems: batch.Items(of[name])}
		maps.Copy(mine, args)
		p, err := s.build(ctx, batch.AddWorkers, []fleet.Ref{fleet.InventoryRef(name)}, mine)
		if err != nil {
			return w, err
		}
		w.plans = append(w.plans, p)
	}
	return w, nil
}
