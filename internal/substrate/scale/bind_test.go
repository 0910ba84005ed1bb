package scale

import (
	"bytes"
	"errors"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
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
	pair, _ := parse(t, small(prim("u8"), tuple(0, 0))).Type(1)
	if _, err := Bind[struct{ a, b uint8 }](pair); !errors.Is(err, ErrBind) {
		t.Error("hidden fields of a tuple:", err)
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

// sessionsOfANetwork is how many values the benchmarks decode, and the target for that.
const (
	sessionsOfANetwork = 25_000
	targetSessions     = 30 * time.Millisecond
)

func BenchmarkBindSessions(b *testing.B) {
	e, all := sessions(b)
	read, err := Bind[session](e.Value)
	if err != nil {
		b.Fatal(err)
	}
	raw := unhex(b, all[0].ValueHex)
	var s session
	b.ReportAllocs()
	for b.Loop() {
		for range sessionsOfANetwork {
			if err := read(raw, &s); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(targetSessions), "target-ns/op")
}

func BenchmarkJSONSessions(b *testing.B) {
	e, all := sessions(b)
	raw := unhex(b, all[0].ValueHex)
	var dst []byte
	b.ReportAllocs()
	for b.Loop() {
		for range sessionsOfANetwork {
			var err error
			if dst, err = e.Value.AppendJSON(dst[:0], raw); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(targetSessions), "target-ns/op")
}

// mine is a 128-bit number of somebody else's.
type mine struct{ hi, lo uint64 }

func (m *mine) SetUint128(hi, lo uint64) { *m = mine{hi, lo} }

// TestBindEveryKind binds every kind of chain type to every Go type that it fits.
func TestBindEveryKind(t *testing.T) {
	md := parse(t, small(
		prim("u8"), prim("u64"), prim("i16"), prim("u128"), prim("bool"), prim("str"), // 0–5
		list(0), list(2), array(2, 1), array(4, 0), tuple(0, 5), // 6–10
		cat([]byte{defCompact}, compact(1)), cat([]byte{defCompact}, compact(3)), // 11, 12
		enum(oneVariant("A", 0), oneVariant("B", 3, unnamed(1)), oneVariant("C", 4, named("x", 0), named("y", 4))), // 13
		at(enum(oneVariant("None", 0), oneVariant("Some", 1, unnamed(1))), "Option"),                               // 14
		composite(named("value", 0), named("children", 16)),                                                        // 15
		list(15), // 16
		composite(named("skipped", 5), named("deep", 18), named("last_one", 4)),                      // 17
		composite(named("a", 13), named("b", 14), named("c", 6), named("d", 12), named("inner", 19)), // 18
		composite(named("z", 2)), // 19
	))
	type tree struct {
		Value    uint8
		Children []tree
	}
	type variants struct {
		B *uint64
		C *struct{ Y bool }
	}
	type path struct {
		Z    int64  `scale:"deep.inner.z"`
		D    mine   `scale:"nothing|deep.d"`
		Last bool   `scale:"last_one"`
		No   string `scale:"deep.no,optional"`
	}
	seven := uint64(7)
	bound(t, md, 0, "\x07", uint8(7))
	bound(t, md, 0, "\x07", uint64(7))
	bound(t, md, 0, "\xff", int16(255))
	bound(t, md, 0, "\x07", U128{Lo: 7})
	bound(t, md, 1, "\x07\x00\x00\x00\x00\x00\x00\x00", seven)
	bound(t, md, 2, "\xfe\xff", int32(-2))
	bound(t, md, 3, "\x01"+strings.Repeat("\x00", 14)+"\x80", U128{Hi: 1 << 63, Lo: 1})
	bound(t, md, 3, "\x01"+strings.Repeat("\x00", 14)+"\x80", mine{1 << 63, 1})
	bound(t, md, 4, "\x01", true)
	bound(t, md, 5, "\x08hi", "hi")
	bound(t, md, 6, "\x08hi", []byte("hi"))
	bound(t, md, 6, "\x08hi", "hi")
	bound(t, md, 7, "\x08\x01\x00\xff\xff", []int16{1, -1})
	bound(t, md, 8, "\x07\x00\x00\x00\x00\x00\x00\x00"+strings.Repeat("\x00", 8), [2]uint64{7})
	bound(t, md, 8, "\x07\x00\x00\x00\x00\x00\x00\x00"+strings.Repeat("\x00", 8), []uint64{7, 0})
	bound(t, md, 9, "abcd", [4]byte([]byte("abcd")))
	bound(t, md, 9, "abcd", []byte("abcd"))
	bound(t, md, 10, "\x07\x08hi", struct {
		N uint8
		S string
	}{7, "hi"})
	bound(t, md, 11, "\x1c", uint64(7))
	bound(t, md, 12, "\x1c", U128{Lo: 7})
	bound(t, md, 13, "\x03\x07\x00\x00\x00\x00\x00\x00\x00", "B")
	bound(t, md, 13, "\x04\x07\x01", uint8(4))
	bound(t, md, 13, "\x03\x07\x00\x00\x00\x00\x00\x00\x00", variants{B: &seven})
	bound(t, md, 13, "\x04\x07\x01", variants{C: &struct{ Y bool }{true}})
	bound(t, md, 13, "\x00", variants{})
	bound(t, md, 14, "\x00", (*uint64)(nil))
	bound(t, md, 14, "\x01\x07\x00\x00\x00\x00\x00\x00\x00", &seven)
	bound(t, md, 14, "\x01\x07\x00\x00\x00\x00\x00\x00\x00", Option[uint64]{true, 7})
	bound(t, md, 14, "\x00", Option[uint64]{})
	bound(t, md, 15, "\x01\x08\x02\x00\x03\x04\x04\x00", tree{1, []tree{{Value: 2}, {3, []tree{{Value: 4}}}}})
	bound(t, md, 17, "\x08hi"+"\x04\x07\x01"+"\x00"+"\x04x"+"\x1c"+"\xff\xff"+"\x01", path{Z: -1, D: mine{lo: 7}, Last: true})
}

// bound decodes into a used variable, so that nothing of what was there before stays.
func bound[T any](t *testing.T, md *Metadata, typ int, data string, want T) {
	t.Helper()
	ty, err := md.Type(typ)
	if err != nil {
		t.Fatal(err)
	}
	read, err := Bind[T](ty)
	if err != nil {
		t.Error(err)
		return
	}
	var got T
	for range 2 {
		if err := read([]byte(data), &got); err != nil {
			t.Errorf("%s: %v", ty, err)
		}
	}
	equal := cmp.Options{cmp.AllowUnexported(mine{}), cmpopts.EquateEmpty()}
	if diff := cmp.Diff(want, got, equal); diff != "" {
		t.Errorf("%s: %s", ty, diff)
	}
	for cut := range len(data) {
		if err := read([]byte(data[:cut]), &got); err == nil {
			t.Errorf("%s: the first %d bytes of %q are enough", ty, cut, data)
		}
	}
}

// FuzzBind: whatever is a pool for the JSON is the same pool for Go.
func FuzzBind(f *testing.F) {
	e, err := metadataOf(f, "metadata/khala-1190-v14.scale.gz").Entry("PhalaStakePool", "StakePools")
	if err != nil {
		f.Fatal(err)
	}
	for _, v := range vectors(f) {
		if v.Item == e.Name {
			f.Add(unhex(f, v.ValueHex))
		}
	}
	type pool struct {
		Pid           uint64
		Cap           Option[U128]
		TotalStake    U128
		Workers       [][32]byte
		WithdrawQueue []struct{ Shares U128 }
	}
	read, err := Bind[pool](e.Value)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		text, err := e.Value.AppendJSON(nil, data)
		var p pool
		if bindErr := read(data, &p); err != nil || bindErr != nil {
			if err == nil {
				t.Fatalf("%s: %v", text, bindErr)
			}
			return
		}
		m := value(t, text).(map[string]any)
		queue, workers := m["withdraw_queue"].([]any), m["workers"].([]any)
		if plain(m["total_stake"]) != p.TotalStake.String() || (m["cap"] == nil) == p.Cap.Some || len(queue) != len(p.WithdrawQueue) || len(workers) != len(p.Workers) {
			t.Fatalf("%s: %+v", text, p)
		}
	})
}
