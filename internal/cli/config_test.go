package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"phalops/internal/i18n"
)

// TestFirstSteps goes the way of somebody who begins: a starter file, its check, what is in force.
func TestFirstSteps(t *testing.T) {
	for _, lang := range i18n.Langs() {
		t.Run(string(lang), func(t *testing.T) {
			t.Chdir(t.TempDir())
			s := shell{lang: lang}
			step := func(code int, says string, args ...string) result {
				t.Helper()
				r := s.run(t, args...)
				if r.code != code || !strings.Contains(r.out+r.err, says) {
					t.Errorf("phalops %s: exit %d, want %d and %q:\n%s%s", strings.Join(args, " "), r.code, code, says, r.out, r.err)
				}
				return r
			}
			step(exitUsage, "phalops config init --out phalops.yaml", "status")
			step(exitUsage, "nowhere.yaml", "config", "check", "-c", "nowhere.yaml")
			step(exitDone, "mode: observe", "config", "init", "--out", "phalops.yaml", "--dry-run")
			if _, err := os.Stat("phalops.yaml"); !os.IsNotExist(err) {
				t.Errorf("a dry run wrote the file (%v)", err)
			}
			step(exitDone, "phalops config check -c phalops.yaml", "config", "init", "--out", "phalops.yaml")
			if info, err := os.Stat("phalops.yaml"); err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("the starter file: %v, %v", info, err)
			}
			step(exitRefused, "phalops.yaml", "config", "init", "--out", "phalops.yaml")
			step(exitDone, "phalops.yaml", "config", "check")
			step(exitDone, "stalled_after: 5m", "config", "show")
			step(exitDone, `"stalled_after": "5m"`, "config", "show", "-o", "json")
			step(exitUsage, "-o csv", "config", "show", "-o", "csv")
			if printed := step(exitDone, "mode: observe", "config", "init").out; printed != fileText(t, "phalops.yaml") {
				t.Error("what init prints is not what it writes")
			}
		})
	}
}

// TestConfigProblems are told all at once, each with its place, in either language and for programs; nothing runs on such a file.
func TestConfigProblems(t *testing.T) {
	t.Chdir(t.TempDir())
	const broken = `sites:
  - name: dc1
    nodez: []
    bridges:
      - { name: prb-a, version: v9, url: "http://127.0.0.1:3000" }
watchdog: { stalled_after: soon }
alerts: { channels: { ops: { type: dingtalk, token: not-a-reference } } }
`
	if err := os.WriteFile("broken.yaml", []byte(broken), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, lang := range i18n.Langs() {
		r := shell{lang: lang}.run(t, "config", "check", "-c", "broken.yaml")
		if r.code != exitUsage || r.out != "" {
			t.Errorf("%s: exit %d, stdout %q", lang, r.code, r.out)
		}
		for _, place := range []string{"broken.yaml:3:5", "broken.yaml:5:33", "broken.yaml:6:28", "broken.yaml:7:"} {
			if !strings.Contains(r.err, place) {
				t.Errorf("%s: no problem at %s:\n%s", lang, place, r.err)
			}
		}
		if strings.Contains(r.err, "not-a-reference") {
			t.Errorf("%s: what may be a secret is shown:\n%s", lang, r.err)
		}
	}
	s := shell{lang: i18n.EN}
	r := s.run(t, "config", "check", "-c", "broken.yaml", "-o", "json")
	var problems []struct {
		Line, Column int
		Code         string
	}
	if err := json.Unmarshal([]byte(r.out), &problems); err != nil || r.code != exitUsage || len(problems) != 4 || problems[0].Line != 3 || problems[0].Code == "" {
		t.Errorf("exit %d, %v: %s", r.code, err, r.out)
	}
	if r := s.run(t, "config", "check", "-c", "broken.yaml", "-o", "csv"); !strings.HasPrefix(r.out, "line,column,path,what\n3,5,") {
		t.Errorf("csv: %s", r.out)
	}
	for _, args := range [][]string{{"status"}, {"run"}, {"worker", "restart", "--all", "--yes"}, {"config", "show"}} {
		if r := s.run(t, append(args, "-c", "broken.yaml")...); r.code != exitUsage || !strings.Contains(r.err, "broken.yaml:6:28") {
			t.Errorf("%v: exit %d: %s", args, r.code, r.err)
		}
	}
}

// TestNoConfigNeeded: these answer anywhere.
func TestNoConfigNeeded(t *testing.T) {
	t.Chdir(t.TempDir())
	for line, says := range map[string]string{
		"version": "phalops v1.2.3\n", "version -o json": `"version": "v1.2.3"`, "version -o yaml": "version: v1.2.3", "version -o csv": "version\nv1.2.3\n",
		"sim scenario": "worker.error", "help node restart": "phalops node restart --name node-1", "": "phalops demo",
		"completion bash": "__start_phalops", "completion zsh": "#compdef phalops", "completion fish": "complete -c phalops", "completion powershell": "Register-ArgumentCompleter",
		"__complete worker ": "restart\t",
	} {
		args := strings.Split(line, " ")
		if line == "" {
			args = nil
		}
		if r := (shell{lang: i18n.EN}).run(t, args...); r.code != exitDone || !strings.Contains(r.out, says) {
			t.Errorf("phalops %s: exit %d, no %q in\n%s%s", line, r.code, says, r.out, r.err)
		}
	}
}

// TestLists of workers come from a file or standard input, as people's tools write them.
func TestLists(t *testing.T) {
	f := newFixture(t)
	file := filepath.Join(t.TempDir(), "list.txt")
	if err := os.WriteFile(file, []byte("\ufeff# to look at\r\nw-02\r\n\r\n  http://127.1.1.4:8000  # by its endpoint\r\n00000000-0000-4000-8000-000000000001\r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	const want = "w-01\nw-02\nw-04\n"
	fromFile := f.run(t, i18n.EN, "worker", "list", "--file", file, "-o", "csv")
	s := shell{lang: i18n.EN, clock: f.clock, stdin: "w-01\nw-02\nw-04\n"}
	fromStdin := s.run(t, "worker", "list", "--file", "-", "-o", "csv", "-c", f.config)
	for name, r := range map[string]result{"file": fromFile, "stdin": fromStdin} {
		var names strings.Builder
		for i, line := range strings.Split(strings.TrimSpace(r.out), "\n") {
			if i > 0 {
				name, _, _ := strings.Cut(line, ",")
				names.WriteString(name + "\n")
			}
		}
		if r.code != exitDone || names.String() != want {
			t.Errorf("%s: exit %d, %q, want %q", name, r.code, names.String(), want)
		}
	}
	empty := shell{lang: i18n.EN, clock: f.clock, stdin: "# nobody\n"}.run(t, "worker", "list", "--file", "-", "-c", f.config)
	if empty.code != exitUsage {
		t.Errorf("an empty list chooses: exit %d, %s", empty.code, empty.out)
	}
}

func fileText(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
