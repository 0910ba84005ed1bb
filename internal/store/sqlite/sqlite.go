// Package sqlite keeps the store in one SQLite database in a folder of its own:
//
//	phalops.db (-wal, -shm)  everything, WAL, synchronous=FULL
//	reserve                  space that restoring steps get when the disk is full
//	phalops.lock             held for a moment while one process migrates or claims an owner's name
//	owner-<hash>.lock        held (flock) by the process that is the owner of a lease, as long as it lives
//
// Several processes may open the same folder at the same time. The folder must be on a local file system.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"

	"phalops/internal/store"
)

var _ store.Store = (*Store)(nil)

// DefaultReserve is how much space is kept for restoring steps.
const DefaultReserve = 16 << 20

// Names of files in the folder.
const (
	// FileName is the database in the folder.
	FileName    = "phalops.db"
	reserveFile = "reserve"
	lockFile    = "phalops.lock"
)

// readers bounds the connections that read beside the one that writes.
const readers = 4

// Options say where the store is.
type Options struct {
	// Dir is the folder, made with mode 0700 when it is not there.
	Dir string
	// Reserve is the size of the reserve file in bytes; zero: DefaultReserve.
	Reserve int64
}

// Store is a store.Store in a folder. It is safe for concurrent use.
type Store struct {
	dir     string
	path    string
	writer  *sql.DB // one connection: SQLite has one writer, and waiting here is fair and cheap
	reader  *sql.DB
	hot     map[string]*sql.Stmt // prepared on writer
	reserve *reserve
	owners  *owners
}

// Open opens the store in o.Dir, makes it when there is none, and brings its schema up to date. A store that a newer
// program wrote, a damaged one, and a folder that others can read are refused with a *fleet.Error; nothing is ever deleted.
// On a full disk it opens, and Full reports true. It blocks while another process migrates, as long as ctx allows.
func Open(ctx context.Context, o Options) (*Store, error) {
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return nil, fmt.Errorf("data folder %s: %w", o.Dir, err)
	}
	if o.Reserve == 0 {
		o.Reserve = DefaultReserve
	}
	path := filepath.Join(dir, FileName)
	if err := prepareFiles(dir, path); err != nil {
		return nil, err
	}
	s := &Store{dir: dir, path: path, owners: newOwners(dir), reserve: newReserve(dir, o.Reserve)}
	err = s.connect(ctx)
	if s.reserve.exhausted(err) { // not even room for the shared memory file
		s.reserve.release()
		err = errors.Join(s.Close(), s.connect(ctx))
	}
	if err != nil {
		return nil, errors.Join(s.explain(ctx, "open "+path, err), s.Close())
	}
	s.reserve.open()
	return s, nil
}

// connect opens both pools and migrates, alone among all processes.
func (s *Store) connect(ctx context.Context) error {
	unlock, err := s.owners.lockDir(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	if s.writer, err = pool(s.path, 1, "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)", "journal_size_limit(8388608)"); err != nil {
		return err
	}
	if s.reader, err = pool(s.path, readers, "query_only(1)"); err != nil {
		return err
	}
	if err := migrate(ctx, s.writer, s.path); err != nil {
		return err
	}
	s.hot = make(map[string]*sql.Stmt, len(hotQueries()))
	for _, q := range hotQueries() {
		stmt, err := s.writer.PrepareContext(ctx, q) //nolint:sqlclosecheck // Close closes it
		if err != nil {
			return err
		}
		s.hot[q] = stmt
	}
	return nil
}

// Close gives the owners' names back, so that another process may take their leases over at once, and closes the files.
func (s *Store) Close() error {
	var errs []error
	for _, stmt := range s.hot {
		errs = append(errs, stmt.Close())
	}
	for _, db := range []*sql.DB{s.reader, s.writer} {
		if db != nil {
			errs = append(errs, db.Close())
		}
	}
	errs = append(errs, s.owners.close())
	return errors.Join(errs...)
}

// Full reports whether the disk was full when something was last written, and is not known to have space again.
func (s *Store) Full() bool { return s.reserve.full.Load() }

// Verify reads the whole database and returns an error with the code store.corrupt when it is damaged. It takes about a
// second per gigabyte and disturbs nobody.
func (s *Store) Verify(ctx context.Context) error {
	return s.read(ctx, "verify", func(t tx) error {
		var verdict string
		if err := t.QueryRowContext(ctx, "PRAGMA quick_check(1)").Scan(&verdict); err != nil {
			return err
		}
		if verdict != "ok" {
			return corrupt(s.path, errors.New(verdict))
		}
		return nil
	})
}
