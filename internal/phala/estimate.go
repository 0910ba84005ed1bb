package phala

import (
	"math/big"
	"time"

	"phalops/internal/fleet"
)

// Input is what Compute is asked about: one worker.
type Input struct {
	Params     Params
	Capped     bool // a payout is at most what V has gathered
	PInit      uint32
	PInstant   uint32 // 0: as PInit
	Confidence uint8
	Stake      fleet.Amount
	V          *big.Rat // nil: Ve, as when it begins

	Shares  *big.Rat // of all computing sessions; nil: not known, and with it no reward
	Counted bool     // the worker is in Shares already
	Online  uint32   // sessions that the chain challenges; 0: not known, then 30 minutes lie between heartbeats
	Block   time.Duration

	Commission, Own *big.Rat // fractions: of the pool, and the owner's own part of its stake; nil: 0

	Price, Watts, Tariff, Device, Years, Monthly *big.Rat // costs in one currency; Tariff for 1 kWh; nil: 0
}

// Estimate is what comes of a worker. All numbers are in PHA and for a day where nothing else is said; they hold as long as nothing
// else changes, the other workers included.
type Estimate struct {
	F, C               *big.Rat // confidence multiplier, and compensation for the machine
	Ve                 *big.Rat // V at the start
	MinStake, MaxStake *big.Rat
	Problems           []fleet.Reason // why the chain would refuse to start it

	V, Growth *big.Rat // V now, and by how much it grows without payouts
	Share     *big.Rat
	Heartbeat time.Duration // from one to the next, on average

	Rewarded                bool // the rest is known: there were Shares
	Portion                 *big.Rat
	Daily                   *big.Rat
	Net                     *big.Rat // growth of V after payouts
	Full                    int      // days until V is at its maximum; -1: never, or not within ten years
	Owner, Others           *big.Rat // of Daily
	Yield                   *big.Rat // fraction a year for those who stake
	Later                   []Point
	Hour                    Offline
	Cost, Income, BreakEven *big.Rat // in the currency; BreakEven is a price
	Payback                 *big.Rat // days; nil: never, or no device
}

// Point is V and the daily reward after some days.
type Point struct {
	Day      int
	V, Daily *big.Rat
}

// Offline is what an hour without heartbeats costs.
type Offline struct {
	Payout *big.Rat // not paid: of the hour, and of the time since the last heartbeat, because the one of the recovery pays nothing
	Growth *big.Rat // that V does not get
	Slash  *big.Rat // that V loses
	Daily  *big.Rat // by how much the daily reward is lower afterwards
}

const (
	minPInit    = 50      // MinInitP of the pallets
	tenYears    = 3650    // days
	challengeAt = 20      // heartbeats a block at most, over all workers
	blocksAHour = 150     // a worker has two heartbeats an hour at most, at 12 s
	places      = 1 << 60 // what is kept behind the point of long sums, as a fraction
)

// Compute estimates. Sources of the formulas: pallets/phala/src/compute/computation.rs and crates/phactory/src/system/gk.rs (mod
// tokenomic) of Phala-Network/phala-blockchain. Without parameters it fails with the reason phala.no_params.
func Compute(in Input) (Estimate, error) {
	p := in.Params
	if p.Re.IsZero() || p.VMax.IsZero() {
		return Estimate{}, fleet.Fail(fleet.Invalid, fleet.Because("phala.no_params"))
	}
	if in.PInstant == 0 {
		in.PInstant = in.PInit
	}
	if in.Block <= 0 {
		in.Block = BlockTime
	}
	e := Estimate{Full: -1}
	one, score := big.NewRat(1, 1), big.NewRat(confidenceTenths(in.Confidence), 10)
	e.F = add(one, mul(score, less(p.Re.Rat(), one)))
	e.C = add(mul(p.RigK.Rat(), whole(in.PInit)), p.RigB.Rat())
	e.Ve = mul(e.F, add(pha(in.Stake), e.C))
	e.MinStake = mul(p.K.Rat(), root(whole(in.PInit)))
	e.MaxStake = less(div(p.VMax.Rat(), e.F), e.C)
	e.Problems = in.problems(e)
	if e.V = in.V; e.V == nil {
		e.V = e.Ve
	}
	e.Growth = in.growth(e.V)
	e.Share = in.share(e.V)
	e.Heartbeat = in.heartbeat()
	e.Cost = in.cost()
	if in.Shares != nil {
		in.reward(&e)
	}
	return e, nil
}

// problems are why the chain would not start the worker.
func (in Input) problems(e Estimate) (why []fleet.Reason) {
	stake := pha(in.Stake)
	if in.PInit < minPInit {
		why = append(why, fleet.Because("phala.p_too_low", "p", int(in.PInit), "least", minPInit))
	}
	if stake.Cmp(e.MinStake) < 0 {
		why = append(why, fleet.Because("phala.stake_too_low", "stake", in.Stake.PHA(), "least", e.MinStake.FloatString(2)))
	}
	if e.Ve.Cmp(in.Params.VMax.Rat()) > 0 {
		why = append(why, fleet.Because("phala.stake_too_high", "stake", in.Stake.PHA(), "most", e.MaxStake.FloatString(2)))
	}
	return why
}

// blocks are those of some time.
func (in Input) blocks(d time.Duration) *big.Rat { return big.NewRat(int64(d), int64(in.Block)) }

// power is P/P_init, at most 1.2.
func (in Input) power() *big.Rat {
	if in.PInit == 0 {
		return big.NewRat(1, 1)
	}
	return least(big.NewRat(int64(in.PInstant), int64(in.PInit)), big.NewRat(6, 5))
}

// growth is by how much V grows in a day without payouts.
func (in Input) growth(v *big.Rat) *big.Rat {
	p := in.Params
	block := add(mul(less(p.Rho.Rat(), big.NewRat(1, 1)), v), add(mul(p.CostK.Rat(), whole(in.PInit)), p.CostB.Rat()))
	return cut(mul(in.blocks(24*time.Hour), mul(in.power(), block)))
}

func (in Input) share(v *big.Rat) *big.Rat {
	pc := mul(whole(2*in.PInstant), big.NewRat(confidenceTenths(in.Confidence), 10))
	return root(add(mul(v, v), mul(pc, pc)))
}

// daily is a day's payout at some V.
func (in Input) daily(v *big.Rat) (portion, daily *big.Rat) {
	share := in.share(v)
	total := in.Shares
	if !in.Counted {
		total = add(total, share)
	}
	if total.Sign() <= 0 {
		return new(big.Rat), new(big.Rat)
	}
	portion = cut(div(share, total))
	toMiners := less(big.NewRat(1, 1), in.Params.TreasuryRatio.Rat())
	daily = cut(mul(mul(toMiners, in.Params.BudgetPerBlock.Rat()), mul(in.blocks(24*time.Hour), portion)))
	if in.Capped {
		daily = least(daily, in.growth(v))
	}
	return portion, daily
}

// next is V a day later.
func (in Input) next(v *big.Rat) *big.Rat {
	_, daily := in.daily(v)
	growth := in.growth(v)
	return cut(least(add(v, less(growth, least(daily, growth))), in.Params.VMax.Rat()))
}

// heartbeat is the time between two heartbeats: of N workers, min(20, N/150) are challenged in a block.
func (in Input) heartbeat() time.Duration {
	blocks := int64(blocksAHour)
	if in.Online > challengeAt*blocksAHour {
		blocks = int64(in.Online) / challengeAt
	}
	return time.Duration(blocks) * in.Block
}

// reward fills in what needs the shares of the others.
func (in Input) reward(e *Estimate) {
	e.Rewarded = true
	e.Portion, e.Daily = in.daily(e.V)
	e.Net = less(e.Growth, least(e.Daily, e.Growth))
	commission, own, one := or0(in.Commission), or0(in.Own), big.NewRat(1, 1)
	e.Owner = mul(e.Daily, add(commission, mul(less(one, commission), own)))
	e.Others = less(e.Daily, e.Owner)
	e.Yield = new(big.Rat)
	if !in.Stake.IsZero() {
		e.Yield = div(mul(mul(e.Daily, big.NewRat(365, 1)), less(one, commission)), pha(in.Stake))
	}
	e.Hour = in.offline(e)
	in.curve(e)
	in.income(e)
}

// curve goes on day by day.
func (in Input) curve(e *Estimate) {
	v, top := e.V, in.Params.VMax.Rat()
	for day := 0; day <= tenYears; day++ {
		if day == 30 || day == 90 || day == 180 || day == 365 {
			_, daily := in.daily(v)
			e.Later = append(e.Later, Point{day, v, daily})
		}
		if v.Cmp(top) >= 0 && e.Full < 0 {
			e.Full = day
		}
		after := in.next(v)
		if day >= 365 && (e.Full >= 0 || after.Cmp(v) <= 0) {
			return
		}
		v = after
	}
}

// offline is the cost of an hour without heartbeats.
func (in Input) offline(e *Estimate) Offline {
	day := big.NewRat(24, 1)
	unpaid := big.NewRat(int64(time.Hour+e.Heartbeat), int64(24*time.Hour))
	o := Offline{Payout: mul(e.Daily, unpaid), Growth: div(e.Net, day), Slash: in.slash(e.V)}
	o.Growth = least(o.Growth, less(in.Params.VMax.Rat(), least(e.V, in.Params.VMax.Rat())))
	_, after := in.daily(less(e.V, add(o.Growth, o.Slash)))
	o.Daily = less(e.Daily, after)
	return o
}

// slash is what an hour's blocks take of V, each its part of what is left.
func (in Input) slash(v *big.Rat) *big.Rat {
	if in.Params.SlashRate.IsZero() {
		return new(big.Rat)
	}
	left, keep := new(big.Rat).Set(v), less(big.NewRat(1, 1), in.Params.SlashRate.Rat())
	for range min(int64(time.Hour/in.Block), 3600) {
		left = cut(mul(left, keep))
	}
	return less(v, left)
}

// cost is what a day costs: power, the device over its years, and the rest.
func (in Input) cost() *big.Rat {
	total := mul(mul(or0(in.Watts), big.NewRat(24, 1000)), or0(in.Tariff))
	if years := or0(in.Years); years.Sign() > 0 {
		total = add(total, div(or0(in.Device), mul(years, big.NewRat(365, 1))))
	}
	return add(total, div(or0(in.Monthly), big.NewRat(30, 1)))
}

func (in Input) income(e *Estimate) {
	revenue := mul(e.Owner, or0(in.Price))
	e.Income = less(revenue, e.Cost)
	e.BreakEven = new(big.Rat)
	if e.Owner.Sign() > 0 {
		e.BreakEven = div(e.Cost, e.Owner)
	}
	running := in
	running.Years = nil
	if left := less(revenue, running.cost()); left.Sign() > 0 && or0(in.Device).Sign() > 0 {
		e.Payback = div(in.Device, left)
	}
}
