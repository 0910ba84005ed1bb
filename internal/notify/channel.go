package notify

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"phalops/internal/config"
	"phalops/internal/fleet"
)

// Timing of a channel.
const (
	idle        = time.Minute      // a Step is wanted at least so often
	firstPause  = time.Second      // after the first failed try; it doubles
	longest     = 5 * time.Minute  // until here
	sendTimeout = 20 * time.Second // of one Send, in real time
	saveTimeout = 5 * time.Second  // of recording what a Send came to, in real time, even when the caller's context is done
)

// Channel is the way to one chat room or mailbox: what it has to be told, and the telling. It is safe for concurrent use,
// but Steps must not overlap.
//
// When the store cannot be written (full, broken), the channel goes on from memory: messages are sent and their states kept
// until the store takes them. Only what was sent in that time can be repeated unmarked if the process dies too.
type Channel struct {
	name   string
	sender Sender
	routes []config.Route
	words  speaker
	log    *slog.Logger
	count  func(channel string, state fleet.MessageState)

	mu       sync.Mutex // not held during a send
	ledger   *ledger
	sends    []time.Time // tries within the service's period
	read     bool        // the ledger was read once: what was said before this process is known
	began    bool        // sends holds what the store knew at the first Step
	until    time.Time   // no try before: the service failed or said so
	failures int         // in a row
}

// Name is the channel's name in the configuration.
func (c *Channel) Name() string { return c.name }

// Tell brings the channel's messages up to date with incidents: all open ones, and the closed ones until their end has been
// told. It returns when a message may be wanted though nothing changed (a repeat); zero: never.
func (c *Channel) Tell(ctx context.Context, incidents []fleet.Incident, now time.Time) (time.Time, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	since := now
	known := map[string]bool{}
	for _, i := range incidents {
		known[i.ID] = true
		if i.Opened.Before(since) {
			since = i.Opened
		}
	}
	sofar, loadErr := c.ledger.load(ctx, since)
	if loadErr != nil && !c.read {
		return now.Add(idle), loadErr // without knowing what was said before, saying it all again would be noise
	}
	c.read = true
	c.ledger.forget(func(incident string) bool { return known[incident] })
	of := map[string][]fleet.Message{}
	for _, m := range sofar {
		of[m.Incident] = append(of[m.Incident], m)
	}
	var next time.Time
	var save []fleet.Message
	for _, i := range incidents {
		messages, again := Route(c.routes, c.name, i, of[i.ID], now)
		save = append(save, messages...)
		next = sooner(next, again)
	}
	return next, errors.Join(loadErr, c.ledger.save(ctx, save))
}

// told is when an incident of the newest Tell was first told here.
func (c *Channel) told(incident string) (time.Time, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ledger.told(incident)
}

// Post adds messages that belong to no incident, such as a test or "the disk is full". A message whose ID is on its way
// already is left alone.
func (c *Channel) Post(ctx context.Context, now time.Time, messages ...fleet.Message) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	sofar, loadErr := c.ledger.load(ctx, now) // a post is for bad times too: it does not need the store
	var save []fleet.Message
	for _, m := range messages {
		if !slices.ContainsFunc(sofar, func(o fleet.Message) bool { return o.ID == m.ID && unfinished(o) }) {
			m.Channel, m.State, m.Created, m.Due = c.name, fleet.MessagePending, now, now
			save = append(save, m)
		}
	}
	return errors.Join(loadErr, c.ledger.save(ctx, save))
}

// Step sends what is due, as far as the service's limit allows, and says when to be called again. A send that failed is no
// error of Step but an event and a later try; an error is the store's.
func (c *Channel) Step(ctx context.Context, now time.Time) (time.Time, error) {
	var problem error
	for ctx.Err() == nil {
		b, ok, next, err := c.begin(ctx, now)
		problem = errors.Join(problem, err)
		if !ok {
			return next, problem
		}
		sendCtx, cancel := context.WithTimeout(ctx, sendTimeout)
		retry, sendErr := c.sender.Send(sendCtx, c.words.alert(b), now)
		cancel()
		saveCtx, cancel := context.WithTimeout(context.WithoutCancel(ctx), saveTimeout)
		err = c.settle(saveCtx, b, retry, sendErr, now)
		cancel()
		problem = errors.Join(problem, err)
	}
	return now.Add(firstPause), errors.Join(problem, ctx.Err())
}

// begin chooses the next alert and commits that it is about to be sent.
func (c *Channel) begin(ctx context.Context, now time.Time) (b batch, ok bool, next time.Time, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	limit, per := c.sender.Limit()
	window := per + per/10 // the service counts arrivals, which trail our sends unevenly
	all, err := c.ledger.load(ctx, now.Add(-window))
	c.countSends(all, window, now)
	if now.Before(c.until) {
		return batch{}, false, c.until, err
	}
	b, ok, held := pick(all, limit-len(c.sends), limit/reserveShare, c.words.size, now)
	if !ok {
		return batch{}, false, c.wake(all, held, window, now), err
	}
	for n := range b.messages {
		m := &b.messages[n]
		m.State, m.Tries = fleet.MessageSending, m.Tries+1
		m.Due, m.Merged = now, ""
		if n > 0 {
			m.Merged = b.messages[0].ID
		}
	}
	c.sends = append(c.sends, now)
	return b, true, time.Time{}, errors.Join(err, c.ledger.save(ctx, b.messages))
}

// countSends keeps the tries within the window. The first time it takes over those of an earlier process, the one that was under
// way included.
func (c *Channel) countSends(all []fleet.Message, window time.Duration, now time.Time) {
	if !c.began {
		c.began = true
		for _, m := range all {
			switch {
			case m.Merged != "":
			case m.State == fleet.MessageSent:
				c.sends = append(c.sends, m.Sent)
			case m.State == fleet.MessageSending:
				c.sends = append(c.sends, now)
			}
		}
		slices.SortFunc(c.sends, time.Time.Compare)
	}
	c.sends = slices.DeleteFunc(c.sends, func(t time.Time) bool { return now.Sub(t) >= window })
}

// wake is when there is something to send again.
func (c *Channel) wake(all []fleet.Message, held bool, window time.Duration, now time.Time) time.Time {
	next := now.Add(idle)
	if held && len(c.sends) > 0 {
		next = sooner(next, c.sends[0].Add(window))
	}
	for _, m := range all {
		if unfinished(m) && m.Due.After(now) {
			next = sooner(next, m.Due)
		}
	}
	return next
}

// settle commits what became of an alert.
func (c *Channel) settle(ctx context.Context, b batch, retry bool, sendErr error, now time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	var refused *Refused
	sure := errors.As(sendErr, &refused)
	switch {
	case sendErr == nil:
		c.failures, c.until = 0, time.Time{}
	case retry:
		pause := min(firstPause<<min(c.failures, 16), longest)
		if sure {
			pause = max(pause, refused.After)
		}
		c.failures++
		c.until = now.Add(pause)
		c.log.WarnContext(ctx, "an alert was not delivered and is tried again", "channel", c.name, "again", c.until, "error", sendErr)
	default:
		c.log.ErrorContext(ctx, "an alert cannot be delivered", "channel", c.name, "error", sendErr)
	}
	why := fleet.ReasonOf(sendErr)
	for n := range b.messages {
		m := &b.messages[n]
		m.Error = why.String()
		switch {
		case sendErr == nil:
			m.State, m.Sent, m.Error = fleet.MessageSent, now, ""
			c.ledger.event(m.Incident, fleet.Because("notify.sent", "channel", c.name), now)
		case !retry:
			m.State = fleet.MessageFailed
			c.ledger.event(m.Incident, why, now)
		case sure && !b.repeat:
			m.State, m.Due, m.Merged = fleet.MessagePending, c.until, ""
		default: // perhaps delivered, now or before: it stays "sending", and its next try is marked
			m.Due = c.until
		}
		if !unfinished(*m) {
			c.count(c.name, m.State)
		}
	}
	if sendErr != nil && retry && c.failures == 1 {
		c.ledger.event(b.messages[0].Incident, why, now)
	}
	return c.ledger.save(ctx, b.messages)
}

// sooner is the earlier of two times, where zero is never.
func sooner(a, b time.Time) time.Time {
	if a.IsZero() || (!b.IsZero() && b.Before(a)) {
		return b
	}
	return a
}
