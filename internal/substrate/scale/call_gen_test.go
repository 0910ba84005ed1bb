package scale

import (
	"encoding/hex"
	"encoding/json"
	"math/big"
	"strings"
)

// maker makes values of any type, in the form that AppendJSON writes.
type maker struct {
	pick  func(n int) int // 0 … n-1
	avoid func(*Type, *variant) bool
	depth int
}

// make makes a value. A type that holds itself ends by the smallest that fits; ok is false where nothing small enough does.
func (m *maker) make(t *Type) (v any, ok bool) {
	if m.depth++; m.depth > maxDepth/2 {
		m.depth--
		return nil, false
	}
	defer func() { m.depth-- }()
	switch t.shape {
	case shapeTuple:
		return m.tuple(t)
	case shapeStruct:
		out := map[string]any{}
		for _, f := range t.fields {
			if out[f.name], ok = m.make(f.typ); !ok {
				return nil, false
			}
		}
		return out, true
	case shapeEnum:
		return m.enum(t)
	case shapeOption:
		if m.few(2) == 0 {
			return nil, true
		}
		if v, ok = m.make(t.elem); !ok {
			return nil, true
		}
		if t.elem.mayBeNull() {
			v = map[string]any{"Some": v}
		}
		return v, true
	case shapeList:
		out := []any{}
		most := 4
		if strings.HasPrefix(t.String(), "BTree") { // others put its items in order
			most = 2
		}
		for range m.few(most) {
			if v, ok := m.make(t.elem); ok {
				out = append(out, v)
			}
		}
		return out, true
	case shapeArray:
		out := []any{}
		for range t.length {
			v, ok := m.make(t.elem)
			if !ok {
				return nil, false
			}
			out = append(out, v)
		}
		return out, true
	default:
		return m.plain(t), true
	}
}

// few is a small number, smaller the deeper it is asked for.
func (m *maker) few(n int) int {
	if m.depth > 8 {
		return 0
	}
	return m.pick(n)
}

func (m *maker) tuple(t *Type) (any, bool) {
	if len(t.fields) == 0 {
		return nil, true
	}
	out := []any{}
	for _, f := range t.fields {
		v, ok := m.make(f.typ)
		if !ok {
			return nil, false
		}
		out = append(out, v)
	}
	return out, true
}

func (m *maker) enum(t *Type) (any, bool) {
	var all []*variant
	for _, v := range t.variants {
		if v != nil && (m.avoid == nil || !m.avoid(t, v)) {
			all = append(all, v)
		}
	}
	if len(all) == 0 {
		return nil, false
	}
	start := m.pick(len(all))
	for i := range all { // another one where this holds itself for ever
		if m.depth > 10 && i > 3 {
			break
		}
		v := all[(start+i)%len(all)]
		if len(v.body.fields) == 0 {
			return v.name, true
		}
		if inner, ok := m.make(v.inner()); ok {
			return map[string]any{v.name: inner}, true
		}
	}
	return nil, false
}

func (m *maker) bytes(n int) []byte {
	out := make([]byte, n)
	for i := range out {
		out[i] = byte(m.pick(256))
	}
	return out
}

// number is one of up to so many bytes, the ends among them.
func (m *maker) number(width int) *big.Int {
	n := new(big.Int).SetBytes(m.bytes(1 + m.pick(width)))
	switch m.pick(8) {
	case 0:
		return new(big.Int)
	case 1:
		return new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), uint(8*width)), big.NewInt(1))
	}
	return n
}

func shown(n *big.Int, width int) any {
	if width > 8 || n.CmpAbs(big.NewInt(exact)) > 0 {
		return n.String()
	}
	return json.Number(n.String())
}

func (m *maker) plain(t *Type) any {
	switch t.String() { // numbers that mean something: flags, and a vote with its conviction
	case "BitFlags":
		return json.Number("1")
	case "Vote":
		return json.Number("131")
	}
	switch t.shape {
	case shapeBytes:
		return "0x" + hex.EncodeToString(m.bytes(m.pick(70)))
	case shapeFixed:
		return "0x" + hex.EncodeToString(m.bytes(t.length))
	case shapeAccount:
		return Address(t.md.Prefix, [32]byte(m.bytes(32)))
	case shapeUint:
		return shown(m.number(t.length), t.length)
	case shapeInt:
		n := m.number(t.length)
		return shown(n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*t.length-1))), t.length)
	case shapeBool:
		return m.pick(2) == 0
	case shapeChar:
		return string([]rune("aé中😀")[m.pick(4)])
	case shapeText:
		return strings.Repeat([]string{"a", "\"\\", "中", "😀"}[m.pick(4)], m.pick(40))
	case shapeCompact:
		n := t.elem.compacted().length
		return shown(m.number(n), n)
	case shapeBits:
		out := "0b"
		for range m.pick(40) {
			out += string(rune('0' + m.pick(2)))
		}
		return out
	default: // an era
		if m.pick(2) == 0 {
			return "Immortal"
		}
		e := Mortal(uint64(4<<m.pick(15)), uint64(m.pick(1<<16)))
		return map[string]any{"Mortal": map[string]any{"period": shown(new(big.Int).SetUint64(e.Period), 8), "phase": shown(new(big.Int).SetUint64(e.Phase), 8)}}
	}
}
