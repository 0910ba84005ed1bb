package substrate

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// readChanges is the scanner as a snapshot uses it.
func readChanges(text, at string, asked ...[]byte) (pairs []Pair, called, ok bool, err error) {
	called, ok, err = scanReply([]byte(text), 7, func(s *scanner) (err error) {
		pairs, err = s.changes(listKeys(asked), at, nil)
		return err
	})
	return pairs, called, ok, err
}

// slowChanges is what the scanner is held against: the same by encoding/json.
func slowChanges(text, at string) (pairs []Pair, called, ok bool, err error) {
	var all any
	if err := json.Unmarshal([]byte(text), &all); err != nil {
		return nil, false, false, err
	}
	reply, isObject := all.(map[string]any)
	if !isObject {
		return nil, false, false, errors.New("no object")
	}
	var raw map[string]json.RawMessage
	_ = json.Unmarshal([]byte(text), &raw) // an object, as all is
	sets, called := reply["result"].([]any)
	for _, set := range sets {
		members, isObject := set.(map[string]any)
		changes, isList := members["changes"].([]any)
		if !isObject || !isList {
			return nil, called, false, errors.New("no changes")
		}
		if block, isText := members["block"].(string); isText && block != "" && !strings.EqualFold(block, at) {
			return nil, called, false, errors.New("another block")
		}
		for _, c := range changes {
			both, isList := c.([]any)
			if !isList || len(both) != 2 {
				return nil, called, false, errors.New("no pair")
			}
			key, err := slowHex(both[0])
			if err != nil {
				return nil, called, false, err
			}
			p := Pair{Key: key}
			if both[1] != nil {
				if p.Value, err = slowHex(both[1]); err != nil {
					return nil, called, false, err
				}
			}
			pairs = append(pairs, p)
		}
	}
	return pairs, called, called && string(raw["id"]) == "7" && reply["error"] == nil, nil
}

func slowHex(v any) ([]byte, error) {
	s, _ := v.(string)
	digits, ok := strings.CutPrefix(s, "0x")
	if !ok {
		return nil, errors.New("not hex")
	}
	b, err := hex.DecodeString(digits)
	if err == nil && b == nil {
		b = []byte{}
	}
	return b, err
}

const changesReply = `{"jsonrpc":"2.0","result":[{"block":"0xAB","changes":[["0x0102","0xff"],["0x03",null],["0x","0x"]]}],"id":7}`

var changesSeeds = []string{
	changesReply,
	"\n{ \"id\" : 7 ,\t\"result\" : [ { \"changes\" : [ [ \"0x\\u0030\\u0061\" , \"0xFf\" ] ] , \"x\" : {\"a\":[1,-2.5e+3,true,\"\\ud83d\\ude00\\n\"]}, \"block\" : null } ] , \"jsonrpc\":\"2.0\" } \r\n",
	`{"id":7,"result":[],"error":null}`, `{"id":7,"result":[],"error":{"code":1}}`, `{"id":8,"result":[]}`, `{"id":"7","result":[]}`,
	`{"id":7,"result":null}`, `{"id":7,"result":{}}`, `{"id":7,"result":[{}]}`, `{"id":7,"result":[{"changes":[["0x1","0x"]]}]}`,
	`{"id":7,"result":[{"changes":[["0x11"]]}]}`, `{"id":7,"result":[{"changes":[["0x11","0x22","0x33"]]}]}`,
	`{"id":7,"result":[{"changes":[["0x11","xx"]]}]}`, `{"id":7,"result":[{"changes":[[null,null]]}]}`,
	`{"id":7,"result":[{"block":"0xcd","changes":[]}]}`, `{"id":7,"result":[{"block":"0xab","changes":[]},{"changes":[["0x","0x"]]}]}`,
	`{"id":7,"result":[{"changes":[["0x11","0x22"]]}]`, `{"id":7,"result":[{"changes":[["0x11","0x22]]}]}`, `[]`, `{}`, ``, `{"a":01}`, `{"a":"` + "\n" + `"}`,
	`{"id":7,"result":[{"changes":[["0x1\\1","0x22"]]}]}`, `{"result":[],"id":7}x`, `{"id":7.0,"result":[]}`, `{"id":7,,"result":[]}`, `{"\u0069d":7,"result":[]}`,
}

func TestScanChanges(t *testing.T) {
	pairs, _, ok, err := readChanges(changesReply, "0xab")
	want := []Pair{{[]byte{1, 2}, []byte{255}}, {[]byte{3}, nil}, {[]byte{}, []byte{}}}
	if diff := cmp.Diff(want, pairs); !ok || err != nil || diff != "" {
		t.Error(ok, err, diff)
	}
	for _, text := range changesSeeds {
		sameAsSlow(t, text)
	}
}

func sameAsSlow(t *testing.T, text string) {
	t.Helper()
	want, wantCalled, wantOK, wantErr := slowChanges(text, "0xab")
	got, called, ok, err := readChanges(text, "0xab")
	switch {
	case errors.Is(err, errTwice), errors.Is(err, errNesting): // stricter than encoding/json
		return
	case wantOK != ok:
		t.Errorf("%s: ok %v, want %v (%v, %v)", text, ok, wantOK, err, wantErr)
	case wantErr == nil && err != nil && wantCalled:
		t.Errorf("%s: %v", text, err)
	case wantErr != nil && ok:
		t.Errorf("%s: read, but %v", text, wantErr)
	case !wantOK || !ok:
	default:
		if !called {
			t.Errorf("%s: not called", text)
		}
		var keys [][]byte
		for _, p := range want {
			keys = append(keys, p.Key)
		}
		again, _, _, err := readChanges(text, "0xab", keys...)
		if diff := cmp.Diff(want, got) + cmp.Diff(want, again); diff != "" || err != nil {
			t.Errorf("%s: %v %s", text, err, diff)
		}
	}
}

// repeats reports whether a member of the outermost object stands there twice: encoding/json takes the last one, the scanner
// takes what it likes.
func repeats(text string) bool {
	dec := json.NewDecoder(strings.NewReader(text))
	seen := map[string]bool{}
	if _, err := dec.Token(); err != nil {
		return false
	}
	for dec.More() {
		name, err := dec.Token()
		var value json.RawMessage
		if err != nil || dec.Decode(&value) != nil {
			return false
		}
		key := fmt.Sprint(name)
		if seen[key] {
			return true
		}
		seen[key] = true
	}
	return false
}

func FuzzScanChanges(f *testing.F) {
	for _, s := range changesSeeds {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if repeats(text) {
			_, _, _, _ = readChanges(text, "0xab")
			return
		}
		sameAsSlow(t, text)
	})
}

func FuzzScanKeys(f *testing.F) {
	f.Add(`["0x01","0xAb","0x"]`)
	f.Add(`[ "0x\u0030\u0031" , null ]`)
	f.Add(`[`)
	f.Fuzz(func(t *testing.T, text string) {
		var want [][]byte
		var slow []any
		wantErr := json.Unmarshal([]byte(text), &slow)
		for _, v := range slow {
			b, err := slowHex(v)
			wantErr = errors.Join(wantErr, err)
			want = append(want, b)
		}
		s := scanner{b: []byte(text)}
		found, err := s.keys(keys{}.fresh(0, 0))
		err = s.end(err)
		got := found.raw
		if strings.TrimSpace(text) == "null" {
			return
		}
		if (err == nil) != (wantErr == nil) || err == nil && !bytes.Equal(bytes.Join(want, []byte("|")), bytes.Join(got, []byte("|"))) {
			t.Errorf("%q: %x %v, want %x %v", text, got, err, want, wantErr)
		}
	})
}
