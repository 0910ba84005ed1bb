package scale

import (
	"fmt"
	"strings"
)

// Type is one type of a runtime. Newtypes (a struct of one unnamed field) look like what they hold.
type Type struct {
	Path []string // where the runtime's source defines it, for example sp_core crypto AccountId32; nil for lists, tuples and the like

	md       *Metadata
	shape    shape
	length   int        // of an array, items; of a number, bytes
	elem     *Type      // of lists, arrays, options and compacts; what bits are stored in
	order    *Type      // of bits
	fields   []field    // of structs and tuples
	variants []*variant // of enums, by number; nil: no such variant

	measured bool
	size     int // encoded, bytes; -1: it depends
	least    int // at least so many bytes
}

type field struct {
	name   string
	label  []byte // of JSON: the quoted name and a colon
	typ    *Type
	source string // the type as the runtime's source spells it, "" where it is not told
}

type variant struct {
	name  string
	label []byte // of JSON: the quoted name
	index byte
	body  *Type  // a struct or a tuple of its fields
	docs  string // encoded, as most of it is never read
}

// shape is how a type is encoded and shown.
type shape uint8

const (
	shapeTuple   shape = iota // no fields: the unit
	shapeStruct               //
	shapeEnum                 //
	shapeOption               //
	shapeList                 //
	shapeArray                //
	shapeBytes                // a list of bytes
	shapeFixed                // an array of bytes
	shapeAccount              // 32 bytes that are shown as an address
	shapeUint                 //
	shapeInt                  //
	shapeBool                 //
	shapeChar                 //
	shapeText                 //
	shapeCompact              //
	shapeBits                 //
	shapeEra                  // of a transaction: how long it is valid
	shapeAlias                // a newtype that link has not followed yet
)

// variant is the one with this number, nil for none.
func (t *Type) variant(index byte) *variant {
	if int(index) < len(t.variants) {
		return t.variants[index]
	}
	return nil
}

// variantNamed is the one with this name, nil for none.
func (t *Type) variantNamed(name string) *variant {
	for _, v := range t.variants {
		if v != nil && v.name == name {
			return v
		}
	}
	return nil
}

// Size is the number of bytes of every value, false when values differ.
func (t *Type) Size() (n int, fixed bool) { return t.size, t.size >= 0 }

// Variants are the names of an enum's variants in order of their numbers, nil when t is no enum.
func (t *Type) Variants() []string {
	if t.shape != shapeEnum {
		return nil
	}
	var names []string
	for _, v := range t.variants {
		if v != nil {
			names = append(names, v.name)
		}
	}
	return names
}

// longType is where the text of a type is cut off.
const longType = 200

// String is the type in the manner of Rust: "Vec<(u64, AccountId32)>".
func (t *Type) String() string {
	var b strings.Builder
	t.write(&b, 0)
	return b.String()
}

func (t *Type) write(b *strings.Builder, depth int) {
	generic := func(name string, of *Type) {
		b.WriteString(name + "<")
		of.write(b, depth+1)
		b.WriteByte('>')
	}
	switch {
	case depth > 8 || b.Len() > longType:
		b.WriteString("…")
	case t.shape == shapeOption:
		generic("Option", t.elem)
	case len(t.Path) > 0 && t.isList() && len(t.Path) > 1:
		generic(t.Path[len(t.Path)-1], t.elem)
	case len(t.Path) > 0:
		b.WriteString(t.Path[len(t.Path)-1])
	case t.isList():
		generic("Vec", t.elem)
	case t.shape == shapeCompact:
		generic("Compact", t.elem)
	case t.shape == shapeArray || t.shape == shapeFixed:
		b.WriteByte('[')
		t.elem.write(b, depth+1)
		fmt.Fprintf(b, "; %d]", t.length)
	case t.shape == shapeBits:
		b.WriteString("BitVec")
	default:
		b.WriteByte('(')
		for i, f := range t.fields {
			if i > 0 {
				b.WriteString(", ")
			}
			if f.typ.write(b, depth+1); b.Len() > longType {
				break
			}
		}
		b.WriteByte(')')
	}
}

func (t *Type) isList() bool { return t.shape == shapeList || t.shape == shapeBytes }
