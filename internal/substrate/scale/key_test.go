package scale

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"testing"
)

// smallMap is metadata with one map P.M whose keys are hashed so, the first one u32 and all others text.
func smallMap(t *testing.T, hs ...Hasher) *Entry {
	t.Helper()
	raw, key := make([]byte, len(hs)), 2
	types := []int{}
	for i, h := range hs {
		raw[i] = byte(h)
		types = append(types, min(i, 1))
	}
	if len(hs) == 1 {
		key = 0
	}
	var defs [][]byte
	for i, d := range [][]byte{prim("u32"), prim("str"), tuple(types...)} {
		defs = append(defs, cat(compact(i), []byte{0, 0}, d, []byte{0}))
	}
	entry := cat(str("M"), []byte{0, 1}, compact(len(hs)), raw, compact(key), compact(1), []byte{0, 0})
	pallet := cat(str("P"), []byte{1}, str("Q"), vec(entry), []byte{0, 0, 0, 0, 7})
	e, err := parse(t, cat([]byte("meta\x0e"), vec(defs...), vec(pallet), compact(0), []byte{4, 0}, compact(0))).Entry("P", "M")
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// TestStorageKeys: every hasher alone, and many together, there and back.
func TestStorageKeys(t *testing.T) {
	for h := range Hasher(len(hashers)) {
		e := smallMap(t, h)
		key, err := e.StorageKey(7)
		want := h.Append(e.Prefix(), []byte{7, 0, 0, 0})
		if err != nil || !bytes.Equal(key, want) || !bytes.Equal(e.Prefix(), Twox128.Append(Twox128.Append(nil, []byte("Q")), []byte("M"))) {
			t.Errorf("%s: %x, %v, want %x", h, key, err, want)
		}
		said, back := "[7]", "7"
		if !h.Readable() {
			back = fmt.Sprintf("an error: %s keeps no key", h)
			said = fmt.Sprintf(`[{"hash":"0x%x"}]`, h.Append(nil, []byte{7, 0, 0, 0}))
		}
		if got, err := e.AppendKeys(nil, key); err != nil || string(got) != said {
			t.Errorf("%s: %s, %v, want %s", h, got, err, said)
		}
		read, err := BindKeys[uint32](e)
		if (err == nil) != h.Readable() {
			t.Errorf("%s: %v, want %s", h, err, back)
		}
		var n uint32
		if err == nil && (read(key, &n) != nil || n != 7) {
			t.Errorf("%s: %d", h, n)
		}
	}
	e := smallMap(t, Blake2x128Concat, Twox256, Identity)
	key, err := e.StorageKey(7, "hi", "you")
	if err != nil {
		t.Fatal(err)
	}
	part, err := e.StorageKey(7, "hi")
	if err != nil || !bytes.HasPrefix(key, part) || len(part) != 32+16+4+32 {
		t.Errorf("%x, %v", part, err)
	}
	text, err := e.AppendKeys(nil, key)
	var keys []any
	if err != nil || json.Unmarshal(text, &keys) != nil || len(keys) != 3 || keys[0] != 7.0 || keys[2] != "you" {
		t.Errorf("%s, %v", text, err)
	}
	for cut := range key {
		if text, err := e.AppendKeys(nil, key[:cut]); err == nil {
			t.Errorf("the first %d bytes are the keys %s", cut, text)
		}
	}
	for _, wrong := range [][]any{{7, "hi", "you", 1}, {"seven"}, {7, 8}} {
		if got, err := e.StorageKey(wrong...); !errors.Is(err, ErrInvalid) {
			t.Errorf("%v: %x, %v", wrong, got, err)
		}
	}
	if len(e.Keys()) != 3 || !e.IsMap() || e.Hashers[1].String() != "Twox256" || Hasher(9).String() != "Hasher(9)" {
		t.Error(e.Keys(), e.Hashers)
	}
}

// TestGenesis reads Khala's genesis as it is on the chain. Its metadata is older than any that we have; what the oldest one
// describes reads as what it is.
func TestGenesis(t *testing.T) {
	var raw map[string]string
	if err := json.Unmarshal(shared(t, "state", "khala-genesis-storage.json"), &raw); err != nil {
		t.Fatal(err)
	}
	md, read := metadataOf(t, "metadata/khala-1080-v14.scale.gz"), 0
	for _, p := range md.Pallets {
		for _, e := range p.Entries {
			for k, v := range raw {
				key := unhex(t, k)
				if !bytes.HasPrefix(key, e.Prefix()) {
					continue
				}
				keys, err := e.AppendKeys(nil, key)
				if err != nil {
					t.Errorf("%s.%s %s: %v", p.Name, e.Name, k, err)
					continue
				}
				text, err := e.Value.AppendJSON(nil, unhex(t, v))
				if err != nil {
					t.Errorf("%s.%s%s %s: %v", p.Name, e.Name, keys, v, err)
					continue
				}
				read++
				if back, err := e.Value.Append(nil, value(t, text)); err != nil || !bytes.Equal(back, unhex(t, v)) {
					t.Errorf("%s.%s%s: %s encodes to %x, %v, want %s", p.Name, e.Name, keys, text, back, err, v)
				}
			}
		}
	}
	if read < len(raw)/2 {
		t.Errorf("only %d of %d read", read, len(raw))
	}
}

func TestWhatIsNotThere(t *testing.T) {
	md := metadataOf(t, "metadata/khala-1190-v14.scale.gz")
	_, pallet := md.Pallet("Nobody")
	_, item := md.Entry("System", "Nobody")
	_, item2 := md.Entry("Nobody", "Account")
	_, constant := md.Constant("System", "Nobody")
	_, typ := md.Type(1 << 20)
	_, call := md.Call("Nobody", "remark", nil)
	_, call2 := md.Call("Timestamp", "nobody", nil)
	for _, err := range []error{pallet, item, item2, constant, typ, call, call2} {
		if !errors.Is(err, ErrUnknown) {
			t.Error(err)
		}
	}
}

// TestStorageDefaults: absent is not the same as empty.
func TestStorageDefaults(t *testing.T) {
	plain, optional := &Entry{Default: []byte{1}}, &Entry{Optional: true, Default: []byte{0}}
	for _, tc := range []struct {
		e      *Entry
		stored []byte
		want   []byte
		ok     bool
	}{
		{plain, nil, []byte{1}, true}, {plain, []byte{}, []byte{}, true}, {optional, nil, nil, false}, {optional, []byte{}, []byte{}, true}, {optional, []byte{2}, []byte{2}, true},
	} {
		if got, ok := tc.e.Or(tc.stored); ok != tc.ok || !bytes.Equal(got, tc.want) {
			t.Errorf("%+v: %x %v", tc, got, ok)
		}
	}
}
