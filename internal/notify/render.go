package notify

import (
	"phalops/internal/fleet"
	"phalops/internal/i18n"
)

// speaker turns messages into a reader's language.
type speaker struct {
	catalog *i18n.Catalog
	lang    i18n.Lang
}

func (s speaker) say(r fleet.Reason) string { return s.catalog.Text(s.lang, r.Code, r.Args) }

// item is one message in full, or with its first lines only.
func (s speaker) item(m fleet.Message, lines int) Item {
	it := Item{Title: s.say(m.Title), At: m.Created}
	for _, l := range m.Lines[:min(lines, len(m.Lines))] {
		if !l.IsZero() {
			it.Lines = append(it.Lines, s.say(l))
		}
	}
	return it
}

// size is what a message takes in an alert of several.
func (s speaker) size(m fleet.Message) int {
	it := s.item(m, mergedLines)
	n := len(it.Title)
	for _, l := range it.Lines {
		n += len(l) + 1
	}
	return n
}

func (s speaker) alert(b batch) Alert {
	a := Alert{Resolved: true, Repeat: b.repeat}
	lines, loudest := mergedLines, fleet.Info
	if len(b.messages) == 1 {
		lines = len(b.messages[0].Lines)
	}
	for _, m := range b.messages {
		a.Items = append(a.Items, s.item(m, lines))
		a.Resolved = a.Resolved && m.Kind == fleet.MessageResolved
		if rank(m.Severity) > rank(loudest) {
			loudest = m.Severity
		}
	}
	a.Severity = string(loudest)
	switch n := len(b.messages); {
	case n == 1:
		a.Title = a.Items[0].Title
	case a.Resolved:
		a.Title = s.say(fleet.Because("notify.merged.resolved", "count", n))
	default:
		a.Title = s.say(fleet.Because("notify.merged.title", "count", n, "severity", "severity."+a.Severity))
	}
	if a.Repeat {
		a.Title = s.say(fleet.Because("notify.maybe_repeat", "title", a.Title))
	}
	return a
}
