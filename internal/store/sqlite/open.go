package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"slices"

	"github.com/pressly/goose/v3"
	"modernc.org/sqlite"

	"phalops/internal/fleet"
)

//go:embed migrations/*.sql
var migrations embed.FS

// prepareFiles makes the folder (0700) and the data file (0600), and closes both to others. A folder that holds other
// things already is not ours to close: it may be /tmp.
func prepareFiles(dir, path string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make the data folder: %w", err)
	}
	info, err := os.Stat(dir)
	if err != nil {
		return fmt.Errorf("data folder: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		if !ours(dir) {
			return fleet.Fail(fleet.Refused, fleet.Because("store.dir_shared", "dir", dir, "mode", fmt.Sprintf("%04o", info.Mode().Perm())))
		}
		if err := os.Chmod(dir, 0o700); err != nil {
			return fmt.Errorf("close the data folder to others: %w", err)
		}
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("data file: %w", err)
	}
	defer f.Close()
	if info, err = f.Stat(); err != nil {
		return fmt.Errorf("data file: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		if err := f.Chmod(0o600); err != nil {
			return fmt.Errorf("close the data file to others: %w", err)
		}
	}
	return nil
}

// ours reports whether dir is empty or has a data file. It looks once: another process may be starting too.
func ours(dir string) bool {
	entries, err := os.ReadDir(dir)
	isData := func(e fs.DirEntry) bool { return e.Name() == FileName }
	return err == nil && (len(entries) == 0 || slices.ContainsFunc(entries, isData))
}

// pool makes a pool of connections that run the pragmas first. Every transaction of the writer (and only it is given
// any that write) is immediate, so that it waits for its turn at the beginning instead of failing in the middle.
func pool(path string, size int, pragmas ...string) (*sql.DB, error) {
	q := url.Values{"_pragma": append([]string{"busy_timeout(5000)"}, pragmas...)}
	if size == 1 {
		q.Set("_txlock", "immediate")
	}
	c, err := sqlite.NewConnector((&url.URL{Scheme: "file", Path: path, RawQuery: q.Encode()}).String())
	if err != nil {
		return nil, err
	}
	db := sql.OpenDB(c)
	db.SetMaxOpenConns(size)
	db.SetMaxIdleConns(size)
	return db, nil
}

// migrate brings the schema up to date, unless it is newer than this program.
func migrate(ctx context.Context, db *sql.DB, path string) error {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, db, files, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return err
	}
	found, known, err := p.GetVersions(ctx)
	if err != nil {
		return err
	}
	if found > known {
		return fleet.Fail(fleet.Refused, fleet.Because("store.newer_schema", "path", path, "found", found, "known", known))
	}
	_, err = p.Up(ctx)
	return err
}
