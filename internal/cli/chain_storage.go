package cli

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"phalops/internal/fleet"
	"phalops/internal/substrate"
	"phalops/internal/substrate/scale"
	"phalops/internal/view"
)

func (a *app) chainStorageCmd() *cobra.Command {
	var f chainFlags
	var limit int
	cmd := &cobra.Command{
		Use: "storage PALLET ITEM [KEY...]", Short: a.say("cli.chain_storage"), Long: a.say("cli.chain_storage_long"), Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) < 2 {
				return usage("cli.missing_argument", "usage", cmd.UseLine())
			}
			return a.readChain(cmd.Context(), f, func(ctx context.Context, r chainRead) error { return a.chainStorage(ctx, r, args, limit) })
		},
	}
	a.chainFlags(cmd, &f)
	cmd.Flags().IntVar(&limit, "limit", 0, a.say("cli.flag_chain_limit"))
	return cmd
}

// chainStorage shows one value, or those of a map whose first keys are given.
func (a *app) chainStorage(ctx context.Context, r chainRead, args []string, limit int) error {
	e, err := r.item(args[0], args[1])
	if err != nil {
		return err
	}
	keys, err := keyValues(args[2:])
	if err != nil {
		return err
	}
	prefix, err := e.StorageKey(keys...)
	if err != nil {
		why := fleet.Because("cli.bad_key", "item", e.Pallet+"."+e.Name, "keys", keyTypes(e), "err", err)
		return fleet.FailWith(fleet.Invalid, why, err)
	}
	out := view.ChainStorage{ChainState: r.state(), Pallet: e.Pallet, Item: e.Name, Type: e.Value.String(), Entries: []view.ChainEntry{}}
	add := func(p substrate.Pair) error {
		entry, err := chainEntry(e, p)
		if err != nil {
			return undecodable(e.Pallet+"."+e.Name+" 0x"+hex.EncodeToString(p.Key), err)
		}
		out.Entries = append(out.Entries, entry)
		if limit > 0 && len(out.Entries) >= limit {
			return errEnough
		}
		return nil
	}
	whole := len(keys) >= len(e.Keys()) || len(keys) > 1 && len(e.Keys()) == 1
	if whole {
		err = r.Values(ctx, [][]byte{prefix}, add)
	} else {
		err = r.Pairs(ctx, prefix, add)
	}
	if err != nil && !errors.Is(err, errEnough) {
		return err
	}
	return a.printChain(r, out, storageGrid(out.Entries, whole))
}

// errEnough ends a reading that --limit bounds.
var errEnough = errors.New("enough")

// keyValues are the keys as typed: JSON where they look like it, otherwise plain words and numbers.
func keyValues(args []string) (keys []any, err error) {
	for _, arg := range args {
		var v any = arg
		if arg == "null" || strings.HasPrefix(arg, "[") || strings.HasPrefix(arg, "{") {
			if v, err = scale.ParseValue(arg); err != nil {
				return nil, usage("cli.bad_key_json", "key", arg, "err", err)
			}
		}
		keys = append(keys, v)
	}
	return keys, nil
}

// keyTypes are the types of a map's keys, "–" for a plain value.
func keyTypes(e *scale.Entry) string {
	var all []string
	for _, k := range e.Keys() {
		all = append(all, k.String())
	}
	if len(all) == 0 {
		return "–"
	}
	return strings.Join(all, ", ")
}

func chainEntry(e *scale.Entry, p substrate.Pair) (out view.ChainEntry, err error) {
	out = view.ChainEntry{StorageKey: "0x" + hex.EncodeToString(p.Key), Stored: p.Value != nil, Value: json.RawMessage("null")}
	if out.Keys, err = e.AppendKeys(nil, p.Key); err != nil {
		return out, err
	}
	if raw, ok := e.Or(p.Value); ok {
		out.Value, err = e.Value.AppendJSON(nil, raw)
	}
	return out, err
}

// storageGrid shows a map as keys and values, and a single struct field by field.
func storageGrid(entries []view.ChainEntry, single bool) grid {
	if single && len(entries) == 1 {
		fields := members("", entries[0].Value)
		if fields == nil {
			return grid{head: []string{"col.value"}, rows: [][]string{{word(entries[0].Value)}}}
		}
		return grid{head: []string{"col.field", "col.value"}, rows: fields}
	}
	g := grid{head: []string{"col.key", "col.value"}}
	for _, e := range entries {
		var keys []json.RawMessage
		_ = json.Unmarshal(e.Keys, &keys) // AppendKeys wrote a list
		words := make([]string, len(keys))
		for i, k := range keys {
			words[i] = word(k)
		}
		g.add(strings.Join(words, " "), word(e.Value))
	}
	return g
}

// members are the names and values of an object in their order, those of objects in it by their paths; nil for anything else.
func members(path string, value json.RawMessage) (rows [][]string) {
	dec := json.NewDecoder(bytes.NewReader(value))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return nil
	}
	for dec.More() {
		name, err := dec.Token()
		var v json.RawMessage
		if err != nil || dec.Decode(&v) != nil {
			return nil
		}
		at := path + fmt.Sprint(name)
		if inner := members(at+".", v); inner != nil {
			rows = append(rows, inner...)
		} else {
			rows = append(rows, []string{at, word(v)})
		}
	}
	return rows
}

// word is a JSON value as people read it: text without its quotes.
func word(v json.RawMessage) string {
	var s string
	if json.Unmarshal(v, &s) == nil && string(v) != "null" {
		return s
	}
	return string(v)
}
