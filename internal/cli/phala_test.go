package cli

import (
	"bytes"
	"encoding/binary"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"phalops/internal/i18n"
	"phalops/internal/testkit"
	"phalops/internal/view"
)

// recordedChain is a server that has what a real runtime stored after one block; tests are skipped without the recording.
func recordedChain(t *testing.T) string {
	t.Helper()
	var metadata struct{ Result json.RawMessage }
	if err := json.Unmarshal(testkit.Shared(t, "data", "replies", "substrate-rhala-state_getMetadata.json.gz"), &metadata); err != nil {
		t.Fatal(err)
	}
	answers, state := map[string]json.RawMessage{"state_getMetadata": metadata.Result}, map[string]string{}
	for line := range bytes.Lines(testkit.Shared(t, "data", "replies", "substrate-rhala.jsonl")) {
		var l struct {
			Request  string
			Response struct{ Body string }
		}
		var q struct {
			Method string
			Params []json.RawMessage
		}
		var reply struct{ Result json.RawMessage }
		if json.Unmarshal(line, &l) != nil || json.Unmarshal([]byte(l.Request), &q) != nil || json.Unmarshal([]byte(l.Response.Body), &reply) != nil {
			continue
		}
		if _, known := answers[q.Method]; !known {
			answers[q.Method] = reply.Result // the first one is of the head
		}
		var sets []struct{ Changes [][2]*string }
		if q.Method == "state_queryStorageAt" && json.Unmarshal(reply.Result, &sets) == nil {
			for _, s := range sets {
				for _, c := range s.Changes {
					if c[1] != nil {
						state[*c[0]] = *c[1]
					}
				}
			}
		}
	}
	keys, earlier := slices.Sorted(maps.Keys(state)), yesterday(t, state)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		var q struct {
			ID     uint64
			Method string
			Params []json.RawMessage
		}
		_ = json.Unmarshal(body, &q)
		var result any = answers[q.Method]
		switch q.Method {
		case "chain_getBlockHash":
			result = fmt.Sprintf("0x%064s", bytes.TrimSpace(q.Params[0]))
		case "state_getKeysPaged":
			var prefix, after string
			_ = json.Unmarshal(q.Params[0], &prefix)
			_ = json.Unmarshal(q.Params[2], &after)
			result = slices.DeleteFunc(slices.Clone(keys), func(k string) bool { return !strings.HasPrefix(k, prefix) || k <= after })
		case "state_queryStorageAt":
			var asked []string
			_ = json.Unmarshal(q.Params[0], &asked)
			changes := [][2]any{}
			for _, k := range asked {
				if v, ok := earlier[k]; ok && bytes.HasPrefix(q.Params[1], []byte(`"0x000000`)) {
					changes = append(changes, [2]any{k, v})
				} else if v, ok := state[k]; ok {
					changes = append(changes, [2]any{k, v})
				} else {
					changes = append(changes, [2]any{k, nil})
				}
			}
			result = []any{map[string]any{"block": q.Params[1], "changes": changes}}
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"jsonrpc": "2.0", "id": q.ID, "result": result})
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// yesterday is what differed two days before the recorded block: the time, and the reward of recordedWorker's session.
func yesterday(t *testing.T, state map[string]string) map[string]string {
	t.Helper()
	const now = "0xf0c365c3cf59d671eb72da0e7a4113c49f1f0515f462cdcf84e0f1d6045dfcbb"
	const session = "0xb71c310d8c830d345ee1c1b84566a8d1028685274e698e781f7f2766cba0cc83349ee0ac469d336573706d2f76f8b430508d679d85b62cc27bc71d33dd37b5c6833bc8069d3f4695"
	raw, err := hex.DecodeString(state[now][2:])
	if err != nil || len(state[session]) != 2+2*97 {
		t.Fatal(err, state[session])
	}
	raw = binary.LittleEndian.AppendUint64(nil, binary.LittleEndian.Uint64(raw)-48*3_600_000)
	reward := hex.EncodeToString(binary.LittleEndian.AppendUint64(nil, 15_500_000_000_000))
	return map[string]string{now: "0x" + hex.EncodeToString(raw), session: state[session][:2+2*81] + reward + strings.Repeat("0", 16)}
}

const recordedWorker = "0xa478777361f2385faeee335ed9fe50a22e3a78aaef1d247dbd744b03bd07276d"

// TestPhalaTables shows a real runtime's state in both languages, and reads it back in every format.
func TestPhalaTables(t *testing.T) {
	rpc := recordedChain(t)
	for name, args := range map[string][]string{
		"chain_totals":  {"chain", "totals"},
		"chain_workers": {"chain", "workers", "--sort", "v", "--desc"},
		"chain_pools":   {"chain", "pools", "--daily"},
		"chain_pool":    {"chain", "pool", "1"},
		"chain_stakers": {"chain", "stakers", "--sort", "queued", "--desc"},
		"chain_worker":  {"chain", "worker", recordedWorker},
		"estimate":      {"estimate", "--worker", recordedWorker, "--price", "0.1"},
	} {
		args = append(args, "--rpc", rpc)
		for _, lang := range i18n.Langs() {
			r := shell{lang: lang}.run(t, args...)
			if r.code != exitDone {
				t.Errorf("%s: exit %d\n%s", name, r.code, r.err)
			}
			golden(t, lang, name, r.out+"--- stderr\n"+r.err)
		}
		for _, format := range []string{"json", "yaml", "csv"} {
			r := shell{lang: i18n.ZH}.run(t, append(args, "-o", format)...)
			if r.code != exitDone || r.err != "" || r.out == "" {
				t.Errorf("%s %s: exit %d %s", name, format, r.code, r.err)
			}
			if rows, err := csv.NewReader(strings.NewReader(r.out)).ReadAll(); format == "csv" && (err != nil || len(rows) < 2 || strings.ContainsFunc(r.out, func(c rune) bool { return c > 0x2fff })) {
				t.Errorf("%s: %v\n%s", name, err, r.out)
			}
		}
	}
}

// TestPhalaChoices: filters, order and limit, and exact numbers for programs.
func TestPhalaChoices(t *testing.T) {
	rpc := recordedChain(t)
	workers := func(args ...string) (out view.PhalaWorkers) {
		t.Helper()
		r := shell{lang: i18n.EN}.run(t, append([]string{"chain", "workers", "-o", "json", "--rpc", rpc}, args...)...)
		if err := json.Unmarshal([]byte(r.out), &out); err != nil {
			t.Error(err, r.err)
		}
		return out
	}
	for want, args := range map[string][]string{
		"11": {}, "12": {"--former"}, "2": {"--state", "unresponsive"}, "4": {"--state", "Unresponsive,CoolingDown"}, "5": {"--pool", "0"}, "6": {"--pool", "2,1"},
		"3": {"--limit", "3"}, " 5": {"--owner", simOwner},
	} {
		if got := workers(args...); fmt.Sprint(len(got.Workers)) != strings.TrimSpace(want) || got.Era != "v2" || got.Height != 38 {
			t.Errorf("%v: %d workers", args, len(got.Workers))
		}
	}
	first := workers("--sort", "v", "--desc").Workers
	for i := 1; i < len(first); i++ {
		if compareCells(first[i-1].V, first[i].V) < 0 {
			t.Errorf("%s before %s", first[i-1].V, first[i].V)
		}
	}
	if w := workers("--pool", "2", "--sort", "reward", "--desc").Workers[0]; w.V != "17012.000000000999" || w.Stake != "12345.678" || w.Reward != "55.5" {
		t.Errorf("%+v", w)
	}
	if w := workers("--pool", "2", "--sort", "daily", "--desc", "--daily").Workers[0]; w.Daily == nil || *w.Daily != "20" || w.Worker != recordedWorker {
		t.Errorf("%+v", w) // 55.5 less 15.5, in two days
	}
	var totals view.PhalaTotals
	r := shell{lang: i18n.EN}.run(t, "chain", "totals", "--daily", "--pool", "2", "-o", "json", "--rpc", rpc)
	if err := json.Unmarshal([]byte(r.out), &totals); err != nil || fmt.Sprintf("%v %v %v %v", totals.Totals["daily"], totals.Totals["bound"], totals.Totals["relay_height"], totals.RelayHeight) != "20 2 1076 1076" {
		t.Error(err, r.err, totals)
	}
	var pools view.PhalaPools
	r = shell{lang: i18n.EN}.run(t, "chain", "pools", "--daily", "-o", "json", "--rpc", rpc)
	if err := json.Unmarshal([]byte(r.out), &pools); err != nil || len(pools.Pools) != 5 {
		t.Fatal(err, r.err)
	}
	// 55.5 of 278.703317788998 PHA, and all that was earned since the day before.
	if p := pools.Pools[2]; *p.Daily != "20" || *p.DailyShare != "100.00000000" || *p.RewardShare != "19.91364884" || p.SharePrice != "1.00167704" {
		t.Errorf("%s %s %s %s", *p.Daily, *p.DailyShare, *p.RewardShare, p.SharePrice)
	}
	stakers := func(args ...string) (out view.PhalaStakers) {
		t.Helper()
		r := shell{lang: i18n.EN}.run(t, append([]string{"chain", "stakers", "-o", "json", "--rpc", rpc}, args...)...)
		if err := json.Unmarshal([]byte(r.out), &out); err != nil {
			t.Error(err, r.err)
		}
		return out
	}
	for want, args := range map[string][]string{
		"9": {}, "4": {"--pool", "1"}, "4 ": {"--queued"}, "2": {"--owner", simOwner}, "2 ": {"--staker", "45ppQG9QcAkUdh2AP25CxDAnBAK1EACefQA2rMtbApzu6UXa"},
		"1": {"--sort", "queued", "--desc", "--limit", "1"},
	} {
		if got := stakers(args...).Stakers; fmt.Sprint(len(got)) != strings.TrimSpace(want) {
			t.Errorf("%v: %d stakers", args, len(got))
		}
	}
	if s := stakers("--sort", "queued", "--desc", "--limit", "1").Stakers[0]; s.Pool != 1 || s.Queued != "11000.123456" || s.Claimable != "12.5" || s.Shares != nil {
		t.Errorf("%+v", s)
	}
	for says, args := range map[string][]string{
		"you is not an account's":    {"chain", "stakers", "--staker", "you"},
		"There are: worker, pool":    {"chain", "workers", "--sort", "size"},
		"There is no state Sad":      {"chain", "workers", "--state", "Sad"},
		"is not an account's":        {"chain", "pools", "--owner", "me"},
		"There is no pool 77":        {"chain", "pool", "77"},
		"The pool x is not a number": {"chain", "pool", "x"},
		"not a worker's public key":  {"chain", "worker", "w-07"},
		"has no session":             {"chain", "worker", "0x" + strings.Repeat("ab", 32)},
		"A score is needed":          {"estimate"},
	} {
		if r := (shell{lang: i18n.EN}).run(t, append(args, "--rpc", rpc)...); r.code != exitUsage || !strings.Contains(r.err, says) {
			t.Errorf("%v: exit %d, does not say %q:\n%s", args, r.code, says, r.err)
		}
	}
}

// TestEstimate needs no chain, and refuses what a chain would refuse.
func TestEstimate(t *testing.T) {
	t.Parallel()
	run := func(args ...string) result {
		return shell{lang: i18n.EN}.run(t, append([]string{"estimate"}, args...)...)
	}
	example := []string{"--params", "phala-2023", "--score", "1842", "--score-now", "1577", "--v-now", "21686.98", "--stake", "11000", "--confidence", "2", "--commission", "30", "--own", "20"}
	r := run(append(example, "-o", "json")...)
	var out view.Estimate
	if err := json.Unmarshal([]byte(r.out), &out); err != nil || r.code != exitDone {
		t.Fatal(err, r.err)
	}
	got := map[string]string{}
	for _, l := range out.Results {
		if got[l.Name] = l.Value; l.Formula == "" {
			t.Errorf("%s has no formula", l.Name)
		}
	}
	for name, want := range map[string]string{"ve": "19570.00", "min_stake": "2145.93", "max_stake": "17953.33", "share": "21915.13", "growth": "89.69", "daily": "52.9711"} {
		if got[name] != want {
			t.Errorf("%s is %s, want %s", name, got[name], want)
		}
	}
	if r := run("--params", "phala-2023", "--score", "1842", "--stake", "100"); r.code != exitRefused || !strings.Contains(r.err, "2145.93") {
		t.Errorf("%+v", r)
	}
	if r := run("--params", "khala-2022", "--score", "1842", "--stake", "11000"); r.code != exitDone || !strings.Contains(r.err, "--shares") {
		t.Errorf("%+v", r)
	}
	for says, args := range map[string][]string{
		"There are: khala-2021":  {"--params", "mars"},
		"reads no chain":         {"--params", "khala-2021", "--worker", recordedWorker},
		"--stake 1e3 is wrong":   {"--params", "phala-2023", "--score", "100", "--stake", "1e3"},
		"--own 101 is wrong":     {"--params", "phala-2023", "--score", "100", "--own", "101"},
		"--rpc http://ADDRESS":   {},
		"A score is needed":      {"--params", "phala-2023"},
		"--budget -1 is wrong":   {"--params", "phala-2023", "--score", "100", "--budget", "-1"},
		"--shares 0x10 is wrong": {"--params", "phala-2023", "--score", "100", "--shares", "0x10"},
	} {
		if r := run(args...); r.code != exitUsage || !strings.Contains(r.err, says) {
			t.Errorf("%v: exit %d, does not say %q:\n%s", args, r.code, says, r.err)
		}
	}
}
