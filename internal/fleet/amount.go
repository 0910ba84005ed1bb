package fleet

import (
	"errors"
	"fmt"
	"math/big"
	"math/bits"
	"strings"
)

// Amount is a balance in the chain's smallest unit, 10⁻¹² PHA, as an unsigned 128-bit number (the chain's own width).
// It is comparable; its JSON is a decimal string of the smallest unit, because most languages lose digits above 2⁵³.
type Amount struct{ hi, lo uint64 }

// PHADecimals is the number of digits behind PHA's decimal point on Khala and Phala.
const PHADecimals = 12

// NewAmount makes an Amount of n smallest units.
func NewAmount(n uint64) Amount { return Amount{lo: n} }

// SetUint128 makes a 2⁶⁴·hi + lo smallest units. Decoders of chain data use it.
func (a *Amount) SetUint128(hi, lo uint64) { *a = Amount{hi, lo} }

// Uint128 is a as 2⁶⁴·hi + lo smallest units, for exact arithmetic.
func (a Amount) Uint128() (hi, lo uint64) { return a.hi, a.lo }

// PHA makes an Amount of n whole PHA.
func PHA(n uint64) Amount {
	hi, lo := bits.Mul64(n, 1e12)
	return Amount{hi, lo}
}

var errAmount = errors.New("not an amount")

// ParseAmount reads a decimal number of smallest units, as bridges write stakes. "" is an error.
func ParseAmount(s string) (Amount, error) {
	return parseDecimal(s, s)
}

// ParsePHA reads an amount in PHA with at most 12 decimal places, such as "10" or "10.5", exactly.
func ParsePHA(s string) (Amount, error) {
	whole, frac, _ := strings.Cut(s, ".")
	if len(frac) > PHADecimals || (whole == "" && frac == "") {
		return Amount{}, fmt.Errorf("%w: %q", errAmount, s)
	}
	return parseDecimal(whole+frac+strings.Repeat("0", PHADecimals-len(frac)), s)
}

func parseDecimal(digits, given string) (Amount, error) {
	if digits == "" || len(digits) > 60 || strings.Trim(digits, "0123456789") != "" {
		return Amount{}, fmt.Errorf("%w: %.80q", errAmount, given)
	}
	n, _ := new(big.Int).SetString(digits, 10)
	if n.BitLen() > 128 {
		return Amount{}, fmt.Errorf("%w: %.80q is above 128 bits", errAmount, given)
	}
	return Amount{hi: new(big.Int).Rsh(n, 64).Uint64(), lo: n.Uint64()}, nil
}

// Cmp is -1, 0 or 1 as a is less than, equal to or more than b.
func (a Amount) Cmp(b Amount) int {
	switch {
	case a == b:
		return 0
	case a.hi < b.hi || (a.hi == b.hi && a.lo < b.lo):
		return -1
	default:
		return 1
	}
}

// Plus is a + b, at most the largest amount that there is: sums of foreign numbers must not begin again at 0.
func (a Amount) Plus(b Amount) Amount {
	lo, carry := bits.Add64(a.lo, b.lo, 0)
	hi, over := bits.Add64(a.hi, b.hi, carry)
	if over != 0 {
		return Amount{1<<64 - 1, 1<<64 - 1}
	}
	return Amount{hi, lo}
}

// Minus is a - b, or 0 where b is more.
func (a Amount) Minus(b Amount) Amount {
	if a.Cmp(b) <= 0 {
		return Amount{}
	}
	lo, borrow := bits.Sub64(a.lo, b.lo, 0)
	hi, _ := bits.Sub64(a.hi, b.hi, borrow)
	return Amount{hi, lo}
}

// IsZero reports whether a is 0.
func (a Amount) IsZero() bool { return a == Amount{} }

func (a Amount) big() *big.Int {
	n := new(big.Int).SetUint64(a.hi)
	return n.Lsh(n, 64).Or(n, new(big.Int).SetUint64(a.lo))
}

// String is the decimal number of smallest units.
func (a Amount) String() string { return a.big().String() }

// PHA is the amount in PHA without trailing zeros: "10", "10.5".
func (a Amount) PHA() string {
	s := a.String()
	if len(s) <= PHADecimals {
		s = strings.Repeat("0", PHADecimals+1-len(s)) + s
	}
	whole, frac := s[:len(s)-PHADecimals], strings.TrimRight(s[len(s)-PHADecimals:], "0")
	if frac == "" {
		return whole
	}
	return whole + "." + frac
}

// InPHA is the amount in PHA as a number for comparisons and charts; accounts need the exact forms above.
func (a Amount) InPHA() float64 { return (float64(a.hi)*(1<<64) + float64(a.lo)) / 1e12 }

// MarshalText writes String's form.
func (a Amount) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText reads ParseAmount's form.
func (a *Amount) UnmarshalText(b []byte) error {
	v, err := ParseAmount(string(b))
	if err != nil {
		return err
	}
	*a = v
	return nil
}
