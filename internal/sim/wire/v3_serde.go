package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// serde reads the fields of a JSON object as Rust's serde does: names are exact, unknown ones ignored, a missing one is the
// first problem that stays.
type serde struct {
	fields  map[string]json.RawMessage
	problem string
}

func newSerde(raw []byte) *serde {
	s := &serde{}
	if err := json.Unmarshal(raw, &s.fields); err != nil || s.fields == nil {
		s.fail("invalid type: %s, expected struct", serdeType(raw))
	}
	return s
}

func (s *serde) fail(format string, args ...any) {
	if s.problem == "" {
		s.problem = fmt.Sprintf(format, args...)
	}
}

// take takes over the problem of a part.
func (s *serde) take(part *serde) {
	if part.problem != "" {
		s.fail("%s", part.problem)
	}
}

func (s *serde) refused() wmReply {
	return wmText(http.StatusUnprocessableEntity, "Failed to deserialize the JSON body into the target type: "+s.problem)
}

func (s *serde) field(name string, needed bool) (json.RawMessage, bool) {
	raw, ok := s.fields[name]
	if !ok && needed {
		s.fail("missing field `%s`", name)
	}
	return raw, ok
}

func serdeRead[T any](s *serde, name, expected string) (v T) {
	raw, ok := s.field(name, true)
	if ok && (json.Unmarshal(raw, &v) != nil || string(raw) == "null") {
		s.fail("%s: invalid type: %s, expected %s", name, serdeType(raw), expected)
	}
	return v
}

func (s *serde) text(name string) string { return serdeRead[string](s, name, "a string") }
func (s *serde) truth(name string) bool  { return serdeRead[bool](s, name, "a boolean") }

func (s *serde) list(name string) []json.RawMessage {
	return serdeRead[[]json.RawMessage](s, name, "a sequence")
}

func (s *serde) texts(name string) []string {
	var all []string
	for _, raw := range s.list(name) {
		var text *string
		if json.Unmarshal(raw, &text) != nil || text == nil {
			s.fail("%s: invalid type: %s, expected a string", name, serdeType(raw))
			return nil
		}
		all = append(all, *text)
	}
	return all
}

// pid is a u64: digits without a sign, a point or an exponent.
func (s *serde) pid() uint64 {
	const name = "pid"
	raw, ok := s.field(name, true)
	if !ok {
		return 0
	}
	n, err := strconv.ParseUint(string(raw), 10, 64)
	if err != nil {
		s.fail("%s: invalid type: %s, expected u64", name, serdeType(raw))
	}
	return n
}

// optional is a text that may be null or absent.
func (s *serde) optional(name string) string {
	raw, ok := s.field(name, false)
	if !ok || string(raw) == "null" {
		return ""
	}
	return s.text(name)
}

func serdeType(raw []byte) string {
	text := strings.TrimSpace(string(raw))
	switch {
	case text == "" || text == "null":
		return "null"
	case text[0] == '{':
		return "map"
	case text[0] == '[':
		return "sequence"
	case text[0] == '"':
		return "string " + text
	case text == "true" || text == "false":
		return "boolean `" + text + "`"
	case strings.ContainsAny(text, ".eE"):
		return "floating point `" + text + "`"
	}
	return "integer `" + text + "`"
}

// serdeSyntax says what is wrong with text that is no JSON, and where.
func serdeSyntax(body []byte) string {
	at := len(body)
	what := "EOF while parsing a value"
	var v any
	if err := json.Unmarshal(body, &v); err != nil {
		var syntax *json.SyntaxError
		if errors.As(err, &syntax) && !strings.Contains(syntax.Error(), "unexpected end") {
			at, what = int(syntax.Offset), "expected value"
		}
	}
	line := 1 + bytes.Count(body[:at], []byte("\n"))
	column := at - 1 - bytes.LastIndexByte(body[:at], '\n')
	return fmt.Sprintf("%s at line %d column %d", what, line, column)
}
