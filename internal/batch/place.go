package batch

import (
	"context"
	"sync"
	"time"

	"phalops/internal/config"
	"phalops/internal/fleet"
	"phalops/internal/roster"
)

// Place decides where the workers of a list go: it asks every bridge what it has and every pRuntime of the list who it is.
// A bridge that does not answer takes nobody.
func (b *Batches) Place(ctx context.Context, entries []roster.Entry, o roster.PlaceOptions, now time.Time) roster.Placement {
	asked := make([]Entry, len(entries))
	for i, e := range entries {
		asked[i] = Entry{Endpoint: e.Endpoint}
	}
	keys := b.keys(ctx, asked)
	entries = append([]roster.Entry(nil), entries...)
	for i := range entries {
		entries[i].PublicKey = keys[entries[i].Endpoint]
	}
	return roster.Place(entries, b.bridges(ctx, now), o)
}

// bridges is what every bridge has. What a v0 bridge has disabled may be the rest of a deleted worker, and counts for nobody.
func (b *Batches) bridges(ctx context.Context, now time.Time) []roster.Bridge {
	var all []roster.Bridge
	for _, site := range b.Config().Sites {
		for _, br := range site.Bridges {
			all = append(all, roster.Bridge{Name: br.Name, Site: site.Name, Version: br.Version, Max: br.MaxWorkers})
			if br.Version == config.VersionSolo {
				last := &all[len(all)-1]
				last.Workers = []fleet.WorkerStatus{{Name: br.Name, Endpoint: br.URL, Enabled: true}}
				last.Closed = fleet.Because("batch.solo", "worker", br.Name)
			}
		}
	}
	var wg sync.WaitGroup
	for i := range all {
		if !all[i].Closed.IsZero() {
			continue
		}
		wg.Go(func() {
			br := &all[i]
			stock, err := b.stock(ctx, br.Name, now, writeAge)
			var states []fleet.WorkerStatus
			if err == nil {
				states, err = b.states(ctx, br.Name, now, writeAge)
			}
			if err != nil {
				br.Closed = fleet.ReasonOf(err)
			}
			keys := map[string]string{}
			for _, s := range states {
				keys[s.ID] = s.PublicKey
			}
			br.Pools = stock.pools
			for _, w := range stock.workers {
				if br.Version == genV0 && !w.Enabled {
					continue
				}
				w.PublicKey = keys[w.ID]
				br.Workers = append(br.Workers, w)
			}
		})
	}
	wg.Wait()
	return all
}

// EntryOf is an entry of a list as AddWorkers takes it; what the list does not say is a zero.
func EntryOf(e roster.Entry) Entry {
	out := Entry{Line: e.Line, Name: e.Name, Endpoint: e.Endpoint, Enabled: true, Labels: e.Labels}
	set(&out.PID, e.PID)
	set(&out.Stake, e.Stake)
	set(&out.Enabled, e.Enabled)
	set(&out.SyncOnly, e.SyncOnly)
	return out
}

// Items is what a request is to write, for ArgItems.
func Items(v any) string { return string(marshal(v)) }
