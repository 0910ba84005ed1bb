package fleet

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Reason is a sentence before it has a language: a stable code (for example "node.stalled") and named arguments.
// Package i18n holds the sentence for every code in every language. The zero Reason says nothing.
type Reason struct {
	Code string            `json:"code"`
	Args map[string]string `json:"args,omitempty"`
}

// Because makes a Reason. args alternates names and values: string, fmt.Stringer, error, int…, time.Duration (kept as
// Go duration text, "5m0s") and time.Time (kept as RFC 3339 UTC) are taken; the catalogue's placeholders format the last
// two for the reader. An error that carries a Reason is kept as that Reason, so that its sentence can be said inside this one. Because panics when args is not made of pairs: that is a programming error.
func Because(code string, args ...any) Reason {
	if len(args)%2 != 0 {
		panic("fleet.Because(" + code + "): arguments are not pairs")
	}
	r := Reason{Code: code}
	for i := 0; i < len(args); i += 2 {
		if r.Args == nil {
			r.Args = make(map[string]string, len(args)/2)
		}
		r.Args[args[i].(string)] = argText(args[i+1])
	}
	return r
}

func argText(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case Ref:
		return string(v)
	case time.Duration:
		return v.Round(time.Second).String()
	case time.Time:
		return v.UTC().Format(time.RFC3339)
	case int:
		return strconv.Itoa(v)
	case int64:
		return strconv.FormatInt(v, 10)
	case fmt.Stringer:
		return v.String()
	case error:
		if e, ok := errors.AsType[*Error](v); ok {
			return nested(e.Reason)
		}
		return v.Error()
	default:
		return fmt.Sprint(v)
	}
}

// NestedPrefix begins an argument that is itself a Reason, as JSON; package i18n says its sentence in its place.
const NestedPrefix = "reason:"

func nested(r Reason) string {
	b, err := json.Marshal(r)
	if err != nil {
		return r.String()
	}
	return NestedPrefix + string(b)
}

// IsZero reports whether the Reason says nothing.
func (r Reason) IsZero() bool { return r.Code == "" }

// String is for logs and tests: the code, then its arguments in a fixed order.
func (r Reason) String() string {
	var b strings.Builder
	b.WriteString(r.Code)
	for _, k := range slices.Sorted(maps.Keys(r.Args)) {
		fmt.Fprintf(&b, " %s=%s", k, r.Args[k])
	}
	return b.String()
}

// ErrorKind says what a caller may decide on when something failed. The command line's exit code and the API's status
// follow from it.
type ErrorKind string

// The kinds of errors.
const (
	Invalid     ErrorKind = "invalid"     // the input is wrong: exit 2
	NotFound    ErrorKind = "not_found"   // no such thing: exit 2
	Refused     ErrorKind = "refused"     // refused for safety: exit 4
	Locked      ErrorKind = "locked"      // another operation holds it: exit 5
	Unavailable ErrorKind = "unavailable" // somebody did not answer: exit 1
	Failed      ErrorKind = "failed"      // everything else: exit 1
)

// Error is an error that a person will read: it carries a Reason, so that it can be said in the reader's language.
type Error struct {
	Kind   ErrorKind
	Reason Reason
	Err    error // the cause, may be nil
}

// Fail makes an Error without a cause.
func Fail(kind ErrorKind, reason Reason) *Error { return &Error{Kind: kind, Reason: reason} }

// FailWith makes an Error with a cause. The sentence of reason.Code should have a place for the cause ({err}) if the
// reader needs it.
func FailWith(kind ErrorKind, reason Reason, err error) *Error {
	return &Error{Kind: kind, Reason: reason, Err: err}
}

// Error is for logs; people get the text of Reason.
func (e *Error) Error() string {
	if e.Err != nil {
		return e.Reason.String() + ": " + e.Err.Error()
	}
	return e.Reason.String()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// KindOf returns the kind of the first Error in err's chain, Failed when there is none, "" for nil.
func KindOf(err error) ErrorKind {
	if err == nil {
		return ""
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return Failed
}

// ReasonOf returns the Reason of the first Error in err's chain, else "error.other" with the text as {err}.
func ReasonOf(err error) Reason {
	if err == nil {
		return Reason{}
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Reason
	}
	return Because("error.other", "err", err)
}
