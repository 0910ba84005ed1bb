package control

import (
	"sync"
	"time"

	"phalops/internal/fleet"
)

// refusals lets a target rest whose treatment could not even be planned (its host does not answer, somebody holds its
// lock), so that one broken host does not fill the journal: 30 s, doubling to 10 minutes.
type refusals struct {
	mu sync.Mutex
	at map[fleet.Ref]refusal
}

type refusal struct {
	times int
	until time.Time
}

func (r *refusals) add(target fleet.Ref, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.at == nil {
		r.at = map[fleet.Ref]refusal{}
	}
	times := r.at[target].times
	r.at[target] = refusal{times: times + 1, until: now.Add(min(30*time.Second<<min(times, 10), 10*time.Minute))}
}

func (r *refusals) until(target fleet.Ref, now time.Time) (time.Time, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	at := r.at[target].until
	return at, now.Before(at)
}

func (r *refusals) clear(target fleet.Ref) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.at, target)
}
