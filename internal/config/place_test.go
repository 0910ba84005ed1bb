package config

import (
	"bytes"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"
	"pgregory.net/rapid"
)

// Every character of a value is found where it is written, however the value is written.
func TestWithinFindsEveryCharacter(t *testing.T) {
	styles := []yaml.Style{0, yaml.SingleQuotedStyle, yaml.DoubleQuotedStyle, yaml.LiteralStyle, yaml.FoldedStyle}
	word := rapid.StringOfN(rapid.SampledFrom([]rune(`ab.=<"'\错💥:#|`)), 1, 8, -1)
	rapid.Check(t, func(t *rapid.T) {
		text := strings.Join(rapid.SliceOfN(word, 1, 12).Draw(t, "words"), rapid.SampledFrom([]string{" ", "  ", "\n", "\n\n", " \t"}).Draw(t, "between"))
		item := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: text, Style: rapid.SampledFrom(styles).Draw(t, "style")}
		root := mapping(pair{"rules", sequence([]*yaml.Node{item}, func(n *yaml.Node) *yaml.Node { return mapping(pair{"when", n}, pair{"for", plain("3m")}) })})
		var file bytes.Buffer
		d, err := yaml.NewDumper(&file, yaml.WithIndent(2), yaml.WithLineWidth(rapid.SampledFrom([]int{-1, 30}).Draw(t, "width")), yaml.WithUnicode(true))
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Dump(root); err != nil {
			t.Fatal(err)
		}
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
		checkPlaces(t, file.String(), text)
	})
}

type fataler interface {
	Helper()
	Fatalf(format string, args ...any)
}

// checkPlaces holds every visible character of the one `when` in a file against its place.
func checkPlaces(t fataler, file, want string) {
	t.Helper()
	lines := splitLines(file)
	root, problem := tree([]byte(file), lines)
	if problem != nil {
		t.Fatalf("%v\n%s", problem, file)
	}
	n := root.Content[1].Content[0].Content[1]
	if n.Value != want {
		t.Fatalf("%q was written as\n%s", want, file)
	}
	for i, c := range []rune(n.Value) {
		if c == ' ' || c == '\n' || c == '\t' {
			continue
		}
		line, column, found := within(lines, n, i)
		got := runeAt(lines, line, column)
		if !found || got != c && (n.Style&yaml.DoubleQuotedStyle == 0 || got != '\\') {
			t.Fatalf("character %d, %q, is looked for at %d:%d (%v)\n%s", i, c, line, column, found, file)
		}
	}
}

func TestWithinFollowsWhatPeopleWrite(t *testing.T) {
	for name, tc := range map[string]struct{ file, value string }{
		"plain over lines":         {"rules:\n  - when: a and\n      b ==\n\n      c\n", "a and b ==\nc"},
		"single quotes over lines": {"rules:\n  - when: 'a == ''x'' and\n      b'\n", "a == 'x' and b"},
		"double quotes over lines": {"rules:\n  - when: \"a\\x41 \\u9519 \\\n      b\\\"c\n      d\"\n", "aA 错 b\"c d"},
		"literal":                  {"rules:\n  - when: |\n      a and\n        b\n\n      c\n", "a and\n  b\n\nc\n"},
		"folded":                   {"rules:\n  - when: >-  # why\n\n      a and\n      b\n\n      c\n", "\na and b\nc"},
		"flow":                     {"rules: [ { when: a == b, for: 3m } ]\n", "a == b"},
		"carriage returns":         {"rules:\r\n  - when: |\r\n      a and\r\n      b\r\n", "a and\nb\n"},
	} {
		t.Run(name, func(t *testing.T) { checkPlaces(t, tc.file, tc.value) })
	}
	lines := splitLines("rules:\n  - when: &x \"a b\"\n")
	root, _ := tree([]byte(strings.Join(lines, "\n")), lines)
	if line, column, found := within(lines, root.Content[1].Content[0].Content[1], 2); found {
		t.Errorf("behind an anchor nothing is certain, got %d:%d", line, column)
	}
}
