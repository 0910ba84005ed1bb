package substrate

import (
	"encoding/json"
	"errors"
	"testing"

	"phalops/internal/fleet"
)

func TestGenesis(t *testing.T) {
	node := New("http://127.0.0.1:9944", posts(func(method string, params json.RawMessage, _ uint64) (int, string, error) {
		if method != "chain_getBlockHash" || string(params) != "[0]" {
			return 0, "", errors.New(method + string(params))
		}
		return 200, `{"jsonrpc":"2.0","id":$ID,"result":"0xd43540ba6d3eb4897c28a77d48cb5b729fea37603cbbfc7a86a73b72adb3be8d"}`, nil
	}))
	if got, err := node.Genesis(t.Context()); err != nil || got != "0xd43540ba6d3eb4897c28a77d48cb5b729fea37603cbbfc7a86a73b72adb3be8d" {
		t.Errorf("got %q, %v", got, err)
	}
	for _, odd := range []string{`null`, `""`, `[]`, `7`} {
		if got, err := result(odd).Genesis(t.Context()); err == nil {
			t.Errorf("%s is the genesis %q", odd, got)
		} else if odd == `null` && fleet.ReasonOf(err).Code != "substrate.bad_reply" {
			t.Errorf("%s: %v", odd, err)
		}
	}
}
