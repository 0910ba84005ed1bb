package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"time"

	"modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"

	"phalops/internal/fleet"
	"phalops/internal/store"
)

// tx is a transaction that knows the statements prepared for it.
type tx struct {
	*sql.Tx
	hot map[string]*sql.Stmt
}

// exec runs a statement, prepared if it is a hot one.
func (t tx) exec(ctx context.Context, query string, args ...any) (sql.Result, error) {
	if stmt := t.hot[query]; stmt != nil {
		return t.StmtContext(ctx, stmt).ExecContext(ctx, args...) //nolint:sqlclosecheck // the transaction closes its copy
	}
	return t.ExecContext(ctx, query, args...)
}

// row runs a query for one row, prepared if it is a hot one.
func (t tx) row(ctx context.Context, query string, args ...any) *sql.Row {
	if stmt := t.hot[query]; stmt != nil {
		return t.StmtContext(ctx, stmt).QueryRowContext(ctx, args...) //nolint:sqlclosecheck // the transaction closes its copy
	}
	return t.QueryRowContext(ctx, query, args...)
}

// need says what a write may use when the disk is full.
type need int

const (
	ordinary  need = iota // refused
	restoring             // may use the reserve: without it, what a plan stopped would stay stopped
)

// write runs f in a transaction that is on the disk when it returns nil. f may run twice.
func (s *Store) write(ctx context.Context, what string, n need, f func(tx) error) error {
	if err := ctx.Err(); err != nil {
		return s.explain(ctx, what, err)
	}
	if n == ordinary && !s.reserve.ready() {
		return s.explain(ctx, what, store.ErrFull)
	}
	err := s.inTx(ctx, s.writer, f)
	if s.reserve.exhausted(err) {
		s.reserve.release()
		if n == restoring {
			err = s.inTx(ctx, s.writer, f)
		}
	}
	return s.explain(ctx, what, err)
}

// read runs f on one consistent picture of the database.
func (s *Store) read(ctx context.Context, what string, f func(tx) error) error {
	return s.explain(ctx, what, s.inTx(ctx, s.reader, f))
}

func (s *Store) inTx(ctx context.Context, db *sql.DB, f func(tx) error) error {
	t, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	hot := s.hot
	if db != s.writer {
		hot = nil
	}
	if err := f(tx{t, hot}); err != nil {
		// The cause matters, not that SQLite has rolled back by itself already, as it does on a full disk.
		_ = t.Rollback()
		return err
	}
	return t.Commit()
}

// explain says what failed, and gives the failures that a person can mend their sentence.
func (s *Store) explain(ctx context.Context, what string, err error) error {
	if err == nil {
		return nil
	}
	var known *fleet.Error
	switch code := primary(err); {
	case errors.As(err, &known):
	case s.reserve.exhausted(err):
		err = fmt.Errorf("%w (%w)", store.ErrFull, err)
	case ctx.Err() != nil && (code == lib.SQLITE_INTERRUPT || code == 0):
		// database/sql undoes the transaction under our feet and then says something of closed statements.
		err = ctx.Err()
	case code == lib.SQLITE_CORRUPT || code == lib.SQLITE_NOTADB:
		err = corrupt(s.path, err)
	case code == lib.SQLITE_BUSY:
		err = fleet.FailWith(fleet.Unavailable, fleet.Because("store.busy", "path", s.path), err)
	}
	return fmt.Errorf("store: %s: %w", what, err)
}

func corrupt(path string, err error) error {
	return fleet.FailWith(fleet.Failed, fleet.Because("store.corrupt", "path", path, "err", err), err)
}

// primary is SQLite's primary result code, 0 when err is not SQLite's.
func primary(err error) int { return extended(err) & 0xff }

func extended(err error) int {
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		return e.Code()
	}
	return 0
}

// stamp is a moment as a column: nanoseconds since 1970, 0 for never.
func stamp(t time.Time) int64 {
	switch y := t.Year(); {
	case t.IsZero():
		return 0
	case y < 1678: // beyond what 64 bits of nanoseconds hold
		return math.MinInt64
	case y > 2261:
		return math.MaxInt64
	default:
		return t.UnixNano()
	}
}

// moment is stamp's way back, for the columns that are not repeated in a doc.
func moment(ns int64) time.Time {
	if ns == 0 {
		return time.Time{}
	}
	return time.Unix(0, ns).UTC()
}

// overAt is the first given moment that is one: when something was over, never 0.
func overAt(candidates ...time.Time) int64 {
	for _, t := range candidates {
		if !t.IsZero() {
			return stamp(t)
		}
	}
	return 1
}

// ownerRef is the parent of a worker or pool, else ref itself.
func ownerRef(ref fleet.Ref) fleet.Ref {
	if p := ref.Parent(); p != "" {
		return p
	}
	return ref
}

func encode(v any) (string, error) {
	b, err := json.Marshal(v)
	return string(b), err
}

func decode(raw []byte, v any) error { return json.Unmarshal(raw, v) }

// hotQueries are the statements worth preparing once: those of every beat.
func hotQueries() []string {
	return []string{
		insertPlan, insertStep, insertRef, insertLock, findLock, findPlan, updatePlan, updateStep, findToken, freeLocks,
		findLease, saveLease, insertEvent, saveIncident, saveStatus, saveDecision, insertFact, saveMessage,
	}
}

// docs reads a column of JSON documents.
func docs[T any](ctx context.Context, t tx, query string, args ...any) ([]T, error) {
	rows, err := t.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []T
	for rows.Next() {
		var raw sql.RawBytes
		if err := rows.Scan(&raw); err != nil {
			return nil, err
		}
		var v T
		if err := decode(raw, &v); err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, rows.Err()
}

// doc reads one JSON document; store.ErrNotFound when there is none.
func doc[T any](ctx context.Context, t tx, query string, args ...any) (T, error) {
	all, err := docs[T](ctx, t, query, args...)
	if err == nil && len(all) == 0 {
		err = store.ErrNotFound
	}
	if err != nil {
		var none T
		return none, err
	}
	return all[0], nil
}
