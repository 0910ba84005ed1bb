package view

import (
	"maps"
	"math/big"
	"time"

	"phalops/internal/fleet"
)

// Network is what a network's chain says of itself and of how much on it is ours. PHA, V and Ve are decimal text.
type Network struct {
	Name      string         `json:"name"`
	Era       string         `json:"era"` // v1 | v2
	Height    uint64         `json:"height"`
	Hash      string         `json:"hash"`
	Time      *time.Time     `json:"time"` // the block's own
	Spec      uint32         `json:"spec_version"`
	Source    string         `json:"source"`           // the node that was asked
	Read      *time.Time     `json:"read,omitempty"`   // when the chain was read last
	Silent    *Reason        `json:"silent,omitempty"` // why it cannot be read now
	Whole     bool           `json:"whole"`            // the whole network was read; else totals are of ours alone
	Upgrade   *Upgrade       `json:"upgrade,omitempty"`
	Condition string         `json:"condition,omitempty"`
	Totals    NetworkTotals  `json:"totals"`
	Ours      map[string]int `json:"ours"`    // our workers by the state of their sessions
	Daily     *string        `json:"daily"`   // what they earned in 24 hours; null: not known yet
	DailyFor  float64        `json:"daily_s"` // seconds over which that was measured
	Pools     int            `json:"pools"`   // of ours
	Decision  *Decision      `json:"decision,omitempty"`
}

// NetworkTotals are sums of a network.
type NetworkTotals struct {
	Sessions   map[string]int `json:"sessions"`
	Online     uint32         `json:"online"`
	Registered int            `json:"registered"`
	Pools      int            `json:"pools"`
	Stake      string         `json:"stake"`
	Value      string         `json:"value"`
	Free       string         `json:"free"`
	V          string         `json:"v"`
	Ve         string         `json:"ve"`
	Reward     string         `json:"reward"`
	Daily      *string        `json:"daily"`
	DailyFor   float64        `json:"daily_s"`
}

// Upgrade is a runtime upgrade that is authorized or scheduled.
type Upgrade struct {
	At   string `json:"at"` // authorized | pending
	Hash string `json:"hash,omitempty"`
	From uint64 `json:"from,omitempty"` // relay chain block from which it may be applied
}

// Network shows a network with the newest decision about it (may be the zero Decision).
func (w Words) Network(v fleet.ChainView, d fleet.Decision) Network {
	t := v.Totals
	out := Network{
		Name: v.Ref.Name(), Era: v.Era, Height: v.Height, Hash: v.Hash, Time: moment(v.Time), Spec: v.Spec, Source: v.Source, Read: moment(v.At), Whole: v.Whole,
		Condition: d.Condition, Ours: map[string]int{}, Pools: len(v.Pools), Decision: w.Decision(d),
		Totals: NetworkTotals{
			Sessions: t.Sessions, Online: t.Online, Registered: t.Workers, Pools: t.Pools, Stake: t.Stake.PHA(), Value: t.Value.PHA(), Free: t.Free.PHA(),
			V: t.V, Ve: t.Ve, Reward: t.Reward.PHA(), Daily: daily(t.Daily, t.DailyFor), DailyFor: t.DailyFor.Seconds(),
		},
	}
	if out.Totals.Sessions == nil {
		out.Totals.Sessions = map[string]int{}
	}
	if v.Missed > 0 {
		out.Silent = w.reason(v.Cause)
	}
	if v.Upgrade != nil {
		out.Upgrade = &Upgrade{At: v.Upgrade.At, Hash: v.Upgrade.Hash, From: v.Upgrade.From}
	}
	earned, longest := new(big.Int), time.Duration(0)
	for _, x := range v.Workers {
		out.Ours[x.State]++
		if x.DailyFor > 0 {
			earned.Add(earned, units(x.Daily))
			longest = max(longest, x.DailyFor)
		}
	}
	if longest > 0 {
		sum, _ := fleet.ParseAmount(earned.String())
		out.Daily, out.DailyFor = new(sum.PHA()), longest.Seconds()
	}
	return out
}

func units(a fleet.Amount) *big.Int {
	n, _ := new(big.Int).SetString(a.String(), 10)
	return n
}

// daily is what was earned in a day, nil while nobody knows.
func daily(a fleet.Amount, measured time.Duration) *string {
	if measured <= 0 {
		return nil
	}
	return new(a.PHA())
}

// WorkerOnChain is a worker with what the chain says of it.
type WorkerOnChain struct {
	Worker
	Chain *WorkerChain `json:"chain"` // null: the chain was not asked about it
}

// WorkerChain is what a chain says of a worker, and in what this differs from what its bridge says. PHA, V and Ve are decimal text.
type WorkerChain struct {
	Network     string     `json:"network"`
	Height      uint64     `json:"height"`
	Read        *time.Time `json:"read,omitempty"` // when the chain was read
	Registered  bool       `json:"registered"`
	Operator    string     `json:"operator,omitempty"`
	Confidence  uint8      `json:"confidence,omitempty"`
	Score       uint32     `json:"score,omitempty"`
	Pool        *uint64    `json:"pool"` // null: in none
	State       string     `json:"state"`
	Since       *time.Time `json:"since,omitempty"` // when it was first seen in this state
	Stake       string     `json:"stake"`
	V           string     `json:"v"`
	Ve          string     `json:"ve"`
	PInit       uint32     `json:"p_init"`
	PInstant    uint32     `json:"p_instant"`
	Reward      string     `json:"reward"`
	Daily       *string    `json:"daily"`   // null: not known yet
	DailyFor    float64    `json:"daily_s"` // seconds over which it was measured
	Challenged  *time.Time `json:"challenged,omitempty"`
	Cooling     *time.Time `json:"cooling_since,omitempty"`
	Differences []Reason   `json:"differences"`
}

// WorkerChain shows what the chain says of a worker (nil: nothing), and the differences that somebody found.
func (w Words) WorkerChain(v *fleet.ChainView, c *fleet.ChainWorker, differ []fleet.Reason) *WorkerChain {
	if v == nil || c == nil {
		return nil
	}
	out := &WorkerChain{
		Network: v.Ref.Name(), Height: v.Height, Read: moment(v.At), Registered: c.Registered, Operator: c.Operator, Confidence: c.Confidence, Score: c.Score,
		State: c.State, Since: moment(c.StateSince), Stake: c.Stake.PHA(), V: c.V, Ve: c.Ve, PInit: c.PInit, PInstant: c.PInstant, Reward: c.Reward.PHA(),
		Daily: daily(c.Daily, c.DailyFor), DailyFor: c.DailyFor.Seconds(), Challenged: moment(c.ChallengedAt), Cooling: moment(c.CoolingSince),
		Differences: append([]Reason{}, w.reasons(differ)...),
	}
	if c.Pool {
		out.Pool = &c.PID
	}
	return out
}

// StakePool is one of our pools: what the chain and our bridges say of it. PHA is decimal text.
type StakePool struct {
	Network     string         `json:"network"`
	Pool        uint64         `json:"pool"`
	Known       bool           `json:"on_chain"` // the chain was read and has it; else there is only what bridges say
	Kind        string         `json:"kind"`
	Condition   string         `json:"condition,omitempty"`
	Owner       string         `json:"owner"`
	OwnerGas    string         `json:"owner_gas"`
	Operators   []Operator     `json:"operators"`
	Commission  string         `json:"commission"` // percent
	Value       string         `json:"value"`
	Free        string         `json:"free"`
	Used        string         `json:"used"`
	Releasing   string         `json:"releasing"`
	Cap         *string        `json:"cap"`       // null: none
	Remaining   *string        `json:"remaining"` // below the cap, negative above it; null: no cap
	OwnerReward string         `json:"owner_reward"`
	Reward      string         `json:"reward"`
	Daily       *string        `json:"daily"`   // null: not known yet
	DailyFor    float64        `json:"daily_s"` // seconds over which it was measured
	States      map[string]int `json:"states"`  // its workers by the state of their sessions
	Queued      string         `json:"queued"`
	Queue       []QueuedStake  `json:"queue"` // oldest first, at most 100
	ForceStop   bool           `json:"force_stop_due"`
	ForceStopAt *time.Time     `json:"force_stop_at,omitempty"`
	Bridges     []PoolAtBridge `json:"bridges"`
	Decision    *Decision      `json:"decision,omitempty"`
}

// Operator signs for a pool besides its owner.
type Operator struct {
	Address string `json:"address"`
	Gas     string `json:"gas"`
	Proxy   *bool  `json:"proxy"` // whether the chain lets it sign for the owner; null: not known
}

// QueuedStake is a withdrawal that waits.
type QueuedStake struct {
	User   string     `json:"user"`
	Amount string     `json:"amount"`
	Start  *time.Time `json:"start"`
	Ends   *time.Time `json:"ends"` // from then on the pool's workers may be stopped for it
}

// PoolAtBridge is a pool as one of our bridges has it.
type PoolAtBridge struct {
	Bridge   string `json:"bridge"`
	Name     string `json:"name"`
	Enabled  bool   `json:"enabled"`
	SyncOnly bool   `json:"sync_only"`
	Operator string `json:"operator,omitempty"`
	Workers  int    `json:"workers"`
}

// StakePool shows a pool (nil: the chain was not read, or has none) with what bridges say and the newest decision about it.
func (w Words) StakePool(network string, pid uint64, p *fleet.ChainPool, at []fleet.Pool, d fleet.Decision) StakePool {
	out := StakePool{
		Network: network, Pool: pid, Known: p != nil, Condition: d.Condition, Operators: []Operator{}, States: map[string]int{}, Queue: []QueuedStake{},
		Bridges: []PoolAtBridge{}, Decision: w.Decision(d),
	}
	for _, b := range at {
		out.Bridges = append(out.Bridges, PoolAtBridge{b.BridgeRef.Name(), b.Name, b.Enabled, b.SyncOnly, b.Operator, b.Workers})
	}
	if p == nil {
		return out
	}
	out.Kind, out.Owner, out.OwnerGas, out.Commission = p.Kind, p.Owner, p.OwnerGas.PHA(), big.NewRat(int64(p.Commission), 10_000).FloatString(4)
	out.Value, out.Free, out.Used, out.Releasing, out.OwnerReward = p.Value.PHA(), p.Free.PHA(), p.Used.PHA(), p.Releasing.PHA(), p.OwnerReward.PHA()
	out.Reward, out.Daily, out.DailyFor, out.Queued = p.Reward.PHA(), daily(p.Daily, p.DailyFor), p.DailyFor.Seconds(), p.Queued.PHA()
	out.ForceStop, out.ForceStopAt = p.Due, moment(p.DueAt)
	if p.Cap != nil {
		left, sign := new(big.Int).Sub(units(*p.Cap), units(p.Value)), ""
		if left.Sign() < 0 {
			sign = "-"
		}
		room, _ := fleet.ParseAmount(left.Abs(left).String())
		out.Cap, out.Remaining = new(p.Cap.PHA()), new(sign+room.PHA())
	}
	maps.Copy(out.States, p.Workers)
	for _, o := range p.Operators {
		out.Operators = append(out.Operators, Operator{o.Address, o.Free.PHA(), o.Proxy})
	}
	for _, q := range p.Queue {
		out.Queue = append(out.Queue, QueuedStake{q.User, q.Amount.PHA(), moment(q.Start), moment(q.Ends)})
	}
	return out
}
