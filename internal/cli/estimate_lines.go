package cli

import (
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"time"

	"phalops/internal/phala"
)

// estimateLine is a result with its formula.
type estimateLine struct{ code, value, formula string }

func joined(words []string) string { return strings.Join(words, ", ") }

// estimateLines are the results in the order in which they follow from each other.
func (a *app) estimateLines(in phala.Input, e phala.Estimate) []estimateLine {
	n := func(r *big.Rat, places int) string { return r.FloatString(places) }
	p := in.Params
	stake, blocks := in.Stake.PHA(), int64(24*time.Hour/in.Block)
	now := in.PInstant
	if now == 0 {
		now = in.PInit
	}
	out := []estimateLine{
		{"estimate.f", n(e.F, 2), fmt.Sprintf("1 + c·(re − 1), re = %s", p.Re.Text(2))},
		{"estimate.c", n(e.C, 2), fmt.Sprintf("rig_k·P + rig_b = %s·%d + %s", p.RigK.Text(4), in.PInit, p.RigB.Text(0))},
		{"estimate.ve", n(e.Ve, 2), fmt.Sprintf("f·(S + C) = %s·(%s + %s)", n(e.F, 2), stake, n(e.C, 2))},
		{"estimate.min_stake", n(e.MinStake, 2), fmt.Sprintf("k·√P = %s·√%d", p.K.Text(0), in.PInit)},
		{"estimate.max_stake", n(e.MaxStake, 2), fmt.Sprintf("v_max/f − C = %s/%s − %s", p.VMax.Text(0), n(e.F, 2), n(e.C, 2))},
		{"estimate.growth", n(e.Growth, 2), fmt.Sprintf("N·(P'/P)·((rho − 1)·V + cost_k·P + cost_b), N = %d, P' = %d, V = %s", blocks, now, n(e.V, 2))},
		{"estimate.share", n(e.Share, 2), fmt.Sprintf("√(V² + (2·P'·c)²), V = %s", n(e.V, 2))},
		{"estimate.heartbeat", a.took(e.Heartbeat), "max(150, N_online/20)·t_block"},
	}
	if !e.Rewarded {
		return out
	}
	pay := fmt.Sprintf("(1 − treasury)·B·N·s/Σs, B = %s, Σs = %s", p.BudgetPerBlock.Text(4), n(in.Shares, 2))
	if in.Capped {
		pay = "min(ΔV, " + pay + ")"
	}
	out = append(
		out,
		estimateLine{"estimate.daily", n(e.Daily, 4), pay},
		estimateLine{"estimate.monthly", n(new(big.Rat).Mul(e.Daily, big.NewRat(30, 1)), 2), "30·R"},
		estimateLine{"estimate.net", n(e.Net, 2), "ΔV − min(R, ΔV)"},
		estimateLine{"estimate.full", days(e.Full), fmt.Sprintf("V = v_max = %s", p.VMax.Text(0))},
	)
	codes := map[int]string{30: "estimate.later_30", 90: "estimate.later_90", 180: "estimate.later_180", 365: "estimate.later_365"}
	for _, later := range e.Later {
		out = append(out, estimateLine{codes[later.Day], n(later.Daily, 4), fmt.Sprintf("t = %d, V = %s", later.Day, n(later.V, 2))})
	}
	percent := func(r *big.Rat) string {
		if r == nil {
			return "0"
		}
		return n(r, 4)
	}
	return append(
		out,
		estimateLine{"estimate.owner", n(e.Owner, 4), fmt.Sprintf("R·(k + (1 − k)·o), k = %s, o = %s", percent(in.Commission), percent(in.Own))},
		estimateLine{"estimate.others", n(e.Others, 4), "R·(1 − k)·(1 − o)"},
		estimateLine{"estimate.yield", n(new(big.Rat).Mul(e.Yield, big.NewRat(100, 1)), 2) + " %", "365·R·(1 − k)/S"},
		estimateLine{"estimate.hour_payout", n(e.Hour.Payout, 4), "R·(1 h + heartbeat)/24 h"},
		estimateLine{"estimate.hour_growth", n(e.Hour.Growth, 4), "(ΔV − min(R, ΔV))/24"},
		estimateLine{"estimate.hour_slash", n(e.Hour.Slash, 4), fmt.Sprintf("V·(1 − (1 − slash)^n), slash = %s", p.SlashRate.Text(12))},
		estimateLine{"estimate.hour_daily", n(e.Hour.Daily, 6), "R(V) − R(V − ΔV_1h − V_slash)"},
		estimateLine{"estimate.cost", n(e.Cost, 4), "W·24/1000·tariff + device/(365·years) + monthly/30"},
		estimateLine{"estimate.income", n(e.Income, 4), "owner·price − cost"},
		estimateLine{"estimate.break_even", n(e.BreakEven, 6), "cost/owner"},
		estimateLine{"estimate.payback", payback(e.Payback), "device/(owner·price − running)"},
	)
}

func days(n int) string {
	if n < 0 {
		return "–"
	}
	return strconv.Itoa(n)
}

func payback(r *big.Rat) string {
	if r == nil {
		return "–"
	}
	return r.FloatString(0)
}
