package scale

import (
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"unicode/utf8"
)

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
