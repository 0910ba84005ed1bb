package notify

import (
	"context"
	"maps"
	"slices"
	"time"

	"phalops/internal/fleet"
	"phalops/internal/store"
)

// ledger is the store's messages of one channel and, beside them, everything that the store does not have (yet): what it
// could not take, and what this process gave up. While the store cannot be read or written, the ledger goes on from memory.
type ledger struct {
	channel string
	store   store.Outbox
	book    map[string]fleet.Message // by ID, every message that this process knows
	unsaved map[string]bool          // which of them are newer than the store's
	events  []fleet.Event            // to be written with the next save
}

func newLedger(channel string, s store.Outbox) *ledger {
	return &ledger{channel: channel, store: s, book: map[string]fleet.Message{}, unsaved: map[string]bool{}}
}

// load is every known message, oldest first: those on their way, those sent since a moment, and some older ones. With an
// error it is what memory has.
func (l *ledger) load(ctx context.Context, sentSince time.Time) ([]fleet.Message, error) {
	stored, err := l.store.Messages(ctx, l.channel, sentSince)
	if err == nil {
		// What the store no longer has on its way, somebody else finished.
		maps.DeleteFunc(l.book, func(id string, m fleet.Message) bool { return unfinished(m) && !l.unsaved[id] })
	}
	for _, m := range stored {
		if !l.unsaved[m.ID] {
			l.book[m.ID] = m
		}
	}
	return slices.SortedFunc(maps.Values(l.book), byAge), err
}

// save writes messages, and the events that were added. What the store does not take is kept and written with the next
// save.
func (l *ledger) save(ctx context.Context, messages []fleet.Message) error {
	for _, m := range messages {
		l.book[m.ID], l.unsaved[m.ID] = m, true
	}
	if len(l.unsaved) == 0 && len(l.events) == 0 {
		return nil
	}
	var all []fleet.Message
	for id := range l.unsaved {
		all = append(all, l.book[id])
	}
	slices.SortFunc(all, byAge)
	if err := l.store.SaveMessage(ctx, all, l.events...); err != nil {
		return err
	}
	clear(l.unsaved)
	l.events = nil
	return nil
}

// event adds a line to what happened.
func (l *ledger) event(incident string, why fleet.Reason, now time.Time) {
	l.events = append(l.events, fleet.Event{
		At: now, Kind: fleet.EventMessage, Author: "phalops", Target: fleet.ChannelRef(l.channel), Incident: incident, Reason: why,
	})
}

// forget drops finished messages of incidents that nobody asks about any more.
func (l *ledger) forget(keep func(incident string) bool) {
	maps.DeleteFunc(l.book, func(id string, m fleet.Message) bool {
		return !unfinished(m) && !l.unsaved[id] && !keep(m.Incident)
	})
}

// told is when an incident was first told.
func (l *ledger) told(incident string) (time.Time, bool) {
	var first time.Time
	for _, m := range l.book {
		if m.Incident == incident && m.State == fleet.MessageSent {
			first = sooner(first, m.Sent)
		}
	}
	return first, !first.IsZero()
}
