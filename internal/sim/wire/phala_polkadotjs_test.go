package wire

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"phalops/internal/clock"
	"phalops/internal/sim/world"
	"phalops/internal/testkit"
)

// TestPolkadotJSReadsPhala: the stock JavaScript client, a decoder of its own, finds the sessions and pools of the world.
func TestPolkadotJSReadsPhala(t *testing.T) {
	modules := testkit.PolkadotJS(t)
	for _, era := range []world.Era{world.EraV1, world.EraV2} {
		t.Run(string(era), func(t *testing.T) {
			p := &phalaChain{t: t, clock: clock.NewVirtual(epoch), world: world.New(epoch, 1)}
			world.DefaultFleet(p.world, world.FleetOptions{Workers: 6, V3Workers: 3, Era: era, Crowd: 40})
			p.face = NewFace(p.world, p.clock)
			server, err := Serve(t.Context(), p.face, Options{})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(server.Close)
			ctx, cancel := context.WithTimeout(t.Context(), 40*time.Second)
			defer cancel()
			run := exec.CommandContext(ctx, "node", filepath.Join("testdata", "polkadotjs", "phala.cjs"), server.Endpoints().Nodes[0].ParaWS)
			run.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "NODE_PATH=" + modules}
			var stderr strings.Builder
			run.Stderr = &stderr
			out, err := run.Output()
			if err != nil {
				t.Fatalf("%v: %s", err, stderr.String())
			}
			var got struct {
				Number          int64
				Sessions, Pools map[string][]string
				VMax            string
			}
			if err := json.Unmarshal(out, &got); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			p.face.Do(func(w *world.World) { p.state = w.Phala(w.Node("node-1").Network, got.Number) })
			sessions, pools := p.asPolkadotJS(era)
			if !reflect.DeepEqual(got.Sessions, sessions) || !reflect.DeepEqual(got.Pools, pools) || got.VMax != u64f64(30_000) {
				t.Errorf("it reads %s\nwant %v\nand %v", out, sessions, pools)
			}
		})
	}
}

// asPolkadotJS are the sessions and pools in the words of testdata/polkadotjs/phala.cjs.
func (p *phalaChain) asPolkadotJS(era world.Era) (sessions, pools map[string][]string) {
	sessions, pools = map[string][]string{}, map[string][]string{}
	workers, all := p.members()
	for _, w := range workers {
		if m := w.Mined; m != nil {
			s := sessionJSON(m.Session, "", era == world.EraV1)
			sessions[address(m.Account)] = []string{s["state"].(string), u64f64(m.Ve), u64f64(m.V), text(m.PInit), text(m.PInstant), string(since(m.CoolDownStart)), text(m.TotalReward)}
		}
	}
	for _, x := range all {
		var keys, users []string
		for _, k := range x.Workers {
			keys = append(keys, hexKey(k))
		}
		for _, q := range x.Queue {
			users = append(users, address(q.User))
		}
		pools[text(x.PID)] = []string{"StakePool", address(x.Owner), text(x.Total()), text(x.Shares), strings.Join(keys, ","), strings.Join(users, ",")}
	}
	for _, x := range p.state.Vaults {
		pools[text(x.PID)] = []string{"Vault", address(x.Owner), text(x.Value), text(x.Shares), "", ""}
	}
	return sessions, pools
}
