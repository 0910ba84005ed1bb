package wire

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"phalops/internal/testkit"
)

// TestPolkadotJS lets the stock JavaScript client use the simulated node as it uses a real one.
func TestPolkadotJS(t *testing.T) {
	modules := testkit.PolkadotJS(t)
	s := serve(t, Options{})
	ctx, cancel := context.WithTimeout(t.Context(), 40*time.Second)
	defer cancel()
	run := exec.CommandContext(ctx, "node", filepath.Join("testdata", "polkadotjs", "client.cjs"), s.Nodes[0].ParaWS,
		"5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY", "3")
	run.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "NODE_PATH=" + modules}
	var stderr strings.Builder
	run.Stderr = &stderr
	done := make(chan []byte, 1)
	go func() {
		out, err := run.Output()
		if err != nil {
			t.Errorf("%v: %s", err, stderr.String())
		}
		done <- out
	}()
	var out []byte
	blocks := time.NewTicker(300 * time.Millisecond) // a block each, so that heads come
	defer blocks.Stop()
	for out == nil {
		select {
		case <-blocks.C:
			s.pass(12 * time.Second)
		case out = <-done:
			if out == nil {
				out = []byte{}
			}
		}
	}
	var got struct {
		Chain, Genesis, Spec, Deposit, Unknown string
		SS58                                   int
		Heads                                  []int64
		Finalized, Now                         int64
		Account                                struct {
			Nonce          int
			Free, Reserved string
		}
		Multi              []string
		Accounts           [][2]string
		Then               struct{ Number, Now int64 }
		Events, Extrinsics []string
	}
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	t.Logf("%s", out)
	chain := s.world.Node("node-1").Network.Para
	first := got.Heads[0]
	if got.Chain != "Khala" || got.Genesis != chain.Hash(0) || got.Spec != "khala/1241" || got.SS58 != 30 || got.Deposit != "10000000000" {
		t.Errorf("the chain: %s", out)
	}
	if len(got.Heads) != 3 || got.Heads[1] <= first || got.Heads[2] <= got.Heads[1] || first < 3_000_000 || got.Finalized > got.Heads[2] {
		t.Errorf("heads %v, finalized %d", got.Heads, got.Finalized)
	}
	if got.Account.Nonce != 5 || got.Account.Free != "1000000000000000" || got.Account.Reserved != "0" || got.Multi[1] != "1007500000000000" {
		t.Errorf("Alice has %+v of %v", got.Account, got.Multi)
	}
	if got.Now < chain.Made(first).UnixMilli() || got.Now%1000 != chain.Made(first).UnixMilli()%1000 {
		t.Errorf("now is %d", got.Now)
	}
	if len(got.Accounts) != 4 || !slices.ContainsFunc(got.Accounts, func(a [2]string) bool { return a[1] == "7500000000000" }) {
		t.Errorf("accounts: %v", got.Accounts)
	}
	made := chain.Made(first).UnixMilli()
	if got.Then.Number != first || got.Then.Now != made {
		t.Errorf("at block %d: %+v, want the time %d", first, got.Then, made)
	}
	if !slices.Equal(got.Events, []string{"ApplyExtrinsic system.ExtrinsicSuccess"}) || len(got.Extrinsics) != 1 ||
		!strings.HasPrefix(got.Extrinsics[0], "timestamp.set "+strconv.FormatInt(made, 10)) {
		t.Errorf("block %d: %v, %v", first, got.Events, got.Extrinsics)
	}
	if !strings.Contains(got.Unknown, "4003: Client error: UnknownBlock") && !strings.Contains(got.Unknown, "Unable to retrieve header") {
		t.Errorf("a hash of no block: %s", got.Unknown)
	}
}
