package world

import (
	"cmp"
	"errors"
	"slices"
	"strings"
	"time"

	"phalops/internal/fleet"
)

// ErrReal is what the simulated engine says of a container whose process is a real one: starting and stopping it is for the
// engine that it really lives in.
var ErrReal = errors.New("a real container engine runs this container")

// Roles are what an image can be for, by name: the containers of a world, and its pRuntimes.
func Roles() []string {
	return []string{"headers-cache", "monitor", "node", "pherry", "prb", "pruntime", "redis", "wm"}
}

// Role is a real process that wants to be a part of the world.
type Role struct {
	Name   string // one of Roles
	Module string // of prb: PHALA_MODULE, for example lifecycle or utils/arena
	// Part is which one: a container's name, host/container where several hosts have one of that name, or a pRuntime's
	// endpoint with or without http://.
	Part string
	Args []string
	Env  map[string]string
	// End is told once, by whoever has the world, that the process has to end with an exit code. It must not block.
	End func(code int)
}

// Body is the real process of a part. The part runs exactly as long as it does.
type Body struct {
	part       string
	end        func(code int)
	terminated func()
	lost       func()
	gone       bool
}

// Part is the part's full name: node-1/phala-node, or a pRuntime's endpoint.
func (b *Body) Part() string { return b.part }

// Terminate says that the process got SIGTERM. End tells when the part is done with what it does then.
func (b *Body) Terminate() {
	if !b.gone {
		b.terminated()
	}
}

// Lost says that the process is gone without a word: SIGKILL. After End it means nothing.
func (b *Body) Lost() {
	if !b.gone {
		b.lost()
	}
}

// finish tells the process that it has to end, unless it has.
func (b *Body) finish(code int) {
	if b != nil && !b.gone {
		b.gone = true
		b.end(code)
	}
}

// Join gives a part a real process. The first one takes over from the simulated process where that runs, so that nothing of
// the world notices; from then on only real processes start the part. It is an error of fleet when there is no such part, it
// is of another role, has a process, or cannot start now.
func (w *World) Join(r Role) (*Body, error) {
	if !slices.Contains(Roles(), r.Name) {
		return nil, fleet.Fail(fleet.Invalid, fleet.Because("sim.role_unknown", "role", r.Name, "roles", strings.Join(Roles(), ", ")))
	}
	if r.Name == "pruntime" {
		return w.joinPruntime(r)
	}
	all := w.roles()
	var found []rolePart
	for _, p := range all {
		if r.Part == p.c.Name || r.Part == p.full() {
			found = append(found, p)
		}
	}
	role := (&rolePart{name: r.Name, module: moduleService(r.Module)}).role()
	switch {
	case len(found) == 0:
		return nil, fleet.Fail(fleet.NotFound, fleet.Because("sim.role_no_part", "part", r.Part, "role", role, "parts", partsOf(all, role)))
	case len(found) > 1:
		return nil, fleet.Fail(fleet.Invalid, fleet.Because("sim.role_ambiguous", "part", r.Part, "parts", partsOf(found, "")))
	case found[0].role() != role:
		return nil, fleet.Fail(fleet.Invalid, fleet.Because("sim.role_other", "part", r.Part, "role", role, "real", found[0].role()))
	}
	p := found[0]
	b, err := p.c.embody(r.End, p.full())
	if err != nil {
		return nil, err
	}
	if p.set != nil {
		p.set(r)
	}
	return b, nil
}

// rolePart is a container that a real process can be.
type rolePart struct {
	name, module string
	c            *Container
	set          func(Role) // takes over what the image reads from its environment
}

func (p *rolePart) full() string { return p.c.host.Name + "/" + p.c.Name }

func (p *rolePart) role() string {
	if p.module != "" {
		return p.name + " " + p.module
	}
	return p.name
}

// moduleService is the compose service that runs a module of prb.
func moduleService(module string) string { return module[strings.LastIndexByte(module, '/')+1:] }

// roles are all containers that a real process can be.
func (w *World) roles() []rolePart {
	var all []rolePart
	own := map[*Container]rolePart{}
	for _, n := range w.Nodes() {
		own[n.container] = rolePart{name: "node"}
	}
	for _, h := range w.HeadersCaches() {
		own[h.container] = rolePart{name: "headers-cache", set: h.configure}
	}
	for _, p := range w.Pherries() {
		own[p.container] = rolePart{name: "pherry"}
	}
	for _, d := range w.DataProviders() {
		own[d.container] = rolePart{name: "prb", module: "data_provider"}
	}
	for _, b := range w.Bridges() {
		own[b.lifecycle] = rolePart{name: "prb", module: "lifecycle", set: b.configure}
	}
	for _, h := range w.Hosts() {
		for _, c := range h.Containers() {
			p, ok := own[c]
			if !ok {
				p = rolePart{name: c.Service}
			}
			switch c.Service {
			case "io", "inspect", "fetch", "trade", "lifecycle", "arena":
				p.name, p.module = "prb", c.Service
			case "redis-q":
				p.name = "redis"
			case "redis", "monitor", "wm":
			default:
				if !ok {
					continue // nothing is known of it
				}
			}
			p.c = c
			all = append(all, p)
		}
	}
	return all
}

// partsOf names the parts that a role could be; "" for all.
func partsOf(all []rolePart, role string) string {
	var names []string
	for _, p := range all {
		if role == "" || p.role() == role {
			names = append(names, p.full())
		}
	}
	return cmp.Or(strings.Join(names, ", "), "–")
}

// embody gives the container a real process.
func (c *Container) embody(end func(int), part string) (*Body, error) {
	switch {
	case c.body != nil:
		return nil, fleet.Fail(fleet.Locked, fleet.Because("sim.role_taken", "part", part))
	case c.host.dark:
		return nil, fleet.Fail(fleet.Unavailable, fleet.Because("sim.role_dark", "host", c.host.Name))
	case c.stopping:
		return nil, fleet.Fail(fleet.Locked, fleet.Because("sim.role_stopping", "part", part))
	case c.StartError != "":
		return nil, fleet.Fail(fleet.Failed, fleet.Because("sim.role_start_error", "part", part, "err", c.StartError))
	}
	b := &Body{part: part, end: end}
	b.terminated = func() {
		if !c.stopping {
			c.host.effect(EffectStop, c)
			c.again = false
			c.terminate(-1)
		}
	}
	b.lost = func() {
		b.gone = true
		c.again, c.stopping = false, true
		c.kill()
	}
	c.body, c.real = b, true
	if !c.Running() {
		c.failure = nil
		c.begin()
		c.after(c.StartTakes, c.rise)
	}
	return b, nil
}

// disembody ends the real process, if there is one, with its container's.
func (c *Container) disembody(code int) {
	b := c.body
	c.body = nil
	b.finish(code)
}

// configure takes over what a v2 lifecycle reads from its environment; what is not set has the code's own defaults.
func (b *Bridge) configure(r Role) {
	b.ConfigMode = r.Env["PHALA_LIFECYCLE_CONFIG_MODE"] == "true"
	b.RPCTimeout = or(milliseconds(r.Env["PHALA_PRPC_REQUEST_TIMEOUT"]), 8*time.Second)
	b.BlobTimeout = or(milliseconds(r.Env["PHALA_BLOB_REQUEST_TIMEOUT"]), 150*time.Second)
}

func (h *HeadersCache) configure(r Role) {
	h.Interval = 30 * time.Second
	if s, ok := argument(r.Args, "--interval"); ok {
		h.Interval = or(milliseconds(s)*1000, h.Interval)
	}
}
