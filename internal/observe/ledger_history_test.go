package observe

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"phalops/internal/fleet"
	"phalops/internal/phala"
)

func noon() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }

func keyOf(n byte) string { return strings.Repeat(fmt.Sprintf("%02x", n), 32) }

func accountOf(pid uint64, n byte) phala.Account {
	var key phala.Key
	for i := range key {
		key[i] = n
	}
	return phala.SessionAccount(pid, key)
}

// rewarded is a whole network of one pool, 83, with ours, and a stranger in pool 7. rewards are PHA by worker.
func rewarded(height uint64, rewards map[byte]uint64, change ...func(*fleet.ChainView)) LedgerReading {
	r := LedgerReading{Rewards: map[phala.Account]fleet.Amount{}}
	r.View = fleet.ChainView{Ref: fleet.NetworkRef("khala"), Genesis: "0x01", Height: height, Whole: true, Pools: []fleet.ChainPool{{PID: 83, Owner: "43a", OwnerGas: fleet.PHA(100)}}}
	for n := range byte(200) {
		pha, ok := rewards[n]
		if !ok {
			continue
		}
		w := fleet.ChainWorker{Key: keyOf(n), PID: 83, Pool: true, State: "Idle", Reward: fleet.PHA(pha)}
		if n < 100 {
			r.View.Workers = append(r.View.Workers, w)
		} else {
			w.PID = 7
			r.View.Others = append(r.View.Others, w)
		}
		r.Rewards[accountOf(w.PID, n)] = w.Reward
		r.View.Totals.Reward = r.View.Totals.Reward.Plus(w.Reward)
	}
	for _, f := range change {
		f(&r.View)
	}
	return r
}

func add(t *testing.T, h *LedgerHistory, r LedgerReading, now time.Time) *fleet.ChainSample {
	t.Helper()
	s, err := h.Add(r, now)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestLedgerRemembers: since when things are as they are survives a look at which they are the same, a silence, and another process.
func TestLedgerRemembers(t *testing.T) {
	at := func(d time.Duration) time.Time { return noon().Add(d) }
	var h LedgerHistory
	add(t, &h, rewarded(100, map[byte]uint64{1: 10, 2: 20}), noon())
	unresponsive := func(v *fleet.ChainView) { v.Workers[1].State = "Unresponsive" }
	add(t, &h, rewarded(100, map[byte]uint64{1: 11, 2: 20}, unresponsive), at(5*time.Minute))
	h.Silent("khala", at(10*time.Minute), fleet.Because("x.none"))
	if v := h.View; v.Missed != 1 || v.Cause.Code != "x.none" || v.Height != 100 || !v.At.Equal(at(5*time.Minute)) {
		t.Errorf("after a silence: %+v", v)
	}
	h = LedgerHistory{View: h.View, Samples: h.Samples} // as it comes back from the store
	add(t, &h, rewarded(130, map[byte]uint64{1: 11, 2: 20, 3: 0}, unresponsive), at(15*time.Minute))
	v := h.View
	if !v.Fresh() || !v.At.Equal(at(15*time.Minute)) || !v.Watched.Equal(noon()) || !v.Moved.Equal(at(15*time.Minute)) {
		t.Errorf("%+v", v)
	}
	for i, want := range []struct{ since, moved time.Duration }{{0, 5 * time.Minute}, {5 * time.Minute, 0}, {15 * time.Minute, 15 * time.Minute}} {
		if w := v.Workers[i]; !w.StateSince.Equal(at(want.since)) || !w.RewardMoved.Equal(at(want.moved)) {
			t.Errorf("worker %d: %s since %v, its reward moved at %v", i, w.State, w.StateSince.Sub(noon()), w.RewardMoved.Sub(noon()))
		}
	}
	if !v.Totals.RewardMoved.Equal(at(5 * time.Minute)) {
		t.Errorf("the network's reward moved at %v", v.Totals.RewardMoved.Sub(noon()))
	}
	add(t, &h, rewarded(130, map[byte]uint64{1: 11, 2: 20, 3: 0}), at(20*time.Minute))
	if !h.View.Moved.Equal(at(15 * time.Minute)) {
		t.Errorf("the height moved at %v", h.View.Moved.Sub(noon()))
	}
	// A worker that left, and comes again, is seen for the first time.
	add(t, &h, rewarded(140, map[byte]uint64{1: 11}), at(25*time.Minute))
	add(t, &h, rewarded(150, map[byte]uint64{1: 11, 2: 20}), at(30*time.Minute))
	if w := h.View.Worker(keyOf(2)); !w.StateSince.Equal(at(30 * time.Minute)) {
		t.Errorf("%+v", w)
	}
}

// TestLedgerOfAnOlderBlock: a node that is behind is not believed, for a lower counter means one that began anew; a chain that went back,
// or another one, has a history of its own.
func TestLedgerOfAnOlderBlock(t *testing.T) {
	var h LedgerHistory
	add(t, &h, rewarded(100, map[byte]uint64{1: 10}), noon())
	behind := rewarded(90, map[byte]uint64{1: 9})
	before := h.View
	if _, err := h.Add(behind, noon().Add(59*time.Minute)); fleet.ReasonOf(err).Code != "observe.chain_behind" || h.View.Height != before.Height || h.View.Missed != 0 {
		t.Errorf("%v: %+v", err, h.View)
	}
	add(t, &h, behind, noon().Add(time.Hour))
	if v := h.View; v.Height != 90 || !v.Watched.Equal(noon().Add(time.Hour)) || !v.Totals.Earned.IsZero() || len(h.Samples) != 1 || v.Workers[0].DailyFor != 0 {
		t.Errorf("a chain that went back: %+v, %d samples", v, len(h.Samples))
	}
	other := rewarded(500, map[byte]uint64{1: 5000}, func(v *fleet.ChainView) { v.Genesis = "0x02" })
	add(t, &h, other, noon().Add(61*time.Minute))
	if v := h.View; !v.Watched.Equal(noon().Add(61*time.Minute)) || !v.Totals.Earned.IsZero() || v.Totals.DailyFor != 0 || !v.Workers[0].Daily.IsZero() {
		t.Errorf("another chain: %+v", v)
	}
}

// TestLedgerEarned: what everybody earned together, through sessions that begin anew, new ones, and a restart of phalops.
func TestLedgerEarned(t *testing.T) {
	var h LedgerHistory
	now := noon()
	for i, step := range []struct {
		rewards map[byte]uint64
		restart bool
		part    bool
		want    uint64
	}{
		{map[byte]uint64{1: 100, 101: 1000}, false, false, 0},
		{map[byte]uint64{1: 101, 101: 1002}, false, false, 3},
		{map[byte]uint64{1: 1, 101: 1003}, false, false, 5},              // bound anew: 1 since then
		{map[byte]uint64{1: 1, 2: 4, 101: 1003}, false, false, 9},        // a new one began at 0
		{map[byte]uint64{1: 2, 2: 4, 101: 1005}, true, false, 12},        // read by another process before
		{map[byte]uint64{1: 2, 2: 4, 101: 5}, true, false, 12},           // … and what began anew meanwhile is not known
		{map[byte]uint64{1: 3, 2: 5, 101: 6}, false, false, 15},          //
		{map[byte]uint64{1: 3, 2: 5}, false, true, 15},                   // ours only: another sum
		{map[byte]uint64{1: 4, 2: 5}, false, true, 16},                   //
		{map[byte]uint64{1: 4, 2: 5, 101: 100}, false, false, 16},        // the whole network again
		{map[byte]uint64{1: 4, 2: 5, 101: 101}, false, false, 17},        //
		{map[byte]uint64{1: 4, 2: 5, 101: 101}, false, false, 17},        // nothing
		{map[byte]uint64{2: 5, 101: 101, 102: 0}, false, false, 17},      // one left
		{map[byte]uint64{1: 9, 2: 5, 101: 101, 102: 1}, true, false, 27}, // and one came back
	} {
		now = now.Add(5 * time.Minute)
		if step.restart {
			h = LedgerHistory{View: h.View, Samples: h.Samples}
		}
		add(t, &h, rewarded(uint64(100+i), step.rewards, func(v *fleet.ChainView) { v.Whole = !step.part }), now)
		if got := h.View.Totals.Earned; got != fleet.PHA(step.want) {
			t.Errorf("step %d: earned %s, want %d", i, got.PHA(), step.want)
		}
	}
}

// TestLedgerDaily: the output of a day is measured over a day of samples, at most one an hour; a counter that begins anew does not
// count twice; what left a gas account is told apart from what came in.
func TestLedgerDaily(t *testing.T) {
	var h LedgerHistory
	samples := 0
	gas := uint64(1000)
	for i := range 12 * 60 { // 60 hours, every 5 minutes
		now := noon().Add(time.Duration(i) * 5 * time.Minute)
		n := uint64(i)
		rewards := map[byte]uint64{1: 500 + n, 2: n, 101: 10 * n}
		if i >= 12*50 {
			rewards[2] = n - 12*50 // bound anew
		}
		if gas--; i%100 == 99 {
			gas += 500
		}
		s := add(t, &h, rewarded(100+n, rewards, func(v *fleet.ChainView) {
			v.Pools[0].OwnerGas = fleet.PHA(gas)
			v.Pools[0].Operators = []fleet.GasAccount{{Address: "43b", Free: fleet.PHA(7)}}
		}), now)
		if s != nil {
			samples++
			h.Samples[len(h.Samples)-1] = *s
		}
		if len(h.Samples) > 26 || len(h.days) > 6 {
			t.Fatalf("%d samples and %d of everybody are kept", len(h.Samples), len(h.days))
		}
		if i == 6 {
			if w := h.View.Workers[0]; w.DailyFor != 30*time.Minute || w.Daily != fleet.PHA(288) {
				t.Errorf("after half an hour: %s for %v", w.Daily.PHA(), w.DailyFor)
			}
		}
	}
	if samples != 60 {
		t.Errorf("%d samples in 60 hours", samples)
	}
	v := h.View
	near := func(what string, got fleet.Amount, took time.Duration, want uint64) {
		t.Helper()
		if took < 24*time.Hour || took > 30*time.Hour {
			t.Errorf("%s was measured over %v", what, took)
		}
		if got.Cmp(fleet.PHA(want-want/20)) < 0 || got.Cmp(fleet.PHA(want+want/20)) > 0 {
			t.Errorf("%s is %s a day, want about %d", what, got.PHA(), want)
		}
	}
	near("a worker", v.Workers[0].Daily, v.Workers[0].DailyFor, 288)
	near("a worker that began anew", v.Workers[1].Daily, v.Workers[1].DailyFor, 288)
	near("a stranger", v.Others[0].Daily, v.Others[0].DailyFor, 2880)
	near("the pool", v.Pools[0].Daily, v.Pools[0].DailyFor, 576)
	near("the network", v.Totals.Daily, v.Totals.DailyFor, 3456)
	near("gas of the owner", v.Pools[0].OwnerSpent, v.Pools[0].OwnerSpentFor, 258) // a little is hidden by what came in the same hour
	if a := v.Pools[0].Operators[0]; !a.Spent.IsZero() || a.SpentFor < 24*time.Hour {
		t.Errorf("an account that pays nothing: %+v", a)
	}
	// From the store, without what was in memory: the same, but for strangers.
	h = LedgerHistory{View: h.View, Samples: h.Samples}
	add(t, &h, rewarded(1000, map[byte]uint64{1: 500 + 720, 2: 120, 101: 7200}), noon().Add(60*time.Hour))
	near("a worker after a restart", h.View.Workers[0].Daily, h.View.Workers[0].DailyFor, 288)
	near("the network after a restart", h.View.Totals.Daily, h.View.Totals.DailyFor, 3456)
	if o := h.View.Others[0]; o.DailyFor != 0 || !o.Daily.IsZero() {
		t.Errorf("a stranger after a restart: %+v", o)
	}
}

// Whatever happens to the sessions, what was earned never falls, and no output is measured over more time than was watched.
func TestLedgerNeverFalls(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var h LedgerHistory
		now, earned := noon(), fleet.Amount{}
		for i := range rapid.IntRange(1, 30).Draw(t, "reads") {
			now = now.Add(time.Duration(rapid.IntRange(0, 300).Draw(t, "minutes")) * time.Minute)
			rewards := rapid.MapOf(rapid.SampledFrom([]byte{1, 2, 3, 101, 102}), rapid.Uint64Range(0, 9)).Draw(t, "rewards")
			whole := rapid.Bool().Draw(t, "whole")
			if rapid.IntRange(0, 4).Draw(t, "restart") == 0 {
				h = LedgerHistory{View: h.View, Samples: h.Samples}
			}
			if _, err := h.Add(rewarded(uint64(100+i), rewards, func(v *fleet.ChainView) { v.Whole = whole }), now); err != nil {
				t.Fatal(err)
			}
			v := h.View
			if v.Totals.Earned.Cmp(earned) < 0 {
				t.Fatalf("earned %s after %s", v.Totals.Earned.PHA(), earned.PHA())
			}
			earned = v.Totals.Earned
			if watched := now.Sub(v.Watched); v.Totals.DailyFor > watched || v.Pools[0].DailyFor > watched || v.Pools[0].OwnerSpentFor > watched {
				t.Fatalf("measured over %v, %v, %v in %v", v.Totals.DailyFor, v.Pools[0].DailyFor, v.Pools[0].OwnerSpentFor, watched)
			}
		}
	})
}
