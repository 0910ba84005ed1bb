package scale

import (
	"fmt"
	"slices"
)

// Definitions of types, as metadata numbers them.
const (
	defComposite = iota
	defVariant
	defSequence
	defArray
	defTuple
	defPrimitive
	defCompact
	defBits
)

// registry reads all types and makes them ready to decode.
func (p *parser) registry() {
	n := p.count(6)
	if n > maxTypes {
		p.fail(fmt.Errorf("%w: %d types", ErrInvalid, n))
		return
	}
	all := make([]Type, n)
	p.md.types = make([]*Type, n)
	for i := range all {
		all[i].md = p.md
		p.md.types[i] = &all[i]
	}
	for i := range all {
		if id := p.small(); p.err == nil && int64(id) != int64(i) {
			p.fail(fmt.Errorf("%w: type %d stands at place %d", ErrInvalid, id, i))
		}
		p.define(&all[i])
		if p.err != nil {
			p.within(fmt.Sprintf("type %d", i))
			return
		}
	}
	p.link()
}

// define reads one type. A struct of one unnamed field is a new name for its field's type, which link fills in.
func (p *parser) define(t *Type) {
	for range p.count(1) {
		t.Path = append(t.Path, p.name())
	}
	for range p.count(2) {
		p.name()
		p.optionalType()
	}
	switch def := p.u8(); def {
	case defComposite:
		t.fields = p.fields()
		t.shape = shapeOf(t.fields)
		if t.shape == shapeTuple && len(t.fields) == 1 {
			t.shape, t.elem, t.fields = shapeAlias, t.fields[0].typ, nil
		}
	case defVariant:
		p.variants(t)
	case defSequence:
		t.shape, t.elem = shapeList, p.typ()
	case defArray:
		t.shape, t.length = shapeArray, int(p.u32())
		t.elem = p.typ()
	case defTuple:
		t.shape = shapeTuple
		for range p.count(1) {
			t.fields = append(t.fields, field{typ: p.typ()})
		}
	case defPrimitive:
		p.primitive(t)
	case defCompact:
		t.shape, t.elem = shapeCompact, p.typ()
	case defBits:
		t.shape, t.elem, t.order = shapeBits, p.typ(), p.typ()
	default:
		p.fail(fmt.Errorf("%w: definition %d", ErrInvalid, def))
	}
	p.skipTexts()
}

// shapeOf tells structs from tuples: all fields of a struct have names.
func shapeOf(fields []field) shape {
	unnamed := func(f field) bool { return f.name == "" }
	if len(fields) == 0 || slices.ContainsFunc(fields, unnamed) {
		return shapeTuple
	}
	return shapeStruct
}

func (p *parser) fields() []field {
	n := p.count(4)
	if n == 0 {
		return nil
	}
	all := make([]field, 0, n)
	for range n {
		var f field
		if p.some() {
			f.name = p.name()
			f.label = p.label(f.name, ":")
		}
		f.typ = p.typ()
		if p.some() {
			f.source = p.name()
		}
		p.skipTexts()
		if p.err != nil {
			return nil
		}
		all = append(all, f)
	}
	return all
}

func (p *parser) variants(t *Type) {
	t.shape = shapeEnum
	for range p.count(4) {
		v := &variant{name: p.name()}
		v.label = p.label(v.name, "")
		fields := p.fields()
		v.index = p.u8()
		v.body = &Type{md: p.md, shape: shapeOf(fields), fields: fields}
		v.docs = p.rawTexts()
		if p.err == nil && t.variant(v.index) != nil {
			p.fail(fmt.Errorf("%w: two variants have the number %d", ErrInvalid, v.index))
		}
		if p.err != nil {
			return
		}
		if need := int(v.index) + 1; need > len(t.variants) {
			t.variants = append(t.variants, make([]*variant, need-len(t.variants))...)
		}
		t.variants[v.index] = v
	}
	if slices.Equal(t.Path, []string{"Option"}) && len(t.variants) == 2 && t.variants[0] != nil && len(t.variants[1].body.fields) == 1 {
		t.shape, t.elem = shapeOption, t.variants[1].body.fields[0].typ
	}
}

// primitives are the numbered ones of metadata.
var primitives = [...]struct {
	name  string
	shape shape
	width int
}{
	{"bool", shapeBool, 1}, {"char", shapeChar, 4}, {"str", shapeText, 0},
	{"u8", shapeUint, 1}, {"u16", shapeUint, 2}, {"u32", shapeUint, 4}, {"u64", shapeUint, 8}, {"u128", shapeUint, 16}, {"u256", shapeUint, 32},
	{"i8", shapeInt, 1}, {"i16", shapeInt, 2}, {"i32", shapeInt, 4}, {"i64", shapeInt, 8}, {"i128", shapeInt, 16}, {"i256", shapeInt, 32},
}

func (p *parser) primitive(t *Type) {
	kind := int(p.u8())
	if kind >= len(primitives) {
		p.fail(fmt.Errorf("%w: primitive type %d", ErrInvalid, kind))
		return
	}
	t.shape, t.length = primitives[kind].shape, primitives[kind].width
	t.Path = []string{primitives[kind].name}
}
