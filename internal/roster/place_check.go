package roster

import (
	"cmp"
	"slices"

	"phalops/internal/fleet"
)

// seen is a worker that is there already or was accepted a moment ago.
type seen struct {
	bridge string // "" = accepted from the list
	line   int
	worker *fleet.WorkerStatus
}

// check decides what is already there, what is in the way, and which group everything else belongs to.
func (p *placer) check() {
	names, endpoints, keys := map[string][]seen{}, map[string][]seen{}, map[string][]seen{}
	for i := range p.bridges {
		b := &p.bridges[i]
		for j := range b.Workers {
			w := &b.Workers[j]
			s := seen{bridge: b.Name, worker: w}
			names[w.Name] = append(names[w.Name], s)
			endpoints[Key(w.Endpoint)] = append(endpoints[Key(w.Endpoint)], s)
			if w.PublicKey != "" {
				keys[w.PublicKey] = append(keys[w.PublicKey], s)
			}
		}
	}
	groups := map[string]*group{}
	for i := range p.placed {
		one := &p.placed[i]
		e := &one.Entry
		if !p.conflict(one, names[e.Name], endpoints[Key(e.Endpoint)], keys[e.PublicKey]) {
			continue
		}
		s := seen{line: e.Line}
		names[e.Name] = append(names[e.Name], s)
		endpoints[Key(e.Endpoint)] = append(endpoints[Key(e.Endpoint)], s)
		if e.PublicKey != "" {
			keys[e.PublicKey] = append(keys[e.PublicKey], s)
		}
		p.group(groups, i)
	}
	slices.SortFunc(p.groups, func(a, b *group) int {
		return cmp.Or(cmp.Compare(len(b.entries), len(a.entries)), cmp.Compare(a.pid, b.pid), cmp.Compare(a.entries[0], b.entries[0]))
	})
}

// conflict judges an entry against the workers that share its name, endpoint or key; true: it is new and nothing is in the way.
func (p *placer) conflict(one *Placed, byName, byEndpoint, byKey []seen) bool {
	e := &one.Entry
	for _, s := range byEndpoint {
		if s.worker == nil {
			return one.refuse("", fleet.Because("roster.twice_endpoint", "endpoint", e.Endpoint, "line", s.line))
		}
		if s.worker.Name == e.Name && (p.wanted(e) == "" || p.wanted(e) == s.bridge) {
			if s.worker.Condition == fleet.Leaving {
				return one.refuse(s.bridge, fleet.Because("roster.leaving", "bridge", s.bridge))
			}
			one.Fate, one.Bridge, one.Reason = Already, s.bridge, differs(e, s.worker)
			return false
		}
	}
	switch {
	case len(byEndpoint) > 0:
		s := byEndpoint[0]
		return one.refuse(s.bridge, fleet.Because("roster.taken_endpoint", "endpoint", e.Endpoint, "name", s.worker.Name, "bridge", s.bridge))
	case len(byName) > 0 && byName[0].worker == nil:
		return one.refuse("", fleet.Because("roster.twice_name", "name", e.Name, "line", byName[0].line))
	case len(byName) > 0:
		s := byName[0]
		return one.refuse(s.bridge, fleet.Because("roster.taken_name", "name", e.Name, "endpoint", s.worker.Endpoint, "bridge", s.bridge))
	case len(byKey) > 0 && byKey[0].worker == nil:
		return one.refuse("", fleet.Because("roster.twice_key", "line", byKey[0].line))
	case len(byKey) > 0:
		s := byKey[0]
		return one.refuse(s.bridge, fleet.Because("roster.taken_key", "name", s.worker.Name, "bridge", s.bridge))
	}
	return true
}

func (one *Placed) refuse(bridge string, why fleet.Reason) bool {
	one.Fate, one.Bridge, one.Reason = Refused, bridge, why
	return false
}

// differs says what is not as the list has it, for a worker that is there.
func differs(e *Entry, w *fleet.WorkerStatus) fleet.Reason {
	switch {
	case e.PID != nil && *e.PID != w.PID:
		return fleet.Because("roster.other_pool", "pid", w.PID, "want", *e.PID)
	case e.Stake != nil && (!w.StakeOK || *e.Stake != w.Stake):
		return fleet.Because("roster.other_stake", "stake", w.Stake.PHA(), "want", e.Stake.PHA())
	}
	return fleet.Reason{}
}

// wanted is the bridge that an entry must go to, "" when any will do.
func (p *placer) wanted(e *Entry) string {
	if p.o.Bridge != "" {
		return p.o.Bridge
	}
	return e.Bridge
}

// StakeTooSmall reports whether a bridge of a version cannot live with a worker of this stake: below 1 PHA, v0 never starts
// it and v2 ends its whole lifecycle manager at every start as long as the worker is enabled.
func StakeTooSmall(version string, stake fleet.Amount, enabled bool) bool {
	return (version == "v0" || version == "v2") && enabled && stake.Cmp(fleet.PHA(1)) < 0
}
