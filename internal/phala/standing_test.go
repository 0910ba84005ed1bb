package phala

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"phalops/internal/fleet"
)

// TestShows: which effects a standing shows. Words: a(dd) s(tart) r(estart with 100 PHA) S(top) R(eclaim) D (remove).
func TestShows(t *testing.T) {
	stake := fleet.PHA(100)
	orders := map[rune]Order{
		'a': {Action: AddWorker}, 's': {Action: StartWorker, Stake: stake}, 'r': {Action: RestartWorker, Stake: stake},
		'S': {Action: StopWorker}, 'R': {Action: ReclaimWorker}, 'D': {Action: RemoveWorker},
	}
	for name, c := range map[string]struct {
		s    Standing
		want string
	}{
		"nobody looked":              {Standing{}, ""},
		"nobody looked, state given": {Standing{State: Ready}, ""},
		"in the pool, never started": {Standing{Known: true, InPool: true, State: Ready}, "aSR"},
		"computing":                  {Standing{Known: true, InPool: true, State: Idle, Stake: fleet.PHA(99)}, "as"},
		"computing with more":        {Standing{Known: true, InPool: true, State: Idle, Stake: fleet.PHA(100)}, "asr"},
		"unresponsive":               {Standing{Known: true, InPool: true, State: Unresponsive, Stake: fleet.PHA(101)}, "asr"},
		"cooling down":               {Standing{Known: true, InPool: true, State: CoolingDown, Stake: fleet.PHA(100)}, "aS"},
		"left while cooling down":    {Standing{Known: true, State: CoolingDown}, "SD"},
		"left after the reclaim":     {Standing{Known: true, State: Ready}, "SRD"},
		"never there":                {Standing{Known: true, State: Unknown}, "SRD"},
		"in the pool without a word": {Standing{Known: true, InPool: true, State: Unknown}, "a"},
		"computing outside":          {Standing{Known: true, State: Idle, Stake: fleet.PHA(100)}, "D"},
	} {
		got := ""
		for _, letter := range "asrSRD" {
			if c.s.Shows(orders[letter]) {
				got += string(letter)
			}
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
		if c.s.Shows(Order{Action: "mine"}) {
			t.Errorf("%s shows what is no action", name)
		}
	}
}

// TestCoolDown ends by the chain's clock, to the second.
func TestCoolDown(t *testing.T) {
	began := time.Date(2022, 11, 21, 10, 0, 0, 0, time.UTC)
	week := 7 * 24 * time.Hour
	s := Standing{Known: true, InPool: true, State: CoolingDown, Since: began}
	for _, c := range []struct {
		s     Standing
		now   time.Time
		stage Stage
		until time.Time
	}{
		{s, began.Add(week - time.Second), StageCooling, began.Add(week)},
		{s, began.Add(week), StageReclaim, time.Time{}},
		{Standing{Known: true, State: CoolingDown, Since: began}, began, StageCooling, began.Add(week)}, // of the first era, left
		{Standing{Known: true, State: CoolingDown, Since: began}, began.Add(2 * week), StageReclaim, time.Time{}},
		{Standing{Known: true, InPool: true, State: CoolingDown}, began.Add(9 * week), StageCooling, time.Time{}}, // nobody said since when
		{Standing{InPool: true, State: CoolingDown, Since: began}, began.Add(9 * week), StageUnknown, time.Time{}},
		{Standing{Known: true, InPool: true, State: Idle}, began, StageStop, time.Time{}},
		{Standing{Known: true, InPool: true, State: Unresponsive}, began, StageStop, time.Time{}},
		{Standing{Known: true, InPool: true, State: Ready}, began, StageRemove, time.Time{}},
		{Standing{Known: true, State: Ready}, began, StageGone, time.Time{}},
		{Standing{Known: true, State: Unknown}, began, StageGone, time.Time{}},
		{Standing{}, began, StageUnknown, time.Time{}},
	} {
		if stage, until := c.s.Leaving(c.now, week); stage != c.stage || !until.Equal(c.until) {
			t.Errorf("%+v at %s: %s until %s", c.s, c.now, stage, until)
		}
		if over := c.s.CoolDownOver(c.now, week); over != (c.stage == StageReclaim) {
			t.Errorf("%+v at %s: over %t", c.s, c.now, over)
		}
	}
}

// TestLeavingFollowsTheOrders: whoever does what is due, until the worker is gone, stops, waits, reclaims and removes, in this order, and
// each order that is due has not shown its effect.
func TestLeavingFollowsTheOrders(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		now := time.Unix(1_669_000_000, 0)
		week := time.Duration(rapid.IntRange(0, 1_000_000).Draw(r, "period")) * time.Second
		s := Standing{Known: true, InPool: true, State: rapid.SampledFrom([]SessionState{Idle, Unresponsive, CoolingDown, Ready}).Draw(r, "state"), Since: now}
		var went []Stage
		for range 6 {
			stage, until := s.Leaving(now, week)
			went = append(went, stage)
			due := map[Stage]Action{StageStop: StopWorker, StageReclaim: ReclaimWorker, StageRemove: RemoveWorker}[stage]
			if due != "" && s.Shows(Order{Action: due}) {
				r.Fatalf("%s is due, and shown: %+v", due, s)
			}
			switch stage {
			case StageStop:
				s.State, s.Since = CoolingDown, now
			case StageCooling:
				now = until
			case StageReclaim:
				s.State, s.Since = Ready, time.Time{}
			case StageRemove:
				s.InPool = false
			case StageGone:
				return
			default:
				r.Fatal(stage)
			}
			if due != "" && !s.Shows(Order{Action: due}) {
				r.Fatalf("%s was done, and is not shown: %+v", due, s)
			}
		}
		r.Fatal("it never left: ", went)
	})
}

// TestStandingOf: from what the daemon read, and from a bridge's word.
func TestStandingOf(t *testing.T) {
	since := time.Unix(5, 0)
	w := &fleet.ChainWorker{Pool: true, PID: 0, State: "CoolingDown", CoolingSince: since, Stake: fleet.PHA(2)}
	if got, want := StandingOf(w, 0), (Standing{true, true, CoolingDown, since, fleet.PHA(2)}); got != want {
		t.Errorf("%+v", got)
	}
	if got, want := StandingOf(w, 1), (Standing{Known: true, State: Unknown}); got != want {
		t.Errorf("another pool's session is not this one's: %+v", got)
	}
	if got, want := StandingOf(&fleet.ChainWorker{State: "Ready"}, 0), (Standing{Known: true, State: Ready}); got != want {
		t.Errorf("in no pool: %+v", got)
	}
	if got := StandingOf(nil, 0); got != (Standing{}) {
		t.Errorf("%+v", got)
	}
	for word, want := range map[string]Standing{
		"MiningCoolingDown": {Known: true, InPool: true, State: CoolingDown}, "WorkerIdle": {Known: true, InPool: true, State: Idle},
		"Ready": {Known: true, InPool: true, State: Ready}, "": {State: Unknown}, "S_ERROR": {State: Unknown}, "MiningActive": {State: Unknown},
	} {
		if got := StandingBySession(word); got != want {
			t.Errorf("%q: %+v", word, got)
		}
	}
}

// TestStandingOnTheChain: out of a block's storage, in both eras, with the chain's own period.
func TestStandingOnTheChain(t *testing.T) {
	for name, c := range map[string]struct{ pallet, sessions, cooling, began string }{
		"khala-1190": {"PhalaMining", "Miners", "MiningCoolingDown", "mining_start_time"},
		"phala-1291": {"PhalaComputation", "Sessions", "WorkerCoolingDown", "working_start_time"},
	} {
		md, n := metadata(t, name), newNode()
		in, out := Key{1}, Key{2}
		owner := "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY"
		n.put(t, md, "Timestamp", "Now", 1_669_600_000_000)
		n.put(t, md, c.pallet, "CoolDownPeriod", 600_000)
		if name == "khala-1190" {
			n.put(t, md, "PhalaStakePool", "StakePools", map[string]any{
				"pid": 3, "owner": owner, "payout_commission": nil, "owner_reward": 0, "cap": nil, "reward_acc": 0, "total_shares": 0, "total_stake": 0,
				"free_stake": 0, "releasing_stake": 0, "workers": []any{in[:]}, "withdraw_queue": []any{},
			}, 3)
		} else {
			n.put(t, md, "PhalaBasePool", "Pools", map[string]any{"StakePool": map[string]any{
				"basepool": map[string]any{
					"pid": 3, "owner": owner, "total_shares": 0, "total_value": 0, "withdraw_queue": []any{}, "value_subscribers": []any{}, "cid": 1,
					"pool_account_id": owner,
				},
				"payout_commission": nil, "cap": nil, "workers": []any{in[:]}, "cd_workers": []any{}, "lock_account": owner, "owner_reward_account": owner,
			}}, 3)
		}
		account := SessionAccount(3, in)
		n.put(t, md, c.pallet, c.sessions, map[string]any{
			"state": c.cooling, "ve": 0, "v": 0, "v_updated_at": 0,
			"benchmark":       map[string]any{"p_init": 1, "p_instant": 1, "iterations": 1, c.began: 1, "challenge_time_last": 1},
			"cool_down_start": 1_669_000_000, "stats": map[string]any{"total_reward": 0},
		}, account[:])
		n.put(t, md, c.pallet, "Stakes", "5000000000000", account[:])
		s, err := Read(t.Context(), n.snapshot(), md, Want{Pools: []uint64{3}, Workers: []Key{out}})
		if err != nil {
			t.Fatal(err)
		}
		since := time.Unix(1_669_000_000, 0).UTC()
		if got, want := s.Standing(3, in), (Standing{true, true, CoolingDown, since, fleet.PHA(5)}); got != want {
			t.Errorf("%s: %+v", name, got)
		}
		if stage, until := s.Standing(3, in).Leaving(s.Now, s.Cool); s.Cool != 600_000*time.Second || s.MaxWorkers != 200 || stage != StageReclaim || !until.IsZero() {
			t.Errorf("%s: %s, %s", name, s.Cool, stage)
		}
		if got, want := s.Standing(3, out), (Standing{Known: true, State: Unknown}); got != want {
			t.Errorf("%s: a worker that is not in it: %+v", name, got)
		}
		if got := s.Standing(4, in); got != (Standing{}) {
			t.Errorf("%s: a pool that was not read: %+v", name, got)
		}
	}
}
