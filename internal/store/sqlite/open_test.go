package sqlite

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"phalops/internal/fleet"
)

func code(err error) string { return fleet.ReasonOf(err).Code }

func TestFilesAreClosedToOthers(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data ?#%")
	s := open(t, dir)
	if _, err := s.Acquire(t.Context(), "dc1", "me", 1, t0); err != nil {
		t.Fatal(err)
	}
	check := func() {
		t.Helper()
		entries, err := os.ReadDir(dir)
		if err != nil || len(entries) < 5 {
			t.Fatalf("%d files, %v", len(entries), err)
		}
		for _, e := range entries {
			info, err := e.Info()
			if err != nil || info.Mode() != 0o600 {
				t.Errorf("%s has mode %v, %v", e.Name(), info.Mode(), err)
			}
		}
		if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
			t.Errorf("folder: %v, %v", info.Mode(), err)
		}
	}
	check()
	if err := errors.Join(os.Chmod(dir, 0o755), os.Chmod(s.path, 0o644)); err != nil {
		t.Fatal(err)
	}
	open(t, dir)
	check()
}

func TestSharedFolderIsRefused(t *testing.T) {
	dir := t.TempDir()
	if err := errors.Join(os.WriteFile(filepath.Join(dir, "other"), nil, 0o644), os.Chmod(dir, 0o755)); err != nil {
		t.Fatal(err)
	}
	_, err := Open(t.Context(), Options{Dir: dir})
	if code(err) != "store.dir_shared" || fleet.KindOf(err) != fleet.Refused {
		t.Errorf("got %v", err)
	}
	if info, _ := os.Stat(dir); info.Mode().Perm() != 0o755 {
		t.Error("the mode of a folder that is not ours was changed")
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("files were left: %v", entries)
	}
}

func TestReserveIsReal(t *testing.T) {
	dir := t.TempDir()
	s, err := Open(t.Context(), Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	info, err := os.Stat(filepath.Join(dir, reserveFile))
	if err != nil || info.Size() != DefaultReserve {
		t.Fatalf("reserve: %v, %v", info, err)
	}
	if got := allocated(info); got >= 0 && got < DefaultReserve {
		t.Errorf("only %d bytes of the reserve are on the disk", got)
	}
	if s.Full() {
		t.Error("full")
	}
}

func TestNewerSchemaIsRefused(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	if _, err := s.writer.Exec(`INSERT INTO goose_db_version (version_id, is_applied) VALUES (7000, 1)`); err != nil {
		t.Fatal(err)
	}
	_, err := Open(t.Context(), Options{Dir: dir, Reserve: 1})
	if code(err) != "store.newer_schema" || fleet.ReasonOf(err).Args["found"] != "7000" {
		t.Errorf("got %v", err)
	}
}

func TestDamagedFileIsRefusedAndKept(t *testing.T) {
	fill := func(t *testing.T, dir string) string {
		s, err := Open(t.Context(), Options{Dir: dir, Reserve: 1})
		if err != nil {
			t.Fatal(err)
		}
		for range 20 {
			e := fleet.Event{At: t0, Reason: fleet.Because(strings.Repeat("x", 3000))}
			if err := s.Append(t.Context(), e); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		return s.path
	}
	for name, damage := range map[string]func(b []byte) []byte{
		"not a database": func(b []byte) []byte { return append([]byte("no database at all"), b[18:]...) },
		"cut off":        func(b []byte) []byte { return b[:len(b)/2] },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := fill(t, dir)
			whole, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			bad := damage(whole)
			if err := os.WriteFile(path, bad, 0o600); err != nil {
				t.Fatal(err)
			}
			s, err := Open(t.Context(), Options{Dir: dir, Reserve: 1})
			if err == nil { // the part that is missing is only read now
				err = s.Verify(t.Context())
				s.Close()
			}
			if code(err) != "store.corrupt" || fleet.ReasonOf(err).Args["path"] != path {
				t.Errorf("got %v", err)
			}
			if kept, err := os.ReadFile(path); err != nil || string(kept) != string(bad) {
				t.Error("the damaged file was touched")
			}
		})
	}
	t.Run("a page in the middle", func(t *testing.T) {
		dir := t.TempDir()
		path := fill(t, dir)
		f, err := os.OpenFile(path, os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		info, _ := f.Stat()
		if _, err := f.WriteAt([]byte(strings.Repeat("\xff", 8192)), info.Size()/2&^4095); err != nil {
			t.Fatal(err)
		}
		f.Close()
		s, err := Open(t.Context(), Options{Dir: dir, Reserve: 1})
		if err == nil { // opening need not read that page
			err = s.Verify(t.Context())
			s.Close()
		}
		if code(err) != "store.corrupt" {
			t.Errorf("got %v", err)
		}
	})
}

func TestReopenKeepsEverything(t *testing.T) {
	dir := t.TempDir()
	s, err := Open(t.Context(), Options{Dir: dir, Reserve: 1})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.SaveNode(t.Context(), fleet.NodeStatus{Ref: fleet.NodeRef("n1")}); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(s.Close(), s.Close()); err != nil {
		t.Errorf("closing twice: %v", err)
	}
	if err := s.SaveNode(t.Context(), fleet.NodeStatus{Ref: fleet.NodeRef("n2")}); err == nil {
		t.Error("a closed store saves")
	}
	nodes, err := open(t, dir).Nodes(t.Context())
	if err != nil || len(nodes) != 1 {
		t.Errorf("%v, %v", nodes, err)
	}
}

// kill -9 does not show whether a commit survives a power cut; these settings decide it.
func TestCommitsSurvivePowerCut(t *testing.T) {
	s := open(t, t.TempDir())
	for pragma, want := range map[string]string{"synchronous": "2", "journal_mode": "wal", "foreign_keys": "1"} {
		var got string
		if err := s.writer.QueryRow("PRAGMA " + pragma).Scan(&got); err != nil || got != want {
			t.Errorf("%s = %s, %v", pragma, got, err)
		}
	}
}
