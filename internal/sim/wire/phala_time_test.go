package wire

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"phalops/internal/sim/world"
	"phalops/internal/substrate"
)

// sessionOf is the session of a worker's pRuntime as the chain tells it at the pinned block.
func (p *phalaChain) sessionOf(endpoint string) fields {
	p.t.Helper()
	for _, w := range p.state.Workers {
		if hexKey(w.PublicKey) == "0x"+p.world.Pruntime(endpoint).PublicKey {
			return p.all("PhalaComputation", "Sessions")[`["`+address(w.Mined.Account)+`"]`].(fields)
		}
	}
	p.t.Fatal("no worker at ", endpoint)
	return nil
}

// A worker that stands still is called unresponsive, earns nothing meanwhile, and comes back where it was.
func TestStandingStillOnChain(t *testing.T) {
	p := phalaOf(t, world.EraV2, 0)
	const worker = "http://127.0.100.1:8000"
	if err := p.world.Apply(world.Scenario{Faults: []world.Fault{{Kind: world.WorkerPause, Target: "w-01", At: time.Minute, For: time.Hour}}}); err != nil {
		t.Fatal(err)
	}
	at := func(d time.Duration) fields {
		p.clock.Advance(epoch.Add(d).Sub(p.clock.Now()))
		p.face.Do(func(*world.World) {})
		p.pin()
		return p.sessionOf(worker)
	}
	for _, tc := range []struct {
		after time.Duration
		state string
	}{{5 * time.Minute, "WorkerIdle"}, {12 * time.Minute, "WorkerUnresponsive"}, {55 * time.Minute, "WorkerUnresponsive"}, {63 * time.Minute, "WorkerIdle"}} {
		if got := at(tc.after)["state"]; got != tc.state {
			t.Errorf("after %v it is %v, want %s", tc.after, got, tc.state)
		}
	}
	reward := func(s fields) string { return s["stats"].(fields)["total_reward"].(string) }
	early := phalaOf(t, world.EraV2, 0)
	early.clock.Advance(63 * time.Minute)
	early.face.Do(func(*world.World) {})
	early.pin()
	if lost, whole := reward(p.sessionOf(worker)), reward(early.sessionOf(worker)); lost >= whole {
		t.Errorf("it has %s with an hour unresponsive, %s without", lost, whole)
	}
	old := p.Client.Snapshot(p.world.Node("node-1").Network.Para.Hash(3_000_150), substrate.SnapshotOptions{}) // half an hour after the beginning
	p.Snapshot = old
	if got := p.sessionOf(worker)["state"]; got != "WorkerUnresponsive" {
		t.Errorf("half an hour after the beginning it was %v", got)
	}
}

// What a reader has begun to read stays as it is, whatever happens on chain meanwhile.
func TestSnapshotsAreStable(t *testing.T) {
	p := phalaOf(t, world.EraV1, 100)
	before := p.all("PhalaMining", "Miners")
	p.world.Pruntime("http://127.0.100.1:8000").StopComputing()
	p.clock.Advance(10 * time.Minute)
	if after := p.all("PhalaMining", "Miners"); !reflect.DeepEqual(before, after) {
		t.Error("a block's state has changed")
	}
	p.pin()
	now := p.all("PhalaMining", "Miners")
	stopped := 0
	for key, m := range now {
		if m.(fields)["state"] == "MiningCoolingDown" && before[key].(fields)["state"] == "MiningIdle" {
			stopped++
		}
	}
	if stopped != 1 {
		t.Errorf("%d miners were stopped", stopped)
	}
}

// Every page of a big map comes at once, and all of them together are the map.
func TestBigCrowd(t *testing.T) {
	const crowd = 25_000
	p := phalaOf(t, world.EraV2, crowd)
	own := len(p.state.Workers)
	for _, name := range []string{"Sessions", "Stakes"} {
		e, err := p.Runtime.Metadata.Entry("PhalaComputation", name)
		if err != nil {
			t.Fatal(err)
		}
		last, n, begun := "", 0, time.Now()
		if err := p.Pairs(t.Context(), e.Prefix(), func(pair substrate.Pair) error {
			if key := string(pair.Key); key <= last {
				t.Errorf("%x comes after %x", key, last)
			} else {
				last = key
			}
			n++
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		t.Logf("%d %s in %v", n, name, time.Since(begun))
		if name == "Sessions" && n != crowd+own || n < crowd*8/10 || n > crowd+own {
			t.Errorf("%d %s of %d workers", n, name, crowd+own)
		}
	}
	var words []string
	if err := json.Unmarshal([]byte(rpc(t, newNodeHandler(p.face, "node-1", (*world.Node).Para, speaksBoth, nil), "state_getKeysPaged", `"0x",5`)), &words); err != nil || len(words) != 5 || !strings.HasPrefix(words[0], "0x") {
		t.Errorf("%v, %v", words, err)
	}
}
