package rule

import (
	"math"
	"strconv"
	"time"
	"unicode/utf8"

	"phalops/internal/fleet"
)

// MaxMessage is how much of a worker's message a condition sees, in bytes. Bridges put whole stacks into it.
const MaxMessage = 4 << 10

// Reading is what deciding has made of a worker before conditions are asked.
type Reading struct {
	Condition string           // a fleet.Condition
	Rule      string           // the built-in rule behind it
	Head      *int64           // newest block that its bridge can hand out, nil where that is not known
	Chain     *fleet.ChainView // what the chain of its network says and may be taken as true, nil where nobody reads it
}

// WorkerEnv is a worker for conditions, as it was at w.At. The result points into w, which must not change meanwhile.
func WorkerEnv(w *fleet.WorkerStatus, r Reading, bridge *Bridge) *Worker {
	e := &Worker{
		Name: w.Name, ID: w.ID, PID: int64(min(w.PID, math.MaxInt64)), Endpoint: w.Endpoint, Enabled: w.Enabled, SyncOnly: w.SyncOnly, Running: w.Running,
		PublicKey: w.PublicKey, State: w.State, Message: cut(w.Message), InState: since(w.StateSince, w.At), MessageAge: since(w.MessageSeen, w.At),
		Condition: r.Condition, Rule: r.Rule, Initialized: w.Initialized, Relay: height(&w.Relay), ParaHeader: height(&w.ParaHeader), Para: height(&w.Para),
		Frozen: frozen(w.Para, w.At), Session: w.Session, InSession: since(w.SessionSince, w.At), V: decimal(w.V), Ve: decimal(w.Ve), Reward: w.TotalReward.InPHA(), Bridge: bridge,
		Chain: chainEnv(w, r.Chain),
	}
	if w.StakeOK {
		stake := w.Stake.InPHA()
		e.Stake = &stake
	}
	if w.PInit != 0 {
		e.PInit = &w.PInit
	}
	if w.PInstant != 0 {
		e.PInstant = &w.PInstant
	}
	if e.Para != nil && r.Head != nil {
		e.Lag = lag(*r.Head, *e.Para)
	}
	return e
}

// chainEnv is what the chain says of a worker; v may be nil. Times count up to the moment at which the chain was read.
func chainEnv(w *fleet.WorkerStatus, v *fleet.ChainView) *Chain {
	if v == nil {
		return &Chain{}
	}
	c := v.Worker(w.PublicKey)
	if c == nil {
		return &Chain{}
	}
	pha := func(a fleet.Amount) *float64 { x := a.InPHA(); return &x }
	number := func(n uint64) *int64 { x := int64(min(n, math.MaxInt64)); return &x }
	e := &Chain{
		Age: since(v.At, w.At), State: &c.State, InState: since(c.StateSince, v.At), Registered: &c.Registered, Stake: pha(c.Stake), Reward: pha(c.Reward),
		RewardFrozen: since(c.RewardMoved, v.At), V: decimal(c.V), Ve: decimal(c.Ve), Challenged: since(c.ChallengedAt, v.Time),
	}
	if c.Operator != "" {
		e.Operator = &c.Operator
	}
	if c.Pool {
		e.PID = number(c.PID)
	}
	if c.DailyFor > 0 {
		e.Daily = pha(c.Daily)
	}
	for _, n := range []struct {
		to **int64
		is uint64
	}{{&e.Confidence, uint64(c.Confidence)}, {&e.PInit, uint64(c.PInit)}, {&e.PInstant, uint64(c.PInstant)}} {
		if n.is != 0 {
			*n.to = number(n.is)
		}
	}
	return e
}

// BridgeEnv is a bridge for conditions. condition tells what is made of its i-th worker now; nil: what was made of it last.
func BridgeEnv(b *fleet.BridgeStatus, labels map[string]string, head *int64, condition func(i int) fleet.Condition) *Bridge {
	e := &Bridge{Name: b.Ref.Name(), Version: b.Version, Site: b.Site, Condition: string(b.Condition), Labels: labels, Height: head}
	for i := range b.Workers {
		if !b.Workers[i].Enabled {
			continue
		}
		c := b.Workers[i].Condition
		if condition != nil {
			c = condition(i)
		}
		e.Workers++
		switch c {
		case fleet.Working:
			e.Working++
		case fleet.Syncing:
			e.Syncing++
		case fleet.Starting:
			e.Starting++
		case fleet.Failing:
			e.Failed++
		case fleet.Unresponsive:
			e.Unresponsive++
		case fleet.CoolingDown:
			e.CoolingDown++
		case fleet.Unknown, "":
			e.Unknown++
		}
	}
	if e.Workers > 0 {
		share := func(n int64) *float64 { x := float64(n) / float64(e.Workers); return &x }
		e.WorkingRatio, e.FailedRatio, e.Unresponding = share(e.Working), share(e.Failed), share(e.Unresponsive)
		e.BadRatio = share(e.Failed + e.Unresponsive)
	}
	return e
}

// NodeEnv is a node for conditions; n may be nil.
func NodeEnv(n *fleet.NodeStatus) *Node {
	if n == nil {
		return &Node{}
	}
	name, condition := n.Ref.Name(), string(n.Condition)
	e := &Node{Name: &name}
	if condition != "" {
		e.Condition = &condition
	}
	if n.Container != nil && n.Container.Fresh() && n.Container.State != "" {
		e.Container = &n.Container.State
	}
	e.Para, e.ParaLag, e.ParaPeers, e.ParaFrozen = chain(n.Para)
	e.Relay, e.RelayLag, e.RelayPeers, e.RelayFrozen = chain(n.Relay)
	return e
}

// chain reads one chain of a node; an answer that is no fact any more is unknown.
func chain(c *fleet.ChainStatus) (best, behind, peers *int64, still *time.Duration) {
	if c == nil || !c.Fresh() {
		return nil, nil, nil, nil
	}
	if best = height(&c.Best); best != nil && c.Target.Known {
		behind = lag(c.Target.Value, *best)
	}
	if c.Peers >= 0 {
		n := int64(c.Peers)
		peers = &n
	}
	return best, behind, peers, frozen(c.Best, c.At)
}

func height(h *fleet.Height) *int64 {
	if !h.Known {
		return nil
	}
	return &h.Value
}

func frozen(h fleet.Height, at time.Time) *time.Duration {
	if !h.Known {
		return nil
	}
	return since(h.MovedAt, at)
}

func since(from, to time.Time) *time.Duration {
	if from.IsZero() || to.IsZero() {
		return nil
	}
	d := max(0, to.Sub(from))
	return &d
}

func lag(head, own int64) *int64 {
	n := max(0, head-own)
	return &n
}

func decimal(s string) *float64 {
	if s == "" {
		return nil
	}
	x, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsNaN(x) || math.IsInf(x, 0) {
		return nil
	}
	return &x
}

func cut(s string) string {
	if len(s) <= MaxMessage {
		return s
	}
	n := MaxMessage
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
