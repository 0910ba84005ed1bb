package i18n

import "strings"

// Before is as wide on a terminal as what stands on line before a column (from 1, in characters), for a caret on the line
// below: tabs stay tabs, wide characters are two blanks. A column behind the end is the end.
func Before(line string, column int) string {
	var b strings.Builder
	for i, c := range []rune(line) {
		switch {
		case i+1 >= column:
			return b.String()
		case c == '\t':
			b.WriteByte('\t')
		case isWide(c):
			b.WriteString("  ")
		default:
			b.WriteByte(' ')
		}
	}
	return b.String()
}

// isWide reports whether terminals give c two cells: Chinese, Japanese and Korean text and full-width forms.
func isWide(c rune) bool {
	return c >= 0x1100 && c <= 0x115f || c >= 0x2e80 && c <= 0xa4cf || c >= 0xac00 && c <= 0xd7a3 ||
		c >= 0xf900 && c <= 0xfaff || c >= 0xfe30 && c <= 0xfe6f || c >= 0xff00 && c <= 0xff60 ||
		c >= 0xffe0 && c <= 0xffe6 || c >= 0x1f300 && c <= 0x1faff || c >= 0x20000 && c <= 0x3fffd
}
