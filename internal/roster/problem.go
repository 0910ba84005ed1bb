package roster

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"phalops/internal/fleet"
)

// Problem is one mistake in a list. Neither Reason nor Excerpt ever holds what looks like a secret.
type Problem struct {
	Line    int          // from 1; 0 where the whole list is meant
	Column  int          // from 1, in characters; 0 where the whole line is meant
	Reason  fleet.Reason // what is wrong and how to say it right
	Excerpt string       // the line as written, cut; "" where nothing of it may be shown
}

// problemJSON has the keys of `config check -o json`.
type problemJSON struct {
	Line    int               `json:"line"`
	Column  int               `json:"column"`
	Code    string            `json:"code"`
	Args    map[string]string `json:"args"`
	Excerpt string            `json:"excerpt"`
}

// MarshalJSON writes {line, column, code, args, excerpt}.
func (p Problem) MarshalJSON() ([]byte, error) {
	args := p.Reason.Args
	if args == nil {
		args = map[string]string{}
	}
	return json.Marshal(problemJSON{p.Line, p.Column, p.Reason.Code, args, p.Excerpt})
}

// Problems is everything that is wrong with a list, by line. At most MaxProblems are kept; the last one then says how many
// there were.
type Problems []Problem

// MaxProblems bounds a report: who reads the first two hundred knows what is wrong with the rest.
const MaxProblems = 200

// Err is nil without problems, else a *fleet.Error of kind Invalid that tells their number and the first one. file is the
// list's name for people, for example "workers.csv" or "-".
func (ps Problems) Err(file string) error {
	if len(ps) == 0 {
		return nil
	}
	// {reason|code} is said with the arguments of the whole, so the first problem's are among them.
	args := map[string]string{}
	maps.Copy(args, ps[0].Reason.Args)
	maps.Copy(args, fleet.Because("roster.invalid", "file", file, "count", len(ps),
		"at", fmt.Sprintf("%d:%d", ps[0].Line, ps[0].Column), "reason", ps[0].Reason.Code).Args)
	return fleet.Fail(fleet.Invalid, fleet.Reason{Code: "roster.invalid", Args: args})
}

func (ps Problems) sorted() Problems {
	slices.SortStableFunc(ps, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return ps
}
