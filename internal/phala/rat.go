package phala

import "math/big"

func add(a, b *big.Rat) *big.Rat  { return new(big.Rat).Add(a, b) }
func less(a, b *big.Rat) *big.Rat { return new(big.Rat).Sub(a, b) }
func mul(a, b *big.Rat) *big.Rat  { return new(big.Rat).Mul(a, b) }
func div(a, b *big.Rat) *big.Rat  { return new(big.Rat).Quo(a, b) }
func whole(n uint32) *big.Rat     { return big.NewRat(int64(n), 1) }

func least(a, b *big.Rat) *big.Rat {
	if a.Cmp(b) < 0 {
		return a
	}
	return b
}

func or0(r *big.Rat) *big.Rat {
	if r == nil {
		return new(big.Rat)
	}
	return r
}

// cut keeps 60 binary places, so that long computations stay short.
func cut(r *big.Rat) *big.Rat {
	n := new(big.Int).Mul(r.Num(), big.NewInt(places))
	return new(big.Rat).SetFrac(n.Quo(n, r.Denom()), big.NewInt(places))
}

// root is the square root, cut off after 64 binary places.
func root(r *big.Rat) *big.Rat {
	n := new(big.Int).Lsh(r.Num(), 128)
	n.Quo(n, r.Denom())
	return new(big.Rat).SetFrac(n.Sqrt(n), new(big.Int).Lsh(big.NewInt(1), 64))
}
