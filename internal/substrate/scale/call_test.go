package scale

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"phalops/internal/testkit"
)

// callRoundTrip encodes a call, reads it back and encodes it again.
func callRoundTrip(c *CallDef, md *Metadata, args map[string]any) ([]byte, error) {
	data, err := c.Append(nil, args)
	if err != nil {
		return nil, err
	}
	got, text, err := md.DecodeCall(data)
	if err != nil {
		return nil, fmt.Errorf("%x: %w", data, err)
	}
	back, err := ParseValue(string(text))
	if err != nil {
		return nil, err
	}
	again, _ := back.(map[string]any)
	if got.Pallet != c.Pallet || got.Name != c.Name {
		return nil, fmt.Errorf("it reads back as %s.%s", got.Pallet, got.Name)
	}
	if diff := cmp.Diff(plain(args), plain(again)); diff != "" && len(args)+len(again) > 0 {
		return nil, fmt.Errorf("it reads back as something else: %s", diff)
	}
	if second, err := got.Append(nil, again); err != nil || !bytes.Equal(second, data) {
		return nil, fmt.Errorf("%s encodes to %x, not %x, %w", text, second, data, err)
	}
	return data, nil
}

// arguments makes some for a call; ok is false where none are small enough.
func arguments(m *maker, c *CallDef) (args map[string]any, ok bool) {
	args = map[string]any{}
	for _, a := range c.Args {
		if args[a.Name], ok = m.make(a.Type); !ok {
			return nil, false
		}
	}
	return args, true
}

// TestEveryCallComesBack: every call of every real runtime is what was put into it.
func TestEveryCallComesBack(t *testing.T) {
	for _, name := range blobs(t) {
		md := metadataOf(t, name)
		random := rand.New(rand.NewPCG(7, uint64(len(name))))
		m := &maker{pick: random.IntN}
		calls, none := 0, 0
		for _, p := range md.Pallets {
			for _, c := range p.CallDefs() {
				calls++
				made := false
				for range 4 {
					args, ok := arguments(m, c)
					if !ok {
						continue
					}
					made = true
					if _, err := callRoundTrip(c, md, args); err != nil {
						t.Fatalf("%s: %s.%s: %v", name, c.Pallet, c.Name, err)
					}
				}
				if !made {
					none++
				}
			}
		}
		if calls < 190 || none > 0 {
			t.Errorf("%s: %d calls, of which %d could not be tried", name, calls, none)
		}
	}
}

// TestAnyCallComesBack is the same with whatever rapid finds worth trying.
func TestAnyCallComesBack(t *testing.T) {
	md := metadataOf(t, "metadata/phala-1291-v14.scale.gz")
	var all []*CallDef
	for _, p := range md.Pallets {
		all = append(all, p.CallDefs()...)
	}
	rapid.Check(t, func(r *rapid.T) {
		c := rapid.SampledFrom(all).Draw(r, "call")
		m := &maker{pick: func(n int) int { return rapid.IntRange(0, n-1).Draw(r, "n") }}
		args, ok := arguments(m, c)
		if !ok {
			r.Skip()
		}
		if _, err := callRoundTrip(c, md, args); err != nil {
			r.Fatal(c.Pallet, c.Name, err)
		}
	})
}

// TestCallDefs: what a person needs to know of a call before calling it.
func TestCallDefs(t *testing.T) {
	md := metadataOf(t, "metadata/khala-1241-v14.scale.gz")
	c, err := md.CallDef("PhalaStakePoolv2", "start_computing")
	if err != nil {
		t.Fatal(err)
	}
	var args []string
	for _, a := range c.Args {
		args = append(args, a.Name+" "+a.Type.String()+" "+a.Source)
	}
	if want := []string{"pid u64 u64", "worker Public WorkerPublicKey", "stake u128 BalanceOf<T>"}; !slices.Equal(args, want) {
		t.Errorf("%q", args)
	}
	if !strings.HasPrefix(c.Docs, "Starts a worker on behalf of the stake pool") || strings.Contains(c.Docs, "\x00") {
		t.Errorf("%q", c.Docs)
	}
	remark, err := md.CallDef("System", "remark")
	if err != nil || remark.Args[0].Type.String() != "Vec<u8>" {
		t.Errorf("%+v %v", remark, err)
	}
	system, err := md.Pallet("System")
	if err != nil || len(system.CallDefs()) != len(system.Calls.Variants()) {
		t.Error(err)
	}
	if p, _ := md.Pallet("Authorship"); p == nil || p.CallDefs() != nil {
		t.Error("a pallet without calls")
	}
}

// TestCallsThatAreNone: what does not fit is refused, with its place.
func TestCallsThatAreNone(t *testing.T) {
	md := metadataOf(t, "metadata/phala-1291-v14.scale.gz")
	worker := "0x" + strings.Repeat("ab", 32)
	good := func() map[string]any { return map[string]any{"pid": 1, "worker": worker, "stake": "5"} }
	for name, c := range map[string]struct {
		change map[string]any // nil removes
		err    error
		says   string
	}{
		"missing":           {map[string]any{"stake": nil}, ErrInvalid, "PhalaStakePoolv2.start_computing: not an encoding of this type: the argument stake is missing"},
		"unknown":           {map[string]any{"stakes": 1}, ErrInvalid, "no argument stakes"},
		"too large":         {map[string]any{"pid": "18446744073709551616"}, ErrInvalid, "start_computing: pid: "},
		"negative":          {map[string]any{"pid": -1}, ErrInvalid, "pid: "},
		"a fraction":        {map[string]any{"stake": json.Number("1.5")}, ErrInvalid, "stake: "},
		"an exponent":       {map[string]any{"stake": json.Number("1e12")}, ErrInvalid, "stake: "},
		"a float":           {map[string]any{"stake": 1.0}, ErrInvalid, "stake: "},
		"a list":            {map[string]any{"pid": []any{1}}, ErrInvalid, "pid: "},
		"no number":         {map[string]any{"pid": "one"}, ErrInvalid, "pid: "},
		"too short":         {map[string]any{"worker": worker[:64]}, ErrInvalid, "worker: "},
		"too long":          {map[string]any{"worker": worker + "00"}, ErrInvalid, "worker: "},
		"odd digits":        {map[string]any{"worker": worker + "0"}, ErrInvalid, "worker: "},
		"a number for text": {map[string]any{"worker": 7}, ErrInvalid, "worker: "},
	} {
		args := good()
		for k, v := range c.change {
			if args[k] = v; v == nil {
				delete(args, k)
			}
		}
		dst := []byte("before")
		out, err := md.Call("PhalaStakePoolv2", "start_computing", args)
		if !errors.Is(err, c.err) || !strings.Contains(err.Error(), c.says) || out != nil {
			t.Errorf("%s: %x %v", name, out, err)
		}
		def, _ := md.CallDef("PhalaStakePoolv2", "start_computing")
		if out, err := def.Append(dst, args); err == nil || string(out) != "before" {
			t.Errorf("%s: after an error there is %q", name, out)
		}
	}
	batch := func(inner any) map[string]any { return map[string]any{"calls": []any{inner}} }
	for says, inner := range map[string]any{
		"calls: 0: RuntimeCall has no":   map[string]any{"PhalaMining": map[string]any{"x": nil}},
		"PhalaStakePoolv2: Call has no":  map[string]any{"PhalaStakePoolv2": map[string]any{"start_mining": good()}},
		"0: PhalaStakePoolv2: set_cap: ": map[string]any{"PhalaStakePoolv2": map[string]any{"set_cap": map[string]any{"pid": 1}}},
	} {
		_, err := md.Call("Utility", "batch_all", batch(inner))
		if !errors.Is(err, ErrInvalid) || !strings.Contains(strings.ReplaceAll(err.Error(), ErrInvalid.Error()+": ", ""), says) {
			t.Errorf("%v, want %s", err, says)
		}
	}
	for _, data := range []string{"", "03", "ff00", "03ff", "0302", "030204", "590d01", "0000"} {
		if c, args, err := md.DecodeCall(unhex(t, data)); err == nil || c != nil || args != nil {
			t.Errorf("%s: %v %s", data, c, args)
		}
	}
	if _, _, err := md.DecodeCall(append(unhex(t, "5900"), 0)); !errors.Is(err, ErrTrailing) {
		t.Error(err)
	}
}

// TestCallsWithoutEnd: a batch of a batch of a batch is refused, not followed into the ground.
func TestCallsWithoutEnd(t *testing.T) {
	md := metadataOf(t, "metadata/phala-1291-v14.scale.gz")
	inner := map[string]any{"System": map[string]any{"remark": map[string]any{"remark": "hi"}}}
	for range 10_000 {
		inner = map[string]any{"Utility": map[string]any{"batch_all": map[string]any{"calls": []any{inner}}}}
	}
	if _, err := md.Call("Utility", "batch", map[string]any{"calls": []any{inner}}); !errors.Is(err, ErrTooDeep) {
		t.Errorf("%.200v", err)
	}
	deep := bytes.Repeat([]byte{3, 2, 4}, 10_000)
	if _, _, err := md.DecodeCall(append(deep, 0, 0, 0)); !errors.Is(err, ErrTooDeep) {
		t.Errorf("%.200v", err)
	}
	// An option of itself: any value would do, for ever.
	self := parse(t, small(at(enum(oneVariant("None", 0), oneVariant("Some", 1, unnamed(0))), "Option")))
	ty, err := self.Type(0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ty.Append(nil, 5); !errors.Is(err, ErrTooDeep) {
		t.Error(err)
	}
}

// TestAddressed: an account is an address of any form, where the chain asks for one.
func TestAddressed(t *testing.T) {
	alice := "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY"
	_, account, _ := ParseAddress(alice)
	for name, multi := range map[string]bool{"khala-1080": false, "khala-1190": true, "phala-1291": true} {
		md := metadataOf(t, "metadata/"+name+"-v14.scale.gz")
		for _, real := range []any{alice, account, account[:], "0x" + hex.EncodeToString(account[:])} {
			got, err := md.Call("Proxy", "proxy", map[string]any{"real": real, "force_proxy_type": nil, "call": map[string]any{"System": map[string]any{"remark": map[string]any{"remark": "0x"}}}})
			want := append([]byte{5, 0}, account[:]...)
			if multi {
				want = slices.Insert(want, 2, 0)
			}
			if err != nil || !bytes.HasPrefix(got, want) {
				t.Errorf("%s %v: %x %v", name, real, got, err)
			}
		}
	}
}

// theirs is where the stock client does not go by the metadata: it guesses by their length which form of MultiAddress others than Id
// are, and wants the bytes of an old multisig's call to be one.
func theirs(t *Type, v *variant) bool {
	return t.String() == "MultiAddress" && v.name != "Id" ||
		slices.ContainsFunc(v.body.fields, func(f field) bool { return f.typ.String() == "WrapperKeepOpaque" })
}

// TestPolkadotJSReadsCalls: the stock client reads our calls as what they are, and encodes them to the same bytes.
func TestPolkadotJSReadsCalls(t *testing.T) {
	type chain struct {
		Name, Metadata string
		Calls          []string
		Want           []string `json:"-"`
	}
	var chains []chain
	for _, name := range []string{"khala-1080", "khala-1190", "khala-1241", "phala-1291"} {
		file := "metadata/" + name + "-v14.scale.gz"
		md := metadataOf(t, file)
		c := chain{Name: name, Metadata: hex.EncodeToString(shared(t, file))}
		m := &maker{pick: rand.New(rand.NewPCG(11, 13)).IntN, avoid: theirs}
		for _, p := range md.Pallets {
			for _, def := range p.CallDefs() {
				args, ok := arguments(m, def)
				if !ok || theirs(p.Calls, def.of) {
					continue
				}
				data, err := def.Append(nil, args)
				if err != nil {
					t.Fatal(err)
				}
				c.Calls, c.Want = append(c.Calls, hex.EncodeToString(data)), append(c.Want, p.Name+"."+def.Name)
			}
		}
		chains = append(chains, c)
	}
	input, err := json.Marshal(chains)
	if err != nil {
		t.Fatal(err)
	}
	var got [][]struct{ Call, Data, Error string }
	if err := json.Unmarshal(testkit.RunPolkadotJS(t, input, "testdata/calls.cjs"), &got); err != nil || len(got) != len(chains) {
		t.Fatal(err)
	}
	for i, c := range chains {
		bad := 0
		for j, data := range c.Calls {
			if g := got[i][j]; g.Error != "" || g.Data != data || !strings.EqualFold(strings.ReplaceAll(g.Call, "_", ""), strings.ReplaceAll(c.Want[j], "_", "")) {
				if bad++; bad < 20 {
					t.Errorf("%s: %s %.200s: it reads %s, %.200s %.200s", c.Name, c.Want[j], data, g.Call, g.Data, g.Error)
				}
			}
		}
		t.Logf("%s: %d of %d calls alike", c.Name, len(c.Calls)-bad, len(c.Calls))
	}
}
