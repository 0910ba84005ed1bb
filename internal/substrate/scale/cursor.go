package scale

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
)

// Errors that errors.Is finds in what this package returns.
var (
	ErrShort    = errors.New("the bytes end too early")
	ErrTrailing = errors.New("bytes are left over")
	ErrInvalid  = errors.New("not an encoding of this type")
	ErrTooDeep  = errors.New("nested too deeply, or too much work for so few bytes")
	ErrUnknown  = errors.New("not in the metadata")
)

const (
	maxDepth = 64 // of values; real ones stay below 20
	// A value may cost this many steps and some for every byte, so that types without size cannot multiply the work.
	baseFuel, fuelPerByte = 1 << 14, 16
)

// cursor reads SCALE from front to back. Its first error stays: after it every read gives zero.
type cursor struct {
	b     []byte
	fuel  int
	depth int
	err   error
}

func newCursor(b []byte) cursor { return cursor{b: b, fuel: baseFuel + fuelPerByte*len(b)} }

func (c *cursor) fail(err error) {
	if c.err == nil {
		c.err = err
	}
	c.b = nil
}

// within names the place of a first error, from the inside to the outside.
func (c *cursor) within(name string) {
	if c.err != nil {
		c.err = fmt.Errorf("%s: %w", name, c.err)
	}
}

// enter begins a value and reports whether that is still allowed; leave ends it.
func (c *cursor) enter() bool {
	c.fuel--
	c.depth++
	if c.fuel < 0 || c.depth > maxDepth {
		c.fail(ErrTooDeep)
	}
	return c.err == nil
}

func (c *cursor) leave() { c.depth-- }

// end fails when bytes are left over, and gives the first error.
func (c *cursor) end() error {
	if c.err == nil && len(c.b) > 0 {
		c.fail(fmt.Errorf("%w: %d", ErrTrailing, len(c.b)))
	}
	return c.err
}

// take gives the next n bytes where they stand, nil when there are not so many.
func (c *cursor) take(n int) []byte {
	if n < 0 || n > len(c.b) {
		c.fail(ErrShort)
		return nil
	}
	b := c.b[:n:n]
	c.b = c.b[n:]
	return b
}

func (c *cursor) u8() byte {
	if len(c.b) == 0 {
		c.fail(ErrShort)
		return 0
	}
	v := c.b[0]
	c.b = c.b[1:]
	return v
}

func (c *cursor) u32() uint32 {
	if b := c.take(4); b != nil {
		return binary.LittleEndian.Uint32(b)
	}
	return 0
}

func (c *cursor) u64() uint64 {
	if b := c.take(8); b != nil {
		return binary.LittleEndian.Uint64(b)
	}
	return 0
}

func (c *cursor) u128() U128 {
	if b := c.take(16); b != nil {
		return U128{Hi: binary.LittleEndian.Uint64(b[8:]), Lo: binary.LittleEndian.Uint64(b)}
	}
	return U128{}
}

// uint reads an integer of 1, 2, 4 or 8 bytes.
func (c *cursor) uint(width int) uint64 {
	switch width {
	case 1:
		return uint64(c.u8())
	case 2:
		if b := c.take(2); b != nil {
			return uint64(binary.LittleEndian.Uint16(b))
		}
		return 0
	case 4:
		return uint64(c.u32())
	default:
		return c.u64()
	}
}

func (c *cursor) bool() bool {
	v := c.u8()
	if v > 1 {
		c.fail(fmt.Errorf("%w: byte %d for a bool", ErrInvalid, v))
	}
	return v == 1
}

// compact reads a compact integer below 2¹²⁸. Only the shortest form of a number is one.
func (c *cursor) compact() U128 {
	first := c.u8()
	var v U128
	var least U128
	switch first & 3 {
	case 0:
		return U128{Lo: uint64(first >> 2)}
	case 1:
		v, least = U128{Lo: (uint64(c.u8())<<8 | uint64(first)) >> 2}, U128{Lo: 1 << 6}
	case 2:
		if b := c.take(3); b != nil {
			v = U128{Lo: (uint64(b[2])<<24 | uint64(b[1])<<16 | uint64(b[0])<<8 | uint64(first)) >> 2}
		}
		least = U128{Lo: 1 << 14}
	default:
		n := int(first>>2) + 4
		if n > 16 {
			c.fail(fmt.Errorf("%w: compact number of %d bytes", ErrInvalid, n))
			return U128{}
		}
		var wide [16]byte
		copy(wide[:], c.take(n))
		v = U128{Hi: binary.LittleEndian.Uint64(wide[8:]), Lo: binary.LittleEndian.Uint64(wide[:])}
		least = U128{Lo: 1 << 30}
		if n > 4 && v.bitLen() <= 8*(n-1) {
			c.fail(fmt.Errorf("%w: compact number with a leading zero", ErrInvalid))
		}
	}
	if c.err == nil && v.Cmp(least) < 0 {
		c.fail(fmt.Errorf("%w: compact number that is not in its shortest form", ErrInvalid))
	}
	return v
}

// small reads a compact integer of at most 32 bits.
func (c *cursor) small() uint32 {
	v := c.compact()
	if v.Hi != 0 || bits.Len64(v.Lo) > 32 {
		c.fail(fmt.Errorf("%w: number above 32 bits", ErrInvalid))
		return 0
	}
	return uint32(v.Lo)
}

// count reads the length of a list whose items have at least size bytes each.
func (c *cursor) count(size int) int {
	n := int(c.small())
	if size > 0 && n > len(c.b)/size {
		c.fail(ErrShort)
		return 0
	}
	return n
}

func (c *cursor) bytes() []byte { return c.take(c.count(1)) }

func (c *cursor) text() string { return string(c.bytes()) }
