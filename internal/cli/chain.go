package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"phalops/internal/fleet"
	"phalops/internal/substrate"
	"phalops/internal/substrate/scale"
	"phalops/internal/view"
	"phalops/internal/wire"
)

// chainFlags say whom to ask, and about which block.
type chainFlags struct{ rpc, node, at string }

func (a *app) chainCmd() *cobra.Command {
	return a.noun("chain", "cli.chain", a.chainTotalsCmd(), a.chainWorkersCmd(), a.chainWorkerCmd(), a.chainPoolsCmd(), a.chainPoolCmd(), a.chainStakersCmd(),
		a.chainStorageCmd(), a.chainConstantsCmd(), a.chainMetadataCmd(), a.chainCallCmd(), a.chainDecodeCmd())
}

func (a *app) chainFlags(cmd *cobra.Command, f *chainFlags) {
	cmd.Flags().StringVar(&f.rpc, "rpc", "", a.say("cli.flag_rpc"))
	cmd.Flags().StringVar(&f.node, "node", "", a.say("cli.flag_chain_node"))
	cmd.Flags().StringVar(&f.at, "at", "", a.say("cli.flag_at"))
}

// chainRead is a chain as it was after one block, with the runtime that wrote it.
type chainRead struct {
	*substrate.Snapshot
	*substrate.Runtime
	height uint64
	client *substrate.Client
}

func (r chainRead) state() view.ChainState {
	return view.ChainState{Height: r.height, Hash: r.Hash(), Spec: r.SpecName, SpecVersion: r.SpecVersion}
}

// readChain opens a chain at one block for a command, which needs a configuration only without --rpc.
func (a *app) readChain(ctx context.Context, f chainFlags, read func(context.Context, chainRead) error) error {
	url, err := a.chainURL(f)
	if err != nil {
		return err
	}
	ctx, cancel := a.withTimeout(ctx)
	defer cancel()
	http := wire.New(wire.Options{})
	defer http.Close()
	c := substrate.New(url, http)
	hash, err := blockOf(ctx, c, f.at)
	if err != nil {
		return err
	}
	header, err := c.Header(ctx, hash)
	if err != nil {
		return noBlock(f.at, err)
	}
	rt, err := new(substrate.Runtimes).At(ctx, c, hash)
	if err != nil {
		return err
	}
	return read(ctx, chainRead{c.Snapshot(hash, substrate.SnapshotOptions{}), rt, uint64(header.Number), c})
}

// chainURL is the node to ask: that of --rpc, or else a node of the configuration, the first one without --node.
func (a *app) chainURL(f chainFlags) (string, error) {
	if f.rpc != "" {
		if f.node != "" {
			return "", usage("cli.rpc_and_node")
		}
		return f.rpc, nil
	}
	if path, err := a.configPath(); err != nil || path == "" {
		return "", usage("cli.no_rpc")
	}
	cfg, _, err := a.loadConfig()
	if err != nil {
		return "", err
	}
	var known []string
	for _, site := range cfg.Sites {
		for _, n := range site.Nodes {
			known = append(known, n.Name)
			if f.node == "" || f.node == n.Name {
				return cmp.Or(n.RPC, n.Para), nil
			}
		}
	}
	if len(known) == 0 {
		return "", usage("cli.no_rpc")
	}
	return "", fleet.Fail(fleet.NotFound, fleet.Because("cli.no_such_node", "name", f.node, "known", strings.Join(known, ", ")))
}

// blockOf is the hash that --at means: a hash, a height, or by default the newest finalized block.
func blockOf(ctx context.Context, c *substrate.Client, at string) (string, error) {
	if at == "" {
		return c.FinalizedHead(ctx)
	}
	if height, err := strconv.ParseUint(at, 10, 63); err == nil {
		hash, err := c.BlockHash(ctx, height)
		return hash, noBlock(at, err)
	}
	if digits, ok := strings.CutPrefix(strings.ToLower(at), "0x"); ok && len(digits) == 64 && strings.Trim(digits, "0123456789abcdef") == "" {
		return "0x" + digits, nil
	}
	return "", usage("cli.bad_at", "at", at)
}

func noBlock(at string, err error) error {
	if errors.Is(err, substrate.ErrNoBlock) {
		return fleet.FailWith(fleet.NotFound, fleet.Because("cli.no_block", "block", at), err)
	}
	return err
}

// pallet finds a pallet by its name, whatever its case.
func (r chainRead) pallet(name string) (*scale.Pallet, error) {
	names := map[string]*scale.Pallet{}
	for _, p := range r.Metadata.Pallets {
		names[p.Name] = p
	}
	return known(names, name, "cli.no_pallet", "spec", r.SpecName, "version", r.SpecVersion)
}

// item finds a storage item of a pallet, whatever its case.
func (r chainRead) item(pallet, name string) (*scale.Entry, error) {
	p, err := r.pallet(pallet)
	if err != nil {
		return nil, err
	}
	names := map[string]*scale.Entry{}
	for _, e := range p.Entries {
		names[e.Name] = e
	}
	return known(names, name, "cli.no_item", "pallet", p.Name)
}

// known finds a name, or says which ones there are.
func known[T any](all map[string]T, name, code string, args ...any) (T, error) {
	for n, v := range all {
		if strings.EqualFold(n, name) {
			return v, nil
		}
	}
	var none T
	names := strings.Join(slices.Sorted(maps.Keys(all)), ", ")
	return none, fleet.Fail(fleet.NotFound, fleet.Because(code, append(args, "name", name, "known", names)...))
}

// printChain is print, and tells people of which block the answer is.
func (a *app) printChain(r chainRead, data any, g grid) error {
	if err := a.print(data, g); err != nil {
		return err
	}
	if a.flags.output == "table" {
		fmt.Fprintln(a.Stderr, a.paint(faint, a.say("cli.chain_foot", "height", r.height, "hash", r.Hash(), "spec", r.SpecName, "version", r.SpecVersion)))
	}
	return nil
}

// undecodable is a value that is not what the metadata says.
func undecodable(what string, err error) error {
	return fleet.FailWith(fleet.Failed, fleet.Because("cli.undecodable", "what", what, "err", err), err)
}
