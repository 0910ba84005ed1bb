package roster

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"phalops/internal/fleet"
	"phalops/internal/substrate/scale"
)

// maxExcerpt is the length in characters after which an excerpt is cut.
const maxExcerpt = 120

// suspicious finds what looks like a secret: a key, a password, or the words of a mnemonic, whatever stands between them.
var suspicious = regexp.MustCompile(`(?i)token|secret|passw|mnemonic|助记词|\bseed|://[^/\s]*@|[0-9a-f]{48}|(\pL+[ \t]+){5}\pL|([a-z]{3,8}[^\pL\pN]+){11}[a-z]{3,8}\b`)

// phrase is a mnemonic.
var phrase = regexp.MustCompile(`(?i)([a-z]{3,8}[^\pL\pN]+){11}[a-z]{3,8}`)

// excerpt quotes a line up to the first thing in it that looks like a secret.
func excerpt(line string) string {
	line = line[:min(len(line), MaxLine)]
	if at := suspicious.FindStringIndex(line); at != nil {
		return quote(line[:at[0]], true)
	}
	return quote(line, false)
}

// poolExcerpt quotes a line of a list of pools as far as every word of it is known to be harmless: there, a secret may stand
// where its reference should.
func poolExcerpt(line string) string {
	line = line[:min(len(line), MaxLine)]
	for _, at := range poolWord.FindAllStringIndex(line, -1) {
		if !harmless(line[at[0]:at[1]]) {
			return quote(line[:at[0]], true)
		}
	}
	return excerpt(line)
}

var (
	poolWord  = regexp.MustCompile(`[^\s,;{}\[\]"']+`)
	reference = regexp.MustCompile(`^(env:[A-Za-z_][A-Za-z0-9_]{0,63}|(file|age):/[A-Za-z0-9_./-]{0,100}|cred:[A-Za-z0-9_.-]{1,64})$`)
)

// harmless reports whether a word of a list of pools is surely no secret.
func harmless(word string) bool {
	key := strings.TrimSuffix(word, ":")
	if c := poolColumn(key); isDigits(word) && len(word) <= 16 || reference.MatchString(word) || c != colUnknown && c != colSecret || key == "pools" {
		return true
	}
	_, why := Switch(word)
	_, _, err := scale.ParseAddress(word)
	return why.IsZero() || err == nil || strings.Trim(word, "-#") == ""
}

// guarded takes what may be a secret out of a reason's arguments.
func guarded(why fleet.Reason) fleet.Reason {
	args := map[string]string{}
	for k, v := range why.Args {
		if (k == "value" || k == "name") && !harmless(v) {
			v = "…"
		}
		args[k] = v
	}
	if len(args) == 0 {
		args = nil
	}
	return fleet.Reason{Code: why.Code, Args: args}
}

func quote(line string, cut bool) string {
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
