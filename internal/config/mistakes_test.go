package config_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"phalops/internal/config"
)

var update = flag.Bool("update", false, "write the golden files anew")

// Each file in testdata/mistakes is one kind of mistake; what stands in its golden file is what the operator is told. All
// secrets in them begin with TOPSECRET or hunter2.
func TestMistakes(t *testing.T) {
	files, err := filepath.Glob("testdata/mistakes/*.yaml")
	if err != nil || len(files) < 40 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".yaml")
		t.Run(name, func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			_, problems := config.Parse(data)
			if len(problems) == 0 {
				t.Fatal("no problem found")
			}
			var got strings.Builder
			for _, p := range problems {
				fmt.Fprintf(&got, "%d:%d\t%s\t%s\n", p.Line, p.Column, p.Path, p.Reason)
				if p.Excerpt != "" {
					fmt.Fprintf(&got, "\t| %s\n", p.Excerpt)
				}
				if caret := p.Caret(); caret != "" {
					fmt.Fprintf(&got, "\t| %s\n", caret)
				}
			}
			golden(t, filepath.Join("testdata/mistakes", name+".golden"), got.String())
			asJSON, err := json.Marshal(problems)
			if err != nil {
				t.Fatal(err)
			}
			for _, secret := range []string{"TOPSECRET", "hunter2"} {
				if strings.Contains(got.String()+string(asJSON), secret) {
					t.Errorf("a secret is in the report:\n%s", got.String())
				}
			}
		})
	}
}

func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}
