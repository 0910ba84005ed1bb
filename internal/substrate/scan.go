package substrate

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// Pair is one storage key and what is stored under it. Value is nil where nothing is.
type Pair struct{ Key, Value []byte }

// scanner reads JSON where it stands: strings and their hex are decoded in place, which destroys the text. For the answers
// that a snapshot consists of, encoding/json would cost more than all the rest. It accepts what encoding/json accepts.
type scanner struct {
	b  []byte
	at int
}

var errJSON = errors.New("no JSON")

// maxNesting bounds foreign nesting; real answers have four levels.
const maxNesting = 64

// peek is the next byte that is no white space, 0 at the end.
func (s *scanner) peek() byte {
	for ; s.at < len(s.b); s.at++ {
		switch c := s.b[s.at]; c {
		case ' ', '\t', '\n', '\r':
		default:
			return c
		}
	}
	return 0
}

// eat passes over c, if it is the next byte.
func (s *scanner) eat(c byte) bool {
	if s.peek() != c || s.at >= len(s.b) {
		return false
	}
	s.at++
	return true
}

func (s *scanner) null() bool { return s.word([]byte("null")) }

// word passes over some text, if that is what stands next; no text never does.
func (s *scanner) word(text []byte) bool {
	if s.peek(); len(text) == 0 || !bytes.HasPrefix(s.b[s.at:], text) {
		return false
	}
	s.at += len(text)
	return true
}

// list calls item for every item of an array.
func (s *scanner) list(item func() error) error { return s.sequence('[', ']', item) }

// object calls member for every member of an object; it must read the value.
func (s *scanner) object(member func(name []byte) error) error {
	return s.sequence('{', '}', func() error {
		name, err := s.string()
		if err != nil {
			return err
		}
		if !s.eat(':') {
			return errJSON
		}
		return member(name)
	})
}

func (s *scanner) sequence(open, end byte, item func() error) error {
	if !s.eat(open) {
		return errJSON
	}
	if s.eat(end) {
		return nil
	}
	for {
		if err := item(); err != nil {
			return err
		}
		if s.eat(end) {
			return nil
		}
		if !s.eat(',') {
			return errJSON
		}
	}
}

// string reads a string in place.
func (s *scanner) string() ([]byte, error) {
	raw, escaped, err := s.rawString()
	if err != nil || !escaped {
		return raw, err
	}
	return unescape(raw), nil
}

// rawString reads what stands between quotes and whether escapes are in it, all of which are well-formed.
func (s *scanner) rawString() (raw []byte, escaped bool, err error) {
	if !s.eat('"') {
		return nil, false, errJSON
	}
	from := s.at
	for ; s.at < len(s.b); s.at++ {
		switch c := s.b[s.at]; {
		case c == '"':
			s.at++
			return s.b[from : s.at-1], escaped, nil
		case c < ' ':
			return nil, false, errJSON
		case c == '\\':
			escaped = true
			n := escapeLen(s.b[s.at:])
			if n == 0 {
				return nil, false, errJSON
			}
			s.at += n - 1
		}
	}
	return nil, false, errJSON
}

// escapeLen is the length of the escape at the start of b, 0 when it is none.
func escapeLen(b []byte) int {
	if len(b) < 2 {
		return 0
	}
	switch b[1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2
	case 'u':
		if len(b) >= 6 && bytes.IndexFunc(b[2:6], func(r rune) bool { return !isHex(r) }) < 0 {
			return 6
		}
	}
	return 0
}

func isHex(r rune) bool {
	return r >= '0' && r <= '9' || r >= 'a' && r <= 'f' || r >= 'A' && r <= 'F'
}

// unescape resolves escapes in place; no escape is shorter than what it stands for.
func unescape(raw []byte) []byte {
	out := raw[:0]
	for i := 0; i < len(raw); {
		if raw[i] != '\\' {
			out = append(out, raw[i])
			i++
			continue
		}
		n := escapeLen(raw[i:])
		switch c := raw[i+1]; c {
		case 'u':
			r := hexRune(raw[i:])
			if utf16.IsSurrogate(r) {
				r2 := utf8.RuneError
				if i+6 < len(raw) && escapeLen(raw[i+6:]) == 6 {
					r2 = hexRune(raw[i+6:])
				}
				if r = utf16.DecodeRune(r, r2); r != utf8.RuneError {
					n = 12
				}
			}
			out = utf8.AppendRune(out, r)
		case 'b':
			out = append(out, '\b')
		case 'f':
			out = append(out, '\f')
		case 'n':
			out = append(out, '\n')
		case 'r':
			out = append(out, '\r')
		case 't':
			out = append(out, '\t')
		default:
			out = append(out, c)
		}
		i += n
	}
	return out
}

// hexRune is the code in an escape of six bytes.
func hexRune(b []byte) rune {
	v, _ := strconv.ParseUint(string(b[2:6]), 16, 16) // escapeLen looked
	return rune(v)
}

// skip passes over any value.
func (s *scanner) skip(depth int) error {
	if depth > maxNesting {
		return errNesting
	}
	switch c := s.peek(); {
	case c == '"':
		_, _, err := s.rawString()
		return err
	case c == '[':
		return s.list(func() error { return s.skip(depth + 1) })
	case c == '{':
		return s.sequence('{', '}', func() error {
			if _, _, err := s.rawString(); err != nil {
				return err
			}
			if !s.eat(':') {
				return errJSON
			}
			return s.skip(depth + 1)
		})
	case c == '-' || c >= '0' && c <= '9':
		return s.number()
	}
	for _, word := range []string{"null", "true", "false"} {
		if bytes.HasPrefix(s.b[s.at:], []byte(word)) {
			s.at += len(word)
			return nil
		}
	}
	return errJSON
}

var errNesting = fmt.Errorf("%w: nested too deeply", errJSON)

// number passes over a number.
func (s *scanner) number() error {
	digits := func() bool {
		from := s.at
		for s.at < len(s.b) && s.b[s.at] >= '0' && s.b[s.at] <= '9' {
			s.at++
		}
		return s.at > from
	}
	is := func(set string) bool {
		if s.at < len(s.b) && bytes.IndexByte([]byte(set), s.b[s.at]) >= 0 {
			s.at++
			return true
		}
		return false
	}
	is("-")
	if !is("0") && !digits() {
		return errJSON
	}
	if is(".") && !digits() {
		return errJSON
	}
	if is("eE") {
		is("+-")
		if !digits() {
			return errJSON
		}
	}
	return nil
}

// hex reads a string of hex with 0x in place.
func (s *scanner) hex() ([]byte, error) {
	text, err := s.hexText()
	if err != nil {
		return nil, err
	}
	return unhex(text)
}

// hexText reads a string that begins with 0x.
func (s *scanner) hexText() ([]byte, error) {
	if s.peek() != '"' {
		return nil, errJSON
	}
	text := s.b[s.at+1:]
	if n := bytes.IndexByte(text, '"'); n >= 0 && bytes.IndexByte(text[:n], '\\') < 0 { // without escapes, as everybody writes it
		text = text[:n]
		s.at += n + 2
	} else {
		var err error
		if text, err = s.string(); err != nil {
			return nil, err
		}
	}
	if len(text) < 2 || text[0] != '0' || text[1] != 'x' {
		return nil, fmt.Errorf("not hex: %s", clip(string(text)))
	}
	return text, nil
}

// unhex decodes 0x… where it stands.
func unhex(text []byte) ([]byte, error) {
	n, err := hex.Decode(text, text[2:]) // byte i is written when 2i+2 and 2i+3 have been read
	if err != nil {
		return nil, fmt.Errorf("not hex: %w", err)
	}
	return text[:n:n], nil
}
