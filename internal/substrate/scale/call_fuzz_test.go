package scale

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"testing"
	"unicode/utf8"
)

// FuzzAppend gives any JSON to any type of any metadata: it is refused, or encoded to what reads back, at a length that the text bounds.
func FuzzAppend(f *testing.F) {
	f.Add(small(composite(named("a", 1), named("b", 2)), prim("u64"), list(0)), `{"a":1,"b":[{"a":"0xff","b":[]}]}`)
	f.Add(small(enum(oneVariant("None", 0), oneVariant("Some", 1, unnamed(0))), at(enum(oneVariant("None", 0), oneVariant("Some", 1, unnamed(1))), "Option")), `{"Some":{"Some":null}}`)
	f.Add(small(at(enum(oneVariant("Id", 0, unnamed(1)), oneVariant("Index", 1)), "MultiAddress"), at(array(32, 2), "AccountId32"), prim("u8")), `"5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY"`)
	f.Add(small(array(1<<31, 1), tuple(), cat([]byte{defCompact}, compact(3)), prim("u128"), cat([]byte{defBits}, compact(5), compact(1)), prim("u8")), `[null,"0b1011",-1,1e400]`)
	f.Add(small(composite(named("x", 0))), `{"x":{"x":{"x":{}}}}`)
	f.Fuzz(func(t *testing.T, blob []byte, text string) {
		md, err := Parse(blob)
		if err != nil {
			return
		}
		v, err := ParseValue(text)
		if err != nil {
			return
		}
		for _, ty := range md.types {
			data, err := ty.Append(nil, v)
			if err != nil {
				continue
			}
			if limit := 64*len(text) + 1024; len(data) > limit {
				t.Fatalf("%s: %d bytes for %d of text", ty, len(data), len(text))
			}
			again, err := ty.AppendJSON(nil, data)
			if errors.Is(err, ErrTooDeep) || bytes.ContainsRune(again, utf8.RuneError) {
				continue
			}
			if err != nil {
				t.Fatalf("%s: %s is %x, which does not read back: %v", ty, text, data, err)
			}
		}
	})
}

// FuzzDecodeCall reads any bytes as a call of a real runtime: what is one encodes to what reads the same.
func FuzzDecodeCall(f *testing.F) {
	md := metadataOf(f, "metadata/phala-1291-v14.scale.gz")
	m := &maker{pick: rand.New(rand.NewPCG(3, 5)).IntN}
	for _, p := range md.Pallets {
		for _, c := range p.CallDefs() {
			if args, ok := arguments(m, c); ok {
				if data, err := c.Append(nil, args); err == nil {
					f.Add(data)
				}
			}
		}
	}
	f.Add(bytes.Repeat([]byte{3, 2, 4}, 100))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, text, err := md.DecodeCall(data)
		if err != nil {
			return
		}
		v, err := ParseValue(string(text))
		if err != nil {
			t.Fatalf("%x: %v: %s", data, err, text)
		}
		if bytes.ContainsRune(text, utf8.RuneError) {
			return // text that was no UTF-8
		}
		args, _ := v.(map[string]any)
		back, err := c.Append(nil, args)
		if err != nil {
			t.Fatalf("%x is %s, which does not encode: %v", data, text, err)
		}
		if _, again, err := md.DecodeCall(back); err != nil || !bytes.Equal(again, text) {
			t.Fatalf("%x is %s, encodes to %x, which is %s, %v", data, text, back, again, err)
		}
	})
}
