package cli

import (
	"context"
	"fmt"
	"math/big"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"phalops/internal/fleet"
	"phalops/internal/phala"
	"phalops/internal/view"
)

// estimateFlags are the numbers as typed.
type estimateFlags struct {
	chainFlags
	params, worker, stake, v, shares, budget     string
	commission, own                              string // percent
	price, watts, tariff, device, years, monthly string
	p, instant, confidence, online               uint32
	block                                        time.Duration
}

func (a *app) estimateCmd() *cobra.Command {
	var f estimateFlags
	cmd := &cobra.Command{Use: "estimate", Short: a.say("cli.estimate"), Long: a.say("cli.estimate_long"), Args: a.args(cobra.NoArgs)}
	a.chainFlags(cmd, &f.chainFlags)
	fl := cmd.Flags()
	fl.StringVar(&f.params, "params", "", a.say("cli.flag_params"))
	fl.StringVar(&f.worker, "worker", "", a.say("cli.flag_estimate_worker"))
	fl.Uint32Var(&f.p, "score", 0, a.say("cli.flag_score"))
	fl.Uint32Var(&f.instant, "score-now", 0, a.say("cli.flag_score_now"))
	fl.Uint32Var(&f.confidence, "confidence", 1, a.say("cli.flag_confidence"))
	fl.Uint32Var(&f.online, "online", 0, a.say("cli.flag_online"))
	fl.DurationVar(&f.block, "block-time", phala.BlockTime, a.say("cli.flag_block_time"))
	for _, t := range []struct {
		into        *string
		name, about string
	}{
		{&f.stake, "stake", a.say("cli.flag_stake")}, {&f.v, "v-now", a.say("cli.flag_v_now")}, {&f.shares, "shares", a.say("cli.flag_shares")},
		{&f.budget, "budget", a.say("cli.flag_budget")}, {&f.commission, "commission", a.say("cli.flag_commission")}, {&f.own, "own", a.say("cli.flag_own")},
		{&f.price, "price", a.say("cli.flag_price")}, {&f.watts, "watts", a.say("cli.flag_watts")}, {&f.tariff, "tariff", a.say("cli.flag_tariff")},
		{&f.device, "device", a.say("cli.flag_device")}, {&f.years, "years", a.say("cli.flag_years")}, {&f.monthly, "monthly", a.say("cli.flag_monthly")},
	} {
		fl.StringVar(t.into, t.name, "", t.about)
	}
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return a.estimate(cmd.Context(), f) }
	return cmd
}

// estimate takes the parameters from a preset or from the chain, and the worker from the flags or from the chain.
func (a *app) estimate(ctx context.Context, f estimateFlags) error {
	if f.params == "" {
		return a.readChain(ctx, f.chainFlags, func(ctx context.Context, r chainRead) error { return a.estimateOnChain(ctx, f, r) })
	}
	preset, ok := phala.PresetOf(f.params)
	switch {
	case !ok:
		return usage("cli.no_preset", "name", f.params, "known", joined(phala.PresetNames()))
	case f.rpc != "" || f.node != "" || f.at != "" || f.worker != "":
		return usage("cli.params_and_chain")
	}
	return a.showEstimate(f, phala.Input{Params: preset.Params, Capped: preset.Capped, Shares: preset.Shares}, f.params)
}

func (a *app) estimateOnChain(ctx context.Context, f estimateFlags, r chainRead) error {
	s, err := phala.Read(ctx, r.Snapshot, r.Metadata, phala.Want{})
	if err != nil {
		return err
	}
	in := phala.Input{
		Params: s.Params, Capped: s.Era == phala.V1 && r.SpecName == "khala" && r.height < phala.GeminiBlock, Shares: s.Totals().Shares.Rat(), Online: s.Online,
	}
	if f.worker != "" {
		x, err := findSession(s, f.worker)
		if err != nil {
			return err
		}
		in.PInit, in.PInstant, in.Stake = x.PInit, x.PInstant, x.Stake
		if in.Confidence = x.Worker.Confidence; x.State == phala.Idle || x.State == phala.Unresponsive {
			in.V, in.Counted = x.V.Rat(), x.State == phala.Idle
		}
		if x.Pool != nil {
			in.Commission = big.NewRat(int64(x.Pool.Commission), 1_000_000)
		}
	}
	return a.showEstimate(f, in, strconv.FormatUint(r.height, 10))
}

// showEstimate lets flags win over what is known, and computes.
func (a *app) showEstimate(f estimateFlags, in phala.Input, params string) error {
	if err := f.fill(&in); err != nil {
		return err
	}
	if in.PInit == 0 {
		return usage("cli.no_score")
	}
	e, err := phala.Compute(in)
	if err != nil {
		return err
	}
	out := view.Estimate{Params: params, Results: []view.EstimateLine{}, Problems: []string{}}
	g := grid{head: []string{"col.what", "col.value", "col.formula"}, spare: []string{}}
	for _, l := range a.estimateLines(in, e) {
		name := l.code[len("estimate."):]
		out.Results = append(out.Results, view.EstimateLine{Name: name, Value: l.value, Formula: l.formula})
		label := a.say(l.code)
		if a.csv() {
			label = name
		}
		g.add(label, l.value, l.formula)
	}
	for _, p := range e.Problems {
		out.Problems = append(out.Problems, a.text(p))
		if a.flags.output == "table" {
			a.complain(p)
		}
	}
	if err := a.print(out, g); err != nil {
		return err
	}
	if !e.Rewarded {
		fmt.Fprintln(a.Stderr, a.paint(faint, a.say("cli.no_shares")))
	}
	if len(e.Problems) > 0 {
		return exitError{exitRefused}
	}
	return nil
}

// fill takes over what was typed.
func (f estimateFlags) fill(in *phala.Input) (err error) {
	if f.p > 0 {
		in.PInit, in.PInstant = f.p, 0
	}
	if f.instant > 0 {
		in.PInstant = f.instant
	}
	if f.worker == "" {
		in.Confidence = uint8(min(f.confidence, 255))
	}
	if f.online > 0 {
		in.Online = f.online
	}
	in.Block = f.block
	if f.stake != "" {
		if in.Stake, err = fleet.ParsePHA(f.stake); err != nil {
			return usage("cli.bad_number", "flag", "--stake", "value", f.stake)
		}
	}
	if f.budget != "" {
		if in.Params.BudgetPerBlock, err = phala.ParseFixed(f.budget); err != nil {
			return usage("cli.bad_number", "flag", "--budget", "value", f.budget)
		}
	}
	for _, t := range []struct {
		text, name string
		into       **big.Rat
		percent    bool
	}{
		{f.v, "--v-now", &in.V, false}, {f.shares, "--shares", &in.Shares, false}, {f.commission, "--commission", &in.Commission, true},
		{f.own, "--own", &in.Own, true}, {f.price, "--price", &in.Price, false}, {f.watts, "--watts", &in.Watts, false},
		{f.tariff, "--tariff", &in.Tariff, false}, {f.device, "--device", &in.Device, false}, {f.years, "--years", &in.Years, false}, {f.monthly, "--monthly", &in.Monthly, false},
	} {
		if t.text == "" {
			continue
		}
		r, err := phala.ParseDecimal(t.text)
		if err != nil || t.percent && r.Cmp(big.NewRat(100, 1)) > 0 {
			return usage("cli.bad_number", "flag", t.name, "value", t.text)
		}
		if t.percent {
			r = new(big.Rat).Quo(r, big.NewRat(100, 1))
		}
		*t.into = r
	}
	return nil
}
