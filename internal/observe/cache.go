package observe

import (
	"context"
	"sync"
	"time"

	"phalops/internal/fleet"
	"phalops/internal/substrate"
)

// cacheEvery is how often a headers cache is asked: it looks at its node every 30 s itself.
const cacheEvery = time.Minute

// CacheSource answers for one headers cache.
type CacheSource interface {
	Name() string
	// URL is where it asks; a history belongs to one URL.
	URL() string
	Read(ctx context.Context) (substrate.CacheState, error)
}

type cache struct {
	name, url string
	http      substrate.Getter
}

// Cache makes a CacheSource of a headers cache's address.
func Cache(name, url string, http substrate.Getter) CacheSource { return cache{name, url, http} }

func (c cache) Name() string { return c.name }
func (c cache) URL() string  { return c.url }

func (c cache) Read(ctx context.Context) (substrate.CacheState, error) {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	return substrate.ReadCache(ctx, c.http, c.url)
}

// caches asks every cache whose time has come, in the order of sources.
func (l looker) caches(ctx context.Context, sources []CacheSource, prev []fleet.HeadersCacheStatus) []fleet.HeadersCacheStatus {
	if len(sources) == 0 {
		return nil
	}
	out := make([]fleet.HeadersCacheStatus, len(sources))
	var parts sync.WaitGroup
	for i, src := range sources {
		s := fleet.HeadersCacheStatus{Name: src.Name(), URL: src.URL()}
		for _, p := range prev {
			if p.Name == s.Name && p.URL == s.URL {
				s = p
			}
		}
		out[i] = s
		now := l.clock.Now()
		if since := now.Sub(s.At); s.Missed == 0 && since >= 0 && since < cacheEvery {
			continue
		}
		parts.Go(func() { out[i] = l.cache(ctx, src, s) })
	}
	parts.Wait()
	return out
}

func (l looker) cache(ctx context.Context, src CacheSource, s fleet.HeadersCacheStatus) fleet.HeadersCacheStatus {
	state, err := src.Read(ctx)
	at := l.clock.Now()
	if err != nil {
		s.Probe = s.Silent(at, fleet.ReasonOf(err))
		return s
	}
	blind := time.Duration(0)
	if l.gap > 0 {
		blind = looker{gap: l.gap + cacheEvery}.unwatched(s.Probe, at)
	}
	s.Probe = s.Answered(at)
	s.Header = follow(s.Header, numbered(state.Highest.Header), at, blind)
	s.ParaHeader = follow(s.ParaHeader, numbered(state.Highest.ParaHeader), at, blind)
	s.StorageChanges = follow(s.StorageChanges, numbered(state.Highest.StorageChanges), at, blind)
	return s
}

func numbered(n *substrate.Number) fleet.Height {
	if n == nil {
		return fleet.Height{}
	}
	return fleet.Height{Value: int64(*n), Known: true}
}
