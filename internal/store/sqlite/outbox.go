package sqlite

import (
	"context"
	"time"

	"phalops/internal/fleet"
)

const saveMessage = `INSERT INTO messages (id, channel, state, created, over, doc) VALUES (?,?,?,?,?,?) ON CONFLICT (id) DO UPDATE
	SET channel = excluded.channel, state = excluded.state, created = excluded.created, over = excluded.over, doc = excluded.doc`

// SaveMessage implements store.Outbox.
func (s *Store) SaveMessage(ctx context.Context, messages []fleet.Message, events ...fleet.Event) error {
	if len(messages)+len(events) == 0 {
		return nil
	}
	return s.write(ctx, "save messages", restoring, func(t tx) error {
		for _, m := range messages {
			raw, err := encode(m)
			if err != nil {
				return err
			}
			if _, err := t.exec(ctx, saveMessage, m.ID, m.Channel, m.State, stamp(m.Created), messageOver(m), raw); err != nil {
				return err
			}
		}
		return appendEvents(ctx, t, events)
	})
}

func messageOver(m fleet.Message) int64 {
	switch m.State {
	case fleet.MessageSent:
		return overAt(m.Sent, m.Created)
	case fleet.MessageFailed:
		return overAt(m.Due, m.Created)
	default:
		return 0
	}
}

// Messages implements store.Outbox.
func (s *Store) Messages(ctx context.Context, channel string, sentSince time.Time) ([]fleet.Message, error) {
	w := where{}
	if sentSince.IsZero() {
		w.add("over = 0")
	} else {
		w.add("(over = 0 OR (over >= ? AND state = ?))", stamp(sentSince), fleet.MessageSent)
	}
	if channel != "" {
		w.add("channel = ?", channel)
	}
	var out []fleet.Message
	err := s.read(ctx, "messages", func(t tx) (err error) {
		out, err = docs[fleet.Message](ctx, t, "SELECT doc FROM messages"+w.String()+" ORDER BY created, n", w.args...)
		return err
	})
	return out, err
}
