package cli

import (
	"context"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"phalops/internal/substrate/scale"
	"phalops/internal/view"
)

func (a *app) chainConstantsCmd() *cobra.Command {
	var f chainFlags
	cmd := &cobra.Command{
		Use: "constants [PALLET [NAME]]", Short: a.say("cli.chain_constants"), Long: a.say("cli.chain_constants_long"), Args: a.args(cobra.MaximumNArgs(2)),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.readChain(cmd.Context(), f, func(_ context.Context, r chainRead) error { return a.chainConstants(r, args) })
		},
	}
	a.chainFlags(cmd, &f)
	return cmd
}

func (a *app) chainConstants(r chainRead, args []string) error {
	pallets := r.Metadata.Pallets
	if len(args) > 0 {
		p, err := r.pallet(args[0])
		if err != nil {
			return err
		}
		pallets = []*scale.Pallet{p}
		if len(args) > 1 {
			c, err := constant(p, args[1])
			if err != nil {
				return err
			}
			pallets = []*scale.Pallet{{Name: p.Name, Constants: []*scale.Constant{c}}}
		}
	}
	out := view.ChainConstants{ChainState: r.state(), Constants: []view.ChainConstant{}}
	g := grid{head: []string{"col.constant", "col.type", "col.value"}, spare: []string{"col.type"}}
	for _, p := range pallets {
		for _, c := range p.Constants {
			value, err := c.Type.AppendJSON(nil, c.Value)
			if err != nil {
				return undecodable(p.Name+"."+c.Name, err)
			}
			out.Constants = append(out.Constants, view.ChainConstant{Pallet: p.Name, Name: c.Name, Type: c.Type.String(), Value: value, Docs: c.Docs})
			g.add(p.Name+"."+c.Name, c.Type.String(), word(value))
		}
	}
	return a.printChain(r, out, g)
}

// constant finds a constant, whatever its case.
func constant(p *scale.Pallet, name string) (*scale.Constant, error) {
	names := map[string]*scale.Constant{}
	for _, c := range p.Constants {
		names[c.Name] = c
	}
	return known(names, name, "cli.no_constant", "pallet", p.Name)
}

func (a *app) chainMetadataCmd() *cobra.Command {
	var f chainFlags
	cmd := &cobra.Command{
		Use: "metadata [PALLET]", Short: a.say("cli.chain_metadata"), Long: a.say("cli.chain_metadata_long"), Args: a.args(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.readChain(cmd.Context(), f, func(_ context.Context, r chainRead) error { return a.chainMetadata(r, args) })
		},
	}
	a.chainFlags(cmd, &f)
	return cmd
}

func (a *app) chainMetadata(r chainRead, args []string) error {
	out := view.ChainMetadata{ChainState: r.state(), SS58Prefix: r.Metadata.Prefix, Pallets: []view.ChainPallet{}}
	if len(args) > 0 {
		p, err := r.pallet(args[0])
		if err != nil {
			return err
		}
		out.Pallets = append(out.Pallets, chainPallet(p))
		return a.printChain(r, out, itemGrid(p.Name, out.Pallets[0].Storage))
	}
	g := grid{head: []string{"col.pallet", "col.index", "col.storage", "col.constants", "col.calls"}}
	for _, p := range r.Metadata.Pallets {
		v := chainPallet(p)
		out.Pallets = append(out.Pallets, v)
		g.add(v.Name, strconv.Itoa(int(v.Index)), strconv.Itoa(len(v.Storage)), strconv.Itoa(len(v.Constants)), strconv.Itoa(len(v.Calls)))
	}
	return a.printChain(r, out, g)
}

func chainPallet(p *scale.Pallet) view.ChainPallet {
	out := view.ChainPallet{Name: p.Name, Index: p.Index, Storage: []view.ChainItem{}, Constants: []string{}, Calls: []string{}}
	for _, e := range p.Entries {
		item := view.ChainItem{Name: e.Name, Keys: []view.ChainKey{}, Type: e.Value.String(), Optional: e.Optional, Docs: e.Docs}
		for i, k := range e.Keys() {
			item.Keys = append(item.Keys, view.ChainKey{Type: k.String(), Hasher: e.Hashers[i].String()})
		}
		out.Storage = append(out.Storage, item)
	}
	for _, c := range p.Constants {
		out.Constants = append(out.Constants, c.Name)
	}
	if p.Calls != nil {
		out.Calls = append(out.Calls, p.Calls.Variants()...)
	}
	return out
}

// itemGrid shows the storage of one pallet with the first line of what its authors say about it.
func itemGrid(pallet string, items []view.ChainItem) grid {
	g := grid{head: []string{"col.storage", "col.key", "col.type", "col.about"}, spare: []string{"col.about"}}
	for _, item := range items {
		keys := make([]string, len(item.Keys))
		for i, k := range item.Keys {
			keys[i] = k.Hasher + "(" + k.Type + ")"
		}
		typ := item.Type
		if item.Optional {
			typ += "?"
		}
		about, _, _ := strings.Cut(item.Docs, "\n")
		g.add(pallet+"."+item.Name, strings.Join(keys, " "), typ, about)
	}
	return g
}
