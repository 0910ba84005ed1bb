package cli

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"phalops/internal/act"
	"phalops/internal/batch"
	"phalops/internal/fleet"
	"phalops/internal/i18n"
	"phalops/internal/view"
)

// batchFlags are the flags of every verb that changes many.
type batchFlags struct {
	rate, parallel, maxFailures int
	restart                     string
	retry                       string
}

func (a *app) batchFlags(cmd *cobra.Command, restarts bool) *batchFlags {
	var f batchFlags
	cmd.Flags().IntVar(&f.rate, "rate", 0, a.say("cli.flag_rate"))
	cmd.Flags().IntVar(&f.parallel, "parallel", 10, a.say("cli.flag_parallel"))
	cmd.Flags().IntVar(&f.maxFailures, "max-failures", 0, a.say("cli.flag_max_failures"))
	cmd.Flags().StringVar(&f.retry, "retry", "", a.say("cli.flag_retry"))
	if restarts {
		cmd.Flags().StringVar(&f.restart, "restart", batch.RestartQuiet, a.say("cli.flag_restart"))
	}
	return &f
}

// args are the arguments of the plans, with what they are to write.
func (f *batchFlags) args(items any) (map[string]string, error) {
	args := map[string]string{}
	if items != nil {
		args[batch.ArgItems] = batch.Items(items)
	}
	for name, n := range map[string]int{act.ArgRate: f.rate, act.ArgMaxFailures: f.maxFailures} {
		switch {
		case n < 0:
			return nil, usage("act.bad_number", "arg", name, "value", n)
		case n > 0:
			args[name] = strconv.Itoa(n)
		}
	}
	switch f.restart {
	case "", batch.RestartQuiet, batch.RestartNow, batch.RestartNever:
		if f.restart != "" {
			args[batch.ArgRestart] = f.restart
		}
	default:
		return nil, usage("cli.bad_restart", "value", f.restart)
	}
	return args, nil
}

// refusal is a line of a list that is in no plan.
type refusal struct {
	line     int
	name     string
	endpoint string
	pool     uint64
	bridge   string
	why      fleet.Reason
}

// work is a batch on its way: the plans, one a bridge, and what is in none of them.
type work struct {
	kind    string
	plans   []fleet.Plan
	refused []refusal
}

// again is the work that an ended plan left undone.
func (s *session) again(ctx context.Context, kind, id string) (work, error) {
	old, err := s.core.Store.Plan(ctx, id)
	if err != nil {
		return work{}, notFound(err, "cli.no_plan", id)
	}
	if old.Kind != kind {
		return work{}, usage("cli.other_kind", "plan", id, "kind", "plan_kind."+old.Kind)
	}
	req, err := s.core.Engine.Retry(old, s.author())
	if err != nil {
		return work{}, err
	}
	p, err := s.core.Engine.Build(ctx, req, s.core.Clock.Now())
	return work{kind: kind, plans: []fleet.Plan{p}}, err
}

// each makes one plan a bridge, in the order in which the bridges come up.
func (s *session) perBridge(ctx context.Context, kind string, targets []fleet.Ref, args map[string]string) (work, error) {
	w := work{kind: kind}
	of := map[string][]fleet.Ref{}
	var bridges []string
	for _, t := range targets {
		bridge := t.Parent().Name()
		if of[bridge] == nil {
			bridges = append(bridges, bridge)
		}
		of[bridge] = append(of[bridge], t)
	}
	for _, bridge := range bridges {
		p, err := s.build(ctx, kind, of[bridge], args)
		if err != nil {
			return w, err
		}
		w.plans = append(w.plans, p)
	}
	return w, nil
}

// doable reports whether a plan has anything to do.
func doable(p fleet.Plan) bool {
	for _, step := range p.Steps {
		if step.State != fleet.StepSkipped && step.Target.Kind() != fleet.KindInventory {
			return true
		}
	}
	return false
}

// carryBatch shows what would be done, asks, has it done and answers line by line.
func (s *session) carryBatch(ctx context.Context, w work, f *batchFlags) error {
	if s.flags.dryRun {
		fmt.Fprintln(s.Stderr, s.say("cli.dry_run"))
		return s.printItems(w, true)
	}
	s.previewBatch(s.Stderr, w)
	var ids []string
	ended := []fleet.Plan{}
	var ahead []fleet.Plan
	for _, p := range w.plans {
		if doable(p) {
			ahead = append(ahead, p)
		} else {
			p.State = fleet.PlanFailed
			ended = append(ended, p)
		}
	}
	if len(ahead) > 0 {
		if err := s.confirm(ctx, s.say("cli.confirm", "plans", len(ahead))); err != nil {
			return err
		}
	}
	for _, p := range ahead {
		id, err := s.submit(ctx, p)
		if err != nil {
			return err
		}
		ids = append(ids, id)
	}
	done, err := s.core.FollowAll(ctx, ids, f.parallel, s.watch(ahead))
	if err != nil {
		if ctx.Err() != nil {
			fmt.Fprintln(s.Stderr, s.say("cli.left_running", "plan", strings.Join(ids, ", ")))
		}
		return err
	}
	w.plans = append(ended, done...)
	if err := s.printItems(w, false); err != nil {
		return err
	}
	for _, p := range done {
		if s.flags.output == "table" && p.State != fleet.PlanDone {
			s.planHint(p)
		}
	}
	if len(w.refused) > 0 {
		w.plans = append(w.plans, fleet.Plan{State: fleet.PlanFailed})
	}
	return outcome(w.plans)
}

// many is from how many lines on a preview shows only what is remarkable.
const many = 60

// previewBatch is what, where, and why not.
func (s *session) previewBatch(out io.Writer, w work) {
	items := 0
	for _, p := range w.plans {
		items += len(batch.ItemsOf(p))
		fmt.Fprintln(out, s.paint(bold, s.say("cli.preview_batch", "kind", s.kind(p.Kind), "bridge", s.bridgeOf(p), "n", count(p, false), "skipped", count(p, true))))
		if names := p.Args[batch.ArgUnchecked]; names != "" {
			fmt.Fprintln(out, s.paint(yellow, s.say("cli.unchecked", "bridges", names)))
		}
	}
	short := items+len(w.refused) > many
	for _, p := range w.plans {
		for _, item := range batch.ItemsOf(p) {
			line := fmt.Sprintf("  %4s  %s", lineNo(item.Line), s.text(item.Label))
			switch {
			case item.State == fleet.StepSkipped:
				line += "  " + s.paint(yellow, s.say("step_state.skipped")+s.say("cli.colon")+s.text(item.Why))
			case short && item.Target.Kind() != fleet.KindInventory:
				continue
			}
			fmt.Fprintln(out, line)
		}
	}
	for _, r := range w.refused {
		fmt.Fprintf(out, "  %4s  %s  %s\n", lineNo(r.line), r.name, s.paint(yellow, s.say("step_state.skipped")+s.say("cli.colon")+s.text(r.why)))
	}
}

func (s *session) bridgeOf(p fleet.Plan) string {
	if len(p.Targets) == 0 {
		return ""
	}
	_, rest, _ := strings.Cut(string(p.Targets[0]), "/")
	bridge, _, _ := strings.Cut(rest, "/")
	return bridge
}

func count(p fleet.Plan, skipped bool) int {
	n := 0
	for _, item := range batch.ItemsOf(p) {
		if item.Target.Kind() != fleet.KindInventory && (item.State == fleet.StepSkipped) == skipped {
			n++
		}
	}
	return n
}

func lineNo(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

// printItems answers line by line.
func (s *session) printItems(w work, dry bool) error {
	g := grid{head: []string{"col.line", "col.name", "col.endpoint", "col.pool", "col.stake", "col.bridge", "col.plan", "col.result", "col.reason"},
		spare: []string{"col.plan", "col.stake", "col.endpoint", "col.line"}}
	out := []view.BatchItem{}
	add := func(v view.BatchItem, why fleet.Reason) {
		out = append(out, v)
		state := v.Result
		if state != "dry_run" {
			state = s.stepState(fleet.StepState(state))
		} else {
			state = s.say("cli.would")
		}
		pool := ""
		if v.Pool != 0 {
			pool = strconv.FormatUint(v.Pool, 10)
		}
		g.add(lineNo(v.Line), v.Name, v.Endpoint, pool, v.Stake, v.Bridge, v.Plan, state, s.text(why))
	}
	for _, p := range w.plans {
		for _, item := range batch.ItemsOf(p) {
			v := view.BatchItem{Line: item.Line, Name: nameOf(item), Endpoint: item.Args["endpoint"], Bridge: item.Args["bridge"], Plan: p.ID, Result: string(item.State)}
			v.Pool, _ = strconv.ParseUint(item.Args["pool"], 10, 64)
			if stake, err := fleet.ParseAmount(item.Args["stake"]); err == nil {
				v.Stake = stake.PHA()
			}
			why := item.Why
			if dry && item.State != fleet.StepSkipped {
				v.Result, why = "dry_run", item.Label
			}
			if dry {
				v.Plan = ""
			}
			v.Reason = s.words().Reason(why)
			add(v, why)
		}
	}
	for _, r := range w.refused {
		add(view.BatchItem{Line: r.line, Name: r.name, Endpoint: r.endpoint, Pool: r.pool, Bridge: r.bridge, Result: string(fleet.StepSkipped),
			Reason: s.words().Reason(r.why)}, r.why)
	}
	return s.print(out, g)
}

func nameOf(i batch.Item) string {
	for _, key := range []string{"worker", "name"} {
		if name := i.Args[key]; name != "" {
			return name
		}
	}
	return i.Target.Name()
}

// watch shows a batch's progress: one live line on a terminal, a line for each item that has ended elsewhere.
func (s *session) watch(plans []fleet.Plan) func(fleet.Plan) {
	began := s.core.Clock.Now()
	total := 0
	for _, p := range plans {
		total += len(batch.ItemsOf(p))
	}
	state := map[string][2]int{} // by plan: ended, failed
	told := map[string]bool{}
	return func(p fleet.Plan) {
		var over, failed int
		for _, item := range batch.ItemsOf(p) {
			if item.State != fleet.StepDone && item.State != fleet.StepFailed && item.State != fleet.StepSkipped {
				continue
			}
			over++
			if item.State != fleet.StepDone {
				failed++
			}
			key := p.ID + " " + string(item.Target)
			if s.live() || told[key] {
				continue
			}
			told[key] = true
			fmt.Fprintf(s.Stderr, "%s  %s  %s  %s\n", s.when(s.core.Clock.Now()), nameOf(item), s.stepState(item.State), s.text(item.Why))
		}
		state[p.ID] = [2]int{over, failed}
		if !s.live() {
			return
		}
		over, failed = 0, 0
		for _, n := range state {
			over, failed = over+n[0], failed+n[1]
		}
		fmt.Fprint(s.Stderr, "\r"+s.bar(over, failed, total, s.core.Clock.Now().Sub(began))+"\x1b[K")
		if over == total && p.State.Ended() {
			fmt.Fprintln(s.Stderr)
		}
	}
}

// live reports whether somebody watches a terminal.
func (s *session) live() bool { return s.TTY && s.Width > 0 && s.flags.output == "table" }

// bar is how far a batch is, how fast it goes, and how long it will take.
func (s *session) bar(over, failed, total int, took time.Duration) string {
	const wide = 24
	full := 0
	if total > 0 {
		full = wide * over / total
	}
	line := "[" + strings.Repeat("#", full) + strings.Repeat(".", wide-full) + "] " + s.say("cli.batch_bar", "n", over, "total", total, "failed", failed)
	if over > 0 && took > 0 {
		left := time.Duration(float64(took) / float64(over) * float64(total-over))
		line += "  " + s.say("cli.batch_rate", "rate", fmt.Sprintf("%.1f", float64(over)/took.Minutes()), "left", i18n.Duration(s.lang, left.Round(time.Second)))
	}
	return line
}
