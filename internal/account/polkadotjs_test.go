package account

import (
	"encoding/json"
	"math/rand/v2"
	"testing"

	"github.com/cosmos/go-bip39"

	"phalops/internal/secret"
	"phalops/internal/testkit"
)

// TestPolkadotJSAgrees: phrases of every length, with paths and passwords, have the address that the stock client derives.
func TestPolkadotJSAgrees(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	suffixes := []string{
		"", "//Alice", "/soft", "//hard/soft//0", "/0", "//18446744073709551615", "//a name that is longer than thirty-two bytes, by far",
		"//exactly-thirty-one-bytes-of-it", "///password", "//Bob/1///pass/word//with slashes", "//中文", "/1/2/3/4",
	}
	var phrases, got []string
	for _, n := range []int{16, 20, 24, 28, 32} {
		for _, suffix := range suffixes {
			entropy := make([]byte, n)
			for i := range entropy {
				entropy[i] = byte(random.Uint32())
			}
			phrase, err := bip39.NewMnemonic(entropy)
			if err != nil {
				t.Fatal(err)
			}
			a, err := Of(secret.NewValue(phrase + suffix))
			if err != nil {
				t.Fatalf("%q: %v", suffix, err)
			}
			phrases, got = append(phrases, phrase+suffix), append(got, a.Address(30))
		}
	}
	input, err := json.Marshal(phrases)
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	if err := json.Unmarshal(testkit.RunPolkadotJS(t, input, "testdata/polkadotjs.cjs"), &want); err != nil || len(want) != len(got) {
		t.Fatal(len(want), err)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("%q is %s, the stock client says %s", phrases[i], got[i], want[i])
		}
	}
}
