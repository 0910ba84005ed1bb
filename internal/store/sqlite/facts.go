package sqlite

import (
	"context"
	"time"

	"phalops/internal/fleet"
)

const insertFact = `INSERT INTO facts (at, target, owner_ref, field, value, source) VALUES (?,?,?,?,?,?)`

// LogFacts implements store.FactLog.
func (s *Store) LogFacts(ctx context.Context, facts ...fleet.Fact) error {
	if len(facts) == 0 {
		return nil
	}
	return s.write(ctx, "log facts", ordinary, func(t tx) error {
		for _, f := range facts {
			if _, err := t.exec(ctx, insertFact, stamp(f.At), f.Target, ownerRef(f.Target), f.Field, f.Value, f.Source); err != nil {
				return err
			}
		}
		return nil
	})
}

// Facts implements store.FactLog.
func (s *Store) Facts(ctx context.Context, target fleet.Ref, since time.Time, n int) ([]fleet.Fact, error) {
	w := where{}
	w.family(target)
	if !since.IsZero() {
		w.add("at >= ?", stamp(since))
	}
	var out []fleet.Fact
	err := s.read(ctx, "facts about "+string(target), func(t tx) error {
		out = nil
		rows, err := t.QueryContext(ctx, "SELECT at, target, field, value, source FROM facts"+w.String()+" ORDER BY at, n"+limit(n), w.args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var f fleet.Fact
			var at int64
			if err := rows.Scan(&at, &f.Target, &f.Field, &f.Value, &f.Source); err != nil {
				return err
			}
			f.At = moment(at)
			out = append(out, f)
		}
		return rows.Err()
	})
	return out, err
}
