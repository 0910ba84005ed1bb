package config

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// maxExcerpt is the length in characters after which an excerpt is cut.
const maxExcerpt = 160

// excerpt quotes a line as far as every word on it was understood and is harmless. What follows is "…": a typing error turns
// a secret into an unknown key, a comment or a part of something else, so only what is known may be shown.
func (r *reader) excerpt(line int) string {
	src := []rune(lineAt(r.lines, line))
	if r.open[line] {
		return string(src[:min(len(src), maxExcerpt)])
	}
	var b strings.Builder
	pos, whole := 0, true
	for _, n := range r.byLine[line] {
		end := r.end(src, n)
		if n.Column-1 < pos || !isGap(src[pos:min(n.Column-1, len(src))]) || end < 0 {
			whole = false
			break
		}
		b.WriteString(string(src[pos:end]))
		pos = end
	}
	rest := string(src[pos:])
	switch before, _, comment := strings.Cut(rest, "#"); {
	case whole && isGap([]rune(rest)):
		b.WriteString(rest)
	case whole && comment && isGap([]rune(before)):
		b.WriteString(before)
	default:
		gap := rest[:len(rest)-len(strings.TrimLeft(rest, gapRunes))]
		b.WriteString(gap + "…")
	}
	text := []rune(strings.TrimRight(b.String(), " \t"))
	if len(text) > maxExcerpt {
		text = append(text[:maxExcerpt], '…')
	}
	if strings.TrimSpace(string(text)) == "…" {
		return ""
	}
	return string(text)
}

// end is the index behind n's text on its line, -1 where n may not be shown or its text is not plain to see.
func (r *reader) end(src []rune, n *yaml.Node) int {
	if !r.shown[n] || n.Kind != yaml.ScalarNode || n.Column < 1 || n.Column-1 > len(src) {
		return -1
	}
	text := n.Value
	switch {
	case n.Style&yaml.DoubleQuotedStyle != 0:
		text = `"` + text + `"`
	case n.Style&yaml.SingleQuotedStyle != 0:
		text = "'" + text + "'"
	}
	from := n.Column - 1
	if !strings.HasPrefix(string(src[from:]), text) {
		return -1
	}
	return from + utf8.RuneCountInString(text)
}

const gapRunes = " \t:,-?{}[]"

func isGap(s []rune) bool { return strings.Trim(string(s), gapRunes) == "" }

// showText is s where a message may quote it, else "…".
func showText(s string) string {
	if s == "" || utf8.RuneCountInString(s) > 60 || suspicious.MatchString(s) ||
		strings.ContainsFunc(s, func(c rune) bool { return !unicode.IsPrint(c) }) {
		return "…"
	}
	return s
}

// suspicious finds what looks like a secret, or like several things run together by a typing error, one of them a secret.
var suspicious = regexp.MustCompile(`(?i)token|secret|passw|mnemonic|://.*[@?#]|\bSEC[0-9a-f]{8}|[0-9a-f]{32}|(\pL+ ){6}`)

// showKey is a key where a message may quote it, else "…". A key without a value may be a value that lost its key.
func showKey(s string, lonely bool) string {
	if lonely && !plainName.MatchString(s) || !plainKey.MatchString(s) {
		return "…"
	}
	return s
}

var (
	plainKey  = regexp.MustCompile(`^[\pL0-9_.-]{1,32}(\[[0-9]{1,9}-[0-9]{1,9}\])?$`)
	plainName = regexp.MustCompile(`^[a-z_.-]{1,24}$`)
)
