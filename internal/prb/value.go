package prb

import (
	"math"
	"strconv"

	"github.com/valyala/fastjson"

	"phalops/internal/fleet"
)

// Parsers reads the replies of bridges in one pass: they are most of what a daemon does. The zero Parsers is ready; what one
// reply took is used again for the next, so share one. It is safe for concurrent use.
type Parsers struct {
	pool  fastjson.ParserPool
	words words
}

// Parse reads a whole JSON text. Free the Doc when nothing of it is needed any more.
func (p *Parsers) Parse(text []byte) (*Doc, error) {
	parser := p.pool.Get()
	root, err := parser.ParseBytes(text)
	if err != nil {
		p.pool.Put(parser)
		return nil, err
	}
	return &Doc{Value: Value{root}, parser: parser, home: p}, nil
}

// Doc is a parsed text.
type Doc struct {
	Value
	parser *fastjson.Parser
	home   *Parsers
}

// Free gives the memory back: no Value of the Doc may be used afterwards. A nil Doc and one that is free already are fine.
func (d *Doc) Free() {
	if d != nil && d.parser != nil {
		d.home.pool.Put(d.parser)
		d.parser, d.Value = nil, Value{}
	}
}

// Value is one value of a foreign text, read leniently: a field of another type than expected is an unknown field, not an
// unreadable worker. The zero Value is an absent one. It lives as long as its Doc.
type Value struct{ v *fastjson.Value }

// Get is a field of an object.
func (v Value) Get(name string) Value { return Value{v.v.Get(name)} }

// At is a part of the same Doc in its place: what is left when an envelope has been opened.
func (d *Doc) At(v Value) *Doc {
	d.Value = v
	return d
}

func (v Value) is(t fastjson.Type) bool { return v.v != nil && v.v.Type() == t }

// IsObject reports whether it is an object.
func (v Value) IsObject() bool { return v.is(fastjson.TypeObject) }

// Absent reports whether it is not there or null.
func (v Value) Absent() bool { return v.v == nil || v.is(fastjson.TypeNull) }

// List is the items of an array, none when it is absent; false for everything else.
func (v Value) List() ([]Value, bool) {
	if v.Absent() {
		return nil, true
	}
	items, err := v.v.Array()
	if err != nil {
		return nil, false
	}
	out := make([]Value, len(items))
	for i, item := range items {
		out[i] = Value{item}
	}
	return out, true
}

// Text takes a string, and a number as it is written; everything else is "".
func (v Value) Text() string {
	switch {
	case v.is(fastjson.TypeString):
		return text(v.bytes())
	case v.is(fastjson.TypeNumber):
		return string(v.v.MarshalTo(nil))
	}
	return ""
}

// word is Text for what comes again with every reply.
func (p *Parsers) word(v Value) string {
	if v.is(fastjson.TypeString) {
		return p.words.of(v.bytes())
	}
	return v.Text()
}

// written is a number as it is written, in dst, or a string as it stands.
func (v Value) written(dst []byte) []byte {
	if v.is(fastjson.TypeNumber) {
		return v.v.MarshalTo(dst)
	}
	return v.bytes()
}

// bytes is a string without a copy of it.
func (v Value) bytes() []byte {
	if !v.is(fastjson.TypeString) {
		return nil
	}
	return v.v.GetStringBytes()
}

// Flag is true for true only, as absent is false to the servers.
func (v Value) Flag() bool { return v.is(fastjson.TypeTrue) }

// Bool is nil unless it is true or false.
func (v Value) Bool() *bool {
	if !v.is(fastjson.TypeTrue) && !v.is(fastjson.TypeFalse) {
		return nil
	}
	b := v.Flag()
	return &b
}

// Height takes a whole number, or the same as a string.
func (v Value) Height() fleet.Height {
	if v.is(fastjson.TypeNumber) {
		if n, err := v.v.Int64(); err == nil {
			return fleet.Height{Value: n, Known: true}
		}
	}
	return heightOf(v.Text())
}

func heightOf(s string) fleet.Height {
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return fleet.Height{Value: n, Known: true}
	}
	if f, err := strconv.ParseFloat(s, 64); err == nil && f == math.Trunc(f) && math.Abs(f) <= 1<<53 {
		return fleet.Height{Value: int64(f), Known: true} // 1e3 and 1.0 are numbers, too
	}
	return fleet.Height{}
}

// MarshalJSON writes it as it was told, keys and all; null when it is absent.
func (v Value) MarshalJSON() ([]byte, error) {
	if v.v == nil {
		return []byte("null"), nil
	}
	return v.v.MarshalTo(nil), nil
}
