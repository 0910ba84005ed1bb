package scale

import (
	"fmt"
	"slices"

	"golang.org/x/crypto/blake2b"
)

// CallDef is one call of a pallet: what an account may sign.
type CallDef struct {
	Pallet, Name string
	Docs         string
	Args         []CallArg

	pallet *Pallet
	of     *variant
}

// CallArg is an argument of a call.
type CallArg struct {
	Name   string
	Type   *Type
	Source string // the type as the runtime's source spells it: "BalanceOf<T>"; "" where metadata does not tell
}

// CallDef finds a call; an error is ErrUnknown.
func (m *Metadata) CallDef(pallet, name string) (*CallDef, error) {
	p, err := m.Pallet(pallet)
	if err != nil {
		return nil, err
	}
	if p.Calls != nil {
		if v := p.Calls.variantNamed(name); v != nil {
			return p.call(v), nil
		}
	}
	return nil, fmt.Errorf("%w: call %.80s.%.80s", ErrUnknown, pallet, name)
}

// CallDefs are the pallet's calls in order of their numbers.
func (p *Pallet) CallDefs() (all []*CallDef) {
	if p.Calls == nil {
		return nil
	}
	for _, v := range p.Calls.variants {
		if v != nil {
			all = append(all, p.call(v))
		}
	}
	return all
}

func (p *Pallet) call(v *variant) *CallDef {
	c := &CallDef{Pallet: p.Name, Name: v.name, Docs: texts(v.docs), pallet: p, of: v}
	for _, f := range v.body.fields {
		c.Args = append(c.Args, CallArg{Name: f.name, Type: f.typ, Source: f.source})
	}
	return c
}

// Append appends the call with these arguments, by their names and as for [Type.Append]. Each argument must be there, and
// no other. An error says which argument does not fit. After an error, dst's length is as it was.
func (c *CallDef) Append(dst []byte, args map[string]any) ([]byte, error) {
	for name := range args {
		if !slices.ContainsFunc(c.Args, func(a CallArg) bool { return a.Name == name }) {
			return dst, fmt.Errorf("%s.%s: %w: it has no argument %.80s", c.Pallet, c.Name, ErrInvalid, name)
		}
	}
	out := append(dst, c.pallet.Index, c.of.index)
	for _, a := range c.Args {
		v, ok := args[a.Name]
		if !ok {
			return dst, fmt.Errorf("%s.%s: %w: the argument %s is missing", c.Pallet, c.Name, ErrInvalid, a.Name)
		}
		var err error
		if out, err = a.Type.Append(out, v); err != nil {
			return dst, fmt.Errorf("%s.%s: %s: %w", c.Pallet, c.Name, a.Name, err)
		}
	}
	return out, nil
}

// Call encodes a call: args are its named arguments, as for Type.Append. The result is what multisigs, proxies and
// batches carry, and what a signer signs together with its extensions.
func (m *Metadata) Call(pallet, name string, args map[string]any) ([]byte, error) {
	c, err := m.CallDef(pallet, name)
	if err != nil {
		return nil, err
	}
	return c.Append(nil, args)
}

// DecodeCall reads an encoded call: which one it is, and its arguments as a JSON object (null without arguments) in the
// form of [Type.AppendJSON]. All of data must be the call.
func (m *Metadata) DecodeCall(data []byte) (c *CallDef, args []byte, err error) {
	if len(data) < 2 {
		return nil, nil, fmt.Errorf("call: %w", ErrShort)
	}
	at := slices.IndexFunc(m.Pallets, func(p *Pallet) bool { return p.Index == data[0] && p.Calls != nil })
	if at < 0 {
		return nil, nil, fmt.Errorf("call: %w: a pallet with the number %d", ErrUnknown, data[0])
	}
	p := m.Pallets[at]
	v := p.Calls.variant(data[1])
	if v == nil {
		return nil, nil, fmt.Errorf("call: %w: %s has no call %d", ErrUnknown, p.Name, data[1])
	}
	if args, err = v.body.AppendJSON(nil, data[2:]); err != nil {
		return nil, nil, fmt.Errorf("%s.%s: %w", p.Name, v.name, err)
	}
	return p.call(v), args, nil
}

// CallHash is the hash by which wallets, multisigs and proxies know a call: blake2-256 of its encoding.
func CallHash(call []byte) [32]byte { return blake2b.Sum256(call) }
