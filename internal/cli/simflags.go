package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"phalops/internal/daemon"
	simwire "phalops/internal/sim/wire"
	"phalops/internal/sim/world"
)

// demoFlags are the demo's and, in part, sim serve's.
type demoFlags struct {
	listen   string
	lasts    time.Duration
	seed     uint64
	speed    float64
	workers  int
	scenario string

	v0Workers, v3Workers, solo, spare int
	v30                               bool

	era   string
	crowd int

	socket string // sim serve only
}

func (a *app) simFlags(cmd *cobra.Command, f *demoFlags) {
	cmd.Flags().Uint64Var(&f.seed, "seed", 1, a.say("cli.flag_seed"))
	cmd.Flags().Float64Var(&f.speed, "speed", 20, a.say("cli.flag_speed"))
	cmd.Flags().IntVar(&f.workers, "workers", 40, a.say("cli.flag_workers"))
	cmd.Flags().IntVar(&f.v0Workers, "v0-workers", 0, a.say("cli.flag_v0_workers"))
	cmd.Flags().IntVar(&f.v3Workers, "v3-workers", 0, a.say("cli.flag_v3_workers"))
	cmd.Flags().BoolVar(&f.v30, "v30", false, a.say("cli.flag_v30"))
	cmd.Flags().IntVar(&f.solo, "solo", 0, a.say("cli.flag_solo"))
	cmd.Flags().IntVar(&f.spare, "spare", 0, a.say("cli.flag_spare"))
	cmd.Flags().StringVar(&f.era, "era", string(world.EraV2), a.say("cli.flag_sim_era"))
	cmd.Flags().IntVar(&f.crowd, "crowd", 0, a.say("cli.flag_sim_crowd"))
	cmd.Flags().StringVar(&f.scenario, "scenario", "", a.say("cli.flag_scenario"))
}

// maxScenario bounds a scenario file.
const maxScenario = 1 << 20

func (a *app) startSim(ctx context.Context, f demoFlags) (*daemon.Sim, error) {
	if f.speed <= 0 || f.speed > 1000 {
		return nil, usage("cli.bad_speed", "speed", fmt.Sprint(f.speed))
	}
	for _, n := range []struct {
		flag               string
		value, least, most int
	}{{"workers", f.workers, 1, 1000}, {"v0-workers", f.v0Workers, 0, 1000}, {"v3-workers", f.v3Workers, 0, 1000}, {"solo", f.solo, 0, 100}, {"spare", f.spare, 0, 1000}, {"crowd", f.crowd, 0, 25_000}} {
		if n.value < n.least || n.value > n.most {
			return nil, usage("cli.bad_workers", "flag", n.flag, "workers", n.value, "least", n.least, "most", n.most)
		}
	}
	era := world.Era(f.era)
	if era != world.EraV1 && era != world.EraV2 {
		return nil, usage("cli.bad_sim_era", "era", f.era)
	}
	o := daemon.SimOptions{Seed: f.seed, Speed: f.speed, Wire: simwire.Options{Socket: f.socket},
		Fleet: world.FleetOptions{Workers: f.workers, V0Workers: f.v0Workers, V3Workers: f.v3Workers, V30: f.v30, Solo: f.solo, Spare: f.spare, Era: era, Crowd: f.crowd}}
	if f.scenario != "" {
		file, err := os.Open(f.scenario)
		if err != nil {
			return nil, usage("cli.no_file", "file", f.scenario, "err", err)
		}
		defer file.Close()
		text, err := io.ReadAll(io.LimitReader(file, maxScenario))
		if err != nil {
			return nil, usage("cli.no_file", "file", f.scenario, "err", err)
		}
		s, err := simwire.ParseScenario(text)
		if err != nil {
			return nil, err
		}
		o.Scenario = &s
	}
	return daemon.StartSim(ctx, o)
}
