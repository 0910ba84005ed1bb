package scale

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
)

// ParseValue reads JSON text as a value for Append, without losing a digit.
func ParseValue(text string) (any, error) {
	dec := json.NewDecoder(strings.NewReader(text))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return nil, err
	}
	if _, err := dec.Token(); err != io.EOF { //nolint:errorlint // Token promises io.EOF itself
		return nil, fmt.Errorf("%w: more than one JSON value", ErrInvalid)
	}
	return v, nil
}

// Append encodes v as the type and appends it. It understands what AppendJSON writes, as ParseValue reads it (nil, bool,
// json.Number, string, []any, map[string]any), and Go's own integers, *big.Int, U128, []byte, [32]byte and Era. Numbers may
// also be decimal text or big-endian 0x…, accounts any network's address or 0x…, lists of bytes 0x… or plain text, and an
// account stands for itself where any form of address is asked for (MultiAddress). Floats, unknown and missing fields and
// values that are nested deeper than can be read back are refused; the error says where. After an error, dst's length is as
// it was.
func (t *Type) Append(dst []byte, v any) ([]byte, error) {
	e := encoder{dst: dst}
	if err := e.value(t, v); err != nil {
		return dst, err
	}
	return e.dst, nil
}

type encoder struct {
	dst   []byte
	depth int
}

func misfit(t *Type, v any) error {
	return fmt.Errorf("%w: %s cannot be %.80s", ErrInvalid, t, fmt.Sprintf("%v (%T)", v, v))
}

func (e *encoder) value(t *Type, v any) error {
	if e.depth++; e.depth > maxDepth {
		return ErrTooDeep
	}
	defer func() { e.depth-- }()
	switch t.shape {
	case shapeTuple:
		return e.tuple(t, v)
	case shapeStruct:
		return e.fields(t, v)
	case shapeEnum:
		return e.enum(t, v)
	case shapeOption:
		return e.option(t, v)
	case shapeList, shapeArray:
		return e.items(t, v)
	case shapeBytes, shapeFixed, shapeAccount:
		return e.bytes(t, v)
	case shapeUint, shapeInt:
		return e.number(t, v)
	case shapeBool:
		return e.bool(t, v)
	case shapeChar, shapeText:
		return e.text(t, v)
	case shapeCompact:
		return e.compact(t, v)
	case shapeBits:
		return e.bits(t, v)
	default:
		return e.era(t, v)
	}
}

func (e *encoder) tuple(t *Type, v any) error {
	all, ok := v.([]any)
	if !ok && (v != nil || len(t.fields) > 0) || len(all) != len(t.fields) {
		return misfit(t, v)
	}
	for i, f := range t.fields {
		if err := e.value(f.typ, all[i]); err != nil {
			return fmt.Errorf("%d: %w", i, err)
		}
	}
	return nil
}

func (e *encoder) fields(t *Type, v any) error {
	all, ok := v.(map[string]any)
	if !ok {
		return misfit(t, v)
	}
	for _, f := range t.fields {
		one, ok := all[f.name]
		if !ok {
			return fmt.Errorf("%w: %s is missing in %s", ErrInvalid, f.name, t)
		}
		if err := e.value(f.typ, one); err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
	}
	for name := range all {
		if !slices.ContainsFunc(t.fields, func(f field) bool { return f.name == name }) {
			return fmt.Errorf("%w: %s has no field %.80s", ErrInvalid, t, name)
		}
	}
	return nil
}

// only is the one member of an object.
func only(v any) (name string, inner any, ok bool) {
	m, _ := v.(map[string]any)
	for name, inner = range m {
	}
	return name, inner, len(m) == 1
}

func (e *encoder) enum(t *Type, v any) error {
	v = t.addressed(v)
	name, plain := v.(string)
	var inner any
	if !plain {
		var ok bool
		if name, inner, ok = only(v); !ok {
			return misfit(t, v)
		}
	}
	chosen := t.variantNamed(name)
	if chosen == nil {
		return fmt.Errorf("%w: %s has no %.80s", ErrInvalid, t, name)
	}
	if plain && len(chosen.body.fields) > 0 {
		return misfit(t, v)
	}
	e.dst = append(e.dst, chosen.index)
	if len(chosen.body.fields) == 0 {
		if m, ok := inner.(map[string]any); ok && len(m) == 0 {
			inner = nil
		}
	}
	if err := e.value(chosen.inner(), inner); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// addressed makes an account the address that is that account.
func (t *Type) addressed(v any) any {
	id := t.variantNamed("Id")
	if id == nil || len(t.Path) == 0 || t.Path[len(t.Path)-1] != "MultiAddress" {
		return v
	}
	switch x := v.(type) {
	case string:
		if t.variantNamed(x) != nil {
			return v
		}
	case [32]byte, []byte:
	default:
		return v
	}
	return map[string]any{"Id": v}
}

func (e *encoder) option(t *Type, v any) error {
	if v == nil {
		e.dst = append(e.dst, 0)
		return nil
	}
	if name, inner, ok := only(v); ok && name == "Some" && t.elem.mayBeNull() {
		v = inner
	}
	e.dst = append(e.dst, 1)
	return e.value(t.elem, v)
}

func (e *encoder) items(t *Type, v any) error {
	all, ok := v.([]any)
	if !ok || t.shape == shapeArray && len(all) != t.length {
		return misfit(t, v)
	}
	if t.shape == shapeList {
		e.dst = appendCompact(e.dst, U128{Lo: uint64(len(all))})
	}
	for i, one := range all {
		if err := e.value(t.elem, one); err != nil {
			return fmt.Errorf("%d: %w", i, err)
		}
	}
	return nil
}
