package view

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"phalops/internal/fleet"
)

// Report is what observing saw: incidents that phalops would have acted upon, and what became of them without it.
type Report struct {
	Since   time.Time    `json:"since"`
	Would   int          `json:"would_act"` // incidents
	Alone   int          `json:"recovered_by_itself"`
	Treated int          `json:"treated_by_a_person"`
	Open    int          `json:"still_open"`
	Rules   []RuleReport `json:"rules"`
}

// RuleReport is the part of one rule.
type RuleReport struct {
	Rule    string  `json:"rule"`
	Would   int     `json:"would_act"`
	Alone   int     `json:"recovered_by_itself"`
	Treated int     `json:"treated_by_a_person"`
	Open    int     `json:"still_open"`
	Median  float64 `json:"recovery_median_s"` // seconds from the moment at which phalops would have acted to the recovery by itself; 0: none
}

// NewReport counts the incidents that would have been acted upon since a moment. treated tells whether anybody treated a
// target between two moments. rules tells by which rule an incident would have been acted upon.
func NewReport(incidents []fleet.Incident, since time.Time, treated func(target fleet.Ref, from, to time.Time) bool, rule func(fleet.Incident) string) Report {
	r := Report{Since: since.UTC(), Rules: []RuleReport{}}
	rules, took := map[string]*RuleReport{}, map[string][]time.Duration{}
	for _, i := range incidents {
		if i.WouldAct.IsZero() || i.WouldAct.Before(since) {
			continue
		}
		name := rule(i)
		x := rules[name]
		if x == nil {
			x = &RuleReport{Rule: name}
			rules[name] = x
		}
		r.Would++
		x.Would++
		end := i.Closed
		switch {
		case treated(i.Target, i.Opened, end):
			r.Treated++
			x.Treated++
		case i.Open():
			r.Open++
			x.Open++
		default:
			r.Alone++
			x.Alone++
			took[name] = append(took[name], end.Sub(i.WouldAct))
		}
	}
	for name, x := range rules {
		if ts := took[name]; len(ts) > 0 {
			slices.Sort(ts)
			x.Median = ts[len(ts)/2].Seconds()
		}
		r.Rules = append(r.Rules, *x)
	}
	slices.SortFunc(r.Rules, func(a, b RuleReport) int { return cmp.Or(b.Would-a.Would, strings.Compare(a.Rule, b.Rule)) })
	return r
}
