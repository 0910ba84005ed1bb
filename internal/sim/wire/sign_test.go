package wire

import (
	"encoding/hex"
	"errors"
	"strings"
	"testing"
	"time"

	"phalops/internal/fleet"
	"phalops/internal/phala"
	"phalops/internal/sim/world"
)

// read is the chain's newest state, as the real reader has it.
func (p *phalaChain) read() *phala.State {
	p.t.Helper()
	p.pin()
	s, err := phala.Read(p.t.Context(), p.Snapshot, p.Runtime.Metadata, phala.Want{})
	if err != nil {
		p.t.Fatal(err)
	}
	return s
}

// sign hands orders over, has the owner of a pool (or, with proxied, somebody for him) sign them and waits until the block is final.
func (p *phalaChain) sign(signer phala.Account, proxied bool, orders ...phala.Order) error {
	p.t.Helper()
	batches, err := phala.Handover(p.Runtime.Metadata, p.read().Pool(orders[0].Pool).Owner, orders)
	if err != nil {
		p.t.Fatal(err)
	}
	for _, b := range batches {
		call := b.Call
		if proxied {
			call = *b.Proxied
		}
		data, err := hex.DecodeString(call.Data[2:])
		if err != nil {
			p.t.Fatal(err)
		}
		var refused error
		p.face.Do(func(w *world.World) { refused = Sign(w, w.Node("node-1").Network, world.AccountID(signer), data) })
		if refused != nil {
			return refused
		}
		p.pass(2 * time.Minute)
	}
	return nil
}

func (p *phalaChain) pass(d time.Duration) {
	p.clock.Advance(d)
	p.face.Do(func(*world.World) {})
}

// TestHandedOverAndSigned: what is handed over, once the owner has signed it, does on the chain what it says, step by step out of the pool
// and back, in both eras. What the real code expects the chain to refuse, it refuses.
func TestHandedOverAndSigned(t *testing.T) {
	for _, era := range []world.Era{world.EraV1, world.EraV2} {
		t.Run(string(era), func(t *testing.T) {
			p := phalaOf(t, era, 0)
			state := p.read()
			var pool *phala.Pool
			for _, x := range state.Pools {
				if x.Kind == phala.StakePool && len(x.Workers) >= 3 {
					pool = x
					break
				}
			}
			owner, key, other := pool.Owner, pool.Workers[0], pool.Workers[1]
			order := func(a phala.Action) phala.Order { return phala.Order{Action: a, Pool: pool.ID, Worker: key} }
			if stage, _ := state.Standing(pool.ID, key).Leaving(state.Now, state.Cool); stage != phala.StageStop {
				t.Fatal(stage)
			}
			if why := state.Refused([]phala.Order{order(phala.ReclaimWorker)}); why[0].Code != "phala.not_cooling" {
				t.Error(why)
			}
			if err := p.sign(owner, false, order(phala.StopWorker), order(phala.ReclaimWorker)); !errors.Is(err, world.ErrOwner) || p.read().Standing(pool.ID, key).State != phala.Idle {
				t.Errorf("a batch happens whole or not at all: %v", err)
			}
			if err := p.sign(phala.Account{1}, false, order(phala.StopWorker)); !errors.Is(err, world.ErrOwner) || !strings.Contains(err.Error(), "UnauthorizedPoolOwner") {
				t.Error(err)
			}
			both := []phala.Order{order(phala.StopWorker), {Action: phala.StopWorker, Pool: pool.ID, Worker: other}}
			if why := p.read().Refused(both); !why[0].IsZero() || !why[1].IsZero() {
				t.Error(why)
			}
			if err := p.sign(phala.Account{1}, true, both...); err != nil { // whom the owner trusts
				t.Fatal(err)
			}
			state = p.read()
			for _, o := range both {
				if !state.Standing(o.Pool, o.Worker).Shows(o) {
					t.Errorf("%+v", state.Standing(o.Pool, o.Worker))
				}
			}
			stage, until := state.Standing(pool.ID, key).Leaving(state.Now, state.Cool)
			if stage != phala.StageCooling || until.Sub(state.Now) > 7*24*time.Hour || until.Sub(state.Now) < 7*24*time.Hour-10*time.Minute {
				t.Errorf("%s until %s at %s", stage, until, state.Now)
			}
			p.pass(until.Sub(state.Now) - 10*time.Minute)
			if state = p.read(); state.Standing(pool.ID, key).CoolDownOver(state.Now, state.Cool) {
				t.Error("over too early")
			}
			if err := p.sign(owner, false, order(phala.ReclaimWorker)); err == nil {
				t.Error("reclaimed too early")
			}
			p.pass(12 * time.Minute)
			for _, step := range []struct {
				due  phala.Stage
				does phala.Action
			}{{phala.StageReclaim, phala.ReclaimWorker}, {phala.StageRemove, phala.RemoveWorker}} {
				state = p.read()
				if stage, _ := state.Standing(pool.ID, key).Leaving(state.Now, state.Cool); stage != step.due || state.Standing(pool.ID, key).Shows(order(step.does)) {
					t.Errorf("%s, want %s", stage, step.due)
				}
				if err := p.sign(owner, false, order(step.does)); err != nil {
					t.Error(err)
				}
				if state = p.read(); !state.Standing(pool.ID, key).Shows(order(step.does)) {
					t.Errorf("%s: %+v", step.does, state.Standing(pool.ID, key))
				}
			}
			if stage, _ := state.Standing(pool.ID, key).Leaving(state.Now, state.Cool); stage != phala.StageGone {
				t.Error(stage)
			}
			back := []phala.Order{order(phala.AddWorker), {Action: phala.StartWorker, Pool: pool.ID, Worker: key, Stake: fleet.PHA(5000)}}
			if err := p.sign(owner, false, back...); err != nil {
				t.Error(err)
			}
			more := phala.Order{Action: phala.RestartWorker, Pool: pool.ID, Worker: key, Stake: fleet.PHA(6000)}
			if err := p.sign(owner, false, more); err != nil {
				t.Error(err)
			}
			state = p.read()
			if st := state.Standing(pool.ID, key); !st.Shows(back[0]) || !st.Shows(back[1]) || !st.Shows(more) || st.Stake != fleet.PHA(6000) {
				t.Errorf("%+v", st)
			}
		})
	}
}

// TestSignNothing: data that is no call of an owner changes nothing.
func TestSignNothing(t *testing.T) {
	p := phalaOf(t, world.EraV2, 0)
	for _, data := range []string{
		"", "5d", "5d0e", "5d0e" + strings.Repeat("00", 39), "5d0e" + strings.Repeat("00", 41), "5d63" + strings.Repeat("00", 40), "000000", "0302", "030204",
		"030203ffffffff", "0500" + strings.Repeat("00", 34), "5d0d" + strings.Repeat("ff", 56), strings.Repeat("030204", 1000),
	} {
		raw, err := hex.DecodeString(data)
		if err != nil {
			t.Fatal(err)
		}
		p.face.Do(func(w *world.World) { err = Sign(w, w.Node("node-1").Network, world.AccountID{}, raw) })
		if !errors.Is(err, ErrNoCall) {
			t.Errorf("%.40s: %v", data, err)
		}
	}
}

func FuzzSign(f *testing.F) {
	f.Add([]byte("\x03\x02\x04\x5d\x0e"), true)
	f.Add([]byte("\x05\x00\x00"), false)
	f.Fuzz(func(t *testing.T, data []byte, first bool) {
		era := world.EraV2
		if first {
			era = world.EraV1
		}
		w := world.New(epoch, 1)
		world.DefaultFleet(w, world.FleetOptions{Workers: 1, Era: era})
		if err := Sign(w, w.Node("node-1").Network, world.AccountID{}, data); err != nil && !errors.Is(err, ErrNoCall) && !errors.Is(err, world.ErrOwner) {
			t.Error(err)
		}
	})
}
