package cli

import (
	"encoding/csv"
	"encoding/json"
	"strings"
	"testing"

	"phalops/internal/view"
)

// TestChainCall encodes calls of the simulated chain, whose numbers are Khala's, and reads them back.
func TestChainCall(t *testing.T) {
	t.Parallel()
	f := newSimFleet(t, "[]", slow)
	rpc := f.Server.Endpoints().Nodes[0].Para
	ask := func(code int, stdin string, args ...string) result {
		t.Helper()
		sh := f.shell
		sh.stdin = stdin
		r := sh.run(t, append(append([]string{"chain"}, args...), "--rpc", rpc)...)
		if r.code != code {
			t.Errorf("phalops chain %s: exit %d, want %d\n%s%s", strings.Join(args, " "), r.code, code, r.out, r.err)
		}
		return r
	}
	call := func(args ...string) (out view.ChainCall) {
		t.Helper()
		r := ask(exitDone, "", append(args, "-o", "json")...)
		if err := json.Unmarshal([]byte(r.out), &out); err != nil {
			t.Errorf("%v: %v %s", args, err, r.out)
		}
		return out
	}
	worker := "0x" + strings.Repeat("ab", 32)
	const stop = "0x5d0e5300000000000000"
	inOrder := call("call", "phalastakepoolv2", "stop_computing", "83", worker)
	if inOrder.Data != stop+strings.Repeat("ab", 32) || inOrder.Pallet != "PhalaStakePoolv2" || inOrder.Call != "stop_computing" || inOrder.SpecVersion != 1241 {
		t.Errorf("%+v", inOrder)
	}
	byName := call("call", "PhalaStakePoolv2", "STOP_COMPUTING", "worker="+worker, "pid=83")
	back := call("decode", inOrder.Data)
	if byName.Data != inOrder.Data || back.Data != inOrder.Data || back.CallHash != inOrder.CallHash || len(back.CallHash) != 66 || len(back.Hash) != 66 || back.Hash == back.CallHash {
		t.Errorf("%+v\n%+v", byName, back)
	}
	var args struct {
		Pid    int
		Worker string
	}
	if err := json.Unmarshal(back.Args, &args); err != nil || args.Pid != 83 || args.Worker != worker {
		t.Errorf("%v %s", err, back.Args)
	}
	batch := call("call", "Proxy", "proxy", "real="+simOwner, "force_proxy_type=null",
		`call={"Utility":{"batch_all":{"calls":[{"PhalaStakePoolv2":{"stop_computing":{"pid":83,"worker":"`+worker+`"}}},{"PhalaStakePoolv2":{"create":null}}]}}}`)
	if want := "0x050000d43593c715fdd31c61141abd04a99fd6822c8558854ccde39a5684e7a56da27d00030208" + inOrder.Data[2:] + "5d00"; batch.Data != want {
		t.Errorf("%s, want %s", batch.Data, want)
	}
	table := ask(exitDone, batch.Data+"\n", "decode", "-")
	for _, row := range [][]string{
		{"call", "Proxy.proxy"}, {"real.Id", simOwner}, {"call", "Utility.batch_all"}, {"call.calls.1", "PhalaStakePoolv2.stop_computing"}, {"call.calls.1.pid", "83"},
		{"call.calls.1.worker", worker}, {"call.calls.2", "PhalaStakePoolv2.create"}, {"call_hash", batch.CallHash},
	} {
		found := false
		for line := range strings.Lines(table.out) {
			fields := strings.Fields(line)
			found = found || len(fields) == 2 && fields[0] == row[0] && fields[1] == row[1] || row[0] == "call_hash" && len(fields) == 3 && fields[2] == row[1]
		}
		if !found {
			t.Errorf("no row %v in\n%s", row, table.out)
		}
	}
	if !strings.Contains(table.err, "runtime khala 1241") {
		t.Error(table.err)
	}
	list := ask(exitDone, "", "call", "PhalaStakePoolv2")
	if !strings.Contains(list.out, "PhalaStakePoolv2.start_computing") || !strings.Contains(list.out, "pid u64, worker Public, stake u128") {
		t.Error(list.out)
	}
	for _, args := range [][]string{{"call", "PhalaStakePoolv2"}, {"call", "PhalaStakePoolv2", "create"}, {"decode", batch.Data}} {
		r := ask(exitDone, "", append(args, "-o", "csv")...)
		if rows, err := csv.NewReader(strings.NewReader(r.out)).ReadAll(); err != nil || len(rows) < 2 || r.err != "" {
			t.Errorf("%v: %v %v %s", args, rows, err, r.err)
		}
	}
	for says, args := range map[string][]string{
		"There are: add_worker, create":                       {"call", "PhalaStakePoolv2", "start_mining"},
		"System has no call nothing":                          {"call", "System", "nothing"},
		"takes pid u64, worker Public: give all":              {"call", "PhalaStakePoolv2", "stop_computing", "83"},
		"takes pid u64, cap u128: give all":                   {"call", "PhalaStakePoolv2", "set_cap", "pid=1", "pid=2"},
		"create takes –: give":                                {"call", "PhalaStakePoolv2", "create", "1"},
		"takes pid u64, worker Public: PhalaStakePoolv2":      {"call", "PhalaStakePoolv2", "stop_computing", "18446744073709551616", worker},
		"stop_computing: worker: ":                            {"call", "PhalaStakePoolv2", "stop_computing", "83", "0x12"},
		"is no JSON":                                          {"call", "Utility", "batch", "[1"},
		"There are: ":                                         {"call", "Nobody"},
		"must be hexadecimal":                                 {"decode", "hello"},
		"This is no call of khala 1241: call: not in the met": {"decode", "0xff00"},
		"bytes are left over":                                 {"decode", inOrder.Data + "00"},
		"Usage: phalops chain decode DATA":                    {"decode"},
		"Usage: phalops chain call PALLET":                    {"call"},
	} {
		if r := ask(exitUsage, "", args...); !strings.Contains(r.err, says) || r.out != "" {
			t.Errorf("%v does not say %q:\n%s%s", args, says, r.out, r.err)
		}
	}
	if r := ask(exitUsage, "\n", "decode", "-"); !strings.Contains(r.err, "must be hexadecimal") {
		t.Error(r.err)
	}
}
