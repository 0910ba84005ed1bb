package scale

import (
	"fmt"
	"slices"
)

// huge stands for every size that no value can have.
const huge = 1 << 30

// link makes the types ready: newtypes get the shape of what they hold, bytes and accounts are told from other lists, and
// sizes are known.
func (p *parser) link() {
	following := make(map[*Type]bool)
	for i, t := range p.md.types {
		if !follow(t, following) {
			p.fail(fmt.Errorf("%w: type %d is a new name for itself", ErrInvalid, i))
			return
		}
	}
	for _, t := range p.md.types {
		t.recognise()
		if t.shape == shapeCompact && !t.elem.isCompactable() {
			p.fail(fmt.Errorf("%w: compact %s", ErrInvalid, t.elem))
			return
		}
		if t.shape == shapeBits && (t.elem.shape != shapeUint || t.elem.length > 8) {
			p.fail(fmt.Errorf("%w: bits in %s", ErrInvalid, t.elem))
			return
		}
	}
	for _, t := range p.md.types {
		t.measure()
		for _, v := range t.variants {
			if v != nil {
				v.body.measure()
			}
		}
	}
}

// follow gives a newtype the shape of what it holds; false when it holds nothing but itself.
func follow(t *Type, following map[*Type]bool) bool {
	if t.shape != shapeAlias {
		return true
	}
	var chain []*Type
	end := t
	for end.shape == shapeAlias {
		if following[end] {
			return false
		}
		following[end] = true
		chain = append(chain, end)
		end = end.elem
	}
	for _, alias := range chain {
		path := alias.Path
		*alias = *end
		if len(path) > 0 {
			alias.Path = path
		}
		delete(following, alias)
	}
	return true
}

// recognise tells apart what is encoded alike but shown differently.
func (t *Type) recognise() {
	ofBytes := func() bool { return t.elem.shape == shapeUint && t.elem.length == 1 }
	switch {
	case t.shape == shapeList && ofBytes():
		t.shape = shapeBytes
	case t.shape == shapeArray && ofBytes():
		t.shape = shapeFixed
		if t.length == 32 && len(t.Path) > 0 && t.Path[len(t.Path)-1] == "AccountId32" {
			t.shape = shapeAccount
		}
	case t.shape == shapeArray && slices.Equal(t.Path, []string{"primitive_types", "U256"}):
		t.shape, t.length, t.elem = shapeUint, 32, nil
	case t.shape == shapeCompact && t.elem.compacted().isUnit(): // takes no bytes at all
		t.shape, t.elem = shapeTuple, nil
	case t.shape == shapeEnum && len(t.variants) == 256 && t.Path != nil && t.Path[len(t.Path)-1] == "Era":
		t.shape = shapeEra
	}
}

func (t *Type) isUnit() bool { return t.shape == shapeTuple && len(t.fields) == 0 }

// compacted is the number in a compact type. A struct of one field is compacted as that field.
func (t *Type) compacted() *Type {
	for range maxDepth {
		if t.shape != shapeStruct || len(t.fields) != 1 {
			return t
		}
		t = t.fields[0].typ
	}
	return t
}

func (t *Type) isCompactable() bool {
	n := t.compacted()
	return n.shape == shapeUint && n.length <= 16
}

// measure works out the size, once. Types that hold themselves have none.
func (t *Type) measure() (size, least int) {
	if !t.measured {
		t.measured, t.size = true, -1 // as seen from inside itself
		t.size, t.least = t.sizes()
	}
	return t.size, t.least
}

func (t *Type) sizes() (size, least int) {
	switch t.shape {
	case shapeTuple, shapeStruct:
		for _, f := range t.fields {
			s, l := f.typ.measure()
			size, least = add(size, s), min(huge, least+l)
		}
		return size, least
	case shapeEnum:
		return t.enumSizes()
	case shapeArray:
		s, l := t.elem.measure()
		return times(s, t.length), times(l, t.length)
	case shapeFixed, shapeAccount:
		return min(t.length, huge), min(t.length, huge)
	case shapeUint, shapeInt, shapeBool, shapeChar:
		return t.length, t.length
	default: // a length, a flag or a number comes first
		return -1, 1
	}
}

// enumSizes: an enum has a size where all its variants have the same one.
func (t *Type) enumSizes() (size, least int) {
	first := true
	for _, v := range t.variants {
		if v == nil {
			continue
		}
		s, l := v.body.measure()
		if first {
			size, least, first = s, l, false
			continue
		}
		if s != size {
			size = -1
		}
		least = min(least, l)
	}
	return add(1, size), min(huge, least+1)
}

func add(a, b int) int {
	if a < 0 || b < 0 || a+b > huge {
		return -1
	}
	return a + b
}

// times is a size repeated; a size beyond all bounds is huge.
func times(size, n int) int {
	switch {
	case size <= 0:
		return size
	case n > huge/size:
		return huge
	}
	return size * n
}
