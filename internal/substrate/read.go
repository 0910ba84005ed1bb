package substrate

import (
	"context"
	"fmt"

	"phalops/internal/substrate/scale"
)

// Each visits all entries of a map, decoded into Go values (see scale.BindKeys and scale.Bind), in the order of their storage
// keys. Both values are used again for the next entry: copy what must stay.
func Each[K, V any](ctx context.Context, s *Snapshot, e *scale.Entry, visit func(k *K, v *V) error) error {
	readKey, err := scale.BindKeys[K](e)
	if err != nil {
		return err
	}
	readValue, err := scale.Bind[V](e.Value)
	if err != nil {
		return fmt.Errorf("%s.%s: %w", e.Pallet, e.Name, err)
	}
	var k K
	var v V
	return s.Pairs(ctx, e.Prefix(), func(p Pair) error {
		if err := readKey(p.Key, &k); err != nil {
			return err
		}
		if err := readValue(p.Value, &v); err != nil {
			return fmt.Errorf("%s.%s 0x%x: %w", e.Pallet, e.Name, p.Key, err)
		}
		return visit(&k, &v)
	})
}

// One reads one value: a plain one without keys, or that of a map's entry. Where nothing is stored it is the runtime's default, or
// false where the item is optional.
func One[V any](ctx context.Context, s *Snapshot, e *scale.Entry, keys ...any) (v V, ok bool, err error) {
	read, err := scale.Bind[V](e.Value)
	if err != nil {
		return v, false, fmt.Errorf("%s.%s: %w", e.Pallet, e.Name, err)
	}
	key, err := e.StorageKey(keys...)
	if err != nil {
		return v, false, err
	}
	if len(keys) < len(e.Keys()) {
		return v, false, fmt.Errorf("%w: %s.%s has %d keys, not %d", scale.ErrInvalid, e.Pallet, e.Name, len(e.Keys()), len(keys))
	}
	err = s.Values(ctx, [][]byte{key}, func(p Pair) error {
		var raw []byte
		if raw, ok = e.Or(p.Value); !ok {
			return nil
		}
		return read(raw, &v)
	})
	return v, ok && err == nil, err
}
