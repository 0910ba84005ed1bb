package prb

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"phalops/internal/fleet"
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
		if text, at := parseMessage([]byte(in)); string(text) != want.text || !at.Equal(want.at) {
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
		var parsers Parsers
		doc, err := parsers.Parse([]byte(`{"worker":{"uuid":"w"},` + fields + `}`))
		if err != nil {
			t.Fatal(err)
		}
		s, ok := DecodeState(&parsers, doc.Value)
		if !ok || s.Session != "MiningIdle" || s.V != "3162.63032587" || s.PInit != 930 || s.PInstant != 1012 || !strings.Contains(fields, s.State) {
			t.Errorf("%s: got %+v", name, s)
		}
	}
}

func TestSessionPrefersExactValues(t *testing.T) {
	var w fleet.WorkerStatus
	decodeSession(new(Parsers), []byte(`{"state":"WorkerIdle","ve":"1.00000000","v":"9.9","benchmark":{"pInit":"1"},"stats":{"totalReward":"12.3456 PHA"},
		"raw":{"state":"WorkerUnresponsive","ve":"0x0000000000000bb80000000000000000","v":"0x0000000000000c5aa15d09519be00000",
		"benchmark":{"pInit":9007199254740993,"pInstant":"0x3f4"},"stats":{"totalReward":"0x000000000000000a0000000000000001"}}}`), &w)
	if w.Session != "WorkerUnresponsive" || w.Ve != "3000.00000000" || w.V != "3162.63032587" || w.PInit != 9007199254740993 || w.PInstant != 1012 ||
		w.TotalReward.String() != "184467440737095516161" {
		t.Errorf("got %+v", w)
	}
	for _, odd := range []string{``, `{}`, `null`, `[]`, `"x"`, `{"raw":[],"stats":7,"benchmark":null,"v":{}}`, `{"state":`, `{"runtimeInfo":{}}`} {
		var w fleet.WorkerStatus
		decodeSession(new(Parsers), []byte(odd), &w)
		if diff := cmp.Diff(fleet.WorkerStatus{}, w, cmp.AllowUnexported(fleet.Amount{})); diff != "" {
			t.Errorf("%s: %s", odd, diff)
		}
	}
}

func FuzzMessage(f *testing.F) {
	f.Add(`[2022-09-07T15:58:03+08:00] "Error: connect ECONNREFUSED 192.168.2.1:8000"`)
	f.Add("1662537483123 - null")
	f.Add(`x "polkadotJson":"{\"encoded\":\"abc\"}"`)
	f.Fuzz(func(t *testing.T, s string) {
		part, at := parseMessage([]byte(s))
		text := string(part)
		if !strings.HasSuffix(s, text) || (at.IsZero() && text != s) {
			t.Errorf("%q became %q, %v", s, text, at)
		}
		clean := Redact(text)
		if strings.Contains(strings.ToLower(clean), "polkadotjson") || Redact(clean) != clean || utf8.ValidString(s) && !utf8.ValidString(clean) {
			t.Errorf("%q was redacted to %q", text, clean)
		}
		if _, err := at.MarshalJSON(); err != nil {
			t.Error(err)
		}
	})
}
