package metrics

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"phalops/internal/fleet"
)

// key is the public key of the n-th worker.
func key(n int) string { return fmt.Sprintf("%064x", n) }

// chains are a network with a pool, three workers and a stranger's, and one that cannot be read.
func chains() []fleet.ChainView {
	limit := fleet.PHA(30_000)
	return []fleet.ChainView{
		{
			Probe: fleet.Probe{At: start}, Ref: fleet.NetworkRef("khala"), Height: 2_700_000, Time: start.Add(-time.Minute), Spec: 1250, Whole: true,
			Upgrade: &fleet.RuntimeUpgrade{At: "authorized"},
			Totals: fleet.ChainTotals{
				Sessions: map[string]int{"Idle": 2622, "Unresponsive": 412, "CoolingDown": 5, "Ready": 551}, Online: 3034, Workers: 3624, Pools: 200,
				Stake: fleet.PHA(20_468_759), Value: fleet.PHA(23_000_000), Free: fleet.PHA(2_500_000), Shares: fleet.PHA(22_900_000), Reward: fleet.PHA(799_235),
				Earned: fleet.PHA(1_200), Ve: "33000000.5", V: "33489288.81", Daily: fleet.PHA(81_000), DailyFor: 24 * time.Hour,
			},
			Pools: []fleet.ChainPool{{
				PID: 83, Owner: "45R2", OwnerGas: fleet.PHA(5), Operators: []fleet.GasAccount{{Address: "43ts", Free: fleet.PHA(2)}}, Commission: 355_000, Cap: &limit,
				Value: fleet.PHA(25_000), Free: fleet.PHA(3_000), Used: fleet.PHA(22_000), Releasing: fleet.PHA(1_000), OwnerReward: fleet.PHA(7), Reward: fleet.PHA(900),
				Daily: fleet.PHA(106), DailyFor: 6 * time.Hour, Workers: map[string]int{"Idle": 1, "Unresponsive": 1}, Queued: fleet.PHA(4_000), DueAt: start.Add(time.Hour),
			}},
			Workers: []fleet.ChainWorker{
				{Key: key(1), PID: 83, Pool: true, State: "Idle", Stake: fleet.PHA(11_000), V: "21686.98", Ve: "19569.97", PInit: 1842, PInstant: 1577,
					ChallengedAt: start.Add(-10 * time.Minute), Reward: fleet.PHA(853), Daily: fleet.PHA(53), DailyFor: 6 * time.Hour},
				{Key: key(2), PID: 83, Pool: true, State: "Unresponsive", Stake: fleet.PHA(11_000), V: "5", Ve: "4", Reward: fleet.PHA(47)},
				{Key: key(3), State: "Unknown"},
			},
			Others: []fleet.ChainWorker{{Key: key(9), PID: 7, Pool: true, State: "Idle", V: "1.5", Ve: "1", Reward: fleet.PHA(235)}},
		},
		{Probe: fleet.Probe{At: start.Add(-time.Hour), Missed: fleet.MissedLimit}, Ref: fleet.NetworkRef("phala"), Height: 1, Whole: true,
			Pools: []fleet.ChainPool{{PID: 1}}, Workers: []fleet.ChainWorker{{Key: key(4)}}},
	}
}

// series are the values of a family by their labels.
func series(t *testing.T, m *Metrics, name string) map[string]float64 {
	t.Helper()
	all, err := m.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]float64{}
	for _, f := range all {
		for _, x := range f.GetMetric() {
			if f.GetName() == name {
				var labels []string
				for _, l := range x.GetLabel() {
					labels = append(labels, l.GetName()+"="+l.GetValue())
				}
				out[strings.Join(labels, " ")] = x.GetGauge().GetValue() + x.GetCounter().GetValue()
			}
		}
	}
	return out
}

// TestOldNamesAddUp: what the old boards sum up is the network's, however much of it is told by pool.
func TestOldNamesAddUp(t *testing.T) {
	for name, change := range map[string]func(*fleet.ChainView){
		"with others":    func(*fleet.ChainView) {},
		"without others": func(v *fleet.ChainView) { v.Others = nil },
		"without pools":  func(v *fleet.ChainView) { v.Others, v.Pools, v.Workers = nil, nil, nil },
	} {
		source := &fixed{snapshot()}
		v := &source.s.Chains[0]
		change(v)
		m := New(source, "v", start)
		minted, states := 0.0, map[string]float64{}
		for labels, n := range series(t, m, "phala_all_miners_minted_num") {
			if !strings.HasSuffix(labels, "network=khala") {
				t.Errorf("%s: %s", name, labels)
			}
			minted += n
		}
		for labels, n := range series(t, m, "phala_all_miners_state_num") {
			_, state, _ := strings.Cut(labels, "state=")
			states[state] += n
		}
		if want := fmt.Sprint(map[string]float64{"MiningIdle": 2622, "MiningUnresponsive": 412, "MiningCoolingDown": 5, "Ready": 551}); minted != 799_235 || fmt.Sprint(states) != want {
			t.Errorf("%s: %g minted, %v", name, minted, states)
		}
	}
}

// TestPartOfANetwork: where only our own part is read, nothing is said of the whole, and what is silent says nothing but that.
func TestPartOfANetwork(t *testing.T) {
	source := &fixed{snapshot()}
	source.s.Chains[0].Whole, source.s.Chains[0].Others = false, nil
	m := New(source, "v", start)
	for _, name := range []string{"phalops_chain_sessions", "phalops_chain_v", "phalops_chain_earned_pha_total", "phala_all_user_staker_info_num"} {
		if got := series(t, m, name); len(got) > 0 {
			t.Errorf("%s: %v", name, got)
		}
	}
	if got := series(t, m, "phala_all_miners_minted_num"); len(got) != 1 || got["miner_pid=83 network=khala"] != 900 {
		t.Error(got)
	}
	if got := fmt.Sprint(series(t, m, "phalops_chain_up"), series(t, m, "phalops_chain_height")); got != "map[network=khala:1 network=phala:0] map[network=khala:2.7e+06]" {
		t.Error(got)
	}
}

// TestWorkersAreLimited: a network of any size has no more than so many series.
func TestWorkersAreLimited(t *testing.T) {
	source := &fixed{snapshot()}
	v := &source.s.Chains[0]
	for n := range mostWorkers {
		v.Others = append(v.Others, fleet.ChainWorker{Key: key(1000 + n), PID: 7, Pool: true, State: "Ready"})
	}
	m := New(source, "v", start)
	if n, left := len(series(t, m, "phalops_worker_chain_state")), series(t, m, "phalops_worker_chain_left_out")["network=khala"]; n != mostWorkers || left != 4 {
		t.Errorf("%d workers, %g left out", n, left)
	}
	if _, ok := series(t, m, "phalops_worker_chain_state")["network=khala pid=83 state=Idle worker="+key(1)]; !ok {
		t.Error("ours are not first")
	}
}
