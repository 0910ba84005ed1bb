package world

import "time"

const (
	pherryStarts = 3 * time.Second // from the process being up until it has met its node and its pRuntime
	pherryPauses = 2 * time.Second // --auto-restart
)

// PherrySpec describes the feeder of a machine that mines alone.
type PherrySpec struct {
	Name, Host, Container string
	Node                  *Node
	Pruntime              string // endpoint
}

// Pherry feeds one pRuntime from one node. It keeps no state, has no port, and starts over by itself, without end, when
// something fails.
type Pherry struct {
	PherrySpec

	w         *World
	container *Container
	rt        *Pruntime
	up        bool
	linked    bool
	feeding   bool
	run       int
}

// AddPherry puts a pherry on a host that exists. The pRuntime must exist.
func (w *World) AddPherry(s PherrySpec, c Container) *Pherry {
	p := &Pherry{PherrySpec: s, w: w, rt: w.parts.pruntimes[s.Pruntime]}
	c.Name, c.RestartAlways = s.Container, true
	c.StartTakes, c.StopTakes = or(c.StartTakes, time.Second), or(c.StopTakes, time.Second)
	c.OnStart = func() {
		p.up = true
		p.again(pherryStarts)
	}
	c.OnExit = func(int) {
		p.up = false
		p.rest()
	}
	p.container = w.Host(s.Host).Add(&c)
	w.parts.pherries[s.Name] = p
	w.parts.kin["pherry/"+s.Name] = p
	return p
}

// Pherries are all pherries in the order of their names.
func (w *World) Pherries() []*Pherry { return inOrder(w.parts.pherries) }

// Feeding reports whether it sends blocks.
func (p *Pherry) Feeding() bool { return p.feeding }

// again tries to begin after a pause, as often as it takes.
func (p *Pherry) again(pause time.Duration) {
	p.run++
	run := p.run
	p.w.After(pause, func() {
		if !p.up || p.run != run {
			return
		}
		if !p.Node.linked || !p.rt.Answers() {
			p.again(pherryPauses)
			return
		}
		p.begin()
	})
}

func (p *Pherry) begin() {
	p.linked, p.rt.Uninitialized, p.rt.unregistered = true, false, false
	if !p.feeding {
		p.feeding = true
		p.rt.feed(p, true)
	}
}

// rest ends what it does; whatever was on its way is void.
func (p *Pherry) rest() {
	p.run++
	if p.feeding {
		p.feeding = false
		p.rt.feed(p, false)
	}
	p.linked = false
}

func (p *Pherry) name() string { return p.Name }

func (p *Pherry) supply() (para, relay int64) {
	if !p.linked {
		return 0, 0
	}
	return p.Node.para.Finalized(p.w.now), p.Node.relay.Finalized(p.w.now)
}

func (p *Pherry) keepNotice() { p.rt.keepLoss() }

func (p *Pherry) stood() {
	if p.up && p.feeding && !p.rt.Answers() {
		p.rest()
		p.again(pherryPauses)
	}
}

// collided is an error, and an error is a new beginning: it fights for its pRuntime without end.
func (p *Pherry) collided() {
	p.rest()
	p.again(pherryPauses)
}

func (p *Pherry) settle() {
	if p.up && p.Node.linked && p.rt.Answers() {
		p.run++
		p.begin()
		p.rt.load(p.supply())
	}
}

func (p *Pherry) unlinked(n *Node) {
	if p.Node == n && p.up {
		p.w.After(linkLostAfter, func() {
			if p.up && !p.Node.linked {
				p.rest()
				p.again(pherryPauses)
			}
		})
	}
}

func (p *Pherry) fedBy(*Node) bool { return false }

func (p *Pherry) keepNotices(*Node) { p.rt.keepLoss() }

func (p *Pherry) rebase() {
	if p.feeding {
		p.rt.rebase()
	}
}

func (p *Pherry) holders(rt *Pruntime) []feeder {
	if p.rt == rt {
		return []feeder{p}
	}
	return nil
}

// victims: its pRuntime is a worker of its own, without a bridge that could say anything of it.
func (p *Pherry) victims(what string) []victim {
	if what != "pruntime" {
		return nil
	}
	return []victim{{p.Name, p.rt.suffer}}
}

// suffer is a trouble of the enclave itself.
func (p *Pruntime) suffer(f Fault) {
	t := p.w.newTrouble(f)
	t.curedBy = or(f.CuredBy, CuredByNothing)
	p.trouble = append(p.trouble, t)
	p.stand()
	p.w.heal(f, func() {
		p.trouble = without(p.trouble, t)
		p.stand()
	})
}
