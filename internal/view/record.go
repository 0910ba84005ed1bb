package view

import (
	"time"

	"phalops/internal/fleet"
)

// Incident is an incident; Events is filled in where one incident is shown.
type Incident struct {
	ID       string     `json:"id"`
	Target   string     `json:"target"`
	Title    string     `json:"title"`
	Site     string     `json:"site"`
	Code     string     `json:"code"`
	Severity string     `json:"severity"`
	Reason   *Reason    `json:"reason,omitempty"`
	Opened   time.Time  `json:"opened"`
	Acted    *time.Time `json:"acted,omitempty"`
	WouldAct *time.Time `json:"would_act,omitempty"` // it would have been acted upon, had the mode not been observe
	Told     *time.Time `json:"told,omitempty"`
	Closed   *time.Time `json:"closed,omitempty"`
	Children []string   `json:"children,omitempty"`
	Decision *Decision  `json:"decision,omitempty"`
	Events   []Event    `json:"events,omitempty"`
}

// Incident shows an incident.
func (w Words) Incident(i fleet.Incident, events []fleet.Event) Incident {
	out := Incident{
		ID: i.ID, Target: string(i.Target), Title: i.Title, Site: i.Site, Code: i.Code, Severity: string(i.Severity), Reason: w.reason(i.Reason),
		Opened: i.Opened.UTC(), Acted: moment(i.Acted), WouldAct: moment(i.WouldAct), Told: moment(i.Told), Closed: moment(i.Closed), Decision: w.Decision(i.Decision),
	}
	for _, c := range i.Children {
		out.Children = append(out.Children, string(c))
	}
	for _, e := range events {
		out.Events = append(out.Events, w.Event(e))
	}
	return out
}

// Event is one line of what happened.
type Event struct {
	Seq      int64     `json:"seq"`
	At       time.Time `json:"at"`
	Kind     string    `json:"kind"`
	Author   string    `json:"author"`
	Target   string    `json:"target,omitempty"`
	Incident string    `json:"incident,omitempty"`
	Plan     string    `json:"plan,omitempty"`
	Reason   *Reason   `json:"reason,omitempty"`
	Decision *Decision `json:"decision,omitempty"`
}

// Event shows an event.
func (w Words) Event(e fleet.Event) Event {
	out := Event{Seq: e.Seq, At: e.At.UTC(), Kind: string(e.Kind), Author: e.Author, Target: string(e.Target), Incident: e.Incident, Plan: e.Plan, Reason: w.reason(e.Reason)}
	if e.Decision != nil {
		out.Decision = w.Decision(*e.Decision)
	}
	return out
}

// Plan is a plan; Steps is filled in where one plan is shown.
type Plan struct {
	ID       string         `json:"id"`
	Kind     string         `json:"kind"`
	Site     string         `json:"site"`
	State    string         `json:"state"`
	Targets  []string       `json:"targets"`
	Locks    []string       `json:"locks,omitempty"`
	Author   string         `json:"author"`
	Reason   *Reason        `json:"reason,omitempty"`
	Note     *Reason        `json:"note,omitempty"`
	Incident string         `json:"incident,omitempty"`
	Created  time.Time      `json:"created"`
	Ended    *time.Time     `json:"ended,omitempty"`
	Counts   map[string]int `json:"counts,omitempty"`
	Steps    []Step         `json:"steps,omitempty"`
}

// Step is one step of a plan.
type Step struct {
	Seq       int        `json:"seq"`
	Name      string     `json:"name"`
	State     string     `json:"state"`
	Label     *Reason    `json:"label,omitempty"`
	Result    *Reason    `json:"result,omitempty"`
	Class     string     `json:"class"`
	Restoring bool       `json:"restoring"`
	Attempt   int        `json:"attempt"`
	Began     *time.Time `json:"began,omitempty"`
	Ended     *time.Time `json:"ended,omitempty"`
}

// Plan shows a plan.
func (w Words) Plan(p fleet.Plan) Plan {
	out := Plan{
		ID: p.ID, Kind: p.Kind, Site: p.Site, State: string(p.State), Targets: refs(p.Targets), Locks: refs(p.Locks), Author: p.Author,
		Reason: w.reason(p.Reason), Note: w.reason(p.Note), Incident: p.Incident, Created: p.Created.UTC(), Ended: moment(p.Ended), Counts: map[string]int{},
	}
	for state, n := range p.Counts {
		out.Counts[string(state)] = n
	}
	for _, s := range p.Steps {
		out.Counts[string(s.State)]++
		out.Steps = append(out.Steps, Step{
			Seq: s.Seq, Name: s.Name, State: string(s.State), Label: w.reason(s.Label), Result: w.reason(s.Result), Class: string(s.Class),
			Restoring: s.Restoring, Attempt: s.Attempt, Began: moment(s.Began), Ended: moment(s.Ended),
		})
	}
	return out
}

func refs(rs []fleet.Ref) []string {
	out := make([]string, 0, len(rs))
	for _, r := range rs {
		out = append(out, string(r))
	}
	return out
}

// Status is the whole fleet on one screen.
type Status struct {
	At        time.Time  `json:"at"`
	Live      bool       `json:"live"`             // asked just now, because no daemon keeps watch
	Daemon    string     `json:"daemon,omitempty"` // who holds the lease
	Nodes     []Node     `json:"nodes"`
	Bridges   []Bridge   `json:"bridges"`
	Networks  []Network  `json:"networks"` // as their chains were read last; one whose chain was never read is missing
	Incidents []Incident `json:"incidents"`
	Plans     []Plan     `json:"plans"`

	Maintenance []Maintenance `json:"maintenance,omitempty"` // windows that are open
}
