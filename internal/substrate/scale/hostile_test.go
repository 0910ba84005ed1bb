package scale

import (
	"bytes"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// The parts of small metadata made by hand.

func compact(n int) []byte { return appendCompact(nil, U128{Lo: uint64(n)}) }

func str(s string) []byte { return append(compact(len(s)), s...) }

func cat(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

func vec(items ...[]byte) []byte { return append(compact(len(items)), cat(items...)...) }

func path(names ...string) []byte {
	var all [][]byte
	for _, n := range names {
		all = append(all, str(n))
	}
	return vec(all...)
}

func unnamed(typ int) []byte { return cat([]byte{0}, compact(typ), []byte{0, 0}) }

func named(name string, typ int) []byte {
	return cat([]byte{1}, str(name), compact(typ), []byte{0, 0})
}

func composite(fields ...[]byte) []byte { return cat([]byte{defComposite}, vec(fields...)) }

func oneVariant(name string, index byte, fields ...[]byte) []byte {
	return cat(str(name), vec(fields...), []byte{index, 0})
}

func enum(variants ...[]byte) []byte { return cat([]byte{defVariant}, vec(variants...)) }

func tuple(types ...int) []byte {
	var all [][]byte
	for _, t := range types {
		all = append(all, compact(t))
	}
	return cat([]byte{defTuple}, vec(all...))
}

func array(n uint32, typ int) []byte {
	return cat([]byte{defArray, byte(n), byte(n >> 8), byte(n >> 16), byte(n >> 24)}, compact(typ))
}

func prim(name string) []byte {
	for i, p := range primitives {
		if p.name == name {
			return []byte{defPrimitive, byte(i)}
		}
	}
	panic(name)
}

func list(typ int) []byte { return cat([]byte{defSequence}, compact(typ)) }

// small is metadata with these types and one plain item of each, named after its number.
func small(defs ...[]byte) []byte {
	types, entries := make([][]byte, len(defs)), make([][]byte, len(defs))
	for i, d := range defs {
		head := path()
		if len(d) > 0 && d[0] == 0xff { // with a path
			n := int(d[1])
			head, d = d[2:2+n], d[2+n:]
		}
		types[i] = cat(compact(i), head, []byte{0}, d, []byte{0})
		entries[i] = cat(str(fmt.Sprint(i)), []byte{0, 0}, compact(i), []byte{0, 0})
	}
	pallet := cat(str("P"), []byte{1}, str("P"), vec(entries...), []byte{0, 0, 0, 0, 7})
	return cat([]byte("meta\x0e"), vec(types...), vec(pallet), compact(0), []byte{4, 0}, compact(0))
}

// at puts a path before a definition.
func at(def []byte, names ...string) []byte {
	p := path(names...)
	return cat([]byte{0xff, byte(len(p))}, p, def)
}

func parse(t testing.TB, blob []byte) *Metadata {
	t.Helper()
	md, err := Parse(blob)
	if err != nil {
		t.Fatal(err)
	}
	return md
}

func TestEveryKindOfType(t *testing.T) {
	md := parse(t, small(
		prim("u8"), prim("u64"), prim("i16"), prim("i128"), prim("u256"), prim("bool"), prim("char"), prim("str"), // 0–7
		list(0), list(1), array(3, 0), array(2, 1), tuple(), tuple(0), tuple(0, 5), // 8–14
		cat([]byte{defCompact}, compact(1)),      // 15
		at(composite(), "bitvec", "Lsb0"),        // 16
		at(composite(), "bitvec", "Msb0"),        // 17
		cat([]byte{defBits, 0}, compact(16)),     // 18
		cat([]byte{defBits, 0}, compact(17)),     // 19
		composite(named("a", 0), named("b", 14)), // 20
		composite(unnamed(20)),                   // 21: a newtype
		enum(oneVariant("Off", 0), oneVariant("On", 4, unnamed(0)), oneVariant("Both", 9, unnamed(0), unnamed(5)), oneVariant("Of", 2, named("x", 0))), // 22
		at(enum(oneVariant("None", 0), oneVariant("Some", 1, unnamed(0))), "Option"),                                                                   // 23
		at(enum(oneVariant("None", 0), oneVariant("Some", 1, unnamed(23))), "Option"),                                                                  // 24
		at(composite(unnamed(26)), "sp_core", "crypto", "AccountId32"),                                                                                 // 25
		array(32, 0), // 26
		at(composite(unnamed(28)), "primitive_types", "U256"), // 27
		array(4, 1),                          // 28
		cat([]byte{defCompact}, compact(12)), // 29: of the unit
		composite(named("inner", 1)),         // 30
		cat([]byte{defCompact}, compact(30)), // 31
	))
	for _, tc := range []struct {
		typ   int
		name  string
		bytes string
		json  string
		from  any // encodes to the same bytes
	}{
		{0, "u8", "\xff", `255`, 255},
		{1, "u64", "\x00\x00\x00\x00\x00\x00\x20\x00", `"9007199254740992"`, uint64(1 << 53)},
		{1, "u64", "\xff\xff\xff\xff\xff\xff\x1f\x00", `9007199254740991`, "0x1fffffffffffff"},
		{2, "i16", "\xfe\xff", `-2`, int8(-2)},
		{3, "i128", strings.Repeat("\xff", 16), `"-1"`, -1},
		{4, "u256", "\x01" + strings.Repeat("\x00", 31), `"1"`, "1"},
		{5, "bool", "\x01", `true`, "true"},
		{6, "char", "\x2d\x4e\x00\x00", `"中"`, "中"},
		{7, "str", "\x18\xe4\xb8\xad\"\\\n", `"中\"\\\u000a"`, "中\"\\\n"},
		{8, "Vec<u8>", "\x08ab", `"0x6162"`, "ab"},
		{8, "Vec<u8>", "\x00", `"0x"`, []byte{}},
		{9, "Vec<u64>", "\x04\x07\x00\x00\x00\x00\x00\x00\x00", `[7]`, []any{7}},
		{10, "[u8; 3]", "abc", `"0x616263"`, []byte("abc")},
		{11, "[u64; 2]", strings.Repeat("\x00", 16), `[0,0]`, []any{0, U128{}}},
		{12, "()", "", `null`, []any{}},
		{13, "(u8)", "\x01", `[1]`, []any{1}},
		{14, "(u8, bool)", "\x01\x00", `[1,false]`, []any{1, false}},
		{15, "Compact<u64>", "\x03\x00\x00\x00\x40", `1073741824`, 1 << 30},
		{15, "Compact<u64>", "\x13\x00\x00\x00\x00\x00\x00\x00\x80", `"9223372036854775808"`, "9223372036854775808"},
		{18, "BitVec", "\x0c\x05", `"0b101"`, "0b101"},
		{18, "BitVec", "\x24\x01\x01", `"0b100000001"`, "0b100000001"},
		{19, "BitVec", "\x0c\xa0", `"0b101"`, "0b101"},
		{21, "(u8, (u8, bool))", "\x01\x02\x01", `{"a":1,"b":[2,true]}`, map[string]any{"a": 1, "b": []any{2, true}}},
		{22, "()", "\x00", `"Off"`, map[string]any{"Off": nil}},
		{22, "()", "\x04\x05", `{"On":5}`, map[string]any{"On": 5}},
		{22, "()", "\x09\x05\x01", `{"Both":[5,true]}`, map[string]any{"Both": []any{5, true}}},
		{22, "()", "\x02\x05", `{"Of":{"x":5}}`, map[string]any{"Of": map[string]any{"x": 5}}},
		{23, "Option<u8>", "\x00", `null`, nil},
		{23, "Option<u8>", "\x01\x07", `7`, 7},
		{24, "Option<Option<u8>>", "\x00", `null`, nil},
		{24, "Option<Option<u8>>", "\x01\x00", `{"Some":null}`, map[string]any{"Some": nil}},
		{24, "Option<Option<u8>>", "\x01\x01\x07", `{"Some":7}`, map[string]any{"Some": 7}},
		{25, "AccountId32", strings.Repeat("\x00", 32), `"5C4hrfjw9DjXZTzV3MwzrrAr9P1MJhSrvWGWqi1eSuyUpnhM"`, [32]byte{}},
		{27, "U256", "\x00\x01" + strings.Repeat("\x00", 30), `"256"`, 256},
		{29, "()", "", `null`, nil},
		{31, "Compact<(u64)>", "\x04", `1`, 1},
	} {
		typ, err := md.Type(tc.typ)
		if err != nil {
			t.Fatal(err)
		}
		got, err := typ.AppendJSON([]byte("…"), []byte(tc.bytes))
		if err != nil || string(got) != "…"+tc.json {
			t.Errorf("%d %q: %s, %v, want %s", tc.typ, tc.bytes, got, err, tc.json)
		}
		if typ.String() != tc.name {
			t.Errorf("%d is called %s, want %s", tc.typ, typ, tc.name)
		}
		for _, from := range []any{tc.from, value(t, []byte(tc.json))} {
			if back, err := typ.Append(nil, from); err != nil || string(back) != tc.bytes {
				t.Errorf("%d: %v encodes to %q, %v, want %q", tc.typ, from, back, err, tc.bytes)
			}
		}
		c := newCursor([]byte(tc.bytes))
		if typ.skip(&c); c.end() != nil {
			t.Errorf("%d %q: skip: %v", tc.typ, tc.bytes, c.err)
		}
		for cut := range len(tc.bytes) {
			if text, err := typ.AppendJSON(nil, []byte(tc.bytes[:cut])); err == nil {
				t.Errorf("%d %q: the first %d bytes are %s", tc.typ, tc.bytes, cut, text)
			}
		}
	}
	for typ, bad := range map[int][]any{
		0: {256, -1, 1.5, "x", nil, "+1", []any{}, true}, 2: {1 << 15, -1<<15 - 1}, 5: {1, "yes"}, 6: {"", "ab", 7}, 7: {"\xff", 1},
		8: {"0xz", 5, []any{1}}, 9: {"0x", nil, []any{"x"}}, 10: {"0x6162", "abc"}, 11: {[]any{1}}, 12: {1}, 14: {[]any{1}, nil}, 15: {-1, "18446744073709551616"},
		18: {"101", "0b2"}, 20: {map[string]any{"a": 1}, map[string]any{"a": 1, "b": []any{1, true}, "c": 1}, 5}, 22: {"On", "Nobody", 4, map[string]any{"Off": 1}, map[string]any{}},
		25: {"5C4hrfjw9DjXZTzV3MwzrrAr9P1MJhSrvWGWqi1eSuyUpnhN", "0x00", "abc"},
	} {
		ty, _ := md.Type(typ)
		for _, v := range bad {
			if got, err := ty.Append([]byte("…"), v); err == nil || string(got) != "…" {
				t.Errorf("%s: %v (%T) encodes to %q, %v", ty, v, v, got, err)
			}
		}
	}
	for typ, bad := range map[int][]string{
		5: {"\x02"}, 6: {"\x00\xd8\x00\x00", "\xff\xff\xff\xff"}, 8: {"\xff", "\x02\x00\x00\x40"}, 9: {"\x02\x00\x00\x80"}, 15: {"\x01\x00", "\x02\x01\x00\x00", "\x03\x00\x00\x00\x00", "\x17\x00\x00\x00\x00\x00\x00\x00\x00\x00", "\x37"},
		22: {"\x01", "\x0a"}, 23: {"\x02"}, 18: {"\x24\x01"},
	} {
		ty, _ := md.Type(typ)
		for _, b := range bad {
			if got, err := ty.AppendJSON(nil, []byte(b)); err == nil {
				t.Errorf("%s: %q is %s", ty, b, got)
			}
		}
	}
}

// TestHostileTypes: types made to recurse without end, to multiply, or to promise what is not there cost next to nothing.
func TestHostileTypes(t *testing.T) {
	doubling := make([][]byte, 60)
	for i := range doubling {
		doubling[i] = tuple(min(i+1, 59), min(i+1, 59))
	}
	doubling[59] = tuple()
	deep := make([][]byte, 5000)
	for i := range deep {
		deep[i] = tuple(min(i+1, 4999), 4999)
	}
	deep[4999] = prim("u8")
	for name, tc := range map[string]struct {
		defs  [][]byte
		bytes string
	}{
		"holds itself":           {[][]byte{tuple(0)}, "\x00"},
		"holds itself twice":     {[][]byte{composite(named("a", 0), named("b", 0))}, "\x00"},
		"list of itself":         {[][]byte{list(0)}, strings.Repeat("\x04", 500)},
		"option of itself":       {[][]byte{at(enum(oneVariant("None", 0), oneVariant("Some", 1, unnamed(0))), "Option")}, strings.Repeat("\x01", 500)},
		"doubles":                {doubling, ""},
		"deep":                   {deep, strings.Repeat("\x00", 5000)},
		"many units":             {[][]byte{list(1), tuple()}, "\xfe\xff\xff\xff"},
		"very many units":        {[][]byte{array(1<<32-1, 1), tuple()}, ""},
		"arrays of arrays":       {[][]byte{array(1<<31, 1), array(1<<31, 2), array(1<<31, 3), prim("u64")}, "\x00"},
		"a list of arrays":       {[][]byte{list(1), array(1<<31, 2), prim("u64")}, "\xfe\xff\xff\xff\x00"},
		"more bytes than given":  {[][]byte{list(1), prim("u8")}, "\xfe\xff\xff\xff\x00"},
		"more items than given":  {[][]byte{list(1), prim("u64")}, "\xfe\xff\xff\xff\x00"},
		"more bits than given":   {[][]byte{cat([]byte{defBits}, compact(1), compact(2)), prim("u64"), composite()}, "\xfe\xff\xff\xff\x00"},
		"nothing to choose from": {[][]byte{enum()}, "\x00"},
	} {
		begin := time.Now()
		md := parse(t, small(tc.defs...))
		ty, err := md.Type(0)
		if err != nil {
			t.Fatal(err)
		}
		if text, err := ty.AppendJSON(nil, []byte(tc.bytes)); err == nil {
			t.Errorf("%s: %.80s", name, text)
		}
		c := newCursor([]byte(tc.bytes))
		ty.skip(&c)
		_ = ty.String()
		if took := time.Since(begin); took > time.Second {
			t.Errorf("%s took %v", name, took)
		}
	}
}

func TestHostileMetadata(t *testing.T) {
	for name, blob := range map[string][]byte{
		"nothing":               {},
		"another version":       cat([]byte("meta\x0d"), make([]byte, 20)),
		"no magic":              cat([]byte("beta\x0e"), make([]byte, 20)),
		"a name for itself":     small(composite(unnamed(0))),
		"names in a ring":       small(composite(unnamed(1)), composite(unnamed(2)), composite(unnamed(0))),
		"an unknown type":       small(list(9)),
		"an unknown definition": small([]byte{8}),
		"an unknown primitive":  small([]byte{defPrimitive, 15}),
		"two of one number":     small(enum(oneVariant("A", 1), oneVariant("B", 1))),
		"a compact list":        small(cat([]byte{defCompact}, compact(1)), list(1)),
		"bits in a list":        small(cat([]byte{defBits}, compact(1), compact(1)), list(1)),
		"more types than bytes": cat([]byte("meta\x0e"), []byte{0xfe, 0xff, 0xff, 0xff}),
		"too many types":        cat([]byte("meta\x0e"), compact(1<<20), make([]byte, 7<<20)),
		"too large":             make([]byte, MaxMetadata+1),
		"bytes behind":          append(small(tuple()), 0),
		"a very long name":      small(at(tuple(), strings.Repeat("n", 120)), composite(named(strings.Repeat("n", maxName+1), 0))),
	} {
		if md, err := Parse(blob); err == nil {
			t.Errorf("%s: %v", name, md)
		}
	}
	blob := small(prim("u8"), list(0), composite(named("a", 0), named("b", 1)))
	parse(t, blob)
	for cut := range blob {
		if _, err := Parse(blob[:cut]); err == nil {
			t.Errorf("the first %d bytes are metadata", cut)
		}
	}
}

// TestMetadataMemory: the worst metadata of its size costs a small multiple of it.
func TestMetadataMemory(t *testing.T) {
	fields := make([][]byte, 1<<19)
	for i := range fields {
		fields[i] = unnamed(0)
	}
	blob := small(cat([]byte{defComposite}, vec(fields...)))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := Parse(blob)
	runtime.ReadMemStats(&after)
	if grown := after.TotalAlloc - before.TotalAlloc; err != nil || grown > uint64(100*len(blob)) {
		t.Errorf("%d bytes of metadata took %d, %v", len(blob), grown, err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(small(prim("u8"), list(0), tuple(0, 1), array(3, 2)), []byte("\x04\x01"))
	f.Add(small(enum(oneVariant("A", 0), oneVariant("B", 3, named("x", 1))), prim("u128"), cat([]byte{defCompact}, compact(1))), []byte("\x03"))
	f.Add(small(at(enum(oneVariant("None", 0), oneVariant("Some", 1, unnamed(1))), "Option"), at(composite(unnamed(2)), "AccountId32"), array(32, 3), prim("u8")), make([]byte, 33))
	f.Add(small(cat([]byte{defBits}, compact(1), compact(2)), prim("u16"), at(composite(), "Msb0")), []byte("\x0c\xff\xff"))
	f.Fuzz(func(t *testing.T, blob, data []byte) {
		md, err := Parse(blob)
		if err != nil {
			return
		}
		for _, ty := range md.types {
			_ = ty.String()
			roundTrip(t, ty, data)
			bindAll(ty, data)
		}
		for _, p := range md.Pallets {
			for _, e := range p.Entries {
				_, _ = e.AppendKeys(nil, append(e.Prefix(), data...))
				_, _ = e.StorageKey()
			}
		}
	})
}

// bindAll tries Go types that fit much.
func bindAll(ty *Type, data []byte) {
	type any struct {
		A, B *struct{ X []string }
	}
	try[string](ty, data)
	try[[]uint64](ty, data)
	try[U128](ty, data)
	try[any](ty, data)
	try[struct{}](ty, data)
	try[[]struct{}](ty, data)
	try[Option[[]byte]](ty, data)
	try[*struct{ A, B int }](ty, data)
}

func try[T any](ty *Type, data []byte) {
	if read, err := Bind[T](ty); err == nil {
		_ = read(data, new(T))
	}
}

// FuzzValue decodes any bytes as every type that a real chain stores.
func FuzzValue(f *testing.F) {
	md := metadataOf(f, "metadata/phala-1291-v14.scale.gz")
	for _, p := range md.Pallets {
		for _, e := range p.Entries {
			f.Add(uint16(e.Value.id()), e.Default)
		}
	}
	for _, v := range vectors(f) {
		if e, err := md.Entry(v.Pallet, v.Item); err == nil {
			f.Add(uint16(e.Value.id()), unhex(f, v.ValueHex))
		}
	}
	f.Fuzz(func(t *testing.T, typ uint16, data []byte) {
		ty, err := md.Type(int(typ))
		if err == nil {
			roundTrip(t, ty, data)
		}
	})
}

// id is the type's number.
func (t *Type) id() int {
	for i, one := range t.md.types {
		if one == t {
			return i
		}
	}
	return 0
}

// roundTrip: whatever decodes is JSON, encodes to the same value again, and is passed over at the same length.
func roundTrip(t *testing.T, ty *Type, data []byte) {
	t.Helper()
	text, err := ty.AppendJSON(nil, data)
	c := newCursor(data)
	ty.skip(&c)
	skipped := c.end()
	if err != nil {
		return
	}
	if skipped != nil && !errors.Is(skipped, ErrTooDeep) {
		t.Fatalf("%s %x is %s, but skip: %v", ty, data, text, skipped)
	}
	v, err := ParseValue(string(text))
	if err != nil {
		t.Fatalf("%s %x: %v: %s", ty, data, err, text)
	}
	if bytes.ContainsRune(text, utf8.RuneError) {
		return // text that was no UTF-8
	}
	back, err := ty.Append(nil, v)
	if err != nil {
		return // fields or variants of one name
	}
	if again, err := ty.AppendJSON(nil, back); err != nil || !bytes.Equal(again, text) { // unused bits of a BitVec may differ
		t.Fatalf("%s %x is %s, encodes to %x, which is %s, %v", ty, data, text, back, again, err)
	}
}
