package config

import (
	"errors"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v4"

	"phalops/internal/fleet"
)

// syntaxProblem turns the parser's error into a Problem. The parser's own words are passed on only where they are fixed
// text: some of them repeat what stands in the file, which may be a secret.
func syntaxProblem(err error, lines []string) *Problem {
	var e *yaml.LoadError
	if !errors.As(err, &e) {
		return &Problem{Reason: fleet.Because("config.syntax", "detail", "YAML")}
	}
	p := &Problem{Line: e.Mark.Line, Column: e.Mark.Column, Reason: syntaxReason(e, lines)}
	if strings.Contains(e.Message, "control characters") {
		p.Line, p.Column = findControl(lines)
	}
	p.Excerpt = keyOf(lineAt(lines, p.Line))
	return p
}

func syntaxReason(e *yaml.LoadError, lines []string) fleet.Reason {
	has := func(s string) bool { return strings.Contains(e.Message, s) }
	switch {
	case has("tab"), has("cannot start any token") && runeAt(lines, e.Mark.Line, e.Mark.Column) == '\t':
		return fleet.Because("config.syntax_tab")
	case has("cannot start any token"):
		return fleet.Because("config.syntax_start")
	case has("mapping values are not allowed"):
		return fleet.Because("config.syntax_colon")
	case has("could not find expected ':'"):
		return fleet.Because("config.syntax_no_colon")
	case has("expected ',' or"), has("expected node content"):
		return fleet.Because("config.syntax_bracket", "line", e.ContextMark.Line)
	case has("unexpected end of stream"):
		return fleet.Because("config.syntax_quote", "line", e.ContextMark.Line)
	case has("did not find expected key"), has("expected '-' indicator"), has("block sequence entries"):
		return fleet.Because("config.syntax_indent")
	case has("unknown anchor"):
		return fleet.Because("config.syntax_alias")
	case has("escape"):
		return fleet.Because("config.syntax_escape")
	case has("control characters"):
		return fleet.Because("config.syntax_control")
	}
	return fleet.Because("config.syntax", "detail", quoted.ReplaceAllString(e.Message, "'…'"))
}

var quoted = regexp.MustCompile(`'[^']*'?`)

// keyOf keeps a line up to its first key: without a syntax tree, nobody knows where a secret stands.
func keyOf(line string) string {
	key := leadingKey.FindString(line)
	if key == "" || strings.TrimSpace(line) == strings.TrimSpace(key) {
		return key
	}
	return strings.TrimRight(key, " ") + " …"
}

var leadingKey = regexp.MustCompile(`^ *(- +)*[a-z][a-z0-9_]{0,30}:( |$)`)

// splitLines breaks text where the YAML parser does, so that its line numbers are ours.
func splitLines(text string) []string { return lineBreak.Split(text, -1) }

var lineBreak = regexp.MustCompile(`\r\n|[\n\r\x{85}\x{2028}\x{2029}]`)

func lineAt(lines []string, n int) string {
	if n < 1 || n > len(lines) {
		return ""
	}
	return lines[n-1]
}

func runeAt(lines []string, line, column int) rune {
	text := []rune(lineAt(lines, line))
	if column < 1 || column > len(text) {
		return 0
	}
	return text[column-1]
}

// findControl finds the first character that YAML forbids, because the parser does not say where it is.
func findControl(lines []string) (line, column int) {
	for i, text := range lines {
		for j, c := range []rune(text) {
			if c < ' ' && c != '\t' || c >= 0x7f && c < 0xa0 {
				return i + 1, j + 1
			}
		}
	}
	return 0, 0
}
