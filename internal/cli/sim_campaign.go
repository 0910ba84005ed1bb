package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"phalops/internal/sim/campaign"
)

// campaignFlags are a campaign as typed.
type campaignFlags struct {
	policy, scenario string
	days, workers    int
	seed             uint64
	show             bool
}

func (a *app) campaignCmd() *cobra.Command {
	var f campaignFlags
	var policies []string
	for _, p := range campaign.Policies() {
		policies = append(policies, string(p))
	}
	cmd := &cobra.Command{
		Use: "campaign", Short: a.say("cli.sim_campaign"), Long: a.say("cli.sim_campaign_long"), Args: a.args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !slices.Contains(policies, f.policy) {
				return usage("cli.bad_policy", "policy", f.policy, "policies", strings.Join(policies, ", "))
			}
			return a.runCampaign(cmd.Context(), f)
		},
	}
	cmd.Flags().StringVar(&f.policy, "policy", string(campaign.PolicyPhalops), a.say("cli.flag_policy", "policies", strings.Join(policies, ", ")))
	cmd.Flags().IntVar(&f.days, "days", 30, a.say("cli.flag_days"))
	cmd.Flags().IntVar(&f.workers, "workers", 1000, a.say("cli.flag_campaign_workers"))
	cmd.Flags().Uint64Var(&f.seed, "seed", 1, a.say("cli.flag_seed"))
	cmd.Flags().StringVar(&f.scenario, "scenario", "", a.say("cli.flag_campaign_scenario"))
	cmd.Flags().BoolVar(&f.show, "show-scenario", false, a.say("cli.flag_show_scenario"))
	return cmd
}

// Bounds of a campaign.
const (
	mostDays            = 365
	mostCampaignWorkers = 10_000
)

func (a *app) runCampaign(ctx context.Context, f campaignFlags) error {
	if f.show {
		_, err := fmt.Fprint(a.Stdout, campaign.DefaultScenarioYAML())
		return err
	}
	if f.days < 1 || f.days > mostDays {
		return usage("cli.bad_workers", "flag", "days", "workers", f.days, "least", 1, "most", mostDays)
	}
	if f.workers < 10 || f.workers > mostCampaignWorkers {
		return usage("cli.bad_workers", "flag", "workers", "workers", f.workers, "least", 10, "most", mostCampaignWorkers)
	}
	o := campaign.MonthOptions{Policy: campaign.Policy(f.policy), Days: f.days, Workers: f.workers, Seed: f.seed, Scenario: campaign.DefaultScenario(),
		Progress: func(run string, day int) {
			fmt.Fprintln(a.Stderr, a.paint(faint, a.say("cli.campaign_day", "run", run, "day", day, "days", f.days)))
		}}
	if f.scenario != "" {
		text, err := readBounded(f.scenario, maxScenario)
		if err != nil {
			return usage("cli.no_file", "file", f.scenario, "err", err)
		}
		if o.Scenario, err = campaign.ParseScenario(text); err != nil {
			return err
		}
	}
	r, err := campaign.Month(ctx, o)
	if err != nil {
		return err
	}
	if a.flags.output == "table" {
		fmt.Fprintln(a.Stdout, a.campaignHead(r))
	}
	return a.print(r, a.campaignGrid(r))
}

func readBounded(path string, most int64) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(io.LimitReader(file, most))
}

// campaignHead is a campaign in sentences.
func (a *app) campaignHead(r campaign.Result) string {
	return a.say("cli.campaign_head", "policy", string(r.Policy), "days", r.Days, "workers", r.Workers, "seed", r.Seed, "scenario", r.Scenario,
		"faults", r.Faults, "lost", decimal(r.Lost.Total), "undetected", decimal(r.Lost.Undetected), "uncured", decimal(r.Lost.Uncured),
		"recovery", decimal(r.Lost.Recovery), "self", decimal(r.Lost.SelfInflicted), "floor", decimal(r.Floor), "actions", r.Actions,
		"needless", r.Needless, "harmful", r.Harmful, "alerts", r.Alerts, "per_day", decimal(r.AlertsPerDay)) + "\n"
}

// campaignGrid has a row for every kind of fault, and one for all.
func (a *app) campaignGrid(r campaign.Result) grid {
	g := grid{head: []string{"col.fault", "col.struck", "col.outages", "col.lost_hours", "col.floor_hours", "col.undetected", "col.uncured",
		"col.recovering", "col.ttr50", "col.ttr95", "col.ttr99"}, spare: []string{"col.ttr95", "col.outages"}}
	add := func(kind string, f campaign.FaultShare) {
		g.add(kind, strconv.Itoa(f.Faults), strconv.Itoa(f.Outages), decimal(f.Lost.Total), decimal(f.Floor), decimal(f.Lost.Undetected),
			decimal(f.Lost.Uncured), decimal(f.Lost.Recovery), decimal(f.TTR.P50), decimal(f.TTR.P95), decimal(f.TTR.P99))
	}
	all := campaign.FaultShare{Faults: r.Faults, Lost: r.Lost, Floor: r.Floor, TTR: r.TTR}
	for _, kind := range r.Kinds() {
		add(kind, r.ByFault[kind])
		all.Outages += r.ByFault[kind].Outages
	}
	add(a.say("cli.campaign_all"), all)
	return g
}

// decimal is a number as people read it: one digit after the point.
func decimal(f float64) string { return strconv.FormatFloat(f, 'f', 1, 64) }
