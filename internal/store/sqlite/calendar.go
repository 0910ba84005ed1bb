package sqlite

import (
	"context"
	"time"

	"phalops/internal/fleet"
)

const (
	saveMaintenance = `INSERT INTO maintenance (id, began, ends, doc) VALUES (?,?,?,?)
		ON CONFLICT (id) DO UPDATE SET began = excluded.began, ends = excluded.ends, doc = excluded.doc`
	listMaintenance = `SELECT doc FROM maintenance WHERE ends > ? ORDER BY began, id`
)

// SaveMaintenance implements store.Calendar. It does not wait for space: who opens a window wants peace now.
func (s *Store) SaveMaintenance(ctx context.Context, m []fleet.Maintenance, events ...fleet.Event) error {
	return s.write(ctx, "save maintenance", restoring, func(t tx) error {
		for _, w := range m {
			raw, err := encode(w)
			if err != nil {
				return err
			}
			if _, err := t.exec(ctx, saveMaintenance, w.ID, stamp(w.Began), stamp(w.Ends), raw); err != nil {
				return err
			}
		}
		return appendEvents(ctx, t, events)
	})
}

// Maintenance implements store.Calendar.
func (s *Store) Maintenance(ctx context.Context, after time.Time) ([]fleet.Maintenance, error) {
	var out []fleet.Maintenance
	err := s.read(ctx, "maintenance", func(t tx) (err error) {
		out, err = docs[fleet.Maintenance](ctx, t, listMaintenance, stamp(after))
		return err
	})
	return out, err
}
