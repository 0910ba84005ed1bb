package world

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"time"
)

// V3Action is what one can ask wm to do with a worker.
type V3Action string

// Actions of v3.
const (
	V3Restart         V3Action = "restart"
	V3ForceRegister   V3Action = "force_register"
	V3UpdateEndpoints V3Action = "update_endpoints"
	V3TakeCheckpoint  V3Action = "take_checkpoint" // v3.2
)

const (
	v3DropsAfter = time.Second      // from the request for a restart until the context is dropped
	v3AddsAfter  = 15 * time.Second // from then until the worker is added again
)

// V3NotFound is v3.0's answer to an unknown worker.
type V3NotFound struct{ ID string }

func (e V3NotFound) Error() string { return "worker not found: " + e.ID }

// V3Status is one worker as wm tells it.
type V3Status struct {
	Worker       V3Row
	State, Error string // Error is HasError's text
	Message      string
	At           time.Time
	Context      *V3Worker
}

// Workers are the states of all workers: v3.0 in the order of the inventory and without the disabled ones, v3.2 in no order
// that means anything.
func (b *V3Bridge) Workers() []V3Status {
	all := make([]V3Status, 0, len(b.contexts))
	for _, c := range b.contexts {
		if b.V30 && c.state == V3Disabled {
			continue
		}
		s := V3Status{Worker: c.Row, Context: c}
		s.State, s.Error = c.State()
		s.Message, s.At = c.Message()
		all = append(all, s)
	}
	if !b.V30 {
		place := make(map[string]string, len(all))
		for _, s := range all {
			place[s.Worker.ID] = fmt.Sprintf("%x", sha256.Sum256(fmt.Appendf(nil, "%d/%s", b.run, s.Worker.ID)))
		}
		slices.SortFunc(all, func(x, y V3Status) int { return cmp.Compare(place[x.Worker.ID], place[y.Worker.ID]) })
	}
	return all
}

// Act asks for an action; the reply comes before anything has happened. v3.2 passes over unknown and disabled workers,
// v3.0 refuses the unknown. endpoint is for V3UpdateEndpoints only.
func (b *V3Bridge) Act(a V3Action, ids []string) error {
	for _, id := range ids {
		c := b.context(id)
		switch {
		case c == nil && b.V30:
			return V3NotFound{id}
		case c == nil || c.state == V3Disabled || c.state == V3Restarting:
		default:
			b.w.did(string(a), c.name())
			c.act(a)
		}
	}
	return nil
}

func (c *V3Worker) act(a V3Action) {
	switch a {
	case V3Restart:
		state, _ := c.State()
		source, _ := c.b.source()
		fed := c.feeding && c.b.node() != nil
		c.b.w.judge(c.rt, c.name(), fed && state == V3Synchronizing, fed && state == V3Working, source)
		c.restart("Restarting, need to wait about 20 seconds")
	case V3ForceRegister:
		c.say("Requesting ForceRegister...")
		c.later(time.Second, func() {
			if c.started && !c.halted && c.rt.Answers() {
				c.submitRegister(func() {})
			}
		})
	case V3UpdateEndpoints:
		c.say("Requesting UpdateEndpoint...")
		c.later(time.Second, func() {
			works := !c.b.V30 || c.state == V3Working || c.state == V3Gatekeeper
			if works && c.started && !c.halted && c.rt.Answers() {
				c.submit("Update endpoint of worker.", "ShouldUpdateEndpoint failed. ", func() { c.say("Updated endpoints.") })
			}
		})
	case V3TakeCheckpoint:
		c.say("Requesting TakeCheckpoint...")
		c.later(time.Second, func() {
			if c.known && c.rt.Answers() {
				c.say(fmt.Sprintf("Checkpoint saved to #%d.", c.rt.TakeCheckpoint()))
			}
		})
	}
}

// restart drops the context, which makes a worker whose key is known vanish from the list, and adds the worker of the
// inventory again. The pRuntime's process is not touched.
func (c *V3Worker) restart(message string) {
	b := c.b
	c.run++
	c.unfeed()
	c.failing, c.starved, c.counters = time.Time{}, time.Time{}, nil
	c.state, c.text, c.halted = V3Restarting, "", false
	c.say(message)
	c.later(v3DropsAfter, func() {
		c.drop()
		if c.known {
			b.remove(c)
		}
		b.later(v3AddsAfter, func() {
			b.remove(c)
			if i := slices.IndexFunc(b.rows, func(r V3Row) bool { return r.ID == c.Row.ID }); i >= 0 && b.context(c.Row.ID) == nil {
				b.addContext(b.rows[i]).begin()
			}
		})
	})
}

const v3Switching = "Restarting due to switching Enabled|Disabled, SyncOnly|Compute, need to wait about 20 seconds"

// changed is a worker's new record: the endpoint holds at once, a switch restarts it.
func (c *V3Worker) changed(was, now V3Row) {
	c.Row = now
	if was.Endpoint != now.Endpoint {
		syncing := c.syncing
		c.unfeed()
		c.endpoint, c.rt = now.Endpoint, c.b.w.parts.pruntimes[strings.TrimSuffix(now.Endpoint, "/")]
		if syncing && c.rt != nil && c.rt.Answers() && c.started { // another pRuntime has other counters
			c.later(v3InfoEvery, c.mismatch)
		} else if c.rt == nil {
			c.started, c.failing, c.failEach = false, c.b.w.now, v3InfoEvery
		}
	}
	if c.state != V3Restarting && (was.Enabled != now.Enabled || was.SyncOnly != now.SyncOnly) {
		c.restart(v3Switching)
	}
}

// switchPool restarts the workers of a pool whose SyncOnly changed.
func (b *V3Bridge) switchPool(pid uint64) {
	if b.V30 {
		return
	}
	for _, c := range slices.Clone(b.contexts) {
		if c.Row.PID == pid && c.state != V3Disabled && c.state != V3Restarting {
			c.restart(v3Switching)
		}
	}
}

// Reload is PUT /wm/restart: v3.0 reads its inventory again. v3.2 does nothing and says so with false.
func (b *V3Bridge) Reload() bool {
	if !b.V30 {
		return false
	}
	b.w.did("reload", b.Name)
	for _, c := range b.contexts {
		c.run++
		c.unfeed()
		c.known, c.started = false, false
		c.failing, c.starved = time.Time{}, time.Time{}
		c.fail("WM reloaded!", true)
	}
	b.looping = false
	b.later(v3AddsAfter, func() {
		for _, c := range b.contexts {
			c.drop()
		}
		b.contexts = nil
		b.form()
	})
	return true
}
