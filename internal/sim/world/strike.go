package world

import (
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
)

// strike makes a fault happen. name gives it its own luck.
func (w *World) strike(f Fault, name string) {
	hit := w.targets(f, name)
	for _, t := range hit {
		w.struck = append(w.struck, Record{w.now, f.Kind, t.name})
		t.strike(f)
	}
	if len(hit) == 0 {
		w.struck = append(w.struck, Record{w.now, f.Kind, ""})
	}
}

// victim is something that a fault can strike.
type victim struct {
	name   string
	strike func(Fault)
}

// targets chooses the fault's victims among everything of its sort, in the order of the names.
func (w *World) targets(f Fault, name string) []victim {
	all := w.victims(f.Kind)
	if count, ok := strings.CutPrefix(f.Target, "random:"); ok {
		n, _ := strconv.Atoi(count) // Check has seen that it is a number
		w.Rand("fault/"+name).Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		all = all[:min(n, len(all))]
		slices.SortFunc(all, func(a, b victim) int { return strings.Compare(a.name, b.name) })
		return all
	}
	return slices.DeleteFunc(all, func(v victim) bool { return !matches(f.Target, v.name) })
}

// matches takes a pattern for the whole name, or for what follows the bridge in it.
func matches(pattern, name string) bool {
	if _, short, ok := strings.Cut(name, "/"); ok && !strings.Contains(pattern, "/") {
		name = short
	}
	ok, err := path.Match(pattern, name)
	return ok && err == nil
}

func (w *World) victims(kind string) []victim {
	if all, ok := w.disasters(kind); ok {
		return all
	}
	var all []victim
	what, _, _ := strings.Cut(kind, ".")
	switch what {
	case "chain":
		for _, n := range w.Networks() {
			all = append(all, victim{n.Name, func(f Fault) { w.haltNetwork(n, f) }})
		}
	case "node", "rpc", "ws":
		for _, n := range w.Nodes() {
			all = append(all, victim{n.Name, n.strike})
		}
	case "dp":
		for _, d := range w.DataProviders() {
			all = append(all, victim{d.Name, d.strike})
		}
	case "peer":
		for _, b := range w.Bridges() {
			all = append(all, victim{b.Name, b.strike})
		}
		for _, d := range w.DataProviders() {
			all = append(all, victim{d.Name, d.strike})
		}
	case "lifecycle", "monitor", "bridge":
		for _, b := range w.Bridges() {
			all = append(all, victim{b.Name, b.strike})
		}
	case "host":
		for _, h := range w.Hosts() {
			all = append(all, victim{h.Name, h.strike})
		}
	case "robot":
		for _, r := range w.Robots() {
			all = append(all, victim{r.Name, r.strike})
		}
	case "worker", "pruntime":
		for _, b := range w.Bridges() {
			for _, c := range b.contexts {
				if c.rt != nil {
					all = append(all, victim{c.name(), c.strike})
				}
			}
		}
	}
	for _, k := range w.kin() {
		all = append(all, k.victims(what)...)
	}
	if what == "worker" || what == "pruntime" {
		slices.SortStableFunc(all, func(a, b victim) int { return strings.Compare(a.name, b.name) })
	}
	return all
}

func (w *World) newTrouble(f Fault) *trouble {
	return &trouble{kind: f.Kind, chain: f.Chain, text: f.Text, curedBy: or(f.CuredBy, CuredByRestart), delay: f.Delay, since: w.now}
}

// heal ends one trouble after the fault's For, if it has one.
func (w *World) heal(f Fault, end func()) { w.healWithin("", f, end) }

// healWithin is heal of what concerns one bridge and its workers only.
func (w *World) healWithin(bridge string, f Fault, end func()) {
	if f.For > 0 {
		w.within(bridge, f.For, end)
	}
}

// scope is the only bridge that a fault concerns: a worker's fault strikes nobody else. "" is everybody.
func (f Fault) scope() string {
	what, _, _ := strings.Cut(f.Kind, ".")
	bridge, _, exact := strings.Cut(f.Target, "/")
	if what != "worker" && what != "pruntime" || !exact || strings.ContainsAny(bridge, `*?[\`) {
		return ""
	}
	return bridge
}

func without[T any](ts []*T, t *T) []*T {
	return slices.DeleteFunc(ts, func(o *T) bool { return o == t })
}

func (w *World) haltNetwork(n *Network, f Fault) {
	chains := []*Chain{n.Para, n.Relay}
	switch f.Chain {
	case "para":
		chains = chains[:1]
	case "relay": // without its relay chain a parachain makes no blocks either
	}
	w.rebaseAll()
	for _, c := range chains {
		c.halt(w.now)
	}
	w.heal(f, func() {
		w.rebaseAll()
		for _, c := range chains {
			c.resume(w.now)
		}
	})
}

// rebaseAll fixes every height and notice at the present.
func (w *World) rebaseAll() {
	for _, b := range w.Bridges() {
		b.keepNotices()
		b.rebase()
	}
	for _, k := range w.kin() {
		k.keepNotices(nil)
		k.rebase()
	}
}

func (n *Node) strike(f Fault) {
	if f.Kind == NodeCrash {
		n.container.Exit(1)
		return
	}
	t := n.w.newTrouble(f)
	n.trouble = append(n.trouble, t)
	n.refresh()
	n.w.heal(f, func() {
		n.trouble = without(n.trouble, t)
		n.refresh()
	})
}

func (d *DataProvider) strike(f Fault) {
	if f.Kind == ProviderCrash {
		d.container.Exit(1)
		return
	}
	t := d.w.newTrouble(f)
	d.trouble = append(d.trouble, t)
	d.refresh()
	d.w.heal(f, func() {
		d.trouble = without(d.trouble, t)
		for _, b := range d.w.Bridges() {
			if slices.Contains(b.Providers, d) {
				b.keepNotices()
			}
		}
		d.refresh()
	})
}

func (b *Bridge) strike(f Fault) {
	switch f.Kind {
	case LifecycleCrash:
		b.lifecycle.Exit(1)
		return
	case MonitorCrash:
		or(b.MonitorOf, b).monitor.Exit(1)
		return
	case MonitorHang:
		b = or(b.MonitorOf, b)
	}
	t := b.w.newTrouble(f)
	b.trouble = append(b.trouble, t)
	b.refeed()
	b.w.heal(f, func() {
		b.trouble = without(b.trouble, t)
		b.keepNotices()
		b.refeed()
	})
}

func (h *Host) strike(f Fault) {
	h.Down = true
	h.w.heal(f, func() { h.Down = false })
}

func (r *Robot) strike(f Fault) {
	r.Down = or(RobotDown(f.Text), Robot5xx)
	r.w.heal(f, func() { r.Down = RobotUp })
}

// refeed makes every context feed, or not, as its state and the process allow.
func (b *Bridge) refeed() {
	for _, c := range b.contexts {
		c.refeed()
	}
}

func (c *Context) strike(f Fault) {
	if f.Kind == WorkerError {
		f.Text = ErrorText(f.Text, c.address())
	}
	if f.Kind == WorkerMessage {
		f.Text = or(f.Text, "Error while synching mq egress: Error: timeout of 8000ms exceeded")
	}
	t, rt := c.b.w.newTrouble(f), c.rt
	if f.Kind == PruntimeHang || f.Kind == PruntimeDown || f.Kind == WorkerPause {
		t.curedBy = or(f.CuredBy, CuredByNothing) // a restart at the bridge does not touch the enclave
	}
	rt.trouble = append(rt.trouble, t)
	switch f.Kind {
	case WorkerError:
		c.fail(t.text)
	case WorkerStarting:
		c.enter(StateStarting, "State changed from S_IDLE to S_STARTING")
	case WorkerFreeze:
		c.refeed()
	case PruntimeDown, PruntimeHang, WorkerPause:
		rt.stand()
	}
	c.b.w.healWithin(c.b.Name, f, func() {
		if f.Kind == WorkerMessage {
			c.keepNotice() // success does not clear it
		}
		rt.trouble = without(rt.trouble, t)
		rt.stand()
	})
}

// stand draws the consequences of a trouble that came or went.
func (p *Pruntime) stand() {
	for _, f := range p.holders() {
		f.keepNotice()
		f.stood()
	}
	p.rebase()
	p.refresh()
}

// holders are all who have this pRuntime among their workers, feeding or not.
func (p *Pruntime) holders() []feeder {
	var all []feeder
	for _, b := range p.w.Bridges() {
		for _, c := range b.contexts {
			if c.rt == p {
				all = append(all, c)
			}
		}
	}
	for _, k := range p.w.kin() {
		all = append(all, k.holders(p)...)
	}
	return all
}

const (
	rebootTakes    = 15 * time.Second // less than it takes a lifecycle to call it an error
	checkpointBack = 25               // blocks that a pRuntime loses: it goes on from its checkpoint
)

// reboot is a pRuntime that exits and is brought back by its supervisor.
func (p *Pruntime) reboot() {
	if p.real {
		if p.body != nil {
			p.leave(0)
		}
		return
	}
	t := p.fall()
	p.w.After(rebootTakes, func() { p.comeBack(t) })
}

// fall is the end of its process.
func (p *Pruntime) fall() *trouble {
	t := &trouble{kind: PruntimeDown, curedBy: CuredByNothing, since: p.w.now}
	p.trouble = append(withoutKind(p.trouble, PruntimeHang), t)
	p.boots++
	p.stand()
	return t
}

// comeBack is a process that is ready again, at its last checkpoint.
func (p *Pruntime) comeBack(t *trouble) {
	p.trouble = without(p.trouble, t)
	p.stand()
	p.para.base -= checkpointBack
	p.relay.base -= 2 * checkpointBack
}
