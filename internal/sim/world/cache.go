package world

import "time"

// HeadersCacheSpec describes a headers-cache.
type HeadersCacheSpec struct {
	Name, Host, Container string
	Node                  *Node
	Port                  uint16        // default 22111
	Interval              time.Duration // between two looks at its node; default 60 s
}

// HeadersCache keeps the relay chain's headers from Genesis on. It follows its node by steps, and its database outlives its
// process.
type HeadersCache struct {
	HeadersCacheSpec

	w         *World
	container *Container
	up        bool
	run       int
	highest   int64
	trouble   []*trouble
}

// justificationEvery is how many headers lie between two that can be checked by themselves.
const justificationEvery = 512

// AddHeadersCache puts a headers-cache on a host that exists. It has everything that its node has.
func (w *World) AddHeadersCache(s HeadersCacheSpec, c Container) *HeadersCache {
	s.Port, s.Interval = or(s.Port, 22111), or(s.Interval, time.Minute)
	h := &HeadersCache{HeadersCacheSpec: s, w: w}
	c.Name, c.RestartAlways = s.Container, true
	c.Image = or(c.Image, "phalanetwork/headers-cache:latest")
	c.StartTakes, c.StopTakes = or(c.StartTakes, time.Second), or(c.StopTakes, time.Second)
	c.OnStart = func() {
		h.up = true
		h.run++
		h.grab(h.run)
	}
	c.OnExit = func(int) {
		h.up = false
		h.run++
		h.trouble = withoutCured(h.trouble)
	}
	h.container = w.Host(s.Host).Add(&c)
	h.highest = s.Node.relay.Finalized(w.now)
	w.parts.caches[s.Name] = h
	return h
}

// grab takes what its node has, and again after the interval.
func (h *HeadersCache) grab(run int) {
	if !h.up || h.run != run {
		return
	}
	if h.Node.linked && !hasKind(h.trouble, CacheStale) && !h.w.Host(h.Host).DiskFull {
		h.highest = max(h.highest, h.Node.relay.Finalized(h.w.now))
	}
	h.w.within("cache/"+h.Name, h.Interval, func() { h.grab(run) })
}

// HeadersCaches are all headers-caches in the order of their names.
func (w *World) HeadersCaches() []*HeadersCache { return inOrder(w.parts.caches) }

// HeadersCache finds a headers-cache; nil when there is none of that name.
func (w *World) HeadersCache(name string) *HeadersCache { return w.parts.caches[name] }

// Listening reports whether its port is open.
func (h *HeadersCache) Listening() bool { return h.up }

// Genesis is the relay header that it begins with.
func (h *HeadersCache) Genesis() int64 { return h.Node.Network.StartHeader }

// Highest is its newest relay header.
func (h *HeadersCache) Highest() int64 { return h.highest }

// Justified is the newest of its headers with a justification.
func (h *HeadersCache) Justified() int64 {
	return max(h.Genesis(), h.highest-h.highest%justificationEvery)
}

// NextJustified is the first header from n on that has a justification.
func NextJustified(n int64) int64 {
	return (n + justificationEvery - 1) / justificationEvery * justificationEvery
}

// Chain is the relay chain whose headers it keeps.
func (h *HeadersCache) Chain() *Chain { return h.Node.Network.Relay }

func (h *HeadersCache) strike(f Fault) {
	t := h.w.newTrouble(f)
	h.trouble = append(h.trouble, t)
	h.w.heal(f, func() { h.trouble = without(h.trouble, t) })
}
