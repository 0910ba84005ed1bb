package notify

import (
	"cmp"
	"slices"
	"time"

	"phalops/internal/fleet"
)

// Bounds of one alert.
const (
	apart        = 3     // up to so many messages that are due together are alerts of their own
	mergedItems  = 20    // messages in one alert
	mergedBytes  = 12000 // of their text, well below the 20,000 that DingTalk takes with everything around it
	mergedLines  = 2     // lines of each in an alert of several
	reserveShare = 4     // a quarter of a service's limit is kept for critical messages
)

// batch is one alert to be: the first message carries the others.
type batch struct {
	messages []fleet.Message
	repeat   bool // it was under way before, and nobody knows how far it came
}

func (b batch) loud() bool { return slices.ContainsFunc(b.messages, loud) }

// loud messages may use the slots that are kept free.
func loud(m fleet.Message) bool {
	return m.Severity == fleet.Critical && m.Kind != fleet.MessageResolved
}

// pick chooses the next alert: critical ones first, then the oldest. free is how many sends the service's limit still
// allows, of which reserve are for critical ones. held says that something due did not fit.
func pick(all []fleet.Message, free, reserve int, size func(fleet.Message) int, now time.Time) (b batch, ok, held bool) {
	for _, b := range batches(all, size, now) {
		if free > reserve || (b.loud() && free > 0) {
			return b, true, held
		}
		held = true
	}
	return batch{}, false, held
}

// batches are the alerts that are due, in the order in which they should be sent.
func batches(all []fleet.Message, size func(fleet.Message) int, now time.Time) []batch {
	under := map[string][]fleet.Message{} // by the message that carries them
	var urgent, calm, later []fleet.Message
	digest := false
	for _, m := range all {
		due := !m.Due.After(now)
		switch {
		case m.State == fleet.MessageSending && due:
			carrier := cmp.Or(m.Merged, m.ID)
			under[carrier] = append(under[carrier], m)
		case m.State != fleet.MessagePending:
		case loud(m) && due:
			urgent = append(urgent, m)
		case !loud(m) && due:
			calm = append(calm, m)
			digest = digest || m.Due.After(m.Created)
		case !loud(m):
			later = append(later, m)
		}
	}
	if digest { // a digest takes along whatever waits for a later one
		calm = append(calm, later...)
	}
	var out []batch
	for carrier, ms := range under {
		slices.SortFunc(ms, func(a, b fleet.Message) int {
			return cmp.Or(cmp.Compare(carrying(b, carrier), carrying(a, carrier)), byAge(a, b))
		})
		out = append(out, batch{messages: ms, repeat: true})
	}
	out = append(out, merge(urgent, len(urgent) > apart, size)...)
	out = append(out, merge(calm, digest || len(calm) > apart, size)...)
	slices.SortStableFunc(out, func(a, b batch) int {
		return cmp.Or(cmp.Compare(order(a), order(b)), byAge(a.messages[0], b.messages[0]))
	})
	return out
}

func carrying(m fleet.Message, carrier string) int {
	if m.ID == carrier {
		return 1
	}
	return 0
}

// order puts critical alerts before others.
func order(b batch) int {
	if b.loud() {
		return 0
	}
	return 1
}

func byAge(a, b fleet.Message) int {
	return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.ID, b.ID))
}

// merge makes alerts of messages: one each, or as few as the bounds allow.
func merge(ms []fleet.Message, together bool, size func(fleet.Message) int) []batch {
	slices.SortFunc(ms, byAge)
	var out []batch
	bytes := 0
	for _, m := range ms {
		n := size(m)
		last := len(out) - 1
		if !together || last < 0 || len(out[last].messages) == mergedItems || bytes+n > mergedBytes {
			out, bytes = append(out, batch{messages: []fleet.Message{m}}), n
			continue
		}
		out[last].messages = append(out[last].messages, m)
		bytes += n
	}
	return out
}
