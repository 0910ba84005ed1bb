package control

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"phalops/internal/fleet"
)

// saveEvery is how old the written-down status of a bridge may get while nothing of it changes but growing heights: a
// restart of phalops loses no more than that, and a command shows the age of what it reads.
const saveEvery = time.Minute

// saves remembers when each bridge was written down last.
type saves struct {
	mu sync.Mutex
	at map[fleet.Ref]time.Time
}

func (s *saves) due(bridge fleet.Ref, changed bool, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if last, ok := s.at[bridge]; ok && !changed && now.Sub(last) < saveEvery && !now.Before(last) {
		return false
	}
	if s.at == nil {
		s.at = map[fleet.Ref]time.Time{}
	}
	s.at[bridge] = now
	return true
}

// remember writes a bridge's status down where it is due.
func (c *Control) remember(ctx context.Context, status fleet.BridgeStatus, facts []fleet.Fact, decisions []fleet.Decision, now time.Time) error {
	seen := func(f fleet.Fact) bool { return !strings.HasPrefix(f.Field, "pruntime.") } // a sound one is asked now and then: that is no hurry
	changed := slices.ContainsFunc(facts, seen) || slices.ContainsFunc(decisions, func(d fleet.Decision) bool {
		last, known := c.board.Decision(d.Target)
		return !known || !last.Same(d)
	})
	if !c.saved.due(status.Ref, changed, now) {
		return nil
	}
	return c.store.SaveBridge(ctx, status)
}
