package v3

import (
	"bytes"
	"math/big"
	"strings"
)

const (
	base58     = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
	accountLen = 32
	checkLen   = 2
)

// sameAccount reports whether two SS58 addresses name the same account: prb-wm writes every address it is given anew, with
// the prefix of Khala and Phala.
func sameAccount(a, b string) bool {
	if a == b {
		return true
	}
	x, y := accountID(a), accountID(b)
	return x != nil && bytes.Equal(x, y)
}

// accountID is the account in an address, without a look at prefix and checksum; nil for what is none.
func accountID(address string) []byte {
	if address == "" || len(address) > 64 {
		return nil
	}
	n, base := new(big.Int), big.NewInt(int64(len(base58)))
	for _, r := range address {
		digit := strings.IndexRune(base58, r)
		if digit < 0 {
			return nil
		}
		n.Add(n.Mul(n, base), big.NewInt(int64(digit)))
	}
	raw := n.Bytes()
	switch len(raw) + leadingZeros(address) - accountLen - checkLen { // the length of the prefix
	case 1, 2:
	default:
		return nil
	}
	if len(raw) < accountLen+checkLen {
		return nil
	}
	return raw[len(raw)-accountLen-checkLen : len(raw)-checkLen]
}

// leadingZeros counts the zero bytes that a number does not show.
func leadingZeros(address string) int {
	return len(address) - len(strings.TrimLeft(address, base58[:1]))
}
