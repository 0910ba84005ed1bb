package sqlite

import (
	"context"
	"time"
)

// Times to live.
const (
	sampleDays = 3
	factDays   = 14
	longDays   = 400
)

// How many rows one transaction of Prune removes, so that it keeps others waiting for some milliseconds only. A plan
// takes up to a thousand steps along.
const (
	chunk     = 1000
	planChunk = 20
)

// Prune implements store.Store, in several short transactions. It also makes the reserve again when the disk has space,
// and removes the files of owners who are gone.
func (s *Store) Prune(ctx context.Context, now time.Time) (int64, error) {
	const day = 24 * time.Hour
	short, long := stamp(now.Add(-factDays*day)), stamp(now.Add(-longDays*day))
	var total int64
	for _, p := range []struct {
		query  string
		before int64
		chunk  int64
	}{
		{`DELETE FROM chain_samples WHERE n IN (SELECT n FROM chain_samples WHERE at < ? LIMIT ?)`, stamp(now.Add(-sampleDays * day)), chunk},
		{`DELETE FROM facts WHERE n IN (SELECT n FROM facts WHERE at < ? LIMIT ?)`, short, chunk},
		{`DELETE FROM events WHERE seq IN (SELECT seq FROM events WHERE at < ? LIMIT ?)`, long, chunk},
		{`DELETE FROM incidents WHERE n IN (SELECT n FROM incidents WHERE closed < ? AND closed <> 0 LIMIT ?)`, long, chunk},
		{`DELETE FROM messages WHERE n IN (SELECT n FROM messages WHERE over < ? AND over <> 0 LIMIT ?)`, long, chunk},
		{`DELETE FROM maintenance WHERE id IN (SELECT id FROM maintenance WHERE ends < ? LIMIT ?)`, long, chunk},
		{`DELETE FROM plans WHERE n IN (SELECT n FROM plans WHERE over < ? AND over <> 0 LIMIT ?)`, long, planChunk},
	} {
		for {
			var n int64
			err := s.write(ctx, "prune", restoring, func(t tx) error {
				res, err := t.exec(ctx, p.query, p.before, p.chunk)
				if err != nil {
					return err
				}
				n, err = res.RowsAffected()
				return err
			})
			if err != nil {
				return total, err
			}
			total += n
			if n < p.chunk {
				break
			}
		}
	}
	s.reserve.refill()
	return total, s.tidy(ctx)
}

// tidy removes the lock files of owners who neither live nor have a lease.
func (s *Store) tidy(ctx context.Context) error {
	var named []string
	err := s.read(ctx, "owners", func(t tx) error {
		named = nil
		rows, err := t.QueryContext(ctx, `SELECT owner FROM leases WHERE owner <> ''`)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var owner string
			if err := rows.Scan(&owner); err != nil {
				return err
			}
			named = append(named, owner)
		}
		return rows.Err()
	})
	if err != nil {
		return err
	}
	return s.explain(ctx, "tidy", s.owners.tidy(ctx, named))
}
