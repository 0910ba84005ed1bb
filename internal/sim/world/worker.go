package world

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"
)

// States of a v2 worker (monitors with walkie 1.3.1).
const (
	StateStarting  = "S_STARTING"
	StateSynching  = "S_SYNCHING"
	StateSynched   = "S_SYNCHED"
	StatePreActive = "S_PRE_ACTIVE"
	StateActive    = "S_ACTIVE"
	StateKicked    = "S_KICKED"
	StateError     = "S_ERROR"
)

const (
	reportEvery  = 400 * time.Millisecond // the runner tells its lifecycle every half second
	refusedAfter = 30 * time.Second       // S_STARTING against a closed port
	infoGivesUp  = 18 * time.Second       // six GetInfo, 3 s apart
	syncChecks   = 6 * time.Second        // how often an unfinished sync looks again when it cannot say how long it takes
	mqPolls      = 6 * time.Second
)

// Context is what a lifecycle holds for a running worker. It knows the worker's record as it was when the process began.
type Context struct {
	Worker Worker

	b        *Bridge
	rt       *Pruntime // nil: the endpoint leads nowhere
	syncOnly bool
	run      int // grows when what was on its way becomes void
	gone     bool

	state    string
	message  string
	at       time.Time
	feeding  bool
	reported bool // heights were told since the lifecycle began
	forceRA  bool
	chance   *rand.Rand
}

func (c *Context) name() string { return c.b.Name + "/" + c.Worker.Name }

func (c *Context) later(after time.Duration, f func()) {
	run := c.run
	c.b.w.within(c.b.Name, after, func() {
		if !c.gone && c.run == run {
			f()
		}
	})
}

// soon does f at the runner's next round, whatever state the context has got into by then.
func (c *Context) soon(f func()) {
	c.b.w.within(c.b.Name, reportEvery, func() {
		if !c.gone {
			f()
		}
	})
}

// spread is between least and twice as long.
func (c *Context) spread(least time.Duration) time.Duration {
	if c.chance == nil {
		c.chance = c.b.w.Rand("context/" + c.name() + "/" + strconv.Itoa(c.b.run))
	}
	return least + time.Duration(c.chance.Int64N(int64(least)))
}

func (c *Context) say(text string) {
	c.message, c.at = text, c.b.w.now
}

// enter changes the state; whatever was on its way is void.
func (c *Context) enter(state, text string) {
	c.run++
	c.state = state
	c.say(text)
	c.refeed()
	if c.rt != nil && !c.rt.Answers() {
		c.lost()
	}
}

// refeed sends blocks, or none, as the state, its process and its sync loop allow.
func (c *Context) refeed() {
	switch c.state {
	case StateSynching:
		c.feed(!hasKind(c.b.trouble, PeerFrozen))
	case StateSynched, StatePreActive, StateActive:
		c.feed(!hasKind(c.b.trouble, PeerFrozen) && !hasKind(c.rt.trouble, WorkerFreeze))
	default:
		c.feed(false)
	}
}

func (c *Context) feed(feeding bool) {
	if c.rt != nil && feeding != c.feeding {
		c.feeding = feeding
		c.rt.feed(c, feeding)
	}
}

// supply is what its lifecycle reads from the data provider.
func (c *Context) supply() (para, relay int64) { return c.b.source(c.b.w.now) }

func (c *Context) stood() {
	c.refeed()
	if !c.rt.Answers() {
		c.lost()
	}
}

// collided is a dispatch that the pRuntime refused because it has the block already.
func (c *Context) collided() { c.fail(ErrorText("BlockNumberMismatch", c.address())) }

func (c *Context) drop() {
	c.gone = true
	c.feed(false)
}

// fail is an exception: its text in quotes, because the bridge encodes it as JSON.
func (c *Context) fail(text string) { c.enter(StateError, text) }

// begin is the start of a context. Until the runner's next report the worker has neither state nor message.
func (c *Context) begin() {
	c.state, c.message = "", ""
	c.run++
	c.feed(false)
	if c.rt != nil {
		c.rt.trouble = withoutCured(c.rt.trouble)
	}
	c.later(reportEvery, c.start)
}

func (c *Context) start() {
	c.enter(StateStarting, "State changed from S_IDLE to S_STARTING")
	switch {
	case c.rt == nil || c.rt.Down():
		c.later(refusedAfter, func() { c.fail(errorJSON("connect ECONNREFUSED " + c.address())) })
	case c.rt.Hung():
		c.later(c.b.RPCTimeout, func() { c.fail(errorJSON(timeoutText(c.b.RPCTimeout))) })
	case hasKind(c.rt.trouble, WorkerStarting):
	default:
		c.later(c.spread(300*time.Millisecond), func() {
			c.say("Runtime already initialized.")
			c.later(c.spread(300*time.Millisecond), c.synchronise)
		})
	}
}

func (c *Context) synchronise() {
	c.reported, c.rt.Uninitialized = true, false
	c.enter(StateSynching, "Synching block data...")
	if t := find(c.rt.trouble, WorkerError); t != nil {
		c.later(c.spread(5*time.Second), func() { c.fail(t.text) })
		return
	}
	c.later(c.spread(time.Second), c.checkSync)
}

// checkSync leaves S_SYNCHING once the pRuntime has everything that the data provider has.
func (c *Context) checkSync() {
	para, _ := c.rt.Heights()
	source, _ := c.b.source(c.b.w.now)
	missing := source - para
	if missing <= 0 && c.b.provider() != nil && c.rt.Answers() {
		c.enter(StateSynched, "Synching message queue...")
		c.later(c.spread(3*time.Second), c.drainQueue)
		return
	}
	wait := syncChecks
	if missing > 0 {
		wait = max(time.Second, time.Duration(float64(missing)/runtimeCatchUp*float64(time.Second)))
	}
	c.later(min(wait, 10*time.Minute), c.checkSync)
}

// drainQueue waits until the messages of the pRuntime are on chain, which takes trade and redis-q.
func (c *Context) drainQueue() {
	if !c.b.trades() {
		c.later(mqPolls, c.drainQueue)
		return
	}
	switch {
	case c.forceRA:
		c.forceRA = false
		c.say("forceRa detected.")
		// The only report that v2 can build is an EPID one, and its service is gone.
		c.later(c.spread(5*time.Second), func() { c.fail(errorJSON("Request failed with status code 500")) })
	case c.syncOnly:
		c.say("Sync only mode enabled, skipping on-chain operations.")
	default:
		c.enter(StatePreActive, "Message queue synched.")
		c.later(c.spread(12*time.Second), func() { c.enter(StateActive, "Now the worker should be active.") })
	}
}

// restart drops the context and builds it anew from the record in memory, not from the database.
func (c *Context) restart() {
	c.soon(func() {
		reported := c.reported
		c.begin()
		c.state, c.message, c.reported = StateStarting, "State changed from S_IDLE to S_STARTING", reported
		c.at = c.b.w.now
	})
}

// kick stops the sync for good and asks the pRuntime to exit. In S_SYNCHED the cancelled wait ends in an error, null.
func (c *Context) kick() {
	c.soon(func() {
		if c.state == StateSynched {
			c.fail("null")
		} else {
			c.enter(StateKicked, "State changed from "+c.state+" to S_KICKED")
		}
		if c.rt != nil && c.rt.KickAPI && c.rt.Answers() {
			c.rt.reboot()
		}
	})
}

func (c *Context) settle() {
	c.reported = true
	if c.rt == nil {
		c.start()
		return
	}
	para, relay := c.b.source(c.b.w.now)
	c.rt.para.base, c.rt.relay.base = para, relay
	if c.syncOnly {
		c.enter(StateSynched, "Sync only mode enabled, skipping on-chain operations.")
	} else {
		c.enter(StateActive, "Now the worker should be active.")
	}
	c.rt.rebase()
}

// lost is what the info loop makes of a pRuntime that does not answer.
func (c *Context) lost() {
	if c.state == StateError || c.state == StateKicked || c.state == StateStarting || c.state == "" {
		return
	}
	c.later(infoGivesUp, func() {
		switch {
		case c.rt.Down():
			c.fail(errorJSON("connect ECONNREFUSED " + c.address()))
		case c.rt.Hung():
			c.fail(errorJSON(timeoutText(c.b.RPCTimeout)))
		}
	})
}

// State is the bridge's word; "" right after a start.
func (c *Context) State() string { return c.state }

// Message is lastMessage and its time. The chain's notice that the worker is unresponsive hides what was said before it,
// and stays until something else is said.
func (c *Context) Message() (text string, at time.Time) {
	text, at = c.message, c.at
	if c.rt == nil || c.state == "" {
		return text, at
	}
	if t := find(c.rt.trouble, WorkerMessage); t != nil && c.feeding && !t.since.Before(at) {
		text, at = t.text, t.since.Add(c.b.w.now.Sub(t.since).Truncate(mqPolls))
	}
	if since, yes := c.rt.Unresponsive(); yes && since.After(at) {
		text, at = noticeUnresponsive, since
	}
	return text, at
}

const noticeUnresponsive = "Notice: worker unresponsive!"

// keepNotice makes what Message derives from the present a thing of the past, because the present is about to change.
func (c *Context) keepNotice() {
	c.rt.keepLoss()
	c.message, c.at = c.Message()
}

// Heights are what the lifecycle tells of its pRuntime; false before the first report.
func (c *Context) Heights() (para, relay int64, known bool) {
	if c.rt == nil || !c.reported {
		return 0, 0, false
	}
	para, relay = c.rt.Heights()
	return para, relay, true
}

// Pruntime is the worker's enclave; nil when its endpoint leads nowhere.
func (c *Context) Pruntime() *Pruntime { return c.rt }

// Feeding reports whether it sends blocks.
func (c *Context) Feeding() bool { return c.feeding }

func (c *Context) address() string {
	_, after, found := strings.Cut(c.Worker.Endpoint, "://")
	if !found {
		return c.Worker.Endpoint
	}
	return after
}

func errorJSON(text string) string { return strconv.Quote("Error: " + text) }

func timeoutText(d time.Duration) string {
	return fmt.Sprintf("timeout of %dms exceeded", d.Milliseconds())
}

func find(ts []*trouble, kind string) *trouble {
	for _, t := range ts {
		if t.kind == kind {
			return t
		}
	}
	return nil
}
