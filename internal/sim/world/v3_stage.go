package world

import (
	"fmt"
	"strconv"
	"time"
)

// syncOnly is for a worker that never goes past its sync.
func (c *V3Worker) syncOnly() bool {
	p := c.b.pool(c.Row.PID)
	return c.Row.SyncOnly || p == nil || p.SyncOnly
}

// register, addToPool and start are the stages on chain. Each submits once: one that fails waits for a restart.
func (c *V3Worker) register() {
	switch {
	case c.syncOnly():
		if c.b.V30 {
			c.say(fmt.Sprintf("Sync only mode enabled for pool #%d", c.Row.PID))
		}
	case c.rt.unregistered:
		c.submitRegister(c.addToPool)
	default:
		c.addToPool()
	}
}

func (c *V3Worker) submitRegister(then func()) {
	c.say("Register Starting...")
	c.submit(fmt.Sprintf("Register worker for pool #%d", c.Row.PID), "", func() {
		c.rt.unregistered = false
		c.say("Worker Register Completed.")
		then()
	})
}

func (c *V3Worker) addToPool() {
	switch {
	case c.Row.Gatekeeper:
		c.complete()
	case c.rt.unbound:
		c.submit(fmt.Sprintf("Add worker 0x%s to pool #%d.", c.rt.PublicKey, c.Row.PID), "Failed to add_worker_to_pool. ", func() {
			c.rt.unbound, c.rt.left = false, false
			c.start()
		})
	default:
		c.start()
	}
}

func (c *V3Worker) start() {
	if !c.rt.idle {
		c.later(c.spread(time.Second), c.complete)
		return
	}
	if _, err := strconv.ParseUint(c.Row.Stake, 10, 64); err != nil {
		c.fail("Failed to start computing. invalid digit found in string", true)
		return
	}
	desc := fmt.Sprintf("Start computing for 0x%s with stake of %s in pool #%d.", c.rt.PublicKey, c.Row.Stake, c.Row.PID)
	c.submit(desc, "Failed to start computing. ", func() {
		c.rt.idle, c.rt.coolDown = false, time.Time{}
		c.complete()
	})
}

func (c *V3Worker) complete() {
	state := V3Working
	if c.Row.Gatekeeper && c.b.V30 {
		state = V3Gatekeeper
	}
	c.starved = time.Time{}
	c.enter(state, "Computing Now!")
}
