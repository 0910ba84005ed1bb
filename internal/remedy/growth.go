package remedy

import (
	"strings"
	"sync"
	"time"
)

// growth remembers the numbers seen at earlier looks, so that "it grows" can be proved by two looks although each Verify
// asks only once. It is not authoritative: after a crash the proof takes one more look.
type growth struct {
	mu    sync.Mutex
	seen  map[string]sighting
	swept time.Time
}

type sighting struct {
	value int64
	at    time.Time
}

const (
	sweepEvery   = time.Hour
	sightingKept = 6 * time.Hour // longer than any step waits for its proof
)

// grew reports whether value is above what the same key showed at an earlier look. A value that fell is a new beginning.
func (g *growth) grew(key string, value int64, now time.Time) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.sweep(now)
	before, known := g.seen[key]
	if !known || value < before.value {
		g.seen[key] = sighting{value, now}
		return false
	}
	return value > before.value
}

// stood is how long value has stood still under a key, as far as it was looked at; 0 at the first look.
func (g *growth) stood(key string, value int64, now time.Time) time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.sweep(now)
	before, known := g.seen[key]
	if !known || value != before.value {
		g.seen[key] = sighting{value, now}
		return 0
	}
	return now.Sub(before.at)
}

// forget drops what was remembered under a prefix.
func (g *growth) forget(prefix string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for k := range g.seen {
		if strings.HasPrefix(k, prefix) {
			delete(g.seen, k)
		}
	}
}

// sweep drops what plans that ended without a proof have left.
func (g *growth) sweep(now time.Time) {
	if now.Sub(g.swept) < sweepEvery {
		return
	}
	g.swept = now
	for k, s := range g.seen {
		if now.Sub(s.at) > sightingKept {
			delete(g.seen, k)
		}
	}
}
