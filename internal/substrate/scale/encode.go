package scale

import (
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"slices"
	"strings"
	"unicode/utf8"
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
// also be decimal text or big-endian 0x…, accounts any network's address or 0x…, lists of bytes 0x… or plain text. Floats are
// refused. After an error, dst's length is as it was.
func (t *Type) Append(dst []byte, v any) ([]byte, error) {
	e := encoder{dst: dst}
	if err := e.value(t, v); err != nil {
		return dst, err
	}
	return e.dst, nil
}

type encoder struct{ dst []byte }

func misfit(t *Type, v any) error {
	return fmt.Errorf("%w: %s cannot be %.80s", ErrInvalid, t, fmt.Sprintf("%v (%T)", v, v))
}

func (e *encoder) value(t *Type, v any) error {
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
	name, plain := v.(string)
	var inner any
	if !plain {
		var ok bool
		if name, inner, ok = only(v); !ok {
			return misfit(t, v)
		}
	}
	chosen := t.variantNamed(name)
	if chosen == nil || plain && len(chosen.body.fields) > 0 {
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

func (e *encoder) bytes(t *Type, v any) error {
	b, err := toBytes(t, v)
	switch {
	case err != nil:
		return err
	case t.shape == shapeBytes:
		e.dst = appendCompact(e.dst, U128{Lo: uint64(len(b))})
	case len(b) != t.length:
		return misfit(t, v)
	}
	e.dst = append(e.dst, b...)
	return nil
}

func toBytes(t *Type, v any) ([]byte, error) {
	switch v := v.(type) {
	case []byte:
		return v, nil
	case [32]byte:
		return v[:], nil
	case string:
		if digits, ok := strings.CutPrefix(v, "0x"); ok {
			b, err := hex.DecodeString(digits)
			if err != nil {
				return nil, misfit(t, v)
			}
			return b, nil
		}
		if t.shape == shapeAccount {
			_, account, err := ParseAddress(v)
			return account[:], err
		}
		if t.shape == shapeBytes {
			return []byte(v), nil
		}
	}
	return nil, misfit(t, v)
}

func (e *encoder) number(t *Type, v any) error {
	n, ok := toNumber(v)
	if !ok {
		return misfit(t, v)
	}
	limit := new(big.Int).Lsh(big.NewInt(1), uint(8*t.length))
	if t.shape == shapeInt {
		half := new(big.Int).Rsh(limit, 1)
		if n.Cmp(half) >= 0 || n.Cmp(half.Neg(half)) < 0 {
			return misfit(t, v)
		}
		if n.Sign() < 0 {
			n = new(big.Int).Add(n, limit)
		}
	}
	if n.Sign() < 0 || n.Cmp(limit) >= 0 {
		return misfit(t, v)
	}
	b := n.FillBytes(make([]byte, t.length))
	slices.Reverse(b)
	e.dst = append(e.dst, b...)
	return nil
}

// toNumber takes every kind of integer and its text.
func toNumber(v any) (*big.Int, bool) {
	switch v := v.(type) {
	case *big.Int:
		return v, v != nil
	case U128:
		return v.Big(), true
	case int, int8, int16, int32, int64, uint, uint8, uint16, uint32, uint64:
		return new(big.Int).SetString(fmt.Sprint(v), 10)
	case json.Number:
		return numberText(string(v))
	case string:
		return numberText(v)
	}
	return nil, false
}

func numberText(s string) (*big.Int, bool) {
	base := 10
	if digits, ok := strings.CutPrefix(s, "0x"); ok {
		s, base = digits, 16
	}
	if len(s) > 80 || strings.HasPrefix(s, "+") || base == 16 && strings.HasPrefix(s, "-") {
		return nil, false
	}
	return new(big.Int).SetString(s, base)
}

func (e *encoder) bool(t *Type, v any) error {
	switch v {
	case true, "true":
		e.dst = append(e.dst, 1)
	case false, "false":
		e.dst = append(e.dst, 0)
	default:
		return misfit(t, v)
	}
	return nil
}

func (e *encoder) text(t *Type, v any) error {
	s, ok := v.(string)
	if !ok || !utf8.ValidString(s) {
		return misfit(t, v)
	}
	if t.shape == shapeChar {
		r, n := utf8.DecodeRuneInString(s)
		if n == 0 || n != len(s) {
			return misfit(t, v)
		}
		e.dst = binary.LittleEndian.AppendUint32(e.dst, uint32(r))
		return nil
	}
	e.dst = append(appendCompact(e.dst, U128{Lo: uint64(len(s))}), s...)
	return nil
}

func (e *encoder) compact(t *Type, v any) error {
	n, ok := toNumber(v)
	if !ok || n.Sign() < 0 || n.BitLen() > 8*t.elem.compacted().length {
		return misfit(t, v)
	}
	e.dst = appendCompact(e.dst, fromBig(n))
	return nil
}

// appendCompact writes a number in as few bytes as SCALE has for it.
func appendCompact(dst []byte, v U128) []byte {
	switch n := v.bitLen(); {
	case n <= 6:
		return append(dst, byte(v.Lo<<2))
	case n <= 14:
		return binary.LittleEndian.AppendUint16(dst, uint16(v.Lo<<2|1))
	case n <= 30:
		return binary.LittleEndian.AppendUint32(dst, uint32(v.Lo<<2|2))
	default:
		size := max(4, (n+7)/8)
		var wide [16]byte
		binary.LittleEndian.PutUint64(wide[:], v.Lo)
		binary.LittleEndian.PutUint64(wide[8:], v.Hi)
		return append(append(dst, byte(size-4)<<2|3), wide[:size]...)
	}
}

func (e *encoder) bits(t *Type, v any) error {
	s, ok := v.(string)
	digits, ok2 := strings.CutPrefix(s, "0b")
	if !ok || !ok2 || strings.Trim(digits, "01") != "" {
		return misfit(t, v)
	}
	width := t.elem.length
	store := make([]byte, (len(digits)+8*width-1)/(8*width)*width)
	for i, d := range []byte(digits) {
		at, shift := bitPlace(i, width, t.msbFirst())
		store[at] |= (d - '0') << shift
	}
	e.dst = append(appendCompact(e.dst, U128{Lo: uint64(len(digits))}), store...)
	return nil
}

func (e *encoder) era(t *Type, v any) error {
	era, ok := v.(Era)
	if name, inner, isObject := only(v); isObject && name == "Mortal" {
		m, _ := inner.(map[string]any)
		period, ok1 := toNumber(m["period"])
		phase, ok2 := toNumber(m["phase"])
		if !ok1 || !ok2 || !period.IsUint64() || !phase.IsUint64() {
			return misfit(t, v)
		}
		era, ok = Era{period.Uint64(), phase.Uint64()}, true
	}
	if !ok && v != "Immortal" || era.Period != 0 && Mortal(era.Period, era.Phase) != era {
		return misfit(t, v)
	}
	e.dst = era.Append(e.dst)
	return nil
}
