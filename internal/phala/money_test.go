package phala

import (
	"math/big"
	"testing"

	"pgregory.net/rapid"

	"phalops/internal/fleet"
)

// Sums, Plus and Minus are those of math/big, held within what an amount can be.
func TestSumsAreExact(t *testing.T) {
	most := amount(new(big.Int).Lsh(big.NewInt(1), 200))
	draw := rapid.Custom(func(t *rapid.T) (a fleet.Amount) {
		if rapid.IntRange(0, 9).Draw(t, "most") == 0 {
			return most
		}
		a.SetUint128(rapid.Uint64().Draw(t, "hi"), rapid.Uint64().Draw(t, "lo"))
		return a
	})
	rapid.Check(t, func(t *rapid.T) {
		all := rapid.SliceOfN(draw, 2, 20).Draw(t, "amounts")
		var s sum
		var want big.Int
		for _, a := range all {
			s.amount(a)
			want.Add(&want, units(a))
		}
		if s.big().Cmp(&want) != 0 || s.total() != amount(&want) || s.bits() != fixed(&want) {
			t.Fatalf("the sum of %v is %s, want %s", all, s.big(), &want)
		}
		a, b := all[0], all[1]
		if got := a.Plus(b); got != amount(new(big.Int).Add(units(a), units(b))) {
			t.Fatalf("%s + %s = %s", a, b, got)
		}
		if got := a.Minus(b); got != amount(new(big.Int).Sub(units(a), units(b))) {
			t.Fatalf("%s - %s = %s", a, b, got)
		}
		var f Fixed
		f.SetUint128(b.Uint128())
		var earned sum
		earned.times(a, f)
		product := new(big.Int).Mul(units(a), units(b))
		if product.Rsh(product, 64); earned.big().Cmp(product) != 0 {
			t.Fatalf("%s·%s = %s, want %s", a, f, earned.big(), product)
		}
		if got := earned.less(b); got != amount(product.Sub(product, units(b))) {
			t.Fatalf("less %s it is %s, want %s", b, got, product)
		}
	})
}
