package scale

import (
	"bytes"
	"errors"
	"math/big"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

type session struct {
	State string
	V, Ve U128
	Since uint64 `scale:"benchmark.working_start_time|benchmark.mining_start_time"`
	PInit uint32 `scale:"benchmark.p_init"`
	Stats struct{ TotalReward U128 }
	Later uint8 `scale:"not_there_yet,optional"`
}

func sessions(t testing.TB) (*Entry, []vector) {
	e, err := metadataOf(t, "metadata/phala-1250-v14.scale.gz").Entry("PhalaComputation", "Sessions")
	if err != nil {
		t.Fatal(err)
	}
	var mine []vector
	for _, v := range vectors(t) {
		if v.Pallet == e.Pallet && v.Item == e.Name {
			mine = append(mine, v)
		}
	}
	return e, mine
}

func u128(t testing.TB, s string) U128 {
	t.Helper()
	u, err := ParseU128(s)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func TestBindStruct(t *testing.T) {
	e, all := sessions(t)
	read, err := Bind[session](e.Value)
	if err != nil {
		t.Fatal(err)
	}
	var got session
	if err := read(unhex(t, all[0].ValueHex), &got); err != nil {
		t.Fatal(err)
	}
	want := session{State: "WorkerIdle", V: u128(t, "400054196118294505127759"), Ve: u128(t, "361002215207452862243163"), PInit: 1842}
	want.Stats.TotalReward = U128{Lo: 853407468234468}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if v := got.V.Fixed64(4); v != "21686.9814" {
		t.Errorf("V = %s", v)
	}
	if n := testing.AllocsPerRun(100, func() { _ = read(unhexed, &got) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

var unhexed = make([]byte, 97)

func TestBindKeys(t *testing.T) {
	e, all := sessions(t)
	read, err := BindKeys[[32]byte](e)
	if err != nil {
		t.Fatal(err)
	}
	var account [32]byte
	if err := read(unhex(t, all[0].StorageKey), &account); err != nil {
		t.Fatal(err)
	}
	if got := Address(30, account); got != all[0].Args[0] {
		t.Errorf("%s, want %s", got, all[0].Args[0])
	}
	props, err := e.Value.md.Entry("RmrkCore", "Properties")
	if err != nil {
		t.Fatal(err)
	}
	type property struct {
		Collection uint32
		NFT        Option[uint32]
		Key        []byte
	}
	readKey, err := BindKeys[property](props)
	if err != nil {
		t.Fatal(err)
	}
	key, err := props.StorageKey(10006, 1, "stake-info")
	if err != nil {
		t.Fatal(err)
	}
	var p property
	if err := readKey(key, &p); err != nil || p.Collection != 10006 || p.NFT != (Option[uint32]{true, 1}) || string(p.Key) != "stake-info" {
		t.Errorf("%+v, %v", p, err)
	}
	if err := readKey(unhex(t, all[0].StorageKey), &p); !errors.Is(err, ErrInvalid) {
		t.Error("a key of another map:", err)
	}
}

// TestBindAgreesWithJSON: what Bind finds in a pool is what the JSON says.
func TestBindEnumOfStructs(t *testing.T) {
	md := metadataOf(t, "metadata/phala-1250-v14.scale.gz")
	e, err := md.Entry("PhalaBasePool", "Pools")
	if err != nil {
		t.Fatal(err)
	}
	type base struct {
		Pid           uint64
		Owner         [32]byte
		TotalValue    U128
		WithdrawQueue []struct {
			User      [32]byte
			StartTime uint64
			NftID     uint32 `scale:"nft_id"`
		}
	}
	type pool struct {
		StakePool *struct {
			Basepool         base
			PayoutCommission *uint32
			Cap              Option[U128]
			Workers          [][32]byte
		}
		Vault *struct{ Basepool base }
	}
	read, err := Bind[pool](e.Value)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range vectors(t) {
		if v.Item != "Pools" {
			continue
		}
		var got pool
		if err := read(unhex(t, v.ValueHex), &got); err != nil {
			t.Fatal(err)
		}
		want := v.Decoded.(map[string]any)
		b := base{}
		switch {
		case want["StakePool"] != nil:
			want = want["StakePool"].(map[string]any)
			b = got.StakePool.Basepool
			if got.Vault != nil || len(got.StakePool.Workers) != len(want["workers"].([]any)) || (got.StakePool.PayoutCommission == nil) != (want["payout_commission"] == nil) {
				t.Errorf("%+v, want %v", got.StakePool, want)
			}
		case want["Vault"] != nil:
			want = want["Vault"].(map[string]any)
			b = got.Vault.Basepool
		}
		want = want["basepool"].(map[string]any)
		if n, _ := toNumber(want["pid"]); n.Cmp(new(big.Int).SetUint64(b.Pid)) != 0 || Address(30, b.Owner) != want["owner"] || plain(want["total_value"]) != b.TotalValue.String() {
			t.Errorf("%+v, want %v", b, want)
		}
	}
}

func TestBindRefuses(t *testing.T) {
	e, all := sessions(t)
	for name, bind := range map[string]func() error{
		"an unknown field": func() error { _, err := Bind[struct{ Nobody uint8 }](e.Value); return err },
		"a narrow number":  func() error { _, err := Bind[struct{ V uint64 }](e.Value); return err },
		"a hidden field":   func() error { _, err := Bind[struct{ v U128 }](e.Value); return err },
		"a float":          func() error { _, err := Bind[struct{ V float64 }](e.Value); return err },
		"no struct":        func() error { _, err := Bind[string](e.Value); return err },
		"an odd tag": func() error {
			_, err := Bind[struct {
				V U128 `scale:"v,sometimes"`
			}](e.Value)
			return err
		},
		"a key of bytes": func() error { _, err := BindKeys[uint64](e); return err },
		"the same field twice": func() error {
			_, err := Bind[struct {
				A, B U128 `scale:"v"`
			}](e.Value)
			return err
		},
	} {
		if err := bind(); !errors.Is(err, ErrBind) {
			t.Errorf("%s: %v", name, err)
		}
	}
	read, err := Bind[session](e.Value)
	if err != nil {
		t.Fatal(err)
	}
	raw := unhex(t, all[0].ValueHex)
	var s session
	if err := read(raw[:40], &s); !errors.Is(err, ErrShort) {
		t.Error(err)
	}
	if err := read(append(bytes.Clone(raw), 0), &s); !errors.Is(err, ErrTrailing) {
		t.Error(err)
	}
	bad := bytes.Clone(raw)
	bad[0] = 9
	if err := read(bad, &s); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), "state: ") {
		t.Error(err)
	}
}

func BenchmarkParse(b *testing.B) {
	blob := shared(b, "metadata", "phala-1291-v14.scale.gz")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse(blob); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSessionBind(b *testing.B) {
	e, all := sessions(b)
	read, err := Bind[session](e.Value)
	if err != nil {
		b.Fatal(err)
	}
	raw := unhex(b, all[0].ValueHex)
	var s session
	b.ReportAllocs()
	for b.Loop() {
		if err := read(raw, &s); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSessionJSON(b *testing.B) {
	e, all := sessions(b)
	raw := unhex(b, all[0].ValueHex)
	var dst []byte
	b.ReportAllocs()
	for b.Loop() {
		var err error
		if dst, err = e.Value.AppendJSON(dst[:0], raw); err != nil {
			b.Fatal(err)
		}
	}
}
