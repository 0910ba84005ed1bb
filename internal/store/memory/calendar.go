package memory

import (
	"cmp"
	"context"
	"slices"
	"time"

	"phalops/internal/fleet"
)

// SaveMaintenance implements store.Calendar.
func (s *Store) SaveMaintenance(ctx context.Context, m []fleet.Maintenance, events ...fleet.Event) error {
	end, err := s.begin(ctx)
	if err != nil {
		return err
	}
	defer end()
	for _, w := range m {
		w.Sites = slices.Clone(w.Sites)
		s.windows = append(slices.DeleteFunc(s.windows, func(old fleet.Maintenance) bool { return old.ID == w.ID }), w)
	}
	slices.SortFunc(s.windows, func(a, b fleet.Maintenance) int { return cmp.Or(a.Began.Compare(b.Began), cmp.Compare(a.ID, b.ID)) })
	s.add(events...)
	return nil
}

// Maintenance implements store.Calendar.
func (s *Store) Maintenance(ctx context.Context, after time.Time) ([]fleet.Maintenance, error) {
	end, err := s.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer end()
	var out []fleet.Maintenance
	for _, w := range s.windows {
		if w.Ends.After(after) {
			w.Sites = slices.Clone(w.Sites)
			out = append(out, w)
		}
	}
	return out, nil
}

func (s *Store) pruneWindows(before time.Time) int64 {
	n := len(s.windows)
	s.windows = slices.DeleteFunc(s.windows, func(w fleet.Maintenance) bool { return w.Ends.Before(before) })
	return int64(n - len(s.windows))
}
