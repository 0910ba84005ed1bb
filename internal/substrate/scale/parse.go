package scale

import (
	"fmt"
	"strings"
)

// Limits of metadata. Real runtimes have about 400 KiB and 1,000 types.
const (
	MaxMetadata = 8 << 20
	maxTypes    = 1 << 15
	maxName     = 512
)

const magic = "meta"

// Parse reads metadata v14, the answer of state_getMetadata as bytes. It keeps no part of b.
func Parse(b []byte) (*Metadata, error) {
	if len(b) > MaxMetadata {
		return nil, fmt.Errorf("metadata: %w: %d bytes", ErrInvalid, len(b))
	}
	p := parser{cursor: newCursor(b), all: string(b)}
	m := p.metadata()
	if err := p.end(); err != nil {
		return nil, fmt.Errorf("metadata: %w", err)
	}
	return m, nil
}

type parser struct {
	cursor
	md  *Metadata
	all string // names are parts of it

	labels []byte // room for some more
}

// label is a name as JSON, followed by end.
func (p *parser) label(name, end string) []byte {
	const room = 8 << 10
	if need := 6*len(name) + 2 + len(end); need > cap(p.labels)-len(p.labels) { // at worst every byte is escaped
		p.labels = make([]byte, 0, max(need, room))
	}
	from := len(p.labels)
	p.labels = append(appendQuoted(p.labels, name), end...)
	return p.labels[from:len(p.labels):len(p.labels)]
}

func (p *parser) metadata() *Metadata {
	p.md = &Metadata{Prefix: 42}
	if head := p.take(5); head == nil || string(head[:4]) != magic {
		p.fail(fmt.Errorf("%w: no metadata", ErrInvalid))
	} else if head[4] != 14 {
		p.fail(fmt.Errorf("%w: version %d, only 14 is understood", ErrInvalid, head[4]))
	}
	p.registry()
	for range p.count(6) {
		if p.err != nil {
			break
		}
		p.md.Pallets = append(p.md.Pallets, p.pallet())
	}
	p.extrinsic()
	if p.err == nil {
		p.network()
	}
	return p.md
}

// network takes the prefix of addresses from the runtime's constants.
func (p *parser) network() {
	c, err := p.md.Constant("System", "SS58Prefix")
	if err != nil {
		return
	}
	var prefix uint16
	if read, err := Bind[uint16](c.Type); err == nil && read(c.Value, &prefix) == nil && prefix <= maxPrefix {
		p.md.Prefix = prefix
	}
}

// name reads an identifier.
func (p *parser) name() string {
	b := p.bytes()
	if len(b) > maxName {
		p.fail(fmt.Errorf("%w: a name of %d bytes", ErrInvalid, len(b)))
	}
	if p.err != nil {
		return ""
	}
	end := len(p.all) - len(p.b)
	return strings.ToValidUTF8(p.all[end-len(b):end], "\uFFFD")
}

// some reports whether an optional part follows.
func (p *parser) some() bool { return p.bool() }

// skipTexts passes over documentation.
func (p *parser) skipTexts() {
	for range p.count(1) {
		p.bytes()
	}
}

// rawTexts passes over documentation and keeps it as it is encoded, for texts to read.
func (p *parser) rawTexts() string {
	from := len(p.all) - len(p.b)
	p.skipTexts()
	if p.err != nil {
		return ""
	}
	return p.all[from : len(p.all)-len(p.b)]
}

// texts reads what rawTexts kept.
func texts(encoded string) string {
	p := parser{cursor: newCursor([]byte(encoded))}
	return p.docs()
}

// docs reads documentation as one text.
func (p *parser) docs() string {
	var all strings.Builder
	for i := range p.count(1) {
		if i > 0 {
			all.WriteByte('\n')
		}
		all.Write(p.bytes())
	}
	return strings.TrimSpace(strings.ToValidUTF8(all.String(), "\uFFFD"))
}

// typ reads the number of a type.
func (p *parser) typ() *Type {
	id := p.small()
	if int64(id) >= int64(len(p.md.types)) {
		p.fail(fmt.Errorf("%w: type %d of %d", ErrInvalid, id, len(p.md.types)))
		return nil
	}
	return p.md.types[id]
}

func (p *parser) optionalType() *Type {
	if !p.some() {
		return nil
	}
	return p.typ()
}

func (p *parser) pallet() *Pallet {
	pal := &Pallet{Name: p.name()}
	defer p.within(pal.Name)
	if p.some() {
		pal.Prefix = p.name()
		for range p.count(6) {
			if p.err != nil {
				return pal
			}
			pal.Entries = append(pal.Entries, p.entry(pal))
		}
	}
	pal.Calls, pal.Events = p.optionalType(), p.optionalType()
	for range p.count(4) {
		if p.err != nil {
			return pal
		}
		pal.Constants = append(pal.Constants, p.constant())
	}
	pal.Errors = p.optionalType()
	pal.Index = p.u8()
	return pal
}

func (p *parser) constant() *Constant {
	c := &Constant{Name: p.name(), Type: p.typ(), Value: append([]byte{}, p.bytes()...)}
	c.Docs = p.docs()
	return c
}

func (p *parser) entry(pal *Pallet) *Entry {
	e := &Entry{Pallet: pal.Name, Name: p.name()}
	defer p.within(e.Name)
	switch modifier := p.u8(); modifier {
	case 0:
		e.Optional = true
	case 1:
	default:
		p.fail(fmt.Errorf("%w: modifier %d", ErrInvalid, modifier))
	}
	switch kind := p.u8(); kind {
	case 0:
	case 1:
		for range p.count(1) {
			h := Hasher(p.u8())
			if int(h) >= len(hashers) {
				p.fail(fmt.Errorf("%w: hasher %d", ErrInvalid, h))
			}
			e.Hashers = append(e.Hashers, h)
		}
		e.Key = p.typ()
	default:
		p.fail(fmt.Errorf("%w: kind of storage %d", ErrInvalid, kind))
	}
	e.Value = p.typ()
	e.Default = append([]byte{}, p.bytes()...)
	e.Docs = p.docs()
	if p.err == nil {
		p.keys(e)
	}
	prefix := appendTwox(e.prefix[:0], []byte(pal.Prefix), 2)
	appendTwox(prefix, []byte(e.Name), 2)
	return e
}

// keys pairs the hashers of a map with the types that they hash.
func (p *parser) keys(e *Entry) {
	switch n := len(e.Hashers); {
	case e.Key == nil:
	case n == 1:
		e.keys = []*Type{e.Key}
	case n > 1 && e.Key.shape == shapeTuple && len(e.Key.fields) == n:
		for _, f := range e.Key.fields {
			e.keys = append(e.keys, f.typ)
		}
	default:
		p.fail(fmt.Errorf("%w: %d hashers for a key of type %s", ErrInvalid, n, e.Key))
	}
}

// extrinsic passes over the format of transactions and the runtime's own type.
func (p *parser) extrinsic() {
	p.typ()
	p.u8()
	for range p.count(3) {
		p.name()
		p.typ()
		p.typ()
	}
	p.typ()
}
