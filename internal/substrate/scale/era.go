package scale

import (
	"encoding/binary"
	"fmt"
	"math/bits"
	"strconv"
)

// Era is for how long a signed transaction may be included: from the block that is phase more than a multiple of period, for
// period blocks. The zero value is immortal. Source: sp-runtime, generic/era.rs.
type Era struct{ Period, Phase uint64 }

// Mortal makes the era of at least period blocks that contains the current one; between 4 and 65,536 blocks.
func Mortal(period, current uint64) Era {
	period = min(max(period, 4), 1<<16)
	period = 1 << bits.Len64(period-1)
	step := max(period>>12, 1)
	return Era{period, current % period / step * step}
}

// Append appends the encoding of e.
func (e Era) Append(dst []byte) []byte {
	if e.Period == 0 {
		return append(dst, 0)
	}
	step := max(e.Period>>12, 1)
	low := min(max(bits.TrailingZeros64(e.Period)-1, 1), 15)
	return binary.LittleEndian.AppendUint16(dst, uint16(low)|uint16(e.Phase/step)<<4)
}

func (c *cursor) era() Era {
	first := c.u8()
	if first == 0 {
		return Era{}
	}
	code := uint64(first) | uint64(c.u8())<<8
	period := uint64(2) << (code & 15)
	phase := code >> 4 * max(period>>12, 1)
	if period < 4 || phase >= period {
		c.fail(fmt.Errorf("%w: era %#04x", ErrInvalid, code))
	}
	return Era{period, phase}
}

func jsonEra(c *cursor, dst []byte) []byte {
	e := c.era()
	if e.Period == 0 {
		return append(dst, `"Immortal"`...)
	}
	dst = strconv.AppendUint(append(dst, `{"Mortal":{"period":`...), e.Period, 10)
	dst = strconv.AppendUint(append(dst, `,"phase":`...), e.Phase, 10)
	return append(dst, "}}"...)
}
