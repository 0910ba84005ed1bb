package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"phalops/internal/config"
	"phalops/internal/daemon"
	simwire "phalops/internal/sim/wire"
)

func (a *app) simCmd() *cobra.Command {
	var f demoFlags
	var write string
	serve := &cobra.Command{
		Use: "serve", Short: a.say("cli.sim_serve"), Long: a.say("cli.sim_serve_long"), Args: a.args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.serveSim(cmd.Context(), f, write) },
	}
	a.simFlags(serve, &f)
	serve.Flags().StringVar(&f.socket, "socket", "", a.say("cli.flag_sim_socket"))
	serve.Flags().StringVar(&write, "write-config", "", a.say("cli.flag_write_config"))
	example := &cobra.Command{
		Use: "scenario", Short: a.say("cli.sim_scenario"), Long: a.say("cli.sim_scenario_long"), Args: a.args(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprint(a.Stdout, simwire.DefaultScenarioYAML())
			return err
		},
	}
	return a.noun("sim", "cli.sim", serve, example, a.campaignCmd(), a.roleCmd())
}

// serveSim serves a simulated fleet until it is interrupted, and says on stdout where its parts listen.
func (a *app) serveSim(ctx context.Context, f demoFlags, write string) error {
	sim, err := a.startSim(ctx, f)
	if err != nil {
		return err
	}
	defer sim.Close()
	if write != "" {
		if err := a.writeSimConfig(sim, write); err != nil {
			return err
		}
	}
	enc := json.NewEncoder(a.Stdout)
	enc.SetIndent("", "  ")
	if err := enc.Encode(sim.Server.Endpoints()); err != nil {
		return err
	}
	fmt.Fprintln(a.Stderr, a.say("cli.sim_ready"))
	<-ctx.Done()
	return nil
}

// writeSimConfig writes the matching configuration, and beside it the robot's secrets, each as a file of its own.
func (a *app) writeSimConfig(sim *daemon.Sim, path string) error {
	path, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	robot := sim.Server.Endpoints().Robots[0]
	refs := daemon.SimReferences{Token: "file:" + path + ".token", Secret: "file:" + path + ".secret"}
	for name, text := range map[string]string{
		path + ".token":  robot.Token,
		path + ".secret": robot.Secret,
		path:             string(sim.ConfigYAML(string(a.lang), filepath.Join(filepath.Dir(path), "data"), "127.0.0.1:0", refs)),
	} {
		if err := os.Remove(name); err != nil && !os.IsNotExist(err) {
			return fmt.Errorf("replace %s: %w", name, err)
		}
		if err := config.WriteNew(name, []byte(text)); err != nil {
			return err
		}
	}
	fmt.Fprintln(a.Stderr, a.say("cli.sim_config", "file", path))
	return nil
}
