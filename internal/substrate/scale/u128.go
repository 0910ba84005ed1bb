package scale

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"math/big"
	"math/bits"
	"strconv"
	"strings"
)

// U128 is an unsigned 128-bit integer, the chain's own width for balances and fixed-point numbers. It is comparable; its JSON
// is a decimal string, because most languages lose digits above 2⁵³.
type U128 struct{ Hi, Lo uint64 }

var errNumber = errors.New("not an unsigned 128-bit number")

// ParseU128 reads a decimal number, or a hexadecimal one with 0x.
func ParseU128(s string) (U128, error) {
	digits, base := s, 10
	if hex, ok := strings.CutPrefix(s, "0x"); ok {
		digits, base = hex, 16
	}
	if len(digits) > 39 || digits == "" || digits[0] == '-' || digits[0] == '+' {
		return U128{}, fmt.Errorf("%w: %.60q", errNumber, s)
	}
	n, ok := new(big.Int).SetString(digits, base)
	if !ok || n.BitLen() > 128 {
		return U128{}, fmt.Errorf("%w: %.60q", errNumber, s)
	}
	return fromBig(n), nil
}

func fromBig(n *big.Int) U128 {
	var b [16]byte
	n.FillBytes(b[:])
	return U128{Hi: binary.BigEndian.Uint64(b[:]), Lo: binary.BigEndian.Uint64(b[8:])}
}

// Big is u as a big.Int.
func (u U128) Big() *big.Int {
	n := new(big.Int).SetUint64(u.Hi)
	return n.Lsh(n, 64).Or(n, new(big.Int).SetUint64(u.Lo))
}

// Cmp is -1, 0 or 1 as u is less than, equal to or more than v.
func (u U128) Cmp(v U128) int {
	if u.Hi != v.Hi {
		return cmp.Compare(u.Hi, v.Hi)
	}
	return cmp.Compare(u.Lo, v.Lo)
}

// Add is u + v, and whether it fits.
func (u U128) Add(v U128) (sum U128, fits bool) {
	lo, carry := bits.Add64(u.Lo, v.Lo, 0)
	hi, carry := bits.Add64(u.Hi, v.Hi, carry)
	return U128{hi, lo}, carry == 0
}

func (u U128) bitLen() int {
	if u.Hi != 0 {
		return 64 + bits.Len64(u.Hi)
	}
	return bits.Len64(u.Lo)
}

// append appends the decimal digits.
func (u U128) append(dst []byte) []byte {
	if u.Hi == 0 {
		return strconv.AppendUint(dst, u.Lo, 10)
	}
	const group = 1e19 // the largest power of ten in 64 bits
	var parts [3]uint64
	n := 0
	for ; u.Hi != 0 || u.Lo != 0; n++ {
		hi, rest := u.Hi/group, u.Hi%group
		lo, rest := bits.Div64(rest, u.Lo, group)
		u, parts[n] = U128{hi, lo}, rest
	}
	dst = strconv.AppendUint(dst, parts[n-1], 10)
	for n -= 2; n >= 0; n-- {
		var digits [19]byte
		for i, v := len(digits)-1, parts[n]; i >= 0; i-- {
			digits[i] = byte('0' + v%10)
			v /= 10
		}
		dst = append(dst, digits[:]...)
	}
	return dst
}

// String is the decimal number.
func (u U128) String() string { return string(u.append(nil)) }

// MarshalText writes String's form.
func (u U128) MarshalText() ([]byte, error) { return u.append(nil), nil }

// UnmarshalText reads ParseU128's form.
func (u *U128) UnmarshalText(b []byte) error {
	v, err := ParseU128(string(b))
	if err != nil {
		return err
	}
	*u = v
	return nil
}

// Fixed64 is u as a fixed-point number with 64 bits behind the point (U64F64, the "bits" of substrate-fixed), cut off after so
// many decimal places. 64 places are always exact.
func (u U128) Fixed64(places int) string {
	dst := strconv.AppendUint(nil, u.Hi, 10)
	if places <= 0 {
		return string(dst)
	}
	dst = append(dst, '.')
	for frac := u.Lo; places > 0; places-- {
		var digit uint64
		digit, frac = bits.Mul64(frac, 10)
		dst = append(dst, byte('0'+digit))
	}
	return string(dst)
}
