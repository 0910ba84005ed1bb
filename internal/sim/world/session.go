package world

import (
	"math"
	"time"
)

// Session is what the chain knows of a worker, as its lifecycle relays it.
type Session struct {
	State                string // WorkerIdle, WorkerUnresponsive
	V, Ve                float64
	UpdatedAt            time.Time
	PInit, PInstant      uint64
	Iterations           uint64
	WorkingStart         time.Time
	ChallengeLast        time.Time
	TotalReward          uint64    // 10⁻¹² PHA
	CoolDownStart        time.Time // zero but in WorkerCoolingDown
	RelayHeader, ParaNum int64     // pRuntime's next numbers
}

// Session reads the chain. False while the lifecycle has not subscribed yet.
func (c *Context) Session() (Session, bool) {
	if c.rt == nil || !c.reported {
		return Session{}, false
	}
	return c.rt.session(), true
}

// session is what the chain knows of a worker that computes.
func (p *Pruntime) session() Session {
	now := p.w.now
	days := now.Sub(p.born).Hours() / 24
	para, relay := p.Heights()
	s := Session{
		State: "WorkerIdle", Ve: p.v, V: p.v * (1 + days/2000), UpdatedAt: now.Truncate(10 * time.Minute),
		PInit: p.power, PInstant: p.power + uint64(math.Abs(math.Sin(days*7))*float64(p.power)/8),
		Iterations: 98_765_432 + uint64(now.Sub(p.born).Seconds())*p.power/6, WorkingStart: p.born.Add(-30 * 24 * time.Hour),
		ChallengeLast: now.Truncate(10 * time.Minute), TotalReward: 12_345_678_901_234 + uint64(days*2.5e12),
		RelayHeader: relay + 1, ParaNum: para + 1,
	}
	since, late := p.Unresponsive()
	switch {
	case !p.coolDown.IsZero():
		s.State, s.CoolDownStart = "WorkerCoolingDown", p.coolDown
	case p.idle:
		s.State = "Ready"
	case late:
		s.State, s.UpdatedAt = "WorkerUnresponsive", since
	}
	return s
}
