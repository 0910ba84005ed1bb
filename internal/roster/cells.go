package roster

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"phalops/internal/fleet"
)

// cell is a piece of a line with its place.
type cell struct {
	text   string
	column int // from 1, in characters; where text begins
	line   int // 0: where the row begins
}

// mistake is a Problem on its way to the report.
type mistake struct {
	line   int // 0: where the row begins
	column int // 0: the whole line
	why    fleet.Reason
}

func (c cell) wrong(why fleet.Reason) *mistake { return &mistake{c.line, c.column, why} }

// trimmed cuts blanks off both ends of s, which begins at a column.
func trimmed(s string, column int) cell {
	rest := strings.TrimLeftFunc(s, unicode.IsSpace)
	column += utf8.RuneCountInString(s[:len(s)-len(rest)])
	return cell{text: strings.TrimRightFunc(rest, unicode.IsSpace), column: column}
}

// cells cuts a line at sep. A cell may stand in double quotes, within which "" is a quote and sep is text; blanks around it
// do not count. With comments, an unquoted # at the beginning or after a blank ends the line.
func cells(line string, sep rune, comments bool) ([]cell, *mistake) {
	var out []cell
	rest, column := line, 1
	for {
		blank := len(rest) - len(strings.TrimLeftFunc(rest, func(c rune) bool { return c != sep && unicode.IsSpace(c) }))
		column += utf8.RuneCountInString(rest[:blank])
		rest = rest[blank:]
		if !strings.HasPrefix(rest, `"`) {
			bare, after, more := cutBare(rest, sep, comments)
			out = append(out, trimmed(bare, column))
			if before, _, found := strings.Cut(bare, `"`); found {
				return nil, &mistake{column: column + utf8.RuneCountInString(before), why: fleet.Because("roster.bare_quote")}
			}
			if !more {
				return out, nil
			}
			column += utf8.RuneCountInString(bare) + 1
			rest = after
			continue
		}
		text, after, closed := cutQuoted(rest[1:])
		if !closed {
			return nil, &mistake{column: column, why: fleet.Because("roster.open_quote")}
		}
		out = append(out, cell{text: text, column: column})
		column += utf8.RuneCountInString(rest[:len(rest)-len(after)])
		gap, next, more := cutBare(after, sep, comments)
		if c := trimmed(gap, column); c.text != "" {
			return nil, c.wrong(fleet.Because("roster.after_quote"))
		}
		if !more {
			return out, nil
		}
		column += utf8.RuneCountInString(gap) + 1
		rest = next
	}
}

// cutBare is s up to sep, or up to a comment.
func cutBare(s string, sep rune, comments bool) (before, after string, more bool) {
	blank := true
	for i, c := range s {
		switch {
		case c == sep:
			return s[:i], s[i+utf8.RuneLen(sep):], true
		case c == '#' && blank && comments:
			return s[:i], "", false
		}
		blank = unicode.IsSpace(c)
	}
	return s, "", false
}

// cutQuoted reads up to the closing quote; after is what follows it.
func cutQuoted(s string) (text, after string, closed bool) {
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(s, `"`)
		b.WriteString(before)
		if !found {
			return "", "", false
		}
		again, twice := strings.CutPrefix(rest, `"`)
		if !twice {
			return b.String(), rest, true
		}
		b.WriteByte('"')
		s = again
	}
}

// uncommented is a line without its comment and without blanks around it.
func uncommented(line string) cell {
	before, _, _ := cutBare(line, '\n', true)
	return trimmed(before, 1)
}

// at is the place of the byte i of the cell's text, for a mistake within it.
func (c cell) at(i int) cell {
	return cell{line: c.line, column: c.column + utf8.RuneCountInString(c.text[:i])}
}

// parts cuts s at every colon outside brackets.
func parts(s cell) []cell {
	var out []cell
	depth, from, column, start := 0, 0, s.column, s.column
	for i, c := range s.text {
		switch c {
		case '[':
			depth++
		case ']':
			depth--
		case ':':
			if depth <= 0 {
				out = append(out, cell{text: s.text[from:i], column: start})
				from, start = i+1, column+1
			}
		}
		column++
	}
	return append(out, cell{text: s.text[from:], column: start})
}
