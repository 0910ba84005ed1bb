package scale

import (
	"encoding/hex"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"unicode/utf8"
)

// AppendJSON appends an encoded value as JSON:
//
//   - numbers of 128 and 256 bits as decimal strings, smaller ones as numbers, but as strings beyond 2⁵³, where most languages
//     lose digits;
//   - accounts as SS58 addresses, other arrays and lists of bytes as "0x…", bits as "0b…", the first one first;
//   - structs as objects, tuples and lists as arrays, the unit as null;
//   - a variant without fields as its name, others as {"Name": its one field, or an array, or an object};
//   - None as null and Some(x) as x, or as {"Some": x} where x itself may be null;
//   - eras as "Immortal" or {"Mortal": {"period": 64, "phase": 5}}.
//
// All of b must be the value. After an error, dst's length is as it was.
func (t *Type) AppendJSON(dst, b []byte) ([]byte, error) {
	c := newCursor(b)
	out := t.json(&c, dst)
	if err := c.end(); err != nil {
		return dst, err
	}
	return out, nil
}

func (t *Type) json(c *cursor, dst []byte) []byte {
	if !c.enter() {
		return dst
	}
	defer c.leave()
	switch t.shape {
	case shapeTuple:
		return t.jsonTuple(c, dst)
	case shapeStruct:
		return t.jsonStruct(c, dst)
	case shapeEnum:
		return t.jsonEnum(c, dst)
	case shapeOption:
		return t.jsonOption(c, dst)
	case shapeList:
		return t.jsonItems(c, dst, c.count(t.elem.least))
	case shapeArray:
		return t.jsonItems(c, dst, t.length)
	case shapeBytes:
		return appendHex(dst, c.bytes())
	case shapeFixed:
		return appendHex(dst, c.take(t.length))
	case shapeAccount:
		if b := c.take(32); b != nil {
			return appendQuoted(dst, Address(t.md.Prefix, [32]byte(b)))
		}
		return dst
	case shapeUint:
		return jsonUint(c, dst, t.length)
	case shapeInt:
		return jsonInt(c, dst, t.length)
	case shapeBool:
		return strconv.AppendBool(dst, c.bool())
	case shapeChar:
		return appendQuoted(dst, string(c.char()))
	case shapeText:
		return appendQuoted(dst, c.text())
	case shapeCompact:
		n := t.elem.compacted().length
		return jsonNumber(dst, c.compactOf(n), n)
	case shapeBits:
		return t.jsonBits(c, dst)
	default:
		return jsonEra(c, dst)
	}
}

func (t *Type) jsonTuple(c *cursor, dst []byte) []byte {
	if len(t.fields) == 0 {
		return append(dst, "null"...)
	}
	dst = append(dst, '[')
	for i, f := range t.fields {
		if i > 0 {
			dst = append(dst, ',')
		}
		if dst = f.typ.json(c, dst); c.err != nil {
			c.within(strconv.Itoa(i))
			return dst
		}
	}
	return append(dst, ']')
}

func (t *Type) jsonStruct(c *cursor, dst []byte) []byte {
	dst = append(dst, '{')
	for i, f := range t.fields {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, f.label...)
		if dst = f.typ.json(c, dst); c.err != nil {
			c.within(f.name)
			return dst
		}
	}
	return append(dst, '}')
}

// pick reads which variant follows.
func (t *Type) pick(c *cursor) *variant {
	index := c.u8()
	v := t.variant(index)
	if v == nil {
		c.fail(fmt.Errorf("%w: %s has no variant %d", ErrInvalid, t, index))
	}
	return v
}

func (t *Type) jsonEnum(c *cursor, dst []byte) []byte {
	v := t.pick(c)
	if v == nil {
		return dst
	}
	if len(v.body.fields) == 0 {
		return append(dst, v.label...)
	}
	dst = append(append(append(dst, '{'), v.label...), ':')
	if dst = v.inner().json(c, dst); c.err != nil {
		c.within(v.name)
		return dst
	}
	return append(dst, '}')
}

// inner is what a variant shows: its one unnamed field, or all of them.
func (v *variant) inner() *Type {
	if v.body.shape == shapeTuple && len(v.body.fields) == 1 {
		return v.body.fields[0].typ
	}
	return v.body
}

func (t *Type) jsonOption(c *cursor, dst []byte) []byte {
	switch {
	case !c.bool():
		return append(dst, "null"...)
	case t.elem.mayBeNull():
		return append(t.elem.json(c, append(dst, `{"Some":`...)), '}')
	default:
		return t.elem.json(c, dst)
	}
}

// mayBeNull reports whether a value's JSON can be null.
func (t *Type) mayBeNull() bool { return t.shape == shapeOption || t.isUnit() }

func (t *Type) jsonItems(c *cursor, dst []byte, n int) []byte {
	if t.elem.size > 0 && n > len(c.b)/t.elem.size {
		c.fail(ErrShort)
	}
	dst = append(dst, '[')
	for i := range n {
		if c.err != nil {
			c.within(strconv.Itoa(max(0, i-1)))
			return dst
		}
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = t.elem.json(c, dst)
	}
	return append(dst, ']')
}

func (t *Type) jsonBits(c *cursor, dst []byte) []byte {
	n, store, first := t.bits(c)
	dst = append(dst, `"0b`...)
	for i := range n {
		dst = append(dst, '0'+bitAt(store, i, t.elem.length, first))
	}
	return append(dst, '"')
}

// bits reads a sequence of bits: how many, their bytes, and whether the highest bit of each word is the first.
func (t *Type) bits(c *cursor) (n int, store []byte, msb bool) {
	n = int(c.small())
	word := 8 * t.elem.length
	if store = c.take((n + word - 1) / word * t.elem.length); store == nil {
		n = 0
	}
	return n, store, t.msbFirst()
}

// msbFirst reports whether the highest bit of a word is the first one; otherwise the lowest is.
func (t *Type) msbFirst() bool {
	return len(t.order.Path) > 0 && t.order.Path[len(t.order.Path)-1] == "Msb0"
}

func bitAt(store []byte, i, width int, msb bool) byte {
	at, shift := bitPlace(i, width, msb)
	return store[at] >> shift & 1
}

// bitPlace is where a bit stands in little-endian words of so many bytes.
func bitPlace(i, width int, msb bool) (at, shift int) {
	word, bit := i/(8*width), i%(8*width)
	if msb {
		bit = 8*width - 1 - bit
	}
	return word*width + bit/8, bit % 8
}

// exact is the largest integer of which every language keeps all digits.
const exact = 1<<53 - 1

func jsonUint(c *cursor, dst []byte, width int) []byte {
	switch {
	case width < 16:
		return jsonNumber(dst, U128{Lo: c.uint(width)}, width)
	case width == 16:
		return jsonNumber(dst, c.u128(), width)
	}
	return append(c.wide(width, false).Append(append(dst, '"'), 10), '"')
}

func jsonNumber(dst []byte, v U128, width int) []byte {
	if width >= 16 || v.Lo > exact {
		return append(v.append(append(dst, '"')), '"')
	}
	return v.append(dst)
}

func jsonInt(c *cursor, dst []byte, width int) []byte {
	if width > 8 {
		return append(c.wide(width, true).Append(append(dst, '"'), 10), '"')
	}
	v := c.int(width)
	if v > exact || v < -exact {
		return append(strconv.AppendInt(append(dst, '"'), v, 10), '"')
	}
	return strconv.AppendInt(dst, v, 10)
}

// int reads a signed integer of at most 8 bytes.
func (c *cursor) int(width int) int64 {
	unused := 64 - 8*width
	return int64(c.uint(width)<<unused) >> unused
}

// wide reads an integer of any width.
func (c *cursor) wide(width int, signed bool) *big.Int {
	b := slices.Clone(c.take(width))
	slices.Reverse(b)
	n := new(big.Int).SetBytes(b)
	if signed && n.Bit(8*width-1) == 1 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*width)))
	}
	return n
}

// compactOf reads a compact integer of at most so many bytes.
func (c *cursor) compactOf(width int) U128 {
	v := c.compact()
	if v.bitLen() > 8*width {
		c.fail(fmt.Errorf("%w: compact number above %d bits", ErrInvalid, 8*width))
	}
	return v
}

func (c *cursor) char() rune {
	v := c.u32()
	if v > utf8.MaxRune || !utf8.ValidRune(rune(v)) {
		c.fail(fmt.Errorf("%w: char %d", ErrInvalid, v))
		return utf8.RuneError
	}
	return rune(v)
}

func appendHex(dst, b []byte) []byte {
	return append(hex.AppendEncode(append(dst, `"0x`...), b), '"')
}

// appendQuoted appends a JSON string.
func appendQuoted(dst []byte, s string) []byte {
	const digits = "0123456789abcdef"
	dst = append(dst, '"')
	for _, r := range s { // what is not UTF-8 becomes U+FFFD
		switch {
		case r == '"' || r == '\\':
			dst = append(dst, '\\', byte(r))
		case r < ' ' || r == 0x7f:
			dst = append(dst, '\\', 'u', '0', '0', digits[r>>4], digits[r&15])
		default:
			dst = utf8.AppendRune(dst, r)
		}
	}
	return append(dst, '"')
}
