package scale

import (
	"fmt"
)

// Metadata is what a runtime says of itself. It is safe for concurrent use once parsed.
type Metadata struct {
	// Pallets in the runtime's order.
	Pallets []*Pallet
	// Prefix is the network number of addresses in JSON: that of System.SS58Prefix, 42 (any Substrate chain) without it.
	// Change it before first use only.
	Prefix uint16

	types []*Type
}

// Pallet is one module of a runtime.
type Pallet struct {
	Name      string
	Index     uint8  // first byte of its calls, events and errors
	Prefix    string // what its storage keys begin with, before hashing; mostly Name
	Entries   []*Entry
	Constants []*Constant
	Calls     *Type // an enum; nil: none
	Events    *Type // an enum; nil: none
	Errors    *Type // an enum; nil: none
}

// Entry is a storage item: a plain value or a map.
type Entry struct {
	Pallet, Name string
	Docs         string
	Optional     bool     // what is absent is no value; otherwise it is Default
	Default      []byte   // encoded
	Hashers      []Hasher // of a map, one for each key; nil: a plain value
	Key          *Type    // of a map; a tuple where there are several hashers
	Value        *Type

	prefix [32]byte
	keys   []*Type // one for each hasher

	digests digests
}

// Constant is a value that a runtime was built with.
type Constant struct {
	Name  string
	Docs  string
	Type  *Type
	Value []byte // encoded
}

// Type is the i-th type of the registry.
func (m *Metadata) Type(i int) (*Type, error) {
	if i < 0 || i >= len(m.types) {
		return nil, fmt.Errorf("%w: type %d of %d", ErrUnknown, i, len(m.types))
	}
	return m.types[i], nil
}

// Pallet finds a pallet by its name; an error is ErrUnknown.
func (m *Metadata) Pallet(name string) (*Pallet, error) {
	for _, p := range m.Pallets {
		if p.Name == name {
			return p, nil
		}
	}
	return nil, fmt.Errorf("%w: pallet %.80s", ErrUnknown, name)
}

// Entry finds a storage item; an error is ErrUnknown.
func (m *Metadata) Entry(pallet, item string) (*Entry, error) {
	p, err := m.Pallet(pallet)
	if err != nil {
		return nil, err
	}
	for _, e := range p.Entries {
		if e.Name == item {
			return e, nil
		}
	}
	return nil, fmt.Errorf("%w: storage item %.80s.%.80s", ErrUnknown, pallet, item)
}

// Constant finds a constant; an error is ErrUnknown.
func (m *Metadata) Constant(pallet, name string) (*Constant, error) {
	p, err := m.Pallet(pallet)
	if err != nil {
		return nil, err
	}
	for _, c := range p.Constants {
		if c.Name == name {
			return c, nil
		}
	}
	return nil, fmt.Errorf("%w: constant %.80s.%.80s", ErrUnknown, pallet, name)
}
