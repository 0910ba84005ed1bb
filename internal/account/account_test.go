package account

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/cosmos/go-bip39"
	"pgregory.net/rapid"

	"phalops/internal/fleet"
	"phalops/internal/i18n"
	"phalops/internal/secret"
)

// dev is the public phrase of all Substrate development chains.
const dev = "bottom drive obey lake curtain smoke basket hold race lonely fit walk"

// TestKnownAccounts: those of the development phrase, as every Substrate chain's documentation has them, and of the phrases of
// substrate-bip39's own tests whose entropy is all the same.
func TestKnownAccounts(t *testing.T) {
	for suffix, want := range map[string]struct{ key, khala, any string }{
		"":               {"46ebddef8cd9bb167dc30878d7113b7e168e6f0646beffd77d69d39bad76b47a", "42DnB4uneK6bURXJeXgMdWYyUah9tSaviM2ijedZXxsPTQWY", "5DfhGyQdFobKM8NsWvEeAKk5EQQgYe9AydgJ7rMB6E1EqRzV"},
		"//Alice":        {"d43593c715fdd31c61141abd04a99fd6822c8558854ccde39a5684e7a56da27d", "45R2pfjQUW2s9PQRHU48HQKLKHVMaDja7N3wpBtmF28UYDs2", "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY"},
		"//Bob":          {"8eaf04151687736326c9fea17e25fc5287613693c912909cb226aa4794f26a48", "", "5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty"},
		"//Alice//stash": {"be5ddb1579b72e84524fc29e78609e3caf42e85aa118ebfe0b0ad404b5bdd25f", "", "5GNJqTPyNqANBkUVMN1LPPrxXnFouWXoe2wNSmmEoLctxiZY"},
	} {
		a, err := Of(secret.NewValue(dev + suffix))
		if err != nil {
			t.Errorf("%q: %v", suffix, err)
			continue
		}
		if hex.EncodeToString(a.Key[:]) != want.key || a.Address(42) != want.any || want.khala != "" && a.Address(30) != want.khala || a.Derived != (suffix != "") {
			t.Errorf("%q: %x %s %s %t", suffix, a.Key, a.Address(30), a.Address(42), a.Derived)
		}
	}
}

// said is what people read and logs hold of an error.
func said(catalog *i18n.Catalog, err error) string {
	r := fleet.ReasonOf(err)
	b, _ := json.Marshal(r)
	return strings.Join([]string{err.Error(), fmt.Sprintf("%+v", err), string(b), catalog.Text(i18n.EN, r.Code, r.Args), catalog.Text(i18n.ZH, r.Code, r.Args)}, "\n")
}

// TestSlips: what is wrong is told with its place.
func TestSlips(t *testing.T) {
	word := func(at int, w string) string {
		words := strings.Fields(dev)
		words[at-1] = w
		return strings.Join(words, " ")
	}
	for name, c := range map[string]struct{ phrase, code, positions string }{
		"a word misspelt":           {word(4, "lakes"), "account.not_in_list", "4"},
		"two":                       {strings.Replace(word(1, "bottum"), "walk", "wlak", 1), "account.not_in_list", "1, 12"},
		"cut off":                   {word(5, "curt"), "account.not_in_list", "5"},
		"another word of the list":  {word(12, "wall"), "account.checksum", ""},
		"two words changed places":  {strings.Replace(dev, "bottom drive", "drive bottom", 1), "account.checksum", ""},
		"a word too few":            {strings.TrimSuffix(dev, " walk"), "account.count", ""},
		"nine words":                {strings.Join(strings.Fields(dev)[:9], " "), "account.count", ""},
		"27 words":                  {strings.Join(slices.Repeat(strings.Fields(dev)[:9], 3), " "), "account.count", ""},
		"two spaces":                {strings.Replace(dev, " ", "  ", 1), "account.spaces", ""},
		"a space behind":            {dev + " ", "account.spaces", ""},
		"a space before the path":   {dev + " //Alice", "account.spaces", ""},
		"lines":                     {strings.ReplaceAll(dev, " ", "\n"), "account.spaces", ""},
		"capitals":                  {strings.ToUpper(dev[:1]) + dev[1:], "account.capitals", ""},
		"commas":                    {strings.ReplaceAll(dev, " ", ", "), "account.foreign", ""},
		"wide spaces":               {strings.ReplaceAll(dev, " ", "\u3000"), "account.foreign", ""},
		"Chinese":                   {"的 一 是 在 不 了 有 和 人 这 中 大", "account.foreign", ""},
		"numbered":                  {"1 " + dev, "account.foreign", ""},
		"a raw seed":                {"0x" + strings.Repeat("ab", 32), "account.raw_seed", ""},
		"a key file":                {`{"encoded":"MFMC","encoding":{"content":["pkcs8","sr25519"]}}`, "account.json", ""},
		"nothing":                   {"", "account.empty", ""},
		"spaces only":               {" \n", "account.empty", ""},
		"an empty junction":         {dev + "//", "account.path", ""},
		"an empty soft one":         {dev + "/", "account.path", ""},
		"one between":               {dev + "//a//", "account.path", ""},
		"a number above 64 bits":    {dev + "//18446744073709551616", "account.path", ""},
		"a path without its phrase": {"//Alice", "account.empty", ""},
	} {
		_, err := Of(secret.NewValue(c.phrase))
		r := fleet.ReasonOf(err)
		if r.Code != c.code || r.Args["positions"] != c.positions || fleet.KindOf(err) != fleet.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Of(secret.Value{}); fleet.ReasonOf(err).Code != "account.empty" {
		t.Error(err)
	}
}

// TestNoErrorShowsAWord: whatever is wrong with a phrase, nothing that is said about it has a word of it.
func TestNoErrorShowsAWord(t *testing.T) {
	catalog, err := i18n.Load()
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(r *rapid.T) {
		// Words that no sentence of the catalogue has.
		words := rapid.SliceOfN(rapid.StringMatching(`[q-z]{6,9}|zoo|zebra|wrist|vivid`), 1, 27).Draw(r, "words")
		phrase := strings.Join(words, rapid.SampledFrom([]string{" ", " ", " ", "  ", "\n", ",", "/"}).Draw(r, "between"))
		phrase = rapid.SampledFrom([]string{"", "", "{", "0x", " "}).Draw(r, "before") + phrase
		_, err := Of(secret.NewValue(phrase))
		if err == nil {
			return
		}
		for _, w := range words {
			if text := said(catalog, err); strings.Contains(text, w) {
				r.Fatalf("%q is in %s", w, text)
			}
		}
	})
}

// TestEveryChecksum: of all last words, exactly those with the right checksum are taken, for every length.
func TestEveryChecksum(t *testing.T) {
	for _, n := range []int{12, 15, 18, 21, 24} {
		entropy := make([]byte, n/3*4)
		for i := range entropy {
			entropy[i] = byte(i*37 + n)
		}
		phrase, err := bip39.NewMnemonic(entropy)
		if err != nil {
			t.Fatal(err)
		}
		words := strings.Fields(phrase)
		good := 0
		for _, last := range bip39.EnglishWordList {
			words[n-1] = last
			got, err := entropyOf(words)
			switch {
			case err == nil:
				good++
				if again, _ := bip39.NewMnemonic(got); again != strings.Join(words, " ") {
					t.Errorf("%d words: the entropy is %x", n, got)
				}
			case last == strings.Fields(phrase)[n-1]:
				t.Errorf("%d words: %v", n, err)
			}
		}
		if want := 2048 >> (n / 3); good != want {
			t.Errorf("%d words: %d last words are right, want %d", n, good, want)
		}
	}
}

func entropyOf(words []string) ([]byte, error) { return entropy(strings.Join(words, " ")) }

func FuzzOf(f *testing.F) {
	for _, s := range []string{dev, dev + "//Alice/1///pw", dev + "//" + strings.Repeat("x", 70), "", "//", "///", "0x", strings.Repeat("zoo ", 23) + "vote", "\xff\xfe"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		a, err := Of(secret.NewValue(s))
		if (err == nil) == (a == Account{}) {
			t.Error(a, err)
		}
	})
}
