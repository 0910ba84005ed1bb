package view

import (
	"encoding/json"
	"testing"
)

// TestCallShapes: programs read calls under these names.
func TestCallShapes(t *testing.T) {
	state := ChainState{3_000_000, "0xab", "khala", 1241}
	const head = `{"height":3000000,"hash":"0xab","spec":"khala","spec_version":1241,"pallet":"P",`
	for want, v := range map[string]any{
		`"call":"stop","args":{"pid":83},"data":"0x5d0e","call_hash":"0xcd","docs":"Stops."}`: ChainCall{state, "P", "stop", json.RawMessage(`{"pid":83}`), "0x5d0e", "0xcd", "Stops."},
		`"calls":[{"name":"stop","args":[{"name":"pid","type":"u64","source":"Pid"},{"name":"x","type":"u8"}],"docs":"Stops."},{"name":"create","args":[]}]}`: ChainCalls{
			state, "P", []ChainCallDef{{"stop", []ChainCallArg{{"pid", "u64", "Pid"}, {"x", "u8", ""}}, "Stops."}, {"create", []ChainCallArg{}, ""}},
		},
	} {
		if got, err := json.Marshal(v); err != nil || string(got) != head+want {
			t.Errorf("%s %v, want %s", got, err, head+want)
		}
	}
}
