// Package secret turns references to secrets into their values at the moment of use. A reference is what configuration,
// journal and plans hold; a value prints as <secret> wherever it lands by mistake.
package secret

import (
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"

	"phalops/internal/fleet"
)

// Ref is a reference: env:NAME, file:/path (mode 0600 or stricter), age:/path (encrypted), cred:NAME (systemd credential).
// The zero Ref is "no secret".
type Ref string

// The schemes of a Ref.
const (
	schemeEnv  = "env"
	schemeFile = "file"
	schemeAge  = "age"
	schemeCred = "cred"
)

// IsZero reports whether there is no secret.
func (r Ref) IsZero() bool { return r == "" }

// Check says what is wrong with the form of r, as a *fleet.Error of kind Invalid; nil for the zero Ref. It looks neither at
// the environment nor at a file, and its error never repeats r, which may be a secret that was written in plain.
func (r Ref) Check() error {
	if r.IsZero() {
		return nil
	}
	scheme, rest, _ := strings.Cut(string(r), ":")
	switch scheme {
	case schemeEnv:
		if !isVariable(rest) {
			return fleet.Fail(fleet.Invalid, fleet.Because("secret.bad_env"))
		}
	case schemeFile, schemeAge:
		if !filepath.IsAbs(rest) || strings.ContainsFunc(rest, isControl) {
			return fleet.Fail(fleet.Invalid, fleet.Because("secret.bad_path", "scheme", scheme))
		}
	case schemeCred:
		if !isCredential(rest) {
			return fleet.Fail(fleet.Invalid, fleet.Because("secret.bad_cred"))
		}
	default:
		return fleet.Fail(fleet.Invalid, fleet.Because("secret.not_a_reference"))
	}
	return nil
}

// String is the reference, or <secret> for text that is none: it may be the secret itself.
func (r Ref) String() string {
	if r.Check() != nil {
		return mask
	}
	return string(r)
}

func isVariable(s string) bool {
	for i := range len(s) {
		c := s[i]
		letter := c == '_' || 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z'
		if !letter && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return s != ""
}

// isCredential accepts what systemd takes as the name of a credential, as far as it can be one file name.
func isCredential(s string) bool {
	return s != "" && s != "." && s != ".." && len(s) <= 255 && !strings.ContainsFunc(s, func(c rune) bool {
		return c == '/' || c > '~' || c <= ' '
	})
}

func isControl(c rune) bool { return c < ' ' || c == 0x7f }

// mask is every printed form of a Value.
const mask = "<secret>"

// Value is a secret. Every printing, logging and marshalling form of it is "<secret>"; only Reveal gives the text.
type Value struct {
	text *string // a pointer, because fmt reads the fields of a Value that is itself an unexported field
}

// NewValue makes a Value of text.
func NewValue(text string) Value { return Value{text: &text} }

// Reveal is the secret itself, "" for the zero Value. Call it where the secret is used and keep the result nowhere.
func (v Value) Reveal() string {
	if v.text == nil {
		return ""
	}
	return *v.text
}

// IsZero reports whether there is no secret.
func (v Value) IsZero() bool { return v.Reveal() == "" }

// String is "<secret>".
func (v Value) String() string { return mask }

// GoString is "<secret>".
func (v Value) GoString() string { return mask }

// Format writes "<secret>" for every verb.
func (v Value) Format(s fmt.State, _ rune) { _, _ = s.Write([]byte(mask)) }

// LogValue is "<secret>".
func (v Value) LogValue() slog.Value { return slog.StringValue(mask) }

// MarshalText is "<secret>".
func (v Value) MarshalText() ([]byte, error) { return []byte(mask), nil }

// MarshalJSON is "<secret>".
func (v Value) MarshalJSON() ([]byte, error) { return []byte(`"` + mask + `"`), nil }

// MarshalYAML is "<secret>".
func (v Value) MarshalYAML() (any, error) { return mask, nil }

var (
	_ fmt.Formatter  = Value{}
	_ fmt.GoStringer = Value{}
	_ slog.LogValuer = Value{}
)
