package scale

import (
	"bytes"
	"encoding/hex"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestVectors holds every recorded storage value against what polkadot-js made of it: the key from its arguments, the
// arguments from the key, the value, and the value's bytes again.
func TestVectors(t *testing.T) {
	for _, v := range vectors(t) {
		md := metadataOf(t, "metadata/"+v.Metadata)
		e, err := md.Entry(v.Pallet, v.Item)
		if err != nil {
			t.Fatal(err)
		}
		key, raw := unhex(t, v.StorageKey), unhex(t, v.ValueHex)
		if got, err := e.StorageKey(v.Args...); err != nil || !bytes.Equal(got, key) {
			t.Errorf("%s.%s%v: key %x, want %x, %v", v.Pallet, v.Item, v.Args, got, key, err)
		}
		keys, err := e.AppendKeys(nil, key)
		if err != nil {
			t.Errorf("%s.%s%v: keys: %v", v.Pallet, v.Item, v.Args, err)
			continue
		}
		if again, err := e.StorageKey(value(t, keys).([]any)...); err != nil || !bytes.Equal(again, key) {
			t.Errorf("%s.%s%v: the keys %s give %x, %v", v.Pallet, v.Item, v.Args, keys, again, err)
		}
		text, err := e.Value.AppendJSON(nil, raw)
		if err != nil {
			t.Errorf("%s.%s%v: %v", v.Pallet, v.Item, v.Args, err)
			continue
		}
		if diff := cmp.Diff(plain(v.Decoded), plain(value(t, text))); diff != "" {
			t.Errorf("%s.%s%v: want-, got+\n%s", v.Pallet, v.Item, v.Args, diff)
		}
		if again, err := e.Value.Append(nil, value(t, text)); err != nil || !bytes.Equal(again, raw) {
			t.Errorf("%s.%s%v: %s encodes to %x, %v", v.Pallet, v.Item, v.Args, text, again, err)
		}
	}
}

// TestRealMetadata reads all constants and defaults of every real runtime, and writes them again.
func TestRealMetadata(t *testing.T) {
	for _, name := range blobs(t) {
		md := metadataOf(t, name)
		if md.Prefix != 30 {
			t.Errorf("%s: prefix %d", name, md.Prefix)
		}
		entries := 0
		for _, p := range md.Pallets {
			for _, c := range p.Constants {
				text, err := c.Type.AppendJSON(nil, c.Value)
				if err != nil {
					t.Errorf("%s: %s.%s of type %s: %v", name, p.Name, c.Name, c.Type, err)
					continue
				}
				again, err := c.Type.Append(nil, value(t, text))
				if err != nil || !bytes.Equal(again, c.Value) {
					t.Errorf("%s: %s.%s = %s encodes to %s, want %s, %v", name, p.Name, c.Name, text, hex.EncodeToString(again), hex.EncodeToString(c.Value), err)
				}
			}
			for _, e := range p.Entries {
				entries++
				if e.Optional {
					continue
				}
				text, err := e.Value.AppendJSON(nil, e.Default)
				if err != nil {
					t.Errorf("%s: default of %s.%s of type %s: %v", name, p.Name, e.Name, e.Value, err)
					continue
				}
				again, err := e.Value.Append(nil, value(t, text))
				if err != nil || !bytes.Equal(again, e.Default) {
					t.Errorf("%s: default %s of %s.%s encodes to %x, want %x, %v", name, text, p.Name, e.Name, again, e.Default, err)
				}
			}
		}
		if entries < 160 {
			t.Errorf("%s: %d storage items", name, entries)
		}
	}
}
