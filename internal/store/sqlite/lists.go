package sqlite

import (
	"context"
	"slices"
	"time"

	"phalops/internal/fleet"
	"phalops/internal/store"
)

// Plans implements store.Journal.
func (s *Store) Plans(ctx context.Context, f store.PlanFilter) ([]fleet.Plan, error) {
	w := where{}
	if len(f.Sites) > 0 {
		w.in("site", anys(f.Sites))
	}
	if f.Unended {
		w.add("over = 0")
	}
	if f.Kind != "" {
		w.add("kind = ?", f.Kind)
	}
	if f.Target != "" {
		w.add("n IN (SELECT plan FROM plan_refs WHERE ref = ?)", f.Target)
	}
	if !f.Since.IsZero() {
		w.add("created >= ?", stamp(f.Since))
	}
	if f.Incident != "" {
		w.add("incident = ?", f.Incident)
	}
	chosen := "FROM plans" + w.String() + " ORDER BY created DESC, n DESC" + limit(f.Limit)
	var out []fleet.Plan
	err := s.read(ctx, "plans", func(t tx) error {
		var err error
		if out, err = docs[fleet.Plan](ctx, t, "SELECT doc "+chosen, w.args...); err != nil {
			return err
		}
		return count(ctx, t, out, chosen, w.args)
	})
	return out, err
}

// count fills in the plans' steps by state.
func count(ctx context.Context, t tx, plans []fleet.Plan, chosen string, args []any) error {
	byID := make(map[string]*fleet.Plan, len(plans))
	for i := range plans {
		byID[plans[i].ID] = &plans[i]
	}
	rows, err := t.QueryContext(ctx, `SELECT p.id, s.state, count(*) FROM steps s JOIN plans p ON p.n = s.plan
		WHERE s.plan IN (SELECT n `+chosen+`) GROUP BY s.plan, s.state`, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var id string
		var state fleet.StepState
		var n int
		if err := rows.Scan(&id, &state, &n); err != nil {
			return err
		}
		p := byID[id]
		if p.Counts == nil {
			p.Counts = map[fleet.StepState]int{}
		}
		p.Counts[state] = n
	}
	return rows.Err()
}

// Attempts implements store.Journal.
func (s *Store) Attempts(ctx context.Context, since time.Time) ([]fleet.Attempt, error) {
	var out []fleet.Attempt
	err := s.read(ctx, "attempts", func(t tx) error {
		out = nil
		plans, err := docs[fleet.Plan](ctx, t, `SELECT doc FROM plans WHERE over = 0 OR over >= ? ORDER BY n`, stamp(since))
		if err != nil {
			return err
		}
		for _, p := range plans {
			if !p.Exact && len(p.Targets) > 1 { // a batch is judged target by target
				if p.Steps, err = outline(ctx, t, p.ID); err != nil {
					return err
				}
			}
			out = append(out, store.AttemptsOf(p, since)...)
		}
		return nil
	})
	slices.SortStableFunc(out, func(a, b fleet.Attempt) int { return a.At.Compare(b.At) })
	return out, err
}

// outline reads of a plan's steps only what happened to whom and when.
func outline(ctx context.Context, t tx, id string) ([]fleet.Step, error) {
	rows, err := t.QueryContext(ctx, `SELECT target, state, began, ended FROM steps WHERE plan = (SELECT n FROM plans WHERE id = ?) ORDER BY seq`, id)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []fleet.Step
	for rows.Next() {
		var step fleet.Step
		var began, ended int64
		if err := rows.Scan(&step.Target, &step.State, &began, &ended); err != nil {
			return nil, err
		}
		step.Began, step.Ended = moment(began), moment(ended)
		out = append(out, step)
	}
	return out, rows.Err()
}

// Locks implements store.Journal.
func (s *Store) Locks(ctx context.Context) ([]store.Lock, error) {
	var out []store.Lock
	err := s.read(ctx, "locks", func(t tx) error {
		out = nil
		rows, err := t.QueryContext(ctx, `SELECT `+lockColumns+` ORDER BY l.token`)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			l, err := scanLock(rows)
			if err != nil {
				return err
			}
			out = append(out, l)
		}
		return rows.Err()
	})
	return out, err
}

// scanLock reads lockColumns.
func scanLock(row interface{ Scan(...any) error }) (store.Lock, error) {
	var l store.Lock
	var raw []byte
	if err := row.Scan(&l.Ref, &l.Token, &raw); err != nil {
		return l, err
	}
	var p fleet.Plan
	err := decode(raw, &p)
	l.Plan, l.Owner, l.Reason, l.Since = p.ID, p.Author, p.Reason, p.Created
	return l, err
}
