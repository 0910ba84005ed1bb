package scale

import (
	"fmt"
	"reflect"
)

// bindUint reads numbers into whatever is wide enough for them.
func bindUint(t *Type, rt reflect.Type) (reader, error) {
	width, read := t.length, (*cursor).uint
	if t.shape == shapeCompact {
		width = t.elem.compacted().length
		read = func(c *cursor, width int) uint64 { return c.compactOf(width).Lo }
	}
	switch {
	case width <= 8 && rt.Kind() >= reflect.Uint && rt.Kind() <= reflect.Uint64 && rt.Bits() >= 8*width:
		return func(c *cursor, v reflect.Value) { v.SetUint(read(c, width)) }, nil
	case width <= 8 && rt.Kind() >= reflect.Int && rt.Kind() <= reflect.Int64 && rt.Bits() > 8*width:
		return func(c *cursor, v reflect.Value) { v.SetInt(int64(read(c, width))) }, nil
	case width <= 16:
		return bindUint128(t, rt, width)
	}
	return nil, unfit(t, rt)
}

func bindUint128(t *Type, rt reflect.Type, width int) (reader, error) {
	read := func(c *cursor) U128 {
		switch {
		case t.shape == shapeCompact:
			return c.compactOf(width)
		case width < 16:
			return U128{Lo: c.uint(width)}
		}
		return c.u128()
	}
	switch {
	case rt == reflect.TypeFor[U128]():
		return func(c *cursor, v reflect.Value) { *v.Addr().Interface().(*U128) = read(c) }, nil
	case reflect.PointerTo(rt).Implements(reflect.TypeFor[Uint128Setter]()):
		return func(c *cursor, v reflect.Value) {
			n := read(c)
			v.Addr().Interface().(Uint128Setter).SetUint128(n.Hi, n.Lo)
		}, nil
	}
	return nil, unfit(t, rt)
}

func bindInt(t *Type, rt reflect.Type) (reader, error) {
	if t.length > 8 || rt.Kind() < reflect.Int || rt.Kind() > reflect.Int64 || rt.Bits() < 8*t.length {
		return nil, unfit(t, rt)
	}
	return func(c *cursor, v reflect.Value) { v.SetInt(c.int(t.length)) }, nil
}

// bindBytes reads bytes and text.
func bindBytes(t *Type, rt reflect.Type) (reader, error) {
	read := (*cursor).bytes
	if n := t.length; t.shape == shapeFixed || t.shape == shapeAccount {
		read = func(c *cursor) []byte { return c.take(n) }
	}
	switch {
	case rt.Kind() == reflect.String:
		return func(c *cursor, v reflect.Value) {
			if b := read(c); v.String() != string(b) { // equal text needs no new memory
				v.SetString(string(b))
			}
		}, nil
	case rt.Kind() == reflect.Slice && rt.Elem().Kind() == reflect.Uint8 && t.shape != shapeText:
		return func(c *cursor, v reflect.Value) { v.SetBytes(append(v.Bytes()[:0], read(c)...)) }, nil
	case rt.Kind() == reflect.Array && rt.Elem().Kind() == reflect.Uint8 && rt.Len() == t.length && t.shape != shapeBytes && t.shape != shapeText:
		return func(c *cursor, v reflect.Value) { copy(v.Bytes(), read(c)) }, nil
	}
	return nil, unfit(t, rt)
}

// bindEnum reads which variant it is, and for structs what the variant holds.
func (b *binder) bindEnum(t *Type, rt reflect.Type) (reader, error) {
	body := func(c *cursor, v *variant) {
		for _, f := range v.body.fields {
			f.typ.skip(c)
		}
	}
	switch {
	case rt.Kind() == reflect.String:
		return func(c *cursor, v reflect.Value) {
			if chosen := t.pick(c); chosen != nil {
				v.SetString(chosen.name)
				body(c, chosen)
			}
		}, nil
	case rt.Kind() == reflect.Uint8:
		return func(c *cursor, v reflect.Value) {
			if chosen := t.pick(c); chosen != nil {
				v.SetUint(uint64(chosen.index))
				body(c, chosen)
			}
		}, nil
	case rt.Kind() != reflect.Struct:
		return nil, unfit(t, rt)
	}
	return b.bindVariants(t, rt, body)
}

func (b *binder) bindVariants(t *Type, rt reflect.Type, skip func(*cursor, *variant)) (reader, error) {
	type wanted struct {
		field int
		read  reader
	}
	var wants [256]*wanted
	for i := range rt.NumField() {
		f, err := wish(rt.Field(i))
		if err != nil {
			return nil, err
		}
		v := t.firstVariant(f.names)
		switch {
		case v == nil && f.optional:
			continue
		case v == nil || rt.Field(i).Type.Kind() != reflect.Pointer:
			return nil, fmt.Errorf("%w: field %s in %s", ErrBind, rt.Field(i).Name, t)
		}
		read, err := b.bind(v.inner(), rt.Field(i).Type.Elem())
		if err != nil {
			return nil, fmt.Errorf("%s: %w", v.name, err)
		}
		wants[v.index] = &wanted{i, read}
	}
	return func(c *cursor, v reflect.Value) {
		v.SetZero()
		chosen := t.pick(c)
		if chosen == nil {
			return
		}
		w := wants[chosen.index]
		if w == nil {
			skip(c, chosen)
			return
		}
		into := v.Field(w.field)
		into.Set(reflect.New(into.Type().Elem()))
		if w.read(c, into.Elem()); c.err != nil {
			c.within(chosen.name)
		}
	}, nil
}

func (t *Type) firstVariant(names []string) *variant {
	for _, name := range names {
		if v := t.variantNamed(name); v != nil {
			return v
		}
	}
	return nil
}
