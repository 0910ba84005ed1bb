package testkit

import (
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// SharedFolder is where the shared data lies: PHALOPS_SHARED, else ../shared beside the project. The test is skipped without it, but fails
// where CI=true.
func SharedFolder(t testing.TB) string {
	t.Helper()
	folder := os.Getenv("PHALOPS_SHARED")
	if folder == "" {
		folder = filepath.Join(project(t), "..", "shared")
	}
	if _, err := os.Stat(folder); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip("no shared data (PHALOPS_SHARED says where it lies): ", err)
	}
	return folder
}

// Shared reads a file of the shared data, unpacked where its name ends in .gz, for example "data", "replies", "prb-v2.jsonl".
func Shared(t testing.TB, name ...string) []byte {
	t.Helper()
	path := filepath.Join(append([]string{SharedFolder(t)}, name...)...)
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(path, ".gz") {
		return b
	}
	z, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		t.Fatal(path, ": ", err)
	}
	if b, err = io.ReadAll(z); err != nil {
		t.Fatal(path, ": ", err)
	}
	return b
}

// project is the project's own folder, which a test's package lies in.
func project(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		up := filepath.Dir(dir)
		if up == dir {
			t.Fatal("there is no go.mod above the test's folder")
		}
		dir = up
	}
}
