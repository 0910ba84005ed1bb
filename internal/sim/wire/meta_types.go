package wire

import "bytes"

// The parts of a metadata v14 type registry (paritytech/scale-info, frame-metadata v14).

// typeID is the place of a type in the registry.
type typeID uint64

type metaField struct {
	name string // "": an unnamed field of a tuple
	typ  typeID
}

type metaVariant struct {
	name   string
	index  byte
	fields []metaField
}

type metaParam struct {
	name string
	typ  typeID
}

// registry collects the types of a runtime, already encoded.
type registry struct {
	types []scale
}

// Kinds of primitive types, as metadata numbers them.
const (
	primBool = 0
	primText = 2
	primU8   = 3
	primU16  = 4
	primU32  = 5
	primU64  = 6
	primU128 = 7
)

// reserve keeps a place for a type that others hold before it can be written.
func (r *registry) reserve() typeID {
	r.types = append(r.types, nil)
	return typeID(len(r.types) - 1)
}

// add writes one type; def writes its definition.
func (r *registry) add(path []string, params []metaParam, def func(*scale)) typeID {
	return r.fill(r.reserve(), path, params, def)
}

// fill writes a type into its place.
func (r *registry) fill(id typeID, path []string, params []metaParam, def func(*scale)) typeID {
	var s scale
	s.compact(uint64(id))
	s.texts(path)
	list(&s, params, func(p metaParam) {
		s.text(p.name)
		s.byte(1)
		s.compact(uint64(p.typ))
	})
	def(&s)
	s.texts(nil)
	r.types[id] = s
	return id
}

func writeFields(s *scale, fields []metaField) {
	list(s, fields, func(f metaField) {
		if f.name == "" {
			s.byte(0)
		} else {
			s.some(f.name)
		}
		s.compact(uint64(f.typ))
		s.byte(0) // no type name
		s.texts(nil)
	})
}

func (r *registry) composite(path []string, fields ...metaField) typeID {
	return r.add(path, nil, func(s *scale) { s.byte(0); writeFields(s, fields) })
}

// wrap is a composite of one unnamed field.
func (r *registry) wrap(path []string, inner typeID) typeID {
	return r.composite(path, metaField{"", inner})
}

func (r *registry) variant(path []string, params []metaParam, variants ...metaVariant) typeID {
	return r.add(path, params, writeVariants(variants))
}

func writeVariants(variants []metaVariant) func(*scale) {
	return func(s *scale) {
		s.byte(1)
		list(s, variants, func(v metaVariant) {
			s.text(v.name)
			writeFields(s, v.fields)
			s.byte(v.index)
			s.texts(nil)
		})
	}
}

// enum is a variant without fields, numbered from 0.
func (r *registry) enum(path []string, names ...string) typeID {
	all := make([]metaVariant, len(names))
	for i, name := range names {
		all[i] = metaVariant{name: name, index: byte(i)}
	}
	return r.variant(path, nil, all...)
}

func (r *registry) sequence(of typeID) typeID {
	return r.add(nil, nil, func(s *scale) { s.byte(2); s.compact(uint64(of)) })
}

func (r *registry) array(n uint32, of typeID) typeID {
	return r.add(nil, nil, func(s *scale) { s.byte(3); s.u32(n); s.compact(uint64(of)) })
}

func (r *registry) tuple(of ...typeID) typeID {
	return r.add(nil, nil, func(s *scale) {
		s.byte(4)
		list(s, of, func(t typeID) { s.compact(uint64(t)) })
	})
}

func (r *registry) primitive(kind byte) typeID {
	return r.add(nil, nil, func(s *scale) { s.byte(5, kind) })
}

func (r *registry) compact(of typeID) typeID {
	return r.add(nil, nil, func(s *scale) { s.byte(6); s.compact(uint64(of)) })
}

// Hashers of storage maps, as metadata numbers them.
const (
	hasherBlake2Concat = 2
	hasherTwoxConcat   = 5
)

// metaEntry is a storage item; hasher 0 says that it is a plain value. With several parts key is a tuple, and every part is
// hashed by itself.
type metaEntry struct {
	name       string
	optional   bool
	hasher     byte
	parts      int // default 1
	key, value typeID
	instead    []byte // the value of what is absent
}

type metaConstant struct {
	name  string
	typ   typeID
	value scale
}

type metaPallet struct {
	name         string
	index        byte
	entries      []metaEntry
	calls, event typeID // 0: none
	constants    []metaConstant
}

func (p metaPallet) write(s *scale) {
	s.text(p.name)
	s.byte(1)
	s.text(p.name)
	list(s, p.entries, func(e metaEntry) {
		s.text(e.name)
		if e.optional {
			s.byte(0)
		} else {
			s.byte(1)
		}
		if e.hasher == 0 {
			s.byte(0)
		} else {
			s.byte(1)
			s.bytes(bytes.Repeat([]byte{e.hasher}, max(1, e.parts)))
			s.compact(uint64(e.key))
		}
		s.compact(uint64(e.value))
		s.bytes(e.instead)
		s.texts(nil)
	})
	for _, t := range []typeID{p.calls, p.event} {
		if t == 0 {
			s.byte(0)
			continue
		}
		s.byte(1)
		s.compact(uint64(t))
	}
	list(s, p.constants, func(c metaConstant) {
		s.text(c.name)
		s.compact(uint64(c.typ))
		s.bytes(c.value)
		s.texts(nil)
	})
	s.byte(0, p.index) // no errors
}
