package notify

import (
	"slices"
	"time"

	"phalops/internal/fleet"
)

// compose starts a message that goes out with the next digest (0: at once): digests end at whole multiples of their length, so
// that what happens in one goes out together. Its ID is the same whenever the same thing is to be said.
func compose(channel string, i fleet.Incident, kind fleet.MessageKind, what string, now time.Time, digest time.Duration) fleet.Message {
	due := now
	if digest > 0 {
		due = now.Truncate(digest).Add(digest)
	}
	return fleet.Message{
		ID: messageID(channel, i, what), Channel: channel, Incident: i.ID, Kind: kind, Severity: i.Severity,
		Created: now, Due: due, State: fleet.MessagePending,
	}
}

func messageID(channel string, i fleet.Incident, what string) string {
	return channel + "/" + i.ID + "/" + what
}

// title names severity, target and condition; each notify.title.* has places for all of them.
func title(code string, i fleet.Incident, more ...any) fleet.Reason {
	name := i.Title
	if name == "" {
		name = i.Target.Name()
	}
	return fleet.Because(code, append([]any{
		"severity", "severity." + string(i.Severity), "kind", "kind." + string(i.Target.Kind()), "name", name,
		"condition", i.ConditionCode(),
	}, more...)...)
}

// guardLines is how many guards a message shows; `incident show` has them all.
const guardLines = 3

func firingLines(i fleet.Incident) []fleet.Reason {
	lines := []fleet.Reason{i.Reason, fleet.Because("notify.line.since", "site", i.Site, "since", i.Opened)}
	if n := len(i.Children); n > 0 {
		lines = append(lines, fleet.Because("notify.line.children", "count", n))
	}
	d := i.Decision
	if o := d.Outlook(); !o.IsZero() {
		lines = append(lines, o)
	}
	if !i.Acted.IsZero() {
		lines = append(lines, fleet.Because("notify.line.acted", "at", i.Acted))
	}
	lines = append(lines, d.Guards[:min(len(d.Guards), guardLines)]...)
	if c, ok := d.Chosen(); ok {
		lines = append(lines, c.Worth())
	}
	return append(lines, fleet.Because("notify.line.show", "id", i.ID))
}

func endTitle(i fleet.Incident) fleet.Reason {
	lasted := i.Closed.Sub(i.Opened)
	if i.Acted.IsZero() {
		return title("notify.title.self", i, "for", lasted)
	}
	return title("notify.title.resolved", i, "for", lasted)
}

func endLines(i fleet.Incident) []fleet.Reason {
	lines := []fleet.Reason{fleet.Because("notify.line.ended", "site", i.Site, "since", i.Opened, "until", i.Closed)}
	if !i.Acted.IsZero() {
		lines = append(lines, fleet.Because("notify.line.acted", "at", i.Acted))
	}
	return append(lines, fleet.Because("notify.line.show", "id", i.ID))
}

// sameCodes reports whether two texts say the same apart from their numbers: a pending message is not rewritten for those.
func sameCodes(a, b []fleet.Reason) bool {
	return slices.EqualFunc(a, b, func(x, y fleet.Reason) bool { return x.Code == y.Code })
}
