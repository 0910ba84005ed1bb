package decide_test

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"phalops/internal/decide"
	"phalops/internal/fleet"
)

const (
	khala  = fleet.Ref("network/khala")
	pool83 = fleet.Ref("stakepool/khala/83")
)

// read is when the chain of every test was read.
var read = ago(2 * m)

// keyOf is a worker's key, spread like real ones.
func keyOf(i int) string { return fmt.Sprintf("%016x%048x", uint64(i+1)*0x9e3779b97f4a7c15, i) }

// computing is worker number i as the chain has it when all is well: in pool 83, with its bridge's stake, paid 20 minutes ago.
func computing(i int) fleet.ChainWorker {
	return fleet.ChainWorker{
		Key: keyOf(i), Registered: true, Operator: "45owner", Confidence: 1, Score: 1800, PID: 83, Pool: true, State: "Idle", Stake: fleet.PHA(10),
		PInit: 1800, PInstant: 1790, StateSince: read.Add(-72 * h), Reward: fleet.PHA(120), RewardMoved: read.Add(-20 * m),
	}
}

// onChain gives the workers of bridges keys, and makes what the chain says of them when all is well; their pools are all there.
func onChain(bridges ...*fleet.BridgeStatus) *fleet.ChainView {
	v := &fleet.ChainView{
		Probe: fleet.Probe{At: read}, Ref: khala, Source: "http://127.0.0.1:9944", Era: "v2", Height: 3_000_000, Time: read.Add(-20 * time.Second), Moved: read,
		Spec: 1260, Genesis: "0x01", Watched: ago(900 * h), Whole: true,
		Totals: fleet.ChainTotals{Sessions: map[string]int{"Idle": 2600, "Unresponsive": 400}, Online: 3000, RewardMoved: read},
	}
	n := 0
	for _, b := range bridges {
		for i := range b.Workers {
			w := &b.Workers[i]
			w.PublicKey = keyOf(n)
			c := computing(n)
			c.PID = w.PID
			v.Workers = append(v.Workers, c)
			if v.Pool(w.PID) == nil {
				v.Pools = append(v.Pools, fleet.ChainPool{Ref: fleet.StakePoolRef("khala", w.PID), PID: w.PID, Kind: "StakePool", Owner: "45owner", OwnerGas: fleet.PHA(50),
					Value: fleet.PHA(1000), Free: fleet.PHA(10), Used: fleet.PHA(990), Workers: map[string]int{}})
			}
			v.Pool(w.PID).Workers["Idle"]++
			n++
		}
	}
	slices.SortFunc(v.Workers, func(a, b fleet.ChainWorker) int { return strings.Compare(a.Key, b.Key) })
	slices.SortFunc(v.Pools, func(a, b fleet.ChainPool) int { return int(a.PID) - int(b.PID) })
	return v
}

type chainChange = func(*fleet.ChainWorker)

// is a session in a state for so long when it was read, as far as we saw.
func is(state string, d time.Duration) chainChange {
	return func(c *fleet.ChainWorker) {
		c.State, c.StateSince = state, read.Add(-d)
		if state == "CoolingDown" {
			c.CoolingSince = read.Add(-d)
		}
	}
}

// unpaidFor is a session whose reward has not grown for so long.
func unpaidFor(d time.Duration) chainChange {
	return func(c *fleet.ChainWorker) { c.RewardMoved = read.Add(-d) }
}

// watchedBridge is a bridge with n healthy workers and what the chain says of them.
func watchedBridge(n int) decide.BridgeInput {
	in := healthyBridge(n)
	in.Chain = onChain(&in.Status)
	return in
}

// chained changes what the chain says of worker number i.
func chained(v *fleet.ChainView, i int, changes ...chainChange) {
	for _, f := range changes {
		f(v.Worker(keyOf(i)))
	}
}
