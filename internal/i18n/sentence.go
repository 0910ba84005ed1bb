package i18n

import (
	"fmt"
	"strings"
)

// format says how a placeholder shows its value.
type format string

const (
	asIs       format = ""
	asDuration format = "dur"  // Go duration text: "5 分钟", "5 min"
	asTime     format = "time" // RFC 3339: local time, TimeLayout
	asRef      format = "ref"  // a reference such as node/node-1: its short name
	asCode     format = "code" // another code of the catalogue, which gets the same arguments
	asNumber   format = "num"  // a decimal number: thousands are grouped
)

// asPlural begins the format that says a word and not its value: {n|plural:step:steps} is "step" when n is 1, else "steps".
const asPlural = "plural:"

// forms are the words of a plural format, for one and for any other number.
func (f format) forms() (one, other string, ok bool) {
	words, is := strings.CutPrefix(string(f), asPlural)
	one, other, two := strings.Cut(words, ":")
	return one, other, is && two && one != "" && other != "" && !strings.ContainsAny(other, ":|")
}

func (f format) known() bool {
	switch f {
	case asIs, asDuration, asTime, asRef, asCode, asNumber:
		return true
	}
	_, _, plural := f.forms()
	return plural
}

// sentence is a text cut into literals and placeholders.
type sentence []part

// part is a literal when name is "".
type part struct {
	literal string
	name    string
	format  format
}

// parse reads "{name}" and "{name|format}"; "{{" is a literal "{". A "}" outside a placeholder is a literal too.
func parse(text string) (sentence, error) {
	var s sentence
	var literal strings.Builder
	for rest := text; rest != ""; {
		before, after, found := strings.Cut(rest, "{")
		literal.WriteString(before)
		if !found {
			break
		}
		if after, ok := strings.CutPrefix(after, "{"); ok {
			literal.WriteByte('{')
			rest = after
			continue
		}
		inside, after, closed := strings.Cut(after, "}")
		if !closed {
			return nil, fmt.Errorf("{%s is never closed", inside)
		}
		name, f, _ := strings.Cut(inside, "|")
		if !isName(name) {
			return nil, fmt.Errorf("{%s} has no proper name (a-z, 0-9, _)", inside)
		}
		if !format(f).known() || strings.HasSuffix(inside, "|") {
			return nil, fmt.Errorf("{%s} has an unknown format", inside)
		}
		if literal.Len() > 0 {
			s = append(s, part{literal: literal.String()})
			literal.Reset()
		}
		s = append(s, part{name: name, format: format(f)})
		rest = after
	}
	if literal.Len() > 0 {
		s = append(s, part{literal: literal.String()})
	}
	return s, nil
}

func isName(s string) bool {
	return s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789_") == ""
}

// names is the set of placeholders.
func (s sentence) names() map[string]bool {
	set := map[string]bool{}
	for _, p := range s {
		if p.name != "" {
			set[p.name] = true
		}
	}
	return set
}
