package control

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"phalops/internal/config"
	"phalops/internal/fleet"
	"phalops/internal/prb"
)

// pruntimes is what Clients may offer besides: a worker's own word, or why it said nothing.
type pruntimes interface {
	AskPruntime(ctx context.Context, url string) *fleet.PruntimeStatus
}

// How often a worker's pRuntime is asked beside its bridge. A sound one is asked now and then, so that its silence means
// something later: who never answered may only be out of our reach.
const (
	askSound    = time.Hour
	soundAtOnce = 2               // per beat of a bridge
	badAtOnce   = 8               // of those in trouble
	orphans     = 3               // of those whose lifecycle manager is silent: are they fed all the same?
	askTimeout  = 5 * time.Second // real time; a healthy pRuntime answers within milliseconds
)

// witnesses are the workers whose pRuntimes are to be asked in this beat: those in trouble, the longest unasked first; of a
// bridge that tells nothing of its workers a few that worked; and a few sound ones.
func witnesses(b fleet.BridgeStatus, now time.Time) []*fleet.WorkerStatus {
	var bad, orphaned, sound []*fleet.WorkerStatus
	for i := range b.Workers {
		w := &b.Workers[i]
		switch {
		case !w.Enabled || w.Endpoint == "":
		case w.Condition == fleet.Failing || w.Condition == fleet.Unresponsive:
			bad = append(bad, w)
		case b.Lifecycle.Missed > 0 && w.Running:
			orphaned = append(orphaned, w)
		case now.Sub(askedAt(w)) >= askSound:
			sound = append(sound, w)
		}
	}
	for _, group := range [][]*fleet.WorkerStatus{bad, sound} {
		slices.SortStableFunc(group, func(a, b *fleet.WorkerStatus) int { return askedAt(a).Compare(askedAt(b)) })
	}
	// Orphans are asked again and again: only who was asked before can show growth.
	slices.SortStableFunc(orphaned, func(a, b *fleet.WorkerStatus) int { return cmp.Compare(known(b), known(a)) })
	return slices.Concat(bad[:min(len(bad), badAtOnce)], orphaned[:min(len(orphaned), orphans)], sound[:min(len(sound), soundAtOnce)])
}

func known(w *fleet.WorkerStatus) int {
	if w.Pruntime == nil || w.Pruntime.At.IsZero() {
		return 0
	}
	return 1
}

// askedAt is when a worker's pRuntime was asked last: it answered then, or it did not.
func askedAt(w *fleet.WorkerStatus) time.Time {
	if w.Pruntime == nil {
		return time.Time{}
	}
	if w.Pruntime.Missed > 0 {
		// Only the beginning of a silence is known, and each further question made it longer by one.
		return w.Pruntime.Failed.Add(time.Duration(w.Pruntime.Missed) * time.Minute)
	}
	return w.Pruntime.At
}

// read asks a bridge and, at the same time, the pRuntimes of some of its workers.
func (c *Control) read(ctx context.Context, b config.Bridge, before fleet.BridgeStatus, now time.Time) prb.Reading {
	client, err := c.clients.Bridge(b.Name)
	if err != nil {
		return prb.Reading{MonitorErr: err}
	}
	asker, ok := c.clients.(pruntimes)
	if !ok || b.Version == config.VersionSolo { // a solo worker's reading is its pRuntime's
		return client.Read(ctx)
	}
	asked := witnesses(before, now)
	said := make([]*fleet.PruntimeStatus, len(asked))
	var all sync.WaitGroup
	for i, w := range asked {
		all.Go(func() {
			ctx, cancel := context.WithTimeout(ctx, askTimeout)
			defer cancel()
			said[i] = asker.AskPruntime(ctx, w.Endpoint)
		})
	}
	reading := client.Read(ctx)
	all.Wait()
	return withWords(reading, asked, said)
}

// withWords puts what pRuntimes said beside what their bridge told. Of a bridge that was silent their word is all there is; a worker
// that is on record no more gets none.
func withWords(reading prb.Reading, asked []*fleet.WorkerStatus, said []*fleet.PruntimeStatus) prb.Reading {
	if len(asked) == 0 {
		return reading
	}
	at := make(map[string]int, len(reading.Workers))
	for i := range reading.Workers {
		at[reading.Workers[i].ID] = i
	}
	for i, w := range asked {
		n, told := at[w.ID]
		if !told && reading.MonitorErr == nil && reading.InventoryErr == nil {
			continue
		}
		if !told {
			reading.Workers = append(reading.Workers, fleet.WorkerStatus{ID: w.ID, Endpoint: w.Endpoint})
			n = len(reading.Workers) - 1
		}
		if reading.Workers[n].Endpoint == w.Endpoint {
			reading.Workers[n].Pruntime = said[i]
		}
	}
	return reading
}
