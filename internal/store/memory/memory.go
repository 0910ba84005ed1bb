// Package memory is a store.Store that forgets everything with its process: for tests, and for campaigns that live
// through many days in seconds. It has no goroutine and does no I/O; one mutex makes every method a transaction.
package memory

import (
	"context"
	"sync"
	"time"

	"phalops/internal/fleet"
	"phalops/internal/store"
)

// Store is a store.Store in memory. What goes in and what comes out is copied, so that callers may change theirs.
type Store struct {
	mu sync.Mutex

	plans map[string]*fleet.Plan
	order []*fleet.Plan // in the order of creation
	open  []*fleet.Plan // those that have not ended
	locks []store.Lock  // in the order of their tokens
	token int64         // newest lock token

	leases map[string]*held

	events    []fleet.Event // in the order of Seq
	seq       int64
	incidents map[string]*incident
	opened    int64 // number of incidents ever written

	nodes     map[fleet.Ref]fleet.NodeStatus
	bridges   map[fleet.Ref]fleet.BridgeStatus
	decisions map[fleet.Ref]fleet.Decision

	chains  map[fleet.Ref]fleet.ChainView
	samples map[fleet.Ref][]fleet.ChainSample // by network, in the order of time

	facts  map[fleet.Ref][]fact // by target, and again by the target's parent
	logged int64

	messages map[string]*message
	queued   int64

	windows []fleet.Maintenance // by when they began

	full bool
}

var _ store.Store = (*Store)(nil)

// New makes an empty Store.
func New() *Store {
	return &Store{
		plans: map[string]*fleet.Plan{}, leases: map[string]*held{},
		incidents: map[string]*incident{}, nodes: map[fleet.Ref]fleet.NodeStatus{}, bridges: map[fleet.Ref]fleet.BridgeStatus{},
		decisions: map[fleet.Ref]fleet.Decision{}, facts: map[fleet.Ref][]fact{}, messages: map[string]*message{},
		chains: map[fleet.Ref]fleet.ChainView{}, samples: map[fleet.Ref][]fleet.ChainSample{},
	}
}

// begin opens a transaction; call the function that it returns to close it. It fails when ctx is done.
func (s *Store) begin(ctx context.Context) (end func(), err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	return s.mu.Unlock, nil
}

// Full reports what SetFull said last.
func (s *Store) Full() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.full
}

// SetFull makes the store behave as on a full disk: no new plan is taken, everything else goes to the reserve.
func (s *Store) SetFull(full bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.full = full
}

// Close does nothing.
func (s *Store) Close() error { return nil }

const (
	samplesLive = 3 * 24 * time.Hour
	factsLive   = 14 * 24 * time.Hour
	restLives   = 400 * 24 * time.Hour
)

// Prune removes what is older than its time to live (store.Store).
func (s *Store) Prune(ctx context.Context, now time.Time) (int64, error) {
	end, err := s.begin(ctx)
	if err != nil {
		return 0, err
	}
	defer end()
	return s.pruneSamples(now.Add(-samplesLive)) + s.pruneFacts(now.Add(-factsLive)) + s.prunePlans(now.Add(-restLives)) +
		s.pruneChronicle(now.Add(-restLives)) + s.pruneMessages(now.Add(-restLives)) + s.pruneWindows(now.Add(-restLives)), nil
}
