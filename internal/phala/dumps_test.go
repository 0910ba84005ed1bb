package phala

import (
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"testing"

	"phalops/internal/fleet"
	"phalops/internal/substrate/scale"
)

type dump[T any] struct{ Result T }

// khala is the state of Khala's last block but some of the first era, as far as it was kept: without sessions and registry.
func khala(t testing.TB) (*State, *node) {
	t.Helper()
	n, md := newNode(), metadata(t, "khala-1190")
	n.put(t, md, "Timestamp", "Now", 1669025064768)
	pools := sharedJSON[dump[[]struct {
		Pid                                                                                               json.Number
		Owner                                                                                             string
		PayoutCommission, OwnerReward, Cap, RewardAcc, TotalShares, TotalStake, FreeStake, ReleasingStake any
		Workers                                                                                           []any
		WithdrawQueue                                                                                     []struct{ User, Shares, StartTime any }
	}]](t, "state", "khala-2761100-stake_pools.json.gz").Result
	for _, p := range pools {
		queue := []any{}
		for _, w := range p.WithdrawQueue {
			queue = append(queue, map[string]any{"user": w.User, "shares": w.Shares, "start_time": w.StartTime})
		}
		n.put(t, md, "PhalaStakePool", "StakePools", map[string]any{
			"pid": p.Pid, "owner": p.Owner, "payout_commission": p.PayoutCommission, "owner_reward": p.OwnerReward, "cap": p.Cap, "reward_acc": p.RewardAcc,
			"total_shares": p.TotalShares, "total_stake": p.TotalStake, "free_stake": p.FreeStake, "releasing_stake": p.ReleasingStake,
			"workers": p.Workers, "withdraw_queue": queue,
		}, p.Pid)
		for _, w := range p.Workers {
			n.put(t, md, "PhalaStakePool", "WorkerAssignments", p.Pid, w)
		}
	}
	for account, key := range sharedJSON[dump[map[string]any]](t, "state", "khala-2761100-miner_bindings.json.gz").Result {
		n.put(t, md, "PhalaMining", "MinerBindings", key, account)
	}
	for account, stake := range sharedJSON[dump[map[string]any]](t, "state", "khala-2761100-miner_stakes.json.gz").Result {
		n.put(t, md, "PhalaMining", "Stakes", stake, account)
	}
	for _, e := range sharedJSON[dump[[][2]json.RawMessage]](t, "state", "khala-2761100-stake_pool_stakes.json.gz").Result {
		key, _ := scale.ParseValue(string(e[0]))
		var v map[string]any
		value, _ := scale.ParseValue(string(e[1]))
		v = value.(map[string]any)
		n.put(t, md, "PhalaStakePool", "PoolStakers", map[string]any{
			"user": v["user"], "locked": v["locked"], "shares": v["shares"], "available_rewards": v["availableRewards"], "reward_debt": v["rewardDebt"],
		}, key)
	}
	s, err := Read(t.Context(), n.snapshot(), md, Want{})
	if err != nil {
		t.Fatal(err)
	}
	return s, n
}

// TestKhala adds up Khala #2,761,100 and joins its 24,441 workers to their sessions, by derived accounts alone.
func TestKhala(t *testing.T) {
	s, n := khala(t)
	sums := s.Totals()
	largest := 0
	for _, p := range s.Pools {
		largest = max(largest, len(p.Workers))
	}
	got := fmt.Sprint(s.Era, len(s.Pools), sums.StakePools, sums.Working, sums.Uncapped, sums.Queues, sums.Queued, sums.InPools, sums.Bound, largest, sums.Stakers, sums.Stakes)
	if want := "v1 3353 3353 1553 1810 44 114 24441 24441 200 19101 18075"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	for what, c := range map[string]struct {
		got    fleet.Amount
		want   string
		places int
	}{
		"total_stake":  {sums.Value, "188228340.832595", 6},
		"shares":       {sums.PoolShares, "188245300.67176554", 8},
		"free":         {sums.Free, "2517395.825795242", 9},
		"releasing":    {sums.Releasing, "3662989.87343866", 8},
		"owner_reward": {sums.Owe, "1110705.66292842", 8},
		"locked":       {sums.Locked, "188229107.564221", 6},
		"available":    {sums.Available, "103317.677309", 6},
		"debt":         {sums.Debt, "67288702.226245", 6},
		"pending":      {sums.Pending, "3056868.183492", 6},
		"stake":        {sums.Stake, "185932395.0847", 4},
		"lost stake":   {sums.LostStake, "204602.6112", 4},
	} {
		if got := new(big.Rat).Set(pha(c.got)).FloatString(c.places); got != c.want {
			t.Errorf("%s is %s, want %s", what, got, c.want)
		}
	}
	for _, c := range s.Checks {
		if c.Agreed != 24441 || c.Count != 0 {
			t.Errorf("%s: %d agree, %d do not: %v", c.What, c.Agreed, c.Count, c.Odd)
		}
	}
	khalaStakers(t, s, n)
	p := s.Pool(3239)
	if len(p.Queue) == 0 || p.Queue[0].Shares.PHA() != "671.819999999978" || p.Queue[0].Start.Unix() != 1668956892 || p.Due {
		t.Errorf("%+v", p)
	}
	if used := used(s); used != 3336 {
		t.Errorf("in %d pools the stakes of the workers are what is not free", used)
	}
}

// khalaStakers: who has staked in some pools is who has among all; what waits is part of his shares, and all together are the pool's.
func khalaStakers(t *testing.T, whole *State, n *node) {
	t.Helper()
	var pids []uint64
	for _, p := range whole.Pools {
		if len(p.Queue) > 0 {
			pids = append(pids, p.ID)
		}
	}
	s, err := ReadStakers(t.Context(), n.snapshot(), metadata(t, "khala-1190"), pids)
	if err != nil {
		t.Fatal(err)
	}
	shares, queued, rewards, all := map[uint64]fleet.Amount{}, map[uint64]fleet.Amount{}, sum{}, sum{}
	for _, x := range s.Stakers {
		shares[x.Pool], queued[x.Pool] = shares[x.Pool].Plus(x.Shares), queued[x.Pool].Plus(x.Queued)
		rewards.amount(x.Pending)
		if x.Queued.Cmp(x.Shares) > 0 || !x.Told {
			t.Errorf("%+v", x)
		}
	}
	for _, x := range whole.Stakers {
		if slices.Contains(pids, x.Pool) {
			all.amount(x.Pending)
		}
	}
	for _, p := range s.Pools {
		waiting := sum{}
		for _, w := range p.Queue {
			waiting.amount(w.Shares)
		}
		if shares[p.ID] != p.Shares || queued[p.ID] != waiting.total() {
			t.Errorf("pool %d: shares %s of %s, in the queue %s of %s", p.ID, shares[p.ID], p.Shares, queued[p.ID], waiting.total())
		}
	}
	if len(s.Pools) != 44 || rewards != all {
		t.Errorf("%d pools, rewards %s, want %s", len(s.Pools), rewards.total(), all.total())
	}
}

// used counts the pools whose workers' stakes are what is not free of the pool's stake.
func used(s *State) (n int) {
	for _, p := range s.Pools {
		if p.Totals().Stake == p.Used {
			n++
		}
	}
	return n
}

// phala is the state of Phala #2,700,000, as far as it was kept: without pools.
func phala(t testing.TB) *State {
	t.Helper()
	n, md := newNode(), metadata(t, "phala-1250")
	d := sharedJSON[struct {
		Timestamp json.Number
		Workers   []struct {
			ID              string
			ConfidenceLevel json.Number
			InitialScore    any
		}
		Sessions []struct {
			ID, State                 string
			Worker                    *string
			V, Ve, TotalReward, Stake any
			PInit, PInstant           any
			CoolingDownStartTime      any
		}
	}](t, "state", "phala-2700000-sessions.json.gz")
	n.put(t, md, "Timestamp", "Now", d.Timestamp)
	for _, w := range d.Workers {
		n.put(t, md, "PhalaRegistry", "Workers", map[string]any{
			"pubkey": w.ID, "ecdh_pubkey": w.ID, "runtime_version": 0, "last_updated": 1, "operator": nil, "attestation_provider": nil,
			"confidence_level": w.ConfidenceLevel, "initial_score": w.InitialScore, "features": []any{},
		}, w.ID)
	}
	for _, x := range d.Sessions {
		n.put(t, md, "PhalaComputation", "Sessions", map[string]any{
			"state": x.State, "ve": x.Ve, "v": x.V, "v_updated_at": 0, "cool_down_start": x.CoolingDownStartTime,
			"benchmark": map[string]any{"p_init": x.PInit, "p_instant": x.PInstant, "iterations": 0, "working_start_time": 0, "challenge_time_last": 0},
			"stats":     map[string]any{"total_reward": x.TotalReward},
		}, x.ID)
		if fmt.Sprint(x.Stake) != "0" {
			n.put(t, md, "PhalaComputation", "Stakes", x.Stake, x.ID)
		}
		if x.Worker != nil {
			n.put(t, md, "PhalaComputation", "SessionBindings", *x.Worker, x.ID)
		}
	}
	s, err := Read(t.Context(), n.snapshot(), md, Want{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestPhala adds up Phala #2,700,000, and finds the Ve of all its computing sessions to be what the formula says.
func TestPhala(t *testing.T) {
	s := phala(t)
	sums := s.Totals()
	got := fmt.Sprintln(sums.Sessions, sums.ByState[Idle], sums.ByState[Ready], sums.ByState[Unresponsive], sums.ByState[CoolingDown], sums.Sessions-sums.Bound,
		sums.Registered, pha(sums.Reward).FloatString(6), pha(sums.Stake).FloatString(2), sums.Shares.Rat().FloatString(2), sums.IdleV.Rat().FloatString(2))
	if want := "3590 2622 551 412 5 39 3624 799235.014322 20468759.17 33489288.81 12624.38\n"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	preset := presetParams(t, "phala-2023")
	computing := 0
	for _, x := range s.Sessions {
		if x.State != Idle && x.State != Unresponsive {
			continue
		}
		computing++
		e, err := Compute(Input{Params: preset, PInit: x.PInit, Confidence: x.Worker.Confidence, Stake: x.Stake})
		if err != nil {
			t.Fatal(err)
		}
		off := new(big.Rat).Sub(e.Ve, x.Ve.Rat())
		if off.Abs(off).Cmp(big.NewRat(1, 10)) > 0 { // the chain's rig_k is cut off: 1.1111
			t.Errorf("%s: Ve %s, want %s", scale.Address(s.Prefix, x.Account), e.Ve.FloatString(4), x.Ve)
		}
		if pha(x.Stake).Cmp(e.MinStake) < 0 {
			t.Errorf("a stake of %s below the minimum of %s", x.Stake.PHA(), e.MinStake.FloatString(2))
		}
	}
	if computing != 3034 {
		t.Errorf("%d sessions compute", computing)
	}
}
