package roster

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"phalops/internal/fleet"
)

// readText reads a whole list and makes lines of it. Problems mean that nothing in it can be read; err is the reader's own.
func readText(r io.Reader) (lines []string, problems Problems, err error) {
	data, err := io.ReadAll(io.LimitReader(r, MaxBytes+1))
	if err != nil {
		return nil, nil, fmt.Errorf("read the list: %w", err)
	}
	if len(data) > MaxBytes {
		return nil, whole(fleet.Because("roster.too_large", "mib", MaxBytes>>20)), nil
	}
	if p := foreign(data); p != nil {
		return nil, Problems{*p}, nil
	}
	lines = splitLines(strings.TrimPrefix(string(data), "\ufeff"))
	if last := len(lines) - 1; lines[last] == "" {
		lines = lines[:last]
	}
	if len(lines) > MaxLines {
		return nil, whole(fleet.Because("roster.too_many_lines", "most", MaxLines)), nil
	}
	return lines, nil, nil
}

func whole(why fleet.Reason) Problems { return Problems{{Reason: why}} }

// splitLines ends lines where YAML does, so that its line numbers are ours. What is beyond MaxLines is one line.
func splitLines(text string) []string {
	var lines []string
	for len(lines) <= MaxLines {
		at := strings.IndexAny(text, "\n\r\u0085\u2028\u2029")
		if at < 0 {
			break
		}
		_, n := utf8.DecodeRuneInString(text[at:])
		if strings.HasPrefix(text[at:], "\r\n") {
			n = 2
		}
		lines = append(lines, text[:at])
		text = text[at+n:]
	}
	return append(lines, text)
}

// foreign recognises what is no UTF-8 text, and says how to make it that.
func foreign(data []byte) *Problem {
	has := func(prefix string) bool { return bytes.HasPrefix(data, []byte(prefix)) }
	switch {
	case has("PK\x03\x04"), has("\xd0\xcf\x11\xe0"):
		return &Problem{Reason: fleet.Because("roster.workbook")}
	case has("\xff\xfe"), has("\xfe\xff"), has("\x00\x00\xfe\xff"), isWide16(data):
		return &Problem{Reason: fleet.Because("roster.utf16")}
	case has("\x1f\x8b"), bytes.IndexByte(data, 0) >= 0:
		return &Problem{Reason: fleet.Because("roster.binary")}
	case utf8.Valid(data):
		return nil
	}
	at := 0
	for at < len(data) {
		c, n := utf8.DecodeRune(data[at:])
		if c == utf8.RuneError && n == 1 {
			break
		}
		at += n
	}
	before := splitLines(string(data[:at]))
	p := &Problem{Line: len(before), Column: utf8.RuneCountInString(strings.TrimPrefix(before[len(before)-1], "\ufeff")) + 1}
	if isGBK(data) {
		p.Reason = fleet.Because("roster.gbk")
	} else {
		p.Reason = fleet.Because("roster.not_utf8")
	}
	return p
}

// isWide16 reports whether every other byte is zero, as in UTF-16 without a byte order mark.
func isWide16(data []byte) bool {
	head := data[:min(len(data), 512)&^1]
	var zero [2]int
	for i, c := range head {
		if c == 0 {
			zero[i%2]++
		}
	}
	half := len(head) / 2
	return half > 0 && max(zero[0], zero[1]) > half*3/4 && min(zero[0], zero[1]) == 0
}

// isGBK reports whether all bytes can be GBK, the encoding in which Chinese Windows saves CSV.
func isGBK(data []byte) bool {
	for i := 0; i < len(data); i++ {
		if data[i] < 0x80 {
			continue
		}
		if data[i] == 0x80 || data[i] == 0xff || i+1 == len(data) || data[i+1] < 0x40 || data[i+1] == 0x7f || data[i+1] == 0xff {
			return false
		}
		i++
	}
	return true
}
