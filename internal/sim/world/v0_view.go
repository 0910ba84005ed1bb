package world

import (
	"strings"
	"time"
)

// State is the lifecycle's word.
func (c *V0Context) State() string { return c.state }

// Pruntime is the worker's enclave; nil when its endpoint leads nowhere.
func (c *V0Context) Pruntime() *Pruntime { return c.rt }

// Feeding reports whether it sends blocks.
func (c *V0Context) Feeding() bool { return c.feeding }

// Initialized is what GetInfo told since the context was made; known is false before it answered.
func (c *V0Context) Initialized() (yes, known bool) {
	return c.informed && c.rt.manner != MannerUninitialised, c.informed
}

// V0Heights are the numbers that a pRuntime has acknowledged since the context was made; -1 means none yet.
type V0Heights struct{ Parent, ParaHeader, Para int64 }

// Heights tells how far the sync is; false before it began.
func (c *V0Context) Heights() (V0Heights, bool) {
	h := V0Heights{-1, -1, -1}
	if !c.begun {
		return h, false
	}
	para, relay := c.rt.Heights()
	source, _ := c.supply()
	if c.headers {
		h.Parent, h.ParaHeader = relay, max(para, source)
		if c.rt.manner == MannerWraps { // 2³²-1 in a field of 32 bits with a sign
			h.ParaHeader = -1
		}
	}
	if c.blocks {
		if h.Para = para; c.rt.manner == MannerBehind {
			h.Para = min(para, source-3)
		}
	}
	return h, true
}

// Message is lastMessage and its time. The chain's notice that the worker is unresponsive hides what was said before it,
// and stays until something else is said.
func (c *V0Context) Message() (text string, at time.Time) {
	text, at = c.message, c.at
	if c.rt == nil || !c.begun {
		return text, at
	}
	if t := find(c.rt.trouble, WorkerMessage); t != nil && !t.since.Before(at) {
		text, at = t.text, t.since
	}
	if since, yes := c.unresponsive(); yes && since.After(at) {
		text, at = noticeUnresponsive, since
	}
	return text, at
}

func (c *V0Context) keepNotice() {
	c.rt.keepLoss()
	c.message, c.at = c.Message()
}

func (c *V0Context) unresponsive() (since time.Time, yes bool) {
	if c.rt.manner == MannerUnresponsive {
		return c.rt.mannerSince, true
	}
	return c.rt.Unresponsive()
}

// Bound reports whether the lifecycle knows the worker's account on chain, and whether there is a miner behind it.
func (c *V0Context) Bound() (known, bound bool) {
	return c.begun, c.begun && c.rt.manner != MannerUnbound
}

// Session reads the chain in v0's words: MiningIdle for WorkerIdle and so on. False while the lifecycle has not subscribed,
// or there is no miner.
func (c *V0Context) Session() (Session, bool) {
	if _, bound := c.Bound(); !bound {
		return Session{}, false
	}
	s := c.rt.session()
	s.State = strings.Replace(s.State, "Worker", "Mining", 1)
	switch c.rt.manner {
	case MannerCoolsDown:
		s.State, s.CoolDownStart = "MiningCoolingDown", s.UpdatedAt
	case MannerStays, MannerCannotStart, MannerPoolless:
		s.State = "Ready"
	case MannerUnresponsive:
		s.State = "MiningUnresponsive"
	}
	return s, true
}

func (c *V0Context) strike(f Fault) {
	if f.Kind == WorkerError {
		f.Text = c.errorText(or(f.Text, "timeout"))
	}
	if f.Kind == WorkerMessage {
		f.Text = or(f.Text, noticeUnresponsive)
	}
	t, rt := c.b.w.newTrouble(f), c.rt
	if f.Kind == PruntimeHang || f.Kind == PruntimeDown || f.Kind == WorkerPause {
		t.curedBy = or(f.CuredBy, CuredByNothing) // a restart at the bridge does not touch the enclave
	}
	rt.trouble = append(rt.trouble, t)
	switch f.Kind {
	case WorkerError:
		c.fail(t.text)
	case WorkerStarting:
		c.informed, c.begun, c.headers, c.blocks = false, false, false, false
		c.enter(StateStarting, "State changed from S_IDLE to S_STARTING")
	case WorkerFreeze:
		c.refeed()
	case PruntimeDown, PruntimeHang, WorkerPause:
		rt.stand()
	}
	c.b.w.healWithin(c.b.Name, f, func() {
		if f.Kind == WorkerMessage {
			c.keepNotice() // success does not clear it
		}
		rt.trouble = without(rt.trouble, t)
		rt.stand()
	})
}
