package memory

import (
	"maps"
	"slices"

	"phalops/internal/fleet"
)

func cloneReason(r fleet.Reason) fleet.Reason {
	r.Args = maps.Clone(r.Args)
	return r
}

func cloneReasons(in []fleet.Reason) []fleet.Reason {
	out := slices.Clone(in)
	for i := range out {
		out[i] = cloneReason(out[i])
	}
	return out
}

func clonePlan(p fleet.Plan) fleet.Plan {
	p.Targets, p.Locks, p.Untouched = slices.Clone(p.Targets), slices.Clone(p.Locks), slices.Clone(p.Untouched)
	p.Args, p.Counts = maps.Clone(p.Args), maps.Clone(p.Counts)
	p.Reason, p.Note = cloneReason(p.Reason), cloneReason(p.Note)
	p.Steps = slices.Clone(p.Steps)
	for i := range p.Steps {
		p.Steps[i] = cloneStep(p.Steps[i])
	}
	return p
}

func cloneStep(s fleet.Step) fleet.Step {
	s.Args, s.Note = maps.Clone(s.Args), maps.Clone(s.Note)
	s.Label, s.Result = cloneReason(s.Label), cloneReason(s.Result)
	return s
}

func cloneDecision(d fleet.Decision) fleet.Decision {
	d.Reason = cloneReason(d.Reason)
	d.Guards, d.Witnesses, d.Candidates = cloneReasons(d.Guards), cloneReasons(d.Witnesses), slices.Clone(d.Candidates)
	for i := range d.Candidates {
		c := &d.Candidates[i]
		c.Source = slices.Clone(c.Source)
		if c.Closed != nil {
			c.Closed = new(cloneReason(*c.Closed))
		}
	}
	return d
}

func cloneIncident(i fleet.Incident) fleet.Incident {
	i.Reason, i.Children, i.Decision = cloneReason(i.Reason), slices.Clone(i.Children), cloneDecision(i.Decision)
	return i
}

func cloneEvent(e fleet.Event) fleet.Event {
	e.Reason = cloneReason(e.Reason)
	if e.Decision != nil {
		d := cloneDecision(*e.Decision)
		e.Decision = &d
	}
	return e
}

func cloneMessage(m fleet.Message) fleet.Message {
	m.Title, m.Lines = cloneReason(m.Title), cloneReasons(m.Lines)
	return m
}

func cloneProbe(p fleet.Probe) fleet.Probe {
	p.Cause = cloneReason(p.Cause)
	return p
}

func clonePointer[T any](p *T) *T {
	if p == nil {
		return nil
	}
	v := *p
	return &v
}

func cloneChain(c *fleet.ChainStatus) *fleet.ChainStatus {
	if c = clonePointer(c); c != nil {
		c.Probe, c.Syncing = cloneProbe(c.Probe), clonePointer(c.Syncing)
	}
	return c
}

func cloneNode(n fleet.NodeStatus) fleet.NodeStatus {
	n.Para, n.Relay, n.Container = cloneChain(n.Para), cloneChain(n.Relay), clonePointer(n.Container)
	if n.Container != nil {
		n.Container.Probe, n.Container.Labels = cloneProbe(n.Container.Probe), maps.Clone(n.Container.Labels)
	}
	if n.Disk = clonePointer(n.Disk); n.Disk != nil {
		n.Disk.Probe = cloneProbe(n.Disk.Probe)
	}
	if n.Log = clonePointer(n.Log); n.Log != nil {
		n.Log.Probe, n.Log.Signs = cloneProbe(n.Log.Probe), slices.Clone(n.Log.Signs)
	}
	n.Caches = slices.Clone(n.Caches)
	for i := range n.Caches {
		n.Caches[i].Probe = cloneProbe(n.Caches[i].Probe)
	}
	return n
}

func cloneBridge(b fleet.BridgeStatus) fleet.BridgeStatus {
	b.Monitor, b.Lifecycle = cloneProbe(b.Monitor), cloneProbe(b.Lifecycle)
	b.DataProviders, b.Pools, b.Workers = slices.Clone(b.DataProviders), slices.Clone(b.Pools), slices.Clone(b.Workers)
	for i := range b.DataProviders {
		b.DataProviders[i].Probe = cloneProbe(b.DataProviders[i].Probe)
	}
	for i := range b.Workers {
		w := &b.Workers[i]
		w.Probe, w.Initialized = cloneProbe(w.Probe), clonePointer(w.Initialized)
	}
	return b
}
