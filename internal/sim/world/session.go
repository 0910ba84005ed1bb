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
	s := p.sessionAt(p.w.now)
	para, relay := p.Heights()
	s.RelayHeader, s.ParaNum = relay+1, para+1
	return s
}

// challengeEvery is how often the chain asks a worker for a heartbeat.
const challengeEvery = 10 * time.Minute

// sessionAt is what the chain knew at t, of what happened since the last restart of chain and worker. What the worker was
// given by hand since then (stopped, unbound) counts from the beginning.
func (p *Pruntime) sessionAt(t time.Time) Session {
	earned, out := p.earned(t)
	days := earned.Hours() / 24
	s := Session{
		State: "WorkerIdle", Ve: p.v, V: grown(p.v, days), UpdatedAt: t.Truncate(challengeEvery),
		PInit: p.power, PInstant: p.power + uint64(math.Abs(math.Sin(days*7))*float64(p.power)/8),
		Iterations: 98_765_432 + uint64(max(0, t.Sub(p.born).Seconds()))*p.power/6, WorkingStart: p.born.Add(-30 * 24 * time.Hour),
		ChallengeLast: t.Truncate(challengeEvery), TotalReward: 12_345_678_901_234 + uint64(days*2.5e12),
	}
	switch {
	case !p.coolDown.IsZero() && !t.Before(p.coolDown):
		s.State, s.CoolDownStart = "WorkerCoolingDown", p.coolDown
	case p.idle:
		s.State = "Ready"
	case !out.IsZero():
		s.State, s.UpdatedAt, s.ChallengeLast = "WorkerUnresponsive", out, out.Truncate(challengeEvery)
	}
	return s
}
