package prb

import (
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// The quick arithmetic agrees with math/big for every 128-bit number, in every spelling.
func TestNumbersOfTheChain(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		edge := rapid.SampledFrom([]uint64{0, 1, 1 << 63, 1<<64 - 1, 9_999_999_999_999_999_999, 10_000_000_000_000_000_000})
		part := rapid.OneOf(rapid.Uint64(), edge)
		hi, lo := part.Draw(t, "hi"), part.Draw(t, "lo")
		n := new(big.Int).SetUint64(hi)
		n.Lsh(n, 64).Or(n, new(big.Int).SetUint64(lo))
		for _, text := range []string{n.String(), "0x" + n.Text(16), "0x00" + strings.ToUpper(n.Text(16))} {
			if got, ok := integer([]byte(text)); !ok || got != (u128{hi, lo}) {
				t.Fatalf("%s became %v, %v", text, got, ok)
			}
		}
		want := new(big.Rat).SetFrac(n, new(big.Int).Lsh(big.NewInt(1), 64)).FloatString(8)
		if got := places(u128{hi, lo}); got != want {
			t.Fatalf("%s is %s, want %s", n, got, want)
		}
	})
	for _, bad := range []string{"", "0x", "-1", "+1", "1_0", "1.5", "0xg", " 1", "340282366920938463463374607431768211456", "0x100000000000000000000000000000000", strings.Repeat("9", 60)} {
		if n, ok := integer([]byte(bad)); ok {
			t.Errorf("%q became %v", bad, n)
		}
	}
}

// The quick look of Redact never spares what the thorough one would not.
func TestHarmlessTextsNeedNoRedaction(t *testing.T) {
	words := rapid.SampledFrom([]string{"polkadotJson", "POLKADOTJSON", "mnemonic\": \"", "encoded\\\":\\\"", "rawSeed':'", "MFMCAQEw", "S_ERROR", " ", "ab12", "Error: ", "ſ", "K"})
	rapid.Check(t, func(t *rapid.T) {
		text := strings.Join(rapid.SliceOfN(words, 0, 12).Draw(t, "text"), "")
		if harmless(text) {
			for _, found := range []bool{keyWord.MatchString(text), secretField.MatchString(text), pkcs8.MatchString(text), longRun.MatchString(text)} {
				if found {
					t.Fatalf("%q is not harmless", text)
				}
			}
		}
	})
}
