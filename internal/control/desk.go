package control

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"phalops/internal/fleet"
	"phalops/internal/store"
)

// desk keeps the incidents: it opens one with the first bad fact, lets what hangs on a suspect join the suspect's, notes
// every change of mind as an event, and closes it with the recovery.
//
//	(no incident) ──bad decision──▶ open ──an action or a person is called for──▶ raised ──recovered──▶ closed
//	                                  └──recovered by itself, nobody is told──▶ closed
type desk struct {
	mu     sync.Mutex
	store  store.Chronicle
	newID  func() string
	open   map[fleet.Ref]fleet.Incident
	closed []fleet.Incident // raised ones whose end may still have to be told
}

// endsFor is how long the end of an incident is offered to the channels: longer than any digest and any outage of a chat
// service that still makes the news worth having.
const endsFor = 6 * time.Hour

// load reads back the open incidents and those that ended lately.
func (k *desk) load(ctx context.Context, now time.Time) error {
	found, err := k.store.Incidents(ctx, store.IncidentFilter{Since: now.Add(-endsFor)})
	if err != nil {
		return fmt.Errorf("read incidents: %w", err)
	}
	open, err := k.store.Incidents(ctx, store.IncidentFilter{Open: true})
	if err != nil {
		return fmt.Errorf("read open incidents: %w", err)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.open, k.closed = make(map[fleet.Ref]fleet.Incident, len(open)), nil
	for _, i := range open {
		k.open[i.Target] = i
	}
	for _, i := range found {
		if !i.Open() && !i.Raised.IsZero() {
			k.closed = append(k.closed, i)
		}
	}
	return nil
}

// telling is what the channels have to know: open incidents that called for something, and their ends.
func (k *desk) telling(now time.Time) []fleet.Incident {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.closed = slices.DeleteFunc(k.closed, func(i fleet.Incident) bool { return now.Sub(i.Closed) > endsFor })
	out := slices.Clone(k.closed)
	for _, i := range inOrder(k.open) {
		if !i.Raised.IsZero() {
			out = append(out, i)
		}
	}
	return out
}

// told notes when a person was first told of an incident.
func (k *desk) told(ctx context.Context, id string, at time.Time) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	for target, i := range k.open {
		if i.ID == id && i.Told.IsZero() {
			i.Told = at
			k.open[target] = i
			return k.store.SaveIncident(ctx, i)
		}
	}
	return nil
}

// Open lists the open incidents.
func (k *desk) Open() []fleet.Incident {
	k.mu.Lock()
	defer k.mu.Unlock()
	return inOrder(k.open)
}

// decisionOf is the newest decision of a target's open incident.
func (k *desk) decisionOf(target fleet.Ref) (fleet.Decision, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	i, ok := k.open[target]
	return i.Decision, ok
}

// incidentOf is the id of the incident under which a decision is treated, "" when there is none.
func (k *desk) incidentOf(d fleet.Decision) string {
	k.mu.Lock()
	defer k.mu.Unlock()
	if i, ok := k.open[d.Target]; ok {
		return i.ID
	}
	return k.open[d.Suspect].ID
}

// bad reports whether a decision says that something is wrong: decide gives such a decision a severity.
func bad(d fleet.Decision) bool { return d.Severity != "" }

// urgent reports whether a decision is worth a person's attention: something is done, would be done, or must be done by a
// person. Waiting is not.
func urgent(d fleet.Decision) bool {
	return d.Verdict == fleet.Act || d.Verdict == fleet.WouldAct || d.Verdict == fleet.Person
}

// news is a decision about a target, with what the desk has to know about it.
type news struct {
	site, title string
	decision    fleet.Decision
	cured       bool // the target proved that it works again
	held        bool // a plan works on the target right now
}

// judge takes a decision about a target.
func (k *desk) judge(ctx context.Context, n news, now time.Time) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	d := n.decision
	i, known := k.open[d.Target]
	switch {
	case !known && (!bad(d) || n.held):
		return nil // nothing is wrong, or somebody is at work there: what a plan stops is no news
	case !known && d.Suspect != "" && d.Suspect != d.Target && k.joins(d):
		return k.join(ctx, d, now)
	case !known:
		i = fleet.Incident{
			ID: k.newID(), Target: d.Target, Title: n.title, Site: n.site, Code: d.Condition, Severity: d.Severity,
			Reason: d.Reason, Opened: since(d, now), Decision: d,
		}
		return k.save(ctx, i, now, openedEvent(i, now))
	case !bad(d):
		if n.held || !n.cured {
			return nil // on its way, but not there yet
		}
		return k.close(ctx, i, d, now)
	case i.Decision.Same(d):
		i.Decision = d // the same story with newer numbers: no event, and what is told is told with them
		k.open[d.Target] = i
		return nil
	}
	i.Decision, i.Severity = d, louder(i.Severity, d.Severity)
	if d.Condition != string(fleet.Unknown) {
		i.Code = d.Condition // not to see it for a while, as after its restart, does not rename what was wrong
	}
	return k.save(ctx, i, now)
}

func openedEvent(i fleet.Incident, now time.Time) fleet.Event {
	return fleet.Event{At: now, Kind: fleet.EventIncident, Author: "phalops", Target: i.Target, Incident: i.ID,
		Reason: fleet.Because("control.incident_opened", "title", i.Title)}
}

// save writes an open incident with its newest decision.
func (k *desk) save(ctx context.Context, i fleet.Incident, now time.Time, events ...fleet.Event) error {
	if i.WouldAct.IsZero() && i.Decision.Verdict == fleet.WouldAct {
		i.WouldAct = now
	}
	if i.Raised.IsZero() && urgent(i.Decision) {
		i.Raised, i.Reason = now, i.Decision.Reason // what people are told is what it was raised for
	}
	if err := k.store.SaveIncident(ctx, i, append(events, decisionEvent(i, now))...); err != nil {
		return fmt.Errorf("write incident of %s: %w", i.Target, err)
	}
	k.open[i.Target] = i
	return nil
}

func decisionEvent(i fleet.Incident, now time.Time) fleet.Event {
	return fleet.Event{At: now, Kind: fleet.EventDecision, Author: "rule:" + i.Decision.Rule, Target: i.Decision.Target, Incident: i.ID, Reason: i.Decision.Reason, Decision: &i.Decision}
}

func (k *desk) close(ctx context.Context, i fleet.Incident, d fleet.Decision, now time.Time) error {
	i.Closed, i.Decision = now, d
	err := k.store.SaveIncident(ctx, i, fleet.Event{At: now, Kind: fleet.EventIncident, Author: "phalops", Target: i.Target, Incident: i.ID,
		Reason: fleet.Because("control.incident_closed", "title", i.Title, "for", now.Sub(i.Opened))})
	if err != nil {
		return fmt.Errorf("close incident of %s: %w", i.Target, err)
	}
	delete(k.open, i.Target)
	if !i.Raised.IsZero() {
		k.closed = append(k.closed, i)
	}
	return nil
}

// joins reports whether a target's trouble is told as its suspect's. One that wants a person is told by itself when its
// suspect has no trouble that anybody could be told of.
func (k *desk) joins(d fleet.Decision) bool {
	_, known := k.open[d.Suspect]
	return known || d.Verdict != fleet.Person
}

// join notes a target whose trouble is its suspect's. Until the suspect's own incident is there it is noted nowhere: the
// suspect is judged first in each beat.
func (k *desk) join(ctx context.Context, d fleet.Decision, now time.Time) error {
	i, known := k.open[d.Suspect]
	if !known || slices.Contains(i.Children, d.Target) {
		return nil
	}
	i.Children = append(slices.Clone(i.Children), d.Target)
	err := k.store.SaveIncident(ctx, i, fleet.Event{At: now, Kind: fleet.EventDecision, Author: "rule:" + d.Rule, Target: d.Target, Incident: i.ID, Reason: d.Reason, Decision: &d})
	if err != nil {
		return fmt.Errorf("add %s to the incident of %s: %w", d.Target, d.Suspect, err)
	}
	k.open[i.Target] = i
	return nil
}

// acted notes that a plan was handed over for an incident.
func (k *desk) acted(ctx context.Context, id string, now time.Time) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	for target, i := range k.open {
		if i.ID != id || !i.Acted.IsZero() {
			continue
		}
		i.Acted = now
		k.open[target] = i
		return k.store.SaveIncident(ctx, i)
	}
	return nil
}

// forget closes the incidents of what is no longer configured.
func (k *desk) forget(ctx context.Context, configured func(fleet.Ref) bool, now time.Time) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	for target, i := range k.open {
		if configured(target) {
			continue
		}
		i.Closed = now
		if err := k.store.SaveIncident(ctx, i, fleet.Event{At: now, Kind: fleet.EventIncident, Author: "phalops", Target: target, Incident: i.ID,
			Reason: fleet.Because("control.incident_forgotten", "title", i.Title)}); err != nil {
			return fmt.Errorf("close incident of %s: %w", target, err)
		}
		delete(k.open, target)
	}
	return nil
}

func since(d fleet.Decision, now time.Time) time.Time {
	if d.Since.IsZero() {
		return now
	}
	return d.Since
}

func louder(a, b fleet.Severity) fleet.Severity {
	order := []fleet.Severity{"", fleet.Info, fleet.Warning, fleet.Critical}
	if slices.Index(order, b) > slices.Index(order, a) {
		return b
	}
	return a
}
