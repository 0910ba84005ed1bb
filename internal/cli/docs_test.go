package cli

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"

	"phalops/internal/config"
	"phalops/internal/i18n"
	"phalops/internal/sim/world"
)

// root is the repository seen from here.
const root = "../.."

// TestDocs holds what the documentation shows against the program: commands, flags, make targets, configuration, links and
// the names of tests.
func TestDocs(t *testing.T) {
	catalog, targets, tests := loaded(t), makeTargets(t), testNames(t)
	for _, page := range pages(t) {
		text := read(t, page)
		t.Run(page, func(t *testing.T) {
			for _, line := range shellLines(text) {
				if err := parses(catalog, line); err != nil {
					t.Errorf("phalops %s: %v", line, err)
				}
			}
			for _, m := range regexp.MustCompile(`(?m)(?:^|\x60)make ([a-z][a-z-]*)`).FindAllStringSubmatch(text, -1) {
				if !slices.Contains(targets, m[1]) {
					t.Errorf("make %s does not exist", m[1])
				}
			}
			for _, m := range regexp.MustCompile(`\]\(([^)#:]+)\)`).FindAllStringSubmatch(text, -1) {
				if _, err := os.Stat(filepath.Join(root, filepath.Dir(page), m[1])); err != nil {
					t.Errorf("a link leads nowhere: %s", m[1])
				}
			}
			for _, block := range fenced(text, "yaml") {
				_, problems := config.Parse([]byte(block))
				for _, p := range problems {
					t.Errorf("a configuration that is shown is wrong at its line %d: %s", p.Line, catalog.Text(i18n.EN, p.Reason.Code, p.Reason.Args))
				}
			}
			for _, m := range regexp.MustCompile("`([a-z/0-9]+)\\.((?:Test|Fuzz)\\w+)`").FindAllStringSubmatch(text, -1) {
				if !slices.Contains(tests[m[1]], m[2]) {
					t.Errorf("room %s has no %s", m[1], m[2])
				}
			}
		})
	}
}

// TestEveryCommandIsInTheReadme: what a person can type is listed where people look.
func TestEveryCommandIsInTheReadme(t *testing.T) {
	for _, page := range []string{"README.md", "README.zh-CN.md"} {
		text := read(t, page)
		if !strings.HasPrefix(text, "# phalops\n\n```sh\nmake demo ") || !strings.Contains(text[:200], "\nmake test ") {
			t.Errorf("%s does not begin with the two commands", page)
		}
		for _, cmd := range commands(t, i18n.EN) {
			if !cmd.HasAvailableSubCommands() && !strings.Contains(text, "`"+cmd.CommandPath()+"`") {
				t.Errorf("%s does not list %s", page, cmd.CommandPath())
			}
		}
	}
}

// TestEverySettingIsDocumented wants every key that `config show` can print in docs/configuration.md, and every kind of fault
// in docs/scenario.md.
func TestEverySettingIsDocumented(t *testing.T) {
	text := read(t, "docs/configuration.md")
	cfg, problems := config.Parse([]byte(fenced(text, "yaml")[0]))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	shown, err := config.Show(cfg)
	if err != nil {
		t.Fatal(err)
	}
	var tree any
	if err := yaml.Unmarshal(shown, &tree); err != nil {
		t.Fatal(err)
	}
	documented := map[string]bool{}
	for _, m := range regexp.MustCompile("`([a-z_.*\\[\\]0-9]+)`").FindAllStringSubmatch(text, -1) {
		for part := range strings.SplitSeq(m[1], ".") {
			documented[strings.TrimSuffix(part, "[]")] = true
		}
	}
	for _, m := range regexp.MustCompile(`(?m)^#+ (\w+)`).FindAllStringSubmatch(text, -1) {
		documented[m[1]] = true
	}
	keys := keysOf(tree, map[string]bool{"networks": true, "hosts": true, "channels": true, "labels": true, "roles": true})
	if len(keys) < 40 {
		t.Fatalf("only %d keys are shown: %v", len(keys), keys)
	}
	for _, k := range keys {
		if !documented[k] {
			t.Errorf("docs/configuration.md does not document %s", k)
		}
	}
	scenario := read(t, "docs/scenario.md")
	for _, kind := range world.FaultKinds() {
		if !strings.Contains(scenario, "| `"+kind+"` |") {
			t.Errorf("docs/scenario.md does not document %s", kind)
		}
	}
}

// keysOf lists the keys of a tree; the entries of free are named by people.
func keysOf(tree any, free map[string]bool) []string {
	var out []string
	switch tree := tree.(type) {
	case map[string]any:
		for k, v := range tree {
			out = append(out, k)
			if entries, ok := v.(map[string]any); ok && free[k] {
				for _, e := range entries {
					out = append(out, keysOf(e, free)...)
				}
				continue
			}
			out = append(out, keysOf(v, free)...)
		}
	case []any:
		for _, v := range tree {
			out = append(out, keysOf(v, free)...)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// pages are the repository's own pages.
func pages(t *testing.T) []string {
	t.Helper()
	out := []string{"README.md", "README.zh-CN.md", "CHANGELOG.md", "CONTRIBUTING.md"}
	err := fs.WalkDir(os.DirFS(root), "docs", func(path string, _ fs.DirEntry, err error) error {
		if strings.HasSuffix(path, ".md") {
			out = append(out, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func read(t *testing.T, page string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(root, page))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// fenced are the code blocks of a language.
func fenced(text, lang string) []string {
	var out []string
	for _, m := range regexp.MustCompile("(?s)```"+lang+"\n(.*?)```").FindAllStringSubmatch(text, -1) {
		out = append(out, m[1])
	}
	return out
}

// shellLines are the phalops command lines of a page: of its shell blocks and of its inline code.
func shellLines(text string) []string {
	var out []string
	for _, block := range fenced(text, "sh") {
		out = append(out, commandLines("  "+strings.ReplaceAll(block, "\n", "\n  "))...)
	}
	for _, m := range regexp.MustCompile("`(phalops [^`]+)`").FindAllStringSubmatch(text, -1) {
		line := strings.TrimPrefix(m[1], "phalops ")
		if strings.HasPrefix(line, "plan ") && len(strings.Fields(line)) == 2 && !strings.HasSuffix(line, " list") ||
			line == "incident show" || line == "completion" || line == "sim role" {
			line += " ID" // the table of commands leaves the argument out
		}
		out = append(out, line)
	}
	return out
}

func makeTargets(t *testing.T) []string {
	t.Helper()
	var out []string
	for _, m := range regexp.MustCompile(`(?m)^([a-z][a-z-]*):`).FindAllStringSubmatch(read(t, "Makefile"), -1) {
		out = append(out, m[1])
	}
	return out
}

// testNames are the tests of every room.
func testNames(t *testing.T) map[string][]string {
	t.Helper()
	out := map[string][]string{}
	decl := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`)
	err := fs.WalkDir(os.DirFS(root), "internal", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		b, err := os.ReadFile(filepath.Join(root, path))
		room := strings.TrimPrefix(filepath.Dir(path), "internal/")
		for _, m := range decl.FindAllStringSubmatch(string(b), -1) {
			out[room] = append(out[room], m[1])
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}
