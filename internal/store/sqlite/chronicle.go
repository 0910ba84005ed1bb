package sqlite

import (
	"context"

	"phalops/internal/fleet"
	"phalops/internal/store"
)

const (
	insertEvent  = `INSERT INTO events (at, kind, target, owner_ref, incident, plan, doc) VALUES (?,?,?,?,?,?,?)`
	saveIncident = `INSERT INTO incidents (id, target, opened, closed, doc) VALUES (?,?,?,?,?) ON CONFLICT (id) DO UPDATE
		SET target = excluded.target, opened = excluded.opened, closed = excluded.closed, doc = excluded.doc`
)

// SaveIncident implements store.Chronicle. It may use the reserve: what happens while the disk is full belongs on record.
func (s *Store) SaveIncident(ctx context.Context, i fleet.Incident, events ...fleet.Event) error {
	raw, err := encode(i)
	if err != nil {
		return s.explain(ctx, "save incident "+i.ID, err)
	}
	return s.write(ctx, "save incident "+i.ID, restoring, func(t tx) error {
		if _, err := t.exec(ctx, saveIncident, i.ID, i.Target, stamp(i.Opened), stamp(i.Closed), raw); err != nil {
			return err
		}
		return appendEvents(ctx, t, events)
	})
}

// Incident implements store.Chronicle.
func (s *Store) Incident(ctx context.Context, id string) (fleet.Incident, error) {
	var out fleet.Incident
	err := s.read(ctx, "incident "+id, func(t tx) (err error) {
		out, err = doc[fleet.Incident](ctx, t, `SELECT doc FROM incidents WHERE id = ?`, id)
		return err
	})
	return out, err
}

// Incidents implements store.Chronicle.
func (s *Store) Incidents(ctx context.Context, f store.IncidentFilter) ([]fleet.Incident, error) {
	w := where{}
	if f.Open {
		w.add("closed = 0")
	}
	if f.Target != "" {
		w.add("target = ?", f.Target)
	}
	if !f.Since.IsZero() {
		w.add("(opened >= ? OR closed >= ?)", stamp(f.Since), stamp(f.Since))
	}
	var out []fleet.Incident
	err := s.read(ctx, "incidents", func(t tx) (err error) {
		out, err = docs[fleet.Incident](ctx, t, "SELECT doc FROM incidents"+w.String()+" ORDER BY opened DESC, n DESC"+limit(f.Limit), w.args...)
		return err
	})
	return out, err
}

// Append implements store.Chronicle.
func (s *Store) Append(ctx context.Context, events ...fleet.Event) error {
	if len(events) == 0 {
		return nil
	}
	return s.write(ctx, "append events", restoring, func(t tx) error { return appendEvents(ctx, t, events) })
}

func appendEvents(ctx context.Context, t tx, events []fleet.Event) error {
	for _, e := range events {
		e.Seq = 0 // the row's number is the truth
		raw, err := encode(e)
		if err != nil {
			return err
		}
		if _, err := t.exec(ctx, insertEvent, stamp(e.At), e.Kind, e.Target, ownerRef(e.Target), e.Incident, e.Plan, raw); err != nil {
			return err
		}
	}
	return nil
}

// Events implements store.Chronicle.
func (s *Store) Events(ctx context.Context, f store.EventFilter) ([]fleet.Event, error) {
	w := where{}
	if f.After != 0 {
		w.add("seq > ?", f.After)
	}
	if len(f.Kinds) > 0 {
		w.in("kind", anys(f.Kinds))
	}
	if f.Target != "" {
		w.family(f.Target)
	}
	if f.Incident != "" {
		w.add("incident = ?", f.Incident)
	}
	if f.Plan != "" {
		w.add("plan = ?", f.Plan)
	}
	if !f.Since.IsZero() {
		w.add("at >= ?", stamp(f.Since))
	}
	order := " ORDER BY seq"
	if f.Newest {
		order += " DESC"
	}
	var out []fleet.Event
	err := s.read(ctx, "events", func(t tx) error {
		out = nil
		rows, err := t.QueryContext(ctx, "SELECT seq, doc FROM events"+w.String()+order+limit(f.Limit), w.args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var e fleet.Event
			var seq int64
			var raw []byte
			if err := rows.Scan(&seq, &raw); err != nil {
				return err
			}
			if err := decode(raw, &e); err != nil {
				return err
			}
			e.Seq = seq
			out = append(out, e)
		}
		return rows.Err()
	})
	return out, err
}
