package cli

import (
	"bufio"
	"context"
	"encoding/hex"
	"encoding/json"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"phalops/internal/fleet"
	"phalops/internal/phala"
	"phalops/internal/substrate/scale"
	"phalops/internal/view"
)

func (a *app) chainCallCmd() *cobra.Command {
	var f chainFlags
	cmd := &cobra.Command{
		Use: "call PALLET [CALL [ARG...]]", Short: a.say("cli.chain_call"), Long: a.say("cli.chain_call_long"), Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usage("cli.missing_argument", "usage", cmd.UseLine())
			}
			return a.readChain(cmd.Context(), f, func(_ context.Context, r chainRead) error {
				if len(args) == 1 {
					return a.chainCalls(r, args[0])
				}
				return a.chainCall(r, args[0], args[1], args[2:])
			})
		},
	}
	a.chainFlags(cmd, &f)
	return cmd
}

// chainCalls lists the calls of a pallet.
func (a *app) chainCalls(r chainRead, pallet string) error {
	p, err := r.pallet(pallet)
	if err != nil {
		return err
	}
	out := view.ChainCalls{ChainState: r.state(), Pallet: p.Name, Calls: []view.ChainCallDef{}}
	g := grid{head: []string{"col.call", "col.arguments", "col.about"}, spare: []string{"col.about"}}
	for _, c := range p.CallDefs() {
		def := view.ChainCallDef{Name: c.Name, Args: []view.ChainCallArg{}, Docs: c.Docs}
		for _, arg := range c.Args {
			def.Args = append(def.Args, view.ChainCallArg{Name: arg.Name, Type: arg.Type.String(), Source: arg.Source})
		}
		out.Calls = append(out.Calls, def)
		about, _, _ := strings.Cut(c.Docs, "\n")
		g.add(p.Name+"."+c.Name, signature(c), about)
	}
	return a.printChain(r, out, g)
}

// signature is what a call takes: "pid u64, worker Public".
func signature(c *scale.CallDef) string {
	var all []string
	for _, arg := range c.Args {
		all = append(all, arg.Name+" "+arg.Type.String())
	}
	return strings.Join(all, ", ")
}

// chainCall encodes a call.
func (a *app) chainCall(r chainRead, pallet, name string, args []string) error {
	p, err := r.pallet(pallet)
	if err != nil {
		return err
	}
	names := map[string]*scale.CallDef{}
	for _, c := range p.CallDefs() {
		names[c.Name] = c
	}
	c, err := known(names, name, "cli.no_call", "pallet", p.Name)
	if err != nil {
		return err
	}
	values, err := callValues(c, args)
	if err != nil {
		return err
	}
	data, err := c.Append(nil, values)
	if err != nil {
		why := fleet.Because("cli.bad_call", "call", c.Pallet+"."+c.Name, "takes", takes(c), "err", err)
		return fleet.FailWith(fleet.Invalid, why, err)
	}
	return a.showCall(r, data)
}

// takes is a call's signature, "–" where it takes nothing.
func takes(c *scale.CallDef) string {
	if len(c.Args) == 0 {
		return "–"
	}
	return signature(c)
}

// callValues are the arguments as typed: all in the order of the call, or all as name=value.
func callValues(c *scale.CallDef, args []string) (map[string]any, error) {
	values := map[string]any{}
	for i, arg := range args {
		name, text, named := strings.Cut(arg, "=")
		named = named && slices.ContainsFunc(c.Args, func(a scale.CallArg) bool { return a.Name == name })
		if !named {
			if i >= len(c.Args) {
				return nil, usage("cli.call_arguments", "call", c.Pallet+"."+c.Name, "takes", takes(c))
			}
			name, text = c.Args[i].Name, arg
		}
		if _, twice := values[name]; twice {
			return nil, usage("cli.call_arguments", "call", c.Pallet+"."+c.Name, "takes", takes(c))
		}
		v, err := keyValues([]string{text})
		if err != nil {
			return nil, err
		}
		values[name] = v[0]
	}
	if len(args) != len(c.Args) {
		return nil, usage("cli.call_arguments", "call", c.Pallet+"."+c.Name, "takes", takes(c))
	}
	return values, nil
}

func (a *app) chainDecodeCmd() *cobra.Command {
	var f chainFlags
	cmd := &cobra.Command{
		Use: "decode DATA", Short: a.say("cli.chain_decode"), Long: a.say("cli.chain_decode_long"), Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usage("cli.missing_argument", "usage", cmd.UseLine())
			}
			text := args[0]
			if text == "-" {
				var err error
				if text, err = readData(cmd.InOrStdin()); err != nil {
					return err
				}
			}
			data, err := hex.DecodeString(strings.TrimPrefix(text, "0x"))
			if err != nil || len(data) == 0 {
				return usage("cli.bad_call_data")
			}
			return a.readChain(cmd.Context(), f, func(_ context.Context, r chainRead) error { return a.showCall(r, data) })
		},
	}
	a.chainFlags(cmd, &f)
	return cmd
}

// maxCallText bounds what is read as a call: a block has less.
const maxCallText = 16 << 20

// readData reads the first line of the standard input.
func readData(in io.Reader) (string, error) {
	text, err := bufio.NewReader(io.LimitReader(in, maxCallText)).ReadString('\n')
	if err != nil && err != io.EOF { //nolint:errorlint // ReadString promises io.EOF itself
		return "", err
	}
	return strings.TrimSpace(text), nil
}

// showCall says what a call's bytes do.
func (a *app) showCall(r chainRead, data []byte) error {
	c, err := phala.CallOf(r.Metadata, data)
	if err != nil {
		why := fleet.Because("cli.no_call_data", "spec", r.SpecName, "version", r.SpecVersion, "err", err)
		return fleet.FailWith(fleet.Invalid, why, err)
	}
	out := view.ChainCall{ChainState: r.state(), Pallet: c.Pallet, Call: c.Name, Args: c.Args, Data: c.Data, CallHash: c.Hash}
	if def, err := r.Metadata.CallDef(c.Pallet, c.Name); err == nil {
		out.Docs = def.Docs
	}
	g := grid{head: []string{"col.field", "col.value"}}
	g.add(a.label("col.call"), c.Pallet+"."+c.Name)
	if string(c.Args) != "null" {
		for _, row := range callRows(r.Metadata, "", c.Args) {
			g.add(row...)
		}
	}
	g.add(a.label("col.data"), c.Data)
	g.add(a.label("col.call_hash"), c.Hash)
	return a.printChain(r, out, g)
}

// callRows are the arguments of a call, with those of the calls in it under their own names and the items of lists numbered from 1.
func callRows(md *scale.Metadata, path string, value json.RawMessage) (rows [][]string) {
	var list []json.RawMessage
	if json.Unmarshal(value, &list) == nil && len(list) > 0 && (list[0][0] == '{' || list[0][0] == '[') {
		for i, item := range list {
			rows = append(rows, callRows(md, under(path, strconv.Itoa(i+1)), item)...)
		}
		return rows
	}
	if name, args := nestedCall(md, value); name != "" {
		rows = [][]string{{path, name}}
		if string(args) != "null" {
			rows = append(rows, callRows(md, path, args)...)
		}
		return rows
	}
	var fields map[string]json.RawMessage
	if json.Unmarshal(value, &fields) != nil || len(fields) == 0 {
		return [][]string{{path, word(value)}}
	}
	for _, name := range inOrder(value) {
		rows = append(rows, callRows(md, under(path, name), fields[name])...)
	}
	return rows
}

// under is a name within a path.
func under(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// nestedCall is the call that a value stands for, {"Pallet": {"call": {…}}}, or {"Pallet": "call"} without arguments; "" for another
// value.
func nestedCall(md *scale.Metadata, value json.RawMessage) (name string, args json.RawMessage) {
	var outer map[string]json.RawMessage
	if json.Unmarshal(value, &outer) != nil || len(outer) != 1 {
		return "", nil
	}
	for pallet, inner := range outer {
		var call string
		args = json.RawMessage("null")
		var object map[string]json.RawMessage
		if json.Unmarshal(inner, &object) == nil && len(object) == 1 {
			for call, args = range object { //nolint:revive // the only one
			}
		} else if json.Unmarshal(inner, &call) != nil {
			return "", nil
		}
		if _, err := md.CallDef(pallet, call); err == nil {
			return pallet + "." + call, args
		}
	}
	return "", nil
}

// inOrder are the names of an object's members in their order.
func inOrder(object json.RawMessage) (names []string) {
	dec := json.NewDecoder(strings.NewReader(string(object)))
	if _, err := dec.Token(); err != nil {
		return nil
	}
	for dec.More() {
		name, err := dec.Token()
		var v json.RawMessage
		if text, ok := name.(string); ok && err == nil && dec.Decode(&v) == nil {
			names = append(names, text)
			continue
		}
		return names
	}
	return names
}
