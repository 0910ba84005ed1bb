package cli

import (
	"bytes"
	"context"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"phalops/internal/clock"
	"phalops/internal/i18n"
)

var update = flag.Bool("update", false, "write the golden files anew")

// shell is where command lines are typed.
type shell struct {
	lang  i18n.Lang // of the locale
	env   map[string]string
	clock clock.Clock
	stdin string
	width int
	tty   bool
	onErr func(line string) // told of everything on stderr as it comes
}

// result is what came of one command line.
type result struct {
	code     int
	out, err string
}

func (s shell) run(t *testing.T, args ...string) result {
	t.Helper()
	return s.runIn(t.Context(), args...)
}

func (s shell) runIn(ctx context.Context, args ...string) result {
	out, errs := &screen{}, &screen{told: s.onErr}
	code := Main(ctx, Env{
		Args: args, Stdin: strings.NewReader(s.stdin), Stdout: out, Stderr: errs, User: "ada", Version: "v1.2.3", TTY: s.tty, Width: s.width,
		Zone: time.UTC, Clock: s.clock,
		Getenv: func(name string) string {
			if v, ok := s.env[name]; ok {
				return v
			}
			return map[string]string{"LANG": map[i18n.Lang]string{i18n.ZH: "zh_CN.UTF-8", i18n.EN: "en_US.UTF-8"}[s.lang]}[name]
		},
	})
	return result{code: code, out: out.String(), err: errs.String()}
}

// screen takes what several goroutines write, as a file does.
type screen struct {
	mu   sync.Mutex
	text bytes.Buffer
	told func(string)
}

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.told != nil {
		s.told(string(p))
	}
	return s.text.Write(p)
}

func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// golden compares with testdata/golden/<lang>/<name>.txt, or writes it.
func golden(t *testing.T, lang i18n.Lang, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", "golden", string(lang), name+".txt")
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
		t.Errorf("%s differs (-want +got), after a look at it: go test ./internal/cli -update\n%s", path, diff)
	}
}
