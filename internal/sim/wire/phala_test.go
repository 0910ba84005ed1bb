package wire

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math/big"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"phalops/internal/clock"
	"phalops/internal/sim/world"
	"phalops/internal/substrate"
	codec "phalops/internal/substrate/scale"
)

// handlerPoster lets the real client ask a handler.
type handlerPoster struct{ h http.Handler }

func (p handlerPoster) Post(_ context.Context, _, _ string, body []byte) (int, []byte, error) {
	r := ask(p.h, string(body))
	return r.Code, r.Body.Bytes(), nil
}

// phalaChain is a world of an era with every kind of bridge, its node's RPC, and its runtime as the real client reads it.
type phalaChain struct {
	t     *testing.T
	clock *clock.Virtual
	world *world.World
	face  *Face
	*substrate.Client
	*substrate.Snapshot
	*substrate.Runtime
	state *world.ChainState
}

func phalaOf(t *testing.T, era world.Era, crowd int) *phalaChain {
	t.Helper()
	p := &phalaChain{t: t, clock: clock.NewVirtual(epoch), world: world.New(epoch, 1)}
	world.DefaultFleet(p.world, world.FleetOptions{Workers: 6, V0Workers: 3, V3Workers: 3, Solo: 2, Era: era, Crowd: crowd})
	p.face = NewFace(p.world, p.clock)
	h := newNodeHandler(p.face, "node-1", (*world.Node).Para, speaksBoth, new(sync.WaitGroup))
	p.Client = substrate.New("http://127.0.0.1:9944", handlerPoster{h})
	p.pin()
	return p
}

// pin looks at the newest finalized block from now on.
func (p *phalaChain) pin() {
	p.t.Helper()
	hash, err := p.FinalizedHead(p.t.Context())
	if err != nil {
		p.t.Fatal(err)
	}
	p.Snapshot = p.Client.Snapshot(hash, substrate.SnapshotOptions{})
	if p.Runtime, err = new(substrate.Runtimes).At(p.t.Context(), p.Client, hash); err != nil {
		p.t.Fatal(err)
	}
	p.face.Do(func(w *world.World) {
		n := w.Node("node-1").Network
		height, _ := n.Para.Number(hash)
		p.state = w.Phala(n, height)
	})
}

// all is a whole item: every entry's keys, as JSON, with its value; of a plain value the key is [].
func (p *phalaChain) all(pallet, name string) map[string]any {
	p.t.Helper()
	e, err := p.Runtime.Metadata.Entry(pallet, name)
	if err != nil {
		p.t.Fatal(err)
	}
	out := map[string]any{}
	err = p.Pairs(p.t.Context(), e.Prefix(), func(pair substrate.Pair) error {
		keys, err := e.AppendKeys(nil, pair.Key)
		if err != nil {
			return err
		}
		value, err := e.Value.AppendJSON(nil, pair.Value)
		if err != nil {
			return err
		}
		var v any
		dec := json.NewDecoder(bytes.NewReader(value))
		dec.UseNumber()
		if err := dec.Decode(&v); err != nil {
			return err
		}
		out[string(keys)] = v
		return nil
	})
	if err != nil {
		p.t.Fatalf("%s.%s: %v", pallet, name, err)
	}
	return out
}

// model is what the world's model says that an item holds, in the JSON that the decoder makes.
type model map[string]any

func (m model) put(key string, value any) { m["["+key+"]"] = value }

type fields = map[string]any

func num(n any) json.Number { return json.Number(fmt.Sprint(n)) }

func text(n uint64) string { return fmt.Sprint(n) }

func address(id world.AccountID) string { return codec.Address(30, id) }

func quoted(s string) string { return `"` + s + `"` }

func hexKey(k [32]byte) string { return fmt.Sprintf("0x%x", k) }

func u64f64(f float64) string {
	n, _ := new(big.Float).SetMantExp(big.NewFloat(f), 64).Int(nil)
	return n.String()
}

func since(t time.Time) json.Number {
	if t.IsZero() {
		return "0"
	}
	return num(t.Unix())
}

func permille(n uint32) any {
	if n == 0 {
		return nil
	}
	return num(n)
}

func amount(n uint64) any {
	if n == 0 {
		return nil
	}
	return text(n)
}

func listOf[T any](all []T, f func(T) any) []any {
	out := []any{}
	for _, x := range all {
		out = append(out, f(x))
	}
	return out
}

// members are all pools and workers, of the fleet and of the crowd.
func (p *phalaChain) members() (workers []world.ChainWorker, pools []world.ChainPool) {
	workers, pools = p.state.Workers, p.state.Pools
	for i := range p.state.Network.Crowd {
		workers = append(workers, p.state.CrowdWorker(i))
	}
	for i := range p.state.CrowdPools() {
		pools = append(pools, p.state.CrowdPool(i))
	}
	return workers, pools
}

func sessionJSON(m world.Session, start string, mining bool) fields {
	state := m.State
	if mining {
		state = strings.Replace(strings.Replace(state, "WorkerCoolingDown", "MiningCoolingDown", 1), "Worker", "Mining", 1)
	}
	return fields{"state": state, "ve": u64f64(m.Ve), "v": u64f64(m.V), "v_updated_at": since(m.UpdatedAt), "benchmark": fields{
		"p_init": num(m.PInit), "p_instant": num(m.PInstant), "iterations": num(m.Iterations), start: since(m.WorkingStart),
		"challenge_time_last": since(m.ChallengeLast)}, "cool_down_start": since(m.CoolDownStart), "stats": fields{"total_reward": text(m.TotalReward)}}
}

// workerModels are the items of which every worker has an entry.
func (p *phalaChain) workerModels(v1 bool) map[string]model {
	computation, sessions, bindings, pool, start := "PhalaComputation", ".Sessions", ".SessionBindings", "PhalaStakePoolv2", "working_start_time"
	if v1 {
		computation, sessions, bindings, pool, start = "PhalaMining", ".Miners", ".MinerBindings", "PhalaStakePool", "mining_start_time"
	}
	m := map[string]model{}
	put := func(item, key string, value any) {
		if m[item] == nil {
			m[item] = model{}
		}
		m[item].put(quoted(key), value)
	}
	workers, _ := p.members()
	for _, w := range workers {
		key := hexKey(w.PublicKey)
		if w.IsRegistered() {
			info := fields{"pubkey": key, "ecdh_pubkey": hexOf(blake2_256(append([]byte("ecdh"), w.PublicKey[:]...))), "runtime_version": num(w.RuntimeVersion),
				"last_updated": since(w.LastUpdated), "operator": address(w.Operator), "confidence_level": num(w.Confidence), "initial_score": num(w.Score),
				"features": listOf(w.Features, func(n uint32) any { return num(n) })}
			if !v1 {
				info["attestation_provider"] = "Ias"
				put("PhalaRegistry.WorkerAddedAt", key, num(w.AddedAt))
			}
			put("PhalaRegistry.Workers", key, info)
		}
		if w.Mined == nil {
			continue
		}
		account := address(w.Mined.Account)
		put(computation+sessions, account, sessionJSON(w.Mined.Session, start, v1))
		put(pool+".SubAccountPreimages", account, []any{num(w.Mined.PID), key})
		if w.Mined.Stake > 0 {
			put(computation+".Stakes", account, text(w.Mined.Stake))
		}
		if w.Mined.Bound {
			put(computation+bindings, account, key)
			put(computation+".WorkerBindings", key, account)
			put(pool+".WorkerAssignments", key, num(w.Mined.PID))
			put(pool+".SubAccountAssignments", account, num(w.Mined.PID))
		}
	}
	return m
}

func keysJSON(all [][32]byte) []any { return listOf(all, func(k [32]byte) any { return hexKey(k) }) }

// poolModels are the items of which pools have entries.
func (p *phalaChain) poolModels(v1 bool) map[string]model {
	m := map[string]model{}
	put := func(item, key string, value any) {
		if m[item] == nil {
			m[item] = model{}
		}
		m[item].put(key, value)
	}
	_, pools := p.members()
	base := "PhalaBasePool"
	if v1 {
		base = "PhalaStakePool"
	}
	for _, x := range pools {
		pid, owner := text(x.PID), address(x.Owner)
		put(base+".PoolDescriptions", pid, fmt.Sprintf("0x%x", x.Description))
		if x.Whitelist != nil {
			put(base+".PoolContributionWhitelists", pid, []any{owner})
		}
		if v1 {
			put("PhalaStakePool.StakePools", pid, fields{"pid": num(x.PID), "owner": owner, "payout_commission": permille(x.Commission), "owner_reward": text(x.OwnerReward),
				"cap": amount(x.Cap), "reward_acc": u64f64(x.RewardAcc), "total_shares": text(x.Shares), "total_stake": text(x.Total()), "free_stake": text(x.Free),
				"releasing_stake": text(x.Releasing), "workers": keysJSON(x.Workers), "withdraw_queue": listOf(x.Queue, func(q world.Withdrawal) any {
					return fields{"user": address(q.User), "shares": text(q.Shares), "start_time": since(q.Start)}
				})})
			for _, s := range x.Stakers {
				put("PhalaStakePool.PoolStakers", "["+pid+","+quoted(address(s.User))+"]", fields{"user": address(s.User), "locked": text(s.Locked), "shares": text(s.Shares),
					"available_rewards": text(s.Available), "reward_debt": text(s.Debt)})
			}
			continue
		}
		put("PhalaBasePool.Pools", pid, fields{"StakePool": fields{"basepool": p.basePool(x.PID, x.Owner, x.Shares, x.Total(), x.Queue, x.Vaults, x.Account()),
			"payout_commission": permille(x.Commission), "cap": amount(x.Cap), "workers": keysJSON(x.Workers), "cd_workers": keysJSON(x.CoolingDown),
			"lock_account": address(x.Lock()), "owner_reward_account": address(x.Reward())}})
		put("PhalaBasePool.PoolCollections", text(x.PID+1), num(x.PID))
		put("PhalaBasePool.NextNftId", text(x.PID+1), num(20))
		if x.Legacy > 0 {
			put("PhalaStakePoolv2.LegacyRewards", "["+quoted(owner)+","+pid+"]", text(x.Legacy))
		}
		for id, n := range map[world.AccountID]uint64{x.Account(): x.Free, x.Lock(): x.Used, x.Reward(): x.OwnerReward} {
			put("Assets.Account", "10000,"+quoted(address(id)), fields{"balance": text(n), "is_frozen": false, "reason": "Sufficient", "extra": nil})
		}
		rest := x.Shares
		nft := func(id uint32, owner string, shares uint64) {
			value := make([]byte, 16)
			binary.LittleEndian.PutUint64(value, shares)
			put("RmrkCore.Properties", fmt.Sprintf(`%d,%d,"0x7374616b652d696e666f"`, x.PID+1, id), fmt.Sprintf("0x%x", value))
			put("RmrkCore.Nfts", fmt.Sprintf("%d,%d", x.PID+1, id), fields{"owner": fields{"AccountId": owner}, "royalty": nil, "metadata": "0x", "equipped": nil,
				"pending": false, "transferable": true})
			rest -= shares
		}
		asked := map[world.AccountID]uint64{}
		for _, q := range x.Queue {
			asked[q.User] += q.Shares
			nft(q.NFT, "42qnPyfw3sbWMGGtTPPc2YFNZRKPGXswRszyQQjGs2FDxdim", q.Shares)
		}
		for i, s := range slices.Backward(x.Stakers) {
			shares := s.Shares - asked[s.User]
			if i == 0 { // all together are the pool's
				shares = rest
			}
			nft(uint32(i), address(s.User), shares)
		}
	}
	for _, x := range p.state.Vaults {
		put("PhalaBasePool.Pools", text(x.PID), fields{"Vault": fields{"basepool": p.basePool(x.PID, x.Owner, x.Shares, x.Value, nil, nil, x.Account()),
			"last_share_price_checkpoint": text(x.Checkpoint), "commission": permille(x.Commission), "owner_shares": text(x.OwnerShares),
			"invest_pools": listOf(x.Invested, func(n uint64) any { return num(n) })}})
		put("PhalaBasePool.PoolCollections", text(x.PID+1), num(x.PID))
		put("Assets.Account", "10000,"+quoted(address(x.Account())), fields{"balance": "0", "is_frozen": false, "reason": "Sufficient", "extra": nil})
	}
	for _, s := range world.StakesOf(pools) {
		if v1 {
			put("PhalaStakePool.StakeLedger", quoted(address(s.User)), text(s.Locked))
		} else {
			put("PhalaWrappedBalances.StakerAccounts", quoted(address(s.User)), fields{"locked": text(s.Locked),
				"invest_pools": listOf(s.Pools, func(n uint64) any { return []any{num(n), num(n + 1)} })})
		}
	}
	return m
}

func (p *phalaChain) basePool(pid uint64, owner world.AccountID, shares, value uint64, queue []world.Withdrawal, vaults []uint64, account world.AccountID) fields {
	return fields{"pid": num(pid), "owner": address(owner), "total_shares": text(shares), "total_value": text(value), "cid": num(pid + 1), "pool_account_id": address(account),
		"value_subscribers": listOf(vaults, func(n uint64) any { return num(n) }), "withdraw_queue": listOf(queue, func(q world.Withdrawal) any {
			return fields{"user": address(q.User), "start_time": since(q.Start), "nft_id": num(q.NFT)}
		})}
}

// plainModel are the items that are one value each.
func (p *phalaChain) plainModel(v1 bool) map[string]any {
	var tokenomics = fields{"heartbeat_window": num(20)}
	for name, f := range map[string]float64{"pha_rate": 0.27, "rho": 1.000000666600231, "budget_per_block": 187.8783, "v_max": 30_000, "cost_k": 2.37110e-8,
		"cost_b": 5.05419e-5, "slash_rate": 0, "treasury_ratio": 0.2, "rig_k": 0.3 / 0.27, "rig_b": 0, "re": 1.5, "k": 50, "kappa": 1} {
		tokenomics[name] = u64f64(f)
	}
	relay := p.state.Network.Relay.Head(p.state.At)
	workers, pools := p.members()
	online, next := 0, uint64(0)
	for _, w := range workers {
		if w.Mined != nil && (w.Mined.State == "WorkerIdle" || w.Mined.State == "WorkerUnresponsive") {
			online++
		}
	}
	for _, x := range pools {
		next = max(next, x.PID+1)
	}
	next += uint64(len(p.state.Vaults))
	m := map[string]any{
		"ParachainSystem.LastRelayChainBlockNumber": num(relay),
		"ParachainSystem.ValidationData": fields{"parent_head": hexOf(blake2_256(number32(uint32(relay)))), "relay_parent_number": num(relay),
			"relay_parent_storage_root": p.state.Network.Relay.Hash(relay), "max_pov_size": num(5 << 20)},
		"PhalaRegistry.BenchmarkDuration": num(50),
	}
	pallet, words := "PhalaComputation.", "Computing"
	if v1 {
		pallet, words = "PhalaMining.", "Mining"
		m["PhalaStakePool.PoolCount"], m["PhalaStakePool.MiningEnabled"], m[pallet+"OnlineMiners"] = num(next), true, num(online)
		m["PhalaStakePool.WithdrawalTimestamps"] = []any{num(epoch.Unix() - 5*86400), num(epoch.Unix() - 30*3600)}
	} else {
		m["PhalaBasePool.PoolCount"], m["PhalaBasePool.CollectionIndex"], m[pallet+"OnlineWorkers"] = num(next), num(next+1), num(online)
		m["PhalaStakePoolv2.WorkingEnabled"], m[pallet+"HeartbeatPaused"] = true, false
	}
	m[pallet+"TokenomicParameters"], m[pallet+"CoolDownPeriod"], m[pallet+"NextSessionId"] = tokenomics, num(604800), num(len(workers))
	m[pallet+words+"StartBlock"], m[pallet+words+"HalvingInterval"] = num(414_189), num(1_296_000)
	return m
}

// queuedModel is v1's index of withdrawals.
func (p *phalaChain) queuedModel() model {
	_, pools := p.members()
	slices.SortFunc(pools, func(a, b world.ChainPool) int { return cmp.Compare(a.PID, b.PID) })
	m := model{}
	for _, x := range pools {
		for _, q := range x.Queue {
			key := "[" + string(since(q.Start)) + "]"
			pids, _ := m[key].([]any)
			m[key] = append(pids, num(x.PID))
		}
	}
	return m
}

// TestPhalaStorage reads everything that Phala's pallets store, with the real client, and holds it against the world.
func TestPhalaStorage(t *testing.T) {
	for _, tc := range []struct {
		era   world.Era
		crowd int
	}{{world.EraV1, 0}, {world.EraV1, 300}, {world.EraV2, 0}, {world.EraV2, 300}} {
		t.Run(fmt.Sprint(tc.era, "-", tc.crowd), func(t *testing.T) {
			p := phalaOf(t, tc.era, tc.crowd)
			v1 := tc.era == world.EraV1
			want := map[string]map[string]any{}
			for _, models := range []map[string]model{p.workerModels(v1), p.poolModels(v1)} {
				for item, m := range models {
					want[item] = m
				}
			}
			for item, value := range p.plainModel(v1) {
				want[item] = map[string]any{"[]": value}
			}
			if v1 {
				want["PhalaStakePool.WithdrawalQueuedPools"] = p.queuedModel()
			}
			empty := []string{"PhalaMining.ScheduledTokenomicUpdate", "PhalaMining.ExpectedHeartbeatCount", "PhalaComputation.ScheduledTokenomicUpdate",
				"PhalaComputation.ExpectedHeartbeatCount", "PhalaComputation.MaxBudgetLimit", "PhalaComputation.BudgetUpdateNonce",
				"PhalaComputation.LastBugdetUpdateBlock", "PhalaVault.VaultLocks"}
			for _, pallet := range p.Runtime.Metadata.Pallets {
				if slices.Contains([]string{"System", "Timestamp", "Balances"}, pallet.Name) {
					continue
				}
				for _, e := range pallet.Entries {
					item := e.Pallet + "." + e.Name
					got := p.all(e.Pallet, e.Name)
					if len(got) == 0 != slices.Contains(empty, item) {
						t.Errorf("%s has %d entries", item, len(got))
					}
					if len(got) != len(want[item]) {
						t.Errorf("%s: %d entries, want %d", item, len(got), len(want[item]))
					}
					for key, value := range got {
						if !reflect.DeepEqual(value, want[item][key]) {
							t.Errorf("%s %s:\n got %v\nwant %v", item, key, value, want[item][key])
							break
						}
					}
					delete(want, item)
				}
			}
			for item := range want {
				t.Errorf("%s is no item of the runtime", item)
			}
		})
	}
}
