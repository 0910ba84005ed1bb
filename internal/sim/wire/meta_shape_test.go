package wire

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"

	"phalops/internal/sim/world"
	"phalops/internal/testkit"
)

// shared unpacks a file of the shared data; tests are skipped without it, but fail under CI.
func shared(t *testing.T, name string) []byte {
	t.Helper()
	return testkit.Shared(t, "data", "metadata", name)
}

// metaReader reads metadata v14 by the book, for this test alone: a panic is a broken blob.
type metaReader struct {
	b     []byte
	types []metaShape
}

type metaShape struct {
	path string
	kind byte
	of   []typeID // of fields, elements
	text []string // names beside them
	n    uint32
}

func (r *metaReader) byte() byte { b := r.b[0]; r.b = r.b[1:]; return b }

func (r *metaReader) compact() int {
	switch r.b[0] & 3 {
	case 0:
		return int(r.byte() >> 2)
	case 1:
		n := int(binary.LittleEndian.Uint16(r.b) >> 2)
		r.b = r.b[2:]
		return n
	default:
		n := int(binary.LittleEndian.Uint32(r.b) >> 2)
		r.b = r.b[4:]
		return n
	}
}

func (r *metaReader) bytes() []byte { n := r.compact(); b := r.b[:n]; r.b = r.b[n:]; return b }

func (r *metaReader) many(f func()) {
	for range r.compact() {
		f()
	}
}

func (r *metaReader) maybe(f func()) {
	if r.byte() == 1 {
		f()
	}
}

func (r *metaReader) skipText()  { r.bytes() }
func (r *metaReader) skipTexts() { r.many(r.skipText) }
func (r *metaReader) skipType()  { r.compact() }

func (r *metaReader) fields(s *metaShape, prefix string) {
	r.many(func() {
		name := prefix
		r.maybe(func() { name += string(r.bytes()) })
		s.text, s.of = append(s.text, name), append(s.of, typeID(r.compact()))
		r.maybe(r.skipText)
		r.skipTexts()
	})
}

func (r *metaReader) shape() {
	var s metaShape
	var path []string
	r.compact()
	r.many(func() { path = append(path, string(r.bytes())) })
	s.path = strings.Join(path, "::")
	r.many(func() { r.skipText(); r.maybe(r.skipType) })
	s.kind = r.byte()
	switch s.kind {
	case 0:
		r.fields(&s, "")
	case 1:
		r.many(func() {
			name := string(r.bytes())
			i, at := len(s.of), len(s.text)
			s.text, s.of = append(s.text, ""), append(s.of, 0)
			r.fields(&s, name+".")
			s.text[at], s.of[i] = fmt.Sprintf("%s=%d", name, r.byte()), noType
			r.skipTexts()
		})
	case 3:
		s.n = binary.LittleEndian.Uint32(r.b)
		r.b = r.b[4:]
		s.of = []typeID{typeID(r.compact())}
	case 4:
		r.many(func() { s.of = append(s.of, typeID(r.compact())) })
	case 5:
		s.n = uint32(r.byte())
	case 2, 6:
		s.of = []typeID{typeID(r.compact())}
	case 7:
		r.compact()
		r.compact()
	}
	r.skipTexts()
	r.types = append(r.types, s)
}

const noType = typeID(1 << 40)

// write is a type to its last leaf, with the names of everything.
func (r *metaReader) write(id typeID, depth int) string {
	if id == noType || depth > 12 {
		return ""
	}
	s := r.types[id]
	if strings.HasSuffix(s.path, "::RuntimeCall") {
		return "RuntimeCall" // of which we have but a few
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s/%d/%d(", strings.Replace(s.path, "khala_parachain_runtime", "khala_runtime", 1), s.kind, s.n)
	for i, of := range s.of {
		if s.text != nil {
			b.WriteString(s.text[i] + ":")
		}
		b.WriteString(r.write(of, depth+1) + " ")
	}
	return b.String() + ")"
}

// variant is one of an enum: its number, and its fields to their last leaves.
func (r *metaReader) variant(id typeID, name string) string {
	var b strings.Builder
	s, here := r.types[id], false
	for i, of := range s.of {
		switch {
		case of == noType:
			here = strings.HasPrefix(s.text[i], name+"=")
			if here {
				b.WriteString(s.text[i])
			}
		case here:
			b.WriteString(" " + s.text[i] + ":" + r.write(of, 0))
		}
	}
	return b.String()
}

// variants are the names of those of an enum.
func (r *metaReader) variants(id typeID) (names []string) {
	for i, of := range r.types[id].of {
		if of == noType {
			name, _, _ := strings.Cut(r.types[id].text[i], "=")
			names = append(names, name)
		}
	}
	return names
}

// items are the storage items, calls and constants that are wanted, each with everything that decides about its bytes.
func items(blob []byte, wanted func(name string) bool) map[string]string {
	r := &metaReader{b: blob[5:]}
	r.many(r.shape)
	all := map[string]string{}
	r.many(func() {
		pallet, prefix := string(r.bytes()), ""
		put := func(name string, text func() string) {
			if wanted(pallet + "." + name) {
				all[pallet+"."+name] = text()
			}
		}
		r.maybe(func() {
			prefix = string(r.bytes())
			r.many(func() {
				name, modifier, hashers, key := string(r.bytes()), r.byte(), []byte{}, noType
				if r.byte() == 1 {
					hashers, key = r.bytes(), typeID(r.compact())
				}
				value, instead := typeID(r.compact()), r.bytes()
				r.skipTexts()
				put(name, func() string {
					return fmt.Sprintf("%s %d %v of %s to %s or %x", prefix, modifier, hashers, r.write(key, 0), r.write(value, 0), instead)
				})
			})
		})
		r.maybe(func() {
			calls := typeID(r.compact())
			for _, name := range r.variants(calls) {
				put(name, func() string { return r.variant(calls, name) })
			}
		})
		r.maybe(r.skipType)
		r.many(func() {
			name, of, value := string(r.bytes()), typeID(r.compact()), r.bytes()
			r.skipTexts()
			put(name, func() string { return fmt.Sprintf("%s = %x", r.write(of, 0), value) })
		})
		r.maybe(r.skipType)
		index := r.byte()
		put("index", func() string { return fmt.Sprint(index) })
	})
	return all
}

// TestMetadataIsKhalas: every item and call of Phala's has the hashers, names, numbers, types, default and value that Khala's own runtime
// gave it.
func TestMetadataIsKhalas(t *testing.T) {
	for era, file := range map[world.Era]string{world.EraV1: "khala-1190-v14.scale.gz", world.EraV2: "khala-1241-v14.scale.gz"} {
		blob := shared(t, file)
		ours := items(metadata("khala", 30, 12_000, era), func(name string) bool {
			pallet, _, _ := strings.Cut(name, ".")
			return strings.HasPrefix(pallet, "Phala") || slices.Contains([]string{"ParachainSystem", "Assets", "RmrkCore", "Utility", "Proxy"}, pallet) ||
				slices.Contains([]string{"System.Account", "System.SS58Prefix", "Timestamp.Now", "Timestamp.set"}, name)
		})
		if len(ours) < 50 || ours["Proxy.proxy"] == "" || ours["Utility.batch_all"] == "" {
			t.Errorf("%s: only %d items", era, len(ours))
		}
		theirs := items(blob, func(name string) bool { return ours[name] != "" })
		for name, text := range ours {
			if theirs[name] != text {
				t.Errorf("%s of %s:\n ours %s\n real %s", name, era, text, theirs[name])
			}
		}
	}
}
