// Package store is the memory of phalops: the journal of plans, the locks and leases, incidents and events, the newest
// statuses, the fact log and the messages. It decides nothing.
//
// Every method is one transaction: when it returns nil the change survives a power cut. All times are the caller's (clock
// passed in); the store owns no clock. Implementations live in sub-packages and pass the suite in storetest.
package store

import (
	"context"
	"fmt"
	"time"

	"phalops/internal/fleet"
)

// The errors of a store. Each is a *fleet.Error, so that a reader gets a sentence and a script an exit code; test for them
// with errors.Is.
var (
	// ErrNotFound is returned for an id that the store does not have.
	ErrNotFound error = fleet.Fail(fleet.NotFound, fleet.Because("store.not_found"))

	// ErrFenced is returned when a write carries a lease token that is no longer the newest: somebody else has taken over,
	// and the caller must begin no further effect.
	ErrFenced error = fleet.Fail(fleet.Locked, fleet.Because("store.fenced"))

	// ErrFull is returned when the disk is full and the write was not needed to restore something.
	ErrFull error = fleet.Fail(fleet.Refused, fleet.Because("store.full"))

	// ErrEnded is returned by SavePlan for a plan that has ended already: an end is final.
	ErrEnded error = fleet.Fail(fleet.Refused, fleet.Because("store.plan_ended"))

	// ErrExists is returned by CreatePlan for an ID that was used before.
	ErrExists error = fleet.Fail(fleet.Invalid, fleet.Because("store.plan_exists"))
)

// LockedError is returned when a plan wants what another one holds.
type LockedError struct {
	Wanted fleet.Ref
	Held   Lock
}

func (e *LockedError) Error() string {
	return fmt.Sprintf("%s is locked by plan %s (%s) since %s", e.Wanted, e.Held.Plan, e.Held.Owner, e.Held.Since.Format(time.RFC3339))
}

// As lets errors.As find the sentence for people and the kind "locked".
func (e *LockedError) As(target any) bool {
	return asLocked(target, fleet.Because("store.locked", "wanted", e.Wanted, "held", e.Held.Ref, "plan", e.Held.Plan,
		"owner", e.Held.Owner, "since", e.Held.Since))
}

// HeldError is returned when a lease is held by somebody else.
type HeldError struct{ Lease Lease }

func (e *HeldError) Error() string {
	return fmt.Sprintf("lease %s is held by %s until %s", e.Lease.Name, e.Lease.Owner, e.Lease.Expires.Format(time.RFC3339))
}

// As lets errors.As find the sentence for people and the kind "locked".
func (e *HeldError) As(target any) bool {
	return asLocked(target, fleet.Because("store.lease_held", "lease", e.Lease.Name, "owner", e.Lease.Owner, "until", e.Lease.Expires))
}

func asLocked(target any, reason fleet.Reason) bool {
	t, ok := target.(**fleet.Error)
	if ok {
		*t = fleet.Fail(fleet.Locked, reason)
	}
	return ok
}

// Lock is a row that says which unended plan may touch a target.
type Lock struct {
	Ref    fleet.Ref    `json:"ref"`
	Plan   string       `json:"plan"`
	Owner  string       `json:"owner"` // the plan's author
	Reason fleet.Reason `json:"reason"`
	Since  time.Time    `json:"since"`
	Token  int64        `json:"token"` // grows with every lock ever taken
}

// Lease is the right to execute the plans of one site (Name is the site) until Expires.
type Lease struct {
	Name    string    `json:"name"`
	Owner   string    `json:"owner"`
	Token   int64     `json:"token"` // grows whenever the owner changes; every effect carries it
	Expires time.Time `json:"expires"`
	Since   time.Time `json:"since"`
}

// Fence is the proof, carried by every journal write of an executor, that its lease is still its own.
type Fence struct {
	Lease string
	Token int64
}

// PlanFilter chooses plans; zero fields choose all.
type PlanFilter struct {
	Sites    []string
	Unended  bool      // only those with something left to do
	Kind     string    // only this kind
	Target   fleet.Ref // only those with this target or lock
	Since    time.Time // created at or after
	Incident string
	Limit    int // newest first; 0: all
}

// EventFilter chooses events; zero fields choose all.
type EventFilter struct {
	After    int64 // cursor: only events with a higher Seq
	Kinds    []fleet.EventKind
	Target   fleet.Ref // the target itself and, of a bridge, its workers and pools
	Incident string
	Plan     string
	Since    time.Time
	Limit    int  // 0: all
	Newest   bool // newest first (with Limit: the newest ones)
}

// IncidentFilter chooses incidents; zero fields choose all.
type IncidentFilter struct {
	Open   bool
	Target fleet.Ref
	Since  time.Time // opened or closed at or after
	Limit  int       // newest first; 0: all
}

// Journal is where plans live.
type Journal interface {
	// CreatePlan writes the plan with all its steps and takes all its locks, or does nothing and returns *LockedError.
	// Locks of the plan that p is Under are not in its way; both must not name the very same target.
	// The ID must be new (else ErrExists). The event Created(p) is written with it. While Full it returns ErrFull.
	CreatePlan(ctx context.Context, p fleet.Plan) error
	// Plan reads one plan with its steps.
	Plan(ctx context.Context, id string) (fleet.Plan, error)
	// PlanHead is Plan without its steps: one row, however many there are.
	PlanHead(ctx context.Context, id string) (fleet.Plan, error)
	// Plans lists plans, newest first, with Counts instead of Steps.
	Plans(ctx context.Context, f PlanFilter) ([]fleet.Plan, error)
	// SaveStep writes one step's new state, and events about it, under the executor's fence.
	SaveStep(ctx context.Context, plan string, s fleet.Step, fence Fence, events ...fleet.Event) error
	// SavePlan writes the plan's own State, Note, Next, Ended, Abort and Untouched (not its steps), and events about it. An ended plan
	// gives back its locks in the same transaction, and stays as it is: a further SavePlan returns ErrEnded. A zero fence
	// is a person's request (pause, resume, abort) and is allowed for any unended plan.
	//
	// A person's request outlives an executor's write that was under way meanwhile: a fenced write neither clears Abort nor
	// turns a paused plan into a running one; the rest of it is saved.
	SavePlan(ctx context.Context, p fleet.Plan, fence Fence, events ...fleet.Event) error
	// Attempts lists what was done to targets since a moment, oldest first (by At): AttemptsOf of every plan.
	Attempts(ctx context.Context, since time.Time) ([]fleet.Attempt, error)
	// Locks lists who holds what.
	Locks(ctx context.Context) ([]Lock, error)
}

// Leases say who executes.
type Leases interface {
	// Acquire takes or renews the lease for ttl from now. A new owner gets a higher token; the same owner keeps his.
	// While another owner's lease lasts it returns *HeldError, unless that owner can be proved dead.
	Acquire(ctx context.Context, name, owner string, ttl time.Duration, now time.Time) (Lease, error)
	// Release gives the lease back; it is no error when it was lost before.
	Release(ctx context.Context, name, owner string) error
	// LeaseOf reads who holds a lease at now; ErrNotFound when nobody does, or only an owner who can be proved dead.
	LeaseOf(ctx context.Context, name string, now time.Time) (Lease, error)
}

// Chronicle is incidents and events.
type Chronicle interface {
	// SaveIncident inserts or replaces an incident by its ID, and writes events about it.
	SaveIncident(ctx context.Context, i fleet.Incident, events ...fleet.Event) error
	Incident(ctx context.Context, id string) (fleet.Incident, error)
	// Incidents lists them, newest first.
	Incidents(ctx context.Context, f IncidentFilter) ([]fleet.Incident, error)
	// Append writes events; Seq is given by the store.
	Append(ctx context.Context, events ...fleet.Event) error
	// Events lists them, oldest first unless f.Newest.
	Events(ctx context.Context, f EventFilter) ([]fleet.Event, error)
}

// Statuses are what was last seen, so that a command can show it without asking the fleet.
type Statuses interface {
	SaveNode(ctx context.Context, s fleet.NodeStatus) error
	SaveBridge(ctx context.Context, s fleet.BridgeStatus) error
	Nodes(ctx context.Context) ([]fleet.NodeStatus, error)
	Bridges(ctx context.Context) ([]fleet.BridgeStatus, error)
	// SaveDecisions replaces the newest decision of each target.
	SaveDecisions(ctx context.Context, d ...fleet.Decision) error
	// Decision reads the newest decision about a target.
	Decision(ctx context.Context, target fleet.Ref) (fleet.Decision, error)
	// Forget removes statuses and decisions of nodes, bridges and networks that are no longer configured; a bridge takes the
	// decisions about its workers and pools along, a network those about its stake pools and its samples. keep is asked about
	// nodes, bridges and networks only.
	Forget(ctx context.Context, keep func(fleet.Ref) bool) error
}

// Ledger is what networks' chains said.
type Ledger interface {
	// SaveChain replaces the newest view of a network, and with it adds samples of its counters.
	SaveChain(ctx context.Context, v fleet.ChainView, samples ...fleet.ChainSample) error
	// Chains lists the newest views, by network.
	Chains(ctx context.Context) ([]fleet.ChainView, error)
	// ChainSamples lists a network's samples from a moment on, oldest first.
	ChainSamples(ctx context.Context, network fleet.Ref, since time.Time) ([]fleet.ChainSample, error)
}

// Calendar is the maintenance windows that persons opened.
type Calendar interface {
	// SaveMaintenance inserts or replaces windows by their IDs, all or none, and writes events about them.
	SaveMaintenance(ctx context.Context, m []fleet.Maintenance, events ...fleet.Event) error
	// Maintenance lists the windows that end after a moment, by when they began.
	Maintenance(ctx context.Context, after time.Time) ([]fleet.Maintenance, error)
}

// FactLog keeps every change of a field that a rule can see.
type FactLog interface {
	LogFacts(ctx context.Context, facts ...fleet.Fact) error
	// Facts lists the changes of a target (and of a bridge's workers) since a moment, oldest first.
	Facts(ctx context.Context, target fleet.Ref, since time.Time, limit int) ([]fleet.Fact, error)
}

// Outbox is messages on their way.
type Outbox interface {
	// SaveMessage inserts or replaces messages by ID, all or none, and writes events about them.
	SaveMessage(ctx context.Context, m []fleet.Message, events ...fleet.Event) error
	// Messages lists messages that are not in a final state (sent, failed), oldest first; with sentSince also the sent ones
	// since then. An empty channel is all channels.
	Messages(ctx context.Context, channel string, sentSince time.Time) ([]fleet.Message, error)
}

// Store is everything.
type Store interface {
	Journal
	Leases
	Chronicle
	Statuses
	Ledger
	Calendar
	FactLog
	Outbox
	// Prune removes what is older than its time to live: samples of chains 3 days, facts 14 days, events, ended plans, closed incidents, sent
	// messages and ended maintenance windows 400 days. It returns how many rows went.
	Prune(ctx context.Context, now time.Time) (int64, error)
	// Full reports whether the store is working from its reserve because the disk is full: then no new plan may start.
	Full() bool
	Close() error
}
