package world

import "time"

// States of a v0 worker that v2 calls by another name.
const (
	V0StatePreMining = "S_PRE_MINING"
	V0StateMining    = "S_MINING"
)

// Times of the real state machine.
const (
	v0Info       = 4 * time.Millisecond    // GetInfo
	v0Subscribes = 2 * time.Millisecond    // chain state and pool
	v0Headers    = 150 * time.Millisecond  // the first header call
	v0Blocks     = 6100 * time.Millisecond // the first look at whether there are blocks to send, and every further one
	v0Pause      = 12 * time.Second        // S_PRE_MINING
	v0Retries    = 31250 * time.Millisecond
	v0TimeOut    = v0Retries + 6*30*time.Second
	v0Informs    = 3 * time.Second // GetInfo of a running worker
)

// V0Context is what a v0 lifecycle holds for a running worker: its record as it was when the context was made, and what
// has been learned since then. Nothing survives a restart.
type V0Context struct {
	Worker Worker

	b    *V0Bridge
	rt   *Pruntime // nil: the endpoint leads nowhere
	run  int       // grows when what was on its way becomes void
	gone bool

	state, message  string
	at              time.Time
	feeding         bool
	losing          bool // its info loop waits for an answer
	loss            int
	informed        bool // GetInfo has answered
	begun           bool // it knows the chain and has begun to sync
	headers, blocks bool // pRuntime has acknowledged some
}

func (c *V0Context) name() string { return c.b.Name + "/" + c.Worker.Name }

func (c *V0Context) later(after time.Duration, f func()) {
	run := c.run
	c.b.w.within(c.b.Name, after, func() {
		if !c.gone && c.run == run {
			f()
		}
	})
}

// supply is what io has blobs of.
func (c *V0Context) supply() (para, relay int64) { return c.b.fetcher.blobs() }

func (c *V0Context) say(text string) { c.message, c.at = text, c.b.w.now }

// enter changes the state; whatever was on its way is void.
func (c *V0Context) enter(state, text string) {
	c.run++
	c.state = state
	c.say(text)
	c.refeed()
	if c.running() && c.sick() != "" {
		c.lost()
	}
}

// move is a transition that says so.
func (c *V0Context) move(state string) {
	c.enter(state, "State changed from "+or(c.state, "S_IDLE")+" to "+state)
}

func (c *V0Context) fail(text string) { c.enter(StateError, text) }

// refeed sends blocks, or none, as the state, the processes and the sync loop allow.
func (c *V0Context) refeed() {
	feeding := c.running() && c.blocks && c.b.database && !hasKind(c.b.trouble, PeerFrozen) && !hasKind(c.rt.trouble, WorkerFreeze)
	if c.rt != nil && feeding != c.feeding {
		c.feeding = feeding
		c.rt.feed(c, feeding)
	}
}

func (c *V0Context) stood() {
	c.refeed()
	if c.sick() == "" {
		c.losing = false
	} else if c.running() {
		c.lost()
	}
}

func (c *V0Context) collided() { c.fail(c.errorText("BlockNumberMismatch")) }

func (c *V0Context) drop() {
	c.gone = true
	c.state = ""
	c.refeed()
}

func (c *V0Context) begin() {
	if c.rt != nil {
		c.rt.trouble = withoutCured(c.rt.trouble)
	}
	c.move(StateStarting)
	switch kind := c.sick(); {
	case kind != "":
		c.failLater(kind)
	case hasKind(c.rt.trouble, WorkerStarting):
	default:
		c.later(v0Info, func() {
			c.informed = true
			c.check()
		})
	}
}

// check is the rest of S_STARTING.
func (c *V0Context) check() {
	switch c.rt.manner {
	case MannerUninitialised, MannerUnregistered:
		c.failLater("timeout")
	case MannerOtherPool:
		c.fail(c.errorText("pool"))
	default:
		c.later(v0Subscribes, c.synchronise)
	}
}

func (c *V0Context) synchronise() {
	c.begun = true
	c.enter(StateSynching, "Synching block data...")
	failure := find(c.rt.trouble, WorkerError)
	switch m := c.rt.manner; {
	case failure != nil:
		c.later(v0Headers, func() { c.fail(failure.text) })
		return
	case m == MannerHeadersHang:
		c.later(v0TimeOut, func() { c.fail(c.errorText("timeout")) })
		return
	case m == MannerHeadersRefused:
		c.later(v0Headers, func() { c.fail(c.errorText("HeaderHashMismatch")) })
		return
	case m == MannerNumberRefused:
		c.later(v0Headers, func() { c.fail(c.errorText("BlockNumberMismatch")) })
		return
	case m == MannerNoJSON:
		c.later(v0Headers, func() { c.fail(c.errorText("json")) })
		return
	}
	c.later(v0Headers, func() { c.headers = true })
	c.later(v0Blocks, c.dispatch)
}

func (c *V0Context) dispatch() {
	switch c.rt.manner {
	case MannerBlocksHang:
		c.later(v0TimeOut, func() { c.fail(c.errorText("timeout")) })
		return
	case MannerBlocksRefused:
		c.fail(c.errorText("NoStateRoot"))
		return
	}
	if !c.b.database {
		c.later(v0Blocks, c.dispatch)
		return
	}
	c.blocks = true
	c.refeed()
	c.checkSync()
}

// checkSync leaves S_SYNCHING once fetch has been in step and the pRuntime has exactly the newest block that io has.
func (c *V0Context) checkSync() {
	source, _ := c.supply()
	para, _ := c.rt.Heights()
	missing := source - para
	if missing <= 0 && c.b.fetcher.inStep() && c.feeding && c.rt.manner != MannerBehind && c.rt.Answers() {
		c.synched()
		return
	}
	wait := syncChecks
	if missing > 0 {
		wait = min(10*time.Minute, max(v0Headers, time.Duration(float64(missing)/runtimeCatchUp*float64(time.Second))))
	}
	c.later(wait, c.checkSync)
}

func (c *V0Context) synched() {
	c.enter(StateSynched, "Synching message queue...")
	if c.rt.manner == MannerQueueHangs {
		return
	}
	c.drainQueue()
}

// drainQueue waits until the messages of the pRuntime are on chain, which takes trade and redis-q.
func (c *V0Context) drainQueue() {
	if !c.b.trades() {
		c.later(mqPolls, c.drainQueue)
		return
	}
	c.move(V0StatePreMining)
	c.later(v0Pause, c.mine)
}

func (c *V0Context) mine() {
	switch c.rt.manner {
	case MannerCoolsDown:
		c.say("Waiting until worker ready...")
	case MannerStays, MannerUnbound:
		c.say("Starting mining on chain...")
	case MannerPoolless:
		c.say("Adding worker on chain...")
	case MannerCannotStart:
		c.fail(c.errorText("trader"))
	default:
		c.enter(V0StateMining, "Now the worker should be mining.")
	}
}

// kick stops the sync for good and asks the pRuntime to exit. In S_SYNCHED the wait that it cancels ends in an error, null.
func (c *V0Context) kick() {
	if c.state == StateSynched {
		c.fail("null")
	} else {
		c.move(StateKicked)
	}
	c.b.kick(c.rt, 0)
}

// kick asks pRuntime to exit. The exit breaks the call, and the HTTP client repeats it, up to five times, whatever became
// of the worker meanwhile.
func (b *V0Bridge) kick(rt *Pruntime, tries int) {
	if rt == nil || rt.Answers() && !rt.KickAPI {
		return
	}
	if rt.Answers() {
		rt.reboot()
	}
	if tries < 5 {
		b.later(time.Second<<tries, func() { b.kick(rt, tries+1) })
	}
}

func (c *V0Context) settle() {
	if c.sick() != "" {
		c.begin()
		return
	}
	c.informed, c.begun, c.headers, c.blocks = true, true, true, true
	para, relay := c.supply()
	c.rt.para.base, c.rt.relay.base = para, relay
	c.enter(V0StateMining, "Now the worker should be mining.")
	c.rt.rebase()
}
