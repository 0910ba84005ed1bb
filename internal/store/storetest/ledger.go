package storetest

import (
	"testing"
	"time"

	"phalops/internal/fleet"
	"phalops/internal/store"
)

func fullView() fleet.ChainView {
	limit, yes := fleet.PHA(1<<40), true
	return fleet.ChainView{
		Probe: fleet.Probe{At: t0(), Failed: at(1), Missed: 2, Cause: because("test.timeout")},
		Ref:   fleet.NetworkRef("khala"), Source: "http://127.0.0.1:9944", Era: "v2", Height: 1 << 40, Hash: "0x01", Time: at(-time.Minute),
		Moved: at(-1), Spec: 1241, Genesis: "0x02", Watched: at(-time.Hour), Whole: true,
		Upgrade: &fleet.RuntimeUpgrade{Hash: "0x03", From: 7, At: "authorized"},
		Totals: fleet.ChainTotals{Sessions: map[string]int{"Idle": 3}, Online: 3, Reward: fleet.PHA(1 << 60), RewardMoved: at(-2), Earned: fleet.NewAmount(1), Ve: "1.5",
			V: "2", Daily: fleet.PHA(1), DailyFor: time.Hour},
		Pools: []fleet.ChainPool{{
			Ref: fleet.StakePoolRef("khala", 83), PID: 83, Kind: "StakePool", Owner: "43a", Cap: &limit, Workers: map[string]int{"Idle": 1},
			Operators: []fleet.GasAccount{{Address: "43b", Free: fleet.PHA(2), Proxy: &yes}},
			Queue:     []fleet.ChainQueued{{User: "43c", Amount: fleet.PHA(5), Start: at(-3), Ends: at(3)}}, DueAt: at(3),
		}},
		Workers: []fleet.ChainWorker{{Key: "01", Registered: true, PID: 83, Pool: true, State: "Idle", Stake: limit, StateSince: at(-5), Reward: fleet.PHA(9), DailyFor: time.Hour}},
	}
}

func chains(t *testing.T, s store.Store) {
	khala, phala := fleet.NetworkRef("khala"), fleet.NetworkRef("phala")
	same(t, "no views", get2(s.Chains(t.Context()))(t), []fleet.ChainView(nil))
	must(t, s.SaveChain(t.Context(), fleet.ChainView{Ref: phala, Height: 5}))
	must(t, s.SaveChain(t.Context(), fleet.ChainView{Ref: khala, Height: 5}))

	sample := func(network fleet.Ref, when time.Duration, earned uint64) fleet.ChainSample {
		return fleet.ChainSample{
			Network: network, At: at(when), Earned: fleet.NewAmount(earned),
			Rewards: map[string]fleet.Amount{"01": fleet.PHA(1 << 60)}, Gas: map[string]fleet.Amount{"43a": fleet.NewAmount(earned)},
		}
	}
	late, early, other := sample(khala, 2*time.Hour, 2), sample(khala, time.Hour, 1), sample(phala, time.Hour, 3)
	must(t, s.SaveChain(t.Context(), fullView(), late, early))
	other.Network = phala
	must(t, s.SaveChain(t.Context(), fleet.ChainView{Ref: phala, Height: 6}, other))

	same(t, "views by network", get2(s.Chains(t.Context()))(t), []fleet.ChainView{fullView(), {Ref: phala, Height: 6}})
	same(t, "samples, oldest first", get2(s.ChainSamples(t.Context(), khala, time.Time{}))(t), []fleet.ChainSample{early, late})
	same(t, "samples from a moment on", get2(s.ChainSamples(t.Context(), khala, at(2*time.Hour)))(t), []fleet.ChainSample{late})
	same(t, "samples of another network", get2(s.ChainSamples(t.Context(), phala, time.Time{}))(t), []fleet.ChainSample{other})

	// What others keep in memory of everybody's workers is not written down.
	v := fullView()
	v.Others = []fleet.ChainWorker{{Key: "ff"}}
	must(t, s.SaveChain(t.Context(), v))
	same(t, "without the others", get2(s.Chains(t.Context()))(t)[0], fullView())
}
