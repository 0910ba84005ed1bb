package v2

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"phalops/internal/fleet"
	"phalops/internal/prb"
)

func TestMessageStamps(t *testing.T) {
	at := time.Date(2022, 9, 7, 7, 58, 3, 0, time.UTC)
	for in, want := range map[string]struct {
		text string
		at   time.Time
	}{
		"[2022-09-07T15:58:03+08:00] Synching block data...": {"Synching block data...", at},
		"[2022-09-07T07:58:03Z] ":                            {"", at},
		"1662537483000 - Now the worker should be mining.":   {"Now the worker should be mining.", at},
		`1662537483123 - {"name":"TimeoutError"} - x`:        {`{"name":"TimeoutError"} - x`, at.Add(123 * time.Millisecond)},
		"[2022-09-07T15:58:03+08:00] [a] b":                  {"[a] b", at},
		"":                                                   {},
		"no stamp - at all":                                  {"no stamp - at all", time.Time{}},
		"[yesterday] x":                                      {"[yesterday] x", time.Time{}},
		"99999999999999999 - x":                              {"99999999999999999 - x", time.Time{}},
		"12 - x":                                             {"12 - x", time.Time{}},
		"[9999-12-31T23:59:59-08:00] x":                      {"[9999-12-31T23:59:59-08:00] x", time.Time{}},
	} {
		if text, at := parseMessage(in); text != want.text || !at.Equal(want.at) {
			t.Errorf("%q: got %q, %v; want %q, %v", in, text, at, want.text, want.at)
		}
	}
}

// The names depend on the monitor's walkie version, not on the bridge's.
func TestNamesOfEveryWalkieVersion(t *testing.T) {
	session := `{\"state\":\"MiningIdle\",\"v\":\"3,162.63032587\",\"benchmark\":{\"pInit\":\"930\",\"pInstant\":\"1,012\"}}`
	for name, fields := range map[string]string{
		"v0 and until 1.2.8": `"status":"S_MINING","minerInfoJson":"` + session + `","minerAccountId":"45R2"`,
		"1.3.0":              `"status":"S_ACTIVE","workerInfoJson":"` + session + `","workerAccountId":"45R2"`,
		"1.3.1":              `"status":"S_ACTIVE","sessionInfoJson":"` + session + `","workerAccountId":"45R2"`,
	} {
		s, ok := decodeState([]byte(`{"worker":{"uuid":"w"},` + fields + `}`))
		if !ok || s.Session != "MiningIdle" || s.V != "3162.63032587" || s.PInit != 930 || s.PInstant != 1012 || !strings.Contains(fields, s.State) {
			t.Errorf("%s: got %+v", name, s)
		}
	}
}

func TestSessionPrefersExactValues(t *testing.T) {
	var w fleet.WorkerStatus
	decodeSession([]byte(`{"state":"WorkerIdle","ve":"1.00000000","v":"9.9","benchmark":{"pInit":"1"},"stats":{"totalReward":"12.3456 PHA"},
		"raw":{"state":"WorkerUnresponsive","ve":"0x0000000000000bb80000000000000000","v":"0x0000000000000c5aa15d09519be00000",
		"benchmark":{"pInit":9007199254740993,"pInstant":"0x3f4"},"stats":{"totalReward":"0x000000000000000a0000000000000001"}}}`), &w)
	if w.Session != "WorkerUnresponsive" || w.Ve != "3000.00000000" || w.V != "3162.63032587" || w.PInit != 9007199254740993 || w.PInstant != 1012 ||
		w.TotalReward.String() != "184467440737095516161" {
		t.Errorf("got %+v", w)
	}
	for _, odd := range []string{``, `{}`, `null`, `[]`, `"x"`, `{"raw":[],"stats":7,"benchmark":null,"v":{}}`, `{"state":`, `{"runtimeInfo":{}}`} {
		var w fleet.WorkerStatus
		decodeSession([]byte(odd), &w)
		if diff := cmp.Diff(fleet.WorkerStatus{}, w, cmp.AllowUnexported(fleet.Amount{})); diff != "" {
			t.Errorf("%s: %s", odd, diff)
		}
	}
}

func TestOddFieldsAreUnknownAndSpareTheRest(t *testing.T) {
	s, ok := decodeState([]byte(`{"worker":{"uuid":"w"},"status":{"a":1},"paraBlockDispatchedTo":"12","paraHeaderSynchedTo":1.5,
		"parentHeaderSynchedTo":null,"initialized":"yes","publicKey":"0xAB","lastMessage":["x"],"sessionInfoJson":7}`))
	if !ok || s.State != "" || s.Para.Value != 12 || s.ParaHeader.Known || s.Relay.Known || s.Initialized != nil || s.PublicKey != "" || s.Message != "" {
		t.Errorf("got %+v, %v", s, ok)
	}
	workers, err := decodeWorkers([]byte(`{"workers":[7,null,{"name":"no id"},{"uuid":"a","pid":"abc","stake":"","enabled":"false"},
		{"uuid":"a","name":"again"},{"uuid":"b","pid":18446744073709551615,"stake":10000000000000}]}`), nil)
	if err != nil || len(workers) != 2 {
		t.Fatalf("got %+v, %v", workers, err)
	}
	a, b := workers[0], workers[1]
	if a.PID != 0 || a.StakeOK || a.Enabled || a.Name != "" || b.PID != 1<<64-1 || !b.StakeOK || b.Stake != fleet.PHA(10) {
		t.Errorf("got %+v and %+v", a, b)
	}
	for _, odd := range []string{``, `null`, `[]`, `{"workers":{}}`, `{"workers":"x"}`} {
		if _, err := decodeWorkers([]byte(odd), nil); err == nil {
			t.Errorf("%s is no error", odd)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"pools":[{"uuid":"p","owner":{"polkadotJson":"0a10"}}],"workers":[{"uuid":"a","stake":"1"}],"workerStates":[{"worker":{"uuid":"a"},"minerInfoJson":"{}"}]}`))
	f.Add([]byte(`{"workerStates":[{"worker":{"uuid":"a"},"paraBlockDispatchedTo":1e300,"sessionInfoJson":"{\"raw\":{\"v\":\"0x\"}}","lastMessage":"[2022-09-07T15:58:03+08:00] \"x\""}]}`))
	f.Add([]byte(`{"status":"S_IDLE","paraTarget":"-1"}`))
	f.Add([]byte(`[]`))
	f.Fuzz(func(t *testing.T, data []byte) {
		pools, _ := decodePools(data)
		workers, _ := decodeWorkers(data, pools)
		states, _ := decodeStates(data)
		join(workers, states)
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
		data, err := decodeReply(status, body, question{peer: "Qm", method: "M"})
		if err == nil && status != 200 || err != nil && fleet.ReasonOf(err).Code == "error.other" {
			t.Errorf("status %d: %q, %v", status, data, err)
		}
	})
}

func FuzzMessage(f *testing.F) {
	f.Add(`[2022-09-07T15:58:03+08:00] "Error: connect ECONNREFUSED 192.168.2.1:8000"`)
	f.Add("1662537483123 - null")
	f.Add(`x "polkadotJson":"{\"encoded\":\"abc\"}"`)
	f.Fuzz(func(t *testing.T, s string) {
		text, at := parseMessage(s)
		if !strings.HasSuffix(s, text) || (at.IsZero() && text != s) {
			t.Errorf("%q became %q, %v", s, text, at)
		}
		clean := prb.Redact(text)
		if strings.Contains(strings.ToLower(clean), "polkadotjson") || prb.Redact(clean) != clean || utf8.ValidString(s) && !utf8.ValidString(clean) {
			t.Errorf("%q was redacted to %q", text, clean)
		}
		if _, err := at.MarshalJSON(); err != nil {
			t.Error(err)
		}
	})
}
