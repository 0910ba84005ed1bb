package cli

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"

	"phalops/internal/i18n"
	"phalops/internal/view"
)

const simOwner = "45R2pfjQUW2s9PQRHU48HQKLKHVMaDja7N3wpBtmF28UYDs2"

// TestChain reads a simulated chain's storage with nothing but the address of its node.
func TestChain(t *testing.T) {
	t.Parallel()
	f := newSimFleet(t, "[]", slow)
	rpc := f.Server.Endpoints().Nodes[0].Para
	ask := func(code int, args ...string) result {
		t.Helper()
		r := f.shell.run(t, append(append([]string{"chain"}, args...), "--rpc", rpc)...)
		if r.code != code {
			t.Errorf("phalops chain %s: exit %d, want %d\n%s%s", strings.Join(args, " "), r.code, code, r.out, r.err)
		}
		return r
	}
	storage := func(args ...string) (out view.ChainStorage) {
		t.Helper()
		r := ask(exitDone, append([]string{"storage", "-o", "json"}, args...)...)
		if err := json.Unmarshal([]byte(r.out), &out); err != nil || r.err != "" {
			t.Errorf("%v: %v %s", args, err, r.err)
		}
		return out
	}
	all := storage("System", "Account")
	if len(all.Entries) < 2 || all.Type != "AccountInfo" || all.Spec != "khala" || all.Height < 2_000_000 {
		t.Errorf("%+v", all)
	}
	one := storage("system", "account", simOwner)
	var account struct{ Data struct{ Free string } }
	if len(one.Entries) != 1 || !one.Entries[0].Stored || json.Unmarshal(one.Entries[0].Value, &account) != nil || account.Data.Free != "1000000000000000" {
		t.Errorf("%+v", one)
	}
	if string(one.Entries[0].Keys) == "" || !strings.Contains(string(one.Entries[0].Keys), simOwner) {
		t.Errorf("keys %s", one.Entries[0].Keys)
	}
	nobody := storage("System", "Account", "0x"+strings.Repeat("00", 32))
	if len(nobody.Entries) != 1 || nobody.Entries[0].Stored || !strings.Contains(string(nobody.Entries[0].Value), `"nonce": 0`) {
		t.Errorf("%+v %s", nobody, nobody.Entries[0].Value)
	}
	if few := storage("System", "BlockHash", "--limit", "3"); len(few.Entries) != 3 {
		t.Errorf("%+v", few)
	}

	// The same block by its height and by its hash, however much later.
	byHeight := storage("System", "Number", "--at", fmt.Sprint(all.Height))
	byHash := storage("System", "Number", "--at", "0x"+strings.ToUpper(all.Hash[2:]))
	for _, s := range []view.ChainStorage{byHeight, byHash} {
		if s.Height != all.Height || s.Hash != all.Hash || string(s.Entries[0].Value) != fmt.Sprint(all.Height) {
			t.Errorf("%+v %s", s, s.Entries[0].Value)
		}
	}

	for says, args := range map[string][]string{
		"data.free":          {"storage", "System", "Account", simOwner},
		"value":              {"storage", "Timestamp", "Now"},
		"System.SS58Prefix":  {"constants"},
		"30":                 {"constants", "system", "ss58prefix"},
		"Balances":           {"metadata"},
		"Twox64Concat(u32)":  {"metadata", "System"},
		"runtime khala 1241": {"metadata"},
		"ApplyExtrinsic":     {"storage", "System", "Events"},
	} {
		if r := ask(exitDone, args...); !strings.Contains(r.out+r.err, says) {
			t.Errorf("%v does not say %q:\n%s%s", args, says, r.out, r.err)
		}
	}
	for says, args := range map[string][]string{
		"There are: Account, BlockHash":                     {"storage", "System", "Acount"},
		"There are: ":                                       {"metadata", "PhalaMining"},
		"has no constant":                                   {"constants", "System", "Nothing"},
		"the keys of System.Account are AccountId32":        {"storage", "System", "Account", "hello"},
		"the keys of System.Number are –":                   {"storage", "System", "Number", "1"},
		"is no JSON":                                        {"storage", "System", "Account", "[1"},
		"--at must be":                                      {"storage", "System", "Number", "--at", "0x12"},
		"no block 99999999":                                 {"storage", "System", "Number", "--at", "99999999"},
		"no block 0x" + strings.Repeat("ab", 32):            {"storage", "System", "Number", "--at", "0x" + strings.Repeat("ab", 32)},
		"use --rpc or --node":                               {"metadata", "--node", "node-1"},
		"Usage: phalops chain storage PALLET ITEM [KEY...]": {"storage", "System"},
	} {
		if r := ask(exitUsage, args...); !strings.Contains(r.err, says) || r.out != "" {
			t.Errorf("%v does not say %q:\n%s%s", args, says, r.out, r.err)
		}
	}

	for _, args := range [][]string{{"storage", "System", "Account"}, {"storage", "System", "Number"}, {"constants"}, {"metadata"}, {"metadata", "System"}} {
		r := ask(exitDone, append(args, "-o", "csv")...)
		if rows, err := csv.NewReader(strings.NewReader(r.out)).ReadAll(); err != nil || len(rows) < 2 || r.err != "" {
			t.Errorf("%v: %v %v %s", args, rows, err, r.err)
		}
		if err := yaml.Unmarshal([]byte(ask(exitDone, append(args, "-o", "yaml")...).out), new(any)); err != nil {
			t.Error(args, err)
		}
	}
}

// TestChainOfTheConfiguration: without --rpc a node of the configuration is asked.
func TestChainOfTheConfiguration(t *testing.T) {
	t.Parallel()
	f := newSimFleet(t, "[]", slow)
	f.want(t, exitDone, "1200", "chain", "constants", "System", "BlockHashCount")
	f.want(t, exitDone, "1200", "chain", "constants", "System", "BlockHashCount", "--node", "node-1")
	f.want(t, exitUsage, "There are: node-1", "chain", "constants", "--node", "node-9")
	nowhere := shell{lang: i18n.EN}.run(t, "chain", "metadata")
	if nowhere.code != exitUsage || !strings.Contains(nowhere.err, "--rpc http://ADDRESS:9944") {
		t.Errorf("%+v", nowhere)
	}
	silent := shell{lang: i18n.ZH}.run(t, "chain", "metadata", "--rpc", "http://127.0.0.1:1")
	if silent.code != exitFailed || !strings.Contains(silent.err, "127.0.0.1:1") {
		t.Errorf("%+v", silent)
	}
}
