package world

import "time"

// ContainPruntime puts a pRuntime into a container on a host that exists: it answers while the process is up, and goes on
// from its checkpoint after each. The container must be booted; until then the pRuntime runs without one.
func (w *World) ContainPruntime(endpoint, host string, c Container) *Container {
	p := w.parts.pruntimes[endpoint]
	c.Image = or(c.Image, "phalanetwork/phala-pruntime:latest")
	c.StartTakes, c.StopTakes = or(c.StartTakes, rebootTakes), or(c.StopTakes, 2*time.Second)
	var fallen *trouble
	c.OnExit = func(int) {
		if fallen == nil {
			fallen = p.fall()
		}
	}
	c.OnStart = func() {
		if t := fallen; t != nil {
			fallen = nil
			p.comeBack(t)
		}
	}
	return w.Host(host).Add(&c)
}

// Rewind puts a pRuntime back by so many parachain blocks, as an older checkpoint does.
func (p *Pruntime) Rewind(blocks int64) {
	p.rebase()
	p.load(p.para.base-blocks, p.relay.base-2*blocks)
	p.refresh()
}
