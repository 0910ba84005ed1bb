package cli

import (
	"fmt"
	"time"

	"phalops/internal/fleet"
)

const otherOwner = "43qsYbZGLn2xzNuurY6BY4QNDSUU7gLEcXuckpm6B3DEmEx9"

// publicKey is that of the n-th worker.
func publicKey(n int) string { return fmt.Sprintf("%064x", 0xbe21<<16+n) }

// chainOfTheNight is what the chain said two minutes before: of the workers one is as its bridge says, one has another stake and is
// unresponsive, one is in another pool, one cools down although its bridge lets it work, and of two the chain knows nothing.
func chainOfTheNight() fleet.ChainView {
	limit, yes := fleet.PHA(30_000), true
	on := func(n int, pid uint64, state string, stake uint64) fleet.ChainWorker {
		return fleet.ChainWorker{
			Key: publicKey(n), Registered: true, Operator: simOwner, Confidence: 2, Score: 1842, PID: pid, Pool: true, State: state, Stake: fleet.PHA(stake), V: "21686.982319",
			Ve: "19569.97", PInit: 1842, PInstant: uint32(1500 + n), ChallengedAt: before(12 * time.Minute), StateSince: before(26 * time.Hour), Reward: fleet.PHA(853),
			RewardMoved: before(12 * time.Minute), Daily: fleet.NewAmount(53_010_000_000_000), DailyFor: 23 * time.Hour,
		}
	}
	fresh := on(4, 83, "Unresponsive", 12)
	fresh.Daily, fresh.DailyFor = fleet.Amount{}, 0
	idle := on(6, 83, "CoolingDown", 10)
	idle.CoolingSince, idle.Operator = before(3*time.Hour), otherOwner
	return fleet.ChainView{
		Probe: seen(2 * time.Minute), Ref: fleet.NetworkRef("khala"), Source: "http://127.1.0.1:9944", Era: "v2", Height: 3512335, Hash: "0x2abe", Time: before(2 * time.Minute),
		Spec: 1250, Whole: true, Upgrade: &fleet.RuntimeUpgrade{At: "authorized", Hash: "0xc0de"},
		Totals: fleet.ChainTotals{
			Sessions: map[string]int{"Idle": 2622, "Unresponsive": 412, "CoolingDown": 5, "Ready": 551}, Online: 3034, Workers: 3624, Pools: 200,
			Stake: fleet.PHA(20_468_759), Value: fleet.PHA(23_000_000), Free: fleet.PHA(2_531_241), Shares: fleet.PHA(22_900_000), Reward: fleet.PHA(799_235),
			V: "33489288.81", Ve: "31000000.5", Daily: fleet.PHA(81_000), DailyFor: 23 * time.Hour,
		},
		Pools: []fleet.ChainPool{
			{Ref: fleet.StakePoolRef("khala", 83), PID: 83, Kind: "StakePool", Owner: simOwner, OwnerGas: fleet.NewAmount(1_234_500_000_000),
				Operators: []fleet.GasAccount{{Address: otherOwner, Free: fleet.PHA(7), Proxy: &yes}}, Commission: 355_000, Cap: &limit, Value: fleet.PHA(30_500),
				Free: fleet.PHA(3_000), Used: fleet.PHA(27_500), Releasing: fleet.PHA(10), OwnerReward: fleet.NewAmount(7_250_000_000_000), Reward: fleet.PHA(1706),
				Daily: fleet.NewAmount(53_010_000_000_000), DailyFor: 23 * time.Hour, Workers: map[string]int{"Idle": 1, "Unresponsive": 1, "CoolingDown": 1},
				Queue: []fleet.ChainQueued{
					{User: otherOwner, Amount: fleet.PHA(4_000), Start: before(150 * time.Hour), Ends: before(-18 * time.Hour)},
					{User: simOwner, Amount: fleet.NewAmount(500_500_000_000_000), Start: before(time.Hour), Ends: before(-167 * time.Hour)},
				}, Queued: fleet.NewAmount(4_500_500_000_000_000), DueAt: before(-18 * time.Hour)},
			{Ref: fleet.StakePoolRef("khala", 84), PID: 84, Kind: "StakePool", Owner: simOwner, OwnerGas: fleet.NewAmount(1_234_500_000_000), Value: fleet.PHA(20),
				Used: fleet.PHA(20), Workers: map[string]int{"Idle": 2}},
		},
		Workers: []fleet.ChainWorker{
			on(1, 84, "Idle", 10), on(2, 85, "Idle", 10), {Key: publicKey(3), State: "Unknown"}, fresh, idle,
		},
	}
}
