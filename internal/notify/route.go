package notify

import (
	"slices"
	"time"

	"phalops/internal/config"
	"phalops/internal/fleet"
)

// Route says what one channel still has to be told about an incident: the messages to save, new ones and changed ones, and
// when to ask again (zero: when the incident changes). sofar is what the store has for the channel, of this incident at
// least. Route compares what is with what should be, so calling it twice, or again after a crash, adds nothing.
//
//   - An open incident is told once, after the route's digest delay; until it is sent, its text follows the incident.
//   - It is told again when it becomes louder, when treatment begins after it was told (not for info), and every
//     route.Repeat as long as it lasts.
//   - A recovery is told only where the trouble was. Trouble that ends before it was told becomes one line that says
//     so, or nothing at all when it is info and nothing was done about it.
//   - What turned bad with the target is counted in its message and has none of its own.
func Route(routes []config.Route, channel string, i fleet.Incident, sofar []fleet.Message, now time.Time) (save []fleet.Message, next time.Time) {
	said := history(channel, i, sofar)
	route, routed := routeOf(routes, channel, i.Severity)
	switch {
	case !i.Open():
		return recovered(channel, i, said, route, now), time.Time{}
	case routed:
		return lasting(channel, i, said, route, now)
	default:
		return nil, time.Time{}
	}
}

// said is what a channel was told about one incident, oldest first.
type said []fleet.Message

func history(channel string, i fleet.Incident, sofar []fleet.Message) said {
	var s said
	for _, m := range sofar {
		if m.Channel == channel && m.Incident == i.ID {
			s = append(s, m)
		}
	}
	slices.SortStableFunc(s, func(a, b fleet.Message) int { return a.Created.Compare(b.Created) })
	return s
}

func (s said) find(id string) (fleet.Message, bool) {
	at := slices.IndexFunc(s, func(m fleet.Message) bool { return m.ID == id })
	if at < 0 {
		return fleet.Message{}, false
	}
	return s[at], true
}

// lastSent is when the newest message about the trouble reached the channel; zero: none did.
func (s said) lastSent() time.Time {
	var t time.Time
	for _, m := range s {
		if m.Kind != fleet.MessageResolved && m.State == fleet.MessageSent && m.Sent.After(t) {
			t = m.Sent
		}
	}
	return t
}

// loudest is the firing message of the highest severity.
func (s said) loudest() (loudest fleet.Message, ok bool) {
	for _, m := range s {
		if m.Kind == fleet.MessageFiring && (!ok || rank(m.Severity) > rank(loudest.Severity)) {
			loudest, ok = m, true
		}
	}
	return loudest, ok
}

// unfinished reports whether a message is still on its way.
func unfinished(m fleet.Message) bool {
	return m.State == fleet.MessagePending || m.State == fleet.MessageSending
}

func lasting(channel string, i fleet.Incident, s said, route config.Route, now time.Time) (save []fleet.Message, next time.Time) {
	loudest, fired := s.loudest()
	if !fired || rank(loudest.Severity) < rank(i.Severity) {
		for _, m := range s {
			if m.State == fleet.MessagePending {
				save = append(save, dropped(m)) // the louder message says it all
			}
		}
		firing := compose(channel, i, fleet.MessageFiring, "firing-"+string(i.Severity), now, route.Digest)
		firing.Title = title("notify.title.firing", i)
		if !s.lastSent().IsZero() {
			firing.Title = title("notify.title.louder", i)
		}
		firing.Lines = firingLines(i)
		return append(save, firing), time.Time{}
	}
	for _, m := range s {
		if m.State == fleet.MessagePending && m.Kind == fleet.MessageFiring && m.Tries == 0 && !sameCodes(m.Lines, firingLines(i)) {
			m.Lines = firingLines(i)
			save = append(save, m)
		}
	}
	told := s.lastSent()
	if told.IsZero() || slices.ContainsFunc(s, unfinished) {
		return save, time.Time{}
	}
	if _, done := s.find(messageID(channel, i, "acted")); !done && i.Acted.After(told) && i.Severity != fleet.Info {
		acted := compose(channel, i, fleet.MessageFiring, "acted", now, route.Digest)
		acted.Title, acted.Lines = title("notify.title.acted", i), firingLines(i)
		return append(save, acted), time.Time{}
	}
	if route.Repeat <= 0 {
		return save, time.Time{}
	}
	if again := told.Add(route.Repeat); now.Before(again) {
		return save, again
	}
	repeat := compose(channel, i, fleet.MessageRepeat, "repeat-"+now.UTC().Format("20060102T150405"), now, 0)
	repeat.Title = title("notify.title.repeat", i, "for", now.Sub(i.Opened))
	repeat.Lines = firingLines(i)
	return append(save, repeat), now.Add(route.Repeat)
}

func recovered(channel string, i fleet.Incident, s said, route config.Route, now time.Time) []fleet.Message {
	if slices.ContainsFunc(s, func(m fleet.Message) bool { return m.Kind == fleet.MessageResolved }) ||
		slices.ContainsFunc(s, func(m fleet.Message) bool { return m.State == fleet.MessageSending }) {
		return nil // told already; or first it must be known whether the trouble was told
	}
	told := !s.lastSent().IsZero()
	var save []fleet.Message
	line := i.Severity != fleet.Info || !i.Acted.IsZero() // trouble that was never told ends as one line, and so does every treatment
	for _, m := range s {
		switch {
		case m.State != fleet.MessagePending:
		case !told && line:
			m.Kind, m.Title, m.Lines = fleet.MessageResolved, endTitle(i), nil
			save, line = append(save, m), false
		default:
			save = append(save, dropped(m))
		}
	}
	if told {
		end := compose(channel, i, fleet.MessageResolved, "resolved", now, route.Digest)
		end.Title, end.Lines = endTitle(i), endLines(i)
		save = append(save, end)
	}
	return save
}

func dropped(m fleet.Message) fleet.Message {
	m.State = fleet.MessageDropped
	return m
}

// routeOf is the first route that sends the severity to the channel.
func routeOf(routes []config.Route, channel string, s fleet.Severity) (config.Route, bool) {
	at := slices.IndexFunc(routes, func(r config.Route) bool {
		return slices.Contains(r.Severity, string(s)) && slices.Contains(r.To, channel)
	})
	if at < 0 {
		return config.Route{}, false
	}
	return routes[at], true
}

// rank orders severities, quietest first.
func rank(s fleet.Severity) int {
	return slices.Index([]fleet.Severity{fleet.Info, fleet.Warning, fleet.Critical}, s)
}
