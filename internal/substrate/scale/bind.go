package scale

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
)

// ErrBind is found in every error of Bind and BindKeys: the Go type does not fit the chain's.
var ErrBind = errors.New("does not fit")

// Option is an optional value that needs no pointer.
type Option[T any] struct {
	Some  bool
	Value T // zero without Some
}

// Uint128Setter is a Go type of one's own for 128-bit numbers.
type Uint128Setter interface{ SetUint128(hi, lo uint64) }

// Bind compiles t into a function that decodes values into a Go variable. The function is safe for concurrent use and
// allocates for slices, pointers and free text only; slices that are there are filled anew. All of the bytes must be the
// value. After an error the variable holds nothing that counts.
//
//   - Numbers fit Go integers that are wide enough; those of 128 bits U128, and whatever is a Uint128Setter.
//   - Bytes fit []byte, arrays of their length and strings; text fits strings.
//   - Lists fit slices, arrays fit slices and arrays.
//   - Option fits Option, and a pointer: nil is None.
//   - Enums fit strings (the variant's name), uint8 (its number), and structs with a pointer per variant of interest, of which
//     that of the value is set.
//   - Structs fit Go structs. Fields are matched by name, ProtectedName for protected_name, or by the tag `scale:"name"`. A path
//     "outer.inner" reaches into nested structs, "new|old" takes the first that the chain knows, and ",optional" lets a field
//     that it does not know be. What no field asks for is passed over.
//   - Tuples fit Go structs with as many fields, in order.
func Bind[T any](t *Type) (func(b []byte, v *T) error, error) {
	read, err := (&binder{}).bind(t, reflect.TypeFor[T]())
	if err != nil {
		return nil, fmt.Errorf("bind %s to %s: %w", t, reflect.TypeFor[T](), err)
	}
	var spare cursors
	return func(b []byte, v *T) error {
		return spare.with(newCursor(b), func(c *cursor) { read(c, reflect.ValueOf(v).Elem()) })
	}, nil
}

// BindKeys is Bind for the keys in a map's storage keys: T fits the only key, or is a struct with a field for each, in order.
// All hashers must be readable.
func BindKeys[T any](e *Entry) (func(storageKey []byte, v *T) error, error) {
	rt := reflect.TypeFor[T]()
	fail := func(err error) error {
		return fmt.Errorf("bind the keys of %s.%s to %s: %w", e.Pallet, e.Name, rt, err)
	}
	reads := make([]reader, len(e.keys))
	if len(e.keys) == 0 || len(e.keys) > 1 && !isTuple(rt, len(e.keys)) {
		return nil, fail(fmt.Errorf("%w: %d keys", ErrBind, len(e.keys)))
	}
	for i, t := range e.keys {
		part := rt
		if len(e.keys) > 1 {
			part = rt.Field(i).Type
		}
		var err error
		if reads[i], err = (&binder{}).bind(t, part); err == nil && !e.Hashers[i].Readable() {
			err = fmt.Errorf("%w: %s keeps no key", ErrBind, e.Hashers[i])
		}
		if err != nil {
			return nil, fail(err)
		}
	}
	var spare cursors
	return func(storageKey []byte, v *T) error {
		c, err := e.open(storageKey)
		if err != nil {
			return err
		}
		return spare.with(c, func(c *cursor) {
			into := reflect.ValueOf(v).Elem()
			for i, read := range reads {
				c.take(hashers[e.Hashers[i]].size)
				if len(reads) == 1 {
					read(c, into)
				} else {
					read(c, into.Field(i))
				}
			}
		})
	}, nil
}

// cursors are used again: what a compiled reader is handed is on the heap.
type cursors struct{ pool sync.Pool }

// with runs a reader at the cursor's place, to the end of its bytes.
func (s *cursors) with(at cursor, read func(*cursor)) error {
	c, _ := s.pool.Get().(*cursor)
	if c == nil {
		c = new(cursor)
	}
	*c = at
	read(c)
	err := c.end()
	*c = cursor{}
	s.pool.Put(c)
	return err
}

// reader decodes one value into a Go variable.
type reader func(c *cursor, v reflect.Value)

// binder compiles readers. Types may hold themselves, on both sides.
type binder struct {
	known map[pair]*reader
}

type pair struct {
	from *Type
	to   reflect.Type
}

func (b *binder) bind(t *Type, rt reflect.Type) (reader, error) {
	key := pair{t, rt}
	if r, ok := b.known[key]; ok {
		return func(c *cursor, v reflect.Value) { (*r)(c, v) }, nil
	}
	if b.known == nil {
		b.known = map[pair]*reader{}
	}
	var r reader
	b.known[key] = &r
	inner, err := b.compile(t, rt)
	if err != nil {
		delete(b.known, key)
		return nil, err
	}
	r = func(c *cursor, v reflect.Value) {
		if c.enter() {
			inner(c, v)
			c.leave()
		}
	}
	return r, nil
}

func unfit(t *Type, rt reflect.Type) error { return fmt.Errorf("%w: %s in %s", ErrBind, t, rt) }

func (b *binder) compile(t *Type, rt reflect.Type) (reader, error) {
	switch t.shape {
	case shapeUint, shapeCompact:
		return bindUint(t, rt)
	case shapeInt:
		return bindInt(t, rt)
	case shapeBool:
		if rt.Kind() == reflect.Bool {
			return func(c *cursor, v reflect.Value) { v.SetBool(c.bool()) }, nil
		}
	case shapeText, shapeBytes, shapeFixed, shapeAccount:
		return bindBytes(t, rt)
	case shapeList, shapeArray:
		return b.bindItems(t, rt)
	case shapeOption:
		return b.bindOption(t, rt)
	case shapeEnum:
		return b.bindEnum(t, rt)
	case shapeTuple:
		return b.bindTuple(t, rt)
	case shapeStruct:
		return b.bindStruct(t, rt)
	}
	return nil, unfit(t, rt)
}

func (b *binder) bindItems(t *Type, rt reflect.Type) (reader, error) {
	isArray := rt.Kind() == reflect.Array && t.shape == shapeArray && rt.Len() == t.length
	if rt.Kind() != reflect.Slice && !isArray {
		return nil, unfit(t, rt)
	}
	item, err := b.bind(t.elem, rt.Elem())
	if err != nil {
		return nil, err
	}
	return func(c *cursor, v reflect.Value) {
		n := t.length
		if t.shape == shapeList {
			n = c.count(t.elem.least)
		}
		if !isArray {
			v.SetLen(0)
		}
		for i := 0; i < n && c.err == nil; i++ {
			if !isArray { // grown item by item: the bytes must be there first
				if i == v.Cap() {
					v.Grow(1)
				}
				v.SetLen(i + 1)
			}
			item(c, v.Index(i))
		}
	}, nil
}

func (b *binder) bindOption(t *Type, rt reflect.Type) (reader, error) {
	if rt.Kind() == reflect.Pointer {
		inner, err := b.bind(t.elem, rt.Elem())
		return func(c *cursor, v reflect.Value) {
			v.SetZero()
			if c.bool() {
				v.Set(reflect.New(rt.Elem()))
				inner(c, v.Elem())
			}
		}, err
	}
	if !isOption(rt) {
		return nil, unfit(t, rt)
	}
	inner, err := b.bind(t.elem, rt.Field(1).Type)
	return func(c *cursor, v reflect.Value) {
		some := c.bool()
		v.Field(0).SetBool(some)
		if some {
			inner(c, v.Field(1))
		} else {
			v.Field(1).SetZero()
		}
	}, err
}

func isOption(rt reflect.Type) bool {
	return rt.PkgPath() == reflect.TypeFor[Option[int]]().PkgPath() && strings.HasPrefix(rt.Name(), "Option[")
}

// isTuple reports whether a Go type is a struct of n fields, all of which can be set from here.
func isTuple(rt reflect.Type, n int) bool {
	if rt.Kind() != reflect.Struct || rt.NumField() != n {
		return false
	}
	for i := range n {
		if !rt.Field(i).IsExported() {
			return false
		}
	}
	return true
}

func (b *binder) bindTuple(t *Type, rt reflect.Type) (reader, error) {
	if !isTuple(rt, len(t.fields)) {
		return nil, unfit(t, rt)
	}
	reads := make([]reader, len(t.fields))
	for i, f := range t.fields {
		var err error
		if reads[i], err = b.bind(f.typ, rt.Field(i).Type); err != nil {
			return nil, fmt.Errorf("%d: %w", i, err)
		}
	}
	return func(c *cursor, v reflect.Value) {
		for i, read := range reads {
			if read(c, v.Field(i)); c.err != nil {
				return
			}
		}
	}, nil
}
