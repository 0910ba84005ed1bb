package sqlite

import (
	"io/fs"
	"path/filepath"
	"testing"

	"github.com/pressly/goose/v3"

	"phalops/internal/fleet"
)

// A database of the first release is brought up to date when it is opened, and keeps what it has.
func TestOldDatabase(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, FileName)
	if err := prepareFiles(dir, path); err != nil {
		t.Fatal(err)
	}
	db, err := pool(path, 1)
	if err != nil {
		t.Fatal(err)
	}
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		t.Fatal(err)
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, db, files, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.UpTo(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(t.Context(), saveStatus, "node/n1", fleet.KindNode, `{"ref":"node/n1","site":"dc1"}`); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}

	s := open(t, dir)
	if nodes, err := s.Nodes(t.Context()); err != nil || len(nodes) != 1 || nodes[0].Site != "dc1" {
		t.Errorf("%+v, %v", nodes, err)
	}
	khala := fleet.NetworkRef("khala")
	if err := s.SaveChain(t.Context(), fleet.ChainView{Ref: khala}, fleet.ChainSample{Network: khala, At: t0}); err != nil {
		t.Fatal(err)
	}
	if views, err := s.Chains(t.Context()); err != nil || len(views) != 1 {
		t.Errorf("%+v, %v", views, err)
	}
}
