package rule

import (
	"strings"

	"phalops/internal/fleet"
	"phalops/internal/i18n"
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
	return i18n.Before(e.Excerpt(), e.Column) + "^" // behind the end of the line where it is said so
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
