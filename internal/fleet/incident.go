package fleet

import "time"

// Incident opens with the first bad fact of a target and closes with its recovery. It carries everything in between by
// id: decisions, plans and messages are events with its ID.
type Incident struct {
	ID       string    `json:"id"`
	Target   Ref       `json:"target"` // the suspect
	Title    string    `json:"title"`  // the target's name for people at the time it opened
	Site     string    `json:"site"`   //
	Code     string    `json:"code"`   // condition that opened it, for example "Stalled"
	Severity Severity  `json:"severity"`
	Reason   Reason    `json:"reason"`             // why it opened
	Opened   time.Time `json:"opened"`             // when the first bad fact was true
	Acted    time.Time `json:"acted,omitzero"`     // first plan handed over
	WouldAct time.Time `json:"would_act,omitzero"` // when it would first have been acted upon, had the mode not been observe
	Raised   time.Time `json:"raised,omitzero"`    // when it first called for an action or a person; before that nobody is told
	Told     time.Time `json:"told,omitzero"`      // when a person was first told; zero: nobody was
	Closed   time.Time `json:"closed,omitzero"`    // when it had recovered
	Children []Ref     `json:"children,omitempty"` // targets that turned bad with it and wait for it
	Decision Decision  `json:"decision"`           // the newest
}

// Open reports whether the incident still lasts.
func (i Incident) Open() bool { return i.Closed.IsZero() }

// EventKind says what an Event tells.
type EventKind string

// Kinds of events.
const (
	EventIncident EventKind = "incident" // opened, changed, closed
	EventDecision EventKind = "decision"
	EventPlan     EventKind = "plan"    // created, state changed
	EventStep     EventKind = "step"    // intent, result
	EventMessage  EventKind = "message" // an alert was sent or failed
	EventConfig   EventKind = "config"  // loaded, refused
	EventDaemon   EventKind = "daemon"  // started, stopped, took or lost a lease

	EventMaintenance EventKind = "maintenance" // a person opened or closed a window
)

// Event is one line of what happened: each action has one author, one reason, one record. Events are only ever added.
type Event struct {
	Seq      int64     `json:"seq"` // the store's cursor, growing
	At       time.Time `json:"at"`
	Kind     EventKind `json:"kind"`
	Author   string    `json:"author"` // "rule:<name>", "user:<name>", "phalops"
	Target   Ref       `json:"target,omitempty"`
	Incident string    `json:"incident,omitempty"`
	Plan     string    `json:"plan,omitempty"`
	Reason   Reason    `json:"reason"`             // what happened and why
	Decision *Decision `json:"decision,omitempty"` // for EventDecision
}

// Message is one alert on its way to one channel.
type Message struct {
	ID       string       `json:"id"`
	Channel  string       `json:"channel"`
	Incident string       `json:"incident,omitempty"`
	Kind     MessageKind  `json:"kind"`
	Severity Severity     `json:"severity"`
	Title    Reason       `json:"title"`
	Lines    []Reason     `json:"lines,omitempty"`
	Created  time.Time    `json:"created"`
	Due      time.Time    `json:"due"` // not before: grouping, back-off
	State    MessageState `json:"state"`
	Tries    int          `json:"tries"`
	Sent     time.Time    `json:"sent,omitzero"`
	Merged   string       `json:"merged,omitempty"` // id of the message that carried this one
	Error    string       `json:"error,omitempty"`  // why the newest try failed
}

// MessageKind says why somebody is told.
type MessageKind string

// Kinds of messages.
const (
	MessageFiring   MessageKind = "firing"
	MessageRepeat   MessageKind = "repeat"
	MessageResolved MessageKind = "resolved"
	MessageTest     MessageKind = "test"
)

// MessageState is where a message stands. "sending" is committed before the send: a process that died in between leaves
// it so, and the next one sends it again, marked as a possible repeat.
type MessageState string

// States of a message.
const (
	MessagePending MessageState = "pending"
	MessageSending MessageState = "sending"
	MessageSent    MessageState = "sent"
	MessageFailed  MessageState = "failed"  // given up: the channel says that trying again is useless
	MessageDropped MessageState = "dropped" // became needless before it was due: its incident recovered
)
