package roster_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"phalops/internal/i18n"
	"phalops/internal/roster"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestReports shows how mistakes are told, in both languages: lists with a mistake of every kind, and what comes of them.
func TestReports(t *testing.T) {
	catalog, err := i18n.Load()
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("testdata/bad/*.*")
	if err != nil {
		t.Fatal(err)
	}
	files = slices.DeleteFunc(files, func(f string) bool { return strings.HasSuffix(f, ".golden") })
	if len(files) < 8 {
		t.Fatalf("only %v", files)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		problems, accepted := problemsOf(t, filepath.Base(file), data)
		if len(problems) == 0 {
			t.Errorf("%s has no problem", file)
		}
		for _, lang := range i18n.Langs() {
			t.Run(filepath.Base(file)+" "+string(lang), func(t *testing.T) {
				var out strings.Builder
				for _, p := range problems {
					fmt.Fprintf(&out, "%s %s\n", p.At(), catalog.Text(lang, p.Reason.Code, p.Reason.Args))
					if p.Excerpt != "" {
						fmt.Fprintf(&out, "    %s\n", p.Excerpt)
					}
					if p.Caret() != "" {
						fmt.Fprintf(&out, "    %s\n", p.Caret())
					}
				}
				for _, a := range accepted {
					fmt.Fprintf(&out, "+ %s\n", a)
				}
				golden(t, fmt.Sprintf("%s.%s.golden", file, lang), out.String())
			})
		}
	}
}

// problemsOf reads a list of workers, or of pools where the file is called so.
func problemsOf(t *testing.T, file string, data []byte) (roster.Problems, []string) {
	t.Helper()
	if strings.HasPrefix(file, "pool") {
		list, err := roster.ParsePools(bytes.NewReader(data), roster.PoolOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return list.Problems, poolBriefs(list.Entries)
	}
	list, err := roster.Parse(bytes.NewReader(data), roster.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return list.Problems, briefs(list.Entries)
}

func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s differs (-want +got), after a look at it: go test ./internal/roster -update\n%s", path, diff)
	}
}
