package cli

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"phalops/internal/batch"
	"phalops/internal/fleet"
	"phalops/internal/roster"
	"phalops/internal/secret"
)

// poolSelector choose pools.
type poolSelector struct {
	all            bool
	sites, bridges []string
	pools          []uint
}

func (a *app) poolSelector(cmd *cobra.Command) *poolSelector {
	var f poolSelector
	cmd.Flags().BoolVar(&f.all, "all", false, a.say("cli.sel_all"))
	cmd.Flags().StringSliceVar(&f.sites, "site", nil, a.say("cli.sel_site"))
	cmd.Flags().StringSliceVar(&f.bridges, "bridge", nil, a.say("cli.sel_bridge"))
	cmd.Flags().UintSliceVar(&f.pools, "pool", nil, a.say("cli.sel_pool"))
	return &f
}

func (f *poolSelector) empty() bool {
	return !f.all && len(f.sites) == 0 && len(f.bridges) == 0 && len(f.pools) == 0
}

// choosePools are the pools that match; with none given, all of them.
func choosePools(now snapshot, f *poolSelector) []fleet.Pool {
	var out []fleet.Pool
	for _, b := range now.Bridges {
		if !named(f.bridges, b.Ref.Name()) || !named(f.sites, b.Site) {
			continue
		}
		for _, p := range b.Pools {
			if len(f.pools) > 0 && !slices.Contains(f.pools, uint(p.PID)) {
				continue
			}
			p.BridgeRef = b.Ref
			p.Workers = 0
			for _, w := range b.Workers {
				if w.PID == p.PID {
					p.Workers++
				}
			}
			out = append(out, p)
		}
	}
	return out
}

func (a *app) poolAddCmd() *cobra.Command {
	var file, bridge, operator, name, proxied string
	var pid uint64
	var syncOnly, force, skipBad bool
	cmd := &cobra.Command{Use: "add", Short: a.say("cli.pool_add"), Long: a.say("cli.pool_add_long"), Args: a.args(cobra.NoArgs)}
	cmd.Flags().StringVar(&file, "file", "", a.say("cli.flag_pool_file"))
	cmd.Flags().Uint64Var(&pid, "pool", 0, a.say("cli.flag_pool_pid"))
	cmd.Flags().StringVar(&name, "name", "", a.say("cli.flag_pool_name"))
	cmd.Flags().StringVar(&bridge, "bridge", "", a.say("cli.flag_pool_bridge"))
	cmd.Flags().StringVar(&operator, "operator", "", a.say("cli.flag_operator"))
	cmd.Flags().StringVar(&proxied, "proxied", "", a.say("cli.flag_proxied"))
	cmd.Flags().BoolVar(&syncOnly, "sync-only", false, a.say("cli.flag_sync_only"))
	cmd.Flags().BoolVar(&force, "force", false, a.say("cli.flag_force"))
	cmd.Flags().BoolVar(&skipBad, "skip-bad", false, a.say("cli.flag_skip_bad"))
	b := a.batchFlags(cmd, false)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if b.retry != "" {
			return a.changePools(cmd.Context(), batch.AddPools, nil, nil, force, b)
		}
		if (pid == 0) == (file == "") {
			return usage("cli.one_of", "one", "--pool", "other", "--file")
		}
		if err := checkRef(operator); err != nil {
			return err
		}
		entries := []roster.PoolEntry{{PID: pid, Name: name, Operator: operator, Proxied: proxied, SyncOnly: &syncOnly}}
		if name == "" {
			entries[0].Name = strconv.FormatUint(pid, 10)
		}
		if file != "" {
			var err error
			if entries, err = a.readPools(file, operator, skipBad); err != nil {
				return err
			}
		}
		return a.addPools(cmd.Context(), entries, bridge, force, b)
	}
	return cmd
}

// checkRef refuses what is no reference to a secret, without repeating it: it may be the secret.
func checkRef(operator string) error { return secret.Ref(operator).Check() }

func (a *app) readPools(file, operator string, skipBad bool) ([]roster.PoolEntry, error) {
	in, done, err := a.openList(file)
	if err != nil {
		return nil, err
	}
	defer done()
	list, err := roster.ParsePools(in, roster.PoolOptions{Operator: operator, Check: checkRef})
	if err != nil {
		return nil, err
	}
	return list.Entries, a.badLines(file, list.Problems, skipBad, len(list.Entries))
}

func (a *app) addPools(ctx context.Context, entries []roster.PoolEntry, bridge string, force bool, b *batchFlags) error {
	of := map[string][]batch.PoolEntry{}
	var bridges []string
	for _, e := range entries {
		to := e.Bridge
		if bridge != "" {
			to = bridge
		}
		if to == "" {
			return usage("cli.pool_where", "pool", e.PID)
		}
		if of[to] == nil {
			bridges = append(bridges, to)
		}
		of[to] = append(of[to], batch.PoolEntry{Line: e.Line, PID: e.PID, Name: e.Name, Operator: secret.Ref(e.Operator), Proxied: e.Proxied,
			SyncOnly: e.SyncOnly != nil && *e.SyncOnly})
	}
	return a.withCore(ctx, func(ctx context.Context, s *session) error {
		w := work{kind: batch.AddPools}
		for _, name := range bridges {
			if _, _, known := s.core.Config().Bridge(name); !known {
				return fleet.Fail(fleet.NotFound, fleet.Because("cli.no_bridge", "bridge", name))
			}
			args, err := b.args(of[name])
			if err != nil {
				return err
			}
			p, err := s.build(ctx, batch.AddPools, []fleet.Ref{fleet.InventoryRef(name)}, forced(args, force))
			if err != nil {
				return err
			}
			w.plans = append(w.plans, p)
		}
		return s.carryBatch(ctx, w, b)
	})
}

func forced(args map[string]string, force bool) map[string]string {
	if force {
		args[batch.ArgForce] = "true"
	}
	return args
}

func (a *app) poolSetCmd() *cobra.Command {
	var force bool
	cmd := &cobra.Command{Use: "set KEY=VALUE…", Short: a.say("cli.pool_set"), Long: a.say("cli.pool_set_long")}
	sel := a.poolSelector(cmd)
	cmd.Flags().BoolVar(&force, "force", false, a.say("cli.flag_force"))
	b := a.batchFlags(cmd, true)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		var items any
		if b.retry == "" {
			patch, err := poolPatch(args)
			if err != nil {
				return err
			}
			items = patch
		}
		return a.changePools(cmd.Context(), batch.SetPools, sel, items, force, b)
	}
	return cmd
}

// poolPatch reads name=, proxied=, operator=, enabled= and sync-only=.
func poolPatch(args []string) (batch.PoolPatch, error) {
	var p batch.PoolPatch
	if len(args) == 0 {
		return p, usage("cli.pool_keys")
	}
	for _, arg := range args {
		key, value, ok := strings.Cut(arg, "=")
		if !ok {
			return p, usage("cli.pool_keys")
		}
		switch strings.ReplaceAll(key, "_", "-") {
		case "name":
			name, why := roster.Name(value)
			if !why.IsZero() {
				return p, fleet.Fail(fleet.Invalid, why)
			}
			p.Name = &name
		case "proxied":
			p.Proxied = &value
		case "operator":
			if err := checkRef(value); err != nil {
				return p, err
			}
			p.Operator = secret.Ref(value)
		case "enabled", "sync-only":
			on, why := roster.Switch(value)
			if !why.IsZero() {
				return p, fleet.Fail(fleet.Invalid, why)
			}
			if key == "enabled" {
				p.Enabled = &on
			} else {
				p.SyncOnly = &on
			}
		default:
			return p, usage("cli.pool_keys")
		}
	}
	return p, nil
}

func (a *app) poolRemoveCmd() *cobra.Command {
	cmd := &cobra.Command{Use: "remove", Short: a.say("cli.pool_remove"), Long: a.say("cli.pool_remove_long"), Args: a.args(cobra.NoArgs)}
	sel := a.poolSelector(cmd)
	b := a.batchFlags(cmd, false)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return a.changePools(cmd.Context(), batch.RemovePools, sel, nil, false, b)
	}
	return cmd
}

// changePools does one thing to the chosen pools.
func (a *app) changePools(ctx context.Context, kind string, f *poolSelector, items any, force bool, b *batchFlags) error {
	args, err := b.args(items)
	if err != nil {
		return err
	}
	if b.retry == "" {
		if f.empty() {
			return usage("cli.no_selector", "flags", "--pool, --bridge, --site, --all")
		}
		if err := globs(f.sites, f.bridges); err != nil {
			return err
		}
	}
	return a.withCore(ctx, func(ctx context.Context, s *session) error {
		if b.retry != "" {
			w, err := s.again(ctx, kind, b.retry)
			if err != nil {
				return err
			}
			return s.carryBatch(ctx, w, b)
		}
		now, err := s.look(ctx)
		if err != nil {
			return err
		}
		var targets []fleet.Ref
		for _, p := range choosePools(now, f) {
			ref := fleet.PoolRef(p.BridgeRef.Name(), strconv.FormatUint(p.PID, 10))
			if !slices.Contains(targets, ref) {
				targets = append(targets, ref)
			}
		}
		if len(targets) == 0 {
			return fleet.Fail(fleet.NotFound, fleet.Because("cli.no_match"))
		}
		w, err := s.perBridge(ctx, kind, targets, forced(args, force))
		if err != nil {
			return err
		}
		return s.carryBatch(ctx, w, b)
	})
}
