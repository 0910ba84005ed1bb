package world

import (
	"strings"
	"time"
)

// sick names the error by which pRuntime's GetInfo fails; "" while it answers.
func (c *V0Context) sick() string {
	host, _, _ := strings.Cut(c.address(), ":")
	switch {
	case !strings.Contains(c.Worker.Endpoint, "://"):
		return "url"
	case c.rt == nil && strings.HasSuffix(host, ".invalid"):
		return "dns"
	case c.rt == nil || c.rt.Down():
		return "refused"
	case c.rt.Hung(), c.rt.manner == MannerHangs:
		return "timeout"
	case c.rt.manner == MannerFails:
		return "500"
	case c.rt.manner == MannerResets:
		return "reset"
	}
	return ""
}

// failsAfter is how long the HTTP client tries before it gives up with an error.
func failsAfter(kind string) time.Duration {
	switch kind {
	case "url":
		return 0
	case "timeout":
		return v0TimeOut
	}
	return v0Retries
}

func (c *V0Context) failLater(kind string) {
	c.later(failsAfter(kind), func() { c.fail(c.errorText(kind)) })
}

// running reports whether the sync has begun and is neither kicked nor in error.
func (c *V0Context) running() bool {
	switch c.state {
	case StateSynching, StateSynched, V0StatePreMining, V0StateMining:
		return true
	}
	return false
}

// lost is what the info loop makes of a pRuntime that has ceased to answer, whatever state the worker goes through
// meanwhile: one call that fails is enough.
func (c *V0Context) lost() {
	if c.losing {
		return
	}
	c.losing = true
	c.loss++
	loss := c.loss
	c.b.w.within(c.b.Name, failsAfter(c.sick())+v0Informs, func() {
		if c.gone || c.loss != loss || !c.losing {
			return
		}
		c.losing = false
		if kind := c.sick(); kind != "" && c.running() {
			c.fail(c.errorText(kind))
		}
	})
}

func (c *V0Context) address() string {
	_, after, found := strings.Cut(c.Worker.Endpoint, "://")
	if !found {
		return c.Worker.Endpoint
	}
	return after
}
