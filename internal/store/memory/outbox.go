package memory

import (
	"cmp"
	"context"
	"slices"
	"time"

	"phalops/internal/fleet"
)

// message keeps the order of writing beside the message, for those that were made at the same moment.
type message struct {
	fleet.Message
	nth int64
}

// SaveMessage implements store.Outbox.
func (s *Store) SaveMessage(ctx context.Context, messages []fleet.Message, events ...fleet.Event) error {
	end, err := s.begin(ctx)
	if err != nil {
		return err
	}
	defer end()
	for _, m := range messages {
		if old, ok := s.messages[m.ID]; ok {
			old.Message = cloneMessage(m)
			continue
		}
		s.queued++
		s.messages[m.ID] = &message{cloneMessage(m), s.queued}
	}
	s.add(events...)
	return nil
}

// Messages implements store.Outbox.
func (s *Store) Messages(ctx context.Context, channel string, sentSince time.Time) ([]fleet.Message, error) {
	end, err := s.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer end()
	var found []*message
	for _, m := range s.messages {
		waits := m.State != fleet.MessageSent && m.State != fleet.MessageFailed
		sent := m.State == fleet.MessageSent && !sentSince.IsZero() && !m.Sent.Before(sentSince)
		if (waits || sent) && (channel == "" || channel == m.Channel) {
			found = append(found, m)
		}
	}
	slices.SortFunc(found, func(a, b *message) int { return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.nth, b.nth)) })
	out := make([]fleet.Message, len(found))
	for i, m := range found {
		out[i] = cloneMessage(m.Message)
	}
	return out, nil
}

func (s *Store) pruneMessages(before time.Time) int64 {
	n := len(s.messages)
	for id, m := range s.messages {
		switch {
		case m.State == fleet.MessageSent && m.Sent.Before(before), m.State == fleet.MessageFailed && m.Created.Before(before):
			delete(s.messages, id)
		}
	}
	return int64(n - len(s.messages))
}
