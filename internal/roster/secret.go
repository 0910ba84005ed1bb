package roster

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxExcerpt is the length in characters after which an excerpt is cut.
const maxExcerpt = 120

// suspicious finds what looks like a secret: a key, a password, or the words of a mnemonic, whatever stands between them.
var suspicious = regexp.MustCompile(`(?i)token|secret|passw|mnemonic|助记词|\bseed|://[^/\s]*@|[0-9a-f]{48}|(\pL+[ \t]+){5}\pL|([a-z]{3,8}[^\pL\pN]+){11}[a-z]{3,8}\b`)

// excerpt quotes a line up to the first thing in it that looks like a secret.
func excerpt(line string) string {
	cut := false
	if at := suspicious.FindStringIndex(line); at != nil {
		line, cut = line[:at[0]], true
	}
	text := []rune(strings.Map(func(c rune) rune {
		if c == utf8.RuneError || !unicode.IsPrint(c) && c != '\t' {
			return '·'
		}
		return c
	}, strings.TrimRightFunc(line, unicode.IsSpace)))
	if len(text) > maxExcerpt {
		text, cut = text[:maxExcerpt], true
	}
	switch {
	case len(text) == 0:
		return ""
	case cut:
		return string(text) + "…"
	}
	return string(text)
}

// show is s where a sentence may quote it, else "…".
func show(s string) string {
	if s == "" || utf8.RuneCountInString(s) > 60 || suspicious.MatchString(s) || !printable(s) {
		return "…"
	}
	return s
}
