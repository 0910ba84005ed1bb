package cli

import (
	"slices"
	"strings"

	"phalops/internal/fleet"
)

// rungs prints what each rung of a target's ladder is worth, and why it is not taken. A person, the last rung, has no price.
func (s *session) rungs(d fleet.Decision) {
	for _, c := range d.Candidates {
		if len(c.Source) == 0 {
			continue
		}
		s.line("col.rung", s.rung(c, d.Guards))
	}
}

func (s *session) rung(c fleet.Candidate, said []fleet.Reason) string {
	var sources []string
	for _, code := range c.Source {
		sources = append(sources, s.text(fleet.Reason{Code: code}))
	}
	sep := "; "
	if s.lang == "zh" {
		sep = "；"
	}
	text := s.text(c.Worth()) + s.say("cli.rung_source", "source", strings.Join(sources, sep))
	switch {
	case c.Closed == nil:
		return text
	case slices.ContainsFunc(said, func(r fleet.Reason) bool { return r.Code == c.Closed.Code }):
		return text + s.paint(faint, s.say("cli.rung_held"))
	}
	return text + s.paint(faint, s.say("cli.rung_closed", "why", s.text(*c.Closed)))
}
