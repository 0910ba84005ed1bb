package phala

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"phalops/internal/fleet"
	"phalops/internal/substrate/scale"
)

// rhala is a real runtime's state after one block, decoded by another decoder.
type rhala struct {
	Maps map[string][]struct {
		StorageKey string `json:"storage_key"`
		Args       []any
		Value      any
	}
	Plain map[string]struct {
		StorageKey string `json:"storage_key"`
		Value      any
	}
	Totals map[string]any
}

// rhalaNode answers with the recorded bytes of the real runtime.
func rhalaNode(t testing.TB) (*node, *scale.Metadata) {
	t.Helper()
	n := newNode()
	for _, text := range splitLines(shared(t, "replies", "substrate-rhala.jsonl")) {
		var line struct {
			Request  string
			Response struct{ Body string }
		}
		var q struct {
			Method string
			Params []json.RawMessage
		}
		var reply struct {
			Result []struct{ Changes [][2]*string }
		}
		if err := json.Unmarshal(text, &line); err != nil {
			t.Fatal(err)
		}
		if json.Unmarshal([]byte(line.Request), &q) != nil || q.Method != "state_queryStorageAt" || string(q.Params[len(q.Params)-1]) != `"`+block+`"` {
			continue
		}
		if json.Unmarshal([]byte(line.Response.Body), &reply) != nil {
			continue
		}
		for _, set := range reply.Result {
			for _, c := range set.Changes {
				if c[1] != nil {
					n.state[*c[0]] = *c[1]
				}
			}
		}
	}
	var body struct{ Result string }
	if err := json.Unmarshal(shared(t, "replies", "substrate-rhala-state_getMetadata.json.gz"), &body); err != nil {
		t.Fatal(err)
	}
	blob, err := hex.DecodeString(body.Result[2:])
	if err != nil {
		t.Fatal(err)
	}
	md, err := scale.Parse(blob)
	if err != nil {
		t.Fatal(err)
	}
	return n, md
}

func splitLines(b []byte) (lines [][]byte) {
	for len(b) > 0 {
		i := slices.Index(b, '\n')
		if i < 0 {
			return append(lines, b)
		}
		if i > 0 {
			lines = append(lines, b[:i])
		}
		b = b[i+1:]
	}
	return lines
}

func rhalaState(t testing.TB, want Want) (*State, *node) {
	t.Helper()
	n, md := rhalaNode(t)
	s, err := Read(t.Context(), n.snapshot(), md, want)
	if err != nil {
		t.Fatal(err)
	}
	return s, n
}

// counts are states by the second era's names.
func counts(by map[SessionState]int) map[string]any {
	out := map[string]any{}
	for _, s := range States() {
		name := string(s)
		if s != Ready {
			name = "Worker" + name
		}
		if by[s] > 0 || slices.Contains([]SessionState{Ready, Idle, Unresponsive, CoolingDown}, s) {
			out[name] = json.Number(fmt.Sprint(by[s]))
		}
	}
	return out
}

func num(n int) json.Number { return json.Number(fmt.Sprint(n)) }

// TestRhalaTotals reads a real runtime's state and gets the sums that another decoder got.
func TestRhalaTotals(t *testing.T) {
	s, _ := rhalaState(t, Want{})
	truth := sharedJSON[rhala](t, "replies", "substrate-rhala.decoded.json")
	sums := s.Totals()
	got := map[string]any{
		"now_unix": num(int(s.Now.Unix())), "machines": num(sums.Sessions), "bound": num(sums.Bound), "registered_workers": num(sums.Registered),
		"workers_by_state": counts(sums.ByState), "bound_by_state": counts(sums.BoundBy),
		"sum_v_bits": sums.V.Bits().String(), "sum_v": sums.V.String(), "sum_ve_bits": sums.Ve.Bits().String(), "sum_ve": sums.Ve.String(),
		"sum_p_init": num(int(sums.PInit)), "sum_p_instant": num(int(sums.PInstant)), "sum_total_reward": sums.Reward.String(), "sum_stake": sums.Stake.String(),
		"pool_count": num(len(s.Pools)), "stake_pools": num(sums.StakePools), "vaults": num(sums.Vaults),
		"sum_pool_total_value": sums.Value.String(), "sum_pool_total_shares": sums.PoolShares.String(), "sum_free_stake": sums.Free.String(),
		"sum_owner_reward": sums.Owe.String(), "sum_queue_amount": sums.QueueAmount.String(),
	}
	var pools []any
	for _, p := range s.Pools {
		pools = append(pools, poolTruth(s, p))
	}
	got["pools"] = pools
	if diff := cmp.Diff(truth.Totals, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if s.Era != V2 || s.Online != 7 || s.Relay != 1076 || s.Params.HeartbeatWindow != 10 || s.Params.Re.Text(3) != "1.300" || s.Grace.Hours() != 168 {
		t.Errorf("%+v", s)
	}
	for _, c := range s.Checks {
		if c.Count != 0 || c.Agreed == 0 {
			t.Errorf("%+v", c)
		}
	}
	if len(s.Checks) != 4 {
		t.Errorf("%d checks", len(s.Checks))
	}
}

// poolTruth is a pool in the words of the recording.
func poolTruth(s *State, p *Pool) map[string]any {
	address := func(a Account) string { return scale.Address(s.Prefix, a) }
	out := map[string]any{
		"pid": num(int(p.ID)), "kind": string(p.Kind), "owner": address(p.Owner), "owner_free_balance": p.OwnerGas.String(),
		"total_value": p.Value.String(), "total_shares": p.Shares.String(), "free_stake": p.Free.String(), "force_stop_due": p.Due,
		"queue_amount": p.Queued().String(),
	}
	if out["commission_ppm"] = any(num(int(p.Commission))); p.Commission == 0 {
		out["commission_ppm"] = nil
	}
	queue := []any{}
	for _, w := range p.Queue {
		queue = append(queue, map[string]any{
			"user": address(w.User), "start_time": num(int(w.Start.Unix())), "deadline": num(int(w.Deadline(s.Grace).Unix())),
			"nft_id": num(int(*w.NFT)), "shares": w.Shares.String(), "amount": w.Amount.String(),
		})
	}
	out["queue"] = queue
	claims := []any{}
	for _, c := range s.Claims {
		if c.Pool == p.ID {
			claims = append(claims, map[string]any{"account": address(c.User), "amount": c.Amount.String()})
		}
	}
	out["other_claimable"] = claims
	if p.Kind == Vault {
		var invests []any
		for _, pid := range p.Invests {
			invests = append(invests, num(int(pid)))
		}
		out["invest_pools"], out["owner_shares"], out["last_share_price_checkpoint"] = invests, p.OwnerShares.String(), p.Checkpoint.String()
		return out
	}
	if out["cap"], out["remaining_cap"] = nil, nil; p.Cap != nil {
		room, _, _ := p.Remaining()
		out["cap"], out["remaining_cap"] = p.Cap.String(), room.String()
	}
	sums := p.Totals()
	out["owner_reward"], out["lock_account_balance"], out["used_stake"] = p.OwnerReward.String(), p.Used.String(), sums.Stake.String()
	out["workers"], out["workers_by_state"], out["releasing_stake"] = num(len(p.Workers)), counts(sums.ByState), p.Releasing.String()
	out["sum_v"], out["sum_total_reward"] = sums.V.String(), sums.Reward.String()
	return out
}

// TestRhalaSessions holds every session and worker against the other decoder's.
func TestRhalaSessions(t *testing.T) {
	s, _ := rhalaState(t, Want{})
	truth := sharedJSON[rhala](t, "replies", "substrate-rhala.decoded.json")
	stakes := map[string]string{}
	for _, e := range truth.Maps["PhalaComputation.Stakes"] {
		stakes[e.Args[0].(string)] = e.Value.(string)
	}
	former := map[string]any{}
	for _, e := range truth.Maps["PhalaStakePoolv2.SubAccountPreimages"] {
		former[e.Args[0].(string)] = e.Value
	}
	byAddress := map[string]*Session{}
	for _, x := range s.Sessions {
		byAddress[scale.Address(s.Prefix, x.Account)] = x
	}
	for _, e := range truth.Maps["PhalaComputation.Sessions"] {
		name := e.Args[0].(string)
		x := byAddress[name]
		if x == nil {
			t.Fatalf("no session %s", name)
		}
		got := map[string]any{
			"state": x.ByChain, "ve": x.Ve.Bits().String(), "v": x.V.Bits().String(), "v_updated_at": num(int(x.VUpdated.Unix())),
			"benchmark": map[string]any{
				"p_init": num(int(x.PInit)), "p_instant": num(int(x.PInstant)), "iterations": num(int(x.Iterations)),
				"working_start_time": num(int(x.Added.Unix())), "challenge_time_last": seconds(x.ChallengedAt.Unix()),
			},
			"cool_down_start": seconds(x.CoolingSince.Unix()), "stats": map[string]any{"total_reward": x.Reward.String()},
		}
		if diff := cmp.Diff(e.Value, any(got)); diff != "" {
			t.Errorf("%s (-want +got)\n%s", name, diff)
		}
		if stake, ok := stakes[name]; ok != x.Staked || ok && x.Stake.String() != stake {
			t.Errorf("%s: stake %s, want %s", name, x.Stake, stake)
		}
		if got := []any{num(int(x.Was)), x.Worker.Key.String()}; !cmp.Equal(former[name], any(got)) {
			t.Errorf("%s is of %v, want %v", name, got, former[name])
		}
		if x.Bound != (x.Pool != nil) {
			t.Errorf("%s: bound %v, pool %v", name, x.Bound, x.Pool)
		}
	}
	if len(s.Sessions) != len(truth.Maps["PhalaComputation.Sessions"]) {
		t.Errorf("%d sessions", len(s.Sessions))
	}
	for _, e := range truth.Maps["PhalaRegistry.Workers"] {
		key, _ := ParseKey(e.Args[0].(string))
		w, want := s.Worker(key), e.Value.(map[string]any)
		if w == nil || !w.Registered {
			t.Fatalf("no worker %s", key)
		}
		features, _ := want["features"].([]any)
		sure := func(i int) any {
			if i < len(features) {
				return features[i]
			}
			return num(0)
		}
		if num(int(w.Confidence)) != want["confidence_level"] || num(int(w.Cores)) != sure(0) || num(int(w.CPULevel)) != sure(1) {
			t.Errorf("%+v, want %v", w, want)
		}
		if score := want["initial_score"]; score != nil && num(int(w.Score)) != score || score == nil && w.Score != 0 {
			t.Errorf("score %d, want %v", w.Score, score)
		}
		if operator := want["operator"]; (operator == nil) != (w.Operator == Account{}) || operator != nil && scale.Address(s.Prefix, w.Operator) != operator {
			t.Errorf("operator %v, want %v", w.Operator, operator)
		}
		if w.Updated.Year() != 2026 { // whether it was written in seconds or in milliseconds
			t.Errorf("%s updated %s, want %v", key, w.Updated, want["last_updated"])
		}
	}
}

// seconds is a moment that the recording has as 0 when it never was.
func seconds(unix int64) json.Number {
	if unix < 0 {
		return num(0)
	}
	return num(int(unix))
}

// TestReadPools: what is read of one pool or one worker is what the whole chain has of it, for a few requests.
func TestReadPools(t *testing.T) {
	whole, all := rhalaState(t, Want{})
	worker := whole.Pool(2).Workers[1]
	for _, want := range []Want{{Pools: []uint64{2}}, {Workers: []Key{worker}}, {Pools: []uint64{2}, Workers: []Key{worker}}} {
		part, n := rhalaState(t, want)
		if len(part.Pools) != 1 || part.Whole || n.asked > all.asked/4 {
			t.Errorf("%+v: %d pools, %d of %d values", want, len(part.Pools), n.asked, all.asked)
			continue
		}
		if diff := cmp.Diff(whole.Pool(2), part.Pools[0], cmp.AllowUnexported(Pool{}), cmp.Comparer(func(a, b *Session) bool {
			return a.Account == b.Account && a.V == b.V && a.Stake == b.Stake && a.Bound == b.Bound && *a.Worker == *b.Worker
		}), cmp.AllowUnexported(fleet.Amount{})); diff != "" {
			t.Errorf("%+v: %s", want, diff)
		}
		if part.Worker(worker) == nil || !part.Worker(worker).Registered || part.Checks[0].Count != 0 || part.Checks[0].Agreed != 2 {
			t.Errorf("%+v: %+v", want, part.Checks)
		}
	}
	stranger, _ := rhalaState(t, Want{Workers: []Key{{1}}})
	if w := stranger.Worker(Key{1}); w == nil || w.Registered || len(stranger.Pools) != 0 {
		t.Errorf("%+v", w)
	}
	if none, _ := rhalaState(t, Want{Pools: []uint64{99}}); len(none.Pools) != 0 {
		t.Error("a pool that is none")
	}
}

// TestOtherChain: chains without Phala's pallets are refused in words.
func TestOtherChain(t *testing.T) {
	_, err := EraOf(&scale.Metadata{})
	if fleet.KindOf(err) != fleet.Invalid || fleet.ReasonOf(err).Code != "phala.other_chain" {
		t.Error(err)
	}
	for name, want := range map[string]Era{"khala-1080": V1, "khala-1130": V1, "khala-1170": V1, "khala-1190": V1, "khala-1200": V2, "khala-1241": V2, "phala-1291": V2} {
		if era, err := EraOf(metadata(t, name)); err != nil || era != want {
			t.Errorf("%s: %v %v", name, era, err)
		}
	}
}
