package scale

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/mr-tron/base58"
	"pgregory.net/rapid"
)

const (
	root  = "0x46ebddef8cd9bb167dc30878d7113b7e168e6f0646beffd77d69d39bad76b47a"
	alice = "0xd43593c715fdd31c61141abd04a99fd6822c8558854ccde39a5684e7a56da27d"
)

func TestAddresses(t *testing.T) {
	for _, tc := range []struct {
		prefix        uint16
		account, text string
	}{
		{30, root, "42DnB4uneK6bURXJeXgMdWYyUah9tSaviM2ijedZXxsPTQWY"},
		{30, alice, "45R2pfjQUW2s9PQRHU48HQKLKHVMaDja7N3wpBtmF28UYDs2"},
		{42, alice, "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY"},
		{0, alice, "15oF4uVJwmo4TdGW7VfQxNLavjCXviqxT9S1MgbjMNHr6Sp5"},
		{2, alice, "HNZata7iMYWmk5RvZRTiAsSDhV8366zq2YGb3tLH5Upf74F"},
		{252, alice, "xw8P6urbSAronL3zZFB7dg8p7LLSgKCUFDUgjohnf1iP434ic"},
		{255, alice, "yGHXkYLYqxijLKKfd9Q2CB9shRVu8rPNBS53wvwGTutYg4zTg"},
	} {
		var account [32]byte
		copy(account[:], unhex(t, tc.account))
		if got := Address(tc.prefix, account); got != tc.text {
			t.Errorf("prefix %d: %s, want %s", tc.prefix, got, tc.text)
		}
		if prefix, got, err := ParseAddress(tc.text); err != nil || got != account || prefix != tc.prefix {
			t.Errorf("%s: %d %x %v", tc.text, prefix, got, err)
		}
	}
}

func TestAddressesThatAreNone(t *testing.T) {
	good := Address(30, [32]byte{1})
	body := checked(30, make([]byte, 31))
	wide := append([]byte{0x40 | 30>>2, 30 & 3 << 6}, make([]byte, 32)...)
	sum := checksum(wide)
	for _, s := range []string{
		"", "0", "hello", good[:47], good + "1", strings.Replace(good, "4", "3", 1), strings.ToLower(good), base58.Encode(body),
		strings.Repeat("1", 1000), base58.Encode(append(wide, sum[0], sum[1])), "中" + good, root,
	} {
		if _, account, err := ParseAddress(s); !errors.Is(err, ErrAddress) {
			t.Errorf("%s: %x, %v", s, account, err)
		}
	}
}

func TestAddressesComeBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		prefix := rapid.Uint16Range(0, maxPrefix).Draw(t, "prefix")
		account := [32]byte(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "account"))
		text := Address(prefix, account)
		p, a, err := ParseAddress(text)
		if err != nil || p != prefix || a != account {
			t.Fatal(text, p, a, err)
		}
		at := rapid.IntRange(0, len(text)-1).Draw(t, "at")
		for _, other := range "1Zz" {
			if wrong := text[:at] + string(other) + text[at+1:]; wrong != text {
				if p, a, err := ParseAddress(wrong); err == nil && p == prefix && a == account {
					t.Fatalf("%s and %s are one address", text, wrong)
				}
			}
		}
	})
}

func FuzzParseAddress(f *testing.F) {
	f.Add("45R2pfjQUW2s9PQRHU48HQKLKHVMaDja7N3wpBtmF28UYDs2")
	f.Add("xw8P6urbSAronL3zZFB7dg8p7LLSgKCUFDUgjohnf1iP434ic")
	f.Fuzz(func(t *testing.T, s string) {
		if prefix, account, err := ParseAddress(s); err == nil && Address(prefix, account) != s {
			t.Fatalf("%q is %s", s, Address(prefix, account))
		}
	})
}

func TestU128(t *testing.T) {
	most := new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 128), big.NewInt(1))
	rapid.Check(t, func(t *rapid.T) {
		a := U128{rapid.Uint64().Draw(t, "hi"), rapid.Uint64().Draw(t, "lo")}
		b := U128{rapid.Uint64().Draw(t, "hi 2"), rapid.Uint64().Draw(t, "lo 2")}
		if a.String() != a.Big().String() {
			t.Fatal(a, a.Big())
		}
		if back, err := ParseU128(a.String()); err != nil || back != a {
			t.Fatal(back, err)
		}
		if back, err := ParseU128(fmt.Sprintf("0x%x", a.Big())); err != nil || back != a {
			t.Fatal(back, err)
		}
		if a.Cmp(b) != a.Big().Cmp(b.Big()) || a.bitLen() != a.Big().BitLen() {
			t.Fatal(a, b)
		}
		want := new(big.Int).Add(a.Big(), b.Big())
		sum, fits := a.Add(b)
		if fits != (want.Cmp(most) <= 0) || sum.Big().Cmp(want.And(want, most)) != 0 {
			t.Fatal(a, b, sum, fits)
		}
		places := rapid.IntRange(1, 64).Draw(t, "places")
		exact := new(big.Rat).SetFrac(a.Big(), new(big.Int).Lsh(big.NewInt(1), 64))
		if text := exact.FloatString(64); a.Fixed64(places) != text[:len(text)-64+places] {
			t.Fatal(a.Fixed64(places), text)
		}
	})
	if got := (U128{Hi: 7}).Fixed64(0); got != "7" {
		t.Error(got)
	}
	for _, bad := range []string{"", "-1", "+1", "0x", "1.5", "340282366920938463463374607431768211456", strings.Repeat("9", 60), "0xg", " 1"} {
		if u, err := ParseU128(bad); err == nil {
			t.Errorf("%q is %s", bad, u)
		}
	}
	b, err := json.Marshal(map[string]U128{"n": {Hi: 1}})
	var back map[string]U128
	if err != nil || string(b) != `{"n":"18446744073709551616"}` || json.Unmarshal(b, &back) != nil || back["n"] != (U128{Hi: 1}) {
		t.Error(string(b), back, err)
	}
}

// TestHashes holds the hashes of names against those of the reference, and every hasher against what others compute.
func TestHashes(t *testing.T) {
	for name, want := range map[string]string{
		"PhalaRegistry": "0d746931e7a6bfd47fbcccfd71984aef", "Workers": "1bf55d6b9732eb86723ccad1af88b985",
		"PhalaComputation": "b71c310d8c830d345ee1c1b84566a8d1", "Sessions": "028685274e698e781f7f2766cba0cc83",
		"System": "26aa394eea5630e07c48ae0c9558cef7", "RmrkCore": "5bef2c5471aa9e955551dc810f5abb39",
	} {
		if got := fmt.Sprintf("%x", Twox128.Append(nil, []byte(name))); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	for h, want := range map[Hasher]string{
		Blake2x128: "cf4ab791c62b8d2b2109c90275287816", Blake2x256: "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319",
		Blake2x128Concat: "cf4ab791c62b8d2b2109c90275287816616263", Twox64Concat: "990977adf52cbc44616263", Identity: "616263",
		Twox128: "990977adf52cbc440889329981caa9be", Twox256: "990977adf52cbc440889329981caa9bef7da5770b2b8a05303b75d95360dd62b",
	} {
		if got := fmt.Sprintf("%x", h.Append(nil, []byte("abc"))); got != want {
			t.Errorf("%s of abc: %s, want %s", h, got, want)
		}
	}
}

func TestEra(t *testing.T) {
	for _, tc := range []struct {
		era   Era
		bytes string
	}{
		{Era{}, "\x00"}, {Mortal(64, 42), "\xa5\x02"}, {Mortal(32768, 20000), "\x4e\x9c"}, {Mortal(200, 513), "\x17\x00"}, {Mortal(2, 1), "\x11\x00"}, {Mortal(1_000_000, 64225), "\xef\xfa"},
	} {
		if got := tc.era.Append(nil); string(got) != tc.bytes {
			t.Errorf("%+v: %x, want %x", tc.era, got, tc.bytes)
		}
		c := newCursor([]byte(tc.bytes))
		if got := c.era(); c.end() != nil || got != tc.era {
			t.Errorf("%x: %+v, want %+v, %v", tc.bytes, got, tc.era, c.err)
		}
	}
}

// TestEraOfARealRuntime: its 256 variants are read as what they mean.
func TestEraOfARealRuntime(t *testing.T) {
	md := metadataOf(t, "metadata/phala-1291-v14.scale.gz")
	at := slices.IndexFunc(md.types, func(t *Type) bool { return t.shape == shapeEra })
	if at < 0 {
		t.Fatal("no era")
	}
	for text, raw := range map[string]string{`"Immortal"`: "\x00", `{"Mortal":{"period":64,"phase":42}}`: "\xa5\x02"} {
		got, err := md.types[at].AppendJSON(nil, []byte(raw))
		if err != nil || string(got) != text {
			t.Errorf("%s, %v, want %s", got, err, text)
		}
		if back, err := md.types[at].Append(nil, value(t, got)); err != nil || string(back) != raw {
			t.Errorf("%s encodes to %x, %v", text, back, err)
		}
	}
	for _, bad := range []any{"Mortal", map[string]any{"Mortal": map[string]any{"period": 63, "phase": 1}}, map[string]any{"Mortal": 7}, nil, map[string]any{"Mortal": map[string]any{"period": 64, "phase": 64}}} {
		if got, err := md.types[at].Append(nil, bad); err == nil {
			t.Errorf("%v encodes to %x", bad, got)
		}
	}
}
