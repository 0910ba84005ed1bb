package v3

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"phalops/internal/fleet"
)

func TestMessageStamps(t *testing.T) {
	summer := time.Date(2024, 6, 10, 7, 0, 0, 0, time.UTC)
	newYear := time.Date(2024, 12, 31, 23, 59, 59, 0, time.UTC)
	for _, tc := range []struct {
		in   string
		now  time.Time
		text string
		at   time.Time
	}{
		{"[06-10 06:13:20] Computing Now!", summer, "Computing Now!", time.Date(2024, 6, 10, 6, 13, 20, 0, time.UTC)},
		{"[06-11 06:59:59] a clock that is ahead", summer, "a clock that is ahead", time.Date(2024, 6, 11, 6, 59, 59, 0, time.UTC)},
		{"[06-12 06:59:59] last year", summer, "last year", time.Date(2023, 6, 12, 6, 59, 59, 0, time.UTC)},
		{"[12-31 23:00:00] last year", summer, "last year", time.Date(2023, 12, 31, 23, 0, 0, 0, time.UTC)},
		{"[01-01 00:00:01] a little ahead", newYear, "a little ahead", time.Date(2025, 1, 1, 0, 0, 1, 0, time.UTC)},
		{"[12-31 23:59:58] now", newYear.Add(2 * time.Second), "now", newYear.Add(-time.Second)},
		{"[02-29 00:00:00] leap", summer.AddDate(2, 0, 0), "leap", time.Date(2024, 2, 29, 0, 0, 0, 0, time.UTC)},
		{"[2023-05-10 20:34:56.123456789 +08:00] v3.0", summer, "v3.0", time.Date(2023, 5, 10, 12, 34, 56, 123456789, time.UTC)},
		{"[2023-05-10 12:34:56 +00:00 ] v3.0", summer, "v3.0", time.Date(2023, 5, 10, 12, 34, 56, 0, time.UTC)},
		{"[2023-05-10 12:34:56.5] nobody's zone", summer, "nobody's zone", time.Time{}},
		{"[06-10 06:13:20] [a] b", summer, "[a] b", time.Date(2024, 6, 10, 6, 13, 20, 0, time.UTC)},
		{"[06-10 06:13:20] ", summer, "", time.Date(2024, 6, 10, 6, 13, 20, 0, time.UTC)},
		{"[06-31 06:13:20] no such day", summer, "[06-31 06:13:20] no such day", time.Time{}},
		{"[yesterday] x", summer, "[yesterday] x", time.Time{}},
		{"", summer, "", time.Time{}},
		{"plain", summer, "plain", time.Time{}},
	} {
		if text, at := parseMessage(tc.in, tc.now); text != tc.text || !at.Equal(tc.at) {
			t.Errorf("%q: got %q, %v; want %q, %v", tc.in, text, at, tc.text, tc.at)
		}
	}
}

func TestStatesAndTheirTexts(t *testing.T) {
	now := time.Date(2024, 6, 10, 7, 0, 0, 0, time.UTC)
	for in, want := range map[string]Context{
		`"state":"Working","last_message":"[06-10 06:13:20] x"`: {
			WorkerStatus: fleet.WorkerStatus{State: "Working", Message: "x", MessageAt: time.Date(2024, 6, 10, 6, 13, 20, 0, time.UTC)}, LastMessage: "x"},
		`"state":{"HasError":"boom"},"last_message":"[06-10 06:13:20] boom"`: {
			WorkerStatus: fleet.WorkerStatus{State: "HasError", Message: "boom", MessageAt: time.Date(2024, 6, 10, 6, 13, 20, 0, time.UTC)}, LastMessage: "boom"},
		`"state":{"HasError":"boom"},"last_message":"[06-10 06:13:20] Checkpoint saved to #7."`: {
			WorkerStatus: fleet.WorkerStatus{State: "HasError", Message: "boom"}, LastMessage: "Checkpoint saved to #7."},
		`"state":{"HasError":""},"last_message":"x"`: {WorkerStatus: fleet.WorkerStatus{State: "HasError"}, LastMessage: "x"},
		`"state":"_Later"`:                           {WorkerStatus: fleet.WorkerStatus{State: "_Later"}},
		`"state":{"A":{}}`:                           {WorkerStatus: fleet.WorkerStatus{State: "A"}},
		`"state":{}`:                                 {},
		`"state":{"A":"","B":""}`:                    {},
		`"state":7,"last_message":[],"phactory_info":[],"session_info":"x"`: {},
		`"phactory_info":{"initialized":false,"headernum":0,"blocknum":"x","para_headernum":-3,"public_key":null},"session_info":{"state":"Ready"}`: {
			WorkerStatus: fleet.WorkerStatus{Initialized: new(bool), Relay: fleet.Height{Value: -1, Known: true}, Session: "Ready"}},
	} {
		want.ID, want.Running = "w", true
		got, ok := decodeContext([]byte(`{"worker":{"id":"w"},`+in+`}`), now)
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(fleet.Amount{})); diff != "" || !ok {
			t.Errorf("%s: %s", in, diff)
		}
	}
}

// v3.2 calls cooling and unresponsive sessions Working; the session tells.
func TestSessionsOfWorkersThatAreCalledWorking(t *testing.T) {
	for _, session := range []string{"Ready", "WorkerIdle", "_Unused", "WorkerUnresponsive", "WorkerCoolingDown"} {
		text := strings.Replace(sessionText, "WorkerIdle", session, 1)
		c, ok := decodeContext([]byte(`{"worker":{"id":"w"},"state":"Working","session_info":`+text+`}`), time.Now())
		if !ok || c.State != "Working" || c.Session != session || c.V != "3010.50000000" {
			t.Errorf("%s: got %+v", session, c)
		}
	}
}

func TestNumbersAreExact(t *testing.T) {
	var w fleet.WorkerStatus
	decodeSession([]byte(`{"v":340282366920938463463374607431768211455,"ve":1,"benchmark":{"p_init":4294967295,"p_instant":9007199254740993},
		"stats":{"total_reward":340282366920938463463374607431768211455}}`), &w)
	if w.V != "18446744073709551616.00000000" || w.Ve != "0.00000000" || w.PInit != 4294967295 || w.PInstant != 9007199254740993 ||
		w.TotalReward.String() != "340282366920938463463374607431768211455" {
		t.Errorf("got %+v", w)
	}
	w = fleet.WorkerStatus{}
	decodeSession([]byte(`{"v":-1,"ve":1.5,"benchmark":[],"stats":{"total_reward":1e30}}`), &w)
	if w.V != "" || w.Ve != "" || !w.TotalReward.IsZero() {
		t.Errorf("what is no such number: %+v", w)
	}
	pools, err := decodeEach([]byte(`[{"id":"p","pid":18446744073709551615},{"id":"q","pid":18446744073709551616},{"id":"r"},{"pid":1},null,7]`), "", decodePool)
	if err != nil || len(pools) != 1 || pools[0].PID != 1<<64-1 {
		t.Errorf("got %+v, %v", pools, err)
	}
}

func FuzzContexts(f *testing.F) {
	f.Add([]byte(`{"workers":[{"worker":{"id":"a","pid":1,"stake":"1"},"state":{"HasError":"x"},"phactory_info":`+infoText+`,"session_info":`+sessionText+`,"last_message":"[06-10 06:13:20] x"}]}`), int64(1718000000))
	f.Add([]byte(`{"workers":[{"worker":{"id":"a"},"state":{"a":"b","c":null},"phactory_info":{"headernum":1e300},"session_info":{"v":1e5},"last_message":7}]}`), int64(-1))
	f.Add([]byte(`{"workers":null}`), int64(253402300800))
	f.Add([]byte(`[]`), int64(0))
	f.Fuzz(func(t *testing.T, data []byte, unix int64) {
		contexts, err := decodeContexts(data, time.Unix(unix, 0))
		if err != nil && fleet.ReasonOf(err).Code != "prb3.bad_data" {
			t.Error(err)
		}
		if !slices.IsSortedFunc(contexts, func(a, b Context) int { return strings.Compare(a.Name, b.Name) }) {
			t.Error("not in the order of names")
		}
		for _, c := range contexts {
			if c.ID == "" || !c.Running || len(c.Message) > 5<<10 || len(c.State) > 5<<10 {
				t.Errorf("no id, or unbounded: %+v", c)
			}
		}
		if _, err := json.Marshal(contexts); err != nil { // what was understood can be written down
			t.Error(err)
		}
	})
}

func FuzzConfiguration(f *testing.F) {
	f.Add([]byte(`[{"id":"p","pid":7,"name":"x","enabled":true,"workers":[{"id":"w","stake":"1","pid":null}]}]`))
	f.Add([]byte(`[{"pid":7,"operator_account_id":"45","proxied_account_id":null}]`))
	f.Add([]byte(`{"git_revision":"0123-20240201000000-dirty"}`))
	f.Add([]byte(`{"tx_count":1,"running_txs":[],"pending_txs":[{"id":0,"state":{"Success":{"updated_at":"2024-06-10T06:14:20Z"}},"pid":1}],"past_txs":[{"id":1,"state":"Running"}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		pools, _ := decodeEach(data, "x", decodePool)
		operators, _ := decodeEach(data, "x", decodeOperator)
		all, workers := inventory(pools, operators)
		n := 0
		seen := map[string]bool{}
		for i, p := range pools {
			n += len(p.Workers)
			if p.ID == "" || all[i].Workers != len(p.Workers) {
				t.Errorf("got %+v and %+v", p, all[i])
			}
		}
		for _, w := range workers {
			if w.ID == "" || seen[w.ID] {
				t.Errorf("no id, or twice: %+v", w)
			}
			seen[w.ID] = true
		}
		if len(workers) > n {
			t.Errorf("%d workers of %d", len(workers), n)
		}
		manager, _ := decodeManager(data)
		tx, _ := decodeTransactions(data)
		if _, err := json.Marshal([]any{all, workers, manager, tx}); err != nil {
			t.Error(err)
		}
	})
}

func FuzzReply(f *testing.F) {
	for _, s := range []string{`{}`, ``, `Internal Server Error`, `{"error":true,"code":"ServerError","message":"Pool not empty!"}`, `{"error":true,"code":"WorkerNotFound(\"x\")"}`, `<html>`} {
		for _, status := range []int{200, 204, 308, 400, 405, 418, 422, 500, 502} {
			f.Add(status, []byte(s))
		}
	}
	c := &Client{shown: "http://wm", proxied: true}
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		data, err := c.decodeReply(status, body, question{name: "Q", hidden: pieces("midnight orchard")})
		switch {
		case err == nil && (status != 200 || !json.Valid(data)):
			t.Errorf("status %d: %q", status, data)
		case err != nil && (!strings.HasPrefix(fleet.ReasonOf(err).Code, "prb3.") || faultOf(err) == ""):
			t.Errorf("status %d: %v", status, err)
		case err != nil && (len(err.Error()) > 10<<10 || !utf8.ValidString(err.Error()) || strings.Contains(strings.ToLower(err.Error()), "midnight")):
			t.Errorf("status %d: %q", status, err)
		}
	})
}

func FuzzMessage(f *testing.F) {
	f.Add("[06-10 06:13:20] Computing Now!", int64(1718000000))
	f.Add("[2023-05-10 20:34:56.123456789 +08:00] x", int64(0))
	f.Add("[02-29 00:00:00] ", int64(-62135596800))
	f.Fuzz(func(t *testing.T, s string, unix int64) {
		now := time.Unix(unix, 0)
		text, at := parseMessage(s, now)
		if !strings.HasSuffix(s, text) {
			t.Errorf("%q became %q", s, text)
		}
		if strings.HasPrefix(s, "[") && len(s)-len(text) == len("[01-02 15:04:05] ") && at.After(now.Add(24*time.Hour)) {
			t.Errorf("%q became %v at %v", s, at, now)
		}
		if _, err := at.MarshalJSON(); err != nil {
			t.Error(err)
		}
	})
}

func FuzzEndpoint(f *testing.F) {
	f.Add("http://127.0.0.1:8000")
	f.Add("HTTPS://Host:443/a b?c#d")
	f.Fuzz(func(t *testing.T, s string) {
		if c := canonical(s); c != "" && canonical(c) != c {
			t.Errorf("%q became %q, then %q", s, c, canonical(c))
		}
	})
}
