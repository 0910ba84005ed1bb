package roster

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"unicode/utf8"

	"phalops/internal/fleet"
	"phalops/internal/i18n"
)

// Problem is one mistake in a list. Neither Reason nor Excerpt ever holds what looks like a secret.
type Problem struct {
	Line    int          // from 1; 0 where the whole list is meant
	Column  int          // from 1, in characters; 0 where the whole line is meant
	Reason  fleet.Reason // what is wrong and how to say it right
	Excerpt string       // the line as written, cut; "" where nothing of it may be shown
}

// Caret is the line to print below Excerpt: blanks as wide as what stands before the mistake, then "^". It is "" where
// the excerpt does not reach the mistake.
func (p Problem) Caret() string {
	if p.Column < 1 || p.Column > utf8.RuneCountInString(p.Excerpt) {
		return ""
	}
	return i18n.Before(p.Excerpt, p.Column) + "^"
}

// At is where the mistake is: "12:5", "12", or "" where the whole list is meant.
func (p Problem) At() string {
	switch {
	case p.Line == 0:
		return ""
	case p.Column == 0:
		return strconv.Itoa(p.Line)
	}
	return fmt.Sprintf("%d:%d", p.Line, p.Column)
}

// Problems is everything that is wrong with a list, by line. At most MaxProblems are kept; the last one then says how many
// there were.
type Problems []Problem

// MaxProblems bounds a report: who reads the first two hundred knows what is wrong with the rest.
const MaxProblems = 200

// Count is the number of problems, also of those that were not kept.
func (ps Problems) Count() int {
	if n := len(ps); n > 0 && ps[n-1].Reason.Code == "roster.more" {
		more, _ := strconv.Atoi(ps[n-1].Reason.Args["count"])
		return n - 1 + more
	}
	return len(ps)
}

// Err is nil without problems, else a *fleet.Error of kind Invalid that tells their number and the first one. file is the
// list's name for people, for example "workers.csv" or "-".
func (ps Problems) Err(file string) error {
	if len(ps) == 0 {
		return nil
	}
	first := fleet.Fail(fleet.Invalid, ps[0].Reason)
	if ps[0].Line == 0 {
		return fleet.Fail(fleet.Invalid, fleet.Because("roster.invalid_whole", "file", file, "why", first))
	}
	return fleet.Fail(fleet.Invalid, fleet.Because("roster.invalid", "file", file, "count", ps.Count(), "at", ps[0].At(), "why", first))
}

func (ps Problems) sorted() Problems {
	slices.SortStableFunc(ps, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return ps
}
