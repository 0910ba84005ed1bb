package config

import (
	"slices"

	"go.yaml.in/yaml/v4"
)

// within finds the line and column at which a character of a scalar's value is written; offset counts characters from 0.
// It walks along the file and the value together: what YAML takes away (quotes, escapes, indents, folded line breaks) is
// passed over. Not found where the two do not go together, for example behind an anchor.
func within(lines []string, n *yaml.Node, offset int) (line, column int, found bool) {
	w := &walk{lines: lines, line: n.Line, style: n.Style}
	switch {
	case n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
		w.nextLine() // the header of a block stands alone
		w.indent = w.blockIndent()
		w.column = w.indent
	case n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0:
		w.column = n.Column
	default:
		w.column = n.Column - 1
	}
	value := []rune(n.Value)
	for i := 0; i < len(value) && i < offset; i++ {
		if !w.take(value[i]) {
			return 0, 0, false
		}
	}
	if offset < len(value) {
		if _, ok := w.reach(value[offset]); !ok {
			return 0, 0, false
		}
	}
	return w.line, w.column + 1, true
}

// walk is a place in the file.
type walk struct {
	lines  []string
	line   int // from 1
	column int // from 0
	indent int // of a block scalar
	style  yaml.Style
}

func (w *walk) text() []rune { return []rune(lineAt(w.lines, w.line)) }

func (w *walk) nextLine() {
	w.line++
	text := w.text()
	w.column = len(text)
	if w.style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0 {
		w.column = min(w.indent, len(text))
	} else if i := slices.IndexFunc(text, func(c rune) bool { return c != ' ' && c != '\t' }); i >= 0 {
		w.column = i
	}
}

// blockIndent is the indent of a block scalar: that of its first line that is not blank.
func (w *walk) blockIndent() int {
	for at := w.line; at <= len(w.lines); at++ {
		text := []rune(w.lines[at-1])
		if i := slices.IndexFunc(text, func(c rune) bool { return c != ' ' }); i >= 0 {
			return i
		}
	}
	return 0
}

// take moves behind one character of the value.
func (w *walk) take(c rune) bool {
	width, ok := w.reach(c)
	if !ok {
		return false
	}
	if width == 0 {
		w.nextLine()
		return true
	}
	w.column += width
	return true
}

// reach moves to where the character is written and tells how many characters it takes there; 0 is a line break.
func (w *walk) reach(c rune) (width int, ok bool) {
	blank := c == ' ' || c == '\n'
	for w.line <= len(w.lines) {
		text := w.text()
		if w.column >= len(text) {
			if blank {
				return 0, true
			}
			w.nextLine()
			continue
		}
		at := text[w.column]
		switch {
		case w.style&yaml.DoubleQuotedStyle != 0 && at == '\\':
			if width := escape(text[w.column:]); width > 1 {
				return width, true
			}
			w.nextLine() // an escaped line break is none
		case w.style&yaml.SingleQuotedStyle != 0 && at == '\'' && c == '\'':
			return 2, true
		case at == c:
			return 1, true
		case blank && at == ' ' && w.restBlank(text):
			return 0, true
		case at == ' ' || at == '\t':
			w.column++
		default:
			return 0, false
		}
	}
	return 0, false
}

func (w *walk) restBlank(text []rune) bool {
	return !slices.ContainsFunc(text[w.column:], func(c rune) bool { return c != ' ' && c != '\t' })
}

// escape is the length of an escape sequence in double quotes, 1 for a line break.
func escape(text []rune) int {
	if len(text) < 2 {
		return 1
	}
	switch text[1] {
	case 'x':
		return 4
	case 'u':
		return 6
	case 'U':
		return 10
	}
	return 2
}
