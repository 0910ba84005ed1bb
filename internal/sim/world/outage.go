package world

import "time"

// keptOutages is how many outages a pRuntime remembers one by one.
const keptOutages = 16

// outage is a time in which the chain called a worker unresponsive: nothing grew.
type outage struct{ from, to time.Time }

// keepLoss writes down that the chain calls it unresponsive, because it is about to go on: until when is estimated from
// what it has to catch up with.
func (p *Pruntime) keepLoss() {
	if p == nil {
		return
	}
	since, late := p.Unresponsive()
	if !late {
		return
	}
	back := p.w.now.Add(time.Duration(float64(p.Lag()) / runtimeCatchUp * float64(time.Second)))
	if n := len(p.outages); n > 0 && !since.After(p.outages[n-1].to) {
		p.outages[n-1].to = later(p.outages[n-1].to, back)
		return
	}
	if len(p.outages) == keptOutages {
		p.lost += p.outages[0].to.Sub(p.outages[0].from)
		p.outages = p.outages[1:]
	}
	p.outages = append(p.outages, outage{since, back})
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// earned is for how long it had earned at t, without the times in which it was unresponsive; out is since when it was so at t,
// zero for not at all.
func (p *Pruntime) earned(t time.Time) (d time.Duration, out time.Time) {
	now := p.w.now
	if since, late := p.Unresponsive(); late && !t.Before(since) {
		t, out = since, since
	}
	d = t.Sub(p.born) - p.lost
	for _, o := range p.outages {
		if t.Before(o.from) {
			continue
		}
		end := o.to
		if t.Before(end) {
			end = t
			if o.to.Before(now) {
				out = o.from
			}
		}
		d -= end.Sub(o.from)
	}
	return max(0, d), out
}
