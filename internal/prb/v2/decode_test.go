package v2

import (
	"encoding/json"
	"testing"

	"phalops/internal/fleet"
	"phalops/internal/prb"
)

// value is a text as the client reads it; of one that is no JSON nothing is there.
func value(text []byte) prb.Value {
	doc, err := new(prb.Parsers).Parse(text)
	if err != nil {
		return prb.Value{}
	}
	return doc.Value
}

func TestOddFieldsAreUnknownAndSpareTheRest(t *testing.T) {
	s, ok := prb.DecodeState(new(prb.Parsers), value([]byte(`{"worker":{"uuid":"w"},"status":{"a":1},"paraBlockDispatchedTo":"12","paraHeaderSynchedTo":1.5,
		"parentHeaderSynchedTo":null,"initialized":"yes","publicKey":"0xAB","lastMessage":["x"],"sessionInfoJson":7}`)))
	if !ok || s.State != "" || s.Para.Value != 12 || s.ParaHeader.Known || s.Relay.Known || s.Initialized != nil || s.PublicKey != "" || s.Message != "" {
		t.Errorf("got %+v, %v", s, ok)
	}
	workers, err := decodeWorkers(value([]byte(`{"workers":[7,null,{"name":"no id"},{"uuid":"a","pid":"abc","stake":"","enabled":"false"},
		{"uuid":"a","name":"again"},{"uuid":"b","pid":18446744073709551615,"stake":10000000000000}]}`)), nil)
	if err != nil || len(workers) != 2 {
		t.Fatalf("got %+v, %v", workers, err)
	}
	a, b := workers[0], workers[1]
	if a.PID != 0 || a.StakeOK || a.Enabled || a.Name != "" || b.PID != 1<<64-1 || !b.StakeOK || b.Stake != fleet.PHA(10) {
		t.Errorf("got %+v and %+v", a, b)
	}
	for _, odd := range []string{``, `null`, `[]`, `{"workers":{}}`, `{"workers":"x"}`} {
		if _, err := decodeWorkers(value([]byte(odd)), nil); err == nil {
			t.Errorf("%s is no error", odd)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"pools":[{"uuid":"p","owner":{"polkadotJson":"0a10"}}],"workers":[{"uuid":"a","stake":"1"}],"workerStates":[{"worker":{"uuid":"a"},"minerInfoJson":"{}"}]}`))
	f.Add([]byte(`{"workerStates":[{"worker":{"uuid":"a"},"paraBlockDispatchedTo":1e300,"sessionInfoJson":"{\"raw\":{\"v\":\"0x\"}}","lastMessage":"[2022-09-07T15:58:03+08:00] \"x\""}]}`))
	f.Add([]byte(`{"status":"S_IDLE","paraTarget":"-1"}`))
	f.Add([]byte(`[]`))
	f.Fuzz(func(t *testing.T, text []byte) {
		data := value(text)
		pools, _ := decodePools(data)
		workers, _ := decodeWorkers(data, pools)
		states, _ := decodeStates(new(prb.Parsers), data)
		prb.Join(workers, states)
		var dp fleet.DataProviderStatus
		_ = decodeProvider(data, &dp)
		for _, w := range append(workers, states...) {
			if w.ID == "" || len(w.Message) > 5<<10 {
				t.Errorf("no id, or an unbounded message: %+v", w)
			}
		}
		// What was understood can be written down.
		if _, err := json.Marshal([]any{pools, workers, states, dp}); err != nil {
			t.Error(err)
		}
	})
}

func FuzzReply(f *testing.F) {
	for _, s := range []string{
		`{"data":{},"hasError":false,"meta":{}}`, `{"hasError":true,"error":{"type":2,"message":"x"},"meta":null}`,
		`{"hasError":true,"error":{"name":"AggregateError"},"meta":null}`, `{}`, `<html>`, `{"hasError":false,"meta":{"createdAt":1}}`,
	} {
		f.Add(200, []byte(s))
	}
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		data, err := decodeReply(new(prb.Parsers), status, body, question{peer: "Qm", method: "M"})
		if err == nil && status != 200 || err != nil && fleet.ReasonOf(err).Code == "error.other" {
			t.Errorf("status %d: %v, %v", status, data, err)
		}
	})
}
