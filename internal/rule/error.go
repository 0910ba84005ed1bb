package rule

import (
	"strings"

	"phalops/internal/fleet"
)

// Error is a mistake in a condition, with its place.
type Error struct {
	Line   int // from 1
	Column int // from 1, in characters
	Offset int // the same as characters from the beginning, from 0
	Reason fleet.Reason
	source string
}

// Error is for logs; people get the text of Reason.
func (e *Error) Error() string { return e.Reason.String() }

// Unwrap lets fleet.KindOf and fleet.ReasonOf read the error as invalid input.
func (e *Error) Unwrap() error { return fleet.Fail(fleet.Invalid, e.Reason) }

// Excerpt is the line with the mistake.
func (e *Error) Excerpt() string {
	lines := strings.Split(e.source, "\n")
	if e.Line > len(lines) {
		return ""
	}
	return strings.TrimRight(lines[e.Line-1], "\r")
}

// Caret is the line to print below Excerpt: blanks as wide as what stands before the mistake, then "^".
func (e *Error) Caret() string {
	var b strings.Builder
	for i, c := range []rune(e.Excerpt()) {
		switch {
		case i+1 == e.Column:
			return b.String() + "^"
		case c == '\t':
			b.WriteByte('\t')
		case wide(c):
			b.WriteString("  ")
		default:
			b.WriteByte(' ')
		}
	}
	return b.String() + "^" // behind the end of the line
}

// wide reports whether terminals give c two cells.
func wide(c rune) bool {
	return c >= 0x1100 && c <= 0x115f || c >= 0x2e80 && c <= 0xa4cf || c >= 0xac00 && c <= 0xd7a3 ||
		c >= 0xf900 && c <= 0xfaff || c >= 0xfe30 && c <= 0xfe6f || c >= 0xff00 && c <= 0xff60 ||
		c >= 0xffe0 && c <= 0xffe6 || c >= 0x1f300 && c <= 0x1faff || c >= 0x20000 && c <= 0x3fffd
}

// mistake makes the Error at an offset in characters.
func mistake(source string, offset int, why fleet.Reason) *Error {
	e := &Error{Line: 1, Column: 1, Reason: why, source: source}
	for i, c := range []rune(source) {
		if i >= offset {
			break
		}
		e.Offset, e.Column = i+1, e.Column+1
		if c == '\n' {
			e.Line, e.Column = e.Line+1, 1
		}
	}
	return e
}
