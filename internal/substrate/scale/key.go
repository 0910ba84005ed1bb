package scale

import (
	"bytes"
	"fmt"
	"strconv"
)

// Prefix is what all storage keys of the item begin with; for a plain value it is the key.
func (e *Entry) Prefix() []byte { return bytes.Clone(e.prefix[:]) }

// IsMap reports whether the item is a map.
func (e *Entry) IsMap() bool { return e.Key != nil }

// Keys are the types of a map's keys, one for each hasher.
func (e *Entry) Keys() []*Type { return e.keys }

// StorageKey is the storage key of one value. Fewer keys than the map has give the prefix of all entries that begin with them.
// The parts of a tuple under a single hasher may be given one by one.
func (e *Entry) StorageKey(keys ...any) ([]byte, error) {
	if len(e.keys) == 1 && len(keys) > 1 && e.Key.shape == shapeTuple {
		keys = []any{keys}
	}
	if len(keys) > len(e.keys) {
		return nil, fmt.Errorf("%w: %s.%s has %d keys, not %d", ErrInvalid, e.Pallet, e.Name, len(e.keys), len(keys))
	}
	out := append(make([]byte, 0, 96), e.prefix[:]...)
	for i, key := range keys {
		enc, err := e.keys[i].Append(nil, key)
		if err != nil {
			return nil, fmt.Errorf("%s.%s key %d: %w", e.Pallet, e.Name, i+1, err)
		}
		out = e.Hashers[i].append(out, enc, &e.digests)
	}
	return out, nil
}

// AppendKeys appends the keys in a storage key as a JSON array. A key behind a hasher that does not keep it is {"hash": "0x…"}.
func (e *Entry) AppendKeys(dst, storageKey []byte) ([]byte, error) {
	c, err := e.open(storageKey)
	if err != nil {
		return dst, err
	}
	out := append(dst, '[')
	for i, t := range e.keys {
		if i > 0 {
			out = append(out, ',')
		}
		hash := c.take(hashers[e.Hashers[i]].size)
		if e.Hashers[i].Readable() {
			out = t.json(&c, out)
		} else {
			out = append(appendHex(append(out, `{"hash":`...), hash), '}')
		}
		c.within("key " + strconv.Itoa(i+1))
	}
	if err := c.end(); err != nil {
		return dst, fmt.Errorf("%s.%s: %w", e.Pallet, e.Name, err)
	}
	return append(out, ']'), nil
}

// open passes over the prefix of a storage key.
func (e *Entry) open(storageKey []byte) (cursor, error) {
	rest, ok := bytes.CutPrefix(storageKey, e.prefix[:])
	if !ok {
		return cursor{}, fmt.Errorf("%w: no key of %s.%s", ErrInvalid, e.Pallet, e.Name)
	}
	return newCursor(rest), nil
}

// Or is what a storage item holds, given what is stored: an absent value (stored is nil) is the default, or, where the item
// is optional, none.
func (e *Entry) Or(stored []byte) (value []byte, ok bool) {
	if stored == nil && !e.Optional {
		return e.Default, true
	}
	return stored, stored != nil
}
