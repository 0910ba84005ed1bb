package cli

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	simwire "phalops/internal/sim/wire"
	"phalops/internal/sim/world"
)

// simSocket is where a world's socket is mounted into the containers of test images.
const simSocket = "/run/phalops/sim.sock"

func (a *app) roleCmd() *cobra.Command {
	var socket string
	cmd := &cobra.Command{
		Use: "role NAME [ARG...]", Short: a.say("cli.sim_role"),
		Long: a.say("cli.sim_role_long", "roles", strings.Join(world.Roles(), ", "), "socket", simSocket),
		Args: a.args(cobra.MinimumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.playRole(cmd.Context(), socket, args[0], args[1:])
		},
	}
	cmd.Flags().SetInterspersed(false) // what follows NAME is the real program's
	cmd.Flags().StringVar(&socket, "socket", "", a.say("cli.flag_role_socket"))
	return cmd
}

// playRole is the process of a test image: it ends with the exit code that the real one would have.
func (a *app) playRole(ctx context.Context, socket, name string, args []string) error {
	role, ok := simwire.RoleNamed(name)
	if !ok {
		return usage("sim.role_unknown", "role", name, "roles", strings.Join(world.Roles(), ", "))
	}
	image := simwire.Image{Role: role, Args: args, Getenv: a.Getenv, Exists: func(path string) bool {
		_, err := os.Stat(path)
		return err == nil
	}}
	if death := image.Check(); death != nil {
		fmt.Fprintln(a.Stderr, death.Says)
		return exitError{death.Code}
	}
	hostname, err := os.Hostname()
	if err != nil {
		return fmt.Errorf("read the host's name: %w", err)
	}
	mountinfo, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return fmt.Errorf("read the mounts: %w", err)
	}
	code, err := simwire.PlayRole(ctx, simwire.RoleOptions{
		Socket: cmp.Or(socket, a.Getenv("PHALOPS_SIM_SOCKET"), simSocket),
		Image:  image,
		Part:   cmp.Or(a.Getenv("PHALOPS_SIM_PART"), hostname),
		Mounts: simwire.Mounts(string(mountinfo)),
		Joined: func(part string) {
			fmt.Fprintln(a.Stderr, a.say("cli.role_joined", "role", name, "part", part))
		},
		Stopping: func() { fmt.Fprintln(a.Stderr, a.say("cli.role_stopping")) },
	})
	if err != nil {
		return err
	}
	fmt.Fprintln(a.Stderr, a.say("cli.role_exit", "code", code))
	if code != exitDone {
		return exitError{code}
	}
	return nil
}
