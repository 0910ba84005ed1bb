package substrate

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"testing"
)

// upgrading is a chain whose block 2 stores new code: from block 3 on, states are the new code's work.
func upgrading(t *testing.T, fetched *int) *Client {
	blob := func(name string) string {
		b, err := io.ReadAll(sharedFile(t, "metadata", name))
		if err != nil {
			t.Fatal(err)
		}
		return `"0x` + hex.EncodeToString(b) + `"`
	}
	older, newer := blob("khala-1190-v14.scale.gz"), blob("khala-1200-v14.scale.gz")
	return New("http://127.0.0.1:9944", posts(func(method string, params json.RawMessage, _ uint64) (int, string, error) {
		var p []any
		_ = json.Unmarshal(params, &p)
		height := -1
		if len(p) > 0 {
			_, _ = fmt.Sscanf(fmt.Sprint(p[0]), "0x%d", &height)
		}
		result := "null"
		switch {
		case method == "chain_getBlockHash":
			result = `"0x00"`
		case method == "chain_getHeader" && height >= 0 && height < 5:
			result = fmt.Sprintf(`{"number":"0x%x","parentHash":"0x%02d"}`, height, max(0, height-1))
		case method == "state_getRuntimeVersion" && height == 1: // pruned
			return 200, `{"jsonrpc":"2.0","id":$ID,"error":{"code":4003,"message":"Client error: UnknownBlock: State already discarded for 0x01"}}`, nil
		case method == "state_getRuntimeVersion" && height < 2:
			result = `{"specName":"khala","specVersion":1190,"transactionVersion":1}`
		case method == "state_getRuntimeVersion":
			result = `{"specName":"khala","specVersion":1200,"transactionVersion":2}`
		case method == "state_getMetadata":
			*fetched++
			if result = older; height >= 2 {
				result = newer
			}
		}
		return 200, `{"jsonrpc":"2.0","id":$ID,"result":` + result + `}`, nil
	}))
}

// TestRuntimeUpgrade: a chain's code changes between two reads, and each state is read by the code that wrote it.
func TestRuntimeUpgrade(t *testing.T) {
	fetched := 0
	c := upgrading(t, &fetched)
	var known Runtimes
	for i, want := range []struct {
		hash    string
		spec    uint32
		pallet  string
		fetched int
	}{
		{"0x00", 1190, "PhalaMining", 1},
		{"0x01", 1190, "PhalaMining", 1},
		{"0x03", 1200, "PhalaComputation", 2},
		{"0x04", 1200, "PhalaComputation", 2},
		{"0x01", 1190, "PhalaMining", 2}, // both are remembered
	} {
		rt, err := known.At(t.Context(), c, want.hash)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := rt.Metadata.Pallet(want.pallet); err != nil || rt.SpecVersion != want.spec || fetched != want.fetched {
			t.Errorf("%d: spec %d, %d fetched, %v", i, rt.SpecVersion, fetched, err)
		}
	}
	if _, err := known.At(t.Context(), c, "0x02"); !errors.Is(err, ErrNoState) {
		t.Error("the parent's code is unknown:", err)
	}
	if _, err := known.At(t.Context(), c, "0x09"); !errors.Is(err, ErrNoBlock) {
		t.Error(err)
	}
}

func TestRuntimesForgetTheOldest(t *testing.T) {
	var known Runtimes
	for i := range uint32(3 * keptRuntimes) {
		known.keep(&Runtime{Version: Version{SpecName: "khala", SpecVersion: i}})
		known.find("", Version{SpecName: "khala", SpecVersion: 0})
	}
	if len(known.known) != keptRuntimes || known.find("", Version{SpecName: "khala"}) == nil {
		t.Errorf("%d kept", len(known.known))
	}
}

func TestMetadataThatIsNone(t *testing.T) {
	for _, reply := range []string{`"0x6d657461"`, `"0x6d6574610d"`, `"hello"`, `"0x1"`, `7`, `null`} {
		if md, err := result(reply).Metadata(t.Context(), block); err == nil {
			t.Errorf("%s: %v", reply, md)
		}
	}
	blob, err := io.ReadAll(sharedFile(t, "khala_metadata.scale"))
	if err != nil {
		t.Fatal(err)
	}
	if md, err := result(`"0x`+hex.EncodeToString(bytes.Clone(blob))+`"`).Metadata(t.Context(), ""); err != nil || len(md.Pallets) < 30 {
		t.Error(md, err)
	}
}
