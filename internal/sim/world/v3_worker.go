package world

import (
	"math/rand/v2"
	"strconv"
	"strings"
	"time"
)

// States of a v3 worker.
const (
	V3Starting      = "Starting"
	V3Synchronizing = "Synchronizing"
	V3Preparing     = "Preparing"
	V3Working       = "Working"
	V3Gatekeeper    = "GatekeeperWorking" // v3.0 only
	V3HasError      = "HasError"
	V3Restarting    = "Restarting"
	V3Disabled      = "Disabled"
)

const (
	v3InfoEvery   = 5 * time.Second                                              // between two GetInfo
	v3RetryEvery  = 6 * time.Second                                              // between two attempts to make a sync request
	v3Needs       = 3                                                            // failures in a row before they show
	v3RPCErrors   = "Continously received %d RpcError from pRuntime. Last one: " //nolint:misspell // theirs
	v3NeedRestart = "Need Restart Manually! Worker Info is not matching prb internal status."
)

// V3Worker is what wm holds for a worker of its inventory.
type V3Worker struct {
	Row V3Row

	b        *V3Bridge
	rt       *Pruntime // nil: the endpoint leads nowhere
	endpoint string    // what it calls: the inventory's, or a newer one
	run      int       // grows when what was on its way becomes void
	gone     bool
	chance   *rand.Rand

	state, text string // text is HasError's
	message     string
	at          time.Time

	known   bool // GetInfo succeeded once: it knows the public key
	started bool // its lifecycle has begun, which only the first GetInfo can make it do
	syncing bool // it wants blocks for its pRuntime
	halted  bool // it needs a restart by hand
	mute    bool // a sync call was lost: nothing asks for the next one
	feeding bool
	boots   int // of the pRuntime, when the lifecycle began

	failing   time.Time     // since when calls to the pRuntime fail; zero: they do not
	failEach  time.Duration // and how long one takes
	starved   time.Time     // since when no sync request can be made; zero: it can
	fromCache bool          // it is so far behind that its headers come from the cache
	counters  *[2]int64     // what wm believes, once that differs from the pRuntime: para, relay
}

func (c *V3Worker) name() string { return c.b.Name + "/" + c.Row.Name }

func (c *V3Worker) later(after time.Duration, f func()) {
	run := c.run
	c.b.w.within(c.b.Name, after, func() {
		if !c.gone && c.run == run {
			f()
		}
	})
}

// spread is between least and twice as long.
func (c *V3Worker) spread(least time.Duration) time.Duration {
	if c.chance == nil {
		c.chance = c.b.w.Rand("v3/" + c.name() + "/" + strconv.Itoa(c.b.run))
	}
	return least + time.Duration(c.chance.Int64N(int64(least)))
}

// v30Text is what v3.0 says where v3.2 says something else.
func v30Text(text string) string {
	switch text {
	case "InitRuntime Starting...":
		return "Initializing pRuntime..."
	case "InitRuntime Completed.":
		return "Initialized pRuntime."
	case "LoadChainState Starting...":
		return "Trying to load chain state..."
	case "LoadChainState Completed.":
		return "Loaded chain state!"
	case "Start Synchronizing...":
		return "Now start synchronizing!"
	case "Start Preparing...":
		return "Reached latest finalized height, start preparing..."
	case "Register Starting...":
		return "Registering worker..."
	case "Worker Register Completed.":
		return "Register done."
	case "Computing Now!":
		return "Working now."
	}
	return text
}

func (c *V3Worker) say(text string) {
	if c.b.V30 {
		text = v30Text(text)
	}
	c.message, c.at = text, c.b.w.now
}

func (c *V3Worker) enter(state, text string) {
	c.state, c.text = state, ""
	c.say(text)
	c.refeed()
}

// fail marks an error in the state; say tells it as the last message too.
func (c *V3Worker) fail(text string, say bool) {
	c.state, c.text = V3HasError, text
	if say {
		c.say(text)
	}
}

// stop is fail for good, said aloud: what was on its way is void.
func (c *V3Worker) stop(text string) {
	c.run++
	c.syncing = false
	c.fail(text, true)
	c.refeed()
}

func (c *V3Worker) refeed() {
	feeding := c.syncing && !c.halted && !c.mute && c.rt != nil && !hasKind(c.rt.trouble, WorkerFreeze) && !c.b.Hung()
	if feeding != c.feeding {
		c.feeding = feeding
		c.rt.feed(c, feeding)
	}
}

func (c *V3Worker) drop() {
	c.gone = true
	c.unfeed()
}

func (c *V3Worker) unfeed() {
	c.syncing = false
	c.refeed()
}

// begin is a context that knows nothing yet.
func (c *V3Worker) begin() {
	c.unfeed()
	c.run++
	c.endpoint = c.Row.Endpoint
	c.rt = c.b.w.parts.pruntimes[strings.TrimSuffix(c.endpoint, "/")]
	c.known, c.started, c.halted, c.mute = false, false, false, false
	c.failing, c.starved, c.counters, c.fromCache = time.Time{}, time.Time{}, nil, false
	if !c.Row.Enabled {
		c.state, c.text, c.message = V3Disabled, "", ""
		return
	}
	if c.rt != nil {
		c.rt.trouble = withoutCured(c.rt.trouble)
	}
	c.state, c.text, c.message, c.at = V3Starting, "", "", c.b.w.now
	if c.b.V30 {
		c.message = "Starting lifecycle..."
	}
	c.later(c.spread(500*time.Millisecond), c.hello)
}

// hello is the first GetInfo. When it fails the lifecycle never begins: only a restart tries again.
func (c *V3Worker) hello() {
	switch {
	case c.rt == nil || c.rt.Down():
		c.fail("pRuntime returned an error: "+c.refusal(), true)
		c.failing, c.failEach = c.b.w.now, v3InfoEvery
	case c.rt.Hung():
		c.later(wmRPCTimeout, func() {
			c.fail("pRuntime returned an error: "+c.refusal(), true)
			c.failing, c.failEach = c.b.w.now, wmRPCTimeout
		})
	case hasKind(c.rt.trouble, WorkerStarting):
	default:
		c.greeted()
	}
}

func (c *V3Worker) greeted() {
	c.known, c.started, c.boots = true, true, c.rt.boots
	if !c.rt.Uninitialized {
		c.synchronise()
		return
	}
	c.say("InitRuntime Starting...")
	c.later(c.spread(2*time.Second), func() {
		c.rt.Uninitialized = false
		c.say("InitRuntime Completed.")
		c.say("LoadChainState Starting...")
		c.later(c.spread(10*time.Second), func() {
			c.rt.load(c.b.source())
			c.say("LoadChainState Completed.")
			c.synchronise()
		})
	})
}

func (c *V3Worker) behind() bool {
	para, relay := c.rt.Heights()
	sourcePara, sourceRelay := c.b.source()
	return c.b.node() == nil || para < sourcePara || relay < sourceRelay
}

func (c *V3Worker) synchronise() {
	c.syncing = true
	if !c.behind() {
		c.enter(V3Preparing, "Start Preparing...")
		c.later(c.spread(time.Second), c.register)
		return
	}
	c.enter(V3Synchronizing, "Start Synchronizing...")
	c.readsCache()
	c.sourceChanged()
	if t := find(c.rt.trouble, WorkerError); t != nil {
		c.later(c.spread(5*time.Second), func() { c.stop(t.text) })
		return
	}
	c.later(c.spread(time.Second), c.checkSync)
}

// checkSync goes on to the chain once the pRuntime has everything that the node has.
func (c *V3Worker) checkSync() {
	c.readsCache()
	c.sourceChanged()
	if c.behind() || !c.rt.Answers() || c.mute {
		para, _ := c.rt.Heights()
		source, _ := c.b.source()
		wait := time.Duration(float64(max(0, source-para)) / runtimeCatchUp * float64(time.Second))
		if c.fromCache || c.state == V3Synchronizing && c.b.node() == nil {
			wait = v3RetryEvery
		}
		c.later(min(max(2*time.Second, wait), 10*time.Minute), c.checkSync)
		return
	}
	if c.b.V30 {
		c.enter(V3Preparing, "Start Preparing...")
	}
	c.register()
}

func (c *V3Worker) settle() {
	c.begin()
	if !c.Row.Enabled || c.rt == nil {
		return
	}
	c.run++
	c.known, c.started, c.syncing, c.boots = true, true, true, c.rt.boots
	c.rt.load(c.b.source())
	if c.syncOnly() {
		c.enter(V3Preparing, "Start Preparing...")
	} else {
		c.complete()
	}
	c.rt.rebase()
}

func (c *V3Worker) refusal() string {
	call := "error sending request for url (" + c.endpoint + "/prpc/PhactoryAPI.GetInfo): "
	if c.rt != nil && c.rt.Hung() {
		return call + "operation timed out"
	}
	return call + "error trying to connect: tcp connect error: Connection refused (os error 111)"
}
