package scale

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"phalops/internal/testkit"
)

// shared reads a file of the shared data, unpacked; tests are skipped without it, but fail under CI.
func shared(t testing.TB, name ...string) []byte {
	t.Helper()
	return testkit.Shared(t, append([]string{"data"}, name...)...)
}

// blobs are the names of all real metadata in the shared data.
func blobs(t testing.TB) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(testkit.SharedFolder(t), "data", "metadata", "*.scale.gz"))
	if err != nil || len(found) != 11 {
		t.Fatal(found, err)
	}
	names := []string{"khala_metadata.scale"}
	for _, path := range found {
		names = append(names, filepath.Join("metadata", filepath.Base(path)))
	}
	return names
}

var parsed sync.Map // by name; parsing once is enough for all tests

func metadataOf(t testing.TB, name string) *Metadata {
	t.Helper()
	if md, ok := parsed.Load(name); ok {
		return md.(*Metadata)
	}
	md, err := Parse(shared(t, name))
	if err != nil {
		t.Fatal(err)
	}
	parsed.Store(name, md)
	return md
}

type vector struct {
	Metadata, Pallet, Item, Origin string
	Args                           []any
	StorageKey                     string `json:"storage_key"`
	ValueHex                       string `json:"value_hex"`
	Decoded                        any
}

func vectors(t testing.TB) []vector {
	t.Helper()
	var all []vector
	dec := json.NewDecoder(bytes.NewReader(shared(t, "storage-vectors.json")))
	dec.UseNumber()
	if err := dec.Decode(&all); err != nil || len(all) != 115 {
		t.Fatalf("%d vectors, %v", len(all), err)
	}
	return all
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.TrimPrefix(s, "0x"))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// plain levels what the recorded decoder and ours write differently on purpose: numbers and their decimal text, and the unit.
func plain(v any) any {
	switch v := v.(type) {
	case json.Number:
		return v.String()
	case []any:
		if len(v) == 0 {
			return nil
		}
		out := slices.Clone(v)
		for i := range out {
			out[i] = plain(out[i])
		}
		return out
	case map[string]any:
		out := map[string]any{}
		for k, x := range v {
			out[k] = plain(x)
		}
		return out
	}
	return v
}

func value(t testing.TB, text []byte) any {
	t.Helper()
	v, err := ParseValue(string(text))
	if err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return v
}
