package phala

import (
	"fmt"
	"math"
	"math/big"
	"math/bits"
	"strings"

	"phalops/internal/fleet"
	"phalops/internal/substrate/scale"
)

// Fixed is a number with 64 bits before and 64 behind the binary point, as the pallets keep V, Ve and all parameters (U64F64).
type Fixed scale.U128

// SetUint128 takes the bits. Decoders of chain data use it.
func (f *Fixed) SetUint128(hi, lo uint64) { *f = Fixed{Hi: hi, Lo: lo} }

// ParseFixed reads a decimal number, cut off after 64 binary places.
func ParseFixed(s string) (Fixed, error) {
	r, err := ParseDecimal(s)
	if err != nil {
		return Fixed{}, err
	}
	n := new(big.Int).Lsh(r.Num(), 64)
	if n.Quo(n, r.Denom()); n.BitLen() > 128 {
		return Fixed{}, fmt.Errorf("%.60q does not fit 64 bits", s)
	}
	return fixed(n), nil
}

// ParseDecimal reads a decimal number that is not negative, such as "0.25", exactly.
func ParseDecimal(s string) (*big.Rat, error) {
	if s == "" || len(s) > 60 || strings.Trim(s, "0123456789.") != "" {
		return nil, fmt.Errorf("not a number: %.60q", s)
	}
	r, ok := new(big.Rat).SetString(s)
	if !ok {
		return nil, fmt.Errorf("not a number: %.60q", s)
	}
	return r, nil
}

// Bits is f·2⁶⁴.
func (f Fixed) Bits() scale.U128 { return scale.U128(f) }

// Text is f cut off after so many decimal places.
func (f Fixed) Text(places int) string { return scale.U128(f).Fixed64(places) }

// String is f cut off after 12 decimal places.
func (f Fixed) String() string { return f.Text(12) }

// IsZero reports whether f is 0.
func (f Fixed) IsZero() bool { return f == Fixed{} }

// Cmp is -1, 0 or 1 as f is less than, equal to or more than g.
func (f Fixed) Cmp(g Fixed) int { return scale.U128(f).Cmp(scale.U128(g)) }

// Rat is f exactly.
func (f Fixed) Rat() *big.Rat {
	return new(big.Rat).SetFrac(scale.U128(f).Big(), new(big.Int).Lsh(big.NewInt(1), 64))
}

// fixed is a number of 2⁻⁶⁴, at most the largest that there is.
func fixed(n *big.Int) (f Fixed) {
	f.SetUint128(words(n))
	return f
}

// words are the two halves of n, at most 2¹²⁸-1: sums of foreign numbers must not begin again at 0.
func words(n *big.Int) (hi, lo uint64) {
	if n.BitLen() > 128 {
		return 1<<64 - 1, 1<<64 - 1
	}
	return new(big.Int).Rsh(n, 64).Uint64(), new(big.Int).And(n, new(big.Int).SetUint64(1<<64-1)).Uint64()
}

func units(a fleet.Amount) *big.Int {
	hi, lo := a.Uint128()
	return scale.U128{Hi: hi, Lo: lo}.Big()
}

func amount(n *big.Int) (a fleet.Amount) {
	if n.Sign() > 0 {
		a.SetUint128(words(n))
	}
	return a
}

// pha is an amount in PHA, exactly.
func pha(a fleet.Amount) *big.Rat { return new(big.Rat).SetFrac(units(a), big.NewInt(1e12)) }

// portion is shares·value/total, cut off; 0 without a total.
func portion(shares, value, total fleet.Amount) fleet.Amount {
	if total.IsZero() {
		return fleet.Amount{}
	}
	n := new(big.Int).Mul(units(shares), units(value))
	return amount(n.Quo(n, units(total)))
}

// sum adds amounts, or the bits of fixed-point numbers, exactly: 2⁶⁴ of them at least.
type sum struct{ over, hi, lo uint64 }

func (s *sum) add(hi, lo uint64) {
	var carry uint64
	s.lo, carry = bits.Add64(s.lo, lo, 0)
	s.hi, carry = bits.Add64(s.hi, hi, carry)
	s.over += carry
}

func (s *sum) amount(a fleet.Amount) { s.add(a.Uint128()) }
func (s *sum) fixed(f Fixed)         { s.add(f.Hi, f.Lo) }

// times adds a·f, cut off after the binary point; to nothing, for the largest ones fill a sum.
func (s *sum) times(a fleet.Amount, f Fixed) {
	hi, lo := a.Uint128()
	behind, _ := bits.Mul64(lo, f.Lo)
	s.add(0, behind)
	s.add(bits.Mul64(lo, f.Hi))
	s.add(bits.Mul64(hi, f.Lo))
	over, most := bits.Mul64(hi, f.Hi)
	s.add(most, 0)
	s.over += over
}

// less is the sum without a, or 0 where a is more.
func (s *sum) less(a fleet.Amount) fleet.Amount {
	hi, lo := a.Uint128()
	var left sum
	var borrow uint64
	left.lo, borrow = bits.Sub64(s.lo, lo, 0)
	left.hi, borrow = bits.Sub64(s.hi, hi, borrow)
	if left.over, borrow = bits.Sub64(s.over, 0, borrow); borrow > 0 {
		return fleet.Amount{}
	}
	return left.total()
}

// words are the two halves of the sum, or of the largest number that there is.
func (s *sum) words() (hi, lo uint64) {
	if s.over > 0 {
		return math.MaxUint64, math.MaxUint64
	}
	return s.hi, s.lo
}

func (s *sum) total() (a fleet.Amount) {
	a.SetUint128(s.words())
	return a
}

func (s *sum) bits() (f Fixed) {
	f.SetUint128(s.words())
	return f
}

func (s *sum) big() *big.Int {
	n := new(big.Int).SetUint64(s.over)
	n.Lsh(n, 64).Or(n, new(big.Int).SetUint64(s.hi))
	return n.Lsh(n, 64).Or(n, new(big.Int).SetUint64(s.lo))
}
