package memory

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"phalops/internal/fleet"
	"phalops/internal/store"
)

// incident keeps the order of writing beside the incident, for those that opened at the same moment.
type incident struct {
	fleet.Incident
	nth int64
}

// SaveIncident implements store.Chronicle.
func (s *Store) SaveIncident(ctx context.Context, i fleet.Incident, events ...fleet.Event) error {
	end, err := s.begin(ctx)
	if err != nil {
		return err
	}
	defer end()
	if old, ok := s.incidents[i.ID]; ok {
		old.Incident = cloneIncident(i)
	} else {
		s.opened++
		s.incidents[i.ID] = &incident{cloneIncident(i), s.opened}
	}
	s.add(events...)
	return nil
}

// Incident implements store.Chronicle.
func (s *Store) Incident(ctx context.Context, id string) (fleet.Incident, error) {
	end, err := s.begin(ctx)
	if err != nil {
		return fleet.Incident{}, err
	}
	defer end()
	i, ok := s.incidents[id]
	if !ok {
		return fleet.Incident{}, fmt.Errorf("incident %s: %w", id, store.ErrNotFound)
	}
	return cloneIncident(i.Incident), nil
}

// Incidents implements store.Chronicle.
func (s *Store) Incidents(ctx context.Context, f store.IncidentFilter) ([]fleet.Incident, error) {
	end, err := s.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer end()
	var found []*incident
	for _, i := range s.incidents {
		switch {
		case f.Open && !i.Open(), f.Target != "" && f.Target != i.Target, i.Opened.Before(f.Since) && i.Closed.Before(f.Since):
		default:
			found = append(found, i)
		}
	}
	slices.SortFunc(found, func(a, b *incident) int {
		return cmp.Or(b.Opened.Compare(a.Opened), cmp.Compare(b.nth, a.nth))
	})
	if f.Limit > 0 && len(found) > f.Limit {
		found = found[:f.Limit]
	}
	out := make([]fleet.Incident, len(found))
	for n, i := range found {
		out[n] = cloneIncident(i.Incident)
	}
	return out, nil
}

// Append implements store.Chronicle.
func (s *Store) Append(ctx context.Context, events ...fleet.Event) error {
	end, err := s.begin(ctx)
	if err != nil {
		return err
	}
	defer end()
	s.add(events...)
	return nil
}

// add writes events within a transaction.
func (s *Store) add(events ...fleet.Event) {
	for _, e := range events {
		s.seq++
		e = cloneEvent(e)
		e.Seq = s.seq
		s.events = append(s.events, e)
	}
}

// Events implements store.Chronicle.
func (s *Store) Events(ctx context.Context, f store.EventFilter) ([]fleet.Event, error) {
	end, err := s.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer end()
	first, _ := slices.BinarySearchFunc(s.events, f.After+1, func(e fleet.Event, seq int64) int { return cmp.Compare(e.Seq, seq) })
	from := s.events[first:]
	var out []fleet.Event
	for n := range from {
		e := &from[n]
		if f.Newest {
			e = &from[len(from)-1-n]
		}
		if !told(f, e) {
			continue
		}
		out = append(out, cloneEvent(*e))
		if len(out) == f.Limit {
			break
		}
	}
	return out, nil
}

func told(f store.EventFilter, e *fleet.Event) bool {
	switch {
	case len(f.Kinds) > 0 && !slices.Contains(f.Kinds, e.Kind),
		f.Target != "" && f.Target != e.Target && f.Target != e.Target.Parent(),
		f.Incident != "" && f.Incident != e.Incident,
		f.Plan != "" && f.Plan != e.Plan,
		e.At.Before(f.Since):
		return false
	}
	return true
}

func (s *Store) pruneChronicle(before time.Time) int64 {
	n := len(s.events) + len(s.incidents)
	s.events = slices.DeleteFunc(s.events, func(e fleet.Event) bool { return e.At.Before(before) })
	for id, i := range s.incidents {
		if !i.Open() && i.Closed.Before(before) {
			delete(s.incidents, id)
		}
	}
	return int64(n - len(s.events) - len(s.incidents))
}
