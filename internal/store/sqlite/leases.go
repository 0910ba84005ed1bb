package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"phalops/internal/store"
)

const (
	findLease = `SELECT name, owner, token, since, expires FROM leases WHERE name = ?`
	saveLease = `INSERT INTO leases (name, owner, token, since, expires) VALUES (?,?,?,?,?) ON CONFLICT (name) DO UPDATE
		SET owner = excluded.owner, token = excluded.token, since = excluded.since, expires = excluded.expires`
	releaseLease = `UPDATE leases SET owner = '', expires = 0 WHERE name = ? AND owner = ?`
)

// Acquire implements store.Leases. An owner is one process: a name that another living process uses is refused like a
// lease that it holds. Another owner's lease is taken over before its end when his process is gone.
func (s *Store) Acquire(ctx context.Context, name, owner string, ttl time.Duration, now time.Time) (store.Lease, error) {
	what := "lease " + name + " for " + owner
	mine, err := s.owners.claim(ctx, owner)
	if s.reserve.exhausted(err) { // not even an empty file
		s.reserve.release()
		mine, err = s.owners.claim(ctx, owner)
	}
	if err != nil {
		return store.Lease{}, s.explain(ctx, what, err)
	}
	var got store.Lease
	err = s.write(ctx, what, restoring, func(t tx) error {
		row, err := loadLease(ctx, t, name)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		if !mine {
			return &store.HeldError{Lease: store.Lease{Name: name, Owner: owner, Token: row.Token, Expires: row.Expires, Since: row.Since}}
		}
		got = row
		got.Expires = now.Add(ttl).UTC()
		if row.Owner != owner {
			if row.Owner != "" && row.Expires.After(now) {
				dead, done := s.owners.isDead(row.Owner)
				defer done()
				if !dead {
					return &store.HeldError{Lease: row}
				}
			}
			got = store.Lease{Name: name, Owner: owner, Token: row.Token + 1, Since: now.UTC(), Expires: got.Expires}
		}
		_, err = t.exec(ctx, saveLease, got.Name, got.Owner, got.Token, stamp(got.Since), stamp(got.Expires))
		return err
	})
	if err != nil {
		return store.Lease{}, err
	}
	return got, nil
}

func loadLease(ctx context.Context, t tx, name string) (store.Lease, error) {
	var l store.Lease
	var since, expires int64
	err := t.row(ctx, findLease, name).Scan(&l.Name, &l.Owner, &l.Token, &since, &expires)
	if errors.Is(err, sql.ErrNoRows) {
		return store.Lease{}, store.ErrNotFound
	}
	l.Since, l.Expires = moment(since), moment(expires)
	return l, err
}

// Release implements store.Leases.
func (s *Store) Release(ctx context.Context, name, owner string) error {
	return s.write(ctx, "release lease "+name, restoring, func(t tx) error {
		_, err := t.exec(ctx, releaseLease, name, owner)
		return err
	})
}

// LeaseOf implements store.Leases.
func (s *Store) LeaseOf(ctx context.Context, name string, now time.Time) (store.Lease, error) {
	var l store.Lease
	err := s.read(ctx, "lease "+name, func(t tx) error {
		var err error
		if l, err = loadLease(ctx, t, name); err != nil {
			return err
		}
		if l.Owner == "" || !l.Expires.After(now) {
			return store.ErrNotFound
		}
		dead, done := s.owners.isDead(l.Owner)
		done()
		if dead {
			return store.ErrNotFound
		}
		return nil
	})
	if err != nil {
		return store.Lease{}, err
	}
	return l, nil
}
