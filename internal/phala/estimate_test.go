package phala

import (
	"fmt"
	"math/big"
	"testing"
	"time"

	"phalops/internal/fleet"
)

func presetParams(t testing.TB, name string) Params {
	t.Helper()
	p, ok := PresetOf(name)
	if !ok {
		t.Fatal("no preset " + name)
	}
	return p.Params
}

func decimal(t testing.TB, s string) *big.Rat {
	t.Helper()
	r, err := ParseDecimal(s)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// example is the real session 43E9fDcTpuYCdSNYFhkL4t5Qe4DvVHnH6SvpzdDAfNQPWNEE of Phala #2,700,000.
func example(t testing.TB) Input {
	p, _ := PresetOf("phala-2023")
	return Input{
		Params: p.Params, PInit: 1842, PInstant: 1577, Confidence: 2, Stake: fleet.PHA(11000), V: decimal(t, "21686.98"), Shares: decimal(t, "33489288.81"), Counted: true,
		Commission: big.NewRat(3, 10), Own: big.NewRat(1, 5),
	}
}

// TestWorkedExample is the example whose numbers were worked out by hand, and its Ve also by the chain.
func TestWorkedExample(t *testing.T) {
	e, err := Compute(example(t))
	if err != nil || len(e.Problems) > 0 || !e.Rewarded {
		t.Fatal(err, e.Problems)
	}
	for _, c := range []struct {
		what, want string
		got        *big.Rat
		places     int
	}{
		{"f", "1.5", e.F, 1}, {"C", "2046.67", e.C, 2}, {"Ve", "19570.00", e.Ve, 2}, {"minimum", "2145.93", e.MinStake, 2}, {"maximum", "17953.33", e.MaxStake, 2},
		{"share", "21915.13", e.Share, 2}, {"portion", "0.00065439", e.Portion, 8}, {"daily", "53.01", e.Daily, 2}, {"growth", "89.69", e.Growth, 1 + 1},
		{"net", "36.7", e.Net, 1}, {"owner", "23.32", e.Owner, 2}, {"others", "29.68", e.Others, 2},
	} {
		if got := c.got.FloatString(c.places); got != c.want {
			t.Errorf("%s is %s, want %s", c.what, got, c.want)
		}
	}
	for level, want := range map[uint8]string{1: "19570.00", 3: "19570.00", 4: "18265.33", 5: "17613.00", 128: "19570.00"} {
		in := example(t)
		in.Confidence = level
		if e, err := Compute(in); err != nil || e.Ve.FloatString(2) != want {
			t.Errorf("confidence %d: Ve %s, want %s", level, e.Ve.FloatString(2), want)
		}
	}
	if e.Later[0].Day != 30 || e.Later[0].V.Cmp(e.V) <= 0 || e.Later[0].Daily.Cmp(e.Daily) <= 0 || e.Full < 150 || e.Full > 250 {
		t.Errorf("%d days, %+v", e.Full, e.Later)
	}
}

// TestGeminiIsTheChains compares a preset with the bytes that the chain was given.
func TestGeminiIsTheChains(t *testing.T) {
	p := presetParams(t, "khala-2022")
	for what, c := range map[string]struct {
		got  Fixed
		want string
	}{
		"pha_rate": {p.PhaRate, "4980620899901578936"}, "rho": {p.Rho, "18446756370313412349"}, "v_max": {p.VMax, "553402322211286548480000"},
		"budget": {p.BudgetPerBlock, "3465742917103625251400"}, "cost_k": {p.CostK, "437391350309"}, "cost_b": {p.CostB, "932334194078877"},
		"rig_k": {p.RigK, "8296886389974309947"}, "re": {p.Re, "27670116110564327424"}, "k": {p.K, "922337203685477580800"},
	} {
		want, _ := new(big.Int).SetString(c.want, 10)
		off := new(big.Int).Sub(c.got.Bits().Big(), want)
		if off.Abs(off).Mul(off, big.NewInt(100_000)).Cmp(want) > 0 {
			t.Errorf("%s is %s, which is off by more than 0.001 %%", what, c.got)
		}
	}
}

// TestRefusals: what the chain would refuse is said, at its very limits.
func TestRefusals(t *testing.T) {
	in := example(t)
	for stake, want := range map[string]string{"2145.92": "phala.stake_too_low", "2145.94": "", "17953.33": "", "17953.34": "phala.stake_too_high"} {
		var err error
		if in.Stake, err = fleet.ParsePHA(stake); err != nil {
			t.Fatal(err)
		}
		e, err := Compute(in)
		got := ""
		if len(e.Problems) > 0 {
			got = e.Problems[0].Code
		}
		if err != nil || got != want {
			t.Errorf("%s: %q, want %q", stake, got, want)
		}
	}
	in = example(t)
	in.PInit = 49
	if e, err := Compute(in); err != nil || e.Problems[0].Code != "phala.p_too_low" {
		t.Error(e.Problems, err)
	}
	if _, err := Compute(Input{PInit: 100}); fleet.ReasonOf(err).Code != "phala.no_params" {
		t.Error(err)
	}
}

// TestOffline: an hour costs the payouts of the hour and of the time since the last heartbeat, growth, and what the chain slashes.
func TestOffline(t *testing.T) {
	in := example(t)
	in.Online = 3000
	e, _ := Compute(in)
	if e.Heartbeat != 30*time.Minute || e.Hour.Payout.FloatString(4) != div(mul(e.Daily, big.NewRat(3, 2)), big.NewRat(24, 1)).FloatString(4) {
		t.Errorf("%s, %s", e.Heartbeat, e.Hour.Payout.FloatString(4))
	}
	if e.Hour.Slash.Sign() != 0 || e.Hour.Growth.FloatString(3) != div(e.Net, big.NewRat(24, 1)).FloatString(3) || e.Hour.Daily.Sign() <= 0 {
		t.Errorf("%+v", e.Hour)
	}
	in.Online = 6000
	in.Params.SlashRate, _ = ParseFixed("0.0000033333333333333240063") // an hourly 0.1 %
	e, _ = Compute(in)
	lost := div(e.Hour.Slash, e.V)
	if e.Heartbeat != time.Hour || lost.FloatString(5) != "0.00100" {
		t.Errorf("%s, %s", e.Heartbeat, lost.FloatString(6))
	}
	full := example(t)
	full.V = full.Params.VMax.Rat()
	if e, _ := Compute(full); e.Full != 0 || e.Hour.Growth.Sign() != 0 {
		t.Errorf("V at its maximum: %d, %s", e.Full, e.Hour.Growth)
	}
}

// TestIncome: costs, break-even and payback.
func TestIncome(t *testing.T) {
	in := example(t)
	in.Price, in.Watts, in.Tariff, in.Device, in.Years, in.Monthly = decimal(t, "0.1"), decimal(t, "65"), decimal(t, "0.2"), decimal(t, "365"), decimal(t, "2"), decimal(t, "3")
	e, err := Compute(in)
	got := fmt.Sprint(e.Cost.FloatString(3), " ", e.Income.FloatString(3), " ", e.BreakEven.FloatString(4), " ", e.Payback.FloatString(0))
	if want := "0.912 1.420 0.0391 190"; err != nil || got != want {
		t.Errorf("%s, want %s (%v)", got, want, err)
	}
	in.Price = decimal(t, "0.001")
	if e, _ := Compute(in); e.Payback != nil || e.Income.Sign() >= 0 {
		t.Error("a device that never pays is paid back")
	}
}

// TestCapped: at first a payout was at most what V had gathered, so that V stood still.
func TestCapped(t *testing.T) {
	p, _ := PresetOf("khala-2021")
	in := Input{Params: p.Params, Capped: p.Capped, PInit: 1842, Confidence: 2, Stake: fleet.PHA(11000), Shares: big.NewRat(100000, 1)}
	e, err := Compute(in)
	if err != nil || e.Daily.Cmp(e.Growth) != 0 || e.Net.Sign() != 0 || e.Full != -1 {
		t.Errorf("daily %s, growth %s, %v", e.Daily.FloatString(2), e.Growth.FloatString(2), err)
	}
}

// TestNewWorker is in the sum of shares itself once it runs.
func TestNewWorker(t *testing.T) {
	in := example(t)
	in.Counted = false
	e, _ := Compute(in)
	if want := div(e.Share, add(in.Shares, e.Share)); e.Portion.FloatString(12) != want.FloatString(12) {
		t.Error(e.Portion, want)
	}
	in.Shares = nil
	if e, err := Compute(in); err != nil || e.Rewarded {
		t.Error("a reward out of nothing")
	}
}
