package world

import (
	"fmt"
	"time"
)

// prunedAfter is how many blocks a pruned node keeps: what is older comes from the headers cache.
const prunedAfter = 256

// supply is what it can send. A worker that is far behind depends on the headers cache, where there is one.
func (c *V3Worker) supply() (para, relay int64) {
	para, relay = c.b.source()
	if missing := relay - c.cached(); c.fromCache && relay > 0 && missing > 0 {
		return para - missing*int64(c.rt.network.Relay.Block)/int64(c.rt.network.Para.Block), relay - missing
	}
	return para, relay
}

func (c *V3Worker) cached() int64 {
	if c.b.Cache == nil {
		return 0
	}
	return c.b.Cache.Highest()
}

// readsCache decides whether its next headers come from the cache.
func (c *V3Worker) readsCache() {
	_, have := c.rt.Heights()
	_, relay := c.b.source()
	c.rt.rebase()
	c.fromCache = c.b.Cache != nil && relay-have > prunedAfter
	c.rt.rebase()
}

// starving is why no sync request can be made; empty when it can.
func (c *V3Worker) starving() string {
	if c.b.node() == nil {
		return "There is no valid substrate data source"
	}
	if _, have := c.rt.Heights(); c.fromCache && have >= c.cached() {
		return fmt.Sprintf("Header #%d not found", have+1)
	}
	return ""
}

// sourceChanged keeps account of whether a worker that is catching up can be served.
func (c *V3Worker) sourceChanged() {
	if c.state != V3Synchronizing || c.rt == nil || c.b.V30 {
		return
	}
	why := c.starving()
	switch {
	case why != "" && c.starved.IsZero():
		c.starved = c.b.w.now
	case why == "" && !c.starved.IsZero():
		c.keepStarved()
	}
}

// starvedText is what is shown of requests that could not be made; empty before the third.
func (c *V3Worker) starvedText() string {
	if c.starved.IsZero() {
		return ""
	}
	n := int(c.b.w.now.Sub(c.starved)/v3RetryEvery) + 1
	if n < v3Needs {
		return ""
	}
	why := c.starving()
	if why == "" {
		why = "There is no valid substrate data source"
	}
	return fmt.Sprintf("Fail to generate_sync_request for %d times. Retrying... Last Error: %s", n, why)
}

// keepStarved makes the error stay: the sync goes on, and only reaching Working clears it.
func (c *V3Worker) keepStarved() {
	if text := c.starvedText(); text != "" {
		c.state, c.text = V3HasError, text
	}
	c.starved = time.Time{}
}

// failures is how many calls to the pRuntime in a row have failed by now.
func (c *V3Worker) failures() int {
	if c.failing.IsZero() || c.b.w.now.Before(c.failing) {
		return 0
	}
	return int(c.b.w.now.Sub(c.failing)/c.failEach) + 1
}

// stood is told when the pRuntime began, or ceased, to answer.
func (c *V3Worker) stood() {
	if c.state == V3Disabled || c.state == V3Restarting {
		return
	}
	if c.rt.Answers() {
		c.answered()
	} else {
		c.silent()
	}
	c.refeed()
}

func (c *V3Worker) silent() {
	if c.state == V3Starting && !c.started || !c.failing.IsZero() {
		return // its first GetInfo will find out, or has
	}
	c.failEach, c.failing = v3InfoEvery, c.b.w.now
	lost := collideAfter // the next block is due by then
	if c.state == V3Synchronizing {
		lost = time.Second
	}
	if c.rt.Hung() {
		c.failEach, lost = wmRPCTimeout, wmRPCTimeout
		c.failing = c.b.w.now.Add(wmRPCTimeout)
	}
	from := c.failing
	c.later(lost, func() { // one call that is lost is never made again
		if c.failing.Equal(from) {
			c.mute = true
			c.refeed()
		}
	})
}

func (c *V3Worker) answered() {
	n := c.failures()
	c.failing = time.Time{}
	switch {
	case c.halted:
	case !c.started && c.state == V3Starting:
		c.run++
		c.later(c.spread(500*time.Millisecond), c.hello)
	case !c.started:
		c.later(c.spread(2*time.Second), c.late)
	case c.boots != c.rt.boots:
		c.later(c.spread(2*time.Second), c.mismatch)
	case c.b.V30 && n > 0: // an error of v3.0 stays until somebody restarts the worker
		c.stop("pRuntime returned an error: " + c.refusal())
	case n >= v3Needs:
		c.say(fmt.Sprintf("Recovered from RpcError. Previously had error %d times.", n))
	}
}

// late is a pRuntime that came up after the first GetInfo had failed: nobody begins its lifecycle any more.
func (c *V3Worker) late() {
	if !c.rt.Answers() || c.started {
		return
	}
	c.known = true
	if c.rt.Uninitialized {
		c.stop("pRuntime returned an error: Runtime not initialized")
		return
	}
	c.mismatch()
}

// mismatch is a pRuntime that is not where wm has left it.
func (c *V3Worker) mismatch() {
	if !c.rt.Answers() || c.halted {
		return
	}
	c.run++
	if c.counters == nil {
		para, relay := c.rt.Heights()
		c.counters = &[2]int64{para, relay}
	}
	c.halted = true
	c.fail(v3NeedRestart, false)
	c.refeed()
}

func (c *V3Worker) collided() { c.later(v3InfoEvery, c.mismatch) }

// deadEnd leads into one of the three states that only a restart ends.
func (c *V3Worker) deadEnd(kind string) {
	switch kind {
	case DeadEndLate:
		t := &trouble{kind: PruntimeDown, curedBy: CuredByNothing, since: c.b.w.now}
		c.rt.trouble = append(c.rt.trouble, t)
		c.rt.stand()
		c.begin()
		c.b.w.After(rebootTakes, func() {
			c.rt.trouble = without(c.rt.trouble, t)
			c.rt.stand()
		})
	case DeadEndRestarted:
		c.rt.reboot()
	default:
		c.mute = true
		c.refeed()
	}
}

// keepNotice makes what v3.0 derives from the present a thing of the past.
func (c *V3Worker) keepNotice() {
	c.rt.keepLoss()
	c.message, c.at = c.Message()
}

// Message is last_message without its time, and the time. v3.0 tells what the chain thinks of the worker; v3.2 does not.
func (c *V3Worker) Message() (text string, at time.Time) {
	text, at = c.message, c.at
	if c.rt == nil || !c.started {
		return text, at
	}
	if t := find(c.rt.trouble, WorkerMessage); t != nil && c.feeding && !t.since.Before(at) {
		text, at = t.text, t.since
	}
	if !c.b.V30 || c.state != V3Working {
		return text, at
	}
	if since, yes := c.rt.Unresponsive(); yes && since.After(at) {
		text, at = "Worker unresponsive!", since
	}
	if since := c.rt.coolDown; since.After(at) {
		text, at = "Worker is cooling down!", since
	}
	return text, at
}

// State is the state and, where that is HasError, its text.
func (c *V3Worker) State() (state, text string) {
	if n := c.failures(); n >= v3Needs && !c.halted {
		return V3HasError, fmt.Sprintf(v3RPCErrors, n) + c.refusal()
	}
	if text := c.starvedText(); text != "" {
		return V3HasError, text
	}
	return c.state, c.text
}

// Pruntime is the worker's enclave; nil until wm has heard from it.
func (c *V3Worker) Pruntime() *Pruntime {
	if !c.known {
		return nil
	}
	return c.rt
}

// Heights are wm's own counters, the newest blocks that it believes the pRuntime has.
func (c *V3Worker) Heights() (para, relay int64) {
	if c.counters != nil {
		return c.counters[0], c.counters[1]
	}
	return c.rt.Heights()
}
