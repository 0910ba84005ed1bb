package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"phalops/internal/fleet"
	"phalops/internal/store"
)

const (
	insertPlan = `INSERT INTO plans (id, site, kind, incident, created, over, doc) VALUES (?,?,?,?,?,?,?) ON CONFLICT (id) DO NOTHING`
	insertStep = `INSERT INTO steps (plan, seq, target, state, began, ended, doc) VALUES (?,?,?,?,?,?,?)`
	insertRef  = `INSERT INTO plan_refs (ref, plan) VALUES (?,?)`
	insertLock = `INSERT INTO locks (ref, owner_ref, plan) VALUES (?,?,?)`
	// findLock mirrors fleet.Ref.Overlaps: the same, the parent, or a child.
	findLock    = `SELECT ` + lockColumns + ` WHERE l.plan <> ? AND p.id <> ? AND (l.ref = ? OR l.ref = ? OR l.owner_ref = ?) ORDER BY l.token LIMIT 1`
	lockColumns = `l.ref, l.token, p.doc FROM locks l JOIN plans p ON p.n = l.plan`
	findPlan    = `SELECT n, over, doc FROM plans WHERE id = ?`
	updatePlan  = `UPDATE plans SET over = ?, doc = ? WHERE n = ?`
	updateStep  = `UPDATE steps SET target = ?, state = ?, began = ?, ended = ?, doc = ? WHERE plan = ? AND seq = ?`
	findToken   = `SELECT token FROM leases WHERE name = ?`
	freeLocks   = `DELETE FROM locks WHERE plan = ?`
)

// CreatePlan implements store.Journal.
func (s *Store) CreatePlan(ctx context.Context, p fleet.Plan) error {
	head, err := encode(header(p))
	if err != nil {
		return s.explain(ctx, "create plan "+p.ID, err)
	}
	return s.write(ctx, "create plan "+p.ID, ordinary, func(t tx) error {
		res, err := t.exec(ctx, insertPlan, p.ID, p.Site, p.Kind, p.Incident, stamp(p.Created), planOver(p), head)
		if err != nil {
			return err
		}
		if made, err := res.RowsAffected(); err != nil || made == 0 {
			return errors.Join(err, store.ErrExists)
		}
		n, err := res.LastInsertId()
		if err != nil {
			return err
		}
		if err := takeLocks(ctx, t, n, p); err != nil {
			return err
		}
		for _, ref := range distinct(slices.Concat(p.Targets, p.Locks)) {
			if _, err := t.exec(ctx, insertRef, ref, n); err != nil {
				return err
			}
		}
		for _, step := range p.Steps {
			raw, err := encode(step)
			if err != nil {
				return err
			}
			if _, err := t.exec(ctx, insertStep, n, step.Seq, step.Target, step.State, stamp(step.Began), stamp(step.Ended), raw); err != nil {
				return err
			}
		}
		return appendEvents(ctx, t, []fleet.Event{store.Created(p)})
	})
}

// header is what the row of a plan keeps.
func header(p fleet.Plan) fleet.Plan {
	p.Steps, p.Counts = nil, nil
	return p
}

func planOver(p fleet.Plan) int64 {
	if !p.State.Ended() {
		return 0
	}
	return overAt(p.Ended, p.Created)
}

// distinct keeps the order of first appearance.
func distinct(refs []fleet.Ref) []fleet.Ref {
	seen := make(map[fleet.Ref]bool, len(refs))
	return slices.DeleteFunc(slices.Clone(refs), func(r fleet.Ref) bool {
		was := seen[r]
		seen[r] = true
		return was
	})
}

func takeLocks(ctx context.Context, t tx, n int64, p fleet.Plan) error {
	if p.State.Ended() {
		return nil
	}
	for _, ref := range distinct(p.Locks) {
		held, err := scanLock(t.row(ctx, findLock, n, p.Under, ref, ref.Parent(), ref))
		if err == nil {
			return &store.LockedError{Wanted: ref, Held: held}
		}
		if !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		if _, err := t.exec(ctx, insertLock, ref, ownerRef(ref), n); err != nil {
			return err
		}
	}
	return nil
}

// Plan implements store.Journal.
func (s *Store) Plan(ctx context.Context, id string) (fleet.Plan, error) {
	var p fleet.Plan
	err := s.read(ctx, "plan "+id, func(t tx) error {
		var n int64
		var err error
		if n, _, p, err = loadPlan(ctx, t, id); err != nil {
			return err
		}
		p.Steps, err = docs[fleet.Step](ctx, t, `SELECT doc FROM steps WHERE plan = ? ORDER BY seq`, n)
		return err
	})
	if err != nil {
		return fleet.Plan{}, err
	}
	return p, nil
}

// PlanHead implements store.Journal.
func (s *Store) PlanHead(ctx context.Context, id string) (fleet.Plan, error) {
	var p fleet.Plan
	err := s.read(ctx, "plan "+id, func(t tx) (err error) {
		_, _, p, err = loadPlan(ctx, t, id)
		return err
	})
	if err != nil {
		return fleet.Plan{}, err
	}
	return p, nil
}

func loadPlan(ctx context.Context, t tx, id string) (n, over int64, p fleet.Plan, err error) {
	var raw []byte
	err = t.row(ctx, findPlan, id).Scan(&n, &over, &raw)
	if errors.Is(err, sql.ErrNoRows) {
		err = store.ErrNotFound
	}
	if err == nil {
		err = decode(raw, &p)
	}
	return n, over, p, err
}

// SaveStep implements store.Journal.
func (s *Store) SaveStep(ctx context.Context, plan string, step fleet.Step, fence store.Fence, events ...fleet.Event) error {
	what := fmt.Sprintf("save step %d of plan %s", step.Seq, plan)
	raw, err := encode(step)
	if err != nil {
		return s.explain(ctx, what, err)
	}
	return s.write(ctx, what, restoring, func(t tx) error {
		n, _, _, err := loadPlan(ctx, t, plan)
		if err != nil {
			return err
		}
		if err := checkFence(ctx, t, fence); err != nil {
			return err
		}
		res, err := t.exec(ctx, updateStep, step.Target, step.State, stamp(step.Began), stamp(step.Ended), raw, n, step.Seq)
		if err != nil {
			return err
		}
		if changed, err := res.RowsAffected(); err != nil || changed == 0 {
			return errors.Join(err, store.ErrNotFound)
		}
		return appendEvents(ctx, t, events)
	})
}

// checkFence refuses a token that is not the newest one of its lease.
func checkFence(ctx context.Context, t tx, f store.Fence) error {
	var token int64
	err := t.row(ctx, findToken, f.Lease).Scan(&token)
	if errors.Is(err, sql.ErrNoRows) || (err == nil && token != f.Token) {
		return store.ErrFenced
	}
	return err
}

// SavePlan implements store.Journal.
func (s *Store) SavePlan(ctx context.Context, p fleet.Plan, fence store.Fence, events ...fleet.Event) error {
	return s.write(ctx, "save plan "+p.ID, restoring, func(t tx) error {
		n, over, row, err := loadPlan(ctx, t, p.ID)
		if err != nil {
			return err
		}
		if fence != (store.Fence{}) {
			if err := checkFence(ctx, t, fence); err != nil {
				return err
			}
			p = keepPersons(p, row)
		}
		if over != 0 {
			return store.ErrEnded
		}
		row.State, row.Note, row.Next, row.Ended, row.Abort, row.Untouched = p.State, p.Note, p.Next, p.Ended, p.Abort, p.Untouched
		raw, err := encode(row)
		if err != nil {
			return err
		}
		if _, err := t.exec(ctx, updatePlan, planOver(row), raw, n); err != nil {
			return err
		}
		if row.State.Ended() {
			if _, err := t.exec(ctx, freeLocks, n); err != nil {
				return err
			}
		}
		return appendEvents(ctx, t, events)
	})
}

// keepPersons lets what a person asked for meanwhile stand in the write of an executor who has not read it yet.
func keepPersons(p, row fleet.Plan) fleet.Plan {
	p.Abort = p.Abort || row.Abort
	if row.State == fleet.PlanPaused && p.State == fleet.PlanRunning {
		p.State, p.Note = row.State, row.Note
	}
	return p
}
