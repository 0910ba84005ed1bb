package config

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"unicode/utf8"

	"phalops/internal/fleet"
	"phalops/internal/i18n"
)

// Problem is one mistake in a configuration file. Neither Reason nor Excerpt ever holds a secret: the excerpt ends with "…"
// before the first thing on the line that was not understood.
type Problem struct {
	Line    int // from 1; 0 where the whole file is meant
	Column  int // from 1, in characters
	Path    string
	Reason  fleet.Reason
	Excerpt string // the line as written, "" where nothing of it may be shown
}

// problemJSON is the shape of `config check -o json`.
type problemJSON struct {
	Line    int               `json:"line"`
	Column  int               `json:"column"`
	Path    string            `json:"path"`
	Code    string            `json:"code"`
	Args    map[string]string `json:"args"`
	Excerpt string            `json:"excerpt"`
}

// MarshalJSON writes {line, column, path, code, args, excerpt}.
func (p Problem) MarshalJSON() ([]byte, error) {
	args := p.Reason.Args
	if args == nil {
		args = map[string]string{}
	}
	return json.Marshal(problemJSON{p.Line, p.Column, p.Path, p.Reason.Code, args, p.Excerpt})
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (p *Problem) UnmarshalJSON(b []byte) error {
	var j problemJSON
	if err := json.Unmarshal(b, &j); err != nil {
		return err
	}
	*p = Problem{j.Line, j.Column, j.Path, fleet.Reason{Code: j.Code, Args: j.Args}, j.Excerpt}
	return nil
}

// Caret is the line to print below Excerpt: blanks as wide as what stands before the mistake, then "^". It is "" where
// the excerpt does not reach the mistake.
func (p Problem) Caret() string {
	if p.Column < 1 || p.Column > utf8.RuneCountInString(p.Excerpt) {
		return ""
	}
	return i18n.Before(p.Excerpt, p.Column) + "^"
}

// Problems is everything that is wrong with a file, in the order of the file.
type Problems []Problem

// Err is nil without problems, else a *fleet.Error of kind Invalid that tells their number and the first one's place.
func (ps Problems) Err(file string) error {
	if len(ps) == 0 {
		return nil
	}
	// {reason|code} is said with the arguments of the whole, so the first problem's are among them.
	args := map[string]string{}
	maps.Copy(args, ps[0].Reason.Args)
	maps.Copy(args, fleet.Because("config.invalid", "file", file, "count", len(ps),
		"at", fmt.Sprintf("%d:%d", ps[0].Line, ps[0].Column), "reason", ps[0].Reason.Code).Args)
	return fleet.Fail(fleet.Invalid, fleet.Reason{Code: "config.invalid", Args: args})
}

func (ps Problems) sorted() Problems {
	slices.SortStableFunc(ps, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column), cmp.Compare(a.Path, b.Path),
			cmp.Compare(a.Reason.Code, b.Reason.Code))
	})
	return ps
}
